//! An undo loses nothing: whatever git thinks of a file, the bytes that it takes away come back with *Take the undo back*.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::Machine;
use crate::support::git::{git, repository};

struct Workspace {
    machine: Machine,
    folder: PathBuf,
    _bot: crate::support::Bot,
}

/// A session on a clone of a repository with one commit, with git's settings of a person.
fn with_settings(settings: &str) -> Workspace {
    on(Machine::new(), settings)
}

fn on(machine: Machine, settings: &str) -> Workspace {
    let config = machine.folder.path().join("gitconfig");
    fs::write(&config, settings).expect("settings");
    let machine = machine.with("GIT_CONFIG_GLOBAL", config.display().to_string());
    let project = repository(machine.folder.path());
    let bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    let mut workspaces = fs::read_dir(machine.data().join("workspaces")).expect("a folder");
    let folder = workspaces.next().expect("one").expect("a workspace").path();
    Workspace {
        machine,
        folder,
        _bot: bot,
    }
}

impl Workspace {
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn read(&self, name: &str) -> Option<String> {
        let bytes = fs::read(self.folder.join(name)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs this and waits until what it changed is measured.
    fn run(&self, script: &str) {
        self.machine
            .ada_says(&format!("[[bash: {script}]] [[say: did it]]"));
        self.machine.message_with("did it");
        self.machine.until_quiet();
    }

    fn undo(&self) {
        self.machine.ada_says("/undo");
        let asked = self.machine.message_with("Undo takes the workspace back");
        self.machine.ada_presses(&asked);
        self.machine.message_with("Undone");
        self.machine.until_quiet();
    }

    fn redo(&self) {
        self.machine
            .ada_presses(&self.machine.message_with("Undone"));
        self.machine.until("the redo is answered", || {
            let mut messages = self.machine.bot_messages().into_iter();
            messages
                .find(|message| {
                    message.text.starts_with("The undo is taken back")
                        || message.text.starts_with("The undo stays")
                })
                .map(drop)
        });
        self.machine.until_quiet();
    }
}

fn plain() -> Workspace {
    with_settings("[user]\nname=A\nemail=a@b\n")
}

#[test]
fn a_database_that_the_run_has_added_to_gitignore_comes_back_with_what_was_written_since() {
    let place = plain();
    place.write("data.db", "v1");
    place.run("echo data.db >> .gitignore; printf v2 > data.db");
    place.write("data.db", "v3, a week of work");
    place.undo();
    assert_eq!(place.read("data.db").as_deref(), Some("v1"));
    place.redo();
    assert_eq!(place.read("data.db").as_deref(), Some("v3, a week of work"));
}

#[test]
fn a_file_that_is_ignored_again_after_the_undo_is_not_written_over_by_taking_it_back() {
    let place = plain();
    place.write(".gitignore", ".env\n");
    place.write(".env", "SECRET=1");
    place.run("echo > .gitignore; printf SECRET=2 > .env");
    place.undo();
    assert_eq!(place.read(".gitignore").as_deref(), Some(".env\n"));
    place.write(".env", "SECRET=3");
    place.redo();
    place.machine.message_with("The undo stays");
    assert_eq!(place.read(".env").as_deref(), Some("SECRET=3"));
}

#[test]
fn ignored_files_in_a_folder_that_was_a_file_come_back() {
    let place = plain();
    place.write(".gitignore", "*.big\n");
    place.write("build", "a script");
    place.run("rm build; mkdir build; echo small > build/log; echo precious > build/result.big");
    place.undo();
    assert_eq!(place.read("build").as_deref(), Some("a script"));
    place.redo();
    assert_eq!(
        place.read("build/result.big").as_deref(),
        Some("precious\n")
    );
    assert_eq!(place.read("build/log").as_deref(), Some("small\n"));
}

#[test]
fn nothing_is_written_into_a_repository_that_the_run_has_made_of_a_folder() {
    let place = plain();
    place.write("sub/f1", "old");
    place.run(
        "cd sub; git init -q; git add f1; git -c user.name=A -c user.email=a@b commit -qm one; printf NEWWORK > f1; cd ..; echo x > y",
    );
    place.undo();
    assert_eq!(place.read("sub/f1").as_deref(), Some("NEWWORK"));
    assert_eq!(place.read("y"), None);
    place.machine.message_with("Undone, except");
}

/// A repository beside the workspaces, with a file `lib` in its one commit.
fn part(place: &Workspace) -> String {
    let part = place.machine.folder.path().join("part");
    fs::create_dir(&part).expect("a folder");
    git(&part, &["init", "--quiet"]);
    fs::write(part.join("lib"), "1").expect("a file");
    git(&part, &["add", "lib"]);
    git(&part, &["commit", "--quiet", "-m", "one"]);
    part.display().to_string()
}

#[test]
fn a_submodule_goes_back_and_comes_again_with_its_uncommitted_work_whatever_the_person_has_set() {
    let place = with_settings(
        "[user]\nname=A\nemail=a@b\n[submodule]\nrecurse=true\n[protocol \"file\"]\nallow=always\n",
    );
    let url = part(&place);
    git(
        &place.folder,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "add",
            "--quiet",
            &url,
            "part",
        ],
    );
    git(&place.folder, &["commit", "--quiet", "-m", "with a part"]);
    place.write("part/notes", "mine");
    place.run(
        "cd part; echo 2 > lib; git commit -qam two; rm notes; cd ..; git commit -qam bump; printf precious > part/lib; echo x > y",
    );
    place.undo();
    assert_eq!(place.read("part/lib").as_deref(), Some("1"));
    assert_eq!(place.read("part/notes").as_deref(), Some("mine"));
    assert_eq!(place.read("y"), None);
    place.redo();
    assert_eq!(place.read("part/lib").as_deref(), Some("precious"));
    assert_eq!(place.read("part/notes"), None);
    assert_eq!(place.read("y").as_deref(), Some("x\n"));
    let log = git(&place.folder.join("part"), &["log", "--format=%s"]);
    assert_eq!(log.trim(), "two\none");
}

#[test]
fn what_a_run_did_in_a_clone_inside_the_workspace_alone_can_be_undone() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "vendor/part"]);
    place.write("vendor/part/notes", "mine");
    place.run("cd vendor/part; printf 2 > lib; printf theirs > notes; git switch -qc fix; git add lib; git -c user.name=A -c user.email=a@b commit -qm two; git branch -qD main 2>/dev/null || git branch -qD master");
    place.machine.message_with("vendor/part/notes");
    place.undo();
    assert_eq!(place.read("vendor/part/lib").as_deref(), Some("1"));
    assert_eq!(place.read("vendor/part/notes").as_deref(), Some("mine"));
    let clone = place.folder.join("vendor/part");
    let branches = git(&clone, &["branch", "--format=%(refname:short)"]);
    assert!(!branches.contains("fix"), "{branches}");
    place.redo();
    assert_eq!(place.read("vendor/part/lib").as_deref(), Some("2"));
    assert_eq!(place.read("vendor/part/notes").as_deref(), Some("theirs"));
    assert_eq!(git(&clone, &["branch", "--show-current"]).trim(), "fix");
}

