//! The fixed forms of what claude gets along with a person's words: a line in brackets that says what it is, and below
//! it the words of others, if there are any, each line behind a `>`.
//!
//! Pure. `docs/PASS-THROUGH.md` shows each of them.

use crate::domain::check::CheckEnd;
use crate::domain::check::CheckResult;
use crate::domain::prompt::Whose;
use crate::domain::shown::beginning;
use crate::domain::shown::folded;
use crate::domain::shown::last_lines;
use crate::domain::update::{Link, Origin, Thing};

/// Precedes the new words of a message that was edited after claude had read it.
pub const CORRECTION: &str = "[I have edited an earlier message. It now says:]";
/// The whole prompt that continues a run from where it was cut off.
pub const GO_ON: &str = "Go on.";

/// claude's own command for a conversation that is too long.
pub const COMPACT: &str = "/compact";

/// How much of an earlier prompt a new conversation is told, in characters.
const EARLIER: usize = 300;
/// How much of an older answer goes along with a reply to it, in characters.
const BEGINNING: usize = 300;
/// How much of a prompt is quoted to identify it, in characters.
const NAME: usize = 60;

/// The part of another message that the sender quotes.
pub fn quoted(whose: &Whose, words: &str) -> String {
    let from = match whose {
        Whose::NewestAnswer => "Quoted from your answer".to_owned(),
        Whose::Answer { .. } => format!("Quoted from {}", answer(whose)),
        Whose::Live | Whose::TheBots => {
            "Quoted from a message of telecoder, the bot of this chat".to_owned()
        }
        Whose::Own => "Quoted from an earlier message of mine".to_owned(),
        Whose::Others(name) if name.is_empty() => "Quoted".to_owned(),
        Whose::Others(name) => format!("Quoted from {}", folded(name)),
    };
    with_words(&from, words)
}

/// The message that is replied to; `None` if the conversation makes that clear. `words` may be empty.
pub fn replied(whose: &Whose, words: &str) -> Option<String> {
    let to = match whose {
        Whose::NewestAnswer | Whose::Live => return None,
        Whose::Answer { .. } => {
            let to = format!("In reply to {}", answer(whose));
            return Some(match words.trim() {
                "" => format!("[{to}]"),
                words => with_words(&format!("{to}, which begins"), &beginning(words, BEGINNING)),
            });
        }
        Whose::TheBots => "In reply to a message of telecoder, the bot of this chat".to_owned(),
        Whose::Own => "In reply to an earlier message of mine".to_owned(),
        Whose::Others(name) if name.is_empty() => "In reply to a message".to_owned(),
        Whose::Others(name) => format!("In reply to a message of {}", folded(name)),
    };
    Some(match words.trim() {
        "" => format!("[{to}]"),
        words => with_words(&to, words),
    })
}

fn answer(whose: &Whose) -> String {
    let Whose::Answer {
        prompt,
        prompts_ago,
        is_of_this_session,
    } = whose
    else {
        return "your answer".to_owned();
    };
    let name = beginning(&folded(prompt), NAME);
    if *is_of_this_session {
        format!("your answer to \"{name}\", {prompts_ago} prompts ago")
    } else {
        format!("an answer to \"{name}\" in another session of this chat")
    }
}

/// Says where a forward is from.
pub fn forwarded(origin: &Origin) -> String {
    let from = match origin {
        Origin::Person(name) => folded(name),
        Origin::Group(title) => format!("the group {}", folded(title)),
        Origin::Channel {
            title,
            signature: None,
        } => format!("the channel {}", folded(title)),
        Origin::Channel {
            title,
            signature: Some(signature),
        } => format!(
            "the channel {}, signed by {}",
            folded(title),
            folded(signature)
        ),
        Origin::Unknown => return "[Forwarded:]".to_owned(),
    };
    format!("[Forwarded from {from}:]")
}

/// The addresses behind the words before it; `None` if there are none.
pub fn links(links: &[Link]) -> Option<String> {
    of_links("The addresses behind these words", links)
}

/// The addresses behind the buttons of the message before it; `None` if there are none.
pub fn buttons(links: &[Link]) -> Option<String> {
    of_links("The addresses behind its buttons", links)
}

fn of_links(heading: &str, links: &[Link]) -> Option<String> {
    let lines: Vec<String> = links
        .iter()
        .map(|link| {
            let words = beginning(&folded(&link.words), NAME);
            format!("{words}: {}", folded(&link.address))
        })
        .collect();
    (!lines.is_empty()).then(|| with_words(heading, &lines.join("\n")))
}

/// Says that an inline bot wrote the message.
pub fn inline_bot(name: &str) -> String {
    match folded(name).as_str() {
        "" => "[Written by an inline bot:]".to_owned(),
        name => format!("[Written by the inline bot {name}:]"),
    }
}

