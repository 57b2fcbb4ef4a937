//! `/get`, and the button below a question about a secret: here a job is stored, which a worker does.

use rusqlite::Connection;

use super::button::Pressed;
use super::{Follow, job};
use crate::chat::{changes as words, toast};
use crate::domain::id::{ChatId, ChatThread, JobId, MessageId};
use crate::domain::job::Task;
use crate::domain::session::SessionState;
use crate::store::{chats, jobs, outbox};

pub(super) fn get(
    db: &Connection,
    at: ChatThread,
    path: String,
    asked_by: MessageId,
) -> rusqlite::Result<Follow> {
    let session = chats::current_session(db, at)?;
    let refusal = match &session {
        None => words::no_session(),
        Some(session) if session.state != SessionState::Ready => words::not_ready(),
        Some(session) => {
            let task = Task::Get {
                path,
                asked_by: None,
            };
            jobs::insert(db, &session.id, at, &task, Some(asked_by))?;
            return Ok(job::follow(at, &task));
        }
    };
    outbox::insert(db, at, &refusal.replying_to(Some(asked_by)))?;
    Ok(Follow::default())
}

/// "Send it all the same": sends once what the job asked about.
pub(super) fn secrets_pressed(
    db: &Connection,
    chat: ChatId,
    job: JobId,
    question: MessageId,
) -> rusqlite::Result<Pressed> {
    let Some(asked) = jobs::get(db, job)?.filter(|job| job.at.chat == chat) else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let task = match asked.task {
        Task::SendFiles => Task::SendSecrets { of: job },
        Task::Get { path, .. } => Task::Get {
            path,
            asked_by: Some(job),
        },
        _ => return Ok(Pressed::over(toast::NO_EFFECT)),
    };
    if jobs::was_asked_for(db, &asked.session, &task)? {
        return Ok(Pressed::over(toast::SENT_BEFORE));
    }
    jobs::insert(db, &asked.session, asked.at, &task, Some(question))?;
    Ok(Pressed::over(toast::SENDING).with(job::follow(asked.at, &task)))
}
