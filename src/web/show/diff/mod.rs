//! The text of `git diff` as data, and as markup.
//!
//! Reads the unified format with git's own headers: new, deleted, renamed and copied files, modes, binary files,
//! submodules, quoted paths. What it does not read (a combined diff, a submodule's log) stays as text with its file.
//! Lines keep their bytes, a CR at the end among them. Format: git-diff(1), "Generating patch text with -p".

mod between;
mod file;
mod header;
mod page;
mod read;
mod words;

use std::fmt;
use std::ops::Range;

pub use between::between;
pub use page::{file, lines, markup, name};
pub use read::read;

/// All that a text of `git diff` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// What stands before the first file, such as the table of `--stat`.
    pub before: String,
    pub files: Vec<File>,
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// As it is now; of a deleted file as it was.
    pub path: String,
    /// Of a renamed or copied file.
    pub from: Option<String>,
    pub kind: Kind,
    /// Modes before and after, as git writes them (`100755`), where they differ.
    pub modes: Option<(String, String)>,
    pub is_binary: bool,
    /// It is a repository inside (a submodule): its lines say which commit.
    pub is_repository: bool,
    /// Lines that came.
    pub added: usize,
    /// Lines that went.
    pub removed: usize,
    pub hunks: Vec<Hunk>,
    /// Lines that are none of a unified diff, as they were written.
    pub rest: String,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Changed,
    New,
    Deleted,
    Renamed,
    Copied,
    /// A merge's: only its text is known.
    Combined,
}

/// Lines that stand together. Written out it is its text in the diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The whole line, from `@@` on. Empty if the lines have no numbers.
    pub header: String,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: LineKind,
    /// Its number in the file before; `None` for a line that came, and where its place is not known.
    pub old: Option<u32>,
    /// Its number in the file now; `None` for a line that went, and where its place is not known.
    pub new: Option<u32>,
    /// Without the sign before it and the newline behind it.
    pub text: String,
    /// Where in the text, in bytes, are the words that differ from the line's other version. Empty if there is none, or
    /// if all of it differs.
    pub words: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    Context,
    Added,
    Removed,
    /// `\ No newline at end of file`: about the line before.
    NoNewline,
}

impl LineKind {
    /// What the line begins with.
    pub fn sign(self) -> char {
        match self {
            LineKind::Context => ' ',
            LineKind::Added => '+',
            LineKind::Removed => '-',
            LineKind::NoNewline => '\\',
        }
    }
}

impl fmt::Display for Hunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.header)?;
        for line in &self.lines {
            writeln!(f, "{}{}", line.kind.sign(), line.text)?;
        }
        Ok(())
    }
}
