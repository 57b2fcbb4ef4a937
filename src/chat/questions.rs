//! claude's questions as a chat sees them, and their answers.
//!
//! Pure: `inbox::question` handles presses and replies, `run::drive` asks.

use std::time::Duration;

use super::picks::{picked, picks};
use super::text::duration;
use crate::domain::button::Press;
use crate::domain::choices::PermissionMode;
use crate::domain::id::QuestionId;
use crate::domain::outgoing::{Body, Code, Outgoing, WantsReply};
use crate::domain::question::{Answer, Asks, Choice, Elicitation, Grant, Question, Request, Wish};
use crate::domain::shown::{exact, visible};
use crate::redact::short::{one_line, one_line_to_judge, without_middle_to_judge};

/// A question shows this much of a command or change; a longer one comes as a file too. UTF-16 units.
pub const SHOWN: usize = 2_500;
/// How much of a person's answer is shown again, in characters.
const WORDS_SHOWN: usize = 300;
/// How much of a path is shown, in characters: its end says more than its middle.
const PATH_SHOWN: usize = 400;
/// How much is shown of a tool's name, or of a rule for the session, in characters.
const NAME_SHOWN: usize = 200;

/// The state of a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Became<'a> {
    /// With the options chosen so far.
    Open(&'a [String]),
    Answered {
        answer: &'a Answer,
        /// Who answered, in a group.
        by: Option<&'a str>,
    },
    Over,
}

/// How the lines begin that say how to answer in words; the page has a box for these.
pub const REPLY: &str = "Reply to this message";

/// The message of a question; silent. The buttons of an answered one are grey; one that nobody answered has none.
pub fn message(id: &QuestionId, question: &Question, became: Became<'_>) -> Outgoing {
    let (text, code, hints) = parts(question);
    let (below, buttons) = match became {
        Became::Open(chosen) => (hints, picks(question, chosen)),
        Became::Answered { answer, by } => (answered(answer, by), picked(question, answer)),
        Became::Over => (
            "Not needed any more: claude does not wait for an answer.".to_owned(),
            // A message that opens a reply keeps its buttons.
            match wants_words(question) {
                true => picks(question, &[]),
                false => Vec::new(),
            },
        ),
    };
    let mut message = Outgoing::of(Body::Question { text, code, below });
    message.wants_reply = wants_words(question).then_some(WantsReply::OfAnybody);
    let message = buttons.into_iter().fold(message, |message, (label, pick)| {
        message.with_button(label, Press::Answer(id.clone(), pick))
    });
    match became {
        Became::Open(_) => message,
        // It replaces a message that somebody is looking at.
        Became::Answered { .. } | Became::Over => message.urgent().with_buttons_over(),
    }
}

/// Nearly everybody answers it with words, so that the client opens a reply. Others do not open one: whoever is writing
/// a prompt would answer with it, and the field stays open behind the press of a button.
fn wants_words(question: &Question) -> bool {
    matches!(question, Question::Choice { choice, .. } if choice.options.len() == 1 && !choice.several)
}

/// A text too long for its question, as a file.
pub fn whole(question: &Question) -> Option<Outgoing> {
    let Question::Permission { wish, .. } = question else {
        return None;
    };
    let (name, content, caption) = match wish {
        Wish::Command { command, .. } => ("command.sh", exact(command), "The whole command."),
        Wish::Change { path, diff } if is_long(path) => (
            "change.diff",
            format!("{}\n\n{}", exact(path), exact(diff)),
            "The whole change.",
        ),
        Wish::Change { diff, .. } => ("change.diff", exact(diff), "The whole change."),
        Wish::Use { arguments } => ("arguments.txt", exact(arguments), "All the arguments."),
    };
    let has_more = matches!(wish, Wish::Change { path, .. } if is_long(path));
    (has_more || content.encode_utf16().count() > SHOWN).then(|| {
        Outgoing::of(Body::File {
            name: name.to_owned(),
            content,
            caption: caption.to_owned(),
        })
        .asked_about()
    })
}

/// Whether a path is not shown as a whole in its question.
fn is_long(path: &str) -> bool {
    exact(path).chars().count() > PATH_SHOWN
}

/// claude's plan, in its own words.
pub fn plan(plan: &str) -> Outgoing {
    if plan.trim().is_empty() {
        return Outgoing::note(
            "Claude wants to leave plan mode, but has written no plan down. /logs shows what it said so far.",
        );
    }
    Outgoing::of(Body::Answer {
        markdown: visible(plan),
        footer: "Claude's plan".to_owned(),
    })
}