#[test]
fn what_the_second_run_did_in_a_clone_and_a_clone_in_that_can_be_undone() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "vendor/part"]);
    let clone = place.folder.join("vendor/part");
    git(&clone, &["clone", "--quiet", &url, "inner"]);
    place.write("vendor/part/notes", "mine");
    place.write("vendor/part/inner/notes", "mine too");
    place.run("echo x > y");
    place.machine.ada_says(
        "[[bash: cd vendor/part; printf 2 > notes; printf 2 > inner/notes]] [[say: did more]]",
    );
    place.machine.message_with("did more");
    place.machine.until_quiet();
    place
        .machine
        .message_with("In vendor/part/inner/: 1 file changed");
    place.undo();
    assert_eq!(place.read("vendor/part/notes").as_deref(), Some("mine"));
    assert_eq!(
        place.read("vendor/part/inner/notes").as_deref(),
        Some("mine too")
    );
    place.redo();
    assert_eq!(place.read("vendor/part/notes").as_deref(), Some("2"));
    assert_eq!(place.read("vendor/part/inner/notes").as_deref(), Some("2"));
}

#[test]
fn a_clone_that_the_run_made_plain_files_is_a_clone_again_and_taking_that_back_says_what_stays() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "part"]);
    place.run("rm -rf part/.git; printf 2 > part/lib; echo x > y");
    place.undo();
    assert_eq!(place.read("part/lib").as_deref(), Some("1"));
    let clone = place.folder.join("part");
    assert_eq!(git(&clone, &["log", "--format=%s"]).trim(), "one");
    place.redo();
    assert_eq!(place.read("y").as_deref(), Some("x\n"));
    let redone = place.machine.message_with("The undo is taken back, except");
    assert!(redone.text.contains("part"), "{}", redone.text);
}

