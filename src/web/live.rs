//! `GET /runs/ID/live`: a run while it goes on, as server-sent events, from the byte of its record that the page has.
//!
//! - `item`: a step, as HTML; its id is the byte behind it.
//! - `words`: words of the answer that is being written; the step with the whole text follows.
//! - `head`: what stands above the steps is another one now.
//! - `over`: the run has ended, and everything that follows it is there.
//!
//! A lost connection goes on where it was: a browser says which id it had last (`Last-Event-ID`). Each reader gets what is
//! on record from the record. What comes then, all readers of a run get from one task that reads it and draws it; when
//! the last one goes, so does the task.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use uuid::Uuid;

use super::found::{get, on_disk};
use super::pages::subagents;
use super::reader::Reader;
use super::refusal::Refusal;
use super::{LIVE_CONNECTIONS, Longer, Web};
use crate::claude::transcript;
use crate::domain::id::RunId;
use crate::domain::transcript::{Step, What};
use crate::redact::Redactor;
use crate::redact::streamed::Streamed;
use crate::store::page::{self, Standing};
use crate::store::{Store, StoreError};

/// How often the record is looked at.
const PAUSE: Duration = Duration::from_millis(300);
/// How often what stands above the steps is looked at, in looks at the record.
const HEAD_EVERY: u32 = 3;
/// How many lines are read at once, for all who follow.
const LINES: usize = 200;
/// The same for each of them: what a hundred readers wait for at the same time is held in memory.
const A_FEW: usize = 16;
/// How many pieces a slow reader may be behind.
const BEHIND: usize = 512;
/// A connection with nothing to say says so, or something in between would close it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Something for all readers of a run.
#[derive(Clone, Debug)]
struct Piece {
    /// The byte of the record behind it.
    end: u64,
    what: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Item(Arc<str>),
    Words(Arc<str>),
    Head,
    Over,
}

/// The runs that somebody follows.
pub struct Hub {
    /// By the run, and its record: one that waits may begin in a claude that lives.
    followed: Mutex<BTreeMap<(RunId, PathBuf), Weak<Followed>>>,
    pub(super) places: Arc<Semaphore>,
}

/// A run that somebody follows; the task that draws it ends with the last one.
struct Followed {
    pieces: broadcast::Sender<Piece>,
}

