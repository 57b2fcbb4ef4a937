//! What the page costs: each number beside a floor measured in the same run.
//!
//! `cargo bench --bench web`. The real binary as it is shipped, with 100,000 runs in its store and a record of 20,000
//! steps; the Bot API and the agent are stand-ins on this machine. The agent is this very program under the name
//! `claude`: it works for as long as it is watched, with twenty lines a second.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use telecoder::config::PageAddress;
use telecoder::demo::bot_api::BotApi;
use telecoder::domain::id::{ChatId, UserId};
use telecoder::store::{self, page_keys};

const ADA: UserId = UserId(7);
const RUNS: u64 = 100_000;
const SESSIONS: u64 = 2_000;
const STEPS: usize = 20_000;
const READERS: usize = 100;
const ROUTINES: u32 = 1_000;
/// How long a run is watched.
const WATCHED: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
const LONG: &str = "00000000-0000-7000-8000-000000000000";

fn main() {
    let name = std::env::args_os().next().unwrap_or_default();
    if Path::new(&name)
        .file_name()
        .is_some_and(|name| name == "claude")
    {
        agent();
        return;
    }
    let bench = Bench::new();
    println!("telecoder page, release build\n");
    println!("{:<52} {:>12} {:>12}  reach", "", "measured", "floor");
    bench.pages();
    bench.readers();
    bench.routines();
}

