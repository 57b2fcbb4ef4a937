//! The bot is killed and started again.

use rustix::process::Signal;

use crate::support::{ADA, CHAT, Machine, processes};

#[test]
fn a_run_outlives_the_bot_and_its_answer_comes_when_the_bot_is_back() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[sleep: 1500]] [[say: I went on without you]]");
    machine.message_with("Working · ");
    bot.kill();
    assert!(!processes::keepers_of(machine.folder.path()).is_empty());
    let _bot = machine.start();
    machine.message_with("I went on without you");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1);
}

#[test]
fn a_run_that_ended_meanwhile_is_reported() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says(
        "[[bash: touch ~/begun; sleep 0.3]] [[say: done while you were away]] [[exit: 0]]",
    );
    let begun = machine.folder.path().join("home/begun");
    machine.until("it runs", || begun.exists().then_some(()));
    bot.kill();
    for keeper in processes::keepers_of(machine.folder.path()) {
        assert!(processes::wait_until_gone(keeper, crate::support::PATIENCE));
    }
    let _bot = machine.start();
    machine.message_with("Claude ended without an answer: exit code 0");
}

#[test]
fn what_was_sent_while_the_bot_was_down_runs_in_order() {
    let machine = Machine::new();
    machine.start().kill();
    for number in 1..=3 {
        machine.ada_says(&format!("sent while down {number}"));
    }
    let _bot = machine.start();
    machine.message_with("You said: sent while down 3");
    machine.until_quiet();
    let order: Vec<String> = machine
        .loud_messages()
        .into_iter()
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        order,
        [1, 2, 3].map(|number| format!("You said: sent while down {number}"))
    );
}

#[test]
fn the_conversation_goes_on_after_a_restart() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("before the restart");
    machine.message_with("You said: before the restart");
    assert!(bot.terminate().success());
    let _bot = machine.start();
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: before the restart");
}

#[test]
fn a_stop_works_on_a_run_that_was_found_at_the_start() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: sleep 43210]]");
    machine.until("it runs", || processes::with_word("43210").first().copied());
    bot.kill();
    let _bot = machine.start();
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    assert_eq!(processes::with_word("43210"), [0; 0], "nobody is left");
}

#[test]
fn a_run_whose_keeper_was_killed_is_lost_and_told_and_nobody_is_left() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[tool: Bash cargo test]] [[bash: sleep 32109]]");
    machine.until("it runs", || processes::with_word("32109").first().copied());
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    let lost = machine.message_with("The run was lost");
    assert!(lost.text.contains("Bash cargo test"), "{}", lost.text);
    assert_eq!(processes::with_word("32109"), [0; 0], "nobody is left");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: [[tool: Bash cargo test]]");
}

#[test]
fn an_update_that_telegram_sends_again_has_its_effect_once() {
    use crate::support::Fault;
    let machine = Machine::new();
    let _bot = machine.start();
    // The batch arrives, but its confirmation is lost on the way.
    machine.api.plan("getUpdates", None, 1, Fault::CloseBefore);
    machine.ada_says("once only");
    machine.message_with("You said: once only");
    let now = jiff::Timestamp::now().as_second();
    let twice = serde_json::json!({"update_id": 1, "message": {"message_id": 1, "date": now,
        "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"}, "text": "once only"}});
    machine.api.deliver(twice);
    machine.ada_says("another");
    machine.message_with("You said: another");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2);
}

#[test]
fn a_second_bot_on_the_same_data_says_who_holds_it_and_leaves() {
    let machine = Machine::new();
    let bot = machine.start();
    let (code, stderr) = machine.run_to_its_end(&["serve"]);
    assert_eq!(code, Some(3));
    assert!(
        stderr.contains(&format!("process {}", bot.process.id())),
        "{stderr}"
    );
}

#[test]
fn a_live_message_whose_end_could_not_be_shown_is_mended_after_a_restart() {
    use crate::support::Fault;
    let machine = Machine::new();
    let bot = machine.start();
    machine
        .api
        .plan("editMessageText", None, 1_000, Fault::Status(502));
    machine.ada_says("[[sleep: 1500]] [[say: finished]]");
    let live = machine.message_with("Working · ");
    machine.message_with("finished");
    machine.until_quiet();
    bot.kill();
    machine.api.heal();
    let _bot = machine.start();
    let record = machine.message_with("Done · ");
    let shown = machine.until("the record", || {
        machine
            .bot_messages()
            .into_iter()
            .find(|message| message.id == live.id && message.text.starts_with("Done · "))
    });
    assert!(shown.buttons.is_empty(), "{record:?}");
}

