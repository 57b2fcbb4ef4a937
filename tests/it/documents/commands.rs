//! Every block of commands in the pages is run, in order, page by page, each page on a machine of its own.
//!
//! telecoder, git and the shell are real; the bot runs with the tests' Bot API and claude. Other programs of the
//! machine are stand-ins in `programs/`, which take only the words and options that they know, so that a typo fails.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::page::{Page, repository};
use crate::support::git::git;
use crate::support::{Machine, TOKEN, fake_claude, processes};

/// Programs that stand in for the machine's, wherever a page calls them.
const STAND_INS: [&str; 22] = [
    "sudo",
    "systemctl",
    "journalctl",
    "loginctl",
    "apt-get",
    "npm",
    "cargo",
    "cmake",
    "docker",
    "claude",
    "curl",
    "ssh",
    "ssh-copy-id",
    "ssh-keygen",
    "ssh-keyscan",
    "ufw",
    "timedatectl",
    "adduser",
    "usermod",
    "fallocate",
    "mkswap",
    "swapon",
];

/// And those that do so behind `sudo` only: elsewhere they stay in the page's own folder.
const STAND_INS_FOR_ROOT: [&str; 5] = ["bash", "tee", "chmod", "mv", "install"];

/// A machine on which a page is tried: its bot is at work and has answered once.
struct Tried {
    machine: Machine,
    session: String,
}

impl Tried {
    fn new() -> Tried {
        let mut machine = Machine::new().without("GIT_CONFIG_GLOBAL");
        let folder = machine.folder.path().to_owned();
        let home = folder.join("home");
        put_programs(&folder);
        std::fs::create_dir_all(folder.join("root/run/systemd/system")).expect("systemd runs");
        std::fs::create_dir(home.join("safe")).expect("a folder");
        check_out(&folder);
        let path = format!(
            "{}:{}",
            folder.join("programs").display(),
            machine.environment["PATH"]
        );
        let more = [
            ("PATH", path),
            (
                "TELECODER_DATA",
                home.join(".telecoder").display().to_string(),
            ),
            ("TRIED_ON", folder.display().to_string()),
            ("REPOSITORY", repository().display().to_string()),
        ];
        for (name, value) in more {
            machine.environment.insert(name.into(), value);
        }
        let mut tried = Tried {
            machine,
            session: String::new(),
        };
        tried
            .run("telecoder service install")
            .expect("the bot starts");
        tried.machine.ada_says("hello");
        tried.machine.message_with("You said: hello");
        tried.machine.until_quiet();
        let listed = tried.run("telecoder session list --json").expect("a list");
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        tried.session = listed[0]["session"].as_str().expect("a session").to_owned();
        tried
    }

    /// Runs a block as it stands, but for what a reader is to fill in; what it said.
    fn run(&self, block: &str) -> Result<String, String> {
        let checkout = self.checkout();
        std::fs::write(checkout.join("token-file"), format!("{TOKEN}\n")).expect("a file");
        let output = Command::new("bash")
            .args(["-e", "-u", "-o", "pipefail", "-c", &self.filled_in(block)])
            .env_clear()
            .envs(&self.machine.environment)
            .current_dir(checkout)
            .stdin(Stdio::null())
            .output()
            .expect("bash starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}\n{said}{errors}", output.status))
    }

    /// What a reader fills in, or has elsewhere.
    fn filled_in(&self, block: &str) -> String {
        let home = &self.machine.environment["HOME"];
        let host = self.machine.folder.path().join("host.git");
        [
            ("ADDRESS", host.display().to_string()),
            ("NAME", self.session.clone()),
            ("HOST", "server.example".into()),
            ("/somewhere/safe", format!("{home}/safe")),
            ("/var/lib/telecoder", format!("{home}/.telecoder")),
        ]
        .into_iter()
        .fold(block.to_owned(), |block, (placeholder, value)| {
            block.replace(placeholder, &value)
        })
    }

    fn checkout(&self) -> PathBuf {
        self.machine.folder.path().join("checkout")
    }
}

impl Drop for Tried {
    fn drop(&mut self) {
        let id = std::fs::read_to_string(self.machine.folder.path().join("bot.pid"));
        if let Some(id) = id.ok().and_then(|id| id.trim().parse().ok()) {
            processes::signal(id, Signal::TERM);
            processes::wait_until_gone(id, crate::support::PATIENCE);
        }
    }
}

fn put_programs(folder: &Path) {
    let ours = repository().join("tests/it/documents/programs");
    let (programs, for_root) = (folder.join("programs"), folder.join("programs/for-root"));
    std::fs::create_dir_all(&for_root).expect("folders");
    let link = |from: &Path, to: &Path| symlink(from, to).expect("a link");
    link(
        Path::new(env!("CARGO_BIN_EXE_telecoder")),
        &folder.join("real"),
    );
    link(&ours.join("telecoder"), &programs.join("telecoder"));
    for name in STAND_INS {
        link(&ours.join("stand-in"), &programs.join(name));
    }
    for name in STAND_INS_FOR_ROOT {
        link(&ours.join("stand-in"), &for_root.join(name));
    }
    assert!(fake_claude().exists());
}

/// What of the repository the pages' commands look at, with a host that it can be pulled from.
fn check_out(folder: &Path) {
    let origin = folder.join("origin");
    for path in ["deploy", "tests/it/snapshots"] {
        let (from, to) = (repository().join(path), origin.join(path));
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(from).expect("a folder") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
    git(&origin, &["init", "--quiet", "--initial-branch=main"]);
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "--message", "first"]);
    git(
        folder,
        &["clone", "--quiet", "--bare", "origin", "host.git"],
    );
    git(folder, &["clone", "--quiet", "host.git", "checkout"]);
}

#[test]
fn every_command_block_of_every_page_runs() {
    let mut blocks_run = 0;
    for page in Page::all() {
        let blocks: Vec<String> = page
            .blocks()
            .into_iter()
            .filter(|(language, _)| language == "sh")
            .map(|(_, block)| block)
            .collect();
        if blocks.is_empty() {
            continue;
        }
        let tried = Tried::new();
        for block in blocks {
            if let Err(why) = tried.run(&block) {
                panic!(
                    "{}: this does not run:\n\n{block}\n{why}",
                    page.path.display()
                );
            }
            blocks_run += 1;
        }
    }
    assert!(blocks_run > 40, "{blocks_run}");
}

#[test]
fn a_block_with_a_typo_fails() {
    let tried = Tried::new();
    for typo in [
        "telecoder sesion list",
        "telecoder session inspect nobody",
        "sudo telecoder service strat",
        "sudo systemctl retsart telecoder",
        "sudo ./deploy/install.sh --unatended",
        "sudo ./deploy/instal.sh",
        "sudo -u telecodre -H telecoder doctor",
        "sudo rm -rf /somewhere/safe",
        "cargo test --test it -- peple::",
        "docker compose -f deploy/compose.yml build",
        "false | true",
    ] {
        assert!(tried.run(typo).is_err(), "{typo}");
    }
}
