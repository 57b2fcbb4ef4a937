//! Prompts written during a run go to its claude immediately, which takes them up at its next step.
//!
//! A prompt is marked as handed over, then passed on, and belongs to the run once claude says that it has taken it up.
//! If this is cut short, the prompt waits as before and becomes the next run.

use std::collections::BTreeSet;

use fail::fail_point;
use tracing::info;
use uuid::Uuid;

use super::Drive;
use crate::chat::queue as words;
use crate::claude::control;
use crate::domain::event::TurnEnd;
use crate::domain::id::{MessageId, PromptId};
use crate::domain::live::PromptState;
use crate::store::steering::{self, TakenUp};
use crate::store::{StoreError, outbox, prompts, runs};

/// Prompts on claude's input, or behind its run.
#[derive(Default)]
pub(super) struct OnItsWay {
    /// Passed on and not taken up.
    prompts: BTreeSet<Uuid>,
    /// Those of them that begin with a slash, in their order.
    commands: Vec<PromptId>,
    /// Those that were handed over before this driver began are among them.
    has_earlier: bool,
}

impl OnItsWay {
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }

    /// Whether claude has begun with none of these.
    pub fn has_all(&self, prompts: &BTreeSet<Uuid>) -> bool {
        self.prompts.is_superset(prompts)
    }

    fn forget(&mut self, prompt: PromptId) {
        self.prompts.remove(&prompt.0);
        self.commands.retain(|command| *command != prompt);
    }
}

impl Drive<'_> {
    /// A claude that lives gets the run's own prompts as it gets later ones: it says when it begins with them.
    pub(super) async fn await_own(&mut self) -> anyhow::Result<()> {
        if self.run.process == self.run.id {
            return Ok(());
        }
        let id = self.run.id;
        let store = &self.runner.handles.store;
        let prompts = store.transaction(move |db| prompts::of_run(db, id)).await?;
        for prompt in prompts {
            self.own.insert(prompt.id.0);
            self.on_its_way.prompts.insert(prompt.id.0);
            if prompt.content.words().starts_with('/') {
                self.on_its_way.commands.push(prompt.id);
            }
        }
        Ok(())
    }

    /// Passes new prompts on, and withdraws those changed on their way.
    pub(super) async fn steer(&mut self) -> anyhow::Result<()> {
        if !self.phase.is_working() {
            return Ok(());
        }
        let run = self.run.clone();
        let with_earlier = !self.on_its_way.has_earlier;
        let behind = self
            .runner
            .handles
            .store
            .transaction(move |db| steering::hand_over(db, &run, with_earlier))
            .await?;
        fail_point!("steer-handed", |_| std::process::abort());
        for prompt in behind.to_pass_on {
            if self.on_its_way.prompts.insert(prompt.id.0) {
                let id = prompt.id;
                if prompt.content.words().starts_with('/') {
                    self.on_its_way.commands.push(id);
                }
                // Pictures are read from their files.
                let line = move || control::user_message(&prompt.content, id);
                let line = tokio::task::spawn_blocking(line).await?;
                self.host.pass_on(&id.0.to_string(), &line)?;
                fail_point!("steer-passed-on", |_| std::process::abort());
            }
        }
        self.on_its_way.has_earlier = true;
        for prompt in behind.to_withdraw {
            self.withdraw(prompt)?;
        }
        Ok(())
    }

    fn withdraw(&self, prompt: PromptId) -> std::io::Result<()> {
        let key = format!("withdraw-{}", prompt.0);
        self.host.pass_on(&key, &control::withdraw(prompt))?;
        Ok(())
    }

    /// Withdraws all prompts on their way, so that the run's end does not cut them short.
    pub(super) fn withdraw_all(&self) -> std::io::Result<()> {
        for prompt in &self.on_its_way.prompts {
            self.withdraw(PromptId(*prompt))?;
        }
        Ok(())
    }

    /// claude says that it has taken a prompt up.
    pub(super) async fn taken_up(&mut self, prompt: PromptId) -> Result<(), StoreError> {
        if self.progress.was_interrupted() {
            // After an interrupt claude begins with waiting prompts in the moment left to it. They count if the moment
            // is enough.
            self.begun_late.push(prompt);
            return Ok(());
        }
        self.take_up(prompt).await
    }

    /// A turn has ended: prompts begun after an interrupt are taken up now, unless it was cut short.
    pub(super) async fn settle_late(&mut self, was_cut: bool) -> Result<(), StoreError> {
        for prompt in std::mem::take(&mut self.begun_late) {
            match was_cut {
                true => self.given_back(prompt).await?,
                false => self.take_up(prompt).await?,
            }
        }
        Ok(())
    }

    /// A turn has ended that took in prompts without a word about it.
    pub(super) async fn taken_unsaid(&mut self, turn: &TurnEnd) -> Result<(), StoreError> {
        if turn.aborted {
            return Ok(());
        }
        let mut unsaid = turn.prompts.clone();
        if unsaid.is_empty() && self.progress.prompts.is_empty() && !turn.by_itself {
            // Before 2.1.212 claude says nothing about its own commands.
            unsaid.extend(self.on_its_way.commands.first());
        }
        unsaid.retain(|prompt| self.on_its_way.prompts.contains(&prompt.0));
        for prompt in unsaid {
            self.take_up(prompt).await?;
        }
        Ok(())
    }

    async fn take_up(&mut self, prompt: PromptId) -> Result<(), StoreError> {
        let run = self.run.id;
        let steered = self.progress.is_steered_now();
        let (at, taken) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let taken = steering::take_up(db, run, prompt, steered)?;
                let at = runs::place(db, run)?;
                if let Some(TakenUp {
                    edit: Some(edit),
                    message,
                    ..
                }) = &taken
                {
                    let told = words::changed_too_late(prompt, edit, *message);
                    outbox::insert(db, at, &told)?;
                }
                Ok((at, taken))
            })
            .await?;
        fail_point!("steer-taken-up", |_| std::process::abort());
        self.on_its_way.forget(prompt);
        let Some(taken) = taken else {
            return Ok(());
        };
        if let Some(message) = taken.message {
            self.asked_in.insert(prompt.0, message);
        }
        if let (true, Some(message)) = (taken.is_news && taken.came_later, taken.message) {
            let state = match steered {
                true => PromptState::Steering,
                false => PromptState::Running,
            };
            self.runner.handles.outbox.react(at.chat, message, state);
        }
        if steered && taken.is_news {
            info!(run.id = %run, "a message steers a run");
        }
        if taken.edit.is_some() {
            self.runner.handles.outbox.deliver(at.chat);
        }
        Ok(())
    }

    /// The messages that the current turn is about, in the order in which claude took them up.
    pub(super) fn asked_now(&self) -> Vec<MessageId> {
        let prompts = self.progress.asked_now();
        prompts
            .iter()
            .filter_map(|prompt| self.asked_in.get(&prompt.0).copied())
            .collect()
    }

    /// claude does not have a prompt on its input any more.
    pub(super) async fn given_back(&mut self, prompt: PromptId) -> Result<(), StoreError> {
        self.on_its_way.forget(prompt);
        self.runner
            .handles
            .store
            .transaction(move |db| steering::give_back(db, prompt))
            .await
    }
}
