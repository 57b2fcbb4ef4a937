//! How claude leaves: told that it may, when it has nothing left to do, or stopped.

use std::time::Duration;

use fail::fail_point;
use tokio::time::Instant;

use super::Drive;
use crate::claude::host::End;
use crate::domain::id::ChatId;
use crate::domain::process::Process;
use crate::process::sweep;

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
    /// Nothing: it lives on, and the run is over.
    LivingOn,
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
            Phase::Working | Phase::LetGo { .. } | Phase::LivingOn => &[],
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

    /// Ends the run when claude has nothing left to do for it: claude lives on, or is let go; its input stays open, so
    /// it would wait for ever.
    pub(super) fn let_go_if_finished(&mut self) -> std::io::Result<()> {
        if !self.phase.is_working() || !self.progress.is_between_turns() {
            return Ok(());
        }
        // A prompt on its way begins another turn, and one that was taken up is owed an answer.
        let nothing_comes = self.on_its_way.is_empty()
            && !self.progress.owes_an_answer()
            && self.asking.waiting() == 0;
        if self.progress.idle && nothing_comes && self.lives_on()? {
            self.phase = Phase::LivingOn;
            return Ok(());
        }
        let is_idle = self.progress.is_finished()
            && (self.on_its_way.is_empty() || self.last_event.elapsed() > IDLE_FOR_GOOD);
        if is_idle || (nothing_comes && self.progress.background.is_empty() && self.is_silent()) {
            self.let_go()?;
        }
        Ok(())
    }

    /// Whether claude stays when the run has ended: for what it does in the background, or warm for the next prompt.
    fn lives_on(&self) -> std::io::Result<bool> {
        if self.stop_requested
            || self.progress.last_turn.is_none()
            || self.progress.was_interrupted()
        {
            return Ok(false);
        }
        if !self.progress.background.is_empty() {
            return Ok(true);
        }
        let is_wanted = self.runner.keeps_warm()
            && self.progress.is_answered()
            && self.run.at.chat != ChatId::SHELL;
        // What a run left behind ends with it, before its changes are measured; and claude has to go for that.
        Ok(is_wanted && !self.host.keeper()?.is_some_and(sweep::has_adopted))
    }

    /// The claude that lives on, as the store keeps it.
    pub(super) fn living(&self) -> Option<Process> {
        let Phase::LivingOn = self.phase else {
            return None;
        };
        let background: Vec<String> = self.progress.background.values().cloned().collect();
        Some(Process {
            id: self.run.process,
            session: self.session.id.clone(),
            conversation: self.progress.claude_session.clone(),
            at: self.run.at,
            until: self.runner.warm_until().filter(|_| background.is_empty()),
            background,
            read_to: self.read_to,
            cost_usd: self.progress.cost_of_process(),
        })
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
}
