//! `GET /now`: what goes on now, in all chats that somebody may see.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told};
use super::sessions::{own_chat, visible};
use super::{said, words};
use crate::domain::button::{Button, Press};
use crate::domain::id::ChatThread;
use crate::redact::short::one_line;
use crate::store::page::Listed;
use crate::store::runs::RunState;
use crate::store::{holds, late, runs, waiting};

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
    let (running, queues, held, late) = web
        .store
        .transaction(move |db| {
            let running = runs::running_count(db)?;
            let (mut queues, mut held, mut late) = (Vec::new(), Vec::new(), Vec::new());
            for at in asked {
                let queue = waiting::queue(db, at)?;
                if !queue.is_empty() {
                    queues.push((at, queue));
                }
                if holds::of(db, at)?.is_some() {
                    held.push(at);
                }
                let prompts = late::prompts(db, at)?;
                if !prompts.is_empty() {
                    late.push((at, prompts));
                }
            }
            Ok((running, queues, held, late))
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
            h3 { (words::chat(*at, own)) }
            @if held.contains(at) {
                p { "They are held until claude can work again." }
                (press(&sessions, *at, "Try now", Press::TryNow(at.thread), &reader))
            }
            ol { @for waits in queue {
                li { a href={ "/runs/" (waits.run) } { (one_line(&waits.words, PROMPT_SHOWN)) } }
            } }
        }
        @if !late.is_empty() { h2 { "Late" } }
        @for (at, prompts) in &late {
            h3 { (words::chat(*at, own)) }
            p { "These came late, and nobody has said yet whether they shall run." }
            ol { @for prompt in prompts { li { (one_line(&prompt.text, PROMPT_SHOWN)) } } }
            (press(&sessions, *at, "Run them now", Press::RunLate(at.thread), &reader))
        }
    };
    Ok(layout::page("Now", Place::Now, &reader, told, &body))
}

/// A button about a place; any session there says where it is.
fn press(
    sessions: &[Listed],
    at: ChatThread,
    label: &str,
    press: Press,
    reader: &Reader,
) -> Markup {
    let button = Button {
        label: label.to_owned(),
        press,
        is_over: false,
    };
    match sessions.iter().find(|session| session.at == at) {
        Some(session) => said::buttons(&[button], &session.id, reader, "/now"),
        None => html! {},
    }
}
