//! The settings: read once, checked whole, all faults reported together, each with its remedy.
//!
//! From the environment, then `.env` in the current folder, then `telecoder.env` in `~/.config/telecoder`,
//! then in `/etc/telecoder`; what comes first wins. [`Setting`] is the closed list, [`pages`] prints it,
//! [`mod@file`] changes a line of a settings file.

mod fault;
pub mod file;
mod known;
pub mod login_shell;
mod odd;
mod page_address;
pub mod pages;
mod readable;
mod reader;
mod setting;
mod sources;
mod started_with;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

pub use fault::{Fault, Faults};
pub use known::Known;
use login_shell::LoginEnv;
pub use page_address::PageAddress;
use reader::Reader;
pub use setting::{About, Group, Setting};
pub use sources::{Origin, Sources};

use crate::claude::environment;
use crate::domain::access::Access;
use crate::domain::check::Commands;
use crate::domain::choices::PermissionMode;
use crate::domain::shown;
use crate::redact::Redactor;

/// How lines of the log look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence, and its fields behind it.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    pub const ALL: [LogFormat; 2] = [LogFormat::Text, LogFormat::Json];

    pub const fn name(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }

    pub fn named(name: &str) -> Option<LogFormat> {
        LogFormat::ALL
            .into_iter()
            .find(|format| format.name() == name)
    }
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub token: SecretString,
    pub api_url: Url,
    pub access: Access,
    /// The data folder; made if missing, 0700.
    pub data: PathBuf,
    /// claude, by its name on PATH or its path.
    pub runtime: PathBuf,
    pub model: Option<String>,
    pub permission_mode: PermissionMode,
    /// claude accepts the mode bypassPermissions here.
    pub may_bypass: bool,
    pub max_runs: usize,
    pub run_timeout: Option<Duration>,
    /// `TELECODER_WARM`.
    pub warm: Option<Duration>,
    /// `TELECODER_WARM_MAX`.
    pub warm_most: usize,
    /// A prompt that is older when it arrives waits for a person; `None`: never.
    pub stale_after: Option<Duration>,
    /// The name of the time zone of routines that name none.
    pub zone: String,
    /// How many runs' folders are kept; `None`: all.
    pub keep_runs: Option<usize>,
    /// `TELECODER_SNAPSHOT_FILE_MAX`, in bytes.
    pub snapshot_file_max: u64,
    pub branch_prefix: String,
    /// Folders that local repositories may be in; empty: anywhere.
    pub repo_roots: Vec<PathBuf>,
    /// The checks of sessions that were given none.
    pub checks: Commands,
    /// Whether `.telecoder.toml` in a repository may set the checks.
    pub repo_checks: bool,
    /// The longest that one check may take; `None`: no limit.
    pub verify_timeout: Option<Duration>,
    pub auto_push: bool,
    /// The command that turns speech into text, if any.
    pub transcriber: Option<String>,
    /// Where health and metrics are shown; `None`: nowhere.
    pub web_address: Option<SocketAddr>,
    /// Where people find the page.
    pub page: PageAddress,
    /// Every setting and its value, without secrets.
    pub shown: Vec<(&'static str, String)>,
    /// Knows the secrets of the environment.
    pub redactor: Redactor,
    /// `TELECODER_LOGIN_ENV`.
    pub login_env: LoginEnv,
    /// What claude and everything it starts get of the service's environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// Things that are no faults but that a person should know.
    pub remarks: Vec<String>,
}

/// Where telecoder keeps its data, for a command that needs nothing else.
pub fn data_folder(sources: &Sources) -> Result<PathBuf, Faults> {
    let mut reader = reader(sources);
    let data = reader.data();
    match (data, reader.found()) {
        (Some(data), faults) if faults.is_empty() => Ok(data),
        (_, faults) => Err(Faults::of_a_command(faults)),
    }
}

