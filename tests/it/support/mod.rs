//! A machine with telecoder on it, and the phones that write to it.

pub mod api;
pub mod browser;
pub mod chrome;
pub mod clock;
pub mod gateway;
pub mod git;
pub mod limits;
pub mod model;
pub mod processes;
pub mod questions;
pub mod replay;
pub mod shell;
pub mod socks;
pub mod terminal;
pub mod tls;
pub mod watching;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use telecoder::demo::bot_api::{Posted, Shown};
use telecoder::domain::id::{ChatId, UserId};

pub use api::{FakeApi, Fault};

/// The longest wait of a test, even on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const ADA: UserId = UserId(7);
pub const GRACE: UserId = UserId(8);
/// Ada's private chat with the bot.
pub const CHAT: ChatId = ChatId(7);
pub const TEAM: ChatId = ChatId(-100_500);
pub const TOKEN: &str = "42:Secret-Token_of-the-tests";
pub const BOT: &str = "test_coder_bot";

/// A machine: a data folder, a Bot API, a claude, and what the bot is started with.
pub struct Machine {
    pub folder: tempfile::TempDir,
    pub api: FakeApi,
    pub environment: BTreeMap<String, String>,
    pub runtime: tokio::runtime::Runtime,
}

/// A running bot. Killed when dropped.
pub struct Bot {
    pub process: Child,
    log: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Machine {
    /// Ada is on the allowlist, the Team is a group that may use the bot.
    pub fn new() -> Machine {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = tempfile::Builder::new()
            .prefix("telecoder-it-")
            .tempdir()
            .expect("a temporary folder");
        let api = runtime.block_on(FakeApi::start(TOKEN, BOT));
        let home = folder.path().join("home");
        std::fs::create_dir(&home).expect("a home");
        let environment = [
            ("HOME", home.display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TELEGRAM_BOT_TOKEN", TOKEN.into()),
            ("TELEGRAM_API_URL", api.url()),
            ("TELECODER_TG_ALLOWED_USERS", ADA.0.to_string()),
            ("TELECODER_TG_ALLOWED_CHATS", TEAM.0.to_string()),
            (
                "TELECODER_DATA",
                folder.path().join("data").display().to_string(),
            ),
            ("TELECODER_RUNTIME", fake_claude().display().to_string()),
            (
                "FAKE_CLAUDE_HOME",
                home.join("fake-claude").display().to_string(),
            ),
            // If the tests run as root, claude would refuse to bypass permissions.
            ("IS_SANDBOX", "1".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            // The startup files of whoever runs the tests are none of theirs.
            ("TELECODER_LOGIN_ENV", "false".into()),
        ];
        Machine {
            folder,
            api,
            environment: environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            runtime,
        }
    }

    /// One where every run starts a claude of its own.
    pub fn cold() -> Machine {
        Machine::new().with("TELECODER_WARM", "none")
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Machine {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Machine {
        self.environment.remove(name);
        self
    }

    pub fn data(&self) -> PathBuf {
        PathBuf::from(&self.environment["TELECODER_DATA"])
    }

    /// `telecoder` with these arguments on this machine.
    pub fn telecoder(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telecoder"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.folder.path());
        command
    }

    /// Starts the bot and waits until it polls.
    pub fn start(&self) -> Bot {
        let polls = self.api.polls();
        let bot = self.start_without_waiting();
        self.until("the bot polls", || (self.api.polls() > polls).then_some(()));
        bot
    }

    pub fn start_without_waiting(&self) -> Bot {
        self.start_as(self.telecoder(&["serve"]))
    }

    /// Starts a bot with these fail points in its binary (`FAILPOINTS`, crate `fail`).
    pub fn start_failing_at(&self, points: &str) -> Bot {
        let mut command = self.telecoder(&["serve"]);
        command.env("FAILPOINTS", points);
        self.start_as(command)
    }

    /// Starts a bot with this command and does not wait for anything.
    pub fn start_as(&self, mut command: Command) -> Bot {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // A program that was just copied is still open for writing in what another test forks at that moment.
        let mut process = self.until("telecoder starts", || match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => None,
            started => Some(started.expect("telecoder starts")),
        });
        let log = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let mut stderr = process.stderr.take().expect("stderr is piped");
        let to = std::sync::Arc::clone(&log);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut chunk) {
                to.lock()
                    .expect("the log is whole")
                    .push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        });
        Bot { process, log }
    }

    /// Runs a telecoder that is expected to end by itself; returns its exit code and stderr.
    pub fn run_to_its_end(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self
            .telecoder(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("telecoder starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    /// Ada writes in her private chat.
    pub fn ada_says(&self, text: &str) -> i32 {
        self.api.say(CHAT, ADA, text)
    }

    /// Sets `/queue on` in Ada's chat: each prompt is a run of its own.
    pub fn holds_messages_back(&self) {
        let bot = self.start();
        self.ada_says("/queue on");
        self.message_with("waits until it ends. /queue off");
        self.until_quiet();
        assert!(bot.terminate().success());
    }

    /// Waits for something; looks at each event of the Bot API, and now and then.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut changes = self.api.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look() {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "this did not happen: {what}\nThe chat shows:\n{}",
                self.transcript()
            );
            self.runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
            });
        }
    }

