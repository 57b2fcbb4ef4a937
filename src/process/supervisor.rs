//! The supervisor: runs one program, and then ends everything that it started.
//!
//! The bot starts it as the hidden subcommand `supervise`. The program ends by itself, or when the supervisor's stdin
//! ends: the bot closes it to end the program, and the system closes it when the bot is gone. Then no process is left,
//! not even a detached one.
//!
//! Plain blocking code, like the keeper's: it is in memory as long as the program.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open, set_child_subreaper, setsid};
use serde::{Deserialize, Serialize};

use super::sweep::{self, Spared};
use super::terminal::{Screen, Terminal};

/// How long processes may take to clean up after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// When memory runs out, the kernel ends the program rather than the bot. Format: proc_pid_oom_score_adj(5).
const OOM_SCORE_ADJUSTMENT: &str = "500";

/// What a supervisor leaves in its report file: how the program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `None` if a signal or the supervisor ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// It did not end by itself.
    pub was_ended: bool,
    /// The system's words, if it could not be started.
    pub not_started: Option<String>,
    /// Processes that outlived it and were ended.
    pub survivors: usize,
    /// CPU time of the program and of everything it started, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest of them, in KiB.
    pub peak_kib: u64,
}

/// What a supervised program has as input and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No input, and the supervisor's own output.
    Pipes,
    /// The same, in a session of its own, which has no terminal: a shell that thinks that a person sits there does not
    /// wait for one.
    Alone,
    /// A terminal: its screen goes to the supervisor's stdout; the supervisor's stdin is typed into it.
    Terminal,
}

impl Place {
    /// The hidden subcommand.
    pub fn subcommand(self) -> &'static str {
        match self {
            Place::Pipes => "supervise",
            Place::Alone => "supervise-alone",
            Place::Terminal => "supervise-in-terminal",
        }
    }

    pub fn of_subcommand(name: &str) -> Option<Place> {
        [Place::Pipes, Place::Alone, Place::Terminal]
            .into_iter()
            .find(|place| place.subcommand() == name)
    }
}

/// Runs `arguments` (the program first) and returns when no process of it is left.
///
/// The report is written whole or not at all. Errors are those of the report's folder.
pub fn supervise(place: Place, report: &Path, arguments: &[OsString]) -> anyhow::Result<()> {
    set_child_subreaper(Some(getpid()))
        .context("cannot become the reaper of what is left behind")?;
    if place == Place::Alone {
        setsid().context("cannot leave the session that it was started in")?;
    }
    let ended = run(place, arguments)?;
    let bytes = serde_json::to_vec(&ended).context("cannot write a report")?;
    let temporary = report.with_extension("tmp");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, report))
        .context("cannot leave the report")
}

/// Reads the subcommand's arguments.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Option<(PathBuf, Vec<OsString>)> {
    let mut arguments = arguments;
    let report = PathBuf::from(arguments.next()?);
    let program: Vec<OsString> = arguments.collect();
    (!program.is_empty()).then_some((report, program))
}

fn run(place: Place, arguments: &[OsString]) -> anyhow::Result<Report> {
    let Some((program, arguments)) = arguments.split_first() else {
        anyhow::bail!("there is nothing to run");
    };
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    let started = match place {
        Place::Pipes | Place::Alone => command
            .stdin(Stdio::null())
            .spawn()
            .map(|child| (child, None)),
        Place::Terminal => Terminal::open()
            .and_then(|terminal| terminal.start(command))
            .map(|(child, screen)| (child, Some(screen))),
    };
    let (mut child, screen) = match started {
        Ok(started) => started,
        Err(error) => {
            return Ok(Report {
                not_started: Some(error.to_string()),
                ..Report::default()
            });
        }
    };
    // Its children inherit it. If the system refuses, nothing else changes.
    let _ = fs::write(
        format!("/proc/{}/oom_score_adj", child.id()),
        OOM_SCORE_ADJUSTMENT,
    );
    let status = wait(&mut child, screen)?;
    let swept = sweep::end_descendants(GRACE, Spared::Nobody);
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
    let cpu = usage.map(|usage| (usage.user_time() + usage.system_time()).num_milliseconds());
    Ok(Report {
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        was_ended: status.is_none(),
        not_started: None,
        // Processes ended with the program did not outlive it.
        survivors: status.map_or(0, |_| swept.ended),
        cpu_ms: u64::try_from(cpu.unwrap_or(0)).unwrap_or(0),
        peak_kib: usage.map_or(0, |usage| u64::try_from(usage.max_rss()).unwrap_or(0)),
    })
}

/// `None` if the program is to be ended: the other end of stdin is closed.
fn wait(child: &mut Child, screen: Option<Screen>) -> anyhow::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.context("the program has no process id")?;
    let ended = pidfd_open(pid, PidfdFlags::empty()).context("the program cannot be watched")?;
    if let Some(mut screen) = screen {
        return Ok(screen.pass_on(child, &ended)?);
    }
    let stdin = io::stdin();
    loop {
        let mut sources = [
            PollFd::new(&ended, PollFlags::IN),
            PollFd::new(&stdin, PollFlags::IN),
        ];
        match poll(&mut sources, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [has_ended, is_told] = sources.map(|source| !source.revents().is_empty());
        if has_ended && let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if is_told && !matches!(stdin.lock().read(&mut [0; 16]), Ok(1..)) {
            return Ok(None);
        }
    }
}
