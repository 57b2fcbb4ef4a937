//! `/diff`, `/undo` and taking that back.

use std::path::{Path, PathBuf};

use telecoder::domain::id::ChatId;

use crate::support::git::{git, repository};
use crate::support::{GRACE, Machine};

/// A session on a clone of a repository with one commit; its workspace.
fn cloned(machine: &Machine) -> PathBuf {
    let project = repository(machine.folder.path());
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    let workspaces = machine.data().join("workspaces");
    std::fs::read_dir(workspaces)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .next()
        .expect("a workspace")
}

/// Everything that git and the file system show of a workspace.
fn state(workspace: &Path) -> String {
    let files = git(
        workspace,
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    );
    let contents: Vec<String> = files
        .lines()
        .map(|name| {
            let path = workspace.join(name);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "(none)".into());
            format!("{name}: {text:?}")
        })
        .collect();
    format!(
        "{}\n{}\n{}",
        git(workspace, &["status", "--porcelain=v2", "--branch"]),
        git(workspace, &["log", "--format=%H %s"]),
        contents.join("\n")
    )
}

/// The refs of the snapshots of a workspace.
fn kept(machine: &Machine, workspace: &Path) -> String {
    let name = workspace.file_name().expect("a name").to_string_lossy();
    let folder = machine.data().join(format!("snapshots/{name}.git"));
    git(
        &folder,
        &["for-each-ref", "--format=%(refname)", "refs/telecoder/"],
    )
}

const COMMIT: &str = "git -c user.name=A -c user.email=a@b commit -qm";

#[test]
fn a_short_diff_is_shown_and_a_long_one_comes_as_a_file() {
    let machine = Machine::new();
    let _bot = machine.start();
    cloned(&machine);
    machine.ada_says("/diff");
    machine.message_with("Nothing to show or take back");
    machine.ada_says("[[bash: printf '```\\nfence\\n' >> README.md]] [[say: one]]");
    machine.message_with("1 file changed");
    machine.ada_says("/diff");
    let diff = machine.message_with("+fence");
    assert!(diff.text.contains("+```"), "{}", diff.text);
    assert!(
        diff.entities
            .iter()
            .any(|entity| entity["language"] == "diff")
    );
    machine.ada_says("[[bash: seq 1 2000 > long.txt]] [[say: two]]");
    machine.message_with("+2000 −0");
    machine.ada_says("/diff");
    let long = machine.message_with("1 file changed, +2000 −0, since the last run began");
    let (name, content) = long.file.expect("a file");
    assert_eq!(name, "changes.diff");
    let content = String::from_utf8(content).expect("text");
    assert!(content.contains("+2000\n"), "all of it is there");
    assert!(!content.contains("fence"), "the run before is not in it");
}

#[test]
fn diff_can_be_asked_for_while_a_run_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: echo early > early.txt]] [[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("/diff");
    machine.message_with("+early");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    // What a stopped run has changed is told too.
    machine.message_with("1 file changed, +1 −0");
}

#[test]
fn undo_asks_says_what_goes_and_can_itself_be_undone() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    std::fs::write(workspace.join("mine.txt"), "not tracked\n").expect("a file");
    std::fs::write(workspace.join(".git/info/exclude"), "ignored.txt\n").expect("a file");
    std::fs::write(workspace.join("ignored.txt"), "stays\n").expect("a file");
    let before = state(&workspace);
    machine.ada_says(&format!(
        "break it [[bash: rm mine.txt; echo more >> README.md; git add README.md; {COMMIT} 'more'; \
         mkdir -p new/deep; echo new > new/deep/file; echo staged > staged; git add staged; \
         echo changed > ignored.txt]] [[say: did it]]"
    ));
    machine.message_with("4 files changed");
    let after = state(&workspace);
    machine.ada_says("/undo");
    let asked = machine.message_with("Undo takes the workspace back");
    assert!(asked.text.contains("(“break it [[bash"), "{}", asked.text);
    assert!(
        asked
            .text
            .contains("This goes away: 4 files changed, +3 −1, 1 commit."),
        "{}",
        asked.text
    );
    machine.ada_presses(&asked);
    let undone = machine.message_with("Undone: the workspace is as it was");
    assert_eq!(state(&workspace), before);
    assert_eq!(
        std::fs::read_to_string(workspace.join("ignored.txt")).expect("it is there"),
        "changed\n"
    );
    machine.ada_says("/undo");
    machine.message_with("Nothing to show or take back");
    machine.ada_presses(&undone);
    machine.message_with("The undo is taken back");
    // What was staged is only not staged any more.
    git(&workspace, &["add", "staged"]);
    assert_eq!(state(&workspace), after);
    machine.ada_presses(&undone);
    machine.until_toast("This button does nothing any more.");
}

