//! Whose words follow a heading, or a line such as "What I changed:".

use super::words::any;

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// What this turn did.
    Work,
    /// A file, a feature: hard to say.
    Unknown,
    /// A plan, a proposal, history.
    Other,
    /// A text for somebody else to send, such as the description of a pull request. It may extend to the end.
    Draft,
}

const DRAFTS: &str = "
    description message email mail draft reply notes changelog announcement comment post
    template wording text title body letter readme";

const OTHERS: &str = "
    next plan planned todo to option options suggested suggestion suggestions recommended
    recommendation recommendations proposal proposed could would should if might can will
    remaining left need needs needed criteria requirement requirements goal goals example
    examples commits history release releases version versions upstream previous previously
    earlier you your before log steps idea ideas not question questions limitations why recent
    latest last breaking original author already expected definition when";

const WORK: &str = "
    i i've change changes changed summary did done fix fixes fixed added implemented updated
    result results verification verified checks checked complete completed updates refactored
    removed created validation finished";

/// Judges a heading by its words, as `prose` makes them.
pub(super) fn owner(words: &[String]) -> Owner {
    if any(words, DRAFTS) {
        Owner::Draft
    } else if any(words, OTHERS) || words.iter().any(|word| is_version(word)) {
        Owner::Other
    } else if any(words, WORK) {
        Owner::Work
    } else {
        Owner::Unknown
    }
}

/// `1.2`, `v1.2.0`
pub(super) fn is_version(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.contains('.')
        && number.chars().all(|c| c == '.' || c.is_ascii_digit())
}
