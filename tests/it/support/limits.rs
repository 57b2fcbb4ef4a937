//! What Telegram takes and what it does not, in front of the stand-in: flood control, slow mode, closed topics, a group
//! that has moved.
//!
//! No I/O; time is an argument. Telegram names no exact figures; these are the strict end of what is reported.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How often the bot may call. Off by default: most tests are about something else.
#[derive(Clone, Debug)]
pub struct Limits {
    /// So many calls to a private chat may come at once,
    pub private_burst: f64,
    /// and so many a second after that.
    pub private_per_second: f64,
    /// So many calls to a group in any window of this length.
    pub group_calls: usize,
    pub group_window: Duration,
    /// So many calls in any second, to all chats.
    pub calls_a_second: usize,
}

impl Limits {
    pub fn telegram() -> Limits {
        Limits {
            private_burst: 8.0,
            private_per_second: 1.0,
            group_calls: 20,
            group_window: Duration::from_secs(60),
            calls_a_second: 30,
        }
    }
}

/// A call, as far as Telegram looks at it here.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub chat: Option<i64>,
    pub thread: Option<i64>,
}

/// What Telegram says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// 429 with so many seconds.
    Flood(u64),
    /// 400 with these words.
    Refuse(&'static str),
    /// 400: the group is this one now.
    Moved(i64),
}

/// A call that was answered with 429.
#[derive(Clone, Debug)]
pub struct Flooded {
    pub at: Instant,
    pub asked: Asked,
    pub retry_after: u64,
    pub why: Why,
}

/// Which limit a call was beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    TheChats,
    OfAllChats,
    /// It came within a pause that the chat had been given.
    WithinPause,
    SlowMode,
}

pub const TOPIC_CLOSED: &str = "Bad Request: TOPIC_CLOSED";
pub const TOPIC_DELETED: &str = "Bad Request: message thread not found";

/// Everything that stands between the bot and the chats.
#[derive(Default)]
pub struct Gate {
    pub limits: Option<Limits>,
    pub flooded: Vec<Flooded>,
    buckets: BTreeMap<i64, Bucket>,
    windows: BTreeMap<i64, VecDeque<Instant>>,
    of_all: VecDeque<Instant>,
    paused: BTreeMap<i64, Instant>,
    slow: BTreeMap<i64, SlowMode>,
    closed_generals: BTreeSet<i64>,
    closed_topics: BTreeSet<(i64, i64)>,
    deleted_topics: BTreeSet<(i64, i64)>,
    moved: BTreeMap<i64, i64>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

struct SlowMode {
    seconds: u64,
    /// When the bot's last message was taken.
    last: Option<Instant>,
}

impl Gate {
    /// Judges a call, and counts it if it passes.
    pub fn judge(&mut self, asked: &Asked, now: Instant) -> Verdict {
        let flood = match self.flood(asked, now) {
            Some((wait, why)) => self.note(asked, wait, why, now),
            None => None,
        };
        if let Some(seconds) = flood {
            return Verdict::Flood(seconds);
        }
        self.count(asked, now);
        self.state_of_chat(asked)
    }

    /// A message was taken in this chat.
    pub fn took(&mut self, asked: &Asked, now: Instant) {
        let slow = asked.chat.and_then(|chat| self.slow.get_mut(&chat));
        if let (Some(slow), true) = (slow, is_new_message(&asked.method)) {
            slow.last = Some(now);
        }
    }

    pub fn set_slow_mode(&mut self, chat: i64, seconds: u64, last: Option<Instant>) {
        self.slow.insert(chat, SlowMode { seconds, last });
    }

    pub fn slow_mode_of(&self, chat: i64) -> Option<u64> {
        self.slow.get(&chat).map(|slow| slow.seconds)
    }

    pub fn set_general(&mut self, chat: i64, is_closed: bool) {
        match is_closed {
            true => self.closed_generals.insert(chat),
            false => self.closed_generals.remove(&chat),
        };
    }

    pub fn set_topic(&mut self, chat: i64, thread: i64, is_closed: bool) {
        match is_closed {
            true => self.closed_topics.insert((chat, thread)),
            false => self.closed_topics.remove(&(chat, thread)),
        };
    }

