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
    let message = machine.message_with("could not be cloned: git refused, in these words");
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
        machine.message_with(&format!("{wrong} is no URL"));
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
    machine.message_with("(preparing its workspace)");
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
    let others = environment.replace("TELECODER_RUN=", "");
    assert!(
        !others.contains("TELECODER_"),
        "only the marker: {environment}"
    );
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

#[test]
fn a_second_session_borrows_what_the_first_one_has_fetched() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    let url = format!("file://{}", project.display());
    machine.ada_says(&format!("/new {url}"));
    machine.message_with("is cloned");
    git(
        &project,
        &["commit", "--quiet", "--allow-empty", "--message", "second"],
    );
    git(&project, &["branch", "new-branch"]);
    machine.ada_says(&format!("/new {url} new-branch"));
    machine.message_with("on branch new-branch.");
    machine.ada_says(
        "[[bash: git log -1 --format=%s; git remote get-url origin; git count-objects]] [[cwd]]",
    );
    let folder = machine.message_with("/workspaces/").text;
    let folder = std::path::PathBuf::from(folder.lines().next().unwrap_or_default());
    assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "second");
    assert_eq!(git(&folder, &["remote", "get-url", "origin"]), url);
    let alternates = std::fs::read_to_string(folder.join(".git/objects/info/alternates"));
    assert!(
        alternates
            .expect("it borrows")
            .contains("/mirrors/project-")
    );
    let mirrors: Vec<_> = std::fs::read_dir(machine.data().join("mirrors"))
        .expect("a folder")
        .collect();
    assert_eq!(mirrors.len(), 1, "one for both");
}

#[test]
fn branches_that_are_gone_on_the_other_side_take_nothing_from_older_sessions() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    git(&project, &["switch", "--quiet", "-c", "doomed"]);
    git(
        &project,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "only there",
        ],
    );
    git(&project, &["switch", "--quiet", "main"]);
    let _bot = machine.start();
    let url = format!("file://{}", project.display());
    machine.ada_says(&format!("/new {url} doomed"));
    machine.message_with("on branch doomed.");
    machine.ada_says("[[cwd]]");
    let folder = machine.message_with("/workspaces/").text;
    git(&project, &["branch", "-D", "doomed"]);
    machine.ada_says(&format!("/new {url}"));
    machine.message_with("on branch telecoder/");
    for mirror in std::fs::read_dir(machine.data().join("mirrors"))
        .expect("mirrors")
        .flatten()
    {
        git(&mirror.path(), &["gc", "--quiet"]);
    }
    let folder = std::path::PathBuf::from(folder.lines().next().unwrap_or_default());
    git(&folder, &["fsck", "--full"]);
    assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "only there");
}

#[test]
fn a_repository_seen_before_is_named_in_short() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let other = machine.folder.path().join("elsewhere");
    std::fs::create_dir(&other).expect("a folder");
    let other = repository(&other);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says(&format!("/new file://{}", other.display()));
    machine.message_with("is cloned");
    machine.ada_says("/new project");
    machine.nth_message_with("The worktree of ", 2);
    machine.ada_says("/new --repo project-2 feature");
    machine.message_with("on branch feature.");
    machine.ada_says("/new projekt");
    machine.message_with("Known: ");
    machine.ada_says("/new --repo");
    machine.message_with("--repo is no URL");
}

