//! `GET /runs/ID/questions`: what claude waits for, and what can be answered.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::Web;
use super::Caller;
use super::body::to_judge;
use super::problem::Problem;
use super::runs::find;
use crate::chat::questions::{self as words, Became};
use crate::domain::button::Press;
use crate::domain::question::{Answer, Offer, Pick, Question, Wish};
use crate::store::questions::{self, Asked};

#[derive(Serialize)]
struct Questions {
    questions: Vec<Shown>,
}

/// A question that is open.
#[derive(Serialize)]
pub(super) struct Shown {
    question: String,
    run: String,
    /// `permission`, `choice` or `plan`.
    kind: &'static str,
    by_subagent: bool,
    /// What claude wants to use; the rest of it depends on the tool.
    tool: Option<String>,
    command: Option<String>,
    description: Option<String>,
    path: Option<String>,
    diff: Option<String>,
    arguments: Option<String>,
    /// Why claude has to ask.
    reason: Option<String>,
    /// What claude wants to know.
    text: Option<String>,
    options: Vec<Offer>,
    several: bool,
    /// So far, where several can be chosen.
    chosen: Vec<String>,
    picks: Vec<Picked>,
}

#[derive(Serialize)]
struct Picked {
    pick: String,
    label: String,
}

pub(super) async fn of_run(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(run): Path<String>,
) -> Result<Response, Problem> {
    let run = find(&web, &caller, &run).await?.line.id;
    let open = web
        .store
        .transaction(move |db| questions::open_of_run(db, run))
        .await?;
    let questions = open.iter().map(Shown::from).collect();
    Ok((
        StatusCode::OK,
        axum::Json(to_judge(&Questions { questions })),
    )
        .into_response())
}

/// Picks that ask the chat for words; here they come with the answer.
pub(super) fn wants_words(pick: Pick) -> bool {
    matches!(pick, Pick::DenyAndSay | Pick::KeepPlanning)
}

impl From<&Asked> for Shown {
    fn from(asked: &Asked) -> Shown {
        let chosen = match &asked.answer {
            Some(Answer::Chosen(labels)) => labels.clone(),
            _ => Vec::new(),
        };
        let buttons = words::message(&asked.id, &asked.question, Became::Open(&chosen)).buttons;
        let picks = buttons.into_iter().filter_map(|button| match button.press {
            Press::Answer(_, pick) if !wants_words(pick) => Some(Picked {
                pick: pick.name(),
                label: button.label,
            }),
            _ => None,
        });
        let bare = Shown {
            question: asked.id.as_str().to_owned(),
            run: asked.run.to_string(),
            kind: "plan",
            by_subagent: false,
            tool: None,
            command: None,
            description: None,
            path: None,
            diff: None,
            arguments: None,
            reason: None,
            text: None,
            options: Vec::new(),
            several: false,
            picks: picks.collect(),
            chosen,
        };
        bare.with(&asked.question)
    }
}

impl Shown {
    fn with(self, question: &Question) -> Shown {
        match question.clone() {
            Question::Permission {
                tool,
                wish,
                reason,
                by_subagent,
                ..
            } => Shown {
                kind: "permission",
                tool: Some(tool),
                reason,
                by_subagent,
                ..self.wishing(wish)
            },
            Question::Choice { choice, .. } => Shown {
                kind: "choice",
                text: Some(choice.question),
                options: choice.options,
                several: choice.several,
                ..self
            },
            Question::Plan { .. } => self,
        }
    }

    fn wishing(self, wish: Wish) -> Shown {
        match wish {
            Wish::Command {
                command,
                description,
            } => Shown {
                command: Some(command),
                description,
                ..self
            },
            Wish::Change { path, diff } => Shown {
                path: Some(path),
                diff: Some(diff),
                ..self
            },
            Wish::Use { arguments } => Shown {
                arguments: Some(arguments),
                ..self
            },
        }
    }
}
