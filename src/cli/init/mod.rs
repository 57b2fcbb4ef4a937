//! `telecoder init`: from nothing to a settings file with a token that works and an owner.
//!
//! The steps in order: the token ([`token`]), the owner ([`owner`]: by [`pairing`] with a [`code`]), the checks of this
//! machine ([`checks`]), the file. The answers come from a [`terminal`] or from flags. The file is written once, when
//! everything is known. [`service`] offers the service; another command installs it.

mod checks;
mod code;
mod owner;
mod pairing;
mod service;
mod terminal;
mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::{Misused, config as command};
use crate::config::file::Rights;
use crate::config::{self, Setting, Sources};
use crate::doctor;
use crate::domain::choices::PermissionMode;
use service::{Next, Service};
use terminal::Terminal;

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// A file with the bot's token; - reads standard input [default: TELEGRAM_BOT_TOKEN, else init asks]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Your Telegram user id, if you know it; skips the link
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    owner: Option<u64>,
    /// Set a new owner even if there is one
    #[arg(long, conflicts_with = "owner")]
    pair: bool,
    /// The settings file [default: .env if it is here, else ~/.config/telecoder/telecoder.env]
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// What claude may do without asking
    #[arg(long, value_name = "MODE", value_parser = permission_mode())]
    permission_mode: Option<PermissionMode>,
    /// Delete a webhook that takes the bot's messages
    #[arg(long)]
    delete_webhook: bool,
    /// Install the service without asking
    #[arg(long, conflicts_with = "no_service")]
    service: bool,
    /// Do not install the service, and do not ask
    #[arg(long)]
    no_service: bool,
    /// The folder to look for services in, instead of /
    #[arg(long, hide = true, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
    /// How long the link works
    #[arg(long, hide = true, value_name = "TIME", default_value = "10m", value_parser = length)]
    pairing_time: Duration,
}

fn permission_mode() -> impl TypedValueParser<Value = PermissionMode> {
    PossibleValuesParser::new(PermissionMode::ALL.map(PermissionMode::name)).try_map(|name| {
        PermissionMode::named(&name).ok_or_else(|| format!("{name} is unknown to claude"))
    })
}

fn length(text: &str) -> Result<Duration, String> {
    let length = text
        .parse::<SignedDuration>()
        .map_err(|error| error.to_string())?;
    Duration::try_from(length).map_err(|error| error.to_string())
}

/// Runs all steps. Errors are for a person; if it is stopped before the settings are written, nothing has changed.
pub(super) async fn run(arguments: InitArguments, quit: CancellationToken) -> anyhow::Result<()> {
    let service = Service::here(&arguments)?;
    let mut terminal = Terminal::of_this_process();
    let (bot, path) = tokio::select! {
        done = set_up(&arguments, &mut terminal) => done?,
        () = quit.cancelled() => {
            print_line!();
            bail!("init was stopped, and nothing was written");
        }
    };
    let next = tokio::select! {
        next = service.offer(&arguments, &mut terminal) => next?,
        () = quit.cancelled() => {
            print_line!();
            Next::Nothing
        }
    };
    match next {
        Next::InstallService => service::install(),
        Next::StartService => {
            print_line!(
                "\nThe machine's service runs as this user; this starts it: sudo telecoder service restart\nThen write \
                 to https://t.me/{bot}"
            );
            Ok(())
        }
        Next::Nothing => {
            // `.env` is read in the folder that telecoder is started in.
            let place = if path.ends_with(".env") {
                "in this folder "
            } else {
                ""
            };
            print_line!("\nStart it {place}with: telecoder\nThen write to https://t.me/{bot}");
            Ok(())
        }
    }
}

/// The steps up to the settings file; returns the bot's name and the file.
async fn set_up(
    arguments: &InitArguments,
    terminal: &mut Terminal,
) -> anyhow::Result<(String, PathBuf)> {
    let sources = match &arguments.file {
        Some(file) => Sources::with_file(file),
        None => Sources::of_this_process(),
    };
    let path = match &arguments.file {
        Some(file) => std::path::absolute(file)?,
        None => command::file_to_write(&sources)?,
    };
    // The file is replaced, so its folder must be writable.
    if !doctor::can_be_made(path.parent().unwrap_or(&path)) {
        return Err(Misused(format!(
            "{} cannot be written by this user; name another file with --file, or run init as the user that telecoder \
             runs as",
            path.display()
        ))
        .into());
    }
    for fault in sources.unreadable() {
        print_line!("{}", checks::of_fault(fault));
    }
    let bot = token::find(arguments.token_file.as_deref(), &sources, terminal).await?;
    token::end_webhook(&bot.api, arguments.delete_webhook, terminal).await?;

    let mut values = vec![(Setting::BotToken, bot.token.expose_secret().to_owned())];
    if let Some(users) = owner::find(arguments, &sources, &bot, terminal).await? {
        values.push((Setting::AllowedUsers, users));
    }
    if let Some(mode) = mode(arguments, &sources, terminal).await? {
        values.push((Setting::PermissionMode, mode.name().to_owned()));
    }
    let after = values.iter().fold(sources, |sources, (setting, value)| {
        sources.with_value(*setting, value)
    });
    checks::print(&after).await;
    write(&path, &values)?;
    Ok((bot.username, path))
}

/// The permission mode to write; `None` keeps the current one.
async fn mode(
    arguments: &InitArguments,
    sources: &Sources,
    terminal: &mut Terminal,
) -> anyhow::Result<Option<PermissionMode>> {
    if let Some(mode) = arguments.permission_mode {
        let with = sources
            .clone()
            .with_value(Setting::PermissionMode, mode.name());
        if let Some(fault) = config::fault_of(&with, Setting::PermissionMode) {
            return Err(Misused(format!(
                "{}. {}. Nothing was written",
                fault.what, fault.remedy
            ))
            .into());
        }
        print_line!("✓ Permission mode: {}", mode.name());
        return Ok(Some(mode));
    }
    let Some(fault) = config::fault_of(sources, Setting::PermissionMode) else {
        return Ok(None);
    };
    let instead = PermissionMode::AcceptEdits;
    print_line!("! {}. {}.", fault.what, fault.remedy);
    // What somebody chose is not changed behind their back.
    let is_chosen = sources.value(Setting::PermissionMode).is_some();
    let question = format!("Use {} instead?", instead.name());
    if terminal.agrees(&question, !is_chosen).await? {
        print_line!(
            "✓ Permission mode: {}; claude edits files without asking, and asks in the chat before it runs other \
             commands",
            instead.name()
        );
        return Ok(Some(instead));
    }
    print_line!("✗ Permission mode: telecoder will not start before this is changed");
    Ok(None)
}

fn write(path: &Path, values: &[(Setting, String)]) -> anyhow::Result<()> {
    let mut lines = command::read(path)?;
    for (setting, value) in values {
        lines.set(*setting, value);
    }
    lines
        .write(path, Rights::Owner)
        .with_context(|| format!("{} cannot be written; it is as it was", path.display()))?;
    print_line!(
        "✓ Settings: {}, which only its owner can read",
        path.display()
    );
    let now = Sources::of_this_process();
    // Not worth a word: a bot that is started here does it too.
    let _ = now.remember_folder();
    if !now.reads(path) {
        print_line!(
            "! telecoder does not look for settings there by itself; docs/configuration.md says where it does."
        );
        return Ok(());
    }
    for (setting, value) in values {
        if now.value(*setting).is_some_and(|holds| holds != *value) {
            command::say_who_wins(*setting, path);
        }
    }
    Ok(())
}
