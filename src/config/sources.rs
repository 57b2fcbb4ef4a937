//! Where the settings come from: the environment and the files of this machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Fault, Setting};
use crate::process::RUN_MARKER;
use crate::redact::Redactor;

/// Where values come from, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub environment: BTreeMap<OsString, OsString>,
    files: Vec<BTreeMap<String, String>>,
    unreadable: Vec<Fault>,
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
            Err(error) => return self.cannot_read(path, &error.to_string()),
        };
        let mut values = BTreeMap::new();
        for line in lines {
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
        self.files.push(values);
    }

    fn cannot_read(&mut self, path: &Path, why: &str) {
        self.unreadable.push(Fault {
            what: format!("{} cannot be read: {why}", path.display()),
            remedy:
                "Each line is NAME=value, with quotes around a value that has blanks or # in it"
                    .into(),
        });
    }

    /// What is wrong with the files.
    pub(super) fn unreadable(&self) -> &[Fault] {
        &self.unreadable
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
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
    pub(super) fn whole_environment(&self) -> BTreeMap<OsString, OsString> {
        let mut whole = self.environment.clone();
        for file in &self.files {
            for (name, value) in file {
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
    pub(super) fn unknown(&self) -> Vec<String> {
        self.whole_environment()
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| name.starts_with("TELECODER_") && *name != RUN_MARKER)
            .filter(|name| Setting::ALL.iter().all(|setting| setting.name() != *name))
            .map(str::to_owned)
            .collect()
    }
}
