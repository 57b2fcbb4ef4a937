//! The house has floors: a module knows only what lies below it.
//!
//! This reads `src` as text, so that it finds an upward dependency wherever it is written: in a `use`, in a path, in
//! the middle of a function.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down. Modules of one floor do not know each other.
const FLOORS: [&[&str]; 17] = [
    &["main"],
    &["cli"],
    &["demo", "doctor"],
    &["daemon"],
    &["web"],
    &["inbox"],
    &["login"],
    &["session"],
    &["run"],
    &["job"],
    &["telegram"],
    &["config", "verify"],
    &["health", "public"],
    &["claude", "git", "store", "systemd"],
    &["chat", "command", "files", "metrics", "process"],
    &["redact"],
    &["domain"],
];

#[test]
fn no_module_knows_what_lies_beside_or_above_it() {
    let mut read = 0;
    let mut climbing = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let file = file.strip_prefix(root().join("src")).expect("it is in src");
        climbing.extend(arrows_up(file, &text));
        read += 1;
    }
    assert!(read > 300, "only {read} files were read");
    assert!(climbing.is_empty(), "\n{}", climbing.join("\n"));
}

#[test]
fn an_arrow_that_climbs_is_found_however_it_is_written() {
    let found = |file: &str, text: &str| arrows_up(Path::new(file), text);
    assert_eq!(
        found("chat/live.rs", "//! Words.\n\nuse crate::store::Store;\n"),
        ["src/chat/live.rs:3: chat must not know store"]
    );
    assert_eq!(
        found(
            "git/diff.rs",
            "fn f() {\n    crate::claude::argv::OWN_MODEL;\n}"
        ),
        ["src/git/diff.rs:2: git must not know claude"]
    );
    assert_eq!(
        found("telegram/line/mod.rs", "use super::super::inbox::Inbox;"),
        ["src/telegram/line/mod.rs:1: telegram must not know inbox"]
    );
    assert_eq!(
        found(
            "job/mod.rs",
            "use crate::{\n    domain::id::RunId,\n    run::{drive, start},\n};"
        ),
        ["src/job/mod.rs:1: job must not know run"]
    );
    assert_eq!(
        found("domain/run.rs", "use crate::nowhere::Thing;"),
        ["src/domain/run.rs:1: nowhere has no floor in tests/it/house.rs"]
    );
    assert_eq!(
        found(
            "domain/run.rs",
            "/// As `crate::store::runs` keeps it.\nuse crate::domain::id::RunId;"
        ),
        [] as [&str; 0]
    );
}

#[test]
fn the_first_page_and_the_architecture_name_the_same_floors() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("there is a first page");
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let in_table: Vec<&str> = FLOORS.iter().skip(1).copied().flatten().copied().collect();
    assert_eq!(declared, in_table, "src/lib.rs and FLOORS");

    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("there is a page");
    let floors: Vec<String> = FLOORS
        .iter()
        .map(|floor| format!("    {}", floor.join(" ")))
        .collect();
    assert!(
        page.contains(&floors.join("\n")),
        "docs/ARCHITECTURE.md does not have these floors:\n{}",
        floors.join("\n")
    );
}

/// The arrows of one file of `src` that do not go down, a line each.
fn arrows_up(file: &Path, text: &str) -> Vec<String> {
    let mut module: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let Some(own) = module.first().filter(|own| *own != "lib") else {
        return Vec::new();
    };
    let mut faults = BTreeSet::new();
    for (number, known) in known(text, module.len()) {
        let fault = match (floor(own), floor(&known)) {
            _ if known == *own => continue,
            (Some(own), Some(other)) if own < other => continue,
            (None, _) => format!("{own} has no floor in tests/it/house.rs"),
            (_, None) => format!("{known} has no floor in tests/it/house.rs"),
            (Some(_), Some(_)) => format!("{own} must not know {known}"),
        };
        faults.insert((number, fault));
    }
    faults
        .into_iter()
        .map(|(number, fault)| format!("src/{}:{number}: {fault}", file.display()))
        .collect()
}

/// The top-level modules that a text names, with the line that each path begins in. `depth` is how many `super` lead
/// to the root of the crate.
fn known(text: &str, depth: usize) -> Vec<(usize, String)> {
    let code: String = text
        .lines()
        .map(|line| match line.trim_start().starts_with("//") {
            true => "\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    let up = "super::".repeat(depth);
    let mut known = Vec::new();
    for start in ["crate::", "telecoder::", up.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let number = before.matches('\n').count() + 1;
            let behind = &code[at + start.len()..];
            for name in first_names(behind) {
                known.push((number, name));
            }
        }
    }
    known
}

/// The first name of a path, or those of the paths in a group.
fn first_names(behind: &str) -> Vec<String> {
    let Some(group) = behind.strip_prefix('{') else {
        return vec![name_at(behind)];
    };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut begins = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(name_at(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
