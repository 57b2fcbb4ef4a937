//! `/push`, automatic pushes, and hosts that refuse.

use crate::support::git::{git, hook, host};
use crate::support::{ADA, Machine, processes};

const COMMIT: &str = "git -c user.name=A -c user.email=a@b commit -qm";

fn session_with_a_commit(machine: &Machine, url: &str) {
    machine.ada_says(&format!("/new {url}"));
    machine.message_with("is cloned");
    machine.ada_says(&format!(
        "[[bash: echo x > x; git add x; {COMMIT} 'add x']] [[say: committed]]"
    ));
    machine.message_with("1 commit is on no remote branch that is known here (/push)");
}

#[test]
fn push_sends_the_branch_and_answers_with_the_hosts_link() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    hook(
        &host,
        "post-receive",
        "echo; echo \"Create a pull request for 'x' on GitHub by visiting:\"; \
         echo '     https://example.org/o/r/pull/new/x'; echo",
    );
    let _bot = machine.start();
    session_with_a_commit(&machine, &format!("file://{}", host.display()));
    machine.ada_says("/push");
    let pushed =
        machine.message_with(" is pushed. For a pull request: https://example.org/o/r/pull/new/x");
    assert!(pushed.text.starts_with("telecoder/"), "{}", pushed.text);
    let branches = git(
        &host,
        &["branch", "--list", "telecoder/*", "--format=%(subject)"],
    );
    assert_eq!(branches, "add x");
    machine.ada_says("/push");
    machine.message_with("were pushed already.");
}

#[test]
fn a_refused_push_is_told_in_gits_words_and_nothing_is_forced() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    hook(
        &host,
        "pre-receive",
        "echo 'Signed commits only, please.'; exit 1",
    );
    let _bot = machine.start();
    session_with_a_commit(&machine, &format!("file://{}", host.display()));
    machine.ada_says("/push");
    let refused =
        machine.message_with("It was not pushed: git refused, in these words. Nothing was forced");
    assert!(
        refused.text.contains("Signed commits only, please."),
        "{}",
        refused.text
    );
    assert!(!refused.silent);
    assert_eq!(git(&host, &["branch", "--list", "telecoder/*"]), "");
}

#[test]
fn a_branch_that_went_on_elsewhere_is_not_overwritten() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{} shared", host.display()));
    machine.message_with("on branch shared.");
    machine.ada_says(&format!(
        "[[bash: echo x > x; git add x; {COMMIT} mine]] [[say: mine]]"
    ));
    machine.message_with("1 commit is on no remote branch");
    let elsewhere = machine.folder.path().join("elsewhere");
    git(
        machine.folder.path(),
        &["clone", "--quiet", &host.display().to_string(), "elsewhere"],
    );
    git(&elsewhere, &["switch", "--quiet", "-c", "shared"]);
    git(
        &elsewhere,
        &["commit", "--quiet", "--allow-empty", "--message", "theirs"],
    );
    git(&elsewhere, &["push", "--quiet", "origin", "shared"]);
    machine.ada_says("/push");
    let refused = machine.message_with("It was not pushed: git refused, in these words");
    assert!(refused.text.contains("rejected"), "{}", refused.text);
    assert_eq!(
        git(&host, &["log", "-1", "--format=%s", "shared"]),
        "theirs"
    );
}

#[test]
fn what_cannot_be_pushed_is_told_why() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/push");
    machine.message_with("There is no workspace yet");
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/push");
    machine.message_with("It was not pushed: there is no commit yet.");
    machine.ada_says(&format!(
        "[[bash: echo x > x; git add x; {COMMIT} x]] [[say: one]]"
    ));
    machine.message_with("1 commit (");
    machine.ada_says("/push");
    machine.message_with("It was not pushed: the repository has no remote to push to.");
    machine.ada_says("[[bash: git checkout -q --detach]] [[say: two]]");
    machine.message_with("two");
    machine.ada_says("/push");
    machine.message_with("the workspace is on no branch");
}

#[test]
fn a_push_that_hangs_can_be_stopped() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    hook(&host, "pre-receive", "sleep 45611");
    let _bot = machine.start();
    session_with_a_commit(&machine, &format!("file://{}", host.display()));
    machine.ada_says("/push");
    let live = machine.message_with("Pushing · ");
    machine.ada_presses(&live);
    machine.message_with("The push was stopped.");
    machine.until("nobody is left", || {
        processes::with_word("45611").is_empty().then_some(())
    });
}

