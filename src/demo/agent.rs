//! A scripted stand-in for claude: speaks its stream format, thinks nothing.
//!
//! Only for `telecoder demo` on a machine without claude. Takes its prompts from stdin as claude does with
//! `--input-format stream-json`, and shows what a run looks like: tools, words that stream, an answer.

use std::fs::OpenOptions;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

/// What the stand-in writes into, in the workspace.
const NOTES: &str = "notes.md";

/// One thing the stand-in is told.
enum Told {
    Prompt { line: Value, text: String },
    Interrupt { request: Value },
    EndSession { request: Value },
}

/// Answers prompts until it is told to end. `arguments` are those that claude would get.
pub fn answer(arguments: &[String]) -> anyhow::Result<()> {
    match arguments.first().map(String::as_str) {
        Some("--version") => {
            println!("stand-in");
            return Ok(());
        }
        Some("auth") => {
            println!("{}", json!({"loggedIn": true}));
            return Ok(());
        }
        _ => {}
    }
    let session = arguments
        .iter()
        .position(|argument| argument == "--session-id" || argument == "--resume")
        .and_then(|at| arguments.get(at + 1))
        .cloned()
        .unwrap_or_else(|| Uuid::new_v4().to_string());
    let resumed = arguments.iter().any(|argument| argument == "--resume");
    let mut agent = Agent {
        session,
        resumed,
        told: listen(),
    };
    while let Ok(told) = agent.told.recv() {
        match told {
            Told::Prompt { line, text } => {
                if agent.turn(line, &text)? {
                    return Ok(());
                }
            }
            Told::Interrupt { request } => acknowledge(&request)?,
            Told::EndSession { request } => {
                acknowledge(&request)?;
                return Ok(());
            }
        }
    }
    Ok(())
}

struct Agent {
    session: String,
    resumed: bool,
    told: Receiver<Told>,
}

/// What cut a turn short.
enum Cut {
    Interrupted,
    Ended,
}

impl Agent {
    /// One turn; returns true when the process is to end.
    fn turn(&mut self, mut line: Value, prompt: &str) -> io::Result<bool> {
        self.say(
            json!({"type": "system", "subtype": "session_state_changed", "state": "running"}),
        )?;
        self.say(json!({"type": "system", "subtype": "init", "model": "stand-in", "cwd": "."}))?;
        line["isReplay"] = json!(true);
        self.say(line)?;
        let cut = self.play(prompt)?;
        if let Some(Cut::Interrupted) = cut {
            self.say(json!({
                "type": "result", "subtype": "error_during_execution", "is_error": true,
                "terminal_reason": "aborted_tools", "total_cost_usd": 0.0, "errors": [],
            }))?;
        }
        self.say(json!({"type": "system", "subtype": "session_state_changed", "state": "idle"}))?;
        self.resumed = true;
        Ok(matches!(cut, Some(Cut::Ended)))
    }

    fn play(&mut self, prompt: &str) -> io::Result<Option<Cut>> {
        let slow = prompt.to_lowercase().contains("slow");
        let step = Duration::from_millis(if slow { 2_500 } else { 300 });
        for (number, (name, input, result)) in [
            ("Bash", json!({"command": "git status --short"}), ""),
            ("Read", json!({"file_path": NOTES}), ""),
            ("Write", json!({"file_path": NOTES}), "written"),
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("toolu_{number}");
            self.assistant(json!({"type": "tool_use", "id": id, "name": name, "input": input}))?;
            if let Some(cut) = self.pause(step)? {
                return Ok(Some(cut));
            }
            self.say(json!({"type": "user", "parent_tool_use_id": null, "message": {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": id, "content": result, "is_error": false}],
            }}))?;
        }
        take_note(prompt)?;
        let text = self.words(prompt);
        for word in text.split_inclusive(' ') {
            self.say(json!({"type": "stream_event", "parent_tool_use_id": null, "event": {
                "type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word},
            }}))?;
        }
        self.assistant(json!({"type": "text", "text": text}))?;
        self.say(json!({
            "type": "result", "subtype": "success", "is_error": false, "result": text,
            "total_cost_usd": 0.0, "terminal_reason": "completed", "num_turns": 1,
        }))?;
        Ok(None)
    }

    fn words(&self, prompt: &str) -> String {
        let quoted = prompt
            .lines()
            .map(|line| format!("> {line}"))
            .collect::<Vec<_>>()
            .join("\n");
        let again = if self.resumed {
            "This goes on in the same conversation as before.\n\n"
        } else {
            ""
        };
        format!(
            "{again}You wrote:\n\n{quoted}\n\nI am a **scripted stand-in** and have only added that to \
             `{NOTES}`: /diff shows it, /undo takes it back. Text looks like this:\n\n- *lists*, `code`, [links](https://example.com)\n\
             - and blocks:\n\n```rust\nfn main() {{\n    println!(\"hello\");\n}}\n```\n\n\
             Write `slow` to see a longer run, and /stop to end it."
        )
    }

    /// Waits as work would, unless it is interrupted.
    fn pause(&mut self, length: Duration) -> io::Result<Option<Cut>> {
        match self.told.recv_timeout(length) {
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(None),
            Ok(Told::Interrupt { request }) => {
                acknowledge(&request)?;
                Ok(Some(Cut::Interrupted))
            }
            Ok(Told::EndSession { request }) => {
                acknowledge(&request)?;
                Ok(Some(Cut::Ended))
            }
            // The bot sends one prompt a run.
            Ok(Told::Prompt { .. }) => Ok(None),
        }
    }

    fn assistant(&self, block: Value) -> io::Result<()> {
        self.say(
            json!({"type": "assistant", "parent_tool_use_id": null, "message": {
                "role": "assistant", "content": [block],
            }}),
        )
    }

    fn say(&self, mut line: Value) -> io::Result<()> {
        line["session_id"] = json!(self.session);
        print_line(&line)
    }
}

/// The one thing that the stand-in really does, so that there is something to be measured.
fn take_note(prompt: &str) -> io::Result<()> {
    let mut notes = OpenOptions::new().append(true).create(true).open(NOTES)?;
    for line in prompt.lines() {
        writeln!(notes, "- {line}")?;
    }
    Ok(())
}

fn acknowledge(request: &Value) -> io::Result<()> {
    print_line(&json!({"type": "control_response", "response": {
        "subtype": "success", "request_id": request["request_id"],
    }}))
}

fn print_line(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn listen() -> Receiver<Told> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            let Ok(line) = serde_json::from_str::<Value>(&line) else {
                return;
            };
            let told = match (line["type"].as_str(), line["request"]["subtype"].as_str()) {
                (Some("user"), _) => {
                    let text = line["message"]["content"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    Told::Prompt { line, text }
                }
                (_, Some("interrupt")) => Told::Interrupt { request: line },
                (_, Some("end_session")) => Told::EndSession { request: line },
                _ => continue,
            };
            if tell.send(told).is_err() {
                return;
            }
        }
    });
    told
}
