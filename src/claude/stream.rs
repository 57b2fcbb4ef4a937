//! What a line of claude's output means: `--output-format stream-json`, one JSON object a line.
//!
//! Reads only what telecoder acts on. Unknown fields are ignored, a line of an unknown kind becomes
//! [`Event::Other`], and one that is not a JSON object with a `type` becomes [`Event::Garbage`].

use std::borrow::Cow;

use serde::Deserialize;
use uuid::Uuid;

use super::message::{Block, Content, essential_argument, result_text};
use super::outcome::{self, Outcome};
use super::{asks, notices};
use crate::domain::event::{ApiProblem, Event, ToolResult, ToolUse, TurnEnd};
use crate::domain::id::{ClaudeSessionId, PromptId};
use crate::domain::question::{Asks, Request, RequestId};
use crate::redact::short::{beginning, last_lines};

/// How the CLI tells the model to continue a text that was cut off (2.1.280 on).
const PICKED_UP: [&str; 2] = ["Your response above was cut off", "Output token limit hit"];
/// What a command of claude's own has printed; its line has an id that is no prompt's.
const OWN_OUTPUT: &str = "<local-command-stdout>";
/// The model of lines that the CLI writes by itself.
const SYNTHETIC: &str = "<synthetic>";
/// How much of a tool's result is kept, in characters.
const RESULT_KEPT: usize = 600;
/// How much of a result's end is kept, in bytes: a test runner's summary.
const END_KEPT: usize = 2_000;

/// Hands the events of one line to `take`, in order; usually one, sometimes none.
pub fn events(line: &[u8], take: &mut impl FnMut(Event)) {
    if line.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let line = &*without_lone_surrogates(line);
    let Ok(head) = serde_json::from_slice::<Head>(line) else {
        take(Event::Garbage);
        return;
    };
    let read = match (head.kind.as_ref(), head.subtype.as_deref()) {
        ("stream_event", _) => stream_event(line, take),
        ("assistant", _) => assistant(line, take),
        ("user", _) => user(line, take),
        ("result", _) => notices::result(line, take),
        ("tool_progress", _) => notices::still_running(line, take),
        ("command_lifecycle", _) => notices::lifecycle(line, take),
        ("rate_limit_event", _) => notices::rate_limit(line, take),
        ("system", Some(subtype)) => notices::system(subtype, line, take),
        ("control_response", _) => notices::response(line, take),
        ("control_request", _) => asks::request(line).map(&mut *take),
        ("control_cancel_request", _) => asks::cancelled(line).map(&mut *take),
        _ => None,
    };
    if read.is_none() {
        take(Event::Other(match head.subtype {
            Some(subtype) => format!("{}/{subtype}", head.kind),
            None => head.kind.into_owned(),
        }));
    }
}

/// As [`events`], for a line of which only the two ends are known; its fields near the ends say what it is. Such a line
/// must not be passed over: claude waits for an answer to each request, and a prompt that it took up must not run
/// again.
pub fn overlong(beginning: &[u8], end: &[u8], take: &mut impl FnMut(Event)) {
    let (beginning, end) = (
        String::from_utf8_lossy(beginning),
        String::from_utf8_lossy(end),
    );
    // A key within a text has backslashes before its quotes, and the keys of the line itself come last.
    let text = |name: &str| {
        let key = format!("\"{name}\":\"");
        let of = |part: &str| {
            let (_, value) = part.rsplit_once(&key)?;
            Some(value.split('"').next()?.to_owned())
        };
        of(&end).or_else(|| of(&beginning))
    };
    let is = |name: &str| {
        let key = format!("\"{name}\":true");
        end.contains(&key) || beginning.contains(&key)
    };
    const KINDS: [&str; 5] = ["user", "assistant", "result", "control_request", "system"];
    let kind = KINDS
        .iter()
        .map(|kind| (kind, format!("\"type\":\"{kind}\"")))
        .filter_map(|(kind, key)| Some((end.rfind(&key)?, *kind)))
        .max()
        .map(|(_, kind)| kind)
        .or_else(|| {
            let found = KINDS
                .iter()
                .filter_map(|kind| Some((beginning.find(&format!("\"type\":\"{kind}\""))?, *kind)));
            found.min().map(|(_, kind)| kind)
        });
    match kind {
        Some("user") if is("isReplay") => {
            let prompt = text("uuid").and_then(|uuid| Uuid::parse_str(&uuid).ok());
            match prompt {
                Some(prompt) => take(Event::TakenUp(PromptId(prompt))),
                None => take(Event::Garbage),
            }
        }
        Some("control_request") => match text("request_id") {
            Some(id) => take(Event::Asks(Box::new(Request {
                id: RequestId(id),
                by_subagent: false,
                asks: Asks::Unknown("a request that is too long to be read".to_owned()),
            }))),
            None => take(Event::Garbage),
        },
        Some("result") => take(Event::TurnEnded(TurnEnd {
            failed: is("is_error"),
            subtype: text("subtype").unwrap_or_default(),
            aborted: text("terminal_reason").is_some_and(|reason| reason.starts_with("aborted")),
            claude_session: text("session_id").map(ClaudeSessionId),
            ..TurnEnd::default()
        })),
        Some(kind) => take(Event::Other(kind.to_owned())),
        None => take(Event::Garbage),
    }
}

