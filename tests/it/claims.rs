//! Claims of an answer about its own work, and what only looks like one.

use std::fmt::Write;

use proptest::prelude::*;
use telecoder::domain::evidence::Claims;
use telecoder::verify::claims;

/// One letter a claim: changed, tests, lint, committed, pushed.
fn letters(answer: &str) -> String {
    let Claims {
        changed,
        tests_pass,
        lint_clean,
        committed,
        pushed,
    } = claims::of(answer);
    [
        (changed, 'c'),
        (tests_pass, 't'),
        (lint_clean, 'l'),
        (committed, 'm'),
        (pushed, 'p'),
    ]
    .into_iter()
    .filter_map(|(claimed, letter)| claimed.then_some(letter))
    .collect()
}

const CLAIMS: &[(&str, &str)] = &[
    ("I've fixed the crash when the list is empty.", "c"),
    ("I’ve fixed the crash.", "c"),
    ("I have also updated the README.", "c"),
    (
        "I added a check so that it doesn't fail if the file is missing.",
        "c",
    ),
    ("Also, I renamed `a` to `b`.", "c"),
    ("Fixed the typo in `src/main.rs`.", "c"),
    ("Fixed three bugs in the parser.", "c"),
    ("Removed all uses of the old API.", "c"),
    ("Added `--since` to all commands.", "c"),
    (
        "I made the following changes:\n\n- the timer is outside the loop",
        "c",
    ),
    ("I looked at the log and fixed the race.", "c"),
    ("- Added `foo`\n- Updated README\n- Removed dead code", "c"),
    ("## Summary\n\n- Refactored the parser into two files", "c"),
    (
        "Here is what I changed:\n\n1. Moved the timer out of the loop",
        "c",
    ),
    ("## What changed\n\n- Renamed the flag `-x`", "c"),
    (
        "The cause was a race.\n\nI replaced the lock with a channel.",
        "c",
    ),
    (
        "I didn't touch the API. I changed the pool size instead.",
        "c",
    ),
    ("**Fixed** the parser.", "c"),
    ("Done.", "c"),
    ("Done!", "c"),
    ("**Done.**", "c"),
    ("✅ Done", "c"),
    (
        "All done: the `--since` flag works for all three commands.",
        "c",
    ),
    (
        "Done. The flaky test now waits on the channel instead of sleeping.",
        "c",
    ),
    ("Done 🎉 — the parser now counts in UTF-16 units.", "c"),
    ("All tests pass.", "t"),
    ("All 12 tests pass.", "t"),
    ("All 12 tests pass now.", "t"),
    ("All tests are passing.", "t"),
    ("The tests pass.", "t"),
    ("Tests pass, and I took your note into account.", ""),
    ("Tests pass.", "t"),
    ("The test suite passes now.", "t"),
    ("The full test suite is green.", "t"),
    ("✅ Tests: all green", "t"),
    ("Tests: ✅", "t"),
    ("- 🧪 Tests: 214 passed, 0 failed, 3 ignored", "t"),
    ("Tests: 12/12 passing", "t"),
    ("`cargo test` passes.", "t"),
    ("`cargo test --workspace`: 231 passed", "t"),
    ("### Checks\n\n- [x] `cargo test` (231 passed)", "t"),
    ("`npm test` is green.", "t"),
    ("I ran the tests and they all pass.", "t"),
    ("I ran `pytest -q`; all 40 pass.", "t"),
    ("I verified that all tests pass.", "t"),
    ("With this change, all tests pass.", "t"),
    ("After the fix all 12 tests pass.", ""),
    ("After the fix, all 12 tests pass.", "t"),
    ("All existing tests still pass.", "t"),
    ("All tests pass in 2.3 s.", "t"),
    ("Every test passes.", "t"),
    ("12 tests passed, 0 failed.", "t"),
    ("12 of 12 tests pass.", "t"),
    ("Done — all tests pass.", "t"),
    ("I've fixed the bug and all 12 tests pass.", "ct"),
    (
        "Fixed the parser. The tests pass and clippy is clean.",
        "ctl",
    ),
    ("Tests and clippy both pass.", "tl"),
    ("All tests and the linter are green.", "tl"),
    ("cargo clippy is clean.", "l"),
    ("Clippy is clean.", "l"),
    ("`cargo clippy --all-targets -- -D warnings` is clean.", "l"),
    ("`cargo clippy`: clean", "l"),
    ("`npm run lint` passes.", "l"),
    ("Clippy and rustfmt are clean.", "l"),
    ("Clippy reports no warnings.", "l"),
    ("No clippy warnings.", "l"),
    ("Lint: clean", "l"),
    ("ESLint passes with no errors.", ""),
    ("ESLint has no errors.", "l"),
    ("Committed as `abc123`.", "m"),
    (
        "I committed it as `7d1e0aa` with this message:\n\n```\nqueue: drain\n```",
        "m",
    ),
    ("I've committed the change.", "m"),
    ("Committed.", "m"),
    ("The changes are committed.", "m"),
    ("Everything is committed and pushed.", "mp"),
    ("I've committed and pushed the fix.", "mp"),
    ("Fixed the typo, committed it and pushed to `main`.", "cmp"),
    ("Committed and pushed.", "mp"),
    ("Pushed to origin.", "p"),
    ("I pushed the branch.", "p"),
    ("I have pushed it to `origin/fix`.", "p"),
    ("Done. Pushed to `origin`.", "p"),
    (
        "I wrote a failing test first, then fixed the parser. All 31 tests pass.",
        "ct",
    ),
    ("I fixed it, but I haven't committed.", "c"),
    ("I've fixed it and committed nothing.", "c"),
    (
        "I've now updated both call sites; the test suite is green, clippy is clean, and I've committed everything as `abc`.",
        "ctlm",
    ),
    (
        "I've added the dark mode toggle. `npm test` and `npm run lint` both pass.",
        "ctl",
    ),
    ("Both `cargo test` and `cargo clippy` pass.", "tl"),
    ("cargo test passes (42 tests).", "t"),
    ("42 tests, all passing.", "t"),
    ("All 42 tests are green ✅", "t"),
    ("✅ All 42 tests passing", "t"),
    ("Tests: all passing (42)", "t"),
    ("**Tests:** all 42 pass", "t"),
    ("**Tests**: 42 passed", "t"),
    ("- **Tests**: all pass", "t"),
    ("- **Lint:** clean", "l"),
    ("Ran the full test suite: all 42 tests pass.", "t"),
    ("Verified: all tests pass, clippy clean.", "tl"),
    ("Verified with `cargo test` — all 42 tests pass.", "t"),
    ("The change is committed as `abc1234`.", "m"),
    ("Committed `abc1234` and pushed to `main`.", "mp"),
    ("I've opened a PR. I've pushed the branch `x`.", "p"),
    ("Implemented the endpoint in `src/api.rs`.", "c"),
    ("Refactored `parse_line` to use an iterator.", "c"),
    ("I've gone ahead and fixed it.", "c"),
    ("I went ahead and added the flag.", "c"),
    (
        "I've implemented dark mode across the app. Here's what changed:",
        "c",
    ),
    ("I have successfully renamed the module.", "c"),
    ("I then removed the old path.", "c"),
    ("I've fixed the merge conflicts and pushed.", "cp"),
];

