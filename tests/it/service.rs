//! The bot as a service: ready, alive, stopping; and what a stop leaves as it is.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Fault, Machine, processes};

/// The service manager's ear.
fn listen(machine: &mut Machine) -> UnixDatagram {
    let path = machine.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket
        .set_read_timeout(Some(crate::support::PATIENCE))
        .expect("a limit");
    machine
        .environment
        .insert("NOTIFY_SOCKET".into(), path.display().to_string());
    socket
}

fn hear(socket: &UnixDatagram) -> String {
    let mut said = [0; 1024];
    let length = socket.recv(&mut said).expect("something is said");
    String::from_utf8_lossy(&said[..length]).into_owned()
}

#[test]
fn the_service_manager_hears_ready_alive_and_stopping() {
    let mut machine = Machine::new().with("WATCHDOG_USEC", "600000");
    let manager = listen(&mut machine);
    let bot = machine.start();
    // The order of the first two is the machine's.
    let mut said: String = (0..6).map(|_| hear(&manager)).collect();
    assert!(said.contains("READY=1"), "{said}");
    assert!(said.matches("WATCHDOG=1").count() >= 4, "{said}");
    assert!(bot.terminate().success());
    while !said.contains("STOPPING=1") {
        said = hear(&manager);
    }
}

#[test]
fn a_bot_that_hangs_does_not_say_that_it_is_alive() {
    let mut machine = Machine::new().with("WATCHDOG_USEC", "900000");
    let manager = listen(&mut machine);
    let bot = machine.start();
    while !hear(&manager).contains("WATCHDOG=1") {}
    // Nobody answers for the store while another has it.
    let database = machine.database();
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    machine.until_log(&bot, "the bot hangs");
    manager.set_nonblocking(true).expect("it need not wait");
    while manager.recv(&mut [0; 1024]).is_ok() {}
    machine.until("it hangs for longer", || {
        (bot.log().matches("the bot hangs").count() >= 3).then_some(())
    });
    let heard = manager.recv(&mut [0; 1024]).is_ok();
    assert!(!heard, "it does not say that it is alive");
    manager.set_nonblocking(false).expect("it may wait again");
    database.execute_batch("ROLLBACK").expect("it is let go");
    while !hear(&manager).contains("WATCHDOG=1") {}
}

#[test]
fn sigterm_and_sigint_end_the_bot_within_five_seconds_and_leave_the_run_alone() {
    for signal in [Signal::TERM, Signal::INT] {
        let machine = Machine::new();
        let mut bot = machine.start();
        machine.ada_says("[[sleep: 8000]] [[say: finished]]");
        machine.message_with("Working · ");
        let asked = Instant::now();
        processes::signal(bot.process.id(), signal);
        assert!(bot.wait_for_its_end().success());
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
        assert_eq!(processes::keepers_of(machine.folder.path()).len(), 1);
        let _bot = machine.start();
        machine.message_with("finished");
    }
}

#[test]
fn what_is_due_is_sent_before_the_bot_ends() {
    let machine = Machine::new();
    let mut bot = machine.start();
    machine.api.plan("sendMessage", None, 1, Fault::Flood(1));
    machine.ada_says("/help");
    machine.ada_says("/status");
    machine.until_log(&bot, "Telegram asks for a pause");
    machine.until("both are written down", || {
        (machine.rows("SELECT count(*) FROM outbox") == [2]).then_some(())
    });
    processes::signal(bot.process.id(), Signal::TERM);
    bot.wait_for_its_end();
    let texts: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .map(|message| message.text)
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
}

#[test]
fn a_bot_that_telegram_lets_hang_ends_within_five_seconds_too() {
    let machine = Machine::new();
    let mut bot = machine.start();
    machine.api.plan(
        "sendMessage",
        None,
        10,
        Fault::Hang(Duration::from_secs(60)),
    );
    machine.ada_says("/help");
    machine.until("it is being sent", || {
        machine.api.requests("sendMessage").first().cloned()
    });
    let asked = Instant::now();
    processes::signal(bot.process.id(), Signal::TERM);
    bot.wait_for_its_end();
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    machine.api.heal();
    let _bot = machine.start();
    machine.message_with("goes unchanged to claude");
}

#[test]
fn another_program_with_the_same_token_is_told_once_in_the_log_and_in_status() {
    let machine = Machine::new();
    machine.api.plan(
        "getUpdates",
        None,
        1,
        Fault::Refuse(409, "Conflict: terminated by other getUpdates request"),
    );
    let bot = machine.start_without_waiting();
    machine.until_log(&bot, "another program polls with the same bot token");
    machine.ada_says("/status");
    machine.message_with("Another program has been using this bot's token for ");
    let told = bot
        .log()
        .matches("another program polls with the same bot token")
        .count();
    assert_eq!(told, 1);
}
