//! `/queue` and its buttons: the waiting prompts, and whether those written during a run wait for its end.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::{queue as words, toast};
use crate::domain::id::{ChatId, ChatThread, RunId};
use crate::store::steering::{self, Cancelled};
use crate::store::{outbox, runs, settings, waiting};

/// Sets `queues` if it is given, and shows what waits.
pub(super) fn request(
    db: &Connection,
    at: ChatThread,
    queues: Option<bool>,
) -> rusqlite::Result<Follow> {
    let mut now = settings::get(db, at.chat)?;
    now.queues = queues.unwrap_or(now.queues);
    settings::set(db, at.chat, now)?;
    let waiting = waiting::queue(db, at)?;
    outbox::insert(db, at, &words::queue(now.queues, &waiting))?;
    // Queued prompts may go to claude now.
    Ok(Follow {
        tell_workers: vec![at],
        ..Follow::default()
    })
}

/// "Cancel": the prompt does not run, if claude has not begun with it.
pub(super) fn cancel_pressed(
    db: &Connection,
    chat: ChatId,
    run: RunId,
) -> rusqlite::Result<Pressed> {
    // The run knows its topic; a message that Telegram has no more does not.
    let Some(at) = runs::place_if_known(db, run)?.filter(|at| at.chat == chat) else {
        return Ok(Pressed::over(toast::CLAUDE_HAS_BEGUN));
    };
    let toast = match steering::cancel(db, at, run)? {
        Cancelled::Done => toast::CANCELLED,
        Cancelled::Asked => toast::CANCELLING,
        Cancelled::TooLate => toast::CLAUDE_HAS_BEGUN,
    };
    // The other buttons below the list stay.
    Ok(Pressed::over(toast).with(Follow {
        tell_workers: vec![at],
        ..Follow::default()
    }))
}
