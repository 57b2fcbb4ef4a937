//! `GET /runs/ID`: what was asked, what came of it, and every step.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::found::{Found, get, on_disk};
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::head::{self, Head};
use super::layout::{self, Place, Told};
use super::{files, session, subagents, words};
use crate::claude::transcript;
use crate::domain::id::RunId;
use crate::domain::transcript::Step;
use crate::store::page;
use crate::store::runs::RunState;

/// How many steps a page has.
const A_PAGE: usize = 60;

#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Earlier {
    /// Steps that end at this byte at the latest.
    before: Option<u64>,
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
        // Of the same moment: what changes afterwards is news.
        .transaction(move |db| Ok((page::run(db, id)?, Head::read(db, &of, id, seq)?)))
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
            (head::markup(&found, &head, read.as_ref().map_or(&[], |(steps, _)| steps), &reader))
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
