//! A `claude` that does what the prompt tells it to, for tests.
//!
//! Speaks `--output-format stream-json --input-format stream-json` as claude 2.1.197 was seen to. A prompt
//! is a list of directives, `[[name: argument]]`, obeyed in order; a prompt without one is quoted back.
//! Conversations are kept below `FAKE_CLAUDE_HOME`, bound to their folder as claude's are.

mod asking;
mod login;

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::process::Command;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--version") => {
            println!("2.1.197 (fake claude)");
            return ExitCode::SUCCESS;
        }
        Some("auth") => return login::auth(&arguments),
        _ => {}
    }
    let at_a_terminal = !arguments.iter().any(|argument| argument == "-p");
    match Claude::start(arguments) {
        Ok(claude) if at_a_terminal => claude.at_a_terminal(),
        Ok(mut claude) => {
            let code = claude.live().await;
            // At once: a read of stdin that is under way would keep the runtime from ending.
            std::process::exit(code.into())
        }
        Err(code) => code,
    }
}

struct Background {
    /// When it makes the next turn.
    next: Instant,
    pause: Duration,
    /// What is said in each; with the last one it ends.
    said: VecDeque<String>,
}

struct Claude {
    arguments: Vec<String>,
    session: String,
    input: Lines<BufReader<Stdin>>,
    sigint: SignalStream,
    waiting: VecDeque<Value>,
    /// Work in the background.
    background: Option<Background>,
    /// What has steered the turn.
    heard: Vec<String>,
    /// The ids of the prompts of this turn.
    taken: Vec<Value>,
    /// It does not say that it has read what steers it.
    silent: bool,
    cost: f64,
    stubborn: bool,
    told: asking::Told,
    code: u8,
}

/// What happened while a directive waited.
enum Cut {
    Interrupted,
    Ended,
    Signalled,
}

/// How a turn ended.
enum Turn {
    Over,
    Exit(u8),
}

impl Claude {
    fn start(arguments: Vec<String>) -> Result<Claude, ExitCode> {
        let value = |name: &str| {
            arguments
                .iter()
                .position(|argument| argument == name)
                .and_then(|at| arguments.get(at + 1).cloned())
        };
        let here = std::env::current_dir().unwrap_or_default();
        let session = if let Some(session) = value("--resume") {
            let known = std::fs::read_to_string(transcript(&session).with_extension("cwd"));
            if known.ok().as_deref() != Some(here.to_string_lossy().as_ref()) {
                let text = format!("No conversation found with session ID: {session}");
                say(
                    json!({"type": "result", "subtype": "error_during_execution", "is_error": true,
                    "total_cost_usd": 0, "errors": [text]}),
                );
                eprintln!("{text}");
                return Err(ExitCode::FAILURE);
            }
            session
        } else {
            let session = value("--session-id").unwrap_or_default();
            if transcript(&session).exists() {
                eprintln!("Error: Session ID {session} is already in use.");
                return Err(ExitCode::FAILURE);
            }
            session
        };
        Ok(Claude {
            arguments,
            session,
            input: BufReader::new(tokio::io::stdin()).lines(),
            sigint: signal(SignalKind::interrupt()).expect("signals can be had"),
            waiting: VecDeque::new(),
            background: None,
            heard: Vec::new(),
            taken: Vec::new(),
            silent: false,
            cost: 0.0,
            stubborn: false,
            told: asking::Told::default(),
            code: 0,
        })
    }

