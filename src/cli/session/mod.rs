//! `telecoder session`: sessions in a shell, beside a running bot. One file a verb.

mod attach;
pub(super) mod beside;
mod create;
mod delete;
mod fields;
mod follow;
mod listing;
mod logs;
mod resume;
mod run;
mod stop;
mod verify;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::Misused;
use crate::config::{self, Sources};
use crate::domain::id::{ChatId, ChatThread, ThreadId, UserId};
use crate::store::{migrated, people};
use beside::Beside;

/// How often it is looked whether a running bot has done what was asked.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// Make a session and its workspace; it belongs to the shell until a chat goes on in it with /resume
    #[command(after_long_help = fields::CREATE)]
    Create {
        /// What to work on: a URL, a folder of this machine, or the short name of a repository seen before; without it,
        /// an empty workspace
        repository: Option<String>,
        /// The branch to work on; made where there is none. Without it, one that is named after the session
        #[arg(long)]
        branch: Option<String>,
        /// Give it to this chat at once, which then talks to it
        #[command(flatten)]
        chat: WantedChat,
        /// Do not wait for the workspace
        #[arg(long)]
        no_wait: bool,
        /// For programs: an object
        #[arg(long)]
        json: bool,
    },
    /// List the sessions, the newest first
    #[command(after_long_help = fields::LIST)]
    List {
        /// For programs: an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Show a session, its checks, and what was measured after its last runs
    #[command(after_long_help = fields::INSPECT)]
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
    /// Give claude a prompt, and show what it does until it is done
    #[command(after_long_help = fields::RUN)]
    Run {
        /// The session's name
        session: String,
        /// What claude is asked, to the byte; without it, or with -, standard input
        #[arg(allow_hyphen_values = true)]
        prompt: Option<String>,
        /// Only write it down; the run goes on by itself
        #[arg(long)]
        no_wait: bool,
        /// Show the answer only, not the steps
        #[arg(long, short)]
        quiet: bool,
        /// For programs: an object, when it is done
        #[arg(long)]
        json: bool,
    },
    /// End what runs in a session; if nothing runs, drop what waits
    Stop {
        /// The session's name
        session: String,
    },
    /// Let a chat go on in a session, as /resume does
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
        /// Go on showing what happens, also in the runs that follow, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
    },
    /// Take a session over in this terminal: claude itself, with its conversation; prompts from the chat wait meanwhile
    Attach {
        /// The session's name
        session: String,
        /// End a run that is going on there, instead of leaving it alone
        #[arg(long)]
        stop: bool,
    },
    /// Run the checks of a session now; the running bot does it
    #[command(after_long_help = fields::VERIFY)]
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
    /// Remove a session: its workspace, its records, and what is known of it
    Delete {
        /// The session's name
        session: String,
        /// Also where work would be lost that is nowhere else
        #[arg(long)]
        force: bool,
    },
}

/// A chat, as a person names it.
#[derive(Debug, Args)]
pub(super) struct WantedChat {
    /// The chat, by its id as /whoami tells it: of a person, or of a group (negative)
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    chat: Option<i64>,
    /// The topic of a forum
    #[arg(long, value_name = "ID", requires = "chat")]
    topic: Option<i32>,
}

impl WantedChat {
    /// Errors: nobody in that chat may use the bot, so nothing could be said there.
    fn found(&self, sources: &Sources, beside: &Beside) -> anyhow::Result<Option<ChatThread>> {
        let Some(chat) = self.chat.map(ChatId) else {
            return Ok(None);
        };
        let access = config::access(sources)?;
        let user = u64::try_from(chat.0).ok().map(UserId);
        let may_talk = match user {
            Some(user) => access.lists(user) || people::has(&beside.db, user)?,
            None => access.knows(chat) || migrated::moved_from(&beside.db, chat)?.is_some(),
        };
        if !may_talk {
            return Err(Misused(format!(
                "nobody in chat {} may use this bot, and nothing was done; /whoami in a chat tells its id",
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
