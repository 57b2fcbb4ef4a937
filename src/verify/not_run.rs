//! A check that could not be run: a program that it needs is not there.

use std::sync::LazyLock;

use regex::RegexSet;

/// How many last lines are looked at: who misses the program says so, and those who called it may say more.
const LAST: usize = 5;

/// What the last lines of a check say that was not found; `None` if they do not say so. They decide only where no test
/// ran: a test may print the same.
pub fn missing<'a>(lines: impl DoubleEndedIterator<Item = &'a str>) -> Option<&'a str> {
    static MISSING: LazyLock<RegexSet> = LazyLock::new(|| {
        RegexSet::new([
            // sh, bash, pyenv. What a program of the project does not find says nothing of that.
            r"^[^ ]+: (?:line )?[0-9]+: [^ ]+: (?:command )?not found$",
            r"^[^ ]+: [^ ]+: command not found$",
            r"^(?:[^ ]*/)?(?:a|ba|da|z)?sh: [^ ]+: not found$",
            // Bundler, Poetry
            r"^(?:[^ ]+: )?[Cc]ommand not found: ",
            // make
            r"^make(?:\[[0-9]+\])?: [^ ]+: No such file or directory$",
            r"^make(?:\[[0-9]+\])?: \*\*\* No rule to make target '(?:test|tests|check|lint)'",
            r"^make(?:\[[0-9]+\])?: \*\*\* \[.*\] Error 12[67]$",
            // python -m. A module that the code misses is an error of the code, with `ModuleNotFoundError` before it.
            r"^[^ ]*python[0-9.]*(?:\.exe)?: No module named ",
            // cargo, rustup
            r"^error: no such (?:sub)?command: ",
            r"^(?:[Ee]rror: )?[^ ]+ is not installed",
            r"^error: could not find `Cargo.toml` in ",
            // uv
            r"^error: Failed to spawn: ",
            // npx, npm, pnpm, yarn
            r"^npm (?:error|ERR!) npx canceled due to missing packages",
            r#"^npm (?:error|ERR!) Missing script: "#,
            r"^.?ERR_PNPM_NO_SCRIPT",
            r#"^error Command ".*" not found\.$"#,
            // node, jest, Bundler, Mix, Java
            r"^(?:Error: |\*\* \(Mix\) )?Could not (?:find|locate) ",
        ])
        .expect("constant patterns are right")
    });
    let last = lines.rev().filter(|line| !line.trim().is_empty());
    let mut found = last.take(LAST).filter(|line| MISSING.is_match(line));
    // The first one says what is missing, those below it who needed it.
    let newest = found.next()?;
    Some(found.last().unwrap_or(newest).trim())
}