    pub fn delete_topic(&mut self, chat: i64, thread: i64) {
        self.deleted_topics.insert((chat, thread));
    }

    pub fn move_group(&mut self, from: i64, to: i64) {
        self.moved.insert(from, to);
    }

    /// Where a group is now.
    pub fn place_of(&self, chat: i64) -> i64 {
        let mut place = chat;
        while let Some(next) = self.moved.get(&place) {
            place = *next;
        }
        place
    }

    /// How long a call must wait, if it must.
    fn flood(&mut self, asked: &Asked, now: Instant) -> Option<(Duration, Why)> {
        let limits = self.limits.clone();
        let chat = asked.chat.filter(|_| counts_for_its_chat(&asked.method));
        if let (Some(limits), Some(chat)) = (&limits, chat) {
            let until = self.paused.get(&chat).copied().filter(|until| *until > now);
            if let Some(until) = until {
                let longer = 2 * (until - now) + Duration::from_secs(5);
                return Some((longer, Why::WithinPause));
            }
            if let Some(wait) = self.wait_of_chat(limits, chat, now) {
                return Some((wait, Why::TheChats));
            }
        }
        if let (Some(limits), true) = (&limits, counts_for_all(&asked.method)) {
            let wait = wait_of_window(
                &mut self.of_all,
                limits.calls_a_second,
                Duration::from_secs(1),
                now,
            );
            if let Some(wait) = wait {
                return Some((wait, Why::OfAllChats));
            }
        }
        let slow = asked.chat.and_then(|chat| self.slow.get(&chat))?;
        let next = slow.last? + Duration::from_secs(slow.seconds);
        (is_new_message(&asked.method) && next > now).then(|| (next - now, Why::SlowMode))
    }

    fn wait_of_chat(&mut self, limits: &Limits, chat: i64, now: Instant) -> Option<Duration> {
        if chat < 0 {
            let window = self.windows.entry(chat).or_default();
            return wait_of_window(window, limits.group_calls, limits.group_window, now);
        }
        let bucket = self.bucket_of(limits, chat, now);
        (bucket.tokens < 1.0)
            .then(|| Duration::from_secs_f64((1.0 - bucket.tokens) / limits.private_per_second))
    }

    fn bucket_of(&mut self, limits: &Limits, chat: i64, now: Instant) -> &mut Bucket {
        let bucket = self.buckets.entry(chat).or_insert(Bucket {
            tokens: limits.private_burst,
            filled: now,
        });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        let tokens = bucket.tokens + passed * limits.private_per_second;
        bucket.tokens = tokens.min(limits.private_burst);
        bucket.filled = now;
        bucket
    }

    /// Writes a refusal down; a pause of slow mode is for new messages only, and gets no longer.
    fn note(&mut self, asked: &Asked, wait: Duration, why: Why, now: Instant) -> Option<u64> {
        let retry_after = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry_after = retry_after.max(1);
        if let (Some(chat), false) = (asked.chat, why == Why::SlowMode) {
            self.paused
                .insert(chat, now + Duration::from_secs(retry_after));
        }
        self.flooded.push(Flooded {
            at: now,
            asked: asked.clone(),
            retry_after,
            why,
        });
        Some(retry_after)
    }

    fn count(&mut self, asked: &Asked, now: Instant) {
        let Some(limits) = self.limits.clone() else {
            return;
        };
        if counts_for_all(&asked.method) {
            self.of_all.push_back(now);
        }
        match asked.chat.filter(|_| counts_for_its_chat(&asked.method)) {
            Some(group @ ..0) => self.windows.entry(group).or_default().push_back(now),
            Some(private) => self.bucket_of(&limits, private, now).tokens -= 1.0,
            None => {}
        }
    }

