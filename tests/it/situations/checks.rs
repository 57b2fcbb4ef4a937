//! Checks, and what claude itself ran.

use super::{NO_FILE_HERE, Place, SILENT, Situation, compare};

#[test]
fn what_is_said_of_checks_is_true() {
    compare("checks", &SITUATIONS);
}

const SITUATIONS: [Situation; 8] = [
    Situation {
        name: "Green",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "echo x > new",
        answer: "All tests pass.",
        said: &[
            SILENT,
            "✓ Tests: 3 passed · 1 s",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "Red, and claude ran none",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 1
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "echo x > new",
        answer: "All tests pass.",
        said: &[
            SILENT,
            "✗ Tests: 1 of 3 failed · 1 s",
            "Claude did not run “sh check.sh” in this run.",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "Red, and claude saw it fail",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 1
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "echo x > new; sh check.sh",
        answer: "Tous les tests passent.",
        said: &[
            SILENT,
            "✗ Tests: 1 of 3 failed · 1 s",
            "Claude's last “echo x > new; sh check.sh” failed, too (1 of 3).",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "Red, though it passed for claude",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
test -e new && echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out' && exit 1; echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "sh check.sh; echo x > new",
        answer: "All tests pass.",
        said: &[
            SILENT,
            "✗ Tests: 1 of 3 failed · 1 s",
            "Claude's last “sh check.sh; echo x > new” passed (3 passed); the tests fail now.",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "Green, though it failed for claude",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
test -e new && echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out' && exit; echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 1
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "sh check.sh; echo x > new",
        answer: "I could not make them pass.",
        said: &[
            SILENT,
            "✓ Tests: 3 passed · 1 s",
            "Claude's last “sh check.sh; echo x > new” failed (1 of 3); the tests pass now.",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "No checks are set, and claude's tests failed",
        place: Place::Clone,
        checks: "",
        before: "echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out' > out; git add .; git commit -qm out; git push -q origin HEAD:main",
        run: "echo x > new; cat out; exit 1",
        answer: "Everything is green.",
        said: &[
            SILENT,
            "Claude's last “echo x > new; cat out; exit 1” failed (1 of 2).",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
    Situation {
        name: "Nothing changed: the checks do not run",
        place: Place::Clone,
        checks: "test=sh check.sh",
        before: "cat > check.sh <<'E'
echo '1 failed'; exit 1
E
git add .; git commit -qm check; git push -q origin HEAD:main",
        run: "ls",
        answer: "Fixed.",
        said: &[NO_FILE_HERE],
    },
    Situation {
        name: "A red linter",
        place: Place::Clone,
        checks: "lint=false",
        before: "",
        run: "echo x > new",
        answer: "Clean.",
        said: &[
            SILENT,
            "✗ Lint: exit code 1 · 1 s",
            "1 file changed, +1 −0",
            "Branch telecoder/x · nothing to push",
            "> +1 −0 new",
        ],
    },
];
