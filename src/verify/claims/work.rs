//! What a sentence says was done: a change, a commit, a push.

use super::heading::is_version;
use super::prose::Sentence;
use super::words::{any, is};

/// What one sentence says was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub changed: bool,
    pub committed: bool,
    pub pushed: bool,
}

/// Only forms that are no imperative as well: not "split", not "set".
const CHANGED: &str = "
    fixed added updated changed removed deleted implemented refactored rewrote rewritten created
    renamed moved replaced edited modified adjusted extracted introduced converted corrected
    patched bumped simplified migrated wired inlined extended dropped switched tightened
    hardened cleaned deduplicated documented ported reworked restructured improved reformatted";
/// Words that may precede a statement.
const CONNECTIVES: &str = "
    and also then so finally additionally instead ok okay yes great good perfect ✅ , :";
const ADVERBS: &str = "also now just then successfully therefore finally both";
/// What is not a file of the project, or not a change of this turn.
const NO_FILE: &str = "
    nothing no none neither branch branches issue issues ticket pr pull tag release label plan
    list summary table draft todo todos task tasks worktree session container cache node_modules
    database server crontab permissions environment temporary temp scratch mind reminder memory
    note notes comment description commit `elsewhere` artifacts numbers understanding analysis approach
    findings explanation sentence paragraph wording phrasing directory options up";
const HISTORY: &str = "
    earlier previous previously yesterday ago already last originally upstream history again";
/// From these words on, a sentence is not about its subject.
const SUBORDINATE: &str = "
    that which who where when if because how why so while until unless once you they he she we
    whether";
const FINITE: &str = "
    is are was were isn't aren't would should must can could will may might has have need needs";
const NUMBERS: &str = "two three four five six seven eight nine ten";

/// What the sentence says was done by its author.
pub(super) fn of(sentence: &Sentence) -> Done {
    let words = &sentence.words;
    let mut done = Done::default();
    if any(words, HISTORY)
        || words
            .windows(2)
            .any(|two| is(&two[0], "in since") && is_version(&two[1]))
    {
        return done;
    }
    let is_shown = is_shown(words);
    for at in own_acts(sentence) {
        let behind = &words[at + 1..];
        match words[at].as_str() {
            "committed" => done.committed |= is_commit(behind),
            "pushed" => done.pushed |= is_push(behind),
            "made" => done.changed |= makes_changes(behind),
            _ => done.changed |= is_change(behind) && !is_shown,
        }
    }
    let (committed, pushed) = is_now(words);
    done.committed |= committed;
    done.pushed |= pushed;
    done
}

/// "Done." or "All done: the flag works."
pub(super) fn is_done(sentence: &Sentence) -> bool {
    let words = without_connectives(&sentence.words);
    let first = words.split(|word| is(word, ", :")).next();
    let is_done = first.is_some_and(|first| first == ["done"] || first == ["all", "done"]);
    is_done && sentence.is_own && !sentence.is_question && !sentence.is_item
}

/// Whether a sentence says that "Done." means something other than a change, or that no change was needed.
pub(super) fn explains_done(sentence: &Sentence) -> bool {
    const OTHER_WORK: &str = "
        ran rerun reran restarted started running installed pushed committed merged rebased
        opened closed deployed posted sent stopped killed tagged reviewed analysed analyzed
        looked read downloaded uploaded cloned stashed found already unchanged deleted created
        checked fetched pulled answered cancelled scheduled scanned summary branch pr server port";
    any(&sentence.words, OTHER_WORK) || denies_change(&sentence.words)
}

/// Whether a sentence sounds as if something were different now: "the flag works", "it now waits".
pub(super) fn tells_of_change(sentence: &Sentence) -> bool {
    any(&sentence.words, "now works work new longer") || any(&sentence.words, CHANGED)
}

/// "No changes were needed", "there was nothing to fix", "I did not change anything"
fn denies_change(words: &[String]) -> bool {
    let near = |at: usize, list: &str| words[at + 1..].iter().take(4).any(|word| is(word, list));
    words
        .iter()
        .enumerate()
        .any(|(at, word)| match word.as_str() {
            "no" | "zero" => near(
                at,
                "change changes changed edit edits file files code need fix",
            ),
            "nothing" => near(at, "change changed needed need to do fix edit modify"),
            "without" => near(at, "change changes changing editing touching"),
            "not" => near(at, "anything any nothing needed need necessary"),
            _ => word.ends_with("n't") && near(at, "anything any need necessary"),
        })
}

/// Whether a change was undone again, or said to be none.
pub(super) fn takes_back(sentence: &Sentence) -> bool {
    const UNDONE: &str = "reverted undid undone restored stashed discarded rolled";
    any(&sentence.words, UNDONE)
}