#[test]
fn repositories_of_this_machine_are_only_where_the_owner_allows_them() {
    let machine = Machine::new();
    let inside = machine.folder.path().join("inside");
    let outside = machine.folder.path().join("outside");
    std::fs::create_dir(&inside).expect("a folder");
    std::fs::create_dir(&outside).expect("a folder");
    let allowed = repository(&inside);
    let secret = repository(&outside);
    std::os::unix::fs::symlink(&secret, inside.join("link")).expect("a link");
    let pointer = inside.join("pointer");
    std::fs::create_dir(&pointer).expect("a folder");
    std::fs::write(
        pointer.join(".git"),
        format!("gitdir: {}/.git\n", secret.display()),
    )
    .expect("a file");
    let linked = inside.join("linked");
    std::fs::create_dir(&linked).expect("a folder");
    std::os::unix::fs::symlink(secret.join(".git"), linked.join(".git")).expect("a link");
    let common = inside.join("common");
    git(&inside, &["init", "--quiet", "common"]);
    std::fs::write(
        common.join(".git/commondir"),
        format!("{}/.git\n", secret.display()),
    )
    .expect("a file");
    git(&inside, &["init", "--quiet", "borrows"]);
    let borrowed = format!("{}/.git/objects\n", secret.display());
    std::fs::write(
        inside.join("borrows/.git/objects/info/alternates"),
        &borrowed,
    )
    .expect("a file");
    git(&inside, &["init", "--quiet", "--bare", "bare.git"]);
    std::fs::write(inside.join("bare.git/objects/info/alternates"), &borrowed).expect("a file");
    // git tries a name with .git behind it too.
    std::fs::create_dir(inside.join("short")).expect("a folder");
    std::os::unix::fs::symlink(secret.join(".git"), inside.join("short.git")).expect("a link");
    let machine = machine.with("TELECODER_REPO_ROOTS", inside.display().to_string());
    let _bot = machine.start();
    for (number, named) in [
        format!("{}", secret.display()),
        format!("file://{}", secret.display()),
        format!("{}", inside.join("link").display()),
        format!("{}/../outside/project", inside.display()),
        format!("file://{}/%2e%2e/outside/project", inside.display()),
        format!("file://host{}", secret.display()),
        format!("{}", inside.join("pointer").display()),
        format!("file://{}", inside.join("pointer").display()),
        format!("file://{}", inside.join("linked").display()),
        format!("{}", inside.join("common").display()),
        format!("file://{}", inside.join("common").display()),
        format!("{}", inside.join("borrows").display()),
        format!("file://{}", inside.join("borrows").display()),
        format!("file://{}", inside.join("bare.git").display()),
        format!("file://{}", inside.join("short").display()),
    ]
    .into_iter()
    .enumerate()
    {
        machine.ada_says(&format!("/new {named}"));
        machine.nth_message_with("(TELECODER_REPO_ROOTS)", number + 1);
    }
    machine.ada_says(&format!("/new {}", allowed.display()));
    machine.message_with("The worktree of ");
    machine.until_quiet();
    assert_eq!(git(&secret, &["branch", "--list", "telecoder/*"]), "");
}

#[test]
fn urls_that_do_more_than_name_a_repository_are_not_taken() {
    let machine = Machine::new();
    let trap = machine.folder.path().join("trap");
    let _bot = machine.start();
    for (named, said) in [
        (format!("ext::touch%20{}", trap.display()), "a URL with ext"),
        ("fd::17".to_owned(), "a URL with fd"),
        ("ftp://example.org/x".to_owned(), "a URL with ftp"),
        (
            format!("ssh://-oProxyCommand=touch%20{}/x", trap.display()),
            "is no URL",
        ),
        (
            format!("-oProxyCommand=touch\u{a0}{}:x", trap.display()),
            "is no URL",
        ),
        (
            format!("--upload-pack=touch {}", trap.display()),
            "--upload-pack=touch is no URL",
        ),
    ] {
        machine.ada_says(&format!("/new {named}"));
        machine.message_with(said);
    }
    machine.until_quiet();
    assert!(!trap.exists(), "nothing was run");
    let left = std::fs::read_dir(machine.data().join("workspaces")).expect("a folder");
    assert_eq!(left.count(), 0, "nothing is left");
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_is_explained() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {} main", project.display()));
    let told = machine.message_with("the branch main is checked out in ");
    assert!(
        told.text.contains("name another branch, or leave it out"),
        "{}",
        told.text
    );
    assert!(
        told.text.contains(&project.display().to_string()),
        "{}",
        told.text
    );
}

