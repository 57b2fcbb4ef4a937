//! `GET /sessions`, `GET /sessions/ID` and `GET /sessions/ID/runs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::super::{Web, pages};
use super::body::json;
use super::problem::Problem;
use super::{Caller, Reader};
use crate::domain::id::SessionId;
use crate::domain::session::{Session, SessionState};
use crate::public::{self, LastRun};
use crate::store::runs::RunState;
use crate::store::{jobs, page, sessions, verifications};

/// How many of a list one answer has, if nothing else is asked for; and the most.
const A_PAGE: usize = 40;
const PAGE_MOST: usize = 100;
/// How many runs and measurements an answer about one session has.
const LAST: u32 = 10;

/// How many are asked for.
pub(super) fn limit(wanted: Option<usize>) -> Result<usize, Problem> {
    match wanted {
        None => Ok(A_PAGE),
        Some(limit @ 1..=PAGE_MOST) => Ok(limit),
        Some(_) => Err(Problem::invalid("“limit” has to be between 1 and 100.")),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    chat: Option<i64>,
    state: Option<IsIn>,
    run_state: Option<LastIs>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IsIn {
    New,
    Ready,
    Failed,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LastIs {
    Waiting,
    Running,
    Ended,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    session: public::Session,
    last_run: Option<LastRun>,
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<Listed>,
    /// For the next page; `None` if this is the last one.
    next: Option<String>,
}

/// The newest session first: what happens meanwhile does not change the order.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let limit = limit(wanted.limit)?;
    let mut visible = visible(&web, &caller).await?;
    if let Some(after) = &wanted.after {
        let place = visible.iter().position(|session| session.id.0 == *after);
        let place = place.ok_or(Problem::invalid(
            "There is no session that “after” names. Begin without it.",
        ))?;
        visible.drain(..=place);
    }
    visible.retain(|session| wanted.fits(session));
    if let Some(last) = wanted.run_state {
        let newest = web.store.transaction(page::sessions).await?.into_iter();
        let newest: BTreeMap<SessionId, RunState> = newest
            .filter_map(|listed| Some((listed.id, listed.newest?.state)))
            .collect();
        visible.retain(|session| newest.get(&session.id).is_some_and(|state| last.is(state)));
    }
    let has_more = visible.len() > limit;
    visible.truncate(limit);
    let next = visible
        .last()
        .filter(|_| has_more)
        .map(|last| last.id.0.clone());
    let sessions = web
        .store
        .transaction(move |db| {
            let listed = visible.iter().map(|session| {
                Ok(Listed {
                    session: public::Session::read(db, session)?,
                    last_run: LastRun::newest(db, &session.id, 1)?.pop(),
                })
            });
            listed.collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    Ok(json(StatusCode::OK, &Sessions { sessions, next }))
}

async fn visible(web: &Web, caller: &Reader) -> Result<Vec<Session>, Problem> {
    let all = web.store.transaction(sessions::all).await?;
    let mut may = BTreeMap::new();
    let mut visible = Vec::new();
    for session in all {
        let chat = session.at.chat;
        let is_visible = match may.get(&chat) {
            Some(known) => *known,
            None => web.may_see(caller, chat).await?,
        };
        may.insert(chat, is_visible);
        if is_visible {
            visible.push(session);
        }
    }
    Ok(visible)
}

impl Wanted {
    fn fits(&self, session: &Session) -> bool {
        let fits_chat = self.chat.is_none_or(|chat| chat == session.at.chat.0);
        let fits_state = match self.state {
            None => true,
            Some(IsIn::New) => session.state == SessionState::New,
            Some(IsIn::Ready) => session.state == SessionState::Ready,
            Some(IsIn::Failed) => session.state == SessionState::Failed,
        };
        fits_chat && fits_state
    }
}

impl LastIs {
    fn is(self, state: &RunState) -> bool {
        match state {
            RunState::Waiting => matches!(self, LastIs::Waiting),
            RunState::Running => matches!(self, LastIs::Running),
            RunState::Ended(_) => matches!(self, LastIs::Ended),
        }
    }
}

#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    inspected: public::Inspected,
    /// Whether checks run, or wait for it.
    measuring: bool,
}

pub(super) async fn one(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Response, Problem> {
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    let one = web
        .store
        .transaction(move |db| {
            let measured = verifications::of_session(db, &session.id, LAST)?;
            Ok(One {
                inspected: public::Inspected {
                    session: public::Session::read(db, &session)?,
                    last_runs: LastRun::newest(db, &session.id, LAST)?,
                    verifications: measured.iter().map(public::Verification::from).collect(),
                },
                measuring: jobs::is_measuring(db, &session.id)?,
            })
        })
        .await?;
    Ok(json(StatusCode::OK, &one))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Older {
    after: Option<i64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Runs {
    runs: Vec<LastRun>,
    next: Option<String>,
}

pub(super) async fn runs(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(session): Path<String>,
    Query(older): Query<Older>,
) -> Result<Response, Problem> {
    let limit = limit(older.limit)?;
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    let answer = web
        .store
        .transaction(move |db| {
            let mut lines = page::runs(db, &session.id, older.after, limit + 1)?;
            let has_more = lines.len() > limit;
            lines.truncate(limit);
            let runs = lines
                .iter()
                .filter_map(|line| LastRun::read(db, line.id).transpose());
            Ok(Runs {
                runs: runs.collect::<rusqlite::Result<Vec<_>>>()?,
                next: lines
                    .last()
                    .filter(|_| has_more)
                    .map(|last| last.seq.to_string()),
            })
        })
        .await?;
    Ok(json(StatusCode::OK, &answer))
}
