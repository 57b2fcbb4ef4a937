//! The unit file: the one in `deploy/`, with the program, the user and the home of this machine. Pure.

use std::path::Path;

use crate::systemd::Scope;

/// The source of every unit; `deploy/README.md` explains it.
const TEMPLATE: &str = include_str!("../../../deploy/telecoder.service");
/// The template's values that are replaced.
const PROGRAM: &str = "/usr/local/bin/telecoder";
const HOME: &str = "/home/telecoder";
const USER: &str = "telecoder";
/// Above it: lines for every service. Below it, up to the next section: lines that only root's systemd can use.
const ONLY_SYSTEM: &str = "# -- from here on: only as a service of the whole machine --";

/// The text of the unit that runs `program` as `user`.
pub(super) fn text(scope: Scope, program: &Path, user: &str, home: &Path) -> String {
    // First, so that values filled in later stay unchanged: the program may be below a folder of this name.
    let template = TEMPLATE.replace(HOME, &home.display().to_string().replace('%', "%%"));
    let (everywhere, rest) = template
        .split_once(ONLY_SYSTEM)
        .expect("the template has this line");
    let (only_system, install) = rest
        .split_once("[Install]")
        .expect("the template has this section");
    let filled = match scope {
        Scope::System => format!(
            "{everywhere}{}[Install]{install}",
            as_user(only_system, user)
        ),
        Scope::User => format!("{}[Install]{install}", of_a_user(everywhere))
            .replace("WantedBy=multi-user.target", "WantedBy=default.target"),
    };
    filled.replace(
        &format!("ExecStart={PROGRAM} "),
        &format!("ExecStart={} ", path(program)),
    )
}

fn as_user(only_system: &str, user: &str) -> String {
    only_system
        .replace(&format!("User={USER}\n"), &format!("User={user}\n"))
        // Without the line it is the user's own group.
        .replace(
            &format!("Group={USER}\n"),
            &match user {
                USER => format!("Group={USER}\n"),
                _ => String::new(),
            },
        )
}

/// Leaves out the head, which is about the machine's service, and the network, which a user's systemd does not know.
fn of_a_user(everywhere: &str) -> String {
    let unit = everywhere
        .find("[Unit]")
        .expect("the template has this section");
    let kept: Vec<&str> = everywhere[unit..]
        .lines()
        .filter(|line| !line.starts_with("After=") && !line.starts_with("# Not network-online"))
        .collect();
    format!(
        "# telecoder as a service of this user, written by `telecoder service install`.\n\
         # To change something, use a drop-in: systemctl --user edit telecoder\n\n{}\n\n",
        kept.join("\n").trim_end()
    )
}

/// A program's path in a unit. Format: systemd.service(5), "Command lines".
fn path(program: &Path) -> String {
    let escaped = program.display().to_string().replace('%', "%%");
    match escaped.contains(char::is_whitespace) {
        true => format!("\"{escaped}\""),
        false => escaped,
    }
}

/// systemd starts no program whose path has one of these in it, however it is written.
pub(super) fn can_be_started(program: &Path) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '"' | '\'' | '\\');
    program
        .to_str()
        .is_some_and(|path| !path.contains(forbidden))
}
