//! The names of branches: which one a new workspace is on.

use std::path::Path;

use super::{Git, GitError};
use crate::domain::session::Session;

/// The branch that a workspace is to be on.
pub enum Wanted<'a> {
    /// A person named it.
    Named(&'a str),
    /// It is named after the session; the first name that git can have there.
    Own([String; 2]),
}

impl Wanted<'_> {
    /// Its name beside the branches that there are. Error: git cannot have a branch of that name there.
    ///
    /// A branch is a file in git, so `a` and `a/b` cannot both exist.
    pub(super) fn beside(&self, taken: &[String]) -> Result<String, GitError> {
        match self {
            Wanted::Named(name) => match in_the_way(name, taken) {
                Some(other) => Err(GitError::Impossible(format!(
                    "git cannot have a branch {name} beside the branch {other}; name another one, or leave it out"
                ))),
                None => Ok((*name).to_owned()),
            },
            Wanted::Own([first, second]) => Ok(match in_the_way(first, taken) {
                Some(_) => second.clone(),
                None => first.clone(),
            }),
        }
    }
}

fn in_the_way<'a>(name: &str, taken: &'a [String]) -> Option<&'a String> {
    let is_below = |below: &str, above: &str| {
        below
            .strip_prefix(above)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let clash = |other: &&String| is_below(name, other) || is_below(other, name);
    taken.iter().find(clash)
}

/// The names for a session's own branch: the second where there is a branch called like the prefix.
pub(super) fn own(session: &Session, prefix: &str) -> [String; 2] {
    let name = format!("{prefix}{}", session.id);
    let flat = name.replace('/', "-");
    [name, flat]
}

/// The branch in a worktree's repository that is deleted with the session: the one named after it.
pub fn own_to_go(session: &Session, prefix: &str) -> Option<String> {
    if session.wanted_branch.is_some() {
        return None;
    }
    let [name, _] = own(session, prefix);
    Some(session.branch.clone().unwrap_or(name))
}

/// The branches below a prefix like `refs/heads/`, the newest first, without the prefix.
pub(super) async fn all(git: &Git, folder: &Path, prefix: &str) -> Result<Vec<String>, GitError> {
    let arguments = [
        "for-each-ref",
        "--sort=-committerdate",
        "--format=%(refname)",
        prefix,
    ];
    let listed = git.run(folder, arguments).await?;
    let names = listed.lines().filter_map(|name| name.strip_prefix(prefix));
    Ok(names
        .filter(|name| *name != "HEAD")
        .map(str::to_owned)
        .collect())
}

/// Where to begin if the remote does not say: `main`, `master`, or the newest branch.
pub(super) fn likely_default(branches: &[String]) -> Option<&str> {
    let named = |name: &str| branches.iter().find(|branch| *branch == name);
    named("main")
        .or_else(|| named("master"))
        .or(branches.first())
        .map(String::as_str)
}

/// Checks that git takes a name for a branch, and not for an option.
pub(super) async fn check_name(git: &Git, name: &str) -> Result<(), GitError> {
    let invalid = || GitError::Impossible(format!("{name} is no name for a branch"));
    if name.starts_with('-') {
        return Err(invalid());
    }
    let check = ["check-ref-format", "--branch", name];
    match git.run(Path::new("/"), check).await {
        Ok(_) => Ok(()),
        Err(GitError::Refused { .. }) => Err(invalid()),
        Err(other) => Err(other),
    }
}
