//! Reads the text of `git diff`, line by line.

use super::file::Reading;
use super::words::Effort;
use super::{Diff, Hunk, Line, LineKind, words};

/// Reads a whole text. Never fails: what is not understood stays as text.
pub fn read(text: &str) -> Diff {
    let mut reader = Reader {
        diff: Diff::default(),
        file: None,
        hunk: None,
        effort: Effort::default(),
    };
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if !text.is_empty() && !reader.hunk_line(line) {
            reader.line(line, next);
        }
    }
    reader.end_file();
    reader.diff
}

struct Reader {
    diff: Diff,
    file: Option<Reading>,
    hunk: Option<Open>,
    effort: Effort,
}

/// A hunk while its lines are read.
struct Open {
    hunk: Hunk,
    /// The numbers of the next lines.
    old: u32,
    new: u32,
    /// How many lines are still to come.
    old_left: u32,
    new_left: u32,
}

impl Reader {
    /// Adds a line to the hunk that is open; `false` if it is no line of one.
    fn hunk_line(&mut self, line: &str) -> bool {
        let is_taken = self.hunk.as_mut().is_some_and(|open| open.add(line));
        if !is_taken {
            self.end_hunk();
        }
        is_taken
    }

    /// A line outside of hunks, and the one behind it.
    fn line(&mut self, line: &str, next: &str) {
        let is_as_text = self.file.as_ref().is_some_and(Reading::is_as_text);
        if let Some(names) = line.strip_prefix("diff --git ") {
            self.begin(Reading::new(names.trim_end_matches('\r')));
        } else if let Some(path) = combined(line) {
            self.begin(Reading::as_text(path, line));
        } else if let Some(path) = line.strip_prefix("Submodule ") {
            let path = path.split_once(' ').map_or(path, |(path, _)| path);
            self.begin(Reading::as_text(path, line));
        } else if !is_as_text && self.begins_without_git(line, next) {
            let mut file = Reading::default();
            file.header(line);
            self.begin(file);
        } else {
            self.line_of_file(line, is_as_text);
        }
    }

    fn line_of_file(&mut self, line: &str, is_as_text: bool) {
        let Some(file) = &mut self.file else {
            push_line(&mut self.diff.before, line);
            return;
        };
        if is_as_text {
            push_line(&mut file.rest, line);
        } else if let Some(open) = Open::begin(line) {
            self.hunk = Some(open);
        } else {
            let is_before_hunks = file.hunks.is_empty() && file.rest.is_empty();
            if !(is_before_hunks && file.header(line)) {
                push_line(&mut file.rest, line);
            }
        }
    }

    /// A file in the form of diff(1), without git's own line before.
    fn begins_without_git(&self, line: &str, next: &str) -> bool {
        let has_begun = self
            .file
            .as_ref()
            .is_some_and(|file| file.hunks.is_empty() && file.rest.is_empty());
        !has_begun && line.starts_with("--- ") && next.starts_with("+++ ")
    }

    fn begin(&mut self, file: Reading) {
        self.end_file();
        self.file = Some(file);
    }

    fn end_file(&mut self) {
        self.end_hunk();
        if let Some(file) = self.file.take() {
            self.diff.files.push(file.finish());
        }
    }

    fn end_hunk(&mut self) {
        if let (Some(mut open), Some(file)) = (self.hunk.take(), &mut self.file) {
            words::mark(&mut open.hunk.lines, &mut self.effort);
            file.hunks.push(open.hunk);
        }
    }
}

impl Open {
    fn begin(line: &str) -> Option<Open> {
        let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
        let (old, new) = ranges.split_once(" +")?;
        let ((old, old_left), (new, new_left)) = (range(old)?, range(new)?);
        Some(Open {
            hunk: Hunk {
                header: line.to_owned(),
                lines: Vec::new(),
            },
            old,
            new,
            old_left,
            new_left,
        })
    }

    fn add(&mut self, line: &str) -> bool {
        // Some programs leave out the sign of an empty line.
        let (kind, text) = match line.as_bytes().first() {
            None | Some(b' ') => (LineKind::Context, line.get(1..).unwrap_or_default()),
            Some(b'+') => (LineKind::Added, &line[1..]),
            Some(b'-') => (LineKind::Removed, &line[1..]),
            Some(b'\\') => (LineKind::NoNewline, &line[1..]),
            Some(_) => return false,
        };
        let is_old = matches!(kind, LineKind::Context | LineKind::Removed);
        let is_new = matches!(kind, LineKind::Context | LineKind::Added);
        if (is_old && self.old_left == 0) || (is_new && self.new_left == 0) {
            return false;
        }
        self.hunk.lines.push(Line {
            kind,
            old: is_old.then_some(self.old),
            new: is_new.then_some(self.new),
            text: text.to_owned(),
            words: Vec::new(),
        });
        if is_old {
            (self.old, self.old_left) = (self.old.saturating_add(1), self.old_left - 1);
        }
        if is_new {
            (self.new, self.new_left) = (self.new.saturating_add(1), self.new_left - 1);
        }
        true
    }
}

/// `12,3`, or `12` for one line.
fn range(text: &str) -> Option<(u32, u32)> {
    match text.split_once(',') {
        Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    }
}

/// The path of a merge's file.
fn combined(line: &str) -> Option<&str> {
    line.strip_prefix("diff --cc ")
        .or_else(|| line.strip_prefix("diff --combined "))
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}
