//! What holds a chat up: a usage limit that was hit, or a missing login.
//!
//! What ran into it is queued anew at once, before what was written later, and nothing begins in the chat until the
//! hold is gone: by its time (`daemon::beside`), by a button, by `/stop`, by a login. Each chat is held for itself: the
//! limit is the account's, and the next run of another chat finds out.

use crate::domain::hold::Hold;
use crate::domain::hold::HoldCause;
use std::time::Duration;

use jiff::{Timestamp, Zoned};
use rusqlite::Connection;

use super::again::{self, How};
use crate::chat::failure::Failure;
use crate::chat::hold as words;
use crate::claude::limit::Limit;
use crate::domain::button::Press;
use crate::domain::event::{ApiProblem, TurnEnd};
use crate::domain::id::{ChatId, ChatThread, PromptId, RunId};
use crate::domain::progress::Progress;
use crate::domain::run::Run;
use crate::store::prompts::{self, Prompt};
use crate::store::{holds, logins, now, outbox, runs};

/// Where nobody says when a limit goes, it is tried again after so long, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What a turn ran into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// In claude's own words.
    Limit(Limit, String),
    NotLoggedIn,
}

/// Whether a turn ended because it ran into something that passes, or that a login mends. `login_helps`: claude has
/// its credentials from a login, and not from a key in the environment.
pub fn of_turn(
    progress: &Progress,
    turn: &TurnEnd,
    login_helps: bool,
    now: &Zoned,
) -> Option<Obstacle> {
    if turn.aborted {
        return None;
    }
    let problem = progress.problem.as_ref();
    let report = progress.limit.as_ref();
    if let Some(limit) = Limit::of_turn(&turn.text, turn.failed, problem, report, now) {
        return Some(Obstacle::Limit(limit, turn.text.clone()));
    }
    if !turn.failed || !login_helps {
        return None;
    }
    match Failure::of_turn(turn, problem) {
        Failure::NotLoggedIn => Some(Obstacle::NotLoggedIn),
        Failure::Api(ApiProblem::NotLoggedIn, words) if !words.contains("API key") => {
            Some(Obstacle::NotLoggedIn)
        }
        _ => None,
    }
}

/// A turn that has met an obstacle.
pub struct Met<'a> {
    pub obstacle: &'a Obstacle,
    /// The model had done something in it.
    pub has_worked: bool,
    /// What the turn is about; nothing where claude began it by itself.
    pub prompts: &'a [PromptId],
}

/// Holds the run's chat up, queues what it was asked anew, and tells whom it concerns. Returns false where that is not
/// done, because somebody wants the run to stop or because a shell waits for its end: then it fails as others do.
pub fn hold_up(
    db: &Connection,
    run: &Run,
    met: &Met<'_>,
    owner: Option<ChatThread>,
    clock: &Zoned,
) -> rusqlite::Result<bool> {
    let at = run.at;
    if at.chat == ChatId::SHELL || runs::stop_requested(db, run.id)? {
        return Ok(false);
    }
    // What claude began by itself is about prompts that have their answer.
    let how = match met.has_worked || met.prompts.is_empty() {
        true => How::GoOn,
        false => How::Again,
    };
    let tries = runs::tries(db, run.id)?;
    if !again::take_up(db, run, how, None, tries + 1)? {
        // An earlier turn of the same run has met the same: what this one is about comes behind.
        let asked = prompts::of_run(db, run.id)?;
        let asked: Vec<Prompt> = asked
            .into_iter()
            .filter(|prompt| met.prompts.contains(&prompt.id))
            .collect();
        again::take_up_more(db, run, how, &asked, tries + 1)?;
        if holds::of(db, at)?.is_some() {
            return Ok(true);
        }
    }
    match met.obstacle {
        Obstacle::Limit(limit, words) => {
            let until = limit.until.map(Timestamp::as_millisecond);
            let hold = Hold {
                why: HoldCause::Limit,
                until: Some(until.unwrap_or_else(|| now() + pause_after(tries))),
            };
            holds::set(db, at, hold)?;
            let end = hold.end_in(clock.time_zone().clone());
            let end = end.unwrap_or_else(|| clock.clone());
            let mut message = words::limited(&end, clock, until.is_some(), words)
                .with_button("Try now", Press::TryNow(at.thread))
                .replying_to(run.asked_by);
            // The chat knows.
            message.loud = tries == 0;
            outbox::insert(db, at, &message)?;
        }
        Obstacle::NotLoggedIn => {
            let hold = Hold {
                why: HoldCause::Login,
                until: None,
            };
            holds::set(db, at, hold)?;
            tell_of_login(db, at, run, owner)?;
        }
    }
    Ok(true)
}

/// The owner is offered the login once, whatever chat needs it.
fn tell_of_login(
    db: &Connection,
    at: ChatThread,
    run: &Run,
    owner: Option<ChatThread>,
) -> rusqlite::Result<()> {
    let is_owner_here = owner.is_some_and(|owner| owner.chat == at.chat);
    let is_news = logins::offer(db)?;
    let told = words::not_logged_in(is_owner_here);
    let told = match is_owner_here {
        true => told.with_button("Log in", Press::LogIn),
        false => told,
    }
    .with_button("Try now", Press::TryNow(at.thread))
    .replying_to(run.asked_by);
    outbox::insert(db, at, &told)?;
    if let Some(owner) = owner.filter(|_| is_news && !is_owner_here) {
        let offer = words::login_wanted_elsewhere().with_button("Log in", Press::LogIn);
        outbox::insert(db, owner, &offer)?;
    }
    Ok(())
}

/// In milliseconds.
fn pause_after(tries: u32) -> i64 {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(8));
    i64::try_from(pause.min(LONGEST_PAUSE).as_millis()).unwrap_or(i64::MAX)
}

/// Whether the run has been queued anew, and so has not come to its end for whoever asked.
pub fn is_held_up(db: &Connection, run: RunId) -> rusqlite::Result<bool> {
    runs::is_taken_up(db, run)
}
