//! How fast a message gets through, and what that costs, each number beside a floor measured in the same run.
//!
//! `cargo bench --bench relay`. The real binary as it is shipped, durability on; the Bot API and the agent are
//! stand-ins on this machine. The agent is this very program under the name `claude`: it answers at once and
//! says in its answer when it started and when it wrote the result.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use telecoder::claude::stream;
use telecoder::demo::bot_api::{BotApi, Call};
use telecoder::domain::id::{ChatId, UserId};
use telecoder::domain::progress::Progress;

#[path = "../tests/it/support/model.rs"]
mod model;

const CHATS: u64 = 50;
const PROMPTS_EACH: usize = 4;
const TOOL_LINES: usize = 20_000;
const PATIENCE: Duration = Duration::from_secs(60);
/// Topics of one group that are at work at once.
const TOPICS: i64 = 40;
const GROUP: ChatId = ChatId(-100_500);
/// A prompt that the agent works on for so long, with a line each second.
const TEN_SECONDS: &str = "ten seconds";

fn main() {
    let name = std::env::args_os().next().unwrap_or_default();
    if Path::new(&name)
        .file_name()
        .is_some_and(|name| name == "claude")
    {
        agent::main();
        return;
    }
    let bench = Bench::new();
    println!("telecoder relay, release build, {} cores\n", cores());
    println!("{:<46} {:>12} {:>12}  reach", "", "measured", "floor");
    bench.start();
    bench.one_by_one();
    bench.large_workspace();
    bench.warm();
    bench.real();
    bench.all_at_once();
    bench.tool_lines();
    bench.long_things();
    bench.calls_a_prompt();
    bench.busy_topics();
    bench.stop();
}

fn row(what: &str, measured: impl AsRef<str>, floor: impl AsRef<str>, reach: &str) {
    println!(
        "{what:<46} {:>12} {:>12}  {reach}",
        measured.as_ref(),
        floor.as_ref()
    );
}

/// A machine with a Bot API, an agent, and room for data folders.
struct Bench {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    api: BotApi,
    agent: PathBuf,
    /// What the clock said when the Bot API's clock said that.
    clocks: (SystemTime, Instant),
}

/// The files of a large workspace, and how often its prompts are measured.
const LARGE: usize = 20_000;
const LARGE_ROUNDS: usize = 12;

