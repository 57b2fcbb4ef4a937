//! Runs a program to its end below a supervisor, within limits; no process is left.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::chat::text::duration;
use crate::domain::id::RunId;
use crate::job::AtWork;
use crate::process::supervised::{Piece, Program, Supervised, end_marked};
use crate::redact::short::last_lines;

/// How many bytes of stderr are told, from its end.
const STDERR_TOLD: usize = 1_500;
/// More are kept, so that what is cut off there is not told.
const STDERR_KEPT: usize = 2 * STDERR_TOLD;

#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub time: Duration,
    /// The most that it may say on stdout, in bytes.
    pub stdout: usize,
}

pub(super) enum Ran {
    /// Its stdout.
    Well(String),
    /// How it ended, as in "the program …", and the end of its stderr.
    Badly { how: String, words: String },
}

/// Dropping the future ends the program.
pub(super) async fn run(
    work: &AtWork<'_>,
    arguments: Vec<OsString>,
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
    limits: Limits,
) -> Ran {
    let marker = RunId(work.job.id.0);
    let started = Supervised::start(Program {
        arguments,
        folder,
        environment,
        marker,
        report: work
            .handles
            .git
            .scratch
            .join(Uuid::new_v4().simple().to_string()),
    });
    let badly = |how: String, stderr: &[u8]| Ran::Badly {
        how,
        words: last_lines(String::from_utf8_lossy(stderr).trim(), STDERR_TOLD),
    };
    let mut program = match started {
        Ok(program) => program,
        Err(error) => return badly(format!("could not be started: {error}"), &[]),
    };
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let reading = read(&mut program, &mut stdout, &mut stderr, limits.stdout);
    let cut = match tokio::time::timeout(limits.time, reading).await {
        Ok(true) => None,
        Ok(false) => Some("said more than a text".to_owned()),
        Err(_) => Some(format!("took longer than {}", duration(limits.time))),
    };
    if cut.is_some() {
        program.end_for_good().await;
    }
    let report = program.into_report();
    if report.is_none() {
        end_marked(marker).await;
    }
    if let Some(how) = cut {
        return badly(how, &stderr);
    }
    let Some(report) = report else {
        return badly("was killed".to_owned(), &stderr);
    };
    match (report.not_started, report.code) {
        (Some(words), _) => badly(format!("could not be started: {words}"), &stderr),
        (None, Some(0)) => Ran::Well(String::from_utf8_lossy(&stdout).into_owned()),
        (None, Some(127)) => badly("was not found".to_owned(), &stderr),
        (None, Some(code)) => badly(format!("failed (exit code {code})"), &stderr),
        (None, None) => badly("was ended by a signal".to_owned(), &stderr),
    }
}

/// Returns false if stdout is too long.
async fn read(
    program: &mut Supervised,
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
    most: usize,
) -> bool {
    while let Some(piece) = program.next().await {
        match piece {
            Piece::Stdout(bytes) => stdout.extend(bytes),
            Piece::Stderr(bytes) => {
                stderr.extend(bytes);
                stderr.drain(..stderr.len().saturating_sub(STDERR_KEPT));
            }
        }
        if stdout.len() > most {
            return false;
        }
    }
    true
}
