//! Nothing is lost by kills at random moments, again and again: of the bot, keepers, agents, and all together.
//!
//! `TELECODER_TORTURE=500` makes it that many rounds, `TELECODER_TORTURE_SEED=n` repeats one that failed, and
//! `-- --nocapture` shows the figures. What counts as right is in [`Torture::judge`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, BOT, Bot, CHAT, GRACE, Machine, TEAM, processes};

const GRACES_CHAT: ChatId = ChatId(8);
const CHATS: [(ChatId, UserId); 3] = [(CHAT, ADA), (GRACES_CHAT, GRACE), (TEAM, ADA)];
const ROUNDS: usize = 15;

/// What a run that did not end well may be told as.
const REASONS: [&str; 6] = [
    "The run was lost",
    "Claude ended without an answer",
    "Claude could not finish",
    "Claude could not be started",
    "Claude does not have this conversation any more",
    "Stopped after",
];

/// Numbers that look random and come again with the same seed. (xorshift64*)
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn wait_up_to(&mut self, milliseconds: u64) {
        std::thread::sleep(Duration::from_millis(self.roll(milliseconds)));
    }
}

/// Whether a text is what `/status` or `/logs` says.
fn is_reply(text: &str) -> bool {
    [
        "Session ",
        "No session yet",
        "Nothing has run",
        "The run ",
        "The last ",
        "The record of the last run",
    ]
    .iter()
    .any(|start| text.starts_with(start))
        && !text.starts_with("The run was lost")
}

/// A prompt that was sent, and what answers it.
struct Sent {
    chat: ChatId,
    message: i32,
    text: String,
    answer: String,
}

#[derive(Debug, Default)]
struct Figures {
    rounds: usize,
    prompts: usize,
    answered: usize,
    told_why_not: usize,
    bot_kills: usize,
    keeper_kills: usize,
    agent_kills: usize,
    stop_presses: usize,
    answers_given: usize,
    in_background: usize,
    begun_by_claude: usize,
    begun_warm: usize,
    resume_presses: usize,
    repeats: usize,
    asked_about: usize,
}

struct Torture {
    machine: Machine,
    bot: Option<Bot>,
    dice: Dice,
    sent: Vec<Sent>,
    commands: BTreeMap<i64, usize>,
    figures: Figures,
}

#[test]
fn killed_at_random_moments_it_runs_everything_once_and_answers_everything() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let rounds = number("TELECODER_TORTURE").map_or(ROUNDS, |rounds| rounds as usize);
    let seed = number("TELECODER_TORTURE_SEED").unwrap_or_else(|| {
        let now = jiff::Timestamp::now().as_nanosecond() as u64;
        now | 1
    });
    println!("TELECODER_TORTURE_SEED={seed}");
    let started = Instant::now();
    let mut torture = Torture::start(seed);
    for round in 0..rounds {
        torture.round();
        torture.judge(round, seed);
    }
    println!("{:#?}\nin {:.0?}", torture.figures, started.elapsed());
}

impl Torture {
    fn start(seed: u64) -> Torture {
        let machine = Machine::new()
            .with(
                "TELECODER_TG_ALLOWED_USERS",
                format!("{},{}", ADA.0, GRACE.0),
            )
            .with("TELECODER_WARM", "2s")
            .with("TELECODER_PERMISSION_MODE", "default")
            .with("TELECODER_MAX_RUNS", "2")
            .with("TELECODER_KEEP_RUNS", "all");
        let bot = Some(machine.start());
        Torture {
            machine,
            bot,
            dice: Dice(seed),
            sent: Vec::new(),
            commands: BTreeMap::new(),
            figures: Figures::default(),
        }
    }

    /// People write, things are killed, and in the end everybody is left in peace.
    fn round(&mut self) {
        self.figures.rounds += 1;
        for (chat, user) in CHATS {
            for _ in 0..=self.dice.roll(3) {
                self.write(chat, user);
            }
        }
        for _ in 0..=self.dice.roll(3) {
            // Some at once, some while runs go on.
            let most = [10, 60, 600][self.dice.roll(3) as usize];
            self.dice.wait_up_to(most);
            match self.dice.roll(10) {
                0..=3 => self.kill_the_bot(),
                4 => self.kill_keepers(),
                5 => self.kill_agents(),
                6 => {
                    self.kill_agents();
                    self.kill_keepers();
                    self.kill_the_bot();
                }
                7 => self.press_resume(),
                _ => self.press_stop(),
            }
            self.dice.wait_up_to(200);
            self.let_the_bot_be();
            if self.dice.roll(2) == 0 {
                // Perhaps to a claude that has just become idle.
                self.dice.wait_up_to(1_500);
                let (chat, user) = CHATS[self.dice.roll(3) as usize];
                self.write(chat, user);
            }
        }
        self.answer_until_quiet();
    }

