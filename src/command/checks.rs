//! The arguments of `/checks`.

/// A change to a session's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChecksChange {
    /// No change: show them.
    Show,
    /// Sets those that are named; an empty command means that there is none.
    Set {
        test: Option<String>,
        lint: Option<String>,
    },
    /// Nothing is checked.
    Off,
    /// Forgets what was set: the commands for all sessions apply.
    Auto,
}

/// Reads `test=… lint=…` in any order, `off`, `auto`, or nothing. A command extends to the next of the two words, with
/// its blanks and quotes; `-` is none.
pub fn read(rest: &str) -> Option<ChecksChange> {
    let rest = rest.trim();
    match rest {
        "" => return Some(ChecksChange::Show),
        "off" => return Some(ChecksChange::Off),
        "auto" => return Some(ChecksChange::Auto),
        _ => {}
    }
    let [test, lint] = ["test=", "lint="].map(|key| place_of(rest, key));
    if test
        .or(lint)
        .is_none_or(|_| test != Some(0) && lint != Some(0))
    {
        return None;
    }
    let value = |from: Option<usize>, other: Option<usize>| {
        let from = from?;
        let end = other.filter(|other| *other > from).unwrap_or(rest.len());
        Some(unquoted(rest[from + "test=".len()..end].trim()).to_owned())
    };
    Some(ChecksChange::Set {
        test: value(test, lint),
        lint: value(lint, test),
    })
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
