//! Where the settings come from: the environment and the files of this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::{Fault, Setting, readable, started_with};
use crate::claude::environment::OUTBOX_VARIABLE;
use crate::process::{KEEP_MARKER, RUN_MARKER};
use crate::redact::{Redactor, values};

/// Variables that telecoder gives to runs, where another telecoder may be started.
const OF_A_RUN: [&str; 3] = [RUN_MARKER, KEEP_MARKER, OUTBOX_VARIABLE];

/// The sources of values, in the order of precedence.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub environment: BTreeMap<OsString, OsString>,
    files: Vec<Values>,
    unreadable: Vec<Fault>,
    remarks: Vec<String>,
    read: Vec<PathBuf>,
    passed_over: Option<PathBuf>,
    is_for_root: bool,
}

/// The values of a settings file.
#[derive(Clone, Debug)]
struct Values {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Environment,
    File(PathBuf),
}

impl Sources {
    /// The process's environment and the settings files of this machine, `.env` in the current folder among them: for
    /// the bot, and for commands that write its settings.
    pub fn of_this_process() -> Sources {
        let mut sources = Sources::of(std::env::vars_os().collect());
        for file in sources.usual_files() {
            sources.add_file(&file);
        }
        sources
    }

    /// The same for all other commands. They are run in folders of others, whose `.env` must not choose programs: it
    /// counts only if a bot was started with it.
    pub fn of_a_command() -> Sources {
        let mut sources = Sources::of(std::env::vars_os().collect());
        let here = full_path(Path::new(".env"));
        let is_ours = started_with::list(&sources).contains(&here);
        for file in sources.usual_files() {
            if file != here || is_ours {
                sources.add_file(&file);
            }
        }
        let has_settings =
            |text: String| names_in(&text).any(|name| Setting::named(name).is_some());
        // Nobody waits for the writer of a FIFO.
        let is_to_be_told = !is_ours && here.is_file();
        let text = is_to_be_told
            .then(|| fs::read_to_string(&here).ok())
            .flatten();
        sources.passed_over = text.is_some_and(has_settings).then_some(here);
        sources
    }

    /// Remembers that a bot was started with the `.env` of the current folder.
    pub fn remember_folder(&self) -> std::io::Result<()> {
        let here = full_path(Path::new(".env"));
        match self.read.contains(&here) {
            true => started_with::add(self, &here),
            false => Ok(()),
        }
    }

    /// `.env` of the current folder, if it has settings of telecoder and does not count.
    pub fn passed_over(&self) -> Option<&Path> {
        self.passed_over.as_deref()
    }

    /// What is no fault in the files, and still to be known.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// As [`Sources::of_this_process`], with one more file, which wins over the usual ones.
    pub fn with_file(file: &Path) -> Sources {
        let usual = Sources::of_this_process();
        let mut sources = Sources::of(usual.environment.clone());
        let file = full_path(file);
        sources.add_file(&file);
        for other in usual.usual_files() {
            if other != file {
                sources.add_file(&other);
            }
        }
        sources
    }

    /// The sources of a service whose user has this home: only HOME, and the files that it reads.
    pub fn of_a_service(home: &Path) -> Sources {
        let mut sources = Sources::of(BTreeMap::from([("HOME".into(), home.into())]));
        for file in [
            home.join(".env"),
            home.join(".config/telecoder/telecoder.env"),
            PathBuf::from("/etc/telecoder/telecoder.env"),
        ] {
            sources.add_file(&file);
        }
        sources
    }

    fn usual_files(&self) -> Vec<PathBuf> {
        let mut files = vec![full_path(Path::new(".env"))];
        files.extend(self.personal_file());
        files.push(PathBuf::from("/etc/telecoder/telecoder.env"));
        files
    }

    fn personal_file(&self) -> Option<PathBuf> {
        let config = self.folder_of("XDG_CONFIG_HOME", ".config")?;
        Some(config.join("telecoder/telecoder.env"))
    }

