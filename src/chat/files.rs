//! Sentences about files that claude hands over and files that `/get` asks for.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::button::Press;
use crate::domain::id::JobId;
use crate::domain::outgoing::{Body, Outgoing, Stored};
use crate::domain::shown::size;

/// How many names are listed.
const LISTED: usize = 10;

/// A file that is not sent, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    pub name: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Empty,
    /// Kept at `path`.
    TooLarge {
        bytes: u64,
        path: PathBuf,
    },
    /// A link, a pipe or the like.
    NoFile,
    Unreadable(String),
}

/// Why a file is not sent, in words.
fn sentence(name: &str, why: &Why, largest: u64) -> String {
    match why {
        Why::Empty => format!("{name}: it is empty, and Telegram takes no empty files."),
        Why::TooLarge { bytes, path } => format!(
            "{name}: it is {}, and Telegram takes at most {}. It is kept: {}",
            size(*bytes),
            size(largest),
            path.display()
        ),
        Why::NoFile => format!("{name}: it is a link or a device; only files are sent."),
        Why::Unreadable(error) => format!("{name}: it cannot be read ({error})."),
    }
}

/// Files in claude's outbox that are not sent.
pub fn not_sent(files: &[NotSent], largest: u64) -> Outgoing {
    let are_large = files
        .iter()
        .any(|file| matches!(file.why, Why::TooLarge { .. }));
    let lines = files
        .iter()
        .take(LISTED)
        .map(|file| format!("• {}", sentence(&file.name, &file.why, largest)));
    let mut text = std::iter::once("Files from claude that were not sent:".to_owned())
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n");
    if files.len() > LISTED {
        text.push_str(&format!("\n• and {} more", files.len() - LISTED));
    }
    if are_large {
        text.push_str("\nAsk claude to split or pack large files, or fetch them from the machine.");
    }
    Outgoing::note(text)
}

/// Asks before sending files whose names suggest secrets.
pub fn are_secrets(names: &[String], job: JobId) -> Outgoing {
    let (text, button) = match names {
        [name] => (
            format!(
                "Claude also handed over {name}. {}",
                about_a_secret("Its name")
            ),
            ALL_THE_SAME,
        ),
        many => (
            format!(
                "Claude also handed over {}. Their names suggest secrets. Telegram and everybody in this \
                 chat would get them.",
                listed(many)
            ),
            "Send them all the same",
        ),
    };
    Outgoing::note(text).with_button(button, Press::SendSecrets(job))
}

fn about_a_secret(name: &str) -> String {
    format!("{name} suggests secrets. Telegram and everybody in this chat would get it.")
}

const ALL_THE_SAME: &str = "Send it all the same";

/// `/get` of a secret file.
pub fn is_secret(name: &str, job: JobId) -> Outgoing {
    Outgoing::note(about_a_secret(&format!("The name of {name}")))
        .with_button(ALL_THE_SAME, Press::SendSecrets(job))
}

/// Too many files for single messages: one zip.
pub fn many(path: PathBuf, count: usize) -> Outgoing {
    Outgoing::of(Body::Stored(Stored {
        path,
        name: "files.zip".to_owned(),
        caption: format!("{count} files from claude, in one zip."),
        is_picture: false,
    }))
}

/// Even the zip is too large.
pub fn many_too_large(count: usize, largest: u64, folder: &Path) -> Outgoing {
    Outgoing::note(format!(
        "Claude handed over {count} files, which are too large for Telegram even in one zip (at most {}). They are \
         kept: {}",
        size(largest),
        folder.display()
    ))
}

/// Somebody stopped the sending before it began.
pub fn stopped(folder: &Path) -> Outgoing {
    Outgoing::note(format!(
        "Sending files was stopped. Claude's files are kept: {}",
        folder.display()
    ))
    .urgent()
}

/// `/get` of a path outside the workspace.
pub fn outside(wanted: &str) -> Outgoing {
    Outgoing::note(format!(
        "{wanted} is not in the workspace of this session, or a link there leads out of it. /get sends only what is \
         in it."
    ))
}

