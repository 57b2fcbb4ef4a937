//! A workspace that is a clone: it borrows its objects from the mirror of its URL.

use std::ffi::OsString;
use std::path::Path;

use fail::fail_point;
use tokio::fs;
use uuid::Uuid;

use super::GitError;
use super::branch::{self, Wanted};
use super::checkout;
use super::mirror::Head;
use super::workspace::{Made, Workshop, impossible};
use crate::domain::workspace::Remark;

/// Makes a clone that calls the URL its origin.
pub(super) async fn make(
    shop: &Workshop<'_>,
    url: &str,
    folder: &Path,
    wanted: &Wanted<'_>,
) -> Result<Made, GitError> {
    let git = shop.git;
    let (mirror, head) = shop.mirrors.fetched(git, url, shop.listener).await?;
    let parent = folder.parent().unwrap_or(folder);
    // A git that outlived a killed bot removes its own folder when it fails, so each has its own.
    let half = parent.join(format!("{}{}", half_made(folder), Uuid::new_v4().simple()));
    let arguments = [
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        "--origin",
        "origin",
        "--",
    ]
    .map(OsString::from);
    let folders = [mirror.into_os_string(), half.clone().into()];
    git.call(parent, arguments.into_iter().chain(folders))
        .output()
        .await?;
    git.run(&half, ["remote", "set-url", "origin", url]).await?;
    let made = begin(shop, &half, wanted, head).await?;
    fail_point!("workspace-cloned", |_| std::process::abort());
    fs::rename(&half, folder)
        .await
        .map_err(|error| impossible(folder, &error))?;
    Ok(made)
}

/// Switches to the branch if it exists, here or on the remote; else to a new one from where the remote's `HEAD` is.
async fn begin(
    shop: &Workshop<'_>,
    folder: &Path,
    wanted: &Wanted<'_>,
    head: Head,
) -> Result<Made, GitError> {
    const THERE: &str = "refs/remotes/origin/";
    let git = shop.git;
    let here = branch::all(git, folder, "refs/heads/").await?;
    let there = branch::all(git, folder, THERE).await?;
    let taken: Vec<String> = here.iter().chain(&there).cloned().collect();
    let branch = wanted.beside(&taken)?;
    let mut remarks = Vec::new();
    let start = match head {
        Head::Branch(default) if there.contains(&default) => {
            git.run(folder, ["remote", "set-head", "origin", &default])
                .await?;
            Some(format!("origin/{default}"))
        }
        Head::Detached(commit) => Some(commit),
        Head::Branch(_) | Head::Unknown => branch::likely_default(&there).map(|likely| {
            if !taken.contains(&branch) {
                remarks.push(Remark::BeginsAt(likely.to_owned()));
            }
            format!("origin/{likely}")
        }),
    };
    let mut arguments = vec!["switch", "--quiet", "--progress"];
    if taken.contains(&branch) {
        arguments.extend(["--guess", &branch]);
    } else {
        arguments.extend(["--no-track", "--create", &branch]);
        arguments.extend(start.as_deref());
    }
    remarks.extend(checkout::run(shop, folder, folder, &branch, &arguments).await?);
    Ok(Made { branch, remarks })
}

/// The prefix of unfinished clones' folders.
fn half_made(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!(".cloning-{name}-")
}

pub(super) async fn remove_half_made(folder: &Path) {
    let Some(parent) = folder.parent() else {
        return;
    };
    let Ok(mut entries) = fs::read_dir(parent).await else {
        return;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(&half_made(folder))
        {
            let _ = fs::remove_dir_all(entry.path()).await;
        }
    }
}
