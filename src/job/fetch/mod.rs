//! Fetches the files that a prompt waits for, makes of each what claude gets, and lets the run begin.
//!
//! Each file is settled in one transaction, so an interrupted job continues with the file it was fetching. Failed files
//! are told once, with the end of the job: a prompt without any of its files does not run, one with some of them does.

mod get;
mod pieces;
mod program;
mod transcribe;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fail::fail_point;
use rusqlite::Connection;
use tracing::{info, warn};

use super::at_work::{AtWork, Finished};
use crate::chat::fetched::{self as words, Rest};
use crate::domain::fetched::{Missed, MissedCause};
use crate::domain::id::{ChatThread, MessageId, RunId};
use crate::domain::live::LiveText;
use crate::domain::live::PromptState;
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::Piece;
use crate::domain::run::Outcome;
use crate::domain::update::{File, FileKind};
use crate::files;
use crate::process::supervised::end_marked;
use crate::store::attachments::{self, Attachment};
use crate::store::{StoreError, gatherings, jobs, now, outbox, prompts, runs};
use crate::telegram::api::Api;

/// Shorter jobs show no live message.
const LIVE_AFTER: Duration = Duration::from_secs(2);

/// What it takes to fetch files.
pub struct Fetching {
    pub api: Api,
    /// `TELECODER_TRANSCRIBE_CMD`
    pub transcriber: Option<String>,
}

/// What is done just now.
#[derive(Default)]
struct AtHand(Mutex<Option<(File, Doing)>>);

#[derive(Clone, Copy)]
enum Doing {
    /// So many bytes have come.
    Fetching(u64),
    Listening,
}

/// How the job continues.
enum Next {
    More,
    /// More messages may become part of the prompt.
    Wait(Duration),
    Over(Over),
}

/// What to do after the job's end is stored.
struct Over {
    at: ChatThread,
    /// The message whose prompt does not run.
    not_run: Option<MessageId>,
}