/// `/get` of a missing file; `near` are similar names that exist.
pub fn missing(wanted: &str, near: &[String]) -> Outgoing {
    let ending = match near {
        [] => String::new(),
        near => format!(" Did you mean {}?", near.join(" or ")),
    };
    Outgoing::note(format!("There is no {wanted} in the workspace.{ending}"))
}

/// `/get` of a file that cannot be sent.
pub fn cannot_get(name: &str, why: &Why, largest: u64) -> Outgoing {
    Outgoing::note(format!("Not sent: {}", sentence(name, why, largest)))
}

/// What a folder's zip leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The folder `.git`.
    pub git: bool,
    /// Files whose names suggest secrets.
    pub secrets: Vec<String>,
    /// Links and pipes.
    pub no_files: usize,
    pub unreadable: Vec<String>,
}

/// `/get` of a folder.
pub fn folder(path: PathBuf, name: &str, count: usize, left_out: &LeftOut) -> Outgoing {
    let files = match count {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    Outgoing::of(Body::Stored(Stored {
        path,
        name: format!("{name}.zip"),
        caption: format!("{files} of {name}.{}", left_out.sentences()),
        is_picture: false,
    }))
}

/// `/get` of a folder without a file to send.
pub fn nothing_in_folder(name: &str, left_out: &LeftOut) -> Outgoing {
    Outgoing::note(format!(
        "There is no file to send in {name}.{}",
        left_out.sentences()
    ))
}

/// `/get` of a folder that is too large.
pub fn folder_too_large(name: &str, largest: u64) -> Outgoing {
    Outgoing::note(format!(
        "The folder {name} is too large for Telegram, even as a zip (at most {}). /get one of its folders or files, or \
         fetch it from the machine.",
        size(largest)
    ))
}

impl LeftOut {
    fn sentences(&self) -> String {
        let mut text = String::new();
        let mut parts = Vec::new();
        if self.git {
            parts.push(".git".to_owned());
        }
        match self.no_files {
            0 => {}
            1 => parts.push("1 link".to_owned()),
            many => parts.push(format!("{many} links")),
        }
        if !parts.is_empty() {
            text.push_str(&format!(" Left out: {}.", parts.join(", ")));
        }
        if !self.secrets.is_empty() {
            text.push_str(&format!(
                " Left out, because the name suggests secrets: {}. /get with the name sends it.",
                listed(&self.secrets)
            ));
        }
        if !self.unreadable.is_empty() {
            text.push_str(&format!(" Not readable: {}.", listed(&self.unreadable)));
        }
        text
    }
}

/// Replaces a file that has changed or disappeared.
pub fn cannot_be_read(name: &str, why: &str) -> Outgoing {
    Outgoing::note(format!(
        "{name} could not be sent: it was changed or removed meanwhile ({why})."
    ))
}

/// Replaces a file that Telegram finds too large.
pub fn too_large_after_all(name: &str, path: &Path) -> Outgoing {
    Outgoing::note(format!(
        "{name} could not be sent: it is larger than Telegram takes from a bot, which is 50 MB, or 2,000 MB with a \
         Bot API server of your own; a gateway on the way may take less. It is kept: {}\nAsk claude to split or pack \
         it, or fetch it from the machine.",
        path.display()
    ))
}

/// Replaces a file that Telegram refuses; quotes its words.
pub fn refused(name: &str, path: &Path, words: &str) -> Outgoing {
    Outgoing::note(format!(
        "{name} could not be sent: Telegram refuses it. It is kept: {}",
        path.display()
    ))
    .quoting(words)
}

/// An error in the system's words, without its number.
pub fn in_words(error: &io::Error) -> String {
    let words = error.to_string();
    match words.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => words,
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.len().min(LISTED);
    let mut text = names[..shown].join(", ");
    if names.len() > shown {
        text.push_str(&format!(" and {} more", names.len() - shown));
    }
    text
}
