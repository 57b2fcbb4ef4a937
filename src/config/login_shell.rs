//! What the person's login shell adds to the environment of claude, git and the checks.
//!
//! The PATH of a service lacks what the startup files of a shell put there: nvm, mise, pyenv, cargo. What the service
//! has, stays; telecoder's own settings do not come from the shell.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::claude::environment::is_ours;
use crate::process::login_shell::{self, NoAnswer};

/// True of the shell alone, or of a terminal.
const OF_THE_SHELL: [&str; 7] = ["_", "SHLVL", "PWD", "OLDPWD", "TERM", "COLUMNS", "LINES"];

/// `TELECODER_LOGIN_ENV`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginEnv {
    Off,
    On {
        /// A settings file has a PATH, which is left as it is.
        path_is_set: bool,
    },
}

/// What came of asking the shell.
#[derive(Clone, Debug)]
pub struct Added {
    pub shell: PathBuf,
    /// How many folders of PATH are new.
    pub folders: usize,
    /// The new variables.
    pub variables: BTreeMap<OsString, OsString>,
}

impl LoginEnv {
    /// Asks the shell, for ten seconds at most, and adds what it has. `None` if it is not to be asked.
    pub async fn add_to(
        self,
        environment: &mut BTreeMap<OsString, OsString>,
    ) -> Option<Result<Added, NoAnswer>> {
        let LoginEnv::On { path_is_set } = self else {
            return None;
        };
        let asked = login_shell::ask(environment).await;
        Some(asked.map(|answer| {
            let (folders, variables) = add(environment, answer.variables, path_is_set);
            Added {
                shell: answer.shell,
                folders,
                variables,
            }
        }))
    }
}

/// Returns the number of folders that are new on PATH, and the variables that are new.
fn add(
    environment: &mut BTreeMap<OsString, OsString>,
    of_shell: BTreeMap<OsString, OsString>,
    path_is_set: bool,
) -> (usize, BTreeMap<OsString, OsString>) {
    let mut folders = 0;
    if !path_is_set && let Some(path) = of_shell.get(OsStr::new("PATH")) {
        let own = environment.get(OsStr::new("PATH")).cloned();
        let own: Vec<PathBuf> = own.iter().flat_map(std::env::split_paths).collect();
        // In the shell's order, because it decides which of two versions is used.
        let mut seen = BTreeSet::new();
        let all: Vec<PathBuf> = std::env::split_paths(path)
            .chain(own.iter().cloned())
            .filter(|folder| seen.insert(folder.clone()))
            .collect();
        folders = all.iter().filter(|folder| !own.contains(folder)).count();
        // They were split at what would be forbidden in them.
        environment.extend(std::env::join_paths(all).map(|path| (OsString::from("PATH"), path)));
    }
    let is_new = |(name, _): &(OsString, OsString)| {
        !environment.contains_key(name)
            && !is_ours(name)
            && OF_THE_SHELL.iter().all(|other| name != *other)
    };
    let new: BTreeMap<_, _> = of_shell.into_iter().filter(is_new).collect();
    environment.extend(new.clone());
    (folders, new)
}
