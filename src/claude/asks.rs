//! What claude asks its host in the middle of a turn, and the lines that answer it (`--permission-prompt-tool stdio`).
//!
//! A tool with an unexpected input is asked about as a plain permission, with the raw input: claude waits for a
//! response to each request, and none may be left without one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::control::line;
use super::diff::diff;
use super::elicitation;
use super::grants::{for_session, update};
use crate::domain::choices::PermissionMode;
use crate::domain::event::Event;
use crate::domain::question::{
    Answer, Asks, Choice, Grant, Offer, Permission, Request, RequestId, Wish,
};

/// What claude is told if a person says no and not why.
const DENIED: &str = "The user did not allow this.";
/// claude's text for a permission without a special reason.
const NO_REASON: &str = "This command requires approval";
/// `control_request`; `None` for a line without a request id, which nobody can answer.
pub fn request(line: &[u8]) -> Option<Event> {
    #[derive(Deserialize)]
    struct Line {
        request_id: String,
        #[serde(default)]
        request: Value,
    }
    let Line {
        request_id,
        request,
    } = serde_json::from_slice(line).ok()?;
    let subtype = request["subtype"].as_str().unwrap_or_default();
    let asks = match subtype {
        "can_use_tool" => tool(&request),
        "elicitation" => elicitation::read(&request),
        other => Asks::Unknown(other.to_owned()),
    };
    Some(Event::Asks(Box::new(Request {
        id: RequestId(request_id),
        by_subagent: request["agent_id"].is_string(),
        asks,
    })))
}

/// `control_cancel_request`
pub fn cancelled(line: &[u8]) -> Option<Event> {
    #[derive(Deserialize)]
    struct Line {
        request_id: String,
    }
    let line: Line = serde_json::from_slice(line).ok()?;
    Some(Event::AskCancelled(RequestId(line.request_id)))
}

fn tool(request: &Value) -> Asks {
    let tool = request["tool_name"].as_str().unwrap_or("of no name");
    let input = request["input"].clone();
    match tool {
        "AskUserQuestion" => {
            if let Some(choices) = choices(&input) {
                return Asks::Choices { input, choices };
            }
        }
        "ExitPlanMode" => {
            let plan = input["plan"].as_str();
            let plan = plan
                .filter(|plan| !plan.trim().is_empty())
                .map(str::to_owned);
            return Asks::Plan { input, plan };
        }
        _ => {}
    }
    let suggestions = request["permission_suggestions"].as_array();
    Asks::Permission(Permission {
        tool: tool.to_owned(),
        wish: wish(tool, &input),
        reason: request["decision_reason"]
            .as_str()
            .filter(|reason| !reason.trim().is_empty() && *reason != NO_REASON)
            .map(str::to_owned),
        for_session: for_session(
            tool,
            input["command"].as_str(),
            suggestions.map_or(&[], Vec::as_slice),
        ),
        input,
    })
}

/// `input.questions`; `None` if they are not as expected.
fn choices(input: &Value) -> Option<Vec<Choice>> {
    #[derive(Deserialize)]
    struct Asked {
        question: String,
        #[serde(default)]
        header: String,
        #[serde(default)]
        options: Vec<Offered>,
        #[serde(default, rename = "multiSelect")]
        several: bool,
    }
    #[derive(Deserialize)]
    struct Offered {
        label: String,
        #[serde(default)]
        description: String,
    }
    let asked: Vec<Asked> = serde_json::from_value(input["questions"].clone()).ok()?;
    let choices: Vec<Choice> = asked
        .into_iter()
        .map(|asked| Choice {
            question: asked.question,
            header: asked.header,
            options: asked
                .options
                .into_iter()
                .map(|offered| Offer {
                    label: offered.label,
                    description: offered.description,
                })
                .collect(),
            several: asked.several,
        })
        .collect();
    (!choices.is_empty()).then_some(choices)
}

