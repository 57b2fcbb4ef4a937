//! How claude leaves: told that it may, when it has nothing left to do, or stopped.

use std::time::Duration;

use fail::fail_point;
use tokio::time::Instant;

use super::Drive;
use crate::chat::text;
use crate::claude::host::End;

/// claude says at once when it begins with a prompt. What it has not begun with so long after it said that it is idle,
/// it has lost.
const IDLE_FOR_GOOD: Duration = Duration::from_secs(10);
/// A claude that does not say when it is idle is let go after so long a silence.
const SILENCE_IS_IDLE: Duration = Duration::from_secs(2 * 60);
/// One that does say it is let go without a word after so long a silence: the line that said it was lost.
const SILENCE_OF_A_SPEAKER: Duration = Duration::from_secs(15 * 60);
/// How long a keeper may take to begin, on however slow a machine.
const BEGINNING_TIME: Duration = Duration::from_secs(30);
/// How long claude may take to leave after it was let go, before it is stopped.
const LEAVING_TIME: Duration = Duration::from_secs(10);

/// What telecoder has told claude.
pub(super) enum Phase {
    /// Nothing: it works, or waits for an answer.
    Working,
    /// That it may leave; it has been asked since then.
    LetGo { since: Instant },
    /// To stop, through its keeper. `ended`: what went on in the background then.
    Stopping { ended: Vec<String> },
}

impl Phase {
    pub fn is_working(&self) -> bool {
        matches!(self, Phase::Working)
    }

    /// claude began another turn before it read that it may leave.
    pub fn turn_begins(&mut self) {
        if let Phase::LetGo { .. } = self {
            *self = Phase::Working;
        }
    }

    /// What a stop has ended in the background.
    pub fn ended(&self) -> &[String] {
        match self {
            Phase::Stopping { ended } => ended,
            Phase::Working | Phase::LetGo { .. } => &[],
        }
    }
}

impl Drive<'_> {
    /// Asks the keeper to stop claude, once; again if there is no keeper yet.
    pub(super) fn stop(&mut self) -> std::io::Result<()> {
        if let Phase::Stopping { .. } = self.phase {
            return Ok(());
        }
        self.withdraw_all()?;
        let ended = self.progress.in_background().map(str::to_owned).collect();
        if self.host.ask_to_stop()? {
            self.phase = Phase::Stopping { ended };
        }
        Ok(())
    }

    fn let_go(&mut self) -> std::io::Result<()> {
        self.phase = Phase::LetGo {
            since: Instant::now(),
        };
        self.host.end_session()
    }

    /// Stops a claude that was let go and does not leave.
    pub(super) fn hurry(&mut self) -> std::io::Result<()> {
        if let Phase::LetGo { since } = &mut self.phase
            && since.elapsed() > LEAVING_TIME
        {
            *since = Instant::now();
            self.host.ask_to_stop()?;
        }
        Ok(())
    }

    /// How the run ended, if it has; a keeper that does not begin is given up.
    pub(super) fn end(&self) -> std::io::Result<Option<End>> {
        if let Some(end) = self.host.end()? {
            return Ok(Some(end));
        }
        let too_late = self.stop_requested || self.begun.elapsed() > BEGINNING_TIME;
        let given_up = too_late && !self.host.has_begun()? && self.host.give_up()?;
        Ok(given_up.then_some(End::NotBegun))
    }

    /// Lets claude go when nothing is left to do: its input stays open, so it would wait for ever.
    pub(super) fn let_go_if_finished(&mut self) -> std::io::Result<()> {
        if !self.phase.is_working() || !self.progress.is_between_turns() {
            return Ok(());
        }
        // A prompt on its way begins another turn, and one that was taken up is owed an answer.
        let nothing_comes = self.on_its_way.is_empty() && !self.progress.owes_an_answer();
        let is_idle = self.progress.is_finished()
            && (self.on_its_way.is_empty() || self.last_event.elapsed() > IDLE_FOR_GOOD);
        if is_idle || (nothing_comes && self.progress.background.is_empty() && self.is_silent()) {
            self.let_go()?;
        }
        Ok(())
    }

    /// Whether claude has said nothing for so long that it must be idle.
    fn is_silent(&self) -> bool {
        fail_point!("silence-is-idle", |_| true);
        let silence = match self.progress.says_when_idle {
            true => SILENCE_OF_A_SPEAKER,
            false => SILENCE_IS_IDLE,
        };
        self.last_event.elapsed() > silence
    }

    /// A prompt waits behind mere background work: the prompt comes first.
    pub(super) async fn end_background(&mut self) -> anyhow::Result<()> {
        let note = text::background_ended(self.progress.background.len());
        self.say(note).await?;
        self.let_go()?;
        Ok(())
    }
}
