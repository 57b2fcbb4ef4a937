//! Finds secrets by their values: those of variables whose names say that they are secret.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{By, Secret, shapes};

/// A shorter value is not looked for: it would be found in unrelated words.
const SHORTEST: usize = 8;
/// A shorter value of small letters only is a word (`postgres`, `production`).
const SHORTEST_OF_LETTERS: usize = 16;
/// Parts of a variable's name that say that its value is secret; no ordinary word ends so.
const ENDINGS: [&str; 7] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "CREDENTIALS",
];
/// The same as whole parts: a `MONKEY` and a `COMPASS` are no secret.
const PARTS: [&str; 14] = [
    "KEY",
    "PASS",
    "PWD",
    "PAT",
    "COOKIE",
    "APIKEY",
    "ACCESSKEY",
    "SECRETKEY",
    "PRIVATEKEY",
    "AUTHKEY",
    "SIGNINGKEY",
    "ENCRYPTIONKEY",
    "DBPASS",
    "SSHPASS",
];
/// The bot's own token, which is looked for however short it is.
const OWN_TOKEN: &str = "TELEGRAM_BOT_TOKEN";

/// The values to look for.
#[derive(Default)]
pub struct Values {
    known: Vec<Known>,
    whole: Option<AhoCorasick>,
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
        Values {
            whole: searcher(known.iter().map(|known| known.value.as_str())),
            known,
        }
    }

    /// The known secrets in a text.
    pub fn find(&self, text: &str) -> Vec<Secret<'_>> {
        let whole = self.whole.iter().flat_map(|whole| whole.find_iter(text));
        whole
            .map(|found| Secret {
                range: found.range(),
                kind: Cow::Borrowed(self.known[found.pattern()].name.as_str()),
                by: By::Value,
            })
            .collect()
    }

    /// The longest end of a text that is the beginning of a known value, in bytes.
    pub fn begun(&self, text: &str) -> usize {
        let of = |value: &str| {
            let longest = (value.len() - 1).min(text.len());
            (1..=longest)
                .rev()
                .find(|length| text.as_bytes().ends_with(&value.as_bytes()[..*length]))
                .unwrap_or(0)
        };
        let begun = self.known.iter().map(|known| of(&known.value));
        begun.max().unwrap_or(0)
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
            .map(|secret| &value[secret.range])
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
        .any(|part| PARTS.contains(&part) || ENDINGS.iter().any(|ending| part.ends_with(ending)))
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
