//! Words in a form to compare: in lower case, without marks, with placeholders for code and quotations.

/// Stands for inline code, or for quoted words. Words of the text never have such marks.
pub(super) const CODE: &str = "`code`";
/// Stands for a path outside the project, in code.
pub(super) const ELSEWHERE: &str = "`elsewhere`";
/// Stands for a command, in code, that runs all the tests.
pub(super) const TESTS: &str = "`tests`";
/// Stands for a command, in code, that runs a linter.
pub(super) const LINT: &str = "`lint`";
/// Stands for a tick.
pub(super) const TICK: &str = "✅";

/// Commands that run all the tests of a project, without their options.
const TEST_COMMANDS: [&str; 34] = [
    "cargo test",
    "cargo nextest run",
    "npm test",
    "npm run test",
    "npm t",
    "yarn test",
    "pnpm test",
    "pnpm run test",
    "pnpm t",
    "bun test",
    "deno test",
    "node",
    "npx jest",
    "npx vitest",
    "npx vitest run",
    "npx mocha",
    "pytest",
    "python pytest",
    "python3 pytest",
    "uv run pytest",
    "poetry run pytest",
    "tox",
    "go test ./...",
    "make test",
    "make check",
    "just test",
    "ctest",
    "mvn test",
    "gradle test",
    "./gradlew test",
    "dotnet test",
    "swift test",
    "mix test",
    "bundle exec rspec",
];
const LINT_PROGRAMS: [&str; 8] = [
    "clippy",
    "eslint",
    "lint",
    "ruff",
    "flake8",
    "pylint",
    "golangci-lint",
    "shellcheck",
];

/// The placeholder for code: its words are not the author's.
pub(super) fn stand_in(code: &str) -> &'static str {
    let command: Vec<&str> = code
        .split_whitespace()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let command = command.join(" ");
    let is_node_test = command != "node" || code.contains("--test");
    if TEST_COMMANDS.contains(&command.as_str()) && is_node_test && !code.contains(" -p ") {
        TESTS
    } else if command
        .split([' ', ':'])
        .any(|word| LINT_PROGRAMS.contains(&word))
    {
        LINT
    } else if ["~", "/etc", "/usr", "/var", "/tmp", "/opt"]
        .iter()
        .any(|root| code.starts_with(root))
    {
        ELSEWHERE
    } else {
        CODE
    }
}

/// The words of each sentence of a text.
pub(super) fn words(text: &str) -> Vec<Vec<String>> {
    let mut sentences = Vec::new();
    let mut sentence = Vec::new();
    for written in without_quoted(text).split_whitespace() {
        word(written, &mut sentence);
        if ends_sentence(written) {
            sentences.push(std::mem::take(&mut sentence));
        }
    }
    sentences.push(sentence);
    sentences.retain(|words| !words.is_empty());
    sentences
}

/// Adds a word as it is written, and the marks around it.
fn word(written: &str, words: &mut Vec<String>) {
    let mark = |mark: &str, words: &mut Vec<String>| words.push(mark.to_owned());
    if written.contains(['✅', '✔', '✓', '☑', '🟢']) {
        mark(TICK, words);
    } else if written.contains(['❌', '✗', '✘', '✖', '🔴', '⚠', '🚧', '⏳']) {
        mark("not", words);
    }
    if written.starts_with('(') {
        mark(",", words);
    }
    let bare = written.trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
    if [CODE, ELSEWHERE, TESTS, LINT].contains(&bare) {
        mark(bare, words);
    } else {
        let bare = bare.trim_matches('`');
        if !bare.is_empty() {
            words.push(bare.to_lowercase());
        } else if matches!(written, "—" | "–" | "-" | "--" | "→") {
            mark(":", words);
        }
    }
    match written
        .trim_end_matches(['"', '”', '*', '_'])
        .chars()
        .last()
    {
        Some(',' | ';' | ')') => mark(",", words),
        Some(':') => mark(":", words),
        Some('?') => mark("?", words),
        _ => {}
    }
}

fn ends_sentence(written: &str) -> bool {
    let written = written.trim_end_matches([')', '"', '”', '*', '_']);
    written.ends_with(['.', '!', '?', '…'])
        && !["e.g.", "i.e.", "vs.", "etc."].contains(&written.trim_start_matches('('))
}

/// Words in quotation marks are somebody's, or an example.
fn without_quoted(text: &str) -> String {
    let text = text
        .replace('’', "'")
        .replace('—', " — ")
        .replace(['“', '”'], "\"");
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('"').enumerate().peekable();
    while let Some((number, piece)) = pieces.next() {
        // The last piece was never closed.
        if number % 2 == 1 && pieces.peek().is_some() {
            out.push(' ');
            out.push_str(CODE);
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// Whether a word is in a list separated by blanks.
pub(super) fn is(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
}

/// Whether one of the words is in the list.
pub(super) fn any(words: &[String], list: &str) -> bool {
    words.iter().any(|word| is(word, list))
}
