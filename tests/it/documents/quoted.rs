//! What the pages quote is what telecoder says, to the letter: in its source, or in a snapshot of its sentences.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::page::{Page, repository};

#[test]
fn what_a_page_quotes_is_what_telecoder_says() {
    let said = everything_said();
    let mut looked_up = 0;
    for page in Page::all() {
        for quote in page.quotes() {
            let parts: Vec<&str> = quote.split('…').filter(|part| !part.is_empty()).collect();
            assert!(
                parts.iter().any(|part| part.trim().len() >= 12),
                "{quote} could be anything"
            );
            let is_said = said.iter().any(|text| stands_in(text, &parts));
            assert!(is_said, "{}: nobody says {quote:?}", page.path.display());
            looked_up += 1;
        }
    }
    assert!(looked_up > 40, "{looked_up}");
}

/// The source and the snapshots of sentences, with literals of several lines as one.
fn everything_said() -> Vec<String> {
    let joint = Regex::new(r"\\\n *").expect("a pattern");
    let mut files = Vec::new();
    files_below(&repository().join("src"), "rs", &mut files);
    files_below(&repository().join("tests/it/snapshots"), "snap", &mut files);
    files
        .into_iter()
        .map(|path| std::fs::read_to_string(path).expect("a file"))
        .map(|text| joint.replace_all(&text, "").into_owned())
        .collect()
}

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// Whether the parts stand in one line of a text, in their order.
fn stands_in(text: &str, parts: &[&str]) -> bool {
    text.lines().any(|line| {
        let mut rest = line;
        parts.iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    })
}
