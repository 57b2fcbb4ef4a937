//! A shell deletes a session, but never work that is nowhere else.

use std::path::{Path, PathBuf};

use crate::support::Machine;
use crate::support::git::{git, host, repository};
use crate::support::shell::{made, session_of, shell};

#[test]
fn a_session_is_deleted_with_everything_but_never_with_work_that_is_nowhere_else() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo x > x]] [[say: one]]");
    machine.message_with("1 file changed");
    machine.until_quiet();
    let session = session_of(&machine);
    let workspace = machine.data().join("workspaces").join(&session);
    let refused = |machine: &Machine, part: &str| {
        let (code, said) = machine.run_to_its_end(&["session", "delete", &session]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(part), "{said}");
    };
    refused(&machine, "1 changed file is not committed");
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "--quiet", "--message", "work"]);
    refused(&machine, "1 commit is on no other branch");
    git(
        &project,
        &["branch", "kept", &format!("telecoder/{session}")],
    );
    let (code, said) = shell(&machine, &["session", "delete", &session]);
    assert_eq!(code, Some(0), "{said}");
    machine.message_with(&format!("Session {session} was deleted in the shell"));
    assert!(!workspace.exists());
    assert_eq!(git(&project, &["branch", "--list", "telecoder/*"]), "");
    assert_eq!(
        std::fs::read_dir(machine.data().join("runs"))
            .expect("a folder")
            .count(),
        0
    );
    let files = std::fs::read_dir(machine.data().join("files"));
    assert_eq!(files.expect("a folder").count(), 0);
    for table in [
        "sessions",
        "runs",
        "prompts",
        "jobs",
        "verifications",
        "chats",
    ] {
        assert_eq!(
            machine.rows(&format!("SELECT count(*) FROM {table}")),
            [0],
            "{table}"
        );
    }
    machine.ada_says("a fresh start");
    machine.message_with("You said: a fresh start");
}

#[test]
fn commits_of_a_clone_that_no_remote_has_are_not_deleted_on_whatever_branch_they_are() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    let _bot = machine.start();
    let session = made(&machine, &[&format!("file://{}", host.display())]);
    let workspace = workspace(&machine, &session);
    commit(&workspace, "on the session's branch");
    git(&workspace, &["branch", "fix-login"]);
    is_refused(&machine, &session, "1 commit is on no other branch");
    // Pushed, it is somewhere else.
    git(
        &workspace,
        &["push", "--quiet", "origin", "HEAD:refs/heads/pushed"],
    );
    std::fs::write(workspace.join("README.md"), "changed\n").expect("a file");
    git(&workspace, &["stash", "--quiet"]);
    is_refused(&machine, &session, "on no other branch");
    git(&workspace, &["stash", "drop", "--quiet"]);
    let (code, said) = shell(&machine, &["session", "delete", &session]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!workspace.exists());
}

#[test]
fn a_worktree_on_another_branch_does_not_take_its_own_branch_with_it_unseen() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    let session = made(&machine, &[&project.display().to_string()]);
    let workspace = workspace(&machine, &session);
    commit(&workspace, "on the session's branch");
    git(
        &workspace,
        &["switch", "--quiet", "--create", "other", "main"],
    );
    is_refused(&machine, &session, "1 commit is on no other branch");
}

#[test]
fn a_worktree_on_a_branch_that_was_named_leaves_it_where_it_is() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    let session = made(
        &machine,
        &[&project.display().to_string(), "--branch", "feature"],
    );
    commit(
        &workspace(&machine, &session),
        "on the branch that was named",
    );
    let (code, said) = shell(&machine, &["session", "delete", &session]);
    assert_eq!(code, Some(0), "{said}");
    let subject = git(&project, &["log", "-1", "--format=%s", "feature"]);
    assert_eq!(subject, "on the branch that was named");
}

