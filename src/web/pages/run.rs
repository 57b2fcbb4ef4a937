//! `GET /runs/ID`: what was asked, what came of it, and every step.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::files::{self, Kept};
use super::layout::{self, Place, Told, form_key};
use super::steps::{self, Extent};
use super::{output, said, session, subagents, words};
use crate::chat::evidence::{self, Next};
use crate::chat::questions::{self as question_words, Became};
use crate::claude::folder::RunFolder;
use crate::claude::transcript;
use crate::domain::button::{Button, Press};
use crate::domain::id::{JobId, RunId, SessionId};
use crate::domain::session::Session;
use crate::domain::transcript::{Step, What};
use crate::store::page::{self, RunLine};
use crate::store::questions::{self, Asked};
use crate::store::records::{self, Record};
use crate::store::runs::{self, RunState};
use crate::store::{measured, prompts, sessions, verifications};

/// How many steps a page has.
const A_PAGE: usize = 60;
/// How long the disk may take.
const DISK_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Earlier {
    /// Steps that end at this byte at the latest.
    before: Option<u64>,
}

/// A run, and where its record is.
pub(in super::super) struct Found {
    pub session: Session,
    pub line: RunLine,
    pub record: Record,
}

/// All that stands above the steps.
struct Head {
    prompts: Vec<String>,
    asked: Vec<Asked>,
    measured: Option<(JobId, crate::domain::evidence::Evidence)>,
    before: Option<RunId>,
    behind: Option<RunId>,
    undo: Undo,
    files: Kept,
    /// What a reader who goes on has seen.
    mark: String,
}

/// Whether what the run changed can be taken back from here.
enum Undo {
    Possible,
    TakenBack,
    Not,
}

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path(run): Path<Uuid>,
    Query(earlier): Query<Earlier>,
) -> Result<Response, Refusal> {
    let mut found = get(&web, &reader, RunId(run)).await?;
    let (id, seq, of) = (found.line.id, found.line.seq, found.session.id.clone());
    let (line, head) = web
        .store
        .transaction(move |db| {
            let measured = match page::measured(db, id)? {
                Some(job) => verifications::of_job(db, job)?.map(|(_, evidence)| (job, evidence)),
                None => None,
            };
            let (before, behind) = page::beside(db, &of, seq)?;
            let prompts = prompts::of_run(db, id)?.into_iter();
            // Of the same moment as the mark: what changes afterwards is news.
            let line = page::run(db, id)?;
            let head = Head {
                prompts: prompts.map(|prompt| prompt.content.shown()).collect(),
                asked: questions::open_of_run(db, id)?,
                measured,
                before,
                behind,
                undo: undo_of(db, &of, id)?,
                files: Kept::of(db, id)?,
                mark: page::standing(db, id)?.mark(),
            };
            Ok((line, head))
        })
        .await?;
    found.line = line.ok_or(Refusal::NotFound)?;
    let Found {
        session,
        line,
        record,
    } = &found;
    let path = web.events_of(record);
    let (from, to) = (record.begins_at(), earlier.before.or(record.ends_at()));
    let read = on_disk(move || transcript::before(&path, from, to, A_PAGE)).await?;
    let given = head.files.given(&web, session).await;
    let works = line.state == RunState::Running;
    let goes_on = works || line.state == RunState::Waiting;
    let title = format!("Run in {}", words::repository(&session.source));
    let body = html! {
        nav.path aria-label="Where this is" {
            a href="/" { "Sessions" } " / "
            a href={ "/sessions/" (session.id) } { (words::repository(&session.source)) " " (session.id) }
        }
        div #head {
            (top(&found, &head, read.as_ref().map_or(&[], |(steps, _)| steps), &reader))
            (files::list(line.id, &head.files, &given))
        }
        h2 { "Steps" }
        @match &read {
            Ok((steps, has_more)) => {
                @let live = (goes_on && earlier.before.is_none()).then_some(&*head.mark);
                (list(&found, steps, *has_more, live))
            },
            Err(_) if goes_on => {
                p.nothing { @if works { "It is just beginning." } @else { "It has not begun." } }
                (list(&found, &[], false, Some(&head.mark)))
            },
            Err(_) => p.nothing { "The record of this run is not kept any more." },
        }
        @if !works { (session::box_for_prompt(session, &reader)) }
    };
    Ok(layout::page(&title, Place::Sessions, &reader, told, &body))
}

