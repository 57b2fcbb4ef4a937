//! Something else goes wrong: claude, its login, Telegram's server, the network.

use std::time::{Duration, Instant};

use crate::support::{ADA, Fault, GRACE, Machine, fake_claude};
use telecoder::domain::id::ChatId;

/// A start that fails is given up soon.
const AT_ONCE: &str = "start-patience=return";

#[test]
fn a_claude_that_is_just_being_replaced_is_waited_for() {
    let machine = Machine::new();
    let claude = machine.folder.path().join("replaced");
    let machine = machine.with("TELECODER_RUNTIME", claude.display().to_string());
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("Working · 1 s");
    std::os::unix::fs::symlink(fake_claude(), &claude).expect("the program is back");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1, "nothing else is told");
}

#[test]
fn a_claude_that_cannot_be_started_costs_no_prompt() {
    let machine = Machine::new();
    let claude = machine.folder.path().join("gone");
    let machine = machine.with("TELECODER_RUNTIME", claude.display().to_string());
    let _bot = machine.start_failing_at(AT_ONCE);
    machine.ada_says("/queue on");
    machine.message_with("waits until it ends. /queue off");
    for number in 0..3 {
        machine.ada_says(&format!("number {number}"));
    }
    let told = machine.message_with_button("so the prompt has not run. It is kept", "Try now");
    machine.ada_says("/status");
    let status = machine.message_with("Held: claude cannot be started; tried again at");
    assert!(
        status.text.contains("Waiting: 3 prompts"),
        "{}",
        status.text
    );
    machine.press(ADA, &told, "Try now");
    let again = machine.nth_message_with("so the prompt has not run. It is kept", 2);
    assert!(again.silent, "a repeat does not ring");
    std::os::unix::fs::symlink(fake_claude(), &claude).expect("the program is back");
    machine.press(ADA, &again, "Try now");
    for number in 0..3 {
        machine.message_with(&format!("You said: number {number}"));
    }
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 4);
}

#[test]
fn a_stop_while_claude_cannot_be_started_yet_is_told_as_a_stop() {
    let machine = Machine::new().with("TELECODER_RUNTIME", "/no/such/claude");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("Working · 1 s");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
}

#[test]
fn a_missing_claude_is_told_in_the_log_and_in_the_chat() {
    let machine = Machine::new().with("TELECODER_RUNTIME", "no-such-claude");
    let bot = machine.start_failing_at(AT_ONCE);
    machine.ada_says("hello");
    let message = machine.message_with(
        "There is no program no-such-claude in the folders that telecoder looks through",
    );
    assert!(!message.silent);
    assert!(
        message.text.contains("TELECODER_RUNTIME"),
        "{}",
        message.text
    );
    machine.until("the log says so", || {
        bot.log().contains("there is no such program").then_some(())
    });
}

#[test]
fn a_claude_that_is_not_logged_in_is_told_in_the_log_and_in_the_chat() {
    let machine = Machine::new().with("FAKE_CLAUDE_LOGGED_OUT", "1");
    let bot = machine.start();
    machine.ada_says("hello");
    let message = machine.message_with("Claude is not logged in on this machine");
    assert!(!message.silent);
    machine.until("the run is over", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'ended'") == [1]).then_some(())
    });
    assert_eq!(machine.loud_messages().len(), 1);
    machine.until("the log says so", || {
        bot.log().contains("not logged in").then_some(())
    });
    machine.ada_says("/status");
    machine.message_with("Last: failed");
}

#[test]
fn a_conversation_that_claude_lost_is_told_and_the_very_prompt_begins_a_new_one() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    std::fs::remove_dir_all(&machine.environment["FAKE_CLAUDE_HOME"]).expect("claude forgets");
    machine.ada_says("second");
    machine.message_with("Claude does not have this conversation any more");
    machine.message_with("You said: second");
    machine.ada_says("third");
    machine.message_with("You said: third");
    machine.until_quiet();
    let answers = machine.bot_messages();
    let of_second = answers
        .iter()
        .filter(|answer| answer.text.starts_with("You said: second"));
    assert_eq!(of_second.count(), 1);
}

#[test]
fn an_error_of_the_api_is_told_in_one_sentence_with_its_own_words() {
    let machine = Machine::new();
    let _bot = machine.start();
    for (kind, sentence) in [
        ("model_not_found", "The API does not know the model."),
        ("billing_error", "The API did not answer as it should."),
    ] {
        machine.ada_says(&format!("[[fail: {kind} API Error: words about {kind}]]"));
        let message = machine.message_with(sentence);
        assert!(!message.silent);
        assert!(
            message.text.contains(&format!("words about {kind}")),
            "{}",
            message.text
        );
    }
}

#[test]
fn a_claude_that_dies_without_a_result_has_failed_whatever_its_exit_code() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[exit: 0]]");
    machine.message_with("Claude ended without an answer: exit code 0");
    machine.ada_says("[[stderr: out of cheese]] [[exit: 3]]");
    let message = machine.message_with("exit code 3");
    assert!(message.text.contains("out of cheese"), "{}", message.text);
    machine.ada_says("[[die]]");
    machine.message_with("it was killed (signal 9)");
}

