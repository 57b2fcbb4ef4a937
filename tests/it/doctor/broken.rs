//! Each thing that can be broken, one at a time, and all at once.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use jiff::SignedDuration;
use serde_json::Value;

use super::doctor;
use crate::support::{Machine, say_not_looked_at, without_program};

/// A change to a machine, and what is then found broken: check, part of what was found, part of the remedy.
type Case = (
    fn(Machine) -> Machine,
    &'static str,
    &'static str,
    &'static str,
);

const BROKEN: [Case; 18] = [
    (
        |machine| machine.without("TELEGRAM_BOT_TOKEN"),
        "settings",
        "TELEGRAM_BOT_TOKEN is missing",
        "@BotFather",
    ),
    (
        |machine| machine.with("TELEGRAM_BOT_TOKEN", "43:another-token"),
        "token",
        "Telegram does not take it",
        "/mybots",
    ),
    (
        |machine| machine.with("TELEGRAM_API_URL", "http://127.0.0.1:9"),
        "telegram",
        "Telegram cannot be reached",
        "Check this machine's network",
    ),
    (
        |machine| {
            machine.api.set_webhook("https://hook.example/secret/path");
            machine
        },
        "updates",
        "a webhook at hook.example, so telecoder gets none",
        "--delete-webhook",
    ),
    (
        |machine| machine.without("TELECODER_TG_ALLOWED_USERS"),
        "people",
        "nobody may use the bot",
        "telecoder init",
    ),
    (
        |machine| {
            let ahead = SignedDuration::from_secs(120);
            machine.api.set_clock_ahead(ahead);
            machine
        },
        "clock",
        "s behind Telegram's",
        "timedatectl set-ntp true",
    ),
    (
        |machine| {
            let file = own_settings(&machine);
            std::fs::write(&file, "MY_KEY=x\n").expect("a file");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))
                .expect("its rights");
            machine
        },
        "settings",
        "can be read by others, and a secret is in it (its rights are 644)",
        "chmod 600 ",
    ),
    (
        |machine| {
            let file = own_settings(&machine);
            std::fs::write(&file, "TELECODER_MODEL=opus\n").expect("a file");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o646))
                .expect("its rights");
            machine
        },
        "settings",
        "can be changed by others (its rights are 646)",
        "chmod go-w ",
    ),
    (
        |machine| {
            machine.start().terminate();
            let open = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(machine.data(), open).expect("its rights");
            machine
        },
        "data",
        "can be read by others (its rights",
        "chmod 700 ",
    ),
    (
        |machine| {
            std::fs::write(machine.data(), "a file").expect("a file");
            machine
        },
        "data",
        "is no folder",
        "TELECODER_DATA",
    ),
    (
        |machine| {
            machine.start().terminate();
            for beside in ["telecoder.db-wal", "telecoder.db-shm"] {
                std::fs::remove_file(machine.data().join(beside)).ok();
            }
            std::fs::write(machine.data().join("telecoder.db"), [b'x'; 9000]).expect("a file");
            machine
        },
        "database",
        "it cannot be used",
        "restore a backup",
    ),
    (
        |machine| {
            machine.start().terminate();
            let index = "UPDATE sqlite_schema SET sql = replace(sql, 'state = ''stored''', 'state = ''done''') \
                         WHERE name = 'updates_stored'";
            let db = machine.database();
            db.execute_batch(
                "INSERT INTO updates (update_id, raw, state, received_at) VALUES (9, '{}', 'done', 9)",
            )
            .expect("a row");
            db.execute_batch(&format!("PRAGMA writable_schema = ON; {index}"))
                .expect("a damage");
            machine
        },
        "database",
        "it is damaged: ",
        "restore a backup",
    ),
    (
        |machine| {
            machine.start().terminate();
            let newer = machine
                .database()
                .pragma_update(None, "user_version", 9_999);
            newer.expect("a version");
            machine
        },
        "database",
        "of a newer telecoder",
        "Install the newer telecoder",
    ),
    (
        |machine| machine.with("PATH", "/nowhere"),
        "git",
        "there is no git",
        "install git",
    ),
    (
        |machine| {
            std::fs::create_dir(machine.folder.path().join("old")).expect("a folder");
            machine.script("old/git", "echo git version 2.30.2");
            let path = machine.folder.path().join("old").display().to_string();
            machine.with("PATH", format!("{path}:/usr/bin:/bin"))
        },
        "git",
        "2.30.2 at ",
        "Install a newer git",
    ),
    (
        |machine| machine.with("TELECODER_RUNTIME", "no-such-claude"),
        "claude",
        "no-such-claude is not where telecoder looks for programs",
        "curl -fsSL https://claude.ai/install.sh | bash -s 2.1.332",
    ),
    (
        |machine| machine.with("FAKE_CLAUDE_LOGGED_OUT", "1"),
        "login",
        "claude is not logged in",
        "ANTHROPIC_API_KEY",
    ),
    (
        |machine| machine.with("TELECODER_PERMISSION_MODE", "yolo"),
        "permissions",
        "unknown to claude: yolo",
        "bypassPermissions",
    ),
];

