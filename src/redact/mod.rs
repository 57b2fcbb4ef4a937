//! Takes secrets out of log lines and messages before they leave.
//!
//! A secret is found by its form ([`forms`], [`private_key`]) and by its value: those of variables of the service's
//! environment whose names look like secrets ([`values`]). A stand-in says what it was. A text without a secret is left
//! as it is, to the byte, and is not copied.
//!
//! A piece of a secret is not recognised. So whatever shortens other people's text does that with [`short`], which looks
//! for secrets in the whole text first, and words that are still being written pass [`streamed`]. The writer of log
//! lines (`cli::log`) and, for messages, `telegram::line` look again: they are the last place that has the text.
//!
//! Where a person judges a text ([`Redactor::text_to_judge`]), nothing is hidden that could do something.
//!
//! Any text is searched in time that is linear in its length. A secret that was changed (reversed, encoded) is not
//! recognised. This prevents accidents; it does not stop somebody who wants to get a secret out.

pub mod forms;
pub mod judge;
mod message;
mod places;
pub mod private_key;
pub mod shapes;
pub mod short;
pub mod streamed;
pub mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use values::Values;

/// The one that knows the secrets of this process; the texts that [`short`] shortens come from everywhere in it.
static OF_THIS_PROCESS: OnceLock<Redactor> = OnceLock::new();

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
    pub by: By,
}

/// What a secret was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// It is the value of a variable.
    Value,
    /// Its own form.
    Form,
    /// The text around it.
    Place,
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

    /// From now on [`short`] knows what this one knows. Works once.
    pub fn serve_this_process(&self) {
        let _ = OF_THIS_PROCESS.set(self.clone());
    }

    /// Knows the forms of secrets at least.
    pub fn of_this_process() -> &'static Redactor {
        static OF_FORMS: LazyLock<Redactor> = LazyLock::new(Redactor::default);
        OF_THIS_PROCESS.get().unwrap_or(&OF_FORMS)
    }

    /// The text without its secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        without(text, self.secrets(text))
    }

    /// The text without those secrets that nothing can act on: a person who allows it has seen everything that will be
    /// done.
    pub fn text_to_judge<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut secrets = self.found(text);
        secrets.retain(|secret| secret.does_nothing(&text[secret.range.clone()]));
        without(text, apart(secrets))
    }

    /// Takes the secrets out of a text.
    pub fn clean(&self, text: &mut String) {
        if let Cow::Owned(shown) = self.text(text) {
            *text = shown;
        }
    }

    /// The secrets in a text, in their order; none overlaps another.
    pub fn secrets(&self, text: &str) -> Vec<Secret<'_>> {
        apart(self.found(text))
    }

    /// The longest end of a text that is the beginning of a known value.
    fn begun_value(&self, text: &str) -> usize {
        let learnt = self.learnt.get().map_or(0, |learnt| learnt.begun(text));
        learnt.max(self.values.begun(text))
    }

    fn found(&self, text: &str) -> Vec<Secret<'_>> {
        let mut found = self.values.find(text);
        found.extend(
            self.learnt
                .get()
                .into_iter()
                .flat_map(|learnt| learnt.find(text)),
        );
        found.extend(private_key::find(text));
        found.extend(shapes::find(text));
        found
    }
}

impl Secret<'_> {
    /// The text shown in its place.
    pub fn stand_in(&self) -> String {
        format!("[redacted: {}]", self.kind)
    }

    /// Whether neither a shell nor a tool would act on it, whoever chose it.
    fn does_nothing(&self, secret: &str) -> bool {
        let is_of = |others: &[u8]| {
            let is = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
            secret.bytes().all(is)
        };
        match self.by {
            By::Value => is_of(b"_-.,:/+=@%^"),
            By::Form => is_of(b"_-"),
            By::Place => false,
        }
    }
}

/// The text with stand-ins for these secrets.
fn without<'a>(text: &'a str, secrets: Vec<Secret<'_>>) -> Cow<'a, str> {
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
