//! The keeper: a detached process that owns one claude from start to end.
//!
//! The bot starts it as the hidden subcommand `keep`, in a session of its own, so that nothing that happens to
//! the bot happens to the run. SIGTERM asks it to stop the run. It leaves `exit.json` behind, and no process.
//! It knows nothing of Telegram, of the store, or of what claude's lines mean.
//!
//! Plain blocking code on one `poll`: a keeper stays in memory as long as its run, and an async runtime would
//! be most of it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use fail::fail_point;
use jiff::Timestamp;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, set_child_subreaper, setsid,
};
use signal_hook::consts::{SIGCHLD, SIGTERM};
use signal_hook::low_level::pipe;

use super::folder::{Exit, NotStarted, RunFolder, Spec, Stop, private_append};
use super::host::LINE_LEFT;
use super::input::Input;
use super::{control, install};
use crate::process::RUN_MARKER;
use crate::process::sweep::{self, Spared};

/// How long the keeper tries to write `exit.json` on a full disk.
const ROOM_PATIENCE: Duration = Duration::from_secs(60 * 60);
const ROOM_PAUSE: Duration = Duration::from_millis(500);
/// How long a start that fails is tried again, and how often.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(250);
/// How often the keeper looks whether `stderr.log` has become large.
const STDERR_LOOKED_AT: Duration = Duration::from_secs(5);
/// If memory runs out, the kernel ends claude and what it started rather than the bot or a keeper. Format:
/// proc_pid_oom_score_adj(5).
const OOM_SCORE_ADJUSTMENT: &str = "500";

/// Runs what the folder's spec says, to its end.
///
/// Returns immediately if another keeper has, or had, this run. Errors are those of the folder; `exit.json`
/// says how claude ended.
pub fn keep(folder: &Path) -> anyhow::Result<()> {
    // Fails only for the leader of a process group, which a child of the bot is not.
    let _ = setsid();
    set_child_subreaper(Some(getpid()))
        .context("cannot become the reaper of what the run leaves")?;
    // Before the lock: as soon as it is held, the bot may ask for a stop, which must not end the keeper itself.
    let wakes = Wakes::register().context("cannot hear signals")?;
    let folder = RunFolder::new(folder);
    let Some(lock) = folder.begin().context("cannot take the run's lock")? else {
        return Ok(());
    };
    fail_point!("keeper-begun", |_| std::process::abort());
    let spec = folder.read_spec().context("cannot read what to run")?;
    let started_at = Timestamp::now().as_millisecond();
    let mut exit = run(&folder, &spec, &lock, &wakes)?;
    let swept = sweep::end_descendants(sweep::GRACE, Spared::Marked);
    (exit.survivors, exit.kept) = (swept.ended, swept.kept);
    exit.started_at = started_at;
    exit.ended_at = Timestamp::now().as_millisecond();
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) {
        let cpu = usage.user_time() + usage.system_time();
        exit.cpu_ms = u64::try_from(cpu.num_milliseconds()).unwrap_or(0);
        exit.peak_kib = u64::try_from(usage.max_rss()).unwrap_or(0);
    }
    fail_point!("keeper-ended", |_| std::process::abort());
    leave_word(&folder, &exit)?;
    drop(lock);
    Ok(())
}

/// Writes how the run ended. Waits for room if the disk is full, so that a run that has ended well does not
/// become a lost one.
fn leave_word(folder: &RunFolder, exit: &Exit) -> anyhow::Result<()> {
    let deadline = Instant::now() + ROOM_PATIENCE;
    loop {
        match folder.write_exit(exit) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound || Instant::now() > deadline => {
                return Err(error).context("cannot write how the run ended");
            }
            Err(_) => std::thread::sleep(ROOM_PAUSE),
        }
    }
}

