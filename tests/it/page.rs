//! The page: who is let in, what is seen, and what is done from there.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::browser::Browser;
use crate::support::shell::shell;
use crate::support::{ADA, BOT, Bot, GRACE, Machine, TEAM};

/// A machine whose bot serves the page on a free port.
pub fn machine() -> Machine {
    Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0")
}

pub fn address(machine: &Machine, bot: &Bot) -> SocketAddr {
    machine.until("the log says where", || {
        let log = bot.log();
        let (_, behind) = log.split_once("health and metrics can be read here")?;
        let (line, _) = behind.split_once('\n')?;
        line.split_once("address=")?.1.trim().parse().ok()
    })
}

/// The link that the bot gives somebody in their private chat.
pub fn link_of(machine: &Machine, user: UserId) -> String {
    let chat = ChatId(i64::try_from(user.0).expect("an id"));
    let before = links_in(machine, chat).len();
    machine
        .api
        .deliver_message(chat, user, json!({"text": "/web"}));
    machine.until("a link", || links_in(machine, chat).get(before).cloned())
}

fn links_in(machine: &Machine, chat: ChatId) -> Vec<String> {
    let messages = machine.api.messages().into_iter();
    messages
        .filter(|message| message.by_bot && message.chat == chat.0)
        .filter_map(|message| {
            let at = message.text.find("/in/")?;
            message.text[at..]
                .split_whitespace()
                .next()
                .map(str::to_owned)
        })
        .collect()
}

/// A browser of somebody's, logged in by the link from the chat.
pub fn logged_in(machine: &Machine, bot: &Bot, user: UserId) -> Browser {
    let browser = Browser::new(address(machine, bot));
    let entered = browser.post(&link_of(machine, user), &[]);
    assert_eq!(entered.status, 200, "{}", entered.body);
    browser
}

pub fn session_of(machine: &Machine) -> String {
    machine
        .database()
        .query_row(
            "SELECT id FROM sessions ORDER BY rowid DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .expect("a session")
}

pub fn run_of(machine: &Machine) -> String {
    machine
        .database()
        .query_row("SELECT id FROM runs ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .expect("a run")
}

#[test]
fn a_link_from_the_chat_opens_the_page_once() {
    let machine = machine();
    let bot = machine.start();
    let browser = Browser::new(address(&machine, &bot));
    assert_eq!(browser.get("/").status, 401);
    let link = link_of(&machine, ADA);
    // A program that looks at links uses nothing up.
    browser.get(&link).assert_says("It works once");
    let entered = browser.post(&link, &[]);
    entered.assert_says("There is no session yet");
    assert_eq!(browser.get("/").status, 200);

    let other = Browser::new(browser.address);
    assert_eq!(other.post(&link, &[]).status, 401);
    assert_eq!(other.get("/").status, 401);
    machine.until("the log says why", || {
        bot.log().contains("a link was used before").then_some(())
    });

    machine.ada_says("/web off");
    machine.message_with("Your browser is logged out of the page.");
    assert_eq!(browser.get("/").status, 401);
}

#[test]
fn a_run_is_seen_with_its_prompt_its_steps_its_answer_and_its_evidence() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("[[bash: echo hello there > greeting]] [[say: I have written *it*]]");
    machine.message_with("+1 −0 greeting");
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    let sessions = browser.get("/");
    sessions.assert_says("[[bash: echo hello there");
    sessions.assert_says("class=\"state done\"");
    let session = browser.get(&format!("/sessions/{}", session_of(&machine)));
    session.assert_says("1 file changed");
    let run = browser.get(&format!("/runs/{}", run_of(&machine)));
    run.assert_says("echo hello there &gt; greeting");
    run.assert_says("I have written");
    run.assert_says("+1 −0 greeting");
    run.assert_says("Undo");
}

#[test]
fn what_is_done_on_the_page_is_done_as_in_the_chat_and_shown_there() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    let session = session_of(&machine);
    let page = browser.get(&format!("/sessions/{session}"));
    let fields = [
        ("key", page.field("key")),
        ("once", page.field("once")),
        (
            "text",
            "[[bash: echo x > made]] [[say: second\r\nline]]".to_owned(),
        ),
    ];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let path = format!("/sessions/{session}/prompt");
    assert_eq!(browser.post(&path, &fields).status, 200);
    // A form that is sent again is the same prompt.
    assert_eq!(browser.post(&path, &fields).status, 200);
    machine.message_with("On the page:");
    machine.message_with("+1 −0 made");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);

    let run = browser.get(&format!("/runs/{}", run_of(&machine)));
    let undone = browser.post(
        &format!("/sessions/{session}/press"),
        &[
            ("key", &run.field("key")),
            ("press", &run.press("Undo")),
            ("back", "/now"),
        ],
    );
    undone.assert_says("Restoring.");
    machine.message_with("On the page: Undo");
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT undone FROM runs ORDER BY seq DESC LIMIT 1"),
        [1]
    );
}

#[test]
fn a_run_at_work_is_seen_while_another_prompt_waits_behind_it() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says(r#"[[ask: Bash {"command":"touch x"}]] [[say: went on]]"#);
    machine.message_with("touch x");
    let run = run_of(&machine);
    machine.ada_says("one more");
    machine.until("it waits", || (run_of(&machine) != run).then_some(()));
    let browser = logged_in(&machine, &bot, ADA);
    let now = browser.get("/now");
    assert!(!now.body.contains("No run goes on"), "{}", now.body);
    now.assert_says(&format!("/runs/{run}"));
    now.assert_says("one more");
    browser.get("/?state=works").assert_says("touch x");
}

