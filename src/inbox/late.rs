//! Late prompts: written while the bot was away, and so old that somebody is asked first.

use std::time::Duration;

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::delivery::{self, Late};
use crate::chat::toast;
use crate::domain::button::Press;
use crate::domain::id::{ChatThread, RunId};
use crate::store::{alive, late, outbox};

/// Marks a run as late and asks about it; `now` is in Unix milliseconds by Telegram's clock.
pub(super) fn mark(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    now: i64,
) -> rusqlite::Result<Follow> {
    late::mark(db, run)?;
    ask(db, at, now)?;
    Ok(Follow {
        // The workspace may be made meanwhile.
        wake: vec![at],
        delay_sending: true,
        ..Follow::default()
    })
}

/// At a start: marks prompts that became old while the bot was away as late, and asks. Returns their chats.
pub fn ask_about_late(
    db: &Connection,
    limit: Duration,
    now: i64,
) -> rusqlite::Result<Vec<ChatThread>> {
    let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let last_alive = alive::last(db)?.unwrap_or(now);
    let places = late::mark_older(
        db,
        now.saturating_sub(limit),
        last_alive.saturating_sub(limit),
    )?;
    for at in &places {
        ask(db, *at, now)?;
    }
    Ok(places)
}

/// Asks one question about all late prompts of a chat; an unsent question is replaced.
fn ask(db: &Connection, at: ChatThread, now: i64) -> rusqlite::Result<()> {
    let prompts: Vec<Late> = late::prompts(db, at)?
        .into_iter()
        .map(|prompt| Late {
            text: prompt.text,
            age: Duration::from_millis(u64::try_from(now - prompt.sent_at).unwrap_or(0)),
        })
        .collect();
    let question = delivery::late(&prompts, at);
    let replaced = match outbox::unsent_question(db, at, Press::RunLate(at.thread))? {
        Some(id) => outbox::replace_unsent(db, id, &question)?,
        None => false,
    };
    if replaced {
        return Ok(());
    }
    outbox::insert(db, at, &question)
}

/// "Run them": in the order in which they were written.
pub(super) fn pressed(db: &Connection, at: ChatThread) -> rusqlite::Result<Pressed> {
    if late::release(db, at)? == 0 {
        return Ok(Pressed::over(toast::NOTHING_TO_RUN));
    }
    Ok(Pressed::over(toast::RUNNING).with(Follow::wake(at)))
}
