//! Questions that claude asks during its work, and people's answers.
//!
//! `claude::asks` reads requests and writes responses, `store::questions` keeps them, `chat::questions` has the words.
//! Pure data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::choices::PermissionMode;

/// claude's id of a request. `control_request.request_id`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub String);

/// A request that claude waits on. `control_request`
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub id: RequestId,
    /// A subagent asks; the end of claude's own turn does not end it. `agent_id`
    pub by_subagent: bool,
    pub asks: Asks,
}

/// The subject of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Whether a tool may run. `can_use_tool`
    Permission(Permission),
    /// Several choices that are answered together. `can_use_tool` of AskUserQuestion
    Choices { input: Value, choices: Vec<Choice> },
    /// Whether to carry out a plan. `can_use_tool` of ExitPlanMode
    /// The plan is `None` if claude did not send it along.
    Plan { input: Value, plan: Option<String> },
    /// What an MCP server wants to know. `elicitation`
    Elicitation(Elicitation),
    /// A request that no person is asked; its `subtype`.
    Unknown(String),
}

/// A form of an MCP server: a choice for each field, or one about the whole if it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elicitation {
    pub fields: Vec<Field>,
    pub choices: Vec<Choice>,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub kind: FieldKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    YesOrNo,
    /// Labels, and the value that each stands for.
    OneOf(Vec<(String, String)>),
}

/// A tool that claude wants to use.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    pub tool: String,
    /// The tool's input, unchanged.
    pub input: Value,
    pub wish: Wish,
    /// Why claude has to ask, if its reason says more than that it must.
    pub reason: Option<String>,
    /// What "for this session" allows; empty if that is unknown.
    pub for_session: Vec<Grant>,
}

/// A tool's effect, for a person to judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    Command {
        command: String,
        description: Option<String>,
    },
    /// A change of a file, as a diff.
    Change { path: String, diff: String },
    /// Any other tool; its arguments, one per line.
    Use { arguments: String },
}

/// A permission to act without asking again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// claude: `Bash(npm test)`, `Edit`, …
    Rule {
        tool: String,
        content: Option<String>,
    },
    Folder(String),
    Mode(PermissionMode),
}

/// One choice for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub question: String,
    pub header: String,
    pub options: Vec<Offer>,
    /// More than one may be chosen. `multiSelect`
    pub several: bool,
}

/// An option of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub label: String,
    pub description: String,
}

/// A question as the chat shows it and the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Permission {
        tool: String,
        wish: Wish,
        reason: Option<String>,
        by_subagent: bool,
        for_session: Vec<Grant>,
    },
    Choice {
        choice: Choice,
        /// Its place, from 1, among choices answered together.
        number: usize,
        of: usize,
    },
    /// The plan is a message of its own. The modes that claude may continue in, likeliest first.
    Plan { modes: Vec<PermissionMode> },
}

/// A button below a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    Allow,
    AllowForSession,
    Deny,
    DenyAndSay,
    /// One of the options, counted from 0.
    Option(usize),
    /// The person has finished choosing.
    Done,
    Approve(PermissionMode),
    KeepPlanning,
}

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Allowed,
    AllowedForSession,
    Denied {
        why: Option<String>,
    },
    /// Labels of options.
    Chosen(Vec<String>),
    /// In the person's own words.
    Written(String),
    Approved(PermissionMode),
    /// What the plan should be instead.
    KeepPlanning(String),
}

impl Pick {
    /// Its name in button data.
    pub fn name(self) -> String {
        match self {
            Pick::Allow => "allow".to_owned(),
            Pick::AllowForSession => "session".to_owned(),
            Pick::Deny => "deny".to_owned(),
            Pick::DenyAndSay => "deny-why".to_owned(),
            Pick::Option(number) => number.to_string(),
            Pick::Done => "done".to_owned(),
            Pick::Approve(mode) => format!("go-{}", mode.name()),
            Pick::KeepPlanning => "keep".to_owned(),
        }
    }

    pub fn named(name: &str) -> Option<Pick> {
        Some(match name {
            "allow" => Pick::Allow,
            "session" => Pick::AllowForSession,
            "deny" => Pick::Deny,
            "deny-why" => Pick::DenyAndSay,
            "done" => Pick::Done,
            "keep" => Pick::KeepPlanning,
            _ => match name.strip_prefix("go-") {
                Some(mode) => Pick::Approve(PermissionMode::named(mode)?),
                None => Pick::Option(name.parse().ok()?),
            },
        })
    }
}

impl Request {
    /// The chat's questions of this request: one, or one for each of several choices. Paths inside `folder` are shown
    /// relative to it; `modes` are the modes that a plan can be carried out in.
    pub fn questions(&self, folder: &str, modes: &[PermissionMode]) -> Vec<Question> {
        match &self.asks {
            Asks::Permission(permission) => vec![Question::Permission {
                tool: permission.tool.clone(),
                wish: permission.wish.seen_from(folder),
                reason: permission.reason.clone(),
                by_subagent: self.by_subagent,
                for_session: permission.for_session.clone(),
            }],
            Asks::Choices { choices, .. } | Asks::Elicitation(Elicitation { choices, .. }) => {
                choices
                    .iter()
                    .enumerate()
                    .map(|(index, choice)| Question::Choice {
                        choice: choice.clone(),
                        number: index + 1,
                        of: choices.len(),
                    })
                    .collect()
            }
            Asks::Plan { .. } => vec![Question::Plan {
                modes: modes.to_vec(),
            }],
            Asks::Unknown(_) => Vec::new(),
        }
    }
}

impl Wish {
    fn seen_from(&self, folder: &str) -> Wish {
        match self {
            Wish::Change { path, diff } => {
                let inside = path
                    .strip_prefix(folder)
                    .filter(|_| !folder.is_empty())
                    .and_then(|rest| rest.strip_prefix('/'));
                Wish::Change {
                    path: inside.unwrap_or(path).to_owned(),
                    diff: diff.clone(),
                }
            }
            other => other.clone(),
        }
    }
}

impl Grant {
    /// The rule in claude's spelling: `Bash(npm test)`; `None` if it is no rule.
    pub fn rule(&self) -> Option<String> {
        match self {
            Grant::Rule {
                tool,
                content: Some(content),
            } => Some(format!("{tool}({content})")),
            Grant::Rule { tool, .. } => Some(tool.clone()),
            Grant::Folder(_) | Grant::Mode(_) => None,
        }
    }
}
