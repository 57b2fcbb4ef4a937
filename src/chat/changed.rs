//! The words about what a run changed: in each repository of the workspace, and what nobody looked at.

use super::evidence::{NAME_SHOWN, OUTPUT_SHOWN};
use crate::domain::changes::{
    Became, Changed, Changes, Commits, Fate, Files, RefChange, Remote, Seen, Work,
};
use crate::domain::outgoing::Folded;
use crate::domain::shown::visible;
use crate::redact::short::{last_lines, one_line};

/// How many files are named.
const FILES_NAMED: usize = 20;
/// How many ignored files are named, how many commits that are gone, and how many things that became of refs.
const IGNORED_NAMED: usize = 3;
const GONE_NAMED: usize = 3;
const REFS_NAMED: usize = 8;
/// The end of the path of git's settings.
const GIT_SETTINGS: &str = ".git/config";

/// The lines about the changes.
pub(super) fn lines(changes: &Changes, seen: Seen) -> Vec<String> {
    let mut lines = Vec::new();
    match seen {
        Seen::Unchanged if changes.all().all(|(_, work)| work.is_silent()) => {
            lines.push(summary(&Files::default()));
        }
        Seen::NotWholly => lines.push("What was looked at has not changed.".to_owned()),
        Seen::Changed | Seen::Unchanged => {}
    }
    if !changes.own.is_still() {
        lines.extend(of_own(&changes.own));
    }
    lines.extend(about_refs(&changes.own).map(|line| capitalised(&line)));
    for (folder, work) in changes.inside.iter().filter(|(_, work)| !work.is_silent()) {
        lines.extend((!work.is_still()).then(|| of_inside(folder, work)));
        lines.extend(about_refs(work).map(|line| format!("In {}: {line}", shown_path(folder))));
    }
    lines.extend(ignored(changes));
    if !changes.unseen.is_empty() {
        lines.push(unseen(changes));
    }
    lines
}

fn of_own(work: &Work) -> Vec<String> {
    vec![summary(&work.files), capitalised(&about(work).join(" · "))]
}

/// `In lib/: cloned, 2 files changed, +3 −1 · 1 commit (…) · branch main`
fn of_inside(folder: &str, work: &Work) -> String {
    let is_untouched = work.files.is_empty() && work.commits.count == 0;
    let mut parts: Vec<String> = Vec::new();
    match &work.fate {
        Some(Fate::Gone) => return format!("In {}: the repository is gone", shown_path(folder)),
        Some(Fate::Cloned) => parts.push("cloned".to_owned()),
        Some(Fate::Worktree) => parts.push("a new worktree".to_owned()),
        Some(Fate::Submodule) => parts.push("a new submodule".to_owned()),
        Some(Fate::New) => parts.push("a new repository".to_owned()),
        None => {}
    }
    if !(is_untouched && work.fate.is_some()) {
        parts.push(lowercased(&summary(&work.files)));
    }
    let mut line = vec![parts.join(", ")];
    line.extend(about(work));
    format!("In {}: {}", shown_path(folder), line.join(" · "))
}

/// Commits, branch and what is not pushed.
fn about(work: &Work) -> Vec<String> {
    let mut about: Vec<String> = Vec::new();
    about.extend(commits(&work.commits));
    match work.brought {
        0 => {}
        1 => about.push("1 commit came from elsewhere".to_owned()),
        many => about.push(format!("{many} commits came from elsewhere")),
    }
    match &work.branch {
        Some(branch) => about.push(format!("branch {}", visible(branch))),
        None => about.push("on no branch (detached HEAD)".to_owned()),
    }
    match work.remote {
        Remote::None => {}
        Remote::Ahead(0) => about.push("nothing to push".to_owned()),
        Remote::Ahead(1) => {
            about.push("1 commit is on no remote branch that is known here (/push)".to_owned());
        }
        Remote::Ahead(many) => about.push(format!(
            "{many} commits are on no remote branch that is known here (/push)"
        )),
    }
    about
}

fn commits(commits: &Commits) -> Option<String> {
    match commits.newest.as_slice() {
        [] => None,
        [only] => Some(format!(
            "1 commit ({} {})",
            only.id,
            visible(&one_line(&only.subject, NAME_SHOWN))
        )),
        _ => Some(format!("{} commits", commits.count)),
    }
}

