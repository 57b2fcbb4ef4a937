//! A diff as a page shows it: a section for each file, a row for each line.
//!
//! The first file is `f1`, its heading `f1-name`. A line of the file as it is now is `f1-n128`, one that went `f1-o64`.

use maud::{Markup, html};

use super::{Diff, File, Hunk, Kind, Line, LineKind};
use crate::web::show::code::{self, Language, Painter};
use crate::web::show::line::{self, Colour};
use crate::web::show::outline::heading;

/// All files. `below` is the level of the heading that they stand below.
pub fn markup(diff: &Diff, below: u8) -> Markup {
    html! {
        @for (index, each) in diff.files.iter().enumerate() {
            (file(each, index + 1, below))
        }
    }
}

/// One file; the first of a page has the number 1.
pub fn file(file: &File, number: usize, below: u8) -> Markup {
    html! {
        section.file id={ "f" (number) } aria-labelledby={ "f" (number) "-name" } {
            (heading(below + 1, &format!("f{number}-name"), &name(file)))
            p.facts {
                @for fact in facts(file) { span.fact { (fact) } " " }
                @if file.added > 0 { span.added { "+" (file.added) } " " }
                @if file.removed > 0 { span.removed { "−" (file.removed) } }
            }
            (lines(file, number))
            @if !file.rest.is_empty() {
                pre.code tabindex="0" { (seen(file.rest.trim_end_matches('\n'))) }
            }
        }
        "\n"
    }
}

/// What a file is called, and was called.
pub fn name(file: &File) -> Markup {
    html! {
        @if let Some(from) = &file.from { (path(from)) " → " }
        (path(&file.path))
    }
}

fn path(path: &str) -> Markup {
    html! { code { (seen(path)) } }
}

fn seen(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len());
    line::visible(text, &mut out);
    maud::PreEscaped(out)
}

/// What there is to know besides lines.
fn facts(file: &File) -> Vec<String> {
    let mut facts = Vec::new();
    match file.kind {
        Kind::Changed => {}
        Kind::New => facts.push("new".to_owned()),
        Kind::Deleted => facts.push("deleted".to_owned()),
        Kind::Renamed => facts.push("renamed".to_owned()),
        Kind::Copied => facts.push("copied".to_owned()),
        Kind::Combined => facts.push("as text".to_owned()),
    }
    if file.is_repository {
        facts.push("a repository inside".to_owned());
    }
    if file.is_binary {
        facts.push("binary".to_owned());
    }
    match &file.modes {
        Some((old, new)) if old == "100644" && new == "100755" => {
            facts.push("now executable".to_owned());
        }
        Some((old, new)) if old == "100755" && new == "100644" => {
            facts.push("no longer executable".to_owned());
        }
        Some((old, new)) => facts.push(format!("mode {old} → {new}")),
        None => {}
    }
    facts
}

/// The lines of a file alone, as [`file()`] shows them.
pub fn lines(file: &File, number: usize) -> Markup {
    let bytes = file.hunks.iter().flat_map(|hunk| &hunk.lines);
    let is_huge = bytes.map(|line| line.text.len()).sum::<usize>() > code::LARGEST;
    let language = Language::of_file(&file.path).filter(|_| !is_huge && !file.is_repository);
    html! {
        @if !file.hunks.is_empty() {
            div.lines tabindex="0" {
                table {
                    @for hunk in &file.hunks { (rows(hunk, number, language)) }
                }
            }
        }
    }
}

fn rows(hunk: &Hunk, number: usize, language: Option<&'static Language>) -> Markup {
    // A comment may begin in one side only.
    let mut old = Painter::new(language);
    let mut new = Painter::new(language);
    let mut colours = |line: &Line| match line.kind {
        LineKind::Context => {
            old.line(&line.text);
            new.line(&line.text)
        }
        LineKind::Added => new.line(&line.text),
        LineKind::Removed => old.line(&line.text),
        LineKind::NoNewline => Vec::new(),
    };
    html! {
        tbody {
            @if !hunk.header.is_empty() {
                tr.hunk { th colspan="3" scope="rowgroup" { (seen(&hunk.header)) } }
            }
            @for line in &hunk.lines { (row(line, number, &colours(line))) }
        }
        "\n"
    }
}

fn row(line: &Line, number: usize, colours: &[Colour]) -> Markup {
    let (class, at) = match line.kind {
        LineKind::Context => ("same", line.new.map(|new| ('n', new))),
        LineKind::Added => ("added", line.new.map(|new| ('n', new))),
        LineKind::Removed => ("removed", line.old.map(|old| ('o', old))),
        LineKind::NoNewline => ("said", None),
    };
    let text = line::markup(&line.text, colours, &line.words);
    html! {
        @if let Some((side, at)) = at {
            tr.(class) id={ "f" (number) "-" (side) (at) } {
                td.number { a href={ "#f" (number) "-" (side) (at) } tabindex="-1" { (at) } }
                td.sign { (line.kind.sign()) }
                td.line { (text) }
            }
        } @else {
            tr.(class) {
                td.number {}
                td.sign { @if line.kind != LineKind::NoNewline { (line.kind.sign()) } }
                td.line { (text) }
            }
        }
    }
}
