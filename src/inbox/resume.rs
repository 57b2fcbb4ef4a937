//! The buttons that continue or repeat a run that was lost or cut off, once.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::toast;
use crate::domain::access::Member;
use crate::domain::id::{ChatId, RunId};
use crate::run::again::{self, How};
use crate::store::runs;

pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    lost: RunId,
    how: How,
    member: Member,
) -> rusqlite::Result<Pressed> {
    let Some(lost) = runs::begun(db, lost)?.filter(|lost| lost.at.chat == chat) else {
        return Ok(Pressed::over(toast::RUN_IS_OVER));
    };
    // A claude that still works would get the prompt, and write its conversation down at its end.
    if runs::running(db, lost.at)?.is_some_and(|running| running.id == lost.id) {
        return Ok(Pressed::over(toast::PRESS_LATER).buttons_stay());
    }
    let changes_conversation = matches!(how, How::Compacted { .. } | How::Afresh { .. });
    let newest = runs::newest_of_session(db, &lost.session)?;
    if changes_conversation && newest != Some(lost.id) {
        return Ok(Pressed::over(toast::RUN_IS_OVER));
    }
    if !again::take_up(db, &lost, how, Some(member.user()), 0)? {
        return Ok(Pressed::over(toast::TAKEN_UP));
    }
    Ok(Pressed::over(toast::GOING_ON).with(Follow::wake(lost.at)))
}
