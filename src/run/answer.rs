//! What a run tells the chat: an answer for each turn, or a reason if there is none.
//!
//! Pure: decides what is said. `chat` has the words, `drive` the moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fail::fail_point;

use super::said;
use crate::chat::failure::{Failure, why_cut};
use crate::chat::{hold, live, text};
use crate::claude::folder::{Exit, NotStarted, Stop};
use crate::claude::host::End;
use crate::domain::button::Press;
use crate::domain::event::{Cut, TurnEnd};
use crate::domain::id::{MessageId, RunId};
use crate::domain::outgoing::Outgoing;
use crate::domain::progress::Progress;
use crate::domain::run::Outcome;

/// What the last line of an answer says beside the turn's own facts.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub elapsed: Duration,
    /// The permission mode that was asked for.
    pub wanted_mode: Option<&'a str>,
    /// That no file has changed, where that is known.
    pub untouched: Option<&'a str>,
}

/// What the chat is told when a turn has ended; `None` if the end of the run says it.
///
/// claude's words arrive even if the footer cannot be made.
pub fn of_turn(
    progress: &Progress,
    turn: TurnEnd,
    told: Told<'_>,
    run: RunId,
    asked_by: Option<MessageId>,
) -> Option<Outgoing> {
    let mut turn = turn;
    catch_unwind(AssertUnwindSafe(|| {
        fail_point!("answer");
        message_of_turn(progress, &mut turn, told, run, asked_by)
    }))
    .unwrap_or_else(|_| Some(text::answer(turn.text, "Done".to_owned(), asked_by)))
}

fn message_of_turn(
    progress: &Progress,
    turn: &mut TurnEnd,
    told: Told<'_>,
    run: RunId,
    asked_by: Option<MessageId>,
) -> Option<Outgoing> {
    let Told {
        elapsed,
        wanted_mode,
        untouched,
    } = told;
    if turn.aborted {
        return None;
    }
    if let Some(cut) = turn.cut {
        return Some(cut_off(progress, turn, cut, elapsed, run).replying_to(asked_by));
    }
    if turn.failed {
        let failure = Failure::of_turn(turn, progress.problem.as_ref());
        // The prompt runs in a new conversation, and the end of the run says so.
        if failure == Failure::UnknownConversation {
            return None;
        }
        return Some(failure.message(elapsed, progress).replying_to(asked_by));
    }
    let footer = if progress.background.is_empty() {
        text::footer(
            elapsed,
            progress.tool_calls,
            progress.cost_usd(),
            progress.prompts.len(),
            untouched,
            &turn.denied,
        )
    } else {
        let tasks: Vec<&str> = progress.background.values().map(String::as_str).collect();
        text::footer_in_background(elapsed, progress.cost_usd(), &tasks)
    };
    let got = progress.first_mode.as_deref().filter(|got| !got.is_empty());
    let fell_back = got.zip(wanted_mode).filter(|(got, wanted)| got != wanted);
    let footer = footer
        + &fell_back.map_or_else(String::new, |(got, wanted)| text::other_mode(wanted, got))
        + &hold::warning_clause(progress.limit.as_ref());
    Some(text::answer(words(progress, turn), footer, asked_by))
}

/// A turn that was cut: what claude had said so far is its answer, with the reason below it.
fn cut_off(
    progress: &Progress,
    turn: &mut TurnEnd,
    cut: Cut,
    elapsed: Duration,
    run: RunId,
) -> Outgoing {
    let said = said::whole(progress, "");
    let is_answer = !said.is_empty();
    let message = match is_answer {
        true => {
            let footer = text::footer_of_cut(elapsed, progress.cost_usd(), why_cut(cut));
            text::answer(said, footer, None)
        }
        false => Failure::Cut(cut, std::mem::take(&mut turn.text)).message(elapsed, progress),
    };
    let begun = progress.has_worked;
    match cut {
        Cut::ConversationTooLong | Cut::RequestTooLarge => message
            .with_button("Compact", Press::Compact { run, begun })
            .with_button("New conversation", Press::Afresh { run, begun }),
        _ => message.with_button("Go on", Press::Resume(run)),
    }
}

