//! `session list` and `session inspect`: show the stored sessions.

use rusqlite::Connection;

use super::beside::Beside;
use crate::chat::evidence;
use crate::chat::text::cost;
use crate::cli::{screen, table};
use crate::domain::evidence::Evidence;
use crate::domain::id::JobId;
use crate::domain::outgoing::Body;
use crate::domain::shown::visible;
use crate::public::{self, LastRun};
use crate::redact::short::one_line;
use crate::store::verifications::Verification;
use crate::store::{sessions, verifications};

/// How much of a prompt is shown; `--json` has all of it.
const PROMPT_WIDTH: usize = 200;

pub(super) fn list(db: &Connection, json: bool) -> anyhow::Result<()> {
    let shown = sessions::all(db)?
        .iter()
        .map(|session| public::Session::read(db, session))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if json {
        return screen::print_json(&shown);
    }
    if shown.is_empty() {
        print_line!("There are no sessions yet; the first message to the bot makes one.");
        return Ok(());
    }
    let rows: Vec<[String; 6]> = shown
        .into_iter()
        .map(|session| {
            let place = match (session.chat, session.topic) {
                (0, _) => "shell".to_owned(),
                (chat, Some(topic)) => format!("{chat}/{topic}"),
                (chat, None) => chat.to_string(),
            };
            [
                session.session,
                session.state.to_owned(),
                place,
                format!("{}, {}", session.runs, cost(session.cost_usd)),
                session.repository,
                session.branch.unwrap_or_default(),
            ]
        })
        .collect();
    let headings = ["Session", "State", "Chat", "Runs", "Repository", "Branch"];
    table::print(headings, &rows);
    Ok(())
}

pub(super) fn inspect(beside: &Beside, name: &str, last: u32, json: bool) -> anyhow::Result<()> {
    let db = &beside.db;
    let session = beside.session(name)?;
    let shown = public::Session::read(db, &session)?;
    let measured = verifications::of_session(db, &session.id, last)?;
    let last_runs = LastRun::newest(db, &session.id, last)?;
    if json {
        return screen::print_json(&public::Inspected {
            session: shown,
            last_runs,
            verifications: measured.iter().map(public::Verification::from).collect(),
        });
    }
    let place = match (shown.chat, shown.topic) {
        (0, _) => "none; it was made in the shell".to_owned(),
        (chat, Some(topic)) => format!("{chat}, topic {topic}"),
        (chat, None) => chat.to_string(),
    };
    print_line!("Session     {} ({})", shown.session, shown.state);
    print_line!("Chat        {place}");
    print_line!("Repository  {}", shown.repository);
    print_line!("Branch      {}", shown.branch.as_deref().unwrap_or("-"));
    print_line!("Folder      {}", shown.workspace);
    print_line!("Runs        {}, {}", shown.runs, cost(shown.cost_usd));
    print_line!("Setup       {}", command(shown.setup_cmd.as_deref()));
    print_line!("Tests       {}", command(shown.test_cmd.as_deref()));
    print_line!("Lint        {}", command(shown.lint_cmd.as_deref()));
    print_line!("Autofix     {}", if shown.autofix { "on" } else { "off" });
    for run in &last_runs {
        print_run(run);
        let of_run = measured.iter().filter(|it| is_of(it, run) && !it.by_hand);
        of_run.for_each(|measured| print_evidence(&measured.evidence));
    }
    let is_told = |it: &Verification| !it.by_hand && last_runs.iter().any(|run| is_of(it, run));
    for measured in measured.iter().filter(|it| !is_told(it)) {
        let what = match measured.by_hand {
            false => "after an earlier run",
            true => "asked for",
        };
        print_line!("\nChecks {what}, {}", public::time(measured.at));
        print_evidence(&measured.evidence);
    }
    Ok(())
}

fn is_of(measured: &Verification, run: &LastRun) -> bool {
    measured.run.as_ref() == Some(&run.run)
}

/// Prints what was asked, and what came of it.
fn print_run(run: &LastRun) {
    let outcome = run.outcome.as_deref().unwrap_or(run.state);
    let cost = run.cost_usd.map(|it| format!(", {}", cost(it)));
    let at = run.started_at.as_ref().map(|at| format!(", begun {at}"));
    print_line!(
        "\nRun {outcome}{}{}",
        cost.unwrap_or_default(),
        at.unwrap_or_default()
    );
    if run.prompts.is_empty() {
        print_line!("  begun by claude itself");
    }
    for prompt in &run.prompts {
        print_line!("  > {}", one_line(&visible(prompt), PROMPT_WIDTH));
    }
    if let Some(reason) = &run.reason {
        print_line!("  {}", one_line(&visible(reason), PROMPT_WIDTH));
    }
}

fn command(command: Option<&str>) -> &str {
    match command {
        None => "as in the settings or the repository",
        Some("") => "none",
        Some(command) => command,
    }
}

/// Prints evidence as in the chat, with the folded parts below.
pub(super) fn print_evidence(evidence: &Evidence) {
    let message = evidence::message(JobId::default(), evidence, &evidence::Next::Open, None);
    let Body::Evidence { text, folded } = message.body else {
        return;
    };
    for line in text.lines() {
        print_line!("  {line}");
    }
    for part in folded {
        print_line!("  {}", part.title);
        for line in part.text.lines() {
            print_line!("  | {line}");
        }
    }
}
