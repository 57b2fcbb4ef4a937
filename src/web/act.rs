//! What the buttons and boxes of the page do: handed to the inbox, as the chat would.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use uuid::Uuid;

use super::Web;
use super::reader::Reader;
use super::refusal::Refusal;
use crate::command::WantedJob;
use crate::domain::button::Press;
use crate::domain::id::{PromptId, QuestionId, RoutineId, RunId, SessionId};
use crate::inbox::page::{Act, Acted};
use crate::store::{routines, sessions};

/// The cookie with the words that the next page shows once.
pub(super) const TOLD: &str = "telecoder-told";

/// A prompt. `once` is the prompt's id, which the page made: the same form sent twice is one prompt.
#[derive(Deserialize)]
pub(super) struct PromptForm {
    key: String,
    once: Uuid,
    text: String,
}

pub(super) async fn prompt(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(session): Path<String>,
    Form(form): Form<PromptForm>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    // HTML: the lines of a form end with CR LF.
    let text = form.text.replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(Refusal::Invalid(
            "The box was empty. Write what claude shall do.",
        ));
    }
    let session = SessionId(session);
    ask(&web, &reader, &session, PromptId(form.once), text).await
}

/// Asks, and leads to the run.
pub(super) async fn ask(
    web: &Web,
    reader: &Reader,
    session: &SessionId,
    id: PromptId,
    text: String,
) -> Result<Response, Refusal> {
    let act = Act::Prompt { id, text };
    Ok(match act_in(web, reader, session, act).await? {
        Acted::Asked(run) => Redirect::to(&format!("/runs/{run}")).into_response(),
        Acted::Told(words) => told(&format!("/sessions/{session}"), words),
    })
}

/// What the session's own buttons do.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Stop,
    Verify,
    Undo,
    Push,
}

#[derive(Deserialize)]
pub(super) struct WorkForm {
    key: String,
    what: What,
    back: Option<String>,
}

pub(super) async fn work(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(session): Path<String>,
    Form(form): Form<WorkForm>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    let act = match form.what {
        What::Stop => Act::Stop,
        What::Verify => Act::Work(WantedJob::Verify),
        What::Undo => Act::Work(WantedJob::Undo),
        What::Push => Act::Work(WantedJob::Push),
    };
    done(&web, &reader, SessionId(session), act, form.back).await
}

/// A button that the chat shows as well, by the data that it has there.
#[derive(Deserialize)]
pub(super) struct PressForm {
    key: String,
    press: String,
    back: Option<String>,
}

/// A button of a routine's.
pub(super) async fn press_routine(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(routine): Path<String>,
    Form(form): Form<PressForm>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    let press = read_press(&form.press)?;
    let id = RoutineId(routine);
    let wanted = id.clone();
    let chat = web
        .store
        .transaction(move |db| routines::get(db, &wanted))
        .await?
        .map(|routine| routine.at.chat);
    let may_see = match chat {
        Some(chat) => web.may_see(&reader, chat).await?,
        None => false,
    };
    if !may_see {
        return Err(Refusal::NotFound);
    }
    let acted = web.inbox.press_routine(&reader.visitor, &id, press).await?;
    match acted.ok_or(Refusal::NotFound)? {
        Acted::Told(words) => Ok(told("/routines", words)),
        Acted::Asked(run) => Ok(Redirect::to(&format!("/runs/{run}")).into_response()),
    }
}

fn read_press(data: &str) -> Result<Press, Refusal> {
    Press::parse(data).ok_or(Refusal::Invalid(
        "This button does nothing any more. Open the page again.",
    ))
}

pub(super) async fn press(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(session): Path<String>,
    Form(form): Form<PressForm>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    let press = read_press(&form.press)?;
    done(
        &web,
        &reader,
        SessionId(session),
        Act::Press(press),
        form.back,
    )
    .await
}

#[derive(Deserialize)]
pub(super) struct AnswerForm {
    key: String,
    question: String,
    words: String,
}

pub(super) async fn answer(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(run): Path<Uuid>,
    Form(form): Form<AnswerForm>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    let question = QuestionId::parse(&form.question).ok_or(Refusal::NotFound)?;
    let words = form.words.replace("\r\n", "\n");
    if words.trim().is_empty() {
        return Err(Refusal::Invalid("The box was empty. Write your answer."));
    }
    let run = RunId(run);
    let session = web
        .store
        .transaction(move |db| sessions::of_run(db, run))
        .await?
        .ok_or(Refusal::NotFound)?;
    let act = Act::Answer { question, words };
    done(&web, &reader, session.id, act, Some(format!("/runs/{run}"))).await
}

async fn done(
    web: &Web,
    reader: &Reader,
    session: SessionId,
    act: Act,
    back: Option<String>,
) -> Result<Response, Refusal> {
    let acted = act_in(web, reader, &session, act).await?;
    let back = back
        .filter(|back| is_path_of_ours(back))
        .unwrap_or_else(|| format!("/sessions/{session}"));
    Ok(match acted {
        Acted::Asked(run) => Redirect::to(&format!("/runs/{run}")).into_response(),
        Acted::Told(words) => told(&back, words),
    })
}

/// Rights first: the group of a session may know somebody who has left it.
async fn act_in(
    web: &Web,
    reader: &Reader,
    session: &SessionId,
    act: Act,
) -> Result<Acted, Refusal> {
    let id = session.clone();
    let found = web
        .store
        .transaction(move |db| sessions::get(db, &id))
        .await?
        .ok_or(Refusal::NotFound)?;
    if !web.may_see(reader, found.at.chat).await? {
        return Err(Refusal::NotFound);
    }
    web.inbox
        .act_on_page(&reader.visitor, session, act)
        .await?
        .ok_or(Refusal::NotFound)
}

/// Back to the page, which shows these words once.
fn told(back: &str, words: &str) -> Response {
    let words = utf8_percent_encode(words, NON_ALPHANUMERIC);
    let cookie = format!("{TOLD}={words}; Path=/; Max-Age=20; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(back)).into_response()
}

/// Not a way to another host: those begin with `//` or `/\`.
fn is_path_of_ours(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}