/// What became of other branches, tags and the stash, and which commits are gone.
fn about_refs(work: &Work) -> Option<String> {
    let mut parts: Vec<String> = work.refs.iter().take(REFS_NAMED).map(about_ref).collect();
    match work.refs.len().saturating_sub(REFS_NAMED) {
        0 => {}
        more => parts.push(format!("{more} more branches or tags")),
    }
    parts.extend(gone(&work.gone));
    if parts.is_empty() {
        return None;
    }
    let line = parts.join(" · ");
    Some(match work.is_shared {
        // The person may have done it in the repository itself.
        true => format!("meanwhile, in the repository of this worktree: {line}"),
        false => line,
    })
}

fn about_ref(change: &RefChange) -> String {
    match change {
        RefChange::Branch {
            name,
            is_new,
            commits,
        } => {
            let name = visible(name);
            let what = match (is_new, commits) {
                (true, 0) => "is new".to_owned(),
                (true, 1) => "is new, with 1 commit".to_owned(),
                (true, many) => format!("is new, with {many} commits"),
                (false, 0) => "is at another commit".to_owned(),
                (false, 1) => "has 1 new commit".to_owned(),
                (false, many) => format!("has {many} new commits"),
            };
            format!("branch {name} {what}")
        }
        RefChange::BranchGone { name, id } => format!("branch {} is gone ({id})", visible(name)),
        RefChange::Tag { name, is_new: true } => format!("tag {} is new", visible(name)),
        RefChange::Tag { name, .. } => format!("tag {} is at another commit", visible(name)),
        RefChange::TagGone { name, id } => format!("tag {} is gone ({id})", visible(name)),
        RefChange::Stashed(1) => "1 new stash".to_owned(),
        RefChange::Stashed(many) => format!("{many} new stashes"),
        RefChange::StashGone { id } => format!("a stash is gone ({id})"),
    }
}

fn gone(commits: &Commits) -> Option<String> {
    let named = commits.newest.iter().take(GONE_NAMED);
    let named: Vec<String> = named
        .map(|commit| {
            let subject = visible(&one_line(&commit.subject, NAME_SHOWN));
            format!("{} {subject}", commit.id)
        })
        .collect();
    let named = named.join(", ");
    match commits.count {
        0 => None,
        1 => Some(format!("1 commit is on no branch any more ({named})")),
        many if many > GONE_NAMED as u64 => Some(format!(
            "{many} commits are on no branch any more ({named}, …)"
        )),
        many => Some(format!(
            "{many} commits are on no branch any more ({named})"
        )),
    }
}

/// Ignored files by their names. Folders that are ignored as a whole are mostly what a build writes, and git writes its
/// settings with every second command.
fn ignored(changes: &Changes) -> Option<String> {
    let all = changes.all();
    let files = all.flat_map(|(_, work)| work.ignored.first.iter());
    let files: Vec<String> = files
        .filter(|name| !name.ends_with('/') && !name.ends_with(GIT_SETTINGS))
        .map(|name| shown_path(name))
        .collect();
    match files.len() {
        0 => None,
        few if few <= IGNORED_NAMED => {
            Some(format!("Written, and not tracked: {}", files.join(", ")))
        }
        many => Some(format!(
            "Written, and not tracked: {} and {} more",
            files[..IGNORED_NAMED].join(", "),
            many - IGNORED_NAMED
        )),
    }
}

/// `No file changed`, as the answer's last line says it, with what else was written. If claude can have written
/// anything, it may have done so elsewhere.
pub fn none_changed(changes: &Changes, can_have_written: bool) -> String {
    let all = changes.all();
    let named: Vec<String> = all
        .flat_map(|(_, work)| work.ignored.first.iter())
        .map(|name| shown_path(name))
        .collect();
    let count: u64 = changes.all().map(|(_, work)| work.ignored.count).sum();
    match named.as_slice() {
        [] if can_have_written => "no file changed in the workspace".to_owned(),
        [] => "no file changed".to_owned(),
        [only] => format!("no file changed in the workspace but {only}, which is not tracked"),
        [first, ..] => format!(
            "no file changed in the workspace but {first} and {} more, which are not tracked",
            count - 1
        ),
    }
}

