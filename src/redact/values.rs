//! Finds secrets by their values: those of variables whose names say that they are secret.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Secret, shapes};

/// A shorter value is not looked for: it would be found in unrelated words.
const SHORTEST: usize = 8;
/// A shorter value of small letters only is a word (`postgres`, `production`).
const SHORTEST_OF_LETTERS: usize = 16;
/// This much of a value's beginning is recognised if the text was cut after it.
const HEAD: usize = 8;
/// How the last part of a secret variable's name ends.
const NAME_ENDINGS: [&str; 11] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "KEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "COOKIE",
];
/// The bot's own token, which is looked for however short it is.
const OWN_TOKEN: &str = "TELEGRAM_BOT_TOKEN";

/// The values to look for.
#[derive(Default)]
pub struct Values {
    known: Vec<Known>,
    whole: Option<AhoCorasick>,
    /// The beginnings of values that are long enough to be cut.
    heads: Option<AhoCorasick>,
    /// Which of the known ones each head begins.
    of_heads: Vec<Vec<usize>>,
}

struct Known {
    /// The variable's name.
    name: String,
    value: String,
}

impl Values {
    /// The secrets in an environment.
    pub fn of(environment: &BTreeMap<OsString, OsString>) -> Values {
        let mut known = Vec::new();
        for (name, value) in environment {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                continue;
            };
            for secret in secrets_in(name, value) {
                known.extend(spellings(&secret).into_iter().map(|value| Known {
                    name: name.to_owned(),
                    value,
                }));
            }
        }
        let mut by_head: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, Known { value, .. }) in known.iter().enumerate() {
            if value.len() > HEAD && value.is_char_boundary(HEAD) {
                by_head.entry(&value[..HEAD]).or_default().push(at);
            }
        }
        Values {
            whole: searcher(known.iter().map(|known| known.value.as_str())),
            heads: searcher(by_head.keys().copied()),
            of_heads: by_head.into_values().collect(),
            known,
        }
    }

    /// The known secrets in a text, and beginnings of them after which the text was cut.
    pub fn find(&self, text: &str) -> Vec<Secret<'_>> {
        let whole = self.whole.iter().flat_map(|whole| {
            whole.find_iter(text).map(|found| Secret {
                range: found.range(),
                kind: Cow::Borrowed(self.known[found.pattern()].name.as_str()),
            })
        });
        let cut = self.heads.iter().flat_map(|heads| {
            heads.find_iter(text).filter_map(|found| {
                let begun = &self.of_heads[found.pattern()];
                let (length, name) = begun
                    .iter()
                    .map(|at| &self.known[*at])
                    .map(|known| {
                        (
                            common_length(&text[found.start()..], &known.value),
                            &known.name,
                        )
                    })
                    .max_by_key(|(length, _)| *length)?;
                let end = found.start() + length;
                let is_cut = end == text.len() || text[end..].starts_with('…');
                is_cut.then(|| Secret {
                    range: found.start()..end,
                    kind: Cow::Borrowed(name.as_str()),
                })
            })
        });
        whole.chain(cut).collect()
    }
}

fn searcher<'a>(patterns: impl Iterator<Item = &'a str>) -> Option<AhoCorasick> {
    let patterns: Vec<&str> = patterns.collect();
    if patterns.is_empty() {
        return None;
    }
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(patterns)
        .ok()
}

/// How far two texts are the same, in bytes; never inside a character.
fn common_length(text: &str, value: &str) -> usize {
    text.chars()
        .zip(value.chars())
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum()
}

/// The secret parts of a variable.
fn secrets_in(name: &str, value: &str) -> Vec<String> {
    let value = value.trim();
    let mut secrets = Vec::new();
    if name == OWN_TOKEN && !value.is_empty() {
        secrets.push(value.to_owned());
        // An address without the bot's number in it, or a line that was broken at the colon.
        if let Some((_, secret)) = value
            .split_once(':')
            .filter(|(_, half)| half.len() >= SHORTEST)
        {
            secrets.push(secret.to_owned());
        }
        return secrets;
    }
    if is_secret_name(name) && !is_trivial(value) {
        secrets.push(value.to_owned());
    }
    // Whatever the variable is called: `postgres://name:password@host`, even if nothing else of it is secret.
    if value.contains("://") {
        let in_urls = shapes::find(value)
            .into_iter()
            .filter_map(|secret| value[secret.range].split_once(':'))
            .map(|(_, password)| password)
            .filter(|password| !is_trivial(password));
        secrets.extend(in_urls.map(str::to_owned));
    }
    secrets
}

/// Whether a variable has a secret: by its name, however short the value is, or by a password in an address.
pub fn is_secret(name: &str, value: &str) -> bool {
    let has_value = !value.trim().is_empty();
    has_value && (is_secret_name(name) || !secrets_in(name, value).is_empty())
}

/// Whether a part of a variable's name, between `_`, says that its value is secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // The folders that a shell is in and was in.
    if matches!(name.as_str(), "PWD" | "OLDPWD") {
        return false;
    }
    name.split('_')
        .any(|part| part == "PAT" || NAME_ENDINGS.iter().any(|ending| part.ends_with(ending)))
}

/// Values that are never secret, whatever the name: short, a path, an address, an ordinary word.
fn is_trivial(value: &str) -> bool {
    let is_path = value.starts_with(['/', '~']) || value.starts_with("./");
    let is_address = value.contains("://");
    let is_words = value.len() < SHORTEST_OF_LETTERS
        && value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b' ');
    value.len() < SHORTEST || is_path || is_address || is_words
}

/// The ways in which a value is written: as it is, as a part of an address, as a part of JSON.
fn spellings(value: &str) -> Vec<String> {
    let in_address: String = value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let in_json = serde_json::Value::from(value).to_string();
    let in_json = in_json[1..in_json.len() - 1].to_owned();
    let mut spellings = vec![value.to_owned(), in_address, in_json];
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}
