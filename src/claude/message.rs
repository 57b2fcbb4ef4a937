//! The content of a message between claude and the model, as lines of the record have it. Messages API: `content`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::event::ARGUMENT_KEPT;
use crate::redact::short::beginning;

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Blocks(Vec<Block>),
    Text(String),
}

impl Content {
    pub(super) fn begins_with_one_of(&self, beginnings: &[&str]) -> bool {
        let text = match self {
            Content::Text(text) => Some(text),
            Content::Blocks(blocks) => blocks.iter().find_map(|block| match block {
                Block::Text { text } => Some(text),
                _ => None,
            }),
        };
        text.is_some_and(|text| {
            beginnings
                .iter()
                .any(|beginning| text.starts_with(beginning))
        })
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(default)]
        is_error: Option<bool>,
        #[serde(default)]
        content: Value,
    },
    #[serde(other)]
    Unknown,
}

/// The argument that says most about a call: what is run, read, searched or asked.
pub(super) fn essential_argument(input: &Value) -> String {
    const TELLING: [&str; 10] = [
        "command",
        "file_path",
        "notebook_path",
        "pattern",
        "url",
        "query",
        "description",
        "subject",
        "skill",
        "taskId",
    ];
    TELLING
        .iter()
        .find_map(|name| input.get(name).and_then(Value::as_str))
        .map(|argument| beginning(argument, ARGUMENT_KEPT))
        .unwrap_or_default()
}

/// A tool's result is a text or a list of blocks.
pub(super) fn result_text(content: &Value) -> Cow<'_, str> {
    match content {
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(blocks) => Cow::Owned(
            blocks
                .iter()
                .filter_map(|block| block.get("text").and_then(Value::as_str))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        _ => Cow::Borrowed(""),
    }
}
