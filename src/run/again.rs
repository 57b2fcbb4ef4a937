//! What a run was asked is taken up by another one: it was lost, or something held it up.

use rusqlite::Connection;
use uuid::Uuid;

use super::Run;
use crate::id::{PromptId, RunId, UserId};
use crate::prompt::Content;
use crate::store::prompts::{self, Prompt};
use crate::store::runs;

/// What claude is told, to the byte, when a run is to go on where it was cut off.
pub const GO_ON: &str = "Go on.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// claude had begun: its conversation knows the prompt.
    GoOn,
    /// claude had not begun: the prompt itself comes once more.
    Again,
}

/// Queues a run that takes this one up; none when another one has done so before. `user` is who wanted it; none:
/// whoever had asked.
pub fn take_up(
    db: &Connection,
    old: &Run,
    how: How,
    user: Option<UserId>,
) -> rusqlite::Result<Option<RunId>> {
    let run = RunId::new();
    if !runs::take_up(db, old.id, run)? {
        return Ok(None);
    }
    runs::insert(db, run, &old.session, old.at)?;
    let before = prompts::unanswered(db, old.id)?;
    let asked = match how {
        How::GoOn => vec![Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(GO_ON, None),
            message: before
                .iter()
                .find_map(|prompt| prompt.message)
                .or(old.asked_by),
            user: user.or_else(|| before.iter().find_map(|prompt| prompt.user)),
            sent_at: None,
        }],
        How::Again => before
            .iter()
            .map(|prompt| Prompt {
                id: PromptId(Uuid::new_v4()),
                // It is not old: somebody has just asked for it, or was told that it waits.
                sent_at: None,
                ..prompt.clone()
            })
            .collect(),
    };
    for prompt in &asked {
        prompts::insert(db, run, prompt)?;
    }
    if how == How::Again {
        // An edit of a message changes what waits.
        for (old, new) in before.iter().zip(&asked) {
            prompts::move_messages(db, old.id, new.id)?;
        }
    }
    Ok(Some(run))
}