    /// Without `-p`: each line that is typed is a prompt, which the hooks hear of; `/clear` begins another
    /// conversation.
    fn at_a_terminal(mut self) -> ExitCode {
        let value = |name: &str| {
            let at = self.arguments.iter().position(|argument| argument == name);
            at.and_then(|at| self.arguments.get(at + 1).cloned())
        };
        let settings: Value = serde_json::from_str(&value("--settings").unwrap_or_default())
            .expect("settings are JSON");
        let hook = settings["hooks"]["UserPromptSubmit"][0]["hooks"][0]["command"]
            .as_str()
            .expect("a hook")
            .to_owned();
        println!("at a terminal, in {}", self.session);
        for line in std::io::stdin().lines() {
            let line = line.expect("a line");
            if line == "/exit" {
                break;
            }
            if line == "/clear" {
                self.session = uuid::Uuid::new_v4().to_string();
                continue;
            }
            let mut shell = std::process::Command::new("sh")
                .args(["-c", &hook])
                .stdin(Stdio::piped())
                .spawn()
                .expect("a hook runs");
            let heard = json!({"session_id": self.session, "hook_event_name": "UserPromptSubmit",
                "prompt": line, "cwd": std::env::current_dir().unwrap_or_default()});
            let mut stdin = shell.stdin.take().expect("its input");
            write!(stdin, "{heard}").expect("it reads");
            drop(stdin);
            shell.wait().expect("it ends");
            self.remember(&line);
            if line == "leave a server running" {
                // It has whatever claude has, the terminal's lock too.
                let started = std::process::Command::new("sh")
                    .args(["-c", "sleep 30 < /dev/null > /dev/null 2>&1 &"])
                    .status();
                assert!(started.is_ok_and(|status| status.success()));
            }
            if let Some(file) = line.strip_prefix("write ") {
                std::fs::write(file, "by hand\n").expect("a file");
            }
            println!("You typed: {line}");
        }
        ExitCode::SUCCESS
    }

    fn permission_mode(&self) -> String {
        let at = self
            .arguments
            .iter()
            .position(|argument| argument == "--permission-mode");
        let mode = at.and_then(|at| self.arguments.get(at + 1));
        // As a claude that does not take a mode.
        let refused = std::env::var("FAKE_CLAUDE_REFUSES_MODE").ok();
        match mode {
            Some(mode) if Some(mode) != refused.as_ref() => mode.clone(),
            _ => "default".to_owned(),
        }
    }

    /// The file that `--settings` names.
    fn settings(&self) -> String {
        let at = self
            .arguments
            .iter()
            .position(|argument| argument == "--settings");
        let file = at.and_then(|at| self.arguments.get(at + 1));
        file.and_then(|file| std::fs::read_to_string(file).ok())
            .unwrap_or_default()
    }