#[test]
fn a_question_is_answered_on_the_page() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says(r#"[[ask: Bash {"command":"touch x"}]] [[say: went on]]"#);
    machine.message_with("touch x");
    let browser = logged_in(&machine, &bot, ADA);
    let run = format!("/runs/{}", run_of(&machine));
    let page = browser.get(&run);
    browser.post(
        &format!("/sessions/{}/press", session_of(&machine)),
        &[
            ("key", &page.field("key")),
            ("press", &page.press("Allow once")),
            ("back", &run),
        ],
    );
    machine.message_with("went on");
}

#[test]
fn a_run_is_followed_while_it_goes_on_and_a_lost_connection_misses_nothing() {
    let machine = machine();
    let bot = machine.start();
    let home = machine.folder.path().join("home");
    machine.ada_says(
        "[[bash: echo one]] [[bash: touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[bash: echo three]] [[say: all of it]]",
    );
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let browser = logged_in(&machine, &bot, ADA);
    let run = run_of(&machine);
    let page = browser.get(&format!("/runs/{run}"));
    let (_, live) = page.body.split_once("data-live=\"").expect("it is live");
    let live = live
        .split('"')
        .next()
        .expect("an address")
        .replace("&amp;", "&");
    let whole: Vec<_> = {
        let events = browser.events(&format!("/runs/{run}/live?from=0"), None);
        fs::write(home.join("go-on"), "").expect("a file");
        events.collect()
    };
    let items = |events: &[crate::support::browser::Event]| -> Vec<_> {
        events
            .iter()
            .filter(|event| event.kind == "item")
            .cloned()
            .collect()
    };
    assert_eq!(whole.last().map(|event| event.kind.as_str()), Some("over"));
    let all = items(&whole);
    assert!(all.iter().any(|item| item.data.contains("echo three")));
    // From any place on, the rest comes, and nothing twice.
    for (number, item) in all.iter().enumerate() {
        let rest: Vec<_> = browser.events(&live, Some(&item.id)).collect();
        let expected: Vec<_> = all[number..]
            .iter()
            .filter(|other| other.id != item.id)
            .cloned()
            .collect();
        assert_eq!(items(&rest), expected);
    }
}

#[test]
fn nobody_sees_or_does_more_than_in_the_chat() {
    let machine = machine()
        .with("TELECODER_TG_ALLOWED_USERS", "7,8")
        .with("TELECODER_TG_ALLOWED_CHATS", TEAM.0.to_string());
    let bot = machine.start();
    machine.ada_says("[[say: ada's own]]");
    machine.message_with("ada's own");
    machine.until_quiet();
    let adas = (session_of(&machine), run_of(&machine));
    let grace = logged_in(&machine, &bot, GRACE);
    grace.get("/").assert_says("There is no session yet");
    for path in [
        format!("/sessions/{}", adas.0),
        format!("/runs/{}", adas.1),
        format!("/runs/{}/live", adas.1),
        format!("/runs/{}/steps/10", adas.1),
        "/people".to_owned(),
        "/settings".to_owned(),
        "/health".to_owned(),
    ] {
        assert_eq!(grace.get(&path).status, 404, "{path}");
    }
    let key = grace.get("/").field("key");
    let once = uuid::Uuid::new_v4().to_string();
    let prompt = format!("/sessions/{}/prompt", adas.0);
    let asked = grace.post(
        &prompt,
        &[("key", &key), ("once", &once), ("text", "mine now")],
    );
    assert_eq!(asked.status, 404);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);

    let ada = logged_in(&machine, &bot, ADA);
    ada.get("/settings").assert_says("TELECODER_DATA");
    assert!(!ada.get("/settings").body.contains(crate::support::TOKEN));
    // A form of another browser's page.
    let forged = ada.post(
        &prompt,
        &[("key", &key), ("once", &once), ("text", "as ada")],
    );
    assert_eq!(forged.status, 403);
    machine
        .api
        .deliver_message(TEAM, GRACE, json!({"text": format!("/web@{BOT}")}));
    machine.message_with("The way to the page is yours alone");
}

#[test]
fn a_shell_on_the_machine_gets_a_link_too() {
    let machine = machine();
    let bot = machine.start();
    address(&machine, &bot);
    let (code, said) = shell(&machine, &["web"]);
    assert_eq!(code, Some(0), "{said}");
    let link = said
        .lines()
        .find(|line| line.contains("/in/"))
        .expect("a link");
    let path = &link[link.find("/in/").expect("a path")..];
    let browser = Browser::new(address(&machine, &bot));
    assert_eq!(browser.post(path.trim(), &[]).status, 200);
    assert_eq!(browser.get("/health").status, 200);
}

#[test]
fn requests_from_elsewhere_are_refused() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    let page = browser.get(&format!("/sessions/{}", session_of(&machine)));
    let path = format!("/sessions/{}/do", session_of(&machine));
    let key = page.field("key");
    let body = format!("key={key}&what=verify");
    let host = browser.address.to_string();
    let own = format!("http://{host}");
    for (headers, status) in [
        (vec![("Host", "evil.example")], 403),
        (
            vec![
                ("Host", "evil.example:9464"),
                ("Origin", "http://evil.example:9464"),
            ],
            403,
        ),
        (vec![("Origin", "http://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (
            vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")],
            303,
        ),
    ] {
        let answer = browser.send("POST", &path, &headers, Some(&body));
        assert_eq!(answer.status, status, "{headers:?}");
    }
    for body in ["what=verify", "key=&what=verify", "key=0&what=verify"] {
        let answer = browser.send("POST", &path, &[], Some(body));
        assert!(
            [403, 422].contains(&answer.status),
            "{body}: {}",
            answer.status
        );
    }
    let headers = page.headers;
    let policy = headers
        .iter()
        .find(|(name, _)| name == "content-security-policy");
    assert!(policy.is_some_and(|(_, policy)| !policy.contains("unsafe")));
}
