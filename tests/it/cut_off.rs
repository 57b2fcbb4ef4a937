//! The bot is killed while it clones, takes a snapshot, checks, pushes or undoes; afterwards it continues from there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::git::{git, hook, host, repository};
use crate::support::{Bot, Machine, processes};

const COMMIT: &str = "git -c user.name=A -c user.email=a@b commit -qm";

/// A bot that dies at this point, as by `kill -9`.
fn dying_at(machine: &Machine, point: &str) -> Bot {
    machine.start_failing_at(&format!("{point}=1*return"))
}

fn entries(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn workspace(machine: &Machine) -> PathBuf {
    let workspaces = machine.data().join("workspaces");
    let names = entries(&workspaces);
    assert_eq!(names.len(), 1, "nothing half-made is left: {names:?}");
    workspaces.join(&names[0])
}

#[test]
fn a_clone_that_was_cut_off_is_made_anew_and_leaves_nothing_half_made() {
    for point in ["mirror-fetched", "workspace-cloned", "workspace-made"] {
        let machine = Machine::new();
        let project = repository(machine.folder.path());
        let mut bot = dying_at(&machine, point);
        machine.ada_says(&format!("/new file://{}", project.display()));
        assert!(!bot.wait_for_its_end().success(), "{point}");
        let _bot = machine.start();
        machine.message_with("is cloned, on branch telecoder/");
        machine.until_quiet();
        let workspace = workspace(&machine);
        assert_eq!(git(&workspace, &["log", "--format=%s"]), "first");
        git(&workspace, &["fsck", "--full"]);
        let mirrors = entries(&machine.data().join("mirrors"));
        assert_eq!(mirrors.len(), 1, "{point}: {mirrors:?}");
    }
}

#[test]
fn a_git_that_fetches_ends_with_the_bot_and_the_store_is_whole() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    // A host that begins to send and then takes its time.
    let slow = machine.script(
        "slow-ssh",
        r#"for last; do :; done; test -e "$HOME/fast" || sleep 45621; exec sh -c "$last""#,
    );
    let machine = machine.with("GIT_SSH_COMMAND", slow.display().to_string());
    let bot = machine.start();
    machine.ada_says(&format!("/new git@example.org:{}", project.display()));
    let sleeper = machine.until("git waits for the host", || {
        processes::with_word("45621").first().copied()
    });
    bot.kill();
    assert!(
        processes::wait_until_gone(sleeper, Duration::from_secs(20)),
        "it ends with the bot"
    );
    std::fs::write(machine.folder.path().join("home/fast"), "").expect("a file");
    let _bot = machine.start();
    machine.message_with("is cloned");
    machine.until_quiet();
    let mirrors = entries(&machine.data().join("mirrors"));
    assert_eq!(mirrors.len(), 1, "{mirrors:?}");
    git(
        &machine.data().join("mirrors").join(&mirrors[0]),
        &["fsck", "--full"],
    );
}

#[test]
fn a_run_whose_snapshot_was_cut_off_runs_once_and_is_measured() {
    for point in ["snapshot-made", "run-marked", "run-launch"] {
        let machine = Machine::new();
        let bot = machine.start();
        machine.ada_says("[[bash: echo x > first.txt]] [[say: first]]");
        machine.message_with("+1 −0 first.txt");
        machine.until_quiet();
        bot.kill();
        let mut bot = dying_at(&machine, point);
        let prompt = "[[bash: echo x >> counted.txt]] [[say: counted]]";
        machine.ada_says(prompt);
        assert!(!bot.wait_for_its_end().success(), "{point}");
        let _bot = machine.start();
        machine.message_with(
            "1 file changed, +1 −0\nBranch main\nCost: $0.01\n\nFiles\n+1 −0 counted.txt",
        );
        assert_eq!(machine.times_run().get(prompt), Some(&1), "{point}");
    }
}

#[test]
fn evidence_that_was_measured_and_not_told_is_measured_again_and_told_once() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '4 passed'");
    let mut bot = dying_at(&machine, "verified");
    machine.ada_says("[[bash: echo x > x]] [[say: one]]");
    machine.message_with("one");
    assert!(!bot.wait_for_its_end().success());
    let _bot = machine.start();
    machine.message_with("✓ Tests: 4 passed");
    machine.until_quiet();
    let told = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains("✓ Tests"));
    assert_eq!(told.count(), 1);
    assert_eq!(machine.rows("SELECT count(*) FROM verifications"), [1]);
}

#[test]
fn a_push_that_was_cut_off_is_done_and_told_after_the_restart() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    let go = machine.folder.path().join("go");
    let thinks = format!("test -e {} || exec sleep 45622", go.display());
    hook(&host, "pre-receive", &thinks);
    let bot = machine.start();
    machine.ada_says(&format!("/new file://{}", host.display()));
    machine.message_with("is cloned");
    machine.ada_says(&format!(
        "[[bash: echo x > x; git add x; {COMMIT} x]] [[say: one]]"
    ));
    machine.message_with("1 commit is on no remote branch");
    machine.ada_says("/push");
    let sleeper = machine.until("the host thinks about it", || {
        processes::with_word("45622").first().copied()
    });
    bot.kill();
    assert!(processes::wait_until_gone(sleeper, Duration::from_secs(20)));
    std::fs::write(&go, "").expect("a file");
    let mut bot = dying_at(&machine, "pushed");
    assert!(!bot.wait_for_its_end().success());
    let _bot = machine.start();
    // The host had it before the bot could say so.
    machine.message_with("were pushed already.");
    assert_ne!(git(&host, &["branch", "--list", "telecoder/*"]), "");
}

#[test]
fn an_undo_that_was_cut_off_is_finished_and_can_be_taken_back() {
    for point in ["undo-kept", "undo-restored"] {
        let machine = Machine::new();
        let bot = machine.start();
        machine.ada_says("[[bash: echo one > one; echo two > two]] [[say: one]]");
        machine.message_with("2 files changed");
        machine.ada_says("/undo");
        let asked = machine.message_with("Undo takes the workspace back");
        machine.until_quiet();
        bot.kill();
        let mut bot = dying_at(&machine, point);
        machine.ada_presses(&asked);
        assert!(!bot.wait_for_its_end().success(), "{point}");
        let _bot = machine.start();
        let undone = machine.message_with("Undone: ");
        let workspace = workspace(&machine);
        assert!(!workspace.join("one").exists(), "{point}");
        machine.ada_presses(&undone);
        machine.message_with("The undo is taken back");
        assert!(
            workspace.join("one").exists() && workspace.join("two").exists(),
            "{point}"
        );
    }
}

#[test]
fn what_is_left_of_a_workspace_that_was_given_up_is_removed_after_the_restart() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    // A checkout that takes its time, so that it is stopped on its way.
    let hook = hook(&project.join(".git"), "post-checkout", "sleep 45623");
    let bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.until("it is being made", || {
        processes::with_word("45623").first().copied()
    });
    bot.kill();
    std::fs::remove_file(&hook).expect("it was there");
    // As if the bot had been killed between the word and the deed.
    machine
        .database()
        .execute("UPDATE sessions SET state = 'failed'", [])
        .expect("it is written");
    let _bot = machine.start();
    machine.until("nothing is left", || {
        entries(&machine.data().join("workspaces"))
            .is_empty()
            .then_some(())
    });
    machine.until("nor in the repository", || {
        (git(&project, &["worktree", "list"]).lines().count() == 1
            && git(&project, &["branch", "--list", "telecoder/*"]).is_empty())
        .then_some(())
    });
}
