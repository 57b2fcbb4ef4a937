//! Sentences about files that come with messages: their progress, the words heard in them, why one is missing; and the
//! fixed lines that tell claude about them.

use crate::domain::fetched::Missed;
use crate::domain::fetched::MissedCause;
use std::path::Path;
use std::time::Duration;

use super::live::ticking;
use super::text::duration;
use crate::domain::button::Press;
use crate::domain::id::RunId;
use crate::domain::live::LiveText;
use crate::domain::outgoing::Outgoing;
use crate::domain::shown::{size, without_password};
use crate::domain::update::{File, FileKind};
use crate::redact::short::{beginning, one_line};

/// How much of a transcript is shown, in characters.
const HEARD_SHOWN: usize = 3_500;

/// Fetching files failed three times, for an unknown reason.
pub fn given_up() -> Outgoing {
    Outgoing::note(
        "Fetching this message's files failed three times; the log says why. Nothing was passed on to claude; send \
         it again.",
    )
    .loud()
}

/// What happens to a prompt with a missing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The prompt has nothing else in it.
    Nothing,
    /// The prompt has words; the person is asked about them.
    Waits(RunId),
    /// Other files are there; the prompt runs.
    GoesOn,
}

/// A file's name for people.
pub fn called(file: &File) -> String {
    match (&file.name, file.kind) {
        (Some(name), _) => one_line(name, 60),
        (None, FileKind::Photo) => "the picture".to_owned(),
        (None, FileKind::Sticker) => "the sticker".to_owned(),
        (None, FileKind::Voice) => "the voice message".to_owned(),
        (None, FileKind::VideoNote) => "the video message".to_owned(),
        (None, FileKind::Video | FileKind::Animation) => "the video".to_owned(),
        (None, FileKind::Audio) => "the audio file".to_owned(),
        (None, FileKind::Document) => "the file".to_owned(),
    }
}

/// The missing files, and what happens now.
pub fn missed(missed: &[Missed], rest: Rest) -> Outgoing {
    let mut text: String = missed
        .iter()
        .map(|missed| capitalized(&sentence(missed)))
        .collect::<Vec<_>>()
        .join("\n");
    let way_out = way_out(missed);
    match rest {
        Rest::Nothing => text.push_str(&format!(" Nothing was passed on to claude. {way_out}")),
        Rest::Waits(_) => text.push_str(&format!(
            " Your text was not passed on either: it may make no sense alone. {way_out}"
        )),
        Rest::GoesOn => text.push_str(
            " Everything else goes to claude now, with a line that says what is missing.",
        ),
    }
    let words = missed.iter().find_map(|missed| match &missed.why {
        MissedCause::NotTranscribed { words, .. } => Some(words.as_str()),
        _ => None,
    });
    let message = Outgoing::note(text).quoting(without_password(words.unwrap_or_default()));
    match rest {
        Rest::Waits(run) => message
            .with_button("Ask without it", Press::AskWithout(run))
            .loud(),
        Rest::Nothing => message.loud(),
        Rest::GoesOn => message,
    }
}

fn sentence(missed: &Missed) -> String {
    let name = &missed.name;
    match &missed.why {
        MissedCause::TooLarge => {
            format!("{name} was not fetched: Telegram gives bots only files of up to 20 MB.")
        }
        MissedCause::MuchTooLarge => format!("{name} was not fetched: it is larger than 2,000 MB."),
        MissedCause::Gone => format!("{name} was not fetched: Telegram does not have it any more."),
        MissedCause::CutOff(reason) => {
            format!("{name} was not fetched, after several tries: {reason}.")
        }
        MissedCause::OutOfReach(path) => format!(
            "{name} was not fetched: the Bot API server has it in {path}, where telecoder cannot read it."
        ),
        MissedCause::Disk(reason) => format!("{name} could not be kept on this machine: {reason}."),
        MissedCause::NoTranscriber => format!(
            "{name} was not listened to: nothing is set up here that turns speech into text. \
             Set TELECODER_TRANSCRIBE_CMD to a program that does; docs/runtime-setup.md has one to copy."
        ),
        MissedCause::NotTranscribed { how, .. } => {
            format!(
                "{name} was not turned into text: the program of TELECODER_TRANSCRIBE_CMD {how}."
            )
        }
        MissedCause::NothingHeard => format!("No words were heard in {name}."),
    }
}