/// JavaScript prints half of a surrogate pair as an escape of its own if a text was cut inside an emoji;
/// there is no such character, so it becomes the replacement character.
fn without_lone_surrogates(line: &[u8]) -> Cow<'_, [u8]> {
    let is_escape = |at: usize, kinds: &[u8]| {
        line.get(at..at + 6).is_some_and(|escape| {
            escape.starts_with(b"\\u")
                && escape[2].eq_ignore_ascii_case(&b'd')
                && kinds.contains(&escape[3].to_ascii_lowercase())
        })
    };
    let (high, low) = (b"89ab".as_slice(), b"cdef".as_slice());
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(found) = line[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        if is_escape(at, high) && is_escape(at + 6, low) {
            at += 12;
        } else if is_escape(at, high) || is_escape(at, low) {
            mended.get_or_insert_with(|| line.to_vec())[at + 2..at + 6].copy_from_slice(b"fffd");
            at += 6;
        } else {
            // The escaped character may be a backslash itself.
            at = (at + 2).min(line.len());
        }
    }
    mended.map_or(Cow::Borrowed(line), Cow::Owned)
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subtype: Option<Cow<'a, str>>,
}

fn stream_event(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        event: Inner<'a>,
        parent_tool_use_id: Option<Cow<'a, str>>,
    }
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow, default)]
        delta: Option<Delta<'a>>,
    }
    #[derive(Deserialize)]
    struct Delta<'a> {
        #[serde(borrow, default)]
        text: Option<Cow<'a, str>>,
    }
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    if let (None, Some(Delta { text: Some(text) })) = (line.parent_tool_use_id, line.event.delta) {
        take(Event::Words(text.into_owned()));
    }
    Some(())
}

#[derive(Deserialize)]
struct MessageLine {
    message: Message,
    parent_tool_use_id: Option<String>,
    error: Option<String>,
    #[serde(default, rename = "isReplay")]
    is_replay: bool,
    #[serde(default, rename = "isSynthetic")]
    is_synthetic: bool,
    uuid: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Content,
    model: Option<String>,
}

fn assistant(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    let line: MessageLine = serde_json::from_slice(line).ok()?;
    if let Some(error) = line.error {
        take(Event::ApiProblem(api_problem(&error)));
    }
    let parent = line.parent_tool_use_id;
    // What the CLI says by itself are no words of the model's; those that matter are in the result too.
    let is_said = parent.is_none() && line.message.model.as_deref() != Some(SYNTHETIC);
    match line.message.content {
        Content::Text(text) if is_said => take(Event::Text(text)),
        Content::Text(_) => {}
        Content::Blocks(blocks) => {
            for block in blocks {
                match block {
                    Block::Text { text } if is_said => take(Event::Text(text)),
                    Block::ToolUse { id, name, input } => take(Event::ToolUse(ToolUse {
                        argument: essential_argument(&input),
                        id,
                        name,
                        parent: parent.clone(),
                    })),
                    Block::Text { .. }
                    | Block::Thinking { .. }
                    | Block::ToolResult { .. }
                    | Block::Unknown => {}
                }
            }
        }
    }
    Some(())
}

fn user(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    let Outcome { edited, to_do } = outcome::of(line);
    let line: MessageLine = serde_json::from_slice(line).ok()?;
    if line.is_replay {
        if line.message.content.begins_with_one_of(&[OWN_OUTPUT]) {
            return Some(());
        }
        let prompt = line.uuid.and_then(|uuid| Uuid::parse_str(&uuid).ok());
        prompt
            .into_iter()
            .for_each(|prompt| take(Event::TakenUp(PromptId(prompt))));
        return Some(());
    }
    if line.is_synthetic {
        if line.message.content.begins_with_one_of(&PICKED_UP) {
            take(Event::CutOff);
        }
        return Some(());
    }
    if let Some(change) = to_do {
        take(Event::ToDo(change));
    }
    if let Content::Blocks(blocks) = line.message.content {
        for block in blocks {
            if let Block::ToolResult {
                tool_use_id,
                is_error,
                content,
            } = block
            {
                let text = result_text(&content);
                take(Event::ToolResult(ToolResult {
                    id: tool_use_id,
                    failed: is_error.unwrap_or(false),
                    text: beginning(&text, RESULT_KEPT),
                    end: last_lines(&text, END_KEPT),
                    edited,
                }));
            }
        }
    }
    Some(())
}

/// Reads claude's name for an API problem: `assistant.error`, `api_retry.error`.
pub(super) fn api_problem(name: &str) -> ApiProblem {
    match name {
        "authentication_failed" => ApiProblem::NotLoggedIn,
        "rate_limit" => ApiProblem::RateLimited,
        "overloaded" => ApiProblem::Overloaded,
        "server_error" => ApiProblem::ServerError,
        "model_not_found" => ApiProblem::UnknownModel,
        "invalid_request" => ApiProblem::Refused,
        other => ApiProblem::Other(other.to_owned()),
    }
}
