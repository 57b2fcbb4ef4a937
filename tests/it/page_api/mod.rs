//! A program's way in: `/api/v1` does what the page does, in the form that `docs/openapi.json` promises.

mod answering;
mod described;
mod description;
mod program;
mod refused;

use std::fs;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::page::address;
use crate::support::browser::Event;
use crate::support::{ADA, CHAT, GRACE, Machine, TEAM};
use program::Program;

fn machine() -> Machine {
    Machine::new().with("TELECODER_WEB_ADDR", "127.0.0.1:0")
}

/// A machine with a session in which Ada has asked once.
fn begun(machine: &Machine) -> String {
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let sessions = machine.database();
    sessions
        .query_row(
            "SELECT id FROM sessions ORDER BY rowid DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .expect("a session")
}

fn steps(events: &[Event]) -> Vec<Event> {
    let steps = events.iter().filter(|event| event.kind == "step");
    steps.cloned().collect()
}

#[test]
fn a_program_asks_and_follows_its_prompt_to_the_end_and_reads_the_evidence() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let prompt = json!({
        "text": "[[bash: echo x > made]] [[say: I made it]]",
        "id": Uuid::new_v4(),
    });
    let asked = program.post(&format!("/sessions/{session}/prompts"), &prompt);
    assert_eq!(asked.status, 202, "{}", asked.body);
    let run = program.json(&asked)["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    assert_eq!(
        asked.header("location"),
        Some(&*format!("/api/v1/runs/{run}"))
    );

    let events = program.events(&run, None);
    assert_eq!(events.first().map(|event| event.kind.as_str()), Some("run"));
    assert_eq!(events.last().map(|event| event.kind.as_str()), Some("over"));
    let all = steps(&events);
    let of_kind = |kind: &str| -> Vec<Value> {
        let all = all
            .iter()
            .map(|step| serde_json::from_str::<Value>(&step.data).expect("JSON"));
        all.filter(|step| step["kind"] == kind).collect()
    };
    assert_eq!(of_kind("call")[0]["input"]["command"], "echo x > made");
    assert_eq!(of_kind("text")[0]["text"], "I made it");
    for (number, step) in all.iter().enumerate() {
        let rest = steps(&program.events(&run, Some(&step.id)));
        assert_eq!(rest, all[number + 1..], "behind {}", step.id);
    }
    // The same in pages.
    let (mut paged, mut from) = (Vec::new(), String::new());
    loop {
        let page = program.get_json(&format!("/runs/{run}/events?limit=2{from}"));
        let steps = page["steps"].as_array().expect("steps");
        paged.extend(
            steps
                .iter()
                .map(|step| step["id"].as_str().expect("an id").to_owned()),
        );
        from = format!("&from={}", page["next"].as_str().expect("a place"));
        if page["is_over"] == true {
            break;
        }
    }
    let ids: Vec<String> = all.iter().map(|step| step.id.clone()).collect();
    assert_eq!(paged, ids);

    let ended = program.get_json(&format!("/runs/{run}"));
    assert_eq!(ended["outcome"], "completed");
    assert_eq!(ended["is_over"], true);
    assert_eq!(ended["answers"], json!(["I made it"]));
    let files = &ended["evidence"]["changes"]["repositories"][0]["files"];
    assert_eq!(files["first"][0]["path"], "made");
    let diff = program.get(&format!("/runs/{run}/diff"));
    assert_eq!(diff.status, 200, "{}", diff.body);
    assert!(
        diff.body.contains("+++ b/made\n") && diff.body.ends_with("+x\n"),
        "{}",
        diff.body
    );
    assert_eq!(
        machine.message_with("deploy-script, on the page:").chat,
        CHAT.0
    );
}

#[test]
fn the_same_id_is_one_prompt_and_another_text_with_it_is_none() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let path = format!("/sessions/{session}/prompts");
    let prompt = json!({"text": "second", "id": Uuid::new_v4()});
    let first = program.post(&path, &prompt);
    let again = program.post(&path, &prompt);
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(program.json(&first), program.json(&again));
    machine.message_with("You said: second");
    let another = program.post(&path, &json!({"text": "third", "id": prompt["id"]}));
    assert_eq!(another.status, 409, "{}", another.body);
    // Without one, each is a prompt.
    program.post(&path, &json!({"text": "fourth"}));
    program.post(&path, &json!({"text": "fourth"}));
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM prompts"), [4]);
}

