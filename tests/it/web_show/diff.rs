//! The text of `git diff`, read and on a page.

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use telecoder::web::show::diff::{self, Diff, Kind, LineKind};

use super::{hostile, is_safe};

#[test]
fn a_diff_of_everything_that_git_knows_is_read() {
    let diff = diff::read(&everything());
    insta::assert_snapshot!(told(&diff));
}

#[test]
fn a_diff_reads_well_on_a_page() {
    let diff = diff::read(&everything());
    let shown = diff::markup(&diff, 2).0;
    is_safe(&shown);
    insta::assert_snapshot!(shown.replace("<tr", "\n<tr"));
}

#[test]
fn paths_that_git_quotes_are_read() {
    let text = "diff --git \"a/\\303\\244 \\\"b\\\"\\t.txt\" \"b/\\303\\244 \\\"b\\\"\\t.txt\"\nnew file mode 100644\n\
                diff --git a/a b/c.txt b/a b/c.txt\ndeleted file mode 100644\n\
                diff --git a/in/x y b/in/z b/q\nsimilarity index 100%\nrename from x y\nrename to z b/q\n\
                diff --git a/plain \"b/\\360\\237\\230\\200\"\nrename from plain\nrename to \"\\360\\237\\230\\200\"\n";
    let diff = diff::read(text);
    let paths: Vec<_> = diff
        .files
        .iter()
        .map(|file| (file.from.as_deref(), file.path.as_str()))
        .collect();
    assert_eq!(
        paths,
        [
            (None, "ä \"b\"\t.txt"),
            (None, "a b/c.txt"),
            (Some("in/x y"), "in/z b/q"),
            (Some("plain"), "😀"),
        ]
    );
}

#[test]
fn what_is_no_unified_diff_stays_as_text() {
    let text = " a.rs | 2 +-\n\ndiff --cc a.rs\nindex 1,2..3\n--- a/a.rs\n+++ b/a.rs\n@@@ -1,1 -1,1 +1,2 @@@\n- x\n -y\n++z\n\
                Submodule lib 123..456:\n  > Mend it\n\
                diff --git b.rs b.rs\n--- b.rs\t2026-01-01\n+++ b.rs\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\nand words\n";
    let diff = diff::read(text);
    assert_eq!(diff.before, " a.rs | 2 +-\n\n");
    let [merged, submodule, plain] = diff.files.as_slice() else {
        panic!("{diff:#?}");
    };
    assert_eq!(
        (merged.path.as_str(), merged.kind),
        ("a.rs", Kind::Combined)
    );
    assert!(
        merged.rest.ends_with("@@@\n- x\n -y\n++z\n"),
        "{}",
        merged.rest
    );
    assert_eq!(submodule.rest, "Submodule lib 123..456:\n  > Mend it\n");
    assert_eq!((plain.path.as_str(), plain.added), ("b.rs", 1));
    assert_eq!(plain.rest, "and words\n");
}

#[test]
fn the_words_that_differ_are_marked_and_only_those() {
    for (before, after, expected) in [
        (
            "let x = a;",
            "let x = bee;",
            "let x = [a]; | let x = [bee];",
        ),
        ("a\nb c d\n", "b c e d\n", "a\nb c d | b c [e ]d"),
        (
            "quite other",
            "nothing alike here",
            "quite other | nothing alike here",
        ),
        ("ä = 1", "ö = 1", "[ä] = 1 | [ö] = 1"),
        ("f(a, b)", "f(a,  b)", "f(a,[ ]b) | f(a,[  ]b)"),
    ] {
        let lines = |text: &str, sign| -> String {
            text.lines().map(|line| format!("{sign}{line}\n")).collect()
        };
        let text = format!(
            "--- a\n+++ a\n@@ -1,{} +1,{} @@\n{}{}",
            before.lines().count(),
            after.lines().count(),
            lines(before, '-'),
            lines(after, '+')
        );
        let diff = diff::read(&text);
        let marked = |kind| -> Vec<String> {
            let lines = diff.files[0].hunks[0].lines.iter();
            lines.filter(|line| line.kind == kind).map(marked).collect()
        };
        let shown = [LineKind::Removed, LineKind::Added].map(|kind| marked(kind).join("\n"));
        assert_eq!(shown.join(" | "), expected);
    }
}