pub(super) async fn fetch(work: &AtWork<'_>, run: RunId) -> anyhow::Result<Finished> {
    if work.job.begun_at.is_some() {
        // An interrupted try may have left processes if its supervisor was killed too.
        end_marked(RunId(work.job.id.0)).await;
    }
    fail_point!("files-fetching");
    let at_hand = AtHand::default();
    let over = tokio::select! {
        over = fetch_all(work, run, &at_hand) => over?,
        () = show(work, &at_hand) => return Ok(Finished::Done),
        () = work.stopped() => stop(work, run).await?,
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    let _ = tokio::fs::remove_dir_all(coming(work)).await;
    work.is_over(over.at);
    if let Some(message) = over.not_run {
        let outbox = &work.handles.outbox;
        outbox.react(over.at.chat, message, PromptState::Failed);
    }
    // The run may begin now, or those behind it.
    (work.wake)(over.at);
    Ok(Finished::Done)
}

async fn fetch_all(work: &AtWork<'_>, run: RunId, at_hand: &AtHand) -> anyhow::Result<Over> {
    loop {
        let awaited = work
            .store()
            .transaction(move |db| attachments::awaited(db, run))
            .await?;
        for attachment in awaited {
            fetch_one(work, &attachment, at_hand).await?;
            fail_point!("file-settled", |_| std::process::abort());
        }
        let job = work.job.id;
        let next = work
            .store()
            .transaction(move |db| {
                let at = jobs::place(db, job)?;
                let next = look(db, run, at)?;
                match &next {
                    Next::Over(_) if !jobs::end(db, job)? => {}
                    Next::Over(_) => return close(db, run, at).map(Next::Over),
                    Next::More | Next::Wait(_) => {}
                }
                Ok(next)
            })
            .await?;
        match next {
            Next::More => {}
            Next::Wait(length) => tokio::time::sleep(length).await,
            Next::Over(over) => {
                if over.not_run.is_some() {
                    let outcome = not_run();
                    work.handles.metrics.run_ended(&outcome, None);
                }
                return Ok(over);
            }
        }
    }
}

/// The run may be gone by now: its prompt was handed to a running claude.
fn look(db: &Connection, run: RunId, at: ChatThread) -> rusqlite::Result<Next> {
    let standing = attachments::standing(db, run)?.unwrap_or_default();
    if standing.is_waiting && standing.awaited > 0 {
        return Ok(Next::More);
    }
    let left = standing.gathers_until.unwrap_or(0) - now();
    if standing.is_waiting && (1..=gatherings::LONGEST_MS).contains(&left) {
        let left = u64::try_from(left).unwrap_or(0);
        return Ok(Next::Wait(Duration::from_millis(left)));
    }
    Ok(Next::Over(Over { at, not_run: None }))
}

/// Tells which files failed, and drops a run that has none of its files.
fn close(db: &Connection, run: RunId, at: ChatThread) -> rusqlite::Result<Over> {
    let standing = attachments::standing(db, run)?.unwrap_or_default();
    let missed = attachments::take_missed(db, run)?;
    if !standing.is_waiting || missed.is_empty() {
        return Ok(Over { at, not_run: None });
    }
    let prompts = prompts::of_run(db, run)?;
    let message = prompts.first().and_then(|prompt| prompt.message);
    let pieces: usize = prompts
        .iter()
        .map(|prompt| prompt.content.pieces.len())
        .sum();
    let rest = match (standing.there, pieces > standing.failed) {
        (1.., _) => Rest::GoesOn,
        (0, true) => Rest::Waits(run),
        (0, false) => Rest::Nothing,
    };
    let told = words::missed(&missed, rest).replying_to(message);
    outbox::insert(db, at, &told)?;
    if rest == Rest::GoesOn {
        return Ok(Over { at, not_run: None });
    }
    runs::end(db, run, &not_run())?;
    Ok(Over {
        at,
        not_run: message,
    })
}

fn not_run() -> Outcome {
    Outcome::Failed("a file of its prompt could not be had".to_owned())
}

async fn stop(work: &AtWork<'_>, run: RunId) -> Result<Over, StoreError> {
    let job = work.job.id;
    work.store()
        .transaction(move |db| {
            let at = jobs::place(db, job)?;
            let mut over = Over { at, not_run: None };
            if !jobs::end(db, job)? {
                return Ok(over);
            }
            let awaited = attachments::awaited(db, run)?.len();
            if runs::end(db, run, &Outcome::Stopped)? {
                let message = prompts::of_run(db, run)?
                    .first()
                    .and_then(|prompt| prompt.message);
                outbox::insert(db, at, &words::stopped(awaited).replying_to(message))?;
                over.not_run = message;
            }
            Ok(over)
        })
        .await
}

async fn fetch_one(
    work: &AtWork<'_>,
    attachment: &Attachment,
    at_hand: &AtHand,
) -> anyhow::Result<()> {
    let file = &attachment.file;
    let is_speech = matches!(file.kind, FileKind::Voice | FileKind::VideoNote);
    if is_speech && work.handles.fetching.transcriber.is_none() {
        return Ok(missed(work, attachment, MissedCause::NoTranscriber).await?);
    }
    at_hand.set(file, Doing::Fetching(0));
    let path = match get::get(work, attachment, at_hand).await? {
        Ok(path) => path,
        Err(why) => return Ok(missed(work, attachment, why).await?),
    };
    fail_point!("file-there", |_| std::process::abort());
    if !is_speech {
        let pieces = pieces::of(work, attachment, &path).await?;
        return Ok(settle(work, attachment, pieces, None).await?);
    }
    at_hand.set(file, Doing::Listening);
    match transcribe::transcribe(work, &path).await {
        Ok(text) => {
            let heard = words::heard(&text).replying_to(attachment.message);
            let pieces = vec![pieces::spoken(text)];
            settle(work, attachment, pieces, Some(heard)).await?;
        }
        Err(why) => missed(work, attachment, why).await?,
    }
    Ok(())
}

/// Puts what a file became into the prompt; `told` goes to the chat with it.
async fn settle(
    work: &AtWork<'_>,
    attachment: &Attachment,
    pieces: Vec<Piece>,
    told: Option<Outgoing>,
) -> Result<(), StoreError> {
    let (job, id) = (work.job.id, attachment.id);
    let at = work
        .store()
        .transaction(move |db| {
            let at = jobs::place(db, job)?;
            if let (true, Some(told)) = (attachments::set_there(db, id, pieces)?, told) {
                outbox::insert(db, at, &told)?;
            }
            Ok(at)
        })
        .await?;
    work.handles.outbox.deliver(at.chat);
    Ok(())
}

async fn missed(
    work: &AtWork<'_>,
    attachment: &Attachment,
    why: MissedCause,
) -> Result<(), StoreError> {
    info!(chat = %work.job.at, session = %work.session.id, reason = why.name(), "a file cannot be had");
    let missed = Missed {
        name: words::called(&attachment.file),
        why,
    };
    let id = attachment.id;
    let pieces = vec![Piece::Along(words::missing_file(&missed))];
    work.store()
        .transaction(move |db| attachments::set_failed(db, id, &missed, pieces))
        .await?;
    Ok(())
}

/// Shows what is being done while this is awaited; never returns.
async fn show(work: &AtWork<'_>, at_hand: &AtHand) {
    tokio::time::sleep(LIVE_AFTER).await;
    work.show(|elapsed| at_hand.text(LIVE_AFTER + elapsed))
        .await;
}

/// The job's folder for incomplete files.
fn coming(work: &AtWork<'_>) -> PathBuf {
    files::coming(&work.handles.data, &work.session.id).join(work.job.id.to_string())
}

/// Makes folders that no other user may enter.
async fn make_folder(folder: PathBuf) -> Result<(), MissedCause> {
    let made = tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .await;
    made.map_err(|error| {
        warn!(%error, folder = %folder.display(), "a folder for files cannot be made");
        disk(&error)
    })
}

/// In the system's words, without their number.
fn disk(error: &std::io::Error) -> MissedCause {
    let words = error.to_string();
    let end = words.find(" (os error").unwrap_or(words.len());
    MissedCause::Disk(words[..end].to_owned())
}

impl AtHand {
    fn set(&self, file: &File, doing: Doing) {
        let mut at_hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *at_hand = Some((file.clone(), doing));
    }

    fn come(&self, bytes: u64) {
        let mut at_hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, doing)) = &mut *at_hand {
            *doing = Doing::Fetching(bytes);
        }
    }

    fn text(&self, elapsed: Duration) -> LiveText {
        let at_hand = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*at_hand {
            Some((file, Doing::Fetching(bytes))) => words::fetching(file, *bytes, elapsed),
            Some((file, Doing::Listening)) => words::listening(file, elapsed),
            None => LiveText::default(),
        }
    }
}
