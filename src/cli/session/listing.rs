//! `session list` and `session inspect`: show the stored sessions.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use serde::Serialize;

use super::beside::Beside;
use crate::chat::evidence;
use crate::chat::text::cost;
use crate::cli::table;
use crate::domain::evidence::Evidence;
use crate::domain::id::JobId;
use crate::domain::outgoing::Body;
use crate::domain::session::{Session, SessionState};
use crate::domain::shown::without_password;
use crate::store::verifications::Verification;
use crate::store::{runs, sessions, verifications};

/// A session in `--json`.
#[derive(Serialize)]
struct Shown {
    session: String,
    /// 0: it was made in the shell, and no chat has it.
    chat: i64,
    /// In a forum; else `None`.
    topic: Option<i32>,
    /// A URL, a path, or `-`.
    repository: String,
    branch: Option<String>,
    workspace: String,
    /// `new`, `ready` or `failed`.
    state: &'static str,
    /// `None`: the general one; empty: none.
    setup_cmd: Option<String>,
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
    autofix: bool,
    runs: u64,
    cost_usd: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verifications: Vec<Measured>,
}

/// A verification in `--json`.
#[derive(Serialize)]
struct Measured {
    /// RFC 3339, in UTC.
    at: String,
    /// The run that it is about; `None` if nothing had run.
    run: Option<String>,
    /// Somebody asked for it, by /verify or `session verify`.
    by_hand: bool,
    evidence: Evidence,
}

impl Shown {
    fn of(db: &Connection, session: &Session) -> rusqlite::Result<Shown> {
        let (cost_usd, runs) = runs::session_totals(db, &session.id)?;
        Ok(Shown {
            session: session.id.0.clone(),
            chat: session.at.chat.0,
            topic: session.at.thread.map(|thread| thread.0),
            repository: without_password(&session.source.name()),
            branch: session.branch.clone(),
            workspace: session.workspace.display().to_string(),
            state: match session.state {
                SessionState::New => "new",
                SessionState::Ready => "ready",
                SessionState::Failed => "failed",
            },
            setup_cmd: session.checks.setup.as_deref().map(without_password),
            test_cmd: session.checks.test.as_deref().map(without_password),
            lint_cmd: session.checks.lint.as_deref().map(without_password),
            autofix: session.autofix,
            runs,
            cost_usd,
            verifications: Vec::new(),
        })
    }
}

impl From<Verification> for Measured {
    fn from(verification: Verification) -> Measured {
        Measured {
            at: time(verification.at).to_string(),
            run: verification.run,
            by_hand: verification.by_hand,
            evidence: verification.evidence,
        }
    }
}

pub(super) fn list(db: &Connection, json: bool) -> anyhow::Result<()> {
    let shown = sessions::all(db)?
        .iter()
        .map(|session| Shown::of(db, session))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    if shown.is_empty() {
        println!("There are no sessions yet; the first message to the bot makes one.");
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
    let mut shown = Shown::of(db, &session)?;
    shown.verifications = verifications::of_session(db, &session.id, last)?
        .into_iter()
        .map(Measured::from)
        .collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let place = match (shown.chat, shown.topic) {
        (0, _) => "none; it was made in the shell".to_owned(),
        (chat, Some(topic)) => format!("{chat}, topic {topic}"),
        (chat, None) => chat.to_string(),
    };
    println!("Session     {} ({})", shown.session, shown.state);
    println!("Chat        {place}");
    println!("Repository  {}", shown.repository);
    println!("Branch      {}", shown.branch.as_deref().unwrap_or("-"));
    println!("Folder      {}", shown.workspace);
    println!("Runs        {}, {}", shown.runs, cost(shown.cost_usd));
    println!("Setup       {}", command(shown.setup_cmd.as_deref()));
    println!("Tests       {}", command(shown.test_cmd.as_deref()));
    println!("Lint        {}", command(shown.lint_cmd.as_deref()));
    println!("Autofix     {}", if shown.autofix { "on" } else { "off" });
    for measured in &shown.verifications {
        let what = match measured.by_hand {
            false => "after a run",
            true => "asked for",
        };
        println!("\n{}, {what}", measured.at);
        print_evidence(&measured.evidence);
    }
    Ok(())
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
        println!("  {line}");
    }
    for part in folded {
        println!("  {}", part.title);
        for line in part.text.lines() {
            println!("  | {line}");
        }
    }
}

pub(super) fn time(unix_ms: i64) -> jiff::Zoned {
    Timestamp::from_millisecond(unix_ms)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC)
}
