//! The data folder: whether it exists, its owner and rights, the free room, and what fills it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;

use super::Ground;
use super::report::{Check, Finding, bytes};
use crate::git::objects;

const LITTLE: u64 = 1_000_000_000;
const TOO_LITTLE: u64 = 100_000_000;
/// How long sizes are added up; after that a sum is "more than".
const ADDING_UP: Duration = Duration::from_millis(1_000);

pub(super) fn look(ground: &Ground) -> Vec<Finding> {
    let Some(folder) = &ground.known.data else {
        return vec![Check::Data.broken(
            "its path is not known",
            "Set TELECODER_DATA to the full path of a folder",
        )];
    };
    let shown = folder.display();
    let there = match folder.metadata() {
        Ok(there) if there.is_dir() => there,
        Ok(_) => {
            return vec![Check::Data.broken(
                format!("{shown} is no folder"),
                "Move it away, or set TELECODER_DATA to another place",
            )];
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![to_be_made(folder)];
        }
        Err(error) => {
            return vec![Check::Data.broken(
                format!("{shown} cannot be looked at: {error}"),
                "Run this as the owner of the folder",
            )];
        }
    };
    let mut findings: Vec<Finding> = [
        rights(folder, &there),
        owner(ground, folder, &there),
        writable(folder),
    ]
    .into_iter()
    .flatten()
    .collect();
    if findings.is_empty() {
        findings.push(Check::Data.good(format!("{shown}, yours alone and writable")));
    }
    findings
}

/// The first start makes it, if possible.
fn to_be_made(folder: &Path) -> Finding {
    let shown = folder.display();
    match can_be_made(folder) {
        true => Check::Data.good(format!(
            "{shown} is not there yet; telecoder makes it when it starts"
        )),
        false => Check::Data.broken(
            format!("{shown} is not there and cannot be made"),
            format!(
                "sudo install -d -m 700 -o $USER {shown}, or set TELECODER_DATA to another place"
            ),
        ),
    }
}

/// Whether this user could make this file or folder, or write into it. Tried with an unnamed file: for root, the rights
/// are not the whole truth.
pub fn can_be_made(path: &Path) -> bool {
    let there = path.ancestors().find(|above| above.exists());
    there.is_some_and(|folder| tempfile::tempfile_in(folder).is_ok())
}

fn rights(folder: &Path, there: &Metadata) -> Option<Finding> {
    let mode = there.mode() & 0o777;
    (mode & 0o077 != 0).then(|| {
        Check::Data.broken(
            format!(
                "{} can be read by others (its rights are {mode:03o}): it has prompts and answers",
                folder.display()
            ),
            format!("chmod 700 {}", folder.display()),
        )
    })
}

fn owner(ground: &Ground, folder: &Path, there: &Metadata) -> Option<Finding> {
    let of_service = ground.manager.unit().and_then(|unit| unit.other_user());
    let (wanted, name) = match of_service {
        Some(user) => (user.uid.as_raw(), user.name),
        None => (geteuid().as_raw(), "$USER".to_owned()),
    };
    (there.uid() != wanted).then(|| {
        Check::Data.broken(
            format!(
                "{} belongs to another user (number {})",
                folder.display(),
                there.uid()
            ),
            format!(
                "Run telecoder as that user, or sudo chown -R {name} {}",
                folder.display()
            ),
        )
    })
}

fn writable(folder: &Path) -> Option<Finding> {
    let error = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
    Some(Check::Data.broken(
        format!("{} cannot be written: {error}", folder.display()),
        "Check its owner, its rights and whether its disk is mounted read-only",
    ))
}

/// The room on the disk of the data folder, and what telecoder takes of it.
pub(super) fn look_at_space(ground: &Ground) -> Vec<Finding> {
    let folder = ground.known.data.as_deref();
    let there = folder.and_then(|folder| folder.ancestors().find(|above| above.exists()));
    let Some(disk) = there.and_then(|there| statvfs(there).ok()) else {
        return vec![Check::Space.remark("not looked at: there is no data folder")];
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let whole = disk.f_blocks.saturating_mul(disk.f_frsize);
    let found = format!(
        "{} of {} free{}",
        bytes(free),
        bytes(whole),
        folder.map_or_else(String::new, taken)
    );
    const REMEDY: &str = "Make room: `docker system prune`, old logs (journalctl --vacuum-size=200M), or \
                          workspaces of sessions that nobody needs (telecoder session list)";
    vec![match free {
        ..TOO_LITTLE => Check::Space.broken(found, REMEDY),
        TOO_LITTLE..LITTLE => Check::Space.warning(found, REMEDY),
        _ => Check::Space.good(found),
    }]
}

fn taken(folder: &Path) -> String {
    let deadline = Instant::now() + ADDING_UP;
    let parts: Vec<String> = ["workspaces", "mirrors", "runs", "snapshots"]
        .into_iter()
        .filter(|part| folder.join(part).is_dir())
        .map(|part| match room_of(part, &folder.join(part), deadline) {
            Ok(size) => format!("{part} {}", bytes(size)),
            Err(size) => format!("{part} more than {}", bytes(size)),
        })
        .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("; telecoder takes: {}", parts.join(", ")),
    }
}

fn room_of(part: &str, folder: &Path, deadline: Instant) -> Result<u64, u64> {
    match part {
        "snapshots" => objects::taken_by(folder, deadline),
        _ => objects::added_up(folder, deadline, |_| true),
    }
}
