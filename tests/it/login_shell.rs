//! The login shell: claude, git and the checks get what a person's shell has, and no shell can hold the bot up.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Bot, Machine, fake_claude, processes, without_program};

/// What a person's shell has on its PATH, and the bot does not.
fn tools(machine: &Machine) -> PathBuf {
    let tools = machine.folder.path().join("tools");
    std::fs::create_dir(&tools).expect("a folder");
    symlink(fake_claude(), tools.join("my-claude")).expect("a claude");
    machine.script("tools/only-here", "echo \"only-here: $GREETING\"");
    tools
}

/// A machine whose login shell is this script, and whose claude only that shell finds.
fn machine_with_shell(lines: &str) -> Machine {
    let machine = Machine::cold();
    tools(&machine);
    let shell = machine.script("my-shell", lines);
    machine
        .with("SHELL", shell.display().to_string())
        .with("TELECODER_RUNTIME", "my-claude")
        .with("TELECODER_LOGIN_ENV", "true")
}

/// What such a shell does when it is asked: it obeys its command, `-l -i -c COMMAND`.
fn obeying(machine: &Machine) -> String {
    let folder = machine.folder.path().display();
    format!(
        "export PATH={folder}/tools:$PATH GREETING=hello\n[ \"$1 $2 $3\" = '-l -i -c' ] && eval \"$4\""
    )
}