fn row(what: &str, measured: impl AsRef<str>, floor: impl AsRef<str>, reach: &str) {
    println!(
        "{what:<52} {:>12} {:>12}  {reach}",
        measured.as_ref(),
        floor.as_ref()
    );
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

struct Bench {
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    api: BotApi,
    bot: Bot,
    address: SocketAddr,
    cookie: String,
}

struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What came back.
struct Answer {
    first_byte: Duration,
    whole: Duration,
    bytes: usize,
}

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let agent = folder.path().join("claude");
        let this = std::env::current_exe().expect("this program");
        std::fs::hard_link(&this, &agent)
            .or_else(|_| std::fs::copy(&this, &agent).map(|_| ()))
            .expect("the agent's file");
        let api = runtime
            .block_on(BotApi::start("1:bench", "bench_bot"))
            .expect("a Bot API");
        let data = folder.path().join("data");
        // The first start makes the store.
        drop(start(folder.path(), &api));
        fill(&data);
        let bot = start(folder.path(), &api);
        let database = data.join("telecoder.db");
        let db = store::open_beside(&database).expect("the store");
        let holder = page_keys::Holder {
            user: ADA,
            name: "Ada".to_owned(),
        };
        let login = page_keys::log_in(&db, &holder).expect("a login");
        let url = PageAddress::written_down(&data).expect("an address");
        let address = url
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        Bench {
            runtime,
            folder,
            api,
            bot,
            address,
            cookie: format!("telecoder={}", login.as_str()),
        }
    }

    fn pages(&self) {
        let floor = self.floor();
        let long = format!("/runs/{LONG}");
        let answer = self.best_of(5, &long);
        row(
            "a run of 20,000 steps: first byte",
            ms(answer.first_byte),
            ms(floor),
            "50 ms",
        );
        row("its whole first screen", ms(answer.whole), ms(floor), "");
        row(
            "its size",
            format!("{} KB", answer.bytes / 1024),
            "",
            "300 KB",
        );
        let session = "/sessions/s0000000";
        let filtered = "/?words=prompt+5&state=done";
        for path in ["/", filtered, "/now", session, "/health", "/people"] {
            let answer = self.best_of(5, path);
            row(
                &format!("{path} with 100,000 runs"),
                ms(answer.whole),
                ms(floor),
                "100 ms",
            );
        }
    }

    /// A hundred readers of a run that goes on.
    fn readers(&self) {
        self.api_says("watch");
        let database = self.folder.path().join("data/telecoder.db");
        let run = until("the run", || {
            let db = Connection::open(&database).ok()?;
            db.query_row("SELECT id FROM runs WHERE state = 'running'", [], |row| {
                row.get::<_, String>(0)
            })
            .ok()
        });
        std::thread::sleep(Duration::from_secs(2));
        let (alone_cpu, alone_memory) = (self.cpu_over(WATCHED), self.memory());
        let lines = Arc::new(AtomicU64::new(0));
        let path = format!("/runs/{run}/live?from=0");
        let readers: Vec<TcpStream> = (0..READERS)
            .map(|_| {
                let mut stream = TcpStream::connect(self.address).expect("somebody listens");
                write!(
                    stream,
                    "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
                    self.address, self.cookie
                )
                .expect("it is heard");
                let (reader, lines) = (stream.try_clone().expect("a clone"), Arc::clone(&lines));
                std::thread::spawn(move || {
                    for line in BufReader::new(reader).lines().map_while(Result::ok) {
                        lines.fetch_add(
                            u64::from(line.starts_with("event: item")),
                            Ordering::Relaxed,
                        );
                    }
                });
                stream
            })
            .collect();
        std::thread::sleep(Duration::from_secs(2));
        let before = lines.load(Ordering::Relaxed);
        let (watched_cpu, watched_memory) = (self.cpu_over(WATCHED), self.memory());
        let heard = lines.load(Ordering::Relaxed) - before;
        for reader in readers {
            let _ = reader.shutdown(std::net::Shutdown::Both);
        }
        self.api_says("/stop");
        std::thread::sleep(Duration::from_secs(2));
        let after_cpu = self.cpu_over(WATCHED);
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let mib = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        row(
            "100 readers of a run with 20 steps a second: CPU",
            percent(watched_cpu),
            percent(alone_cpu),
            "5 % more",
        );
        row(
            "memory",
            mib(watched_memory),
            mib(alone_memory),
            "8 MB more",
        );
        row(
            "steps that each of them got in 10 s",
            (heard / READERS as u64).to_string(),
            "200",
            "",
        );
        row(
            "CPU when nobody looks any more",
            percent(after_cpu),
            percent(alone_cpu),
            "",
        );
    }

    /// A thousand routines, of which none is due, beside none.
    fn routines(&self) {
        let (alone_cpu, alone_memory) = (self.cpu_over(WATCHED), self.memory());
        let mut db =
            Connection::open(self.folder.path().join("data/telecoder.db")).expect("the store");
        let all = db.transaction().expect("a transaction");
        let tomorrow = jiff::Timestamp::now().as_millisecond() + 24 * 60 * 60 * 1000;
        for number in 0..ROUTINES {
            all.execute(
                "INSERT INTO routines (id, chat_id, thread_id, user_id, moment, zone, prompt, fresh, missed, state,
                                       planned_at, due_at, made_at)
                 VALUES (?1, 7, 0, 7, '{\"cron\":\"0 9 * * *\"}', 'Europe/Berlin', '{\"pieces\":[]}', 0, 'once', 'kept',
                         ?2, ?2, 1)",
                rusqlite::params![format!("{number:08x}"), tomorrow + i64::from(number)],
            )
            .expect("a routine");
        }
        all.commit().expect("they are kept");
        std::thread::sleep(Duration::from_secs(6));
        let (cpu, memory) = (self.cpu_over(WATCHED), self.memory());
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let mib = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        row(
            "1,000 routines, none of them due: CPU",
            percent(cpu),
            percent(alone_cpu),
            "nothing more",
        );
        row("memory", mib(memory), mib(alone_memory), "nothing more");
    }

    /// A bare server that answers the same number of bytes.
    fn floor(&self) -> Duration {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request);
                let body = "x".repeat(100 * 1024);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\n{body}");
            }
        });
        let asked = (0..5).map(|_| ask(address, "/", "").whole);
        asked.min().unwrap_or_default()
    }

    fn best_of(&self, times: usize, path: &str) -> Answer {
        let answers = (0..times).map(|_| ask(self.address, path, &self.cookie));
        answers
            .min_by_key(|answer| answer.whole)
            .expect("an answer")
    }

    fn api_says(&self, text: &str) {
        let message = json!({"text": text});
        let chat = ChatId(7);
        self.runtime
            .block_on(async { self.api.deliver_message(chat, ADA, message) });
    }

    /// The share of one core that the bot takes. proc_pid_stat(5): `utime` and `stime`, in ticks.
    fn cpu_over(&self, time: Duration) -> f64 {
        let before = self.ticks();
        std::thread::sleep(time);
        let ticks = (self.ticks() - before) as f64;
        ticks / 100.0 / time.as_secs_f64()
    }

    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.bot.0.id()))
            .expect("its numbers");
        let (_, behind) = stat.rsplit_once(") ").expect("its name");
        let fields: Vec<&str> = behind.split(' ').collect();
        fields[11].parse::<u64>().unwrap_or(0) + fields[12].parse::<u64>().unwrap_or(0)
    }

    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.bot.0.id()))
            .expect("its numbers");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("its memory");
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<u64>()
            .unwrap_or(0)
            * 1024
    }
}

