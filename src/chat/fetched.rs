//! What is said of files that came with messages: that one is being fetched, what was heard in it, why it cannot be
//! had; and the fixed lines that tell claude of them.

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
use crate::domain::shown::one_line;
use crate::domain::shown::without_password;
use crate::domain::update::{File, FileKind};

/// How much of what was heard is shown, in characters.
const HEARD_SHOWN: usize = 3_500;

/// Files could not be fetched, and nobody can say why.
pub fn given_up() -> Outgoing {
    Outgoing::note(
        "The files of this message could not be fetched, three times; the log says why. Nothing was passed on to \
         claude; send it again.",
    )
    .loud()
}

/// What becomes of the prompt that misses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There is nothing else in it.
    Nothing,
    /// There is something else in it, and somebody is asked.
    Waits(RunId),
    /// Other files are there; it goes on.
    GoesOn,
}

/// What a person calls a file.
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

/// Files that could not be had, and what happens now.
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
            " What you wrote with it was not passed on either: it may make no sense without. {way_out}"
        )),
        Rest::GoesOn => text
            .push_str(" Everything else goes to claude now, with a line that says what is missing."),
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
            format!("{name} was not fetched, however often it was tried: {reason}.")
        }
        MissedCause::OutOfReach(path) => format!(
            "{name} was not fetched: the Bot API server has it in {path}, where telecoder cannot read it."
        ),
        MissedCause::Disk(reason) => format!("{name} could not be kept on this machine: {reason}."),
        MissedCause::NoTranscriber => format!(
            "{name} was not listened to: nothing is set up here that turns speech into text. \
             TELECODER_TRANSCRIBE_CMD names a program that does; docs/runtime-setup.md has one to copy."
        ),
        MissedCause::NotTranscribed { how, .. } => {
            format!(
                "{name} was not turned into text: the program of TELECODER_TRANSCRIBE_CMD {how}."
            )
        }
        MissedCause::NothingHeard => format!("In {name} no words were heard."),
    }
}

fn way_out(missed: &[Missed]) -> &'static str {
    match missed.first().map(|missed| &missed.why) {
        Some(MissedCause::TooLarge) => {
            "Send a smaller one, or put it somewhere that claude can reach and write where it is; docs/GUIDE.md \
             says how the limit is lifted."
        }
        Some(MissedCause::MuchTooLarge) => {
            "Put it somewhere that claude can reach, and write where it is."
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
        0 | 1 => "The file is not fetched any more, and its prompt was dropped; it was not run.",
        _ => "The files are not fetched any more, and their prompt was dropped; it was not run.",
    })
    .urgent()
}

/// What is shown while a file is fetched; `done` are bytes.
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

/// What is shown while speech becomes text.
pub fn listening(file: &File, elapsed: Duration) -> LiveText {
    LiveText::plain(format!(
        "Listening to {} · {}",
        called(file),
        duration(ticking(elapsed))
    ))
}

/// What was heard, and is the prompt now.
pub fn heard(text: &str) -> Outgoing {
    let mut shown: String = text.chars().take(HEARD_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("… (claude got all of it)");
    }
    Outgoing::note(format!("🎤 {shown}"))
}

/// Tells claude of a file; a fixed form.
pub fn attached_file(path: &Path, media_type: Option<&str>, bytes: u64, file: &File) -> String {
    let mut known: Vec<String> = media_type.map(media_type_shown).into_iter().collect();
    known.push(size(bytes));
    if let Some(seconds) = file.seconds {
        known.push(format!("{seconds} s"));
    }
    format!("[Attached file: {} ({})]", path.display(), known.join(", "))
}

/// Tells claude where the picture is that it sees; a fixed form.
pub fn attached_picture(path: &Path, media_type: &str, bytes: u64, is_sized: bool) -> String {
    let sized = if is_sized { "; shown smaller" } else { "" };
    format!(
        "[Attached picture: {} ({media_type}, {}{sized})]",
        path.display(),
        size(bytes)
    )
}

/// Tells claude that something is missing; a fixed form.
pub fn missing_file(missed: &Missed) -> String {
    format!(
        "[Not attached, because it could not be had: {}]",
        missed.name
    )
}

/// A sender may write anything there.
fn media_type_shown(media_type: &str) -> String {
    media_type
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "/.+-_".contains(*c))
        .take(80)
        .collect()
}

/// As people read it, in thousands.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => {
            let tenths = bytes.div_ceil(100_000);
            format!("{}.{} MB", tenths / 10, tenths % 10)
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if text.starts_with("the ") => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
