//! `telecoder service`: installs the unit, and says in plain words what systemd does with it.
//!
//! [`mod@unit`] fills in `deploy/telecoder.service`; [`place`] finds whose service it is; [`crate::systemd`] asks
//! systemd; [`words`] has the sentences.

mod place;
mod unit;
mod words;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use nix::unistd::User;

use crate::systemd::{Scope, UNIT, USER, call as systemctl};
use place::Place;

/// `status` found no running bot; the exit code is that of `systemctl status`.
#[derive(Debug, thiserror::Error)]
#[error("the bot does not run as a service")]
pub(super) struct NotRunning;

#[derive(Debug, Args)]
pub(super) struct ServiceArguments {
    #[command(subcommand)]
    command: ServiceCommand,
    /// The service of this user alone (default without root)
    #[arg(long, global = true, conflicts_with = "system")]
    user: bool,
    /// The service of the whole machine (default for root)
    #[arg(long, global = true)]
    system: bool,
    /// The folder to look in, instead of /
    #[arg(long, global = true, hide = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Write the unit, start the bot, and have it start at boot
    Install {
        /// The user that the bot and claude run as
        #[arg(long, value_name = "USER", default_value = USER)]
        run_as: String,
        /// Do not start the bot yet
        #[arg(long)]
        no_start: bool,
        /// Only print the unit
        #[arg(long)]
        dry_run: bool,
    },
    /// Start the bot
    Start,
    /// Stop the bot; runs continue
    Stop,
    /// Stop the bot and start it again; runs continue
    Restart,
    /// Show whether the bot runs, since when, and how often it was restarted (exit code 3: it does not run)
    Status,
    /// Show the bot's log
    Logs {
        /// Keep showing new lines
        #[arg(short, long)]
        follow: bool,
        /// How many lines
        #[arg(short = 'n', long, default_value_t = 100)]
        lines: u32,
    },
    /// Stop the bot and remove the unit; data, settings and runs stay
    Uninstall,
}

/// Does what the command says. Errors are for a person.
pub(super) fn run(arguments: ServiceArguments) -> anyhow::Result<()> {
    let asked_for = match (arguments.system, arguments.user) {
        (true, _) => Some(Scope::System),
        (_, true) => Some(Scope::User),
        _ => None,
    };
    let root = arguments.root;
    if let ServiceCommand::Install {
        run_as,
        no_start,
        dry_run,
    } = &arguments.command
    {
        let place = Place::for_install(asked_for, root)?;
        let text = unit_for(&place, run_as)?;
        if *dry_run {
            write!(io::stdout(), "{text}")?;
            return Ok(());
        }
        return install(&place, &text, *no_start);
    }
    let place = Place::find(asked_for, root)?;
    if !place.has_systemd() {
        bail!(words::NO_SYSTEMD);
    }
    match arguments.command {
        ServiceCommand::Install { .. } => Ok(()),
        ServiceCommand::Start => start(&place),
        ServiceCommand::Stop => stop(&place),
        ServiceCommand::Restart => restart(&place),
        ServiceCommand::Status => status(&place),
        ServiceCommand::Logs { follow, lines } => {
            Err(systemctl::become_journal(place.scope, lines, follow))
        }
        ServiceCommand::Uninstall => uninstall(&place),
    }
}

fn unit_for(place: &Place, run_as: &str) -> anyhow::Result<String> {
    let program = std::env::current_exe().and_then(fs::canonicalize).context(
        "the path of this program is unknown; was its file replaced just now? Try again",
    )?;
    if !unit::can_be_started(&program) {
        bail!(
            "systemd starts no program whose path has quotes, backslashes or the like in it: {}. Nothing was \
             changed. Move telecoder to /usr/local/bin and try again",
            program.display()
        );
    }
    match place.scope {
        Scope::User => Ok(unit::text(
            Scope::User,
            &program,
            &place.caller.name,
            &place.home(),
        )),
        Scope::System => {
            let user = User::from_name(run_as)
                .ok()
                .flatten()
                .with_context(|| words::no_such_user(run_as))?;
            Ok(unit::text(Scope::System, &program, &user.name, &user.dir))
        }
    }
}

