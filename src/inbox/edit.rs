//! An edited message changes its prompt, or a question asks what to do with the change.

use rusqlite::Connection;
use uuid::Uuid;

use super::button::Pressed;
use super::request::{self, Request};
use super::{Follow, Inbox};
use crate::chat::{queue as words, toast};
use crate::claude::forms;
use crate::domain::access::{Access, Member};
use crate::domain::id::{ChatId, ChatThread, MessageId, PromptId, RunId, UpdateSeq};
use crate::domain::prompt::{Content, Piece, Written};
use crate::domain::update::Message;
use crate::store::edits::{self, Change, Stage};
use crate::store::prompts::{self, Prompt};
use crate::store::{StoreError, outbox, runs};

impl Inbox {
    /// A message was edited.
    pub(super) async fn edited(
        &self,
        seq: UpdateSeq,
        message: Message,
        bot: &str,
    ) -> Result<(), StoreError> {
        let (Request::Prompt(words) | Request::Aside(words)) = request::read(&message, bot) else {
            return self.done(seq).await;
        };
        let at = message.at;
        self.effect(seq, at, move |db| edited(db, at, message.id, &words))
            .await
    }
}

/// Applies an edit to the message's prompt. Nothing happens if there is none or the words are the same: Telegram also
/// reports an edit when a link gets its preview.
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
        tell_worker: Some(at),
        ..Follow::default()
    })
}

fn changed(content: &Content, message: MessageId, text: &str) -> Content {
    let mut content = content.clone();
    let words = content.pieces.iter_mut().find_map(|piece| match piece {
        Piece::Written(written) if written.message == Some(message) => Some(written),
        _ => None,
    });
    match words {
        Some(written) => text.clone_into(&mut written.text),
        // A file without words has got a caption.
        None if !text.is_empty() => content.pieces.push(Piece::Written(Written {
            text: text.to_owned(),
            message: Some(message),
            on_a_new_line: true,
        })),
        None => {}
    }
    content
}

/// What to do with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// claude is told, and continues its work.
    Correct,
    /// The prompt's run ends first.
    RunAgain,
}

/// "Send the correction", "Stop and run again".
pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    prompt: PromptId,
    wish: Wish,
    (member, access): (Member, &Access),
) -> rusqlite::Result<Pressed> {
    let taken = match take_change(db, chat, prompt, member, access)? {
        Ok(taken) => taken,
        Err(pressed) => return Ok(pressed),
    };
    let follow = Follow::wake(taken.run.at);
    if wish == Wish::RunAgain {
        runs::request_stop(db, taken.run.id)?;
        queue(db, &taken, taken.content.clone())?;
        return Ok(Pressed::over(toast::RUNNING_AGAIN).with(Follow {
            stop: vec![taken.run.at],
            ..follow
        }));
    }
    let mut pieces = vec![Piece::Along(forms::CORRECTION.to_owned())];
    pieces.extend(taken.content.pieces.iter().cloned().map(without_message));
    queue(db, &taken, Content { pieces })?;
    Ok(Pressed::over(toast::CORRECTED).with(follow))
}

/// Takes the change, for the message's writer or the owner; a press of others, or a late one, is refused.
fn take_change(
    db: &Connection,
    chat: ChatId,
    prompt: PromptId,
    member: Member,
    access: &Access,
) -> rusqlite::Result<Result<Change, Pressed>> {
    let is_writers = edits::writer(db, prompt)? == Some(member.user());
    if !is_writers && !access.is_owner(member.user()) {
        return Ok(Err(
            Pressed::over(toast::ONLY_WRITER_OR_OWNER).buttons_stay()
        ));
    }
    let taken = edits::take_change(db, chat, prompt)?;
    Ok(taken.ok_or_else(|| Pressed::over(toast::NO_EFFECT)))
}

/// A correction has no message, so no edit can reach it.
fn without_message(piece: Piece) -> Piece {
    match piece {
        Piece::Written(written) => Piece::Written(Written {
            message: None,
            ..written
        }),
        other => other,
    }
}

fn queue(db: &Connection, of: &Change, content: Content) -> rusqlite::Result<()> {
    let run = RunId::new();
    runs::insert(db, run, &of.run.session, of.run.at)?;
    let prompt = Prompt {
        id: PromptId(Uuid::new_v4()),
        content,
        message: of.run.asked_by,
        user: of.writer,
        sent_at: None,
    };
    prompts::insert(db, run, &prompt)
}