/// claude's own words, or ours if it had none: some of its commands answer with nothing.
fn words(progress: &Progress, turn: &mut TurnEnd) -> String {
    let said = said::whole(progress, &turn.text);
    if !said.trim().is_empty() {
        return said;
    }
    match progress.compacted {
        Some((before, after)) => {
            format!("The conversation was compacted from {before} to {after} tokens.")
        }
        None if turn.claude_session != progress.first_claude_session => {
            "The conversation was cleared; the next prompt begins a new one.".to_owned()
        }
        None => "Claude ended without a word.".to_owned(),
    }
}

/// How a run ended, and what the chat is told about it if its turns have not said it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    pub outcome: Outcome,
    pub message: Option<Outgoing>,
    /// The conversation cannot be resumed.
    pub forget_conversation: bool,
    /// claude could not be started, which may pass: nothing has begun.
    pub not_started: Option<Failure>,
}

/// What a lost run has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Processes that outlived it and were ended.
    pub survivors: usize,
    /// Files in the workspace that are changed and not committed.
    pub changed: Vec<String>,
}

/// What is known of a run when it is over.
pub struct Closing<'a> {
    pub run: RunId,
    pub end: &'a End,
    /// What is known of a lost run besides its events.
    pub loss: Option<&'a Loss>,
    pub progress: &'a Progress,
    pub elapsed: Duration,
    pub waiting: usize,
    /// What a stop has ended in the background.
    pub ended_in_background: &'a [String],
    /// Somebody asked for it to be stopped.
    pub stop_requested: bool,
    /// claude was told that it may leave.
    pub let_go: bool,
    pub program: &'a str,
    /// The PATH on which it is looked for.
    pub path: &'a str,
    pub workspace: &'a str,
    pub stderr: &'a str,
    pub asked_by: Option<MessageId>,
}

