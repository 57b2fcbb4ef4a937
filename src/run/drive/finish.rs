//! The end of a run: stored once, and the chat is told what the turns did not say.

use std::ffi::OsStr;
use std::time::Duration;

use fail::fail_point;
use rusqlite::Connection;
use tracing::{info, warn};

use super::Drive;
use super::leaving::Phase;
use crate::chat::failure::conversation_gone;
use crate::chat::live;
use crate::claude::host::End;
use crate::domain::id::ChatId;
use crate::domain::job::Task;
use crate::domain::live::LiveOf;
use crate::domain::live::PromptState;
use crate::domain::process::Process;
use crate::domain::run::Outcome;
use crate::git::{changes, snapshot};
use crate::job::send_files;
use crate::process::sweep;
use crate::run::again::{self, How};
use crate::run::answer::{Closing, Loss};
use crate::run::{deeds, ending, hold};
use crate::store::{
    chats, jobs, measured, outbox, processes, records, runs, sessions, settings, steering,
};

/// How long git may take to say what a lost run has changed.
const CHANGES_LIMIT: Duration = Duration::from_secs(10);

impl Drive<'_> {
    /// Stores how the run ended, and tells the chat what its turns did not.
    pub(super) async fn finish(&mut self, end: End, loss: Option<Loss>) -> anyhow::Result<()> {
        if !matches!(self.phase, Phase::LivingOn) {
            self.look_for_stop().await?;
        }
        let id = self.run.id;
        let elapsed = self.elapsed();
        let path = self
            .runner
            .environment
            .get(OsStr::new("PATH"))
            .cloned()
            .unwrap_or_default();
        let conclusion = Closing {
            run: id,
            end: &end,
            loss: loss.as_ref(),
            progress: &self.progress,
            elapsed,
            waiting: self.waiting,
            ended_in_background: self.phase.ended(),
            stop_requested: self.stop_requested,
            let_go: matches!(self.phase, Phase::LetGo { .. } | Phase::LivingOn),
            program: &self.runner.program.to_string_lossy(),
            path: &path.to_string_lossy(),
            workspace: &self.session.workspace.to_string_lossy(),
            stderr: &self.host.stderr_end(),
            asked_by: self.asked_now().first().copied().or(self.run.asked_by),
        }
        .conclude();

        let session = self.session.id.clone();
        let run = self.run.clone();
        let run_asked_by = self.run.asked_by;
        let conversation = self.conversation();
        let outcome = conclusion.outcome.clone();
        let message = conclusion.message;
        let forget = conclusion.forget_conversation;
        let not_started = conclusion.not_started;
        // It lived on after an earlier run, and ended before it took this one's prompts up.
        let never_began = !self.own.is_empty() && self.on_its_way.has_all(&self.own);
        let owner = self.runner.owner;
        let (living, read_to, warm_most) = (self.living(), self.read_to, self.runner.warm_most);
        let has_begun = self.progress.model.is_some();
        let has_files = send_files::is_anything_there(&self.runner.handles.data, &self.session.id);
        let is_still_empty =
            self.run.before.is_empty() && snapshot::is_empty(&self.session.workspace);
        let deeds = deeds::of(&self.progress);
        let mut commands = deeds.commands.iter();
        // Its last tests failed, or its push was refused, perhaps elsewhere.
        let is_worth_a_look = commands.any(|ran| ran.passed == Some(false));
        let (at, is_news, unanswered, is_held_up) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let at = runs::place(db, id)?;
                let is_held_up = hold::is_held_up(db, id)?;
                if !ending::end(db, at, id, &outcome)? {
                    return Ok((at, false, Vec::new(), is_held_up));
                }
                let unanswered = steering::unanswered(db, id)?;
                records::set_events_to(db, id, read_to)?;
                if let Some(living) = living {
                    let process = living.id;
                    processes::insert(db, &Process { at, ..living })?;
                    end_the_least_used(db, warm_most)?;
                    let current = chats::current_session(db, at)?;
                    let is_left = current.is_some_and(|current| current.id != session);
                    if is_left || runs::stop_requested(db, id)? {
                        processes::request_stop(db, process)?;
                    }
                }
                let is_tried_again = match not_started {
                    Some(failure) => hold::not_started(db, &run, at, failure, owner)?,
                    None => false,
                };
                // claude had not begun, so no prompt runs twice.
                let may_again = at.chat != ChatId::SHELL && !runs::stop_requested(db, id)?;
                let runs_again = (forget || never_began)
                    && may_again
                    && again::take_up(db, &run, How::Again, None, 1)?;
                let message = match forget && !runs_again {
                    true => Some(conversation_gone().replying_to(run_asked_by)),
                    false => message,
                };
                let is_told = !(is_tried_again || (never_began && runs_again));
                if let Some(message) = message.filter(|_| is_told) {
                    let ring = settings::get(db, at.chat)?.ring;
                    let message = message.after_move(run.at, at);
                    outbox::insert(db, at, &message.ringing_if(ring.is_worth_it(elapsed)))?;
                }
                // Before the slow checks. Without a chat the files wait for one.
                if has_files && at.chat != ChatId::SHELL {
                    let job = jobs::insert(db, &session, at, &Task::SendFiles, run_asked_by)?;
                    records::set_files_job(db, id, job)?;
                }
                // What a lost run has changed is told already.
                if has_begun && outcome != Outcome::Lost {
                    measured::set_deeds(db, id, &deeds)?;
                    if is_still_empty && !is_worth_a_look {
                        // There is nothing to measure, and no reason to let the next prompt wait for that.
                        measured::set_unchanged(db, id)?;
                    } else {
                        let task = Task::Verify {
                            run: id,
                            with_checks: outcome == Outcome::Completed,
                        };
                        jobs::insert(db, &session, at, &task, None)?;
                    }
                }
                ending::pause_routine_that_fails(db, id)?;
                if forget {
                    sessions::forget_conversation(db, &session)?;
                } else if let Some((conversation, model)) = &conversation {
                    sessions::set_conversation(db, &session, conversation, model.as_deref())?;
                }
                Ok((
                    at,
                    true,
                    unanswered,
                    is_held_up || runs_again || is_tried_again,
                ))
            })
            .await?;
        if is_news {
            let metrics = &self.runner.handles.metrics;
            metrics.run_ended(&conclusion.outcome, Some(elapsed));
        }
        fail_point!("run-ended", |_| std::process::abort());
        self.runner.handles.outbox.deliver(at.chat);
        let state = match conclusion.outcome {
            Outcome::Completed => PromptState::Done,
            _ if is_held_up => PromptState::Taken,
            _ => PromptState::Failed,
        };
        for message in unanswered {
            self.runner.handles.outbox.react(at.chat, message, state);
        }
        let record = live::record(&conclusion.outcome, elapsed, &self.progress);
        self.runner
            .handles
            .outbox
            .end_live(at, LiveOf::Run(id), record);
        info!(
            run.id = %id,
            chat = %at,
            outcome = conclusion.outcome.name(),
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            unreadable_lines = self.progress.garbage,
            "a run ended"
        );
        Ok(())
    }

    /// Ends what a killed keeper left behind, and looks at what the run had changed; `None` if the run was not lost.
    pub(super) async fn loss(&self, end: &End) -> anyhow::Result<Option<Loss>> {
        if *end != End::Lost {
            return Ok(None);
        }
        fail_point!("run-lost");
        let id = self.run.process;
        let seen = self.seen.clone();
        let ending = move || sweep::end_left_behind(id, &seen);
        let survivors = tokio::task::spawn_blocking(ending).await??;
        warn!(run.id = %id, survivors, "a run was lost: its keeper is gone");
        let workspace = &self.session.workspace;
        let looked = changes::uncommitted(&self.runner.handles.git, workspace);
        let changed = tokio::time::timeout(CHANGES_LIMIT, looked).await;
        Ok(Some(Loss {
            survivors,
            // What git cannot say is left out; the loss is told all the same.
            changed: changed.ok().and_then(Result::ok).unwrap_or_default(),
        }))
    }
}

/// Ends the claudes beyond those that are kept warm, the one that was used longest ago first.
fn end_the_least_used(db: &Connection, most: usize) -> rusqlite::Result<()> {
    let warm = processes::warm(db)?;
    let surplus = warm.len().saturating_sub(most);
    warm.iter()
        .take(surplus)
        .try_for_each(|process| processes::request_stop(db, process.id))
}