#[test]
fn lines_that_cannot_be_read_and_lines_of_ten_megabytes_are_survived() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[raw: not json]] [[raw: {\"type\":\"brand_new\",\"x\":1}]] [[raw: {\"type\":\"assistant\"}]] \
         [[raw-bytes]] [[raw: ]] [[long-line: 10000000]] [[say: still fine]]",
    );
    machine.message_with("still fine");
}

#[test]
fn an_answer_with_odd_fields_beside_it_or_half_an_emoji_in_it_comes_all_the_same() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[raw: {"type":"result","is_error":false,"result":"half an emoji \ud83d and on","total_cost_usd":null,"permission_denials":[{}],"errors":[{}]}]]"#,
    );
    machine.message_with("half an emoji \u{fffd} and on");
}

#[test]
fn a_turn_whose_end_cannot_be_read_is_over_when_claude_says_that_it_is_idle() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[raw: {"type":"result","is_er]] [[raw: {"type":"system","subtype":"session_state_changed","state":"idle"}]] [[sleep: 60000]]"#,
    );
    machine.message_with("Claude could not finish.");
    machine.ada_says("next");
    machine.message_with("You said: next");
}

#[test]
fn a_stop_is_heard_while_claude_writes_without_end() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[flood]]");
    machine.message_with("Working · ");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
}

#[test]
fn a_claude_that_does_not_say_when_it_is_idle_is_let_go_all_the_same() {
    let machine = Machine::new().with("FAKE_CLAUDE_WITHOUT_STATES", "1");
    let _bot = machine.start_failing_at("silence-is-idle=return");
    machine.ada_says("[[say: answered]]");
    machine.message_with("answered");
    machine.ada_says("next");
    machine.message_with("You said: next");
}

#[test]
fn a_claude_that_is_silent_before_a_turn_keeps_the_prompt_of_that_turn() {
    let machine = Machine::new().with("FAKE_CLAUDE_HOOK_TAKES", "12000");
    let _bot = machine.start();
    machine.ada_says("[[words: 20 100]] [[say: the first]]");
    machine.message_with("word 3");
    machine.ada_says("[[say: the second]]");
    machine.message_with("the first");
    machine.message_with("the second");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2);
    assert_eq!(machine.times_run()["[[say: the second]]"], 1);
}

#[test]
fn work_in_the_background_goes_on_and_its_answer_comes_too() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[background: 1500 The build is done.]]");
    machine.message_with("still running in the background: the build");
    machine.message_with("The build is done.");
}

#[test]
fn the_turn_about_work_in_the_background_may_take_its_time() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[background: 300 x]] [[sleep: 12000]] [[say: The build is done.]]");
    machine.message_with("The build is done.");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2, "no word of a stop");
}

#[test]
fn the_conversation_goes_on_after_a_run_that_failed() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[fail: model_not_found try another]]");
    machine.message_with("The API does not know the model.");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: [[fail: model_not_found");
    machine.ada_says("[[die]]");
    machine.message_with("it was killed (signal 9)");
    machine.ada_says("[[recall]] again");
    machine.message_with("[[die]]");
}

#[test]
fn a_run_that_cannot_be_started_is_told_and_costs_no_prompt() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    // Nothing can be made where a file is in the way.
    let runs = machine.data().join("runs");
    std::fs::rename(&runs, machine.data().join("moved")).expect("it moves");
    std::fs::write(&runs, "in the way").expect("a file");
    machine.ada_says("second");
    let told = machine.message_with_button("Claude could not be started, so the prompt", "Try now");
    std::fs::remove_file(&runs).expect("it goes");
    std::fs::rename(machine.data().join("moved"), &runs).expect("it moves back");
    machine.ada_says("third");
    machine.message_with("This is kept until claude can be started, then runs by itself.");
    machine.press(ADA, &told, "Try now");
    machine.message_with("You said: second");
    machine.message_with("You said: third");
}

#[test]
fn work_in_the_background_goes_on_beside_the_next_run() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/queue on");
    machine.ada_says("[[background: 60000 never]]");
    machine.message_with("still running in the background: the build");
    machine.ada_says("next");
    machine.message_with("You said: next");
    machine.until_quiet();
    machine.ada_says("/status");
    machine.message_with("In the background: the build; /stop ends it");
}

#[test]
fn what_is_written_beside_work_in_the_background_is_answered_and_the_work_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[background: 3000 it is built]]");
    machine.message_with("still running in the background: the build");
    let next = machine.ada_says("next");
    let answer = machine.message_with("You said: next");
    assert_eq!(answer.reply_to, Some(next.into()));
    machine.message_with("it is built");
    machine.until_quiet();
    let started = machine.rows("SELECT count(DISTINCT coalesce(process_id, id)) FROM runs");
    assert_eq!(started, [1], "claude was started once");
}

#[test]
fn a_refused_permission_is_pointed_out_below_the_answer() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[denied: Bash]]");
    let answer = machine.message_with("I was not permitted.");
    assert!(
        answer.text.contains("Not permitted and left out: Bash."),
        "{}",
        answer.text
    );
}

