//! `GET /sessions/ID`: its runs, and a box for the next prompt.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told, form_key};
use super::sessions::own_chat;
use super::{said, words};
use crate::chat::evidence::{self, Next};
use crate::domain::changes::Seen;
use crate::domain::evidence::Evidence;
use crate::domain::id::{JobId, SessionId};
use crate::domain::outgoing::Body;
use crate::domain::session::{Session, SessionState, Source};
use crate::domain::shown::without_password;
use crate::redact::short::{beginning, one_line};
use crate::store::page::{self, RunLine};
use crate::store::runs::RunState;
use crate::store::{chats, sessions, verifications};

/// How many runs one page has.
const A_PAGE: usize = 20;
const PROMPT_SHOWN: usize = 600;

#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Older {
    before: Option<i64>,
}

/// A run in the list, and what was measured after it.
struct Shown {
    line: RunLine,
    measured: Option<(JobId, Evidence)>,
}

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path(session): Path<String>,
    Query(older): Query<Older>,
) -> Result<Response, Refusal> {
    let session = get(&web, &reader, SessionId(session)).await?;
    let (id, at) = (session.id.clone(), session.at);
    let (runs, is_current) = web
        .store
        .transaction(move |db| {
            let lines = page::runs(db, &id, older.before, A_PAGE + 1)?;
            let mut runs = Vec::new();
            for line in lines {
                let measured = match page::measured(db, line.id)? {
                    Some(job) => {
                        verifications::of_job(db, job)?.map(|(_, evidence)| (job, evidence))
                    }
                    None => None,
                };
                runs.push(Shown { line, measured });
            }
            let current = chats::current_session(db, at)?;
            Ok((runs, current.is_some_and(|current| current.id == id)))
        })
        .await?;
    let has_more = runs.len() > A_PAGE;
    let shown = &runs[..runs.len().min(A_PAGE)];
    let works = shown.iter().any(|run| run.line.state == RunState::Running);
    let title = format!("{} {}", words::repository(&session.source), session.id);
    let body = html! {
        nav.path aria-label="Where this is" { a href="/" { "Sessions" } }
        h1 { (words::repository(&session.source)) " " span.quiet { (session.id) } }
        (about(&session, &reader, is_current))
        (box_for_prompt(&session, &reader))
        (buttons(&session, &reader, works))
        h2 { "Runs" }
        @if shown.is_empty() { p.nothing { "Nothing has run here yet." } }
        ol.runs reversed {
            @for run in shown { li { (card(run)) (diff_of(run)) } }
        }
        @if has_more {
            @if let Some(last) = shown.last() {
                nav.pages aria-label="More runs" {
                    a rel="next" href={ "/sessions/" (session.id) "?before=" (last.line.seq) } { "Older runs" }
                }
            }
        }
    };
    Ok(layout::page(&title, Place::Sessions, &reader, told, &body))
}

/// The session, if this person may see it.
pub(in super::super) async fn get(
    web: &Web,
    reader: &Reader,
    id: SessionId,
) -> Result<Session, Refusal> {
    let session = web
        .store
        .transaction(move |db| sessions::get(db, &id))
        .await?
        .ok_or(Refusal::NotFound)?;
    match web.may_see(reader, session.at.chat).await? {
        true => Ok(session),
        false => Err(Refusal::NotFound),
    }
}

fn about(session: &Session, reader: &Reader, is_current: bool) -> Markup {
    html! {
        dl.about {
            dt { "Chat" }
            dd {
                (words::chat(session.at, own_chat(reader)))
                @if !is_current { " (which talks to another session now)" }
            }
            @if let Some(branch) = &session.branch { dt { "Branch" } dd { (branch) } }
            @if session.source != Source::Empty {
                dt { "Repository" }
                dd { (without_password(&session.source.name())) }
            }
            @match session.state {
                SessionState::New => { dt { "Workspace" } dd { "is being made" } }
                SessionState::Failed => { dt { "Workspace" } dd { "could not be made; nothing can run here" } }
                SessionState::Ready => {}
            }
        }
    }
}

/// A prompt, as if it were written in the chat.
pub(super) fn box_for_prompt(session: &Session, reader: &Reader) -> Markup {
    if session.state == SessionState::Failed {
        return html! {};
    }
    html! {
        form.ask method="post" action={ "/sessions/" (session.id) "/prompt" } {
            (form_key(reader))
            input type="hidden" name="once" value=(Uuid::new_v4());
            label for="text" { "Next prompt" }
            textarea #text name="text" rows="3" required placeholder="What shall claude do?" {}
            button.primary { "Send" }
        }
    }
}

pub(super) fn buttons(session: &Session, reader: &Reader, works: bool) -> Markup {
    let one = |what: &str, label: &str, class: &str| {
        html! {
            form method="post" action={ "/sessions/" (session.id) "/do" } {
                (form_key(reader))
                input type="hidden" name="what" value=(what);
                button class=(class) { (label) }
            }
        }
    };
    html! {
        div.buttons {
            @if works { (one("stop", "Stop", "danger")) }
            (one("verify", "Verify", ""))
            (one("push", "Push", ""))
            (one("undo", "Undo the last run", "danger"))
        }
    }
}

/// Where anything may differ.
fn diff_of(run: &Shown) -> Markup {
    let is_unchanged = |(_, evidence): &(JobId, Evidence)| evidence.seen() == Seen::Unchanged;
    let is_shown =
        run.line.started_at.is_some() && !run.measured.as_ref().is_some_and(is_unchanged);
    html! {
        @if is_shown { a.diff href={ "/runs/" (run.line.id) "/diff" } { "The diff" } }
    }
}

fn card(run: &Shown) -> Markup {
    let line = &run.line;
    html! {
        a.card href={ "/runs/" (line.id) } {
            div.first {
                (words::mark(line))
                span.quiet { (words::when(line)) }
            }
            p.prompt {
                @match &line.prompt {
                    Some(prompt) => (one_line(prompt, PROMPT_SHOWN)),
                    None => em { "claude began this by itself" },
                }
            }
            @if let RunState::Ended(end) = &line.state {
                @if let Some(reason) = &end.reason { p.failed { (beginning(reason, PROMPT_SHOWN)) } }
            }
            @if let Some((job, evidence)) = &run.measured {
                @if let Body::Evidence { text, .. } = evidence::message(*job, evidence, &Next::Open, None).body {
                    p.evidence { (said::lines(&text)) }
                }
            }
        }
    }
}
