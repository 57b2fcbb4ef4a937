//! "Ask without it": a prompt whose file could not be had runs without that file, once.

use rusqlite::Connection;
use uuid::Uuid;

use super::Follow;
use super::button::Pressed;
use crate::chat::toast;
use crate::id::{ChatId, PromptId, RunId};
use crate::store::prompts::{self, Prompt};
use crate::store::runs;

pub(super) fn pressed(db: &Connection, chat: ChatId, run: RunId) -> rusqlite::Result<Pressed> {
    let Some(left) = runs::failed_unbegun(db, run)?.filter(|left| left.at.chat == chat) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let run = RunId::new();
    if !runs::take_up(db, left.id, run)? {
        return Ok(Pressed::over(toast::TAKEN_UP));
    }
    runs::insert(db, run, &left.session, left.at)?;
    for prompt in prompts::of_run(db, left.id)? {
        let again = Prompt {
            id: PromptId(Uuid::new_v4()),
            // Somebody has just asked for it: it is not old.
            sent_at: None,
            ..prompt
        };
        prompts::insert(db, run, &again)?;
    }
    Ok(Pressed::over(toast::RUNNING).with(Follow::wake(left.at)))
}