impl Default for Hub {
    fn default() -> Hub {
        Hub {
            followed: Mutex::default(),
            places: Arc::new(Semaphore::new(LIVE_CONNECTIONS)),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: u64,
    /// How the run stood when the page was drawn: [`Standing::mark`].
    #[serde(default)]
    head: String,
}

pub(super) async fn follow(
    State(web): State<Arc<Web>>,
    Extension(longer): Extension<Longer>,
    reader: Reader,
    Path(run): Path<Uuid>,
    Query(From { from, head }): Query<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let found = get(&web, &reader, RunId(run)).await?;
    let place = Arc::clone(&web.hub.places)
        .try_acquire_owned()
        .map_err(|_| Refusal::Busy)?;
    longer.allow();
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let reading = Reading {
        run: found.line.id,
        path: web.events_of(&found.record),
        to: found.record.ends_at(),
        at: last.unwrap_or(from).max(found.record.begins_at()),
        head,
        ready: VecDeque::new(),
        live: None,
        web,
        _place: place,
    };
    let pieces = stream::unfold(Some(reading), next);
    let events = pieces.map(|piece| Ok(event(&piece)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Somebody who follows: first what is on record, a few lines at a time, then what comes.
struct Reading {
    run: RunId,
    path: PathBuf,
    /// Where the run's part of the record ends, if it has.
    to: Option<u64>,
    /// What this reader has got.
    at: u64,
    /// How the run stood when the page was drawn.
    head: String,
    /// What is read and not passed on yet.
    ready: VecDeque<Piece>,
    live: Option<Live>,
    web: Arc<Web>,
    _place: OwnedSemaphorePermit,
}

/// What comes, for a reader who has all that is on record.
struct Live {
    pieces: broadcast::Receiver<Piece>,
    _followed: Arc<Followed>,
}

/// The next piece. A reader who is too far behind is cut off, as is everybody while the disk or the store does not
/// answer: they come again from where they were.
async fn next(reading: Option<Reading>) -> Option<(Piece, Option<Reading>)> {
    let mut reading = reading?;
    loop {
        if let Some(piece) = reading.ready.pop_front() {
            return Some((piece, Some(reading)));
        }
        let Some(live) = &mut reading.live else {
            reading.read_on().await.ok()?;
            continue;
        };
        match live.pieces.recv().await {
            Ok(piece) if matches!(piece.what, Kind::Over) => return Some((piece, None)),
            Ok(piece) if matches!(piece.what, Kind::Head) => return Some((piece, Some(reading))),
            // This reader has it from the record.
            Ok(piece) if piece.end <= reading.at => {}
            Ok(piece) => return Some((piece, Some(reading))),
            Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
        }
    }
}

impl Reading {
    /// Reads a few lines of the record; at its end, listens to what comes.
    async fn read_on(&mut self) -> Result<(), Refusal> {
        if self.read_a_few().await? {
            return Ok(());
        }
        let run = self.run;
        let standing = self
            .web
            .store
            .transaction(move |db| page::standing(db, run))
            .await?;
        let has_changed = !self.head.is_empty() && standing.mark() != self.head;
        let followed = self
            .web
            .hub
            .join(&self.web, run, self.path.clone(), self.at, standing);
        let pieces = followed.pieces.subscribe();
        // What has come meanwhile comes here, and is passed over there.
        while self.read_a_few().await? {}
        if has_changed {
            self.ready.push_back(Piece {
                end: self.at,
                what: Kind::Head,
            });
        }
        self.live = Some(Live {
            pieces,
            _followed: followed,
        });
        Ok(())
    }

    /// False at the end of what is on record. While the run is just beginning there is no record.
    async fn read_a_few(&mut self) -> Result<bool, Refusal> {
        let (path, at, to, run) = (self.path.clone(), self.at, self.to, self.run);
        let read = on_disk(move || {
            let (steps, end) = transcript::after(&path, at, to, A_FEW).ok()?;
            let mut pieces = Vec::new();
            steps.iter().for_each(|step| draw(run, step, &mut pieces));
            Some((pieces, end))
        });
        let Some((pieces, end)) = read.await?.filter(|(_, end)| *end > at) else {
            return Ok(false);
        };
        self.at = end;
        self.ready.extend(pieces);
        Ok(true)
    }
}

/// A browser hears no event without data.
fn event(piece: &Piece) -> Event {
    let event = match &piece.what {
        Kind::Item(html) => Event::default().event("item").data(one_kind_of_line(html)),
        // Words have no place of their own: whoever comes again gets the whole text.
        Kind::Words(words) => {
            return Event::default()
                .event("words")
                .data(one_kind_of_line(words));
        }
        Kind::Head => return Event::default().event("head").data("new"),
        Kind::Over => return Event::default().event("over").data("all"),
    };
    event.id(piece.end.to_string())
}

/// HTML: a carriage return would end a line of the stream.
fn one_kind_of_line(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Steps of one line are one piece: a reader who comes again has all of it or nothing.
fn draw(run: RunId, step: &Step, pieces: &mut Vec<Piece>) {
    let Some(item) = subagents::coming(run, step) else {
        return;
    };
    let mut item = item.into_string();
    let of_same_line = |piece: &&mut Piece| piece.end == step.end;
    if let Some(Piece {
        what: Kind::Item(before),
        ..
    }) = pieces.last_mut().filter(of_same_line)
    {
        item.insert_str(0, before);
        pieces.pop();
    }
    pieces.push(Piece {
        end: step.end,
        what: Kind::Item(item.into()),
    });
}

impl Hub {
    fn join(
        &self,
        web: &Web,
        run: RunId,
        path: PathBuf,
        from: u64,
        standing: Standing,
    ) -> Arc<Followed> {
        let mut all = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, followed| followed.strong_count() > 0);
        let key = (run, path.clone());
        if let Some(followed) = all.get(&key).and_then(Weak::upgrade) {
            return followed;
        }
        let (pieces, _) = broadcast::channel(BEHIND);
        let followed = Arc::new(Followed { pieces });
        all.insert(key, Arc::downgrade(&followed));
        let drawing = Drawing {
            run,
            path,
            at: from,
            store: web.store.clone(),
            standing,
            streamed: Streamed::default(),
        };
        tokio::spawn(drawing.go_on(Arc::downgrade(&followed)));
        followed
    }
}

/// Reads a run's record for all who follow it.
struct Drawing {
    run: RunId,
    path: PathBuf,
    at: u64,
    store: Store,
    standing: Standing,
    streamed: Streamed,
}

impl Drawing {
    async fn go_on(mut self, followed: Weak<Followed>) {
        let mut looks = 0;
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(followed) = followed.upgrade() else {
                return;
            };
            let mut pieces = self.read().await;
            looks += 1;
            if looks % HEAD_EVERY == 0 {
                // A store that does not answer is asked again.
                pieces.extend(
                    self.look_at_head(pieces.is_empty())
                        .await
                        .unwrap_or_default(),
                );
            }
            for piece in pieces {
                let is_over = matches!(piece.what, Kind::Over);
                // Nobody hears it between two readers.
                let _ = followed.pieces.send(piece);
                if is_over {
                    return;
                }
            }
        }
    }

    async fn read(&mut self) -> Vec<Piece> {
        let (path, at, to) = (self.path.clone(), self.at, self.standing.ends_at);
        let read = on_disk(move || transcript::after(&path, at, to, LINES)).await;
        let Ok(Ok((steps, end))) = read else {
            return Vec::new();
        };
        self.at = end;
        let (mut pieces, mut words) = (Vec::new(), String::new());
        for step in &steps {
            if let What::Words(more) = &step.what {
                words.push_str(&self.streamed.take(more, Redactor::of_this_process()));
                continue;
            }
            if matches!(step.what, What::Text { parent: None, .. }) {
                self.streamed.begin();
                words.clear();
            }
            draw(self.run, step, &mut pieces);
        }
        if !words.is_empty() {
            pieces.push(Piece {
                end,
                what: Kind::Words(words.into()),
            });
        }
        pieces
    }

    async fn look_at_head(&mut self, is_read: bool) -> Result<Vec<Piece>, StoreError> {
        let run = self.run;
        let standing = self
            .store
            .transaction(move |db| page::standing(db, run))
            .await?;
        let is_new = self.standing != standing;
        let is_over = standing.is_over && is_read;
        self.standing = standing;
        let what = match (is_over, is_new) {
            (true, _) => Kind::Over,
            (false, true) => Kind::Head,
            (false, false) => return Ok(Vec::new()),
        };
        Ok(vec![Piece { end: self.at, what }])
    }
}
