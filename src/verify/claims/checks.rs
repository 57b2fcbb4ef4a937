//! What a sentence says passed: all the tests, the linter.

use super::prose::Sentence;
use super::words::{TESTS, TICK, is};

/// What one sentence says passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub tests: bool,
    pub lint: bool,
}

/// Words that make a sentence a wish, a condition, history, or half a claim.
const DOUBTFUL: &str = "
    if unless once when until should would could might may must can cannot will let want need
    needs ensure whether before except but not never none nothing without neither only yet some
    most half almost nearly apart besides fail fails failing broken previously earlier yesterday
    ago was were used you your main master upstream ci production remote expected hopefully
    presumably probably likely think believe assume assuming suppose already";
/// A sentence that begins in another way may be about anything: a rule, a goal, another commit.
const BEGINNINGS: &str = "
    i i've with after done all the every existing full tests test ran code everything yes ok
    okay also finally now cargo clippy lint linting linter eslint ruff both it this fixed added
    updated changed removed implemented refactored renamed moved replaced verified no zero 0
    build and `tests` `lint` ✅";
/// Words that may stand alone before a colon or a dash.
const LABELS: &str = "
    done result results verified verification checks status summary yes ok also now";
/// A sentence that begins so may give its result after a colon or a dash.
const DID: &str = "i i've done fixed added implemented updated removed ran verified";
/// The words of a subject that means all the tests, or a linter. Other words select some of the tests.
const SUBJECT: &str = "
    all the every existing new full entire whole complete of and test tests suite my our
    project's workspace cargo rust clippy lint lints linter linting eslint ruff flake8 pylint
    golangci-lint fmt rustfmt formatting prettier mypy tsc build `tests` `lint`";
pub(super) const LINTERS: &str = "
    clippy lint lints linter linting eslint ruff flake8 pylint golangci-lint `lint`";
const BETWEEN: &str = "
    now all still again are is both have has each cleanly successfully comes come back run runs";
const PASS: &str = "pass passes passed passing green succeed succeeds succeeded ✅";
const TROUBLE: &str = "
    failures failure failed errors error warnings warning issues problems complaints";

/// What the sentence says passed.
pub(super) fn of(sentence: &Sentence) -> Passed {
    let words: Vec<&str> = sentence.words.iter().map(String::as_str).collect();
    let nothing = Passed::default();
    let Some(first) = words
        .iter()
        .find(|word| !matches!(**word, TICK | "," | ":"))
    else {
        return nothing;
    };
    if is_doubtful(&words) || !(is(first, BEGINNINGS) || is(first, LABELS) || is_number(first)) {
        return nothing;
    }
    let mut passed = nothing;
    let mut ran = nothing;
    for at in 0..words.len() {
        if !is_start(&words, at) {
            continue;
        }
        let found = clause(&words[at..], ran);
        passed.tests |= found.tests;
        passed.lint |= found.lint;
        if at == 0 {
            ran = that_ran(&words);
        }
    }
    passed
}

fn is_doubtful(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let is_trouble = is(word, TROUBLE) && at > 0;
        is(word, DOUBTFUL)
            || word.ends_with("n't")
            || word.ends_with("'ll")
            || word.ends_with("'d")
            || (is_trouble && is_number(words[at - 1]) && words[at - 1] != "0")
    })
}

/// Whether a statement may begin here: at the start, after a comma, after "and", after "I verified that".
fn is_start(words: &[&str], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| words[before]) else {
        return true;
    };
    match before {
        "," | "and" | TICK => true,
        ":" => {
            let label: Vec<&str> = words[..at - 1]
                .iter()
                .copied()
                .filter(|word| *word != TICK)
                .collect();
            let is_label = label.len() <= 1 && label.iter().all(|word| is(word, LABELS));
            let is_sentence = is(words[0], DID) && !label.contains(&":");
            is_label || label == ["all", "done"] || is_sentence
        }
        "that" => at >= 2 && matches!(words[at - 2], "verified" | "confirmed" | "checked" | "sure"),
        "verified" | "confirmed" => true,
        _ => false,
    }
}