fn undo_of(db: &Connection, session: &SessionId, run: RunId) -> rusqlite::Result<Undo> {
    let is_undone = measured::is_undone(db, run)?.is_some_and(|(_, undone)| undone);
    if measured::is_undo_void(db, run)? || runs::running_of_session(db, session)?.is_some() {
        return Ok(Undo::Not);
    }
    Ok(match is_undone {
        true => Undo::TakenBack,
        false if measured::newest_not_undone(db, session)? == Some(run) => Undo::Possible,
        false => Undo::Not,
    })
}

fn undo(found: &Found, head: &Head, reader: &Reader, back: &str) -> Markup {
    let (id, session) = (found.line.id, &found.session.id);
    let button = |label: &str, press| Button {
        label: label.to_owned(),
        press,
        is_over: false,
    };
    match head.undo {
        Undo::Possible => html! {
            details.undo {
                summary { "Undo this run" }
                p { "The workspace becomes what it was just before it. That can be taken back." }
                (said::buttons(&[button("Undo", Press::Undo(id))], session, reader, back))
            }
        },
        Undo::TakenBack => said::buttons(
            &[button("Take the undo back", Press::Redo(id))],
            session,
            reader,
            back,
        ),
        Undo::Not => html! {},
    }
}

fn top(found: &Found, head: &Head, steps: &[Step], reader: &Reader) -> Markup {
    let Found { session, line, .. } = found;
    let back = format!("/runs/{}", line.id);
    html! {
        h1 { "Run " (words::mark(line)) }
        p.quiet { (words::when(line)) }
        nav.pages aria-label="Other runs" {
            @if let Some(before) = head.before { a rel="prev" href={ "/runs/" (before) } { "The run before" } }
            @if let Some(behind) = head.behind { a rel="next" href={ "/runs/" (behind) } { "The next run" } }
        }
        section aria-label="Prompt" {
            @if head.prompts.is_empty() { p.nothing { "Claude began this by itself." } }
            @for prompt in &head.prompts { blockquote.prompt { pre tabindex="0" { (said::clean(prompt)) } } }
        }
        @for asked in &head.asked { (question(asked, session, reader, &back)) }
        @let answer = answer(steps);
        @if line.state != RunState::Running && !answer.is_empty() {
            section.answer aria-label="Answer" {
                @for (number, text) in answer.iter().enumerate() { (said::markdown(text, &format!("a{number}"))) }
            }
        }
        @if let RunState::Ended(end) = &line.state {
            @if let Some(reason) = &end.reason { p.failed { (said::clean(reason)) } }
        }
        @if let Some((job, evidence)) = &head.measured {
            @let message = evidence::message(*job, evidence, &Next::Open, None);
            section.measured aria-label="Evidence" {
                (said::body(&message))
                @if !evidence.checks.is_empty() {
                    p.outputs { @for result in &evidence.checks {
                        @let kind = output::Kind::name(result.check.kind);
                        a href={ (back) "/checks/" (kind) } { "The whole output of " (kind) } " "
                    } }
                }
                (said::buttons(&message.buttons, &session.id, reader, &back))
            }
        }
        @if line.started_at.is_some() { p { a href={ (back) "/diff" } { "The diff" } } }
        @if line.state == RunState::Running { (session::buttons(session, reader, true)) }
        (undo(found, head, reader, &back))
    }
}

/// What claude said behind its last call.
fn answer(steps: &[Step]) -> Vec<&str> {
    let own = |step: &&Step| !matches!(&step.what, What::Call(call) if call.parent.is_some());
    let is_call = |step: &Step| matches!(step.what, What::Call(_) | What::Result(_));
    let last_call = steps.iter().rposition(|step| is_call(step) && own(&step));
    let behind = &steps[last_call.map_or(0, |at| at + 1)..];
    let said = behind.iter().filter_map(|step| match &step.what {
        What::Text { text, parent: None } => Some(text.as_str()),
        _ => None,
    });
    said.collect()
}

