//! The arguments of `/checks`.

use crate::domain::check::Commands;

/// A change to a session's commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChecksChange {
    /// No change: show them.
    Show,
    /// Sets those that are named; an empty command means that there is none.
    Set(Commands),
    /// Nothing is checked. What sets the workspace up stays.
    Off,
    /// Forgets what was set: the commands for all sessions apply.
    Auto,
}

const KEYS: [&str; 3] = ["setup=", "test=", "lint="];

/// Reads `setup=… test=… lint=…` in any order, `off`, `auto`, or nothing. A command extends to the next of these words,
/// with its blanks and quotes; `-` is none.
pub fn read(rest: &str) -> Option<ChecksChange> {
    let rest = rest.trim();
    match rest {
        "" => return Some(ChecksChange::Show),
        "off" => return Some(ChecksChange::Off),
        "auto" => return Some(ChecksChange::Auto),
        _ => {}
    }
    let places = KEYS.map(|key| place_of(rest, key));
    if !places.contains(&Some(0)) {
        return None;
    }
    let value = |which: usize| {
        let from = places[which]?;
        let later = places.iter().flatten().filter(|other| **other > from);
        let end = later.min().copied().unwrap_or(rest.len());
        let value = &rest[from + KEYS[which].len()..end];
        Some(unquoted(value.trim()).to_owned())
    };
    Some(ChecksChange::Set(Commands {
        setup: value(0),
        test: value(1),
        lint: value(2),
    }))
}

/// Where a key begins a word, outside of another value's quotes.
fn place_of(text: &str, key: &str) -> Option<usize> {
    text.match_indices(key).map(|(at, _)| at).find(|at| {
        let before = &text[..*at];
        let begins_word = *at == 0 || before.ends_with(char::is_whitespace);
        let open_quotes = ['"', '\'', '`'].into_iter().filter(|quote| {
            before.matches(&format!("={quote}")[..]).count() == 1
                && before.matches(*quote).count() % 2 == 1
                && text[*at..].contains(*quote)
        });
        begins_word && open_quotes.count() == 0
    })
}

/// Removes quotes around the whole; those within belong to the command.
fn unquoted(value: &str) -> &str {
    if value == "-" {
        return "";
    }
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|value| value.strip_suffix(quote))
            && !inner.contains(quote)
        {
            return inner;
        }
    }
    value
}
