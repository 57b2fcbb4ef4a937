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
    check(&path, roots)?;
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
        let with_ending = format!("{}.git", rest.trim_end_matches('/'));
        // git tries the name with `.git` behind it too.
        let mut paths = [rest, &with_ending]
            .into_iter()
            .filter_map(|path| Path::new(path).canonicalize().ok())
            .peekable();
        if !is_plain || paths.peek().is_none() {
            return Err(Unusable::Outside(roots.to_owned()));
        }
        paths.try_for_each(|path| check(&path, roots))?;
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

/// Checks a folder, and all that git reads of the repository around it.
fn check(path: &Path, roots: &[PathBuf]) -> Result<(), Unusable> {
    if roots.is_empty() {
        return Ok(());
    }
    within(path, roots)?;
    let parts = parts_of_repository(path);
    parts.iter().try_for_each(|part| within(part, roots))
}

/// Where the repository around a folder, or the bare one that it is, really lies: its top, what its `.git` points to,
/// and from where it borrows. Format: gitrepository-layout(5).
fn parts_of_repository(folder: &Path) -> Vec<PathBuf> {
    let Some(top) = folder.ancestors().find(|above| above.join(".git").exists()) else {
        return parts_of_git_folder(folder);
    };
    let pointed_to = file::text(&top.join(".git"))
        .and_then(|text| Some(top.join(text.strip_prefix("gitdir:")?.trim())))
        .unwrap_or_else(|| top.join(".git"));
    let mut parts = vec![top.to_owned()];
    parts.extend(parts_of_git_folder(&pointed_to));
    parts
}

/// The `.git` folder itself, the one it shares with other worktrees, its objects, and those of others that it uses.
fn parts_of_git_folder(git: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = git.canonicalize().into_iter().collect();
    let common = file::text(&git.join("commondir")).map(|text| git.join(text.trim()));
    let common = common.unwrap_or_else(|| git.to_owned());
    parts.extend(common.canonicalize());
    let mut stores = vec![common.join("objects")];
    while let Some(objects) = stores.pop() {
        let Ok(objects) = objects.canonicalize() else {
            continue;
        };
        // Two may borrow from each other.
        if parts.contains(&objects) {
            continue;
        }
        let borrowed = file::text(&objects.join("info/alternates")).unwrap_or_default();
        let borrowed = borrowed.lines().map(str::trim);
        let named = borrowed.filter(|line| !line.is_empty() && !line.starts_with('#'));
        stores.extend(named.map(|line| objects.join(line)));
        parts.push(objects);
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
