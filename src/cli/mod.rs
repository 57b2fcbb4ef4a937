//! The command line, and what each exit code means.
//!
//! 0: done. 1: failed. 2: a setting or an argument is wrong. 3: another telecoder uses the data folder, or the service
//! does not run (`service status`). 4: saved, but no bot is running to do it.

#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod screen;

mod config;
mod doctor;
mod init;
mod log;
mod pages;
mod routine;
mod service;
mod session;
mod table;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::claude::keeper;
use crate::config::{Config, Faults, Setting, Sources, data_folder};
use crate::daemon::{self, DATABASE, ServeError};
use crate::demo;
use crate::domain::shown::size;
use crate::job::picture;
use crate::process::supervisor::{self, Place};
use crate::store::backup;
use config::ConfigCommand;
use init::InitArguments;
use routine::RoutineCommand;
use service::{NotRunning, ServiceArguments};
use session::SessionCommand;
use session::beside::NoBot;
use web::WebCommand;

/// Use Claude Code from Telegram
#[derive(Debug, Parser)]
#[command(
    version,
    name = "telecoder",
    max_term_width = 100,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}")
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bot (the default without a command)
    Serve,
    /// Set up the bot: token, owner, settings file
    Init(InitArguments),
    /// Try the bot in this terminal: no token, no Telegram
    Demo {
        /// Also write the chat to this HTML page
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Also serve the page, and print a link to it
        #[arg(long)]
        web: bool,
    },
    /// Check the setup and say how to fix it
    #[command(visible_alias = "status", after_long_help = doctor::LONG_HELP)]
    Doctor {
        /// Print JSON: an object
        #[arg(long)]
        json: bool,
    },
    /// Copy the database to a new file; safe while the bot runs
    #[command(after_help = "Example:\n  telecoder backup ~/telecoder-$(date +%F).db")]
    Backup {
        /// The file to make; it must not exist yet
        file: PathBuf,
    },
    /// Work with sessions from the shell, also while the bot runs
    #[command(subcommand)]
    Session(SessionCommand),
    /// Work that begins by itself: list it, make it, pause it
    #[command(subcommand)]
    Routine(RoutineCommand),
    /// Print a link that logs a browser in to the page, once
    #[command(args_conflicts_with_subcommands = true)]
    Web {
        #[command(subcommand)]
        command: Option<WebCommand>,
    },
    /// Run the bot with systemd: at boot, and again after a crash
    Service(ServiceArguments),
    /// Show the settings, or change one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions { shell: Shell },
    /// Print the man page, or write one for each command
    #[command(after_help = "Example:\n  telecoder man | man -l -")]
    Man {
        /// The folder for a page of each command; made if missing
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}

/// An argument or an answer is wrong or missing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misused(String);

const EXAMPLES: &str = "\
Examples:
  telecoder demo      try it in this terminal
  telecoder doctor    see what is missing, and what to do
  telecoder           run the bot
  telecoder session list --json";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, or a check found a fault
  2  a setting or an argument is wrong; nothing was done
  3  the data folder is in use by another telecoder, or the bot does not run (service status)
  4  saved, but no bot is running to do it (session)";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  telecoder completions bash > ~/.local/share/bash-completion/completions/telecoder
  telecoder completions zsh > \"${fpath[1]}/_telecoder\"
  telecoder completions fish > ~/.config/fish/completions/telecoder.fish";

/// Parses the command line and does what it says.
pub fn run() -> ExitCode {
    // Only a build for tests has failpoints.
    let _points = fail::has_failpoints().then(fail::FailScenario::setup);
    if let Some(done) = started_by_telecoder() {
        return finish(done);
    }
    let command = Cli::parse().command;
    let stays = matches!(
        command,
        None | Some(
            Command::Serve
                | Command::Demo { .. }
                | Command::Init(_)
                | Command::Session(SessionCommand::Run { .. })
        )
    );
    if !stays && let Err(error) = screen::end_when_nobody_reads() {
        return finish(Err(error.into()));
    }
    finish(match command {
        None | Some(Command::Serve) => serve(),
        Some(Command::Init(arguments)) => init(arguments),
        Some(Command::Demo { html, web }) => demo(html.as_deref(), web),
        Some(Command::Doctor { json }) => examine(json),
        Some(Command::Backup { file }) => back_up(&file),
        Some(Command::Session(command)) => session(command),
        Some(Command::Routine(command)) => routine::run(&Sources::of_a_command(), command),
        Some(Command::Web { command }) => web::run(&Sources::of_a_command(), command),
        Some(Command::Service(arguments)) => service::run(arguments),
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Completions { shell }) => pages::completions(shell, Cli::command()),
        Some(Command::Man { dir }) => pages::man(dir.as_deref(), Cli::command()),
    })
}

