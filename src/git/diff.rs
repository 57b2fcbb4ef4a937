//! The files that changed since a snapshot, and how far a branch is ahead of the remotes.

use crate::domain::changes::{Became, Changed, Files, Remote};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::call::Call;
use super::repository::Repository;
use super::{GitError, push};

/// How many bytes of a diff are kept; a larger file helps nobody on a phone.
const PATCH_KEPT: usize = 10 * 1024 * 1024;
/// How much of the list of changed files is kept, in bytes: some hundred thousand files.
const FILES_KEPT: usize = 32 * 1024 * 1024;

/// The files that differ between a snapshot and the last look through `index`, in git's order, with their paths in the
/// session's workspace. Those in `others`, folders of repositories inside, are left to them.
pub async fn files(
    repository: Repository<'_>,
    before: &str,
    index: &Path,
    others: &[PathBuf],
) -> Result<Files, GitError> {
    let arguments = [
        "diff-index",
        "--cached",
        "-z",
        "-M",
        "--raw",
        "--numstat",
        before,
    ];
    let output = repository
        .through(index, arguments)
        .about(but(repository, others).iter().map(OsString::as_os_str))
        .keeping(FILES_KEPT)
        .output()
        .await?;
    let within = repository.name().join("").to_string_lossy().into_owned();
    Ok(parse(&String::from_utf8_lossy(&output.bytes), &within))
}

/// A difference as a patch.
#[derive(Default)]
pub struct Patch {
    pub text: String,
    /// It has only the beginning.
    pub is_cut: bool,
    /// Bytes that are no text were replaced, or a binary file is only named: it cannot be applied.
    pub is_inexact: bool,
}

impl Patch {
    /// Adds that of another repository.
    pub fn add(&mut self, other: Patch) {
        self.text.push_str(&other.text);
        self.is_cut |= other.is_cut;
        self.is_inexact |= other.is_inexact;
    }
}

/// What a snapshot is compared with.
#[derive(Clone, Copy)]
pub enum After<'a> {
    /// The last look through this index.
    Look(&'a Path),
    /// A commit or a tree of the snapshots.
    Kept(&'a str),
}

/// The difference as a patch, below a table of the files. The person's external diff programs and text conversions are
/// not used.
pub async fn patch(
    repository: Repository<'_>,
    before: &str,
    index: &Path,
    others: &[PathBuf],
) -> Result<Patch, GitError> {
    let arguments = in_form(repository, &["diff-index", "--cached", "--stat"], &[before]);
    let call = repository.through(index, arguments.iter().map(String::as_str));
    written(call, repository, others, PATCH_KEPT).await
}

/// The difference as a patch and nothing else; at most so many bytes.
pub async fn plain(
    repository: Repository<'_>,
    before: &str,
    after: After<'_>,
    others: &[PathBuf],
    most: usize,
) -> Result<Patch, GitError> {
    let arguments = match after {
        After::Look(_) => in_form(repository, &["diff-index", "--cached"], &[before]),
        After::Kept(after) => in_form(repository, &["diff-tree", "-r"], &[before, after]),
    };
    let arguments = arguments.iter().map(String::as_str);
    let call = match after {
        After::Look(index) => repository.through(index, arguments),
        After::Kept(_) => repository.snapshots(arguments),
    };
    written(call, repository, others, most).await
}

/// The arguments of a call that writes a patch, with paths as they are in the session's workspace.
fn in_form(repository: Repository<'_>, command: &[&str], sides: &[&str]) -> Vec<String> {
    let within = repository.name().join("").to_string_lossy().into_owned();
    let (from, to) = (
        format!("--src-prefix=a/{within}"),
        format!("--dst-prefix=b/{within}"),
    );
    let form = ["-p", "-M", "--no-color", &from, &to];
    let all = command.iter().chain(&form).chain(sides);
    all.map(|argument| (*argument).to_owned()).collect()
}

async fn written(
    call: Call<'_>,
    repository: Repository<'_>,
    others: &[PathBuf],
    most: usize,
) -> Result<Patch, GitError> {
    let output = call
        .about(but(repository, others).iter().map(OsString::as_os_str))
        .keeping(most)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.bytes);
    let is_binary = |line: &str| line.starts_with("Binary files ") && line.ends_with(" differ");
    Ok(Patch {
        is_inexact: matches!(text, Cow::Owned(_)) || text.lines().any(is_binary),
        text: text.into_owned(),
        is_cut: output.is_cut,
    })
}

