//! Clients of the page that take nothing, or say nothing: they are cut off, and delay nobody.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::page::{address, logged_in, machine, run_of};
use crate::support::browser::Browser;
use crate::support::{ADA, PATIENCE};

/// As many as the page has places for.
const CONNECTIONS: usize = 192;
/// What a client may take for itself is three seconds here.
const SHORT: &str = "page-limits=return";

fn connect(browser: &Browser) -> TcpStream {
    let stream = TcpStream::connect(browser.address).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream
}

/// Asks for something, and reads nothing of it.
fn asks(browser: &Browser, path: &str) -> TcpStream {
    let mut stream = connect(browser);
    let cookies: Vec<String> = browser
        .cookies
        .borrow()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let (host, cookies) = (browser.address, cookies.join("; "));
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is heard");
    stream
}

#[test]
fn a_reader_who_takes_nothing_is_cut_off_and_delays_nobody() {
    let machine = machine().with("RUST_LOG", "debug");
    let bot = machine.start_failing_at(SHORT);
    // Escaped, it is more than the buffers of a connection have room for.
    let text = "<".repeat(98);
    machine.ada_says(&format!("[[repeat: 15000 {text}]]"));
    machine.until_quiet();
    let browser = logged_in(&machine, &bot, ADA);
    let run = format!("/runs/{}", run_of(&machine));
    let whole = browser.get(&run).body.len();
    assert!(whole > 7_000_000, "{whole} bytes");

    let before = bot.log().matches("its client is gone").count();
    let mut slow = asks(&browser, &run);
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    browser.get("/").assert_says("and you?");
    machine.until("it is cut off", || {
        (bot.log().matches("its client is gone").count() > before).then_some(())
    });
    let mut got = Vec::new();
    // It may end with a reset.
    let _ = slow.read_to_end(&mut got);
    assert!(got.starts_with(b"HTTP/1.1 200 "));
    assert!(got.len() < whole, "{} of {whole} bytes", got.len());
}

#[test]
fn one_who_follows_a_run_and_takes_nothing_is_cut_off_and_others_see_all_of_it() {
    let machine = machine().with("RUST_LOG", "debug");
    let bot = machine.start_failing_at(SHORT);
    let home = machine.folder.path().join("home");
    // Escaped, they are more than the buffers of a connection have room for.
    let text = format!("[[repeat: 15000 {}]]", "<".repeat(98));
    machine.ada_says(&format!(
        "[[bash: touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] {text} [[bash: echo between]] {text}"
    ));
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let browser = logged_in(&machine, &bot, ADA);
    let live = format!("/runs/{}/live?from=0", run_of(&machine));
    let before = bot.log().matches("its client is gone").count();
    let mut slow = asks(&browser, &live);
    let others = browser.events(&live, None);
    fs::write(home.join("go-on"), "").expect("a file");

    let all: Vec<_> = others.collect();
    assert_eq!(all.last().map(|event| event.kind.as_str()), Some("over"));
    let whole: usize = all.iter().map(|event| event.data.len()).sum();
    assert!(whole > 10_000_000, "{whole} bytes");
    machine.until("it is cut off", || {
        (bot.log().matches("its client is gone").count() > before).then_some(())
    });
    let mut got = Vec::new();
    // It may end with a reset.
    let _ = slow.read_to_end(&mut got);
    assert!(got.starts_with(b"HTTP/1.1 200 "));
    assert!(got.len() < whole, "{} of {whole} bytes", got.len());
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
}

#[test]
fn clients_that_say_nothing_take_all_places_for_a_moment_and_nothing_from_the_bot() {
    let machine = machine();
    let bot = machine.start_failing_at(SHORT);
    let browser = Browser::new(address(&machine, &bot));
    let mut idle: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&browser)).collect();
    let mut next = asks(&browser, "/healthz");
    next.set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a limit");
    let mut first = [0];
    let waits = next.read(&mut first).expect_err("no place is free");
    assert_eq!(waits.kind(), ErrorKind::WouldBlock);
    machine.ada_says("are you there?");
    machine.message_with("You said: are you there?");
    // They are cut off, and the next in line has a place.
    next.set_read_timeout(Some(PATIENCE)).expect("a limit");
    assert_eq!(next.read(&mut first).expect("an answer"), 1);
    for client in &mut idle {
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP/1.1 200 "));
    }
    assert_eq!(browser.get("/healthz").status, 200);
}
