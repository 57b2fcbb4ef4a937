//! What a replied-to message of the bot was: an answer, and to which prompt, or something else.

use rusqlite::{Connection, OptionalExtension, params};

use super::chats::thread_column;
use crate::domain::id::{ChatThread, MessageId, SessionId};
use crate::domain::prompt::Whose;

/// Says what a message of the bot is, as seen from the chat's current session.
pub fn whose(
    db: &Connection,
    at: ChatThread,
    message: MessageId,
    current: Option<&SessionId>,
) -> rusqlite::Result<Whose> {
    let is_live = db
        .prepare_cached("SELECT 1 FROM runs WHERE chat_id = ?1 AND live_message = ?2")?
        .exists(params![at.chat.0, message.0])?;
    if is_live {
        return Ok(Whose::Live);
    }
    let answer: Option<(i64, String, String)> = db
        .prepare_cached(
            "SELECT r.seq, r.session_id,
                    coalesce((SELECT p.text FROM prompts p WHERE p.run_id = r.id ORDER BY p.rowid LIMIT 1), '')
             FROM sent_parts s JOIN outbox o ON o.id = s.outbox_id JOIN runs r ON r.answer_row = o.id
             WHERE s.message_id = ?2 AND o.chat_id = ?1",
        )?
        .query_row(params![at.chat.0, message.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((seq, session, prompt)) = answer else {
        return Ok(Whose::TheBots);
    };
    let later: u64 = db
        .prepare_cached(
            "SELECT count(*) FROM runs
             WHERE chat_id = ?1 AND thread_id = ?2 AND session_id = ?4 AND seq > ?3 AND answer_row IS NOT NULL",
        )?
        .query_row(
            params![at.chat.0, thread_column(at), seq, session],
            |row| row.get(0),
        )?;
    let is_of_this_session = current.is_some_and(|current| current.0 == session);
    if is_of_this_session && later == 0 {
        return Ok(Whose::NewestAnswer);
    }
    Ok(Whose::Answer {
        prompt,
        prompts_ago: later + 1,
        is_of_this_session,
    })
}
