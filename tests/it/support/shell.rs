//! A shell on the machine: `telecoder session` while the bot runs.

use std::process::Stdio;

use serde_json::Value;

use super::Machine;

/// Runs telecoder to its end; returns its exit code and stdout.
pub fn shell(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String) {
    let output = machine
        .telecoder(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("telecoder starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// The newest session.
pub fn session_of(machine: &Machine) -> String {
    let (code, listed) = shell(machine, &["session", "list", "--json"]);
    assert_eq!(code, Some(0));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    listed[0]["session"].as_str().expect("a session").to_owned()
}

/// Makes a session in the shell; returns its name.
pub fn made(machine: &Machine, arguments: &[&str]) -> String {
    let arguments = [&["session", "create"], arguments].concat();
    let (code, name) = shell(machine, &arguments);
    assert_eq!(code, Some(0), "{name}");
    name.trim().to_owned()
}
