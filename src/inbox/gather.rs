//! Which messages are one prompt: the parts of a long paste, an album, forwards with the words sent along.
//!
//! The store says until when a prompt may get more messages (`store::gatherings`), and its chat's worker waits until
//! then. A message that is one prompt by itself never waits.

use rusqlite::Connection;

use super::compose::{self, Part};
use super::prompt::{Asked, pieces};
use crate::domain::id::{ChatThread, MessageId, PromptId, RunId, UserId};
use crate::domain::prompt::Content;
use crate::domain::update::{Content as Sent, Message};
use crate::store::gatherings::{self, Album, Gathering, Kind, Newest};
use crate::store::{now, prompts};

/// As long as a message can be, in UTF-16 units. Bot API: 1-4096 characters.
const FULL: usize = 4096;
/// Telegram's programs cut a longer text here at the earliest.
const NEAR_FULL: usize = 3_800;

/// The next part of a long text comes within this time.
const PASTE_MS: i64 = 1_500;
/// After so long a silence an album or a series of forwards is complete.
const QUIET_MS: i64 = 1_000;
/// How long a message waits for a forward that is stored already.
const COMMENT_MS: i64 = 50;
/// Telegram's clock has whole seconds: messages sent within [`PASTE_MS`] are at most so far apart.
const APART_MS: i64 = 2_000;

/// Adds the message to the sender's prompt that may still get more. `bring` gives the message's parts for its words.
pub(super) fn join(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    bring: impl Fn(&str) -> Vec<Part>,
) -> rusqlite::Result<Option<RunId>> {
    let newest = gatherings::newest(db, at, asked.user)?;
    let Some(waiting) = newest.filter(|newest| newest.waits && belongs(newest, asked)) else {
        return Ok(None);
    };
    let mut gathering = waiting.gathering.unwrap_or(Gathering {
        kind: Kind::Comment,
        goes_on: false,
        may_be_cut: false,
        last_sent_at: 0,
    });
    // The rest of a paste is all text: no mention in it addresses the bot.
    let words = match gathering.kind {
        Kind::Paste => &asked.message.text.text,
        _ => &asked.words,
    };
    let new = pieces(db, waiting.prompt, asked.number, bring(words))?;
    let mut content = prompts::content(db, waiting.prompt)?;
    match &mut gathering.kind {
        Kind::Album(album) if asked.message.album.as_ref() == Some(&album.id) => {
            compose::append_to_album(&mut content, new, album);
        }
        kind => {
            compose::append(&mut content, new, gathering.goes_on);
            if *kind == Kind::Comment {
                *kind = Kind::Burst;
            }
        }
    }
    gathering.goes_on = is_full(asked);
    gathering.may_be_cut = is_near_full(asked);
    gathering.last_sent_at = asked.sent_at();
    let wait = match gathering.kind {
        Kind::Paste => PASTE_MS,
        _ if is_near_full(asked) => PASTE_MS,
        _ => QUIET_MS,
    };
    prompts::set_content(db, waiting.prompt, &content)?;
    remember(db, at, asked.number, waiting.prompt)?;
    gatherings::set(db, waiting.run, now() + wait, &gathering)?;
    Ok(Some(waiting.run))
}

fn belongs(newest: &Newest, asked: &Asked) -> bool {
    let is_open = match &newest.gathering {
        Some(_) => is_gathering(newest),
        None => now() - newest.kept_at < QUIET_MS,
    };
    is_open && was_sent_along(newest, asked)
}

fn is_gathering(newest: &Newest) -> bool {
    newest.until.is_some_and(|until| until > now())
}

/// Whether the message was sent together with the sender's last prompt, by Telegram's clock. If it arrived too late to
/// join that prompt, it still counts as addressed to the bot.
fn was_sent_along(newest: &Newest, asked: &Asked) -> bool {
    let is_forward = asked.message.forwarded_from.is_some();
    let is_near = |last: i64| (asked.sent_at() - last).abs() <= APART_MS;
    match &newest.gathering {
        Some(gathering) => is_near(gathering.last_sent_at) && fits(gathering, asked),
        // A single message: its forward arrived separately.
        None => is_forward && newest.sent_at.is_some_and(is_near),
    }
}

/// What people of a group say to each other meanwhile does not belong to what one of them has sent to the bot.
fn fits(gathering: &Gathering, asked: &Asked) -> bool {
    if asked.message.forwarded_from.is_some() {
        return true;
    }
    let is_of_the_album = match &gathering.kind {
        Kind::Album(album) => asked.message.album.as_ref() == Some(&album.id),
        Kind::Comment => return false,
        Kind::Paste | Kind::Burst => false,
    };
    let is_its_rest = gathering.may_be_cut && asked.message.content == Sent::Text;
    asked.is_addressed || is_of_the_album || is_its_rest
}

