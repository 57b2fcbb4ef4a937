//! `telecoder config`: shows the settings and where they come from, and changes one line of a settings file.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use rustix::process::geteuid;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::{Misused, screen, table};
use crate::config::file::{Rights, SettingsFile};
use crate::config::{self, Origin, Setting, Sources};
use crate::daemon::DataFolder;
use crate::domain::shown::without_password;
use crate::systemd;

const VIEW_FIELDS: &str = "\
With --json an object:
  settings   an array of objects, in the order of .env.example:
    name     the variable's name
    value    the value in use; null if there is none, and for a secret
    set      whether the environment or a file sets it, be it to its default
    from     environment, file or default
    file     which file; else null
    default  null if there is none
    secret   whether its value is hidden
  faults     an array of objects; each keeps the bot from starting:
    setting  the wrong one; null if it is a file
    what     what is wrong
    remedy   what to do
  remarks    an array: things to know that are no faults";

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every setting, its value, where that comes from, and what is wrong
    #[command(after_long_help = VIEW_FIELDS)]
    View {
        /// Print JSON: an object
        #[arg(long)]
        json: bool,
    },
    /// Change one line of the settings file; all others stay as they are
    Set {
        #[arg(value_parser = setting_name())]
        name: Setting,
        /// Its value; `-` reads standard input, the only way for the bot's token
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// The file to change [default: the file that has it, else ./.env unless it is a project's, else
        /// ~/.config/telecoder/telecoder.env]
        #[arg(long)]
        file: Option<PathBuf>,
        /// Where the machine's files are; for tests
        #[arg(long, hide = true, default_value = "/")]
        root: PathBuf,
    },
    /// Remove a setting from the settings file; its default applies
    Unset {
        #[arg(value_parser = setting_name())]
        name: Setting,
        /// The file to change [default: the file that has it]
        #[arg(long)]
        file: Option<PathBuf>,
        /// Where the machine's files are; for tests
        #[arg(long, hide = true, default_value = "/")]
        root: PathBuf,
    },
}

fn setting_name() -> impl TypedValueParser<Value = Setting> {
    PossibleValuesParser::new(Setting::ALL.map(Setting::name)).try_map(|name| {
        Setting::named(&name).ok_or_else(|| format!("{name} is no setting of telecoder"))
    })
}

/// Does what the command says. Errors are for a person.
pub(super) fn run(command: ConfigCommand) -> anyhow::Result<()> {
    let sources = Sources::of_this_process();
    match command {
        ConfigCommand::View { json } => view(&sources, json),
        ConfigCommand::Set {
            name,
            value,
            file,
            root,
        } => {
            if file.is_none() {
                refuse_for_the_service(&root)?;
            }
            set(&sources, name, &value, file, &root)
        }
        ConfigCommand::Unset { name, file, root } => unset(&sources, name, file, &root),
    }
}