    /// Allows whatever claude asks, until nothing is left to do.
    fn answer_until_quiet(&mut self) {
        let mut pressed = BTreeSet::new();
        let machine = &self.machine;
        machine.until("everything is answered and done", || {
            let open = machine.bot_messages().into_iter().filter_map(|message| {
                let allow = message
                    .buttons
                    .iter()
                    .find(|(label, _)| label == "Allow once");
                Some((allow?.1.clone(), message))
            });
            for (data, question) in open {
                if pressed.insert(data.clone()) {
                    machine.api.press(ADA, &question, &data);
                }
            }
            machine.is_quiet().then_some(())
        });
        self.figures.answers_given += pressed.len();
    }

    fn write(&mut self, chat: ChatId, user: UserId) {
        if self.dice.roll(5) == 0 {
            let command = ["/status", "/logs"][self.dice.roll(2) as usize];
            *self.commands.entry(chat.0).or_default() += 1;
            self.machine
                .api
                .say(chat, user, &format!("{command}@{BOT}"));
            return;
        }
        let number = self.sent.len();
        // Some long enough for a live message with its button.
        let longest = [300, 900, 2_500][self.dice.roll(3) as usize];
        let pause = self.dice.roll(longest);
        let (text, answer) = match self.dice.roll(8) {
            0 | 1 => (
                format!("quick {number}"),
                format!("You said: quick {number}"),
            ),
            2 => (
                format!("[[sleep: {pause}]] [[say: slow {number}]]"),
                format!("slow {number}"),
            ),
            3 => (
                format!(
                    "[[bash: setsid nohup sleep 40 >/dev/null 2>&1 & sleep {}.{:03}]] [[say: work {number}]]",
                    pause / 1000,
                    pause % 1000
                ),
                format!("work {number}"),
            ),
            4 => (
                format!("[[ask: Bash {{\"command\":\"rm {number}\"}}]] [[say: asked {number}]]"),
                format!("asked {number}"),
            ),
            5 => {
                self.figures.in_background += 1;
                (
                    format!("[[background: {pause} by itself {number}]] [[say: begun {number}]]"),
                    format!("begun {number}"),
                )
            }
            _ => {
                // The answer is longer than a message can be; the prompt is not, so it is complete by itself.
                let line = "a line of an answer that is long ".repeat(3);
                (
                    format!("[[repeat: 60 long {number} {line}]]"),
                    format!("long {number} "),
                )
            }
        };
        let message = if chat.is_group() {
            let mention = json!([{"type": "mention", "offset": 0, "length": BOT.len() + 1}]);
            let addressed = format!("@{BOT} {text}");
            self.machine.api.deliver_message(
                chat,
                user,
                json!({"text": addressed, "entities": mention}),
            )
        } else {
            self.machine.api.say(chat, user, &text)
        };
        self.figures.prompts += 1;
        self.sent.push(Sent {
            chat,
            message,
            text,
            answer,
        });
    }

    fn kill_the_bot(&mut self) {
        if let Some(bot) = self.bot.take() {
            bot.kill();
            self.figures.bot_kills += 1;
        }
    }

    fn kill_keepers(&mut self) {
        for keeper in processes::keepers_of(self.machine.folder.path()) {
            processes::signal(keeper, Signal::KILL);
            self.figures.keeper_kills += 1;
        }
    }

    /// claude itself: what it started is its keeper's to end.
    fn kill_agents(&mut self) {
        for keeper in processes::keepers_of(self.machine.folder.path()) {
            let agents = processes::descendants_of(keeper);
            if let Some(agent) = agents
                .into_iter()
                .find(|process| processes::name_of(*process) == "fake-claude")
            {
                processes::signal(agent, Signal::KILL);
                self.figures.agent_kills += 1;
            }
        }
    }

