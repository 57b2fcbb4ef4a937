//! A usage limit that comes at an awkward moment: between two turns, between two messages, in background work.

use crate::support::{ADA, CHAT, Machine};

const LIMIT: &str = "You've hit your session limit · resets in 3h";
const HELD: &str = "A usage limit of claude's account is reached";

/// As if the time that claude named were over, and the limit gone.
fn time_passes(machine: &Machine) {
    until_held(machine);
    machine.pass_limit();
    end_hold(machine);
}

fn until_held(machine: &Machine) {
    machine.until("the run that hit the limit is over", || {
        let running = machine.rows("SELECT count(*) FROM runs WHERE state = 'running'");
        let held = machine.rows("SELECT count(*) FROM holds");
        (running == [0] && held != [0]).then_some(())
    });
}

fn end_hold(machine: &Machine) {
    machine
        .database()
        .execute("UPDATE holds SET until = 1", [])
        .expect("it can be written");
}

fn count_of(machine: &Machine, part: &str) -> usize {
    let messages = machine.bot_messages();
    messages
        .iter()
        .filter(|message| message.text.contains(part))
        .count()
}

#[test]
fn what_claude_had_on_its_input_when_it_hit_the_limit_runs_after_it_too() {
    let machine = Machine::new().with("FAKE_CLAUDE_START_DELAY", "1500");
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    // Claude's own commands have a turn each.
    for text in ["/one", "/two", "/three"] {
        machine.ada_says(text);
    }
    machine.message_with(HELD);
    time_passes(&machine);
    for text in ["/one", "/two", "/three"] {
        machine.message_with(&format!("Unknown command: {text}"));
    }
    machine.until_quiet();
    assert_eq!(count_of(&machine, HELD), 1, "told once");
    for text in ["/one", "/two", "/three"] {
        assert_eq!(count_of(&machine, &format!("Unknown command: {text}")), 1);
    }
}

#[test]
fn work_in_the_background_that_meets_the_limit_does_not_run_its_prompt_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    let text = "[[background: 1500 The build is done.]]";
    machine.ada_says(text);
    machine.message_with("The build is running.");
    machine.hit_limit(LIMIT);
    machine.message_with(HELD);
    time_passes(&machine);
    machine.message_with("You said: Go on.");
    machine.until_quiet();
    assert_eq!(machine.times_run()[text], 1);
}

#[test]
fn of_two_prompts_that_hit_the_limit_together_one_can_be_cancelled() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 5000]] [[say: answered before]]");
    machine.message_with("Working · ");
    machine.ada_says("the first");
    machine.ada_says("the second");
    machine.hit_limit(LIMIT);
    machine.message_with(HELD);
    machine.ada_says("/queue");
    let queue = machine.message_with_button("1. the first", "Cancel 1");
    assert!(queue.text.contains("2. the second"), "{}", queue.text);
    machine.press(ADA, &queue, "Cancel 1");
    machine.until_toast("The prompt will not run.");
    time_passes(&machine);
    machine.message_with("You said: the second");
    machine.until_quiet();
    assert_eq!(count_of(&machine, "You said: the first"), 0);
}

#[test]
fn a_paste_stays_whole_when_the_run_before_it_hits_the_limit() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 700]] [[limit: You've hit your session limit · resets in 3h]]");
    machine.until("claude is at it", || {
        (machine.times_run().len() == 1).then_some(())
    });
    let first = "a".repeat(4096);
    machine.ada_says(&first);
    machine.message_with(HELD);
    machine.ada_says("the rest");
    machine.until("the paste is kept", || {
        let whole = format!("{first}the rest");
        let found = machine
            .database()
            .query_row(
                "SELECT count(*) FROM prompts WHERE text = ?1",
                [&whole],
                |row| row.get::<_, i64>(0),
            )
            .expect("a count");
        (found == 1).then_some(())
    });
    assert_eq!(
        machine.rows("SELECT count(*) FROM prompts WHERE text = 'the rest'"),
        [0]
    );
}

#[test]
fn a_fix_that_hits_the_limit_is_still_the_same_round_of_fixing() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "false");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/autofix on");
    machine.message_with("go back to claude automatically here");
    machine.ada_says(&format!(
        "[[bash: echo x > one; echo \"{LIMIT}\" > $FAKE_CLAUDE_HOME/limit]] [[say: one]]"
    ));
    machine.message_with("round 1 of 3");
    machine.message_with(HELD);
    let rounds = machine.rows("SELECT fix_round FROM runs WHERE state = 'queued'");
    assert_eq!(rounds, [1]);
}

#[test]
fn a_prompt_that_was_edited_before_it_hit_the_limit_comes_once_more_as_it_says_now() {
    let machine = Machine::new();
    let _bot = machine.start();
    let text = format!("[[sleep: 5000]] [[limit: {LIMIT}]]");
    let message = machine.ada_says(&text);
    machine.message_with("Working · ");
    machine.api.edit(CHAT, ADA, message, "hello there");
    machine.message_with("You changed a message");
    machine.message_with(HELD);
    until_held(&machine);
    end_hold(&machine);
    machine.message_with("You said: hello there");
    machine.until_quiet();
    assert_eq!(machine.times_run()[&text], 1);
}
