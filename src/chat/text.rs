//! Replies to commands, and the words that all sentences share.
//!
//! Plain English, no jargon. An error says what happened, what was kept, and what to do now.

use crate::domain::choices::PermissionMode;
use std::time::Duration;

use super::menu;

use crate::domain::id::MessageId;
use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::verb::Verb;
use crate::redact::short::one_line;

/// `/start` and `/help`.
pub fn help() -> Outgoing {
    let mut text = String::from(
        "What you write here goes unchanged to claude, which works in a git workspace on the machine this \
         bot runs on. The chat shows it working and tells you when it is done.\n\nPictures, files and voice \
         messages go to claude too. Messages sent while it works reach it at its next step; those sent afterwards \
         continue the conversation. Other /commands go to claude; //status sends it /status.\n",
    );
    for verb in Verb::ALL.into_iter().filter(|verb| verb.in_menu()) {
        let arguments = match verb.arguments() {
            "" => String::new(),
            arguments => format!(" {arguments}"),
        };
        text.push_str(&format!(
            "\n/{}{arguments} – {}",
            verb.name(),
            menu::meaning(verb)
        ));
    }
    Outgoing::note(text)
}

/// A command of the bot with wrong arguments.
pub fn misused(verb: Verb) -> Outgoing {
    Outgoing::note(format!(
        "I did not understand that, and nothing was changed. Usage: /{} {}",
        verb.name(),
        verb.arguments()
    ))
}

/// Words behind a command that takes none.
pub fn words_went_nowhere(verb: Verb) -> Outgoing {
    let name = verb.name();
    Outgoing::note(format!(
        "/{name} takes no words, so claude did not get what you wrote behind it. If claude is to get it, send it again \
         without /{name}."
    ))
}

/// A text of several lines that begins with a command that takes no words.
pub fn no_command_of_several_lines(verb: Verb) -> Outgoing {
    let name = verb.name();
    Outgoing::note(format!(
        "Nothing was done, and claude did not get this: it begins with /{name}, a command of mine that takes no words, \
         but has several lines. For the command, send /{name} alone; for claude, send the text with another word at its \
         beginning."
    ))
}

/// claude cannot get this kind of message. `kind` is the Bot API's name for it.
pub fn cannot_be_passed_on(kind: &str) -> Outgoing {
    Outgoing::note(format!(
        "This was not passed on to claude: {}. Write what you need, or send a screenshot of it.",
        match kind {
            "sticker" => "it cannot read a sticker without an emoji".to_owned(),
            "paid_media" => "bots cannot see paid media".to_owned(),
            "story" => "a story can only be seen in Telegram itself".to_owned(),
            "giveaway_winners" => "it can do nothing with a giveaway".to_owned(),
            "game" | "giveaway" | "invoice" =>
                format!("it can do nothing with {}", with_article(kind)),
            _ => format!(
                "I do not know this kind of message yet ({})",
                kind.replace('_', " ")
            ),
        }
    ))
}

fn with_article(kind: &str) -> String {
    let words = kind.replace('_', " ");
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {words}")
}

/// `/stop` while nothing runs.
pub fn nothing_to_stop() -> Outgoing {
    Outgoing::note("Nothing is running, and nothing waits.").urgent()
}

/// `/stop` if prompts only wait.
pub fn dropped_waiting(count: usize) -> Outgoing {
    Outgoing::note(match count {
        1 => "The waiting prompt was dropped and did not run.".to_owned(),
        many => format!("The {many} waiting prompts were dropped and did not run."),
    })
    .urgent()
}

/// A run was ended by `/stop`, and with it what went on in the background.
pub fn stopped(
    elapsed: Duration,
    cost_usd: f64,
    waiting: usize,
    in_background: &[String],
) -> Outgoing {
    let mut text = format!(
        "Stopped after {}{}.",
        duration(elapsed),
        cost_clause(cost_usd)
    );
    if !in_background.is_empty() {
        text.push_str(&format!(
            " Ended with it in the background: {}.",
            named(in_background)
        ));
    }
    match waiting {
        0 => {}
        1 => text.push_str(" The waiting prompt runs now; /stop drops it."),
        many => text.push_str(&format!(
            " The {many} waiting prompts run now; /stop drops them."
        )),
    }
    text.push_str(" What was changed so far is kept.");
    Outgoing::note(text).loud().urgent()
}

/// `/stop` came after the run had ended.
pub fn already_over() -> Outgoing {
    Outgoing::note("The run was already over.").urgent()
}

/// A run took longer than `TELECODER_RUN_TIMEOUT`.
pub fn timed_out(elapsed: Duration, cost_usd: f64) -> Outgoing {
    Outgoing::note(format!(
        "Stopped after {}{}: that is the limit for one run (TELECODER_RUN_TIMEOUT). What was changed so \
         far is kept; write to continue.",
        duration(elapsed),
        cost_clause(cost_usd)
    ))
    .loud()
}

/// The keeper is gone, and the run's end unknown. `changed` are uncommitted files.
pub fn lost(last_steps: &str, changed: &[String], survivors: usize, has_begun: bool) -> Outgoing {
    let mut text = String::from(
        "The run was lost: the process that kept it was killed, or the machine went down. ",
    );
    text.push_str(match (has_begun, changed) {
        (false, _) => "There is no sign that claude had begun with the prompt.",
        (true, []) => "The work so far is kept.",
        (true, [_]) => "The work so far is kept; in the workspace this file is not committed: ",
        (true, _) => "The work so far is kept; in the workspace these files are not committed: ",
    });
    if has_begun && !changed.is_empty() {
        text.push_str(&some_of(changed));
        text.push('.');
    }
    text.push_str(&survivors_clause(survivors));
    text.push_str(" The button resumes it; or write what you want instead.");
    Outgoing::note(text).quoting(last_steps).loud()
}

