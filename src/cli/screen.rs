//! Prints: what a command says on stdout and beside it, whether or not it can be written; other people's text, safe for
//! a terminal. Ends quietly if nobody reads the output.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use signal_hook::consts::SIGPIPE;
use signal_hook::flag;

/// A shell's exit code for a program that ended because nobody read it: 128 and the signal's number.
const NOBODY_READS: i32 = 128 + SIGPIPE;

/// Prints a line on stdout. A failure does not stop the command: [`printed`] tells it at the end.
macro_rules! print_line {
    () => {
        $crate::cli::screen::print(format_args!("\n"))
    };
    ($($words:tt)+) => {
        $crate::cli::screen::print(format_args!("{}\n", format_args!($($words)+)))
    };
}

/// stdout could not take all of the output.
#[derive(Debug, thiserror::Error)]
#[error("not all of the output could be printed: {0}. Whatever else the command does is done")]
pub(super) struct NotPrinted(String);

impl From<io::Error> for NotPrinted {
    fn from(error: io::Error) -> NotPrinted {
        NotPrinted(error.to_string())
    }
}

/// The first failure to print.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Prints on stdout, and keeps a failure for [`printed`].
pub(super) fn print(words: Arguments<'_>) {
    keep(io::stdout().write_fmt(words));
}

/// Prints an object for programs.
pub(super) fn print_json(object: &impl Serialize) -> anyhow::Result<()> {
    print_line!("{}", serde_json::to_string_pretty(object)?);
    Ok(())
}

/// Prints with colours, where they are wanted.
pub(super) fn print_coloured(words: &str) {
    keep(anstream::stdout().write_all(words.as_bytes()));
}

/// A reader that had enough is no failure.
fn keep(printed: io::Result<()>) {
    if let Err(error) = printed
        && error.kind() != ErrorKind::BrokenPipe
    {
        FAILURE.get_or_init(|| error.to_string());
    }
}

/// Whether stdout took everything.
pub(super) fn printed() -> Result<(), NotPrinted> {
    keep(io::stdout().flush());
    match FAILURE.get() {
        Some(why) => Err(NotPrinted(why.clone())),
        None => Ok(()),
    }
}

/// Prints a line on stderr, if that takes it.
pub(super) fn print_beside(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

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
pub(super) fn end_when_nobody_reads() -> io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGPIPE, NOBODY_READS, always)?;
    Ok(())
}
