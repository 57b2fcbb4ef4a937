//! `GET /runs/ID/diff`: what a run changed, file by file, with room for remarks on its lines.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::changes::{self, Changes, Looked, Stretch};
use super::super::found::{Found, get, on_disk};
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::super::show::diff::{self, File};
use super::layout::{self, Place, Told, form_key};
use super::{said, words};
use crate::domain::id::RunId;
use crate::verify::between::Until;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How many bytes the files of the first screen take together, and how many one of them; longer ones have a page of
/// their own.
const FILES_MOST: usize = 220_000;
const FILE_MOST: usize = 90_000;
/// How many bytes the names of those take that are not shown.
const FOLDED_MOST: usize = 15_000;
/// How much of a file its own page has.
const ALONE_MOST: usize = 1_500_000;
/// How many bytes the list of files takes.
const LIST_MOST: usize = 50_000;
/// What a line takes beside its text, at least.
const LINE: usize = 150;

#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Asked {
    /// Another run: all from the one to the other.
    with: Option<Uuid>,
    /// The number of a file that is shown alone.
    file: Option<usize>,
}

/// What links and forms need.
struct Here {
    run: RunId,
    with: Option<Uuid>,
    reader: Reader,
}

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path(run): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let found = get(&web, &reader, RunId(run)).await?;
    let stretch = changes::stretch(&web, &found, asked.with).await?;
    let here = Here {
        run: found.line.id,
        with: asked.with,
        reader: reader.clone(),
    };
    let (above, below) = match &stretch {
        None => (
            html! {},
            html! { p.nothing { "The run has not begun, so it has changed nothing." } },
        ),
        Some(stretch) => {
            let above = above(&here, stretch);
            let below = match changes::look(&web, &found.session, stretch).await? {
                Looked::Nothing { why, words } => nothing(&why, &words),
                Looked::Found(changes) => {
                    let alone = asked.file;
                    on_disk(move || here.body(&changes, alone))
                        .await?
                        .ok_or(Refusal::NotFound)?
                }
            };
            (above, below)
        }
    };
    let count = stretch.as_ref().map_or(1, |stretch| stretch.count);
    let title = match count {
        0 | 1 => "What the run changed".to_owned(),
        count => format!("What {count} runs changed"),
    };
    let body = html! {
        (path(&found))
        h1 { (title) }
        (above)
        (below)
    };
    Ok(layout::page(&title, Place::Sessions, &reader, told, &body))
}

fn path(found: &Found) -> Markup {
    let session = &found.session;
    html! {
        nav.path aria-label="Where this is" {
            a href="/" { "Sessions" } " / "
            a href={ "/sessions/" (session.id) } { (words::repository(&session.source)) " " (session.id) } " / "
            a href={ "/runs/" (found.line.id) } { "The run" }
        }
    }
}

fn above(here: &Here, stretch: &Stretch) -> Markup {
    let run = here.run;
    let many = stretch.count > 1;
    let begins = if many {
        "From just before the first of them"
    } else {
        "From just before it"
    };
    let ends = match &stretch.until {
        Until::Now => " to the workspace as it is now.",
        Until::Before(..) => " to just before the next run.",
        Until::Undone(_) => " to its end. It was undone: this is what was taken away.",
    };
    html! {
        p.quiet { (begins) (ends) }
        nav.pages aria-label="Other diffs" {
            @if let Some(before) = stretch.before {
                a href={ "/runs/" (stretch.last.id) "/diff?with=" (before) } { "Together with the run before" }
            }
            @if here.with.is_some() { a href={ "/runs/" (run) "/diff" } { "This run alone" } }
            @if let Some(behind) = stretch.behind { a rel="next" href={ "/runs/" (behind) "/diff" } { "The next run’s diff" } }
        }
    }
}

fn nothing(why: &str, words: &str) -> Markup {
    html! {
        p.nothing { "There is no diff: " (said::clean(why)) "." }
        @if !words.is_empty() { pre { (said::clean(words)) } }
    }
}