    /// The first message of the bot, as it stands now, that has `part` in it.
    pub fn message_with(&self, part: &str) -> Posted {
        self.until(&format!("a message with {part:?}"), || {
            self.bot_messages()
                .into_iter()
                .find(|message| message.text.contains(part))
        })
    }

    /// The `count`th message of the bot that has `part` in it, counted from one.
    pub fn nth_message_with(&self, part: &str, count: usize) -> Posted {
        self.until(&format!("{count} messages with {part:?}"), || {
            self.bot_messages()
                .into_iter()
                .filter(|message| message.text.contains(part))
                .nth(count - 1)
        })
    }

    /// Waits until a press on a button was answered with this.
    pub fn until_toast(&self, text: &str) {
        self.until(&format!("a button is answered with {text:?}"), || {
            let calls = self.api.calls();
            calls
                .iter()
                .any(|call| call.arguments["text"] == text)
                .then_some(())
        });
    }

    /// Ada presses the first button below a message.
    pub fn ada_presses(&self, message: &Posted) {
        self.api.press(ADA, message, &message.buttons[0].1);
    }

    pub fn bot_messages(&self) -> Vec<Posted> {
        self.api
            .messages()
            .into_iter()
            .filter(|message| message.by_bot)
            .collect()
    }

    /// Messages that made the phone ring.
    pub fn loud_messages(&self) -> Vec<Posted> {
        self.bot_messages()
            .into_iter()
            .filter(|message| !message.silent)
            .collect()
    }

    /// Waits until the bot has nothing left to do.
    pub fn until_quiet(&self) {
        self.until("everything is done", || self.is_quiet().then_some(()));
    }

    /// Whether the bot has nothing left to do.
    pub fn is_quiet(&self) -> bool {
        let database = self.data().join("telecoder.db");
        // In this order: what the bot has fetched is in its store by then.
        let is_fetched = self.api.unconfirmed() == 0;
        is_fetched && telecoder::store::left_to_do(&database).ok() == Some(0)
    }

    /// Waits until every message has had its effect; runs may wait or run.
    pub fn until_quiet_but_for_runs(&self) {
        self.until("every message has had its effect", || {
            let is_fetched = self.api.unconfirmed() == 0;
            let stored = self.rows("SELECT count(*) FROM updates WHERE state = 'stored'");
            (is_fetched && stored == [0]).then_some(())
        });
    }

    fn transcript(&self) -> String {
        self.api
            .shown(0)
            .into_iter()
            .map(|shown| match shown {
                Shown::New(message) => format!("  new  {:?}\n", message.text),
                Shown::Edited(message) => format!("  edit {:?}\n", message.text),
                Shown::Removed(message) => format!("  gone {:?}\n", message.text),
                Shown::Toast(text) => format!("  toast {text:?}\n"),
            })
            .collect()
    }

    /// Lets claude's account hit a usage limit, in these words.
    pub fn hit_limit(&self, words: &str) {
        let home = PathBuf::from(&self.environment["FAKE_CLAUDE_HOME"]);
        std::fs::create_dir_all(&home).expect("claude's home");
        std::fs::write(home.join("limit"), words).expect("a limit");
    }

    /// Lifts the limit.
    pub fn pass_limit(&self) {
        let home = PathBuf::from(&self.environment["FAKE_CLAUDE_HOME"]);
        std::fs::remove_file(home.join("limit")).expect("there was a limit");
    }

