//! `GET /runs/ID/events`: the steps of a run, as server-sent events while it goes on, or in pages.
//!
//! - `step`: a step, whole. Its id is its place in the record; whoever comes again with it (`Last-Event-ID`, or `from`)
//!   gets what follows, without a gap or a double.
//! - `run`: the run's state or its open questions are others now; first, how they are.
//! - `over`: the run has ended, and everything that follows it is there.

mod place;
mod step;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::super::found::{Found, on_disk};
use super::super::refusal::Refusal;
use super::super::{Longer, Web};
use super::body::without_secrets;
use super::problem::Problem;
use super::runs::{find, state_named};
use super::{Caller, sessions};
use crate::domain::id::{PageKey, RunId};
use crate::store::page::{self, Standing};
use crate::store::records::{self, Record};
use crate::store::{StoreError, page_keys};
use place::Place;

/// How often the record is looked at.
const PAUSE: Duration = Duration::from_millis(300);
/// The most lines that are read at once.
const LINES: usize = 100;
/// A page that has so many bytes is full.
const PAGE_BYTES: usize = 1024 * 1024;
/// A connection with nothing to say says so, or something in between would close it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    from: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn of_run(
    State(web): State<Arc<Web>>,
    Extension(longer): Extension<Longer>,
    caller: Caller,
    Path(run): Path<String>,
    Query(wanted): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = find(&web, &caller, &run).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let from = match last.filter(|id| !id.is_empty()).or(wanted.from.as_deref()) {
        None => Place::default(),
        Some(from) => from.parse().map_err(|_| {
            Problem::invalid(
                "“from” and “Last-Event-ID” have to be the id of a step, or “next” of a page.",
            )
        })?,
    };
    let limit = sessions::limit(wanted.limit)?;
    if wants_pages(&headers) {
        return a_page(&web, found, from, limit).await;
    }
    let place = Arc::clone(&web.hub.places)
        .try_acquire_owned()
        .map_err(|_| Problem::of(StatusCode::TOO_MANY_REQUESTS))?;
    longer.allow();
    let following = Following::new(web, &found, caller.login().clone(), from, place);
    Ok(Sse::new(following.events())
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

fn wants_pages(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|kinds| kinds.to_str().ok());
    let accepted = accepted.unwrap_or_default();
    accepted.contains("application/json") && !accepted.contains("text/event-stream")
}

#[derive(Serialize)]
struct Page {
    steps: Vec<Value>,
    /// For the next page, which may be empty.
    next: String,
    /// Nothing follows any more.
    is_over: bool,
}

async fn a_page(web: &Web, found: Found, from: Place, limit: usize) -> Result<Response, Problem> {
    let id = found.line.id;
    // Read first: what is written meanwhile is on the next page.
    let standing = web
        .store
        .transaction(move |db| page::standing(db, id))
        .await?;
    let (path, record) = (web.events_of(&found.record), found.record);
    let (steps, next, is_at_end) = on_disk(move || read_page(&path, &record, from, limit))
        .await?
        .map_err(|_| Problem::from(Refusal::DiskIsSilent))?;
    let page = Page {
        steps,
        next: next.to_string(),
        is_over: standing.is_over && is_at_end,
    };
    Ok((StatusCode::OK, axum::Json(page)).into_response())
}

/// Some steps, the place behind them, and whether these were the last.
fn read_page(
    path: &std::path::Path,
    record: &Record,
    from: Place,
    limit: usize,
) -> io::Result<(Vec<Value>, Place, bool)> {
    let (mut steps, mut bytes, mut at) = (Vec::new(), 0, from.not_before(record));
    loop {
        let (found, end) = match step::read(path, record, at, LINES) {
            Ok(read) => read,
            // Not kept any more, or not begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((steps, at, true)),
            Err(error) => return Err(error),
        };
        if found.is_empty() && end == at {
            return Ok((steps, at, true));
        }
        for (place, step) in found {
            if steps.len() == limit || bytes > PAGE_BYTES {
                return Ok((steps, at, false));
            }
            bytes += step.to_string().len();
            steps.push(step);
            at = place;
        }
        at = end;
    }
}

/// A program that follows a run.
struct Following {
    web: Arc<Web>,
    run: RunId,
    token: PageKey,
    record: Record,
    at: Place,
    told: Option<Stand>,
    events: VecDeque<Event>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Stand {
    run: String,
    state: &'static str,
    /// The ids of the open ones.
    questions: Vec<String>,
}

impl Following {
    fn new(
        web: Arc<Web>,
        found: &Found,
        token: PageKey,
        from: Place,
        place: OwnedSemaphorePermit,
    ) -> Following {
        Following {
            web,
            run: found.line.id,
            token,
            record: found.record,
            at: from.not_before(&found.record),
            told: None,
            events: VecDeque::new(),
            is_over: false,
            _place: place,
        }
    }

    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut following| async {
            loop {
                if let Some(event) = following.events.pop_front() {
                    return Some((Ok(event), following));
                }
                if following.is_over {
                    return None;
                }
                let before = following.at;
                // A store that does not answer is asked again.
                let _ = following.look().await;
                if following.at == before && following.events.is_empty() && !following.is_over {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        })
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let (path, record, at): (PathBuf, _, _) =
            (self.web.events_of(&self.record), self.record, self.at);
        let read = on_disk(move || step::read(&path, &record, at, LINES)).await;
        // Looked up behind the reading: what is no part of the run by then was none.
        let Some((record, standing)) = self.stands().await? else {
            self.is_over = true;
            return Ok(());
        };
        if self.told.is_none() {
            self.tell(&standing);
        }
        let is_same = record.process == self.record.process;
        self.record = record;
        let mut is_read = true;
        match read {
            Ok(Ok((steps, end))) if is_same => {
                is_read = end == self.at && steps.is_empty();
                self.at = end;
                let own = steps.into_iter().filter(|(place, _)| record.has(place.end));
                self.events.extend(own.map(|(place, step)| {
                    let event = Event::default().event("step").id(place.to_string());
                    event.data(step.to_string())
                }));
            }
            // It has begun in a claude that lives: the record is elsewhere.
            _ if !is_same => {
                self.at = self.at.not_before(&record);
                is_read = false;
            }
            // Not kept any more, or not begun.
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
            // A disk that does not answer is asked again.
            _ => is_read = false,
        }
        self.tell(&standing);
        if let (true, true, Some(last)) = (standing.is_over, is_read, &self.told) {
            self.events.push_back(last.event("over"));
            self.is_over = true;
        }
        Ok(())
    }

    /// `None` if the run is gone, or the token.
    async fn stands(&self) -> Result<Option<(Record, Standing)>, StoreError> {
        let (run, token) = (self.run, self.token.clone());
        self.web
            .store
            .transaction(move |db| {
                let is_let_in = page_keys::of_program(db, &token)?.is_some();
                if !is_let_in || page::run(db, run)?.is_none() {
                    return Ok(None);
                }
                Ok(Some((records::of_run(db, run)?, page::standing(db, run)?)))
            })
            .await
    }

    /// How it stands, if that is not told yet.
    fn tell(&mut self, standing: &Standing) {
        let now = Stand {
            run: self.run.to_string(),
            state: state_named(&standing.state),
            questions: standing
                .questions
                .iter()
                .map(|(id, _)| id.clone())
                .collect(),
        };
        if self.told.as_ref() != Some(&now) {
            self.events.push_back(now.event("run"));
            self.told = Some(now);
        }
    }
}

impl Stand {
    fn event(&self, kind: &str) -> Event {
        Event::default()
            .event(kind)
            .data(without_secrets(self).to_string())
    }
}
