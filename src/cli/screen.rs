//! What others have written, on its way to a person's terminal; and a reader that has gone away.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGPIPE;
use signal_hook::flag;

/// What a shell calls a program that ended because nobody read it: 128 and the signal's number.
const NOBODY_READS: i32 = 128 + SIGPIPE;

/// Words of others, as they are in a pipe, and without what steers a terminal on one.
pub(super) fn fit<'a>(words: &'a str, on: &impl IsTerminal) -> Cow<'a, str> {
    match on.is_terminal() {
        true => Cow::Owned(harmless(words)),
        false => Cow::Borrowed(words),
    }
}

/// Without escape sequences, control characters but for ends of lines and tabs, and what turns the direction of a text.
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

/// From now on this process ends without a word when whoever reads its output has gone, as `head` does.
pub(super) fn end_when_nobody_reads() -> std::io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGPIPE, NOBODY_READS, always)?;
    Ok(())
}