    fn press_stop(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(1_500);
        while Instant::now() < deadline {
            let live = self
                .machine
                .bot_messages()
                .into_iter()
                .rev()
                .find(|live| live.text.starts_with("Working · ") && !live.buttons.is_empty());
            if let Some(live) = live {
                self.figures.stop_presses += 1;
                self.machine.ada_presses(&live);
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// "Go on" or "Run it again" below a lost run, perhaps one that was pressed before.
    fn press_resume(&mut self) {
        let lost: Vec<Posted> = self
            .machine
            .bot_messages()
            .into_iter()
            .filter(|message| {
                message.text.starts_with("The run was lost") && !message.buttons.is_empty()
            })
            .collect();
        if !lost.is_empty() {
            let lost = &lost[self.dice.roll(lost.len() as u64) as usize];
            self.figures.resume_presses += 1;
            self.machine.api.press(ADA, lost, &lost.buttons[0].1);
        }
    }

    fn let_the_bot_be(&mut self) {
        if self.bot.is_none() {
            self.bot = Some(self.machine.start_without_waiting());
        }
    }

    /// What must be true when everybody was left in peace for a moment.
    fn judge(&mut self, round: usize, seed: u64) {
        let messages = self.machine.bot_messages();
        let times = self.machine.times_run();
        let here = format!("round {round}, TELECODER_TORTURE_SEED={seed}");
        let log = self.bot.as_ref().map(Bot::log).unwrap_or_default();
        let (mut answered, mut told) = (0, 0);
        let parked =
            "SELECT chat_id FROM outbox WHERE state = 'parked' AND parked_for = 'unconfirmed'";
        let mut parked = self.machine.rows(parked);
        let together = self.together();
        for sent in &self.sent {
            let ran = times.get(&sent.text).copied().unwrap_or(0);
            assert!(ran <= 1, "{here}: {:?} ran {ran} times\n{log}", sent.text);
            let of_run = &together[&(sent.chat.0, sent.message)];
            let to_run = |message: &&Posted| {
                message.chat == sent.chat.0
                    && message.reply_to.is_some_and(|to| of_run.contains(&to))
            };
            let of_all: Vec<&Posted> = messages.iter().filter(to_run).collect();
            let replies: Vec<&Posted> = of_all
                .iter()
                .copied()
                .filter(|message| message.reply_to == Some(sent.message.into()))
                .collect();
            let is_answer = |message: &&Posted| message.text.starts_with(&sent.answer);
            let is_reason = |message: &&Posted| {
                REASONS
                    .iter()
                    .any(|reason| message.text.starts_with(reason))
            };
            let answers = replies.iter().copied().filter(is_answer).count();
            let reasons = replies.iter().copied().filter(is_reason).count();
            // What claude takes up together has one answer. A message is parked when two kills in a row met it on its
            // way; its chat can ask for it.
            let is_told = answers + reasons > 0 || (ran == 1 && !of_all.is_empty());
            let of_chat = parked.iter().position(|chat| *chat == sent.chat.0);
            if let Some(row) = of_chat.filter(|_| !is_told) {
                parked.remove(row);
                continue;
            }
            assert!(
                is_told,
                "{here}: nobody was told of {:?}, which ran {ran} times: {of_all:#?}\n{log}",
                sent.text
            );
            assert!(
                answers == 0 || ran == 1,
                "{here}: {:?} was answered and did not run",
                sent.text
            );
            assert!(answers <= 2, "{here}: {answers} answers to {:?}", sent.text);
            answered += usize::from(answers > 0);
            told += usize::from(answers == 0);
        }
        self.figures.answered = answered;
        self.figures.told_why_not = told;
        let by_itself = messages
            .iter()
            .filter(|message| message.text.starts_with("by itself "));
        let mut by_claude: BTreeMap<&str, usize> = BTreeMap::new();
        for message in by_itself {
            *by_claude.entry(&message.text).or_default() += 1;
        }
        assert!(
            by_claude.values().all(|times| *times <= 2),
            "{here}: {by_claude:?}"
        );
        self.figures.begun_by_claude = by_claude.len();
        let warm = "SELECT count(*) FROM runs r WHERE process_id IS NOT NULL
                    AND EXISTS (SELECT 1 FROM prompts p WHERE p.run_id = r.id)";
        self.figures.begun_warm = self.machine.rows(warm)[0] as usize;
        self.order_is_kept(&messages, &here);
        self.repeats_are_few(&messages, &here);
        self.nothing_is_left(&here);
    }

    /// For each message that was sent: all messages that became part of the same run.
    fn together(&self) -> BTreeMap<(i64, i32), Vec<i64>> {
        let database = self.machine.database();
        let mut runs = database
            .prepare(
                "SELECT r.chat_id, p.message_id, p.run_id FROM prompts p JOIN runs r ON r.id = p.run_id
                 WHERE p.message_id IS NOT NULL",
            )
            .expect("a query");
        let rows = runs.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let rows: Vec<(i64, i32, String)> = rows
            .expect("rows")
            .collect::<rusqlite::Result<_>>()
            .expect("rows that can be read");
        rows.iter()
            .map(|(chat, message, run)| {
                let same = rows.iter().filter(|(_, _, other)| other == run);
                let messages = same.map(|(_, message, _)| i64::from(*message)).collect();
                ((*chat, *message), messages)
            })
            .collect()
    }

    /// The answers of a chat come in the order of its prompts. (What came of a stop goes first.)
    fn order_is_kept(&self, messages: &[Posted], here: &str) {
        for (chat, _) in CHATS {
            let mut last = 0;
            let mut seen = Vec::new();
            for message in messages {
                let Some(prompt) = message.reply_to.filter(|_| message.chat == chat.0) else {
                    continue;
                };
                if message.text.starts_with("Stopped after") || seen.contains(&prompt) {
                    continue;
                }
                seen.push(prompt);
                assert!(prompt > last, "{here}: {prompt} after {last} in {}", chat.0);
                last = prompt;
            }
        }
    }

    /// Repeats are counted, by the bot too, and there are no more than moments in which one can happen: one
    /// send in each chat that was under way when the bot was killed.
    fn repeats_are_few(&mut self, messages: &[Posted], here: &str) {
        let mut copies: BTreeMap<(i64, Option<i64>, &str), usize> = BTreeMap::new();
        for message in messages.iter().filter(|message| message.reply_to.is_some()) {
            *copies
                .entry((message.chat, message.reply_to, &message.text))
                .or_default() += 1;
        }
        for ((chat, _, text), count) in &copies {
            assert!(*count <= 2, "{here}: {count} copies in {chat} of {text:?}");
        }
        self.figures.repeats = copies.values().map(|count| count - 1).sum();
        assert!(
            self.figures.repeats <= self.figures.bot_kills * CHATS.len(),
            "{here}: {} repeats",
            self.figures.repeats
        );
        let counted = self.machine.rows("SELECT sum(repeats) FROM outbox")[0];
        assert!(
            counted >= self.figures.repeats as i64,
            "{here}: {counted} counted"
        );
        self.figures.asked_about = messages
            .iter()
            .filter(|message| message.text.contains("Telegram confirmed it neither time"))
            .count();
        for (chat, commands) in &self.commands {
            let replies = messages
                .iter()
                .filter(|message| message.chat == *chat && is_reply(&message.text))
                .count();
            assert!(
                replies >= *commands,
                "{here}: {replies} of {commands} replies"
            );
        }
    }

    fn nothing_is_left(&self, here: &str) {
        self.machine.until("what was warm has left", || {
            // In this order: one that leaves can begin a run by itself before.
            let nobody_lives = self.machine.rows("SELECT count(*) FROM processes") == [0];
            (nobody_lives && self.machine.is_quiet()).then_some(())
        });
        let left = |query: &str| self.machine.rows(query)[0];
        for query in [
            "SELECT count(*) FROM updates WHERE state <> 'done'",
            "SELECT count(*) FROM runs WHERE state <> 'ended'",
            "SELECT count(*) FROM outbox WHERE state IN ('due', 'sending')",
        ] {
            assert_eq!(left(query), 0, "{here}: {query}");
        }
        let marked = processes::with_variable("TELECODER_RUN=", self.machine.folder.path());
        assert_eq!(marked, [0; 0], "{here}: processes are left");
    }
}
