//! A chat with a hold: prompts wait, and a button tries them immediately.

use jiff::Zoned;
use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::{hold as words, toast};
use crate::domain::id::ChatThread;
use crate::store::{holds, outbox};

/// Tells the chat once that prompts wait.
pub(super) fn tell(db: &Connection, at: ChatThread) -> rusqlite::Result<()> {
    let Some(hold) = holds::of(db, at)? else {
        return Ok(());
    };
    if !holds::mark_told(db, at)? {
        return Ok(());
    }
    let clock = Zoned::now();
    let end = hold.end_in(clock.time_zone().clone());
    outbox::insert(db, at, &words::waits(hold.why, end.as_ref(), &clock))
}

/// "Try now".
pub(super) fn try_pressed(db: &Connection, at: ChatThread) -> rusqlite::Result<Pressed> {
    if !holds::lift(db, at)? {
        return Ok(Pressed::over(toast::NOTHING_TO_RUN));
    }
    Ok(Pressed::over(toast::TRYING).with(Follow::wake(at)))
}
