//! Where the settings come from: the environment and the files of this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::file::BYTE_ORDER_MARK;
use super::{Fault, Setting};
use crate::process::RUN_MARKER;
use crate::redact::{Redactor, values};

/// The sources of values, in the order of precedence.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub environment: BTreeMap<OsString, OsString>,
    files: Vec<Values>,
    unreadable: Vec<Fault>,
    read: Vec<PathBuf>,
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
    /// The process's environment and the settings files of this machine.
    pub fn of_this_process() -> Sources {
        let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let mut sources = Sources::of(environment);
        for file in sources.usual_files() {
            sources.add_file(&file);
        }
        sources
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
        let config = self
            .environment
            .get(&OsString::from("XDG_CONFIG_HOME"))
            .filter(|config| !config.is_empty())
            .map(PathBuf::from)
            .or_else(|| self.home().map(|home| home.join(".config")));
        config.map(|config| config.join("telecoder/telecoder.env"))
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
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                self.read.push(path.to_owned());
                return self.cannot_read(path, &error.to_string());
            }
        };
        self.read.push(path.to_owned());
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        let mut values = BTreeMap::new();
        for line in dotenvy::from_read_iter(text.as_bytes()) {
            match line {
                Ok((name, value)) => {
                    values.insert(name, value);
                }
                // The error quotes the line, which may hold a secret.
                Err(dotenvy::Error::LineParse(_, at)) => {
                    return self.cannot_read(
                        path,
                        &format!("a line is not NAME=value, at its character {at}"),
                    );
                }
                Err(error) => return self.cannot_read(path, &error.to_string()),
            }
        }
        self.files.push(Values {
            path: path.to_owned(),
            values,
        });
    }

    fn cannot_read(&mut self, path: &Path, why: &str) {
        self.unreadable.push(Fault {
            setting: None,
            what: format!("{} cannot be read: {why}", path.display()),
            remedy:
                "Each line is NAME=value, with quotes around a value that has blanks or # in it"
                    .into(),
        });
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
            .filter(|name| name.starts_with("TELECODER_") && *name != RUN_MARKER)
            .filter(|name| Setting::ALL.iter().all(|setting| setting.name() != *name))
            .map(str::to_owned)
            .collect()
    }
}

/// The absolute path; as given if the current folder is gone.
fn full_path(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether a settings file has settings, and none of telecoder's.
fn is_of_another_program(text: &str) -> bool {
    let names = text.lines().filter_map(|line| {
        let name = line.split_once('=')?.0.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        (!name.starts_with('#')).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    !names.is_empty() && names.iter().all(|name| Setting::named(name).is_none())
}