/// The output of `config view --json`.
#[derive(Serialize)]
struct View {
    settings: Vec<Shown>,
    /// Each keeps the bot from starting.
    faults: Vec<ShownFault>,
    /// Things to know that are no faults.
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Shown {
    name: &'static str,
    /// The value in use; `None` if there is none, and for a secret.
    value: Option<String>,
    /// Whether the environment or a file sets it, be it to its default.
    set: bool,
    /// `environment`, `file` or `default`.
    from: &'static str,
    /// Where it comes from, if that is a file.
    file: Option<PathBuf>,
    default: Option<&'static str>,
    /// Its value is hidden.
    secret: bool,
}

#[derive(Serialize)]
struct ShownFault {
    /// The wrong one; `None` if it is a file.
    setting: Option<&'static str>,
    what: String,
    remedy: String,
}

fn view(sources: &Sources, json: bool) -> anyhow::Result<()> {
    let (faults, remarks) = config::faults_and_remarks(sources);
    let view = View {
        settings: Setting::ALL
            .into_iter()
            .map(|setting| shown(sources, setting))
            .collect(),
        faults: faults
            .into_iter()
            .map(|fault| ShownFault {
                setting: fault.setting.map(Setting::name),
                what: fault.what,
                remedy: fault.remedy,
            })
            .collect(),
        remarks,
    };
    if json {
        return screen::print_json(&view);
    }
    let home = sources.home();
    let rows: Vec<[String; 3]> = view
        .settings
        .iter()
        .map(|shown| row(shown, home.as_deref()))
        .collect();
    table::print(["Setting", "Value", "From"], &rows);
    if view.faults.len() + view.remarks.len() > 0 {
        print_line!();
    }
    for fault in &view.faults {
        print_line!("✗ {}. {}.", fault.what, fault.remedy);
    }
    for remark in &view.remarks {
        print_line!("! {remark}.");
    }
    Ok(())
}

fn shown(sources: &Sources, setting: Setting) -> Shown {
    let found = sources.found(setting);
    let (from, file) = match &found {
        None => ("default", None),
        Some((_, Origin::Environment)) => ("environment", None),
        Some((_, Origin::File(path))) => ("file", Some(path.clone())),
    };
    let default = Some(setting.default()).filter(|default| !default.is_empty());
    let secret = setting.about().is_secret;
    let set = found.is_some();
    let value = found
        .map(|(value, _)| without_password(&value))
        .or_else(|| default.map(str::to_owned))
        .filter(|_| !secret);
    Shown {
        name: setting.name(),
        value,
        set,
        from,
        file,
        default,
        secret,
    }
}

fn row(shown: &Shown, home: Option<&Path>) -> [String; 3] {
    let value = match &shown.value {
        Some(value) => value.clone(),
        None if shown.secret && shown.set => "…set…".to_owned(),
        None => "–".to_owned(),
    };
    let from = match &shown.file {
        Some(file) => match home.and_then(|home| file.strip_prefix(home).ok()) {
            Some(below) => format!("~/{}", below.display()),
            None => file.display().to_string(),
        },
        None => shown.from.to_owned(),
    };
    [shown.name.to_owned(), value, from]
}

/// Refuses to write what the machine's service, which runs as somebody else, would not read.
fn refuse_for_the_service(root: &Path) -> anyhow::Result<()> {
    match systemd::user_of_machine(root) {
        Some(user) if user.uid.as_raw() != geteuid().as_raw() => Err(Misused(format!(
            "telecoder runs as {name} here and does not read your settings. Nothing was changed. Run: sudo -u {name} -H \
             telecoder config set …, or name one of your own files with --file",
            name = user.name
        ))
        .into()),
        _ => Ok(()),
    }
}

fn set(
    sources: &Sources,
    setting: Setting,
    value: &str,
    file: Option<PathBuf>,
    root: &Path,
) -> anyhow::Result<()> {
    if setting.about().is_secret && value != "-" {
        return Err(Misused(format!(
            "{0} is taken from standard input only, because everybody on this machine can see a command's \
             arguments. Nothing was changed; if that was the real one, have @BotFather make another (/revoke). \
             Run: telecoder config set {0} -",
            setting.name()
        ))
        .into());
    }
    let value = if value == "-" {
        from_standard_input(setting)?
    } else {
        value.to_owned()
    };
    if value.trim().is_empty() {
        return Err(Misused(format!(
            "an empty value counts as not set. Nothing was changed. Run: telecoder config unset {}",
            setting.name()
        ))
        .into());
    }
    refuse_what_is_wrong(sources, setting, &value)?;
    let path = match file.or_else(|| sources.file_with(setting)) {
        Some(path) => path,
        None => file_to_write(sources)?,
    };
    let mut lines = read(&path)?;
    lines.set(setting, &value);
    write(&lines, &path)?;
    print_line!(
        "{} is set in {}. {}",
        setting.name(),
        path.display(),
        when_it_counts(sources, root)
    );
    say_who_wins(setting, &path);
    say_who_reads(&path, root);
    refuse_unreadable(&path)
}

/// When a bot has the change: each reads its settings when it starts.
fn when_it_counts(sources: &Sources, root: &Path) -> String {
    let data = config::data_folder(sources).ok();
    let running = data.as_deref().and_then(DataFolder::in_use_by);
    match (running, data) {
        (Some(0), _) => {
            "The bot that runs now has what it was started with until it is restarted.".to_owned()
        }
        (Some(process), _) => format!(
            "The bot that runs now (process {process}) has what it was started with until it is restarted."
        ),
        // The service may have another folder, which its user alone can read.
        (None, Some(data)) if !systemd::runs_machine(root) => format!(
            "No bot uses {} now; the next one that starts has it.",
            data.display()
        ),
        (None, _) => "A running bot needs a restart for this.".to_owned(),
    }
}

/// Says for which bots a file counts, if not for all of this person.
fn say_who_reads(path: &Path, root: &Path) {
    let written = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !Sources::of_this_process().files_found().contains(&written) {
        print_line!(
            "! telecoder does not look for settings there by itself; docs/configuration.md says where it does."
        );
    } else if written.ends_with(".env") {
        print_line!("Only a bot that is started in this folder reads it.");
    } else if let Some(user) = systemd::user_of_machine(root) {
        print_line!(
            "The machine's service runs as {} and reads it: sudo telecoder service restart",
            user.name
        );
    }
}

/// With a line that cannot be read, the bot has nothing of a file. Errors: the file has one.
fn refuse_unreadable(path: &Path) -> anyhow::Result<()> {
    match config::fault_of_file(path) {
        None => Ok(()),
        Some(fault) => bail!(
            "{}. {}. Until then telecoder does not start, and nothing in that file counts",
            fault.what,
            fault.remedy
        ),
    }
}

fn unset(
    sources: &Sources,
    setting: Setting,
    file: Option<PathBuf>,
    root: &Path,
) -> anyhow::Result<()> {
    let Some(path) = file.or_else(|| sources.file_with(setting)) else {
        print_line!(
            "{} was not set in any settings file; nothing to do.",
            setting.name()
        );
        say_who_wins(setting, Path::new(""));
        return Ok(());
    };
    if !path.is_file() {
        return Err(Misused(format!("there is no file {}", path.display())).into());
    }
    let mut lines = read(&path)?;
    let before = lines.clone();
    lines.unset(setting);
    if lines == before {
        print_line!(
            "{} was not set in {}; nothing to do.",
            setting.name(),
            path.display()
        );
    } else {
        write(&lines, &path)?;
        print_line!(
            "{} is not set in {} any more. {}",
            setting.name(),
            path.display(),
            when_it_counts(sources, root)
        );
    }
    say_who_wins(setting, &path);
    refuse_unreadable(&path)
}

/// Checks a value with the readers that the bot uses.
fn refuse_what_is_wrong(sources: &Sources, setting: Setting, value: &str) -> anyhow::Result<()> {
    // No reader checks it: with a wrong value the bot starts with its default.
    if setting == Setting::Log
        && let Err(error) = EnvFilter::try_new(value)
    {
        return Err(Misused(format!(
            "RUST_LOG is not understood ({error}). It takes {}. Nothing was changed",
            setting.about().takes
        ))
        .into());
    }
    match config::fault_of(&sources.clone().with_value(setting, value), setting) {
        None => Ok(()),
        Some(fault) => Err(Misused(format!(
            "{}. {}. Nothing was changed",
            fault.what, fault.remedy
        ))
        .into()),
    }
}

/// Says which other source overrides the setting, if one does.
pub(super) fn say_who_wins(setting: Setting, written: &Path) {
    let written = std::path::absolute(written).unwrap_or_default();
    match Sources::of_this_process().found(setting) {
        Some((_, Origin::Environment)) => print_line!(
            "! The environment has {} too, and the environment wins.",
            setting.name()
        ),
        Some((_, Origin::File(path))) if path != written => {
            print_line!("! {} has {} too, and wins.", path.display(), setting.name())
        }
        _ => {}
    }
}

fn from_standard_input(setting: Setting) -> anyhow::Result<String> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Misused(format!(
            "standard input is a terminal, which would show what is typed. Give it from a file: telecoder config \
             set {} - < FILE",
            setting.name()
        ))
        .into());
    }
    let mut value = String::new();
    stdin
        .read_to_string(&mut value)
        .context("standard input cannot be read")?;
    Ok(value.trim().to_owned())
}

/// The file for a setting that no file has yet.
pub(super) fn file_to_write(sources: &Sources) -> anyhow::Result<PathBuf> {
    sources.file_to_write().ok_or_else(|| {
        Misused(
            "HOME is not set, so there is no place for a settings file; name one with --file"
                .into(),
        )
        .into()
    })
}

pub(super) fn read(path: &Path) -> anyhow::Result<SettingsFile> {
    SettingsFile::read(path)
        .with_context(|| format!("{} cannot be read, and nothing was changed", path.display()))
}

fn write(lines: &SettingsFile, path: &Path) -> anyhow::Result<()> {
    lines
        .write(path, Rights::AsTheyAre)
        .with_context(|| format!("{} cannot be written; it is as it was", path.display()))
}