/// A part of a message that is neither words nor a file.
pub fn thing(thing: &Thing) -> String {
    let line = folded;
    match thing {
        Thing::Location(at) => format!("[Location: {}, {}]", at.latitude, at.longitude),
        Thing::Venue {
            title,
            address,
            location,
        } => format!(
            "[Venue: {}, {}, at {}, {}]",
            line(title),
            line(address),
            location.latitude,
            location.longitude
        ),
        Thing::Contact { name, phone } => format!("[Contact: {}, {}]", line(name), line(phone)),
        Thing::Poll { question, options } => {
            let options: Vec<String> = options.iter().map(|option| line(option)).collect();
            format!("[Poll: {} — {}]", line(question), options.join(" / "))
        }
        Thing::Dice { emoji, value } => format!("[Dice: {emoji} shows {value}]"),
        Thing::Checklist { title, tasks } => {
            let mut text = format!("[Checklist: {}]", line(title));
            for task in tasks {
                let mark = if task.is_done { 'x' } else { ' ' };
                text.push_str(&format!("\n- [{mark}] {}", line(&task.text)));
            }
            text
        }
        Thing::Sticker(emoji) => format!("[Sticker: {emoji}]"),
    }
}

/// Says that the words came with something that claude cannot get.
pub fn left_out(kind: &str) -> String {
    format!("[Came with something that could not be passed on: {kind}]")
}

/// Says which of the files before it the words are about; the first is 1.
pub fn about_file(number: usize) -> String {
    format!("[About file {number} of these:]")
}

/// What was asked in a conversation that became too long, oldest first. `begun`: work on the prompt behind it had begun
/// there. `None` if there is nothing to tell.
pub fn earlier(prompts: &[String], begun: bool) -> Option<String> {
    let lines: Vec<String> = prompts
        .iter()
        .map(|prompt| format!("- {}", beginning(&folded(prompt), EARLIER)))
        .collect();
    if lines.is_empty() && !begun {
        return None;
    }
    let mut heading = String::from(
        "This is a new conversation in the same workspace, because the one before it became too long",
    );
    if begun {
        heading.push_str(". Work on the following had begun there; look at the workspace first");
    }
    if lines.is_empty() {
        return Some(format!("[{heading}.]"));
    }
    heading.push_str(". Asked before");
    Some(with_words(&heading, &lines.join("\n")))
}

/// What a person says about lines of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its path in the workspace.
    pub file: String,
    pub first: u32,
    pub last: u32,
    /// They are the lines of the file before the change, not those after it.
    pub is_of_before: bool,
    /// The lines, without their signs.
    pub code: Vec<String>,
    pub words: String,
}

/// The prompt that remarks on a diff are, each below the lines that it is about.
pub fn remarks(remarks: &[Remark]) -> String {
    remarks.iter().map(remark).collect::<Vec<_>>().join("\n\n")
}

fn remark(remark: &Remark) -> String {
    let Remark { first, last, .. } = remark;
    let lines = match first == last {
        true => format!("line {first}"),
        false => format!("lines {first} to {last}"),
    };
    let before = if remark.is_of_before {
        ", as it was before"
    } else {
        ""
    };
    let code = remark.code.join("\n");
    let fence = fence_around(&code);
    let file = folded(&remark.file);
    format!(
        "[About {lines} of {file}{before}:]\n{fence}\n{code}\n{fence}\n{}",
        remark.words
    )
}

/// Longer than any run of backticks in it.
fn fence_around(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

fn with_words(heading: &str, words: &str) -> String {
    let mut text = format!("[{heading}:]");
    for line in words.lines() {
        text.push_str("\n> ");
        text.push_str(line);
    }
    text
}

/// How many bytes from the end of a failing check's output go along.
const OUTPUT_SENT: usize = 6_000;

/// The prompt that sends failing checks and their output back to claude; `None` if none has failed.
pub fn failing_checks(checks: &[CheckResult]) -> Option<String> {
    let mut failed = checks.iter().filter(|check| check.is_red()).peekable();
    failed.peek()?;
    let mut prompt = String::from("These checks fail in the workspace as it is now:\n");
    for result in failed {
        prompt.push_str(&format!("\n$ {}\n", result.check.command));
        prompt.push_str(match &result.ended {
            CheckEnd::TimedOut => "(it did not end in time and was ended)\n",
            _ => "",
        });
        prompt.push_str(last_lines(&result.last_lines, OUTPUT_SENT));
        if let CheckEnd::Failed { code: Some(code) } = result.ended {
            prompt.push_str(&format!("\n(exit code {code})"));
        }
        prompt.push('\n');
    }
    prompt.push_str("\nFix the cause.");
    Some(prompt)
}