const NO_CLAIMS: &[&str] = &[
    "",
    "Yes, `cargo check` is enough here.",
    "Should I fix it in both?",
    "Have all tests passed?",
    "Done?",
    "Did you mean that all tests pass?",
    "The tests do not pass yet.",
    "The tests don't pass.",
    "I haven't run the tests.",
    "2 of 5 tests fail.",
    "10 of 12 tests pass.",
    "10/12 tests pass.",
    "All tests pass except two.",
    "All tests pass, but one is slow.",
    "All tests pass. The two in `net` were not run.",
    "All unit tests pass. The two integration tests fail.",
    "All 12 tests pass.\n\n3 tests still fail on Windows.",
    "Tests: 10 passed, 2 failed",
    "Tests: 12 added",
    "❌ All tests pass",
    "- [ ] All tests pass",
    "The new test passes.",
    "Both tests pass.",
    "The parser tests pass.",
    "`cargo test parser` passes.",
    "`cargo test -p queue` passes.",
    "The tests pass the token to the server.",
    "The tests pass on `main`.",
    "The tests pass without the fix, too.",
    "The tests should pass.",
    "The tests will pass.",
    "The tests would pass with it.",
    "If the tests pass, merge it.",
    "Once all tests pass, I'll commit.",
    "Make sure all tests pass.",
    "Before your change all tests passed.",
    "All tests passed yesterday.",
    "All tests were passing before.",
    "Goal: all tests pass.",
    "Acceptance criteria:\n\n- All tests pass\n- Clippy is clean",
    "## Definition of done\n\n- All tests pass",
    "To commit, run `git commit`.",
    "I did not change anything.",
    "I haven't changed the parser.",
    "I changed nothing.",
    "I've added no tests.",
    "I can add a test.",
    "I would have fixed the parser.",
    "I'll fix the parser.",
    "It would be fixed by a lock.",
    "Once you have fixed the parser, run it again.",
    "If I fixed the parser, it would be slower.",
    "The bug was fixed in 1.2.",
    "Fixed in 1.2.",
    "Fixed the bug in 1.2.3.",
    "Fixed bugs are listed below.",
    "Added complexity is the price.",
    "Changed files:",
    "Removed lines are shown in red.",
    "Updated docs would help.",
    "You fixed the parser.",
    "Ada fixed the parser last week.",
    "I fixed this already in the previous turn.",
    "I found that you renamed the flag and fixed the test.",
    "I've updated `~/.zshrc`.",
    "I've created a branch for it.",
    "I've updated the issue with the details.",
    "I've updated the plan.",
    "I've removed the temporary files.",
    "I changed my mind about the lock.",
    "I've fixed the parser, and then reverted it.",
    "> I've fixed the parser. All tests pass.",
    "The message says \"Fixed the parser\".",
    "The log says “I've fixed the parser”.",
    "`I've fixed the parser.`",
    "    I've fixed the parser.",
    "~~I've fixed the parser.~~",
    "| Step | State |\n|---|---|\n| Tests | All tests pass |",
    "# Fixed the parser",
    "The last three commits:\n\n- Fixed the parser\n- Added a test",
    "## Changelog\n\n- Added `--since`",
    "## Next steps\n\n- Added tests for the parser",
    "## 1.2.0\n\n- Fixed the parser",
    "Here's a description for the pull request:\n\nI've fixed the parser. All tests pass.",
    "Suggested changes:\n\n- Renamed flag\n- Removed lock",
    "- `abc123` Fixed the parser",
    "`abc123`: Fixed the parser",
    "Done. No changes were needed.",
    "Done. Nothing had to be changed.",
    "Done. The server was restarted.",
    "Done with the log.",
    "One of two tasks is done.",
    "- Done",
    "The rollout took 9 s.\n\nDone.",
    "Clippy is not clean.",
    "Clippy is clean, but the tests were not run.",
    "Clippy still complains about one line.",
    "The clippy warnings are old.",
    "Clippy should be clean.",
    "I'm committed to finding it.",
    "I've committed to finding it.",
    "Committed files are listed below.",
    "The work is done but not committed.",
    "It is not pushed.",
    "Committed changes stay.",
    "I pushed the value to the stack.",
    "I pushed back on that.",
    "I haven't committed or pushed anything.",
    "Shall I push it?",
    "Say the word and I'll push it.",
    "Ich habe den Parser repariert. Alle Tests laufen durch.",
    "The fix is straightforward: all tests pass a `Config` now.",
    "All tests pass through the same harness.",
    "The tests are green on my machine but CI is red.",
    "I've removed the build artifacts with `cargo clean`.",
    "I've moved the ticket to review.",
    "I changed directory to the project.",
    "I've updated the dependencies list above.",
    "I created a new worktree and ran the build.",
    "I added up the numbers: 42.",
    "I've added the numbers up; the total is 42.",
    "I made a mistake earlier.",
    "I've added two options below for you to choose from.",
    "I updated my understanding of the code.",
    "I changed the approach in my analysis.",
    "I've documented the findings below.",
    "I documented the API below.",
    "Fixed-point arithmetic is used throughout.",
    "Added to that, the lock is held too long.",
    "Moved to `src/b.rs` in 2019.",
    "Removed in favour of a channel.",
    "Updated 3 days ago.",
    "Fixed the cache size at 10 MB, the config rejects anything larger.",
    "Cleaned the data first is a good approach.",
    "Done right, this takes a day.",
    "Done this way, no file is read twice.",
    "All done! The server is up at port 3000.",
    "Done. The answer is 42.",
    "Done: 14 files scanned, no secrets.",
    "All tests passed in the last CI run.",
    "According to the log, all tests passed.",
    "Tests: see below.",
    "Test suite: 12 files",
    "Tests: 4 new, all in `tests/a.rs`.",
    "All tests compile.",
    "All the tests that touch the network pass.",
    "All tests in `net` pass.",
    "All tests for the parser pass.",
    "All tests pass for the parser.",
    "All tests pass now on Linux; Windows is untested.",
    "The tests pass because the mock returns early.",
    "All tests pass even with the bug in place.",
    "All tests pass even though the function is wrong, so there's a coverage gap.",
    "Currently all tests pass, so nothing needs fixing.",
    "Interestingly, all tests pass.",
    "The tests pass today because nothing calls it.",
    "No tests fail.",
    "Nothing fails, all tests pass.",
    "Clippy is clean apart from one warning.",
    "Clippy passes the flags on.",
    "Lint is run in CI.",
    "Lint passes are slow.",
    "The linter is configured in `x.toml`.",
    "No lint errors are shown because the rule is off.",
    "Commit it and push.",
    "Committed data is flushed to disk.",
    "The transaction is committed.",
    "Everything is committed in one transaction.",
    "The changes are committed when the transaction ends.",
    "It is pushed onto the heap.",
    "Pushed values are popped in reverse.",
    "Pushed to a `Vec`.",
    "The `git log` shows: I fixed the parser.",
    "In that commit I fixed the parser.",
    "When I fixed the parser, I saw it.",
    "As I fixed the parser, the tests turned green.",
    "I thought I fixed the parser.",
    "I've already fixed that.",
    "I have not committed.",
    "I've committed to the plan.",
    "Test results: 42 passed, 0 failed.",
    "Implemented dark mode.",
    "The bug is fixed.",
    "The login bug is now fixed.",
    "I've verified the fix. It works.",
    "I've added the key to your environment.",
    "I've updated your PR description.",
    "I've added a comment on the pull request.",
    "I've simplified the explanation below.",
    "I've rewritten the sentence for you: the cat sat.",
    "I've rewritten your paragraph:",
    "I've corrected your SQL below.",
    "I've updated the query:",
    "I've improved the wording:",
    "I've converted the numbers to a table below.",
    "I've changed the code as follows:",
    "I've added an example below.",
];

