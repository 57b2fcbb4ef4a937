//! Watching the bot: its health, its numbers, its log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::fstat;
use serde_json::Value;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{Bot, CHAT, Fault, Machine, PATIENCE};

/// A machine whose bot shows its health and metrics on a free port.
fn machine() -> Machine {
    Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0")
}

/// Where it shows them.
fn address(machine: &Machine, bot: &Bot) -> SocketAddr {
    machine.until("the log says where", || {
        let log = bot.log();
        let (_, behind) = log.split_once("health and metrics can be read here")?;
        let (line, _) = behind.split_once('\n')?;
        line.split_once("address=")?.1.trim().parse().ok()
    })
}

struct Answer {
    status: u16,
    headers: String,
    body: String,
}

/// Sends a request as it is, and reads the whole answer.
fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.write_all(request.as_bytes()).expect("it is heard");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (headers, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
    Answer {
        status: headers[9..12].parse().expect("a status"),
        headers: headers.to_owned(),
        body: body.to_owned(),
    }
}

fn get(address: SocketAddr, path: &str) -> Answer {
    ask(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
    )
}

fn health(address: SocketAddr) -> (u16, Value) {
    let answer = get(address, "/healthz");
    let report = serde_json::from_str(&answer.body).expect("JSON");
    (answer.status, report)
}

/// Each sample by its name and labels.
fn metrics(address: SocketAddr) -> BTreeMap<String, f64> {
    let answer = get(address, "/metrics");
    assert_eq!(answer.status, 200);
    answer
        .body
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn a_monitor_is_told_that_all_is_well_and_what_goes_on() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("and then this");
    machine.until("both are counted", || {
        let (status, report) = health(address);
        assert_eq!(status, 200);
        (report["runs_running"] == 1 && report["runs_queued"] == 1).then_some(())
    });
    let (_, report) = health(address);
    assert_eq!(report["status"], "ok");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["other_poller_for_s"], Value::Null);
    assert_eq!(report["webhook_for_s"], Value::Null);
    assert_eq!(report["problems"], serde_json::json!([]));
}

#[test]
fn a_webhook_that_takes_the_messages_is_told_and_is_no_failure() {
    let machine = machine();
    machine.api.set_webhook("https://hooks.example/secret");
    let bot = machine.start_without_waiting();
    let address = address(&machine, &bot);
    machine.until_log(&bot, "a webhook at hooks.example");
    let (status, report) = health(address);
    assert_eq!(status, 200, "{report}");
    assert!(report["webhook_for_s"].is_u64(), "{report}");
    assert_eq!(report["other_poller_for_s"], Value::Null);
    assert_eq!(metrics(address)["telecoder_webhook"], 1.0);
    assert_eq!(metrics(address)["telecoder_other_poller"], 0.0);
}

#[test]
fn a_database_that_does_not_answer_is_a_failure_and_another_poller_is_only_told() {
    let machine = machine();
    machine.api.plan(
        "getUpdates",
        None,
        1,
        Fault::Refuse(409, "Conflict: terminated by other getUpdates request"),
    );
    let bot = machine.start_without_waiting();
    let address = address(&machine, &bot);
    machine.until_log(&bot, "another program polls with the same bot token");
    let (status, report) = health(address);
    assert_eq!(status, 200, "{report}");
    assert!(report["other_poller_for_s"].is_u64(), "{report}");
    assert_eq!(metrics(address)["telecoder_other_poller"], 1.0);

    let database = machine.database();
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    let (status, report) = health(address);
    assert_eq!(status, 503, "{report}");
    assert_eq!(report["status"], "failing");
    assert_eq!(report["store_answering"], false);
    assert_eq!(report["runs_running"], Value::Null);
    let problem = report["problems"][0].as_str().unwrap_or_default();
    assert!(
        problem.starts_with("The database does not answer"),
        "{problem}"
    );
    let seen = metrics(address);
    assert_eq!(seen["telecoder_store_answering"], 0.0);
    assert!(!seen.contains_key("telecoder_outbox_due"));
    assert!(seen.contains_key("telecoder_updates_received_total"));
    database.execute_batch("ROLLBACK").expect("it is let go");
    machine.until("it is well again", || {
        (health(address).0 == 200).then_some(())
    });
}

