//! `telecoder service` on a machine whose systemd records what it is asked.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::{Machine, copy_of_telecoder, processes};

/// What the stand-in of systemd says of a unit that runs as this process.
fn running_as(process: u32) -> String {
    format!(
        "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID={process}\nNRestarts=2\n\
         ActiveEnterTimestamp=Tue 2026-11-24 08:00:00 UTC\nResult=success\nExecMainStatus=0\n\
         StatusText=version 9.8.7, taking messages\n"
    )
}

const STOPPED: &str =
    "LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=enabled\nMainPID=0\n";
const NOT_THERE: &str =
    "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nMainPID=0\n";

/// A machine with a systemd that answers `show` with these lines.
fn with_systemd(shown: &str) -> Machine {
    let mut machine = Machine::new();
    let folder = machine.folder.path().to_owned();
    std::fs::create_dir_all(folder.join("root/run/systemd/system")).expect("systemd runs");
    std::fs::create_dir(folder.join("programs")).expect("a folder");
    let calls = folder.join("calls");
    for name in ["systemctl", "journalctl", "loginctl"] {
        machine.script(
            &format!("programs/{name}"),
            &format!(
                "echo \"{name} $*\" >> '{}'\n\
                 case \"$*\" in *' show '*|'show '*) cat '{}'; exit;; *show-user*) echo Linger=no;; esac\n\
                 if [ -e '{}' ]; then cat '{}' >&2; exit 1; fi",
                calls.display(),
                folder.join("shown").display(),
                folder.join("refusal").display(),
                folder.join("refusal").display(),
            ),
        );
    }
    let path = format!(
        "{}:{}",
        folder.join("programs").display(),
        machine.environment["PATH"]
    );
    machine.environment.insert("PATH".into(), path);
    set_shown(&machine, shown);
    machine
}

fn set_shown(machine: &Machine, shown: &str) {
    std::fs::write(machine.folder.path().join("shown"), shown).expect("what is shown");
}

/// From now on systemctl changes nothing, and says this.
fn refuse(machine: &Machine, words: &str) {
    std::fs::write(machine.folder.path().join("refusal"), words).expect("a refusal");
}

fn service(machine: &Machine, arguments: &[&str]) -> Output {
    let root = machine.folder.path().join("root");
    let mut command: Command = machine.telecoder(&["service"]);
    command.args(arguments).arg("--root").arg(root);
    command.output().expect("telecoder starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr)
}

/// What the stand-ins were asked since the last look.
fn calls(machine: &Machine) -> Vec<String> {
    let file = machine.folder.path().join("calls");
    let calls = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(file);
    calls
        .lines()
        .filter(|call| !call.contains(" show "))
        .map(str::to_owned)
        .collect()
}

fn user_unit(machine: &Machine) -> PathBuf {
    PathBuf::from(&machine.environment["HOME"]).join(".config/systemd/user/telecoder.service")
}

#[test]
fn an_ordinary_user_installs_a_service_of_their_own_and_a_second_time_changes_nothing() {
    let machine = with_systemd(NOT_THERE);
    let output = service(&machine, &["install", "--user"]);
    assert!(output.status.success(), "{}", said(&output));
    let unit = std::fs::read_to_string(user_unit(&machine)).expect("the unit");
    assert!(unit.contains("KillMode=process"), "{unit}");
    assert_eq!(
        calls(&machine)[..3],
        [
            "systemctl --user daemon-reload",
            "systemctl --user enable telecoder.service",
            "systemctl --user start telecoder.service",
        ]
    );
    assert!(
        said(&output).contains("sudo loginctl enable-linger "),
        "{}",
        said(&output)
    );
    set_shown(&machine, &running_as(1));
    let again = service(&machine, &["install", "--user"]);
    assert!(said(&again).contains("is unchanged."), "{}", said(&again));
    assert!(said(&again).contains("running already"), "{}", said(&again));
    let asked = calls(&machine);
    assert!(
        asked
            .iter()
            .all(|call| call.starts_with("loginctl show-user")),
        "{asked:?}"
    );
}

#[test]
fn a_unit_that_has_changed_is_taken_up_at_once_by_a_running_service() {
    let machine = with_systemd(&running_as(1));
    std::fs::create_dir_all(user_unit(&machine).parent().expect("a folder")).expect("a folder");
    std::fs::write(user_unit(&machine), "[Service]\nExecStart=/old\n").expect("an old unit");
    let output = service(&machine, &["install", "--user"]);
    assert!(said(&output).contains("was restarted"), "{}", said(&output));
    assert_eq!(
        calls(&machine)[..2],
        [
            "systemctl --user daemon-reload",
            "systemctl --user restart telecoder.service",
        ]
    );
}

#[test]
fn a_service_of_the_machine_is_for_a_user_that_is_there() {
    let machine = with_systemd(NOT_THERE);
    let output = service(
        &machine,
        &["install", "--system", "--run-as", "no-such-user"],
    );
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("there is no user no-such-user on this machine. Nothing was changed"),
        "{said}"
    );
    assert!(said.contains("useradd"), "{said}");
    assert!(calls(&machine).is_empty());
}

