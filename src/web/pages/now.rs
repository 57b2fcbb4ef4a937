//! `GET /now`: what goes on now, in all chats that somebody may see.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told};
use super::sessions::{own_chat, visible};
use super::words;
use crate::redact::short::one_line;
use crate::store::runs::RunState;
use crate::store::{holds, runs, waiting};

const PROMPT_SHOWN: usize = 120;

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
) -> Result<Response, Refusal> {
    let sessions = visible(&web, &reader).await?;
    let mut places: Vec<_> = sessions.iter().map(|session| session.at).collect();
    places.sort_by_key(|at| (at.chat, at.thread));
    places.dedup();
    let asked = places.clone();
    let (running, queues, held) = web
        .store
        .transaction(move |db| {
            let running = runs::running_count(db)?;
            let (mut queues, mut held) = (Vec::new(), Vec::new());
            for at in asked {
                let queue = waiting::queue(db, at)?;
                if !queue.is_empty() {
                    queues.push((at, queue));
                }
                if holds::of(db, at)?.is_some() {
                    held.push(at);
                }
            }
            Ok((running, queues, held))
        })
        .await?;
    let own = own_chat(&reader);
    let at_work = sessions.iter().filter_map(|session| {
        let run = session.newest.as_ref()?;
        (run.state == RunState::Running).then_some((session, run))
    });
    let at_work: Vec<_> = at_work.collect();
    let body = html! {
        h1 { "Now" }
        p { (running) " of " (web.inbox.max_runs) " places for runs are taken." }
        h2 { "At work" }
        @if at_work.is_empty() { p.nothing { "No run goes on." } }
        ul.cards {
            @for (session, run) in at_work {
                li { a.card href={ "/runs/" (run.id) } {
                    div.first { strong { (words::repository(&session.source)) } (words::mark(run)) }
                    @if let Some(prompt) = &run.prompt { p.prompt { (one_line(prompt, PROMPT_SHOWN)) } }
                    p.quiet { (words::chat(session.at, own)) " · " (words::when(run)) }
                } }
            }
        }
        h2 { "Waiting" }
        @if queues.is_empty() { p.nothing { "No prompt waits." } }
        @for (at, queue) in &queues {
            h3 { (words::chat(*at, own)) @if held.contains(at) { " (held)" } }
            ol { @for waits in queue {
                li { a href={ "/runs/" (waits.run) } { (one_line(&waits.words, PROMPT_SHOWN)) } }
            } }
        }
    };
    Ok(layout::page("Now", Place::Now, &reader, told, &body))
}