/// What git is started with, for a command that needs nothing else.
pub struct ForGit {
    pub branch_prefix: String,
    /// `TELECODER_SNAPSHOT_FILE_MAX`, in bytes.
    pub snapshot_file_max: u64,
    /// What git and claude get of the environment and of the settings files.
    pub environment: BTreeMap<OsString, OsString>,
}

/// What claude is started with.
pub struct ForClaude {
    pub runtime: PathBuf,
    pub model: Option<String>,
    pub permission_mode: PermissionMode,
    pub git: ForGit,
}

/// Reads that part of the settings.
pub fn for_git(sources: &Sources) -> Result<ForGit, Faults> {
    let mut reader = reader(sources);
    let snapshot_file_max = reader.snapshot_file_max();
    let branch_prefix = reader.branch_prefix();
    match reader.found() {
        faults if faults.is_empty() => Ok(ForGit {
            branch_prefix,
            snapshot_file_max,
            environment: environment::for_claude(&sources.whole_environment()),
        }),
        faults => Err(Faults::of_a_command(faults)),
    }
}

/// Reads that part of the settings.
pub fn for_claude(sources: &Sources) -> Result<ForClaude, Faults> {
    let mut reader = reader(sources);
    let (permission_mode, model) = (reader.permission_mode(), reader.model());
    match (permission_mode, reader.found()) {
        (Some(permission_mode), faults) if faults.is_empty() => Ok(ForClaude {
            runtime: runtime(sources),
            model,
            permission_mode,
            git: for_git(sources)?,
        }),
        (_, faults) => Err(Faults::of_a_command(faults)),
    }
}

/// Who may talk to the bot, by the settings.
pub fn access(sources: &Sources) -> Result<Access, Faults> {
    let mut reader = reader(sources);
    let (users, chats) = (reader.users(), reader.chats());
    match reader.found() {
        faults if faults.is_empty() => Ok(Access::new(users, chats)),
        faults => Err(Faults::of_a_command(faults)),
    }
}

/// The name of the time zone of routines that name none.
pub fn time_zone(sources: &Sources) -> Result<String, Faults> {
    let mut reader = reader(sources);
    let zone = reader.time_zone();
    match reader.found() {
        faults if faults.is_empty() => Ok(zone),
        faults => Err(Faults::of_a_command(faults)),
    }
}

fn reader(sources: &Sources) -> Reader<'_> {
    Reader {
        sources,
        faults: sources.unreadable().to_vec(),
    }
}

/// All faults, and the remarks for a person.
pub fn faults_and_remarks(sources: &Sources) -> (Vec<Fault>, Vec<String>) {
    match Config::read(sources) {
        Ok(config) => (Vec::new(), config.remarks),
        Err(faults) => (faults.list, remarks(sources)),
    }
}

/// What is wrong with one setting.
pub fn fault_of(sources: &Sources, setting: Setting) -> Option<Fault> {
    let (faults, _) = faults_and_remarks(sources);
    faults
        .into_iter()
        .find(|fault| fault.setting == Some(setting))
}

/// Why a settings file cannot be read.
pub fn fault_of_file(path: &Path) -> Option<Fault> {
    readable::read(path).err()
}

/// The Bot API server, for a command that needs nothing else.
pub fn api_url(sources: &Sources) -> Result<Url, Faults> {
    let mut reader = Reader {
        sources,
        faults: Vec::new(),
    };
    let url = reader.api_url();
    url.ok_or(Faults::of_a_command(reader.faults))
}

/// claude's program, whatever else is wrong.
pub fn runtime(sources: &Sources) -> PathBuf {
    let value = sources.value(Setting::Runtime);
    program(
        value.as_deref().unwrap_or(Setting::Runtime.default()),
        sources,
    )
}

fn remarks(sources: &Sources) -> Vec<String> {
    let unknown = sources.unknown().into_iter();
    let unknown =
        unknown.map(|name| format!("{name} is no setting of telecoder and has no effect"));
    unknown.chain(sources.remarks().to_vec()).collect()
}