#[test]
fn what_happened_is_counted_once_and_by_what_it_was() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    machine.ada_says("one");
    machine.nth_message_with("You said: ", 1);
    machine.ada_says("[[fail: model_not_found no luck]]");
    machine.message_with("no luck");
    machine.api.plan("sendMessage", None, 1, Fault::Flood(1));
    machine.ada_says("/help");
    machine.message_with("goes unchanged to claude");
    let failed = Fault::Refuse(500, "Internal Server Error");
    machine.api.plan("sendMessage", None, 1, failed);
    machine.ada_says("/status");
    machine.message_with("Running: nothing");
    machine.api.say(ChatId(99), UserId(99), "let me in");
    machine.until_quiet();
    let seen = machine.until("the last of it is counted", || {
        let seen = metrics(address);
        (seen["telecoder_strangers_ignored_total"] == 1.0).then_some(seen)
    });
    for (name, count) in [
        ("telecoder_updates_received_total", 5.0),
        ("telecoder_prompts_accepted_total", 2.0),
        ("telecoder_runs_ended_total{outcome=\"completed\"}", 1.0),
        ("telecoder_runs_ended_total{outcome=\"failed\"}", 1.0),
        ("telecoder_runs_ended_total{outcome=\"lost\"}", 0.0),
        ("telecoder_run_duration_seconds_count", 2.0),
        ("telecoder_run_wait_seconds_count", 2.0),
        ("telecoder_bot_api_floods_total", 1.0),
        ("telecoder_bot_api_pause_seconds_total", 1.0),
        ("telecoder_message_retries_total{reason=\"flood\"}", 1.0),
        ("telecoder_message_retries_total{reason=\"not_sent\"}", 1.0),
        ("telecoder_message_repeats_total", 0.0),
        (
            "telecoder_bot_api_calls_total{method=\"sendMessage\",result=\"flood\"}",
            1.0,
        ),
        (
            "telecoder_bot_api_calls_total{method=\"sendMessage\",result=\"server_error\"}",
            1.0,
        ),
        ("telecoder_runs_running", 0.0),
        ("telecoder_outbox_due", 0.0),
        ("telecoder_outbox_parked", 0.0),
        ("telecoder_polling", 1.0),
    ] {
        assert_eq!(seen.get(name), Some(&count), "{name}");
    }
    let sent = machine.rows("SELECT count(*) FROM outbox WHERE state = 'sent'")[0];
    assert_eq!(seen["telecoder_messages_sent_total"], sent as f64);
    assert_eq!(
        seen["telecoder_message_delivery_seconds_count"],
        sent as f64
    );
    assert!(seen["process_resident_memory_bytes"] > 1_000_000.0);
    assert!(seen["telecoder_store_transaction_seconds_count"] > 5.0);
    let labels: String = seen.into_keys().collect();
    for private in [CHAT.0.to_string().as_str(), "99", "no luck", "let me in"] {
        let quoted = format!("\"{private}\"");
        assert!(!labels.contains(&quoted), "{private} in {labels}");
    }
}

#[test]
fn a_message_that_nobody_can_get_is_counted_as_put_aside() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    let blocked = Fault::Refuse(403, "Forbidden: bot was blocked by the user");
    machine.api.plan("sendMessage", None, 1, blocked);
    machine.ada_says("/help");
    machine.until("it is put aside", || {
        let seen = metrics(address);
        (seen["telecoder_outbox_parked"] == 1.0).then_some(())
    });
    let parked = "telecoder_messages_parked_total{reason=\"unreachable\"}";
    assert_eq!(metrics(address)[parked], 1.0);
}

#[test]
fn the_page_on_observability_names_every_metric_and_every_field_and_no_other() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    // A kind of call is there when the first of its calls has ended.
    let answer = machine.until("a call is counted", || {
        let answer = get(address, "/metrics");
        let is_counted = answer.body.contains("telecoder_bot_api_calls_total{");
        is_counted.then_some(answer)
    });
    assert!(
        answer
            .headers
            .contains("content-type: application/openmetrics-text"),
        "{}",
        answer.headers
    );
    assert!(answer.body.ends_with("# EOF\n"));
    let shown: BTreeSet<String> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            match kind {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name.to_owned(),
            }
        })
        .collect();
    let page = include_str!("../../docs/observability.md");
    let rows = |table: &str| -> BTreeSet<String> {
        page.split("\n\n")
            .filter(|block| block.starts_with(table))
            .flat_map(|block| block.lines().skip(2))
            .filter_map(|row| row.split('|').nth(1))
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().trim_matches('`').to_owned())
            .collect()
    };
    assert_eq!(shown, rows("| name |"));
    let (_, report) = health(address);
    let fields: BTreeSet<String> = report
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    let documented = rows("| field |");
    assert!(
        fields.is_subset(&documented),
        "{fields:?}, but {documented:?}"
    );
    let page_of_health = page
        .split("### `GET /metrics`")
        .next()
        .expect("what is before");
    for field in &fields {
        assert!(page_of_health.contains(&format!("`{field}`")), "{field}");
    }
}

