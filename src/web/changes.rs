//! What one run changed, or several in a row: found out for the page, beside everything else that the bot does.
//!
//! git has few places and little time here. Its words pass the redactor as a whole, line by line, so that a line has the
//! same number as git gives it; what is quoted to claude ([`super::remarks`]) is taken from git's own words.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Web;
use super::found::{Found, on_disk};
use super::refusal::Refusal;
use super::show::diff::{self, Diff, File};
use crate::domain::changes::Unseen;
use crate::domain::id::RunId;
use crate::domain::session::Session;
use crate::git::repository::Repository;
use crate::git::{Git, GitError};
use crate::redact::Redactor;
use crate::store::page::{self, RunLine};
use crate::store::{measured, runs, sessions};
use crate::verify::between::{self, Difference, First, Until};

/// How long git may take, and how long its place may have to be waited for.
const LIMIT: Duration = Duration::from_secs(5);
/// How many bytes of a diff are read.
const MOST: usize = 4 * 1024 * 1024;

/// Runs in a row.
pub(super) struct Stretch {
    pub last: RunLine,
    /// How many.
    pub count: usize,
    /// The one before the first.
    pub before: Option<RunId>,
    pub behind: Option<RunId>,
    pub until: Until,
    first: First,
    /// The run behind has begun a moment ago: its snapshot may be still to come.
    or_now: bool,
}

/// All that differs.
pub(super) struct Changes {
    /// Without secrets.
    pub shown: Diff,
    /// As git has it, where that is another one.
    exact: Option<Diff>,
    /// A name for what each file's diff says; `None` if there are no lines to remark on.
    pub marks: Vec<Option<String>>,
    pub gone: Vec<String>,
    pub unseen: Vec<Unseen>,
    /// There is more.
    pub is_cut: bool,
}

/// What came of a look.
pub(super) enum Looked {
    Found(Box<Changes>),
    /// There is nothing to compare. Why, and git's words.
    Nothing {
        why: String,
        words: String,
    },
}

/// The runs from one to the other, whichever is the first; `None` if one of them has not begun.
pub(super) async fn stretch(
    web: &Web,
    found: &Found,
    with: Option<Uuid>,
) -> Result<Option<Stretch>, Refusal> {
    let (session, line) = (found.session.clone(), found.line.clone());
    let read = move |db: &Connection| {
        let other = match with {
            None => line.clone(),
            Some(with) => match run_of(db, &session, RunId(with))? {
                Some(other) => other,
                None => return Ok(Err(Refusal::NotFound)),
            },
        };
        let (first, last) = match line.seq <= other.seq {
            true => (line, other),
            false => (other, line),
        };
        let (Some(began), Some(_)) = (first.started_at, last.started_at) else {
            return Ok(Ok(None));
        };
        let (before, _) = page::beside(db, &session.id, first.seq)?;
        let (_, behind) = page::beside(db, &session.id, last.seq)?;
        let until = match behind {
            _ if last.was_undone => Until::Undone(last.id),
            Some(behind) => Until::Before(behind, measured::to_measure(db, behind)?.before),
            None => Until::Now,
        };
        let or_now = match behind {
            Some(behind) => runs::running_under(db, behind)?.is_some(),
            None => false,
        };
        Ok(Ok(Some(Stretch {
            count: page::count_between(db, &session.id, first.seq, last.seq)?,
            first: First {
                run: first.id,
                before: measured::to_measure(db, first.id)?.before,
                began,
            },
            last,
            before,
            behind,
            until,
            or_now,
        })))
    };
    web.store.transaction(read).await?
}

/// A run of this session.
fn run_of(db: &Connection, session: &Session, run: RunId) -> rusqlite::Result<Option<RunLine>> {
    let of = sessions::of_run(db, run)?;
    match of.is_some_and(|of| of.id == session.id) {
        true => page::run(db, run),
        false => Ok(None),
    }
}

/// What git says, as it is.
pub(super) enum Patched {
    /// Without secrets.
    Whole(String),
    TooLong,
    /// There is nothing to compare, and why.
    Nothing(String),
}

/// Asks git, and reads what it says.
pub(super) async fn look(
    web: &Web,
    session: &Session,
    stretch: &Stretch,
) -> Result<Looked, Refusal> {
    let (compared, place) = ask(web, session, stretch).await?;
    let difference = match compared {
        Ok(difference) => difference,
        Err(error) => {
            return Ok(Looked::Nothing {
                why: error.reason(),
                words: error.words().to_owned(),
            });
        }
    };
    let changes = on_disk(move || {
        let _place = place;
        Changes::read(difference)
    });
    Ok(Looked::Found(Box::new(changes.await?)))
}

