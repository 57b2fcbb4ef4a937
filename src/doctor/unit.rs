//! What systemd knows of telecoder: its unit, as `systemctl show` tells it. systemd: org.freedesktop.systemd1(5).
//!
//! What that means for a person is said by `service`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::unistd::User;
use rustix::process::geteuid;
use tokio::process::Command;

use crate::config::Sources;

/// The unit's name.
pub(super) const UNIT: &str = "telecoder.service";
/// How long somebody who is asked may take.
const PATIENCE: Duration = Duration::from_secs(4);
const PROPERTIES: &str = "--property=LoadState,UnitFileState,ActiveState,SubState,Result,\
                          ActiveEnterTimestamp,NRestarts,KillMode,OOMPolicy,User,Environment,EnvironmentFiles,\
                          MainPID";
/// What a service of the system finds programs on where its unit says nothing. systemd: systemd.exec(5).
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who looks after services here.
pub(super) enum Manager {
    /// There is no systemd, or it does not answer.
    Absent,
    /// systemd is there and does not know telecoder.
    NoUnit,
    Unit(Unit),
}

/// telecoder's unit.
pub(super) struct Unit {
    /// A unit of the person's own, not of the system.
    pub is_persons_own: bool,
    properties: Vec<(String, String)>,
    /// Whether units of the person's own stay when the person logs out; none: nobody knows.
    pub lingers: Option<bool>,
}

/// Asks systemd. A unit of the system comes before one of the person's own.
pub(super) async fn find(environment: &BTreeMap<OsString, OsString>) -> Manager {
    let user = geteuid().as_raw().to_string();
    let of_user = ["show-user", &user, "--property=Linger"];
    let (system, own, linger) = tokio::join!(
        ask("systemctl", &["show", UNIT, PROPERTIES], environment),
        ask(
            "systemctl",
            &["--user", "show", UNIT, PROPERTIES],
            environment
        ),
        ask("loginctl", &of_user, environment),
    );
    if system.is_none() && own.is_none() {
        return Manager::Absent;
    }
    let unit = |shown: Option<String>, is_persons_own| {
        let properties = properties_of(&shown?);
        let unit = Unit {
            is_persons_own,
            properties,
            lingers: None,
        };
        (!matches!(unit.property("LoadState"), "" | "not-found")).then_some(unit)
    };
    if let Some(unit) = unit(system, false) {
        return Manager::Unit(unit);
    }
    match unit(own, true) {
        Some(unit) => Manager::Unit(Unit {
            lingers: linger.map(|it| it.trim() == "Linger=yes"),
            ..unit
        }),
        None => Manager::NoUnit,
    }
}

/// What a program says on stdout; none where it is not there, refuses or takes too long.
pub(super) async fn ask(
    program: &str,
    arguments: &[&str],
    environment: &BTreeMap<OsString, OsString>,
) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .ok()?
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Manager {
    pub fn unit(&self) -> Option<&Unit> {
        match self {
            Manager::Unit(unit) => Some(unit),
            _ => None,
        }
    }

    /// The settings that the service has, where this process has none of its own.
    pub fn as_the_service_has(&self, sources: Sources) -> Sources {
        let Some(unit) = self.unit().filter(|unit| !unit.is_persons_own) else {
            return sources;
        };
        let variables = words(unit.property("Environment"))
            .into_iter()
            .filter_map(|word| {
                let (name, value) = word.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .filter(|(name, _)| name != "PATH");
        sources.behind(variables, &unit.files(), unit.is_of_root())
    }
}

impl Unit {
    /// Empty where systemd says nothing of it.
    pub fn property(&self, name: &str) -> &str {
        self.properties
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    fn files(&self) -> Vec<PathBuf> {
        self.properties
            .iter()
            .filter(|(name, _)| name == "EnvironmentFiles")
            .filter_map(|(_, value)| value.split(" (").next())
            .filter(|path| path.starts_with('/'))
            .map(PathBuf::from)
            .collect()
    }

    /// The user that a unit of the system runs as, where that is somebody else than this process's.
    pub fn other_user(&self) -> Option<User> {
        let name = match self.property("User") {
            _ if self.is_persons_own => return None,
            "" => "root",
            name => name,
        };
        User::from_name(name)
            .ok()
            .flatten()
            .filter(|user| user.uid.as_raw() != geteuid().as_raw())
    }

    fn is_of_root(&self) -> bool {
        matches!(self.property("User"), "" | "root")
    }

    /// Where the service finds programs; none: nobody knows.
    pub fn path(&self) -> Option<String> {
        let named = words(self.property("Environment"))
            .into_iter()
            .find_map(|word| word.strip_prefix("PATH=").map(str::to_owned));
        named.or_else(|| (!self.is_persons_own).then(|| SYSTEM_PATH.to_owned()))
    }

    /// "sudo systemctl restart telecoder", or the person's own.
    pub fn command(&self, verb: &str) -> String {
        match self.is_persons_own {
            true => format!("systemctl --user {verb} telecoder"),
            false => format!("sudo systemctl {verb} telecoder"),
        }
    }
}

/// `NAME=value`, a line each.
fn properties_of(shown: &str) -> Vec<(String, String)> {
    shown
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
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
