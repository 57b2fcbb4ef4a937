//! Runs one check: its output goes to a file and is read as it comes, and no process is left.

use crate::domain::check::CheckKind;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::counts::Reader;
use super::not_run::missing;
use crate::domain::check::{Check, CheckEnd, CheckResult};
use crate::domain::id::RunId;
use crate::domain::shown::without_password;
use crate::process::supervised::{Piece, Program, Supervised, end_marked};
use crate::redact::private_key;
use crate::redact::short::last_lines;

/// How many bytes of a check's output its file keeps: the beginning, with the last lines below it.
const FILE_KEPT: usize = 16 * 1024 * 1024;
/// How many last lines are kept, and how many bytes of each.
const LINES_KEPT: usize = 200;
const LINE_KEPT: usize = 2_000;
/// How long a supervisor may take to end its program.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(8);
/// How many bytes of the lines are stored.
const LAST_LINES_KEPT: usize = 8_000;

/// What all checks of a job share.
pub struct Bench<'a> {
    pub workspace: &'a Path,
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// The folder for output files; it must exist.
    pub folder: &'a Path,
    /// `None`: no limit.
    pub time_limit: Option<Duration>,
    /// Marks every process of the checks.
    pub marker: RunId,
    /// Gets the newest line.
    pub heard: &'a (dyn Fn(&str) + Sync),
}

/// The environment of checks: claude's, which has none of telecoder's own variables, with `CI`, so that no runner waits
/// for a key.
pub fn environment(of_claude: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let mut environment = of_claude.clone();
    environment.remove(&OsString::from("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS"));
    environment
        .entry("CI".into())
        .or_insert_with(|| "true".into());
    environment.insert("TERM".into(), "dumb".into());
    environment.insert("GIT_TERMINAL_PROMPT".into(), "0".into());
    environment
}

/// The name of the file with the output of such a check.
pub fn output_name(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Tests => "tests.log",
        CheckKind::Lint => "lint.log",
        CheckKind::Setup => "setup.log",
    }
}

impl Bench<'_> {
    /// Where the output of a check is kept.
    pub fn output_of(&self, check: &Check) -> PathBuf {
        self.folder.join(output_name(check.kind))
    }

    /// Runs the check to its end, or until `cut` returns why not.
    pub async fn run(&self, check: &Check, cut: impl Future<Output = CheckEnd>) -> CheckResult {
        let started = Instant::now();
        let mut output = Output::to(&self.output_of(check));
        let ended = self.watch(check, &mut output, cut).await;
        let (ended, survivors) =
            ended.unwrap_or_else(|error| (CheckEnd::NotRun(error.to_string()), 0));
        // A linter need not run tests.
        let counts = output
            .reader
            .counts()
            .filter(|counts| check.kind == CheckKind::Tests || !counts.is_none_run());
        let misses_coverage = counts.is_some() && output.reader.misses_coverage;
        let written = output.finish();
        CheckResult {
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            last_lines: match ended {
                CheckEnd::Passed => String::new(),
                _ => without_password(&last_lines(&written, LAST_LINES_KEPT)),
            },
            counts,
            misses_coverage,
            survivors,
            ..CheckResult::not_begun(check, ended)
        }
    }

    async fn watch(
        &self,
        check: &Check,
        output: &mut Output,
        cut: impl Future<Output = CheckEnd>,
    ) -> std::io::Result<(CheckEnd, usize)> {
        let mut program = Supervised::start(Program {
            arguments: ["sh", "-c", check.command.as_str()]
                .map(OsString::from)
                .into(),
            folder: self.workspace,
            environment: self.environment,
            marker: self.marker,
            report: self.folder.join(Uuid::new_v4().simple().to_string()),
        })?;
        let limit = async {
            match self.time_limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
            CheckEnd::TimedOut
        };
        let cut = async {
            tokio::select! {
                why = cut => why,
                why = limit => why,
            }
        };
        tokio::pin!(cut);
        let mut cut_short = None;
        let mut patience = None;
        loop {
            let overdue = async {
                match patience {
                    Some(moment) => tokio::time::sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                piece = program.next() => match piece {
                    Some(Piece::Stdout(bytes) | Piece::Stderr(bytes)) => {
                        if let Some(line) = output.write(&bytes) {
                            (self.heard)(&line);
                        }
                    }
                    None => break,
                },
                why = &mut cut, if cut_short.is_none() => {
                    cut_short = Some(why);
                    patience = Some(tokio::time::Instant::now() + SUPERVISOR_PATIENCE);
                    program.end();
                }
                // The supervisor itself hangs.
                () = overdue => {
                    patience = None;
                    program.kill();
                }
            }
        }
        let report = program.into_report();
        let mut survivors = report.as_ref().map_or(0, |report| report.survivors);
        if report.is_none() {
            survivors = end_marked(self.marker).await;
        }
        let ended = match (cut_short, report) {
            // The check may have ended by itself meanwhile.
            (Some(why), report) if report.as_ref().is_none_or(|report| report.was_ended) => why,
            (_, Some(report)) => match report.not_started {
                Some(words) => CheckEnd::NotRun(words),
                None => output.ended(report.code),
            },
            (_, None) => CheckEnd::NotRun("the process that watched over it was killed".to_owned()),
        };
        Ok((ended, survivors))
    }
}

