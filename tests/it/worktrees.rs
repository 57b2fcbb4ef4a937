//! Workspaces from repositories that are not as expected, and what a new worktree gets beside its commit.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::Machine;
use crate::support::git::{git, hook, repository};

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("its folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn commit_all(project: &Path) {
    git(project, &["add", "."]);
    git(project, &["commit", "--quiet", "--message", "all"]);
}

/// The newest session's workspace.
fn workspace(machine: &Machine) -> PathBuf {
    let path = machine.database().query_row(
        "SELECT workspace FROM sessions ORDER BY created_at DESC, rowid DESC LIMIT 1",
        [],
        |row| row.get::<_, String>(0),
    );
    PathBuf::from(path.expect("a session"))
}

/// A machine whose git does something else first; `lines` may end the script.
fn with_git(machine: Machine, lines: &str) -> Machine {
    let real_path = machine.environment["PATH"].clone();
    let program = machine.script(
        "git",
        &format!("{lines}\nexec /usr/bin/env PATH=\"$REAL_PATH\" git \"$@\""),
    );
    let folder = program.parent().expect("its folder").display().to_string();
    machine
        .with("PATH", format!("{folder}:{real_path}"))
        .with("REAL_PATH", real_path)
}

#[test]
fn what_worktreeinclude_names_is_copied_into_a_new_worktree() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    write(
        &project.join(".gitignore"),
        ".env*\nsecrets/\n/link\n*.pem\n",
    );
    write(
        &project.join(".worktreeinclude"),
        "# for each worktree\n.env*\n!.env.other\n**/keys/\n/link\nuntracked.txt\nREADME.md\n",
    );
    commit_all(&project);
    write(&project.join(".env"), "KEY=1\n");
    std::fs::set_permissions(project.join(".env"), std::fs::Permissions::from_mode(0o640))
        .expect("its rights");
    write(&project.join(".env.other"), "not named\n");
    write(&project.join("secrets/keys/a.key"), "a\n");
    write(&project.join("secrets/other"), "not named\n");
    write(&project.join("x.pem"), "not named\n");
    write(&project.join("untracked.txt"), "not ignored\n");
    write(&project.join("README.md"), "changed, and tracked\n");
    symlink("/etc/hostname", project.join("link")).expect("a link");
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    let ready = machine.message_with("The worktree of ");
    assert!(
        ready.text.contains(
            "Copied from there, as .worktreeinclude says: .env, link, secrets/keys/a.key."
        ),
        "{}",
        ready.text
    );
    let made = workspace(&machine);
    assert_eq!(
        std::fs::read_to_string(made.join(".env")).expect("it is there"),
        "KEY=1\n"
    );
    let rights = std::fs::metadata(made.join(".env")).expect("it is there");
    assert_eq!(rights.permissions().mode() & 0o777, 0o640);
    assert_eq!(
        std::fs::read_link(made.join("link")).expect("a link as it was"),
        Path::new("/etc/hostname")
    );
    assert!(made.join("secrets/keys/a.key").is_file());
    for left in [".env.other", "secrets/other", "x.pem", "untracked.txt"] {
        assert!(!made.join(left).exists(), "{left}");
    }
    assert_eq!(
        std::fs::read_to_string(made.join("README.md")).expect("it is there"),
        "# Project\n"
    );
    assert_eq!(git(&made, &["status", "--porcelain"]), "");
}

