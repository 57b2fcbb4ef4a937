//! Test counts are read from what real runners print, recorded with neutral paths.

use proptest::prelude::*;
use telecoder::domain::check::{TestCounts, Unit};
use telecoder::verify::counts::Reader;
use telecoder::verify::not_run::missing;

const fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
    TestCounts {
        passed,
        failed,
        skipped,
        unit: Unit::Tests,
    }
}

const fn packages(passed: u64, failed: u64) -> TestCounts {
    TestCounts {
        unit: Unit::Packages,
        ..counts(passed, failed, 0)
    }
}

const NONE: TestCounts = counts(0, 0, 0);

fn read(output: &str) -> Option<TestCounts> {
    of_text(output)
}

fn recorded(name: &str) -> String {
    let path = format!("tests/it/fixtures/runners/{name}.txt");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// In each of the `failing` ones a test prints what its runner prints at the end.
const RECORDED: [(&str, TestCounts); 125] = [
    ("cargo_test_failing", counts(4, 1, 3)),
    ("cargo_test_passing", counts(3, 0, 2)),
    ("cargo_test_quiet", counts(4, 1, 3)),
    ("cargo_test_all", counts(0, 1, 0)),
    ("cargo_test_none", NONE),
    ("cargo_workspace_passing", counts(3, 0, 1)),
    ("cargo_workspace_failing", counts(2, 1, 1)),
    ("nextest_failing", counts(6, 4, 2)),
    ("nextest_passing", counts(2, 0, 1)),
    ("nextest_stopped", counts(2, 1, 2)),
    ("nextest_all", counts(0, 1, 0)),
    ("nextest_none", NONE),
    ("pytest_failing", counts(11, 3, 1)),
    ("pytest_quiet", counts(11, 3, 1)),
    ("pytest_passing", counts(1, 0, 0)),
    ("pytest_all", counts(0, 1, 0)),
    ("pytest_collection", counts(0, 1, 0)),
    ("pytest_deselected", NONE),
    ("pytest_none", NONE),
    ("pytest_none_quiet", NONE),
    ("pytest_threshold", counts(2, 0, 0)),
    ("pytest_threshold_quiet", counts(2, 0, 0)),
    ("tox_failing", counts(4, 2, 0)),
    ("tox_passing", counts(4, 0, 0)),
    ("unittest_failing", counts(1, 5, 1)),
    ("unittest_passing", counts(1, 0, 1)),
    ("unittest_all", counts(0, 1, 0)),
    ("unittest_import", counts(0, 1, 0)),
    ("unittest_none", NONE),
    ("jest_failing", counts(2, 1, 2)),
    ("jest_passing", counts(1, 0, 0)),
    ("jest_all", counts(0, 1, 0)),
    ("jest_import", counts(1, 1, 0)),
    ("jest_none", NONE),
    ("jest_none_allowed", NONE),
    ("jest_threshold", counts(2, 0, 0)),
    ("vitest_failing", counts(2, 1, 2)),
    ("vitest_passing", counts(1, 0, 0)),
    ("vitest_all", counts(0, 1, 0)),
    ("vitest_import", counts(1, 1, 0)),
    ("vitest_none", NONE),
    ("vitest_none_allowed", NONE),
    ("vitest_threshold", counts(2, 0, 0)),
    ("mocha_failing", counts(2, 1, 1)),
    ("mocha_passing", counts(1, 0, 0)),
    ("mocha_all", counts(0, 1, 0)),
    ("mocha_none", NONE),
    ("mocha_nofile", NONE),
    ("nyc_threshold", counts(2, 0, 0)),
    ("c8_threshold", counts(2, 0, 0)),
    ("node_failing_tap", counts(3, 1, 2)),
    ("node_failing_spec", counts(3, 1, 2)),
    ("node_passing", counts(1, 0, 5)),
    ("node_all", counts(0, 1, 0)),
    ("node_none", NONE),
    ("node_threshold", counts(2, 0, 0)),
    ("tape_some", counts(1, 1, 0)),
    ("bun_some", counts(1, 1, 1)),
    ("bun_passing", counts(2, 0, 0)),
    ("bun_all", counts(0, 1, 0)),
    ("bun_none", NONE),
    ("bun_threshold", counts(2, 0, 0)),
    ("deno_some", counts(1, 2, 1)),
    ("deno_passing", counts(2, 0, 0)),
    ("deno_all", counts(0, 1, 0)),
    ("deno_none", NONE),
    ("playwright_some", counts(2, 1, 1)),
    ("playwright_passing", counts(1, 0, 0)),
    ("playwright_flaky", counts(2, 0, 0)),
    ("playwright_all", counts(0, 1, 0)),
    ("playwright_none", NONE),
    ("npm_unspecified", NONE),
    ("npm_workspaces", counts(6, 0, 0)),
    ("pnpm_passing", counts(6, 0, 0)),
    ("pnpm_failing", counts(5, 1, 0)),
    ("turbo_passing", counts(6, 0, 0)),
    ("turbo_failing", counts(5, 1, 0)),
    ("lerna_passing", counts(4, 0, 0)),
    ("lerna_stream", counts(4, 0, 0)),
    ("lerna_stream_without_nx", counts(4, 0, 0)),
    ("go_failing", packages(1, 2)),
    ("go_passing", packages(1, 0)),
    ("go_some", packages(1, 1)),
    ("go_none", packages(0, 0)),
    ("go_none_to_run", packages(0, 0)),
    ("go_none_json", NONE),
    ("go_verbose", counts(3, 3, 1)),
    ("go_json", counts(3, 3, 1)),
    ("gotestsum_some", counts(4, 1, 1)),
    ("gotestsum_passing", counts(3, 0, 0)),
    ("gotestsum_build", counts(0, 1, 0)),
    ("gotestsum_none", NONE),
    ("ctest_failing", counts(1, 1, 2)),
    ("ctest_passing", counts(1, 0, 0)),
    ("ctest_all", counts(0, 1, 0)),
    ("ctest_skipped", counts(1, 0, 1)),
    ("ctest_none", NONE),
    ("gradle_some", counts(1, 1, 1)),
    ("gradle_all", counts(0, 1, 0)),
    ("gradle_none", NONE),
    ("maven_some", counts(1, 1, 1)),
    ("maven_passing", counts(1, 0, 0)),
    ("maven_all", counts(0, 1, 0)),
    ("maven_none", NONE),
    ("rspec_some", counts(1, 1, 1)),
    ("rspec_passing", counts(1, 0, 0)),
    ("rspec_all", counts(0, 1, 0)),
    ("rspec_import", counts(0, 1, 0)),
    ("rspec_none", NONE),
    ("minitest_some", counts(1, 2, 1)),
    ("minitest_passing", counts(1, 0, 0)),
    ("minitest_all", counts(0, 1, 0)),
    ("minitest_none", NONE),
    ("test_unit_some", counts(1, 2, 1)),
    ("phpunit_some", counts(2, 2, 2)),
    ("phpunit_passing", counts(2, 0, 0)),
    ("phpunit_skipped", counts(1, 0, 1)),
    ("phpunit_all", counts(0, 1, 0)),
    ("phpunit_none", NONE),
    ("mix_some", counts(3, 1, 1)),
    ("mix_excluded", counts(2, 1, 1)),
    ("mix_passing", counts(3, 0, 0)),
    ("mix_all", counts(0, 1, 0)),
    ("mix_threshold", counts(3, 0, 0)),
    ("mix_none", NONE),
];

#[test]
fn the_numbers_of_every_runner_are_the_ones_it_means() {
    for (name, expected) in RECORDED {
        assert_eq!(read(&recorded(name)), Some(expected), "{name}");
    }
}

#[test]
fn every_recorded_output_is_looked_at() {
    let mut recorded: Vec<String> = std::fs::read_dir("tests/it/fixtures/runners")
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .filter(|file| file.extension().is_some_and(|end| end == "txt"))
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    recorded.sort();
    let mut known: Vec<&str> = RECORDED.map(|(name, _)| name).to_vec();
    known.extend(MISSING.map(|(name, _)| name));
    known.extend(SILENT);
    known.sort();
    assert_eq!(recorded, known);
}

/// Gradle has no numbers where all is well.
const SILENT: [&str; 2] = ["gradle_cached", "gradle_passing"];

#[test]
fn a_runner_that_does_not_say_how_many_passed_is_not_taken_for_one_that_ran_none() {
    for name in SILENT {
        assert_eq!(read(&recorded(name)), None, "{name}");
    }
    let modules = recorded("gradle_none") + &*recorded("gradle_passing");
    assert_eq!(read(&modules), None);
}

#[test]
fn a_threshold_that_is_not_met_is_seen() {
    for (name, _) in RECORDED {
        let mut reader = Reader::default();
        recorded(name).lines().for_each(|line| reader.line(line));
        // bun does not say why it is not content.
        let says = name.contains("_threshold") && name != "bun_threshold";
        assert_eq!(reader.misses_coverage, says, "{name}");
    }
}

/// What was not found, by what the runner's caller says.
const MISSING: [(&str, &str); 15] = [
    ("missing_bash", "bash: line 1: jest: command not found"),
    (
        "missing_cargo_project",
        "error: could not find `Cargo.toml` in `/project` or any parent directory",
    ),
    (
        "missing_cargo_subcommand",
        "error: no such command: `nosuch`",
    ),
    (
        "missing_gemfile",
        "Could not locate Gemfile or .bundle/ directory",
    ),
    ("missing_gradle_wrapper", "sh: 1: ./gradlew: not found"),
    ("missing_make", "make: jest: No such file or directory"),
    (
        "missing_make_target",
        "make: *** No rule to make target 'check'.  Stop.",
    ),
    (
        "missing_mix_project",
        "** (Mix) Could not find a Mix.Project, please ensure you are running Mix in a directory with a mix.exs file",
    ),
    ("missing_npm", "sh: 1: vitest: not found"),
    ("missing_npm_script", "npm error Missing script: \"test\""),
    (
        "missing_npx",
        "npm error npx canceled due to missing packages and no YES option: [\"jest@30.5.2\"]",
    ),
    ("missing_pnpm", "sh: 1: vitest: not found"),
    (
        "missing_pnpm_script",
        "ERR_PNPM_NO_SCRIPT\u{2009} Missing script: unit",
    ),
    (
        "missing_pytest",
        "/project/.venv/bin/python: No module named pytest",
    ),
    ("missing_sh", "sh: 1: jest: not found"),
];

#[test]
fn what_a_check_lacks_is_named() {
    for (name, expected) in MISSING {
        let output = recorded(name);
        assert_eq!(missing(output.lines()), Some(expected), "{name}");
        assert_eq!(read(&output), None, "{name}");
    }
}

#[test]
fn what_the_code_lacks_is_not_taken_for_what_the_check_lacks() {
    for (name, _) in RECORDED {
        assert_eq!(missing(recorded(name).lines()), None, "{name}");
    }
    for output in [
        "ModuleNotFoundError: No module named 'shop'",
        "error[E0433]: could not find `nope` in `shop`",
        "grep: out.txt: No such file or directory",
        "sh: 1: jest: not found\n1\n2\n3\n4\n5",
        "Error: page not found",
    ] {
        assert_eq!(missing(output.lines()), None, "{output}");
    }
}

#[test]
fn what_the_runners_of_two_languages_say_is_added_up() {
    let both = recorded("cargo_test_failing") + &*recorded("pytest_failing");
    assert_eq!(read(&both), Some(counts(15, 4, 4)));
    let both = recorded("nextest_failing") + &*recorded("cargo_test_passing");
    assert_eq!(read(&both), Some(counts(9, 4, 4)));
    let both = recorded("go_some") + &*recorded("pytest_passing");
    let sum = TestCounts {
        unit: Unit::TestsAndPackages,
        ..counts(2, 1, 0)
    };
    assert_eq!(read(&both), Some(sum));
    let twice = recorded("pytest_failing") + &*recorded("pytest_failing");
    assert_eq!(read(&twice), Some(counts(22, 6, 2)));
}

#[test]
fn what_a_failing_test_printed_is_not_counted() {
    let output = "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nrunning 1 test\n\
                  test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
                  ==== 5 passed in 1.00s ====\n\nfailures:\n    a\n\n\
                  test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(read(output), Some(counts(0, 1, 0)));
}

#[test]
fn forms_of_other_versions_and_options_are_read() {
    for (output, expected) in [
        (
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
             test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out",
            counts(3, 1, 2),
        ),
        (
            "     Summary [   1.2s] 1 test run: 0 passed, 1 exec failed, 0 skipped",
            counts(0, 1, 0),
        ),
        (
            "     Summary [   1.2s] 12 tests run: 10 passed (1 slow, 1 leaky), 2 failed, 3 skipped",
            counts(10, 2, 3),
        ),
        ("3 passed in 0.1s", counts(3, 0, 0)),
        (
            "======= 1 failed, 1 passed, 2 errors, 3 subtests passed in 62.01s (0:01:02) =======",
            counts(1, 3, 0),
        ),
        ("no tests ran in 0.01s", counts(0, 0, 0)),
        (
            "Ran 3 tests in 0.001s\r\n\r\nFAILED (failures=1)\r\n",
            counts(2, 1, 0),
        ),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN", counts(0, 0, 0)),
        ("# tests 4\n# pass  3\n# fail  1\n# not ok", counts(3, 1, 0)),
        ("\n  0 passing (3ms)\n  4 failing\n", counts(0, 4, 0)),
        (
            "98% tests passed, 2 tests failed out of 100",
            counts(98, 2, 0),
        ),
        (
            "ok | 3 passed | 1 failed | 2 ignored (12ms)",
            counts(3, 1, 2),
        ),
        (
            "  2 failed\n    a.spec.ts\n  3 passed (2.1s)",
            counts(3, 2, 0),
        ),
        ("working 50%\rdone: 7 passed, 1 failed", counts(7, 1, 0)),
        ("FAIL\tx [build failed]", packages(0, 1)),
        (
            "ok  \tx\t0.1s [no tests to run]\n?   \ty\t[no test files]",
            packages(0, 0),
        ),
        // https://github.com/thomhurst/TUnit/issues/1648
        (
            "Test summary: total: 0, failed: 0, succeeded: 0, skipped: 0, duration: 0.2s",
            NONE,
        ),
        (
            "FAILED | 1 passed (1 step) | 2 failed (1 step) (79ms)",
            counts(1, 2, 0),
        ),
        (
            "web test: 5 passed\napi test: 3 passed, 1 failed",
            counts(8, 1, 0),
        ),
        ("> Task :lib:test NO-SOURCE", NONE),
        (
            "No tests found, exiting with code 0\nall well: 5 passed",
            counts(5, 0, 0),
        ),
    ] {
        assert_eq!(read(output), Some(expected), "{output}");
    }
}

#[test]
fn what_is_no_summary_counts_nothing() {
    for output in [
        "",
        "Compiling shop v0.1.0",
        "warning: argument 2 passed to this function is unused",
        "10 minutes passed, nothing happened",
        "v1.2 passed, 1/3 passed, x3 passed",
        "ok 1 - adds\nnot ok 2 - sums",
        "Tests: 9 passed, 9 total"
            .replace("passed", "done")
            .as_str(),
        "  2 passing (3ms)",
        "# pass 3",
        "=== 5 apples in 0.1s ===",
        "Ran 5 tests in 0.1s\n\nOKAY",
        "> Task :lib:test NO-SOURCE\n> Task :app:test",
        "running 3 tests\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
    ] {
        assert_eq!(read(output), None, "{output}");
    }
}

#[test]
fn a_number_that_is_too_large_is_the_largest() {
    let huge = "9".repeat(40);
    let line = format!("test result: FAILED. {huge} passed; {huge} failed; 1 ignored;");
    let all =
        format!("{line}\n{line}\n==== {huge} passed, {huge} errors, {huge} failed in 1s ====");
    assert_eq!(read(&all), Some(counts(u64::MAX, u64::MAX, 2)));
    let long = format!("{}12 passed", " ".repeat(100_000));
    assert_eq!(read(&long), None, "a line that no runner writes");
}

/// Beginnings, middles and ends of the lines that mean something.
const PIECES: [&str; 40] = [
    "\n",
    "\n",
    "\n",
    "running ",
    "test result: ok. ",
    "test result: FAILED. ",
    " passed",
    " failed",
    " tests",
    "; ",
    ", ",
    " | ",
    "(",
    ")",
    "1",
    "18446744073709551616",
    " in ",
    "0.1s",
    "=====",
    " test session starts ",
    "Summary [",
    "] ",
    " run: ",
    "Nextest run ID ",
    "---- ",
    " stdout ----",
    "failures:",
    "Ran ",
    "OK",
    "FAILED (",
    "errors=",
    "Test Suites: ",
    "Tests: ",
    "Tests  ",
    "  ",
    " passing (",
    "# tests ",
    "{\"Action\":\"fail\"",
    "\t",
    "é",
];

/// The counts of a text.
fn of_text(output: &str) -> Option<TestCounts> {
    let mut reader = Reader::default();
    output.lines().for_each(|line| reader.line(line));
    reader.counts()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_a_command_prints_is_survived(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..60),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        read(&pieces.concat());
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_output_that_was_cut_anywhere_is_survived(
        which in 0..RECORDED.len(),
        at in any::<prop::sample::Index>(),
        garbage in "\\PC{0,40}",
    ) {
        let output = recorded(RECORDED[which].0);
        let at = at.index(output.len());
        let at = (at..output.len()).find(|at| output.is_char_boundary(*at)).unwrap_or(0);
        read(&output[..at]);
        read(&output[at..]);
        // A strange line in front changes nothing.
        if !garbage.chars().any(|c| c.is_ascii_digit()) {
            prop_assert_eq!(read(&format!("{garbage}\n\n{output}")), Some(RECORDED[which].1));
        }
    }
}
