//! What a person named in `/new`: a URL that git can clone, or a repository on this machine.

use crate::domain::workspace::Unusable;
use std::path::{Path, PathBuf};

use super::file;
use crate::domain::session::Source;

/// URL schemes that only name a repository; `ext::` runs a command.
const SCHEMES: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// Reads what a person named. `roots` are the folders that may contain local repositories; empty: anywhere.
///
/// Reads the file system, which may block.
pub fn named(named: &str, roots: &[PathBuf]) -> Result<Source, Unusable> {
    if named.starts_with('-') || named.chars().any(char::is_control) {
        return Err(Unusable::Unknown);
    }
    if let Some((scheme, rest)) = named.split_once("://")
        && !scheme.contains(['/', ':'])
    {
        return url(named, scheme, rest, roots);
    }
    if let Some((helper, _)) = named.split_once("::")
        && !helper.contains('/')
    {
        return Err(Unusable::Transport(helper.to_owned()));
    }
    if is_scp_like(named) {
        return Ok(Source::Clone(named.to_owned()));
    }
    let path = folder(named).ok_or(Unusable::Unknown)?;
    within(&path, roots)?;
    for part in parts_of_repository(&path) {
        within(&part, roots)?;
    }
    Ok(Source::Worktree(path))
}

fn url(named: &str, scheme: &str, rest: &str, roots: &[PathBuf]) -> Result<Source, Unusable> {
    if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(Unusable::Transport(scheme.to_owned()));
    }
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    if host.starts_with('-') {
        // ssh would take it for an option.
        return Err(Unusable::Unknown);
    }
    if scheme.eq_ignore_ascii_case("file") && !roots.is_empty() {
        // git ignores a host, and we must not guess how it reads an escape.
        let is_plain = rest.starts_with('/') && !rest.contains('%');
        let path = Path::new(rest).canonicalize().ok();
        match path.filter(|_| is_plain) {
            Some(path) => within(&path, roots)?,
            None => return Err(Unusable::Outside(roots.to_owned())),
        }
    }
    Ok(Source::Clone(named.to_owned()))
}

/// A full path or one from `~/`, links followed.
fn folder(named: &str) -> Option<PathBuf> {
    let path = match named.strip_prefix("~/") {
        Some(rest) => PathBuf::from(std::env::var_os("HOME")?).join(rest),
        None => PathBuf::from(named),
    };
    let path = path.is_absolute().then_some(path)?.canonicalize().ok()?;
    path.is_dir().then_some(path)
}

/// Where the repository around a folder really is: its top, and what its `.git` points to. Format:
/// gitrepository-layout(5).
fn parts_of_repository(folder: &Path) -> Vec<PathBuf> {
    let Some(top) = folder.ancestors().find(|above| above.join(".git").exists()) else {
        return Vec::new();
    };
    let mut parts = vec![top.to_owned()];
    if let Some(text) = file::text(&top.join(".git"))
        && let Some(target) = text.strip_prefix("gitdir:")
    {
        parts.extend(top.join(target.trim()).canonicalize());
    } else {
        parts.extend(top.join(".git").canonicalize());
    }
    parts
}

fn within(path: &Path, roots: &[PathBuf]) -> Result<(), Unusable> {
    let is_within = |root: &PathBuf| {
        let root = root.canonicalize();
        root.is_ok_and(|root| path.starts_with(root))
    };
    if roots.is_empty() || roots.iter().any(is_within) {
        return Ok(());
    }
    Err(Unusable::Outside(roots.to_owned()))
}

/// `user@host:path`, as git reads it: a colon before the first slash.
fn is_scp_like(named: &str) -> bool {
    named.split_once(':').is_some_and(|(host, path)| {
        let name = host.rsplit('@').next().unwrap_or_default();
        !name.is_empty()
            && !name.starts_with('-')
            && !path.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "@.-_".contains(c))
    })
}