/// The first of many names.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The processes that a run left behind, in a sentence; `None` if there are none.
pub fn left_behind(survivors: usize, kept: usize) -> Option<String> {
    let mut text = survivors_clause(survivors);
    text.push_str(&match kept {
        0 => String::new(),
        1 => " One process keeps running, because it was started with TELECODER_KEEP.".to_owned(),
        many => format!(
            " {many} processes keep running, because they were started with TELECODER_KEEP."
        ),
    });
    (!text.is_empty()).then(|| text.trim_start().to_owned())
}

/// claude has answered.
pub fn answer(
    markdown: impl Into<String>,
    footer: String,
    asked_by: Option<MessageId>,
) -> Outgoing {
    Outgoing::of(Body::Answer {
        markdown: markdown.into(),
        footer,
    })
    .loud()
    .replying_to(asked_by)
}

/// How the line below an answer begins.
const DONE: &str = "Done · ";

/// An answer as the chat shows it, without its footer.
pub fn without_footer(shown: &str) -> &str {
    match shown.rsplit_once("\n\n") {
        Some((answer, footer)) if footer.trim_start().starts_with(DONE) => answer,
        _ => shown,
    }
}

/// The footer of an answer: how the run ended, how long it took, what it cost.
pub fn footer(
    elapsed: Duration,
    tool_calls: usize,
    cost_usd: f64,
    messages: usize,
    untouched: Option<&str>,
    denied: &[String],
) -> String {
    let mut footer = format!("{DONE}{}", duration(elapsed));
    if messages > 1 {
        footer.push_str(&format!(" · {messages} messages"));
    }
    footer.push_str(&tools_clause(tool_calls));
    footer.push_str(&cost_with_dot(cost_usd));
    if let Some(untouched) = untouched {
        footer.push_str(&format!(" · {untouched}"));
    }
    if !denied.is_empty() {
        let mut names = denied.to_vec();
        names.dedup();
        footer.push_str(&format!(
            "\nNot permitted and left out: {}. /mode says what claude asks about here.",
            names.join(", ")
        ));
    }
    footer
}

/// The footer of an answer that was cut off.
pub fn footer_of_cut(elapsed: Duration, cost_usd: f64, why: &str) -> String {
    format!(
        "Not complete · {}{}\n{why}",
        duration(elapsed),
        cost_with_dot(cost_usd)
    )
}

/// A line of the footer: claude works in another permission mode than the chosen one.
pub fn other_mode(wanted: &str, got: &str) -> String {
    format!(
        "\nClaude did not take the mode {} and works in {}.",
        mode_shown(wanted),
        mode_shown(got)
    )
}

fn mode_shown(name: &str) -> &str {
    match PermissionMode::named(name) {
        Some(mode) => mode.shown(),
        None => name,
    }
}

/// The footer if background work continues.
pub fn footer_in_background(elapsed: Duration, cost_usd: f64, tasks: &[&str]) -> String {
    format!(
        "{}{} · still running in the background: {}. /stop ends it.",
        duration(elapsed),
        cost_with_dot(cost_usd),
        tasks.join(", ")
    )
}

/// Work in the background was ended because claude had to be started anew.
pub fn background_ended(tasks: &[String]) -> Outgoing {
    Outgoing::note(format!(
        "Ended in the background, because claude is started anew for the next prompt: {}.",
        named(tasks)
    ))
}

/// `/stop` ended work in the background.
pub fn background_stopped(tasks: &[String]) -> Outgoing {
    Outgoing::note(format!("Ended in the background: {}.", named(tasks)))
        .loud()
        .urgent()
}

/// Work in the background went with its claude.
pub fn background_lost(tasks: &[String]) -> Outgoing {
    Outgoing::note(format!(
        "Claude has ended, and with it what went on in the background: {}. The conversation goes on with your next \
         prompt.",
        named(tasks)
    ))
}

fn named(tasks: &[String]) -> String {
    one_line(&tasks.join(", "), 200)
}

/// `12 s`, `3 min 04 s`, `1 h 02 min`.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `$0.19`; cents are enough for a glance.
pub fn cost(cost_usd: f64) -> String {
    if cost_usd > 0.0 && cost_usd < 0.01 {
        "under $0.01".to_owned()
    } else {
        format!("${cost_usd:.2}")
    }
}

pub(super) fn cost_with_dot(cost_usd: f64) -> String {
    if cost_usd > 0.0 {
        format!(" · {}", cost(cost_usd))
    } else {
        String::new()
    }
}

pub(super) fn tools_clause(tool_calls: usize) -> String {
    match tool_calls {
        0 => String::new(),
        1 => " · 1 tool call".to_owned(),
        many => format!(" · {many} tool calls"),
    }
}

pub(super) fn cost_clause(cost_usd: f64) -> String {
    if cost_usd > 0.0 {
        format!(" and {}", cost(cost_usd))
    } else {
        String::new()
    }
}

fn survivors_clause(survivors: usize) -> String {
    match survivors {
        0 => String::new(),
        1 => " The run had left one process behind; it was ended.".to_owned(),
        many => format!(" The run had left {many} processes behind; they were ended."),
    }
}
