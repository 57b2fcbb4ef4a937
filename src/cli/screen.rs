//! Makes other people's text safe for a terminal, and ends quietly if nobody reads the output.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGPIPE;
use signal_hook::flag;

/// A shell's exit code for a program that ended because nobody read it: 128 and the signal's number.
const NOBODY_READS: i32 = 128 + SIGPIPE;

/// Other people's text: unchanged in a pipe; on a terminal, without what steers it.
pub(super) fn fit<'a>(words: &'a str, on: &impl IsTerminal) -> Cow<'a, str> {
    match on.is_terminal() {
        true => Cow::Owned(harmless(words)),
        false => Cow::Borrowed(words),
    }
}

/// Removes escape sequences, marks of direction, and control characters except line ends and tabs.
fn harmless(words: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    strip_ansi_escapes::strip_str(words)
        .chars()
        .filter(|c| !steers(*c))
        .collect()
}

/// From now on this process ends silently if the reader of its output goes away, as `head` does.
pub(super) fn end_when_nobody_reads() -> std::io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGPIPE, NOBODY_READS, always)?;
    Ok(())
}
