//! Ends the processes that a program left, and proves that none is left.
//!
//! A keeper or a supervisor is its descendants' reaper (`PR_SET_CHILD_SUBREAPER`): a detached process, even after
//! `setsid` and `nohup`, becomes its child, so "no child left" is exact. What a killed keeper left is found by the
//! run's marker in `/proc/*/environ`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

use super::{KEEP_MARKER, RUN_MARKER};
use crate::domain::id::RunId;

/// How long a process that outlived claude may take to end after SIGTERM.
pub const GRACE: Duration = Duration::from_millis(200);
/// How long processes may take to end by themselves before they count as survivors.
const GOING_ANYWAY: Duration = Duration::from_millis(30);
/// After SIGKILL nothing can refuse; this only bounds the wait for one stuck in the kernel.
const LAST_WAIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Who is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spared {
    /// Those started with [`KEEP_MARKER`].
    Marked,
    Nobody,
}

/// The processes left by a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// They outlived it and were ended.
    pub ended: usize,
    /// They may continue: see [`KEEP_MARKER`].
    pub kept: usize,
}

/// Ends and reaps all descendants of this process, direct children included, except those that are spared. After
/// SIGTERM they have `grace` to end. Blocks, at most for that and the limits above.
pub fn end_descendants(grace: Duration, spared: Spared) -> Swept {
    let below = || descendants_of(std::process::id(), spared);
    let mut survivors = BTreeSet::new();
    if !nobody_is_left_within(GOING_ANYWAY, spared) {
        survivors = below().to_end;
        signal_all(&survivors, Signal::TERM);
        if !nobody_is_left_within(grace, spared) {
            let deadline = Instant::now() + LAST_WAIT;
            while Instant::now() < deadline {
                let left = below().to_end;
                signal_all(&left, Signal::KILL);
                survivors.extend(left);
                if nobody_is_left_within(PAUSE, spared) {
                    break;
                }
            }
        }
    }
    Swept {
        ended: survivors.len(),
        kept: below().kept,
    }
}

/// Reaps children that were inherited from dead parents, and only those.
pub fn reap_adopted(own_child: Option<u32>) {
    for child in children_of(std::process::id()) {
        if Some(child) != own_child
            && let Some(pid) = as_pid(child)
        {
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}

/// Processes seen below a keeper, each with its start time, so that a later process with its number is not taken for
/// it.
#[derive(Clone, Debug, Default)]
pub struct Seen(BTreeSet<(u32, u64)>);

/// The processes below a living keeper now. They are known even if they drop the run's marker.
pub fn look_below(keeper: i32) -> Seen {
    let keeper = u32::try_from(keeper).unwrap_or(0);
    Seen(
        descendants_of(keeper, Spared::Marked)
            .to_end
            .into_iter()
            .filter_map(|process| Some((process, started_at(process)?)))
            .collect(),
    )
}

/// Whether a keeper has inherited a process: one that something below it has left behind. Its other child is its
/// program.
pub fn has_adopted(keeper: i32) -> bool {
    let children = children_of(u32::try_from(keeper).unwrap_or(0));
    let living = children
        .into_iter()
        .filter(|child| started_at(*child).is_some());
    living.count() > 1
}

/// Ends what a killed keeper left behind: every process that carries the run's marker, or was seen below it.
///
/// Returns how many there were. Blocks for the grace if there are any.
pub fn end_left_behind(run: RunId, seen: &Seen) -> io::Result<usize> {
    let mut ended = BTreeSet::new();
    let left_behind = || -> io::Result<BTreeSet<u32>> {
        let mut found = marked(run)?;
        let still_there = |(process, started): &(u32, u64)| {
            started_at(*process) == Some(*started)
                && !has_variable(*process, &format!("{KEEP_MARKER}="))
        };
        found.extend(
            seen.0
                .iter()
                .filter(|seen| still_there(seen))
                .map(|seen| seen.0),
        );
        Ok(found)
    };
    let found = left_behind()?;
    if found.is_empty() {
        return Ok(0);
    }
    signal_all(&found, Signal::TERM);
    ended.extend(found);
    std::thread::sleep(GRACE);
    let deadline = Instant::now() + LAST_WAIT;
    loop {
        let left = left_behind()?;
        if left.is_empty() || Instant::now() > deadline {
            return Ok(ended.len());
        }
        signal_all(&left, Signal::KILL);
        ended.extend(left);
        std::thread::sleep(PAUSE);
    }
}

/// Processes that carry the run's marker, may not continue, and are not zombies.
fn marked(run: RunId) -> io::Result<BTreeSet<u32>> {
    let marker = format!("{RUN_MARKER}={run}");
    let keep = format!("{KEEP_MARKER}=");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if has_variable(process, &marker) && !has_variable(process, &keep) {
            found.insert(process);
        }
    }
    Ok(found)
}

/// When a process started, in clock ticks since the machine did; `None` if it does not exist or is a zombie. Format:
/// proc_pid_stat(5).
fn started_at(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in the second field may have anything in it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if state == "Z" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// No child is left, or only spared ones.
fn nobody_is_left_within(limit: Duration, spared: Spared) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(_) => return true,
        }
        // A child is left. Only a list of nothing but spared ones proves it spared.
        let left = descendants_of(std::process::id(), spared);
        if left.to_end.is_empty() && left.kept > 0 {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}

#[derive(Default)]
struct Descendants {
    to_end: BTreeSet<u32>,
    kept: usize,
}

fn descendants_of(ancestor: u32, spared: Spared) -> Descendants {
    let mut found = Descendants::default();
    let mut to_visit = vec![ancestor];
    while let Some(parent) = to_visit.pop() {
        for child in children_of(parent) {
            if spared == Spared::Marked && has_variable(child, &format!("{KEEP_MARKER}=")) {
                // Kept with everything it has started.
                found.kept += 1;
            } else if found.to_end.insert(child) {
                to_visit.push(child);
            }
        }
    }
    found
}

/// Whether a process was started with a variable that begins so. Format: proc_pid_environ(5).
fn has_variable(process: u32, start: &str) -> bool {
    fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable.starts_with(start.as_bytes()))
    })
}

/// Children of all threads of a process. Format: proc_pid_task_children(5).
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

fn signal_all(processes: &BTreeSet<u32>, signal: Signal) {
    for process in processes {
        if let Some(pid) = as_pid(*process) {
            let _ = kill_process(pid, signal);
        }
    }
}

fn as_pid(process: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(process).ok()?)
}
