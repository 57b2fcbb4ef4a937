//! Logs claude in from the owner's phone: a handle with verbs, and the task that runs `claude auth login`.
//!
//! `inbox` brings the button and the reply; `claude::login` reads what claude shows; `chat::hold` has the sentences.
//! The store has the state, so that a restart can say that the login was cut off. The code goes from the reply to the
//! terminal in memory only.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::chat::hold::{self as words, LoginFailure};
use crate::claude::login::{self as shown, Screen};
use crate::domain::hold::HoldCause;
use crate::domain::id::{ChatThread, RunId};
use crate::domain::outgoing::Outgoing;
use crate::process::supervised::{Piece, Program, Supervised, end_marked};
use crate::session::registry::Registry;
use crate::store::logins::{self, State};
use crate::store::{Store, StoreError, holds, outbox, traces};
use crate::telegram::outbox::Outbox;

/// The pause after a failure of the store.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long one login may take.
const TIME_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Cheap to clone.
#[derive(Clone)]
pub struct Login {
    asks: mpsc::UnboundedSender<Ask>,
}

enum Ask {
    Begin,
    Code(SecretString),
}

impl Login {
    pub fn new() -> (Login, Waiting) {
        let (asks, incoming) = mpsc::unbounded_channel();
        (Login { asks }, Waiting { incoming })
    }

    /// Starts the login that the store says is wanted.
    pub fn begin(&self) {
        let _ = self.asks.send(Ask::Begin);
    }

    /// Passes on the code that the owner sent.
    pub fn give(&self, code: SecretString) {
        let _ = self.asks.send(Ask::Code(code));
    }
}

/// The requests of the handle.
pub struct Waiting {
    incoming: mpsc::UnboundedReceiver<Ask>,
}

/// What the task needs.
pub struct LoginTask {
    pub store: Store,
    pub outbox: Outbox,
    pub registry: Registry,
    /// Without one nobody can press the button.
    pub owner: Option<ChatThread>,
    /// The claude program.
    pub program: PathBuf,
    /// The environment of claude.
    pub environment: BTreeMap<OsString, OsString>,
    /// A folder for files that nobody needs later.
    pub scratch: PathBuf,
    pub database: PathBuf,
}

/// How a login ended.
enum End {
    Done,
    Failed(LoginFailure),
    BotStops,
}

impl LoginTask {
    /// Serves the handle until `quit`.
    pub async fn run(self, waiting: Waiting, quit: CancellationToken) {
        let mut waiting = waiting;
        let Some(owner) = self.owner else {
            return;
        };
        let mut is_wanted = tokio::select! {
            is_wanted = self.take_up(owner) => is_wanted,
            () = quit.cancelled() => return,
        };
        loop {
            if !std::mem::take(&mut is_wanted) {
                match next(&mut waiting, &quit).await {
                    Some(Ask::Begin) => {}
                    // It came too late; its traces are removed all the same.
                    Some(Ask::Code(_)) => {
                        self.fail(owner, LoginFailure::Over).await;
                        self.leave_no_trace().await;
                        continue;
                    }
                    None => return,
                }
            }
            let ended = self.log_in(owner, &mut waiting, &quit).await;
            self.leave_no_trace().await;
            match ended {
                End::Done => self.succeed(owner).await,
                End::Failed(failure) => self.fail(owner, failure).await,
                End::BotStops => return,
            }
        }
    }

    /// At a start: reports a login that was cut off while it waited for its code. Returns whether one is wanted.
    async fn take_up(&self, owner: ChatThread) -> bool {
        let state = loop {
            match self.store.transaction(logins::state).await {
                Ok(state) => break state,
                Err(error) if error.is_passing() => tokio::time::sleep(STORE_PAUSE).await,
                Err(error) => {
                    error!(%error, "it cannot be seen whether a login was under way; its button begins one");
                    break None;
                }
            }
        };
        if state == Some(State::Asking) {
            self.fail(owner, LoginFailure::CutOff).await;
            self.leave_no_trace().await;
        }
        state == Some(State::Wanted)
    }

