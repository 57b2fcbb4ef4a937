//! The files of a session that are not its workspace: what came from the chat, and what goes there.
//!
//! They lie in the data folder, outside the git tree, and are deleted with the session. Safe names are made here too.

use crate::domain::shown::is_unseen;
use std::path::{Path, PathBuf};

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::id::{JobId, SessionId};

/// The longest name, in bytes, its ending included.
pub const LONGEST_NAME: usize = 120;
/// Anything longer after the last dot is no ending.
const LONGEST_ENDING: usize = 16;

/// The folder of a session's files.
pub fn folder(data: &Path, session: &SessionId) -> PathBuf {
    all(data).join(&session.0)
}

/// The files of all sessions.
pub fn all(data: &Path) -> PathBuf {
    data.join("files")
}

/// What claude puts here is sent to the chat at the end of a run; its path is $TELECODER_OUTBOX.
pub fn outbox(data: &Path, session: &SessionId) -> PathBuf {
    folder(data, session).join("outbox")
}

/// All files that a session's jobs have taken to send.
pub fn sent_of(data: &Path, session: &SessionId) -> PathBuf {
    folder(data, session).join("sent")
}

/// A job's files to send; only it writes there.
pub fn sent(data: &Path, session: &SessionId, job: JobId) -> PathBuf {
    sent_of(data, session).join(job.to_string())
}

/// What a job has taken out of the outbox, as claude had put it there.
pub fn taken(data: &Path, session: &SessionId, job: JobId) -> PathBuf {
    sent(data, session, job).join("files")
}

/// Files that came from the chat.
pub fn inbox(data: &Path, session: &SessionId) -> PathBuf {
    folder(data, session).join("inbox")
}

/// Smaller copies of pictures that were too large for claude.
pub fn sized(data: &Path, session: &SessionId) -> PathBuf {
    folder(data, session).join("sized")
}

/// Files that are not complete yet.
pub fn coming(data: &Path, session: &SessionId) -> PathBuf {
    folder(data, session).join("coming")
}

/// Makes a person's file name usable in a folder: no path, no invisible characters, no start that a program takes for
/// an option or hides, at most [`LONGEST_NAME`] bytes. Letters of all languages stay.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_unseen(*c)).collect();
    let name = visible
        .trim_start_matches(|c: char| matches!(c, '.' | '-' | '~') || c.is_whitespace())
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() {
        return "file".to_owned();
    }
    shortened(name, "")
}

/// The `number`th file of that name: `report.pdf`, `report-2.pdf`, …
pub fn numbered(name: &str, number: usize) -> String {
    match number {
        0 | 1 => name.to_owned(),
        _ => shortened(name, &format!("-{number}")),
    }
}

/// The name with `suffix` before its ending, the rest cut to fit.
fn shortened(name: &str, suffix: &str) -> String {
    let (stem, ending) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_ENDING => name.split_at(dot),
        _ => (name, ""),
    };
    let room = LONGEST_NAME - suffix.len() - ending.len();
    let mut end = 0;
    for (start, grapheme) in stem.grapheme_indices(true) {
        if start + grapheme.len() > room {
            break;
        }
        end = start + grapheme.len();
    }
    if end == 0 {
        // One letter with more marks than there is room for.
        return format!("file{suffix}{ending}");
    }
    format!("{}{suffix}{ending}", stem[..end].trim_end())
}