impl Here {
    /// `None` if there is no such file.
    fn body(&self, changes: &Changes, alone: Option<usize>) -> Option<Markup> {
        let files = &changes.shown.files;
        let (list, sections) = match alone {
            None => self.all(changes),
            Some(number) => {
                let file = files.get(number.checked_sub(1)?)?;
                (
                    self.beside(number, files.len()),
                    self.alone(changes, file, number),
                )
            }
        };
        let (added, removed) = files.iter().fold((0, 0), |(added, removed), file| {
            (added + file.added, removed + file.removed)
        });
        let count = match files.len() {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        Some(html! {
            @if files.is_empty() { p.nothing { "No file differs." } }
            @else { p.facts { span { (count) } " " span.added { "+" (added) } " " span.removed { "−" (removed) } } }
            @if changes.is_cut {
                p.failed { "The diff is too long: this is its beginning. /diff in the chat sends more, as a file." }
            }
            (left_out(changes))
            (list)
            div #diff data-remarks={ "/runs/" (self.run) "/remarks" } data-key=(self.reader.form_key())
                data-with=[self.with] {
                p.hint.quiet hidden {
                    "Touch a line’s number to write a remark on it; with Shift, or by “to line”, on several lines. On a \
                     keyboard: the arrows, and Enter."
                }
                (sections)
            }
            script src={ "/diff.js?" (VERSION) } defer {}
        })
    }

    /// The list of the files, and as many of them as there is room for.
    fn all(&self, changes: &Changes) -> (Markup, Markup) {
        let files = &changes.shown.files;
        let (mut list, mut sections) = (String::new(), String::new());
        let (mut listed, mut left, mut left_for_names) = (0, FILES_MOST, FOLDED_MOST);
        for (file, number) in files.iter().zip(1..) {
            let section = self.section_within(changes, file, number, left.min(FILE_MOST));
            let is_shown = section.is_some();
            if let Some(section) = section {
                left -= section.len();
                sections.push_str(&section);
            } else if left_for_names > 0 {
                let name = self.folded(file, number).0;
                left_for_names = left_for_names.saturating_sub(name.len());
                sections.push_str(&name);
            }
            if list.len() < LIST_MOST {
                list.push_str(&self.entry(file, number, is_shown).0);
                listed += 1;
            }
        }
        let list = html! {
            @if files.len() > 1 {
                nav aria-label="Files" {
                    ol.files { (maud::PreEscaped(list)) }
                    @if files.len() > listed {
                        p { "And " (files.len() - listed) " more, from " a href=(self.address(listed + 1)) { "this one" } " on." }
                    }
                }
            }
        };
        (list, maud::PreEscaped(sections))
    }

    fn section_within(
        &self,
        changes: &Changes,
        file: &File,
        number: usize,
        most: usize,
    ) -> Option<String> {
        if size(file) > most {
            return None;
        }
        let section = self.section(changes, file, number).0;
        (section.len() <= most).then_some(section)
    }

    fn section(&self, changes: &Changes, file: &File, number: usize) -> Markup {
        let mark = changes.marks.get(number - 1).cloned().flatten();
        html! {
            @if let Some(mark) = mark {
                div.to-remark data-file=(number) data-seen=(mark) data-path=(file.path) {
                    (diff::file(file, number, 1))
                    (self.form(number, &mark))
                }
            } @else {
                (diff::file(file, number, 1))
            }
        }
    }

    /// A remark without the script.
    fn form(&self, number: usize, mark: &str) -> Markup {
        let id = |what: &str| format!("r{number}-{what}");
        html! {
            details.write-remark {
                summary { "Write a remark" }
                form.ask method="post" action={ "/runs/" (self.run) "/remarks" } {
                    (form_key(&self.reader))
                    input type="hidden" name="once" value=(Uuid::new_v4());
                    @if let Some(with) = self.with { input type="hidden" name="with" value=(with); }
                    input type="hidden" name="file" value=(number);
                    input type="hidden" name="seen" value=(mark);
                    div.of-lines {
                        label for=(id("first")) { "Line" }
                        input id=(id("first")) type="number" name="first" min="1" required;
                        label for=(id("last")) { "to" }
                        input id=(id("last")) type="number" name="last" min="1";
                        label for=(id("side")) { "of the file" }
                        select id=(id("side")) name="side" {
                            option value="n" { "after the change" }
                            option value="o" { "before it" }
                        }
                    }
                    label for=(id("words")) { "Remark" }
                    textarea id=(id("words")) name="words" rows="2" required {}
                    button { "Send this remark" }
                }
            }
        }
    }

    /// The name of a file whose lines are on a page of their own.
    fn folded(&self, file: &File, number: usize) -> Markup {
        let lines: usize = file.hunks.iter().map(|hunk| hunk.lines.len()).sum();
        let bare = File {
            hunks: Vec::new(),
            rest: String::new(),
            ..file.clone()
        };
        html! {
            (diff::file(&bare, number, 1))
            p.apart { a href=(self.address(number)) { "Show it alone" } " " span.quiet { "(" (lines) " lines)" } }
        }
    }

    fn entry(&self, file: &File, number: usize, is_shown: bool) -> Markup {
        let address = match is_shown {
            true => format!("#f{number}"),
            false => self.address(number),
        };
        html! {
            li {
                a href=(address) { (diff::name(file)) } " "
                span.facts {
                    @if file.added > 0 { span.added { "+" (file.added) } " " }
                    @if file.removed > 0 { span.removed { "−" (file.removed) } }
                    @if file.is_binary { span { "binary" } }
                }
            }
        }
    }

    fn alone(&self, changes: &Changes, file: &File, number: usize) -> Markup {
        let mut part = file.clone();
        let mut left = ALONE_MOST;
        for hunk in &mut part.hunks {
            let fits = |line: &diff::Line| {
                let size = line.text.len() + LINE;
                let is_room = left >= size;
                left = if is_room { left - size } else { 0 };
                is_room
            };
            let count = hunk.lines.iter().map(fits).take_while(|fits| *fits).count();
            hunk.lines.truncate(count);
        }
        part.hunks.retain(|hunk| !hunk.lines.is_empty());
        part.rest
            .truncate(part.rest.floor_char_boundary(ALONE_MOST));
        html! {
            (self.section(changes, &part, number))
            @if size(&part) < size(file) {
                p.failed { "The rest of this file is too long to be shown. /diff in the chat sends it as a file." }
            }
        }
    }

    /// The ways from one file to the others.
    fn beside(&self, number: usize, count: usize) -> Markup {
        html! {
            nav.pages aria-label="Files" {
                a href=(self.address(0)) { "All files" }
                @if number > 1 { a rel="prev" href=(self.address(number - 1)) { "The file before" } }
                @if number < count { a rel="next" href=(self.address(number + 1)) { "The next file" } }
            }
        }
    }

    /// Of a file alone; 0 is all.
    fn address(&self, file: usize) -> String {
        let with = self.with.map(|with| format!("with={with}"));
        let file = (file > 0).then(|| format!("file={file}"));
        let asked: Vec<String> = [with, file].into_iter().flatten().collect();
        let mark = if asked.is_empty() { "" } else { "?" };
        format!("/runs/{}/diff{mark}{}", self.run, asked.join("&"))
    }
}

/// What a file takes as markup, at least.
fn size(file: &File) -> usize {
    let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let lines: usize = lines.map(|line| line.text.len().min(4_000) + LINE).sum();
    lines + file.rest.len()
}

fn left_out(changes: &Changes) -> Markup {
    html! {
        @if !changes.gone.is_empty() || !changes.unseen.is_empty() {
            ul.left-out {
                @for folder in &changes.gone { li { "The repository " code { (said::clean(folder)) } " was removed." } }
                @for unseen in &changes.unseen {
                    li {
                        "Not looked at: "
                        @if !unseen.what.is_empty() { code { (said::clean(&unseen.what)) } ", " }
                        (said::clean(&unseen.why))
                    }
                }
            }
        }
    }
}