#[test]
fn anything_but_a_look_at_the_two_pages_is_refused() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    // The page wants a login.
    assert_eq!(get(address, "/").status, 401);
    assert_eq!(get(address, "/metrics/../../etc/passwd").status, 404);
    let posted = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(ask(address, posted).status, 405);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(20_000));
    assert!(matches!(ask(address, &long).status, 400 | 414 | 431));
    assert_eq!(health(address).0, 200);
}

#[test]
fn clients_that_never_finish_their_request_are_cut_off_and_hold_up_nobody() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    let begun = Instant::now();
    let mut slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("somebody listens");
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nX-")
                .expect("a beginning");
            stream
        })
        .collect();
    // The bot does its work meanwhile.
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let first = &mut slow[0];
    first.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let cut_off = first.read(&mut [0; 64]);
    assert!(matches!(cut_off, Ok(0) | Err(_)), "{cut_off:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(slow);
    assert_eq!(health(address).0, 200);
}

#[test]
fn a_port_that_is_taken_leaves_the_bot_at_work_and_the_page_comes_when_it_is_free() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = other.local_addr().expect("its number").port();
    let machine = Machine::new().with("TELECODER_WEB_ADDR", port.to_string());
    let bot = machine.start();
    machine.until_log(
        &bot,
        "the page, health and metrics cannot be shown; the bot works without",
    );
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    drop(other);
    let address = address(&machine, &bot);
    assert_eq!(address.port(), port);
    assert_eq!(health(address).0, 200);
}

#[test]
fn an_address_that_others_reach_is_refused_unless_it_is_meant() {
    for (value, fault) in [
        ("0.0.0.0:0", "would be open to other machines: 0.0.0.0:0"),
        ("monitor.example:9464", "is no address with a port"),
        ("127.0.0.1", "is no address with a port"),
    ] {
        let machine = Machine::new()
            .with("TELECODER_WEB_ADDR", value)
            .with("TELECODER_LOG_FORMAT", "yaml");
        let (code, stderr) = machine.run_to_its_end(&["serve"]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(fault), "{stderr}");
        assert!(stderr.contains("neither text nor json: yaml"), "{stderr}");
    }
    let machine = Machine::new()
        .with("TELECODER_WEB_ADDR", "0.0.0.0:0")
        .with("TELECODER_WEB_PUBLIC", "true");
    let bot = machine.start();
    let port = address(&machine, &bot).port();
    assert_eq!(health(([127, 0, 0, 1], port).into()).0, 200);
}

#[test]
fn without_a_setting_nothing_listens() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let listening = std::fs::read_to_string(format!("/proc/{}/net/tcp", bot.process.id()))
        .expect("the kernel's table");
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{}/fd", bot.process.id()))
        .expect("its files")
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    // proc_net(5): state 0A listens; the tenth column is the inode.
    for row in listening.lines().skip(1) {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let is_its_own = sockets.contains(&format!("socket:[{}]", columns[9]));
        assert!(!(columns[3] == "0A" && is_its_own), "{row}");
    }
}

#[test]
fn a_log_in_json_has_one_object_a_line_with_the_fields_of_the_page() {
    let machine = Machine::new().with("TELECODER_LOG_FORMAT", "json");
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_log(&bot, "a run ended");
    machine.until_quiet();
    let log = bot.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let ended = lines
        .iter()
        .find(|line| line["message"] == "a run ended")
        .expect("it is there");
    assert_eq!(ended["level"], "INFO");
    assert_eq!(ended["outcome"], "completed");
    assert!(ended["elapsed_ms"].is_u64() && ended["run.id"].is_string());
    assert!(ended["timestamp"].is_string() && ended["target"].is_string());
}

