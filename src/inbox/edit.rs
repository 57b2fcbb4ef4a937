//! A message was edited: the prompt that it is part of changes, or somebody is asked what shall become of the change.

use rusqlite::Connection;
use uuid::Uuid;

use super::Follow;
use super::button::Pressed;
use crate::chat::{queue as words, toast};
use crate::id::{ChatId, ChatThread, MessageId, PromptId, RunId};
use crate::prompt::{Content, Piece, Written};
use crate::store::edits::{self, Stage};
use crate::store::prompts::{self, Prompt};
use crate::store::{outbox, runs};
use crate::telegram::access::Member;

/// What claude is told before the words of a message that was edited after it had read them.
pub const CORRECTION: &str = "[I have edited an earlier message. It now says:]";

/// A message says something else now. Where it is no part of a prompt, or says the same, nothing happens: Telegram
/// calls it an edit, too, when a link gets its preview.
pub(super) fn edited(
    db: &Connection,
    at: ChatThread,
    message: MessageId,
    text: &str,
) -> rusqlite::Result<Follow> {
    let Some(edited) = edits::of_message(db, at.chat, message)? else {
        return Ok(Follow::default());
    };
    let before = edited.changed_to.as_ref().unwrap_or(&edited.content);
    let content = changed(before, message, text);
    if content == *before {
        return Ok(Follow::default());
    }
    match edited.stage {
        Stage::Waits => prompts::set_content(db, edited.prompt, &content)?,
        Stage::OnItsWay => edits::change(db, edited.prompt, &content)?,
        Stage::Running | Stage::Over => {
            edits::change(db, edited.prompt, &content)?;
            if edited.changed_to.is_none() {
                let goes_on = edited.stage == Stage::Running;
                let question = words::edited(edited.prompt, goes_on, Some(message));
                outbox::insert(db, at, &question)?;
            }
        }
    }
    Ok(Follow {
        more: Some(at),
        ..Follow::default()
    })
}

fn changed(content: &Content, message: MessageId, text: &str) -> Content {
    let mut content = content.clone();
    for piece in &mut content.pieces {
        if let Piece::Written(written) = piece
            && written.message == Some(message)
        {
            text.clone_into(&mut written.text);
        }
    }
    content
}

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
