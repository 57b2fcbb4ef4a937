//! `POST /runs/ID/remarks`: what somebody says about lines of a diff, as one prompt.
//!
//! The form names the lines; the code in the prompt is git's, not the form's. [`forms::remarks`] has the prompt's form.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::changes::{self, Changes, Looked};
use super::found::get;
use super::reader::Reader;
use super::refusal::Refusal;
use super::show::diff::File;
use super::{Web, act};
use crate::claude::forms::{self, Remark};
use crate::domain::id::{PromptId, RunId};
use crate::store::prompts;

/// How many remarks one prompt has at most, of how many lines each.
const MOST: usize = 100;
const LINES_MOST: u32 = 400;
/// And how many bytes.
const BYTES_MOST: usize = 200_000;

const NONE: Refusal =
    Refusal::Invalid("There is no remark. Write what you have to say about the lines.");
const UNREAD: Refusal =
    Refusal::Invalid("A remark does not say which lines it is about. Write their numbers.");
const NOT_THERE: Refusal = Refusal::Invalid(
    "A remark is about lines that the diff does not have. Go back and choose lines that are shown there.",
);
const CHANGED: Refusal = Refusal::Invalid(
    "A file that you remarked on has changed since you looked, or has no lines. Go back, load the diff again, and look \
     whether your remarks still fit.",
);
const TOO_MUCH: Refusal = Refusal::Invalid(
    "This is too much for one prompt. Go back, and send fewer remarks, or remarks on fewer lines.",
);
const NO_DIFF: Refusal = Refusal::Invalid(
    "There is no diff of this run any more, so its lines cannot be quoted. Write a prompt.",
);

/// The fields: `key`, `once` and, for several runs, `with`; then for each remark `file`, `seen`, `side`, `first`,
/// `last`, `words`.
#[derive(Default)]
struct Sent {
    key: String,
    once: Option<Uuid>,
    with: Option<Uuid>,
    about: Vec<About>,
}

/// A remark as it was sent.
#[derive(Default)]
struct About {
    /// The file's number, and the mark of what was seen there.
    file: usize,
    seen: String,
    is_of_before: bool,
    first: Option<u32>,
    /// Nothing for one line.
    last: Option<u32>,
    words: String,
}

pub(super) async fn send(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Path(of): Path<Uuid>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let sent = Sent::read(fields);
    reader.check_form(&sent.key)?;
    let found = get(&web, &reader, RunId(of)).await?;
    let id = PromptId(sent.once.ok_or(Refusal::Foreign)?);
    // A form that comes again asks nothing again, whatever the diff is now.
    if let Some(asked) = web
        .store
        .transaction(move |db| prompts::run_of(db, id))
        .await?
    {
        return Ok(Redirect::to(&format!("/runs/{asked}")).into_response());
    }
    if sent.about.is_empty() {
        return Err(NONE);
    }
    if sent.about.len() > MOST {
        return Err(TOO_MUCH);
    }
    let stretch = changes::stretch(&web, &found, sent.with)
        .await?
        .ok_or(NO_DIFF)?;
    let Looked::Found(changes) = changes::look(&web, &found.session, &stretch).await? else {
        return Err(NO_DIFF);
    };
    let remarks: Vec<Remark> = sent
        .about
        .iter()
        .map(|about| about.on(&changes))
        .collect::<Result<_, _>>()?;
    let text = forms::remarks(&remarks);
    if text.len() > BYTES_MOST {
        return Err(TOO_MUCH);
    }
    act::ask(&web, &reader, &found.session.id, id, text).await
}

impl Sent {
    fn read(fields: Vec<(String, String)>) -> Sent {
        let mut sent = Sent::default();
        for (name, value) in fields {
            match name.as_str() {
                "key" => sent.key = value,
                "once" => sent.once = value.parse().ok(),
                "with" => sent.with = value.parse().ok(),
                "file" => sent.about.push(About {
                    file: value.parse().unwrap_or(0),
                    ..About::default()
                }),
                name => {
                    if let Some(about) = sent.about.last_mut() {
                        about.set(name, value);
                    }
                }
            }
        }
        sent
    }
}

impl About {
    fn set(&mut self, name: &str, value: String) {
        match name {
            "seen" => self.seen = value,
            "side" => self.is_of_before = value == "o",
            "first" => self.first = value.trim().parse().ok(),
            "last" => self.last = value.trim().parse().ok(),
            // HTML: the lines of a form end with CR LF.
            "words" => self.words = value.replace("\r\n", "\n"),
            _ => {}
        }
    }

    fn on(&self, changes: &Changes) -> Result<Remark, Refusal> {
        if self.words.trim().is_empty() {
            return Err(NONE);
        }
        let one = self.first.ok_or(UNREAD)?;
        let other = self.last.unwrap_or(one);
        let (first, last) = (one.min(other), one.max(other));
        if last - first >= LINES_MOST {
            return Err(TOO_MUCH);
        }
        let file = changes.file(self.file, &self.seen).ok_or(CHANGED)?;
        let code: Vec<String> = (first..=last)
            .map(|number| line(file, self.is_of_before, number).map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(NOT_THERE)?;
        let path = match (&file.from, self.is_of_before) {
            (Some(from), true) => from,
            _ => &file.path,
        };
        Ok(Remark {
            file: path.clone(),
            first,
            last,
            is_of_before: self.is_of_before,
            code,
            words: self.words.clone(),
        })
    }
}

/// The line with this number, before the change or after it.
fn line(file: &File, is_of_before: bool, number: u32) -> Option<&str> {
    let mut lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let line = lines.find(|line| match is_of_before {
        true => line.old == Some(number),
        false => line.new == Some(number),
    })?;
    Some(&line.text)
}
