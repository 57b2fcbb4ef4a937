//! `/diff`, `/undo`, `/push`, `/verify` and their buttons: here a job is stored, which a worker does.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use super::page::NO_MESSAGE;
use crate::chat::{changes as words, toast};
use crate::claude::forms;
use crate::command::WantedJob;
use crate::domain::id::{ChatId, ChatThread, JobId, MessageId, RunId, SessionId};
use crate::domain::job::{Job, Lane, Task};
use crate::domain::outgoing::Outgoing;
use crate::domain::session::{Session, SessionState};
use crate::job::fixing::{self, Failed};
use crate::store::{
    attachments, chats, jobs, measured, outbox, prompts, runs, sessions, verifications,
};

/// Stores the job wanted in the chat's session.
pub(super) fn request(
    db: &Connection,
    at: ChatThread,
    wanted: WantedJob,
    asked_by: MessageId,
) -> rusqlite::Result<Follow> {
    match chats::current_session(db, at)? {
        Some(session) => request_in(db, &session, wanted, Some(asked_by)),
        None => {
            let told = words::no_session().replying_to(Some(asked_by));
            outbox::insert(db, at, &told)?;
            Ok(Follow::default())
        }
    }
}

/// The same in any session.
pub(super) fn request_in(
    db: &Connection,
    session: &Session,
    wanted: WantedJob,
    asked_by: Option<MessageId>,
) -> rusqlite::Result<Follow> {
    let at = session.at;
    let reply = |message: Outgoing| {
        outbox::insert(db, at, &message.replying_to(asked_by))?;
        Ok(Follow::default())
    };
    if session.state != SessionState::Ready {
        return reply(words::not_ready());
    }
    let task = match wanted {
        WantedJob::Diff => Task::Diff,
        WantedJob::Push => Task::Push,
        WantedJob::Verify => Task::Check,
        WantedJob::Undo => {
            if runs::running(db, at)?.is_some() {
                return reply(words::undo_waits());
            }
            match measured::newest_not_undone(db, &session.id)? {
                Some(run) => Task::AskUndo { run },
                None => return reply(words::nothing_has_run()),
            }
        }
    };
    jobs::insert(db, &session.id, at, &task, asked_by)?;
    Ok(follow(at, &task))
}

/// Stores a job that fetches the files that a run waits for, unless one is due. Returns whether there are such files.
pub(super) fn fetch(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    asked_by: Option<MessageId>,
) -> rusqlite::Result<bool> {
    let Some(awaited) = attachments::awaited(db, run)?
        .first()
        .map(|file| file.prompt)
    else {
        return Ok(false);
    };
    let task = Task::Fetch { run };
    let is_asked = jobs::due_at(db, at)?.iter().any(|job| job.task == task);
    if !is_asked {
        let session = prompts::session(db, awaited)?;
        jobs::insert(db, &session, at, &task, asked_by)?;
    }
    Ok(true)
}

pub(super) fn follow(at: ChatThread, task: &Task) -> Follow {
    match task.lane().is_beside_runs() {
        false => Follow::wake(at),
        true => Follow::wake_beside(at),
    }
}

/// "Undo": only the run that is still the newest one.
pub(super) fn undo_pressed(db: &Connection, chat: ChatId, run: RunId) -> rusqlite::Result<Pressed> {
    let at = runs::place_if_known(db, run)?.filter(|at| at.chat == chat);
    let (Some(at), Some((session, false))) = (at, measured::is_undone(db, run)?) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    if measured::newest_not_undone(db, &session)? != Some(run) || measured::is_undo_void(db, run)? {
        return Ok(Pressed::over(toast::CHANGED_SINCE));
    }
    if runs::running(db, at)?.is_some() {
        return Ok(Pressed::over(toast::RUN_GOES_ON).buttons_stay());
    }
    let task = Task::Undo { run };
    jobs::insert(db, &session, at, &task, None)?;
    Ok(Pressed::over(toast::UNDOING).with(follow(at, &task)))
}

/// One of the repositories that can be pushed.
pub(super) fn push_pressed(
    db: &Connection,
    chat: ChatId,
    session: &SessionId,
    folder: String,
) -> rusqlite::Result<Pressed> {
    let session = sessions::get(db, session)?.filter(|session| session.at.chat == chat);
    let Some(session) = session else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let task = Task::PushIn { folder };
    jobs::insert(db, &session.id, session.at, &task, None)?;
    let follow = follow(session.at, &task);
    Ok(Pressed::over(toast::PUSHING).with(follow).buttons_stay())
}

/// "Take the undo back"
pub(super) fn redo_pressed(db: &Connection, chat: ChatId, run: RunId) -> rusqlite::Result<Pressed> {
    let at = runs::place_if_known(db, run)?.filter(|at| at.chat == chat);
    let (Some(at), Some((session, true))) = (at, measured::is_undone(db, run)?) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    if measured::is_undo_void(db, run)? {
        return Ok(Pressed::over(toast::CHANGED_SINCE));
    }
    let task = Task::Redo { run };
    jobs::insert(db, &session, at, &task, None)?;
    Ok(Pressed::over(toast::REDOING).with(follow(at, &task)))
}

/// "Fix it": the failing output becomes the next prompt, once, and only while it describes the present state.
///
/// The answer then replies to `evidence_message`, the one that has the button.
pub(super) fn fix_pressed(
    db: &Connection,
    chat: ChatId,
    job: JobId,
    evidence_message: MessageId,
) -> rusqlite::Result<Pressed> {
    let Some((session, evidence)) = verifications::of_job(db, job)? else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let at = sessions::place(db, &session)?;
    if at.chat != chat {
        return Ok(Pressed::over(toast::NO_EFFECT));
    }
    if !verifications::is_newest(db, job)? {
        return Ok(Pressed::over(toast::CHANGED_SINCE));
    }
    let Some(prompt) = forms::failing_checks(&evidence.checks) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let failed = Failed {
        job,
        session: &session,
        at,
    };
    let shown_in = (evidence_message != NO_MESSAGE).then_some(evidence_message);
    fixing::queue(db, failed, prompt, shown_in, 0)?;
    Ok(Pressed::over(toast::FIXING).with(Follow::wake(at)))
}

/// A Stop button below a job.
pub(super) fn stop_pressed(db: &Connection, chat: ChatId, job: JobId) -> rusqlite::Result<Pressed> {
    match jobs::due_under(db, job)?.filter(|job| job.at.chat == chat) {
        Some(job) => {
            jobs::request_stop(db, job.id)?;
            Ok(Pressed::over(toast::STOPPING)
                .with(Follow::stop(job.at))
                .buttons_stay())
        }
        None => Ok(Pressed::over(toast::JOB_IS_OVER)),
    }
}

/// An undo runs to its end, which is near.
pub(super) fn may_be_stopped(task: &Task) -> bool {
    !matches!(task, Task::Undo { .. } | Task::Redo { .. })
}

/// The job that `/stop` ends without a run.
pub(super) fn to_stop(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Job>> {
    for lane in Lane::ALL {
        let job = jobs::next(db, at, lane)?.filter(|job| may_be_stopped(&job.task));
        if job.is_some() {
            return Ok(job);
        }
    }
    Ok(None)
}
