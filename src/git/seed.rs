//! Where the first look at a large workspace begins: with what the person's index knows, so that not every file is
//! read.
//!
//! That is taken over only for files which git keeps as they are on the disk: no attribute converts them, and what is
//! kept is as long as the file. All others are read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::GitError;
use super::beside::Beside;
use super::index::copy_time;
use super::present::nul_ended;
use super::repository::Repository;

/// With fewer files, reading them all takes no time that anybody notices.
const MANY: usize = 2_000;

/// Makes an index from the person's, or none. Returns the rights of the files in it.
pub(super) async fn seed(repository: Repository<'_>, index: &Path) -> Beside {
    let begun = begin(repository, index).await;
    begun.unwrap_or_else(|_| {
        // The look begins with nothing.
        let _ = fs::remove_file(index);
        Beside::default()
    })
}

async fn begin(repository: Repository<'_>, index: &Path) -> Result<Beside, GitError> {
    let listed = repository.person(["ls-files", "-z", "-v", "--stage"]);
    let listed = listed.keeping(usize::MAX).output().await?.bytes;
    let entries: Vec<Entry<'_>> = listed.split(|byte| *byte == 0).filter_map(entry).collect();
    let converts = repository.person(["config", "--get", "core.autocrlf"]);
    let converts = converts.output().await.map(|output| output.text());
    let Some(folder) = repository.git_folder() else {
        return Ok(Beside::default());
    };
    let stat = "^core\\.(ignorestat|trustctime|checkstat)$";
    let stat = repository
        .person(["config", "--get-regexp", stat])
        .output()
        .await;
    // What the person's git knows of files may be less than what counts here.
    if stat.is_ok() {
        return Ok(Beside::default());
    }
    if entries.len() < MANY || converts.is_ok_and(|converts| converts != "false") {
        return Ok(Beside::default());
    }
    let persons = folder.join("index");
    let impossible = |error: std::io::Error| GitError::Impossible(error.to_string());
    fs::copy(&persons, index).map_err(impossible)?;
    copy_time(&persons, index).map_err(impossible)?;
    let (converted, sizes) =
        tokio::join!(converted(repository, &entries), sizes(repository, &entries));
    let (converted, sizes) = (converted?, sizes?);
    let mut to_read = BTreeSet::new();
    let mut beside = Beside::default();
    for (entry, kept) in entries.iter().zip(sizes) {
        let path = Path::new(OsStr::from_bytes(entry.path));
        let there = repository.workspace.join(path).symlink_metadata();
        let is_as_long = there.is_ok_and(|there| Some(there.len()) == kept);
        if !entry.is_plain || !is_as_long || converted.contains(entry.path) {
            to_read.insert(path.to_owned());
        } else {
            beside.look_at(repository.workspace, path);
        }
    }
    if to_read.is_empty() {
        return Ok(beside);
    }
    let forget = ["update-index", "--force-remove", "-z", "--stdin"];
    let forget = repository.through(index, forget);
    forget.input(nul_ended(&to_read)).output().await?;
    Ok(beside)
}

struct Entry<'a> {
    /// A file that is not hidden from git's eyes.
    is_plain: bool,
    object: &'a [u8],
    path: &'a [u8],
}

/// `tag mode object stage TAB path`
fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = line[..tab].split(|byte| *byte == b' ');
    let (tag, mode) = (words.next()?, words.next()?);
    Some(Entry {
        is_plain: tag == b"H" && mode.starts_with(b"100"),
        object: words.next()?,
        path: &line[tab + 1..],
    })
}

/// The paths that an attribute of now converts.
async fn converted(
    repository: Repository<'_>,
    entries: &[Entry<'_>],
) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let ask = [
        "check-attr",
        "-z",
        "--stdin",
        "text",
        "crlf",
        "eol",
        "filter",
        "ident",
        "working-tree-encoding",
    ];
    let paths = entries
        .iter()
        .flat_map(|entry| [entry.path, b"\0"].concat());
    let said = repository.person(ask).input(paths.collect());
    let said = said.keeping(usize::MAX).output().await?.bytes;
    let mut fields = said.split(|byte| *byte == 0);
    let mut found = BTreeSet::new();
    // `path NUL attribute NUL value NUL`
    while let (Some(path), Some(_), Some(value)) = (fields.next(), fields.next(), fields.next()) {
        if !matches!(value, b"unspecified" | b"unset") {
            found.insert(path.to_vec());
        }
    }
    Ok(found)
}

/// How many bytes git keeps of each.
async fn sizes(
    repository: Repository<'_>,
    entries: &[Entry<'_>],
) -> Result<Vec<Option<u64>>, GitError> {
    let names = entries
        .iter()
        .flat_map(|entry| [entry.object, b"\n"].concat());
    let ask = repository.snapshots(["cat-file", "--batch-check=%(objectsize)"]);
    let said = ask
        .input(names.collect())
        .keeping(usize::MAX)
        .output()
        .await?;
    Ok(said.text().lines().map(|size| size.parse().ok()).collect())
}