/// claude asked for something that no person can be asked here.
pub fn declined(what: &str) -> Outgoing {
    Outgoing::note(format!(
        "Claude asked for something that this chat cannot answer ({}), so I declined it. Claude continues without it.",
        one_line_to_judge(&visible(what), NAME_SHOWN)
    ))
}

/// The words above, the code, and the hints below.
fn parts(question: &Question) -> (String, Option<Code>, String) {
    match question {
        Question::Permission {
            tool,
            wish,
            reason,
            by_subagent,
            for_session,
        } => {
            let who = if *by_subagent {
                "A subagent of claude"
            } else {
                "Claude"
            };
            let (text, code) = wished(who, &one_line_to_judge(&exact(tool), NAME_SHOWN), wish);
            let mut hints = Vec::new();
            if let Some(reason) = reason {
                hints.push(format!("Why it asks: {}", one_line_to_judge(&visible(reason), WORDS_SHOWN)));
            }
            if !for_session.is_empty() {
                hints.push(format!(
                    "“For this session” is: {}",
                    granted(for_session, wish)
                ));
            }
            hints.push("Reply to this message with yes, no, or why not.".to_owned());
            (text, code, hints.join("\n"))
        }
        Question::Choice { choice, number, of } => (
            chosen_from(choice, *number, *of),
            None,
            match (choice.options.is_empty(), choice.several) {
                (true, _) => "Reply to this message with your answer.",
                (false, true) => {
                    "Choose as many as you like, then Done; or reply to this message in your own words."
                }
                (false, false) => "Choose one, or reply to this message in your own words.",
            }
            .to_owned(),
        ),
        Question::Plan { .. } => (
            "Claude has made this plan and asks whether to carry it out.".to_owned(),
            None,
            "A reply to this message goes to claude, which then keeps planning.".to_owned(),
        ),
    }
}

fn wished(who: &str, tool: &str, wish: &Wish) -> (String, Option<Code>) {
    let code = |language: Option<&str>, text: &str| {
        (!text.trim().is_empty()).then(|| Code {
            language: language.map(str::to_owned),
            text: exact(text),
        })
    };
    match wish {
        // claude's description must not take the command's room.
        Wish::Command {
            command,
            description: Some(description),
        } => (
            format!(
                "{who} wants to run a command (“{}”):",
                one_line_to_judge(&visible(description), WORDS_SHOWN)
            ),
            code(Some("bash"), command),
        ),
        Wish::Command { command, .. } => (
            format!("{who} wants to run this command:"),
            code(Some("bash"), command),
        ),
        Wish::Change { path, diff } => (
            format!(
                "{who} wants to change {}:",
                without_middle_to_judge(&exact(path), PATH_SHOWN)
            ),
            code(Some("diff"), diff),
        ),
        Wish::Use { arguments } => (
            format!("{who} wants to use the tool {tool}:"),
            code(None, arguments),
        ),
    }
}

fn chosen_from(choice: &Choice, number: usize, of: usize) -> String {
    let mut text = match of {
        1 => "Claude asks: ".to_owned(),
        _ => format!("Claude asks ({number} of {of}): "),
    };
    text.push_str(&words(&choice.question));
    if !choice.options.is_empty() {
        text.push('\n');
    }
    for option in &choice.options {
        text.push_str(&format!("\n• {}", words(&option.label)));
        if !option.description.is_empty() {
            text.push_str(&format!(" – {}", words(&option.description)));
        }
    }
    text
}

/// claude's words, and any address in them to the letter.
fn words(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| match word.contains("://") {
            true => exact(word),
            false => visible(word),
        })
        .collect()
}

fn granted(grants: &[Grant], wish: &Wish) -> String {
    let each = grants.iter().map(|grant| match grant {
        Grant::Rule {
            content: Some(content),
            ..
        } if exact(content).chars().count() > NAME_SHOWN && is_the_command(content, wish) => {
            if content.contains('*') {
                "this command, with anything in place of each *".to_owned()
            } else {
                "this command, to the letter".to_owned()
            }
        }
        Grant::Rule { .. } => exact(&grant.rule().unwrap_or_default()),
        Grant::Folder(folder) => format!("the folder {}", exact(folder)),
        Grant::Mode(PermissionMode::AcceptEdits) => {
            "all edits in the workspace, without asking".to_owned()
        }
        Grant::Mode(mode) => format!("the mode {}", mode.shown()),
    });
    each.collect::<Vec<_>>().join(", ")
}

