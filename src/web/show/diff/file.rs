//! One file while its part of a diff is read.

use super::header::{both, unquoted};
use super::{File, Hunk, Kind};

/// git's mode of a repository inside.
const REPOSITORY: &str = "160000";

/// What its headers have said so far.
#[derive(Default)]
pub(super) struct Reading {
    /// Behind `diff --git`.
    names: String,
    /// Behind `---` and `+++`.
    old: Option<String>,
    new: Option<String>,
    /// Behind `rename from` and `rename to`, or of a copy.
    from: Option<String>,
    to: Option<String>,
    kind: Option<Kind>,
    old_mode: Option<String>,
    new_mode: Option<String>,
    is_binary: bool,
    is_repository: bool,
    pub(super) hunks: Vec<Hunk>,
    pub(super) rest: String,
}

impl Reading {
    /// Begins with what stands behind `diff --git`.
    pub(super) fn new(names: &str) -> Reading {
        Reading {
            names: names.to_owned(),
            ..Reading::default()
        }
    }

    /// One whose lines cannot be read; its path is known.
    pub(super) fn as_text(path: &str, first_line: &str) -> Reading {
        Reading {
            new: Some(unquoted(path).into_owned()),
            kind: Some(Kind::Combined),
            rest: format!("{first_line}\n"),
            ..Reading::default()
        }
    }

    pub(super) fn is_as_text(&self) -> bool {
        self.kind == Some(Kind::Combined)
    }

    /// Reads a line before the first hunk; `false` if it says nothing that is known.
    pub(super) fn header(&mut self, line: &str) -> bool {
        let line = line.trim_end_matches('\r');
        let Some((name, value)) = split(line) else {
            return false;
        };
        let path = || Some(unquoted(value).into_owned());
        match name {
            "--- " => self.old = side(value, "a/"),
            "+++ " => self.new = side(value, "b/"),
            "rename from " => (self.from, self.kind) = (path(), Some(Kind::Renamed)),
            "copy from " => (self.from, self.kind) = (path(), Some(Kind::Copied)),
            "rename to " | "copy to " => self.to = path(),
            "new file mode " => {
                self.kind = Some(Kind::New);
                self.is_repository |= value == REPOSITORY;
            }
            "deleted file mode " => {
                self.kind = Some(Kind::Deleted);
                self.is_repository |= value == REPOSITORY;
            }
            "old mode " => self.old_mode = Some(value.to_owned()),
            "new mode " => self.new_mode = Some(value.to_owned()),
            "index " => self.is_repository |= value.ends_with(REPOSITORY),
            "Binary files " | "GIT binary patch" => self.is_binary = true,
            _ => {}
        }
        // The bytes of a binary patch are no header.
        name != "GIT binary patch"
    }

    pub(super) fn finish(self) -> File {
        let renamed = self.from.as_deref().zip(self.to.as_deref());
        let names = both(&self.names, renamed);
        let (old, new) = names
            .map(|(old, new)| (without(&old, "a/"), without(&new, "b/")))
            .unzip();
        let (old, new) = (self.old.or(old), self.new.or(new));
        let is_move = matches!(self.kind, Some(Kind::Renamed | Kind::Copied));
        let from = old.clone().or(self.from).filter(|_| is_move);
        let path = match self.kind {
            Some(Kind::Deleted) => old.or(new),
            _ => new.or(old),
        };
        let count = |kind| {
            let lines = self.hunks.iter().flat_map(|hunk| &hunk.lines);
            lines.filter(|line| line.kind == kind).count()
        };
        File {
            path: path.or(self.to).unwrap_or(self.names),
            from,
            kind: self.kind.unwrap_or(Kind::Changed),
            modes: self.old_mode.zip(self.new_mode),
            is_binary: self.is_binary,
            is_repository: self.is_repository,
            added: count(super::LineKind::Added),
            removed: count(super::LineKind::Removed),
            hunks: self.hunks,
            rest: self.rest,
        }
    }
}

/// Which header a line is, and its value.
fn split(line: &str) -> Option<(&'static str, &str)> {
    const KNOWN: [&str; 15] = [
        "--- ",
        "+++ ",
        "old mode ",
        "new mode ",
        "deleted file mode ",
        "new file mode ",
        "copy from ",
        "copy to ",
        "rename from ",
        "rename to ",
        "similarity index ",
        "dissimilarity index ",
        "index ",
        "Binary files ",
        "GIT binary patch",
    ];
    KNOWN
        .iter()
        .find_map(|name| Some((*name, line.strip_prefix(name)?)))
}

/// A path behind `---` or `+++`; `None` where the file was not, or is no more.
fn side(value: &str, prefix: &str) -> Option<String> {
    // Behind a name with spaces git writes a tab, diff(1) a tab and the time.
    let path = value.split_once('\t').map_or(value, |(path, _)| path);
    (path != "/dev/null").then(|| without(&unquoted(path), prefix))
}

fn without(path: &str, prefix: &str) -> String {
    path.strip_prefix(prefix).unwrap_or(path).to_owned()
}