impl Config {
    /// Checks everything and reports all faults together.
    pub fn read(sources: &Sources) -> Result<Config, Faults> {
        let mut reader = reader(sources);
        let token = reader.token();
        let api_url = reader.api_url();
        let users = reader.users();
        let chats = reader.chats();
        let data = reader.data();
        let login_env = reader.login_env();
        let permission_mode = reader.permission_mode();
        let max_runs = reader.max_runs();
        let run_timeout = reader.length(Setting::RunTimeout);
        let warm = reader.length(Setting::Warm);
        let warm_most = reader.warm_most();
        let stale_after = reader.stale_after();
        let model = reader.model();
        let branch_prefix = reader.branch_prefix();
        let zone = reader.time_zone();
        let keep_runs = reader.keep_runs();
        let snapshot_file_max = reader.snapshot_file_max();
        let repo_roots = reader.repo_roots();
        let repo_checks = reader.yes_or_no(Setting::RepoChecks);
        let verify_timeout = reader.length(Setting::VerifyTimeout);
        let auto_push = reader.yes_or_no(Setting::AutoPush);
        let web_address = reader.web_address();
        let page = PageAddress::new(reader.web_url());
        reader.log_format();
        let mut remarks = remarks(sources);
        if users.is_empty() {
            remarks.push(
                "nobody may use this bot: TELECODER_TG_ALLOWED_USERS is empty. `telecoder init` makes you its \
                 owner; /invite in the chat lets others in"
                    .into(),
            );
        }
        let may_bypass = !reader.claude_would_refuse_root();
        let faults = reader.found();
        match (token, api_url, data, permission_mode) {
            (Some(token), Some(api_url), Some(data), Some(permission_mode))
                if faults.is_empty() =>
            {
                Ok(Config {
                    token,
                    api_url,
                    access: Access::new(users, chats),
                    data,
                    runtime: runtime(sources),
                    model,
                    permission_mode,
                    may_bypass,
                    max_runs,
                    run_timeout,
                    warm,
                    warm_most,
                    stale_after,
                    zone,
                    keep_runs,
                    snapshot_file_max,
                    branch_prefix,
                    repo_roots,
                    checks: Commands {
                        setup: sources.value(Setting::SetupCommand),
                        test: sources.value(Setting::TestCommand),
                        lint: sources.value(Setting::LintCommand),
                    },
                    repo_checks,
                    verify_timeout,
                    auto_push,
                    transcriber: sources.value(Setting::TranscribeCommand),
                    web_address,
                    page,
                    shown: all_shown(sources),
                    redactor: sources.redactor(),
                    login_env,
                    environment: environment::for_claude(&sources.whole_environment()),
                    remarks,
                })
            }
            _ => Err(Faults::of_the_start(faults)),
        }
    }
}

/// Every setting that has a value, without secrets.
fn all_shown(sources: &Sources) -> Vec<(&'static str, String)> {
    let value = |setting: Setting| {
        let value = match setting.about().is_secret {
            true => sources.value(setting).map(|_| "(set)".to_owned()),
            false => sources
                .value(setting)
                .map(|value| shown::without_password(&value)),
        };
        let default = Some(setting.default()).filter(|default| !default.is_empty());
        value.or_else(|| default.map(str::to_owned))
    };
    Setting::ALL
        .iter()
        .filter_map(|setting| Some((setting.name(), value(*setting)?)))
        .collect()
}

/// Keeps a name for PATH; makes a path absolute, because claude is started in another folder.
fn program(value: &str, sources: &Sources) -> PathBuf {
    if let (Some(rest), Some(home)) = (value.strip_prefix("~/"), sources.home()) {
        return home.join(rest);
    }
    if value.contains('/') {
        return std::path::absolute(value).unwrap_or_else(|_| PathBuf::from(value));
    }
    PathBuf::from(value)
}