#[test]
fn several_steps_of_one_line_come_one_by_one() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let long = "long ".repeat(80);
    let prompt = json!({"text": format!("[[say: {long}]]")});
    let asked = program.post(&format!("/sessions/{session}/prompts"), &prompt);
    let run = program.json(&asked)["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    program.events(&run, None);
    in_two_blocks(&machine, long.trim());
    let all = steps(&program.events(&run, None));
    assert!(all.iter().any(|step| step.id.ends_with(".0")), "{all:?}");
    for (number, step) in all.iter().enumerate() {
        let rest = steps(&program.events(&run, Some(&step.id)));
        assert_eq!(rest, all[number + 1..], "behind {}", step.id);
    }
}

/// Writes the line with this text anew, as long as before, with two texts.
fn in_two_blocks(machine: &Machine, text: &str) {
    for folder in fs::read_dir(machine.data().join("runs")).expect("records") {
        let path = folder.expect("a record").path().join("events.jsonl");
        let record = fs::read_to_string(&path).expect("a record");
        let of_claude = |line: &&str| line.contains(text) && line.contains(r#""type":"assistant""#);
        let Some(line) = record.lines().find(of_claude) else {
            continue;
        };
        let block = |text: &str| json!({"type": "text", "text": text});
        let blocks =
            json!({"type": "assistant", "message": {"content": [block("one"), block("two")]}});
        let new = format!("{:width$}", blocks.to_string(), width = line.len());
        fs::write(&path, record.replace(line, &new)).expect("it is written");
        return;
    }
    panic!("no record has {text}");
}

#[test]
fn a_run_is_stopped_and_what_does_not_run_is_not() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let begun = machine.folder.path().join("home/begun");
    let stop = format!("/sessions/{session}/stop");
    assert_eq!(program.post(&stop, &Value::Null).status, 409);
    let prompt = json!({"text": "[[bash: touch ~/begun; sleep 1000]] [[say: never]]"});
    let asked = program.post(&format!("/sessions/{session}/prompts"), &prompt);
    let run = program.json(&asked)["run"].clone();
    machine.until("it works", || begun.exists().then_some(()));
    let listed = program.get_json("/sessions?run_state=running");
    assert_eq!(listed["sessions"][0]["last_run"]["run"], run);
    let stopping = program.post(&stop, &Value::Null);
    assert_eq!(stopping.status, 202, "{}", stopping.body);
    assert_eq!(program.json(&stopping)["run"], run);
    program.events(run.as_str().expect("a run"), None);
    let ended = program.get_json(&format!("/runs/{}", run.as_str().expect("a run")));
    assert_eq!(ended["outcome"], "stopped");
    machine.message_with("deploy-script, on the page: Stop");
    assert_eq!(
        program.get_json("/sessions?run_state=running")["sessions"],
        json!([])
    );
}

#[test]
fn checks_run_when_a_program_wants_them() {
    let machine = machine().with("TELECODER_TEST_CMD", "echo '3 passed'");
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let asked = program.post(&format!("/sessions/{session}/verify"), &Value::Null);
    assert_eq!(asked.status, 202, "{}", asked.body);
    let measured = machine.until("they have run", || {
        let session = program.get_json(&format!("/sessions/{session}"));
        let by_hand = session["verifications"][0]["by_hand"] == true;
        (session["measuring"] == false && by_hand).then(|| session["verifications"][0].clone())
    });
    assert_eq!(measured["evidence"]["checks"][0]["ended"], "passed");
    machine.message_with("deploy-script, on the page: Verify");
}

