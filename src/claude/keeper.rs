//! The keeper: a detached process that owns one claude from start to end.
//!
//! Started by the bot as the hidden subcommand `keep`, in a session of its own, so that nothing that happens
//! to the bot happens to the run. SIGTERM asks it to stop the run. It leaves `exit.json` behind, and nobody.
//! It knows nothing of Telegram, of the store, or of what claude's lines mean.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper, setsid};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::control;
use super::environment::RUN_MARKER;
use super::folder::{Exit, NotStarted, RunFolder, Spec, Stop, private_append};
use super::sweep;

/// Runs what the folder's spec says, to its end.
///
/// Returns at once when another keeper has, or had, this run. Errors are those of the folder; how claude
/// fared is in `exit.json`.
pub fn keep(folder: &Path) -> anyhow::Result<()> {
    // Fails only for the leader of a process group, which a child of the bot is not.
    let _ = setsid();
    set_child_subreaper(Some(getpid()))
        .context("cannot become the reaper of what the run leaves")?;
    let folder = RunFolder::new(folder);
    let Some(lock) = folder.begin().context("cannot take the run's lock")? else {
        return Ok(());
    };
    let spec = folder.read_spec().context("cannot read what to run")?;
    let started_at = Timestamp::now().as_millisecond();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut exit = runtime.block_on(run(&folder, &spec))?;
    exit.survivors = sweep::end_descendants();
    exit.started_at = started_at;
    exit.ended_at = Timestamp::now().as_millisecond();
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) {
        let cpu = usage.user_time() + usage.system_time();
        exit.cpu_ms = u64::try_from(cpu.num_milliseconds()).unwrap_or(0);
        exit.peak_kib = u64::try_from(usage.max_rss()).unwrap_or(0);
    }
    folder
        .write_exit(&exit)
        .context("cannot write how the run ended")?;
    drop(lock);
    Ok(())
}

async fn run(folder: &RunFolder, spec: &Spec) -> anyhow::Result<Exit> {
    let mut input = open_input(folder).context("cannot make claude's input")?;
    // Registered before claude starts, so that no request to stop can end the keeper itself.
    let mut stop_requests = signal(SignalKind::terminate())?;
    let mut deaths = signal(SignalKind::child())?;

    let mut child = match start(folder, spec) {
        Ok(child) => child,
        Err(reason) => {
            return Ok(Exit {
                not_started: Some(reason),
                ..Exit::default()
            });
        }
    };
    let own_child = child.id();
    feed(&mut input, spec.first_input.clone());

    let time_limit = spec
        .time_limit_ms
        .map(|limit| Instant::now() + Duration::from_millis(limit));
    let mut stop: Option<(Stop, Ladder)> = None;
    let status = loop {
        let next_step = stop.as_ref().and_then(|(_, ladder)| ladder.next_at);
        tokio::select! {
            status = child.wait() => break status?,
            _ = stop_requests.recv() => {
                stop.get_or_insert_with(|| (Stop::Asked, Ladder::new(Instant::now())));
            }
            () = until(time_limit), if stop.is_none() => {
                stop = Some((Stop::TimeLimit, Ladder::new(Instant::now())));
            }
            () = until(next_step) => {
                if let Some((_, ladder)) = &mut stop {
                    ladder.climb(Instant::now(), &child, &mut input);
                }
            }
            _ = deaths.recv() => sweep::reap_adopted(own_child),
        }
    };
    Ok(exit_of(status, stop.map(|(why, _)| why)))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The FIFO, open for reading and writing: it has a reader before claude is there and never ends.
fn open_input(folder: &RunFolder) -> io::Result<File> {
    match mkfifoat(CWD, folder.input(), Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(folder.input())
}

fn start(folder: &RunFolder, spec: &Spec) -> Result<Child, NotStarted> {
    let refused = |error: io::Error| NotStarted::Refused(error.to_string());
    // A missing folder and a missing program are the same error to spawn.
    if !spec.workspace.is_dir() {
        return Err(NotStarted::WorkspaceMissing);
    }
    // Opened anew: non-blocking is a property of the opened file, and claude expects a blocking one.
    let stdin = OpenOptions::new()
        .read(true)
        .write(true)
        .open(folder.input())
        .map_err(refused)?;
    let stdout = private_append(&folder.events()).map_err(refused)?;
    let stderr = private_append(&folder.stderr()).map_err(refused)?;
    Command::new(&spec.program)
        .args(&spec.arguments)
        .current_dir(&spec.workspace)
        .env(RUN_MARKER, spec.run.to_string())
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr))
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NotStarted::ProgramMissing,
            _ => refused(error),
        })
}

/// Writes without ever waiting in the keeper's loop: what the FIFO does not take goes on in a thread.
fn feed(input: &mut File, text: String) {
    let written = match input.write(text.as_bytes()) {
        Ok(written) => written,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(_) => return,
    };
    if written == text.len() {
        return;
    }
    let Ok(mut input) = input.try_clone() else {
        return;
    };
    std::thread::spawn(move || {
        let mut rest = &text.as_bytes()[written..];
        while !rest.is_empty() {
            match input.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(_) => return,
            }
        }
    });
}

/// How a run is ended, gently first. SIGTERM is not on it: it orphans the command that claude runs.
struct Ladder {
    step: Rung,
    next_at: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Rung {
    Interrupt,
    EndSession,
    Sigint,
    Sigkill,
}

impl Ladder {
    fn new(now: Instant) -> Ladder {
        Ladder {
            step: Rung::Interrupt,
            next_at: Some(now),
        }
    }

    /// Takes the step that is due and says when the next one is; the last one is 1.4 s after the first.
    fn climb(&mut self, now: Instant, child: &Child, input: &mut File) {
        let (next, pause_ms) = match self.step {
            Rung::Interrupt => {
                let _ = input.write(control::interrupt().as_bytes());
                (Rung::EndSession, 300)
            }
            Rung::EndSession => {
                let _ = input.write(control::end_session().as_bytes());
                (Rung::Sigint, 400)
            }
            Rung::Sigint => {
                signal_child(child, Signal::INT);
                (Rung::Sigkill, 700)
            }
            Rung::Sigkill => {
                signal_child(child, Signal::KILL);
                self.next_at = None;
                return;
            }
        };
        self.step = next;
        self.next_at = Some(now + Duration::from_millis(pause_ms));
    }
}

fn signal_child(child: &Child, signal: Signal) {
    // The child is not reaped yet, so the id cannot be somebody else's.
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, signal);
    }
}

fn exit_of(status: ExitStatus, stopped: Option<Stop>) -> Exit {
    Exit {
        code: status.code(),
        signal: status.signal(),
        stopped,
        ..Exit::default()
    }
}
