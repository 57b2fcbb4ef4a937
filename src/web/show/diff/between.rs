//! Two texts as a diff, such as an edit that claude makes.

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use super::words::{self, Effort};
use super::{File, Hunk, Kind, Line, LineKind};

/// How many unchanged lines are shown before and after a change.
const AROUND: usize = 3;
/// Texts with more pairs of lines are not compared: one goes, the other comes.
const MOST_PAIRS: usize = 25_000_000;

/// What differs between two texts. `first` is the number of their first line in the file, where it is known.
pub fn between(path: &str, before: &str, after: &str, first: Option<u32>) -> File {
    let (old, new) = (lines_of(before), lines_of(after));
    let mut effort = Effort::default();
    let groups = group_diff_ops(operations(&old, &new), AROUND);
    let hunks: Vec<Hunk> = groups
        .into_iter()
        .map(|group| {
            let lines = group
                .iter()
                .flat_map(|operation| lines(operation, &old, &new, first));
            let mut lines: Vec<Line> = lines.collect();
            words::mark(&mut lines, &mut effort);
            Hunk {
                header: header(&lines),
                lines,
            }
        })
        .collect();
    let count = |kind| {
        let lines = hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.filter(|line| line.kind == kind).count()
    };
    File {
        path: path.to_owned(),
        from: None,
        kind: Kind::Changed,
        modes: None,
        is_binary: false,
        is_repository: false,
        added: count(LineKind::Added),
        removed: count(LineKind::Removed),
        hunks,
        rest: String::new(),
    }
}

fn lines_of(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    text.strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .collect()
}

fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    if old.len().saturating_mul(new.len()) <= MOST_PAIRS {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    vec![DiffOp::Replace {
        old_index: 0,
        old_len: old.len(),
        new_index: 0,
        new_len: new.len(),
    }]
}

fn lines(operation: &DiffOp, old: &[&str], new: &[&str], first: Option<u32>) -> Vec<Line> {
    let number = |at: usize| Some(first?.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)));
    let line = |kind, text: &str, old, new| Line {
        kind,
        old,
        new,
        text: text.to_owned(),
        words: Vec::new(),
    };
    let (before, after) = (operation.old_range(), operation.new_range());
    if operation.tag() == DiffTag::Equal {
        let both = before.zip(after);
        return both
            .map(|(from, to)| line(LineKind::Context, old[from], number(from), number(to)))
            .collect();
    }
    let went = before.map(|at| line(LineKind::Removed, old[at], number(at), None));
    let came = after.map(|at| line(LineKind::Added, new[at], None, number(at)));
    went.chain(came).collect()
}

/// As git writes it; empty where the lines have no numbers.
fn header(lines: &[Line]) -> String {
    let range = |number: fn(&Line) -> Option<u32>| {
        let mut numbers = lines.iter().filter_map(number);
        let first = numbers.next()?;
        Some(format!("{first},{}", 1 + numbers.count()))
    };
    let old = range(|line| line.old);
    let new = range(|line| line.new);
    if old.is_none() && new.is_none() {
        return String::new();
    }
    let none = || "0,0".to_owned();
    format!(
        "@@ -{} +{} @@",
        old.unwrap_or_else(none),
        new.unwrap_or_else(none)
    )
}
