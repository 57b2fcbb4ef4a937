//! What a run was asked is taken up by another one: it was lost, or something held it up.

use rusqlite::Connection;
use uuid::Uuid;

use crate::claude::forms;
use crate::domain::id::{PromptId, RunId, UserId};
use crate::domain::prompt::Content;
use crate::domain::run::Run;
use crate::store::prompts::{self, Prompt};
use crate::store::{edits, measured, runs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// claude had begun: its conversation knows the prompt.
    GoOn,
    /// claude had not begun: the prompt itself comes once more.
    Again,
}

/// Queues what takes this run up; false when that was done before. `user` is who wanted it; none: whoever had asked.
/// `tries` says how often in a row it was held up.
pub fn take_up(
    db: &Connection,
    old: &Run,
    how: How,
    user: Option<UserId>,
    tries: u32,
) -> rusqlite::Result<bool> {
    let run = RunId::new();
    if !runs::take_up(db, old.id, run)? {
        return Ok(false);
    }
    let before = prompts::to_run_again(db, old.id)?;
    queue(db, run, old, how, &before, user, tries)?;
    measured::set_same_fixes(db, run, old.id)?;
    Ok(true)
}

/// Queues these prompts of a run, which is taken up already, behind what takes it up.
pub fn take_up_more(
    db: &Connection,
    old: &Run,
    how: How,
    prompts: &[Prompt],
    tries: u32,
) -> rusqlite::Result<()> {
    match prompts {
        [] => Ok(()),
        prompts => queue(db, RunId::new(), old, how, prompts, None, tries),
    }
}

/// `first` is the run that begins; each prompt that comes once more waits by itself, as it did before.
fn queue(
    db: &Connection,
    first: RunId,
    old: &Run,
    how: How,
    before: &[Prompt],
    user: Option<UserId>,
    tries: u32,
) -> rusqlite::Result<()> {
    let asked = match how {
        How::GoOn => vec![Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(forms::GO_ON, None),
            message: before
                .iter()
                .find_map(|prompt| prompt.message)
                .or(old.asked_by),
            user: user.or_else(|| before.iter().find_map(|prompt| prompt.user)),
            sent_at: None,
        }],
        How::Again => before
            .iter()
            .map(|prompt| {
                // It waits again, and so it becomes what it was edited to.
                let changed = edits::take_undecided(db, prompt.id)?;
                Ok(Prompt {
                    id: PromptId(Uuid::new_v4()),
                    content: changed.unwrap_or_else(|| prompt.content.clone()),
                    // It is not old: somebody has just asked for it, or was told that it waits.
                    sent_at: None,
                    ..prompt.clone()
                })
            })
            .collect::<rusqlite::Result<_>>()?,
    };
    let mut run = first;
    for prompt in &asked {
        runs::insert(db, run, &old.session, old.at)?;
        runs::set_tries(db, run, tries)?;
        prompts::insert(db, run, prompt)?;
        run = RunId::new();
    }
    if how == How::Again {
        // An edit of a message changes what waits.
        for (old, new) in before.iter().zip(&asked) {
            prompts::move_messages(db, old.id, new.id)?;
        }
    }
    Ok(())
}
