//! A lost run is taken up again, once: by its button.

use rusqlite::Connection;
use uuid::Uuid;

use super::Follow;
use super::button::Pressed;
use crate::chat::toast;
use crate::id::{ChatId, PromptId, RunId};
use crate::prompt::Content;
use crate::store::prompts::{self, Prompt};
use crate::store::runs;
use crate::telegram::access::Member;

/// What claude is told, to the byte, when a lost run is to go on.
pub const GO_ON: &str = "Go on.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// claude had begun: its conversation knows the prompt.
    GoOn,
    /// claude had not begun: the prompt itself comes once more.
    Again,
}

pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    lost: RunId,
    how: How,
    member: Member,
) -> rusqlite::Result<Pressed> {
    let Some(lost) = runs::lost(db, lost)?.filter(|lost| lost.at.chat == chat) else {
        return Ok(Pressed::over(toast::RUN_IS_OVER));
    };
    let run = RunId::new();
    if !runs::take_up(db, lost.id, run)? {
        return Ok(Pressed::over(toast::TAKEN_UP));
    }
    runs::insert(db, run, &lost.session, lost.at)?;
    let asked = match how {
        How::GoOn => vec![Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(GO_ON, None),
            message: lost.asked_by,
            user: Some(member.user()),
            sent_at: None,
        }],
        How::Again => prompts::of_run(db, lost.id)?
            .into_iter()
            .map(|prompt| Prompt {
                id: PromptId(Uuid::new_v4()),
                // Somebody has just asked for it: it is not old.
                sent_at: None,
                ..prompt
            })
            .collect(),
    };
    for prompt in &asked {
        prompts::insert(db, run, prompt)?;
    }
    Ok(Pressed::over(toast::GOING_ON).with(Follow::wake(lost.at)))
}
