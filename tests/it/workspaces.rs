//! `/new`: an empty workspace, a clone, a worktree.

use crate::support::Machine;
use crate::support::git::{git, repository};

#[test]
fn a_clone_is_worked_on_on_a_branch_of_its_own() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("Cloning; I tell you when it is ready.");
    let ready = machine.message_with("is cloned, on branch telecoder/");
    assert!(ready.silent);
    machine.ada_says("[[bash: git branch --show-current; ls]] [[cwd]]");
    let folder = machine.message_with("/workspaces/").text;
    let folder = folder.lines().next().unwrap_or_default();
    assert_eq!(
        std::fs::read_to_string(format!("{folder}/README.md")).expect("it is there"),
        "# Project\n"
    );
    let branch = git(folder.as_ref(), &["branch", "--show-current"]);
    assert!(branch.starts_with("telecoder/"), "{branch}");
    machine.ada_says("/status");
    machine.message_with(&format!("Branch: {branch}"));
}

#[test]
fn a_named_branch_is_switched_to_or_made() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    git(&project, &["branch", "feature"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{} feature", project.display()));
    machine.message_with("on branch feature.");
    machine.ada_says(&format!("/new file://{} brand-new", project.display()));
    machine.message_with("on branch brand-new.");
}

#[test]
fn a_worktree_leaves_the_checkout_it_comes_from_alone() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    std::fs::write(project.join("dirty.txt"), "not committed").expect("a file");
    let before = git(&project, &["status", "--porcelain=v2", "--branch"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo changed > README.md]] [[say: changed it]]");
    machine.message_with("changed it");
    assert_eq!(
        git(&project, &["status", "--porcelain=v2", "--branch"]),
        before
    );
    assert!(git(&project, &["worktree", "list"]).contains("/workspaces/"));
}

#[test]
fn a_repository_without_commits_can_be_worked_on() {
    let machine = Machine::new();
    let empty = machine.folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    git(&empty, &["init", "--quiet", "--initial-branch=main"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", empty.display()));
    machine.message_with("The worktree of ");
    machine.ada_says(&format!("/new file://{}", empty.display()));
    machine.message_with("is cloned, on branch telecoder/");
}

#[test]
fn what_cannot_be_cloned_is_told_in_gits_own_words_and_leaves_nothing() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/new file:///no/such/repository");
    let message = machine.message_with("could not be cloned: git says");
    assert!(message.text.contains("fatal: "), "{}", message.text);
    assert!(!message.silent);
    machine.until_quiet();
    let left: Vec<_> = std::fs::read_dir(machine.data().join("workspaces"))
        .expect("a folder")
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "only the first session's: {left:?}");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: hello");
}

#[test]
fn what_is_no_repository_is_told_at_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    for wrong in ["nonsense", "--upload-pack=x", "/no/such/folder"] {
        machine.ada_says(&format!("/new {wrong}"));
        machine.message_with(&format!("{wrong} is neither a URL"));
    }
    let folder = machine.folder.path().join("plain");
    std::fs::create_dir(&folder).expect("a folder");
    machine.ada_says(&format!("/new {}", folder.display()));
    machine.message_with("that folder is not a git repository");
    machine.ada_says(&format!("/new file:///tmp/x {}", "--force"));
    machine.message_with("--force is no name for a branch");
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/new https://ada:hunter2@127.0.0.1:9/x.git");
    machine.message_with("could not be cloned");
    for message in machine.bot_messages() {
        assert!(!message.text.contains("hunter2"), "{}", message.text);
    }
}

#[test]
fn new_starts_afresh_and_keeps_the_chats_repository() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    machine.ada_says("remember me");
    machine.message_with("You said: remember me");
    machine.ada_says("/new");
    machine.nth_message_with("is cloned", 2);
    machine.ada_says("[[recall]]");
    machine.message_with("No earlier prompts.");
    machine.ada_says("/new -");
    machine.message_with("The workspace is empty");
}

#[test]
fn cloning_can_be_stopped_and_leaves_nothing() {
    let machine = Machine::new();
    // A git that takes its time to clone.
    let git = machine.script(
        "git",
        r#"case "$1" in fetch) sleep 98765 & wait;; *) exec /usr/bin/env PATH="$REAL_PATH" git "$@";; esac"#,
    );
    let real_path = machine.environment["PATH"].clone();
    let path = format!(
        "{}:{real_path}",
        git.parent().expect("its folder").display()
    );
    let machine = machine.with("PATH", path).with("REAL_PATH", real_path);
    let _bot = machine.start();
    machine.ada_says("/new https://example.invalid/x.git");
    machine.until("git runs", || {
        crate::support::processes::with_word("98765")
            .first()
            .copied()
    });
    machine.ada_says("/status");
    machine.message_with("(being set up)");
    machine.ada_says("/stop");
    machine.message_with("Cloning was stopped");
    machine.until("git is gone", || {
        crate::support::processes::with_word("98765")
            .is_empty()
            .then_some(())
    });
    machine.ada_says("hello");
    machine.message_with("You said: hello");
}

#[test]
fn git_and_its_hooks_get_nothing_of_telecoders_own() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let hook = project.join(".git/hooks/post-checkout");
    let seen = machine.folder.path().join("seen-by-the-hook");
    std::fs::create_dir_all(hook.parent().expect("its folder")).expect("a folder");
    std::fs::write(&hook, format!("#!/bin/sh\nenv > '{}'\n", seen.display())).expect("a hook");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("its rights");
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    let environment = std::fs::read_to_string(seen).expect("the hook ran");
    assert!(environment.contains("HOME="), "{environment}");
    assert!(!environment.contains("TELEGRAM_"), "{environment}");
    assert!(!environment.contains("TELECODER_"), "{environment}");
}

#[test]
fn a_worktree_that_cannot_be_made_leaves_nothing_in_the_repository() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    // A worktree of the person's own whose folder is on a disk that is not there now.
    let elsewhere = machine.folder.path().join("elsewhere");
    git(
        &project,
        &[
            "worktree",
            "add",
            "--quiet",
            "-b",
            "mine",
            &elsewhere.display().to_string(),
        ],
    );
    std::fs::rename(&elsewhere, machine.folder.path().join("unplugged")).expect("it moves");
    let before = git(&project, &["worktree", "list"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {} mine", project.display()));
    machine.message_with("No worktree of ");
    machine.until_quiet();
    assert_eq!(git(&project, &["worktree", "list"]), before);
    assert_eq!(git(&project, &["branch", "--list", "telecoder/*"]), "");
}