    /// A folder of the person: what the variable names, else this one in HOME.
    pub(super) fn folder_of(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.environment
            .get(&OsString::from(variable))
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| self.home().map(|home| home.join(below_home)))
    }

    /// The file for settings that no file has yet: `.env` in the current folder if it is there and not a project's,
    /// else the person's own file. `None` without HOME.
    pub fn file_to_write(&self) -> Option<PathBuf> {
        let here = full_path(Path::new(".env"));
        match fs::read_to_string(&here) {
            Ok(text) if !is_of_another_program(&text) => Some(here),
            _ => self.personal_file(),
        }
    }

    /// Whether this file was read.
    pub fn reads(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Only these variables, no files.
    pub fn of(environment: BTreeMap<OsString, OsString>) -> Sources {
        Sources {
            environment,
            is_for_root: geteuid().is_root(),
            ..Sources::default()
        }
    }

    /// Adds the sources of a service, which may run as another user: its variables after this process's, and its files
    /// after all others.
    pub fn behind(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        files: &[PathBuf],
        is_for_root: bool,
    ) -> Sources {
        for (name, value) in variables {
            self.environment
                .entry(name.into())
                .or_insert_with(|| value.into());
        }
        for file in files {
            if !self.read.contains(file) {
                self.add_file(file);
            }
        }
        self.is_for_root = is_for_root;
        self
    }

    /// The settings files that are there, whether or not they could be read.
    pub fn files_found(&self) -> &[PathBuf] {
        &self.read
    }

    /// Whether telecoder runs as root with these settings.
    pub fn is_for_root(&self) -> bool {
        self.is_for_root
    }

    fn add_file(&mut self, path: &Path) {
        match readable::read(path) {
            Ok(None) => return,
            Ok(Some(found)) => {
                self.remarks.extend(found.remarks);
                self.files.push(Values {
                    path: path.to_owned(),
                    values: found.values,
                });
            }
            Err(fault) => self.unreadable.push(fault),
        }
        self.read.push(path.to_owned());
    }

    /// Whether a file has a secret in it; an unreadable one may.
    pub fn has_secret(&self, path: &Path) -> bool {
        let file = self.files.iter().find(|file| file.path == path);
        file.is_none_or(|file| {
            let mut lines = file.values.iter();
            lines.any(|(name, value)| values::is_secret(name, value))
        })
    }

    /// Whether a settings file has a value for this variable.
    pub(super) fn is_in_a_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.values.contains_key(name))
    }

    /// What is wrong with the files.
    pub fn unreadable(&self) -> &[Fault] {
        &self.unreadable
    }

    pub fn home(&self) -> Option<PathBuf> {
        self.environment
            .get(&OsString::from("HOME"))
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
    }

    /// A setting's value; an empty one counts as not set.
    pub fn value(&self, setting: Setting) -> Option<String> {
        self.found(setting).map(|(value, _)| value)
    }

    /// A setting's value, and where it comes from.
    pub fn found(&self, setting: Setting) -> Option<(String, Origin)> {
        let from_environment = self
            .environment
            .get(&OsString::from(setting.name()))
            .map(|value| (value.to_string_lossy().into_owned(), Origin::Environment));
        let from_files = self.files.iter().filter_map(|file| {
            let value = file.values.get(setting.name())?.clone();
            Some((value, Origin::File(file.path.clone())))
        });
        from_environment
            .into_iter()
            .chain(from_files)
            .map(|(value, origin)| (value.trim().to_owned(), origin))
            .find(|(value, _)| !value.is_empty())
    }

    /// Whether a fault of a setting cannot come from a file that cannot be read: the setting has a value, and no other
    /// one decides whether it is right.
    pub(super) fn stands_alone(&self, setting: Setting) -> bool {
        self.value(setting).is_some()
            && !matches!(setting, Setting::PermissionMode | Setting::WebAddr)
    }

    /// The first file that gives a setting a value, whether or not the environment wins over it.
    pub fn file_with(&self, setting: Setting) -> Option<PathBuf> {
        let only_files = Sources {
            environment: BTreeMap::new(),
            ..self.clone()
        };
        match only_files.found(setting)?.1 {
            Origin::File(path) => Some(path),
            Origin::Environment => None,
        }
    }

    /// The same, with this value for a setting above all others.
    pub fn with_value(mut self, setting: Setting, value: &str) -> Sources {
        self.environment.insert(setting.name().into(), value.into());
        self
    }

    /// The environment with what the files add to it: a key in `.env` reaches claude too.
    pub fn whole_environment(&self) -> BTreeMap<OsString, OsString> {
        let mut whole = self.environment.clone();
        for file in &self.files {
            for (name, value) in &file.values {
                whole.entry(name.into()).or_insert_with(|| value.into());
            }
        }
        whole
    }

    /// Knows the secrets of the environment and the files.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(&self.whole_environment())
    }

    /// Variables that look like settings and are none.
    pub fn unknown(&self) -> Vec<String> {
        self.whole_environment()
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| name.starts_with("TELECODER_") && !OF_A_RUN.contains(name))
            .filter(|name| Setting::ALL.iter().all(|setting| setting.name() != *name))
            .map(str::to_owned)
            .collect()
    }
}

/// The absolute path; as given if the current folder is gone.
fn full_path(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The variables that the lines of a settings file set.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let name = line.split_once('=')?.0.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        (!name.starts_with('#')).then_some(name)
    })
}

/// Whether a settings file has settings, and none of telecoder's.
fn is_of_another_program(text: &str) -> bool {
    let names: Vec<&str> = names_in(text).collect();
    !names.is_empty() && names.iter().all(|name| Setting::named(name).is_none())
}
