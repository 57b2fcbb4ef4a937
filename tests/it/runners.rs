//! Checks with real runners, from the repository's files to the numbers in the chat.

use crate::support::Machine;
use crate::support::git::host;

const COMMIT: &str = "git -c user.name=A -c user.email=a@b commit -qm";

/// cargo and rustup find their toolchain by HOME, which is another one on a test's machine.
fn with_cargo(machine: Machine) -> Machine {
    let home = std::env::var("HOME").expect("a home");
    let of = |name: &str, folder: &str| std::env::var(name).unwrap_or(format!("{home}/{folder}"));
    let (cargo, rustup) = (of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup"));
    machine
        .with("CARGO_HOME", cargo)
        .with("RUSTUP_HOME", rustup)
}

#[test]
fn a_rust_project_is_recognised_and_its_failing_test_is_named() {
    let machine = with_cargo(Machine::new());
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: mkdir src; printf '[package]\\nname = \"sum\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n[lints.clippy]\\n' \
         > Cargo.toml; printf 'target\\nCargo.lock\\n' > .gitignore; \
         printf 'pub fn sum(a: i32, b: i32) -> i32 { a + b }\\n\
         #[test] fn small() { assert_eq!(sum(1, 1), 2); }\\n\
         #[test] fn wrong() { assert_eq!(sum(2, 2), 5, \"as Ada said\"); }\\n\
         #[test] #[ignore] fn later() {}\\n' > src/lib.rs]] \
         [[say: Added the crate. All tests pass.]]",
    );
    let offer = machine.message_with("Found in the workspace: cargo test · cargo clippy");
    machine.ada_presses(&offer);
    machine.until_toast("The checks run now, and after each run.");
    machine.ada_says("/checks lint=-");
    machine.message_with("Tests: cargo test (set here)");
    machine.ada_says("/verify");
    let evidence = machine.message_with("✗ Tests: 1 of 2 failed");
    assert!(evidence.text.contains("as Ada said"), "{}", evidence.text);
    machine
        .ada_says("[[bash: sed -i 's/, 5, /, 4, /' src/lib.rs]] [[say: Fixed. All tests pass.]]");
    let evidence = machine.message_with("✓ Tests: 2 passed, 1 skipped");
    assert!(!evidence.text.contains('⚠'), "{}", evidence.text);
}

#[test]
#[ignore = "needs pytest: .ci/run installs and runs it"]
fn a_python_project_is_recognised_and_its_failing_test_is_named() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: printf '[tool.pytest.ini_options]\\n' > pyproject.toml; \
         printf '__pycache__\\n.pytest_cache\\n' > .gitignore; \
         printf 'import pytest\\n\\ndef test_small():\\n    assert 1 + 1 == 2\\n\\n\
         def test_wrong():\\n    assert 2 + 2 == 5, \"as Ada said\"\\n\\n\
         @pytest.mark.skip\\ndef test_later():\\n    pass\\n' > test_sum.py]] [[say: here]]",
    );
    let offer = machine.message_with("Found in the workspace: python3 -m pytest.");
    machine.ada_presses(&offer);
    machine.until_toast("The checks run now, and after each run.");
    // Of another length: Python takes a file of the same second and length for unchanged.
    machine.ada_says("/verify");
    let evidence = machine.message_with("✗ Tests: 1 of 2 failed");
    assert!(evidence.text.contains("as Ada said"), "{}", evidence.text);
    machine.ada_says(
        "[[bash: sed -i 's/ == 5/ == 2 + 2/' test_sum.py]] [[say: Fixed. All tests pass.]]",
    );
    machine.message_with("✓ Tests: 2 passed, 1 skipped");
}

/// A check that writes what a runner wrote, and ends as that did.
fn as_recorded(name: &str, code: u8) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/fixtures/runners");
    format!("cat {folder}/{name}.txt; exit {code}")
}

#[test]
fn what_real_runners_wrote_is_told_as_it_was() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    for (name, code, line) in [
        ("pnpm_passing", 0, "✓ Tests: 6 passed · "),
        ("go_passing", 0, "✓ Tests: 1 package passed · "),
        ("go_some", 1, "✗ Tests: 1 of 2 packages failed · "),
        ("go_none", 0, "⚠ Tests: no test was run · "),
        ("gradle_passing", 0, "✓ Tests · "),
        ("pytest_none", 5, "✗ Tests: no test was run, exit code 5 · "),
        ("pytest_collection", 2, "✗ Tests: 1 of 1 failed · "),
        (
            "pytest_threshold",
            1,
            "✗ Tests: 2 passed, but the coverage threshold is not met · ",
        ),
        ("bun_threshold", 1, "✗ Tests: 2 passed, but exit code 1 · "),
        (
            "missing_pnpm",
            1,
            "⚠ Tests: could not be run (sh: 1: vitest: not found), ",
        ),
        (
            "cargo_test_passing",
            127,
            "✗ Tests: 3 passed, 2 skipped, but exit code 127 · ",
        ),
    ] {
        let check = as_recorded(name, code);
        machine.ada_says(&format!("/checks test={check}"));
        machine.message_with(&format!("{name}.txt; exit {code} (set here)"));
        machine.ada_says("/verify");
        machine.message_with(line);
    }
}

#[test]
fn nothing_is_pushed_by_itself_where_no_test_was_run() {
    let machine = Machine::new().with("TELECODER_AUTO_PUSH", "true");
    let host = host(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", host.display()));
    machine.message_with("is cloned");
    for (name, code, line) in [
        ("ctest_none", 0, "⚠ Tests: no test was run"),
        ("missing_make", 2, "⚠ Tests: could not be run"),
    ] {
        let check = as_recorded(name, code);
        machine.ada_says(&format!("/checks test={check}"));
        machine.message_with(&format!("{name}.txt; exit {code} (set here)"));
        machine.ada_says(&format!(
            "[[bash: echo x > {name}; git add .; {COMMIT} more]] [[say: more]]"
        ));
        let evidence = machine.message_with(line);
        assert!(
            evidence.text.contains("on no remote branch"),
            "{}",
            evidence.text
        );
    }
}
