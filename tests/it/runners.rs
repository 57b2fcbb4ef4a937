//! Checks with real runners, from the repository's files to the numbers in the chat.

use crate::support::Machine;

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
