//! The only module that asks systemd: whose service telecoder is, what systemd says of it, and where its log is.
//!
//! [`call`] changes the service and waits for it, [`look`] only asks and gives up soon. `cli::service` and `doctor`
//! have the sentences for a person; the unit is `deploy/telecoder.service`.

pub mod call;
pub mod look;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use nix::unistd::User;
use rustix::process::geteuid;

/// The unit's name.
pub const UNIT: &str = "telecoder.service";
/// The default user of the machine's service.
pub const USER: &str = "telecoder";
/// The properties to ask for. Format: org.freedesktop.systemd1(5).
const PROPERTIES: &str = "--property=LoadState,UnitFileState,ActiveState,SubState,Result,ExecMainStatus,StatusText,\
                          ActiveEnterTimestamp,NRestarts,KillMode,OOMPolicy,User,Environment,EnvironmentFiles,\
                          MainPID";
/// The PATH of a machine's service whose unit sets none. systemd: systemd.exec(5).
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where the units of the machine are.
const SYSTEM_UNITS: &str = "etc/systemd/system";

/// Whose service it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine's: it runs as a user of its own, from boot.
    System,
    /// Of the user who has installed it.
    User,
}

impl Scope {
    /// Which one comes first: for root the machine's, for others their own.
    pub fn in_order() -> [Scope; 2] {
        match geteuid().is_root() {
            true => [Scope::System, Scope::User],
            false => [Scope::User, Scope::System],
        }
    }

    fn for_systemctl(self) -> &'static [&'static str] {
        match self {
            Scope::System => &[],
            Scope::User => &["--user"],
        }
    }

    fn for_journalctl(self) -> String {
        match self {
            Scope::System => format!("--unit={UNIT}"),
            Scope::User => format!("--user-unit={UNIT}"),
        }
    }

    /// What a person types: "sudo systemctl restart telecoder".
    pub fn command(self, verb: &str) -> String {
        match self {
            Scope::System => format!("sudo systemctl {verb} telecoder"),
            Scope::User => format!("systemctl --user {verb} telecoder"),
        }
    }

    /// The command that shows the log.
    pub fn log_command(self) -> &'static str {
        match self {
            Scope::System => "sudo journalctl -u telecoder -n 50",
            Scope::User => "journalctl --user-unit telecoder -n 50",
        }
    }
}

/// Whether systemd runs the machine below this folder. Documented in sd_booted(3).
pub fn runs_machine(root: &Path) -> bool {
    root.join("run/systemd/system").is_dir()
}

/// The unit file of the machine's service.
pub fn unit_of_machine(root: &Path) -> PathBuf {
    root.join(SYSTEM_UNITS).join(UNIT)
}

/// The user of the machine's service; `None` if there is no service, or its user is gone.
pub fn user_of_machine(root: &Path) -> Option<User> {
    let unit = fs::read_to_string(unit_of_machine(root)).ok()?;
    let mut lines = unit.lines();
    let name = lines.find_map(|line| line.strip_prefix("User="));
    user_named(name.map_or("", str::trim))
}

/// A unit that names nobody is root's.
fn user_named(name: &str) -> Option<User> {
    let name = if name.is_empty() { "root" } else { name };
    User::from_name(name).ok().flatten()
}

/// What systemd says of the unit.
#[derive(Debug)]
pub struct Unit {
    pub scope: Scope,
    properties: Vec<(String, String)>,
}

impl Unit {
    /// Of `systemctl show`: `NAME=value`, a line each.
    fn of(scope: Scope, shown: &str) -> Unit {
        let lines = shown.lines().filter_map(|line| line.split_once('='));
        Unit {
            scope,
            properties: lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    /// Empty if systemd does not name it.
    pub fn property(&self, name: &str) -> &str {
        self.properties
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// systemd knows it, even if it cannot read it.
    pub fn is_there(&self) -> bool {
        !matches!(self.property("LoadState"), "" | "not-found")
    }

    /// It takes messages, or is about to.
    pub fn is_running(&self) -> bool {
        matches!(self.property("ActiveState"), "active" | "reloading")
    }

    /// It was started and ended.
    pub fn has_failed(&self) -> bool {
        !matches!(self.property("Result"), "" | "success")
    }

    pub fn is_enabled(&self) -> bool {
        self.property("UnitFileState").starts_with("enabled")
    }

    /// The version that the bot reports, if it looks like one.
    pub fn version(&self) -> Option<&str> {
        let said = self.property("StatusText");
        let (version, _) = said.strip_prefix("version ")?.split_once(',')?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        version.chars().all(fits).then_some(version)
    }

    /// The bot's process.
    pub fn process(&self) -> Option<u32> {
        let process = self.property("MainPID").parse().ok();
        process.filter(|process| *process != 0)
    }

    /// The user of the machine's unit, if it is not this process's.
    pub fn other_user(&self) -> Option<User> {
        if self.scope == Scope::User {
            return None;
        }
        user_named(self.property("User")).filter(|user| user.uid.as_raw() != geteuid().as_raw())
    }

    pub fn is_of_root(&self) -> bool {
        matches!(self.property("User"), "" | "root")
    }

    /// The variables that the unit sets, except PATH.
    pub fn variables(&self) -> Vec<(String, String)> {
        words(self.property("Environment"))
            .into_iter()
            .filter_map(|word| {
                let (name, value) = word.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .filter(|(name, _)| name != "PATH")
            .collect()
    }

    /// The files with more variables.
    pub fn files(&self) -> Vec<PathBuf> {
        self.properties
            .iter()
            .filter(|(name, _)| name == "EnvironmentFiles")
            .filter_map(|(_, value)| value.split(" (").next())
            .filter(|path| path.starts_with('/'))
            .map(PathBuf::from)
            .collect()
    }

    /// The service's PATH; `None` if unknown.
    pub fn path(&self) -> Option<String> {
        let named = words(self.property("Environment"))
            .into_iter()
            .find_map(|word| word.strip_prefix("PATH=").map(str::to_owned));
        named.or_else(|| (self.scope == Scope::System).then(|| SYSTEM_PATH.to_owned()))
    }
}

/// As systemd lists variables: separated by blanks, with quotes around those that have one in them.
fn words(list: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in list.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            other => words.last_mut().expect("one is always there").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a user's services keep running after logout, from `loginctl show-user`; `None` if unknown.
fn lingers(output: &Output) -> Option<bool> {
    match String::from_utf8_lossy(&output.stdout).trim() {
        "Linger=yes" => Some(true),
        "Linger=no" => Some(false),
        // It does not know a user who is not logged in and does not linger.
        _ => (!output.status.success()).then_some(false),
    }
}
