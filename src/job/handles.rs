//! The handles that connect work in a workspace with the outside. The composition root gives them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::fetch::Fetching;
use super::places::Places;
use crate::config::PageAddress;
use crate::domain::check::Commands;
use crate::git::Git;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::telegram::outbox::Outbox;

/// What every job needs, and every run.
pub struct Handles {
    pub store: Store,
    pub outbox: Outbox,
    pub metrics: Metrics,
    pub git: Git,
    pub checking: Checking,
    pub fetching: Fetching,
    /// For runs and checks.
    pub places: Places,
    /// The data folder.
    pub data: PathBuf,
    /// Where people find the page.
    pub page: PageAddress,
}

/// How checks are run.
pub struct Checking {
    /// The commands of sessions without their own.
    pub defaults: Commands,
    /// Whether `.telecoder.toml` in a repository counts.
    pub trusts_repository: bool,
    /// `TELECODER_VERIFY_TIMEOUT`.
    pub time_limit: Option<Duration>,
    /// `TELECODER_AUTO_PUSH`.
    pub auto_push: bool,
    pub environment: BTreeMap<OsString, OsString>,
    /// `checks/` in the data folder.
    pub folder: PathBuf,
}
