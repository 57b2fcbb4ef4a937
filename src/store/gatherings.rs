//! Gatherings: prompts of several messages that may still get more for a moment.
//!
//! `runs.gathers_until` says until when. `READY` is the condition for a run to begin or to be handed over; `waiting`
//! decides the order.
//! Messages of an album that are not addressed to the bot yet wait in `album_parts`.

use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chats::thread_column;
use super::prompts::prompt_id;
use super::runs::run_id;
use super::{from_json, now, to_json};
use crate::domain::id::{ChatThread, MessageId, PromptId, RunId, UpdateSeq, UserId};

/// A gathering that ends later than this began before the clock was set back.
pub const LONGEST_MS: i64 = 60_000;

/// Whether the content of the waiting run `r` lets it begin: no more messages may come, no file is still to be fetched,
/// and every failure was reported. `{now}` stands for the time's parameter, `{longest}` for [`LONGEST_MS`].
const READY: &str =
    "(r.gathers_until IS NULL OR r.gathers_until <= {now} OR r.gathers_until > {now} + {longest})
    AND NOT EXISTS (SELECT 1 FROM attachments a JOIN prompts ap ON ap.id = a.prompt_id
                    WHERE ap.run_id = r.id AND (a.state = 'awaited' OR a.failure IS NOT NULL))";

/// `READY` for a run that the query calls `r`; `now` is the time's parameter, such as `?4`.
pub fn ready(now: &str) -> String {
    READY
        .replace("{now}", now)
        .replace("{longest}", &LONGEST_MS.to_string())
}

/// Whether the waiting run may begin, or be handed to a running claude.
pub fn is_ready(db: &Connection, run: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached(&format!(
        "SELECT 1 FROM runs r WHERE r.id = ?1 AND {}",
        ready("?2")
    ))?
    .exists(params![run.to_string(), now()])
}

/// What is known of a prompt's messages so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathering {
    pub kind: Kind,
    /// The last message had the maximum length: the next one continues in the middle of a line.
    pub goes_on: bool,
    /// The last message was so long that Telegram may have cut it.
    #[serde(default)]
    pub may_be_cut: bool,
    /// When the last message was written, in Unix milliseconds by Telegram's clock.
    pub last_sent_at: i64,
}

/// Why more messages may come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message before a forward: only forwards may join it.
    Comment,
    /// A text so long that Telegram may have cut it.
    Paste,
    Album(Album),
    /// Forwards and the comment written with them.
    Burst,
}

/// Pictures and files sent together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Album {
    /// Bot API: `media_group_id`.
    pub id: String,
    /// How many of its messages have come.
    pub files: usize,
    /// The first message with a caption, counted from one.
    pub captioned: Option<usize>,
}

/// A person's newest prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    pub run: RunId,
    pub prompt: PromptId,
    /// The prompt waits, and no claude has it.
    pub waits: bool,
    /// When its first message came, in Unix milliseconds.
    pub kept_at: i64,
    /// When its first message was written, in Unix milliseconds by Telegram's clock.
    pub sent_at: Option<i64>,
    /// When the gathering ends, in Unix milliseconds; `None` if nothing gathers.
    pub until: Option<i64>,
    pub gathering: Option<Gathering>,
}

/// A person's newest prompt here, among the newest runs of all chats. (`CROSS JOIN`: SQLite begins with the runs.) Prompts that were repeated or came from a button
/// do not count.
pub fn newest(db: &Connection, at: ChatThread, user: UserId) -> rusqlite::Result<Option<Newest>> {
    // Only recent prompts can get more messages: older runs need no search.
    const LOOKED_AT: i64 = 200;
    db.prepare_cached(
        "SELECT r.id, p.id, r.state = 'queued' AND p.handed_to IS NULL, p.created_at, p.sent_at,
                r.gathers_until, r.gathering
         FROM runs r CROSS JOIN prompts p ON p.run_id = r.id
         WHERE r.seq > (SELECT max(seq) FROM runs) - ?4
           AND r.chat_id = ?1 AND r.thread_id = ?2 AND p.user_id = ?3
           AND p.sent_at IS NOT NULL
         ORDER BY p.rowid DESC LIMIT 1",
    )?
    .query_row(
        params![at.chat.0, thread_column(at), user.0, LOOKED_AT],
        |row| {
            Ok(Newest {
                run: run_id(0, &row.get::<_, String>(0)?)?,
                prompt: prompt_id(1, &row.get::<_, String>(1)?)?,
                waits: row.get(2)?,
                kept_at: row.get(3)?,
                sent_at: row.get(4)?,
                until: row.get(5)?,
                gathering: row
                    .get::<_, Option<String>>(6)?
                    .map(|json| from_json(6, &json))
                    .transpose()?,
            })
        },
    )
    .optional()
}

