//! The settings: read once, checked whole, every fault reported at once with its remedy.
//!
//! From the environment, then `.env` in the current folder, then `telecoder.env` in `~/.config/telecoder`,
//! then in `/etc/telecoder`; what comes first wins. [`Setting`] is the closed list.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use rustix::process::geteuid;
use secrecy::SecretString;

use crate::claude::argv::PermissionMode;
use crate::claude::environment;
use crate::id::{ChatId, UserId};
use crate::telegram::access::Access;

/// Every setting that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    BotToken,
    ApiUrl,
    AllowedUsers,
    AllowedChats,
    Data,
    Runtime,
    Model,
    PermissionMode,
    MaxRuns,
    RunTimeout,
    BranchPrefix,
    Log,
}

impl Setting {
    pub const ALL: [Setting; 12] = [
        Setting::BotToken,
        Setting::ApiUrl,
        Setting::AllowedUsers,
        Setting::AllowedChats,
        Setting::Data,
        Setting::Runtime,
        Setting::Model,
        Setting::PermissionMode,
        Setting::MaxRuns,
        Setting::RunTimeout,
        Setting::BranchPrefix,
        Setting::Log,
    ];

    /// The name of its variable.
    pub fn name(self) -> &'static str {
        match self {
            Setting::BotToken => "TELEGRAM_BOT_TOKEN",
            Setting::ApiUrl => "TELEGRAM_API_URL",
            Setting::AllowedUsers => "TELECODER_TG_ALLOWED_USERS",
            Setting::AllowedChats => "TELECODER_TG_ALLOWED_CHATS",
            Setting::Data => "TELECODER_DATA",
            Setting::Runtime => "TELECODER_RUNTIME",
            Setting::Model => "TELECODER_MODEL",
            Setting::PermissionMode => "TELECODER_PERMISSION_MODE",
            Setting::MaxRuns => "TELECODER_MAX_RUNS",
            Setting::RunTimeout => "TELECODER_RUN_TIMEOUT",
            Setting::BranchPrefix => "TELECODER_BRANCH_PREFIX",
            Setting::Log => "RUST_LOG",
        }
    }

    /// What holds where it is not set; empty where nothing does.
    pub fn default(self) -> &'static str {
        match self {
            Setting::BotToken | Setting::AllowedUsers | Setting::AllowedChats | Setting::Model => {
                ""
            }
            Setting::ApiUrl => "https://api.telegram.org",
            Setting::Data => "~/.telecoder",
            Setting::Runtime => "claude",
            Setting::PermissionMode => "bypassPermissions",
            Setting::MaxRuns => "4",
            Setting::RunTimeout => "none",
            Setting::BranchPrefix => "telecoder/",
            Setting::Log => "info",
        }
    }
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub token: SecretString,
    pub api_url: Url,
    pub access: Access,
    /// The data folder; made where it is missing, 0700.
    pub data: PathBuf,
    /// claude, by its name on PATH or its path.
    pub runtime: PathBuf,
    pub model: Option<String>,
    pub permission_mode: PermissionMode,
    pub max_runs: usize,
    pub run_timeout: Option<Duration>,
    pub branch_prefix: String,
    /// What claude and everything it starts gets of the service's environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// Things that are no faults but that a person should know.
    pub remarks: Vec<String>,
}

/// Where values come from, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub environment: BTreeMap<OsString, OsString>,
    files: Vec<BTreeMap<String, String>>,
    unreadable: Vec<Fault>,
}

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub remedy: String,
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "a setting is wrong, and telecoder was not started:")?,
            many => write!(
                f,
                "{many} settings are wrong, and telecoder was not started:"
            )?,
        }
        for fault in &self.0 {
            write!(f, "\n  - {}. {}", fault.what, fault.remedy)?;
        }
        Ok(())
    }
}

impl Sources {
    /// The process's environment and the settings files of this machine.
    pub fn of_this_process() -> Sources {
        let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let mut sources = Sources {
            environment,
            ..Sources::default()
        };
        let mut files = vec![PathBuf::from(".env")];
        let config = sources
            .environment
            .get(&OsString::from("XDG_CONFIG_HOME"))
            .map(PathBuf::from)
            .or_else(|| sources.home().map(|home| home.join(".config")));
        files.extend(config.map(|config| config.join("telecoder/telecoder.env")));
        files.push(PathBuf::from("/etc/telecoder/telecoder.env"));
        for file in files {
            sources.add_file(&file);
        }
        sources
    }

    /// Only these variables, no files.
    pub fn of(environment: BTreeMap<OsString, OsString>) -> Sources {
        Sources {
            environment,
            ..Sources::default()
        }
    }

