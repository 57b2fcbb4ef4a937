//! What a message adds to a prompt: its exact words, and before them what they are about.
//!
//! Pure. The order is that of reading: the quote or the replied-to message, the forward's origin, other content, the
//! words. Files are fetched later; `prompt` records that they are awaited.

use serde::{Deserialize, Serialize};

use crate::chat::text::without_footer;
use crate::claude::forms;
use crate::domain::id::MessageId;
use crate::domain::prompt::Whose;
use crate::domain::prompt::{Content, Described, Piece, Written};
use crate::domain::update::{Content as Sent, File, Link, Message, Replied, Text};
use crate::store::gatherings::Album;

/// A part of what a message adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Along(String),
    /// A thing in a fixed form.
    Thing {
        form: String,
        message: Option<MessageId>,
    },
    File(File),
    /// A file of the message that is replied to.
    FileOfAnother(File),
    Written {
        text: String,
        message: Option<MessageId>,
        /// The addresses behind them.
        #[serde(default)]
        links: Option<String>,
    },
}

/// The replied-to message, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub whose: Whose,
    /// claude was given it as a prompt, with all that came with it.
    pub is_known: bool,
}

/// `words` are the message's, without the mention that addresses the bot; `number` is its id, if it can still be found
/// by it.
pub(super) fn parts(
    message: &Message,
    words: &str,
    number: Option<MessageId>,
    answered: Option<&Answered>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    match (&message.replies_to, answered) {
        (Some(replied), Some(answered)) => {
            reply(message.quote.as_ref(), replied, answered, &mut parts);
        }
        _ => {
            if let Some(quote) = &message.quote {
                let form = forms::quoted(&Whose::Others(String::new()), &quote.text);
                parts.push(Part::Along(form));
                along(forms::links(&quote.links), &mut parts);
            }
        }
    }
    parts.extend(
        message
            .forwarded_from
            .as_ref()
            .map(|origin| Part::Along(forms::forwarded(origin))),
    );
    parts.extend(
        message
            .inline_bot
            .as_ref()
            .map(|bot| Part::Along(forms::inline_bot(bot))),
    );
    sent(&message.content, Part::File, number, &mut parts);
    if !words.is_empty() {
        parts.push(Part::Written {
            text: words.to_owned(),
            message: number,
            links: forms::links(&message.text.links),
        });
    }
    along(forms::buttons(&message.buttons), &mut parts);
    parts
}

fn along(form: Option<String>, parts: &mut Vec<Part>) {
    parts.extend(form.map(Part::Along));
}

fn reply(quote: Option<&Text>, replied: &Replied, answered: &Answered, parts: &mut Vec<Part>) {
    // The bot's own messages are claude's or about it; unsupported content brings nothing.
    let brings_more = !replied.is_the_bots
        && !answered.is_known
        && matches!(replied.content, Sent::Files(_) | Sent::Thing(_));
    // In the chat an answer has a footer.
    let said = match answered.whose {
        Whose::Answer { .. } => without_footer(&replied.text.text),
        _ => &replied.text.text,
    };
    let is_nobodys = answered.whose == Whose::Others(String::new());
    let line = match quote {
        Some(quote) => Some(forms::quoted(&answered.whose, &quote.text)),
        None if is_nobodys && replied.text.text.is_empty() && !brings_more => None,
        None => forms::replied(&answered.whose, said),
    };
    let Some(line) = line else {
        return;
    };
    // Of claude's own answers only a beginning is there.
    let links: Vec<Link> = quote
        .unwrap_or(&replied.text)
        .links
        .iter()
        .filter(|link| line.contains(&*link.words))
        .cloned()
        .collect();
    parts.push(Part::Along(line));
    along(forms::links(&links), parts);
    if brings_more {
        sent(&replied.content, Part::FileOfAnother, None, parts);
    }
    if quote.is_none() && !replied.is_the_bots {
        along(forms::buttons(&replied.buttons), parts);
    }
}

fn sent(content: &Sent, file: fn(File) -> Part, message: Option<MessageId>, parts: &mut Vec<Part>) {
    match content {
        Sent::Text | Sent::Service(_) => {}
        Sent::Files(files) => parts.extend(files.iter().cloned().map(file)),
        Sent::Thing(thing) => parts.push(Part::Thing {
            form: forms::thing(thing),
            message,
        }),
        Sent::Impossible(kind) => parts.push(Part::Along(forms::left_out(&kind.replace('_', " ")))),
    }
}

/// Appends later pieces: words begin a new line, unless the message before was full.
pub(super) fn append(content: &mut Content, mut pieces: Vec<Piece>, goes_on: bool) {
    if let Some(Piece::Written(written)) = pieces.first_mut() {
        written.on_a_new_line = !goes_on;
    }
    content.pieces.append(&mut pieces);
}

/// Adds a message to an album: all files in order, then the words. If several messages have words, the words say which
/// file they came with.
pub(super) fn append_to_album(content: &mut Content, pieces: Vec<Piece>, album: &mut Album) {
    let is_words = |piece: &Piece| matches!(piece, Piece::Written(_));
    let (words, files): (Vec<Piece>, Vec<Piece>) = pieces.into_iter().partition(is_words);
    let first_words = content.pieces.iter().position(is_words);
    let about_first = Piece::Along(forms::about_file(album.captioned.unwrap_or(0)));
    let before = match first_words {
        // The line that says which file the words are about stays with them.
        Some(at) if at > 0 && content.pieces[at - 1] == about_first => at - 1,
        Some(at) => at,
        None => content.pieces.len(),
    };
    content.pieces.splice(before..before, files);
    album.files += 1;
    if words.is_empty() {
        return;
    }
    match album.captioned {
        None => album.captioned = Some(album.files),
        Some(_) => {
            let first_words = content.pieces.iter().position(is_words);
            if let Some(at) = first_words.filter(|_| !content.pieces.contains(&about_first)) {
                content.pieces.insert(at, about_first);
            }
            let about = forms::about_file(album.files);
            content.pieces.push(Piece::Along(about));
        }
    }
    append(content, words, false);
}

/// The parts that need no fetching.
pub(super) fn without_files(parts: &[Part]) -> Content {
    let pieces = parts.iter().filter_map(|part| match part {
        Part::Along(text) => Some(Piece::Along(text.clone())),
        Part::Thing { form, message } => Some(described(form.clone(), *message)),
        Part::Written {
            text,
            message,
            links,
        } => Some(written(text.clone(), *message, links.clone())),
        Part::File(_) | Part::FileOfAnother(_) => None,
    });
    Content {
        pieces: pieces.collect(),
    }
}

/// A thing as a piece.
pub(super) fn described(form: String, message: Option<MessageId>) -> Piece {
    Piece::Described(Described { form, message })
}

/// Words as a piece.
pub(super) fn written(text: String, message: Option<MessageId>, links: Option<String>) -> Piece {
    Piece::Written(Written {
        text,
        message,
        on_a_new_line: false,
        links,
    })
}
