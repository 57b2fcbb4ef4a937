//! `session run`: a prompt from a shell, and its answer.

use std::io::{IsTerminal, Read, Write};

use anyhow::{Context, bail};

use super::LOOK_AGAIN;
use super::beside::{Beside, NoBot};
use super::follow::Follower;
use super::listing::print_evidence;
use crate::chat::logs;
use crate::cli::{Misused, screen};
use crate::domain::event::Event;
use crate::domain::evidence::Evidence;
use crate::domain::id::{RunId, SessionId};
use crate::domain::progress::Progress;
use crate::domain::run::RunEnd;
use crate::domain::session::{Session, SessionState};
use crate::inbox::shell;
use crate::public;
use crate::run::said;
use crate::store::runs::RunState;
use crate::store::{jobs, runs, sessions, verifications};

const WITHOUT_A_BOT: &str = "it starts or continues when telecoder runs";

pub(super) struct Shown {
    pub quiet: bool,
    pub json: bool,
}

/// The prompt as given, or standard input.
pub(in crate::cli) fn prompt(given: Option<String>) -> anyhow::Result<String> {
    let prompt = match given {
        Some(prompt) if prompt != "-" => prompt,
        None if std::io::stdin().is_terminal() => {
            return Err(Misused(
                "there is no prompt; give one after the session's name, or on standard input"
                    .into(),
            )
            .into());
        }
        _ => {
            let mut prompt = String::new();
            std::io::stdin()
                .read_to_string(&mut prompt)
                .context("the prompt on standard input cannot be read")?;
            prompt
        }
    };
    if prompt.trim().is_empty() {
        return Err(Misused("the prompt is empty, and nothing was done".into()).into());
    }
    Ok(prompt)
}

pub(super) fn run(
    beside: &mut Beside,
    name: &str,
    prompt: String,
    wait: bool,
    shown: Shown,
) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    if session.state == SessionState::Failed {
        bail!("session {name} has no workspace to work in; nothing was done");
    }
    let run = beside.write(|db| Ok(shell::run(db, &session, prompt)?))?;
    let saved = public::Saved::new(&session, run);
    if !wait {
        print_saved(&saved, &shown)?;
        return match beside.has_bot() {
            true => Ok(()),
            false => bail!(NoBot(WITHOUT_A_BOT)),
        };
    }
    let mut answers = Answers::new(&shown);
    let ended = match follow(beside, &session.id, run, &mut answers) {
        Err(error) if error.is::<NoBot>() && shown.json => {
            print_saved(&saved, &shown)?;
            return Err(error);
        }
        followed => followed?,
    };
    let evidence = measured(beside, &session, run)?;
    if shown.json {
        let evidence = evidence.as_ref().map(public::Evidence::from);
        screen::print_json(&public::Run::new(saved, &ended, answers.texts, evidence))?;
    } else if let Some(evidence) = &evidence {
        print_line!();
        print_evidence(evidence);
    }
    if ended.outcome != "completed" {
        let reason = ended.reason.map(|reason| format!(": {reason}"));
        bail!(
            "the run has {}{}",
            ending(&ended.outcome),
            reason.unwrap_or_default()
        );
    }
    Ok(())
}

fn print_saved(saved: &public::Saved, shown: &Shown) -> anyhow::Result<()> {
    if shown.json {
        return screen::print_json(saved);
    }
    print_line!("{}", saved.run);
    Ok(())
}

fn ending(outcome: &str) -> &str {
    match outcome {
        "stopped" => "been stopped",
        "timed_out" => "been stopped at its time limit",
        "lost" => "been lost: the process that kept it was killed",
        _ => "failed",
    }
}

/// Shows what happens until the run has ended.
fn follow(
    beside: &Beside,
    session: &SessionId,
    run: RunId,
    answers: &mut Answers,
) -> anyhow::Result<RunEnd> {
    let mut follower = Follower::new(&beside.runs(), run);
    let mut told = false;
    loop {
        // Reads first whether it has ended: its events are recorded before.
        let state = runs::state_of(&beside.db, run)?.context("the run is not known any more")?;
        for event in follower.new_events(&beside.db)? {
            answers.take(&event);
        }
        match state {
            RunState::Ended(ended) => return Ok(ended),
            RunState::Waiting | RunState::Running if !beside.has_bot() => {
                bail!(NoBot(WITHOUT_A_BOT))
            }
            RunState::Waiting if !told && sessions::is_attached(&beside.db, session)? => {
                answers.say(
                    "The session is open in a terminal; the prompt waits until it is handed back.",
                );
                told = true;
            }
            RunState::Waiting | RunState::Running => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

/// The evidence of the run, when the bot is done with it.
fn measured(beside: &Beside, session: &Session, run: RunId) -> anyhow::Result<Option<Evidence>> {
    while beside.has_bot() && jobs::is_measuring(&beside.db, &session.id)? {
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(verifications::of_run(&beside.db, run)?)
}

/// Steps go to stderr, answers to stdout. The run does not depend on whether somebody reads them.
struct Answers<'a> {
    shown: &'a Shown,
    progress: Progress,
    texts: Vec<String>,
}

impl Answers<'_> {
    fn new(shown: &Shown) -> Answers<'_> {
        Answers {
            shown,
            progress: Progress::default(),
            texts: Vec::new(),
        }
    }

    /// Prints a line on stderr; a failure does not stop the answers.
    fn say(&self, line: &str) {
        if !self.shown.quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    fn take(&mut self, event: &Event) {
        self.progress.apply(event);
        match event {
            Event::TurnEnded(end) => {
                let answer = said::whole(&self.progress, &end.text);
                if !self.shown.json && !answer.is_empty() {
                    print_line!("{}", screen::fit(&answer, &std::io::stdout()));
                }
                self.texts.push(answer);
            }
            // The last one comes again as the answer.
            Event::Text(_) => {}
            step if !self.shown.quiet && !self.shown.json => {
                let stderr = std::io::stderr();
                for line in logs::lines_of(step) {
                    // A failure to print steps does not stop the answer.
                    let _ = writeln!(stderr.lock(), "{}", screen::fit(&line, &stderr));
                }
            }
            _ => {}
        }
    }
}