/// Everything in a repository but these folders, as arguments.
fn but(repository: Repository<'_>, folders: &[PathBuf]) -> Vec<OsString> {
    let inside = folders
        .iter()
        .filter_map(|folder| folder.strip_prefix(repository.workspace).ok())
        .filter(|name| !name.as_os_str().is_empty());
    let left_out = inside.map(|name| {
        let mut pattern = OsString::from(":(exclude,literal,top)");
        pattern.push(name);
        pattern
    });
    let all = ["--", ":/"].into_iter().map(OsString::from);
    all.chain(left_out).collect()
}

/// How far the current branch is ahead of all remotes, as far as known here: by their branches, and by what telecoder
/// pushed itself (a clone of one branch does not note where it has pushed others).
pub async fn remote(repository: Repository<'_>) -> Result<Remote, GitError> {
    let remotes = repository.person(["remote"]).output().await?.text();
    if remotes.is_empty() {
        return Ok(Remote::None);
    }
    let pushed = push::pushed_before(repository).await;
    let mut ahead = vec![
        "rev-list",
        "--count",
        "--ignore-missing",
        "HEAD",
        "--not",
        "--remotes",
    ];
    ahead.extend(pushed.lines());
    match repository.person(ahead).output().await {
        Ok(count) => Ok(Remote::Ahead(count.text().trim().parse().unwrap_or(0))),
        // No commit yet.
        Err(GitError::Refused { .. }) => Ok(Remote::Ahead(0)),
        Err(other) => Err(other),
    }
}

/// First `:mode mode id id status NUL path NUL` of all, then `added TAB removed TAB path NUL` of all. In the first a
/// rename has two paths, in the second it is `added TAB removed TAB NUL from NUL to NUL`. The paths are in a repository
/// inside the workspace, whose own path ends with a slash. Format: git-diff-index(1).
fn parse(output: &str, within: &str) -> Files {
    let mut fields = output.split('\0').peekable();
    let mut became = HashMap::new();
    while let Some(record) = fields.next_if(|field| field.starts_with(':')) {
        let is_rename = record
            .rsplit(' ')
            .next()
            .is_some_and(|it| it.starts_with(['R', 'C']));
        if is_rename {
            fields.next();
        }
        if let (Some(path), Some(kind)) = (fields.next(), kind_of(record)) {
            became.insert(path, kind);
        }
    }
    let mut files = Files::default();
    while let Some(record) = fields.next() {
        let mut parts = record.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let lines = added.parse().ok().zip(removed.parse().ok());
        let (from, path) = match path {
            "" => match (fields.next(), fields.next()) {
                (Some(from), Some(to)) => (Some(format!("{within}{from}")), to),
                _ => break,
            },
            path => (None, path),
        };
        files.push(Changed {
            path: format!("{within}{path}"),
            from,
            lines,
            became: became.get(path).copied(),
        });
    }
    files
}

/// What a file has become, by its modes before and after: `:100644 100755 …`.
fn kind_of(record: &str) -> Option<Became> {
    let mut modes = record.trim_start_matches(':').split(' ');
    let (before, after) = (modes.next()?, modes.next()?);
    match (before, after) {
        _ if before == after => None,
        (_, "160000") => Some(Became::Repository),
        ("000000", _) | (_, "000000") => None,
        ("100644", "100755") => Some(Became::Executable),
        ("100755", "100644") => Some(Became::NotExecutable),
        (_, "120000") => Some(Became::Link),
        (_, _) => Some(Became::File),
    }
}