/// What a check writes.
struct Output {
    file: Option<File>,
    written: usize,
    /// A line that has no end yet.
    open: Vec<u8>,
    /// What comes next overwrites the line: a carriage return that no line feed follows.
    is_to_restart: bool,
    /// The open line was longer than what is kept of it.
    is_line_cut: bool,
    keys: private_key::Lines,
    /// The newest lines, without terminal escapes.
    lines: VecDeque<String>,
    reader: Reader,
}

impl Output {
    /// Works without a file that cannot be written: the lines are in memory.
    fn to(path: &Path) -> Output {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        Output {
            file: file.ok(),
            written: 0,
            open: Vec::new(),
            is_to_restart: false,
            is_line_cut: false,
            keys: private_key::Lines::default(),
            lines: VecDeque::new(),
            reader: Reader::default(),
        }
    }

    /// Takes in a piece; returns the newest line that it ends.
    fn write(&mut self, bytes: &[u8]) -> Option<String> {
        let room = FILE_KEPT.saturating_sub(self.written);
        self.keep(&bytes[..bytes.len().min(room)]);
        let mut newest = None;
        let mut rest = bytes;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.lengthen(&rest[..end]);
            if rest[end] == b'\n' {
                newest = self.end_line().or(newest);
            } else {
                self.is_to_restart = true;
            }
            rest = &rest[end + 1..];
        }
        self.lengthen(rest);
        newest
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.written += bytes.len();
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_err()
        {
            // The disk is full; the result counts.
            self.file = None;
        }
    }

    fn lengthen(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.is_to_restart) {
            self.open.clear();
            self.is_line_cut = false;
        }
        let room = LINE_KEPT.saturating_sub(self.open.len());
        self.is_line_cut |= bytes.len() > room;
        self.open.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Returns the line unless it is blank.
    fn end_line(&mut self) -> Option<String> {
        self.is_to_restart = false;
        let mut line = shown(&self.open);
        self.open.clear();
        self.reader.line(&line);
        // Half of its last word may be half of a secret.
        if std::mem::take(&mut self.is_line_cut) {
            let words = line.rsplit_once(' ').map_or("", |(words, _)| words);
            line = format!("{words} …").trim_start().to_owned();
        }
        let line = self.keys.shown(line);
        if line.trim().is_empty() {
            return None;
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        Some(line)
    }

    /// How a check that wrote this and ended by itself has ended.
    fn ended(&mut self, code: Option<i32>) -> CheckEnd {
        self.end_line();
        let has_counted = self
            .reader
            .counts()
            .is_some_and(|counts| !counts.is_nothing());
        let missing = missing(self.lines.iter().map(String::as_str));
        match (code, missing) {
            (Some(0), _) => CheckEnd::Passed,
            (Some(_), Some(words)) if !has_counted => CheckEnd::NotRun(words.to_owned()),
            // sh(1): the command was found and cannot be run, or was not found.
            (Some(126 | 127), None) if !has_counted => {
                CheckEnd::NotRun(self.lines.back().cloned().unwrap_or_default())
            }
            (code, _) => CheckEnd::Failed { code },
        }
    }

    /// The last lines.
    fn finish(mut self) -> String {
        self.end_line();
        let lines = self.lines.make_contiguous().join("\n");
        if self.written >= FILE_KEPT {
            self.keep(format!("\n[… the last lines:]\n{lines}\n").as_bytes());
        }
        lines
    }
}

/// A line as a person can read it: no escapes, no control characters, no bytes that are no text.
fn shown(line: &[u8]) -> String {
    let line = if line.contains(&0x1b) {
        strip_ansi_escapes::strip(line)
    } else {
        line.to_vec()
    };
    String::from_utf8_lossy(&line)
        .chars()
        .filter(|c| !c.is_control() || *c == '\t')
        .collect()
}
