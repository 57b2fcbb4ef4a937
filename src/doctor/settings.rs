//! The settings: every fault with its remedy, the files, who else can read those, and as which user they are read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::geteuid;

use super::Ground;
use super::report::{Check, Finding};

pub(super) fn look(ground: &Ground) -> Vec<Finding> {
    let mut findings = Vec::new();
    let known = &ground.known;
    // The permission mode has a line of its own.
    let of_permissions = known.permission_mode.as_ref().err();
    let of_permissions = of_permissions.filter(|fault| fault.setting.is_some());
    for fault in known
        .faults
        .iter()
        .filter(|fault| Some(*fault) != of_permissions)
    {
        findings.push(Check::Settings.broken(&fault.what, &fault.remedy));
    }
    for name in &known.unknown {
        findings.push(Check::Settings.warning(
            format!("{name} is no setting of telecoder and has no effect"),
            "Look for a mistyped name; .env.example has all settings",
        ));
    }
    for remark in ground.sources.remarks() {
        findings
            .push(Check::Settings.warning(remark, "Run telecoder config view to see what is used"));
    }
    findings.extend(
        ground
            .sources
            .files_found()
            .iter()
            .filter_map(|file| open_to_others(file, ground.sources.has_secret(file))),
    );
    if findings.is_empty() {
        findings.push(Check::Settings.good(where_from(ground)));
    }
    if let Some(file) = ground.sources.passed_over() {
        findings.push(Check::Settings.remark(format!(
            "{} was not read: only a bot that is started there reads it. Settings in \
             ~/.config/telecoder/telecoder.env count everywhere",
            file.display()
        )));
    }
    findings.extend(as_whom(ground));
    findings
}

fn where_from(ground: &Ground) -> String {
    let files: Vec<String> = ground
        .sources
        .files_found()
        .iter()
        .map(|file| match std::path::absolute(file) {
            Ok(file) => file.display().to_string(),
            Err(_) => file.display().to_string(),
        })
        .collect();
    match files.is_empty() {
        true => "from the environment; there is no settings file".to_owned(),
        false => format!("from the environment and {}", files.join(", ")),
    }
}

/// A user who can change a file decides what telecoder runs; one who can read it gets its secrets.
fn open_to_others(file: &Path, has_secret: bool) -> Option<Finding> {
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    // The group of a service's user may read what root wrote for it.
    let (what, chmod) = if mode & 0o007 != 0 && has_secret {
        ("can be read by others, and a secret is in it", "600")
    } else if mode & 0o022 != 0 {
        ("can be changed by others", "go-w")
    } else {
        return None;
    };
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    Some(Check::Settings.broken(
        format!("{} {what} (its rights are {mode:03o})", file.display()),
        format!("chmod {chmod} {}", file.display()),
    ))
}

/// Rights, claude's login and PATH depend on the user.
fn as_whom(ground: &Ground) -> Option<Finding> {
    let user = ground.manager.unit()?.other_user()?;
    let same = format!("sudo -u {} -H telecoder doctor", user.name);
    Some(match geteuid().is_root() {
        true => Check::User.remark(format!(
            "this is root, and the service runs as {}; \"{same}\" checks that user's rights",
            user.name
        )),
        false => Check::User.warning(
            format!(
                "the service runs as {}, who may have other settings, rights and logins than you",
                user.name
            ),
            same,
        ),
    })
}
