//! `telecoder routine`: what begins by itself, from a shell, also while the bot runs. The chat is told.

use anyhow::bail;
use clap::Subcommand;

use super::session::WantedChat;
use super::session::beside::Beside;
use super::session::run::prompt as read_prompt;
use super::{Misused, screen, table};
use crate::chat::routines::why_not;
use crate::config::{self, Known, Sources};
use crate::domain::id::{ChatId, ChatThread, RoutineId};
use crate::domain::routine::{Form, Routine, State};
use crate::inbox::routine::shell;
use crate::public;
use crate::redact::short::one_line;
use crate::store::routines;

/// How much of a prompt is shown; `--json` has all of it.
const PROMPT_WIDTH: usize = 60;
/// How many of its last moments `--json` has.
const LAST: u32 = 5;

#[derive(Debug, Subcommand)]
pub(super) enum RoutineCommand {
    /// List the routines of all chats
    List {
        /// Print JSON: an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Make a routine, which is kept at once; the chat is told
    #[command(
        after_help = "Examples:\n  telecoder routine add every \"weekday 9:00\" \"Look at the open issues\"\n  \
                      telecoder routine add in 20m \"Are the tests green?\"\n  \
                      telecoder routine add at \"fresh Europe/Berlin tomorrow 7:30\" - < prompt.txt"
    )]
    Add {
        /// Which form the time has
        form: WantedForm,
        /// When, as the chat takes it behind /at, /in or /every
        when: String,
        /// The prompt, passed on unchanged; without it, or with -, standard input
        #[arg(allow_hyphen_values = true)]
        prompt: Option<String>,
        /// Whose routine it is; without a chat, the owner's
        #[command(flatten)]
        chat: WantedChat,
    },
    /// Let a routine begin nothing until it goes on
    Pause {
        /// Its name, as `routine list` shows it
        routine: String,
    },
    /// Let a paused routine go on
    Resume {
        /// Its name, as `routine list` shows it
        routine: String,
    },
    /// Begin a routine now, as well as at its moments
    Run {
        /// Its name, as `routine list` shows it
        routine: String,
    },
    /// Delete a routine; what it has begun goes on
    Delete {
        /// Its name, as `routine list` shows it
        routine: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum WantedForm {
    At,
    In,
    Every,
}

impl WantedForm {
    fn form(self) -> Form {
        match self {
            WantedForm::At => Form::At,
            WantedForm::In => Form::In,
            WantedForm::Every => Form::Every,
        }
    }
}

pub(super) fn run(sources: &Sources, command: RoutineCommand) -> anyhow::Result<()> {
    // It writes messages to the chat.
    sources.redactor().serve_this_process();
    let mut beside = Beside::open(&config::data_folder(sources)?)?;
    match command {
        RoutineCommand::List { json } => list(&beside, json),
        RoutineCommand::Add {
            form,
            when,
            prompt,
            chat,
        } => {
            let at = match chat.found(sources, &beside)? {
                Some(at) => at,
                None => owner(sources)?,
            };
            let text = format!("{when}\n{}", read_prompt(prompt)?);
            let zone = config::time_zone(sources)?;
            let made = beside.write(|db| Ok(shell::add(db, at, (form.form(), &text), &zone)?))?;
            match made {
                Ok(made) => {
                    print_line!(
                        "{} is kept: {}{}.",
                        made.id,
                        made.when_in_words(),
                        next(&made)
                    );
                    Ok(())
                }
                Err(why) => Err(Misused(format!("nothing was made: {}", why_not(&why))).into()),
            }
        }
        RoutineCommand::Pause { routine } => {
            let routine = found(&beside, routine)?;
            beside.write(|db| Ok(shell::pause(db, &routine)?))?;
            print_line!("{} is paused.", routine.id);
            Ok(())
        }
        RoutineCommand::Resume { routine } => {
            let routine = found(&beside, routine)?;
            match beside.write(|db| Ok(shell::go_on(db, &routine)?))? {
                true => print_line!("{} goes on.", routine.id),
                false => bail!("its moment has passed, and nothing was changed; make it anew"),
            }
            Ok(())
        }
        RoutineCommand::Run { routine } => {
            let routine = found(&beside, routine)?;
            let workspaces = beside.workspaces();
            let id = routine.id.clone();
            match beside.write(|db| Ok(shell::run(db, &workspaces, routine)?))? {
                true => print_line!("{id} begins now."),
                false => bail!("its last run still goes on, and nothing was begun"),
            }
            Ok(())
        }
        RoutineCommand::Delete { routine } => {
            let routine = found(&beside, routine)?;
            beside.write(|db| Ok(shell::delete(db, &routine.id)?))?;
            print_line!("{} is deleted.", routine.id);
            Ok(())
        }
    }
}

fn found(beside: &Beside, name: String) -> anyhow::Result<Routine> {
    let found = routines::get(&beside.db, &RoutineId(name.clone()))?;
    let found = found.filter(|routine| matches!(routine.state, State::Kept | State::Paused(_)));
    Ok(found.ok_or_else(|| {
        Misused(format!(
            "there is no routine {name}; telecoder routine list shows them"
        ))
    })?)
}

/// The private chat of the bot's owner.
fn owner(sources: &Sources) -> anyhow::Result<ChatThread> {
    let owner = Known::read(sources).users.first().copied();
    let chat = owner.and_then(|owner| i64::try_from(owner.0).ok());
    let chat = chat.ok_or_else(|| {
        Misused(
            "nobody owns this bot yet, and nothing was made; telecoder init sets it up".to_owned(),
        )
    })?;
    Ok(ChatThread {
        chat: ChatId(chat),
        thread: None,
    })
}

fn next(routine: &Routine) -> String {
    let next = routine.planned_at.map(|at| routine.in_zone(at));
    next.map_or_else(String::new, |next| {
        format!(", next {}", next.strftime("%a %-d %b %Y, %H:%M %Z"))
    })
}

fn list(beside: &Beside, json: bool) -> anyhow::Result<()> {
    let all = routines::all(&beside.db)?;
    if json {
        let shown = all
            .iter()
            .map(|routine| {
                let last = routines::occurrences(&beside.db, &routine.id, LAST)?;
                Ok(public::Routine::new(routine, &last))
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        return screen::print_json(&shown);
    }
    if all.is_empty() {
        print_line!(
            "There are no routines; /every in a chat, or telecoder routine add, makes one."
        );
        return Ok(());
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|routine| {
            let next = routine.planned_at.map(|at| routine.in_zone(at));
            let next = next.map(|next| next.strftime("%a %-d %b %Y, %H:%M %Z").to_string());
            [
                routine.id.0.clone(),
                routine.at.to_string(),
                routine.when_in_words(),
                next.unwrap_or_else(|| public::Routine::state(routine).to_owned()),
                one_line(&routine.prompt.shown(), PROMPT_WIDTH),
            ]
        })
        .collect();
    table::print(["Routine", "Chat", "When", "Next", "Prompt"], &rows);
    Ok(())
}