fn is_the_command(content: &str, wish: &Wish) -> bool {
    matches!(wish, Wish::Command { command, .. } if command == content)
}

/// The line that replaces the hints.
fn answered(answer: &Answer, by: Option<&str>) -> String {
    let words = |words: &str| {
        let words: Vec<&str> = words.split_whitespace().collect();
        one_line(&words.join(" "), WORDS_SHOWN)
    };
    let what = match answer {
        Answer::Allowed => "✓ Allowed once".to_owned(),
        Answer::AllowedForSession => "✓ Allowed for this session".to_owned(),
        Answer::Denied { why: None } => "✗ Denied".to_owned(),
        Answer::Denied { why: Some(why) } => format!("✗ Denied: {}", words(why)),
        Answer::Chosen(labels) if labels.is_empty() => "✓ None of them".to_owned(),
        Answer::Chosen(labels) => format!("✓ {}", labels.join(", ")),
        Answer::Written(text) => format!("✓ {}", words(text)),
        Answer::Approved(PermissionMode::BypassPermissions) => {
            "✓ Approved, asks about nothing".to_owned()
        }
        Answer::Approved(PermissionMode::AcceptEdits) => {
            "✓ Approved, edits are accepted".to_owned()
        }
        Answer::Approved(_) => "✓ Approved".to_owned(),
        Answer::KeepPlanning(wish) => format!("✗ Keep planning: {}", words(wish)),
    };
    match by {
        Some(by) => format!("{what}\nby {by}"),
        None => what,
    }
}

/// "Deny and say why"
pub fn say_why(whose: WantsReply) -> Outgoing {
    asking_for_words(
        "Reply to this message with the reason; claude reads it to the letter.",
        whose,
    )
}

/// "Keep planning"
pub fn say_wish(whose: WantsReply) -> Outgoing {
    asking_for_words(
        "Reply to this message with what the plan should be instead; claude reads it to the letter.",
        whose,
    )
}

fn asking_for_words(text: &str, whose: WantsReply) -> Outgoing {
    let mut message = Outgoing::note(text).urgent();
    message.wants_reply = Some(whose);
    message
}

/// Somebody replied with words to a question that is over.
pub fn words_came_too_late() -> Outgoing {
    Outgoing::note(
        "This question is over, and what you wrote was not given to claude. Send it as a new message if claude \
         should get it.",
    )
}

/// Somebody replied to a question with more than text.
pub fn still_waits() -> Outgoing {
    Outgoing::note(
        "Claude still waits for your answer: press a button, or reply to the question with text only. What you sent \
         goes to claude as a separate message.",
    )
}

/// Somebody replied to another person's question.
pub fn not_theirs() -> Outgoing {
    Outgoing::note(
        "This was not given to claude: only the person whose prompt it is about, or the owner of the bot, can answer \
         this.",
    )
}

/// Reminds of `count` open questions; claude has waited for so long.
pub fn reminder(waited: Duration, count: usize) -> Outgoing {
    let minutes = waited.as_secs() / 60;
    let waited = match minutes {
        0..60 => format!("{minutes} min"),
        _ => duration(Duration::from_secs(minutes * 60)),
    };
    Outgoing::note(match count {
        1 => format!(
            "Claude has been waiting for your answer for {waited}. It does nothing until you answer."
        ),
        many => {
            format!("Claude has been waiting for your answers to {many} questions for {waited}.")
        }
    })
}

/// A question in one line, for `/logs`.
pub fn in_short(request: &Request) -> String {
    match &request.asks {
        Asks::Permission(permission) => match &permission.wish {
            Wish::Command { command, .. } => format!("may it run {command}"),
            Wish::Change { path, .. } => format!("may it change {path}"),
            Wish::Use { .. } => format!("may it use {}", permission.tool),
        },
        Asks::Choices { choices, .. } | Asks::Elicitation(Elicitation { choices, .. }) => {
            let questions = choices.iter().map(|choice| choice.question.as_str());
            questions.collect::<Vec<_>>().join(" ")
        }
        Asks::Plan { .. } => "may it carry out its plan".to_owned(),
        Asks::Unknown(kind) => format!("a request to telecoder: {kind}"),
    }
}
