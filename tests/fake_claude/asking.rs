//! Requests to the host, as claude makes them with `--permission-prompt-tool stdio`: asked, waited for, cancelled.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Claude, Cut, say};

/// What the host has said of requests, and told to change.
#[derive(Default)]
pub struct Told {
    responses: BTreeMap<String, Value>,
    /// In the order in which they came.
    order: Vec<String>,
    mode: Option<String>,
    model: Option<String>,
}

impl Told {
    /// Takes a line in that is no prompt; returns whether it was a response.
    pub fn hear(&mut self, line: &Value) -> bool {
        let request = &line["request"];
        match request["subtype"].as_str() {
            Some("set_permission_mode") => {
                self.mode = request["mode"].as_str().map(str::to_owned);
                say(
                    json!({"type": "system", "subtype": "status", "status": null, "permissionMode": self.mode}),
                );
            }
            Some("get_plan") => {
                let plan = std::env::var("FAKE_CLAUDE_PLAN").ok();
                let response = match plan {
                    Some(plan) => json!({"subtype": "success", "request_id": line["request_id"],
                        "response": {"exists": true, "content": plan, "path": "/plans/a.md"}}),
                    None => json!({"subtype": "error", "request_id": line["request_id"],
                        "error": "Unsupported control request subtype: get_plan"}),
                };
                say(json!({"type": "control_response", "response": response}));
            }
            Some("set_model") => self.model = request["model"].as_str().map(str::to_owned),
            _ => {}
        }
        if line["type"] != "control_response" {
            return false;
        }
        let response = &line["response"];
        let id = response["request_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            self.responses
                .insert(id.clone(), response.clone())
                .is_none(),
            "a request was answered twice: {id}"
        );
        self.order.push(id);
        true
    }

    pub fn in_words(&self) -> String {
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        format!(
            "told mode {}, told model {}",
            or_none(&self.mode),
            or_none(&self.model)
        )
    }

    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }
}

impl Claude {
    /// `Bash {"command":"rm x"}`, several with ` ;; ` between them, which are asked at once. Returns what the host
    /// answered, in the order in which it did.
    pub async fn ask(&mut self, tools: &str) -> Result<String, Cut> {
        let mut ids = Vec::new();
        for tool in tools.split(" ;; ") {
            let (name, input) = tool.split_once(' ').unwrap_or((tool, "{}"));
            let input: Value = serde_json::from_str(input).expect("the tool's input is JSON");
            ids.push(self.request(permission(name, &input)));
        }
        self.wait_for(&ids).await
    }

    /// The same, taken back after so many milliseconds.
    pub async fn ask_for_a_while(&mut self, argument: &str) -> Result<String, Cut> {
        let (pause, tool) = argument.split_once(' ').expect("a pause and a tool");
        let (name, input) = tool.split_once(' ').expect("a name and its input");
        let input: Value = serde_json::from_str(input).expect("the tool's input is JSON");
        let id = self.request(permission(name, &input));
        let pause = Duration::from_millis(pause.parse().expect("a number"));
        self.unless_cut(tokio::time::sleep(pause)).await?;
        cancel(&id);
        Ok("not waited for".to_owned())
    }

    /// Any request, as it stands; several with ` ;; ` between them. One with a `request_id` in it has that one.
    pub async fn ask_raw(&mut self, requests: &str) -> Result<String, Cut> {
        let mut ids = Vec::new();
        for request in requests.split(" ;; ") {
            let request = serde_json::from_str(request).expect("a request is JSON");
            ids.push(self.request(request));
        }
        self.wait_for(&ids).await
    }

    fn request(&mut self, request: Value) -> String {
        let id = match request["request_id"].as_str() {
            Some(id) => id.to_owned(),
            None => uuid::Uuid::new_v4().to_string(),
        };
        self.state("requires_action");
        say(json!({"type": "control_request", "request_id": id, "request": request}));
        id
    }

    async fn wait_for(&mut self, ids: &[String]) -> Result<String, Cut> {
        while !ids.iter().all(|id| self.told.responses.contains_key(id)) {
            match self.hear().await {
                Ok(Some(prompt)) => self.waiting.push_back(prompt),
                Ok(None) => {}
                Err(cut) => {
                    let open = ids
                        .iter()
                        .filter(|id| !self.told.responses.contains_key(*id));
                    open.for_each(|id| cancel(id));
                    return Err(cut);
                }
            }
        }
        let order = self.told.order.iter().filter(|id| ids.contains(id));
        let responses = order.map(|id| {
            let response = &self.told.responses[id];
            response
                .get("response")
                .unwrap_or(&response["error"])
                .to_string()
        });
        Ok(responses.collect::<Vec<_>>().join("\n"))
    }
}

fn cancel(id: &str) {
    say(json!({"type": "control_cancel_request", "request_id": id}));
}

/// With what claude suggests: a rule for a command, a mode for a file, nothing for questions and plans.
fn permission(name: &str, input: &Value) -> Value {
    let mode = json!({"type": "setMode", "mode": "acceptEdits", "destination": "session"});
    let suggestions = match name {
        "Bash" => json!([
            {"type": "addRules", "rules": [{"toolName": name, "ruleContent": input["command"]}],
             "behavior": "allow", "destination": "localSettings"},
            mode,
        ]),
        "Write" | "Edit" => json!([mode]),
        _ => json!([]),
    };
    json!({"subtype": "can_use_tool", "tool_name": name, "display_name": name, "input": input,
        "permission_suggestions": suggestions, "decision_reason": "This command requires approval",
        "tool_use_id": "toolu_asked"})
}
