//! An edit as the lines of a diff, for the person who is asked to allow it.

/// How many unchanged lines are shown before and after a change.
const AROUND: usize = 2;

/// The lines of a diff from one text to another, with at most `AROUND` lines of an equal beginning and end.
pub(super) fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let alike = |(a, b): &(&&str, &&str)| a == b;
    let before = old.iter().zip(&new).take_while(alike).count();
    let after = old[before..]
        .iter()
        .rev()
        .zip(new[before..].iter().rev())
        .take_while(alike)
        .count();
    let (old_end, new_end) = (old.len() - after, new.len() - after);
    let first = before.saturating_sub(AROUND);
    let last = (old_end + AROUND).min(old.len());
    let lines = |sign: char, lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| format!("{sign}{line}")).collect()
    };
    [
        lines(' ', &old[first..before]),
        lines('-', &old[before..old_end]),
        lines('+', &new[before..new_end]),
        lines(' ', &old[old_end..last]),
    ]
    .concat()
    .join("\n")
}
