//! Whose call to the Bot API is next: all chats share Telegram's limit, and each has its own.
//!
//! Who wants to call waits for a turn. Of those whose chat may be called now, the first by [`Rank`] goes, and of equal
//! ones the one that has been due longest. Pauses that Telegram asks for are kept here, too.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, Rank, SharedBudget};
use crate::domain::id::ChatId;

/// Two chats that are asked to pause within this time mean that all calls together were too many.
const AT_ONCE: Duration = Duration::from_secs(1);
/// The longest pause of all chats that is concluded from pauses of some.
const LONGEST_FOR_ALL: Duration = Duration::from_secs(30);

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Turns {
    shared: Arc<Mutex<Shared>>,
    /// Somebody has had a turn or gave up waiting, or a pause has begun.
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Shared {
    all: SharedBudget,
    all_paused_until: Option<Instant>,
    last_flood: Option<(ChatId, Instant)>,
    chats: HashMap<ChatId, Budget>,
    /// Who could call if the others were not.
    waiting: BTreeSet<Ticket>,
    tickets: u64,
}

/// Somebody's place among those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    rank: Rank,
    since: Instant,
    number: u64,
}

enum Outlook {
    /// It is this one's turn.
    Now,
    /// Its chat takes nothing before this.
    NotYet(Instant),
    /// It is next, and all chats together take nothing before this.
    First(Instant),
    /// Others go first.
    Behind,
}

impl Turns {
    /// `pauses` are what is left of the pauses that Telegram asked for before the start.
    pub fn new(pauses: HashMap<ChatId, Duration>) -> Turns {
        let now = Instant::now();
        let turns = Turns::default();
        for (chat, left) in pauses {
            turns.lock().budget(chat, now).pause(left, now);
        }
        turns
    }

    /// Waits until this call may be made, and counts it until the turn is dropped. `since` is when it became due. Giving
    /// up waiting costs nothing.
    pub async fn take(&self, chat: ChatId, rank: Rank, since: Instant) -> Turn {
        let waiting = Waiting {
            turns: self,
            ticket: self.lock().ticket(rank, since),
        };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let outlook = self.lock().outlook(chat, waiting.ticket, Instant::now());
            match outlook {
                Outlook::Now => {
                    return Turn {
                        turns: self.clone(),
                        chat,
                        rank,
                    };
                }
                Outlook::NotYet(moment) => {
                    self.changed.notify_waiters();
                    sleep_until(moment).await;
                }
                Outlook::First(moment) => tokio::select! {
                    () = sleep_until(moment) => {}
                    () = changed => {}
                },
                Outlook::Behind => changed.await,
            }
        }
    }

    /// When a call of this rank may be made at the earliest, other chats aside.
    pub fn ready_at(&self, chat: ChatId, rank: Rank, now: Instant) -> Instant {
        self.lock().budget(chat, now).ready_at(rank, now)
    }

    /// Telegram asked for a pause of this chat.
    pub fn pause(&self, chat: ChatId, pause: Duration) {
        let now = Instant::now();
        let mut shared = self.lock();
        shared.budget(chat, now).pause(pause, now);
        let is_of_all = shared.last_flood.is_some_and(|(other, at)| {
            other != chat && now.saturating_duration_since(at) <= AT_ONCE
        });
        if is_of_all {
            let until = now + pause.min(LONGEST_FOR_ALL);
            let later = shared.all_paused_until.map_or(until, |old| old.max(until));
            shared.all_paused_until = Some(later);
        }
        shared.last_flood = Some((chat, now));
        drop(shared);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn ticket(&mut self, rank: Rank, since: Instant) -> Ticket {
        self.tickets += 1;
        Ticket {
            rank,
            since,
            number: self.tickets,
        }
    }

    fn budget(&mut self, chat: ChatId, now: Instant) -> &mut Budget {
        self.chats
            .entry(chat)
            .or_insert_with(|| Budget::new(chat, now))
    }

    fn outlook(&mut self, chat: ChatId, ticket: Ticket, now: Instant) -> Outlook {
        let ready = self.budget(chat, now).ready_at(ticket.rank, now);
        if ready > now {
            self.waiting.remove(&ticket);
            return Outlook::NotYet(ready);
        }
        self.waiting.insert(ticket);
        if self.waiting.first() != Some(&ticket) {
            return Outlook::Behind;
        }
        let ready = self.all.ready_at(now);
        let ready = self
            .all_paused_until
            .map_or(ready, |until| ready.max(until));
        if ready > now {
            return Outlook::First(ready);
        }
        self.all.begin();
        self.budget(chat, now).begin(ticket.rank);
        Outlook::Now
    }
}

/// The right to make one call; to be kept until its answer has come.
pub struct Turn {
    turns: Turns,
    chat: ChatId,
    rank: Rank,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut shared = self.turns.lock();
        shared.all.end(now);
        shared.budget(self.chat, now).end(self.rank, now);
        drop(shared);
        self.turns.changed.notify_waiters();
    }
}

/// Takes a ticket back when its holder has had a turn, or does not wait any more.
struct Waiting<'a> {
    turns: &'a Turns,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turns.lock().waiting.remove(&self.ticket);
        self.turns.changed.notify_waiters();
    }
}
