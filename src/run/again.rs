//! Another run continues what a run was asked, after it was lost or met a hold.

use rusqlite::Connection;
use uuid::Uuid;

use crate::claude::forms;
use crate::domain::id::{PromptId, RunId, UserId};
use crate::domain::prompt::{Content, Piece};
use crate::domain::run::Run;
use crate::store::prompts::{self, Prompt};
use crate::store::{attachments, edits, measured, routines, runs, sessions};

/// How many earlier prompts a new conversation is told.
const EARLIER_TOLD: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// claude had begun: its conversation knows the prompt.
    GoOn,
    /// claude had not begun: the prompt itself comes once more.
    Again,
    /// The conversation is compacted first. Then the prompt comes once more; if claude had begun with it, claude is
    /// only told to go on.
    Compacted { begun: bool },
    /// The prompt comes once more, in a new conversation that is told what was asked before, and whether it was begun.
    Afresh { begun: bool },
}

/// Queues the run that continues this one; returns false if one does already. `user` wanted it; `None`: the first
/// asker. `tries` counts its holds in a row.
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
    let before = match how {
        How::GoOn | How::Again => prompts::to_run_again(db, old.id)?,
        How::Compacted { .. } | How::Afresh { .. } => prompts::unanswered(db, old.id)?,
    };
    queue(db, run, old, how, &before, user, tries)?;
    measured::set_same_fixes(db, run, old.id)?;
    routines::continued(db, old.id, run)?;
    Ok(true)
}

/// Queues prompts of a run that another one continues already, behind that one.
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

/// `first` is the first new run; each repeated prompt gets its own run, as before.
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
        How::GoOn | How::Compacted { begun: true } => vec![Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(forms::GO_ON, None),
            message: before
                .iter()
                .find_map(|prompt| prompt.message)
                .or(old.asked_by),
            user: user.or_else(|| before.iter().find_map(|prompt| prompt.user)),
            sent_at: None,
        }],
        How::Again | How::Compacted { begun: false } | How::Afresh { .. } => before
            .iter()
            .map(|prompt| {
                // It waits again, so an undecided edit applies.
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
    let mut asked: Vec<Prompt> = asked;
    match how {
        How::Compacted { .. } => asked.insert(
            0,
            Prompt {
                id: PromptId(Uuid::new_v4()),
                content: Content::written(forms::COMPACT, None),
                message: None,
                user,
                sent_at: None,
            },
        ),
        How::Afresh { begun } => {
            sessions::forget_conversation(db, &old.session)?;
            let earlier = prompts::words_of_session(db, &old.session, EARLIER_TOLD, old.id)?;
            if let (Some(form), Some(first)) = (forms::earlier(&earlier, begun), asked.first_mut())
            {
                first.content.pieces.insert(0, Piece::Along(form));
            }
        }
        How::GoOn | How::Again => {}
    }
    let mut run = first;
    for prompt in &asked {
        runs::insert(db, run, &old.session, old.at)?;
        runs::set_tries(db, run, tries)?;
        prompts::insert(db, run, prompt)?;
        run = RunId::new();
    }
    if !matches!(how, How::GoOn | How::Compacted { begun: true }) {
        // Edits now go to the new prompts.
        let repeated = &asked[asked.len() - before.len()..];
        for (old, new) in before.iter().zip(repeated) {
            prompts::move_messages(db, old.id, new.id)?;
            attachments::move_settled(db, old.id, new.id)?;
        }
    }
    Ok(())
}