#[test]
fn what_worktreeinclude_cannot_have_copied_is_told() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    write(&project.join(".gitignore"), "*.local\npipe\nclone/\nhuge\n");
    write(
        &project.join(".worktreeinclude"),
        "*.local\npipe\nclone\nhuge\n",
    );
    commit_all(&project);
    // On this branch a link leads out of the repository, where the checkout has a folder.
    git(&project, &["switch", "--quiet", "-c", "trap"]);
    let outside = machine.folder.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    symlink(&outside, project.join("config")).expect("a link");
    commit_all(&project);
    git(&project, &["switch", "--quiet", "main"]);
    write(&project.join("config/x.local"), "secret\n");
    write(&project.join("y.local"), "fine\n");
    let huge = std::fs::File::create(project.join("huge")).expect("a file");
    huge.set_len(1_000_000_001).expect("it has holes");
    std::fs::create_dir(project.join("clone")).expect("a folder");
    git(&project.join("clone"), &["init", "--quiet"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    let ready = machine.message_with("The worktree of ");
    for said in [
        "as .worktreeinclude says: config/x.local, y.local.",
        "was not copied completely: ",
        "huge (all together would be more than 1000 MB)",
    ] {
        assert!(ready.text.contains(said), "{}", ready.text);
    }
    machine.ada_says(&format!("/new {} trap", project.display()));
    machine.message_with("on branch trap.");
    let left = std::fs::read_dir(&outside).expect("a folder").count();
    assert_eq!(left, 0, "nothing leaves the worktree");
}

#[test]
fn a_post_checkout_hook_that_fails_is_a_remark() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let fails =
        "echo 'This repository needs git-lfs, which was not found on your path' >&2; exit 2";
    hook(&project.join(".git"), "post-checkout", fails);
    let template = machine.folder.path().join("template");
    hook(&template, "post-checkout", fails);
    let machine = machine.with("GIT_TEMPLATE_DIR", template.display().to_string());
    let _bot = machine.start();
    for (named, said) in [
        (project.display().to_string(), "The worktree of "),
        (format!("file://{}", project.display()), "is cloned"),
    ] {
        machine.ada_says(&format!("/new {named}"));
        let ready = machine.message_with(said);
        for part in [
            "Its hook post-checkout failed, in these words; all files are there.",
            "This repository needs git-lfs",
        ] {
            assert!(ready.text.contains(part), "{}", ready.text);
        }
        assert!(workspace(&machine).join("README.md").is_file());
    }
    machine.ada_says("[[bash: git status --short; git branch --show-current]] [[say: looked]]");
    machine.message_with("looked");
}