fn way_out(missed: &[Missed]) -> &'static str {
    match missed.first().map(|missed| &missed.why) {
        Some(MissedCause::TooLarge) => {
            "Send a smaller one, or put it where claude can reach it and write where that is; docs/GUIDE.md says \
             how to lift the limit."
        }
        Some(MissedCause::MuchTooLarge) => {
            "Put it where claude can reach it, and write where that is."
        }
        Some(MissedCause::NoTranscriber) => "Until then, write it as text.",
        Some(MissedCause::NotTranscribed { .. }) => {
            "Send it again when the program works, or write it as text."
        }
        Some(MissedCause::NothingHeard) => "Say it again, or write it as text.",
        Some(MissedCause::OutOfReach(_)) => {
            "Let telecoder's user read that folder under the same path, and send it again."
        }
        Some(MissedCause::Disk(_)) => "Make room on the disk, and send it again.",
        Some(MissedCause::Gone | MissedCause::CutOff(_)) | None => "Send it again.",
    }
}

/// `/stop` while files are fetched.
pub fn stopped(count: usize) -> Outgoing {
    Outgoing::note(match count {
        0 | 1 => "Fetching the file was stopped. Its prompt was dropped and did not run.",
        _ => "Fetching the files was stopped. Their prompt was dropped and did not run.",
    })
    .urgent()
}

/// The live message while a file is fetched; `done` is in bytes.
pub fn fetching(file: &File, done: u64, elapsed: Duration) -> LiveText {
    let how_far = match (done, file.bytes) {
        (0, _) => String::new(),
        (done, Some(all)) => format!(" · {} of {}", size(done), size(all)),
        (done, None) => format!(" · {}", size(done)),
    };
    LiveText::plain(format!(
        "Fetching {}{how_far} · {}",
        called(file),
        duration(ticking(elapsed))
    ))
}

/// The live message while speech becomes text.
pub fn listening(file: &File, elapsed: Duration) -> LiveText {
    LiveText::plain(format!(
        "Listening to {} · {}",
        called(file),
        duration(ticking(elapsed))
    ))
}

/// The transcript, which is now the prompt.
pub fn heard(text: &str) -> Outgoing {
    let shown = beginning(text, HEARD_SHOWN);
    let rest = match shown == text {
        true => "",
        false => " (claude got all of it)",
    };
    Outgoing::note(format!("🎤 {shown}{rest}"))
}

/// Tells claude about a file; a fixed form.
pub fn attached_file(path: &Path, media_type: Option<&str>, bytes: u64, file: &File) -> String {
    let mut known: Vec<String> = media_type.map(media_type_shown).into_iter().collect();
    known.push(size(bytes));
    if let Some(seconds) = file.seconds {
        known.push(format!("{seconds} s"));
    }
    format!("[Attached file: {} ({})]", path.display(), known.join(", "))
}

/// Tells claude about the body of a call; the same form. The event is a name, or it is left out: it is the caller's word,
/// and not signed.
pub fn attached_call(path: &Path, bytes: u64, event: Option<&str>) -> String {
    let is_name = |event: &&str| {
        let is_of_one = |c: char| c.is_ascii_alphanumeric() || "_- .".contains(c);
        event.len() <= 60 && event.chars().all(is_of_one)
    };
    let event = event.filter(is_name).map(|event| format!(", {event}"));
    format!(
        "[Attached file: {} (application/json, {}{})]",
        path.display(),
        size(bytes),
        event.unwrap_or_default()
    )
}

/// Tells claude where the picture it sees is kept; a fixed form.
pub fn attached_picture(path: &Path, media_type: &str, bytes: u64, is_sized: bool) -> String {
    let sized = if is_sized { "; shown smaller" } else { "" };
    format!(
        "[Attached picture: {} ({media_type}, {}{sized})]",
        path.display(),
        size(bytes)
    )
}

/// Tells claude that a file is missing; a fixed form.
pub fn missing_file(missed: &Missed) -> String {
    format!(
        "[Not attached, because it could not be had: {}]",
        missed.name
    )
}

/// Removes unsafe characters.
fn media_type_shown(media_type: &str) -> String {
    media_type
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "/.+-_".contains(*c))
        .take(80)
        .collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if text.starts_with("the ") => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