fn unseen(changes: &Changes) -> String {
    let named = changes.unseen.iter();
    let named = named.filter(|unseen| !unseen.what.is_empty());
    let named: Vec<String> = named
        .map(|unseen| format!("{} ({})", shown_path(&unseen.what), unseen.why))
        .collect();
    match named.is_empty() {
        true => "Not looked at: what git names below".to_owned(),
        false => format!("Not looked at: {}", named.join(", ")),
    }
}

/// git's words about what it could not read.
pub(super) fn not_looked_at(changes: &Changes) -> Option<Folded> {
    let words = changes.unseen.iter();
    let words = words.filter(|unseen| unseen.what.is_empty());
    let words: Vec<&str> = words.map(|unseen| unseen.why.as_str()).collect();
    (!words.is_empty()).then(|| Folded {
        title: "Not looked at, in git's words".to_owned(),
        text: last_lines(&words.join("\n"), OUTPUT_SHOWN),
    })
}

/// The files that an undo does not take back.
pub(super) fn not_kept(changes: &Changes) -> Option<Folded> {
    let all = changes.all();
    let all = all.flat_map(|(folder, work)| {
        let too_large = work.too_large.iter();
        too_large.map(move |file| shown_path(&format!("{folder}{file}")))
    });
    let lines: Vec<String> = all
        .map(|file| format!("{file} is larger than TELECODER_SNAPSHOT_FILE_MAX"))
        .collect();
    (!lines.is_empty()).then(|| Folded {
        title: "Not kept for an undo".to_owned(),
        text: last_lines(&lines.join("\n"), OUTPUT_SHOWN),
    })
}

/// `3 files changed, +40 −12`
pub fn summary(files: &Files) -> String {
    let count = match files.count {
        0 => return "No file changed".to_owned(),
        1 => "1 file changed".to_owned(),
        many => format!("{many} files changed"),
    };
    format!("{count}, +{} −{}", files.added, files.removed)
}

/// The files with their lines, for a folded quote; `None` if there are none.
pub fn file_list(files: &Files) -> Option<Folded> {
    if files.is_empty() {
        return None;
    }
    let mut lines: Vec<String> = files
        .first
        .iter()
        .take(FILES_NAMED)
        .map(file_line)
        .collect();
    match files.count.saturating_sub(lines.len() as u64) {
        0 => {}
        more => lines.push(format!("and {more} more; /diff shows all")),
    }
    Some(Folded {
        title: "Files".to_owned(),
        text: lines.join("\n"),
    })
}

fn file_line(file: &Changed) -> String {
    let became = match file.became {
        Some(Became::Executable) => Some("now executable"),
        Some(Became::NotExecutable) => Some("no longer executable"),
        Some(Became::Link) => Some("now a link"),
        Some(Became::File) => Some("now a file"),
        Some(Became::Repository) => Some("a repository"),
        None => None,
    };
    let lines = match (file.lines, became) {
        (Some((0, 0)), Some(became)) => became.to_owned(),
        (Some((added, removed)), None) => format!("+{added} −{removed}"),
        (Some((added, removed)), Some(became)) => format!("+{added} −{removed}, {became}"),
        (None, _) => "binary".to_owned(),
    };
    let path = shown_path(&file.path);
    match &file.from {
        Some(from) => format!("{lines} {} → {path}", shown_path(from)),
        None => format!("{lines} {path}"),
    }
}

/// A path on one line, with control characters escaped.
fn shown_path(path: &str) -> String {
    let line: String = path
        .chars()
        .flat_map(|c| match c {
            c if c.is_control() => c.escape_default().collect::<Vec<_>>(),
            c => vec![c],
        })
        .collect();
    let line = visible(&line);
    let count = line.chars().count();
    if count <= NAME_SHOWN {
        return line;
    }
    // The end of a path says more than its beginning.
    let tail: String = line.chars().skip(count - NAME_SHOWN).collect();
    format!("…{tail}")
}

pub(super) fn lowercased(text: &str) -> String {
    text.replacen("No file", "no file", 1)
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