#[test]
fn a_green_run_is_pushed_by_itself_where_that_is_set_and_a_red_one_is_not() {
    let machine = Machine::new()
        .with("TELECODER_AUTO_PUSH", "true")
        .with("TELECODER_TEST_CMD", "test ! -e broken");
    let host = host(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", host.display()));
    machine.message_with("is cloned");
    machine.ada_says(&format!(
        "[[bash: touch broken; git add broken; {COMMIT} red]] [[say: red]]"
    ));
    machine.message_with("✗ Tests");
    assert_eq!(git(&host, &["branch", "--list", "telecoder/*"]), "");
    machine.ada_says(&format!(
        "[[bash: git rm -q broken; {COMMIT} green]] [[say: green]]"
    ));
    let evidence = machine.message_with("✓ Tests");
    assert!(
        evidence.text.contains("nothing to push\nPushed."),
        "{}",
        evidence.text
    );
    let branches = git(
        &host,
        &["branch", "--list", "telecoder/*", "--format=%(subject)"],
    );
    assert_eq!(branches, "green");
    hook(&host, "pre-receive", "echo 'no more'; exit 1");
    machine.ada_says(&format!(
        "[[bash: echo x > more; git add more; {COMMIT} more]] [[say: more]]"
    ));
    let refused = machine.message_with("The push was refused, and nothing was forced.");
    assert!(refused.text.contains("no more"), "{}", refused.text);
}

#[test]
fn ssh_works_as_the_person_has_it() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    // What ssh does with what git gives it, without the network.
    let ssh = machine.script(
        "ssh-like",
        r#"for last; do :; done; case "$*" in *example.org*) exec sh -c "$last";; *) exit 255;; esac"#,
    );
    // In the person's own settings, where a deploy key is mostly named.
    let settings = machine.folder.path().join("gitconfig");
    std::fs::write(
        &settings,
        format!("[core]\nsshCommand = {}\n", ssh.display()),
    )
    .expect("a file");
    let machine = machine.with("GIT_CONFIG_GLOBAL", settings.display().to_string());
    let _bot = machine.start();
    session_with_a_commit(&machine, &format!("git@example.org:{}", host.display()));
    machine.ada_says("/push");
    machine.message_with(" is pushed.");
    assert_eq!(
        git(
            &host,
            &["branch", "--list", "telecoder/*", "--format=%(subject)"]
        ),
        "add x"
    );
}

#[test]
fn what_is_pushed_of_several_repositories_is_asked_and_the_rest_is_told() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    let _bot = machine.start();
    let commit = "git -c user.name=A -c user.email=a@b commit -qam";
    machine.ada_says(&format!(
        "[[bash: for name in app lib; do git clone -q {0} $name; done; cd app; echo x >> README.md; {commit} one; \
         echo y >> README.md]] [[say: app is done]]",
        host.display()
    ));
    machine.message_with("In app/: cloned");
    machine.ada_says("/push");
    // Only one has something to push.
    machine.message_with("main in app is pushed. 1 change is not committed, so it was not pushed.");
    machine.ada_says(&format!(
        "[[bash: cd app; {commit} two; cd ../lib; git checkout -qb side; echo x >> README.md; {commit} three]] \
         [[say: both are done]]"
    ));
    machine.message_with("In lib/: 1 file changed");
    machine.ada_says("/push");
    let which = machine.message_with("Several repositories have commits");
    assert!(
        which.text.contains("app: 1 commit\nlib: 1 commit"),
        "{}",
        which.text
    );
    machine.press(ADA, &which, "lib");
    machine.message_with("side in lib is pushed.");
    assert_eq!(git(&host, &["log", "-1", "--format=%s", "side"]), "three");
    assert_eq!(git(&host, &["log", "-1", "--format=%s", "main"]), "one");
}

#[test]
fn what_a_clone_of_one_branch_has_pushed_is_not_called_unpushed() {
    let machine = Machine::new();
    let host = host(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!(
        "[[bash: git clone -q --depth=1 file://{} lib; cd lib; git checkout -qb side; echo x >> README.md; \
         git -c user.name=A -c user.email=a@b commit -qam one]] [[say: done]]",
        host.display()
    ));
    machine
        .message_with("branch side · 1 commit is on no remote branch that is known here (/push)");
    machine.ada_says("/push");
    machine.message_with("side in lib is pushed.");
    machine.ada_says("[[bash: echo more >> lib/README.md]] [[say: more]]");
    machine.message_with("In lib/: 1 file changed, +1 −0 · branch side · nothing to push");
    machine.ada_says("/push");
    machine
        .message_with("All commits on side in lib were pushed already. 1 change is not committed");
}