/// Asks git, and takes its words.
pub(super) async fn patch(
    web: &Web,
    session: &Session,
    stretch: &Stretch,
) -> Result<Patched, Refusal> {
    let (compared, place) = ask(web, session, stretch).await?;
    let patch = match compared {
        Ok(difference) => difference.patch,
        Err(error) => return Ok(Patched::Nothing(error.reason())),
    };
    if patch.is_cut {
        return Ok(Patched::TooLong);
    }
    let text = on_disk(move || {
        let _place = place;
        without_secrets(&patch.text).into_owned()
    });
    Ok(Patched::Whole(text.await?))
}

/// The place is kept until what git says is read.
async fn ask(
    web: &Web,
    session: &Session,
    stretch: &Stretch,
) -> Result<(Result<Difference, GitError>, OwnedSemaphorePermit), Refusal> {
    let git = web.git.get().ok_or(Refusal::Busy)?;
    let waiting = Arc::clone(&web.places_at_git).acquire_owned();
    let place = tokio::time::timeout(LIMIT, waiting).await;
    let place = place.map_err(|_| Refusal::Busy)?;
    let place = place.expect("nobody closes it");
    let compared = tokio::time::timeout(LIMIT, compare(git, session, stretch)).await;
    Ok((compared.map_err(|_| Refusal::GitIsSilent)?, place))
}

async fn compare(git: &Git, session: &Session, stretch: &Stretch) -> Result<Difference, GitError> {
    let top = Repository::new(git, &session.workspace);
    match between::look(top, &stretch.first, &stretch.until, MOST).await {
        Err(GitError::Impossible(_)) if stretch.or_now => {
            between::look(top, &stretch.first, &Until::Now, MOST).await
        }
        looked => looked,
    }
}

impl Changes {
    fn read(mut difference: Difference) -> Changes {
        let text = &mut difference.patch.text;
        if difference.patch.is_cut {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
        let (shown, exact) = match without_secrets(text) {
            Cow::Borrowed(text) => (diff::read(text), None),
            Cow::Owned(shown) => (diff::read(&shown), Some(diff::read(text))),
        };
        let exact_files = exact.as_ref().unwrap_or(&shown).files.iter();
        let mut marks: Vec<Option<String>> = shown
            .files
            .iter()
            .zip(exact_files)
            .map(|(shown, exact)| has_same_lines(shown, exact).then(|| mark(exact)))
            .collect();
        marks.resize(shown.files.len(), None);
        Changes {
            marks,
            shown,
            exact,
            gone: difference.gone,
            unseen: difference.unseen,
            is_cut: difference.patch.is_cut,
        }
    }

    /// The file that said this; it may have another number by now.
    pub(super) fn file(&self, number: usize, mark: &str) -> Option<&File> {
        let is = |at: &usize| self.marks.get(*at).and_then(Option::as_deref) == Some(mark);
        let at = number.checked_sub(1).filter(is);
        let at = at.or_else(|| (0..self.marks.len()).find(is))?;
        self.exact.as_ref().unwrap_or(&self.shown).files.get(at)
    }
}

/// The text with a stand-in for each secret, and as many lines as before.
fn without_secrets(patch: &str) -> Cow<'_, str> {
    let secrets = Redactor::of_this_process().secrets(patch);
    if secrets.is_empty() {
        return Cow::Borrowed(patch);
    }
    let mut shown = String::with_capacity(patch.len());
    let mut at = 0;
    for secret in secrets {
        shown.push_str(&patch[at..secret.range.start]);
        shown.push_str(&secret.stand_in());
        for line in patch[secret.range.clone()].split('\n').skip(1) {
            shown.push('\n');
            shown.extend(
                line.chars()
                    .next()
                    .filter(|sign| matches!(sign, ' ' | '+' | '-')),
            );
        }
        at = secret.range.end;
    }
    shown.push_str(&patch[at..]);
    Cow::Owned(shown)
}

/// Whether each line that is shown has the number that git gives it, and there are any.
fn has_same_lines(shown: &File, exact: &File) -> bool {
    fn places(file: &File) -> impl Iterator<Item = (Option<u32>, Option<u32>)> {
        let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.map(|line| (line.old, line.new))
    }
    places(exact).any(|place| place != (None, None)) && places(shown).eq(places(exact))
}

fn mark(file: &File) -> String {
    let mut said = format!("{}\n", file.path);
    for hunk in &file.hunks {
        said.push_str(&hunk.to_string());
    }
    let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, said.as_bytes());
    name.simple().to_string()
}