#[test]
fn a_checkout_that_stops_half_way_is_no_workspace() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    write(&project.join(".gitattributes"), "*.x filter=odd\n");
    write(&project.join("a.x"), "a\n");
    commit_all(&project);
    git(&project, &["config", "filter.odd.smudge", "false"]);
    git(&project, &["config", "filter.odd.required", "true"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    let told = machine.message_with("No worktree of ");
    assert!(
        told.text.contains("smudge filter odd failed"),
        "{}",
        told.text
    );
    machine.until_quiet();
    assert_eq!(git(&project, &["branch", "--list", "telecoder/*"]), "");
}

#[test]
fn without_git_lfs_large_files_stay_pointers_that_git_can_live_with() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    write(
        &project.join(".gitattributes"),
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    write(
        &project.join("large.bin"),
        "version https://git-lfs.github.com/spec/v1\n",
    );
    commit_all(&project);
    let settings = machine.folder.path().join("gitconfig");
    write(
        &settings,
        "[filter \"lfs\"]\n clean = git-lfs-gone clean -- %f\n smudge = git-lfs-gone smudge -- %f\n process = \
         git-lfs-gone filter-process\n required = true\n[user]\n name = Ada\n email = ada@example.org\n",
    );
    // As where git-lfs was installed for somebody else.
    let machine = with_git(machine, "case \"$*\" in *'lfs version') exit 1;; esac")
        .with("GIT_CONFIG_GLOBAL", settings.display().to_string());
    let _bot = machine.start();
    for (number, named) in [
        project.display().to_string(),
        format!("file://{}", project.display()),
    ]
    .into_iter()
    .enumerate()
    {
        machine.ada_says(&format!("/new {named}"));
        machine.nth_message_with("1 file is in Git LFS and only a pointer here", number + 1);
        machine.ada_says(&format!(
            "[[bash: git status --short && echo fine > {number}.txt]] [[say: looked {number}]]"
        ));
        machine.message_with(&format!("looked {number}"));
        assert!(
            workspace(&machine).join(format!("{number}.txt")).is_file(),
            "git status works there"
        );
    }
}

#[test]
fn a_branch_called_like_the_prefix_is_not_in_the_way() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    git(&project, &["branch", "telecoder"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("on branch telecoder-");
    let name = workspace(&machine);
    let name = name
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned, on branch telecoder-");
    machine.ada_says(&format!("/new {} telecoder/mine", project.display()));
    machine.message_with("git cannot have a branch telecoder/mine beside the branch telecoder;");
    machine.until_quiet();
    let (code, said) = machine.run_to_its_end(&["session", "delete", &name]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(git(&project, &["branch", "--list", "telecoder-*"]), "");
}

#[test]
fn a_head_that_names_no_branch_is_begun_from_elsewhere() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let first = git(&project, &["rev-parse", "HEAD"]);
    git(
        &project,
        &["commit", "--quiet", "--allow-empty", "--message", "second"],
    );
    git(&project, &["branch", "other"]);
    git(&project, &["symbolic-ref", "HEAD", "refs/heads/gone"]);
    let _bot = machine.start();
    let said = "The repository's HEAD names no branch that exists, so this begins at main.";
    for (number, named) in [
        project.display().to_string(),
        format!("file://{}", project.display()),
    ]
    .into_iter()
    .enumerate()
    {
        machine.ada_says(&format!("/new {named}"));
        machine.nth_message_with(said, number + 1);
        assert_eq!(
            git(&workspace(&machine), &["log", "-1", "--format=%s"]),
            "second"
        );
    }
    // And a HEAD at a commit that no branch has.
    git(&project, &["update-ref", "refs/heads/main", &first]);
    git(&project, &["switch", "--quiet", "--detach", "other"]);
    git(&project, &["branch", "-D", "other"]);
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.nth_message_with("is cloned", 2);
    assert_eq!(
        git(&workspace(&machine), &["log", "-1", "--format=%s"]),
        "second"
    );
}

#[test]
fn a_repository_without_commits_needs_no_new_git() {
    let machine = Machine::new();
    let empty = machine.folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    git(&empty, &["init", "--quiet", "--initial-branch=main"]);
    // As git 2.39 does.
    let machine = with_git(
        machine,
        "case \" $* \" in *' --orphan '*) echo \"error: unknown option \\`orphan'\" >&2; exit 129;; esac",
    );
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", empty.display()));
    machine.message_with("The worktree of ");
    machine.ada_says(
        "[[bash: echo a > a.txt; git add .; git -c user.name=A -c user.email=a@b commit -qm first]] [[say: did it]]",
    );
    machine.message_with("1 commit");
    let made = workspace(&machine);
    assert_eq!(git(&made, &["log", "--format=%s"]), "first");
    assert!(git(&made, &["branch", "--show-current"]).starts_with("telecoder/"));
    assert_eq!(git(&empty, &["branch", "--show-current"]), "main");
}

#[test]
fn a_shallow_repository_and_one_with_long_names_can_be_cloned() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    git(
        &project,
        &["commit", "--quiet", "--allow-empty", "--message", "second"],
    );
    let shallow = machine.folder.path().join("shallow");
    let from = format!("file://{}", project.display());
    let to = shallow.display().to_string();
    git(&project, &["clone", "--quiet", "--depth=1", &from, &to]);
    let long = machine.folder.path().join("long");
    std::fs::create_dir(&long).expect("a folder");
    git(
        &long,
        &[
            "init",
            "--quiet",
            "--initial-branch=main",
            "--object-format=sha256",
        ],
    );
    write(&long.join("long.txt"), "long\n");
    commit_all(&long);
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", shallow.display()));
    machine.message_with("shallow is cloned, on branch telecoder/");
    machine.ada_says("[[bash: echo more >> README.md]] [[say: in the shallow one]]");
    machine.message_with("+1 −0 README.md");
    machine.ada_says(&format!("/new file://{}", long.display()));
    machine.message_with("long is cloned, on branch telecoder/");
    assert!(workspace(&machine).join("long.txt").is_file());
}

#[test]
fn a_branch_named_for_an_empty_workspace_is_the_one_it_has() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/new - feature");
    machine.message_with("The workspace is empty, on branch feature.");
    let head = git(&workspace(&machine), &["symbolic-ref", "HEAD"]);
    assert_eq!(head, "refs/heads/feature");
    machine.ada_says("/new -");
    machine.message_with("The workspace is empty, on branch main.");
    let (code, said) = machine.run_to_its_end(&["session", "create", "--branch", "from-a-shell"]);
    assert_eq!(code, Some(0), "{said}");
    let head = git(&workspace(&machine), &["symbolic-ref", "HEAD"]);
    assert_eq!(head, "refs/heads/from-a-shell");
}

#[test]
fn a_folder_within_a_repository_is_told_from_one_without() {
    let machine = Machine::new().with("LANGUAGE", "de");
    let project = repository(machine.folder.path());
    write(&project.join("sub/file"), "x");
    let plain = machine.folder.path().join("plain");
    std::fs::create_dir(&plain).expect("a folder");
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.join("sub").display()));
    machine.message_with(&format!(
        "that folder is only a part of the git repository {}; name that one",
        project.display()
    ));
    machine.ada_says(&format!("/new {}", plain.display()));
    machine.message_with("that folder is not a git repository");
}