impl Closing<'_> {
    /// A run ends even if nobody can say how.
    pub fn conclude(&self) -> Conclusion {
        catch_unwind(AssertUnwindSafe(|| {
            fail_point!("conclude");
            self.with_what_was_left(self.concluded())
        }))
        .unwrap_or_else(|_| {
            self.failed(&Failure::NoAnswer {
                how: "its record could not be read to the end".to_owned(),
                stderr: String::new(),
            })
        })
    }

    fn concluded(&self) -> Conclusion {
        // claude had answered and was leaving; how it exited does not matter.
        let is_over = self.progress.is_finished() || self.let_go;
        // An interrupt ends subagents in the background before claude leaves: that is a stop all the same.
        let is_done = is_over && self.ended_in_background.is_empty();
        if self.progress.is_answered() && is_done && !self.progress.owes_an_answer() {
            return self.without_message(Outcome::Completed);
        }
        let exit = match self.end {
            End::Exited(exit) => exit,
            End::Lost => return self.lost(),
            End::NotBegun if self.stop_requested => return self.stopped(),
            End::NotBegun => {
                return self.failed(&Failure::NotStarted("its keeper did not begin".into()));
            }
        };
        let last_turn = self.progress.last_turn.as_ref();
        match (exit.stopped, last_turn) {
            (Some(Stop::TimeLimit), _) => self.with_message(
                Outcome::TimedOut,
                text::timed_out(self.elapsed, self.progress.cost_usd()),
            ),
            (Some(Stop::Asked), Some(turn)) if turn.failed && !turn.aborted => {
                self.failed_turn(turn)
            }
            (Some(Stop::Asked), _) => self.stopped(),
            // It had begun another turn, which has no end.
            (None, _) if self.progress.owes_an_answer() => self.failed(&self.failure_of(exit)),
            (None, Some(turn)) if turn.failed => self.failed_turn(turn),
            (None, Some(_)) => self.without_message(Outcome::Completed),
            (None, None) => self.failed(&self.failure_of(exit)),
        }
    }

    /// The turns have told the chat how the run ended; only a stop that came too late needs a reply.
    fn without_message(&self, outcome: Outcome) -> Conclusion {
        Conclusion {
            outcome,
            message: self.stop_requested.then(text::already_over),
            forget_conversation: false,
            not_started: None,
        }
    }

    /// Adds what was left behind to the message, or says it alone.
    fn with_what_was_left(&self, conclusion: Conclusion) -> Conclusion {
        let left = match self.end {
            End::Exited(exit) => text::left_behind(exit.survivors, exit.kept),
            End::Lost | End::NotBegun => None,
        };
        let message = match (conclusion.message, left) {
            (Some(message), Some(left)) => Some(message.adding(&left)),
            (None, Some(left)) => Some(Outgoing::note(left).replying_to(self.asked_by)),
            (message, None) => message,
        };
        Conclusion {
            message,
            ..conclusion
        }
    }

    fn lost(&self) -> Conclusion {
        let nothing = Loss::default();
        let loss = self.loss.unwrap_or(&nothing);
        let has_begun = self.progress.model.is_some();
        let message = text::lost(
            &live::last_steps(self.progress),
            &loss.changed,
            loss.survivors,
            has_begun,
        );
        let (label, press) = if has_begun {
            ("Go on", Press::Resume(self.run))
        } else {
            ("Run it again", Press::Repeat(self.run))
        };
        self.with_message(Outcome::Lost, message.with_button(label, press))
    }

    fn stopped(&self) -> Conclusion {
        self.with_message(
            Outcome::Stopped,
            text::stopped(
                self.elapsed,
                self.progress.cost_usd(),
                self.waiting,
                self.ended_in_background,
            ),
        )
    }

    fn failed(&self, failure: &Failure) -> Conclusion {
        let may_pass = matches!(
            failure,
            Failure::NotStarted(_) | Failure::ProgramMissing { .. }
        );
        Conclusion {
            forget_conversation: *failure == Failure::UnknownConversation,
            not_started: may_pass.then(|| failure.clone()),
            ..self.with_message(
                Outcome::Failed(failure.reason()),
                failure.message(self.elapsed, self.progress),
            )
        }
    }

    /// The chat was told when the turn failed, unless the turn was interrupted.
    fn failed_turn(&self, turn: &TurnEnd) -> Conclusion {
        let failure = Failure::of_turn(turn, self.progress.problem.as_ref());
        if turn.aborted || failure == Failure::UnknownConversation {
            return self.failed(&failure);
        }
        Conclusion {
            forget_conversation: false,
            ..self.without_message(Outcome::Failed(failure.reason()))
        }
    }

    fn with_message(&self, outcome: Outcome, message: Outgoing) -> Conclusion {
        Conclusion {
            outcome,
            message: Some(message.replying_to(self.asked_by)),
            forget_conversation: false,
            not_started: None,
        }
    }

    /// Why a process ended without a result.
    fn failure_of(&self, exit: &Exit) -> Failure {
        match &exit.not_started {
            Some(NotStarted::ProgramMissing) => Failure::ProgramMissing {
                program: self.program.to_owned(),
                path: self.path.to_owned(),
            },
            Some(NotStarted::WorkspaceMissing) => {
                Failure::WorkspaceMissing(self.workspace.to_owned())
            }
            Some(NotStarted::Refused(words)) => Failure::NotStarted(words.clone()),
            None if self
                .stderr
                .contains("No conversation found with session ID") =>
            {
                Failure::UnknownConversation
            }
            // A shell or env says so of a program that it cannot start; claude has not begun.
            None if matches!(exit.code, Some(126 | 127)) && self.progress.model.is_none() => {
                Failure::NotStarted(self.stderr.to_owned())
            }
            None => Failure::NoAnswer {
                how: match (exit.code, exit.signal) {
                    (_, Some(9)) => {
                        "it was killed (signal 9), perhaps because memory ran out".to_owned()
                    }
                    (_, Some(signal)) => format!("signal {signal} ended it"),
                    (Some(code), None) => format!("exit code {code}"),
                    (None, None) => "nobody knows how".to_owned(),
                },
                stderr: self.stderr.to_owned(),
            },
        }
    }
}