#[test]
fn commits_of_a_shallow_clone_come_back_whatever_was_cleaned() {
    let place = plain();
    let part = PathBuf::from(part(&place));
    fs::write(part.join("lib"), "2").expect("a file");
    git(&part, &["commit", "--quiet", "-am", "two"]);
    let url = format!("file://{}", part.display());
    git(
        &place.folder,
        &["clone", "--quiet", "--depth=1", &url, "part"],
    );
    let clone = place.folder.join("part");
    fs::write(clone.join("lib"), "3").expect("a file");
    git(&clone, &["commit", "--quiet", "-am", "three"]);
    place.run("cd part; git reset -q --hard origin/HEAD; git reflog expire --expire=now --all; git gc -q --prune=now");
    place.undo();
    assert_eq!(place.read("part/lib").as_deref(), Some("3"));
    assert_eq!(git(&clone, &["log", "--format=%s"]).trim(), "three\ntwo");
    let store = store_of(&place).join("within/part/.git");
    git(&store, &["fsck", "--connectivity-only"]);
}

#[test]
fn a_shallow_clone_that_the_run_removed_is_a_shallow_clone_again() {
    let place = plain();
    let part = PathBuf::from(part(&place));
    fs::write(part.join("lib"), "2").expect("a file");
    git(&part, &["commit", "--quiet", "-am", "two"]);
    let url = format!("file://{}", part.display());
    git(
        &place.folder,
        &["clone", "--quiet", "--depth=1", &url, "part"],
    );
    place.run("rm -rf part; echo x > y");
    place.undo();
    let clone = place.folder.join("part");
    assert_eq!(git(&clone, &["log", "--format=%s"]).trim(), "two");
    git(&clone, &["gc", "--quiet"]);
}

#[test]
fn a_clone_whose_git_folder_the_run_half_removed_is_named_and_the_rest_goes_back() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "part"]);
    place.write("y", "1");
    place.run("rm -r part/.git/HEAD part/.git/objects; printf 2 > y");
    place.undo();
    assert_eq!(place.read("y").as_deref(), Some("1"));
    let undone = place.machine.message_with("Undone, except");
    assert!(undone.text.contains("part"), "{}", undone.text);
}

#[test]
fn a_tracked_file_that_is_ignored_and_was_away_for_a_run_is_kept_before_the_next_one() {
    let place = plain();
    place.write(".gitignore", "*.env\n");
    place.write("s.env", "1");
    git(&place.folder, &["add", "--force", "s.env", ".gitignore"]);
    git(&place.folder, &["commit", "--quiet", "-m", "in spite"]);
    place.run("rm s.env");
    place.write("s.env", "2");
    place
        .machine
        .ada_says("[[bash: printf 3 > s.env]] [[say: did more]]");
    place.machine.message_with("did more");
    place.machine.until_quiet();
    place.undo();
    assert_eq!(place.read("s.env").as_deref(), Some("2"));
}

#[test]
fn a_damaged_repository_inside_is_named_and_left_and_keeps_nothing_else_from_going_back() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "part"]);
    fs::write(place.folder.join("part/.git/HEAD"), "nonsense").expect("it is damaged");
    place.write("y", "1");
    place.run("printf 2 > y; printf 2 > part/lib");
    place.undo();
    assert_eq!(place.read("y").as_deref(), Some("1"));
    assert_eq!(place.read("part/lib").as_deref(), Some("2"));
    let undone = place.machine.message_with("Undone, except");
    assert!(undone.text.contains("part/lib"), "{}", undone.text);
}