#[test]
fn what_a_fresh_workspace_does_not_have_is_said() {
    let machine = Machine::new();
    let library = machine.folder.path().join("library");
    std::fs::create_dir(&library).expect("a folder");
    let library = repository(&library);
    let project = repository(machine.folder.path());
    git(
        &project,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            &library.display().to_string(),
            "vendor/library",
        ],
    );
    std::fs::write(
        project.join(".gitattributes"),
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    )
    .expect("a file");
    std::fs::write(
        project.join("large.bin"),
        "version https://git-lfs.github.com/spec/v1\n",
    )
    .expect("a file");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "with both"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    let ready = machine.message_with("is cloned");
    assert!(
        ready
            .text
            .contains("Its submodules are not checked out (vendor/library)"),
        "{}",
        ready.text
    );
    assert!(
        ready
            .text
            .contains("1 file is in Git LFS and only a pointer here"),
        "{}",
        ready.text
    );
}

#[test]
fn a_clone_that_takes_its_time_shows_how_far_it_is_and_has_a_stop_button() {
    let machine = Machine::new();
    let git = machine.script(
        "git",
        r#"case "$1" in
        fetch) printf 'Receiving objects:  45%% (450/1000), 1.20 MiB | 2.00 MiB/s\r' >&2; sleep 98766 & wait;;
        *) exec /usr/bin/env PATH="$REAL_PATH" git "$@";;
        esac"#,
    );
    let real_path = machine.environment["PATH"].clone();
    let path = format!(
        "{}:{real_path}",
        git.parent().expect("its folder").display()
    );
    let machine = machine.with("PATH", path).with("REAL_PATH", real_path);
    let _bot = machine.start();
    machine.ada_says("/new https://ada:hunter2@example.invalid/x.git");
    let live = machine.message_with("Receiving objects:  45% (450/1000)");
    assert!(
        live.text
            .starts_with("Cloning https://ada:…@example.invalid/x.git · "),
        "{}",
        live.text
    );
    machine.ada_presses(&live);
    machine.message_with("Cloning was stopped, and nothing of it was left behind.");
    machine.until("git is gone", || {
        crate::support::processes::with_word("98766")
            .is_empty()
            .then_some(())
    });
    machine.until_quiet();
    for folder in ["workspaces", "mirrors"] {
        machine.until(&format!("nothing is left in {folder}"), || {
            let mut left = std::fs::read_dir(machine.data().join(folder)).expect("a folder");
            left.next().is_none().then_some(())
        });
    }
}

#[test]
fn a_session_begins_at_the_other_sides_default_branch_whatever_its_name() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    git(&project, &["switch", "--quiet", "-c", "trunk"]);
    git(
        &project,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "on trunk",
        ],
    );
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("on branch telecoder/");
    machine.ada_says("[[cwd]]");
    let folder = machine.message_with("/workspaces/").text;
    let folder = std::path::PathBuf::from(folder.lines().next().unwrap_or_default());
    assert_eq!(git(&folder, &["log", "-1", "--format=%s"]), "on trunk");
    // The default branch of the other side may become another one.
    git(&project, &["switch", "--quiet", "main"]);
    git(
        &project,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "on main again",
        ],
    );
    machine.ada_says("/new");
    machine.nth_message_with("on branch telecoder/", 2);
    machine.ada_says("[[bash: git log -1 --format=%s > said]] [[say: looked]]");
    machine.message_with("+1 −0 said");
    machine.ada_says("/diff");
    machine.message_with("+on main again");
}

#[test]
fn a_repository_with_a_detached_head_and_a_merge_in_progress_can_be_worked_on() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    for (branch, text) in [("ours", "ours\n"), ("theirs", "theirs\n")] {
        git(&project, &["switch", "--quiet", "-c", branch, "main"]);
        std::fs::write(project.join("README.md"), text).expect("a file");
        git(&project, &["commit", "--quiet", "-a", "--message", branch]);
    }
    git(&project, &["switch", "--quiet", "--detach", "ours"]);
    let merged = std::process::Command::new("git")
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b",
            "merge",
            "theirs",
        ])
        .current_dir(&project)
        .output()
        .expect("git is there");
    assert!(!merged.status.success(), "they are in conflict");
    let before = git(&project, &["status", "--porcelain=v2", "--branch"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: cat README.md > said]] [[say: looked]]");
    machine.message_with("+1 −0 said");
    machine.ada_says("/diff");
    machine.message_with("+ours");
    assert_eq!(
        git(&project, &["status", "--porcelain=v2", "--branch"]),
        before
    );
}
