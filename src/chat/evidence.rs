//! The evidence message that follows an answer.

use std::time::Duration;

use super::changed::{self, file_list};
use super::checked::{check_line, failing_output};
use super::checks::listed;
use super::deeds;
use super::live::ticking;
use super::text::{cost, duration};
use crate::domain::button::Press;
use crate::domain::check::Commands;
use crate::domain::evidence::{AutoPush, Evidence};
use crate::domain::id::{JobId, SessionId};
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Folded, Outgoing};
use crate::domain::shown::without_password;
use crate::redact::short::{last_lines, one_line};

/// How much of a failing check's output is shown, in bytes.
pub(super) const OUTPUT_SHOWN: usize = 1_200;
/// How long the name of a file, a command or a commit's subject may be, in characters.
pub(super) const NAME_SHOWN: usize = 60;

/// What happens after the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The person decides.
    Open,
    /// claude gets the failing output automatically: round and most rounds.
    Fixing(u32, u32),
    /// All rounds are used up: so many.
    GaveUp(u32),
}

/// The line on how to set checks up, with the commands found in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub session: SessionId,
    pub found: Commands,
}

/// The evidence message of a job.
pub fn message(job: JobId, evidence: &Evidence, next: &Next, hint: Option<&Hint>) -> Outgoing {
    let checks = evidence.checks.iter().map(check_line);
    let mut lines: Vec<String> = checks.chain(deeds::of_tests(evidence)).collect();
    match &evidence.changes {
        Ok(changes) => lines.extend(changed::lines(changes, evidence.seen())),
        Err(why) => lines.push(format!("Git could not tell what changed: {why}")),
    }
    lines.extend(deeds::of_push(evidence));
    lines.extend(evidence.auto_push.as_ref().map(pushed_line));
    if let Some(cost_usd) = evidence.cost_usd.filter(|cost| *cost > 0.0) {
        lines.push(format!("Cost: {}", cost(cost_usd)));
    }
    match next {
        Next::Open => {}
        Next::Fixing(round, most) => lines.push(format!(
            "The failures go to claude now, round {round} of {most}; /stop ends that, /autofix off for good."
        )),
        Next::GaveUp(rounds) => lines.push(format!(
            "Claude has tried {rounds} times by itself. Say what to do next."
        )),
    }
    lines.extend(hint.map(hint_line));

    let mut folded: Vec<Folded> = evidence.checks.iter().filter_map(failing_output).collect();
    if let Ok(changes) = &evidence.changes {
        folded.extend(file_list(&changes.files()));
        folded.extend(changed::not_looked_at(changes));
        folded.extend(changed::not_kept(changes));
    }
    if let Some(AutoPush::Refused(words)) = &evidence.auto_push {
        folded.push(Folded {
            title: "git push".to_owned(),
            text: last_lines(words, OUTPUT_SHOWN),
        });
    }
    let mut message = Outgoing::of(Body::Evidence {
        text: lines.join("\n"),
        folded,
    });
    if evidence.is_red() && !matches!(next, Next::Fixing(..)) {
        message = message.loud().with_button("Fix it", Press::Fix(job));
    }
    if let Some(hint) = hint.filter(|hint| hint.found != Commands::default()) {
        message = message.with_button("Use them", Press::UseChecks(hint.session.clone()));
    }
    message.after_answers()
}

/// The live message while checks run.
pub fn live(check: &str, elapsed: Duration, newest_line: &str) -> LiveText {
    let mut text = LiveText::plain(format!("Checking · {} · ", duration(ticking(elapsed))));
    text.push_code(&one_line(&without_password(check), NAME_SHOWN));
    if !newest_line.is_empty() {
        text.push("\n");
        text.push_code(&one_line(&without_password(newest_line), NAME_SHOWN));
    }
    text
}

fn pushed_line(push: &AutoPush) -> String {
    match push {
        AutoPush::Pushed { link: Some(link) } => {
            format!("Pushed. For a pull request: {}", without_password(link))
        }
        AutoPush::Pushed { link: None } => "Pushed.".to_owned(),
        AutoPush::Refused(_) => "The push was refused, and nothing was forced.".to_owned(),
    }
}

fn hint_line(hint: &Hint) -> String {
    if hint.found == Commands::default() {
        return "No checks are set up here. To check each run, for example: /checks test=make test lint=make lint"
            .to_owned();
    }
    format!(
        "No checks are set up here. Found in the workspace: {}. The button runs them now and after each run; \
         /checks sets others.",
        listed(&hint.found)
    )
}
