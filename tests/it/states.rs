//! Whatever a claude is doing, and whatever happens to it: its chat is told, nothing runs twice, nobody is left, and the
//! chat can be written in again.
//!
//! Each test is one event that comes to five chats at once, whose claudes are in five states.

use rustix::process::Signal;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{Bot, Machine, processes};

/// What a chat's claude is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A tool.
    Working,
    /// It waits for an answer.
    Asking,
    /// Nothing; something goes on in the background.
    Resting,
    /// Nothing; it is kept warm.
    Warm,
    /// It has not begun: its prompt waits for a place.
    Waiting,
}

use State::{Asking, Resting, Waiting, Warm, Working};

const STATES: [State; 5] = [Working, Asking, Resting, Warm, Waiting];

impl State {
    fn chat(self) -> ChatId {
        ChatId(7 + self as i64)
    }

    fn prompt(self) -> &'static str {
        match self {
            Working => {
                "[[bash: touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[say: worked]]"
            }
            Asking => "[[ask: Bash {\"command\":\"rm one\"}]]",
            Resting => "[[bash: echo a > one]] [[background: 600000 x]]",
            Warm => "[[say: warm]]",
            Waiting => "[[say: had its place]]",
        }
    }
}

struct Chats {
    machine: Machine,
    bot: Option<Bot>,
}

impl Chats {
    /// Every chat in its state.
    fn start() -> Chats {
        let machine = Machine::new()
            .with("TELECODER_TG_ALLOWED_USERS", "7,8,9,10,11")
            .with("TELECODER_PERMISSION_MODE", "default")
            .with("TELECODER_WARM_MAX", "5")
            .with("TELECODER_MAX_RUNS", "1");
        let bot = Some(machine.start());
        let chats = Chats { machine, bot };
        chats.say(Warm, Warm.prompt());
        chats.message(Warm, "warm");
        chats.machine.until_quiet();
        chats.say(Resting, Resting.prompt());
        chats.message(Resting, "still running in the background: the build");
        chats.machine.until_quiet();
        chats.say(Asking, Asking.prompt());
        chats.message(Asking, "rm one");
        chats.say(Working, Working.prompt());
        let begun = chats.machine.folder.path().join("home/begun");
        chats
            .machine
            .until("the tool runs", || begun.exists().then_some(()));
        chats.say(Waiting, Waiting.prompt());
        chats.message(Waiting, "The only place for runs is taken");
        chats
    }

    fn say(&self, state: State, text: &str) {
        let chat = state.chat();
        self.machine.api.say(chat, UserId(chat.0 as u64), text);
    }

    fn message(&self, state: State, part: &str) -> Posted {
        self.machine.until(&format!("{part:?} for {state:?}"), || {
            let messages = self.machine.bot_messages().into_iter();
            let mut of_chat = messages.filter(|message| message.chat == state.chat().0);
            of_chat.find(|message| message.text.contains(part))
        })
    }

    fn kill_the_bot(&mut self) {
        self.bot.take().expect("a bot").kill();
    }

    fn kill_keepers(&self) {
        for keeper in processes::keepers_of(self.machine.folder.path()) {
            processes::signal(keeper, Signal::KILL);
        }
    }

    fn kill_claudes(&self) {
        for keeper in processes::keepers_of(self.machine.folder.path()) {
            for process in processes::descendants_of(keeper) {
                if processes::name_of(process) == "fake-claude" {
                    processes::signal(process, Signal::KILL);
                }
            }
        }
    }

    fn start_the_bot(&mut self) {
        self.bot = Some(self.machine.start());
    }

    fn let_the_tool_end(&self) {
        std::fs::write(self.machine.folder.path().join("home/go-on"), "").expect("a file");
    }

    /// Somebody allows what claude asks for.
    fn allow(&self) {
        let question = self.message(Asking, "rm one");
        let allow = question
            .buttons
            .iter()
            .find(|(label, _)| label == "Allow once");
        let data = &allow.expect("a button").1;
        self.machine
            .api
            .press(UserId(Asking.chat().0 as u64), &question, data);
    }

    /// Each chat is told this, can be written in, and in the end nobody is left.
    fn end(self, told: [(State, &str); 5]) {
        for (state, part) in told {
            self.message(state, part);
        }
        for state in STATES {
            self.say(state, &format!("are you there, {state:?}?"));
            self.message(state, &format!("You said: are you there, {state:?}?"));
        }
        self.machine.until_quiet();
        let times = self.machine.times_run();
        for state in STATES {
            let ran = times.get(state.prompt()).copied().unwrap_or(0);
            assert!(ran <= 1, "{state:?} ran {ran} times");
        }
        for state in STATES {
            self.say(state, "/stop");
        }
        self.machine.until("nobody lives on", || {
            let living = self.machine.rows("SELECT count(*) FROM processes");
            (living == [0]).then_some(())
        });
        self.machine.until_quiet();
        let left = processes::with_variable("TELECODER_RUN=", self.machine.folder.path());
        assert_eq!(left, [0; 0], "processes are left");
    }
}

