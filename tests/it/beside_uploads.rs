//! While a large file goes up, the chat is not mute.

use std::time::{Duration, Instant};

use crate::support::{ADA, Fault, Machine, TEAM};

const UPLOAD: Duration = Duration::from_secs(25);
const SOON: Duration = Duration::from_secs(4);

#[test]
fn while_a_file_goes_up_commands_answers_and_live_messages_come_in_every_topic() {
    let machine = Machine::new();
    let _bot = machine.start();
    let slow = Fault::Slow(UPLOAD);
    machine.api.plan("sendDocument", Some(TEAM.0), 1, slow);
    let long = format!("[[say: {}]]", "many words of an answer\n\n".repeat(900));
    machine.writes_in(TEAM, Some(11), ADA, &long);
    let begun = machine.until("the upload begins", || {
        let uploads = machine.api.requests("sendDocument");
        uploads.first().map(|upload| upload.at)
    });
    let status = machine.writes_in(TEAM, Some(11), ADA, "/status");
    let prompt = |topic: i64, name: &str| {
        let prompt = format!("[[sleep: 5000]] [[say: {name} is answered]]");
        machine.writes_in(TEAM, Some(topic), ADA, &prompt)
    };
    let (same, other) = (prompt(11, "the same topic"), prompt(12, "another topic"));
    let shown = machine.until_sent(TEAM, "Running: ");
    assert!(shown - status.at <= SOON, "{:?}", shown - status.at);
    for (said, name) in [(same, "the same topic"), (other, "another topic")] {
        let answer = format!("{name} is answered");
        let arrived = machine.until_sent(TEAM, &answer);
        let stop = said.stop_button_after(&machine);
        assert!(stop.is_some_and(|stop| stop <= SOON), "{name}: {stop:?}");
        let waited = arrived.saturating_duration_since(machine.written_at(TEAM, &answer));
        assert!(waited <= SOON, "{name}: after {waited:?}");
        assert!(arrived - begun < UPLOAD, "{name}: behind the file");
    }
    machine.until_quiet();
    let is_there = |at: &Instant| *at >= begun + UPLOAD;
    let files = machine.sendings(TEAM, "The whole answer.");
    assert_eq!(files.iter().filter(|at| is_there(at)).count(), 1);
    assert_eq!(files.len(), 1, "once");
}
