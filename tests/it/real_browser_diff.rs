//! The diff in a real browser: remarks by touch and by keyboard.

use std::fs;

use crate::page::run_of;
use crate::real_browser::{logged_in, machine, serious_faults};
use crate::support::chrome::{Chrome, Window};

fn number(file: usize, line: usize) -> String {
    format!("#f{file}-n{line} .number a")
}

/// How many remarks the bar would send.
fn bar(chrome: &Chrome) -> String {
    let words = chrome.run("return document.querySelector('.remark-bar .primary').textContent");
    words.as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn remarks_are_written_kept_and_sent_together() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("[[bash: seq 30 > a; seq 30 > b]]");
    machine.message_with("2 files changed");
    machine.until_quiet();
    let run = run_of(&machine);
    let (chrome, own) = logged_in(&machine, &bot, Window::PHONE);
    chrome.go(&format!("{own}/runs/{run}"));
    chrome.touch_words("The diff");
    chrome.until_says("What the run changed");

    // By touch; an empty box is no remark.
    chrome.touch(&number(1, 2));
    chrome.touch(&number(1, 3));
    chrome.write("#remark-words", "three?");
    assert_eq!(bar(&chrome), "Send 1 remark");
    assert_eq!(
        chrome.run("return document.querySelectorAll('tr.remark').length"),
        1
    );
    // By keyboard: down, Enter, and with Shift the lines up to another.
    chrome.write(&number(2, 1), "\u{e015}");
    chrome.write(":focus", "\u{e007}");
    chrome.write("#remark-words", "a range");
    chrome.write(&number(2, 4), "\u{e008}\u{e007}");
    chrome.until_says("Remark on lines 2 to 4");
    chrome.write("#remark-words", "\u{e00c}");
    chrome.until_says("a range");
    assert_eq!(
        chrome.run("return document.activeElement.getAttribute('href')"),
        "#f2-n4",
        "the focus is where it was"
    );
    // They stay when the page is loaded again, or another one is seen.
    chrome.go(&format!("{own}/runs/{run}/diff?file=1"));
    chrome.until_says("1 of them not on this page");
    chrome.go(&format!("{own}/runs/{run}/diff"));
    chrome.until_says("three?");
    assert_eq!(bar(&chrome), "Send 2 remarks");
    let faults = serious_faults(&chrome);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(
        chrome.run("return document.documentElement.scrollWidth > innerWidth"),
        false
    );

    // A file that has changed meanwhile: nothing is sent, and nothing lost.
    let folder: String = machine
        .database()
        .query_row("SELECT workspace FROM sessions", [], |row| row.get(0))
        .expect("a session");
    let file = std::path::Path::new(&folder).join("a");
    fs::write(&file, "other\n").expect("a file");
    chrome.touch_words("Send 2 remarks");
    chrome.until_says("has changed since you looked");
    let numbers: String = (1..=30).map(|number| format!("{number}\n")).collect();
    fs::write(&file, numbers).expect("a file");
    chrome.touch_words("Send 2 remarks");
    machine.message_with("On the page:");
    chrome.until("the new run", || !chrome.address().contains("/diff"));
    machine.until_quiet();
    let asked = "[About line 3 of a:]\n```\n3\n```\nthree?\n\n[About lines 2 to 4 of b:]\n```\n2\n3\n4\n```\na range";
    assert_eq!(machine.claude_got().last(), Some(&asked.into()));
    chrome.go(&format!("{own}/runs/{run}/diff"));
    chrome.until_says("What the run changed");
    assert_eq!(
        chrome.run("return document.querySelector('.remark-bar').hidden"),
        true
    );
}