struct Bot(Child);

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let agent = folder.path().join("claude");
        std::fs::hard_link(std::env::current_exe().expect("this program"), &agent)
            .or_else(|_| std::fs::copy(std::env::current_exe()?, &agent).map(|_| ()))
            .expect("the agent's file");
        let api = runtime
            .block_on(BotApi::start("1:bench", "bench_bot"))
            .expect("a Bot API");
        Bench {
            runtime,
            folder,
            api,
            agent,
            clocks: (SystemTime::now(), Instant::now()),
        }
    }

    /// Each prompt starts an agent.
    fn bot(&self, data: &str) -> Bot {
        self.bot_with(data, "none")
    }

    fn bot_with(&self, data: &str, warm: &str) -> Bot {
        self.bot_of(data, warm, &self.agent, &[])
    }

    fn bot_of(&self, data: &str, warm: &str, agent: &Path, more: &[(&str, String)]) -> Bot {
        let users: Vec<String> = (1..=CHATS).map(|user| user.to_string()).collect();
        let environment: BTreeMap<&str, String> = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", self.folder.path().display().to_string()),
            ("TELEGRAM_BOT_TOKEN", "1:bench".into()),
            ("TELEGRAM_API_URL", self.api.url()),
            ("TELECODER_TG_ALLOWED_USERS", users.join(",")),
            (
                "TELECODER_DATA",
                self.folder.path().join(data).display().to_string(),
            ),
            ("TELECODER_RUNTIME", agent.display().to_string()),
            ("TELECODER_MAX_RUNS", CHATS.to_string()),
            ("TELECODER_WARM", warm.into()),
            ("IS_SANDBOX", "1".into()),
            ("RUST_LOG", "warn".into()),
        ]
        .into_iter()
        .collect();
        Bot(Command::new(env!("CARGO_BIN_EXE_telecoder"))
            .env_clear()
            .envs(environment)
            .envs(more.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .spawn()
            .expect("telecoder starts"))
    }

    /// Waits for something to be so at the Bot API.
    fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut changes = self.api.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "nothing happened for a minute");
            self.runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
            });
        }
    }

    fn polls(&self) -> u64 {
        self.api.polls()
    }

    fn at(&self, moment: Instant) -> SystemTime {
        self.clocks.0 + moment.duration_since(self.clocks.1)
    }

    fn answers(&self) -> Vec<Call> {
        self.api
            .calls()
            .into_iter()
            .filter(|call| call.method == "sendMessage" && text(call).starts_with("started "))
            .collect()
    }

    fn start(&self) {
        let mut starts = Vec::new();
        let mut floors = Vec::new();
        for _ in 0..15 {
            let polls = self.polls();
            let before = Instant::now();
            let bot = self.bot("start");
            self.until(|| (self.polls() > polls).then_some(()));
            starts.push(before.elapsed());
            drop(bot);

            let before = Instant::now();
            let _ = Command::new(env!("CARGO_BIN_EXE_telecoder"))
                .arg("--version")
                .stdout(Stdio::null())
                .status();
            floors.push(before.elapsed());
        }
        row(
            "start to first getUpdates",
            ms(median(&starts)),
            ms(median(&floors)),
            "<= 25 ms (floor: --version)",
        );
    }

    /// One prompt at a time: nothing waits for anything but the relay.
    fn one_by_one(&self) {
        let bot = self.bot("relay");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        std::thread::sleep(Duration::from_secs(1));
        row("memory, idle", memory(bot.0.id()), "", "<= 6 MB of PSS");

        // Each chat's first prompt makes its workspace; that is not what is measured.
        for chat in 1..=CHATS {
            self.ask(chat, "warm up");
        }
        self.until(|| (self.answers().len() == CHATS as usize).then_some(()));
        self.wait_until_quiet();

        let floor = self.floor();
        let send_floor = self.send_floor("relay");
        let (mut to_agent, mut to_chat) = (Vec::new(), Vec::new());
        for round in 0..PROMPTS_EACH - 1 {
            for chat in 1..=CHATS {
                let asked = SystemTime::now();
                self.ask(chat, &format!("round {round}"));
                let count = CHATS as usize + round * CHATS as usize + chat as usize;
                let answer = self.until(|| self.answers().get(count - 1).cloned());
                let times = Times::of(&answer);
                to_agent.push(times.started.duration_since(asked).unwrap_or_default());
                to_chat.push(
                    self.at(answer.at)
                        .duration_since(times.wrote)
                        .unwrap_or_default(),
                );
                self.wait_until_quiet();
            }
        }
        row(
            "update received to agent started, median",
            ms(median(&to_agent)),
            ms(median(&floor)),
            "<= 4 x floor (a commit, fork and exec)",
        );
        row(
            "update received to agent started, p99",
            ms(percentile(&to_agent, 99)),
            ms(median(&floor)),
            "<= 10 x floor",
        );
        row(
            "result written to sendMessage received, median",
            ms(median(&to_chat)),
            ms(median(&send_floor)),
            "<= 4 ms (floor: a commit, a POST)",
        );
        row(
            "memory, after 200 messages",
            memory(bot.0.id()),
            "",
            "<= 10 MB of PSS",
        );

        self.ask(1, "hang");
        let keeper = self.until(|| keeper_of(bot.0.id()));
        std::thread::sleep(Duration::from_millis(300));
        row("memory, a keeper", memory(keeper), "", "<= 1.5 MB of PSS");
        self.ask(1, "/stop");
        self.wait_until_quiet();

        self.send_album(1);
        let keeper = self.until(|| keeper_of(bot.0.id()));
        std::thread::sleep(Duration::from_secs(1));
        row(
            "memory, a keeper whose prompt has ten pictures",
            memory(keeper),
            "",
            "<= 8 MB of RSS (3.4 MB each)",
        );
        self.ask(1, "/stop");
        self.wait_until_quiet();
    }

    /// Ten pictures that do not get smaller by being packed, sent as files; the agent hangs on them.
    /// An agent starts as soon in a large repository as in an empty workspace; its prompt comes when what was before is
    /// kept.
    fn large_workspace(&self) {
        let bot = self.bot("large");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        let mut medians = Vec::new();
        for files in [0, LARGE] {
            let mut to_agent = Vec::new();
            let mut to_prompt = Vec::new();
            for round in 0..LARGE_ROUNDS {
                let before = self.answers().len();
                let asked = SystemTime::now();
                self.ask(1, &format!("{files} files, round {round}"));
                let answer = self.until(|| self.answers().get(before).cloned());
                self.wait_until_quiet_in("large");
                let times = Times::of(&answer);
                // The first one makes the workspace, or looks at it for the first time.
                if round > 0 {
                    to_agent.push(times.started.duration_since(asked).unwrap_or_default());
                    to_prompt.push(times.wrote.duration_since(asked).unwrap_or_default());
                }
            }
            medians.push((median(&to_agent), median(&to_prompt)));
            if files == 0 {
                self.fill_workspace("large");
            }
        }
        drop(bot);
        let [(empty, empty_prompt), (large, large_prompt)] = medians[..] else {
            unreachable!("two were measured");
        };
        row(
            "update received to agent started, 20,000 files",
            ms(large),
            ms(empty),
            "as in an empty workspace",
        );
        row(
            "update received to prompt read, 20,000 files",
            ms(large_prompt),
            ms(empty_prompt),
            "(floor: in an empty workspace)",
        );
    }

    fn fill_workspace(&self, data: &str) {
        let workspaces = self.folder.path().join(data).join("workspaces");
        let mut workspaces = std::fs::read_dir(workspaces).expect("a folder");
        let workspace = workspaces.next().expect("one").expect("a workspace").path();
        for number in 0..LARGE {
            let folder = workspace.join(format!("d{}", number / 100));
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join(format!("f{number}.txt")), format!("{number}\n"))
                .expect("a file");
        }
        let commit = [
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "all",
        ];
        for arguments in [&["add", "--all"][..], &commit] {
            let git = Command::new("git")
                .args(arguments)
                .current_dir(&workspace)
                .status();
            assert!(git.expect("git is there").success());
        }
    }

    fn send_album(&self, chat: u64) {
        let mut noise = 1_u32;
        for number in 0..10 {
            let picture = image::RgbImage::from_fn(1064, 1064, |_, _| {
                image::Rgb(std::array::from_fn(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (noise >> 24) as u8
                }))
            });
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture
                .write_to(&mut bytes, image::ImageFormat::Png)
                .expect("a picture");
            let path = format!("documents/{number}.png");
            let id = self.api.put_file(&path, bytes.into_inner());
            self.api.deliver_message(
                ChatId(chat as i64),
                UserId(chat),
                json!({"media_group_id": "album", "document": {"file_id": id, "file_unique_id": id,
                    "file_name": format!("{number}.png"), "mime_type": "image/png"}}),
            );
        }
    }

    /// The next prompt of a chat whose agent was kept.
    fn warm(&self) {
        let bot = self.bot_with("warm", "5m");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        let mut times = Vec::new();
        for round in 0..=100 {
            let count = self.answers().len();
            let asked = SystemTime::now();
            self.ask(1, &format!("warm {round}"));
            let answer = self.until(|| self.answers().get(count).cloned());
            let since = Times::of(&answer).wrote.duration_since(asked);
            times.push(since.unwrap_or_default());
            self.wait_until_quiet_in("warm");
        }
        let agents = std::fs::read_dir(self.folder.path().join("warm/runs"));
        assert_eq!(agents.expect("runs").count(), 1, "one agent");
        let first = times.remove(0);
        let floor = self.line_floor();
        row(
            "next prompt to a warm agent's first line, median",
            ms(median(&times)),
            ms(median(&floor)),
            "<= 3 ms (floor: a commit, a line in a pipe)",
        );
        row(
            "next prompt to a warm agent's first line, p99",
            ms(percentile(&times, 99)),
            ms(median(&floor)),
            "",
        );
        row("first prompt of that chat, cold", ms(first), "", "");
        drop(bot);
    }

    /// As [`Bench::warm`], with the real claude and a model of ours. Without `TELECODER_TEST_CLAUDE` it is left out.
    fn real(&self) {
        let Some(claude) = std::env::var_os("TELECODER_TEST_CLAUDE") else {
            return;
        };
        let environment = [
            ("ANTHROPIC_BASE_URL", self.runtime.block_on(model::start())),
            ("ANTHROPIC_API_KEY", "test-key".into()),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into()),
            ("DISABLE_AUTOUPDATER", "1".into()),
            ("DISABLE_TELEMETRY", "1".into()),
            ("DISABLE_ERROR_REPORTING", "1".into()),
        ];
        let [warm, cold] = ["5m", "none"].map(|warm| {
            let data = format!("real-{warm}");
            let bot = self.bot_of(&data, warm, Path::new(&claude), &environment);
            let polls = self.polls();
            self.until(|| (self.polls() > polls).then_some(()));
            let turns = || turns_begun(&self.folder.path().join(&data).join("runs"));
            let mut times = Vec::new();
            for round in 0..=10 {
                let before = turns();
                let asked = Instant::now();
                self.ask(1, &format!("real {round}"));
                while turns() == before {
                    assert!(asked.elapsed() < PATIENCE, "claude does not begin");
                    std::thread::sleep(Duration::from_millis(1));
                }
                times.push(asked.elapsed());
                self.wait_until_quiet_in(&data);
            }
            drop(bot);
            median(&times[1..])
        });
        row(
            "next prompt to the real claude's turn, warm",
            ms(warm),
            "",
            "<= 100 ms",
        );
        row(
            "next prompt to the real claude's turn, cold",
            ms(cold),
            "",
            "",
        );
    }

    /// 50 chats, 4 prompts each, an agent that answers at once.
    fn all_at_once(&self) {
        let floor = self.fork_floor();
        let bot = self.bot("crowd");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        let before_answers = self.answers().len();
        let before_cpu = cpu_ms(bot.0.id());
        let before = Instant::now();
        let total = CHATS as usize * PROMPTS_EACH;
        for number in 0..PROMPTS_EACH {
            for chat in 1..=CHATS {
                self.ask(chat, &format!("crowd {number}"));
            }
        }
        self.until(|| (self.answers().len() >= before_answers + total).then_some(()));
        let elapsed = before.elapsed();
        self.wait_until_quiet_in("crowd");
        std::thread::sleep(Duration::from_millis(200));
        let answers = self.answers().split_off(before_answers);
        let ours = cpu_ms(bot.0.id()) - before_cpu - self.agents_cpu_ms("crowd");

        assert_eq!(answers.len(), total, "none lost, none twice");
        for chat in 1..=CHATS {
            let order: Vec<String> = answers
                .iter()
                .filter(|answer| answer.arguments["chat_id"] == chat)
                .map(|answer| Times::of(answer).prompt)
                .collect();
            let expected: Vec<String> = (0..PROMPTS_EACH).map(|n| format!("crowd {n}")).collect();
            assert_eq!(order, expected, "in order within each chat");
        }
        row(
            "200 answers to 50 chats at once, wall",
            ms(elapsed),
            ms(floor),
            "<= 9 s (floor: 200 fork and exec)",
        );
        row(
            "200 answers to 50 chats at once, CPU",
            format!("{ours} ms"),
            "",
            "<= 1500 ms, keepers included",
        );
    }

    fn tool_lines(&self) {
        let lines = agent::tool_lines();
        let before = Instant::now();
        let mut progress = Progress::default();
        for line in &lines {
            stream::events(line.as_bytes(), &mut |event| progress.apply(&event));
        }
        let floor = before.elapsed();

        let bot = self.bot("tools");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        self.ask(1, "warm up");
        let count = self.answers().len();
        self.until(|| (self.answers().len() > count).then_some(()));
        self.wait_until_quiet_in("tools");
        let before_cpu = own_cpu_ms(bot.0.id());
        let count = self.answers().len();
        self.ask(1, "tools");
        let answer = self.until(|| self.answers().get(count).cloned());
        let after = self
            .at(answer.at)
            .duration_since(Times::of(&answer).wrote)
            .unwrap_or_default();
        self.wait_until_quiet_in("tools");
        row(
            "20,000 tool lines, CPU",
            format!("{} ms", own_cpu_ms(bot.0.id()) - before_cpu),
            ms(floor),
            "<= 500 ms (floor: parsing them)",
        );
        row(
            "20,000 tool lines, peak memory",
            mib(status(bot.0.id(), "VmHWM")),
            "",
            "<= 24 MB",
        );
        row(
            "20,000 tool lines, result to sendMessage",
            ms(after),
            "",
            "<= 50 ms",
        );
    }

    /// One line of 10 MB, and an answer of 5 MB: each is as much as the bot has to hold at once.
    fn long_things(&self) {
        for (prompt, what) in [
            ("long line", "a tool result of 10 MB, peak memory"),
            ("long answer", "an answer of 5 MB, peak memory"),
        ] {
            let bot = self.bot(prompt);
            let polls = self.polls();
            self.until(|| (self.polls() > polls).then_some(()));
            let sent = || {
                let calls = self.api.calls();
                calls
                    .iter()
                    .filter(|call| matches!(call.method.as_str(), "sendMessage" | "sendDocument"))
                    .count()
            };
            let before = sent();
            self.ask(1, prompt);
            self.until(|| (sent() > before).then_some(()));
            self.wait_until_quiet_in(prompt);
            row(what, mib(status(bot.0.id(), "VmHWM")), "", "<= 30 MB");
        }
    }

    /// What a prompt costs of what Telegram allows: a message a second in a private chat.
    fn calls_a_prompt(&self) {
        let bot = self.bot("calls");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        let answers = self.answers().len();
        self.ask(1, "warm up");
        self.wait_for_answers_in("calls", answers + 1);
        for (prompt, what, reach) in [
            (
                "quick",
                "calls for a quick answer",
                "<= 4 + 2 (messages, edits, reactions + typing)",
            ),
            (TEN_SECONDS, "calls for a run of 10 s", "<= 10 + 3"),
        ] {
            let before = self.calls_to_chats().len();
            let answers = self.answers().len();
            self.ask(1, prompt);
            self.wait_for_answers_in("calls", answers + 1);
            // The last edit and the last reaction come behind the answer.
            std::thread::sleep(Duration::from_secs(4));
            let calls = self.calls_to_chats().split_off(before);
            let typing = calls.iter().filter(|call| call.method == "sendChatAction");
            let typing = typing.count();
            let measured = format!("{} + {typing}", calls.len() - typing);
            row(what, measured, "1 + 0", reach);
        }
        drop(bot);
    }

    /// How long people in forty topics of one group, all asking at once, see nothing.
    fn busy_topics(&self) {
        let allowed = [("TELECODER_TG_ALLOWED_CHATS", GROUP.0.to_string())];
        let bot = self.bot_of("busy", "none", &self.agent, &allowed);
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        let mut asked = Vec::new();
        for topic in 1..=TOPICS {
            asked.push((topic + 1, Instant::now()));
            self.api.deliver_message(
                GROUP,
                UserId(1),
                json!({"text": format!("@bench_bot {TEN_SECONDS}"), "message_thread_id": topic + 1,
                    "is_topic_message": true,
                    "entities": [{"type": "mention", "offset": 0, "length": 10}]}),
            );
        }
        let sign = |topic: i64, since: Instant| {
            let calls = self.calls_to_chats();
            let first = calls.iter().find(|call| {
                call.at >= since
                    && call.arguments["chat_id"] == GROUP.0
                    && call.arguments["message_thread_id"] == topic
            });
            first.map(|call| call.at - since)
        };
        let waits: Vec<Duration> = self.until(|| {
            let waits = asked.iter().map(|(topic, since)| sign(*topic, *since));
            waits.collect()
        });
        drop(bot);
        let floor = self.send_floor("busy");
        row(
            "first sign, 40 topics that ask at once, median",
            ms(median(&waits)),
            ms(median(&floor)),
            "<= 1500 ms (floor: one at a time)",
        );
        let forty = floor.iter().take(waits.len()).sum();
        row(
            "first sign, 40 topics that ask at once, worst",
            ms(percentile(&waits, 100)),
            ms(forty),
            "<= 3000 ms (floor: forty of them)",
        );
    }

    /// All calls that Telegram counts.
    fn calls_to_chats(&self) -> Vec<Call> {
        let calls = self.api.calls().into_iter();
        calls
            .filter(|call| {
                ["send", "edit", "delete", "setMessage"]
                    .iter()
                    .any(|start| call.method.starts_with(start))
            })
            .collect()
    }

    fn wait_for_answers_in(&self, data: &str, count: usize) {
        self.until(|| (self.answers().len() >= count).then_some(()));
        self.wait_until_quiet_in(data);
    }

    /// From `/stop` to the message that says so.
    fn stop(&self) {
        let bot = self.bot("stop");
        let polls = self.polls();
        self.until(|| (self.polls() > polls).then_some(()));
        self.ask(1, "hang");
        self.until(|| keeper_of(bot.0.id()));
        std::thread::sleep(Duration::from_millis(500));
        let stopped = || {
            let calls = self.api.calls();
            calls
                .iter()
                .filter(|call| text(call).starts_with("Stopped after"))
                .count()
        };
        let earlier = stopped();
        let before = Instant::now();
        self.ask(1, "/stop");
        self.until(|| (stopped() > earlier).then_some(()));
        row(
            "/stop to the message that says so",
            ms(before.elapsed()),
            "",
            "<= 2000 ms (an agent that ignores all)",
        );
    }

    fn ask(&self, chat: u64, prompt: &str) {
        self.api.say(ChatId(chat as i64), UserId(chat), prompt);
    }

    fn wait_until_quiet(&self) {
        self.wait_until_quiet_in("relay");
    }

    fn wait_until_quiet_in(&self, data: &str) {
        let database = self.folder.path().join(data).join("telecoder.db");
        let deadline = Instant::now() + PATIENCE;
        while telecoder::store::left_to_do(&database).ok() != Some(0) {
            assert!(Instant::now() < deadline, "something is left to do");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// One durable commit, then fork and exec of the agent until it runs.
    fn floor(&self) -> Vec<Duration> {
        let db = database(&self.folder.path().join("floor.db"));
        (0..100)
            .map(|number| {
                let before = SystemTime::now();
                commit(&db, number);
                let started = agent::start_and_ask(&self.agent);
                started.duration_since(before).unwrap_or_default()
            })
            .collect()
    }

    /// One durable commit, then a line through a pipe to a process that sends it back.
    fn line_floor(&self) -> Vec<Duration> {
        let db = database(&self.folder.path().join("line-floor.db"));
        let mut cat = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cat starts");
        let mut to = cat.stdin.take().expect("stdin is piped");
        let mut from = std::io::BufReader::new(cat.stdout.take().expect("stdout is piped"));
        let times = (0..100)
            .map(|number| {
                let before = Instant::now();
                commit(&db, number);
                to.write_all(b"a line\n").expect("cat reads");
                from.read_line(&mut String::new()).expect("cat writes");
                before.elapsed()
            })
            .collect();
        drop(to);
        let _ = cat.wait();
        times
    }

    /// One durable commit, then one POST to the Bot API.
    fn send_floor(&self, data: &str) -> Vec<Duration> {
        let db = database(&self.folder.path().join(format!("{data}-floor.db")));
        let client = reqwest::Client::new();
        let url = format!("{}/bot1:bench/sendChatAction", self.api.url());
        (0..100)
            .map(|number| {
                let before = Instant::now();
                commit(&db, number);
                let sent = client
                    .post(&url)
                    .json(&json!({"chat_id": 0, "action": "typing"}))
                    .send();
                let _ = self.runtime.block_on(sent);
                before.elapsed()
            })
            .collect()
    }

    /// 200 agents, as many at a time as there are cores.
    fn fork_floor(&self) -> Duration {
        let before = Instant::now();
        let each = CHATS as usize * PROMPTS_EACH / cores();
        std::thread::scope(|scope| {
            for _ in 0..cores() {
                scope.spawn(|| {
                    for _ in 0..each {
                        agent::start_and_ask(&self.agent);
                    }
                });
            }
        });
        before.elapsed()
    }

    /// What the agents themselves took, from the keepers' word.
    fn agents_cpu_ms(&self, data: &str) -> u64 {
        let runs = self.folder.path().join(data).join("runs");
        std::fs::read_dir(runs)
            .expect("runs")
            .flatten()
            .filter_map(|run| std::fs::read(run.path().join("exit.json")).ok())
            .filter_map(|exit| serde_json::from_slice::<Value>(&exit).ok())
            .filter_map(|exit| exit["cpu_ms"].as_u64())
            .sum()
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What an answer says of its run.
struct Times {
    started: SystemTime,
    wrote: SystemTime,
    prompt: String,
}

impl Times {
    fn of(answer: &Call) -> Times {
        let text = text(answer).to_owned();
        let words: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').collect();
        let moment =
            |word: &str| UNIX_EPOCH + Duration::from_nanos(word.parse().expect("nanoseconds"));
        Times {
            started: moment(words[1]),
            wrote: moment(words[3]),
            prompt: words[5..].join(" "),
        }
    }
}

fn text(call: &Call) -> &str {
    call.arguments["text"].as_str().unwrap_or_default()
}

fn database(path: &Path) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(path).expect("a database");
    db.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    db.pragma_update(None, "synchronous", "FULL").expect("FULL");
    db.execute("CREATE TABLE t (x INTEGER, text TEXT) STRICT", [])
        .expect("a table");
    db
}

fn commit(db: &rusqlite::Connection, number: i64) {
    db.execute(
        "INSERT INTO t VALUES (?1, 'a message of ordinary length')",
        [number],
    )
    .expect("a commit");
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn median(times: &[Duration]) -> Duration {
    percentile(times, 50)
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn mib(kib: u64) -> String {
    format!("{:.1} MB", kib as f64 / 1024.0)
}

/// Of a process: PSS, in which pages that several share count once, and RSS.
fn memory(process: u32) -> String {
    let shares = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"));
    let shares = shares.unwrap_or_default();
    let pss = shares.lines().find_map(|line| {
        let number = line.strip_prefix("Pss:")?.split_whitespace().next()?;
        number.parse::<u64>().ok()
    });
    let (pss, rss) = (pss.unwrap_or(0), status(process, "VmRSS"));
    format!("{} of {}", mib(pss), mib(rss))
}

/// A field of `/proc/PID/status`, in KiB.
fn status(process: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(field)?
                .strip_prefix(':')?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

/// CPU of a process and of those of its children that have ended; ticks of 10 ms.
fn cpu_ms(process: u32) -> u64 {
    stat_ticks(process, 11..15) * 10
}

fn own_cpu_ms(process: u32) -> u64 {
    stat_ticks(process, 11..13) * 10
}

fn stat_ticks(process: u32, fields: std::ops::Range<usize>) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let all: Vec<&str> = after_name.split(' ').collect();
    all[fields]
        .iter()
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}

/// How many turns claude has begun, by the records of its runs.
fn turns_begun(runs: &Path) -> usize {
    let records = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let events = records
        .filter_map(|record| std::fs::read_to_string(record.path().join("events.jsonl")).ok());
    events
        .map(|events| events.matches(r#""subtype":"init""#).count())
        .sum()
}

/// A keeper among the bot's children; others are git and such.
fn keeper_of(bot: u32) -> Option<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{bot}/task")).ok()?;
    let children = tasks
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let mut children: Vec<u32> = children
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|child| child.parse().ok())
        .collect();
    children.retain(|child| {
        let words = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        words.any(|word| word == b"keep")
    });
    children.first().copied()
}

/// The agent: answers at once, or hangs (on pictures too), or makes many tool calls.
mod agent {
    use super::*;

    pub fn main() {
        let started = nanos();
        let mut out = std::io::stdout().lock();
        match std::env::args().nth(1).as_deref() {
            Some("--started") => {
                let _ = writeln!(out, "{started}");
                return;
            }
            Some("--version") => {
                let _ = writeln!(out, "2.1.332 (bench)");
                return;
            }
            Some("auth") => {
                let _ = writeln!(out, "{}", json!({"loggedIn": true}));
                return;
            }
            _ => {}
        }
        let arguments: Vec<String> = std::env::args().collect();
        let session = arguments
            .iter()
            .position(|argument| argument == "--session-id" || argument == "--resume")
            .and_then(|at| arguments.get(at + 1))
            .cloned()
            .unwrap_or_default();
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let mut line: Value = serde_json::from_str(&line).expect("JSON");
            if line["request"]["subtype"] == "initialize" {
                continue;
            }
            if line["type"] != "user" {
                return;
            }
            line["isReplay"] = json!(true);
            let content = &line["message"]["content"];
            let prompt = content.as_str().unwrap_or_default();
            if prompt == "hang" || content.is_array() {
                loop {
                    std::thread::sleep(Duration::from_secs(3600));
                }
            }
            let mut text =
                json!({"type": "system", "subtype": "init", "session_id": session, "model": "m",
                    "permissionMode": "bypassPermissions"})
                .to_string();
            // It says that it has read it, as claude does.
            text.push_str(&format!("\n{line}\n"));
            if prompt == "tools" {
                for line in tool_lines() {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
            if prompt.contains(TEN_SECONDS) {
                let _ = out.write_all(text.as_bytes());
                text.clear();
                for line in tool_lines().into_iter().take(10) {
                    std::thread::sleep(Duration::from_secs(1));
                    let _ = out.write_all(format!("{line}\n").as_bytes());
                }
            }
            if prompt == "long line" {
                text.push_str(&long_line());
                text.push('\n');
            }
            let _ = out.write_all(text.as_bytes());
            let mut answer = format!("started {started} wrote {} prompt {prompt}", nanos());
            if prompt == "long answer" {
                answer.push_str(
                    &"\n\nA paragraph with **bold** words and `code`.".repeat(5_000_000 / 44),
                );
            }
            let result = json!({"type": "result", "subtype": "success", "is_error": false, "result": answer,
                "total_cost_usd": 0.0, "session_id": session});
            let idle =
                json!({"type": "system", "subtype": "session_state_changed", "state": "idle"});
            let _ = out.write_all(format!("{result}\n{idle}\n").as_bytes());
        }
    }

    fn long_line() -> String {
        json!({"type": "user", "parent_tool_use_id": null, "message": {"role": "user", "content":
            [{"type": "tool_result", "tool_use_id": "t", "content": "x".repeat(10_000_000)}]}})
        .to_string()
    }

    pub fn tool_lines() -> Vec<String> {
        (0..TOOL_LINES / 2)
            .flat_map(|number| {
                let id = format!("toolu_{number}");
                [
                    json!({"type": "assistant", "parent_tool_use_id": null, "message": {"role": "assistant",
                        "content": [{"type": "tool_use", "id": id, "name": "Bash",
                            "input": {"command": format!("grep -rn thing src/{number}"), "description": "Look"}}]}}),
                    json!({"type": "user", "parent_tool_use_id": null, "message": {"role": "user", "content":
                        [{"type": "tool_result", "tool_use_id": id, "is_error": false,
                            "content": "src/lib.rs:12: a thing\nsrc/main.rs:7: another thing"}]}}),
                ]
            })
            .map(|line| line.to_string())
            .collect()
    }

    /// Starts one that only says when it started.
    pub fn start_and_ask(agent: &Path) -> SystemTime {
        let mut child = Command::new(agent)
            .arg0(agent)
            .arg("--started")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the agent starts");
        let mut said = String::new();
        let _ = child
            .stdout
            .take()
            .expect("stdout is piped")
            .read_to_string(&mut said);
        let _ = child.wait();
        UNIX_EPOCH + Duration::from_nanos(said.trim().parse().expect("nanoseconds"))
    }

    fn nanos() -> u128 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos())
    }
}