#[test]
fn a_service_of_the_machine_is_changed_by_root_alone() {
    let machine = with_systemd(NOT_THERE);
    let output = service(
        &machine,
        &["install", "--system", "--run-as", "daemon", "--no-start"],
    );
    let unit = machine
        .folder
        .path()
        .join("root/etc/systemd/system/telecoder.service");
    if !rustix::process::geteuid().is_root() {
        assert!(
            said(&output).contains("sudo telecoder service install"),
            "{}",
            said(&output)
        );
        assert!(!unit.exists());
        return;
    }
    assert!(output.status.success(), "{}", said(&output));
    assert!(unit.is_file());
    assert!(
        said(&output).contains("It is not started yet"),
        "{}",
        said(&output)
    );
    assert_eq!(
        calls(&machine),
        [
            "systemctl daemon-reload",
            "systemctl enable telecoder.service"
        ]
    );
}

#[test]
fn who_runs_the_machines_service_already_does_not_get_a_second_one() {
    let machine = with_systemd(NOT_THERE);
    let units = machine.folder.path().join("root/etc/systemd/system");
    std::fs::create_dir_all(&units).expect("a folder");
    let id = Command::new("id").arg("-un").output().expect("a name");
    let name = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let unit = format!("[Service]\nUser={name}\n");
    std::fs::write(units.join("telecoder.service"), unit).expect("the unit");
    let output = service(&machine, &["install", "--user"]);
    assert!(
        said(&output).contains("a service of the whole machine here already"),
        "{}",
        said(&output)
    );
    assert!(!user_unit(&machine).exists());
    assert!(calls(&machine).is_empty());
}

#[test]
fn a_stop_says_how_many_runs_go_on() {
    let machine = with_systemd(NOT_THERE);
    service(&machine, &["install", "--user"]);
    let output = service(&machine, &["stop", "--user"]);
    assert_eq!(
        said(&output),
        "telecoder is stopped. No run was going on.\n"
    );
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.until("the run has its keeper", || {
        (processes::keepers_of(machine.folder.path()).len() == 1).then_some(())
    });
    calls(&machine);
    let output = service(&machine, &["stop", "--user"]);
    assert!(
        said(&output).contains("1 run continues without it"),
        "{}",
        said(&output)
    );
    assert_eq!(calls(&machine), ["systemctl --user stop telecoder.service"]);
}

