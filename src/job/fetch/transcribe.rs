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

/// The file is the shell's first argument: whatever its name, it is one word, even if somebody has put quotes around
/// its place.
fn with_file(command: &str) -> String {
    const FILE: &str = "\"$1\"";
    if !command.contains(PLACE) {
        return format!("{command} {FILE}");
    }
    let quoted = [format!("\"{PLACE}\""), format!("'{PLACE}'")];
    let command = quoted.iter().fold(command.to_owned(), |command, quoted| {
        command.replace(quoted, FILE)
    });
    command.replace(PLACE, FILE)
}
