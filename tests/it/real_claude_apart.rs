//! What only a newer claude has: other sessions of the same machine, which can do nothing to a chat's or it to them, and
//! monitors.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use telecoder::domain::id::ChatId;

use crate::real_claude::{machine, start};
use crate::support::{GRACE, Machine};

/// A claude that somebody runs on the machine beside telecoder, with every tool and with settings of its own.
struct Outsider<'a> {
    machine: &'a Machine,
    process: Child,
    output: PathBuf,
}

impl Outsider<'_> {
    fn start(machine: &Machine) -> Outsider<'_> {
        let output = machine.folder.path().join("outsider.jsonl");
        let process = Command::new(&machine.environment["TELECODER_RUNTIME"])
            .args(["-p", "--verbose", "--output-format", "stream-json"])
            .args(["--input-format", "stream-json"])
            .args(["--permission-mode", "bypassPermissions"])
            .env_clear()
            .envs(&machine.environment)
            .current_dir(machine.folder.path())
            .stdin(Stdio::piped())
            .stdout(File::create(&output).expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("claude starts");
        Outsider {
            machine,
            process,
            output,
        }
    }

    fn is_told(&mut self, prompt: &str) {
        let line = json!({"type": "user", "message": {"role": "user", "content": prompt}});
        let input = self.process.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "{line}").expect("claude reads");
    }

    /// Its first answer that has `part` in it.
    fn answer_with(&self, part: &str) -> String {
        self.machine
            .until(&format!("the outsider answers with {part:?}"), || {
                let output = std::fs::read_to_string(&self.output).expect("its output");
                let lines = output.lines().filter(|line| line.contains("\"result\""));
                let mut answers = lines
                    .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                    .filter_map(|line| Some(line["result"].as_str()?.to_owned()));
                answers.find(|answer| answer.contains(part))
            })
    }
}

impl Drop for Outsider<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What claude has written down of the chat's conversation.
fn conversation(machine: &Machine) -> String {
    let projects = PathBuf::from(&machine.environment["HOME"]).join(".claude/projects");
    let folders = std::fs::read_dir(projects).expect("conversations");
    let of_chat = |path: &PathBuf| path.display().to_string().contains("-workspaces-");
    let mut files = folders
        .map(|folder| folder.expect("a folder").path())
        .filter(of_chat)
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"))
        .map(|file| file.expect("a file").path())
        .filter(|file| file.is_file());
    let file = files.next().expect("one conversation");
    std::fs::read_to_string(file).expect("it can be read")
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_claude_beside_telecoder_finds_the_session_of_a_chat_and_begins_no_turn_in_it() {
    let machine = machine();
    let _bot = start(&machine);
    let released = machine.data().join("released");
    machine.ada_says(&format!(
        r#"[[tool: Bash {{"command":"until [ -e {} ]; do sleep 0.1; done"}}]] [[say: undisturbed]]"#,
        released.display()
    ));
    machine.message_with("until [ -e");
    let mut outsider = Outsider::start(&machine);
    outsider.is_told("[[tool: ListAgents {}]] [[results]]");
    let found = outsider.answer_with("Peer sessions (1):");
    let (_, peer) = found.split_once("Peer sessions (1):\n  ").expect("a list");
    let (name, _) = peer.split_once(" [").expect("a name");
    outsider.is_told(&format!(
        r#"[[tool: SendMessage {{"to":"{name}","summary":"a turn","message":"words of a stranger"}}]] [[results]]"#
    ));
    outsider.answer_with("in that session's inbox");
    // The refusal begins a turn in it.
    let notice = outsider.answer_with("You said: ");
    assert!(notice.contains("refuse"), "{notice}");
    std::fs::write(released, "").expect("a file");
    let answer = machine.message_with("undisturbed");
    assert!(answer.text.contains("1 tool call"), "{}", answer.text);
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    let conversation = conversation(&machine);
    assert!(conversation.contains("undisturbed"), "{conversation}");
    assert!(
        !conversation.contains("words of a stranger"),
        "{conversation}"
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_real_claude_of_one_chat_neither_finds_nor_writes_to_that_of_another() {
    let machine = machine().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = start(&machine);
    let released = machine.data().join("released");
    machine.api.say(
        ChatId(8),
        GRACE,
        &format!(
            r#"[[tool: Bash {{"command":"until [ -e {} ]; do sleep 0.1; done"}}]] [[say: undisturbed]]"#,
            released.display()
        ),
    );
    machine.message_with("until [ -e");
    machine.ada_says(
        r#"[[tool+: ListAgents {}]] [[tool: SendMessage {"to":"*","summary":"a turn","message":"begin"}]] [[results]]"#,
    );
    let refused = machine.message_with("No such tool available: ListAgents");
    assert!(
        refused.text.contains("No such tool available: SendMessage"),
        "{refused:?}"
    );
    std::fs::write(released, "").expect("a file");
    let answer = machine.message_with("undisturbed");
    assert_eq!(answer.chat, 8);
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn each_line_of_a_monitor_of_the_real_claude_is_a_run_and_rings_when_it_says_something_new() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Monitor {"command":"for i in 1 2 3; do echo tick $i; sleep 2; done","description":"ticks"}]] [[say: Watching.]]"#,
    );
    machine.message_with("still running in the background: ticks. /stop ends it.");
    machine.until("the monitor has ended", || {
        let resting = machine.rows("SELECT count(*) FROM processes WHERE until IS NULL");
        let runs = machine.rows("SELECT count(*) FROM runs WHERE outcome = 'completed'")[0];
        (resting == [0] && runs >= 4 && machine.is_quiet()).then_some(())
    });
    let by_prompt =
        "SELECT count(*) FROM runs r WHERE EXISTS (SELECT 1 FROM prompts p WHERE p.run_id = r.id)";
    assert_eq!(machine.rows(by_prompt), [1]);
    let one = "SELECT count(DISTINCT coalesce(process_id, id)) FROM runs";
    assert_eq!(machine.rows(one), [1], "one claude");
    let ticks: Vec<_> = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.starts_with("done"))
        .collect();
    let all = machine.bot_messages();
    assert!(ticks.len() >= 2, "{all:#?}");
    assert!(!ticks[0].silent);
    assert!(ticks[1].silent, "it says the same");
}