/// The commands that only telecoder itself starts, hidden from help and completions; `None` for any other. Skipping the
/// parser saves its memory in those that live as long as their child.
fn started_by_telecoder() -> Option<anyhow::Result<()>> {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next()?;
    if command == "keep" {
        return Some(keeper::keep(Path::new(&arguments.next()?)));
    }
    if let Some(place) = command.to_str().and_then(Place::of_subcommand) {
        let (report, program) = supervisor::parse(arguments)?;
        return Some(supervisor::supervise(place, &report, &program));
    }
    if command == picture::COMMAND {
        return Some(picture::fit_and_say(
            Path::new(&arguments.next()?),
            Path::new(&arguments.next()?),
        ));
    }
    if command == "stand-in" {
        let words = arguments.map(|word| word.to_string_lossy().into_owned());
        return Some(demo::agent::answer(&words.collect::<Vec<_>>()));
    }
    None
}

fn finish(done: anyhow::Result<()>) -> ExitCode {
    let done = match done {
        Err(error) if !error.is::<doctor::Broken>() => Err(error),
        done => screen::printed().map_err(anyhow::Error::from).and(done),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<doctor::Broken>() => ExitCode::FAILURE,
        Err(error) => {
            let error_text = format!("{error:#}");
            // Faults quote the wrong setting.
            let redactor = Sources::of_a_command().redactor();
            let told = match error.downcast_ref::<Faults>() {
                Some(faults) => faults.redacted_by(&redactor),
                None => redactor.text(&error_text).into_owned(),
            };
            screen::print_beside(&format!("telecoder: {told}"));
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Faults>()
        || error.is::<Misused>()
        || matches!(error.downcast_ref(), Some(ServeError::Token(_)))
    {
        return ExitCode::from(2);
    }
    if error.is::<NoBot>() {
        return ExitCode::from(4);
    }
    if error.is::<NotRunning>() || matches!(error.downcast_ref(), Some(ServeError::InUse { .. })) {
        return ExitCode::from(3);
    }
    ExitCode::FAILURE
}

fn serve() -> anyhow::Result<()> {
    let sources = Sources::of_this_process();
    let redactor = log::to_stderr(&sources, Setting::Log.default());
    let config = Config {
        redactor,
        ..Config::read(&sources)?
    };
    if let Err(error) = sources.remember_folder() {
        tracing::debug!(%error, "other commands will not know of this folder's .env");
    }
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let quit = quit_on_signals()?;
        daemon::serve(config, quit).await?;
        Ok(())
    });
    // Does not wait for what is still being read for a reply.
    runtime.shutdown_background();
    done
}

fn init(arguments: InitArguments) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let quit = quit_on_signals()?;
        init::run(arguments, quit).await
    });
    // As in a demo: does not wait for an unanswered question.
    runtime.shutdown_background();
    done
}

fn back_up(file: &Path) -> anyhow::Result<()> {
    if file.symlink_metadata().is_ok() {
        return Err(Misused(format!(
            "{} is there already and was left as it is; name another file",
            file.display()
        ))
        .into());
    }
    let data = data_folder(&Sources::of_a_command())?;
    let database = data.join(DATABASE);
    let bytes = backup::to_file(&database, file)?;
    print_line!(
        "{} now has a copy of {} ({}), as it was a moment ago. docs/RELIABILITY.md says how to restore it.",
        file.display(),
        database.display(),
        size(bytes)
    );
    Ok(())
}

fn examine(json: bool) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let done = doctor::run(&runtime, json);
    // Does not wait for a check that hangs.
    runtime.shutdown_background();
    done
}

fn session(command: SessionCommand) -> anyhow::Result<()> {
    session::run(&Sources::of_a_command(), command)
}

fn demo(page: Option<&Path>, web: bool) -> anyhow::Result<()> {
    let sources = Sources::of_a_command();
    // The terminal shows the chat; only errors are logged into it.
    log::to_stderr(&sources, "error");
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let quit = quit_on_signals()?;
        demo::run(&sources, page, web, quit).await
    });
    // Does not wait for the terminal to be read: that ends when somebody presses Enter.
    runtime.shutdown_background();
    done
}

/// Two workers: the bot waits more than it works.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// SIGTERM, SIGINT and SIGHUP stop the bot in order; runs continue.
fn quit_on_signals() -> std::io::Result<CancellationToken> {
    let quit = CancellationToken::new();
    let mut signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    let on_signal = quit.clone();
    tokio::spawn(async move {
        let [terminate, interrupt, hangup] = &mut signals;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        on_signal.cancel();
    });
    Ok(quit)
}
