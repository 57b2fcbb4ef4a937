//! The shared store: one bare repository per URL, from which workspaces borrow their objects.
//!
//! A workspace's clone has no copy of the history, only a pointer into the mirror (`objects/info/alternates`,
//! gitrepository-layout(5)), so a second session on a big repository starts immediately. Hence a mirror's branches
//! follow the remote's, but its objects are never removed.
//!
//! # Crashes
//! A mirror is made under another name and renamed when complete. git makes fetches safe itself: it writes objects
//! first and refs last. A killed fetch is repeated.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fail::fail_point;
use tokio::fs;
use uuid::Uuid;

use super::call::Call;
use super::{Git, GitError, Listener};

/// The prefix of unfinished mirrors' folders.
const HALF_MADE: &str = ".new-";
/// What a mirror has of the remote.
const EVERYTHING: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Where a remote's `HEAD` is.
pub enum Head {
    Branch(String),
    /// At this commit, which the mirror has.
    Detached(String),
    /// At no commit, or the remote does not say.
    Unknown,
}

/// `mirrors/` in the data folder.
pub struct Mirrors {
    folder: PathBuf,
    /// One fetch per mirror at a time.
    locks: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
}

impl Mirrors {
    pub fn new(folder: PathBuf) -> Mirrors {
        Mirrors {
            folder,
            locks: Mutex::default(),
        }
    }

    /// The mirror of a URL, brought up to date, and where the remote's `HEAD` is.
    ///
    /// Errors are git's.
    pub async fn fetched(
        &self,
        git: &Git,
        url: &str,
        listener: Listener<'_>,
    ) -> Result<(PathBuf, Head), GitError> {
        let mirror = self.folder.join(name_of(url));
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(mirror.clone()).or_default())
        };
        let _only_one = tokio::select! {
            lock = lock.lock() => lock,
            () = listener.stop.cancelled() => return Err(GitError::Stopped),
        };
        if !mirror.is_dir() {
            let made = self.make(git, &mirror, url, "sha1", listener).await;
            if let Err(failure @ GitError::Refused { .. }) = made {
                if !has_long_names(git, &self.folder, url, listener).await {
                    return Err(failure);
                }
                self.make(git, &mirror, url, "sha256", listener).await?;
            } else {
                made?;
            }
        } else {
            fetch(git, &mirror, url, &EVERYTHING, listener).await?;
        }
        let head = head(git, &mirror, url, listener).await?;
        Ok((mirror, head))
    }

    /// Makes a mirror whose objects are named by this hash: almost every host has sha1.
    async fn make(
        &self,
        git: &Git,
        mirror: &Path,
        url: &str,
        hash: &str,
        listener: Listener<'_>,
    ) -> Result<(), GitError> {
        let unusable = |error: std::io::Error| {
            GitError::Impossible(format!(
                "{} cannot be used ({error})",
                self.folder.display()
            ))
        };
        fs::create_dir_all(&self.folder).await.map_err(unusable)?;
        let name = name_of(url);
        self.remove_half_made(&name).await;
        let half = self
            .folder
            .join(format!("{HALF_MADE}{name}-{}", Uuid::new_v4().simple()));
        let made = async {
            let folder: OsString = half.clone().into();
            let hash = format!("--object-format={hash}");
            let arguments = ["init", "--quiet", "--bare", "--initial-branch=main", &hash];
            let arguments = arguments.map(OsString::from).into_iter().chain([folder]);
            git.call(&self.folder, arguments).output().await?;
            // Existing workspaces need these objects; and a detached cleanup would be ended with the fetch.
            for (name, value) in [
                ("gc.pruneExpire", "never"),
                ("gc.autoDetach", "false"),
                ("maintenance.autoDetach", "false"),
            ] {
                bare(git, &half, ["config", name, value]).output().await?;
            }
            fetch(git, &half, url, &EVERYTHING, listener).await?;
            fail_point!("mirror-fetched", |_| std::process::abort());
            fs::rename(&half, mirror).await.map_err(unusable)
        };
        let made = made.await;
        if made.is_err() {
            let _ = fs::remove_dir_all(&half).await;
        }
        made
    }

    /// Removes what a killed bot left.
    async fn remove_half_made(&self, name: &str) {
        let Ok(mut entries) = fs::read_dir(&self.folder).await else {
            return;
        };
        let prefix = format!("{HALF_MADE}{name}-");
        while let Ok(Some(entry)) = entries.next_entry().await {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_dir_all(entry.path()).await;
            }
        }
    }
}

