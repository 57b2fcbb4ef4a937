//! The page in a real browser. `.ci/run` installs Chromium, its driver and axe-core, and runs these.

use std::fs;

use crate::page::{address, link_of, run_of, session_of};
use crate::page_subagents::{call, said};
use crate::support::chrome::{Chrome, Window};
use crate::support::{ADA, Bot, Machine};

pub fn machine() -> Machine {
    Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0")
}

pub fn logged_in(machine: &Machine, bot: &Bot, window: Window) -> (Chrome, String) {
    let chrome = Chrome::open(window);
    let own = format!("http://{}", address(machine, bot));
    chrome.go(&format!("{own}{}", link_of(machine, ADA)));
    chrome.touch_words("Open");
    chrome.until_says("Sessions");
    (chrome, own)
}

/// Faults that axe-core calls serious or worse, as `rule: where`.
pub fn serious_faults(chrome: &Chrome) -> Vec<String> {
    let axe =
        std::env::var("TELECODER_TEST_AXE").expect("TELECODER_TEST_AXE is the path of axe.min.js");
    let axe = fs::read_to_string(axe).expect("axe-core");
    chrome.run(&axe);
    let found = chrome.run_and_wait(
        "const done = arguments[arguments.length - 1];
         axe.run(document, {resultTypes: ['violations']}).then((found) => done(
           found.violations
             .filter((fault) => ['serious', 'critical'].includes(fault.impact))
             .flatMap((fault) => fault.nodes.map((node) => fault.id + ': ' + node.target.join(' ') + ' ' + node.html))));",
    );
    let found = found.as_array().expect("a list");
    found
        .iter()
        .map(|fault| fault.as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn a_person_opens_the_link_watches_a_run_answers_stops_and_undoes() {
    let machine = machine();
    let bot = machine.start();
    let home = machine.folder.path().join("home");
    machine.ada_says(
        "[[bash: echo one > file]] [[words: 40 100]] [[bash: touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[ask: Bash {\"command\":\"touch asked\"}]] [[say: all of it is done]]",
    );
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let (chrome, own) = logged_in(&machine, &bot, Window::PHONE);
    chrome.until_says("works");
    chrome.go(&format!("{own}/runs/{}", run_of(&machine)));
    chrome.until_says("echo one > file");
    // It is seen as it goes on, without a touch.
    fs::write(home.join("go-on"), "").expect("a file");
    chrome.until_says("Claude wants to run this command");
    chrome.touch_words("Allow once");
    chrome.until_says("all of it is done");
    chrome.until_says("1 file changed");

    chrome.write("#text", "[[sleep: 60000]] [[say: too late]]");
    chrome.touch_words("Send");
    machine.message_with("On the page:");
    chrome.touch_words("Stop");
    machine.message_with("On the page: Stop");
    machine.message_with("Stopped after");
    machine.until_quiet();

    let first = machine
        .database()
        .query_row("SELECT id FROM runs ORDER BY seq LIMIT 1", [], |row| {
            row.get::<_, String>(0)
        })
        .expect("a run");
    let newest = run_of(&machine);
    chrome.go(&format!("{own}/runs/{newest}"));
    chrome.until_says("stopped");
    chrome.go(&format!("{own}/runs/{first}"));
    chrome.until_says("1 file changed");
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn with_scripts_off_everything_can_be_read() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("[[bash: echo one > file]] [[say: it is *written*]]");
    machine.message_with("1 file changed");
    machine.ada_says("/every weekday 9:00 look around");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.ada_presses(&card);
    machine.message_with("Kept: ");
    machine.until_quiet();
    let run = run_of(&machine);
    let (chrome, own) = logged_in(&machine, &bot, Window::PHONE);
    chrome.without_scripts();
    for (path, words) in [
        ("/".to_owned(), "it is *written*"),
        (
            format!("/sessions/{}", session_of(&machine)),
            "it is *written*",
        ),
        (format!("/runs/{run}"), "echo one &gt; file"),
        (format!("/runs/{run}"), "<em>written</em>"),
        (format!("/runs/{run}"), "1 file changed"),
        (format!("/runs/{run}/diff"), "one"),
        ("/now".to_owned(), "No run goes on"),
        ("/routines".to_owned(), "every weekday at 9:00"),
        ("/settings".to_owned(), "TELECODER_WEB_ADDR"),
        ("/health".to_owned(), "Telegram"),
    ] {
        let html = chrome.read(&format!("{own}{path}"), words);
        assert!(html.contains("</main>"), "{html}");
    }
    // What goes on is seen by loading the page again, and a step opens without a script.
    machine.ada_says(
        "[[bash: touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[say: later]]",
    );
    let home = machine.folder.path().join("home");
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let live = format!("{own}/runs/{}", run_of(&machine));
    let html = chrome.read(&live, "Load the page again to see more.");
    assert!(html.contains("<details"), "{html}");
    fs::write(home.join("go-on"), "").expect("a file");
    machine.message_with("later");
    chrome.read(&live, "later");
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn a_lost_connection_goes_on_without_a_gap_or_a_double() {
    // The bot comes back at the same address.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = free.local_addr().expect("an address").to_string();
    drop(free);
    let machine = Machine::new().with("TELECODER_WEB_ADDR", place);
    let bot = machine.start();
    let home = machine.folder.path().join("home");
    machine.ada_says(
        "[[bash: echo one; touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[bash: echo two]] [[bash: touch ~/half; until test -e ~/end; do sleep 0.1; done]] [[say: over]]",
    );
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let (chrome, own) = logged_in(&machine, &bot, Window::WIDE);
    chrome.go(&format!("{own}/runs/{}", run_of(&machine)));
    let count = |words: &str| {
        let items = chrome.run(&format!(
            "return [...document.querySelectorAll('#steps li.call')].filter((item) => item.textContent.includes('{words}')).length"
        ));
        items.as_u64().expect("a number")
    };
    chrome.until("the first step", || count("echo one") == 1);
    bot.kill();
    fs::write(home.join("go-on"), "").expect("a file");
    machine.until("half of it", || home.join("half").exists().then_some(()));
    let _bot = machine.start();
    // The browser asks again by itself, from where it was.
    chrome.until("the second step", || count("echo two") == 1);
    assert_eq!(count("echo one"), 1);
    fs::write(home.join("end"), "").expect("a file");
    machine.message_with("over");
    chrome.until("all of it", || chrome.text().contains("done"));
    assert_eq!((count("echo one"), count("echo two")), (1, 1));
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn the_fold_of_a_subagent_grows_while_it_works_and_stays_open() {
    let machine = machine();
    let bot = machine.start();
    let home = machine.folder.path().join("home");
    let wait = |begun: &str, end: &str| {
        format!("[[bash: touch ~/{begun}; until test -e ~/{end}; do sleep 0.1; done]]")
    };
    machine.ada_says(
        &[
            call("one", None, "echo begins-it"),
            wait("begun", "go-on"),
            said("one", "its first words"),
            wait("half", "end"),
            said("one", "its second words"),
            call("in-one", Some("one"), "echo begins-an-inner-one"),
            said("in-one", "words of the inner one"),
            wait("more", "over"),
            "[[say: all is done]]".to_owned(),
        ]
        .join(" "),
    );
    machine.until("it works", || home.join("begun").exists().then_some(()));
    let (chrome, own) = logged_in(&machine, &bot, Window::PHONE);
    chrome.go(&format!("{own}/runs/{}", run_of(&machine)));
    fs::write(home.join("go-on"), "").expect("a file");
    chrome.until_says("Subagent · 1 step");
    // The prompt has the same words.
    let seen = || {
        let seen = chrome.run(
            "return [...document.querySelectorAll('.subagent .said')].filter((said) => said.checkVisibility()).length",
        );
        seen.as_u64().expect("a number")
    };
    assert_eq!(seen(), 0);
    chrome.touch_words("Subagent · 1 step");
    chrome.until("its first words", || seen() == 1);
    fs::write(home.join("end"), "").expect("a file");
    chrome.until_says("Subagent · 3 steps");
    chrome.until("its second words", || seen() == 2);
    let folds = chrome.run(
        "return [...document.querySelectorAll('#steps .subagent')].map((fold) => [
           fold.previousElementSibling.dataset.call, fold.querySelector('ol').children.length])",
    );
    // In the first: words, a call, and the fold below it.
    assert_eq!(folds, serde_json::json!([["one", 4], ["in-one", 1]]));
    fs::write(home.join("over"), "").expect("a file");
    machine.message_with("all is done");
    chrome.until("all of it", || chrome.text().contains("done"));
    chrome.until_says("Subagent · 3 steps");
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn a_hostile_answer_and_a_hostile_repository_change_nothing() {
    let machine = machine();
    let bot = machine.start();
    let hostile =
        "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
    machine.ada_says(&format!(
        "[[bash: echo '<svg onload=alert(1)>' > '<img src=x onerror=alert(1)>']] [[say: {hostile}]] {hostile}"
    ));
    machine.message_with("+1 −0");
    machine.until_quiet();
    let (chrome, own) = logged_in(&machine, &bot, Window::WIDE);
    for path in [
        "/".to_owned(),
        "/now".to_owned(),
        format!("/sessions/{}", session_of(&machine)),
        format!("/runs/{}", run_of(&machine)),
        format!("/runs/{}/diff", run_of(&machine)),
    ] {
        chrome.go(&format!("{own}{path}"));
        chrome.until_says("Sessions");
        let made = chrome.run(
            "return [document.title, document.querySelectorAll('img, svg, main script:not([src^=\"/diff.js\"])').length]",
        );
        assert!(
            !made[0].as_str().unwrap_or_default().contains("taken"),
            "{path}"
        );
        assert_eq!(made[1].as_u64(), Some(0), "{path}");
    }
}

#[test]
#[ignore = "needs Chromium and its driver: .ci/run installs and runs it"]
fn axe_finds_no_serious_fault_and_a_phone_scrolls_down_only() {
    let machine = machine();
    let bot = machine.start();
    let wide = "x".repeat(400);
    machine.ada_says(&format!(
        "[[bash: echo {wide} > file]] [[tool: Read a.txt]] [[say: # A heading\n\nSome `code`, a [link](https://example.com) and\n\n| a | b |\n|---|---|\n| {wide} | 2 |\n\n```rust\nfn main() {{ let {wide} = 1; }}\n```]]"
    ));
    machine.message_with("+1 −0 file");
    machine.until_quiet();
    machine.ada_says(&format!("/every weekday 9:00 look around {wide}"));
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.ada_presses(&card);
    machine.message_with("Kept: ");
    machine.ada_says("[[ask: Bash {\"command\":\"touch asked\"}]]");
    machine.message_with("touch asked");
    let pages = [
        "/".to_owned(),
        "/now".to_owned(),
        "/routines".to_owned(),
        "/people".to_owned(),
        "/settings".to_owned(),
        "/health".to_owned(),
        format!("/sessions/{}", session_of(&machine)),
        format!("/runs/{}", run_of(&machine)),
    ];
    let keep = std::env::var_os("TELECODER_TEST_PICTURES").map(std::path::PathBuf::from);
    for (name, window) in [
        ("phone", Window::PHONE),
        (
            "phone-dark",
            Window {
                is_dark: true,
                ..Window::PHONE
            },
        ),
        ("wide", Window::WIDE),
        (
            "wide-dark",
            Window {
                is_dark: true,
                ..Window::WIDE
            },
        ),
    ] {
        let (chrome, own) = logged_in(&machine, &bot, window);
        let first = machine
            .database()
            .query_row("SELECT id FROM runs ORDER BY seq LIMIT 1", [], |row| {
                row.get::<_, String>(0)
            })
            .expect("a run");
        for path in pages
            .iter()
            .cloned()
            .chain([format!("/runs/{first}"), format!("/runs/{first}/diff")])
        {
            chrome.go(&format!("{own}{path}"));
            chrome
                .run("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            if let Some(folder) = &keep {
                let page = path.trim_matches('/').replace('/', "-");
                chrome.picture(&folder.join(format!("{name}-{page}.png")));
            }
            let is_too_wide =
                chrome.run("return document.documentElement.scrollWidth > innerWidth");
            assert_eq!(is_too_wide.as_bool(), Some(false), "{path} on {name}");
            let faults = serious_faults(&chrome);
            assert!(
                faults.is_empty(),
                "{path} on {name}:\n{}",
                faults.join("\n")
            );
        }
    }
}