fn ask(address: SocketAddr, path: &str, cookie: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let begun = Instant::now();
    // In one piece: the floor's server reads once.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is heard");
    let mut all = vec![0; 1];
    stream.read_exact(&mut all).expect("it answers");
    let first_byte = begun.elapsed();
    stream.read_to_end(&mut all).expect("it answers");
    let whole = begun.elapsed();
    assert!(
        all.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&all)
    );
    Answer {
        first_byte,
        whole,
        bytes: all.len(),
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start(folder: &Path, api: &BotApi) -> Bot {
    let data = folder.join("data");
    let _ = std::fs::remove_file(data.join("page-address"));
    let environment: BTreeMap<&str, String> = [
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("HOME", folder.display().to_string()),
        ("TELEGRAM_BOT_TOKEN", "1:bench".into()),
        ("TELEGRAM_API_URL", api.url()),
        ("TELECODER_TG_ALLOWED_USERS", "7".into()),
        ("TELECODER_DATA", data.display().to_string()),
        (
            "TELECODER_RUNTIME",
            folder.join("claude").display().to_string(),
        ),
        ("TELECODER_WEB_ADDR", "127.0.0.1:0".into()),
        ("IS_SANDBOX", "1".into()),
        ("RUST_LOG", "warn".into()),
    ]
    .into_iter()
    .collect();
    let bot = Bot(Command::new(env!("CARGO_BIN_EXE_telecoder"))
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .spawn()
        .expect("telecoder starts"));
    until("the page", || PageAddress::written_down(&data));
    bot
}

/// Sessions, runs and prompts of years, and one long record.
fn fill(data: &Path) {
    let mut db = Connection::open(data.join("telecoder.db")).expect("the store");
    let all = db.transaction().expect("a transaction");
    for number in 0..SESSIONS {
        all.execute(
            "INSERT INTO sessions (id, chat_id, thread_id, source, workspace, branch, state, created_at)
             VALUES (?1, 7, 0, '\"empty\"', '/nowhere', 'main', 'ready', ?2)",
            rusqlite::params![format!("s{number:07}"), number],
        )
        .expect("a session");
    }
    for number in 0..RUNS {
        let id = match number {
            0 => LONG.to_owned(),
            _ => uuid::Uuid::from_u128(u128::from(number)).to_string(),
        };
        all.execute(
            "INSERT INTO runs (id, session_id, chat_id, thread_id, state, outcome, queued_at, started_at, ended_at, cost_usd)
             VALUES (?1, ?2, 7, 0, 'ended', 'completed', ?3, ?3, ?3 + 1000, 0.01)",
            rusqlite::params![id, format!("s{:07}", number % SESSIONS), 1_700_000_000_000_u64 + number],
        )
        .expect("a run");
        let prompt = uuid::Uuid::from_u128(u128::from(number) | 1 << 64).to_string();
        all.execute(
            "INSERT INTO prompts (id, run_id, text, created_at) VALUES (?1, ?2, ?3, 1)",
            rusqlite::params![prompt, id, format!("prompt {number}")],
        )
        .expect("a prompt");
    }
    all.commit().expect("they are kept");
    let folder: PathBuf = data.join("runs").join(LONG);
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut record = String::new();
    for number in 0..STEPS / 2 {
        for line in step(number) {
            record.push_str(&format!("{line}\n"));
        }
    }
    std::fs::write(folder.join("events.jsonl"), record).expect("a record");
}

/// A call and what came of it, as claude prints them.
fn step(number: usize) -> [Value; 2] {
    let id = format!("toolu_{number}");
    [
        json!({"type": "assistant", "parent_tool_use_id": null, "message": {"role": "assistant", "content": [
            {"type": "tool_use", "id": id, "name": "Bash",
             "input": {"command": format!("grep -rn thing src/{number}"), "description": "Look"}}]}}),
        json!({"type": "user", "parent_tool_use_id": null, "message": {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": id, "is_error": false,
             "content": "src/lib.rs:12: a thing\n".repeat(40)}]}}),
    ]
}

fn agent() {
    let mut out = std::io::stdout().lock();
    match std::env::args().nth(1).as_deref() {
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
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let mut line: Value = serde_json::from_str(&line).expect("JSON");
        if line["type"] != "user" {
            continue;
        }
        line["isReplay"] = json!(true);
        let init = json!({"type": "system", "subtype": "init", "session_id": "s", "model": "m",
            "permissionMode": "bypassPermissions"});
        let _ = write!(out, "{init}\n{line}\n");
        for number in 0.. {
            for line in step(number) {
                if writeln!(out, "{line}").is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
