//! `GET /routines`: what begins by itself in the chats that somebody may see, and what came of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told, form_key};
use super::said;
use super::words;
use crate::chat::routines::became;
use crate::domain::button::{ButtonStyle, Press};
use crate::domain::id::ChatId;
use crate::domain::routine::{Occurrence, PausedFor, Routine, State as Standing};
use crate::store::routines;

/// How many of the last moments are shown.
const LAST: u32 = 5;

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
) -> Result<Response, Refusal> {
    let all = web
        .store
        .transaction(|db| {
            let all = routines::all(db)?.into_iter();
            all.map(|routine| {
                let last = routines::occurrences(db, &routine.id, LAST)?;
                Ok((routine, last))
            })
            .collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    let mut shown = Vec::new();
    for (routine, last) in all {
        if web.may_see(&reader, routine.at.chat).await? {
            shown.push((routine, last));
        }
    }
    let body = html! {
        h1 { "Routines" }
        @if shown.is_empty() {
            p.nothing { "Nothing begins by itself here. /every, /at, /in and /hook in the chat make a routine." }
        }
        @for (routine, last) in &shown { (one(routine, last, &reader)) }
    };
    Ok(layout::page(
        "Routines",
        Place::Routines,
        &reader,
        told,
        &body,
    ))
}

fn one(routine: &Routine, last: &[Occurrence], reader: &Reader) -> Markup {
    let own = ChatId(i64::try_from(reader.visitor.user.0).unwrap_or(0));
    html! {
        section.routine aria-label={ "Routine " (routine.id) } {
            h2 { (routine.when_in_words()) " " span.quiet { (words::chat(routine.at, own)) } }
            p { (standing(routine)) @if routine.is_fresh { " Each time in a new session." } }
            blockquote.prompt { pre tabindex="0" { (said::clean(&routine.prompt.shown())) } }
            @if !last.is_empty() {
                ul aria-label="The last ones" { @for occurrence in last { li { (came(routine, occurrence)) } } }
            }
            div.buttons {
                (button(routine, reader, "Run now", Press::RunRoutine(routine.id.clone())))
                @match routine.state {
                    Standing::Kept => (button(routine, reader, "Pause", Press::PauseRoutine(routine.id.clone()))),
                    _ => (button(routine, reader, "Go on", Press::KeepRoutine(routine.id.clone()))),
                }
                (button(routine, reader, "Delete", Press::DeleteRoutine(routine.id.clone())))
            }
        }
    }
}

fn standing(routine: &Routine) -> Markup {
    html! {
        @match (routine.state, routine.planned_at) {
            (Standing::Paused(PausedFor::Failures), _) => "Paused, as three runs in a row failed.",
            (Standing::Paused(PausedFor::Removal), _) => "Paused, as who made it may not use the bot there any more.",
            (Standing::Paused(PausedFor::Wish), _) => "Paused.",
            (_, Some(next)) => {
                "Next "
                @let next = routine.in_zone(next);
                time datetime=(next.timestamp().to_string()) { (next.strftime("%a %-d %b, %H:%M %Z").to_string()) }
                "."
            },
            (_, None) => {},
        }
    }
}

fn came(routine: &Routine, occurrence: &Occurrence) -> Markup {
    let planned = routine.in_zone(occurrence.planned_at);
    let planned = planned.strftime("%a %-d %b, %H:%M").to_string();
    html! {
        @match occurrence.run {
            Some(run) => a href={ "/runs/" (run) } { (planned) },
            None => (planned),
        }
        ": " (became(occurrence))
        @if occurrence.missed > 0 { ", " (occurrence.missed) " before it passed" }
    }
}

fn button(routine: &Routine, reader: &Reader, label: &str, press: Press) -> Markup {
    let class = match press.style() {
        Some(ButtonStyle::Danger) => "danger",
        _ => "",
    };
    html! {
        form method="post" action={ "/routines/" (routine.id) "/press" } {
            (form_key(reader))
            input type="hidden" name="press" value=(press.data());
            button class=(class) { (label) }
        }
    }
}