#[test]
fn an_undo_is_not_taken_back_where_that_would_lose_something() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo more >> README.md]] [[say: did it]]");
    machine.message_with("1 file changed");
    machine.ada_says("/undo");
    let asked = machine.message_with("Undo takes the workspace back");
    machine.ada_presses(&asked);
    let undone = machine.message_with("Undone: ");
    std::fs::write(workspace.join("README.md"), "my own words\n").expect("a file");
    machine.ada_presses(&undone);
    machine.message_with("The undo stays: taking it back would lose newer changes");
    assert_eq!(
        std::fs::read_to_string(workspace.join("README.md")).expect("it is there"),
        "my own words\n"
    );
}

#[test]
fn undo_goes_back_run_by_run_and_an_old_button_does_nothing() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    let first = state(&workspace);
    machine.ada_says("[[bash: echo one > one]] [[say: one]]");
    machine.message_with("+1 −0 one");
    let second = state(&workspace);
    machine.ada_says("/undo");
    let old = machine.message_with("Undo takes the workspace back");
    machine.ada_says("[[bash: echo two > two]] [[say: two]]");
    machine.message_with("+1 −0 two");
    machine.ada_presses(&old);
    machine.until_toast("The workspace has changed since.");
    machine.ada_says("/undo");
    let asked = machine.nth_message_with("Undo takes the workspace back", 2);
    machine.ada_presses(&asked);
    machine.message_with("Undone: ");
    assert_eq!(state(&workspace), second);
    machine.ada_says("/undo");
    let asked = machine.nth_message_with("Undo takes the workspace back", 3);
    machine.ada_presses(&asked);
    machine.nth_message_with("Undone: ", 2);
    assert_eq!(state(&workspace), first);
}

#[test]
fn undo_knows_a_repository_without_commits_a_detached_head_and_a_merge_in_progress() {
    let machine = Machine::new();
    let _bot = machine.start();
    // An empty workspace, in which the run makes the first commit.
    machine.ada_says(&format!(
        "[[bash: echo one > one; git add one; {COMMIT} first]] [[say: one]]"
    ));
    machine.message_with("1 commit (");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: ");
    let empty = std::fs::read_dir(machine.data().join("workspaces"))
        .expect("a folder")
        .flatten()
        .next()
        .expect("a workspace")
        .path();
    assert_eq!(
        git(&empty, &["status", "--porcelain=v2", "--branch"]),
        "# branch.oid (initial)\n# branch.head main"
    );

    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    git(&workspace, &["switch", "--quiet", "--detach"]);
    let before = state(&workspace);
    machine.ada_says(&format!(
        "[[bash: git checkout -qb other; echo theirs > README.md; {COMMIT} theirs -a; git checkout -q HEAD^; \
         git checkout -qb ours; echo ours > README.md; {COMMIT} ours -a; git merge other || true]] [[say: a mess]]"
    ));
    machine.message_with("a mess");
    machine.message_with("1 file changed");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: ");
    assert_eq!(state(&workspace), before);
    assert!(!workspace.join(".git/MERGE_HEAD").exists());
}

#[test]
fn a_snapshot_leaves_index_working_tree_and_head_as_they_are() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    std::fs::write(workspace.join("README.md"), "half\n").expect("a file");
    git(&workspace, &["add", "README.md"]);
    std::fs::write(workspace.join("README.md"), "half\nmore\n").expect("a file");
    std::fs::write(workspace.join("untracked"), "x").expect("a file");
    let index = std::fs::read(workspace.join(".git/index")).expect("an index");
    let before = state(&workspace);
    machine.ada_says("what is this?");
    machine.message_with("You said: what is this?");
    machine.until_quiet();
    assert_eq!(
        std::fs::read(workspace.join(".git/index")).expect("an index"),
        index
    );
    assert_eq!(state(&workspace), before);
    assert_eq!(git(&workspace, &["for-each-ref", "refs/telecoder/"]), "");
    assert!(kept(&machine, &workspace).ends_with("/before"));
}

