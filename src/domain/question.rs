//! What claude asks in the middle of its work, and what a person answers.
//!
//! `claude::asks` reads requests and writes responses, `store::questions` keeps them, `chat::questions` has the words.
//! Pure data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::choices::PermissionMode;

/// claude's name for a request that it waits for. `control_request.request_id`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub String);

/// claude waits until it has an answer. `control_request`
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub id: RequestId,
    /// A subagent asks; the end of claude's own turn does not end it. `agent_id`
    pub by_subagent: bool,
    pub asks: Asks,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Whether a tool may run. `can_use_tool`
    Permission(Permission),
    /// Several things at once, which are answered together. `can_use_tool` of AskUserQuestion
    Choices { input: Value, choices: Vec<Choice> },
    /// Whether a plan is carried out. `can_use_tool` of ExitPlanMode
    Plan { input: Value, plan: String },
    /// Something that no person is asked; by its `subtype`.
    Unknown(String),
}

/// A tool that claude wants to use.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission {
    pub tool: String,
    /// As claude gave it; it runs with this.
    pub input: Value,
    pub wish: Wish,
    /// Why claude has to ask, where that says more than that it has to.
    pub reason: Option<String>,
    /// What "for this session" means; nothing where that cannot be said.
    pub for_session: Vec<Grant>,
}

/// What a tool would do, as a person can judge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    Command {
        command: String,
        description: Option<String>,
    },
    /// A file would look like this afterwards, as a diff.
    Change { path: String, diff: String },
    /// Any other tool, with its arguments, a line each.
    Use { arguments: String },
}

/// What claude may do without asking again.
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

/// One thing that a person is asked to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub question: String,
    pub header: String,
    pub options: Vec<Offer>,
    /// More than one may be chosen. `multiSelect`
    pub several: bool,
}

/// Something that can be chosen
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub label: String,
    pub description: String,
}

/// A question as a chat is asked it and the store keeps it.
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
        /// Of so many that are answered together; from one on.
        number: usize,
        of: usize,
    },
    /// What was planned is a message of its own. The modes that claude may go on in, the likeliest first.
    Plan { modes: Vec<PermissionMode> },
}

/// A button below a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    Allow,
    AllowForSession,
    Deny,
    DenyAndSay,
    /// One of the options, from 0 on.
    Option(usize),
    /// Nothing more is to be chosen.
    Done,
    Approve(PermissionMode),
    KeepPlanning,
}

/// What a person answered.
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
    /// In words of their own.
    Written(String),
    Approved(PermissionMode),
    /// What the plan shall be instead.
    KeepPlanning(String),
}

impl Pick {
    /// As a button's data has it.
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
    /// What a chat is asked: one question, or several of a request that asks several things. Paths inside `folder`
    /// are shown from there; `modes` are those that a plan can be carried out in.
    pub fn questions(&self, folder: &str, modes: &[PermissionMode]) -> Vec<Question> {
        match &self.asks {
            Asks::Permission(permission) => vec![Question::Permission {
                tool: permission.tool.clone(),
                wish: permission.wish.seen_from(folder),
                reason: permission.reason.clone(),
                by_subagent: self.by_subagent,
                for_session: permission.for_session.clone(),
            }],
            Asks::Choices { choices, .. } => choices
                .iter()
                .enumerate()
                .map(|(index, choice)| Question::Choice {
                    choice: choice.clone(),
                    number: index + 1,
                    of: choices.len(),
                })
                .collect(),
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
    /// As claude's settings spell a rule: `Bash(npm test)`; none for what is no rule.
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