#[test]
fn an_answer_gets_through_whatever_happens_to_the_first_try() {
    for fault in [
        Fault::Flood(1),
        Fault::Status(502),
        Fault::CloseBefore,
        Fault::Hang(Duration::from_secs(2)),
        Fault::Refuse(500, "Internal Server Error"),
    ] {
        let machine = Machine::new();
        let _bot = machine.start();
        machine.api.plan("sendMessage", None, 1, fault.clone());
        machine.ada_says("hello");
        machine.message_with("You said: hello");
        machine.until_quiet();
        assert_eq!(machine.loud_messages().len(), 1, "{fault:?}");
    }
}

#[test]
fn an_answer_of_which_nobody_knows_whether_it_arrived_comes_at_most_twice() {
    for fault in [Fault::CloseAfter, Fault::Truncated] {
        let machine = Machine::new();
        let _bot = machine.start();
        machine.api.plan("sendMessage", None, 1, fault.clone());
        machine.ada_says("hello");
        machine.until_quiet();
        machine.message_with("You said: hello");
        let count = machine.loud_messages().len();
        assert!((1..=2).contains(&count), "{fault:?}: {count}");
    }
}

#[test]
fn a_pause_that_telegram_asks_for_holds_up_that_chat_alone_and_is_kept() {
    let machine = Machine::new().with(
        "TELECODER_TG_ALLOWED_USERS",
        format!("{},{}", ADA.0, GRACE.0),
    );
    let _bot = machine.start();
    let pause = 3;
    machine
        .api
        .plan("sendMessage", Some(ADA.0 as i64), 1, Fault::Flood(pause));
    machine.ada_says("hello");
    let flooded = machine.until("the flood", || {
        machine
            .api
            .requests("sendMessage")
            .into_iter()
            .find(|request| request.chat == Some(ADA.0 as i64))
    });
    machine.api.say(ChatId(GRACE.0 as i64), GRACE, "me too");
    let grace = machine.message_with("You said: me too");
    assert_eq!(grace.chat, GRACE.0 as i64);
    machine.message_with("You said: hello");
    let again = machine
        .api
        .requests("sendMessage")
        .into_iter()
        .filter(|request| request.chat == Some(ADA.0 as i64))
        .nth(1)
        .expect("it was sent again");
    let waited: Duration = again.at - flooded.at;
    assert!(waited >= Duration::from_secs(pause), "{waited:?}");
}

#[test]
fn polling_goes_on_after_every_kind_of_failure() {
    let machine = Machine::new();
    for fault in [
        Fault::Status(502),
        Fault::CloseBefore,
        Fault::CloseAfter,
        Fault::Truncated,
        Fault::Flood(1),
        Fault::Refuse(500, "Internal Server Error"),
    ] {
        machine.api.plan("getUpdates", None, 1, fault);
    }
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1);
}

#[test]
fn the_bot_starts_while_telegram_cannot_be_reached_and_says_so() {
    let machine = Machine::new();
    machine.api.plan("getMe", None, 2, Fault::CloseBefore);
    machine.api.plan("getUpdates", None, 2, Fault::CloseBefore);
    let started = Instant::now();
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    assert!(started.elapsed() < crate::support::PATIENCE);
    assert!(bot.log().contains("no updates can be had"), "{}", bot.log());
}

#[test]
fn the_fake_claude_is_where_the_tests_look_for_it() {
    assert!(fake_claude().exists());
}

#[test]
fn an_interpreter_that_is_missing_is_named_and_not_the_program_that_is_there() {
    let machine = Machine::new();
    let script = machine.folder.path().join("claude");
    std::fs::write(&script, "#!/no/such/node\n").expect("a script");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it may be run");
    let machine = machine.with("TELECODER_RUNTIME", script.display().to_string());
    let bot = machine.start_failing_at(AT_ONCE);
    machine.ada_says("hello");
    let told = machine.message_with("Claude could not be started, so the prompt has not run.");
    let words = format!(
        "{} is there, but the program that its first line names is not: /no/such/node",
        script.display()
    );
    assert!(told.text.contains(&words), "{}", told.text);
    machine.until_log(&bot, "names is not: /no/such/node");
    let report = machine.telecoder(&["doctor"]).output().expect("it starts");
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(report.contains(&words), "{report}");
}

#[test]
fn a_claude_whose_node_is_not_on_the_path_has_not_begun() {
    let machine = Machine::new();
    let script = machine.folder.path().join("claude");
    std::fs::write(&script, "#!/usr/bin/env no-such-node\n").expect("a script");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it may be run");
    let machine = machine.with("TELECODER_RUNTIME", script.display().to_string());
    let bot = machine.start_failing_at(AT_ONCE);
    machine.ada_says("hello");
    let told = machine.message_with("Claude could not be started, so the prompt has not run.");
    assert!(told.text.contains("no-such-node"), "{}", told.text);
    machine.until_log(&bot, "claude does not answer as expected");
    let report = machine.telecoder(&["doctor"]).output().expect("it starts");
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        report.contains("names is not: /usr/bin/env no-such-node"),
        "{report}"
    );
}