#[test]
fn a_huge_diff_is_read_at_once() {
    let line = "a word, and (another) one; ".repeat(30);
    let hunk: String = (0..5).map(|n| format!("-{n} {line}\n")).collect();
    let hunk = format!(
        "@@ -1,5 +1,5 @@\n{hunk}{}",
        hunk.replace('-', "+").replace("word", "text")
    );
    let text = format!("--- a\n+++ a\n{}", hunk.repeat(100));
    let diff = diff::read(&text);
    assert_eq!(diff.files[0].hunks.len(), 100);
    assert!(!diff.files[0].hunks[0].lines[0].words.is_empty());
    assert!(
        diff.files[0].hunks[99].lines[0].words.is_empty(),
        "no end to the work"
    );
}

#[test]
fn characters_that_turn_code_around_are_seen_in_a_diff() {
    let diff = diff::read("--- a\n+++ a\n@@ -1 +1 @@\n-x\u{202e}y\n+<b>\u{200b}\u{1b}[1m\r\n");
    let shown = diff::markup(&diff, 2).0;
    for seen in ["U+202E", "U+200B", "U+001B", "CR", "&lt;b&gt;"] {
        assert!(shown.contains(seen), "{seen}: {shown}");
    }
    is_safe(&shown);
}

#[test]
fn an_edit_is_shown_as_a_diff_with_numbers_only_where_they_are_known() {
    let before = "one\ntwo\nthree\nfour\nfive\nsix\n";
    let edit = |first| diff::between("a.rs", before, &before.replace("five", "5"), first);
    let lines = |file: &diff::File| -> String {
        told(&Diff {
            before: String::new(),
            files: vec![file.clone()],
        })
    };
    insta::assert_snapshot!(format!("{}{}", lines(&edit(Some(11))), lines(&edit(None))));
    let shown = diff::lines(&edit(None), 1).0;
    is_safe(&shown);
    assert!(
        !shown.contains("id=") && shown.contains(">-</td>"),
        "{shown}"
    );
    assert_eq!(diff::between("a", "x\n", "x\n", Some(1)).hunks, []);
}

/// A line with brackets around the marked words.
fn marked(line: &diff::Line) -> String {
    let mut marked = line.text.clone();
    for word in line.words.iter().rev() {
        marked.insert(word.end, ']');
        marked.insert(word.start, '[');
    }
    marked
}

fn told(diff: &Diff) -> String {
    let mut told = diff.before.clone();
    for file in &diff.files {
        told += &format!(
            "\n== {:?} {:?} from {:?}, +{} -{}, modes {:?}{}{}\n",
            file.kind,
            file.path,
            file.from,
            file.added,
            file.removed,
            file.modes,
            if file.is_binary { ", binary" } else { "" },
            if file.is_repository {
                ", repository"
            } else {
                ""
            },
        );
        for hunk in &file.hunks {
            told += &format!("{}\n", hunk.header);
            for line in &hunk.lines {
                let number = |number: Option<u32>| number.map_or(String::new(), |n| n.to_string());
                let (old, new) = (number(line.old), number(line.new));
                told += &format!("{old:>3} {new:>3} {}{:?}\n", line.kind.sign(), marked(line));
            }
        }
        told += &file.rest;
    }
    told
}