    fn add_file(&mut self, path: &Path) {
        let lines = match dotenvy::from_path_iter(path) {
            Ok(lines) => lines,
            Err(error) if error.not_found() => return,
            Err(error) => return self.unreadable(path, &error.to_string()),
        };
        let mut values = BTreeMap::new();
        for line in lines {
            match line {
                Ok((name, value)) => {
                    values.insert(name, value);
                }
                // The error quotes the line, which may hold a secret.
                Err(dotenvy::Error::LineParse(_, at)) => {
                    return self.unreadable(
                        path,
                        &format!("a line is not NAME=value, at its character {at}"),
                    );
                }
                Err(error) => return self.unreadable(path, &error.to_string()),
            }
        }
        self.files.push(values);
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        self.unreadable.push(Fault {
            what: format!("{} cannot be read: {why}", path.display()),
            remedy:
                "Each line is NAME=value, with quotes around a value that has blanks or # in it"
                    .into(),
        });
    }

    fn home(&self) -> Option<PathBuf> {
        self.environment
            .get(&OsString::from("HOME"))
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
    }

    /// A setting's value; an empty one counts as not set.
    pub fn value(&self, setting: Setting) -> Option<String> {
        let from_environment = self
            .environment
            .get(&OsString::from(setting.name()))
            .map(|value| value.to_string_lossy().into_owned());
        from_environment
            .into_iter()
            .chain(
                self.files
                    .iter()
                    .filter_map(|file| file.get(setting.name()).cloned()),
            )
            .map(|value| value.trim().to_owned())
            .find(|value| !value.is_empty())
    }

    /// The environment with what the files add to it: a key in `.env` reaches claude too.
    fn whole_environment(&self) -> BTreeMap<OsString, OsString> {
        let mut whole = self.environment.clone();
        for file in &self.files {
            for (name, value) in file {
                whole.entry(name.into()).or_insert_with(|| value.into());
            }
        }
        whole
    }

    /// Variables that look like settings and are none.
    fn unknown(&self) -> Vec<String> {
        self.whole_environment()
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| name.starts_with("TELECODER_") && *name != environment::RUN_MARKER)
            .filter(|name| Setting::ALL.iter().all(|setting| setting.name() != *name))
            .map(str::to_owned)
            .collect()
    }
}

impl Config {
    /// Checks everything and reports every fault at once.
    pub fn read(sources: &Sources) -> Result<Config, Faults> {
        let mut faults = Reader {
            sources,
            faults: sources.unreadable.clone(),
        };
        let token = faults.token();
        let api_url = faults.api_url();
        let users = faults.ids(Setting::AllowedUsers, |id| {
            u64::try_from(id).ok().map(UserId)
        });
        let chats = faults.ids(Setting::AllowedChats, |id| Some(ChatId(id)));
        let data = faults.data();
        let permission_mode = faults.permission_mode();
        let max_runs = faults.max_runs();
        let run_timeout = faults.run_timeout();
        let text = |setting: Setting| {
            sources
                .value(setting)
                .unwrap_or_else(|| setting.default().to_owned())
        };
        let mut remarks: Vec<String> = sources
            .unknown()
            .into_iter()
            .map(|name| format!("{name} is no setting of telecoder and has no effect"))
            .collect();
        if users.is_empty() {
            remarks.push(
                "nobody may use this bot: TELECODER_TG_ALLOWED_USERS is empty. Put your Telegram user id \
                 there; write to the bot and the log tells it"
                    .into(),
            );
        }
        match (token, api_url, data, permission_mode) {
            (Some(token), Some(api_url), Some(data), Some(permission_mode))
                if faults.faults.is_empty() =>
            {
                Ok(Config {
                    token,
                    api_url,
                    access: Access::new(users, chats),
                    data,
                    runtime: PathBuf::from(text(Setting::Runtime)),
                    model: sources.value(Setting::Model),
                    permission_mode,
                    max_runs,
                    run_timeout,
                    branch_prefix: text(Setting::BranchPrefix),
                    environment: environment::for_claude(&sources.whole_environment()),
                    remarks,
                })
            }
            _ => Err(Faults(faults.faults)),
        }
    }
}

