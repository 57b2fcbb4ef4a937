//! A scripted stand-in for the Messages API, so that the real claude can be tried without a network.
//!
//! The prompt says what the model does, as a list of directives: `[[say: text]]`,
//! `[[tool: Bash {"command":"ls"}]]` (ends a response; what follows is the next one), `[[sleep: ms]]`,
//! `[[tool+: ...]]` (the next tool is in the same response), `[[results]]` (what the last tools gave back),
//! `[[words: count pause-ms]]`, `[[error: status]]`, `[[recall]]` (the prompts before this one), `[[seen]]` (the last
//! prompt as it arrived, as a JSON string in a code block), `[[pictures]]` (its pictures, in base64) and
//! `[[system: part]]` (the line of the system prompt that has this in it). Without one it quotes the prompt.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Starts it on a free port and returns its address.
pub async fn start() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("its number"));
    let router = Router::new()
        .route("/v1/messages", post(messages))
        .route(
            "/v1/messages/count_tokens",
            post(|| async { axum::Json(json!({"input_tokens": 100})) }),
        )
        .fallback(any(|| async { axum::Json(json!({"data": []})) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

enum Step {
    Text(String),
    Words { count: usize, pause: Duration },
    Tool { name: String, input: Value },
    Sleep(Duration),
    Error(u16),
}

async fn messages(body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let steps = response_of(&body);
    if let Some(Step::Error(status)) = steps.first() {
        let kind = match status {
            401 => "authentication_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        let body = json!({"type": "error", "error": {"type": kind, "message": kind}});
        return (
            StatusCode::from_u16(*status).expect("a status"),
            axum::Json(body),
        )
            .into_response();
    }
    if body["stream"] != json!(true) {
        return axum::Json(whole(&body, &steps)).into_response();
    }
    let events = stream::iter(events(&body, steps)).then(|(pause, event)| async move {
        tokio::time::sleep(pause).await;
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        Ok::<_, Infallible>(format!("event: {kind}\ndata: {event}\n\n"))
    });
    (
        [(header::CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}

/// The response that is due: the directives between the tools that have run and the next one.
fn response_of(body: &Value) -> Vec<Step> {
    let none = Vec::new();
    let messages = body["messages"].as_array().unwrap_or(&none);
    let (at, prompt) = current_prompt(messages);
    if prompt.contains("create a detailed summary of") {
        // claude compacts the conversation, which takes the time that a prompt in it wants.
        return vec![
            Step::Sleep(pause_of_summary(body)),
            Step::Text("<summary>A summary.</summary>".into()),
        ];
    }
    let directives = parse(&prompt);
    if directives.is_empty() {
        return vec![Step::Text(format!("You said: {prompt}"))];
    }
    let mut rounds: Vec<Vec<Step>> = vec![Vec::new()];
    for (name, argument) in directives {
        let step = match name.as_str() {
            "say" => Step::Text(argument),
            "seen" => Step::Text(format!("```\n{}\n```", json!(prompt))),
            "recall" => Step::Text(format!("Earlier: {}", earlier(messages).join(" / "))),
            "system" => Step::Text(line_of_system(body, &argument)),
            "pictures" => Step::Text(pictures(&messages[at])),
            "sleep" => Step::Sleep(Duration::from_millis(argument.parse().unwrap_or(0))),
            "words" => {
                let (count, pause) = argument.split_once(' ').unwrap_or((&argument, "0"));
                Step::Words {
                    count: count.parse().unwrap_or(1),
                    pause: Duration::from_millis(pause.parse().unwrap_or(0)),
                }
            }
            "error" => Step::Error(argument.parse().unwrap_or(500)),
            "results" => Step::Text(results(messages)),
            "tool" | "tool+" => {
                let (name, input) = argument.split_once(' ').unwrap_or((&argument, "{}"));
                Step::Tool {
                    name: name.to_owned(),
                    input: input_of(body, input),
                }
            }
            "slow summary" => Step::Text("Noted.".into()),
            other => Step::Text(format!("bad directive: {other}")),
        };
        let ends = name == "tool";
        rounds.last_mut().expect("there is one").push(step);
        if ends {
            rounds.push(Vec::new());
        }
    }
    let done = messages[at + 1..]
        .iter()
        .filter(|message| message["role"] == "assistant")
        .count();
    match rounds.into_iter().nth(done) {
        Some(steps) if !steps.is_empty() => steps,
        _ => vec![Step::Text("done".into())],
    }
}

/// A tool's input. Directives for the model of a subagent stand in `⟦ ⟧`.
fn input_of(body: &Value, input: &str) -> Value {
    let input = input.replace("$PLAN_FILE", &plan_file(body));
    let input = input.replace('⟦', "[[").replace('⟧', "]]");
    serde_json::from_str(&input).expect("the tool's input is JSON")
}

fn pause_of_summary(body: &Value) -> Duration {
    let body = body.to_string();
    let wanted = body.split_once("[[slow summary: ");
    let digits = wanted.and_then(|(_, rest)| rest.split_once("]]"));
    Duration::from_millis(
        digits
            .and_then(|(digits, _)| digits.parse().ok())
            .unwrap_or(0),
    )
}

fn line_of_system(body: &Value, part: &str) -> String {
    let blocks = body["system"].as_array().map_or(&[][..], Vec::as_slice);
    let texts: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    let mut lines = texts.iter().flat_map(|text| text.lines());
    lines
        .find(|line| line.contains(part))
        .unwrap_or("no such line")
        .to_owned()
}

/// What the last tools gave back.
fn results(messages: &[Value]) -> String {
    let last = messages
        .last()
        .and_then(|message| message["content"].as_array());
    let results = last
        .into_iter()
        .flatten()
        .map(|block| match &block["content"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    format!("Results: {}", results.collect::<Vec<_>>().join(" / "))
}

/// The file that plan mode tells the model to write its plan to.
fn plan_file(body: &Value) -> String {
    let body = body.to_string();
    let end = body
        .find("/plans/")
        .and_then(|at| Some((at, at + body[at..].find(".md")? + 3)));
    end.and_then(|(at, end)| {
        let start = body[..at].rfind(|c: char| c.is_whitespace() || c == '"' || c == '`')? + 1;
        Some(body[start..end].trim_start_matches("\\n").to_owned())
    })
    .unwrap_or_else(|| "plan.md".to_owned())
}

fn current_prompt(messages: &[Value]) -> (usize, String) {
    messages
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, message)| Some((at, texts(message).pop()?)))
        .unwrap_or((0, String::new()))
}

fn earlier(messages: &[Value]) -> Vec<String> {
    let mut prompts: Vec<String> = messages.iter().flat_map(texts).collect();
    prompts.pop();
    prompts
}

/// What a person wrote in a message, without what claude adds to it. What was written while claude worked comes as a
/// message of claude's own.
fn texts(message: &Value) -> Vec<String> {
    if message["role"] == "system" {
        let said = message["content"].as_str().unwrap_or_default();
        let steered = said.split("The user sent a new message while you were working:\n");
        return steered
            .skip(1)
            .filter_map(|steered| steered.split("\n\nIMPORTANT:").next())
            .map(str::to_owned)
            .collect();
    }
    if message["role"] != "user" {
        return Vec::new();
    }
    let blocks = match &message["content"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(blocks) => blocks
            .iter()
            .filter_map(|block| block["text"].as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    blocks
        .into_iter()
        .filter(|text| {
            !text.starts_with("<system-reminder>") && !text.starts_with("[Image: source: ")
        })
        .collect()
}

/// The pictures of a message, each in a code block of its own.
fn pictures(message: &Value) -> String {
    let none = Vec::new();
    let blocks = message["content"].as_array().unwrap_or(&none);
    let pictures = blocks.iter().filter(|block| block["type"] == "image");
    pictures
        .map(|block| {
            let text = |name: &str| {
                block["source"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            format!("```\n{} {}\n```\n", text("media_type"), text("data"))
        })
        .collect()
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

fn block_of(step: &Step) -> Option<Value> {
    match step {
        Step::Text(text) => Some(json!({"type": "text", "text": text})),
        Step::Words { count, .. } => {
            let text: String = (0..*count).map(|n| format!("word {n} ")).collect();
            Some(json!({"type": "text", "text": text}))
        }
        Step::Tool { name, input } => {
            let id = format!("toolu_{}", uuid::Uuid::new_v4().simple());
            Some(json!({"type": "tool_use", "id": id, "name": name, "input": input}))
        }
        Step::Sleep(_) | Step::Error(_) => None,
    }
}

fn message(body: &Value, content: Value, stop_reason: Value) -> Value {
    json!({
        "id": format!("msg_{}", uuid::Uuid::new_v4().simple()), "type": "message", "role": "assistant",
        "model": body["model"], "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "usage": {"input_tokens": 1000, "output_tokens": 10},
    })
}

fn stop_reason(steps: &[Step]) -> &'static str {
    if steps.iter().any(|step| matches!(step, Step::Tool { .. })) {
        "tool_use"
    } else {
        "end_turn"
    }
}

fn whole(body: &Value, steps: &[Step]) -> Value {
    let content: Vec<Value> = steps.iter().filter_map(block_of).collect();
    message(body, json!(content), json!(stop_reason(steps)))
}

/// The events of a streamed response, each with the pause before it.
fn events(body: &Value, steps: Vec<Step>) -> Vec<(Duration, Value)> {
    let now = Duration::ZERO;
    let stop = stop_reason(&steps);
    let mut events = vec![(
        now,
        json!({"type": "message_start", "message": message(body, json!([]), Value::Null)}),
    )];
    let mut pause = now;
    let mut index = 0;
    for step in &steps {
        if let Step::Sleep(length) = step {
            pause += *length;
            continue;
        }
        let Some(block) = block_of(step) else {
            continue;
        };
        let (start, deltas): (Value, Vec<(Duration, Value)>) = match step {
            Step::Tool { input, .. } => {
                let mut start = block.clone();
                start["input"] = json!({});
                let delta = json!({"type": "input_json_delta", "partial_json": input.to_string()});
                (start, vec![(now, delta)])
            }
            Step::Words { count, pause } => (
                json!({"type": "text", "text": ""}),
                (0..*count)
                    .map(|n| {
                        (
                            *pause,
                            json!({"type": "text_delta", "text": format!("word {n} ")}),
                        )
                    })
                    .collect(),
            ),
            _ => (
                json!({"type": "text", "text": ""}),
                vec![(now, json!({"type": "text_delta", "text": block["text"]}))],
            ),
        };
        events.push((
            std::mem::take(&mut pause),
            json!({"type": "content_block_start", "index": index, "content_block": start}),
        ));
        for (pause, delta) in deltas {
            events.push((
                pause,
                json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ));
        }
        events.push((now, json!({"type": "content_block_stop", "index": index})));
        index += 1;
    }
    events.push((
        pause,
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null},
            "usage": {"output_tokens": 10}}),
    ));
    events.push((now, json!({"type": "message_stop"})));
    events
}
