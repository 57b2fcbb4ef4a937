//! Turns speech into text with the program of `TELECODER_TRANSCRIBE_CMD`: the file in, the text on stdout.

use std::path::Path;
use std::time::Duration;

use super::program::{self, Limits, Ran};
use crate::domain::fetched::MissedCause;
use crate::job::AtWork;

/// The file's place in the command; without it, the file comes last.
const PLACE: &str = "{}";

/// Half an hour of speech on a slow machine.
const LISTENING: Limits = Limits {
    time: Duration::from_secs(15 * 60),
    stdout: 1024 * 1024,
};

pub(super) async fn transcribe(work: &AtWork<'_>, file: &Path) -> Result<String, MissedCause> {
    let Some(command) = &work.handles.fetching.transcriber else {
        return Err(MissedCause::NoTranscriber);
    };
    // The path is an argument of the shell and never part of what it reads as a command.
    let arguments = vec![
        "sh".into(),
        "-c".into(),
        with_file(command).into(),
        "sh".into(),
        file.into(),
    ];
    let folder = file.parent().unwrap_or(Path::new("/"));
    let environment = &work.handles.checking.environment;
    match program::run(work, arguments, folder, environment, LISTENING).await {
        Ran::Badly { how, words } => Err(MissedCause::NotTranscribed { how, words }),
        Ran::Well(text) => match text.trim() {
            "" => Err(MissedCause::NothingHeard),
            text => Ok(text.to_owned()),
        },
    }
}

/// The file is the shell's first argument: whatever its name, it stays part of one word, also where its place is
/// between quotes or inside a longer word.
fn with_file(command: &str) -> String {
    if !command.contains(PLACE) {
        return format!("{command} \"$1\"");
    }
    let mut quote = None;
    let mut with_file = String::new();
    let mut rest = command;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(PLACE) {
            with_file.push_str(match quote {
                None => "\"$1\"",
                Some('"') => "$1",
                // The single quotes end before it and begin again behind it.
                Some(_) => "'\"$1\"'",
            });
            rest = after;
            continue;
        }
        let mut taken = character.len_utf8();
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            // The next character is itself, whatever it means else.
            (None | Some('"'), '\\') => {
                taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
            }
            _ => {}
        }
        with_file.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    with_file
}