#[test]
fn a_clone_that_the_run_removed_comes_back_with_its_commits_and_its_remote() {
    let place = plain();
    let url = part(&place);
    git(&place.folder, &["clone", "--quiet", &url, "part"]);
    place.write("part/lib", "not committed");
    place.run("rm -rf part; echo x > y");
    place.undo();
    assert_eq!(place.read("part/lib").as_deref(), Some("not committed"));
    let clone = place.folder.join("part");
    assert_eq!(git(&clone, &["log", "--format=%s"]).trim(), "one");
    assert_eq!(git(&clone, &["remote", "get-url", "origin"]).trim(), url);
}

#[test]
fn a_clone_that_the_run_made_stays_and_is_named() {
    let place = plain();
    let url = part(&place);
    place.run(&format!("git clone -q {url} part; echo x > y"));
    place.undo();
    assert_eq!(place.read("part/lib").as_deref(), Some("1"));
    assert_eq!(place.read("y"), None);
    place.machine.message_with("part/ stays, as it was cloned.");
}

#[test]
fn what_a_run_mended_in_what_it_had_cloned_goes_back_and_comes_again() {
    let place = plain();
    let url = part(&place);
    place.run(&format!(
        "git clone -q {url} part; cd part; git checkout -qb fix; echo mended > lib; git commit -qam mend; echo x > new"
    ));
    let asked = place.machine.message_with("part/: cloned, 2 files changed");
    assert!(asked.text.contains("1 commit ("), "{}", asked.text);
    place.undo();
    let clone = place.folder.join("part");
    assert_eq!(place.read("part/lib").as_deref(), Some("1"));
    assert_eq!(place.read("part/new"), None);
    assert_eq!(
        git(&clone, &["branch", "--format=%(refname:short)"]).trim(),
        "master"
    );
    assert_eq!(git(&clone, &["status", "--porcelain"]), "");
    place.redo();
    assert_eq!(place.read("part/lib").as_deref(), Some("mended\n"));
    assert_eq!(place.read("part/new").as_deref(), Some("x\n"));
    assert_eq!(git(&clone, &["branch", "--show-current"]).trim(), "fix");
}

#[test]
fn filters_that_do_not_reverse_and_line_ends_change_no_byte() {
    let place = with_settings(
        "[user]\nname=A\nemail=a@b\n[filter \"strip\"]\nclean=grep -v output\nsmudge=cat\n[core]\nautocrlf=input\n",
    );
    place.write(".gitattributes", "*.ipynb filter=strip\n* text=auto\n");
    place.write("a.ipynb", "cell\noutput 1\n");
    place.write("run.bat", "one\r\ntwo\r\n");
    place.write("mixed.txt", "one\r\ntwo\n");
    git(&place.folder, &["add", "--all"]);
    git(&place.folder, &["commit", "--quiet", "-m", "all"]);
    place.run("printf 'cell\\noutput 2\\n' > a.ipynb; printf 'three\\r\\n' >> run.bat; printf 'three\\n' >> mixed.txt");
    place.undo();
    assert_eq!(place.read("a.ipynb").as_deref(), Some("cell\noutput 1\n"));
    assert_eq!(place.read("run.bat").as_deref(), Some("one\r\ntwo\r\n"));
    assert_eq!(place.read("mixed.txt").as_deref(), Some("one\r\ntwo\n"));
    place.redo();
    assert_eq!(place.read("a.ipynb").as_deref(), Some("cell\noutput 2\n"));
    assert_eq!(
        place.read("run.bat").as_deref(),
        Some("one\r\ntwo\r\nthree\r\n")
    );
    assert_eq!(
        place.read("mixed.txt").as_deref(),
        Some("one\r\ntwo\nthree\n")
    );
}

#[test]
fn in_a_large_repository_too_every_byte_is_the_one_on_the_disk() {
    let place = plain();
    let git = |arguments: &[&str]| git(&place.folder, arguments);
    for number in 0..2_100 {
        place.write(&format!("many/{number}"), "x\n");
    }
    // Line ends that git converts now, and some that it converted before.
    place.write(".gitattributes", "*.bat text eol=crlf\n*.old text\n");
    place.write("now.bat", "one\r\ntwo\r\n");
    place.write("then.old", "one\r\ntwo\r\n");
    place.write("hidden", "1\n");
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "all"]);
    place.write(".gitattributes", "*.bat text eol=crlf\n");
    git(&["update-index", "--assume-unchanged", "hidden"]);
    place.write("hidden", "2\n");
    place.run("echo three > now.bat; echo three > then.old; echo 3 > hidden; echo y > many/7");
    place.undo();
    assert_eq!(place.read("now.bat").as_deref(), Some("one\r\ntwo\r\n"));
    assert_eq!(place.read("then.old").as_deref(), Some("one\r\ntwo\r\n"));
    assert_eq!(place.read("hidden").as_deref(), Some("2\n"));
    assert_eq!(place.read("many/7").as_deref(), Some("x\n"));
}

