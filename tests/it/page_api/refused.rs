//! What is refused, and how that is said.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use uuid::Uuid;

use super::program::{PLACE, Program};
use super::{begun, machine};
use crate::page::address;
use crate::support::browser::{Browser, Page};
use crate::support::shell::shell;
use crate::support::{PATIENCE, TOKEN};

/// An answer to a program that shows what it likes.
fn answer_to(browser: &Browser, headers: &[(&str, &str)]) -> Page {
    let page = browser.send("GET", &format!("{PLACE}/sessions"), headers, None);
    assert_eq!(
        page.header("content-type"),
        Some("application/problem+json"),
        "{headers:?}"
    );
    page
}

#[test]
fn without_a_valid_token_nothing_is_answered() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let browser = &program.browser;
    let forged = "0".repeat(32);
    let telegrams = format!("Bearer {TOKEN}");
    let basic = format!("Basic {}", program.token);
    let valid = format!("Bearer {}", program.token);
    let cut = format!("Bearer {}", &program.token[..31]);
    let forged = format!("Bearer {forged}");
    let cookie = format!("telecoder={}", program.token);
    for headers in [
        vec![],
        vec![("Authorization", "")],
        vec![("Authorization", "Bearer")],
        vec![("Authorization", "Bearer ")],
        vec![("Authorization", forged.as_str())],
        vec![("Authorization", telegrams.as_str())],
        vec![("Authorization", basic.as_str())],
        vec![("Authorization", cut.as_str())],
        vec![
            ("Authorization", valid.as_str()),
            ("Authorization", valid.as_str()),
        ],
        vec![("Cookie", cookie.as_str())],
    ] {
        let answer = answer_to(browser, &headers);
        assert_eq!(answer.status, 401, "{headers:?}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    // Nothing is learnt about what there is, either.
    for path in [
        "/nothing".to_owned(),
        format!("/sessions/{session}"),
        String::new(),
    ] {
        let answer = browser.send("GET", &format!("{PLACE}{path}"), &[], None);
        assert_eq!(answer.status, 401, "{path}");
    }
    // In any case.
    let lower = format!("bearer {}", program.token);
    let let_in = browser.send(
        "GET",
        &format!("{PLACE}/sessions"),
        &[("Authorization", &lower)],
        None,
    );
    assert_eq!(let_in.status, 200);
    // A browser that is logged in is no program.
    let (_, said) = shell(&machine, &["web"]);
    let link = said
        .lines()
        .find_map(|line| line.find("/in/").map(|at| line[at..].trim()));
    let logged_in = Browser::new(browser.address);
    logged_in.post(link.expect("a link"), &[]);
    assert_eq!(logged_in.get("/").status, 200);
    assert_eq!(answer_to(&logged_in, &[]).status, 401);
}

#[test]
fn a_token_that_is_withdrawn_is_worth_nothing_at_once() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let begun = machine.folder.path().join("home/begun");
    let prompt = json!({"text": "[[bash: touch ~/begun; sleep 1000]]"});
    let asked = program.post(&format!("/sessions/{session}/prompts"), &prompt);
    let run = program.json(&asked)["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    machine.until("it works", || begun.exists().then_some(()));
    let bearer = format!("Bearer {}", program.token);
    let mut events = program.browser.events_with(
        &format!("{PLACE}/runs/{run}/events"),
        &[("Authorization", &bearer)],
    );
    assert!(events.next().is_some());
    let (code, said) = shell(&machine, &["web", "token", "deploy-script", "--withdraw"]);
    assert_eq!(code, Some(0), "{said}");
    // Who follows is cut off, too: the run itself goes on.
    assert!(events.all(|event| event.kind != "over"));
    assert_eq!(program.get("/sessions").status, 401);
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs WHERE state = 'running'"),
        [1]
    );
}

#[test]
fn whoever_tries_tokens_is_told_to_wait_and_others_are_not() {
    let machine = machine();
    let bot = machine.start();
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let tried: Vec<u16> = (0..40)
        .map(|number| {
            let forged = format!("Bearer {number:032x}");
            let answer = answer_to(&program.browser, &[("Authorization", &forged)]);
            assert_eq!(answer.header("retry-after").is_some(), answer.status == 429);
            answer.status
        })
        .collect();
    assert_eq!((tried[0], tried[39]), (401, 429), "{tried:?}");
    assert_eq!(program.get("/sessions").status, 200);
    assert_eq!(bot.log().matches("a program was not let in").count(), 30);
}

