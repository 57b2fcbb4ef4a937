//! Takes secrets out of log lines and messages before they leave. Pure.
//!
//! A secret is found by its form ([`shapes`], [`private_key`]) and by its value: those of variables of the service's
//! environment whose names look like secrets ([`values`]). A stand-in says what it was. A text without a secret is left
//! as it is, to the byte, and is not copied.
//!
//! The writer of log lines (`cli::log`) and, for messages, `telegram::line` call it. Both are the last place that has
//! the text, so no other code has to remember it. Any text is searched in time that is linear in its length.
//!
//! A secret that was changed (reversed, encoded, cut in the middle) is not recognised. This prevents accidents; it does
//! not stop somebody who wants to get a secret out.

mod message;
pub mod private_key;
pub mod shapes;
pub mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use values::Values;

/// Knows the secrets of an environment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    values: Arc<Values>,
    /// Those that came later.
    learnt: Arc<OnceLock<Values>>,
}

/// A secret's place in a text, in bytes, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret<'a> {
    pub range: Range<usize>,
    pub kind: Cow<'a, str>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// Knows the forms of secrets, and the values of this environment's.
    pub fn new(environment: &BTreeMap<OsString, OsString>) -> Redactor {
        Redactor {
            values: Arc::new(Values::of(environment)),
            learnt: Arc::default(),
        }
    }

    /// From now on knows the values of these variables too, and so does every clone. Works once.
    pub fn learn(&self, variables: &BTreeMap<OsString, OsString>) {
        let _ = self.learnt.set(Values::of(variables));
    }

    /// The text without its secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let secrets = self.secrets(text);
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for secret in secrets {
            shown.push_str(&text[at..secret.range.start]);
            shown.push_str(&secret.stand_in());
            at = secret.range.end;
        }
        shown.push_str(&text[at..]);
        Cow::Owned(shown)
    }

    /// Takes the secrets out of a text.
    pub fn clean(&self, text: &mut String) {
        if let Cow::Owned(shown) = self.text(text) {
            *text = shown;
        }
    }

    /// The secrets in a text, in their order; none overlaps another.
    pub fn secrets(&self, text: &str) -> Vec<Secret<'_>> {
        let mut found = self.values.find(text);
        found.extend(
            self.learnt
                .get()
                .into_iter()
                .flat_map(|learnt| learnt.find(text)),
        );
        found.extend(private_key::find(text));
        found.extend(shapes::find(text));
        apart(found)
    }
}

impl Secret<'_> {
    /// The text shown in its place.
    pub fn stand_in(&self) -> String {
        format!("[redacted: {}]", self.kind)
    }
}

/// Joins overlapping secrets, named after the one that begins first.
fn apart(mut found: Vec<Secret<'_>>) -> Vec<Secret<'_>> {
    // Stable: of two that begin together the one that was found by its value gives the name.
    found.sort_by_key(|secret| secret.range.start);
    let mut apart: Vec<Secret<'_>> = Vec::with_capacity(found.len());
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.range.start < last.range.end => {
                last.range.end = last.range.end.max(secret.range.end);
            }
            _ => apart.push(secret),
        }
    }
    apart
}