/// What the statement at the start of these words says passed. `ran` is what "they" means.
fn clause(words: &[&str], ran: Passed) -> Passed {
    let words = &words[words
        .iter()
        .take_while(|word| matches!(**word, TICK | "also" | "now" | "and"))
        .count()..];
    // "Both the tests and clippy pass", but not "both tests".
    let words = match words {
        ["both", rest @ ..] if rest.contains(&"and") => rest,
        _ => words,
    };
    let length = words
        .iter()
        .take_while(|word| is(word, SUBJECT) || is_number(word) || is_ratio(word))
        .count();
    let (subject, rest) = words.split_at(length);
    let about = about(subject);
    if about != Passed::default() {
        let verdict = verdict(rest);
        return Passed {
            tests: about.tests && verdict == Some(Verdict::Pass),
            lint: about.lint && verdict.is_some(),
        };
    }
    let they = words
        .iter()
        .take_while(|word| {
            matches!(
                **word,
                "they" | "all" | "both" | "everything" | "of" | "them"
            ) || is_number(word)
        })
        .count();
    if they > 0 && verdict(&words[they..]) == Some(Verdict::Pass) {
        return ran;
    }
    Passed {
        tests: false,
        lint: no_warnings(words, true).is_some_and(ends),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    /// Said of a linter.
    Clean,
}

/// Which checks a subject names: "all 12 tests", "the test suite and clippy".
fn about(subject: &[&str]) -> Passed {
    let has = |word: &str| subject.contains(&word);
    let numbers: Vec<&&str> = subject.iter().filter(|word| is_number(word)).collect();
    let is_whole = match numbers.as_slice() {
        [] => !has("of") || has("all"),
        [number] => **number != "0" && (!has("of") || has("all")),
        [one, other] => one == other && has("of"),
        _ => false,
    };
    let is_part = has("new") && !has("existing");
    let named = has("tests")
        || has(TESTS)
        || subject
            .windows(2)
            .any(|two| matches!(two, ["test", "suite"] | ["cargo", "test"]))
        || (has("every") && has("test"));
    Passed {
        tests: named && is_whole && !is_part,
        lint: subject.iter().any(|word| is(word, LINTERS)),
    }
}

/// What is said of a subject: "now all pass", ": 12 passed, 0 failed", "is clean".
fn verdict(words: &[&str]) -> Option<Verdict> {
    let is_label = words.first().is_some_and(|word| matches!(*word, ":" | ","));
    let words = &words[usize::from(is_label)..];
    let words = &words[words.iter().take_while(|word| is(word, BETWEEN)).count()..];
    let words = match words {
        [number, rest @ ..] if is_label && is_number(number) && *number != "0" => rest,
        [ratio, ..] if is_label && is_ratio(ratio) => return Some(Verdict::Pass),
        _ => words,
    };
    match words {
        [word, rest @ ..] if is(word, PASS) && ends(rest) => Some(Verdict::Pass),
        ["clean", rest @ ..] if ends(rest) => Some(Verdict::Clean),
        [
            "reports" | "reported" | "shows" | "finds" | "found" | "gives" | "prints",
            rest @ ..,
        ] => no_warnings(rest, false)
            .filter(|rest| ends(rest))
            .map(|_| Verdict::Clean),
        _ => no_warnings(words, false)
            .filter(|rest| ends(rest))
            .map(|_| Verdict::Clean),
    }
}

/// What follows "no clippy warnings", or "no warnings" if the linter was named before.
fn no_warnings<'a>(words: &'a [&'a str], with_linter: bool) -> Option<&'a [&'a str]> {
    match words {
        ["no" | "zero" | "0", linter, trouble, rest @ ..]
            if with_linter && is(linter, LINTERS) && is(trouble, TROUBLE) =>
        {
            Some(rest)
        }
        ["no" | "zero" | "0", trouble, rest @ ..] if !with_linter && is(trouble, TROUBLE) => {
            Some(rest)
        }
        _ => None,
    }
}

/// Whether nothing follows that weakens it: "pass in 2 s", but not "pass the token".
fn ends(rest: &[&str]) -> bool {
    match rest {
        [] => true,
        [next, ..] if matches!(*next, "," | ":" | "and" | TICK) => true,
        [
            "now" | "again" | "locally" | "too" | "cleanly" | "successfully" | "here"
            | "afterwards",
            rest @ ..,
        ] => ends(rest),
        ["in", time, ..] => time.starts_with(|c: char| c.is_ascii_digit()),
        [
            "with",
            "the" | "this" | "these" | "my",
            "fix" | "change" | "changes" | "patch",
            rest @ ..,
        ] => ends(rest),
        _ => false,
    }
}

/// What "they" means after "I ran the tests and clippy".
fn that_ran(words: &[&str]) -> Passed {
    let Some(at) = words
        .iter()
        .position(|word| *word == "ran" || *word == "run")
    else {
        return Passed::default();
    };
    if at > 3 || !matches!(words[0], "i" | "i've" | "ran" | "also" | "and") {
        return Passed::default();
    }
    let subject: Vec<&str> = words[at + 1..]
        .iter()
        .copied()
        .take_while(|word| is(word, SUBJECT) || is_number(word))
        .collect();
    about(&subject)
}

pub(super) fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// `12/12`, all of them.
fn is_ratio(word: &str) -> bool {
    word.split_once('/')
        .is_some_and(|(passed, total)| passed == total && is_number(passed) && passed != "0")
}
