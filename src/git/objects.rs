//! The person's objects in the folder of the snapshots: linked file by file, so that they take no room and stay when
//! the person's repository is cleaned up.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// Links the objects that are new. Where the file system cannot, they are borrowed (`info/alternates`), and then depend
/// on the person's repository; so do those that it borrows itself.
pub(super) fn link_objects(from: &Path, to: &Path) -> io::Result<()> {
    let mut borrowed = borrowed_by(from);
    let mut folders = vec![("pack".to_owned(), true)];
    for entry in fs::read_dir(from)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            folders.push((name, false));
        }
    }
    'all: for (name, is_packs) in folders {
        let (of, into) = (from.join(&name), to.join(&name));
        let Ok(entries) = fs::read_dir(&of) else {
            continue;
        };
        fs::create_dir_all(&into)?;
        for entry in entries.flatten() {
            let file = entry.file_name();
            let shown = file.to_string_lossy();
            let is_wanted = match is_packs {
                true => [".pack", ".idx", ".rev", ".promisor"]
                    .iter()
                    .any(|end| shown.starts_with("pack-") && shown.ends_with(end)),
                false => !shown.starts_with("tmp_"),
            };
            if !is_wanted {
                continue;
            }
            match fs::hard_link(entry.path(), into.join(&file)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // It was packed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => {
                    borrowed.push(from.to_string_lossy().into_owned());
                    break 'all;
                }
            }
        }
    }
    let alternates = to.join("info/alternates");
    if borrowed.is_empty() && !alternates.exists() {
        return Ok(());
    }
    fs::create_dir_all(to.join("info"))?;
    let known = fs::read_to_string(&alternates).unwrap_or_default();
    let mut lines: Vec<&str> = known.lines().collect();
    lines.extend(borrowed.iter().map(String::as_str));
    lines.sort_unstable();
    lines.dedup();
    fs::write(&alternates, lines.join("\n") + "\n")
}

/// Where the history of a shallow clone ends, it does in the snapshots as well. Format: gitrepository-layout(5),
/// `shallow`.
pub(super) fn take_over_ends(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(ends) = fs::read_to_string(from) else {
        return Ok(());
    };
    let known = fs::read_to_string(to).unwrap_or_default();
    let mut lines: Vec<&str> = known.lines().chain(ends.lines()).collect();
    lines.sort_unstable();
    lines.dedup();
    let all = lines.join("\n") + "\n";
    match all == known {
        true => Ok(()),
        false => fs::write(to, all),
    }
}

/// The object folders that a repository borrows from. Format: gitrepository-layout(5), `objects/info/alternates`.
fn borrowed_by(objects: &Path) -> Vec<String> {
    let lines = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
    let lines = lines
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    // One that is relative is so to the folder of the objects.
    lines
        .map(|line| objects.join(line).to_string_lossy().into_owned())
        .collect()
}

/// What these snapshots take on the disk, in bytes, without the objects that are the person's as well; `Err` with what
/// was added up by the deadline.
pub fn taken_by(snapshots: &Path, deadline: Instant) -> Result<u64, u64> {
    added_up(snapshots, deadline, |file| file.nlink() == 1)
}

/// What a folder takes on the disk, in bytes, of those files that count; `Err` with what was added up by the deadline.
pub fn added_up(
    folder: &Path,
    deadline: Instant,
    counts: impl Fn(&fs::Metadata) -> bool,
) -> Result<u64, u64> {
    const BLOCK: u64 = 512;
    let mut size = 0;
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(there) = entry.metadata() else {
                continue;
            };
            if there.is_dir() {
                left.push(entry.path());
            }
            if there.is_dir() || counts(&there) {
                size += there.blocks() * BLOCK;
            }
        }
        if Instant::now() > deadline {
            return Err(size);
        }
    }
    Ok(size)
}
