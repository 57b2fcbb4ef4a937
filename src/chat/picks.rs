//! The buttons below a question of claude's.

use crate::domain::choices::PermissionMode;
use crate::domain::question::{Answer, Pick, Question};
use crate::domain::shown::is_blank;

/// Telegram allows 100 buttons below a message; further options can be written.
const MOST_OPTIONS: usize = 90;

/// The buttons of an open question.
pub(super) fn picks(question: &Question, chosen: &[String]) -> Vec<(String, Pick)> {
    let button = |label: &str, pick: Pick| (label.to_owned(), pick);
    match question {
        Question::Permission { for_session, .. } => {
            let mut buttons = vec![button("Allow once", Pick::Allow)];
            if !for_session.is_empty() {
                buttons.push(button("Allow for this session", Pick::AllowForSession));
            }
            buttons.push(button("Deny", Pick::Deny));
            buttons.push(button("Deny and say why", Pick::DenyAndSay));
            buttons
        }
        Question::Choice { choice, .. } => {
            let options = choice.options.iter().enumerate().take(MOST_OPTIONS);
            let mut buttons: Vec<(String, Pick)> = options
                .map(|(index, option)| {
                    let named = match is_blank(&option.label) {
                        true => format!("Option {}", index + 1),
                        false => option.label.clone(),
                    };
                    let label = match (choice.several, chosen.contains(&option.label)) {
                        (false, _) => named,
                        (true, true) => format!("☑ {named}"),
                        (true, false) => format!("☐ {named}"),
                    };
                    (label, Pick::Option(index))
                })
                .collect();
            if choice.several && !buttons.is_empty() {
                buttons.push(button("Done", Pick::Done));
            }
            buttons
        }
        Question::Plan { modes } => {
            let mut buttons: Vec<(String, Pick)> = modes
                .iter()
                .map(|mode| button(approval(*mode), Pick::Approve(*mode)))
                .collect();
            buttons.push(button("Keep planning", Pick::KeepPlanning));
            buttons
        }
    }
}

/// The buttons of an answered question: what there was to choose from, and what was chosen.
pub(super) fn picked(question: &Question, answer: &Answer) -> Vec<(String, Pick)> {
    let labels: &[String] = match answer {
        Answer::Chosen(labels) => labels,
        _ => &[],
    };
    let buttons = picks(question, labels).into_iter();
    buttons
        .filter(|(_, pick)| *pick != Pick::Done)
        .map(|(label, pick)| match is_marked(question, answer, pick) {
            true => (format!("✓ {label}"), pick),
            false => (label, pick),
        })
        .collect()
}

/// Several options have marks of their own.
fn is_marked(question: &Question, answer: &Answer, pick: Pick) -> bool {
    match (answer, question, pick) {
        (Answer::Allowed, _, Pick::Allow)
        | (Answer::AllowedForSession, _, Pick::AllowForSession)
        | (Answer::Denied { why: None }, _, Pick::Deny)
        | (Answer::Denied { why: Some(_) }, _, Pick::DenyAndSay)
        | (Answer::KeepPlanning(_), _, Pick::KeepPlanning) => true,
        (Answer::Approved(mode), _, Pick::Approve(other)) => *mode == other,
        (Answer::Chosen(labels), Question::Choice { choice, .. }, Pick::Option(index)) => {
            let option = choice.options.get(index);
            !choice.several && option.is_some_and(|option| labels.contains(&option.label))
        }
        _ => false,
    }
}

fn approval(mode: PermissionMode) -> &'static str {
    match mode {
        PermissionMode::BypassPermissions => "Approve, ask about nothing",
        PermissionMode::AcceptEdits => "Approve, accept edits",
        _ => "Approve, ask as before",
    }
}