    fn state_of_chat(&self, asked: &Asked) -> Verdict {
        let Some(chat) = asked.chat.filter(|_| counts_for_all(&asked.method)) else {
            return Verdict::Pass;
        };
        if let Some(to) = self.moved.get(&chat) {
            return Verdict::Moved(*to);
        }
        // Edits and reactions name no topic.
        let writes = is_new_message(&asked.method) || asked.method == "sendChatAction";
        match asked.thread {
            _ if !writes => Verdict::Pass,
            Some(thread) if self.deleted_topics.contains(&(chat, thread)) => {
                Verdict::Refuse(TOPIC_DELETED)
            }
            Some(thread) if self.closed_topics.contains(&(chat, thread)) => {
                Verdict::Refuse(TOPIC_CLOSED)
            }
            None if self.closed_generals.contains(&chat) => Verdict::Refuse(TOPIC_CLOSED),
            _ => Verdict::Pass,
        }
    }
}

/// How long a call must wait until fewer than `most` were made in the last `length`.
fn wait_of_window(
    window: &mut VecDeque<Instant>,
    most: usize,
    length: Duration,
    now: Instant,
) -> Option<Duration> {
    while window.front().is_some_and(|first| *first + length <= now) {
        window.pop_front();
    }
    let first = *window.front()?;
    (window.len() >= most).then(|| first + length - now)
}

/// Whether a method posts a message; slow mode counts these.
pub fn is_new_message(method: &str) -> bool {
    matches!(method, "sendMessage" | "sendDocument" | "sendPhoto")
}

fn counts_for_its_chat(method: &str) -> bool {
    is_new_message(method)
        || matches!(
            method,
            "editMessageText" | "editMessageReplyMarkup" | "deleteMessage" | "setMessageReaction"
        )
}

fn counts_for_all(method: &str) -> bool {
    counts_for_its_chat(method) || method == "sendChatAction"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, chat: i64) -> Asked {
        Asked {
            method: method.to_owned(),
            chat: Some(chat),
            thread: None,
        }
    }

    /// A gate with Telegram's limits, and when it was opened.
    fn open() -> (Gate, Instant) {
        let gate = Gate {
            limits: Some(Limits::telegram()),
            ..Gate::default()
        };
        (gate, Instant::now())
    }

    #[test]
    fn a_private_chat_takes_eight_at_once_and_then_one_a_second() {
        let (mut gate, start) = open();
        let send = asked("sendMessage", 7);
        for _ in 0..8 {
            assert_eq!(gate.judge(&send, start), Verdict::Pass);
        }
        let after = start + Duration::from_secs(1);
        assert_eq!(gate.judge(&send, after), Verdict::Pass);
        assert_eq!(gate.judge(&send, after), Verdict::Flood(1));
    }

    #[test]
    fn a_call_within_a_pause_makes_it_longer() {
        let (mut gate, start) = open();
        let edit = asked("editMessageText", -5);
        for _ in 0..20 {
            assert_eq!(gate.judge(&edit, start), Verdict::Pass);
        }
        assert_eq!(gate.judge(&edit, start), Verdict::Flood(60));
        let later = start + Duration::from_secs(50);
        assert_eq!(gate.judge(&edit, later), Verdict::Flood(25));
        let reasons: Vec<Why> = gate.flooded.iter().map(|flooded| flooded.why).collect();
        assert_eq!(reasons, [Why::TheChats, Why::WithinPause]);
    }

    #[test]
    fn typing_counts_for_all_chats_only() {
        let (mut gate, start) = open();
        let typing = asked("sendChatAction", 7);
        for _ in 0..30 {
            assert_eq!(gate.judge(&typing, start), Verdict::Pass);
        }
        assert_eq!(gate.judge(&typing, start), Verdict::Flood(1));
        assert_eq!(
            gate.judge(&asked("sendMessage", 8), start),
            Verdict::Flood(1)
        );
        let query = asked("answerCallbackQuery", 8);
        assert_eq!(gate.judge(&query, start), Verdict::Pass);
    }

    #[test]
    fn slow_mode_is_for_new_messages_only() {
        let (mut gate, start) = open();
        gate.set_slow_mode(-5, 10, None);
        let send = asked("sendMessage", -5);
        assert_eq!(gate.judge(&send, start), Verdict::Pass);
        gate.took(&send, start);
        let later = start + Duration::from_secs(4);
        assert_eq!(gate.judge(&send, later), Verdict::Flood(6));
        assert_eq!(
            gate.judge(&asked("editMessageText", -5), later),
            Verdict::Pass
        );
        assert_eq!(
            gate.judge(&send, start + Duration::from_secs(10)),
            Verdict::Pass
        );
    }
}
