//! The evidence message that follows an answer.

use crate::domain::shown::last_lines;
use std::time::Duration;

use super::checked::{check_line, failing_output};
use super::checks::listed;
use super::live::ticking;
use super::text::{cost, duration};
use crate::domain::button::Press;
use crate::domain::changes::Changes;
use crate::domain::changes::{Changed, Files, Remote};
use crate::domain::check::Commands;
use crate::domain::evidence::{AutoPush, Contradiction, Evidence};
use crate::domain::id::{JobId, SessionId};
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Folded, Outgoing};
use crate::domain::shown::one_line;
use crate::domain::shown::without_password;

/// How much of a failing check's output is shown, in bytes.
const OUTPUT_SHOWN: usize = 1_200;
/// How many files are named.
const FILES_NAMED: usize = 20;
/// How long a file's name may be, in characters.
const NAME_SHOWN: usize = 60;

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
    let mut lines: Vec<String> = evidence
        .contradictions
        .iter()
        .map(|contradiction| format!("⚠ {}", contradicted(*contradiction)))
        .collect();
    lines.extend(evidence.checks.iter().map(check_line));
    match &evidence.changes {
        Ok(changes) => lines.extend(change_lines(changes)),
        Err(why) => lines.push(format!("Git could not tell what changed: {why}")),
    }
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
        folded.extend(file_list(&changes.files));
        if !changes.left_out.is_empty() {
            folded.push(Folded {
                title: "Left out, in git's words".to_owned(),
                text: last_lines(&changes.left_out, OUTPUT_SHOWN).to_owned(),
            });
        }
    }
    if let Some(AutoPush::Refused(words)) = &evidence.auto_push {
        folded.push(Folded {
            title: "git push".to_owned(),
            text: last_lines(words, OUTPUT_SHOWN).to_owned(),
        });
    }
    let mut message = Outgoing::of(Body::Evidence {
        text: lines.join("\n"),
        folded,
    });
    if evidence.is_red() && !matches!(next, Next::Fixing(..)) {
        message = message.loud();
        if evidence.is_failing() {
            message = message.with_button("Fix it", Press::Fix(job));
        }
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

fn contradicted(contradiction: Contradiction) -> String {
    match contradiction {
        Contradiction::NothingChanged => {
            "The answer says that something was changed; git sees no changed file here.".to_owned()
        }
        Contradiction::TestsFail(Some(1)) => {
            "The answer says that the tests pass; 1 fails.".to_owned()
        }
        Contradiction::TestsFail(Some(count)) => {
            format!("The answer says that the tests pass; {count} fail.")
        }
        Contradiction::TestsFail(None) => {
            "The answer says that the tests pass; they do not.".to_owned()
        }
        Contradiction::LintFails => {
            "The answer says that the linter finds nothing; it does.".to_owned()
        }
        Contradiction::NothingCommitted => {
            "The answer says that it was committed; there is no new commit.".to_owned()
        }
        Contradiction::NotPushed(1) => {
            "The answer says that it was pushed; 1 commit is nowhere but here.".to_owned()
        }
        Contradiction::NotPushed(count) => {
            format!("The answer says that it was pushed; {count} commits are nowhere but here.")
        }
    }
}

fn change_lines(changes: &Changes) -> Vec<String> {
    let mut lines = vec![summary(&changes.files)];
    if changes.is_none() {
        // Then the remote was not measured.
        return lines;
    }
    let mut about: Vec<String> = Vec::new();
    match changes.commits.newest.as_slice() {
        [] => {}
        [only] => about.push(format!(
            "1 commit ({} {})",
            only.id,
            one_line(&only.subject, NAME_SHOWN)
        )),
        _ => about.push(format!("{} commits", changes.commits.count)),
    }
    match &changes.branch {
        Some(branch) => about.push(format!("branch {branch}")),
        None => about.push("on no branch (detached HEAD)".to_owned()),
    }
    match changes.remote {
        Remote::None => {}
        Remote::Ahead(0) => about.push("nothing to push".to_owned()),
        Remote::Ahead(1) => about.push("1 commit not pushed (/push)".to_owned()),
        Remote::Ahead(many) => about.push(format!("{many} commits not pushed (/push)")),
    }
    let about = about.join(" · ");
    lines.push(capitalised(&about));
    lines
}

/// `3 files changed, +40 −12`
pub fn summary(files: &Files) -> String {
    let count = match files.count {
        0 => return "No file changed".to_owned(),
        1 => "1 file changed".to_owned(),
        many => format!("{many} files changed"),
    };
    format!("{count}, +{} −{}", files.added, files.removed)
}

/// The files with their lines, for a folded quote; `None` if there are none.
pub fn file_list(files: &Files) -> Option<Folded> {
    if files.is_empty() {
        return None;
    }
    let mut lines: Vec<String> = files
        .first
        .iter()
        .take(FILES_NAMED)
        .map(file_line)
        .collect();
    match files.count.saturating_sub(lines.len() as u64) {
        0 => {}
        more => lines.push(format!("and {more} more; /diff shows all")),
    }
    Some(Folded {
        title: "Files".to_owned(),
        text: lines.join("\n"),
    })
}

fn file_line(file: &Changed) -> String {
    let lines = match file.lines {
        Some((added, removed)) => format!("+{added} −{removed}"),
        None => "binary".to_owned(),
    };
    let path = shown_path(&file.path);
    match &file.from {
        Some(from) => format!("{lines} {} → {path}", shown_path(from)),
        None => format!("{lines} {path}"),
    }
}

/// A path on one line, with control characters escaped.
fn shown_path(path: &str) -> String {
    let line: String = path
        .chars()
        .flat_map(|c| match c {
            c if c.is_control() => c.escape_default().collect::<Vec<_>>(),
            c => vec![c],
        })
        .collect();
    let count = line.chars().count();
    if count <= NAME_SHOWN {
        return line;
    }
    // The end of a path says more than its beginning.
    let tail: String = line.chars().skip(count - NAME_SHOWN).collect();
    format!("…{tail}")
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

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
