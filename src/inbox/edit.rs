//! An edited message changes its prompt, or a question asks what to do with the change.

use rusqlite::Connection;
use uuid::Uuid;

use super::button::Pressed;
use super::request::{self, Request};
use super::{Follow, Inbox, job};
use crate::chat::{queue as question_words, toast};
use crate::claude::forms;
use crate::domain::access::{Access, Member};
use crate::domain::id::{AttachmentId, ChatId, ChatThread, MessageId, PromptId, RunId, UpdateSeq};
use crate::domain::prompt::{Content, Described, Piece, Written};
use crate::domain::update::{Content as Sent, File, Message, Thing};
use crate::store::edits::{self, Change, Edited, Stage};
use crate::store::prompts::{self, Prompt};
use crate::store::steering::{self, Cancelled};
use crate::store::{StoreError, attachments, outbox, runs};

impl Inbox {
    /// A message was edited.
    pub(super) async fn edited(
        &self,
        seq: UpdateSeq,
        message: Message,
        bot: &str,
    ) -> Result<(), StoreError> {
        let at = message.at;
        let words = match request::read(&message, bot) {
            Request::Prompt(words) | Request::Aside(words) => Some(words),
            Request::Nothing | Request::Reply(_) | Request::Command { .. } => None,
        };
        self.effect(seq, at, move |db| {
            edited(db, at, &message, words.as_deref())
        })
        .await
    }
}

/// Applies an edit to the message's prompt. Nothing happens if there is none or nothing is new: Telegram also reports
/// an edit when a link gets its preview. `words`: `None` if they are not for claude.
fn edited(
    db: &Connection,
    at: ChatThread,
    message: &Message,
    words: Option<&str>,
) -> rusqlite::Result<Follow> {
    let Some(edited) = edits::of_message(db, at.chat, message.id)? else {
        return Ok(Follow::default());
    };
    // Later parts of a prompt may begin with whatever they like.
    let is_for_claude = words.is_some() || edited.first != Some(message.id);
    let words = words.unwrap_or(&message.text.text);
    let before = edited.changed_to.as_ref().unwrap_or(&edited.content);
    let content = changed(db, edited.prompt, before, message, words)?;
    if content == *before || (edited.stage != Stage::Waits && is_place(message)) {
        return Ok(Follow::default());
    }
    if !is_for_claude {
        return withdraw(db, at, &edited, message.id);
    }
    match edited.stage {
        Stage::Waits => prompts::set_content(db, edited.prompt, &content)?,
        Stage::OnItsWay => edits::change(db, edited.prompt, &content)?,
        Stage::Running | Stage::Over => {
            edits::change(db, edited.prompt, &content)?;
            if edited.changed_to.is_none() {
                let goes_on = edited.stage == Stage::Running;
                let question = question_words::edited(edited.prompt, goes_on, Some(message.id));
                outbox::insert(db, at, &question)?;
            }
        }
    }
    let fetches = job::fetch(db, at, edited.run, Some(message.id))?;
    Ok(Follow {
        tell_workers: vec![at],
        wake_beside: fetches.then_some(at),
        ..Follow::default()
    })
}

/// The new words are for the bot: the old ones count no more, and a command counts only when it is sent.
fn withdraw(
    db: &Connection,
    at: ChatThread,
    edited: &Edited,
    message: MessageId,
) -> rusqlite::Result<Follow> {
    let cancelled = match edited.stage {
        Stage::Waits | Stage::OnItsWay => steering::cancel(db, at, edited.run)?,
        Stage::Running | Stage::Over => Cancelled::TooLate,
    };
    let told = match cancelled {
        Cancelled::Done => {
            // It is what the button runs.
            edits::change(db, edited.prompt, &edited.content)?;
            question_words::withdrawn(edited.prompt)
        }
        Cancelled::Asked => question_words::being_withdrawn(),
        Cancelled::TooLate => question_words::read_before_command(),
    };
    outbox::insert(db, at, &told.replying_to(Some(message)))?;
    Ok(Follow {
        tell_workers: vec![at],
        ..Follow::default()
    })
}

/// A place that moves changes all the time: claude gets the newest when it begins, and nobody is asked about later ones.
fn is_place(message: &Message) -> bool {
    matches!(
        message.content,
        Sent::Thing(Thing::Location(_) | Thing::Venue { .. })
    )
}

fn changed(
    db: &Connection,
    prompt: PromptId,
    before: &Content,
    message: &Message,
    words: &str,
) -> rusqlite::Result<Content> {
    let mut content = before.clone();
    change_words(&mut content, message, words);
    change_thing(&mut content, message);
    change_files(db, prompt, &mut content, message)?;
    Ok(content)
}

