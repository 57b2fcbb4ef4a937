//! Routines and clocks: the changes of summer time, restarts at any moment, a machine whose clock jumps.

use super::in_the_chat::{begun, kept, planned};
use crate::support::{Machine, clock};

/// Starts the bot on a machine whose clock shows this, in UTC, lets it do what is due, and ends it.
fn day(machine: &Machine, time: &str) {
    clock::move_to(machine, time);
    let bot = machine.start();
    machine.until("nothing is due", || {
        let due = "SELECT count(*) FROM routines WHERE due_at <= ";
        let now = format!("CAST(strftime('%s', '{time}') AS INTEGER) * 1000");
        (machine.rows(&format!("{due}{now}")) == [0] && machine.is_quiet()).then_some(())
    });
    assert!(bot.terminate().success());
}

#[test]
fn a_time_that_the_clocks_skip_comes_at_their_change_and_one_that_they_show_twice_comes_once() {
    if !clock::can_be_set() {
        return;
    }
    let machine = clock::set(Machine::new(), "2026-03-27 12:00:00");
    let bot = machine.start();
    kept(&machine, "/every Europe/Berlin day 2:30 look around");
    assert!(bot.terminate().success());
    // In Berlin it is 2:30 at 1:30 UTC; on 29 March the clocks go from 2:00 to 3:00, at 1:00 UTC.
    for (time, so_far) in [
        ("2026-03-28 01:29:50", 0),
        ("2026-03-28 01:30:02", 1),
        ("2026-03-29 00:59:50", 1),
        ("2026-03-29 01:00:02", 2),
        ("2026-03-29 01:40:00", 2),
        ("2026-03-30 00:29:50", 2),
        ("2026-03-30 00:30:02", 3),
        ("2026-03-30 00:30:30", 3),
    ] {
        day(&machine, time);
        assert_eq!(begun(&machine), so_far, "{time}");
    }
    // On 25 October they go from 3:00 back to 2:00, at 1:00 UTC: 2:30 is at 0:30 and at 1:30 UTC.
    day(&machine, "2026-10-24 00:40:00");
    let before = begun(&machine);
    for (time, more) in [
        ("2026-10-25 00:29:50", 0),
        ("2026-10-25 00:30:02", 1),
        ("2026-10-25 01:30:02", 1),
        ("2026-10-26 01:29:50", 1),
        ("2026-10-26 01:30:02", 2),
    ] {
        day(&machine, time);
        assert_eq!(begun(&machine) - before, more, "{time}");
    }
    assert_eq!(machine.times_run()["look around"], begun(&machine));
}

#[test]
fn a_clock_that_jumps_by_days_and_back_starts_nothing_twice() {
    if !clock::can_be_set() {
        return;
    }
    let machine = clock::set(Machine::new(), "2026-06-01 12:00:00");
    let bot = machine.start();
    kept(&machine, "/every UTC day 9:00 look around");
    assert!(bot.terminate().success());
    for (time, so_far) in [
        ("2026-06-02 09:00:02", 1),
        ("2026-06-09 10:00:00", 2),
        ("2026-06-02 10:00:00", 2),
        ("2026-06-05 09:30:00", 2),
        ("2026-06-09 11:00:00", 2),
        ("2026-06-10 09:00:02", 3),
    ] {
        day(&machine, time);
        assert_eq!(begun(&machine), so_far, "{time}");
    }
    machine.message_with("6 moments before passed meanwhile");
    let moments = machine.rows("SELECT count(DISTINCT planned_at) FROM occurrences");
    assert_eq!(moments, [3]);
    assert!(planned(&machine).is_some());
}
