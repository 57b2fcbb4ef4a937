//! Whose service it is: the machine's or one user's, and where its unit file and its data are.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use nix::unistd::{Uid, User};

use crate::claude::keepers;
use crate::config::{self, Sources};

pub(super) const UNIT: &str = "telecoder.service";
/// Where the units of the machine are.
const SYSTEM_UNITS: &str = "etc/systemd/system";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Root's: it runs as a user of its own, from the start of the machine.
    System,
    /// Of the user who has installed it.
    User,
}

/// A service that is, or is to be, on this machine.
#[derive(Debug)]
pub(super) struct Place {
    pub scope: Scope,
    /// The folder that stands for `/`.
    root: PathBuf,
    /// Who calls.
    pub caller: User,
}

impl Place {
    /// Where this person's service is: root has the machine's, and so has everybody who has none but can see it.
    pub fn find(asked_for: Option<Scope>, root: Option<PathBuf>) -> anyhow::Result<Place> {
        let caller = User::from_uid(Uid::effective())
            .ok()
            .flatten()
            .context("this user is not in the machine's list of users (/etc/passwd)")?;
        let mut place = Place {
            scope: asked_for.unwrap_or(Scope::System),
            root: root.unwrap_or_else(|| PathBuf::from("/")),
            caller,
        };
        if asked_for.is_none() && !place.is_root() {
            let machine_has_one = place.unit_file().is_file();
            place.scope = Scope::User;
            if machine_has_one && !place.unit_file().is_file() {
                place.scope = Scope::System;
            }
        }
        Ok(place)
    }

    /// The same for a new service, which an ordinary user always makes for itself.
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
            Scope::System => self.root.join(SYSTEM_UNITS).join(UNIT),
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

    /// The caller's: HOME, as the settings see it.
    pub fn home(&self) -> PathBuf {
        std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .unwrap_or_else(|| self.caller.dir.clone())
    }

    /// Whether systemd runs this machine. Documented in sd_booted(3).
    pub fn has_systemd(&self) -> bool {
        self.root.join("run/systemd/system").is_dir()
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

    /// Whether the machine has a service already that runs as the caller: a second bot would have the same settings.
    pub fn machine_runs_as_caller(&self) -> bool {
        let unit = fs::read_to_string(self.root.join(SYSTEM_UNITS).join(UNIT));
        unit.is_ok_and(|unit| user_of(&unit) == Some(&self.caller.name))
    }

    /// Whose home has the settings and, where they say nothing else, the data: the user of the unit that is there.
    fn home_of_service(&self) -> Option<PathBuf> {
        if self.scope == Scope::User {
            return Some(self.home());
        }
        let unit = fs::read_to_string(self.unit_file()).ok()?;
        Some(User::from_name(user_of(&unit)?).ok()??.dir)
    }

    /// The settings that the service reads.
    fn settings(&self) -> Option<Sources> {
        match self.scope {
            Scope::User => Some(Sources::of_this_process()),
            Scope::System => Some(Sources::of_a_service(&self.home_of_service()?)),
        }
    }

    /// Where the service keeps its data, as far as this person can know.
    pub fn data(&self) -> Option<PathBuf> {
        config::data_folder(&self.settings()?).ok()
    }

    /// The folder in which the person's own settings are.
    pub fn settings_folder(&self) -> Option<PathBuf> {
        Some(self.home_of_service()?.join(".config/telecoder"))
    }

    /// How many runs are going on; `None` where that cannot be known.
    pub fn running(&self) -> Option<usize> {
        Some(keepers::count_below(&self.data()?))
    }
}

fn user_of(unit: &str) -> Option<&str> {
    unit.lines()
        .find_map(|line| line.strip_prefix("User="))
        .map(str::trim)
}