#[test]
fn lists_come_in_pages_and_as_they_are_wanted() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    machine.api.say(TEAM, ADA, "/new@test_coder_bot -");
    machine.message_with("New session");
    machine.until_quiet();
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let first = program.get_json("/sessions?limit=1");
    let next = first["next"].as_str().expect("another page");
    let second = program.get_json(&format!("/sessions?limit=1&after={next}"));
    assert_eq!(second["sessions"][0]["session"], session.as_str());
    assert_eq!(second["next"], Value::Null);
    let team = program.get_json(&format!("/sessions?chat={}&state=ready", TEAM.0));
    assert_eq!(team["sessions"].as_array().map(Vec::len), Some(1));

    machine.ada_says("second");
    machine.message_with("You said: second");
    machine.until_quiet();
    let runs = program.get_json(&format!("/sessions/{session}/runs?limit=1"));
    assert_eq!(runs["runs"][0]["prompts"], json!(["second"]));
    let next = runs["next"].as_str().expect("another page");
    let older = program.get_json(&format!("/sessions/{session}/runs?limit=1&after={next}"));
    assert_eq!(older["runs"][0]["prompts"], json!(["first"]));
    assert_eq!(older["next"], Value::Null);
    let one = program.get_json(&format!("/sessions/{session}"));
    assert_eq!(one["last_runs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_file_of_the_workspace_is_got_and_nothing_else() {
    let machine = machine();
    let bot = machine.start();
    let session = begun(&machine);
    let program = Program::of_owner(&machine, address(&machine, &bot));
    let one = program.get_json(&format!("/sessions/{session}"));
    let workspace = std::path::PathBuf::from(one["workspace"].as_str().expect("a folder"));
    fs::create_dir(workspace.join("folder")).expect("a folder");
    fs::write(workspace.join("a.txt"), "of the workspace").expect("a file");
    fs::write(workspace.join("folder/.env"), "KEY=1").expect("a file");
    std::os::unix::fs::symlink("/etc/hostname", workspace.join("out")).expect("a link");
    std::os::unix::fs::symlink("folder/.env", workspace.join("harmless")).expect("a link");
    for (path, status) in [
        ("a.txt", 200),
        ("folder", 400),
        ("folder/.env", 403),
        ("harmless", 403),
        ("out", 403),
        ("../../telecoder.db", 403),
        ("/etc/hostname", 403),
        ("nothing", 404),
        (".git/config", 403),
    ] {
        let got = program.get(&format!(
            "/sessions/{session}/files?path={}",
            path.replace('/', "%2F")
        ));
        assert_eq!(got.status, status, "{path}: {}", got.body);
        if status == 200 {
            assert_eq!(got.body, "of the workspace");
        }
    }
    assert_eq!(
        program.get(&format!("/sessions/{session}/files")).status,
        400
    );
}

#[test]
fn a_token_of_somebody_else_sees_and_does_only_what_they_may() {
    let machine = machine()
        .with("TELECODER_TG_ALLOWED_USERS", "7,8")
        .with("TELECODER_TG_ALLOWED_CHATS", TEAM.0.to_string());
    let bot = machine.start();
    let session = begun(&machine);
    let owner = Program::of_owner(&machine, address(&machine, &bot));
    let run = owner.get_json(&format!("/sessions/{session}/runs"))["runs"][0]["run"].clone();
    let run = run.as_str().expect("a run");
    let graces = Program::of(&machine, owner.address(), GRACE);
    assert_eq!(
        graces.get_json("/sessions"),
        json!({"sessions": [], "next": null})
    );
    for path in [
        format!("/sessions/{session}"),
        format!("/sessions/{session}/runs"),
        format!("/sessions/{session}/files?path=x"),
        format!("/runs/{run}"),
        format!("/runs/{run}/events"),
        format!("/runs/{run}/diff"),
        format!("/runs/{run}/questions"),
    ] {
        assert_eq!(graces.get(&path).status, 404, "{path}");
    }
    for (path, body) in [
        ("prompts", json!({"text": "mine now"})),
        ("stop", Value::Null),
        ("verify", Value::Null),
    ] {
        let refused = graces.post(&format!("/sessions/{session}/{path}"), &body);
        assert_eq!(refused.status, 404, "{path}");
    }
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);

    // In a group that she is in she may do what others may.
    machine.api.say(TEAM, ADA, "/new@test_coder_bot -");
    machine.message_with("New session");
    machine.until_quiet();
    let listed = graces.get_json("/sessions");
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
    let teams = listed["sessions"][0]["session"]
        .as_str()
        .expect("a session");
    let asked = graces.post(
        &format!("/sessions/{teams}/prompts"),
        &json!({"text": "for us"}),
    );
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert_eq!(machine.message_with("another, on the page:").chat, TEAM.0);
    machine.until_quiet();
    drop(bot);

    // She may not use the bot any more.
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7");
    let bot = machine.start();
    let graces = Program {
        browser: crate::support::browser::Browser::new(address(&machine, &bot)),
        ..graces
    };
    assert_eq!(graces.get("/sessions").status, 401);
}