/// Names the repository explicitly: `safe.bareRepository` may require that.
fn bare<'a, 'b>(
    git: &'a Git,
    mirror: &'a Path,
    arguments: impl IntoIterator<Item = &'b str>,
) -> Call<'a> {
    let arguments = arguments.into_iter().map(OsString::from);
    git.call(mirror, arguments).with("GIT_DIR", mirror)
}

/// The URL is named every time, so that no password in it is written into the mirror's settings.
///
/// A remote that is a shallow clone itself makes the mirror shallow; git refuses its branches otherwise.
async fn fetch(
    git: &Git,
    mirror: &Path,
    url: &str,
    wanted: &[&str],
    listener: Listener<'_>,
) -> Result<(), GitError> {
    let arguments = [
        "fetch",
        "--progress",
        "--prune",
        "--update-shallow",
        "--no-write-fetch-head",
        "--",
        url,
    ];
    bare(
        git,
        mirror,
        arguments.into_iter().chain(wanted.iter().copied()),
    )
    .supervised(listener)
    .await
    .map(drop)
}

/// Where the remote's `HEAD` is. Format: `git ls-remote --symref`.
async fn head(
    git: &Git,
    mirror: &Path,
    url: &str,
    listener: Listener<'_>,
) -> Result<Head, GitError> {
    let arguments = ["ls-remote", "--symref", "--", url, "HEAD"];
    let output = bare(git, mirror, arguments)
        .supervised(listener)
        .await?
        .text();
    let values = || {
        output
            .lines()
            .filter_map(|line| line.strip_suffix("\tHEAD"))
    };
    let branch = values().find_map(|value| value.strip_prefix("ref: refs/heads/"));
    if let Some(branch) = branch {
        return Ok(Head::Branch(branch.to_owned()));
    }
    let Some(commit) = values().find(|value| !value.starts_with("ref: ")) else {
        return Ok(Head::Unknown);
    };
    let is_here = ["cat-file", "-e", commit];
    if bare(git, mirror, is_here).output().await.is_err() {
        // No branch has it.
        fetch(git, mirror, url, &["HEAD"], listener).await?;
    }
    Ok(Head::Detached(commit.to_owned()))
}

/// Whether the remote's objects are named by sha256: 64 digits.
async fn has_long_names(git: &Git, folder: &Path, url: &str, listener: Listener<'_>) -> bool {
    let listed = git.call(folder, ["ls-remote", "--", url]);
    let listed = listed.supervised(listener).await;
    listed.is_ok_and(|listed| {
        let text = listed.text();
        let first = text.split('\t').next().unwrap_or_default();
        first.len() == 64
    })
}

/// Names the mirror of a URL, readable and unique. Everybody who may fetch the URL may use the mirror, so credentials
/// in it do not matter; but over ssh, another user name may be another repository.
fn name_of(url: &str) -> String {
    let plain = match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => authority.rsplit('@').next().unwrap_or_default(),
                _ => authority,
            };
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    };
    let plain = plain.trim_end_matches('/');
    let plain = plain.strip_suffix(".git").unwrap_or(plain);
    let readable: String = plain
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .take(40)
        .collect();
    format!("{readable}-{:016x}.git", fnv(plain.as_bytes()))
}

/// FNV-1a, 64 bits: the same in every version of telecoder.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
