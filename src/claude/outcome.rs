//! What a tool did, apart from the text that claude reads: `tool_use_result` of a `user` line.
//!
//! Each tool has its own form, which may be an object, a list or a text. Unknown parts are skipped and not
//! kept, because whole files can be in them.

use serde::Deserialize;

use crate::domain::event::{Edited, ToDo, ToDoChange, ToDoState};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub edited: Option<Edited>,
    pub to_do: Option<ToDoChange>,
}

#[derive(Deserialize)]
struct Line {
    tool_use_result: Known,
}

/// Known fields, of Edit, Write, TaskCreate, TaskUpdate and TaskList.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    structured_patch: Option<Vec<Hunk>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    content: Option<String>,
    task: Option<Task>,
    task_id: Option<String>,
    status_change: Option<StatusChange>,
    tasks: Option<Vec<Task>>,
}

#[derive(Deserialize)]
struct Hunk {
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    #[serde(default)]
    subject: String,
    status: Option<String>,
}

#[derive(Deserialize)]
struct StatusChange {
    to: String,
}

/// Reads a whole `user` line; the outcome is empty if the line has none.
pub(super) fn of(line: &[u8]) -> Outcome {
    // Most results are of other tools, and a line can be long.
    let is_worth_it = [
        &b"\"structuredPatch\""[..],
        b"\"task\"",
        b"\"taskId\"",
        b"\"tasks\"",
    ]
    .iter()
    .any(|name| memchr::memmem::find(line, name).is_some());
    if !is_worth_it {
        return Outcome::default();
    }
    match serde_json::from_slice(line) {
        Ok(Line { tool_use_result }) => Outcome {
            edited: edited(&tool_use_result),
            to_do: to_do(tool_use_result),
        },
        Err(_) => Outcome::default(),
    }
}

fn edited(known: &Known) -> Option<Edited> {
    let hunks = known.structured_patch.as_ref()?;
    let lines = || hunks.iter().flat_map(|hunk| &hunk.lines);
    let counted = Edited {
        added: lines().filter(|line| line.starts_with('+')).count(),
        removed: lines().filter(|line| line.starts_with('-')).count(),
    };
    match (&known.kind, &known.content) {
        // A new file has no hunks.
        (Some(kind), Some(content)) if kind == "create" && hunks.is_empty() => Some(Edited {
            added: content.lines().count(),
            removed: 0,
        }),
        _ => Some(counted),
    }
}

fn to_do(known: Known) -> Option<ToDoChange> {
    if let Some(tasks) = known.tasks {
        return Some(ToDoChange::All(
            tasks
                .into_iter()
                .map(|task| ToDo {
                    state: state(task.status.as_deref().unwrap_or_default()),
                    id: task.id,
                    subject: task.subject,
                })
                .collect(),
        ));
    }
    if let Some(task) = known.task {
        return Some(ToDoChange::Added {
            id: task.id,
            subject: task.subject,
        });
    }
    Some(ToDoChange::Moved {
        id: known.task_id?,
        state: state(&known.status_change?.to),
    })
}

fn state(name: &str) -> ToDoState {
    match name {
        "in_progress" => ToDoState::InProgress,
        "completed" => ToDoState::Completed,
        "deleted" => ToDoState::Deleted,
        _ => ToDoState::Pending,
    }
}