fn line_of_doctor(machine: &Machine) -> (String, String) {
    let output = machine.telecoder(&["doctor", "--json"]).output();
    let output = output.expect("telecoder starts").stdout;
    let report: Value = serde_json::from_slice(&output).expect("JSON");
    let checks = report["checks"].as_array().expect("a list");
    let line = checks.iter().find(|it| it["check"] == "login_shell");
    let text = |field: &str| {
        line.expect("a line")[field]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    (text("mark"), text("found"))
}

/// Waits until no process of the shell is left.
fn until_nobody_is_left(machine: &Machine) {
    let home = PathBuf::from(&machine.environment["HOME"]);
    machine.until("no process of the shell is left", || {
        processes::with_variable("TELECODER_RUN=", &home)
            .is_empty()
            .then_some(())
    });
}

/// The bot works on with what it has, and says why.
fn works_on_without(machine: Machine, why: &str) -> (Machine, Bot) {
    let machine = machine.with("TELECODER_RUNTIME", fake_claude().display().to_string());
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let log = bot.log();
    assert!(log.contains(why), "{log}");
    until_nobody_is_left(&machine);
    (machine, bot)
}

#[test]
fn claude_and_the_checks_find_what_only_the_login_shell_has_on_its_path() {
    let machine = machine_with_shell("");
    let obeying = obeying(&machine);
    machine.script(
        "my-shell",
        &format!(
            "echo 'Welcome! X=1'; printf 'no line'; echo oops >&2\n\
             export HOME=/elsewhere TELECODER_MODEL=opus TERM=dumb WITH_LINES='one\ntwo=three'\n{obeying}\necho bye"
        ),
    );
    let (mark, found) = line_of_doctor(&machine);
    assert_eq!(mark, "good", "{found}");
    assert_eq!(found, "my-shell added 1 folder to PATH and 2 variables");
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/checks test=only-here");
    machine.message_with("only-here");
    machine.ada_says("[[bash: only-here > seen.txt]] [[env]]");
    let shown = machine.message_with("PATH=").text;
    let home = format!("HOME={}\n", machine.environment["HOME"]);
    for part in ["GREETING=hello\n", "WITH_LINES=one\ntwo=three\n", &home] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for none in ["TELECODER_MODEL", "TERM=", "SHLVL="] {
        assert!(!shown.contains(none), "{none} in {shown}");
    }
    machine.message_with("✓ Tests");
    machine.until_quiet();
    let log = bot.log();
    assert!(log.contains("get what the login shell has"), "{log}");
    assert!(log.contains("folders_of_path=1 variables=2"), "{log}");
    until_nobody_is_left(&machine);
}

#[test]
fn a_secret_that_the_shell_brings_is_in_no_message_and_in_no_log_line() {
    let machine = machine_with_shell("");
    let obeying = obeying(&machine);
    let secret = "correct-horse-9";
    machine.script(
        "my-shell",
        &format!("export DEPLOY_PASSWORD={secret}\n{obeying}"),
    );
    let machine = machine.with("RUST_LOG", "debug");
    let bot = machine.start();
    machine.ada_says(&format!("[[say: it is {secret}]] [[env]]"));
    machine.message_with("DEPLOY_PASSWORD=[redacted: DEPLOY_PASSWORD]");
    machine.until_quiet();
    for message in machine.bot_messages() {
        assert!(!message.text.contains(secret), "{}", message.text);
    }
    assert!(!bot.log().contains(secret), "{}", bot.log());
}

#[test]
fn a_settings_file_wins_over_the_shell() {
    let machine = machine_with_shell("");
    let obeying = obeying(&machine);
    machine.script("my-shell", &obeying);
    let path = machine.environment["PATH"].clone();
    std::fs::write(
        machine.folder.path().join(".env"),
        format!("GREETING=servus\nPATH={path}\n"),
    )
    .expect("a file");
    let machine = machine.with("TELECODER_RUNTIME", fake_claude().display().to_string());
    let _bot = machine.start();
    machine.ada_says("[[env]]");
    let shown = machine.message_with("GREETING=").text;
    assert!(shown.contains("GREETING=servus\n"), "{shown}");
    assert!(shown.contains(&format!("PATH={path}\n")), "{shown}");
}

#[test]
fn a_shell_that_hangs_holds_up_runs_for_ten_seconds_and_messages_not_at_all() {
    let machine = machine_with_shell("trap '' TERM HUP; cat; while :; do sleep 1000; done")
        .with("TELECODER_RUNTIME", fake_claude().display().to_string());
    let begun = Instant::now();
    let bot = machine.start();
    machine.ada_says("/status");
    machine.message_with("Running: nothing");
    assert!(begun.elapsed() < Duration::from_secs(9));
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let log = bot.log();
    assert!(
        log.contains("did not show its environment within 10 s"),
        "{log}"
    );
    until_nobody_is_left(&machine);
}

#[test]
fn a_bot_that_is_stopped_while_the_shell_hangs_leaves_no_process() {
    let machine = machine_with_shell("trap '' TERM HUP; while :; do sleep 1000; done");
    let home = PathBuf::from(&machine.environment["HOME"]);
    let bot = machine.start();
    machine.until("the shell runs", || {
        let sleeps = processes::with_variable("TELECODER_RUN=", &home);
        (sleeps.len() > 1).then_some(())
    });
    let begun = Instant::now();
    assert!(bot.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(5));
    until_nobody_is_left(&machine);
}

#[test]
fn a_shell_that_fails_is_told_with_the_reason_and_nothing_else_changes() {
    let ends = machine_with_shell("echo no; exit 1");
    works_on_without(
        ends,
        "ended (exit code 1) before it had shown its environment",
    );
    let killed = machine_with_shell("kill -9 $$");
    works_on_without(killed, "ended (a signal ended it) before");
    let noisy = machine_with_shell("yes");
    works_on_without(noisy, "wrote more than 4 MB instead of its environment");
    let missing = machine_with_shell("").with("SHELL", "/no/such/shell");
    works_on_without(missing, "/no/such/shell could not be started (No such file");
    let nobody = machine_with_shell("").with("SHELL", "/usr/sbin/nologin");
    let (machine, bot) = works_on_without(nobody, "which lets nobody in");
    assert!(!bot.log().contains("WARN"), "{}", bot.log());
    let (mark, found) = line_of_doctor(&machine);
    assert_eq!(mark, "remark");
    assert!(
        found.contains("the login shell is /usr/sbin/nologin, which lets nobody in"),
        "{found}"
    );
}

#[test]
fn doctor_says_why_the_shell_did_not_help() {
    let machine = machine_with_shell("exit 3");
    let (mark, found) = line_of_doctor(&machine);
    assert_eq!(mark, "warning");
    assert!(found.contains("ended (exit code 3)"), "{found}");
    let machine = machine.with("TELECODER_LOGIN_ENV", "false");
    let (mark, found) = line_of_doctor(&machine);
    assert_eq!(
        (mark.as_str(), found.as_str()),
        ("remark", "not asked: TELECODER_LOGIN_ENV is false")
    );
}

#[test]
fn what_the_startup_files_leave_running_is_ended() {
    let machine = machine_with_shell("");
    let obeying = obeying(&machine);
    let pid = machine.folder.path().join("pid");
    machine.script(
        "my-shell",
        &format!(
            "setsid sh -c 'echo $$ > {pid}; trap \"\" HUP; while :; do sleep 1000; done' &\n\
             while ! [ -s {pid} ]; do :; done\n{obeying}",
            pid = pid.display()
        ),
    );
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    until_nobody_is_left(&machine);
    let left = std::fs::read_to_string(pid).expect("it ran");
    assert!(!processes::is_alive(left.trim().parse().expect("a number")));
}

#[test]
fn bash_zsh_fish_and_others_are_understood() {
    let shells = [
        (
            "bash",
            ".bash_profile",
            "export PATH=TOOLS:$PATH GREETING=hello",
        ),
        ("zsh", ".zshrc", "export PATH=TOOLS:$PATH GREETING=hello"),
        (
            "fish",
            ".config/fish/config.fish",
            "if status is-interactive; set -gx PATH TOOLS $PATH; set -gx GREETING hello; end",
        ),
        ("dash", ".profile", "export PATH=TOOLS:$PATH GREETING=hello"),
        (
            "tcsh",
            ".tcshrc",
            "setenv PATH TOOLS:$PATH; setenv GREETING hello",
        ),
    ];
    for (name, file, lines) in shells {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {name}")])
            .output();
        let found = String::from_utf8(found.expect("sh").stdout).expect("text");
        if found.is_empty() {
            without_program(name, &format!("whether {name} tells its environment"));
            continue;
        }
        let machine = machine_with_shell("").with("SHELL", found.trim());
        let file = Path::new(&machine.environment["HOME"]).join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        let tools = machine.folder.path().join("tools");
        let lines = lines.replace("TOOLS", &tools.display().to_string());
        std::fs::write(file, format!("echo Welcome\n{lines}\n")).expect("a startup file");
        let _bot = machine.start();
        machine.ada_says("[[bash: only-here > seen.txt]] [[env]]");
        let shown = machine.message_with("GREETING=").text;
        assert!(shown.contains("GREETING=hello\n"), "{name}: {shown}");
        until_nobody_is_left(&machine);
    }
}
