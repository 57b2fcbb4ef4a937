//! `telecoder session`: what the store says of sessions, and their checks; works beside a running bot.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use serde::Serialize;

use crate::chat::text::{cost, without_password};
use crate::chat::{Body, evidence};
use crate::daemon::{DATABASE, DataFolder};
use crate::git::source;
use crate::id::{JobId, SessionId};
use crate::job::Task;
use crate::session::{Commands, Session, SessionState};
use crate::store::verifications::Verification;
use crate::store::{jobs, migrations, runs, sessions, verifications};
use crate::verify::Evidence;

/// How long the database may be busy with others.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether a running bot has done what was asked.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List the sessions, the newest first
    List {
        /// For programs: an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Show a session, its checks, and what was measured after its last runs
    Inspect {
        /// The session's name, as `session list` and /status show it
        session: String,
        /// How many measurements are shown
        #[arg(long, default_value_t = 5)]
        last: u32,
        /// For programs: an object
        #[arg(long)]
        json: bool,
    },
    /// Run the checks of a session now; the running bot does it
    Verify {
        /// The session's name, as `session list` and /status show it
        session: String,
        /// The session's test command from now on; empty for none
        #[arg(long, value_name = "COMMAND")]
        test_cmd: Option<String>,
        /// The session's lint command from now on; empty for none
        #[arg(long, value_name = "COMMAND")]
        lint_cmd: Option<String>,
        /// For programs: an object
        #[arg(long)]
        json: bool,
    },
}

/// Does what the command says. Errors are for a person.
pub(super) fn run(data: &Path, command: SessionCommand) -> anyhow::Result<()> {
    let database = data.join(DATABASE);
    match command {
        SessionCommand::List { json } => list(&open(&database)?, json),
        SessionCommand::Inspect {
            session,
            last,
            json,
        } => inspect(&open(&database)?, &session, last, json),
        SessionCommand::Verify {
            session,
            test_cmd,
            lint_cmd,
            json,
        } => verify(
            &mut open(&database)?,
            data,
            &session,
            test_cmd,
            lint_cmd,
            json,
        ),
    }
}

fn open(database: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(database, flags).with_context(|| {
        format!(
            "there is no database at {}; telecoder makes it when it runs for the first time",
            database.display()
        )
    })?;
    db.busy_timeout(PATIENCE)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    migrations::check(&db)
        .with_context(|| format!("{} is not of this version of telecoder", database.display()))?;
    Ok(db)
}

/// What `--json` has of a session.
#[derive(Serialize)]
struct Shown {
    session: String,
    chat: i64,
    /// Of a forum; none elsewhere.
    topic: Option<i32>,
    /// A URL, a path, or `-`.
    repository: String,
    branch: Option<String>,
    workspace: String,
    /// `new`, `ready` or `failed`.
    state: &'static str,
    /// None: what holds for all sessions; empty: there is none.
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
    autofix: bool,
    runs: u64,
    cost_usd: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verifications: Vec<Measured>,
}

/// What `--json` has of a measurement.
#[derive(Serialize)]
struct Measured {
    /// RFC 3339, in UTC.
    at: String,
    /// The run that it is about; none where nothing had run.
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
            repository: without_password(&source::name_of(&session.source)),
            branch: session.branch.clone(),
            workspace: session.workspace.display().to_string(),
            state: match session.state {
                SessionState::New => "new",
                SessionState::Ready => "ready",
                SessionState::Failed => "failed",
            },
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

fn list(db: &Connection, json: bool) -> anyhow::Result<()> {
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
    }
    for session in shown {
        println!(
            "{}  {:<6}  {:>4} runs  {:>8}  {}{}",
            session.session,
            session.state,
            session.runs,
            cost(session.cost_usd),
            session.repository,
            session
                .branch
                .map(|branch| format!(" ({branch})"))
                .unwrap_or_default()
        );
    }
    Ok(())
}

fn inspect(db: &Connection, name: &str, last: u32, json: bool) -> anyhow::Result<()> {
    let session = find(db, name)?;
    let mut shown = Shown::of(db, &session)?;
    shown.verifications = verifications::of_session(db, &session.id, last)?
        .into_iter()
        .map(Measured::from)
        .collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let place = match shown.topic {
        Some(topic) => format!("{}, topic {topic}", shown.chat),
        None => shown.chat.to_string(),
    };
    println!("Session     {} ({})", shown.session, shown.state);
    println!("Chat        {place}");
    println!("Repository  {}", shown.repository);
    println!("Branch      {}", shown.branch.as_deref().unwrap_or("-"));
    println!("Folder      {}", shown.workspace);
    println!("Runs        {}, {}", shown.runs, cost(shown.cost_usd));
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
        None => "what the settings or the repository say",
        Some("") => "none",
        Some(command) => command,
    }
}

fn verify(
    db: &mut Connection,
    data: &Path,
    name: &str,
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
    json: bool,
) -> anyhow::Result<()> {
    let session = find(db, name)?;
    if session.state != SessionState::Ready {
        bail!("session {name} has no workspace yet; nothing was done");
    }
    let job = ask(db, &session, test_cmd, lint_cmd)?;
    let Some(evidence) = wait(db, data, job)? else {
        bail!(
            "no bot is at work here. It is written down: the checks run when telecoder does, and the chat is told"
        );
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&evidence)?);
    } else {
        print_evidence(&evidence);
    }
    if evidence.is_red() {
        bail!("a check has failed");
    }
    if !evidence.is_green() {
        bail!("nothing was checked to its end");
    }
    Ok(())
}

/// Writes down that the checks are to be run, with the commands that were given.
fn ask(
    db: &mut Connection,
    session: &Session,
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
) -> anyhow::Result<JobId> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if test_cmd.is_some() || lint_cmd.is_some() {
        let now = find(&transaction, &session.id.0)?.checks;
        let checks = Commands {
            test: test_cmd.or(now.test),
            lint: lint_cmd.or(now.lint),
        };
        sessions::set_checks(&transaction, &session.id, &checks)?;
    }
    let at = sessions::place(&transaction, &session.id)?;
    let job = jobs::insert(&transaction, &session.id, at, Task::Check, None)?;
    transaction.commit()?;
    Ok(job)
}

/// Waits for the bot to do a job; `None` where none is there to do it.
fn wait(db: &Connection, data: &Path, job: JobId) -> anyhow::Result<Option<Evidence>> {
    loop {
        // First whether it is done: what it came to is written in the same transaction.
        let is_due = jobs::due_under(db, job)?.is_some();
        if let Some((_, evidence)) = verifications::of_job(db, job)? {
            return Ok(Some(evidence));
        }
        if !is_due {
            bail!("the checks were not run; the chat says why");
        }
        if !DataFolder::is_held(data) {
            return Ok(None);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn find(db: &Connection, name: &str) -> anyhow::Result<Session> {
    sessions::get(db, &SessionId(name.to_owned()))?
        .with_context(|| format!("there is no session {name}; telecoder session list shows them"))
}

/// As the chat has it, the folded parts below.
fn print_evidence(evidence: &Evidence) {
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

fn time(unix_ms: i64) -> jiff::Zoned {
    Timestamp::from_millisecond(unix_ms)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC)
}
