//! The login shell: what it adds to the service's environment for claude, git and the checks.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::process;
use super::report::{Check, Finding, counted};
use crate::claude::environment::is_ours;
use crate::config::Known;
use crate::process::login_shell::{NoAnswer, name, variables};
use crate::systemd::look::Manager;

/// Makes the known environment the one that the bot gives to claude and git: with the service's PATH, and with what the
/// login shell has.
pub(super) async fn add(known: &mut Known, manager: &Manager, bot: Option<u32>) -> Finding {
    let mut service = of_the_service(known, manager, bot);
    let other = manager.unit().and_then(|unit| unit.other_user());
    let asked = match &other {
        Some(_) => None,
        None => known.login_env.add_to(&mut service).await,
    };
    let path = service.remove_entry(OsStr::new("PATH"));
    known.environment.extend(path);
    match asked {
        None => Check::LoginShell.remark(match other {
            Some(user) => format!("not asked: only that of {} counts", user.name),
            None => "not asked: TELECODER_LOGIN_ENV is false".to_owned(),
        }),
        Some(Ok(added)) => {
            let shell = name(&added.shell);
            let found = match (added.folders, added.variables.len()) {
                (0, 0) => format!("{shell} has nothing that the service lacks"),
                (folders, variables) => format!(
                    "{shell} added {} to PATH and {}",
                    counted(folders, "folder", "folders"),
                    counted(variables, "variable", "variables")
                ),
            };
            for (name, value) in added.variables {
                known.environment.entry(name).or_insert(value);
            }
            Check::LoginShell.good(found)
        }
        Some(Err(why @ NoAnswer::LetsNobodyIn(_))) => Check::LoginShell.remark(why.to_string()),
        Some(Err(why)) => Check::LoginShell.warning(
            format!("{why}, so claude, git and the checks have only the PATH of the service"),
            "Try $SHELL -l -i -c env as the bot's user; TELECODER_LOGIN_ENV=false asks no shell",
        ),
    }
}

/// The environment of the bot's process; without one this process's, with the PATH of the bot's unit.
fn of_the_service(
    known: &Known,
    manager: &Manager,
    bot: Option<u32>,
) -> BTreeMap<OsString, OsString> {
    let bot = bot.filter(|pid| process::is_telecoder(*pid));
    let of_bot = bot.and_then(|pid| std::fs::read(format!("/proc/{pid}/environ")).ok());
    if let Some(of_bot) = of_bot {
        let mut environment = variables(&of_bot);
        environment.retain(|name, _| !is_ours(name));
        return environment;
    }
    let mut environment = known.environment.clone();
    let of_unit = manager.unit().and_then(|unit| unit.path());
    environment.extend(of_unit.map(|path| (OsString::from("PATH"), OsString::from(path))));
    environment
}
