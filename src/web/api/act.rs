//! What a program does: handed to the inbox, as what a person does on the page. The chat is told, with the program's
//! name.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{Web, pages};
use super::body::{Given, json};
use super::problem::Problem;
use super::questions::wants_words;
use super::{Caller, PLACE, Reader};
use crate::chat::toast;
use crate::command::WantedJob;
use crate::domain::button::Press;
use crate::domain::id::{PromptId, QuestionId, RunId, SessionId};
use crate::domain::question::Pick;
use crate::domain::session::{Session, SessionState};
use crate::inbox::page::{Act, Acted};
use crate::public::Saved;
use crate::store::{prompts, questions, runs, sessions};

/// A prompt. With an id the same request sent twice is one prompt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prompt {
    text: String,
    id: Option<Uuid>,
}

pub(super) async fn prompt(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(session): Path<String>,
    Given(Prompt { text, id }): Given<Prompt>,
) -> Result<Response, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::invalid("“text” is empty. Nothing was done."));
    }
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    let id = PromptId(id.unwrap_or_else(Uuid::new_v4));
    let act = Act::Prompt {
        id,
        text: text.clone(),
    };
    let Acted::Asked(run) = acted(&web, &caller, &session, act).await? else {
        return Err(Problem::conflict(
            "The session has no workspace: it could not be made. Nothing was done.",
        ));
    };
    let of = session.id.clone();
    let is_this_one = web
        .store
        .transaction(move |db| {
            let is_same = prompts::content(db, id)?.shown() == text;
            Ok(is_same && prompts::session(db, id)? == of)
        })
        .await?;
    if !is_this_one {
        return Err(Problem::conflict(
            "Another prompt came with this “id” before. Nothing was done; a new prompt needs a new id.",
        ));
    }
    let place = [(header::LOCATION, format!("{PLACE}/runs/{run}"))];
    let saved = json(StatusCode::ACCEPTED, &Saved::new(&session, run));
    Ok((place, saved).into_response())
}

#[derive(Serialize)]
struct Stopping {
    session: String,
    /// The run that is told to stop; `None` if it is a job, or prompts that wait.
    run: Option<String>,
}

/// What the chat's `/stop` does: it stops what runs there, which has to be this session's.
pub(super) async fn stop(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    let (id, at) = (session.id.clone(), session.at);
    let (running, is_busy) = web
        .store
        .transaction(move |db| Ok((runs::running(db, at)?, sessions::is_busy(db, &id)?)))
        .await?;
    if running
        .as_ref()
        .is_some_and(|run| run.session != session.id)
    {
        return Err(Problem::conflict(
            "The chat works in another session at the moment, and that would be stopped. Nothing was done.",
        ));
    }
    if !is_busy {
        return Err(Problem::conflict("Nothing runs or waits in this session."));
    }
    acted(&web, &caller, &session, Act::Stop).await?;
    let stopping = Stopping {
        session: session.id.0,
        run: running.map(|run| run.id.to_string()),
    };
    Ok(json(StatusCode::ACCEPTED, &stopping))
}

#[derive(Serialize)]
struct Verifying {
    session: String,
}

pub(super) async fn verify(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    if session.state != SessionState::Ready {
        return Err(Problem::conflict(
            "The session's workspace is not made, so nothing can be checked. Nothing was done.",
        ));
    }
    acted(&web, &caller, &session, Act::Work(WantedJob::Verify)).await?;
    let session = session.id.0;
    Ok(json(StatusCode::ACCEPTED, &Verifying { session }))
}

/// One of both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pick: Option<String>,
    words: Option<String>,
}

#[derive(Serialize)]
struct Answered {
    question: String,
    run: String,
    /// `answered`, or `open` if more may be chosen.
    state: &'static str,
}

pub(super) async fn answer(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(question): Path<String>,
    Given(answer): Given<Answer>,
) -> Result<Response, Problem> {
    let question = QuestionId::parse(&question).ok_or_else(Problem::not_found)?;
    let act = read(answer, &question)?;
    let id = question.clone();
    let found = web.store.transaction(move |db| asked_in(db, &id)).await?;
    let (run, session) = found.ok_or_else(Problem::not_found)?;
    if !web.may_see(&caller, session.at.chat).await? {
        return Err(Problem::not_found());
    }
    let Acted::Told(told) = acted(&web, &caller, &session, act).await? else {
        return Err(Problem::not_found());
    };
    let state = match told {
        toast::ANSWERED => "answered",
        "" => "open",
        toast::QUESTION_IS_OVER => {
            return Err(Problem::conflict(
                "This question is over: it was answered, or claude does not wait for it any more.",
            ));
        }
        toast::NOT_YOUR_QUESTION | toast::ONLY_OWNER => return Err(Problem::forbidden(told)),
        toast::CHOOSE_ONE_FIRST => {
            return Err(Problem::conflict(
                "Nothing is chosen yet. Pick an option first, or send words.",
            ));
        }
        _ => {
            return Err(Problem::invalid(
                "This question has no such pick; its “picks” are those there are. Nothing was done.",
            ));
        }
    };
    let answered = Answered {
        question: question.as_str().to_owned(),
        run: run.to_string(),
        state,
    };
    Ok(json(StatusCode::OK, &answered))
}

fn read(answer: Answer, question: &QuestionId) -> Result<Act, Problem> {
    match (answer.pick, answer.words) {
        (Some(pick), None) => match Pick::named(&pick) {
            Some(pick) if wants_words(pick) => Err(Problem::invalid(
                "Send “words” instead: claude reads them as the reason, or as what the plan should be. Nothing was done.",
            )),
            Some(pick) => Ok(Act::Press(Press::Answer(question.clone(), pick))),
            None => Err(Problem::invalid(
                "There is no such pick; the question's “picks” are those there are. Nothing was done.",
            )),
        },
        (None, Some(words)) if !words.trim().is_empty() => Ok(Act::Answer {
            question: question.clone(),
            words,
        }),
        _ => Err(Problem::invalid(
            "Send “pick” or “words”, and one of both only. Nothing was done.",
        )),
    }
}

fn asked_in(db: &Connection, question: &QuestionId) -> rusqlite::Result<Option<(RunId, Session)>> {
    let Some(asked) = questions::get(db, question)? else {
        return Ok(None);
    };
    let session = sessions::of_run(db, asked.run)?;
    Ok(session.map(|session| (asked.run, session)))
}

async fn acted(web: &Web, caller: &Reader, session: &Session, act: Act) -> Result<Acted, Problem> {
    web.inbox
        .act_on_page(&caller.visitor, &session.id, act)
        .await?
        .ok_or_else(Problem::not_found)
}