#[test]
fn a_lost_run_says_what_it_changed_and_goes_on_at_the_press_of_a_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: echo x > 'new file.txt']] [[tool: Bash cargo test]] [[bash: sleep 32110]]",
    );
    machine.until("it runs", || processes::with_word("32110").first().copied());
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    let lost = machine.message_with("The run was lost");
    assert!(lost.text.contains("new file.txt"), "{}", lost.text);
    assert!(lost.text.contains("Bash cargo test"), "{}", lost.text);
    let (label, data) = lost.buttons[0].clone();
    assert_eq!(label, "Go on");
    machine.api.press(ADA, &lost, &data);
    machine.message_with("You said: Go on.");
    machine.api.press(ADA, &lost, &data);
    machine.until_toast("This was done already.");
    machine.until_quiet();
    assert_eq!(machine.times_run().get("Go on."), Some(&1));
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: [[bash: echo x");
}

#[test]
fn what_claude_began_with_while_its_keeper_was_missed_is_not_run_again() {
    // claude is slow to start, and goes on for a moment when its keeper is gone.
    let machine = Machine::new().with("FAKE_CLAUDE_START_DELAY", "500");
    let _bot = machine.start_failing_at("run-lost=sleep(3000)");
    machine.ada_says("first [[sleep: 60000]]");
    let keeper = machine.until("claude has its prompt", || {
        let keeper = *processes::keepers_of(machine.folder.path()).first()?;
        let run = std::fs::read_dir(machine.data().join("runs"))
            .ok()?
            .next()?
            .ok()?;
        // It waits in the pipe until claude has started.
        let pipe = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(run.path().join("input"))
            .ok()?;
        let waiting = rustix::io::ioctl_fionread(&pipe).ok()?;
        (waiting > 0).then_some(keeper)
    });
    processes::signal(keeper, Signal::KILL);
    let lost = machine.message_with("The run was lost");
    assert_eq!(machine.times_run().len(), 1, "claude began with it");
    assert_eq!(lost.buttons[0].0, "Go on");
}

#[test]
fn after_a_crash_of_the_whole_machine_each_run_is_told_and_what_waited_runs() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: sleep 32111]]");
    machine.until("it runs", || processes::with_word("32111").first().copied());
    machine.ada_says("what waited");
    machine.until("it waits", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'queued'") == [1]).then_some(())
    });
    // The power goes for all at the same moment: nobody acts on another's death.
    let mut everybody = processes::keepers_of(machine.folder.path());
    for keeper in everybody.clone() {
        everybody.extend(processes::descendants_of(keeper));
    }
    everybody.extend(processes::with_word("32111"));
    for process in &everybody {
        processes::signal(*process, Signal::STOP);
    }
    bot.kill();
    for process in everybody {
        processes::signal(process, Signal::KILL);
    }
    let _bot = machine.start();
    machine.message_with("The run was lost");
    machine.message_with("You said: what waited");
}

#[test]
fn a_keeper_that_is_started_a_second_time_leaves_at_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 1500]] [[say: finished]]");
    machine.message_with("Working · ");
    let run = std::fs::read_dir(machine.data().join("runs"))
        .expect("the runs")
        .next()
        .expect("one")
        .expect("its name");
    let folder = run.path().display().to_string();
    let (code, _) = machine.run_to_its_end(&["keep", &folder]);
    assert_eq!(code, Some(0));
    machine.message_with("finished");
    machine.until_quiet();
    let (code, _) = machine.run_to_its_end(&["keep", &folder]);
    assert_eq!(code, Some(0), "and when it has ended");
    assert_eq!(machine.times_run().values().sum::<usize>(), 1);
}

#[test]
fn a_run_whose_record_is_gone_is_told_and_holds_up_nothing() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: sleep 32112]]");
    machine.until("it runs", || processes::with_word("32112").first().copied());
    bot.kill();
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
        assert!(processes::wait_until_gone(keeper, crate::support::PATIENCE));
    }
    for run in std::fs::read_dir(machine.data().join("runs")).expect("the runs") {
        std::fs::remove_file(run.expect("one").path().join("events.jsonl")).expect("it goes");
    }
    let _bot = machine.start();
    machine.message_with("its record cannot be read");
    assert_eq!(processes::with_word("32112"), [0; 0], "nobody is left");
    machine.ada_says("next");
    machine.message_with("You said: next");
}