#[test]
fn a_repository_without_a_commit_is_measured_too_and_a_workspace_without_one_is_not() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .ada_says("[[bash: git init -q nested; echo x > nested/file; echo y > mine]] [[say: one]]");
    let evidence = machine.message_with("1 file changed, +1 −0");
    assert!(
        evidence
            .text
            .contains("In nested/: a new repository, 1 file changed, +1 −0"),
        "{}",
        evidence.text
    );

    machine.ada_says("[[bash: rm -rf .git]] [[say: oops]]");
    machine.message_with("Git could not tell what changed: ");
    machine.ada_says("[[say: still here]]");
    machine.message_with("still here");
    machine.until_quiet();
}

#[test]
fn an_undo_keeps_the_commits_of_a_branch_that_the_run_had_left() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    machine.ada_says(&format!(
        "[[bash: echo kept > kept; git add kept; {COMMIT} kept; git checkout -qb elsewhere]] [[say: left]]"
    ));
    machine.message_with("1 commit (");
    let branches = || {
        git(
            &workspace,
            &[
                "for-each-ref",
                "--format=%(refname) %(objectname)",
                "refs/heads/",
            ],
        )
    };
    let before = branches();
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    let undone = machine.message_with("Undone: ");
    assert_ne!(branches(), before);
    git(&workspace, &["gc", "--quiet", "--prune=now"]);
    machine.ada_presses(&undone);
    machine.message_with("The undo is taken back");
    assert_eq!(branches(), before);
    assert_eq!(git(&workspace, &["branch", "--show-current"]), "elsewhere");
}

#[test]
fn an_undo_that_is_pressed_while_the_next_run_waits_for_a_place_takes_only_its_own_run_back() {
    let machine = Machine::new()
        .with("TELECODER_MAX_RUNS", "1")
        .with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo one > one]] [[say: one]]");
    machine.message_with("+1 −0 one");
    machine.ada_says("/undo");
    let asked = machine.message_with("Undo takes the workspace back");
    machine.until_quiet();
    // Grace takes the only place.
    machine.api.say(ChatId(8), GRACE, "[[sleep: 3000]]");
    machine.message_with("Working · ");
    machine.ada_says("[[bash: ls > seen]] [[say: two]]");
    machine.ada_presses(&asked);
    machine.message_with("Undone: ");
    machine.message_with("two");
    assert!(!workspace.join("one").exists());
    let seen = std::fs::read_to_string(workspace.join("seen")).expect("it ran");
    assert!(!seen.contains("one"), "{seen}");
}

#[test]
fn an_undo_takes_nothing_away_that_git_ignores_or_ignored_before() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    std::fs::write(workspace.join(".gitignore"), "*.env\ndeps.lock\n").expect("a file");
    std::fs::write(workspace.join("secret.env"), "mine").expect("a file");
    std::fs::write(workspace.join("deps.lock"), "1\n").expect("a file");
    git(&workspace, &["add", "--force", ".gitignore", "deps.lock"]);
    git(
        &workspace,
        &[
            "commit",
            "--quiet",
            "--message",
            "rules, and a file in spite of them",
        ],
    );
    machine.ada_says(&format!(
        "[[bash: echo > .gitignore; echo 2 > deps.lock; echo other > other.env; git add -A; {COMMIT} all]] \
         [[say: did it]]"
    ));
    // What is tracked counts, though it is ignored.
    machine.message_with("+1 −1 deps.lock");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: the workspace is as it was");
    let read = |name: &str| std::fs::read_to_string(workspace.join(name)).expect("it is there");
    assert_eq!(read("secret.env"), "mine");
    assert_eq!(read("deps.lock"), "1\n");
    assert_eq!(read(".gitignore"), "*.env\ndeps.lock\n");
}

#[test]
fn settings_of_the_workspace_and_repositories_above_it_lead_nobody_elsewhere() {
    let machine = Machine::new();
    // The person keeps the folder that everything is in as a repository.
    git(
        machine.folder.path(),
        &["init", "--quiet", "--initial-branch=main"],
    );
    let letter = machine.folder.path().join("letter.txt");
    std::fs::write(&letter, "draft").expect("a file");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo one > one]] [[say: one]]");
    machine.message_with("+1 −0 one");
    machine.ada_says("[[bash: rm -rf .git; echo two > two]] [[say: two]]");
    machine.message_with("Git could not tell what changed: ");
    machine.ada_says("/push");
    machine.message_with("It was not pushed: ");
    machine.ada_says("/undo");
    machine.message_with("It cannot be undone: ");
    let refs = git(machine.folder.path(), &["for-each-ref"]);
    assert_eq!(refs, "", "nothing was written there");

    let machine = Machine::new();
    let elsewhere = machine.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(elsewhere.join("letter.txt"), "mine").expect("a file");
    let _bot = machine.start();
    let workspace = cloned(&machine);
    let elsewhere_text = elsewhere.display().to_string();
    machine.ada_says(&format!(
        "[[bash: echo x > x; git config core.worktree {elsewhere_text}; git config core.splitIndex true]] [[say: odd]]"
    ));
    machine.message_with("+1 −0 x");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: ");
    assert!(elsewhere.join("letter.txt").exists());
    assert!(!workspace.join("x").exists());
    assert!(workspace.join("README.md").exists());
}

