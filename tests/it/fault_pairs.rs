//! Two failures in a row: every pair of them, with every kind of message.
//!
//! [`fault_matrix`](super::fault_matrix) has one failure at a time, and says exactly what is seen. Here a message arrives
//! once or twice, or somebody is told, or it is kept and `/status` says so. A sample of the pairs is tried by default, all
//! of them with `TELECODER_TEST_PAIRS=1`.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::limits::TOPIC_CLOSED;
use crate::support::{ADA, Fault, Machine};

/// A failure; some depend on the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Flood,
    Server,
    /// It is taken, and a gateway says 502.
    Gateway,
    CutBefore,
    CutAfter,
    Late,
    Refused,
    Blocked,
    TopicClosed,
    GeneralClosed,
    Moved,
    SlowMode,
}

use Failure::*;

const FAILURES: [Failure; 12] = [
    Flood,
    Server,
    Gateway,
    CutBefore,
    CutAfter,
    Late,
    Refused,
    Blocked,
    TopicClosed,
    GeneralClosed,
    Moved,
    SlowMode,
];

/// What is tried by default: what is most likely to be confused with another.
const SAMPLE: [(Failure, Failure); 8] = [
    (Gateway, Gateway),
    (CutBefore, Blocked),
    (Flood, CutAfter),
    (Late, Refused),
    (TopicClosed, GeneralClosed),
    (CutAfter, Moved),
    (Gateway, SlowMode),
    (Server, TopicClosed),
];

/// Machines at a time.
const AT_A_TIME: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Once,
    Twice,
    Told,
    Kept,
}

/// A kind of message: what brings it about, the calls that fail, and words that only it has.
struct Kind {
    name: &'static str,
    prompt: String,
    method: &'static str,
    /// So many calls of the chat go well before one fails; so often the words are there without the part that counts.
    after: u32,
    words: &'static str,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, prompt: &str, words| Kind {
        name,
        prompt: prompt.to_owned(),
        method: "sendMessage",
        after: 0,
        words,
    };
    let long = format!("[[say: {}end of it]]", "a line of words\n\n".repeat(400));
    let file = format!("[[say: {}]]", "many words of an answer\n\n".repeat(900));
    let edited = "[[sleep: 3000]] [[tool: Bash x]] [[sleep: 7000]] [[say: after it]]";
    vec![
        kind("answer", "hello", "You said: "),
        Kind {
            after: 1,
            ..kind("second part", &long, "a line of words")
        },
        Kind {
            method: "sendDocument",
            ..kind("file", &file, "The whole answer.")
        },
        kind("reply to a command", "/help", "What you write here"),
        kind("failure", "[[exit: 3]]", "Claude ended without an answer"),
        kind(
            "live message",
            "[[sleep: 5000]] [[say: after it]]",
            "after it",
        ),
        Kind {
            method: "editMessageText",
            ..kind("edit of one", edited, "after it")
        },
        kind(
            "question",
            r#"[[ask: Bash {"command":"rm -f old.log","description":"Remove the old log"}]]"#,
            "Reply to this message with",
        ),
    ]
}

/// Two failures, and where they happen.
#[derive(Clone, Copy)]
struct Pair(Failure, Failure);

impl Pair {
    fn has(self, failure: Failure) -> bool {
        self.0 == failure || self.1 == failure
    }

    fn is_in_group(self) -> bool {
        [TopicClosed, GeneralClosed, Moved, SlowMode]
            .into_iter()
            .any(|failure| self.has(failure))
    }

    fn thread(self) -> Option<i64> {
        self.has(TopicClosed).then_some(11)
    }

    fn chat(self, index: usize) -> ChatId {
        match self.is_in_group() {
            true => group(index),
            false => private(index),
        }
    }

    /// What happens to a kind. A group moves only once.
    fn faults(self, index: usize) -> Vec<Fault> {
        let count = if self.0 == Moved && self.1 == Moved {
            1
        } else {
            2
        };
        let both = [self.0, self.1].into_iter().take(count);
        both.map(|failure| fault(failure, index)).collect()
    }
}

fn person(index: usize) -> UserId {
    UserId(101 + index as u64)
}