    async fn live(&mut self) -> u8 {
        let delay = std::env::var("FAKE_CLAUDE_START_DELAY").unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(delay.parse().unwrap_or(0))).await;
        loop {
            let prompt = match self.waiting.pop_front() {
                Some(prompt) => prompt,
                None => match self.hear_or_background().await {
                    Ok(Some(prompt)) => prompt,
                    Ok(None) => continue,
                    Err(Cut::Signalled | Cut::Ended) => return self.code,
                    Err(Cut::Interrupted) => continue,
                },
            };
            if let Turn::Exit(code) = self.turn(prompt).await {
                return code;
            }
        }
    }

    /// As [`Claude::hear`], unless work in the background ends before: then it makes a turn about that.
    async fn hear_or_background(&mut self) -> Result<Option<Value>, Cut> {
        let Some(next) = self.background.as_ref().map(|background| background.next) else {
            return self.hear().await;
        };
        tokio::select! {
            heard = self.hear() => return heard,
            () = tokio::time::sleep_until(next) => {}
        }
        let mut background = self.background.take().expect("it was there");
        let text = background.said.pop_front().unwrap_or_default();
        if background.said.is_empty() {
            say(
                json!({"type": "system", "subtype": "task_updated", "task_id": "b1",
                "patch": {"status": "completed"}}),
            );
        } else {
            background.next = Instant::now() + background.pause;
            self.background = Some(background);
        }
        // As seen: the turn about it begins a moment later.
        let moment = Duration::from_millis(60);
        self.unless_cut(tokio::time::sleep(moment)).await?;
        self.state("running");
        self.taken.clear();
        if self.background.is_none() {
            say(
                json!({"type": "system", "subtype": "task_notification", "task_id": "b1",
                "status": "completed", "summary": "done"}),
            );
        }
        self.init();
        match limit() {
            Some(words) => self.fail("rate_limit", &words),
            None => self.result(json!({"result": text, "origin": {"kind": "task-notification"}})),
        }
        self.state("idle");
        Ok(None)
    }

    /// The next line of input: a prompt, or something that was dealt with.
    async fn hear(&mut self) -> Result<Option<Value>, Cut> {
        let line = tokio::select! {
            line = self.input.next_line() => line,
            _ = self.sigint.recv() => {
                return if self.stubborn { Ok(None) } else { Err(Cut::Signalled) };
            }
        };
        let Ok(Some(line)) = line else {
            return Err(Cut::Ended);
        };
        let Ok(line) = serde_json::from_str::<Value>(&line) else {
            eprintln!("Error parsing streaming input line: {line}");
            std::process::exit(1);
        };
        if line["type"] == "user" {
            return Ok(Some(line));
        }
        if self.stubborn {
            return Ok(None);
        }
        if self.told.hear(&line) {
            return Ok(None);
        }
        let subtype = line["request"]["subtype"].as_str().unwrap_or_default();
        let mut response =
            json!({"subtype": "success", "request_id": line["request_id"], "response": {}});
        if subtype == "cancel_async_message" {
            let before = self.waiting.len();
            let wanted = &line["request"]["message_uuid"];
            self.waiting.retain(|prompt| prompt["uuid"] != *wanted);
            response["response"] = json!({"cancelled": self.waiting.len() < before});
        }
        say(json!({"type": "control_response", "response": response}));
        match subtype {
            "interrupt" => Err(Cut::Interrupted),
            "end_session" => Err(Cut::Ended),
            _ => Ok(None),
        }
    }

    /// Waits for `work`, unless something comes in that cuts it short.
    async fn unless_cut<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Cut> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                heard = self.hear() => match heard {
                    Ok(Some(prompt)) => self.waiting.push_back(prompt),
                    Ok(None) => {}
                    Err(cut) => return Err(cut),
                }
            }
        }
    }

    async fn turn(&mut self, line: Value) -> Turn {
        // What waits becomes one turn, but for claude's own commands.
        let mut lines = vec![line];
        while let Some(next) = self.waiting.front()
            && !is_command(&words_of(&next["message"]["content"]))
            && !is_command(&words_of(&lines[0]["message"]["content"]))
        {
            lines.extend(self.waiting.pop_front());
        }
        self.state("running");
        self.hook().await;
        self.taken.clear();
        let last = lines.pop().expect("there is one");
        let mut words: Vec<String> = lines.into_iter().map(|line| self.take_up(line)).collect();
        if words
            .iter()
            .any(|words| words == "[[exit-before-the-turn: 3]]")
        {
            return Turn::Exit(3);
        }
        self.init();
        words.push(self.take_up(last));
        let prompt = words.join("\n");

        self.cost += 0.01;
        if login::is_logged_out() {
            self.fail("authentication_failed", "Not logged in · Please run /login");
            self.state("idle");
            return Turn::Over;
        }
        if let Some(words) = limit() {
            self.fail("rate_limit", &words);
            self.state("idle");
            return Turn::Over;
        }
        let done = self.obey(&prompt).await;
        let turn = match done {
            Ok(turn) => turn,
            Err(cut) => {
                say(
                    json!({"type": "result", "subtype": "error_during_execution", "is_error": true,
                    "terminal_reason": "aborted_tools", "total_cost_usd": self.cost,
                    "session_id": self.session, "errors": ["[ede_diagnostic]"]}),
                );
                self.code = 1;
                match cut {
                    Cut::Interrupted => Turn::Over,
                    Cut::Ended => Turn::Exit(0),
                    Cut::Signalled => Turn::Exit(0),
                }
            }
        };
        if matches!(turn, Turn::Over) {
            self.state("idle");
        }
        turn
    }

    /// What a person has set up to run before each prompt but the first, without a word about it.
    async fn hook(&self) {
        let takes = std::env::var("FAKE_CLAUDE_HOOK_TAKES").unwrap_or_default();
        if self.cost > 0.0 {
            tokio::time::sleep(Duration::from_millis(takes.parse().unwrap_or(0))).await;
        }
    }

    /// claude says that it has read a prompt; returns its words.
    fn take_up(&mut self, mut line: Value) -> String {
        let content = line["message"]["content"].clone();
        note_input(&content);
        let words = words_of(&content);
        if let Ok(bytes) = std::env::var("FAKE_CLAUDE_ECHO_FILLER") {
            line["message"]["filler"] = json!("x".repeat(bytes.parse().unwrap_or(0)));
        }
        self.taken.push(line["uuid"].clone());
        if !self.silent {
            line["isReplay"] = json!(true);
            say(line);
        }
        self.remember(&words);
        words
    }

    /// A tool has ended: what was written meanwhile steers the turn.
    fn steer(&mut self) {
        while self
            .waiting
            .front()
            .is_some_and(|next| !is_command(&words_of(&next["message"]["content"])))
        {
            let next = self.waiting.pop_front().expect("there is one");
            let words = self.take_up(next);
            self.heard.push(words);
        }
    }

    async fn obey(&mut self, prompt: &str) -> Result<Turn, Cut> {
        let directives = parse(prompt);
        if directives.is_empty() {
            return Ok(self.plain(prompt));
        }
        let mut last_text = String::new();
        for (name, argument) in directives {
            let (first, rest) = argument.split_once(' ').unwrap_or((argument.as_str(), ""));
            match name.as_str() {
                "say" => {
                    last_text = argument.clone();
                    self.text(&argument);
                }
                "repeat" => {
                    let count = first.parse().unwrap_or(1);
                    last_text = vec![rest; count].join("\n\n");
                    self.text(&last_text);
                }
                "seen" => last_text = json!(prompt).to_string(),
                "recall" => last_text = self.earlier(),
                "argv" => last_text = json!(self.arguments).to_string(),
                "settings" => last_text = self.settings(),
                "cwd" => {
                    last_text = std::env::current_dir()
                        .unwrap_or_default()
                        .display()
                        .to_string()
                }
                "env" => {
                    let names: Vec<String> = std::env::vars_os()
                        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
                        .collect();
                    last_text = names.join("\n");
                }
                "words" => {
                    let count: usize = first.parse().unwrap_or(1);
                    for number in 0..count {
                        self.delta(&format!("word {number} "));
                        let pause = Duration::from_millis(rest.parse().unwrap_or(0));
                        self.unless_cut(tokio::time::sleep(pause)).await?;
                    }
                }
                "sleep" => {
                    let pause = Duration::from_millis(argument.parse().unwrap_or(0));
                    self.unless_cut(tokio::time::sleep(pause)).await?;
                }
                "tool" => {
                    self.tool_use("toolu_1", first, rest);
                    self.tool_result("toolu_1", "ok", false);
                }
                "tools" => {
                    let count: usize = argument.parse().unwrap_or(1);
                    for number in 0..count {
                        let id = format!("toolu_{number}");
                        self.tool_use(&id, "Bash", &format!("echo {number}"));
                        self.tool_result(&id, &format!("{number}"), false);
                    }
                }
                "bash" => {
                    self.tool_use("toolu_bash", "Bash", &argument);
                    let (code, output) = self.bash(&argument).await?;
                    match code {
                        0 => self.tool_result("toolu_bash", &output, false),
                        code => {
                            let result = format!("Exit code {code}\n{output}");
                            self.tool_result("toolu_bash", &result, true);
                        }
                    }
                    self.steer();
                }
                "heard" => {
                    last_text = format!("Heard meanwhile: {}", self.heard.join(" / "));
                }
                "ask" => last_text = self.ask(&argument).await?,
                "ask-for" => last_text = self.ask_for_a_while(&argument).await?,
                "ask-raw" => last_text = self.ask_raw(&argument).await?,
                "question" => last_text = self.ask(&format!("AskUserQuestion {argument}")).await?,
                "plan" => {
                    let input = json!({"plan": argument});
                    last_text = self.ask(&format!("ExitPlanMode {input}")).await?;
                }
                "told" => last_text = self.told.in_words(),
                "raw" => print_raw(argument.as_bytes()),
                "flood" => loop {
                    for number in 0..100 {
                        self.tool_use("toolu_flood", "Bash", &format!("echo {number}"));
                    }
                    self.unless_cut(tokio::time::sleep(Duration::from_micros(100)))
                        .await?;
                },
                "raw-bytes" => print_raw(&[0xff, 0xfe, b'{', 0x80]),
                "torn" => print_torn(b"{\"type\":\"assistant\",\"mess"),
                "long-line" => {
                    let filler = "x".repeat(argument.parse().unwrap_or(0));
                    self.tool_result("toolu_x", &filler, false);
                }
                "retry" => {
                    say(
                        json!({"type": "system", "subtype": "api_retry", "attempt": first.parse::<u32>().unwrap_or(1),
                        "max_retries": 10, "retry_delay_ms": 4000.0, "error_status": 529, "error": rest}),
                    );
                }
                "limit" => {
                    self.fail("rate_limit", &argument);
                    return Ok(Turn::Over);
                }
                // In how many seconds it goes comes last.
                "rate-limit" => {
                    let resets_at =
                        jiff::Timestamp::now().as_second() + rest.parse::<i64>().unwrap_or(0);
                    say(
                        json!({"type": "rate_limit_event", "session_id": self.session, "rate_limit_info": {
                        "status": first, "resetsAt": resets_at, "rateLimitType": "five_hour",
                        "utilization": 0.9, "isUsingOverage": false}}),
                    );
                }
                "fail" => {
                    self.fail(first, rest);
                    return Ok(Turn::Over);
                }
                "denied" => {
                    self.result(json!({"result": "I was not permitted.",
                        "permission_denials": [{"tool_name": argument, "tool_use_id": "t", "tool_input": {}}]}));
                    return Ok(Turn::Over);
                }
                "stderr" => eprintln!("{argument}"),
                // So many bytes more, without taking room on the disk.
                "stderr-hole" => {
                    let stderr = std::io::stderr();
                    let log = std::os::fd::AsFd::as_fd(&stderr).try_clone_to_owned();
                    let log = std::fs::File::from(log.expect("stderr is open"));
                    let bytes = argument.parse().expect("a number");
                    log.set_len(bytes).expect("a hole can be made");
                }
                "exit" => return Ok(Turn::Exit(argument.parse().unwrap_or(0))),
                "die" => {
                    let _ = kill_process(getpid(), Signal::KILL);
                }
                "stubborn" => self.stubborn = true,
                "silent" => self.silent = true,
                "discard" => {
                    let dropped = self.waiting.pop_front().expect("something waits");
                    say(
                        json!({"type": "command_lifecycle", "command_uuid": dropped["uuid"],
                        "state": "discarded", "session_id": self.session}),
                    );
                }
                "background" => {
                    let pause = Duration::from_millis(first.parse().unwrap_or(0));
                    say(
                        json!({"type": "system", "subtype": "task_started", "task_id": "b1",
                        "description": "the build", "task_type": "local_bash"}),
                    );
                    self.background = Some(Background {
                        next: Instant::now() + pause,
                        pause,
                        // More than one: a monitor, with a turn for each line.
                        said: rest.split(" | ").map(str::to_owned).collect(),
                    });
                    last_text = "The build is running.".to_owned();
                }
                other => last_text = format!("bad directive: {other}"),
            }
        }
        self.heard.clear();
        self.result(json!({"result": last_text}));
        Ok(Turn::Over)
    }

    /// A prompt without directives, the commands that claude has of its own included.
    fn plain(&mut self, prompt: &str) -> Turn {
        let text = match prompt.split_whitespace().next() {
            Some("/compact") => {
                say(json!({"type": "system", "subtype": "compact_boundary",
                    "compact_metadata": {"trigger": "manual", "pre_tokens": 19225, "post_tokens": 586}}));
                String::new()
            }
            Some("/clear") => {
                self.session = format!("{}-cleared", self.session);
                self.remember(prompt);
                self.init();
                String::new()
            }
            Some("/context") => {
                "## Context Usage\n\n| Category | Tokens |\n|---|---|\n| Messages | 20 |".into()
            }
            Some(word) if word.starts_with('/') && is_command_like(word) => {
                format!("Unknown command: {word}")
            }
            _ => format!("You said: {prompt}"),
        };
        if !text.is_empty() {
            self.text(&text);
        }
        self.result(json!({"result": text}));
        Turn::Over
    }

    /// As claude does it: a session of its own, so that no signal to claude reaches it. Returns the exit code and what
    /// was printed.
    async fn bash(&mut self, command: &str) -> Result<(i32, String), Cut> {
        let mut child = Command::new("setsid")
            .args(["/bin/bash", "-c", &format!("exec 2>&1\n{command}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bash starts");
        let group = child.id().unwrap_or_default();
        let mut output = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut code = 0;
        let finished = self
            .unless_cut(async {
                let ended = child.wait().await;
                code = ended.ok().and_then(|status| status.code()).unwrap_or(0);
                // A child that was left behind may hold the pipe.
                while let Ok(Ok(Some(line))) =
                    tokio::time::timeout(Duration::from_millis(50), lines.next_line()).await
                {
                    output.push_str(&line);
                    output.push('\n');
                }
            })
            .await;
        if let Err(cut) = finished {
            let group = i32::try_from(group).ok().and_then(Pid::from_raw);
            let _ = kill_process_group(group.expect("bash has an id"), Signal::KILL);
            return Err(cut);
        }
        Ok((code, output))
    }

    fn init(&self) {
        say(
            json!({"type": "system", "subtype": "init", "session_id": self.session,
            "model": self.told.model().unwrap_or("claude-fake-1[1m]"), "cwd": std::env::current_dir().unwrap_or_default(),
            "permissionMode": self.permission_mode(), "claude_code_version": "2.1.197"}),
        );
    }

    fn state(&self, state: &str) {
        let is_old = std::env::var_os("FAKE_CLAUDE_WITHOUT_STATES").is_some();
        if !is_old && std::env::var_os("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS").is_some() {
            say(json!({"type": "system", "subtype": "session_state_changed", "state": state}));
        }
    }

    fn delta(&self, text: &str) {
        say(
            json!({"type": "stream_event", "parent_tool_use_id": null, "event": {
            "type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}}),
        );
    }

    fn text(&self, text: &str) {
        self.delta(text);
        self.assistant(json!({"type": "text", "text": text}));
    }

    fn tool_use(&self, id: &str, name: &str, argument: &str) {
        self.assistant(
            json!({"type": "tool_use", "id": id, "name": name, "input": {"command": argument}}),
        );
    }

    fn tool_result(&self, id: &str, text: &str, is_error: bool) {
        say(
            json!({"type": "user", "parent_tool_use_id": null, "message": {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": id, "content": text, "is_error": is_error}]}}),
        );
    }

    fn assistant(&self, block: Value) {
        say(
            json!({"type": "assistant", "parent_tool_use_id": null, "session_id": self.session,
            "message": {"id": "msg_1", "role": "assistant", "content": [block], "stop_reason": null}}),
        );
    }

    fn fail(&mut self, kind: &str, text: &str) {
        say(
            json!({"type": "assistant", "parent_tool_use_id": null, "error": kind, "message": {
            "model": "<synthetic>", "role": "assistant", "content": [{"type": "text", "text": text}]}}),
        );
        self.result(json!({"is_error": true, "result": text}));
        self.code = 1;
    }

    fn result(&self, fields: Value) {
        let mut line = json!({"type": "result", "subtype": "success", "is_error": false, "num_turns": 1,
            "total_cost_usd": self.cost, "session_id": self.session, "terminal_reason": "completed",
            "user_message_uuids": self.taken, "permission_denials": []});
        if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
            line.extend(fields);
        }
        say(line);
    }

    fn remember(&self, prompt: &str) {
        let path = transcript(&self.session);
        let here = std::env::current_dir().unwrap_or_default();
        let _ = std::fs::create_dir_all(path.parent().expect("it has a folder"));
        let _ = std::fs::write(
            path.with_extension("cwd"),
            here.to_string_lossy().as_bytes(),
        );
        // The transcript is this session's; the ledger says of all of them what was begun with, and how often.
        let line = format!("{}\n", json!(prompt));
        for file in [path.with_file_name("ledger"), path] {
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(file)
                .expect("the transcript can be written");
            let _ = file.write_all(line.as_bytes());
        }
    }

    fn earlier(&self) -> String {
        let all = std::fs::read_to_string(transcript(&self.session)).unwrap_or_default();
        let prompts: Vec<String> = all
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let earlier = &prompts[..prompts.len().saturating_sub(1)];
        if earlier.is_empty() {
            return "No earlier prompts.".into();
        }
        format!("Earlier prompts: {}", earlier.join(" / "))
    }
}

/// The account has hit a usage limit as long as there is this file, which has the words for it.
fn limit() -> Option<String> {
    let home = std::env::var_os("FAKE_CLAUDE_HOME")?;
    std::fs::read_to_string(PathBuf::from(home).join("limit")).ok()
}

fn transcript(session: &str) -> PathBuf {
    let home = std::env::var_os("FAKE_CLAUDE_HOME").expect("FAKE_CLAUDE_HOME is set");
    PathBuf::from(home).join(format!("{session}.jsonl"))
}

/// Everything that reached it, as it came, whatever the session.
fn note_input(content: &Value) {
    let path = transcript("any").with_file_name("inputs");
    let _ = std::fs::create_dir_all(path.parent().expect("it has a folder"));
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .expect("the inputs can be written");
    let _ = writeln!(file, "{content}");
}

/// The texts of a prompt, one below the other where it has several blocks.
fn words_of(content: &Value) -> String {
    if let Value::String(text) = content {
        return text.clone();
    }
    let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    texts.join("\n")
}

fn parse(prompt: &str) -> Vec<(String, String)> {
    let mut directives = Vec::new();
    let mut rest = prompt;
    while let Some(start) = rest.find("[[") {
        let Some(length) = rest[start..].find("]]") else {
            break;
        };
        let inside = &rest[start + 2..start + length];
        let (name, argument) = inside.split_once(": ").unwrap_or((inside, ""));
        directives.push((name.to_owned(), argument.to_owned()));
        rest = &rest[start + length + 2..];
    }
    directives
}

fn is_command(prompt: &str) -> bool {
    let word = prompt.split_whitespace().next().unwrap_or_default();
    word.starts_with('/') && is_command_like(word)
}

fn is_command_like(word: &str) -> bool {
    word[1..]
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))
        && word.len() > 1
}

fn say(line: Value) {
    print_raw(line.to_string().as_bytes());
}

fn print_raw(line: &[u8]) {
    let mut line = line.to_vec();
    line.push(b'\n');
    print_torn(&line);
}

fn print_torn(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes);
    let _ = out.flush();
}
