//! Lines that go to claude's input: prompts and control requests (`--input-format stream-json`).

use serde_json::json;
use uuid::Uuid;

use crate::id::PromptId;

/// A prompt, exact to the byte. The id makes it safe to send twice: claude drops the second.
pub fn user_message(text: &str, id: PromptId) -> String {
    line(&json!({
        "type": "user",
        "message": {"role": "user", "content": text},
        "uuid": id.0,
    }))
}

/// Ends the turn that runs; its foreground command is killed. `control_request` `interrupt`.
pub fn interrupt() -> String {
    request("interrupt")
}

/// Lets the process exit. `control_request` `end_session`.
pub fn end_session() -> String {
    request("end_session")
}

fn request(subtype: &str) -> String {
    line(&json!({
        "type": "control_request",
        "request_id": Uuid::new_v4(),
        "request": {"subtype": subtype},
    }))
}

fn line(value: &serde_json::Value) -> String {
    let mut line = value.to_string();
    line.push('\n');
    line
}