fn private(index: usize) -> ChatId {
    ChatId(101 + index as i64)
}

fn group(index: usize) -> ChatId {
    ChatId(-1_101 - index as i64)
}

/// What it becomes if it moves.
fn moved_group(index: usize) -> ChatId {
    ChatId(group(index).0 - 1_000)
}

fn who_writes_in(chat: ChatId) -> UserId {
    let index = match chat.is_group() {
        true => (-1_101 - chat.0) % 1_000,
        false => chat.0 - 101,
    };
    person(usize::try_from(index).expect("one of the chats"))
}

/// The failure as it happens to a kind.
fn fault(failure: Failure, index: usize) -> Fault {
    match failure {
        Flood => Fault::Flood(1),
        Server => Fault::Refuse(500, "Internal Server Error"),
        Gateway => Fault::StatusAfter(502),
        CutBefore => Fault::CloseBefore,
        CutAfter => Fault::CloseAfter,
        Late => Fault::Late(Duration::from_secs(6)),
        Refused => Fault::Refuse(400, "Bad Request: something quite new"),
        Blocked => Fault::Refuse(403, "Forbidden: bot was blocked by the user"),
        TopicClosed | GeneralClosed => Fault::Refuse(400, TOPIC_CLOSED),
        Moved => Fault::MovesTo(moved_group(index).0),
        SlowMode => Fault::SlowMode(2),
    }
}

fn writes(machine: &Machine, pair: Pair, index: usize, text: &str) {
    match pair.is_in_group() {
        true => {
            let place = machine.api.place_of(pair.chat(index));
            machine.writes_in(place, pair.thread(), person(index), text);
        }
        false => {
            machine.writes(person(index).0, text);
        }
    }
}

/// What is seen of each kind when these two happen to it; what must not be is an error.
fn seen_with(pair: Pair) -> Vec<Result<Seen, String>> {
    let kinds = kinds();
    let indexes = 0..kinds.len();
    let groups: Vec<String> = indexes
        .clone()
        .map(|index| group(index).0.to_string())
        .collect();
    let machine = Machine::new()
        .with_people((101..109).chain([ADA.0]))
        .with("TELECODER_TG_ALLOWED_CHATS", groups.join(","))
        .with("TELECODER_MAX_RUNS", "8");
    let _bot = machine.start();
    for (index, kind) in kinds.iter().enumerate() {
        let places = [pair.chat(index).0, moved_group(index).0];
        let faults = pair.faults(index);
        machine
            .api
            .plan_in_turn(kind.method, &places, kind.after, &faults);
        writes(&machine, pair, index, &kind.prompt);
    }
    until_only_a_question_is_left(&machine);
    machine.api.heal();
    // Somebody writes there: what was kept comes, or is told.
    for index in indexes.clone() {
        writes(&machine, pair, index, "/status");
    }
    until_only_a_question_is_left(&machine);
    writes(&machine, pair, kinds.len() - 1, "/stop");
    machine.until_quiet();
    if [Gateway, CutAfter, Late]
        .into_iter()
        .any(|taken| pair.has(taken))
    {
        // The bot does not know of a live message whose first answer was lost: a press takes its button away.
        wait_for_buttons(&machine);
        for lost in buttons_left(&machine) {
            machine.press(who_writes_in(ChatId(lost.chat)), &lost, "Stop");
        }
    }
    wait_for_buttons(&machine);
    indexes
        .map(|index| seen(&machine, pair, index, &kinds[index]))
        .collect()
}

fn until_only_a_question_is_left(machine: &Machine) {
    let database = machine.data().join("telecoder.db");
    machine.until_within(
        Duration::from_secs(120),
        "all but a question is done",
        || {
            let is_fetched = machine.api.unconfirmed() == 0;
            let is_asking = telecoder::store::is_asking(&database).ok()?;
            let left = telecoder::store::left_to_do(&database).ok()?;
            (is_fetched && left == u64::from(is_asking)).then_some(())
        },
    );
}

/// The live messages that can still be stopped, where anything can be changed: a group that has moved stays as it was.
fn buttons_left(machine: &Machine) -> Vec<Posted> {
    let left = machine.stoppable().into_iter();
    left.filter(|message| machine.api.place_of(ChatId(message.chat)).0 == message.chat)
        .collect()
}