fn install(place: &Place, text: &str, no_start: bool) -> anyhow::Result<()> {
    if !place.has_systemd() {
        bail!(words::NO_SYSTEMD);
    }
    place.check_may_change("install")?;
    if place.scope == Scope::User && place.machine_runs_as_caller() {
        print_line!("{}", words::MACHINE_HAS_ONE);
        return Ok(());
    }
    let file = place.unit_file();
    let changed = fs::read_to_string(&file).ok().as_deref() != Some(text);
    if changed {
        write_whole(&file, text).with_context(|| {
            format!("{} cannot be written; nothing was changed", file.display())
        })?;
        systemctl::call(place.scope, &["daemon-reload"])?;
        print_line!("{} is written.", file.display());
    } else {
        print_line!("{} is unchanged.", file.display());
    }
    let shown = systemctl::show(place.scope)?;
    if !shown.is_enabled() {
        systemctl::call(place.scope, &["enable", UNIT])?;
        print_line!("telecoder starts with the machine from now on.");
    }
    match (shown.is_running(), no_start) {
        (false, true) => print_line!(
            "It is not started yet: `{}` does that.",
            words::command(place.scope, "start")
        ),
        (false, false) => start(place)?,
        (true, _) if changed => restart(place)?,
        (true, _) => print_line!("telecoder is running already."),
    }
    if place.scope == Scope::User && systemctl::lingers(&place.caller.name) == Some(false) {
        print_line!("{}", words::linger(&place.caller.name));
    }
    Ok(())
}

fn start(place: &Place) -> anyhow::Result<()> {
    place.check_may_change("start")?;
    check_is_there(place)?;
    systemctl::call(place.scope, &["start", UNIT]).map_err(|refusal| why_not_up(place, refusal))?;
    print_line!("telecoder is running.");
    Ok(())
}

fn restart(place: &Place) -> anyhow::Result<()> {
    place.check_may_change("restart")?;
    check_is_there(place)?;
    systemctl::call(place.scope, &["restart", UNIT])
        .map_err(|refusal| why_not_up(place, refusal))?;
    print_line!("telecoder was restarted and is running; runs were left alone.");
    Ok(())
}

/// Says how the bot ended, if it was started; else what systemctl said.
fn why_not_up(place: &Place, refusal: anyhow::Error) -> anyhow::Error {
    match systemctl::show(place.scope) {
        Ok(shown) if shown.has_failed() => {
            anyhow::anyhow!(words::did_not_start(place.scope, &shown))
        }
        _ => refusal,
    }
}

fn stop(place: &Place) -> anyhow::Result<()> {
    place.check_may_change("stop")?;
    check_is_there(place)?;
    let running = place.running();
    systemctl::call(place.scope, &["stop", UNIT])?;
    print_line!("telecoder is stopped. {}", words::runs_after_stop(running));
    Ok(())
}

fn status(place: &Place) -> anyhow::Result<()> {
    let shown = systemctl::show(place.scope)?;
    let status = words::Status {
        scope: place.scope,
        is_replaced: shown.process().is_some_and(is_replaced),
        running: place.running(),
        shown: &shown,
    };
    print_line!("{}", words::status(&status));
    if !shown.is_running() {
        bail!(NotRunning);
    }
    Ok(())
}

/// Whether a process runs a program that is not on disk any more.
fn is_replaced(process: u32) -> bool {
    fs::read_link(format!("/proc/{process}/exe"))
        .is_ok_and(|program| program.to_string_lossy().ends_with(" (deleted)"))
}

fn uninstall(place: &Place) -> anyhow::Result<()> {
    place.check_may_change("uninstall")?;
    let file = place.unit_file();
    if !file.exists() {
        print_line!("telecoder is not installed as a service; nothing was done.");
        return Ok(());
    }
    let (running, data, settings) = (place.running(), place.data(), place.settings_folder());
    systemctl::call(place.scope, &["disable", "--now", UNIT])?;
    fs::remove_file(&file).with_context(|| {
        format!(
            "telecoder is stopped, but {} cannot be removed",
            file.display()
        )
    })?;
    systemctl::call(place.scope, &["daemon-reload"])?;
    print_line!(
        "telecoder is stopped and {} is removed. {}",
        file.display(),
        words::runs_after_stop(running)
    );
    if let Some(data) = data {
        print_line!("Kept: the data in {}.", data.display());
    }
    if let Some(settings) = settings.filter(|settings| settings.is_dir()) {
        print_line!("Kept: the settings in {}.", settings.display());
    }
    Ok(())
}

fn check_is_there(place: &Place) -> anyhow::Result<()> {
    if place.unit_file().is_file() {
        return Ok(());
    }
    bail!(
        "telecoder is not installed as a service. Nothing was done. Try: {}",
        words::command(place.scope, "install")
    )
}

fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().expect("a unit is in a folder");
    fs::create_dir_all(folder)?;
    let temporary = file.with_extension("new");
    let mut new = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&temporary)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(temporary, file)
}
