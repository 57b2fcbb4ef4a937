//! `telecoder session`: sessions in a shell, also while the bot runs. One file a verb.

mod attach;
pub(super) mod beside;
mod create;
mod delete;
mod fields;
mod follow;
mod listing;
mod logs;
mod resume;
pub(super) mod run;
mod stop;
mod verify;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::Misused;
use crate::config::{self, Sources};
use crate::domain::id::{ChatId, ChatThread, ThreadId};
use crate::inbox;
use beside::Beside;

/// How often to check whether the bot has done what was asked.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// Make a session and its workspace; it belongs to the shell until a chat takes it with /resume
    #[command(after_long_help = fields::CREATE)]
    Create {
        /// The repository: a URL, a folder on this machine, or the short name of a known one; without it, an empty
        /// workspace
        repository: Option<String>,
        /// The branch to work on, made if missing; without it, one named after the session
        #[arg(long)]
        branch: Option<String>,
        /// Switch this chat to the new session
        #[command(flatten)]
        chat: WantedChat,
        /// Do not wait for the workspace
        #[arg(long)]
        no_wait: bool,
        /// Print JSON: an object
        #[arg(long)]
        json: bool,
    },
    /// List the sessions, the newest first
    #[command(after_long_help = fields::LIST)]
    List {
        /// Print JSON: an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Show a session and its last runs: what was asked, how each ended, what the checks said
    #[command(after_long_help = fields::INSPECT)]
    Inspect {
        /// The session's name, as `session list` and /status show it
        session: String,
        /// How many runs and results to show
        #[arg(long, default_value_t = 5)]
        last: u32,
        /// Print JSON: an object
        #[arg(long)]
        json: bool,
    },
    /// Send claude a prompt, and show its work until it is done
    #[command(after_long_help = fields::RUN)]
    Run {
        /// The session's name
        session: String,
        /// The prompt, passed on unchanged; without it, or with -, standard input
        #[arg(allow_hyphen_values = true)]
        prompt: Option<String>,
        /// Only save the prompt; do not wait for the run
        #[arg(long)]
        no_wait: bool,
        /// Show the answer only, not the steps
        #[arg(long, short)]
        quiet: bool,
        /// Print JSON: an object, when the run has ended
        #[arg(long)]
        json: bool,
    },
    /// Stop what runs in a session; if nothing runs, drop its waiting prompts
    Stop {
        /// The session's name
        session: String,
    },
    /// Switch a chat to a session, as /resume does
    Resume {
        /// The session's name
        session: String,
        /// Without a chat, the one that the session belongs to
        #[command(flatten)]
        chat: WantedChat,
    },
    /// Show what the current or last run of a session did
    Logs {
        /// The session's name
        session: String,
        /// How many lines
        #[arg(short = 'n', long = "lines", default_value_t = 30)]
        lines: usize,
        /// Keep showing new lines, also of later runs, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
    },
    /// Continue a session's conversation in this terminal, in claude itself; prompts from the chat wait meanwhile
    Attach {
        /// The session's name
        session: String,
        /// Stop a run that is going on there, instead of refusing
        #[arg(long)]
        stop: bool,
    },
    /// Have the running bot run a session's checks now
    #[command(after_long_help = fields::VERIFY)]
    Verify {
        /// The session's name, as `session list` and /status show it
        session: String,
        /// Set the session's test command; empty for none
        #[arg(long, value_name = "COMMAND")]
        test_cmd: Option<String>,
        /// Set the session's lint command; empty for none
        #[arg(long, value_name = "COMMAND")]
        lint_cmd: Option<String>,
        /// Print JSON: an object
        #[arg(long)]
        json: bool,
    },
    /// Delete a session, its workspace and its records
    Delete {
        /// The session's name
        session: String,
        /// Delete even if work that is nowhere else is lost
        #[arg(long)]
        force: bool,
    },
}

/// A chat, as a person names it.
#[derive(Debug, Args)]
pub(super) struct WantedChat {
    /// The chat's id, as /whoami shows it; a group's is negative
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    chat: Option<i64>,
    /// The topic's id, in a forum
    #[arg(long, value_name = "ID", requires = "chat")]
    topic: Option<i32>,
}

impl WantedChat {
    /// Errors: nobody in that chat may use the bot, so nothing could be said there.
    pub(super) fn found(
        &self,
        sources: &Sources,
        beside: &Beside,
    ) -> anyhow::Result<Option<ChatThread>> {
        let Some(chat) = self.chat.map(ChatId) else {
            return Ok(None);
        };
        let access = config::access(sources)?;
        if !inbox::may_anybody_write(&beside.db, &access, chat)? {
            return Err(Misused(format!(
                "nobody in chat {} may use this bot, and nothing was done; /whoami in a chat shows its id",
                chat.0
            ))
            .into());
        }
        Ok(Some(ChatThread {
            chat,
            thread: self.topic.map(ThreadId),
        }))
    }
}

/// Does what the command says. Errors are for a person.
pub(super) fn run(sources: &Sources, command: SessionCommand) -> anyhow::Result<()> {
    // It writes messages to the chat.
    sources.redactor().serve_this_process();
    let mut beside = Beside::open(&config::data_folder(sources)?)?;
    match command {
        SessionCommand::Create {
            repository,
            branch,
            chat,
            no_wait,
            json,
        } => {
            let wanted = create::Wanted {
                repository,
                branch,
                chat: chat.found(sources, &beside)?,
            };
            create::create(&mut beside, wanted, !no_wait, json)
        }
        SessionCommand::List { json } => listing::list(&beside.db, json),
        SessionCommand::Inspect {
            session,
            last,
            json,
        } => listing::inspect(&beside, &session, last, json),
        SessionCommand::Run {
            session,
            prompt,
            no_wait,
            quiet,
            json,
        } => {
            let prompt = run::prompt(prompt)?;
            let shown = run::Shown { quiet, json };
            run::run(&mut beside, &session, prompt, !no_wait, shown)
        }
        SessionCommand::Stop { session } => stop::stop(&mut beside, &session),
        SessionCommand::Resume { session, chat } => {
            let chat = chat.found(sources, &beside)?;
            resume::resume(&mut beside, &session, chat)
        }
        SessionCommand::Logs {
            session,
            lines,
            follow,
        } => logs::logs(&beside, &session, lines, follow),
        SessionCommand::Attach { session, stop } => {
            attach::attach(sources, &mut beside, &session, stop)
        }
        SessionCommand::Verify {
            session,
            test_cmd,
            lint_cmd,
            json,
        } => verify::verify(&mut beside, &session, test_cmd, lint_cmd, json),
        SessionCommand::Delete { session, force } => {
            delete::delete(sources, &mut beside, &session, force)
        }
    }
}
