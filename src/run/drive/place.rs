//! A run's place among `TELECODER_MAX_RUNS`: given back while claude only waits, taken again before it goes on.

use tokio::time::Instant;

use super::Drive;
use crate::chat::queue;
use crate::domain::progress::StepState;
use crate::job::places::{Precedence, WAITS_SILENTLY};

/// A wait for a place.
pub(super) struct Wait {
    since: Instant,
    is_told: bool,
}

impl Drive<'_> {
    /// Nothing of the run needs a place: claude waits for an answer.
    fn rest(&mut self) {
        self.runner.handles.places.give_back(self.run.id.0);
    }

    /// Gives the run's place to others while claude waits for a person, and takes it back when claude works again.
    /// Returns false if an answer has to wait for a place.
    pub(super) fn may_go_on(&mut self, open: usize, has_answer: bool) -> bool {
        if has_answer {
            return self.has_place(Precedence::Begun);
        }
        // A call that asks counts as running.
        let steps = self.progress.steps.iter();
        let running = steps.filter(|step| step.state == StepState::Running);
        if open > 0 && running.count() <= self.asking.waiting() {
            self.rest();
        } else {
            // claude works: its question has ended by itself, or it does something else beside.
            self.keep_place();
        }
        true
    }

    /// The run counts, whether a place is free or not.
    fn keep_place(&mut self) {
        self.waits = None;
        self.runner.handles.places.keep(self.run.id.0, self.run.at);
    }

    /// Whether the run has a place for what comes next; else it waits for one from now on.
    pub(super) fn has_place(&mut self, precedence: Precedence) -> bool {
        let places = &self.runner.handles.places;
        let has = places.try_take(self.run.id.0, self.run.at, precedence);
        match has {
            true => self.waits = None,
            false => {
                self.waits.get_or_insert_with(|| Wait {
                    since: Instant::now(),
                    is_told: false,
                });
            }
        }
        has
    }

    /// Tells the chat once, after some seconds, that the run waits for a place.
    pub(super) async fn tell_of_wait(&mut self) -> anyhow::Result<()> {
        let Some(wait) = &mut self.waits else {
            return Ok(());
        };
        if !wait.is_told && wait.since.elapsed() > WAITS_SILENTLY {
            wait.is_told = true;
            let taken = self.runner.handles.places.taken_by();
            self.say(queue::waits_for_place(self.run.at, &taken))
                .await?;
        }
        Ok(())
    }
}
