//! The end of a turn: its answer is stored, or the obstacle it met sets a hold.
//!
//! `run::answer` decides what is said, `run::hold` what a hold does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fail::fail_point;
use jiff::Zoned;

use super::Drive;
use crate::chat::changed::none_changed;
use crate::chat::page as page_words;
use crate::claude::{install, login};
use crate::domain::changes::Seen;
use crate::domain::event::{Cut, TurnEnd};
use crate::domain::live::PromptState;
use crate::domain::run::Run;
use crate::domain::session::Reported;
use crate::run::answer::{self, Told};
use crate::run::hold::{self, Met, Obstacle};
use crate::store::{holds, measured, outbox, runs, sessions, settings, steering};
use crate::verify::measure::{self, Since};

/// How long an answer may wait for what git says of the workspace.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

impl Drive<'_> {
    /// Stores the answer and its offset in one transaction, so it is posted only once.
    pub(super) async fn act_on(&mut self, turn: TurnEnd, end: u64) -> anyhow::Result<()> {
        let elapsed = self.elapsed();
        let cost_usd = self.progress.cost_usd();
        let state = match turn.failed {
            true => PromptState::Failed,
            false => PromptState::Done,
        };
        let prompts = self.progress.prompts.clone();
        let run = self.run.id;
        let asked = self.asked_now();
        let asked_by = asked.first().copied().or(self.run.asked_by);
        let clock = Zoned::now();
        let login_helps = login::helps(&self.runner.environment);
        // If this panics, the failure counts as any other.
        let obstacle = catch_unwind(AssertUnwindSafe(|| {
            hold::of_turn(&self.progress, &turn, login_helps, &clock)
        }))
        .unwrap_or_default();
        let obstacle = match obstacle {
            Some(Obstacle::NotLoggedIn) => Some(self.refused_or_logged_out(&turn.text).await?),
            other => other,
        };
        let has_worked = self.progress.has_worked;
        // Its prompts can run once more, after the conversation has become shorter.
        let is_too_long = matches!(
            turn.cut,
            Some(Cut::ConversationTooLong | Cut::RequestTooLarge)
        );
        let works = has_worked && !turn.failed && !turn.aborted && obstacle.is_none();
        let owner = self.runner.owner;
        let launched = self.host.launched().unwrap_or_default();
        let mode = launched.mode.as_deref();
        let is_news = !self.progress.says_nothing_new(&turn);
        let untouched = self.untouched(&turn).await;
        let told = Told {
            elapsed,
            wanted_mode: mode,
            untouched: untouched.as_deref(),
        };
        let message = answer::of_turn(&self.progress, turn, told, run, asked_by);
        let stands = Run {
            asked_by,
            ..self.run.clone()
        };
        let page = self.runner.handles.page.clone();
        let session = self.session.id.clone();
        let conversation = self.conversation();
        let needs_login = obstacle == Some(Obstacle::NotLoggedIn);
        let (at, is_held) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let (was_at, at) = (stands.at, runs::place(db, run)?);
                if !runs::set_acted(db, run, end, cost_usd)? {
                    return Ok((at, false));
                }
                let is_held = match obstacle {
                    Some(obstacle) => {
                        let run = Run { at, ..stands };
                        let met = Met {
                            obstacle: &obstacle,
                            has_worked,
                            prompts: &prompts,
                        };
                        hold::hold_up(db, &run, &met, owner, &clock)?
                    }
                    None => false,
                };
                if let Some(message) = message.filter(|_| !is_held) {
                    let ring = settings::get(db, at.chat)?.ring;
                    let message = match page.url().filter(|_| page.is_https()) {
                        Some(url) => page_words::opening_if_long(message, &url, run, at.chat),
                        None => message,
                    };
                    let message = message
                        .after_move(was_at, at)
                        .ringing_if(is_news && ring.is_worth_it(elapsed));
                    let row = outbox::insert_long(db, at, message)?;
                    if !is_too_long {
                        steering::set_answered(db, &prompts, row)?;
                    }
                    measured::set_answer(db, run, row)?;
                }
                if works {
                    holds::end_as_claude_works(db)?;
                }
                if let Some((conversation, model)) = &conversation {
                    sessions::set_conversation(db, &session, conversation, model.as_deref())?;
                }
                Ok((at, is_held))
            })
            .await?;
        fail_point!("run-acted", |_| std::process::abort());
        self.run.acted_offset = end;
        self.runner.handles.outbox.deliver(at.chat);
        if is_held {
            // Prompts on their way would meet the same obstacle.
            self.withdraw_all()?;
        }
        let state = if is_held { PromptState::Taken } else { state };
        for message in asked {
            self.runner.handles.outbox.react(at.chat, message, state);
        }
        if let Some(owner) = owner.filter(|_| needs_login) {
            self.runner.handles.outbox.deliver(owner.chat);
        }
        Ok(())
    }
}

impl Drive<'_> {
    /// That the run has changed no file so far, if that is wholly measured within a moment. Not while something goes on
    /// in the background, and not if a file was edited: then the evidence says more.
    async fn untouched(&self, turn: &TurnEnd) -> Option<String> {
        let tools = &self.progress.tools;
        if turn.failed || turn.aborted || tools.has_edited || !self.progress.background.is_empty() {
            return None;
        }
        let measuring = measure::changes(
            &self.runner.handles.git,
            &self.session.workspace,
            self.run.id,
            Since {
                moment: self.run.started_at?,
                can_have_written: tools.can_have_written,
            },
            &self.run.before,
        );
        let changes = tokio::time::timeout(LOOK_LIMIT, measuring)
            .await
            .ok()?
            .ok()?;
        (changes.seen() == Seen::Unchanged).then(|| none_changed(&changes, tools.can_have_written))
    }

    /// Stores how claude says that it works, for `/status`.
    pub(super) async fn report(&mut self, reported: Reported) -> anyhow::Result<()> {
        if self.reported.as_ref() == Some(&reported) {
            return Ok(());
        }
        let session = self.session.id.clone();
        let stored = reported.clone();
        let store = &self.runner.handles.store;
        store
            .transaction(move |db| sessions::set_reported(db, &session, &stored))
            .await?;
        self.reported = Some(reported);
        Ok(())
    }

    /// A first refusal of a login that claude still has may pass by itself; a second one in a row is told as a missing
    /// login.
    async fn refused_or_logged_out(&self, words: &str) -> anyhow::Result<Obstacle> {
        let run = self.run.id;
        let store = &self.runner.handles.store;
        let tries = store.transaction(move |db| runs::tries(db, run)).await?;
        let has_login = tries == 0
            && install::is_logged_in(&self.runner.program, &self.runner.environment).await
                == Some(true);
        Ok(match has_login {
            true => Obstacle::LoginRefusedOnce(words.to_owned()),
            false => Obstacle::NotLoggedIn,
        })
    }
}