/// What git says about one of each kind of change.
fn everything() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, content: &[u8]| fs::write(at.join(name), content).expect("a file");
    git(at, &["init", "-q"]);
    let long: String = (1..=30).map(|n| format!("line {n}\n")).collect();
    write(
        "changed.rs",
        b"fn main() {\n    let old = 1;\n}\n\n// The end\n",
    );
    write("no newline", b"a\nb");
    write("windows.txt", b"one\r\ntwo\r\n");
    write("gone.txt", b"-- it\n++ was\n");
    write("moved.txt", long.as_bytes());
    write("kept.txt", long.as_bytes());
    write("picture.png", b"\0\x01");
    write("run.sh", b"true\n");
    write("\u{e4}.txt", b"x\n");
    git(at, &["add", "."]);
    let link = |id: &str| format!("160000,{},library", id.repeat(40));
    git(at, &["update-index", "--add", "--cacheinfo", &link("1")]);
    git(at, &["commit", "-qm", "Before"]);
    write(
        "changed.rs",
        b"fn main() {\n    let new = 1;\n    call(new);\n}\n\n// The end\n",
    );
    write("no newline", b"a\nb\n");
    write("windows.txt", b"one\ntwo\r\n");
    fs::remove_file(at.join("gone.txt")).expect("it is gone");
    git(at, &["mv", "moved.txt", "moved there.txt"]);
    write(
        "moved there.txt",
        long.replace("line 7\n", "line seven\n").as_bytes(),
    );
    git(at, &["mv", "kept.txt", "<b>.txt"]);
    write("picture.png", b"\0\x02");
    write("new.md", b"\n<script>alert(1)</script>\n");
    write("empty", b"");
    write("\u{e4}.txt", b"y\n");
    git(at, &["add", "."]);
    git(at, &["update-index", "--chmod=+x", "run.sh"]);
    git(at, &["update-index", "--add", "--cacheinfo", &link("2")]);
    git(
        at,
        &["diff", "--cached", "-M", "--stat=80", "-p", "--no-color"],
    )
}

fn git(at: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@a.io"])
        .args(arguments)
        .current_dir(at)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

proptest! {
    #[test]
    fn nothing_in_a_diff_is_markup_of_its_own(text in hostile(), name in hostile()) {
        let lines: String = text.split('\n').map(|line| format!("+{line}\n")).collect();
        let count = lines.matches('\n').count();
        let text = format!("diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -0,0 +1,{count} @@ {name}\n{lines}{text}");
        is_safe(&diff::markup(&diff::read(&text), 2).0);
        is_safe(&diff::markup(&diff::read(&name), 2).0);
    }
}

/// Lines of a small file, so that edits of it have much in common.
fn content() -> impl Strategy<Value = String> {
    let line = prop::sample::select(&[
        "a",
        "a b",
        "b a",
        "",
        " ",
        "-",
        "--- a",
        "+++ b",
        "@@ -1 +1 @@",
        "\\ No newline",
        "x\r",
        "ä ö",
        "\u{2028}",
        "diff --git a/a b/b",
    ]);
    (prop::collection::vec(line, 0..12), any::<bool>()).prop_map(|(lines, ends)| {
        let end = if ends && !lines.is_empty() { "\n" } else { "" };
        lines.join("\n") + end
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_hunks_put_together_are_what_git_wrote(before in content(), after in content(), context in 0..4) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("before"), &before).expect("a file");
        fs::write(folder.path().join("after"), &after).expect("a file");
        let context = format!("-U{context}");
        let text = git(folder.path(), &["diff", "--no-index", "--no-color", &context, "before", "after"]);
        let diff = diff::read(&text);
        let hunks: String = diff.files.iter().flat_map(|file| &file.hunks).map(ToString::to_string).collect();
        let written = text.find("\n@@ ").map_or("", |at| &text[at + 1..]);
        prop_assert_eq!(&hunks, written);
        for file in &diff.files {
            prop_assert_eq!((file.path.as_str(), file.rest.as_str()), ("after", ""));
            is_numbered(file, &before, &after);
        }
    }

    #[test]
    fn an_edit_has_every_line_of_both_texts_that_differs(before in content(), after in content()) {
        let file = diff::between("a", &before, &after, Some(1));
        is_numbered(&file, &before, &after);
        let changed = before.strip_suffix('\n').unwrap_or(&before) != after.strip_suffix('\n').unwrap_or(&after);
        prop_assert_eq!(!file.hunks.is_empty(), changed);
        let again = diff::read(&format!("--- a\n+++ a\n{}", file.hunks.iter().map(ToString::to_string).collect::<String>()));
        prop_assert_eq!(&again.files[0].hunks, &file.hunks);
    }
}

/// Each line is the one of that number in its file.
fn is_numbered(file: &diff::File, before: &str, after: &str) {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.split('\n').collect(), after.split('\n').collect());
    for line in file.hunks.iter().flat_map(|hunk| &hunk.lines) {
        for (number, lines) in [(line.old, &before), (line.new, &after)] {
            if let Some(number) = number {
                assert_eq!(line.text, lines[number as usize - 1]);
            }
        }
    }
}