#[test]
fn undo_after_a_question_takes_back_the_run_that_changed_something() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo x > x]] [[say: did it]]");
    machine.message_with("+1 −0 x");
    machine.ada_says("what did you do?");
    machine.message_with("You said: what did you do?");
    machine.until_quiet();
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("(“[[bash: echo x > x"));
    machine.message_with("Undone: ");
    assert!(!workspace.join("x").exists());
}

#[test]
fn an_undo_that_cannot_be_finished_loses_nothing() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("restore-write=return");
    let workspace = cloned(&machine);
    machine.ada_says(
        "[[bash: mkdir -p kept; echo a > kept/a; echo b > other; echo more >> README.md]] [[say: did it]]",
    );
    machine.message_with("3 files changed");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    let told = machine.message_with("Undone only in part");
    machine.until_quiet();
    // The message says how the files come back.
    let command = told
        .text
        .split("restores its files: ")
        .nth(1)
        .expect("a command");
    let command = command.lines().next().expect("a line");
    let ended = std::process::Command::new("sh")
        .args(["-c", command])
        .current_dir(&workspace)
        .status()
        .expect("a shell");
    assert!(ended.success(), "{command}");
    let of = |name: &str| std::fs::read_to_string(workspace.join(name)).expect("a file");
    assert_eq!((of("kept/a"), of("other")), ("a\n".into(), "b\n".into()));
    assert!(of("README.md").ends_with("more\n"));
}

#[test]
fn what_was_written_after_an_undo_that_failed_is_not_lost_by_the_next_one() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("restore-write=2*return");
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo more >> README.md; echo b > other]] [[say: did it]]");
    machine.message_with("2 files changed");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone only in part: ");
    machine.until_quiet();
    std::fs::write(workspace.join("other"), "an hour of work\n").expect("a file");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.nth_message_with("Undo takes the workspace back", 2));
    let undone = machine.message_with("Undone: the workspace is as it was");
    assert!(!workspace.join("other").exists());
    machine.ada_presses(&undone);
    machine.message_with("The undo is taken back");
    let other = std::fs::read_to_string(workspace.join("other")).expect("it is there");
    assert_eq!(other, "an hour of work\n");
}

#[test]
fn taking_an_undo_back_that_cannot_be_finished_leaves_what_the_undo_had_left() {
    let machine = Machine::new();
    // The undo writes twice, files with rules first.
    let _bot = machine.start_failing_at("restore-write=3*off->1*return");
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo more >> README.md; echo b > other]] [[say: did it]]");
    machine.message_with("2 files changed");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    let undone = machine.message_with("Undone: the workspace is as it was");
    machine.ada_presses(&undone);
    machine.message_with("The undo was not taken back");
    machine.until_quiet();
    let readme = || std::fs::read_to_string(workspace.join("README.md")).expect("a file");
    assert!(!readme().ends_with("more\n"));
    assert!(!workspace.join("other").exists());
    machine.ada_presses(&undone);
    machine.message_with("The undo is taken back");
    assert!(readme().ends_with("more\n"));
    assert!(workspace.join("other").exists());
}

#[test]
fn an_undo_of_a_workspace_that_has_no_repository_any_more_says_so_and_changes_nothing() {
    let machine = Machine::new();
    let _bot = machine.start();
    let workspace = cloned(&machine);
    machine.ada_says("[[bash: echo x > x]] [[say: did it]]");
    machine.message_with("+1 −0 x");
    machine.ada_says("/undo");
    let asked = machine.message_with("Undo takes the workspace back");
    std::fs::remove_dir_all(workspace.join(".git")).expect("it goes");
    machine.ada_presses(&asked);
    machine.message_with("It was not undone");
    assert!(workspace.join("x").exists());
}
