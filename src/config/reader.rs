//! Reads each setting's value, and says what is wrong with it and what to do.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;
use secrecy::SecretString;

use super::login_shell::LoginEnv;
use super::{Fault, LogFormat, Setting, Sources};
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatId, UserId};

/// Reads values and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources,
    pub(super) faults: Vec<Fault>,
}

impl Reader<'_> {
    /// What is wrong. After an unreadable file nothing that may follow from it: what is missing may be in there.
    pub(super) fn found(self) -> Vec<Fault> {
        let mut faults = self.faults;
        if !self.sources.unreadable().is_empty() {
            faults.retain(|fault| {
                fault
                    .setting
                    .is_none_or(|setting| self.sources.stands_alone(setting))
            });
        }
        faults
    }

    pub(super) fn fault(&mut self, setting: Setting, what: String, remedy: &str) {
        self.faults.push(Fault {
            setting: Some(setting),
            what,
            remedy: remedy.to_owned(),
        });
    }

    pub(super) fn token(&mut self) -> Option<SecretString> {
        const REMEDY: &str = "Get one from @BotFather in Telegram (/newbot) and run telecoder init";
        let Some(token) = self.sources.value(Setting::BotToken) else {
            self.fault(
                Setting::BotToken,
                "TELEGRAM_BOT_TOKEN is missing".into(),
                REMEDY,
            );
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
                Setting::BotToken,
                "TELEGRAM_BOT_TOKEN does not look like a bot token: a number, a colon, and letters"
                    .into(),
                REMEDY,
            );
            return None;
        }
        Some(token.into())
    }

    pub(super) fn api_url(&mut self) -> Option<Url> {
        let value = self.value_or_default(Setting::ApiUrl);
        match Url::parse(&value) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            _ => {
                self.fault(Setting::ApiUrl,
                    format!("TELEGRAM_API_URL is no http or https address: {value}"),
                    "Leave it out for Telegram's own server, or give a local Bot API server's address",
                );
                None
            }
        }
    }

    /// `TELECODER_TG_ALLOWED_USERS`
    pub(super) fn users(&mut self) -> Vec<UserId> {
        self.ids(Setting::AllowedUsers, |id| {
            u64::try_from(id).ok().filter(|id| *id != 0).map(UserId)
        })
    }

    /// `TELECODER_TG_ALLOWED_CHATS`
    pub(super) fn chats(&mut self) -> Vec<ChatId> {
        self.ids(Setting::AllowedChats, |id| {
            Some(ChatId(id)).filter(|chat| chat.is_group())
        })
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
                    setting,
                    format!("{} has an entry that is no id: {item}", setting.name()),
                    match setting {
                        Setting::AllowedChats => {
                            "Group ids are numbers, separated by commas, and a group's number is negative: /whoami in \
                             the group shows it"
                        }
                        _ => "User ids are numbers, not @names, separated by commas",
                    },
                ),
            }
        }
        ids
    }

    pub(super) fn data(&mut self) -> Option<PathBuf> {
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
                Setting::Data,
                match value {
                    Some(value) => format!("TELECODER_DATA is not a full path: {value}"),
                    None => "TELECODER_DATA is not set, and neither is HOME".into(),
                },
                "Give the full path of a folder that telecoder may write to",
            );
        }
        path
    }

    pub(super) fn permission_mode(&mut self) -> Option<PermissionMode> {
        let value = self.value_or_default(Setting::PermissionMode);
        let Some(mode) = PermissionMode::named(&value) else {
            let known: Vec<&str> = PermissionMode::ALL
                .iter()
                .map(|mode| mode.shown())
                .collect();
            self.fault(
                Setting::PermissionMode,
                format!("TELECODER_PERMISSION_MODE is unknown to claude: {value}"),
                &format!("Use one of {}", known.join(", ")),
            );
            return None;
        };
        if mode == PermissionMode::BypassPermissions && self.claude_would_refuse_root() {
            self.fault(Setting::PermissionMode,
                "telecoder runs as root, and claude refuses the permission mode bypassPermissions for root"
                    .into(),
                "Run telecoder as another user, or set TELECODER_PERMISSION_MODE=acceptEdits, or in a \
                 throw-away container set IS_SANDBOX=1",
            );
            return None;
        }
        Some(mode)
    }

    /// `IS_SANDBOX=1` tells claude that root needs no protection here.
    pub(super) fn claude_would_refuse_root(&self) -> bool {
        let whole = self.sources.whole_environment();
        self.sources.is_for_root()
            && whole.get(&OsString::from("IS_SANDBOX")) != Some(&OsString::from("1"))
    }

    pub(super) fn max_runs(&mut self) -> usize {
        let value = self.value_or_default(Setting::MaxRuns);
        match value.parse() {
            Ok(count) if (1..=1000).contains(&count) => count,
            _ => {
                self.fault(
                    Setting::MaxRuns,
                    format!("TELECODER_MAX_RUNS is no number from 1 to 1000: {value}"),
                    "Each run takes about 300 MB of memory",
                );
                1
            }
        }
    }

    pub(super) fn keep_runs(&mut self) -> Option<usize> {
        let value = self.value_or_default(Setting::KeepRuns);
        if value == "all" {
            return None;
        }
        let count = value.parse().ok();
        if count.is_none() {
            self.fault(
                Setting::KeepRuns,
                format!("TELECODER_KEEP_RUNS is neither a number nor all: {value}"),
                "Give the number of runs whose records are kept, like 500",
            );
        }
        count
    }

    pub(super) fn repo_roots(&mut self) -> Vec<PathBuf> {
        let value = self.sources.value(Setting::RepoRoots).unwrap_or_default();
        let mut roots = Vec::new();
        for item in value
            .split([',', ':'])
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let path = match (item.strip_prefix("~/"), self.sources.home()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(item),
            };
            if path.is_absolute() {
                roots.push(path);
            } else {
                self.fault(
                    Setting::RepoRoots,
                    format!("TELECODER_REPO_ROOTS has an entry that is not a full path: {item}"),
                    "Give full paths of folders, separated by commas",
                );
            }
        }
        roots
    }

    pub(super) fn yes_or_no(&mut self, setting: Setting) -> bool {
        let value = self.value_or_default(setting);
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => true,
            "false" | "no" | "off" | "0" => false,
            _ => {
                self.fault(
                    setting,
                    format!("{} is neither true nor false: {value}", setting.name()),
                    "Write true or false",
                );
                false
            }
        }
    }

    /// A PATH in a settings file is left as it is.
    pub(super) fn login_env(&mut self) -> LoginEnv {
        match self.yes_or_no(Setting::LoginEnv) {
            false => LoginEnv::Off,
            true => LoginEnv::On {
                path_is_set: self.sources.is_in_a_file("PATH"),
            },
        }
    }

    pub(super) fn warm_most(&mut self) -> usize {
        let value = self.value_or_default(Setting::WarmMost);
        match value.parse() {
            Ok(count) if count <= 1000 => count,
            _ => {
                self.fault(
                    Setting::WarmMost,
                    format!("TELECODER_WARM_MAX is no number from 0 to 1000: {value}"),
                    "Each takes some 200 MB of memory",
                );
                0
            }
        }
    }

    /// In bytes.
    pub(super) fn snapshot_file_max(&mut self) -> u64 {
        const MB: u64 = 1_000_000;
        let value = self.value_or_default(Setting::SnapshotFileMax);
        match value.parse() {
            Ok(size @ 1..=100_000) => size * MB,
            _ => {
                self.fault(
                    Setting::SnapshotFileMax,
                    format!("TELECODER_SNAPSHOT_FILE_MAX is no number from 1 to 100000: {value}"),
                    "Give a number of MB, like 64",
                );
                64 * MB
            }
        }
    }

    /// A length of time; `none` or 0 means no limit.
    pub(super) fn length(&mut self, setting: Setting) -> Option<Duration> {
        let value = self.value_or_default(setting);
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
                setting,
                format!("{} is no length of time: {value}", setting.name()),
                "Write it like 90s, 30m or 2h, or none",
            );
        }
        parsed
    }

    /// `host:port`, or a port of this machine alone.
    pub(super) fn web_address(&mut self) -> Option<SocketAddr> {
        let is_public = self.yes_or_no(Setting::WebPublic);
        let value = self.sources.value(Setting::WebAddr)?;
        let host_and_port = match value.strip_prefix("localhost:") {
            Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
            None => value.clone(),
        };
        let port_alone = || Some((Ipv4Addr::LOCALHOST, value.parse().ok()?).into());
        let Some(address): Option<SocketAddr> = host_and_port.parse().ok().or_else(port_alone)
        else {
            self.fault(
                Setting::WebAddr,
                format!("TELECODER_WEB_ADDR is no address with a port: {value}"),
                "Write it like 127.0.0.1:9464, or only the port",
            );
            return None;
        };
        if !address.ip().is_loopback() && !is_public {
            self.fault(
                Setting::WebAddr,
                format!("TELECODER_WEB_ADDR would be open to other machines: {value}"),
                "Use 127.0.0.1, or set TELECODER_WEB_PUBLIC=true if everybody who can reach it may see how the bot \
                 is doing",
            );
            return None;
        }
        Some(address)
    }

    /// `TELECODER_WEB_URL`, without a slash at its end.
    pub(super) fn web_url(&mut self) -> Option<String> {
        let value = self.sources.value(Setting::WebUrl)?;
        let is_one = Url::parse(&value).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
        });
        if !is_one {
            self.fault(
                Setting::WebUrl,
                format!("TELECODER_WEB_URL is no address of a page: {value}"),
                "Write it like https://telecoder.example.com, without a path",
            );
            return None;
        }
        Some(value.trim_end_matches('/').to_owned())
    }

    /// Only checks it: the log has begun by then.
    pub(super) fn log_format(&mut self) {
        let value = self.value_or_default(Setting::LogFormat);
        if LogFormat::named(&value).is_none() {
            self.fault(
                Setting::LogFormat,
                format!("TELECODER_LOG_FORMAT is neither text nor json: {value}"),
                "Write text or json",
            );
        }
    }

    pub(super) fn value_or_default(&self, setting: Setting) -> String {
        self.sources
            .value(setting)
            .unwrap_or_else(|| setting.default().to_owned())
    }
}