fn change_words(content: &mut Content, message: &Message, words: &str) {
    let links = forms::links(&message.text.links);
    match content.pieces.iter_mut().find_map(|piece| match piece {
        Piece::Written(written) if written.message == Some(message.id) => Some(written),
        _ => None,
    }) {
        Some(written) => {
            words.clone_into(&mut written.text);
            written.links = links;
        }
        // A file without words has got a caption.
        None if !words.is_empty() => content.pieces.push(Piece::Written(Written {
            text: words.to_owned(),
            message: Some(message.id),
            on_a_new_line: true,
            links,
        })),
        None => {}
    }
}

fn change_thing(content: &mut Content, message: &Message) {
    let Sent::Thing(thing) = &message.content else {
        return;
    };
    for piece in &mut content.pieces {
        if let Piece::Described(described) = piece
            && described.message == Some(message.id)
        {
            described.form = forms::thing(thing);
        }
    }
}

/// Puts the message's new files into the places of those that it has no more; else before its words.
fn change_files(
    db: &Connection,
    prompt: PromptId,
    content: &mut Content,
    message: &Message,
) -> rusqlite::Result<()> {
    let now: &[File] = match &message.content {
        Sent::Files(files) => files,
        _ => &[],
    };
    let there = attachments::in_content(db, content, message.id)?;
    let known: Vec<File> = match there.is_empty() {
        // What an earlier version fetched has no number in the content.
        true => attachments::of_message(db, prompt, message.id)?,
        false => there.iter().map(|(_, file)| file.clone()).collect(),
    };
    let gone: Vec<AttachmentId> = there
        .into_iter()
        .filter(|(_, file)| !now.iter().any(|new| new.is_same(file)))
        .map(|(id, _)| id)
        .collect();
    let mut new = Vec::new();
    for file in now {
        if !known.iter().any(|old| old.is_same(file)) {
            let id = attachments::insert(db, prompt, Some(message.id), file)?;
            new.push(Piece::Awaited(id));
        }
    }
    let is_gone = |piece: &Piece| match piece {
        Piece::Awaited(id) => gone.contains(id),
        Piece::Fetched(fetched) => gone.contains(&fetched.attachment),
        _ => false,
    };
    let is_words = |piece: &Piece| matches!(piece, Piece::Written(written) if written.message == Some(message.id));
    let pieces = &mut content.pieces;
    let place = pieces
        .iter()
        .position(is_gone)
        .or_else(|| pieces.iter().position(is_words))
        .unwrap_or(pieces.len());
    pieces.splice(place..place, new);
    pieces.retain(|piece| !is_gone(piece));
    for id in gone {
        attachments::set_replaced(db, id)?;
    }
    Ok(())
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
        let again = queue(db, &taken, taken.content.clone())?;
        // Edits now go to the new prompt.
        prompts::move_messages(db, prompt, again.prompt)?;
        attachments::move_settled(db, prompt, again.prompt)?;
        attachments::move_awaited(db, &taken.content, again.prompt)?;
        let fetches = job::fetch(db, taken.run.at, again.run, taken.run.asked_by)?;
        return Ok(Pressed::over(toast::RUNNING_AGAIN).with(Follow {
            stop: vec![taken.run.at],
            wake_beside: fetches.then_some(taken.run.at),
            ..follow
        }));
    }
    let mut pieces = vec![Piece::Along(forms::CORRECTION.to_owned())];
    pieces.extend(taken.content.pieces.iter().cloned().map(without_message));
    let content = Content { pieces };
    let correction = queue(db, &taken, content.clone())?;
    attachments::move_awaited(db, &content, correction.prompt)?;
    let fetches = job::fetch(db, taken.run.at, correction.run, taken.run.asked_by)?;
    Ok(Pressed::over(toast::CORRECTED).with(Follow {
        wake_beside: fetches.then_some(taken.run.at),
        ..follow
    }))
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
        Piece::Described(described) => Piece::Described(Described {
            message: None,
            ..described
        }),
        other => other,
    }
}

struct Queued {
    run: RunId,
    prompt: PromptId,
}

fn queue(db: &Connection, of: &Change, content: Content) -> rusqlite::Result<Queued> {
    let run = RunId::new();
    runs::insert(db, run, &of.run.session, of.run.at)?;
    let prompt = Prompt {
        id: PromptId(Uuid::new_v4()),
        content,
        message: of.run.asked_by,
        user: of.writer,
        sent_at: None,
    };
    prompts::insert(db, run, &prompt)?;
    Ok(Queued {
        run,
        prompt: prompt.id,
    })
}
