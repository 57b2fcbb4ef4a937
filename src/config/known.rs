//! The settings as far as they can be read, for a command that reports faults and continues.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;

use super::login_shell::LoginEnv;
use super::reader::Reader;
use super::{Config, Fault, PageAddress, Setting, Sources, program};
use crate::claude::environment;
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatId, UserId};

/// What is known in spite of faults.
#[derive(Clone, Debug)]
pub struct Known {
    /// Every fault that stops telecoder's start.
    pub faults: Vec<Fault>,
    /// Variables that look like settings and are none.
    pub unknown: Vec<String>,
    pub token: Option<SecretString>,
    pub api_url: Option<Url>,
    pub users: Vec<UserId>,
    pub chats: Vec<ChatId>,
    pub data: Option<PathBuf>,
    pub web_address: Option<SocketAddr>,
    /// As the settings say; it does not know where a bot listens.
    pub page: PageAddress,
    pub runtime: PathBuf,
    pub login_env: LoginEnv,
    /// `Err` if it is unknown, or claude would refuse it.
    pub permission_mode: Result<PermissionMode, Fault>,
    /// The environment of claude and git.
    pub environment: BTreeMap<OsString, OsString>,
}

impl Known {
    /// The PATH of claude and git.
    pub fn path(&self) -> Option<&OsStr> {
        let path = self.environment.get(OsStr::new("PATH"));
        path.map(OsString::as_os_str)
    }

    pub fn read(sources: &Sources) -> Known {
        let mut reader = Reader {
            sources,
            faults: Vec::new(),
        };
        let permission_mode = reader
            .permission_mode()
            .ok_or_else(|| match sources.unreadable() {
                // IS_SANDBOX, or another mode, may be in there.
                [first, ..] => first.clone(),
                [] => reader.faults.remove(0),
            });
        let runtime = sources
            .value(Setting::Runtime)
            .unwrap_or_else(|| Setting::Runtime.default().to_owned());
        Known {
            faults: Config::read(sources)
                .err()
                .map_or(Vec::new(), |all| all.list),
            unknown: sources.unknown(),
            token: reader.token(),
            api_url: reader.api_url(),
            users: reader.users(),
            chats: reader.chats(),
            data: reader.data(),
            web_address: reader.web_address(),
            page: PageAddress::new(reader.web_url()),
            runtime: program(&runtime, sources),
            login_env: reader.login_env(),
            permission_mode,
            environment: environment::for_claude(&sources.whole_environment()),
        }
    }
}
