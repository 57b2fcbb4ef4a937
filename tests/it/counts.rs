//! Test counts are read from what real runners print, recorded with neutral paths.

use proptest::prelude::*;
use telecoder::domain::check::TestCounts;
use telecoder::verify::counts::Reader;

const fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
    TestCounts {
        passed,
        failed,
        skipped,
    }
}

fn read(output: &str) -> Option<TestCounts> {
    let mut reader = Reader::default();
    output.split('\n').for_each(|line| reader.line(line));
    reader.counts()
}

fn recorded(name: &str) -> String {
    let path = format!("tests/it/fixtures/runners/{name}.txt");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// In each of the failing ones a test prints what its runner prints at the end.
const RECORDED: [(&str, TestCounts); 27] = [
    ("cargo_test_failing", counts(4, 1, 3)),
    ("cargo_test_passing", counts(3, 0, 2)),
    ("cargo_test_quiet", counts(4, 1, 3)),
    ("nextest_failing", counts(6, 4, 2)),
    ("nextest_passing", counts(2, 0, 1)),
    ("nextest_stopped", counts(2, 1, 2)),
    ("pytest_failing", counts(11, 3, 1)),
    ("pytest_quiet", counts(11, 3, 1)),
    ("pytest_passing", counts(1, 0, 0)),
    ("pytest_none", counts(0, 0, 0)),
    ("unittest_failing", counts(1, 5, 1)),
    ("unittest_passing", counts(1, 0, 1)),
    ("jest_failing", counts(2, 1, 2)),
    ("jest_passing", counts(1, 0, 0)),
    ("vitest_failing", counts(2, 1, 2)),
    ("vitest_passing", counts(1, 0, 0)),
    ("mocha_failing", counts(2, 1, 1)),
    ("mocha_passing", counts(1, 0, 0)),
    ("node_failing_tap", counts(3, 1, 2)),
    ("node_failing_spec", counts(3, 1, 2)),
    ("node_passing", counts(1, 0, 5)),
    ("go_failing", counts(1, 2, 0)),
    ("go_verbose", counts(3, 3, 1)),
    ("go_json", counts(3, 3, 1)),
    ("go_passing", counts(1, 0, 0)),
    ("ctest_failing", counts(1, 1, 2)),
    ("ctest_passing", counts(1, 0, 0)),
];

#[test]
fn the_numbers_of_every_runner_are_the_ones_it_means() {
    for (name, expected) in RECORDED {
        assert_eq!(read(&recorded(name)), Some(expected), "{name}");
    }
}

#[test]
fn what_the_runners_of_two_languages_say_is_added_up() {
    let both = recorded("cargo_test_failing") + &recorded("pytest_failing");
    assert_eq!(read(&both), Some(counts(15, 4, 4)));
    let both = recorded("nextest_failing") + &recorded("cargo_test_passing");
    assert_eq!(read(&both), Some(counts(9, 4, 4)));
    let twice = recorded("pytest_failing") + &recorded("pytest_failing");
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
        ("FAIL\tx [build failed]", counts(0, 1, 0)),
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
        "ok  \tx\t0.1s [no tests to run]\n?   \ty\t[no test files]",
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
