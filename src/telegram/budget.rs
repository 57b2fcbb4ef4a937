//! How often a chat, and all chats together, may be called. Pure: time is an argument.
//!
//! Telegram allows about one call a second in a private chat, short bursts aside, twenty a minute in a group, and
//! thirty a second in all. It answers more with 429 and a pause; calling during the pause makes it longer. So the calls
//! are counted here before they are made, a little below those numbers: they arrive closer together or farther apart
//! than they were sent. [`turns`](super::turns) shares the numbers between the chats.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::ChatId;

/// How many calls a private chat takes at once, and how many a second after that.
const PRIVATE_BURST: f64 = 6.0;
const PRIVATE_PER_SECOND: f64 = 1.0;
/// How many calls a group takes in a minute. Bot API: 20.
const GROUP_CALLS: usize = 19;
const GROUP_WINDOW: Duration = Duration::from_millis(60_500);
/// How many calls all chats together take in a second. Bot API: 30.
const ALL_CALLS: usize = 25;
const ALL_WINDOW: Duration = Duration::from_millis(1_050);
/// A live message is edited this often at most.
const EDIT_PAUSE_PRIVATE: Duration = Duration::from_secs(2);
const EDIT_PAUSE_GROUP: Duration = Duration::from_secs(5);

/// What a call is for. Of all that are due, the first of these goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The answer to a press, for which a client waits.
    Press,
    /// What came of a stop.
    Stop,
    Answer,
    Question,
    Evidence,
    /// A live message's first text or its end: its Stop button comes or goes.
    Live,
    /// A prompt's state: one call, where a live message asks for one every few seconds.
    Reaction,
    /// Everything that shows the same a little later: an edit of a live message, buttons that are of no use any more.
    Edit,
    Typing,
}

impl Rank {
    /// How many of a private chat's calls, and of a group's, are left to those of lower ranks.
    fn leaves(self) -> (f64, usize) {
        match self {
            Rank::Press | Rank::Stop | Rank::Answer | Rank::Question | Rank::Evidence => (0.0, 0),
            Rank::Live => (1.0, 6),
            Rank::Reaction => (2.0, 7),
            Rank::Edit => (3.0, 9),
            Rank::Typing => (0.0, 0),
        }
    }

    /// Whether Telegram counts it among the calls of its chat.
    fn counts_in_chat(self) -> bool {
        !matches!(self, Rank::Press | Rank::Typing)
    }
}

/// The last calls within a time. A call counts from its beginning until that time after its end: nobody knows when in
/// between it has arrived.
#[derive(Debug)]
struct Window {
    length: Duration,
    most: usize,
    under_way: usize,
    ended: VecDeque<Instant>,
}

/// When to look again while calls are under way.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Window {
    fn new(most: usize, length: Duration) -> Window {
        Window {
            length,
            most,
            under_way: 0,
            ended: VecDeque::new(),
        }
    }

    /// When a call may be made that leaves so many to others.
    fn ready_at(&mut self, leaves: usize, now: Instant) -> Instant {
        let length = self.length;
        while self.ended.front().is_some_and(|at| *at + length <= now) {
            self.ended.pop_front();
        }
        let room = self.most.saturating_sub(leaves).max(1);
        match (self.ended.len() + self.under_way + 1).saturating_sub(room) {
            0 => now,
            // The window has moved on when this one is out of it.
            too_many => match self.ended.get(too_many - 1) {
                Some(at) => *at + length,
                None => now + LOOK_AGAIN,
            },
        }
    }

    fn begin(&mut self) {
        self.under_way += 1;
    }

    fn end(&mut self, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        self.ended.push_back(now);
    }
}

/// The calls of all chats together.
#[derive(Debug)]
pub struct SharedBudget(Window);

impl Default for SharedBudget {
    fn default() -> SharedBudget {
        SharedBudget(Window::new(ALL_CALLS, ALL_WINDOW))
    }
}

impl SharedBudget {
    pub fn ready_at(&mut self, now: Instant) -> Instant {
        self.0.ready_at(0, now)
    }

    /// A call begins.
    pub fn begin(&mut self) {
        self.0.begin();
    }

    /// It has ended.
    pub fn end(&mut self, now: Instant) {
        self.0.end(now);
    }
}

/// The calls of one chat.
#[derive(Debug)]
pub struct Budget {
    calls: Calls,
    paused_until: Option<Instant>,
}

#[derive(Debug)]
enum Calls {
    /// So many may be made now.
    Private {
        left: f64,
        updated: Instant,
    },
    Group(Window),
}

impl Budget {
    pub fn new(chat: ChatId, now: Instant) -> Budget {
        Budget {
            calls: match chat.is_group() {
                true => Calls::Group(Window::new(GROUP_CALLS, GROUP_WINDOW)),
                false => Calls::Private {
                    left: PRIVATE_BURST,
                    updated: now,
                },
            },
            paused_until: None,
        }
    }

    /// When the next call of this rank may be made: now, if that is not after `now`.
    pub fn ready_at(&mut self, rank: Rank, now: Instant) -> Instant {
        let (leaves_private, leaves_group) = rank.leaves();
        let ready = match &mut self.calls {
            _ if !rank.counts_in_chat() => now,
            Calls::Private { left, updated } => {
                let passed = now.saturating_duration_since(*updated).as_secs_f64();
                *left = (*left + passed * PRIVATE_PER_SECOND).min(PRIVATE_BURST);
                *updated = now;
                let missing = (1.0 + leaves_private - *left).max(0.0);
                now + Duration::from_secs_f64(missing / PRIVATE_PER_SECOND)
            }
            Calls::Group(window) => window.ready_at(leaves_group, now),
        };
        match self.paused_until {
            // A client waits for it, and it is not a message of the chat.
            Some(until) if rank != Rank::Press => ready.max(until),
            _ => ready,
        }
    }

    /// A call begins.
    pub fn begin(&mut self, rank: Rank) {
        match &mut self.calls {
            _ if !rank.counts_in_chat() => {}
            Calls::Private { left, .. } => *left = (*left - 1.0).max(0.0),
            Calls::Group(window) => window.begin(),
        }
    }

    /// It has ended.
    pub fn end(&mut self, rank: Rank, now: Instant) {
        match &mut self.calls {
            Calls::Group(window) if rank.counts_in_chat() => window.end(now),
            Calls::Group(_) | Calls::Private { .. } => {}
        }
    }

    /// Telegram asked for a pause (429, `retry_after`).
    pub fn pause(&mut self, pause: Duration, now: Instant) {
        let until = now + pause;
        self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
    }
}

/// How long a live message stays as it is between two edits.
pub fn edit_pause(chat: ChatId) -> Duration {
    match chat.is_group() {
        true => EDIT_PAUSE_GROUP,
        false => EDIT_PAUSE_PRIVATE,
    }
}
