//! Topics: what is due in one where nothing can be written any more, and which private chats were told what topics are.

use rusqlite::{Connection, params};

use super::chats::thread_column;
use super::outbox::OPEN;
use super::prompts;
use super::sending::Due;
use crate::domain::id::{ChatId, ChatThread, MessageId, UserId};

/// Whether the chat is to be told now: once in its life.
pub fn is_to_be_told(db: &Connection, chat: ChatId) -> rusqlite::Result<bool> {
    let inserted = db
        .prepare_cached("INSERT INTO told_of_topics (chat_id) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([chat.0])?;
    Ok(inserted == 1)
}

/// Moves the messages of a topic where nothing can be written any more to the chat itself. Each gets a line that says
/// so, unless a part of it has arrived: `preface` makes it of the prompt that the message answers.
pub fn leave(
    db: &Connection,
    at: ChatThread,
    preface: impl Fn(Option<&str>) -> String,
) -> rusqlite::Result<()> {
    let rows: Vec<(i64, Option<MessageId>, bool)> = db
        .prepare_cached(&format!(
            "SELECT id, json_extract(message, '$.reply_to'), parts_sent > 0 FROM outbox
             WHERE chat_id = ?1 AND thread_id = ?2 AND {OPEN} AND json_valid(message)"
        ))?
        .query_map(params![at.chat.0, thread_column(at)], |row| {
            let reply_to: Option<i32> = row.get(1)?;
            Ok((row.get(0)?, reply_to.map(MessageId), row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (id, reply_to, has_begun) in rows {
        let asked = reply_to.map(|message| prompts::asked_with(db, at.chat, message));
        let (words, asker) = asked.transpose()?.flatten().unzip();
        let preface = (!has_begun).then(|| preface(words.as_deref()));
        db.prepare_cached(
            "UPDATE outbox SET thread_id = 0, state = 'due', replies_to = NULL,
                    message = json_set(message, '$.reply_to', NULL, '$.asker', ?2,
                                       '$.preface', coalesce(?3, json_extract(message, '$.preface')))
             WHERE id = ?1",
        )?
        .execute(params![id, asker.flatten().map(|asker| asker.0), preface])?;
    }
    Ok(())
}

/// Who asked what a message answers, if that is known.
pub fn asker(db: &Connection, due: &Due) -> rusqlite::Result<Option<UserId>> {
    if let Some(asker) = due.message.asker {
        return Ok(Some(asker));
    }
    let Some(message) = due.message.reply_to else {
        return Ok(None);
    };
    let asked = prompts::asked_with(db, due.at.chat, message)?;
    Ok(asked.and_then(|(_, asker)| asker))
}