fn run(folder: &RunFolder, spec: &Spec, lock: &File, wakes: &Wakes) -> anyhow::Result<Exit> {
    let mut input = Input::open(folder).context("cannot make claude's input")?;
    let mut child = match start_patiently(folder, spec, wakes)? {
        Ok(child) => child,
        Err(not_started) => return Ok(not_started),
    };
    // claude starts meanwhile; it does nothing until it has its prompt.
    if let Err(error) = folder.make_durable(lock) {
        let _ = child.kill();
        let _ = child.wait();
        return Ok(Exit {
            not_started: Some(NotStarted::Refused(error.to_string())),
            ..Exit::default()
        });
    }
    let claude = pidfd_of(&child)?;
    let time_limit = spec
        .time_limit_ms
        .map(|limit| Instant::now() + Duration::from_millis(limit));
    let mut stop: Option<(Stop, Ladder)> = None;
    // The run's first prompts, and lines that were left before the keeper could be signalled.
    input.take_what_was_left(folder);
    let mut next_look = Instant::now() + STDERR_LOOKED_AT;
    loop {
        input.write();
        let due = match &stop {
            Some((_, ladder)) => ladder.next_at,
            None => time_limit,
        };
        let due = due.map_or(next_look, |due| due.min(next_look));
        let woken = wakes.wait(&claude, &input, Some(due))?;
        if next_look <= Instant::now() {
            // A disk that refuses is met again at the next look.
            let _ = folder.shorten_stderr();
            // Lines that could not be taken, because the disk was full.
            input.take_what_was_left(folder);
            next_look = Instant::now() + STDERR_LOOKED_AT;
        }
        if woken.line_left || woken.asked_to_stop {
            // Lines that were left before a stop go to claude before it is interrupted.
            input.take_what_was_left(folder);
        }
        if woken.claude_ended
            && let Some(status) = child.try_wait()?
        {
            return Ok(exit_of(status, stop.map(|(why, _)| why)));
        }
        let now = Instant::now();
        if woken.asked_to_stop && stop.is_none() {
            stop = Some((Stop::Asked, Ladder::new(now)));
        }
        if woken.child_died {
            sweep::reap_adopted(Some(child.id()));
        }
        if stop.is_none() && time_limit.is_some_and(|limit| limit <= now) {
            stop = Some((Stop::TimeLimit, Ladder::new(now)));
        }
        if let Some((_, ladder)) = &mut stop
            && ladder.next_at.is_some_and(|next| next <= now)
        {
            ladder.climb(now, &child, &mut input);
        }
    }
}

/// What the keeper waits for, besides claude's end and the clock.
struct Wakes {
    stop_requests: UnixStream,
    lines_left: UnixStream,
    deaths: UnixStream,
}

#[derive(Default)]
struct Woken {
    claude_ended: bool,
    asked_to_stop: bool,
    /// A line was left for claude.
    line_left: bool,
    /// A child died: claude, or one that was inherited from a dead parent.
    child_died: bool,
}

impl Wakes {
    fn register() -> io::Result<Wakes> {
        Ok(Wakes {
            stop_requests: signals(SIGTERM)?,
            lines_left: signals(LINE_LEFT.as_raw())?,
            deaths: signals(SIGCHLD)?,
        })
    }

    /// Sleeps until somebody asks for a stop, for so long at most.
    fn asked_to_stop(&self, pause: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(pause).ok();
        let mut sources = [PollFd::new(&self.stop_requests, PollFlags::IN)];
        match poll(&mut sources, timeout.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
            Ok(_) => Ok(drain(&self.stop_requests)),
            Err(error) => Err(error.into()),
        }
    }

