//! Lines of claude's output that are not conversation: about its process, turns, tasks and limits, and responses to us.
//!
//! `stream` hands them over. Each function reads one kind of line; `None` if the line has an unexpected form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::stream::api_problem;
use super::{control, cut, limit};
use crate::domain::event::{Event, LimitReport, Retry, Standing, TurnEnd};
use crate::domain::id::{ClaudeSessionId, PromptId};

/// The response to a request of ours. Only one to a withdrawal becomes an event.
pub(super) fn response(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Line {
        response: Response,
    }
    #[derive(Deserialize)]
    struct Response {
        request_id: String,
        response: Option<Answer>,
    }
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        cancelled: bool,
        #[serde(default)]
        content: Option<String>,
    }
    let line: Line = serde_json::from_slice(line).ok()?;
    if let Some(request) = control::plan_of(&line.response.request_id) {
        let plan = line.response.response.and_then(|answer| answer.content);
        take(Event::PlanRead { request, plan });
        return Some(());
    }
    let prompt = control::withdrawal_of(&line.response.request_id)?;
    take(Event::Withdrawn {
        prompt,
        was_there: line
            .response
            .response
            .is_some_and(|response| response.cancelled),
    });
    Some(())
}

pub(super) fn rate_limit(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Line {
        rate_limit_info: Info,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Info {
        status: String,
        resets_at: Option<f64>,
        utilization: Option<f64>,
    }
    let Line {
        rate_limit_info: info,
    } = serde_json::from_slice(line).ok()?;
    let standing = match info.status.as_str() {
        "allowed" => Standing::Allowed,
        "allowed_warning" => Standing::Warning,
        "rejected" => Standing::Rejected,
        _ => return None,
    };
    take(Event::Limit(LimitReport {
        standing,
        // A number out of range becomes a time that makes no sense.
        resets_at: info.resets_at.map(|at| limit::seconds(at as i64)),
        used: info.utilization,
    }));
    Some(())
}

/// Reads each field by itself: an unexpected one must not cost the answer. The answer, which can be long, is
/// parsed only once.
pub(super) fn result(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
    let answer = fields
        .get("result")
        .and_then(|answer| serde_json::from_str(answer.get()).ok());
    let line: Value = fields
        .iter()
        .filter(|(name, _)| *name != "result")
        .filter_map(|(name, value)| {
            let value: Value = serde_json::from_str(value.get()).ok()?;
            Some((name.clone(), value))
        })
        .collect();
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let list = |name: &str| line[name].as_array().cloned().unwrap_or_default();
    let answer: String = answer.unwrap_or_default();
    take(Event::TurnEnded(TurnEnd {
        cut: cut::of_result(&line, &answer),
        failed: line["is_error"].as_bool().unwrap_or(false),
        text: answer,
        subtype: text("subtype").unwrap_or_default(),
        errors: list("errors")
            .iter()
            .map(|error| {
                error
                    .as_str()
                    .map_or_else(|| error.to_string(), str::to_owned)
            })
            .collect(),
        aborted: text("terminal_reason").is_some_and(|reason| reason.starts_with("aborted")),
        cost_usd: line["total_cost_usd"].as_f64().unwrap_or(0.0),
        denied: list("permission_denials")
            .iter()
            .filter_map(|denial| denial["tool_name"].as_str().map(str::to_owned))
            .collect(),
        claude_session: text("session_id").map(ClaudeSessionId),
        by_itself: line["origin"]["kind"].is_string(),
        prompts: list("user_message_uuids")
            .iter()
            .filter_map(|id| id.as_str()?.parse().ok().map(PromptId))
            .collect(),
    }));
    Some(())
}

/// What became of a prompt on claude's input (2.1.212 on). Only one that claude drops becomes an event: others are
/// acknowledged where the turn has them.
pub(super) fn lifecycle(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Line {
        command_uuid: Uuid,
        state: String,
    }
    let line: Line = serde_json::from_slice(line).ok()?;
    let is_dropped = matches!(line.state.as_str(), "discarded" | "refused");
    is_dropped.then(|| {
        take(Event::Withdrawn {
            prompt: PromptId(line.command_uuid),
            was_there: true,
        });
    })
}

/// A call that takes long. Its own id, or its parent's: 2.1.332 makes an id for the line and names the call as parent.
pub(super) fn still_running(line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Line {
        tool_use_id: String,
        parent_tool_use_id: Option<String>,
        elapsed_time_seconds: f64,
        #[serde(default)]
        heartbeat: bool,
    }
    let line: Line = serde_json::from_slice(line).ok()?;
    take(Event::StillRunning {
        call: line
            .parent_tool_use_id
            .filter(|_| line.heartbeat)
            .unwrap_or(line.tool_use_id),
        seconds: line.elapsed_time_seconds as u64,
    });
    Some(())
}

pub(super) fn system(subtype: &str, line: &[u8], take: &mut impl FnMut(Event)) -> Option<()> {
    #[derive(Deserialize)]
    struct Init {
        session_id: String,
        #[serde(default)]
        model: String,
        #[serde(default, rename = "permissionMode")]
        mode: String,
        #[serde(default)]
        cwd: String,
    }
    #[derive(Deserialize)]
    struct Task {
        task_id: String,
        #[serde(default)]
        description: String,
        is_backgrounded: Option<bool>,
        patch: Option<Patch>,
    }
    #[derive(Deserialize)]
    struct Tasks {
        tasks: Vec<Task>,
    }
    #[derive(Deserialize)]
    struct Patch {
        status: Option<String>,
    }
    #[derive(Deserialize)]
    struct ApiRetry {
        attempt: u32,
        #[serde(default)]
        max_retries: u32,
        #[serde(default)]
        retry_delay_ms: f64,
        #[serde(default)]
        error: String,
    }
    #[derive(Deserialize)]
    struct Boundary {
        compact_metadata: Sizes,
    }
    #[derive(Deserialize)]
    struct Sizes {
        #[serde(default)]
        pre_tokens: u64,
        #[serde(default)]
        post_tokens: u64,
    }
    #[derive(Deserialize)]
    struct StateChange {
        state: String,
    }
    #[derive(Deserialize)]
    struct Status {
        #[serde(rename = "permissionMode")]
        mode: String,
    }

    match subtype {
        "init" => {
            let init: Init = serde_json::from_slice(line).ok()?;
            take(Event::TurnStarted {
                claude_session: ClaudeSessionId(init.session_id),
                model: init.model,
                mode: init.mode,
                folder: init.cwd,
            });
        }
        "status" => {
            let Status { mode } = serde_json::from_slice(line).ok()?;
            take(Event::Mode(mode));
        }
        "task_started" => {
            let task: Task = serde_json::from_slice(line).ok()?;
            take(Event::TaskStarted {
                id: task.task_id,
                what: task.description,
                in_background: task.is_backgrounded,
            });
        }
        "background_tasks_changed" => {
            let Tasks { tasks } = serde_json::from_slice(line).ok()?;
            let tasks = tasks
                .into_iter()
                .map(|task| (task.task_id, task.description));
            take(Event::InBackground(tasks.collect()));
        }
        "task_notification" => {
            let task: Task = serde_json::from_slice(line).ok()?;
            take(Event::TaskEnded { id: task.task_id });
        }
        "task_updated" => {
            let task: Task = serde_json::from_slice(line).ok()?;
            let status = task.patch.and_then(|patch| patch.status);
            if matches!(
                status.as_deref(),
                Some("completed" | "failed" | "killed" | "stopped")
            ) {
                take(Event::TaskEnded { id: task.task_id });
            }
        }
        "api_retry" => {
            let retry: ApiRetry = serde_json::from_slice(line).ok()?;
            take(Event::Retrying(Retry {
                attempt: retry.attempt,
                attempts: retry.max_retries,
                pause: retry.retry_delay_ms / 1000.0,
                problem: api_problem(&retry.error),
            }));
        }
        "compact_boundary" => {
            let boundary: Boundary = serde_json::from_slice(line).ok()?;
            take(Event::Compacted {
                before: boundary.compact_metadata.pre_tokens,
                after: boundary.compact_metadata.post_tokens,
            });
        }
        "session_state_changed" => {
            let change: StateChange = serde_json::from_slice(line).ok()?;
            match change.state.as_str() {
                "idle" => take(Event::Idle),
                "running" => take(Event::Busy),
                // It asks, and says so itself.
                _ => {}
            }
        }
        _ => return None,
    }
    Some(())
}
