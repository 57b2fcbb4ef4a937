//! A message was edited: the prompt that it is part of changes, or somebody is asked what shall become of the change.

use rusqlite::Connection;
use uuid::Uuid;

use super::Follow;
use super::button::Pressed;
use crate::chat::toast;
use crate::id::{ChatId, PromptId, RunId};
use crate::prompt::{Content, Piece, Written};
use crate::store::edits;
use crate::store::prompts::{self, Prompt};
use crate::store::runs;
use crate::telegram::access::Member;

/// What claude is told before the words of a message that was edited after it had read them.
pub const CORRECTION: &str = "[I have edited an earlier message. It now says:]";

/// "Send the correction": claude is told, and goes on with what it is at.
pub(super) fn correct_pressed(
    db: &Connection,
    chat: ChatId,
    prompt: PromptId,
    member: Member,
) -> rusqlite::Result<Pressed> {
    let Some(taken) = edits::take_change(db, chat, prompt)? else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let mut pieces = vec![Piece::Along(CORRECTION.to_owned())];
    pieces.extend(taken.content.pieces.into_iter().map(without_message));
    queue(db, &taken.run, Content { pieces }, member)?;
    Ok(Pressed::over(toast::CORRECTED).with(Follow::wake(taken.run.at)))
}

/// "Stop and run again": what the prompt runs in ends first.
pub(super) fn run_pressed(
    db: &Connection,
    chat: ChatId,
    prompt: PromptId,
    member: Member,
) -> rusqlite::Result<Pressed> {
    let Some(taken) = edits::take_change(db, chat, prompt)? else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    runs::request_stop(db, taken.run.id)?;
    queue(db, &taken.run, taken.content, member)?;
    Ok(Pressed::over(toast::RUNNING_AGAIN).with(Follow {
        stop: Some(taken.run.at),
        ..Follow::wake(taken.run.at)
    }))
}

/// A correction is no message that could be edited once more.
fn without_message(piece: Piece) -> Piece {
    match piece {
        Piece::Written(written) => Piece::Written(Written {
            message: None,
            ..written
        }),
        other => other,
    }
}

fn queue(
    db: &Connection,
    of: &runs::Place,
    content: Content,
    member: Member,
) -> rusqlite::Result<()> {
    let run = RunId::new();
    runs::insert(db, run, &of.session, of.at)?;
    let prompt = Prompt {
        id: PromptId(Uuid::new_v4()),
        content,
        message: of.asked_by,
        user: Some(member.user()),
        sent_at: None,
    };
    prompts::insert(db, run, &prompt)
}