    async fn log_in(
        &self,
        owner: ChatThread,
        waiting: &mut Waiting,
        quit: &CancellationToken,
    ) -> End {
        let marker = RunId::new();
        let environment = shown::environment(&self.environment);
        let started = Supervised::start_in_terminal(Program {
            arguments: shown::arguments(&self.program),
            folder: &self.scratch,
            environment: &environment,
            marker,
            report: self.scratch.join(format!("login-{marker}.json")),
        });
        let mut program = match started {
            Ok(program) => program,
            Err(error) => return End::Failed(LoginFailure::NotStarted(error.to_string())),
        };
        info!("claude is being logged in");
        let ended = self.follow(owner, &mut program, waiting, quit).await;
        program.end_for_good().await;
        let report = program.into_report();
        if report.is_none() {
            end_marked(marker).await;
        }
        let Some(ended) = ended else {
            return End::BotStops;
        };
        let screen = match ended {
            Ok(screen) => screen,
            Err(failure) => return End::Failed(failure),
        };
        let report = report.unwrap_or_default();
        match (report.code, report.not_started) {
            (Some(0), _) => End::Done,
            (_, Some(words)) => End::Failed(LoginFailure::NotStarted(words)),
            _ => End::Failed(LoginFailure::Refused(screen.failure().unwrap_or_default())),
        }
    }

    /// Follows claude to its end; returns its screen, or why to end it. `None` if the bot stops.
    async fn follow(
        &self,
        owner: ChatThread,
        program: &mut Supervised,
        waiting: &mut Waiting,
        quit: &CancellationToken,
    ) -> Option<Result<Screen, LoginFailure>> {
        let deadline = Instant::now() + TIME_LIMIT;
        let mut screen = Screen::default();
        let mut has_asked = false;
        let mut refusals = 0;
        loop {
            tokio::select! {
                piece = program.next() => match piece {
                    Some(Piece::Stdout(bytes)) => screen.shows(&bytes),
                    Some(Piece::Stderr(_)) => {}
                    None => return Some(Ok(screen)),
                },
                ask = next(waiting, quit) => match ask {
                    // The button was pressed twice.
                    Some(Ask::Begin) => {}
                    Some(Ask::Code(code)) => {
                        let line = SecretString::from(format!("{}\r", code.expose_secret().trim()));
                        // If claude is gone, its end says so.
                        let _ = program.types(line.expose_secret().as_bytes()).await;
                        self.leave_no_trace().await;
                    }
                    None => return None,
                },
                () = tokio::time::sleep_until(deadline) => {
                    return Some(Err(LoginFailure::TooLate));
                }
            }
            if !has_asked && let Some(link) = screen.link() {
                has_asked = self.ask(owner, words::login_link(&link)).await;
            }
            let refused = screen.refusals();
            if refused > refusals && self.ask(owner, words::code_again()).await {
                refusals = refused;
            }
        }
    }

    /// Asks for the code; returns whether the question was stored.
    async fn ask(&self, owner: ChatThread, wish: Outgoing) -> bool {
        let asked = self
            .store
            .transaction(move |db| {
                let row = outbox::insert_long(db, owner, wish)?;
                logins::set_asking(db, row)
            })
            .await;
        self.said(owner, asked)
    }

    /// Lifts the login holds of all chats.
    async fn succeed(&self, owner: ChatThread) {
        let lifted = self
            .store
            .transaction(move |db| {
                logins::clear(db)?;
                let places = holds::lift_all(db, HoldCause::Login)?;
                outbox::insert(db, owner, &words::logged_in(places.len()))?;
                Ok(places)
            })
            .await;
        match lifted {
            Ok(places) => {
                info!(chats = places.len(), "claude is logged in");
                places.into_iter().for_each(|at| self.registry.wake(at));
                self.outbox.deliver(owner.chat);
            }
            Err(error) => warn!(%error, "claude is logged in, but that could not be stored"),
        }
    }

    async fn fail(&self, owner: ChatThread, failure: LoginFailure) {
        info!("claude was not logged in");
        let told = self
            .store
            .transaction(move |db| {
                logins::set(db, State::Offered)?;
                outbox::insert(db, owner, &words::login_failed(&failure))
            })
            .await;
        self.said(owner, told);
    }

    fn said(&self, owner: ChatThread, written: Result<(), StoreError>) -> bool {
        match written {
            Ok(()) => {
                self.outbox.deliver(owner.chat);
                true
            }
            Err(error) => {
                warn!(%error, "the owner could not be told how the login goes");
                false
            }
        }
    }

    /// Removes the code from the disk: its update was stored until it was handled.
    async fn leave_no_trace(&self) {
        let database = self.database.clone();
        let cleared = tokio::task::spawn_blocking(move || traces::clear(&database)).await;
        if let Ok(Err(error)) = cleared {
            warn!(%error, "deleted rows may stay in the database's files for a while");
        }
    }
}

/// `None` if the bot stops.
async fn next(waiting: &mut Waiting, quit: &CancellationToken) -> Option<Ask> {
    tokio::select! {
        ask = waiting.incoming.recv() => ask,
        () = quit.cancelled() => None,
    }
}