/// The positions of the words that say what the author did: "I *fixed* the bug, *committed* it and *pushed*".
fn own_acts(sentence: &Sentence) -> Vec<usize> {
    let words = &sentence.words;
    let start = words.len() - without_connectives(words).len();
    let (mut at, is_first_person) = behind_i(words, start);
    let mut acts = Vec::new();
    if is_first_person {
        if words.get(at).is_some_and(|word| is_act(word)) {
            acts.push(at);
        }
    } else if words.get(at).is_some_and(|word| is_act(word)) && begins_alone(sentence, at) {
        acts.push(at);
    } else {
        return acts;
    }
    while at + 1 < words.len() {
        at += 1;
        let word = &words[at];
        if is(word, SUBORDINATE) || is(word, "not would could should") || word.ends_with("n't") {
            break;
        }
        if is(word, ", and then") {
            let (next, _) = behind_i(words, at + 1);
            if words.get(next).is_some_and(|word| is_act(word)) {
                acts.push(next);
            }
        }
    }
    acts
}

fn is_act(word: &str) -> bool {
    is(word, "committed pushed made") || is(word, CHANGED)
}

/// The position after "I", "I've" or "I have also", and whether one of them is there.
fn behind_i(words: &[String], start: usize) -> (usize, bool) {
    let mut at = start;
    let is_first_person = match words.get(at).map(String::as_str) {
        Some("i") => {
            at += 1 + usize::from(words.get(at + 1).is_some_and(|word| word == "have"));
            true
        }
        Some("i've") => {
            at += 1;
            true
        }
        _ => false,
    };
    while words.get(at).is_some_and(|word| is(word, ADVERBS)) {
        at += 1;
    }
    (at, is_first_person)
}

/// "Fixed the parser" is said of oneself; "Fixed bugs are listed below" and "Fixed in 1.2" are not.
fn begins_alone(sentence: &Sentence, at: usize) -> bool {
    let words = &sentence.words;
    let verb = words[at].as_str();
    if matches!(verb, "committed" | "pushed") {
        let main = words[at + 1..]
            .iter()
            .take_while(|word| !is(word, SUBORDINATE));
        return !main.clone().any(|word| is(word, FINITE));
    }
    let Some(next) = words.get(at + 1) else {
        return false;
    };
    let has_object = if sentence.is_item {
        !is(next, "by in to from with since , : and")
    } else {
        let begins_object =
            "the a an all both this these it its missing support tests `code` `tests` `lint`";
        is(next, begins_object)
            || is(next, NUMBERS)
            || next.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut main = words[at + 1..]
        .iter()
        .take_while(|word| !is(word, SUBORDINATE));
    verb != "made" && has_object && !main.any(|word| is(word, FINITE))
}

fn is_change(behind: &[String]) -> bool {
    let object = behind
        .iter()
        .take_while(|word| !is(word, ", : and") && !is(word, SUBORDINATE));
    !object.take(6).any(|word| is(word, NO_FILE))
}

/// "I've updated the query:" or "I've added an example below": the answer shows it, and perhaps nothing else has it.
fn is_shown(words: &[String]) -> bool {
    const COUNTED: &str = "
        change changes following things issues bugs problems places fixes files `code`";
    let ends_with_colon = words.last().is_some_and(|word| word == ":");
    any(words, "below above") || (ends_with_colon && !any(words, COUNTED))
}

/// "I made the following changes"
fn makes_changes(behind: &[String]) -> bool {
    let object = &behind[..behind.len().min(4)];
    any(object, "change changes edit edits") && !any(object, "no not")
}

fn is_commit(behind: &[String]) -> bool {
    let Some(next) = behind.first() else {
        return true;
    };
    let begins =
        "as and the this these it all both everything to on in with locally them , : `code`";
    // "I've committed to doing it"
    let is_promise = next == "to" && behind.get(1).is_some_and(|word| word.ends_with("ing"));
    let object = &behind[..behind.len().min(4)];
    is(next, begins)
        && !is_promise
        && !any(
            object,
            "transaction transactions database disk memory plan idea approach",
        )
}

fn is_push(behind: &[String]) -> bool {
    const NOT_TO_GIT: &str = "
        stack queue limit button value values item items boundary further back down";
    let Some(next) = behind.first() else {
        return true;
    };
    let begins = "to the this these it them all both everything and as , : `code`";
    // "pushed to a list"
    let is_elsewhere = behind.get(1).is_some_and(|word| is(word, "a an"));
    is(next, begins) && !is_elsewhere && !any(&behind[..behind.len().min(5)], NOT_TO_GIT)
}

/// "The changes are committed and pushed."
fn is_now(words: &[String]) -> (bool, bool) {
    const SUBJECT: &str = "the all these this everything change changes fix work both and";
    let words = without_connectives(words);
    let subject = words.iter().take_while(|word| is(word, SUBJECT)).count();
    if subject == 0 || !words.get(subject).is_some_and(|word| is(word, "is are")) {
        return (false, false);
    }
    let mut done = (false, false);
    for (at, word) in words.iter().enumerate().skip(subject + 1) {
        match word.as_str() {
            "now" | "all" | "both" | "and" | "," => {}
            "committed" => done.0 |= is_commit(&words[at + 1..]),
            "pushed" => done.1 |= is_push(&words[at + 1..]),
            _ => break,
        }
    }
    done
}

fn without_connectives(words: &[String]) -> &[String] {
    let count = words
        .iter()
        .take_while(|word| is(word, CONNECTIVES))
        .count();
    &words[count..]
}
