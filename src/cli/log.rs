//! The log: lines on stderr, as sentences or as JSON, without secrets.
//!
//! Each module decides what it logs, but not whether that may contain a secret: every line passes the [`Redactor`] on
//! its way out, those of libraries and panics included.

use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

use rustix::fs::fstat;
use tracing::error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::screen;
use crate::config::{LogFormat, Setting, Sources};
use crate::redact::Redactor;
use crate::store::panic_text;

/// Logs to stderr from now on, at `default` if `RUST_LOG` is not set. What the returned redactor learns is in no line
/// either.
pub(super) fn to_stderr(sources: &Sources, default: &str) -> Redactor {
    let filter = sources
        .value(Setting::Log)
        .unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        screen::print_beside(&format!(
            "telecoder: RUST_LOG is not understood ({error}); using {default}"
        ));
        EnvFilter::new(default)
    });
    // Below info these log addresses, which contain the token, and people's messages.
    let filter = [
        "hyper",
        "hyper_util",
        "reqwest",
        "teloxide",
        "teloxide_core",
    ]
    .iter()
    .filter_map(|library| format!("{library}=info").parse().ok())
    .fold(filter, EnvFilter::add_directive);
    let no_colour = sources
        .environment
        .get(OsStr::new("NO_COLOR"))
        .is_some_and(|value| !value.is_empty());
    let redactor = sources.redactor();
    redactor.serve_this_process();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(!no_colour && std::io::stderr().is_terminal())
        .with_writer(Stderr(redactor.clone()));
    // An unknown format is a fault in the settings, which are read next.
    let format = sources
        .value(Setting::LogFormat)
        .and_then(|name| LogFormat::named(&name))
        .unwrap_or_default();
    match format {
        LogFormat::Json => lines.json().flatten_event(true).init(),
        LogFormat::Text if is_journal(sources) => lines.without_time().init(),
        LogFormat::Text => lines.init(),
    }
    std::panic::set_hook(Box::new(log_panic));
    redactor
}

/// Whether stderr goes to systemd's journal, which adds the time itself. systemd.exec(5):
/// `JOURNAL_STREAM` is the device and the inode of its socket.
fn is_journal(sources: &Sources) -> bool {
    let Some(stream) = sources.environment.get(OsStr::new("JOURNAL_STREAM")) else {
        return false;
    };
    fstat(std::io::stderr())
        .is_ok_and(|stderr| *stream == *format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// Logs a panic as one line, without the text that the standard library quotes in it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    error!(
        place,
        panic = panic_text(panic.payload()),
        "telecoder has a bug; what it was doing is tried again, or given up and the chat is told"
    );
}

/// Stderr behind the redactor. One write is one line: that is how tracing-subscriber writes.
struct Stderr(Redactor);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = CleanLine<'a>;

    fn make_writer(&'a self) -> CleanLine<'a> {
        CleanLine(&self.0)
    }
}

struct CleanLine<'a>(&'a Redactor);

impl Write for CleanLine<'_> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let shown = String::from_utf8_lossy(line);
        std::io::stderr().write_all(self.0.text(&shown).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
