//! Every sentence of what claude asks, of what a person answers, and of what a chat chooses.

use std::fmt::Write;
use std::time::Duration;

use telecoder::chat::choices::{self, Defaults};
use telecoder::chat::questions::{self, Became};
use telecoder::claude::stream;
use telecoder::domain::choices::{Effort, PermissionMode};
use telecoder::domain::event::Event;
use telecoder::domain::id::QuestionId;
use telecoder::domain::outgoing::{Body, Outgoing, WantsReply};
use telecoder::domain::question::{Answer, Request};

fn said(all: &mut String, when: &str, message: &Outgoing) {
    let how = if message.loud { "loud" } else { "silent" };
    let _ = writeln!(all, "[{when}, {how}]");
    match &message.body {
        Body::Question { text, code, below } => {
            let _ = writeln!(all, "{text}");
            if let Some(code) = code {
                let language = code.language.as_deref().unwrap_or_default();
                let _ = writeln!(all, "```{language}\n{}\n```", code.text);
            }
            let _ = writeln!(all, "{below}");
        }
        Body::Note { text, .. } => {
            let _ = writeln!(all, "{text}");
        }
        Body::Answer { markdown, footer } => {
            let _ = writeln!(all, "{markdown}\n-- {footer}");
        }
        Body::File { name, caption, .. } => {
            let _ = writeln!(all, "{name}: {caption}");
        }
        Body::Evidence { .. } | Body::Stored(_) => panic!("no question is evidence or a file"),
    }
    for button in &message.buttons {
        let _ = match button.is_over {
            true => writeln!(all, "(( {} ))", button.label),
            false => writeln!(all, "[[ {} ]]", button.label),
        };
        assert!(button.press.data().len() <= 64, "{:?}", button.press);
    }
    all.push('\n');
}