#[test]
fn what_was_kept_of_its_runs_goes_with_a_session() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '1 passed'");
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    let session = made(&machine, &[&project.display().to_string()]);
    let (code, _) = shell(
        &machine,
        &["session", "run", &session, "[[bash: echo x > x]]"],
    );
    assert_eq!(code, Some(0));
    let snapshots = || {
        std::fs::read_dir(machine.data().join("snapshots"))
            .expect("a folder")
            .count()
    };
    assert_eq!(snapshots(), 1);
    let (code, _) = shell(&machine, &["session", "delete", &session, "--force"]);
    assert_eq!(code, Some(0));
    assert_eq!(snapshots(), 0);
    assert_eq!(git(&project, &["for-each-ref", "refs/telecoder/"]), "");
    for folder in ["runs", "checks", "workspaces", "attached"] {
        let left = std::fs::read_dir(machine.data().join(folder)).expect("a folder");
        assert_eq!(left.count(), 0, "{folder}");
    }
}

#[test]
fn a_session_whose_workspace_is_being_made_is_stopped_and_then_deleted() {
    let machine = Machine::new();
    machine.start().kill();
    // Without a bot it stays as it is.
    let (_, name) = shell(&machine, &["session", "create", "--no-wait"]);
    let session = name.trim();
    let (code, said) = machine.run_to_its_end(&["session", "delete", session]);
    assert_eq!(code, Some(1));
    assert!(said.contains("telecoder session stop"), "{said}");
    let (code, said) = shell(&machine, &["session", "stop", session]);
    assert_eq!(code, Some(0));
    assert!(said.contains("is not made"), "{said}");
    let (code, _) = shell(&machine, &["session", "delete", session]);
    assert_eq!(code, Some(0));
    assert_eq!(machine.rows("SELECT count(*) FROM sessions"), [0]);
}

fn workspace(machine: &Machine, session: &str) -> PathBuf {
    machine.data().join("workspaces").join(session)
}

fn commit(workspace: &Path, subject: &str) {
    git(
        workspace,
        &["commit", "--quiet", "--allow-empty", "--message", subject],
    );
}

fn is_refused(machine: &Machine, session: &str, part: &str) {
    let (code, said) = machine.run_to_its_end(&["session", "delete", session]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(part), "{said}");
    assert!(workspace(machine, session).exists());
}

#[test]
fn work_that_the_persons_settings_hide_or_that_lies_in_a_repository_within_is_work() {
    let machine = Machine::new();
    let config = machine.folder.path().join("gitconfig");
    let settings = "[user]\nname=A\nemail=a@b\n[status]\nshowUntrackedFiles=no\n[diff]\nignoreSubmodules=all\n";
    std::fs::write(&config, settings).expect("settings");
    let machine = machine.with("GIT_CONFIG_GLOBAL", config.display().to_string());
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.until_quiet();
    let session = session_of(&machine);
    let workspace = machine.data().join("workspaces").join(&session);
    let refused = |part: &str| {
        let (code, said) = machine.run_to_its_end(&["session", "delete", &session]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(part), "{part} in {said}");
    };
    std::fs::write(workspace.join("notes.txt"), "mine").expect("a file");
    refused("1 changed file is not committed");
    std::fs::remove_file(workspace.join("notes.txt")).expect("it was there");
    let inner = workspace.join("lib");
    std::fs::create_dir(&inner).expect("a folder");
    git(&inner, &["init", "--quiet"]);
    std::fs::write(inner.join("work"), "1").expect("a file");
    git(&inner, &["add", "work"]);
    git(&inner, &["commit", "--quiet", "-m", "one"]);
    let exclude = git(&workspace, &["rev-parse", "--git-path", "info/exclude"]);
    std::fs::create_dir_all(Path::new(&exclude).parent().expect("a folder")).expect("a folder");
    std::fs::write(&exclude, "lib\n.env\n").expect("rules");
    refused("in lib: 1 commit is on no remote branch");
    std::fs::remove_dir_all(&inner).expect("it was there");
    std::fs::write(workspace.join(".env"), "SECRET=1").expect("a file");
    let (code, said) = shell(&machine, &["session", "delete", &session]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("What git ignores there went with it: .env."),
        "{said}"
    );
}