/// Reads values and collects what is wrong with them.
struct Reader<'a> {
    sources: &'a Sources,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, what: String, remedy: &str) {
        self.faults.push(Fault {
            what,
            remedy: remedy.to_owned(),
        });
    }

    fn token(&mut self) -> Option<SecretString> {
        const REMEDY: &str =
            "Get one from @BotFather in Telegram (/newbot) and put it into .env or the environment";
        let Some(token) = self.sources.value(Setting::BotToken) else {
            self.fault("TELEGRAM_BOT_TOKEN is missing".into(), REMEDY);
            return None;
        };
        let well_formed = token.split_once(':').is_some_and(|(id, secret)| {
            !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !secret.is_empty()
                && secret
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        });
        if !well_formed {
            self.fault(
                "TELEGRAM_BOT_TOKEN does not look like a bot token (123456:ABC…)".into(),
                REMEDY,
            );
            return None;
        }
        Some(token.into())
    }

    fn api_url(&mut self) -> Option<Url> {
        let value = self
            .sources
            .value(Setting::ApiUrl)
            .unwrap_or_else(|| Setting::ApiUrl.default().to_owned());
        match Url::parse(&value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            _ => {
                self.fault(
                    format!("TELEGRAM_API_URL is no http or https address: {value}"),
                    "Leave it out for Telegram's own server, or give a local Bot API server's address",
                );
                None
            }
        }
    }

    fn ids<T>(&mut self, setting: Setting, id_from: impl Fn(i64) -> Option<T>) -> Vec<T> {
        let value = self.sources.value(setting).unwrap_or_default();
        let mut ids = Vec::new();
        for item in value
            .split([',', ' ', ';'])
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            match item.parse().ok().and_then(&id_from) {
                Some(id) => ids.push(id),
                None => self.fault(
                    format!("{} has an entry that is no id: {item}", setting.name()),
                    match setting {
                        Setting::AllowedChats => {
                            "Group ids are negative numbers, separated by commas"
                        }
                        _ => "User ids are numbers, not @names, separated by commas",
                    },
                ),
            }
        }
        ids
    }

    fn data(&mut self) -> Option<PathBuf> {
        let home = self.sources.home();
        let value = self.sources.value(Setting::Data);
        let path = match (value.as_deref(), home) {
            (None, Some(home)) => Some(home.join(".telecoder")),
            (Some(value), Some(home)) if value.starts_with("~/") => Some(home.join(&value[2..])),
            (Some(value), _) => Some(PathBuf::from(value)).filter(|path| path.is_absolute()),
            (None, None) => None,
        };
        if path.is_none() {
            self.fault(
                match value {
                    Some(value) => format!("TELECODER_DATA is not a full path: {value}"),
                    None => "TELECODER_DATA is not set, and neither is HOME".into(),
                },
                "Give the full path of a folder that telecoder may write to",
            );
        }
        path
    }

    fn permission_mode(&mut self) -> Option<PermissionMode> {
        let value = self
            .sources
            .value(Setting::PermissionMode)
            .unwrap_or_else(|| Setting::PermissionMode.default().to_owned());
        let Some(mode) = PermissionMode::named(&value) else {
            let known: Vec<&str> = PermissionMode::ALL.iter().map(|mode| mode.name()).collect();
            self.fault(
                format!("TELECODER_PERMISSION_MODE is unknown to claude: {value}"),
                &format!("Use one of {}", known.join(", ")),
            );
            return None;
        };
        if mode == PermissionMode::BypassPermissions && self.claude_would_refuse_root() {
            self.fault(
                "telecoder runs as root, and claude refuses the permission mode bypassPermissions for root"
                    .into(),
                "Run telecoder as another user, or set TELECODER_PERMISSION_MODE=acceptEdits, or in a \
                 container that may be broken set IS_SANDBOX=1",
            );
            return None;
        }
        Some(mode)
    }

    /// claude takes `IS_SANDBOX=1` as the word that root is nobody to be protected here.
    fn claude_would_refuse_root(&self) -> bool {
        let whole = self.sources.whole_environment();
        geteuid().is_root()
            && whole.get(&OsString::from("IS_SANDBOX")) != Some(&OsString::from("1"))
    }

    fn max_runs(&mut self) -> usize {
        const DEFAULT: usize = 4;
        match self.sources.value(Setting::MaxRuns) {
            None => DEFAULT,
            Some(value) => match value.parse() {
                Ok(count) if (1..=1000).contains(&count) => count,
                _ => {
                    self.fault(
                        format!("TELECODER_MAX_RUNS is no number from 1 to 1000: {value}"),
                        "Each run takes about 300 MB of memory",
                    );
                    DEFAULT
                }
            },
        }
    }

    fn run_timeout(&mut self) -> Option<Duration> {
        let value = self.sources.value(Setting::RunTimeout)?;
        if matches!(value.as_str(), "none" | "0") {
            return None;
        }
        let parsed = value
            .parse::<SignedDuration>()
            .ok()
            .and_then(|limit| Duration::try_from(limit).ok())
            .filter(|limit| !limit.is_zero());
        if parsed.is_none() {
            self.fault(
                format!("TELECODER_RUN_TIMEOUT is no length of time: {value}"),
                "Write it like 90s, 30m or 2h, or none",
            );
        }
        parsed
    }
}
