//! A scripted stand-in for claude: speaks its stream format, but does not think.
//!
//! Only for `telecoder demo` on a machine without claude. Takes its prompts from stdin as claude does with
//! `--input-format stream-json`, and shows what a run looks like: tools, words that stream, an answer.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

/// The file that the stand-in writes, in the workspace.
const NOTES: &str = "notes.md";

/// One message to the stand-in.
enum Told {
    Prompt {
        line: Value,
        text: String,
    },
    /// The answer to its question.
    Answer {
        allowed: bool,
    },
    Interrupt {
        request: Value,
    },
    EndSession {
        request: Value,
    },
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
        waiting: VecDeque::new(),
    };
    loop {
        let told = match agent.waiting.pop_front() {
            Some((line, text)) => Told::Prompt { line, text },
            None => match agent.told.recv() {
                Ok(told) => told,
                Err(_) => return Ok(()),
            },
        };
        match told {
            Told::Prompt { line, text } => {
                if agent.turn(line, &text)? {
                    return Ok(());
                }
            }
            Told::Answer { .. } => {}
            Told::Interrupt { request } => acknowledge(&request)?,
            Told::EndSession { request } => {
                acknowledge(&request)?;
                return Ok(());
            }
        }
    }
}

struct Agent {
    session: String,
    resumed: bool,
    told: Receiver<Told>,
    /// Prompts that came during another one.
    waiting: VecDeque<(Value, String)>,
}

/// What cut a turn short.
enum Cut {
    Interrupted,
    Ended,
}

impl Agent {
    /// One turn; returns true when the process is to end.
    fn turn(&mut self, line: Value, prompt: &str) -> io::Result<bool> {
        self.say(
            json!({"type": "system", "subtype": "session_state_changed", "state": "running"}),
        )?;
        self.say(json!({"type": "system", "subtype": "init", "model": "stand-in", "cwd": "."}))?;
        self.take_up(line)?;
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
        let mut meanwhile = Vec::new();
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
            // Like claude, reads what was written meanwhile at the next step.
            for (line, text) in std::mem::take(&mut self.waiting) {
                self.take_up(line)?;
                meanwhile.push(text);
            }
        }
        let allowed = if prompt.to_lowercase().contains("ask me") {
            self.ask()?;
            match self.answer()? {
                Ok(allowed) => Some(allowed),
                Err(cut) => return Ok(Some(cut)),
            }
        } else {
            None
        };
        take_note(prompt)?;
        let text = self.words(prompt, &meanwhile, allowed);
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

    fn take_up(&self, mut line: Value) -> io::Result<()> {
        line["isReplay"] = json!(true);
        self.say(line)
    }

    /// Asks as claude does before it runs a command.
    fn ask(&self) -> io::Result<()> {
        let input =
            json!({"command": "git clean -n", "description": "Show what git does not know"});
        self.say(json!({"type": "control_request", "request_id": Uuid::new_v4(), "request": {
            "subtype": "can_use_tool", "tool_name": "Bash", "display_name": "Bash", "input": input,
            "description": "Show what git does not know", "permission_suggestions": [],
            "tool_use_id": "toolu_asked",
        }}))
    }

    /// Waits until the question is answered; what is written meanwhile waits.
    fn answer(&mut self) -> io::Result<Result<bool, Cut>> {
        loop {
            match self.told.recv() {
                Ok(Told::Answer { allowed }) => return Ok(Ok(allowed)),
                Ok(Told::Prompt { line, text }) => self.waiting.push_back((line, text)),
                Ok(Told::Interrupt { request }) => {
                    acknowledge(&request)?;
                    return Ok(Err(Cut::Interrupted));
                }
                Ok(Told::EndSession { request }) => {
                    acknowledge(&request)?;
                    return Ok(Err(Cut::Ended));
                }
                Err(_) => return Ok(Err(Cut::Ended)),
            }
        }
    }

    fn words(&self, prompt: &str, meanwhile: &[String], allowed: Option<bool>) -> String {
        let said = quoted(prompt);
        let meanwhile = match meanwhile {
            [] => String::new(),
            texts => format!("Meanwhile you wrote:\n\n{}\n\n", quoted(&texts.join("\n"))),
        };
        let allowed = match allowed {
            None => "",
            Some(true) => "You allowed the command.\n\n",
            Some(false) => "You did not allow the command.\n\n",
        };
        let again = if self.resumed {
            "This is the same conversation as before.\n\n"
        } else {
            ""
        };
        format!(
            "{again}You wrote:\n\n{said}\n\n{meanwhile}{allowed}I am a **scripted stand-in** and have only added that to \
             `{NOTES}`: /diff shows it, /undo takes it back. Text looks like this:\n\n- *lists*, `code`, [links](https://example.com)\n\
             - and blocks:\n\n```rust\nfn main() {{\n    println!(\"hello\");\n}}\n```\n\n\
             Write `slow` to see a longer run, write something while it runs, or /stop to end it. `ask me` shows a \
             question."
        )
    }

    /// Waits like a working claude, unless interrupted.
    fn pause(&mut self, length: Duration) -> io::Result<Option<Cut>> {
        let until = Instant::now() + length;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(None),
                Ok(Told::Interrupt { request }) => {
                    acknowledge(&request)?;
                    return Ok(Some(Cut::Interrupted));
                }
                Ok(Told::EndSession { request }) => {
                    acknowledge(&request)?;
                    return Ok(Some(Cut::Ended));
                }
                Ok(Told::Prompt { line, text }) => self.waiting.push_back((line, text)),
                Ok(Told::Answer { .. }) => {}
            }
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

fn quoted(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("> {line}")).collect();
    lines.join("\n")
}

/// The texts of a prompt, with what comes along.
fn texts_of(content: &Value) -> String {
    match content {
        Value::Array(blocks) => {
            let texts = blocks.iter().filter_map(|block| block["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        content => content.as_str().unwrap_or_default().to_owned(),
    }
}

/// The only real work of the stand-in, so that runs have changes to show.
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
                    let text = texts_of(&line["message"]["content"]);
                    Told::Prompt { line, text }
                }
                (Some("control_response"), _) => Told::Answer {
                    allowed: line["response"]["response"]["behavior"] == "allow",
                },
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