    /// Sleeps until something happens, until `due` at the latest. Room in `input` wakes it only if bytes wait to be
    /// written.
    fn wait(&self, claude: &OwnedFd, input: &Input, due: Option<Instant>) -> io::Result<Woken> {
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        // A timeout that is too long for `Timespec` is none.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut sources = [
            PollFd::new(claude, PollFlags::IN),
            PollFd::new(&self.stop_requests, PollFlags::IN),
            PollFd::new(&self.lines_left, PollFlags::IN),
            PollFd::new(&self.deaths, PollFlags::IN),
            PollFd::new(input.fifo(), input.awaited()),
        ];
        match poll(&mut sources, timeout.as_ref()) {
            Ok(_) => {}
            // A signal interrupted the wait; the next wait sees its byte.
            Err(rustix::io::Errno::INTR) => return Ok(Woken::default()),
            Err(error) => return Err(error.into()),
        }
        let [claude, stop_requests, lines_left, deaths, _] =
            sources.map(|source| !source.revents().is_empty());
        Ok(Woken {
            claude_ended: claude,
            asked_to_stop: stop_requests && drain(&self.stop_requests),
            line_left: lines_left && drain(&self.lines_left),
            child_died: deaths && drain(&self.deaths),
        })
    }
}

/// A stream that gets a byte for each such signal.
fn signals(signal: i32) -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    pipe::register(signal, write)?;
    Ok(read)
}

fn drain(mut stream: &UnixStream) -> bool {
    let mut bytes = [0; 64];
    let mut any = false;
    while matches!(stream.read(&mut bytes), Ok(1..)) {
        any = true;
    }
    any
}

fn pidfd_of(child: &Child) -> anyhow::Result<OwnedFd> {
    let pid = pid_of(child).context("claude has no process id")?;
    pidfd_open(pid, PidfdFlags::empty()).context("claude cannot be watched")
}

fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Starts claude. If that fails, it is tried again for a while: its program may just be replaced, or the system be
/// short of something.
fn start_patiently(
    folder: &RunFolder,
    spec: &Spec,
    wakes: &Wakes,
) -> io::Result<Result<Child, Exit>> {
    let deadline = Instant::now() + start_patience();
    loop {
        let reason = match start(folder, spec) {
            Ok(child) => return Ok(Ok(child)),
            Err(reason) => reason,
        };
        let not_started = Exit {
            not_started: Some(reason.clone()),
            ..Exit::default()
        };
        if reason == NotStarted::WorkspaceMissing || Instant::now() > deadline {
            return Ok(Err(not_started));
        }
        if wakes.asked_to_stop(START_PAUSE)? {
            return Ok(Err(Exit {
                stopped: Some(Stop::Asked),
                ..not_started
            }));
        }
    }
}

fn start_patience() -> Duration {
    fail_point!("start-patience", |_| Duration::from_millis(500));
    START_PATIENCE
}

fn start(folder: &RunFolder, spec: &Spec) -> Result<Child, NotStarted> {
    let refused = |error: io::Error| NotStarted::Refused(error.to_string());
    // `spawn` gives the same error for a missing folder and a missing program.
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
        .inspect(|child| {
            // claude's children inherit it. If the system does not allow it, nothing else changes.
            let _ = std::fs::write(
                format!("/proc/{}/oom_score_adj", child.id()),
                OOM_SCORE_ADJUSTMENT,
            );
        })
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                install::missing(&spec.program, std::env::var_os("PATH").as_deref())
            }
            _ => refused(error),
        })
}

/// The steps that end a run, the gentlest first. SIGTERM is none: until 2.1.197 it orphans the
/// command that claude runs.
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

    /// Takes the step that is due and sets the time of the next; the last is 2.4 s after the first. After SIGINT claude
    /// needs up to 1.6 s to end what it runs (2.1.332).
    fn climb(&mut self, now: Instant, child: &Child, input: &mut Input) {
        let (next, pause_ms) = match self.step {
            Rung::Interrupt => {
                input.push(control::interrupt());
                (Rung::EndSession, 300)
            }
            Rung::EndSession => {
                input.push(control::end_session());
                (Rung::Sigint, 400)
            }
            Rung::Sigint => {
                signal_child(child, Signal::INT);
                (Rung::Sigkill, 1_700)
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
    if let Some(pid) = pid_of(child) {
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