#[test]
fn the_journal_has_a_time_of_its_own_and_everybody_else_gets_one() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.until_log(&bot, "telecoder is up");
    let starts_with_a_time = |log: &str| log.starts_with("20");
    assert!(starts_with_a_time(&bot.log()), "{}", bot.log());
    drop(bot);

    let (mut journal, stderr) = UnixStream::pair().expect("a socket");
    let stat = fstat(&stderr).expect("its inode");
    let mut command = machine.telecoder(&["serve"]);
    command
        .env("JOURNAL_STREAM", format!("{}:{}", stat.st_dev, stat.st_ino))
        .stderr(Stdio::from(std::os::fd::OwnedFd::from(stderr)));
    let mut process = command.spawn().expect("telecoder starts");
    drop(command);
    journal.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut log = String::new();
    let mut chunk = [0; 1024];
    while !log.contains("telecoder is up") {
        let length = journal.read(&mut chunk).expect("it says something");
        log.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    process.kill().expect("it can be killed");
    process.wait().expect("it ends");
    assert!(!starts_with_a_time(&log), "{log}");
    assert!(log.trim_start().starts_with("INFO"), "{log}");
}

#[test]
fn what_people_write_and_what_claude_answers_is_not_in_the_log() {
    for level in ["info", "debug"] {
        let machine = Machine::new().with("RUST_LOG", level);
        let bot = machine.start();
        machine.ada_says("[[say: PROMPT-MARK]]");
        machine.message_with("PROMPT-MARK");
        machine.ada_says("[[bash: echo TOOL-$((40+2))-MARK; touch FILE-MARK]] [[stderr: STDERR-MARK]] [[say: SAID-MARK]]");
        machine.message_with("SAID-MARK");
        machine.ada_says("[[fail: model_not_found FAIL-MARK]]");
        machine.message_with("FAIL-MARK");
        machine.ada_says("/checks test=\"echo CHECK-MARK && false\"");
        machine.message_with("CHECK-MARK");
        machine.ada_says("/verify");
        machine.ada_says("/diff");
        machine.ada_says("/logs");
        machine.ada_says("[[sleep: 20000]] SLEEP-MARK");
        machine.message_with("Working · ");
        machine.ada_says("WAIT-MARK");
        machine.ada_says("/stop");
        machine.message_with("Stopped after ");
        machine.message_with("WAIT-MARK");
        machine.until_quiet();
        let log = bot.log();
        assert!(log.contains("a run ended"), "{log}");
        let said: Vec<&str> = log.lines().filter(|line| line.contains("-MARK")).collect();
        assert!(said.is_empty(), "at {level}: {said:#?}");
    }
}

#[test]
fn a_mistake_in_telecoder_is_a_line_of_the_log_without_the_text_that_it_was_about() {
    let machine = Machine::new().with("TELECODER_LOG_FORMAT", "json");
    let bot =
        machine.start_failing_at("draw=1*panic(byte index 5 is out of bounds of `SECRET-MARK`)");
    machine.ada_says("/help");
    machine.message_with("goes unchanged to claude");
    machine.until_log(&bot, "telecoder has a bug");
    let log = bot.log();
    assert!(!log.contains("SECRET-MARK"), "{log}");
    for line in log.lines() {
        let _: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn a_message_that_waits_too_long_for_its_effect_is_a_failure_while_the_database_takes_changes() {
    let machine = machine();
    // The handler hangs as long as the test takes.
    let bot = machine.start_failing_at("inbox-before=1*sleep(3600000)");
    let address = address(&machine, &bot);
    let (status, report) = health(address);
    assert_eq!(
        (status, &report["handling_updates"]),
        (200, &Value::Bool(true))
    );
    machine.ada_says("/whoami");
    machine.until("it is stored", || {
        (machine.rows("SELECT count(*) FROM updates WHERE state = 'stored'") == [1]).then_some(())
    });
    let (status, report) = health(address);
    assert_eq!(
        (status, &report["updates_waiting"]),
        (200, &1.into()),
        "{report}"
    );
    let db = rusqlite::Connection::open(machine.data().join("telecoder.db")).expect("it");
    db.execute_batch("UPDATE updates SET received_at = received_at - 61000")
        .expect("time passes");
    let (status, report) = health(address);
    assert_eq!(status, 503, "{report}");
    let problem = report["problems"][0].as_str().expect("a problem");
    assert!(
        problem.contains("has waited for more than a minute"),
        "{problem}"
    );
    let read = metrics(address);
    assert_eq!(read["telecoder_handling_updates"], 0.0);
    assert!(read["telecoder_updates_oldest_waiting_seconds"] > 60.0);
}