#[test]
fn the_status_is_said_in_plain_words() {
    let machine = with_systemd(&running_as(1));
    let output = service(&machine, &["status", "--user"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        said(&output),
        "telecoder is running since Tue 2026-11-24 08:00:00 UTC, process 1, version 9.8.7, started again 2 times by \
         systemd.\nIt starts when you log in, or with the machine if you linger.\n"
    );
    set_shown(&machine, STOPPED);
    let output = service(&machine, &["status", "--user"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("`telecoder service start` starts it"),
        "{}",
        said(&output)
    );
    assert!(
        said(&output).ends_with("telecoder: the bot does not run as a service\n"),
        "{}",
        said(&output)
    );
    set_shown(
        &machine,
        "LoadState=loaded\nActiveState=failed\nSubState=failed\nUnitFileState=disabled\nMainPID=0\nResult=exit-code\n\
         ExecMainStatus=2\n",
    );
    let output = service(&machine, &["status", "--user"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("a setting is wrong"),
        "{}",
        said(&output)
    );
    assert!(
        said(&output).contains("It does not start by itself"),
        "{}",
        said(&output)
    );
    set_shown(&machine, NOT_THERE);
    let output = service(&machine, &["status", "--user"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("not installed as a service"),
        "{}",
        said(&output)
    );
}

#[test]
fn what_claims_to_be_a_version_and_is_none_is_not_shown() {
    let shown = running_as(1).replace("9.8.7", "1\u{1b}[2J");
    let machine = with_systemd(&shown);
    let output = service(&machine, &["status", "--user"]);
    assert!(!said(&output).contains("version"), "{}", said(&output));
}

#[test]
fn the_status_tells_that_the_program_was_replaced_under_a_running_bot() {
    let machine = with_systemd(&running_as(1));
    let program = machine.folder.path().join("telecoder");
    copy_of_telecoder(&program);
    let mut command = Command::new(&program);
    command
        .arg("serve")
        .env_clear()
        .envs(&machine.environment)
        .current_dir(machine.folder.path());
    let polls = machine.api.polls();
    let bot = machine.start_as(command);
    machine.until("it polls", || (machine.api.polls() > polls).then_some(()));
    set_shown(&machine, &running_as(bot.process.id()));
    let before = said(&service(&machine, &["status", "--user"]));
    assert!(!before.contains("Another version"), "{before}");
    std::fs::remove_file(&program).expect("it can be replaced");
    let after = said(&service(&machine, &["status", "--user"]));
    assert!(
        after.contains("Another version has been put in its place"),
        "{after}"
    );
}

#[test]
fn the_log_is_the_journals() {
    let machine = with_systemd(&running_as(1));
    service(&machine, &["logs", "--user", "-f", "-n", "7"]);
    service(&machine, &["logs", "--system"]);
    assert_eq!(
        calls(&machine),
        [
            "journalctl --user-unit=telecoder.service --lines=7 --follow",
            "journalctl --unit=telecoder.service --lines=100",
        ]
    );
}

#[test]
fn removing_the_service_keeps_data_and_settings_and_says_where_they_are() {
    let machine = with_systemd(NOT_THERE);
    service(&machine, &["install", "--user"]);
    calls(&machine);
    let output = service(&machine, &["uninstall", "--user"]);
    let told = said(&output);
    assert!(
        told.contains(&format!("Kept: the data in {}.", machine.data().display())),
        "{told}"
    );
    assert!(!user_unit(&machine).exists());
    assert_eq!(
        calls(&machine),
        [
            "systemctl --user disable --now telecoder.service",
            "systemctl --user daemon-reload",
        ]
    );
    let again = service(&machine, &["uninstall", "--user"]);
    assert!(again.status.success());
    assert!(
        said(&again).contains("nothing was done"),
        "{}",
        said(&again)
    );
    let start = service(&machine, &["start", "--user"]);
    assert_eq!(start.status.code(), Some(1));
    assert!(
        said(&start).contains("Try: telecoder service install"),
        "{}",
        said(&start)
    );
}

#[test]
fn a_bot_that_does_not_start_is_told_with_its_reason_and_what_to_do() {
    let machine = with_systemd(NOT_THERE);
    service(&machine, &["install", "--user"]);
    refuse(
        &machine,
        "Job for telecoder.service failed.\nSee somewhere.",
    );
    set_shown(
        &machine,
        "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=2\n",
    );
    for command in ["start", "restart"] {
        let output = service(&machine, &[command, "--user"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            said(&output),
            "telecoder: the bot did not start: a setting is wrong, or Telegram refused the token (exit code 2). \
             `telecoder service logs` says more; `telecoder init`, as the user of the service, asks for the settings\n"
        );
    }
}

#[test]
fn a_refusal_of_systemd_itself_is_told_in_its_words_with_a_remedy() {
    let machine = with_systemd(NOT_THERE);
    service(&machine, &["install", "--user"]);
    refuse(&machine, "Failed to connect to bus: No medium found");
    let output = service(&machine, &["start", "--user"]);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(
        told.contains("No medium found. Log in as this user"),
        "{told}"
    );
}

#[test]
fn without_systemd_a_person_is_told_how_to_start_it() {
    let machine = with_systemd(NOT_THERE);
    std::fs::remove_dir_all(machine.folder.path().join("root/run")).expect("no systemd");
    for command in [
        "install",
        "start",
        "stop",
        "restart",
        "status",
        "logs",
        "uninstall",
    ] {
        let output = service(&machine, &[command, "--user"]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(
            said(&output).contains("systemd does not run this machine"),
            "{}",
            said(&output)
        );
    }
    assert!(calls(&machine).is_empty());
    assert!(!user_unit(&machine).exists());
}
