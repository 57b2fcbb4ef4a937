//! Lines that go to claude's input: prompts and control requests (`--input-format stream-json`).

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::id::PromptId;
use crate::domain::prompt::{Block, Content};
use crate::domain::question::RequestId;

/// How many bytes the pictures of one message may have together. Messages API: 32 MB a request; base64 makes pictures a
/// third larger, and those of earlier messages need room too.
const PICTURES_MOST: u64 = 12 * 1024 * 1024;

/// A prompt, its words exact to the byte: as a text if it has only words, else as blocks. The id makes it safe to
/// send twice: claude drops the second.
///
/// Pictures are read from their files; a line of text takes the place of one that is gone, or that would make the
/// message too large for the API.
pub fn user_message(content: &Content, id: PromptId) -> String {
    let mut room = PICTURES_MOST;
    let content = if content.is_words_alone() {
        Value::String(content.words())
    } else {
        content
            .blocks()
            .iter()
            .map(|part| block(part, &mut room))
            .collect()
    };
    line(&json!({
        "type": "user",
        "message": {"role": "user", "content": content},
        "uuid": id.0,
    }))
}

/// `room` is how many bytes of pictures may still go along.
fn block(block: &Block<'_>, room: &mut u64) -> Value {
    let text = match block {
        Block::Words(text) => text.clone(),
        Block::Along(text) => (*text).to_owned(),
        Block::Picture(picture) => match picture_of(&picture.file, room) {
            Ok(Some(bytes)) => {
                return json!({"type": "image", "source": {
                    "type": "base64",
                    "media_type": picture.media_type,
                    "data": STANDARD.encode(bytes),
                }});
            }
            Ok(None) => format!(
                "[A picture that is not shown, because the pictures of one message are too large together: {}]",
                picture.file.display()
            ),
            Err(_) => format!("[A picture that is gone: {}]", picture.file.display()),
        },
    };
    json!({"type": "text", "text": text})
}

/// A picture's bytes; `None` if there is no room for it.
fn picture_of(file: &Path, room: &mut u64) -> io::Result<Option<Vec<u8>>> {
    let length = fs::metadata(file)?.len();
    let Some(left) = room.checked_sub(length) else {
        return Ok(None);
    };
    *room = left;
    fs::read(file).map(Some)
}

/// Ends the running turn and kills its foreground command. `control_request` `interrupt`.
pub fn interrupt() -> String {
    request("interrupt")
}

/// Takes back a prompt that claude has not taken up yet. `control_request` `cancel_async_message`; the response says
/// whether it was still there, and [`withdrawal_of`] finds the prompt by the request's id.
pub fn withdraw(prompt: PromptId) -> String {
    line(&json!({
        "type": "control_request",
        "request_id": format!("{WITHDRAWAL}{}", prompt.0),
        "request": {"subtype": "cancel_async_message", "message_uuid": prompt.0},
    }))
}

/// The prompt that the request with this id was to take back.
pub fn withdrawal_of(request: &str) -> Option<PromptId> {
    let prompt = request.strip_prefix(WITHDRAWAL)?;
    Uuid::parse_str(prompt).ok().map(PromptId)
}

const WITHDRAWAL: &str = "withdraw-";

/// Asks for the plan that this request is about. `control_request` `get_plan` (2.1.332 on; an error before); the answer
/// is recognised by [`plan_of`].
pub fn get_plan(about: &RequestId) -> String {
    line(&json!({
        "type": "control_request",
        "request_id": format!("{PLAN}{}", about.0),
        "request": {"subtype": "get_plan"},
    }))
}

/// The request whose plan the answer with this id brings.
pub fn plan_of(request: &str) -> Option<RequestId> {
    request
        .strip_prefix(PLAN)
        .map(|id| RequestId(id.to_owned()))
}

const PLAN: &str = "plan-";

/// Makes claude use the system prompt that this process was started with, and not that of the conversation's first turn
/// (2.1.280 on). `control_request` `initialize`.
pub fn initialize() -> String {
    requesting(&json!({"subtype": "initialize", "systemPromptSnapshot": false}))
}

/// Lets the process exit. `control_request` `end_session`.
pub fn end_session() -> String {
    request("end_session")
}

/// Switches the permission mode, from now on. `control_request` `set_permission_mode`.
pub fn set_permission_mode(mode: &str) -> String {
    requesting(&json!({"subtype": "set_permission_mode", "mode": mode}))
}

/// Switches the model, from the next turn on. `control_request` `set_model`.
pub fn set_model(model: &str) -> String {
    requesting(&json!({"subtype": "set_model", "model": model}))
}

fn request(subtype: &str) -> String {
    requesting(&json!({"subtype": subtype}))
}

fn requesting(request: &Value) -> String {
    line(&json!({
        "type": "control_request",
        "request_id": Uuid::new_v4(),
        "request": request,
    }))
}

pub(super) fn line(value: &serde_json::Value) -> String {
    let mut line = value.to_string();
    line.push('\n');
    line
}