    /// How often each prompt began a run, by the fake claude's record.
    pub fn times_run(&self) -> BTreeMap<String, usize> {
        let ledger = PathBuf::from(&self.environment["FAKE_CLAUDE_HOME"]).join("ledger");
        let mut times = BTreeMap::new();
        for line in std::fs::read_to_string(ledger).unwrap_or_default().lines() {
            let prompt: String = serde_json::from_str(line).expect("a line of the ledger");
            *times.entry(prompt).or_default() += 1;
        }
        times
    }

    /// What claude was asked, as it came on its input: texts, and lists of blocks.
    pub fn claude_got(&self) -> Vec<serde_json::Value> {
        let inputs = PathBuf::from(&self.environment["FAKE_CLAUDE_HOME"]).join("inputs");
        let inputs = std::fs::read_to_string(inputs).unwrap_or_default();
        let read = |line| serde_json::from_str(line).expect("a line of the inputs");
        inputs.lines().map(read).collect()
    }

    /// The first column of a query's rows in the bot's database, while the bot runs.
    pub fn rows(&self, query: &str) -> Vec<i64> {
        let database = self.database();
        let mut statement = database.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a number")).collect()
    }

    /// The bot's database, opened while it runs.
    pub fn database(&self) -> rusqlite::Connection {
        let database = rusqlite::Connection::open(self.data().join("telecoder.db"))
            .expect("the database can be opened");
        database
            .busy_timeout(PATIENCE)
            .expect("it can be waited for");
        database
    }

    /// Waits until the log of a bot says this.
    pub fn until_log(&self, bot: &Bot, part: &str) {
        self.until(&format!("the log says {part:?}"), || {
            bot.log().contains(part).then_some(())
        });
    }

    /// Writes a script that stands in for a program, and returns its path.
    pub fn script(&self, name: &str, lines: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("its rights");
        path
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A failed test leaves no run behind.
        for keeper in processes::keepers_of(self.folder.path()) {
            processes::signal(keeper, Signal::TERM);
        }
        for keeper in processes::keepers_of(self.folder.path()) {
            processes::wait_until_gone(keeper, Duration::from_secs(5));
        }
        for process in processes::with_variable("TELECODER_RUN=", self.folder.path()) {
            processes::signal(process, Signal::KILL);
        }
    }
}

impl Bot {
    /// `kill -9`.
    pub fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        let _ = self.process.wait();
    }

    /// Waits until it has ended by itself.
    pub fn wait_for_its_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("it can be awaited") {
                return status;
            }
            assert!(Instant::now() < deadline, "it goes on: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGTERM, as systemd does it.
    pub fn terminate(mut self) -> ExitStatus {
        processes::signal(self.process.id(), Signal::TERM);
        self.process.wait().expect("it ends")
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("the log is whole").clone()
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A copy of telecoder's binary, made by another process: a program that is open for writing cannot be started, and a
/// process that another test starts just then would inherit the open file.
pub fn copy_of_telecoder(to: &Path) {
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_telecoder"))
        .arg(to)
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "a copy");
}

/// Built by cargo with the tests, as an example of this package; `cargo test --test it` alone does not.
pub fn fake_claude() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_telecoder"))
        .parent()
        .expect("the binary is in a folder")
        .join("examples/fake-claude");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_claude/main.rs");
    let changed = |path: &Path| {
        std::fs::metadata(path)
            .and_then(|file| file.modified())
            .ok()
    };
    assert!(
        changed(&path) >= changed(&source),
        "{} is missing or older than its source; `cargo build --example fake-claude` builds it, and so does \
         plain `cargo test`",
        path.display()
    );
    path
}

/// Skips a test because a program is missing. This is a failure if `TELECODER_TEST_ALL` is set.
pub fn without_program(program: &str, not_looked_at: &str) {
    assert!(
        std::env::var_os("TELECODER_TEST_ALL").is_none(),
        "{program} is missing, and TELECODER_TEST_ALL wants everything looked at"
    );
    say_not_looked_at(not_looked_at, &format!("there is no {program} here"));
}

/// Writes past the test runner, which shows nothing of a passing test.
pub fn say_not_looked_at(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "not looked at: {what}, because {why}");
}