#[test]
fn a_hard_reset_and_a_cleaning_in_the_run_take_no_commit_from_the_undo() {
    let place = plain();
    place.write("work", "committed");
    git(&place.folder, &["add", "work"]);
    git(&place.folder, &["commit", "--quiet", "-m", "work"]);
    let head = git(&place.folder, &["rev-parse", "HEAD"]);
    place.run(
        "git reset -q --hard HEAD~1; git reflog expire --expire=now --expire-unreachable=now --all; git gc -q --prune=now; echo x > y",
    );
    assert_eq!(place.read("work"), None);
    place.undo();
    assert_eq!(place.read("work").as_deref(), Some("committed"));
    assert_eq!(git(&place.folder, &["rev-parse", "HEAD"]), head);
    git(&place.folder, &["fsck", "--strict"]);
}

#[test]
fn branches_and_a_stash_that_the_run_took_away_come_back_whatever_was_cleaned() {
    let place = plain();
    let git = |arguments: &[&str]| git(&place.folder, arguments);
    git(&["switch", "--quiet", "--create", "feature"]);
    place.write("feature", "unmerged work");
    git(&["add", "feature"]);
    git(&["commit", "--quiet", "-m", "unmerged"]);
    git(&["switch", "--quiet", "-"]);
    place.write("README.md", "stashed\n");
    git(&["stash", "--quiet"]);
    place.run(
        "git branch -q -D feature; git stash drop -q; git reflog expire --expire=now --expire-unreachable=now --all; git gc -q --prune=now; git branch new; echo x > y",
    );
    place.undo();
    assert_eq!(git(&["show", "feature:feature"]), "unmerged work");
    assert_eq!(git(&["branch", "--list", "new"]), "");
    assert_eq!(git(&["show", "stash@{0}:README.md"]), "stashed");
    git(&["fsck", "--strict"]);
    place.redo();
    assert_eq!(git(&["branch", "--list", "feature"]), "");
    assert_ne!(git(&["branch", "--list", "new"]), "");
    assert_eq!(git(&["stash", "list"]), "");
}

#[test]
fn files_that_only_the_run_ignored_are_not_told_as_deleted() {
    let place = plain();
    for number in 0..30 {
        place.write(&format!("node_modules/f{number}.js"), "x\n");
    }
    place.run("echo node_modules > .gitignore");
    let evidence = place.machine.message_with("1 file changed, +1 −0");
    assert!(
        !evidence.text.contains("node_modules/"),
        "{}",
        evidence.text
    );
}

#[test]
fn nothing_is_left_in_the_persons_repository() {
    let place = plain();
    let objects = || objects_in(&place.folder.join(".git/objects"));
    place.write("big", "x".repeat(3_000_000));
    let before = objects();
    place.run("echo more >> big; echo new > new");
    place.undo();
    assert_eq!(objects(), before);
    assert_eq!(git(&place.folder, &["for-each-ref", "refs/telecoder/"]), "");
}

fn objects_in(folder: &Path) -> usize {
    let listed = std::process::Command::new("find")
        .arg(folder)
        .args(["-type", "f"])
        .output()
        .expect("find");
    String::from_utf8_lossy(&listed.stdout).lines().count()
}

