//! Hooks on an unlucky machine, and callers who try what is not meant for them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::calls::Hook;
use super::digits_of;
use crate::page::{address, machine};
use crate::support::browser::Browser;
use crate::support::shell::{session_of, shell};
use crate::support::{ADA, TEAM};

#[test]
fn a_call_whose_body_cannot_be_written_waits_and_delays_nobody_else() {
    let hook = Hook::added("");
    let machine = &hook.machine;
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(machine);
    machine.ada_says("/hook add fresh other look there");
    let card = machine.message_with("When other is called");
    machine.ada_presses(&card);
    let kept = machine.message_with("/hook/other");
    let (_, secret) = kept.text.split_once("Secret: ").expect("a secret");

    let folder = machine.data().join("files").join(&session);
    fs::create_dir_all(&folder).expect("a folder");
    let _ = fs::remove_dir_all(folder.join("inbox"));
    fs::write(folder.join("inbox"), "").expect("a file in the way");
    assert_eq!(hook.hub("1", "push", "{}").0, 202);
    assert_eq!(hook.hub("2", "push", "{}").0, 202);
    let signature = digits_of(secret.trim(), b"{}");
    let headers = [
        ("X-Gitea-Signature", signature.as_str()),
        ("Content-Type", "application/json"),
    ];
    let called = Browser::new(hook.address).send("POST", "/hook/other", &headers, Some("{}"));
    assert_eq!(called.status, 202);
    machine.message_with("Routine, when other is called, in session ");
    let (code, said) = shell(machine, &["session", "run", &session, "from the shell"]);
    assert_eq!(code, Some(0), "{said}");
    machine.message_with("You said: from the shell");
    // Each call is in the log once, however often it is tried.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let told = hook.bot.log().matches("cannot be written down").count();
    assert_eq!(told, 2, "{}", hook.bot.log());
    assert_eq!(
        machine.rows("SELECT count(*) FROM calls WHERE state = 'due'"),
        [2]
    );

    fs::remove_file(folder.join("inbox")).expect("the disk is well again");
    machine.until("both begin", || {
        (machine.rows("SELECT count(*) FROM calls WHERE state = 'due'") == [0]
            && machine.is_quiet())
        .then_some(())
    });
    assert_eq!(hook.runs(), 5);
}

#[test]
fn a_card_that_nobody_has_kept_does_not_hold_its_name() {
    let machine = machine();
    let bot = machine.start();
    let address = address(&machine, &bot);
    machine.ada_says("/hook add ci frist");
    let old = machine.message_with("frist");
    machine.ada_says("/hook add ci first");
    let card = machine.message_with("first");
    machine.ada_presses(&old);
    machine.until_toast("This routine was deleted.");
    machine.ada_presses(&card);
    machine.message_with(&format!("Address: http://{address}/hook/ci"));
    machine.ada_says("/hook add ci another");
    machine.message_with("there is a hook “ci” already, in this chat; /routines deletes it");
    machine.api.say(TEAM, ADA, "/hook add ci another");
    machine.message_with("there is a hook “ci” already, in another chat");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM routines"), [1]);
}

#[test]
fn the_secret_is_in_the_chat_and_nowhere_else() {
    let hook = Hook::added("");
    let machine = &hook.machine;
    hook.hub("1", "push", r#"{"a": 1}"#);
    machine.message_with("You said: ");
    machine.until_quiet();
    machine.ada_says("/routines");
    machine.message_with("Routines of this chat");
    machine.ada_says("/status");
    machine.ada_says("/raw");
    machine.until_quiet();
    let with_it = machine.bot_messages();
    let with_it = with_it.iter().filter(|m| m.text.contains(&hook.secret));
    assert_eq!(with_it.count(), 1);
    let (_, listed) = shell(machine, &["routine", "list", "--json"]);
    assert!(!listed.contains(&hook.secret), "{listed}");
    let (_, listed) = shell(machine, &["routine", "list"]);
    assert!(!listed.contains(&hook.secret), "{listed}");
    assert!(!hook.bot.log().contains(&hook.secret));
}

#[test]
fn what_is_no_call_is_answered_as_a_problem() {
    let hook = Hook::added("");
    let browser = Browser::new(hook.address);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = browser.send(method, "/hook/ci", &[], None);
        assert_eq!(answer.status, 405, "{method}");
        let header = |name: &str| {
            let found = answer.headers.iter().find(|(found, _)| *found == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(header("content-type"), Some("application/problem+json"));
        assert_eq!(header("allow"), Some("POST"), "{method}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
    }
    let long = format!("/hook/{}", "x".repeat(6000));
    for path in [
        "/hook/%ff",
        "/hook/..%2f..%2fetc",
        "/hook/%00",
        "/hook/%1b%5b2J%0a",
        &long,
    ] {
        let answer = browser.send("POST", path, &[], Some("{}"));
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.body.contains("\"status\":404"), "{}", answer.body);
    }
    let log = hook.bot.log();
    assert!(!log.contains('\u{1b}'), "{log}");
    assert!(log.lines().all(|line| line.len() < 1000), "{log}");
    assert_eq!(hook.hub("1", "push", "{}").0, 202);
}

#[test]
fn odd_bodies_and_headers_begin_nothing_or_one_prompt_and_stop_nothing() {
    let hook = Hook::added("");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(hook.hub("1", "push", &deep).0, 400);
    let long = "d".repeat(3000);
    assert_eq!(hook.hub("2", "push", r#"{"a": 1e400}"#).0, 400);
    let numbers = r#"{"a": 123456789012345678901234567890, "b": "\u0000"}"#;
    assert_eq!(hook.hub(&long, "do this\u{7} instead [", numbers).0, 400);
    let (status, said) = hook.hub(&long, "do this] instead: [", numbers);
    assert_eq!(status, 202, "{said}");
    let (_, said) = hook.hub(&long, "push", numbers);
    assert!(said.contains("was there already"), "{said}");

    // Half a body, and then nothing; chunks without a length.
    let mut half = TcpStream::connect(hook.address).expect("it listens");
    let head = format!(
        "POST /hook/ci HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
        hook.address
    );
    write!(half, "{head}Content-Length: 100\r\n\r\n{{").expect("it reads");
    let mut chunked = TcpStream::connect(hook.address).expect("it listens");
    let signature = digits_of(&hook.secret, b"{}");
    write!(
        chunked,
        "{head}X-Gitea-Signature: {signature}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    chunked.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    drop(half);
    hook.machine.until("two prompts", || {
        (hook.runs() == 2 && hook.machine.is_quiet()).then_some(())
    });
    let asked: Vec<String> = hook.machine.times_run().into_keys().collect();
    assert!(
        asked.iter().all(|asked| !asked.contains("instead")),
        "{asked:?}"
    );
}