#[test]
fn each_thing_that_is_broken_is_said_with_its_remedy() {
    std::thread::scope(|threads| {
        for (breaks, check, found, remedy) in BROKEN {
            threads.spawn(move || {
                let report = doctor(&breaks(Machine::new()));
                report.has(check, "broken", found, remedy);
                assert_eq!(report.code, Some(1));
            });
        }
    });
}

/// Where the person's own settings are.
fn own_settings(machine: &Machine) -> std::path::PathBuf {
    let folder = machine.folder.path().join("home/.config/telecoder");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join("telecoder.env")
}

#[test]
fn a_settings_file_without_a_secret_may_be_read_by_everybody() {
    let machine = Machine::new();
    let file = own_settings(&machine);
    std::fs::write(&file, "TELECODER_MODEL=opus\n").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its rights");
    doctor(&machine).has("settings", "good", &file.display().to_string(), "");
}

#[test]
fn a_disk_that_is_almost_full_is_seen() {
    let machine = Machine::new();
    std::fs::create_dir(machine.data()).expect("a folder");
    let mount = format!(
        "mount -t tmpfs -o size=24m,mode=700 none {}",
        machine.data().display()
    );
    let within = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg(format!("{mount} && {command}"))
            .env_clear()
            .envs(&machine.environment)
            .current_dir(machine.folder.path());
        unshare
    };
    // Some systems let only root have disks of their own.
    const NOT_SEEN: &str = "whether a disk that is almost full is seen";
    match within("true").status() {
        Ok(status) if status.success() => {}
        Ok(_) => return say_not_looked_at(NOT_SEEN, "this system allows no disk of one's own"),
        Err(_) => return without_program("unshare", NOT_SEEN),
    }
    let report = within(&format!("exec {} doctor", env!("CARGO_BIN_EXE_telecoder"))).output();
    let report = String::from_utf8(report.expect("it starts").stdout).expect("text");
    assert!(
        report.contains("✗ Disk         25 MB of 25 MB free"),
        "{report}"
    );
    assert!(report.contains("→ Make room: "), "{report}");
}

#[test]
fn where_everything_is_broken_every_check_still_has_its_line() {
    let machine = Machine::new();
    let nothing = machine
        .telecoder(&["doctor", "--json"])
        .env_clear()
        .env("XDG_CONFIG_HOME", "/nowhere")
        .output()
        .expect("it starts");
    assert_eq!(nothing.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&nothing.stdout).expect("JSON");
    let mut checks: Vec<&str> = json["checks"]
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|it| it["check"].as_str())
        .collect();
    checks.dedup();
    let all = [
        "settings",
        "telegram",
        "token",
        "updates",
        "people",
        "clock",
        "data",
        "space",
        "database",
        "login_shell",
        "git",
        "claude",
        "login",
        "permissions",
        "bot",
        "service",
        "log",
    ];
    assert_eq!(checks, all);
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
}
