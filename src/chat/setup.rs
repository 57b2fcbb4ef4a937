//! Sentences about the command that sets a workspace up.

use std::time::Duration;

use super::checked::failing_output;
use super::live::ticking;
use super::text::duration;
use crate::domain::check::{CheckEnd, CheckResult};
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::shown::without_password;
use crate::redact::short::one_line;

/// How many characters are shown of the command, and of a line of its output.
const SHOWN: usize = 60;

/// The live message while it runs.
pub fn live(command: &str, elapsed: Duration, newest_line: &str) -> LiveText {
    let mut text = LiveText::plain(format!("Setting up · {} · ", duration(ticking(elapsed))));
    text.push_code(&one_line(&without_password(command), SHOWN));
    if !newest_line.is_empty() {
        text.push("\n");
        text.push_code(&one_line(&without_password(newest_line), SHOWN));
    }
    text
}

/// It has ended.
pub fn ended(result: &CheckResult) -> Outgoing {
    let command = one_line(&without_password(&result.check.command), SHOWN);
    let took = duration(Duration::from_millis(result.elapsed_ms));
    let (sign, how) = match &result.ended {
        CheckEnd::Passed => ("✓", took),
        CheckEnd::Failed { code: Some(code) } => ("✗", format!("exit code {code} · {took}")),
        CheckEnd::Failed { code: None } => (
            "✗",
            format!("killed, perhaps because memory ran out · {took}"),
        ),
        CheckEnd::TimedOut => (
            "✗",
            format!("not done after {took}, and ended (TELECODER_VERIFY_TIMEOUT)"),
        ),
        CheckEnd::Stopped | CheckEnd::GaveWay if result.elapsed_ms == 0 => {
            ("–", "not run".to_owned())
        }
        CheckEnd::Stopped | CheckEnd::GaveWay => ("–", format!("stopped after {took}")),
        CheckEnd::NotRun(words) => ("✗", format!("could not be run ({words})")),
    };
    let mut text = format!("{sign} Setup: {command} · {how}");
    match result.survivors {
        0 => {}
        1 => text.push_str(" · it left a process behind, which was ended"),
        many => text.push_str(&format!(
            " · it left {many} processes behind, which were ended"
        )),
    }
    if result.ended == CheckEnd::Passed {
        return Outgoing::note(text);
    }
    text.push_str("\nThe workspace stays as it is, and prompts run in it. /checks setup=… runs a command again.");
    let message = Outgoing::of(Body::Evidence {
        text,
        folded: failing_output(result).into_iter().collect(),
    });
    match result.is_red() {
        true => message.loud(),
        false => message,
    }
}
