//! `telecoder demo`: no token, no Telegram.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Machine, processes};

fn demo(machine: &Machine, input: &str) -> (Option<i32>, String) {
    let mut child = machine
        .telecoder(&["demo"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    child
        .stdin
        .take()
        .expect("stdin is piped")
        .write_all(input.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn input_that_is_piped_in_is_answered_and_the_demo_ends() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .without("TELECODER_RUNTIME")
        .with("PATH", "/usr/bin:/bin");
    let (code, transcript) = demo(&machine, "hello\n/status\n");
    assert_eq!(code, Some(0));
    assert!(
        transcript.contains("There is no claude on this machine"),
        "{transcript}"
    );
    assert!(transcript.contains("│ hello"), "{transcript}");
    assert!(transcript.contains("│ Session "), "{transcript}");
    assert!(transcript.contains("scripted stand-in"), "{transcript}");
    assert!(transcript.contains("Done · "), "{transcript}");
    assert!(transcript.contains("+1 −0 notes.md"), "{transcript}");
    assert!(!machine.data().exists(), "the demo has a folder of its own");
}

#[test]
fn lines_that_end_as_on_windows_are_the_same_prompts() {
    let machine = Machine::new().without("TELEGRAM_BOT_TOKEN");
    let (code, transcript) = demo(&machine, "[[seen]]\r\n");
    assert_eq!(code, Some(0));
    assert!(transcript.contains("\"[[seen]]\""), "{transcript}");
}

#[test]
fn the_stand_in_takes_up_what_is_written_while_it_works() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .without("TELECODER_RUNTIME")
        .with("PATH", "/usr/bin:/bin");
    let (code, transcript) = demo(&machine, "first\nsecond\n");
    assert_eq!(code, Some(0));
    assert!(transcript.contains("Meanwhile you wrote:"), "{transcript}");
    assert!(transcript.contains(" · 2 messages · "), "{transcript}");
}

#[test]
fn a_question_that_nobody_can_answer_any_more_does_not_keep_the_demo() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .without("TELECODER_RUNTIME")
        .with("PATH", "/usr/bin:/bin");
    let (code, transcript) = demo(&machine, "ask me\n");
    assert_eq!(code, Some(0));
    assert!(
        transcript.contains("Claude wants to run a command"),
        "{transcript}"
    );
    assert!(transcript.contains("Stopped after"), "{transcript}");
}

#[test]
fn a_claude_that_is_there_is_used_and_named() {
    let machine = Machine::new().without("TELEGRAM_BOT_TOKEN");
    let (code, transcript) = demo(&machine, "hello\n");
    assert_eq!(code, Some(0));
    assert!(
        transcript.contains("fake-claude (2.1.197 (fake claude))"),
        "{transcript}"
    );
    assert!(transcript.contains("You said: hello"), "{transcript}");
}

/// Process ids of the fake claudes of this machine, which have its home in their environment.
fn claudes_of(machine: &Machine) -> Vec<u32> {
    let home = machine.folder.path().join("home");
    let of_home = |process: &u32| {
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let variable = format!("HOME={}", home.display());
        environment
            .split(|byte| *byte == 0)
            .any(|part| part == variable.as_bytes())
    };
    processes::with_word("stream-json")
        .into_iter()
        .filter(of_home)
        .collect()
}

#[test]
fn no_claude_outlives_the_demo() {
    let machine = Machine::new().without("TELEGRAM_BOT_TOKEN");
    let (code, transcript) = demo(&machine, "hello\n");
    assert_eq!(code, Some(0));
    assert!(transcript.contains("You said: hello"), "{transcript}");
    assert_eq!(claudes_of(&machine), [0; 0]);
}

#[test]
fn an_interrupt_ends_the_demo_and_its_run() {
    let machine = Machine::new().without("TELEGRAM_BOT_TOKEN");
    let mut child = machine
        .telecoder(&["demo"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the demo starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin
        .write_all(b"[[bash: sleep 21098]]\n")
        .expect("it reads");
    machine.until("the command runs", || {
        processes::with_word("21098").first().copied()
    });
    processes::signal(child.id(), rustix::process::Signal::INT);
    machine.until("the demo ends", || child.try_wait().ok().flatten());
    drop(stdin);
    assert_eq!(processes::with_word("21098"), [0; 0], "nobody is left");
    assert_eq!(claudes_of(&machine), [0; 0]);
}

#[test]
fn the_chat_is_drawn_as_a_phone_shows_it() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .without("TELECODER_RUNTIME")
        .with("PATH", "/usr/bin:/bin");
    let page = machine.folder.path().join("chat.html");
    let mut demo = machine
        .telecoder(&["demo", "--html", &page.display().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("telecoder starts");
    let mut keyboard = demo.stdin.take().expect("stdin is piped");
    keyboard
        .write_all(b"<b>not bold</b>\n/status\n")
        .expect("it is read");
    drop(keyboard);
    assert!(demo.wait().expect("it ends").success());
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("&lt;b&gt;not bold&lt;/b&gt;"), "{page}");
    assert!(page.contains("<b>scripted stand-in</b>"), "{page}");
    assert!(
        page.contains("<pre><span class=\"language\">rust</span>"),
        "{page}"
    );
    assert!(page.contains("Running: "), "{page}");
}
