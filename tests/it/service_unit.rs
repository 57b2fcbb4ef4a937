//! The unit that systemd gets: what the promises need is in it, and systemd understands it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Machine, copy_of_telecoder, without_program};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// The unit as this machine would get it.
fn unit(machine: &Machine, arguments: &[&str]) -> String {
    let output = machine
        .telecoder(&[&["service", "install", "--dry-run"], arguments].concat())
        .output()
        .expect("telecoder starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

fn system_unit(machine: &Machine) -> String {
    unit(machine, &["--system", "--run-as", "daemon"])
}

/// The lines that are no comments.
fn settings(unit: &str) -> Vec<&str> {
    unit.lines()
        .filter(|line| !line.starts_with('#') && line.contains('='))
        .collect()
}

/// What systemd complains about; nothing where there is no `systemd-analyze`.
fn complaints(machine: &Machine, arguments: &[&str], unit: &str, drop_in: Option<&Path>) -> String {
    let folder = machine.folder.path().join("units");
    let drop_ins = folder.join("telecoder.service.d");
    std::fs::create_dir_all(&drop_ins).expect("a folder");
    let file = folder.join("telecoder.service");
    std::fs::write(&file, unit).expect("the unit");
    if let Some(drop_in) = drop_in {
        std::fs::copy(drop_in, drop_ins.join("drop-in.conf")).expect("the drop-in");
    }
    let asked = Command::new("systemd-analyze")
        .args(arguments)
        .args(["verify", "--man=no"])
        .arg(&file)
        .env("XDG_RUNTIME_DIR", machine.folder.path())
        .stdin(Stdio::null())
        .output();
    let Ok(output) = asked else {
        without_program("systemd-analyze", "whether systemd understands the unit");
        return String::new();
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // The other units of the machine are its own business.
    said.lines()
        .filter(|line| line.contains("telecoder"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn runs_outlive_a_restart_of_the_service_and_a_run_without_memory_ends_alone() {
    let machine = Machine::new();
    for unit in [
        std::fs::read_to_string(deploy("telecoder.service")).expect("the unit"),
        system_unit(&machine),
        unit(&machine, &["--user"]),
    ] {
        let settings = settings(&unit);
        for needed in [
            "Type=notify",
            "NotifyAccess=main",
            "WatchdogSec=60",
            "KillMode=process",
            "OOMPolicy=continue",
            "Restart=always",
            "RestartPreventExitStatus=2",
            "MemoryMax=85%",
        ] {
            assert!(settings.contains(&needed), "{needed} is not in:\n{unit}");
        }
        for harmful in [
            "PrivateTmp",
            "RemoveIPC",
            "ProtectHome",
            "MemoryDenyWriteExecute",
            "MemoryHigh",
            "PrivateDevices",
            "ProtectProc",
            "RestrictNamespaces",
            "DynamicUser",
        ] {
            assert!(
                !settings.iter().any(|line| line.starts_with(harmful)),
                "{harmful} is in:\n{unit}"
            );
        }
    }
}

#[test]
fn the_service_of_the_machine_runs_this_program_as_the_user_that_was_named() {
    let machine = Machine::new();
    let unit = system_unit(&machine);
    let settings = settings(&unit);
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_telecoder")).expect("the program");
    let start = format!("ExecStart={} serve", program.display());
    assert!(settings.contains(&start.as_str()), "{unit}");
    assert!(settings.contains(&"User=daemon"), "{unit}");
    assert!(!unit.contains("Group=telecoder"), "{unit}");
    assert!(!unit.contains("/home/telecoder"), "{unit}");
    for needed in [
        "NoNewPrivileges=yes",
        "StateDirectoryMode=0700",
        "WantedBy=multi-user.target",
    ] {
        assert!(settings.contains(&needed), "{needed} is not in:\n{unit}");
    }
}

#[test]
fn the_service_of_one_user_has_only_what_a_users_systemd_can_do() {
    let machine = Machine::new();
    let unit = unit(&machine, &["--user"]);
    let settings = settings(&unit);
    for harmful in [
        "User=",
        "Group=",
        "StateDirectory",
        "Capability",
        "Protect",
        "After=",
    ] {
        assert!(
            !settings.iter().any(|line| line.starts_with(harmful)),
            "{harmful} is in:\n{unit}"
        );
    }
    assert!(settings.contains(&"WantedBy=default.target"), "{unit}");
    let home = machine.environment["HOME"].clone();
    assert!(unit.contains(&format!("PATH={home}/.local/bin:")), "{unit}");
}

/// The unit of a user whose telecoder is in a folder with this name; what was said where there is none.
fn unit_of_a_copy_in(machine: &Machine, folder: &str) -> Result<String, String> {
    let folder = machine.folder.path().join(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("telecoder");
    copy_of_telecoder(&program);
    let output = Command::new(&program)
        .args(["service", "install", "--dry-run", "--user"])
        .env_clear()
        .envs(&machine.environment)
        .output()
        .expect("it starts");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("text")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn a_program_in_a_folder_with_blanks_and_signs_is_started_all_the_same() {
    let machine = Machine::new();
    let unit = unit_of_a_copy_in(&machine, "my 100% $HOME").expect("a unit");
    assert!(unit.contains("/my 100%% $HOME/telecoder\" serve"), "{unit}");
    assert_eq!(complaints(&machine, &["--user"], &unit, None), "");
    let told = unit_of_a_copy_in(&machine, "my \"best\"").expect_err("systemd takes no quotes");
    assert!(
        told.contains("systemd starts no program whose path has quotes"),
        "{told}"
    );
}

#[test]
fn a_program_in_the_home_of_a_user_with_a_name_like_the_units_is_the_one_that_is_started() {
    let machine = Machine::new();
    let unit = unit_of_a_copy_in(&machine, "home/telecoder2").expect("a unit");
    let program = machine.folder.path().join("home/telecoder2/telecoder");
    let program = std::fs::canonicalize(program).expect("the copy");
    let settings = settings(&unit);
    let start = format!("ExecStart={} serve", program.display());
    assert!(settings.contains(&start.as_str()), "{unit}");
    let home = &machine.environment["HOME"];
    assert!(unit.contains(&format!("PATH={home}/.local/bin:")), "{unit}");
}

#[test]
fn systemd_has_nothing_to_complain_about() {
    let machine = Machine::new();
    let unit_of_the_machine = system_unit(&machine);
    assert_eq!(complaints(&machine, &[], &unit_of_the_machine, None), "");
    let sudo = deploy("allow-sudo.conf");
    assert_eq!(
        complaints(&machine, &[], &unit_of_the_machine, Some(&sudo)),
        ""
    );
    let other = Machine::new();
    let unit_of_a_user = unit(&other, &["--user"]);
    assert_eq!(complaints(&other, &["--user"], &unit_of_a_user, None), "");
}

#[test]
fn the_drop_in_for_sudo_takes_back_everything_that_forbids_it() {
    let unit = std::fs::read_to_string(deploy("telecoder.service")).expect("the unit");
    let drop_in = std::fs::read_to_string(deploy("allow-sudo.conf")).expect("the drop-in");
    let taken_back: Vec<&str> = settings(&drop_in)
        .into_iter()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    let forbids = [
        "NoNewPrivileges",
        "Capability",
        "Protect",
        "Restrict",
        "SystemCall",
    ];
    let harmless = ["SystemCallErrorNumber", "RestartPreventExitStatus"];
    for name in settings(&unit)
        .into_iter()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .filter(|name| forbids.iter().any(|start| name.starts_with(start)))
        .filter(|name| !harmless.contains(name))
    {
        assert!(taken_back.contains(&name), "{name} stays");
    }
}