#[test]
fn each_mistake_has_its_own_status() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let prompts = format!("/sessions/{session}/prompts");
    for path in [
        "/sessions?limit=0",
        "/sessions?limit=101",
        "/sessions?limit=many",
        "/sessions?state=odd",
        "/sessions?chat=team",
        "/sessions?color=blue",
        "/sessions?after=nobody",
        &format!("/sessions/{session}/runs?after=x"),
    ] {
        assert_eq!(program.get(path).status, 400, "{path}");
    }
    for path in [
        "/nothing",
        "/sessions/nobody",
        "/sessions/%00",
        "/runs/nothing",
        &format!("/runs/{}", Uuid::new_v4()),
        "/questions/nothing/answer/more",
    ] {
        assert_eq!(program.get(path).status, 404, "{path}");
    }
    for (method, path) in [
        ("DELETE", "/sessions"),
        ("POST", "/sessions"),
        ("GET", prompts.as_str()),
        ("PUT", "/openapi.json"),
    ] {
        let answer = program.send(method, path, &[], None);
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
    let json = [("Content-Type", "application/json")];
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"text": ""}"#,
        r#"{"text": " \n"}"#,
        r#"{"text": 1}"#,
        r#"{"text": "x", "id": "no uuid"}"#,
        r#"{"text": "x", "mode": "plan"}"#,
        "{\"text\": \"\\ud800\"}",
    ] {
        let answer = program.send("POST", &prompts, &json, Some(body));
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let headers = [("Content-Type", kind)];
        let answer = program.send("POST", &prompts, &headers, Some(r#"{"text": "x"}"#));
        assert_eq!(answer.status, 415, "{kind}");
    }
    let run = program.get_json(&format!("/sessions/{session}/runs"))["runs"][0]["run"].clone();
    let events = format!("/runs/{}/events?from=nowhere", run.as_str().expect("a run"));
    assert_eq!(program.get(&events).status, 400);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
fn what_is_too_large_is_said_and_nothing_is_done() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let path = format!("/sessions/{session}/prompts");
    let fits = program.post(&path, &json!({"text": "x".repeat(200_000)}));
    assert_eq!(fits.status, 202, "{}", fits.body);
    for size in [256 * 1024, 900_000] {
        let refused = program.post(&path, &json!({"text": "x".repeat(size)}));
        assert_eq!(refused.status, 413, "{size}");
    }
    // One that only says that it will be huge is not waited for.
    let mut stream = TcpStream::connect(program.address()).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let head = format!(
        "POST {PLACE}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000000\r\n\r\n",
        program.address(),
        program.token
    );
    stream.write_all(head.as_bytes()).expect("it is heard");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);
    // The chat is told in few messages all the same.
    assert!(machine.bot_messages().len() < 10);
}

#[test]
fn another_name_is_refused_and_secrets_are_not_told() {
    let machine = machine().with("DEPLOY_TOKEN", "tok-9f8e7d6c5b4a39281706");
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let foreign = program.send("GET", "/sessions", &[("Host", "evil.example")], None);
    assert_eq!(foreign.status, 403);
    let text = "[[bash: echo $DEPLOY_TOKEN]] [[say: it is tok-9f8e7d6c5b4a39281706]]";
    let asked = program.post(
        &format!("/sessions/{session}/prompts"),
        &json!({"text": text}),
    );
    let run = program.json(&asked)["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    let events = program.events(&run, None);
    assert!(
        events
            .iter()
            .any(|event| event.data.contains("echo $DEPLOY_TOKEN"))
    );
    let told: Vec<String> = events.into_iter().map(|event| event.data).collect();
    let whole: Value = program.get_json(&format!("/runs/{run}"));
    let pages = program.get_json(&format!("/runs/{run}/events"));
    for text in [told.join("\n"), whole.to_string(), pages.to_string()] {
        assert!(!text.contains("9f8e7d6c5b4a"), "{text}");
    }
}