/// What a tool would do; some of claude's own tools have a form that says more than their arguments.
fn wish(tool: &str, input: &Value) -> Wish {
    let text = |name: &str| input[name].as_str();
    let owned = |name: &str| text(name).map(str::to_owned);
    let change = |path: &str, diff: String| Wish::Change {
        path: path.to_owned(),
        diff,
    };
    let known = match tool {
        "Bash" => owned("command").map(|command| Wish::Command {
            command,
            description: owned("description"),
        }),
        "Write" => text("file_path")
            .zip(text("content"))
            .map(|(path, content)| change(path, diff("", content))),
        "Edit" => text("file_path")
            .zip(edit(input))
            .map(|(path, edit)| change(path, edit)),
        "MultiEdit" => {
            text("file_path")
                .zip(input["edits"].as_array())
                .and_then(|(path, edits)| {
                    let edits: Option<Vec<String>> = edits.iter().map(edit).collect();
                    Some(change(path, edits?.join("\n…\n")))
                })
        }
        "NotebookEdit" => text("notebook_path")
            .zip(text("new_source"))
            .map(|(path, source)| change(path, diff("", source))),
        _ => None,
    };
    known.unwrap_or_else(|| Wish::Use {
        arguments: arguments(input),
    })
}

fn edit(input: &Value) -> Option<String> {
    let changed = diff(input["old_string"].as_str()?, input["new_string"].as_str()?);
    Some(match input["replace_all"].as_bool() {
        Some(true) => format!("{changed}\n… and so everywhere in the file"),
        _ => changed,
    })
}

fn arguments(input: &Value) -> String {
    let Some(fields) = input.as_object() else {
        return match input {
            Value::Null => String::new(),
            other => other.to_string(),
        };
    };
    let lines = fields.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The line that answers a request; `answers` are in the order of its questions.
pub fn response(request: &Request, answers: &[Answer]) -> String {
    let response = match &request.asks {
        Asks::Permission(permission) => permitted(permission, answers.first()),
        Asks::Choices { input, choices } => {
            let mut given = serde_json::Map::new();
            for (choice, answer) in choices.iter().zip(answers) {
                let text = match answer {
                    Answer::Chosen(labels) => labels.join(", "),
                    Answer::Written(words) => words.clone(),
                    _ => continue,
                };
                given.insert(choice.question.clone(), Value::String(text));
            }
            let mut input = input.clone();
            input["answers"] = Value::Object(given);
            json!({"behavior": "allow", "updatedInput": input})
        }
        Asks::Plan { input, .. } => match answers.first() {
            Some(Answer::Approved(mode)) => {
                let mut response = json!({"behavior": "allow", "updatedInput": input});
                if *mode != PermissionMode::Default {
                    response["updatedPermissions"] = json!([update(&Grant::Mode(*mode))]);
                }
                response
            }
            Some(Answer::KeepPlanning(wish)) => json!({"behavior": "deny", "message": wish}),
            _ => json!({"behavior": "deny", "message": DENIED}),
        },
        Asks::Elicitation(form) => elicitation::response(form, answers),
        Asks::Unknown(subtype) => return not_for_us(&request.id, subtype),
    };
    line(&json!({"type": "control_response", "response": {
        "subtype": "success", "request_id": request.id.0, "response": response,
    }}))
}

fn permitted(permission: &Permission, answer: Option<&Answer>) -> Value {
    let allow = json!({"behavior": "allow", "updatedInput": permission.input});
    match answer {
        Some(Answer::Allowed) => allow,
        Some(Answer::AllowedForSession) => {
            let mut allow = allow;
            let updates: Vec<Value> = permission.for_session.iter().map(update).collect();
            allow["updatedPermissions"] = Value::Array(updates);
            allow
        }
        Some(Answer::Denied { why: Some(why) }) => json!({"behavior": "deny", "message": why}),
        _ => json!({"behavior": "deny", "message": DENIED}),
    }
}

/// Refuses a request that nobody here can answer; else claude would wait for ever.
fn not_for_us(id: &RequestId, subtype: &str) -> String {
    line(&json!({"type": "control_response", "response": {
        "subtype": "error", "request_id": id.0, "error": format!("Unsupported control request subtype: {subtype}"),
    }}))
}