/// As the real claude asks, with these fields of its request.
fn request(fields: &str) -> Request {
    let line = format!(
        r#"{{"type":"control_request","request_id":"r","request":{{"subtype":"can_use_tool",{fields}}}}}"#
    );
    let mut found = None;
    stream::events(line.as_bytes(), &mut |event| found = Some(event));
    match found {
        Some(Event::Asks(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn an_id() -> QuestionId {
    QuestionId::parse(&"0".repeat(32)).expect("it is one")
}

#[test]
fn what_claude_asks_and_what_is_answered() {
    let modes = [PermissionMode::AcceptEdits, PermissionMode::Default];
    let rule = r#""permission_suggestions":[{"type":"addRules","rules":[{"toolName":"Bash","ruleContent":"npm test:*"}],"behavior":"allow","destination":"localSettings"},{"type":"addDirectories","directories":["/srv/x"],"destination":"session"},{"type":"setMode","mode":"acceptEdits","destination":"session"}]"#;
    let mode = r#""permission_suggestions":[{"type":"setMode","mode":"acceptEdits","destination":"session"}]"#;
    let allowed = Answer::Allowed;
    let cases = [
        ("a command", format!(r#""tool_name":"Bash","input":{{"command":"npm test"}},{rule}"#), Answer::AllowedForSession),
        ("a command without a rule", r#""tool_name":"Bash","input":{"command":"a && b","description":"Do both"},"decision_reason":"It writes outside of the workspace","agent_id":"x""#.to_owned(), Answer::Denied { why: None }),
        ("an edit", format!(r#""tool_name":"Edit","input":{{"file_path":"/w/src/a.rs","old_string":"one\ntwo\nthree\nfour\nfive\nsix","new_string":"one\ntwo\nthree\n4\nfive\nsix","replace_all":true}},{mode}"#), Answer::Denied { why: Some("use tabs\nplease".into()) }),
        ("a new file", format!(r#""tool_name":"Write","input":{{"file_path":"/elsewhere/b","content":"x\n"}},{mode}"#), allowed.clone()),
        ("several edits", r#""tool_name":"MultiEdit","input":{"file_path":"/w/a","edits":[{"old_string":"a","new_string":"b"},{"old_string":"","new_string":"c"}]}"#.to_owned(), allowed.clone()),
        ("a page", r#""tool_name":"WebFetch","input":{"url":"https://example.com","prompt":"Read it"}"#.to_owned(), allowed.clone()),
        ("a tool of a server", r#""tool_name":"mcp__files__remove","input":{"paths":["a","b"],"force":true}"#.to_owned(), allowed),
        ("several", r#""tool_name":"AskUserQuestion","input":{"questions":[{"question":"One?","header":"1","options":[{"label":"A","description":"first"},{"label":"B"}]},{"question":"More?","options":[{"label":"C"},{"label":"D"}],"multiSelect":true},{"question":"Anything?"}]}"#.to_owned(), Answer::Chosen(vec!["A".into(), "C".into()])),
        ("one in words", r#""tool_name":"AskUserQuestion","input":{"questions":[{"question":"Which?","options":[{"label":"A"}]}]}"#.to_owned(), Answer::Written("none\nof them".into())),
        ("a plan", r#""tool_name":"ExitPlanMode","input":{"plan":"do it"}"#.to_owned(), Answer::Approved(PermissionMode::Default)),
        ("a plan, not yet", r#""tool_name":"ExitPlanMode","input":{"plan":"do it"}"#.to_owned(), Answer::KeepPlanning("first the tests".into())),
    ];
    let mut all = String::new();
    for (when, fields, answer) in cases {
        for question in request(&fields).questions("/w", &modes) {
            let message = |became| questions::message(&an_id(), &question, became);
            let chosen = ["C".to_owned()];
            said(&mut all, when, &message(Became::Open(&chosen)));
            let answered = |by| Became::Answered {
                answer: &answer,
                by,
            };
            said(
                &mut all,
                &format!("{when}, answered"),
                &message(answered(None)),
            );
        }
    }
    let question =
        &request(r#""tool_name":"Bash","input":{"command":"x"}"#).questions("", &modes)[0];
    let by = Became::Answered {
        answer: &Answer::Allowed,
        by: Some("Ada (@ada)"),
    };
    said(
        &mut all,
        "answered in a group",
        &questions::message(&an_id(), question, by),
    );
    said(
        &mut all,
        "over",
        &questions::message(&an_id(), question, Became::Over),
    );
    said(&mut all, "why", &questions::say_why(WantsReply::OfAsker));
    said(
        &mut all,
        "the wish",
        &questions::say_wish(WantsReply::OfAnybody),
    );
    said(&mut all, "too late", &questions::words_came_too_late());
    said(&mut all, "not theirs", &questions::not_theirs());
    said(&mut all, "more than words", &questions::still_waits());
    for (minutes, count) in [(10, 1), (75, 3)] {
        let waited = Duration::from_secs(minutes * 60 + 3);
        said(&mut all, "a reminder", &questions::reminder(waited, count));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_a_chat_chooses() {
    let defaults = Defaults {
        mode: PermissionMode::BypassPermissions,
        model: Some("opus".into()),
        may_bypass: true,
    };
    let careful = Defaults {
        mode: PermissionMode::DontAsk,
        model: None,
        may_bypass: false,
    };
    let mut all = String::new();
    said(&mut all, "/mode", &choices::mode(None, &defaults, false));
    for mode in PermissionMode::ALL {
        said(
            &mut all,
            "/mode MODE",
            &choices::mode(Some(mode), &defaults, true),
        );
    }
    said(
        &mut all,
        "/mode where root is refused",
        &choices::mode(None, &careful, false),
    );
    said(
        &mut all,
        "/mode bypassPermissions there",
        &choices::may_not_bypass(),
    );
    said(&mut all, "/model", &choices::model(None, &defaults, false));
    said(
        &mut all,
        "/model sonnet",
        &choices::model(Some("sonnet"), &defaults, true),
    );
    said(
        &mut all,
        "/model off",
        &choices::model(None, &careful, true),
    );
    said(&mut all, "/effort", &choices::effort(None, false));
    said(
        &mut all,
        "/effort high",
        &choices::effort(Some(Effort::High), true),
    );
    insta::assert_snapshot!(all);
}
