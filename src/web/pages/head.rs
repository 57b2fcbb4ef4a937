//! What stands above the steps of a run: prompts, questions, answer, evidence and what can be done about it.

use maud::{Markup, html};
use rusqlite::Connection;

use super::super::found::Found;
use super::super::reader::Reader;
use super::files::Kept;
use super::layout::form_key;
use super::{output, said, session, words};
use crate::chat::evidence::{self, Next};
use crate::chat::questions::{self as question_words, Became};
use crate::domain::button::{Button, Press};
use crate::domain::evidence::Evidence;
use crate::domain::id::{JobId, RunId, SessionId};
use crate::domain::question::Answer;
use crate::domain::session::Session;
use crate::domain::transcript::{Step, What};
use crate::store::page;
use crate::store::questions::{self, Asked};
use crate::store::runs::{self, RunState};
use crate::store::{measured, prompts, verifications};

/// What the store has for it.
pub(super) struct Head {
    prompts: Vec<String>,
    asked: Vec<Asked>,
    measured: Option<(JobId, Evidence)>,
    before: Option<RunId>,
    behind: Option<RunId>,
    undo: Undo,
    pub(super) files: Kept,
    /// What a reader who goes on has seen.
    pub(super) mark: String,
}

/// Whether what the run changed can be taken back from here.
enum Undo {
    Possible,
    TakenBack,
    Not,
}

impl Head {
    /// `seq` is the run's place among those of its session.
    pub(super) fn read(
        db: &Connection,
        session: &SessionId,
        id: RunId,
        seq: i64,
    ) -> rusqlite::Result<Head> {
        let (before, behind) = page::beside(db, session, seq)?;
        let prompts = prompts::of_run(db, id)?.into_iter();
        Ok(Head {
            prompts: prompts.map(|prompt| prompt.content.shown()).collect(),
            asked: questions::open_of_run(db, id)?,
            measured: measured_of(db, id)?,
            before,
            behind,
            undo: undo_of(db, session, id)?,
            files: Kept::of(db, id)?,
            mark: page::standing(db, id)?.mark(),
        })
    }
}

/// `steps` are those that the page shows: claude's answer is the end of them.
pub(super) fn markup(found: &Found, head: &Head, steps: &[Step], reader: &Reader) -> Markup {
    let Found { session, line, .. } = found;
    let back = format!("/runs/{}", line.id);
    html! {
        h1 { "Run " (words::mark(line)) }
        p.quiet { (words::when(line)) }
        nav.pages aria-label="Other runs" {
            @if let Some(before) = head.before { a rel="prev" href={ "/runs/" (before) } { "The run before" } }
            @if let Some(behind) = head.behind { a rel="next" href={ "/runs/" (behind) } { "The next run" } }
        }
        section aria-label="Prompt" {
            @if head.prompts.is_empty() { p.nothing { "Claude began this by itself." } }
            @for prompt in &head.prompts { blockquote.prompt { pre tabindex="0" { (said::clean(prompt)) } } }
        }
        @for asked in &head.asked { (question(asked, session, reader, &back)) }
        @let answer = answer(steps);
        @if line.state != RunState::Running && !answer.is_empty() {
            section.answer aria-label="Answer" {
                @for (number, text) in answer.iter().enumerate() { (said::markdown(text, &format!("a{number}"))) }
            }
        }
        @if let RunState::Ended(end) = &line.state {
            @if let Some(reason) = &end.reason { p.failed { (said::clean(reason)) } }
        }
        @if let Some((job, evidence)) = &head.measured {
            @let message = evidence::message(*job, evidence, &Next::Open, None);
            section.measured aria-label="Evidence" {
                (said::body(&message))
                @if !evidence.checks.is_empty() {
                    p.outputs { @for result in &evidence.checks {
                        @let kind = output::Kind::name(result.check.kind);
                        a href={ (back) "/checks/" (kind) } { "The whole output of " (kind) } " "
                    } }
                }
                (said::buttons(&message.buttons, &session.id, reader, &back))
            }
        }
        @if line.started_at.is_some() { p { a href={ (back) "/diff" } { "The diff" } } }
        @if line.state == RunState::Running { (session::buttons(session, reader, true)) }
        (undo(found, head, reader, &back))
    }
}

fn measured_of(db: &Connection, run: RunId) -> rusqlite::Result<Option<(JobId, Evidence)>> {
    let Some(job) = page::measured(db, run)? else {
        return Ok(None);
    };
    Ok(verifications::of_job(db, job)?.map(|(_, evidence)| (job, evidence)))
}

fn undo_of(db: &Connection, session: &SessionId, run: RunId) -> rusqlite::Result<Undo> {
    let is_undone = measured::is_undone(db, run)?.is_some_and(|(_, undone)| undone);
    if measured::is_undo_void(db, run)? || runs::running_of_session(db, session)?.is_some() {
        return Ok(Undo::Not);
    }
    Ok(match is_undone {
        true => Undo::TakenBack,
        false if measured::newest_not_undone(db, session)? == Some(run) => Undo::Possible,
        false => Undo::Not,
    })
}

fn undo(found: &Found, head: &Head, reader: &Reader, back: &str) -> Markup {
    let (id, session) = (found.line.id, &found.session.id);
    let button = |label: &str, press| Button {
        label: label.to_owned(),
        press,
        is_over: false,
    };
    match head.undo {
        Undo::Possible => html! {
            details.undo {
                summary { "Undo this run" }
                p { "The workspace becomes what it was just before it. That can be taken back." }
                (said::buttons(&[button("Undo", Press::Undo(id))], session, reader, back))
            }
        },
        Undo::TakenBack => said::buttons(
            &[button("Take the undo back", Press::Redo(id))],
            session,
            reader,
            back,
        ),
        Undo::Not => html! {},
    }
}

/// What claude said behind its last call.
fn answer(steps: &[Step]) -> Vec<&str> {
    let own = |step: &&Step| !matches!(&step.what, What::Call(call) if call.parent.is_some());
    let is_call = |step: &Step| matches!(step.what, What::Call(_) | What::Result(_));
    let last_call = steps.iter().rposition(|step| is_call(step) && own(&step));
    let behind = &steps[last_call.map_or(0, |at| at + 1)..];
    let said = behind.iter().filter_map(|step| match &step.what {
        What::Text { text, parent: None } => Some(text.as_str()),
        _ => None,
    });
    said.collect()
}

fn question(asked: &Asked, session: &Session, reader: &Reader, back: &str) -> Markup {
    let chosen = match &asked.answer {
        Some(Answer::Chosen(labels)) => labels.as_slice(),
        _ => &[],
    };
    let message = question_words::message(&asked.id, &asked.question, Became::Open(chosen));
    html! {
        section.question aria-label="Question" {
            (said::body(&message))
            @if let Some(whole) = question_words::whole(&asked.question) { (said::body(&whole)) }
            (said::buttons(&message.buttons, &session.id, reader, back))
            form.ask method="post" action={ (back) "/answer" } {
                (form_key(reader))
                input type="hidden" name="question" value=(asked.id.as_str());
                label for={ "words-" (asked.id.as_str()) } { "Or in your own words" }
                textarea #{ "words-" (asked.id.as_str()) } name="words" rows="2" required {}
                button { "Answer" }
            }
        }
    }
}