fn wait_for_buttons(machine: &Machine) {
    let begun = Instant::now();
    machine.until("no button is left, or it takes too long", || {
        let waited_long = begun.elapsed() > Duration::from_secs(40);
        (buttons_left(machine).is_empty() || waited_long).then_some(())
    });
}

fn seen(machine: &Machine, pair: Pair, index: usize, kind: &Kind) -> Result<Seen, String> {
    let places = [private(index), pair.chat(index), moved_group(index)];
    let is_there = |chat: i64| places.contains(&ChatId(chat));
    let messages = machine.bot_messages().into_iter();
    let messages: Vec<_> = messages.filter(|message| is_there(message.chat)).collect();
    let with = |words: &str| {
        let chats: BTreeSet<ChatId> = places.iter().copied().collect();
        let sent = chats.into_iter().map(|chat| machine.sendings(chat, words));
        sent.map(|sendings| sendings.len()).sum::<usize>()
    };
    let copies = with(kind.words).saturating_sub(kind.after as usize);
    let in_private = messages
        .iter()
        .any(|message| message.chat == private(index).0);
    let is_told = with("Telegram refuses a message that I have for you") > 0
        || with("and Telegram confirmed it neither time") > 0
        || (pair.is_in_group() && in_private);
    let is_in_status = with("Not delivered here") > 0;
    let cell = || {
        let texts: Vec<String> = messages
            .iter()
            .map(|message| {
                format!(
                    "{}: {:?}",
                    message.chat,
                    message.text.chars().take(70).collect::<String>()
                )
            })
            .collect();
        format!("{} after {:?}, {:?}: {texts:#?}", kind.name, pair.0, pair.1)
    };
    let left = buttons_left(machine);
    if left.iter().any(|message| is_there(message.chat)) {
        return Err(format!("a button is left: {}", cell()));
    }
    match copies {
        1 => Ok(Seen::Once),
        2 => Ok(Seen::Twice),
        0 if is_told => Ok(Seen::Told),
        0 if is_in_status => Ok(Seen::Kept),
        copies => Err(format!("{copies} copies: {}", cell())),
    }
}

fn pairs() -> Vec<Pair> {
    if std::env::var_os("TELECODER_TEST_PAIRS").is_none() {
        return SAMPLE.map(|(first, second)| Pair(first, second)).to_vec();
    }
    let second = |(index, first): (usize, &Failure)| {
        let first = *first;
        let others = FAILURES[index..].iter();
        others
            .map(move |second| Pair(first, *second))
            .collect::<Vec<_>>()
    };
    FAILURES.iter().enumerate().flat_map(second).collect()
}

#[test]
fn after_two_failures_in_a_row_each_message_arrives_once_or_twice_or_somebody_can_find_out() {
    let pairs = pairs();
    let next = Mutex::new(pairs.iter());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let pair = next.lock().expect("whole").next().copied();
                    let Some(pair) = pair else {
                        return;
                    };
                    let seen = std::panic::catch_unwind(|| seen_with(pair));
                    let seen = seen.unwrap_or_else(|_| {
                        vec![Err(format!("{:?}, {:?} came to no end", pair.0, pair.1))]
                    });
                    results.lock().expect("whole").push((pair, seen));
                }
            });
        }
    });
    let results = results.into_inner().expect("whole");
    let cells = || results.iter().flat_map(|(_, seen)| seen);
    let count = |wanted: Seen| cells().filter(|seen| **seen == Ok(wanted)).count();
    println!(
        "{} pairs, {} cells: {} once, {} twice, {} told, {} kept",
        results.len(),
        cells().count(),
        count(Seen::Once),
        count(Seen::Twice),
        count(Seen::Told),
        count(Seen::Kept),
    );
    for (pair, seen) in &results {
        let worst = seen.iter().flatten().max();
        println!("{:?} + {:?}: at worst {worst:?}", pair.0, pair.1);
    }
    let wrong: Vec<&String> = cells().filter_map(|seen| seen.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{} cells: {wrong:#?}", wrong.len());
    assert_eq!(cells().count(), pairs.len() * kinds().len());
}
