//! A chat's hold, set by a usage limit, an API that does not work, a missing login or a claude that does not start.
//!
//! Prompts that met it are queued anew, before later ones, and nothing begins in the chat until the hold ends: at its
//! time (`daemon::beside`), by a button, by `/stop` or by a login. A run that succeeds in another chat ends it, too,
//! unless it is a limit's: that may be for one model alone. Each chat has its own hold; another chat's next run finds
//! out itself.

use std::time::Duration;

use jiff::{Timestamp, Zoned};
use rusqlite::Connection;

use super::again::{self, How};
use crate::chat::failure::Failure;
use crate::chat::hold as words;
use crate::claude::limit::Limit;
use crate::domain::button::Press;
use crate::domain::event::{ApiProblem, TurnEnd};
use crate::domain::hold::{Hold, HoldCause};
use crate::domain::id::{ChatId, ChatThread, PromptId, RunId};
use crate::domain::progress::Progress;
use crate::domain::run::Run;
use crate::store::prompts::{self, Prompt};
use crate::store::{holds, logins, now, outbox, runs};

/// If nobody says when a limit ends, it is tried again after so long, then after twice as long, and so on.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// An overload mostly passes soon.
const FIRST_OVERLOAD_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_OVERLOAD_PAUSE: Duration = Duration::from_secs(15 * 60);

/// It has been tried for half a minute before.
const FIRST_START_PAUSE: Duration = Duration::from_secs(10);

/// What a turn, or the start of a run, ran into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// In claude's own words.
    Limit(Limit, String),
    NotLoggedIn,
    /// The API refused a login that claude has, in claude's own words: when several runs renew it at once, one of them
    /// may come too late.
    LoginRefusedOnce(String),
    /// The API is overloaded, fails or cannot be reached; in claude's own words.
    Overload(String),
    /// claude could not be started.
    NotStarted(Failure),
}

/// The obstacle that ended a turn, if it passes with time or a login. `login_helps`: claude's credentials come from a
/// login, not from a key in the environment.
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
    if !turn.failed {
        return None;
    }
    match Failure::of_turn(turn, problem) {
        Failure::NotLoggedIn if login_helps => Some(Obstacle::NotLoggedIn),
        Failure::Api(ApiProblem::NotLoggedIn, words)
            if login_helps && !words.contains("API key") =>
        {
            Some(Obstacle::NotLoggedIn)
        }
        Failure::Api(ApiProblem::Overloaded | ApiProblem::ServerError, words) => {
            Some(Obstacle::Overload(words))
        }
        // claude names a connection that cannot be made no further.
        Failure::Api(ApiProblem::Other(kind), words) if kind == "unknown" => {
            Some(Obstacle::Overload(words))
        }
        _ => None,
    }
}

/// A turn that has met an obstacle.
pub struct Met<'a> {
    pub obstacle: &'a Obstacle,
    /// The model had done something in it.
    pub has_worked: bool,
    /// The turn's prompts; empty if claude began it by itself.
    pub prompts: &'a [PromptId],
}

/// Sets a hold on the run's chat, queues the run's prompts anew, and tells the chat and the owner. Returns false if
/// somebody wants the run to stop or a shell waits for its end: then it fails as others do.
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
    // A turn that claude began by itself is about answered prompts.
    let how = match met.has_worked || met.prompts.is_empty() {
        true => How::GoOn,
        false => How::Again,
    };
    let tries = runs::tries(db, run.id)?;
    if !again::take_up(db, run, how, None, tries + 1)? {
        // An earlier turn of the run has met the same: this turn's prompts come after it.
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
    let (why, until) = match met.obstacle {
        Obstacle::Limit(limit, _) => {
            let known = limit.until.map(Timestamp::as_millisecond);
            let until = known.unwrap_or_else(|| now() + pause(FIRST_PAUSE, LONGEST_PAUSE, tries));
            (HoldCause::Limit, Some(until))
        }
        Obstacle::Overload(_) | Obstacle::LoginRefusedOnce(_) => {
            let pause = pause(FIRST_OVERLOAD_PAUSE, LONGEST_OVERLOAD_PAUSE, tries);
            (HoldCause::Overload, Some(now() + pause))
        }
        Obstacle::NotStarted(_) => {
            let pause = pause(FIRST_START_PAUSE, LONGEST_OVERLOAD_PAUSE, tries);
            (HoldCause::Start, Some(now() + pause))
        }
        Obstacle::NotLoggedIn => (HoldCause::Login, None),
    };
    let hold = Hold { why, until };
    holds::set(db, at, hold)?;
    let end = hold.end_in(clock.time_zone().clone());
    let end = end.unwrap_or_else(|| clock.clone());
    let told = match met.obstacle {
        Obstacle::Limit(limit, words) => words::limited(&end, clock, limit.until.is_some(), words),
        Obstacle::Overload(words) => words::overloaded(&end, clock, words),
        Obstacle::LoginRefusedOnce(words) => words::login_refused_once(&end, clock, words),
        Obstacle::NotStarted(failure) => words::not_started(&end, clock, failure),
        Obstacle::NotLoggedIn => {
            tell_of_login(db, at, run, owner)?;
            return Ok(true);
        }
    };
    let mut told = told
        .with_button("Try now", Press::TryNow(at.thread))
        .replying_to(run.asked_by);
    // A repeat need not ring.
    told.loud &= tries == 0;
    outbox::insert(db, at, &told)?;
    Ok(true)
}

/// claude could not be started for a run that has ended: its chat is held, and its prompts are tried again. Returns
/// false where [`hold_up`] does.
pub fn not_started(
    db: &Connection,
    run: &Run,
    at: ChatThread,
    failure: Failure,
    owner: Option<ChatThread>,
) -> rusqlite::Result<bool> {
    let prompts: Vec<PromptId> = prompts::of_run(db, run.id)?
        .into_iter()
        .map(|prompt| prompt.id)
        .collect();
    let met = Met {
        obstacle: &Obstacle::NotStarted(failure),
        has_worked: false,
        prompts: &prompts,
    };
    let run = Run { at, ..run.clone() };
    hold_up(db, &run, &met, owner, &Zoned::now())
}

/// The owner is offered the login once, whichever chat needs it.
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

/// In milliseconds: twice as long after each try.
fn pause(first: Duration, longest: Duration, tries: u32) -> i64 {
    let pause = first.saturating_mul(1 << tries.min(8));
    i64::try_from(pause.min(longest).as_millis()).unwrap_or(i64::MAX)
}

/// Whether the run has been queued anew: for its asker it has not ended.
pub fn is_held_up(db: &Connection, run: RunId) -> rusqlite::Result<bool> {
    runs::is_taken_up(db, run)
}
