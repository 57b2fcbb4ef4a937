//! "Ask without it": a prompt whose file could not be fetched runs without it, once.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::toast;
use crate::domain::id::{ChatId, RunId};
use crate::run::again::{self, How};
use crate::store::runs;

pub(super) fn pressed(db: &Connection, chat: ChatId, run: RunId) -> rusqlite::Result<Pressed> {
    let Some(left) = runs::failed_unbegun(db, run)?.filter(|left| left.at.chat == chat) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    Ok(match again::take_up(db, &left, How::Again, None, 0)? {
        true => Pressed::over(toast::RUNNING).with(Follow::wake(left.at)),
        false => Pressed::over(toast::TAKEN_UP),
    })
}