#[test]
fn rights_of_a_file_stay_its_own() {
    let place = plain();
    place.write("secret", "1");
    let path = place.folder.join("secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("rights");
    place.run("echo 2 > secret");
    place.undo();
    assert_eq!(place.read("secret").as_deref(), Some("1"));
    let mode = path.metadata().expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_large_file_is_named_and_never_read_and_stays_where_it_is() {
    let machine = Machine::new().with("TELECODER_SNAPSHOT_FILE_MAX", "1");
    let place = on(machine, "[user]\nname=A\nemail=a@b\n");
    place.write("model.bin", vec![7; 2_000_000]);
    place.run("echo x > y; echo more >> model.bin");
    let evidence = place.machine.message_with("2 files changed, +1 −0");
    assert!(
        evidence
            .text
            .contains("model.bin is larger than TELECODER_SNAPSHOT_FILE_MAX"),
        "{}",
        evidence.text
    );
    place.undo();
    place.machine.message_with("Undone, except model.bin");
    assert_eq!(place.read("y"), None);
    let size = place
        .folder
        .join("model.bin")
        .metadata()
        .expect("it stays")
        .len();
    assert_eq!(size, 2_000_005);
    let store = place.machine.data().join("snapshots");
    let kept = std::process::Command::new("du")
        .arg("-sk")
        .arg(store)
        .output();
    let kept = String::from_utf8_lossy(&kept.expect("du").stdout).into_owned();
    let kept: u64 = kept
        .split_whitespace()
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    assert!(kept < 1_000, "{kept} KiB");
}

#[test]
fn a_snapshot_that_an_earlier_telecoder_left_in_the_repository_is_taken_over() {
    let place = plain();
    place.write("mine", "1");
    let git = |arguments: &[&str]| git(&place.folder, arguments);
    git(&["add", "mine"]);
    git(&["commit", "--quiet", "-m", "mine"]);
    place.run("echo 2 > mine");
    // As an earlier one made it: a commit on the one that was checked out, with the branch in its message.
    let runs = place.machine.data().join("runs");
    let run = fs::read_dir(runs)
        .expect("runs")
        .flatten()
        .next()
        .expect("a run");
    let run = run.file_name().to_string_lossy().into_owned();
    let branch = git(&["branch", "--show-current"]);
    let message = format!("What the workspace was\n\nbranch: {branch}\n");
    let commit = git(&["commit-tree", "HEAD^{tree}", "-m", &message, "-p", "HEAD"]);
    let name = format!("refs/telecoder/{run}/before");
    git(&["update-ref", &name, &commit]);
    let head = git(&["rev-parse", "HEAD"]);
    place.undo();
    assert_eq!(place.read("mine").as_deref(), Some("1"));
    assert_eq!(git(&["rev-parse", "HEAD"]), head);
    assert_eq!(git(&["for-each-ref", "refs/telecoder/"]), "");
}

#[test]
fn a_file_that_was_for_its_owner_alone_is_so_again_and_an_empty_folder_is_there_again() {
    let place = plain();
    place.write("key", "secret");
    let key = place.folder.join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("rights");
    place.write("open", "for all");
    let open = place.folder.join("open");
    fs::create_dir_all(place.folder.join("spool/in")).expect("a folder");
    // git sees of a file's times the seconds alone.
    place.run("sleep 1.1; rm -r key spool; chmod 600 open; mkdir made; echo x > y");
    let mode = |path: &Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    place.undo();
    assert_eq!(mode(&key), 0o600);
    assert_ne!(mode(&open), 0o600);
    assert!(place.folder.join("spool/in").is_dir());
    assert!(!place.folder.join("made").exists());
    place.redo();
    assert!(!key.exists());
    assert_eq!(mode(&open), 0o600);
    assert!(!place.folder.join("spool").exists());
    assert!(place.folder.join("made").is_dir());
}

#[test]
fn snapshots_of_many_small_files_are_packed_and_can_still_be_gone_back_to() {
    let place = plain();
    for number in 0..12_000 {
        place.write(&format!("d{}/{number}", number % 50), number.to_string());
    }
    place.run("rm -r d7; echo x > y");
    let store = store_of(&place);
    assert!(store.join("objects/17").exists());
    let Workspace {
        machine,
        folder,
        _bot: bot,
    } = place;
    bot.kill();
    let bot = machine.start();
    machine.until("they are packed", || {
        (!store.join("objects/17").exists()).then_some(())
    });
    let place = Workspace {
        machine,
        folder,
        _bot: bot,
    };
    place.undo();
    assert_eq!(place.read("d7/57").as_deref(), Some("57"));
}

/// The folder of the workspace's snapshots.
fn store_of(place: &Workspace) -> PathBuf {
    let stores = fs::read_dir(place.machine.data().join("snapshots"));
    let mut stores = stores.expect("a folder").flatten();
    stores.next().expect("those of the workspace").path()
}