/// Whether a text that begins with a command of the bot's is the rest of a text that Telegram has cut.
///
/// After a full message it is, whatever it says. After one that is only nearly full, a command as people write it, with
/// nothing behind it, is one.
pub(super) fn goes_on_with(
    db: &Connection,
    at: ChatThread,
    user: UserId,
    message: &Message,
    is_bare_command: bool,
) -> rusqlite::Result<bool> {
    let sent_at = message.sent_at.saturating_mul(1000);
    let newest = gatherings::newest(db, at, user)?.filter(|newest| newest.waits);
    let Some((newest, gathering)) =
        newest.and_then(|newest| Some((newest.clone(), newest.gathering?)))
    else {
        return Ok(false);
    };
    let is_rest = gathering.goes_on || gathering.may_be_cut && !is_bare_command;
    Ok(gathering.kind == Kind::Paste
        && is_rest
        && is_gathering(&newest)
        && (sent_at - gathering.last_sent_at).abs() <= APART_MS)
}

/// Whether a group message that does not address the bot is the rest of one that did.
pub(super) fn is_a_rest(db: &Connection, at: ChatThread, asked: &Asked) -> rusqlite::Result<bool> {
    let newest = gatherings::newest(db, at, asked.user)?;
    Ok(newest.is_some_and(|newest| was_sent_along(&newest, asked)))
}

/// The content of a prompt that begins with this message and the kept parts of its album; more may come.
pub(super) fn begin(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    prompt: PromptId,
    asked: &Asked,
    before: Vec<(MessageId, Vec<Part>)>,
    parts: Vec<Part>,
) -> rusqlite::Result<Content> {
    let mut content = Content::default();
    let kind = match &asked.message.album {
        Some(id) => {
            let mut album = Album {
                id: id.clone(),
                files: 0,
                captioned: None,
            };
            for (message, parts) in before {
                let new = pieces(db, prompt, Some(message), parts)?;
                compose::append_to_album(&mut content, new, &mut album);
                remember(db, at, Some(message), prompt)?;
            }
            let new = pieces(db, prompt, asked.number, parts)?;
            compose::append_to_album(&mut content, new, &mut album);
            Some((Kind::Album(album), QUIET_MS))
        }
        None => {
            content.pieces = pieces(db, prompt, asked.number, parts)?;
            kind_of(db, at, asked)?
        }
    };
    remember(db, at, asked.number, prompt)?;
    if let Some((kind, wait)) = kind {
        let gathering = Gathering {
            kind,
            goes_on: is_full(asked),
            may_be_cut: is_near_full(asked),
            last_sent_at: asked.sent_at(),
        };
        gatherings::set(db, run, now() + wait, &gathering)?;
    }
    Ok(content)
}

/// Why more messages may belong to this one, and how long to wait for them.
fn kind_of(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
) -> rusqlite::Result<Option<(Kind, i64)>> {
    if asked.message.forwarded_from.is_some() {
        return Ok(Some((Kind::Burst, QUIET_MS)));
    }
    if is_near_full(asked) {
        return Ok(Some((Kind::Paste, PASTE_MS)));
    }
    let is_comment = gatherings::a_forward_is_next(db, asked.seq, at, asked.user)?;
    Ok(is_comment.then_some((Kind::Comment, COMMENT_MS)))
}

/// Keeps a picture of a group's album, in case a later message addresses the album to the bot.
pub(super) fn keep_aside(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    parts: &[Part],
) -> rusqlite::Result<()> {
    let (Some(album), Some(number)) = (&asked.message.album, asked.number) else {
        return Ok(());
    };
    gatherings::forget_album_parts(db)?;
    gatherings::keep_album_part(db, at, (album, number), asked.user, &parts)
}

/// The kept parts of its album.
pub(super) fn take_aside(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
) -> rusqlite::Result<Vec<(MessageId, Vec<Part>)>> {
    let Some(album) = &asked.message.album else {
        return Ok(Vec::new());
    };
    let kept = gatherings::take_album_parts(db, at, album, asked.user)?;
    Ok(kept)
}

fn remember(
    db: &Connection,
    at: ChatThread,
    number: Option<MessageId>,
    prompt: PromptId,
) -> rusqlite::Result<()> {
    match number {
        Some(number) => prompts::add_message(db, at.chat, number, prompt),
        None => Ok(()),
    }
}

fn units(asked: &Asked) -> usize {
    match asked.message.content {
        Sent::Text => asked.message.text.text.encode_utf16().count(),
        _ => 0,
    }
}

fn is_full(asked: &Asked) -> bool {
    units(asked) >= FULL
}

fn is_near_full(asked: &Asked) -> bool {
    units(asked) >= NEAR_FULL
}
