//! Lines that go to claude's input: prompts and control requests (`--input-format stream-json`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::id::PromptId;
use crate::domain::prompt::{Block, Content};

/// A prompt, its words exact to the byte: as a text if it has only words, else as blocks. The id makes it safe to
/// send twice: claude drops the second.
///
/// Pictures are read from their files; a line of text takes the place of one that is gone.
pub fn user_message(content: &Content, id: PromptId) -> String {
    let content = if content.is_words_alone() {
        Value::String(content.words())
    } else {
        content.blocks().iter().map(block).collect()
    };
    line(&json!({
        "type": "user",
        "message": {"role": "user", "content": content},
        "uuid": id.0,
    }))
}

fn block(block: &Block<'_>) -> Value {
    let text = match block {
        Block::Text(text) => text.clone(),
        Block::Picture(picture) => match std::fs::read(&picture.file) {
            Ok(bytes) => {
                return json!({"type": "image", "source": {
                    "type": "base64",
                    "media_type": picture.media_type,
                    "data": STANDARD.encode(bytes),
                }});
            }
            Err(_) => format!("[A picture that is gone: {}]", picture.file.display()),
        },
    };
    json!({"type": "text", "text": text})
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
