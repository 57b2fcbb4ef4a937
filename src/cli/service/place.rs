//! Whose service it is: the machine's or one user's, and where its unit file and its data are.

use std::path::PathBuf;

use anyhow::{Context, bail};
use nix::unistd::{Uid, User};

use crate::claude::keepers;
use crate::config::{self, Sources};
use crate::systemd::{self, Scope, UNIT};

/// A service on this machine, installed or not.
#[derive(Debug)]
pub(super) struct Place {
    pub scope: Scope,
    /// The folder that stands for `/`.
    root: PathBuf,
    /// The user who calls.
    pub caller: User,
}

impl Place {
    /// The caller's service: the first one installed, in the order of [`Scope::in_order`].
    pub fn find(asked_for: Option<Scope>, root: Option<PathBuf>) -> anyhow::Result<Place> {
        let caller = User::from_uid(Uid::effective())
            .ok()
            .flatten()
            .context("this user is not in the machine's list of users (/etc/passwd)")?;
        let mut place = Place {
            scope: asked_for.unwrap_or(Scope::in_order()[0]),
            root: root.unwrap_or_else(|| PathBuf::from("/")),
            caller,
        };
        if asked_for.is_none() && !place.unit_file().is_file() {
            place.scope = Scope::in_order()[1];
            if !place.unit_file().is_file() {
                place.scope = Scope::in_order()[0];
            }
        }
        Ok(place)
    }

    /// The place for a new service: an ordinary user always gets their own.
    pub fn for_install(asked_for: Option<Scope>, root: Option<PathBuf>) -> anyhow::Result<Place> {
        let own = match Uid::effective().is_root() {
            true => Scope::System,
            false => Scope::User,
        };
        Place::find(asked_for.or(Some(own)), root)
    }

    pub fn is_root(&self) -> bool {
        self.caller.uid.is_root()
    }

    pub fn unit_file(&self) -> PathBuf {
        match self.scope {
            Scope::System => systemd::unit_of_machine(&self.root),
            Scope::User => self.user_units().join(UNIT),
        }
    }

    fn user_units(&self) -> PathBuf {
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .unwrap_or_else(|| self.home().join(".config"));
        config.join("systemd/user")
    }

    /// The caller's HOME, as the settings see it.
    pub fn home(&self) -> PathBuf {
        std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .unwrap_or_else(|| self.caller.dir.clone())
    }

    /// Whether systemd runs this machine.
    pub fn has_systemd(&self) -> bool {
        systemd::runs_machine(&self.root)
    }

    /// Refuses what only root may do.
    pub fn check_may_change(&self, command: &str) -> anyhow::Result<()> {
        if self.scope == Scope::System && !self.is_root() {
            bail!(
                "telecoder is a service of the whole machine here, which only root may change. Nothing was done. \
                 Try: sudo telecoder service {command}"
            );
        }
        Ok(())
    }

    /// Whether the machine's service runs as the caller: a second bot would have the same settings.
    pub fn machine_runs_as_caller(&self) -> bool {
        systemd::user_of_machine(&self.root).is_some_and(|user| user.uid == self.caller.uid)
    }

    /// The home of the service's user, with the settings and, by default, the data.
    fn home_of_service(&self) -> Option<PathBuf> {
        if self.scope == Scope::User {
            return Some(self.home());
        }
        Some(systemd::user_of_machine(&self.root)?.dir)
    }

    /// The settings that the service reads.
    fn settings(&self) -> Option<Sources> {
        match self.scope {
            Scope::User => Some(Sources::of_a_command()),
            Scope::System => Some(Sources::of_a_service(&self.home_of_service()?)),
        }
    }

    /// The service's data folder; `None` if this person cannot know it.
    pub fn data(&self) -> Option<PathBuf> {
        config::data_folder(&self.settings()?).ok()
    }

    /// The settings folder of the service's user.
    pub fn settings_folder(&self) -> Option<PathBuf> {
        Some(self.home_of_service()?.join(".config/telecoder"))
    }

    /// How many runs are going on; `None` if unknown.
    pub fn running(&self) -> Option<usize> {
        Some(keepers::count_below(&self.data()?))
    }
}