#[test]
fn a_killed_bot_goes_on_with_every_one_of_them() {
    let mut chats = Chats::start();
    chats.kill_the_bot();
    chats.start_the_bot();
    chats.allow();
    chats.let_the_tool_end();
    chats.say(Resting, "/status");
    chats.end([
        (Working, "worked"),
        (Asking, "\"behavior\":\"allow\""),
        (Resting, "In the background: the build; /stop ends it"),
        (Warm, "warm"),
        (Waiting, "had its place"),
    ]);
}

#[test]
fn a_restart_goes_on_with_every_one_of_them() {
    let mut chats = Chats::start();
    let bot = chats.bot.take().expect("a bot");
    assert!(bot.terminate().success());
    chats.start_the_bot();
    chats.allow();
    chats.let_the_tool_end();
    chats.say(Resting, "/status");
    chats.end([
        (Working, "worked"),
        (Asking, "\"behavior\":\"allow\""),
        (Resting, "In the background: the build; /stop ends it"),
        (Warm, "warm"),
        (Waiting, "had its place"),
    ]);
}

#[test]
fn when_their_keepers_are_killed_each_chat_is_told_what_it_lost() {
    let chats = Chats::start();
    chats.kill_keepers();
    chats.end([
        (Working, "The run was lost"),
        (Asking, "The run was lost"),
        (
            Resting,
            "Claude has ended, and with it what went on in the background: the build.",
        ),
        (Warm, "warm"),
        (Waiting, "had its place"),
    ]);
}

#[test]
fn when_claude_is_killed_each_chat_is_told_what_it_lost() {
    let chats = Chats::start();
    chats.kill_claudes();
    chats.end([
        (Working, "Claude ended without an answer"),
        (Asking, "Claude ended without an answer"),
        (
            Resting,
            "Claude has ended, and with it what went on in the background: the build.",
        ),
        (Warm, "warm"),
        (Waiting, "had its place"),
    ]);
}

#[test]
fn when_everything_is_killed_each_chat_is_told_what_it_lost() {
    let mut chats = Chats::start();
    chats.kill_the_bot();
    chats.kill_keepers();
    chats.kill_claudes();
    chats.start_the_bot();
    chats.end([
        (Working, "The run was lost"),
        (Asking, "The run was lost"),
        (
            Resting,
            "Claude has ended, and with it what went on in the background: the build.",
        ),
        (Warm, "warm"),
        (Waiting, "had its place"),
    ]);
}

#[test]
fn a_stop_ends_every_one_of_them_and_says_so() {
    let chats = Chats::start();
    for state in [Waiting, Working, Asking, Resting, Warm] {
        chats.say(state, "/stop");
        chats.machine.until_quiet_but_for_runs();
    }
    chats.end([
        (Working, "Stopped after"),
        (Asking, "Stopped after"),
        (Resting, "Ended in the background: the build."),
        (Warm, "Nothing is running"),
        (Waiting, "The waiting prompt was dropped and did not run."),
    ]);
}

#[test]
fn a_new_prompt_comes_to_every_one_of_them() {
    let chats = Chats::start();
    for state in STATES {
        chats.say(state, &format!("[[say: and this, {state:?}]]"));
        chats.machine.until_quiet_but_for_runs();
    }
    chats.allow();
    chats.let_the_tool_end();
    chats.message(Resting, "and this, Resting");
    chats.message(Warm, "and this, Warm");
    let same = "SELECT count(*) FROM runs WHERE process_id IS NOT NULL AND chat_id IN (9, 10)";
    assert_eq!(chats.machine.rows(same), [2], "in the claudes that lived");
    chats.end([
        (Working, "2 messages"),
        (Asking, "and this, Asking"),
        (Resting, "and this, Resting"),
        (Warm, "and this, Warm"),
        (Waiting, "and this, Waiting"),
    ]);
}

#[test]
fn a_usage_limit_keeps_what_every_one_of_them_is_asked() {
    let chats = Chats::start();
    chats.let_the_tool_end();
    chats.allow();
    chats.message(Working, "worked\n");
    chats.message(Asking, "\"behavior\":\"allow\"");
    chats.message(Waiting, "had its place");
    chats.machine.until_quiet();
    chats
        .machine
        .hit_limit("You've hit your session limit · resets in 3h");
    for state in STATES {
        chats.say(state, &format!("[[say: later, {state:?}]]"));
    }
    for state in STATES {
        chats.message(state, "A usage limit of claude's account is reached");
    }
    chats.machine.pass_limit();
    for state in STATES {
        let held = chats.message(state, "A usage limit of claude's account is reached");
        let now = held.buttons.iter().find(|(label, _)| label == "Try now");
        let data = &now.expect("a button").1;
        chats
            .machine
            .api
            .press(UserId(state.chat().0 as u64), &held, data);
    }
    chats.end(STATES.map(|state| match state {
        Working => (state, "later, Working"),
        Asking => (state, "later, Asking"),
        Resting => (state, "later, Resting"),
        Warm => (state, "later, Warm"),
        Waiting => (state, "later, Waiting"),
    }));
}