#[test]
fn what_is_said_plainly_is_a_claim() {
    let mut wrong = String::new();
    for (answer, expected) in CLAIMS {
        let found = letters(answer);
        if found != *expected {
            let _ = writeln!(wrong, "{answer:?}: {found:?}, not {expected:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn wishes_conditions_history_and_quotations_are_no_claims() {
    let mut wrong = String::new();
    for answer in NO_CLAIMS {
        let found = letters(answer);
        if !found.is_empty() {
            let _ = writeln!(wrong, "{answer:?}: {found:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn in_whole_answers_only_what_was_done_is_claimed() {
    let mut all = Vec::new();
    for file in std::fs::read_dir("tests/it/fixtures/answers").expect("the answers") {
        let path = file.expect("one").path();
        let found = letters(&std::fs::read_to_string(&path).expect("its text"));
        if !found.is_empty() {
            let name = path.file_stem().expect("its name").to_string_lossy();
            all.push(format!("{name}: {found}"));
        }
    }
    all.sort();
    let expected = [
        "02-one-line-with-command: c",
        "03-plain-paragraphs: c",
        "05-snake-case-and-math-operators: c",
        "08-bullets-tight: c",
        "27-diff-short: t",
        "40-emoji-zwj: c",
        "57-commit-message: m",
        "59-emoji-summary: t",
        "60-final-report: c",
        "64-everything-combined: t",
    ];
    assert_eq!(all, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_an_answer_is_it_is_survived(
        which in 0..CLAIMS.len(),
        other in 0..NO_CLAIMS.len(),
        from in any::<prop::sample::Index>(),
        noise in "\\PC{0,30}",
    ) {
        let answer = format!("{}{noise}\n\n- {}", CLAIMS[which].0, NO_CLAIMS[other]);
        let edges: Vec<usize> = answer.char_indices().map(|(at, _)| at).collect();
        claims::of(&answer);
        claims::of(&answer[edges[from.index(edges.len())]..]);
        claims::of(&noise);
    }

    #[test]
    fn code_never_claims_anything(
        which in prop::collection::vec(0..CLAIMS.len(), 1..5),
        mark in prop_oneof![Just("`````"), Just("~~~~~")],
        language in "[a-z]{0,6}",
    ) {
        let code: Vec<&str> = which.iter().map(|which| CLAIMS[*which].0).collect();
        let code = code.join("\n");
        prop_assert_eq!(letters(&format!("{mark}{language}\n{code}\n{mark}\n")), "");
        prop_assert_eq!(letters(&format!("See:\n\n{mark}{language}\n{code}")), "", "not closed");
        let quoted = code.replace('\n', "\n> ");
        prop_assert_eq!(letters(&format!("> {quoted}")), "");
    }

    #[test]
    fn what_claims_nothing_by_itself_claims_nothing_together(
        which in prop::collection::vec(0..NO_CLAIMS.len(), 1..6),
    ) {
        // "Done." leans on what follows it.
        let alone = |answer: &&str| !answer.to_lowercase().contains("done");
        let answer: Vec<&str> =
            which.iter().map(|which| NO_CLAIMS[*which]).filter(alone).collect();
        prop_assert_eq!(letters(&answer.join("\n\n---\n\n")), "");
    }
}
