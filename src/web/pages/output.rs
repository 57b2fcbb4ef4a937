//! `GET /runs/ID/checks/KIND`: the whole output of a check, as a terminal would show it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::found::{get, on_disk};
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::super::show::ansi;
use super::layout::{self, Place, Told};
use super::said;
use crate::domain::check::CheckKind;
use crate::domain::id::RunId;
use crate::domain::shown::size;
use crate::store::page;
use crate::verify::check;

/// How many bytes of a longer output are shown: its end.
const SHOWN: u64 = 512 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Kind {
    Tests,
    Lint,
    Setup,
}

impl Kind {
    /// As the address has it.
    pub(super) fn name(kind: CheckKind) -> &'static str {
        match kind {
            CheckKind::Tests => "tests",
            CheckKind::Lint => "lint",
            CheckKind::Setup => "setup",
        }
    }

    fn of(self) -> CheckKind {
        match self {
            Kind::Tests => CheckKind::Tests,
            Kind::Lint => CheckKind::Lint,
            Kind::Setup => CheckKind::Setup,
        }
    }
}

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path((run, kind)): Path<(Uuid, Kind)>,
) -> Result<Response, Refusal> {
    let found = get(&web, &reader, RunId(run)).await?;
    let id = found.line.id;
    let job = web
        .store
        .transaction(move |db| page::measured(db, id))
        .await?
        .ok_or(Refusal::NotFound)?;
    let folder = web.data.join("checks").join(job.to_string());
    let file = folder.join(check::output_name(kind.of()));
    let read = on_disk(move || end_of(&file)).await?;
    let body = html! {
        nav.path aria-label="Where this is" { a href={ "/runs/" (id) } { "The run" } }
        h1 { "Output of " (Kind::name(kind.of())) }
        @match &read {
            Ok((output, left_out)) => {
                @if *left_out > 0 { p.quiet { "The first " (size(*left_out)) " are left out." } }
                pre.output tabindex="0" { (ansi::markup(said::clean(output).as_bytes())) }
            }
            Err(_) => p.nothing { "The output is not kept any more." },
        }
    };
    Ok(layout::page(
        "Output",
        Place::Sessions,
        &reader,
        told,
        &body,
    ))
}

/// The end of a file, from the beginning of a line on, and how many bytes come before it.
fn end_of(file: &FilePath) -> io::Result<(String, u64)> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(SHOWN);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(SHOWN).read_to_end(&mut bytes)?;
    let cut = match start {
        0 => 0,
        _ => bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1),
    };
    let text = String::from_utf8_lossy(&bytes[cut..]).into_owned();
    Ok((text, start + cut as u64))
}