fn question(asked: &Asked, session: &Session, reader: &Reader, back: &str) -> Markup {
    let chosen = match &asked.answer {
        Some(crate::domain::question::Answer::Chosen(labels)) => labels.as_slice(),
        _ => &[],
    };
    let message = question_words::message(&asked.id, &asked.question, Became::Open(chosen));
    html! {
        section.question aria-label="Question" {
            (said::body(&message))
            @if let Some(whole) = question_words::whole(&asked.question) { (said::body(&whole)) }
            (said::buttons(&message.buttons, &session.id, reader, back))
            form.ask method="post" action={ (back) "/answer" } {
                (form_key(reader))
                input type="hidden" name="question" value=(asked.id.as_str());
                label for={ "words-" (asked.id.as_str()) } { "Or in your own words" }
                textarea #{ "words-" (asked.id.as_str()) } name="words" rows="2" required {}
                button { "Answer" }
            }
        }
    }
}

/// With `mark`, what comes is shown as well.
fn list(found: &Found, steps: &[Step], has_more: bool, mark: Option<&str>) -> Markup {
    let id = found.line.id;
    let first = steps.first().map(|step| step.end);
    let end = steps
        .last()
        .map_or(found.record.begins_at(), |step| step.end);
    let works = mark.is_some();
    let live = mark.map(|mark| format!("/runs/{id}/live?from={end}&head={mark}"));
    html! {
        @if let (true, Some(first)) = (has_more, first) {
            nav.pages aria-label="Earlier steps" {
                a.earlier rel="prev" href={ "/runs/" (id) "?before=" (first - 1) } { "Earlier steps" }
            }
        }
        @let waits = (found.line.state == RunState::Waiting).then_some("yes");
        ol.steps #steps data-live=[live] data-waits=[waits] {
            (subagents::list(id, steps))
        }
        @if works { p #words aria-live="polite" {} noscript { p.quiet { "Load the page again to see more." } } }
        @else if steps.is_empty() { p.nothing { "Nothing is on record." } }
    }
}

/// `GET /runs/ID/steps/END`: all that came with one line of the record.
pub(in super::super) async fn step(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path((run, end)): Path<(Uuid, u64)>,
) -> Result<Response, Refusal> {
    let found = get(&web, &reader, RunId(run)).await?;
    if !found.record.has(end) {
        return Err(Refusal::NotFound);
    }
    let (path, from) = (web.events_of(&found.record), found.record.begins_at());
    let read = on_disk(move || transcript::before(&path, from, Some(end), 1)).await?;
    let steps = read.map(|(steps, _)| steps).unwrap_or_default();
    let of_line: Vec<&Step> = steps
        .iter()
        .filter(|step| step.end == end && !matches!(step.what, What::Words(_)))
        .collect();
    if of_line.is_empty() {
        return Err(Refusal::NotFound);
    }
    let id = found.line.id;
    let body = html! {
        nav.path aria-label="Where this is" { a href={ "/runs/" (id) } { "The run" } }
        h1 { "One step" }
        ol.steps {
            @for step in of_line { @if let Some(item) = steps::item(id, step, Extent::Whole) { (item) } }
        }
    };
    Ok(layout::page(
        "One step",
        Place::Sessions,
        &reader,
        told,
        &body,
    ))
}

/// The run, if this person may see it.
pub(in super::super) async fn get(
    web: &Web,
    reader: &Reader,
    run: RunId,
) -> Result<Found, Refusal> {
    let found = web
        .store
        .transaction(move |db| {
            let (Some(line), Some(session)) = (page::run(db, run)?, sessions::of_run(db, run)?)
            else {
                return Ok(None);
            };
            let record = records::of_run(db, run)?;
            Ok(Some(Found {
                session,
                line,
                record,
            }))
        })
        .await?
        .ok_or(Refusal::NotFound)?;
    match web.may_see(reader, found.session.at.chat).await? {
        true => Ok(found),
        false => Err(Refusal::NotFound),
    }
}

impl Web {
    pub(in super::super) fn events_of(&self, record: &Record) -> PathBuf {
        RunFolder::new(self.runs.join(record.process.to_string())).events()
    }
}

/// Reads the disk beside everything else, and not longer than a moment.
pub(in super::super) async fn on_disk<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::time::timeout(DISK_LIMIT, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(_)) | Err(_) => Err(Refusal::DiskIsSilent),
    }
}
