//! `GET /people`, `/settings`, `/health`: what concerns the whole bot, for its owner.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::super::{Web, monitor};
use super::layout::{self, Place, Told};
use super::words;
use crate::store::{page_keys, people as invited};

pub(in super::super) async fn people(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
) -> Result<Response, Refusal> {
    for_owner(&reader)?;
    let (people, programs) = web
        .store
        .transaction(|db| Ok((invited::all(db)?, page_keys::programs(db)?)))
        .await?;
    let access = &web.inbox.access;
    let body = html! {
        h1 { "People" }
        h2 { "Named in the settings" }
        ul { @for user in access.users() {
            li { (user.0) @if access.is_owner(user) { " (the owner)" } }
        } }
        h2 { "Invited" }
        @if people.is_empty() { p.nothing { "Nobody. /invite in your private chat makes a link." } }
        ul { @for person in &people { li { (person.name) " (" (person.user.0) "), " (words::ago(person.joined_at)) } } }
        p.quiet { "/people in your private chat removes somebody." }
        h2 { "Programs" }
        @if programs.is_empty() { p.nothing { "None. “telecoder web token NAME” lets one in." } }
        ul { @for program in &programs { li { (program.name) ", " (words::ago(program.made_at)) } } }
    };
    Ok(layout::page("People", Place::People, &reader, told, &body))
}

pub(in super::super) async fn settings(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
) -> Result<Response, Refusal> {
    for_owner(&reader)?;
    let body = html! {
        h1 { "Settings" }
        p { "As they were at the start of the bot. “telecoder config set NAME VALUE” on its machine changes one." }
        table.settings {
            thead { tr { th scope="col" { "Setting" } th scope="col" { "Value" } } }
            tbody { @for (name, value) in &web.settings {
                tr { th scope="row" { code { (name) } } td { (value) } }
            } }
        }
    };
    Ok(layout::page(
        "Settings",
        Place::Settings,
        &reader,
        told,
        &body,
    ))
}

pub(in super::super) async fn health(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
) -> Result<Response, Refusal> {
    for_owner(&reader)?;
    let (vitals, counts) = monitor::look(&web).await;
    let counts = counts.unwrap_or_default();
    let facts = [
        (
            "Telegram is asked for messages",
            if vitals.is_polling { "yes" } else { "no" }.to_owned(),
        ),
        (
            "Messages that wait to be read",
            counts.updates_waiting.to_string(),
        ),
        ("Runs at work", counts.runs_running.to_string()),
        ("Runs that wait", counts.runs_queued.to_string()),
        ("Jobs that are not done", counts.jobs_open.to_string()),
        ("Messages to deliver", counts.outbox_due.to_string()),
        (
            "Messages that were not delivered",
            counts.outbox_parked.to_string(),
        ),
        ("Up for", crate::chat::text::duration(web.started.elapsed())),
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let body = html! {
        h1 { "Health" }
        table.health { tbody { @for (name, value) in &facts { tr { th scope="row" { (name) } td { (value) } } } } }
        p.quiet { "“telecoder doctor”, on the bot’s machine, checks the bot from outside." }
    };
    Ok(layout::page("Health", Place::Health, &reader, told, &body))
}

/// There is no such page for others.
fn for_owner(reader: &Reader) -> Result<(), Refusal> {
    match reader.is_owner {
        true => Ok(()),
        false => Err(Refusal::NotFound),
    }
}
