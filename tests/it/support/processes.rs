//! Finds processes on this machine, and ends those that a test started.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal; the process may be gone.
pub fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    let _ = kill_process(process.expect("a process id"), signal);
}

/// Process ids of the keepers whose runs are below this folder.
pub fn keepers_of(folder: &Path) -> Vec<u32> {
    let folder = folder.to_string_lossy().into_owned();
    all()
        .filter(|(_, line)| {
            line.get(1).is_some_and(|word| word == "keep")
                && line.get(2).is_some_and(|run| run.starts_with(&folder))
        })
        .map(|(process, _)| process)
        .collect()
}

/// Process ids of those whose command line has this word in it.
pub fn with_word(word: &str) -> Vec<u32> {
    all()
        .filter(|(_, line)| line.iter().any(|part| part == word))
        .map(|(process, _)| process)
        .collect()
}

/// Process ids of everything below this one.
pub fn descendants_of(ancestor: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut to_visit = vec![ancestor];
    while let Some(parent) = to_visit.pop() {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        for child in children.split_whitespace() {
            let child = child.parse().expect("a process id");
            found.push(child);
            to_visit.push(child);
        }
    }
    found
}

/// The most memory that a process has had so far, in MB. proc_pid_status(5): `VmHWM`
pub fn peak_memory_mb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    kib.and_then(|kib| kib.trim().parse::<u64>().ok())
        .expect("a number")
        / 1024
}

/// What the system calls a process.
pub fn name_of(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/comm"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Process ids of those with a variable that begins so and with a home in this folder.
pub fn with_variable(start: &str, folder: &Path) -> Vec<u32> {
    let home = format!("HOME={}", folder.display());
    all()
        .filter(|(process, _)| {
            let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            let has = |start: &str| {
                environment
                    .split(|byte| *byte == 0)
                    .any(|variable| variable.starts_with(start.as_bytes()))
            };
            has(start) && has(&home)
        })
        .map(|(process, _)| process)
        .collect()
}

pub fn is_alive(process: u32) -> bool {
    // A zombie has ended already.
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().starts_with('Z')))
        .is_some_and(|zombie| !zombie)
}

pub fn wait_until_gone(process: u32, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while is_alive(process) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn all() -> impl Iterator<Item = (u32, Vec<String>)> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let process = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words = line
                .split(|byte| *byte == 0)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            Some((process, words))
        })
}