/// Lets messages join the run's prompt until `until`, in Unix milliseconds.
pub fn set(db: &Connection, run: RunId, until: i64, gathering: &Gathering) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE runs SET gathers_until = max(coalesce(gathers_until, 0), ?2), gathering = ?3
         WHERE id = ?1 AND state = 'queued'",
    )?
    .execute(params![run.to_string(), until, to_json(gathering)?])?;
    Ok(())
}

/// Ends this person's gatherings here, because they sent something else.
pub fn close(db: &Connection, at: ChatThread, user: UserId) -> rusqlite::Result<bool> {
    let now = now();
    let closed = db
        .prepare_cached(
            "UPDATE runs SET gathers_until = ?4
             WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND gathers_until > ?4
               AND EXISTS (SELECT 1 FROM prompts p WHERE p.run_id = runs.id AND p.user_id = ?3)",
        )?
        .execute(params![at.chat.0, thread_column(at), user.0, now])?;
    Ok(closed > 0)
}

/// At startup: gives interrupted gatherings a moment for their messages that are stored but not processed yet.
pub fn reopen(db: &Connection) -> rusqlite::Result<()> {
    const MOMENT_MS: i64 = 2_000;
    db.prepare_cached(
        "UPDATE runs SET gathers_until = ?1 WHERE state = 'queued' AND gathering IS NOT NULL",
    )?
    .execute([now() + MOMENT_MS])?;
    Ok(())
}

/// Keeps an album's message that was not addressed to the bot; `parts` is what it would add to a prompt.
pub fn keep_album_part(
    db: &Connection,
    at: ChatThread,
    (album, message): (&str, MessageId),
    user: UserId,
    parts: &impl Serialize,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO album_parts (chat_id, thread_id, album, message_id, user_id, parts, kept_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        at.chat.0,
        thread_column(at),
        album,
        message.0,
        user.0,
        to_json(parts)?,
        now()
    ])?;
    Ok(())
}

/// Removes and returns the kept messages of an album, in order. Unreadable ones are left out.
pub fn take_album_parts<T: DeserializeOwned>(
    db: &Connection,
    at: ChatThread,
    album: &str,
    user: UserId,
) -> rusqlite::Result<Vec<(MessageId, T)>> {
    let kept: Vec<(MessageId, String)> = db
        .prepare_cached(
            "SELECT message_id, parts FROM album_parts
             WHERE chat_id = ?1 AND thread_id = ?2 AND album = ?3 AND user_id = ?4 ORDER BY message_id",
        )?
        .query_map(params![at.chat.0, thread_column(at), album, user.0], |row| {
            Ok((MessageId(row.get(0)?), row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    db.prepare_cached("DELETE FROM album_parts WHERE chat_id = ?1 AND album = ?2")?
        .execute(params![at.chat.0, album])?;
    Ok(kept
        .into_iter()
        .filter_map(|(message, parts)| Some((message, from_json(0, &parts).ok()?)))
        .collect())
}

/// Forgets album messages that were kept longer than [`LONGEST_MS`].
pub fn forget_album_parts(db: &Connection) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM album_parts WHERE kept_at < ?1")?
        .execute([now() - LONGEST_MS])
}

/// Whether this person's next unprocessed message here is a forward.
pub fn a_forward_is_next(
    db: &Connection,
    after: UpdateSeq,
    at: ChatThread,
    user: UserId,
) -> rusqlite::Result<bool> {
    // Few updates wait, as a rule; after a long absence only the nearest ones matter.
    const LOOKED_AT: u32 = 20;
    let next: Option<bool> = db
        .prepare_cached(
            "SELECT json_type(raw, '$.message.forward_origin') IS NOT NULL FROM (
                 SELECT seq, raw FROM updates WHERE state = 'stored' AND seq > ?1 ORDER BY seq LIMIT ?4)
             WHERE json_extract(raw, '$.message.chat.id') = ?2
               AND json_extract(raw, '$.message.from.id') = ?3
             ORDER BY seq LIMIT 1",
        )?
        .query_row(params![after.0, at.chat.0, user.0, LOOKED_AT], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(next.unwrap_or(false))
}
