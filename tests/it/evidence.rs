//! Evidence after a run: what changed, what the checks say, and when the answer disagrees.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::git::{git, repository};
use crate::support::{Machine, processes};

/// A machine whose sessions are checked with these commands.
fn machine_with(test: &str, lint: &str) -> Machine {
    Machine::new()
        .with("TELECODER_TEST_CMD", test)
        .with("TELECODER_LINT_CMD", lint)
}

/// The workspace of the machine's only session.
fn workspace(machine: &Machine) -> PathBuf {
    machine.until("a workspace", || {
        std::fs::read_dir(machine.data().join("workspaces"))
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| !path.to_string_lossy().contains("/.cloning-"))
    })
}

#[test]
fn a_run_that_changed_something_is_followed_by_what_git_and_the_checks_say() {
    let machine = machine_with(
        "echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out'",
        "true",
    );
    let _bot = machine.start();
    machine.ada_says("[[bash: printf 'a\\nb\\n' > new.txt]] [[say: I made it.]]");
    let answer = machine.message_with("I made it.");
    let evidence = machine.message_with("Tests: ");
    assert_eq!(
        evidence.text.lines().take(4).collect::<Vec<_>>(),
        [
            "✓ Tests: 3 passed, 1 skipped · 0 s",
            "✓ Lint · 0 s",
            "1 file changed, +2 −0",
            "Branch main",
        ]
    );
    assert!(evidence.text.contains("+2 −0 new.txt"), "{}", evidence.text);
    assert!(evidence.silent, "what is green does not ring");
    assert_eq!(
        evidence.reply_to,
        Some(answer.id.into()),
        "it replies to the answer"
    );
    assert!(evidence.buttons.is_empty());
}

#[test]
fn a_question_that_changes_nothing_is_not_followed_by_anything() {
    let machine = machine_with("false", "false");
    let _bot = machine.start();
    machine.ada_says("what is this?");
    machine.message_with("You said: what is this?");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1);
}

#[test]
fn red_checks_ring_show_the_last_lines_and_go_back_to_claude_at_a_press() {
    let machine = machine_with(
        "echo '--- FAIL: TestSum'; echo 'sum: got 3, want 4'; echo '1 passed, 2 failed'; exit 3",
        "true",
    );
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > new.txt]] [[say: Fixed the sum. All tests pass.]]");
    let evidence = machine.message_with("✗ Tests: 2 of 3 failed");
    assert!(!evidence.silent, "what is red rings");
    assert!(
        evidence.text.contains("Claude did not run “echo '--- FAIL"),
        "{}",
        evidence.text
    );
    assert!(
        evidence.text.contains("sum: got 3, want 4"),
        "{}",
        evidence.text
    );
    assert_eq!(evidence.buttons[0].0, "Fix it");

    machine.ada_presses(&evidence);
    machine.until_toast("The failures go to claude.");
    let again = machine.message_with("You said: These checks fail in the workspace as it is now:");
    assert!(
        again.text.contains("$ echo '--- FAIL: TestSum'"),
        "{}",
        again.text
    );
    assert!(again.text.contains("sum: got 3, want 4"), "{}", again.text);
    assert!(again.text.contains("(exit code 3)"), "{}", again.text);
    machine.ada_presses(&evidence);
    machine.until_toast("The workspace has changed since.");
}

#[test]
fn an_answer_that_says_it_changed_something_and_did_not_says_in_its_last_line_that_nothing_changed()
{
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .ada_says("[[bash: ls]] [[say: I've fixed the parser in src/parser.rs and committed it.]]");
    let answer = machine.message_with("I've fixed the parser");
    assert!(
        answer.text.ends_with(" · no file changed in the workspace"),
        "{}",
        answer.text
    );
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1, "nobody is accused");
}

#[test]
fn commits_the_branch_and_what_is_not_pushed_are_told() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    machine.ada_says(
        "[[bash: echo x >> README.md; git -c user.name=A -c user.email=a@b commit -qam 'add a line']] \
         [[say: here]]",
    );
    let evidence = machine.message_with("1 file changed, +1 −0");
    let about = evidence.text.lines().nth(1).expect("a line about commits");
    assert!(about.starts_with("1 commit ("), "{about}");
    assert!(about.contains("add a line) · branch telecoder/"), "{about}");
    assert!(
        about.ends_with("1 commit is on no remote branch that is known here (/push)"),
        "{about}"
    );
}

#[test]
fn what_a_project_looks_like_is_offered_once_and_run_when_somebody_says_so() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: printf 'test:\\n\\techo checked\\n' > Makefile]] [[say: one]]");
    let offer = machine.message_with("Found in the workspace: make test.");
    assert_eq!(offer.buttons[0].0, "Use them");
    machine.ada_says("[[bash: echo x > two]] [[say: two]]");
    let second = machine.message_with("+1 −0 two");
    assert!(
        !second.text.contains("No checks are set up"),
        "{}",
        second.text
    );
    machine.ada_presses(&offer);
    machine.until_toast("The checks run now, and after each run.");
    machine.ada_says("[[bash: echo x > three]] [[say: three]]");
    machine.message_with("✓ Tests · ");
}

#[test]
fn the_checks_of_what_was_cloned_into_an_empty_workspace_are_offered_and_run_there() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    std::fs::write(project.join("Makefile"), "test:\n\techo 4 passed\n").expect("a file");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "tests"]);
    let _bot = machine.start();
    machine.ada_says(&format!(
        "[[bash: git clone -q {} 'my app'; echo mended >> 'my app/README.md']] [[say: Mended.]]",
        project.display()
    ));
    let offer = machine.message_with("Found in the workspace: cd 'my app' && make test.");
    assert!(
        offer
            .text
            .starts_with("In my app/: cloned, 1 file changed, +1 −0"),
        "{}",
        offer.text
    );
    machine.ada_presses(&offer);
    machine.message_with("✓ Tests: 4 passed");
    machine.ada_says("/diff");
    machine.message_with("+mended");
}

#[test]
fn checks_are_set_shown_and_forgotten_in_the_chat() {
    let machine = machine_with("echo for all", "echo lint for all");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/checks");
    machine.message_with("Tests: echo for all (from the settings)");
    machine.ada_says("/checks test=\"echo mine lint\" lint=-");
    let set = machine.message_with("Tests: echo mine lint (set here)");
    assert!(!set.text.contains("Lint:"), "{}", set.text);
    machine.ada_says("/checks off");
    machine.message_with("No checks run here after a run.");
    machine.ada_says("/checks auto");
    machine.nth_message_with("Lint: echo lint for all (from the settings)", 2);
    machine.ada_says("/checks nonsense");
    machine.message_with("Usage: /checks [setup=… test=… lint=… | off | auto]");
}

#[test]
fn verify_runs_the_checks_whenever_somebody_asks() {
    let machine = machine_with("echo '5 passed'", "");
    let _bot = machine.start();
    machine.ada_says("/verify");
    machine.message_with("There is no workspace yet");
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let asked = machine.ada_says("/verify");
    let evidence = machine.message_with("✓ Tests: 5 passed");
    assert!(
        evidence.text.contains("No file changed"),
        "{}",
        evidence.text
    );
    assert_eq!(evidence.reply_to, Some(asked.into()));
}

#[test]
fn a_prompt_that_comes_while_checks_run_comes_first() {
    let machine = machine_with("sleep 45601", "echo never");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    machine.until("the check runs", || {
        processes::with_word("45601").first().copied()
    });
    machine.ada_says("[[say: two]]");
    machine.message_with("two");
    let evidence = machine.message_with("– Tests: ended after ");
    assert!(
        evidence
            .text
            .contains("because the next prompt comes first")
    );
    assert!(
        evidence.text.contains("– Lint: not run"),
        "{}",
        evidence.text
    );
    machine.until_quiet();
    assert_eq!(processes::with_word("45601"), [0; 0], "nobody is left");
}

#[test]
fn stop_ends_checks_with_everything_they_started() {
    let machine = machine_with(
        "setsid nohup sleep 45602 >/dev/null 2>&1 & sleep 45602",
        "true",
    );
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    let live = machine.message_with("Checking · ");
    assert_eq!(live.buttons[0].0, "Stop");
    machine.ada_presses(&live);
    let evidence = machine.message_with("– Tests: stopped after ");
    assert!(evidence.silent);
    machine.until_quiet();
    assert_eq!(processes::with_word("45602"), [0; 0], "nobody is left");
    machine.until("the live message is gone", || {
        machine
            .bot_messages()
            .iter()
            .all(|message| !message.text.starts_with("Checking"))
            .then_some(())
    });

    machine.ada_says("[[bash: echo y > one]] [[say: again]]");
    machine.until("the check runs", || {
        processes::with_word("45602").first().copied()
    });
    machine.ada_says("/stop");
    machine.nth_message_with("– Tests: stopped after ", 2);
    machine.until_quiet();
    assert_eq!(processes::with_word("45602"), [0; 0], "nobody is left");
}

#[test]
fn a_check_that_takes_too_long_is_ended_also_if_it_ignores_being_asked() {
    let machine = machine_with("trap '' TERM; sleep 45603 & wait; sleep 45603", "true")
        .with("TELECODER_VERIFY_TIMEOUT", "1s");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    let evidence = machine.message_with("✗ Tests: not done after ");
    assert!(!evidence.silent);
    assert!(evidence.text.contains("✓ Lint"), "{}", evidence.text);
    assert_eq!(processes::with_word("45603"), [0; 0], "nobody is left");
}

#[test]
fn a_daemon_that_a_check_leaves_behind_is_ended_and_counted() {
    let machine = machine_with(
        "env -i setsid sleep 45604 & TELECODER_KEEP=1 setsid nohup sleep 45604 >/dev/null 2>&1 & sleep 0.3",
        "",
    );
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    machine.message_with("it left 2 processes behind, which were ended");
    assert_eq!(processes::with_word("45604"), [0; 0], "nobody is left");
}

#[test]
fn a_check_that_prints_a_gigabyte_or_no_text_at_all_is_read_to_its_end() {
    let machine = machine_with(
        "head -c 1000000000 /dev/zero | tr '\\0' 'x'; printf '\\377\\376\\033[31m\\n'; echo '7 passed'",
        "head -c 3000 /dev/urandom; exit 1",
    );
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    let evidence = machine.message_with("✓ Tests: 7 passed");
    assert!(
        evidence.text.contains("✗ Lint: exit code 1"),
        "{}",
        evidence.text
    );
    let kept: u64 = walk(&machine.data().join("checks"))
        .iter()
        .map(|path| std::fs::metadata(path).expect("a file").len())
        .sum();
    assert!(kept < 20 * 1024 * 1024, "{kept} bytes are kept");
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .flat_map(|entry| {
            if entry.path().is_dir() {
                walk(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect()
}

#[test]
fn checks_see_nothing_of_telecoders_own() {
    let machine = machine_with("env > seen.txt", "");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    machine.message_with("✓ Tests");
    let seen = std::fs::read_to_string(workspace(&machine).join("seen.txt")).expect("it ran");
    assert!(seen.contains("CI=true"), "{seen}");
    assert!(!seen.contains("TELEGRAM_"), "{seen}");
    let others = seen.replace("TELECODER_RUN=", "");
    assert!(!others.contains("TELECODER_"), "only the marker: {seen}");
}

#[test]
fn autofix_sends_failing_checks_back_three_times_and_no_more() {
    let machine = machine_with("echo tried >> tries; test $(wc -l < tries) -gt 40", "");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/autofix on");
    machine.message_with("go back to claude automatically here, at most 3 times");
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    let first = machine.message_with("round 1 of 3");
    assert!(first.silent, "it goes on by itself");
    machine.message_with("round 3 of 3");
    let last = machine.message_with("Claude has tried 3 times by itself");
    assert!(!last.silent);
    machine.until_quiet();
    let rounds = machine.rows("SELECT count(*) FROM runs WHERE fix_round > 0");
    assert_eq!(rounds, [3]);
    machine.ada_says("/autofix off");
    machine.message_with("when you press Fix it");
}

#[test]
fn a_repositorys_own_checks_count_only_where_the_owner_says_so_and_as_they_were_before_the_run() {
    let machine = Machine::new().with("TELECODER_REPO_CHECKS", "true");
    let project = repository(machine.folder.path());
    std::fs::write(
        project.join(".telecoder.toml"),
        "[checks]\ntest = \"echo '1 passed, 1 failed'; exit 1\"\n",
    )
    .expect("a file");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "checks"]);
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    machine.ada_says("[[bash: echo > .telecoder.toml]] [[say: All tests pass now.]]");
    machine.message_with("✗ Tests: 1 of 2 failed");

    let other = Machine::new();
    let project = repository(other.folder.path());
    std::fs::write(
        project.join(".telecoder.toml"),
        "[checks]\ntest = \"touch /tmp/no\"\n",
    )
    .expect("a file");
    let _bot = other.start();
    other.ada_says(
        "[[bash: printf '[checks]\\ntest = \"false\"\\n' > .telecoder.toml]] [[say: one]]",
    );
    other.message_with("No checks are set up here. To check");
    other.ada_says("/checks");
    other.message_with("it counts only where TELECODER_REPO_CHECKS=true says so");
}

#[test]
fn checks_run_again_after_the_bot_was_killed_and_nobody_of_the_first_time_is_left() {
    let machine = machine_with("echo tried >> tries; sleep 45605", "");
    let bot = machine.start();
    machine.ada_says("[[bash: echo x > one]] [[say: one]]");
    let first = machine.until("the check runs", || {
        processes::with_word("45605").first().copied()
    });
    bot.kill();
    assert!(
        processes::wait_until_gone(first, Duration::from_secs(20)),
        "it ends with the bot"
    );
    let _bot = machine.start();
    machine.until("the check runs again", || {
        processes::with_word("45605").first().copied()
    });
    for sleeper in processes::with_word("45605") {
        processes::signal(sleeper, Signal::KILL);
    }
    machine.message_with("✗ Tests: ");
    machine.until_quiet();
    let evidence = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains("Tests: "))
        .count();
    assert_eq!(evidence, 1, "it is told once");
    let tries = std::fs::read_to_string(workspace(&machine).join("tries")).expect("a file");
    assert_eq!(tries.lines().count(), 2);
}

#[test]
fn file_names_of_every_kind_are_told_and_hold_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: printf x > $'new\\nline'; printf x > '\"quoted\" name'; printf x > $'\\xff\\xfe'; \
         printf x > -rf; printf x > 'ü ж 字']] [[say: one]]",
    );
    let evidence = machine.message_with("5 files changed");
    for name in ["new\\nline", "\"quoted\" name", "-rf", "ü ж 字"] {
        assert!(evidence.text.contains(name), "{name}: {}", evidence.text);
    }
}

#[test]
fn files_of_a_workspace_that_never_end_hold_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: mkfifo justfile Makefile; ln -s /dev/zero tox.ini; ln -s /dev/zero .gitattributes; \
         mkfifo .telecoder.toml; ln -s /dev/zero package.json; echo x > file]] [[say: odd]]",
    );
    let evidence = machine.message_with("No checks are set up here. To check");
    assert!(evidence.text.contains("+1 −0 file"), "{}", evidence.text);
    machine.ada_says("/checks");
    machine.message_with("No checks run here after a run.");
}

#[test]
fn a_check_that_is_not_installed_says_nothing_about_the_code() {
    let machine = machine_with("no-such-runner --all", "echo '3 passed, 2 failed'; true");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: Added it. All tests pass.]]");
    let evidence = machine.message_with("⚠ Tests: could not be run (");
    assert!(
        evidence.text.contains("no-such-runner"),
        "{}",
        evidence.text
    );
    assert!(
        evidence
            .text
            .contains("⚠ Lint: exit code 0, but 2 of 5 failed"),
        "{}",
        evidence.text
    );
    assert!(
        !evidence.text.contains("The answer says"),
        "{}",
        evidence.text
    );
    assert!(evidence.buttons.is_empty(), "claude cannot fix that");
}

#[test]
fn who_says_that_there_is_nothing_to_check_is_not_asked_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/checks off");
    let off = machine.message_with("No checks run here after a run.");
    assert!(off.buttons.is_empty());
    machine.ada_says("[[bash: printf 'test:\\n' > Makefile]] [[say: made]]");
    let evidence = machine.message_with("+1 −0 Makefile");
    assert!(
        !evidence.text.contains("No checks are set up"),
        "{}",
        evidence.text
    );
}

#[test]
fn a_stop_is_the_end_also_where_failing_checks_go_back_by_themselves() {
    let machine = machine_with("echo '1 failed'; exit 1", "sleep 45606");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/autofix on");
    machine.message_with("go back to claude automatically here");
    machine.ada_says("[[bash: echo x > file]] [[say: made]]");
    machine.until("the linter runs", || {
        processes::with_word("45606").first().copied()
    });
    machine.ada_says("/stop");
    let evidence = machine.message_with("✗ Tests");
    assert!(
        evidence.text.contains("– Lint: stopped"),
        "{}",
        evidence.text
    );
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs"),
        [2],
        "nothing follows"
    );
}

#[test]
fn a_workspace_that_git_cannot_look_through_is_not_measured_wrongly() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.message_with("is cloned");
    let workspace = workspace(&machine);
    machine.ada_says("[[bash: echo x > file]] [[say: one]]");
    machine.message_with("+1 −0 file");
    std::fs::rename(workspace.join(".git/objects"), workspace.join(".git/gone")).expect("it moves");
    machine.ada_says("[[say: three]]");
    machine.message_with("Git could not tell what changed: ");
}

#[test]
fn a_check_that_kills_or_stops_who_watches_over_it_leaves_nobody() {
    let machine = machine_with("sleep 45607 & kill -9 $PPID; wait", "")
        .with("TELECODER_VERIFY_TIMEOUT", "2s");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: one]]");
    machine.message_with("⚠ Tests: could not be run (the process that watched over it was killed)");
    assert_eq!(processes::with_word("45607"), [0; 0], "nobody is left");
    machine.ada_says("/checks test=kill -STOP $PPID; sleep 45608");
    machine.message_with("Tests: kill -STOP $PPID; sleep 45608 (set here)");
    machine.ada_says("/verify");
    machine.message_with("✗ Tests: not done after ");
    assert_eq!(processes::with_word("45608"), [0; 0], "nobody is left");
}

#[test]
fn a_password_that_a_check_prints_is_not_shown() {
    let machine = machine_with("echo https://ada:hunter2@example.org/x; exit 1", "");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: one]]");
    machine.message_with("✗ Tests: exit code 1");
    machine.ada_says("/checks");
    machine.message_with("(from the settings)");
    for message in machine.bot_messages() {
        assert!(!message.text.contains("hunter2"), "{}", message.text);
    }
}

#[test]
fn verify_in_a_workspace_where_nothing_changed_says_nothing_about_its_branch() {
    let machine = machine_with("echo '5 passed'", "");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/verify");
    let evidence = machine.message_with("✓ Tests: 5 passed");
    assert!(!evidence.text.contains("detached"), "{}", evidence.text);
}

#[test]
fn a_password_in_a_command_that_was_not_run_is_not_kept_either() {
    let machine = machine_with("sleep 45609", "curl https://ada:hunter2@example.org/lint");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: one]]");
    machine.until("the check runs", || {
        processes::with_word("45609").first().copied()
    });
    machine.ada_says("/stop");
    machine.message_with("– Lint: not run");
    machine.until_quiet();
    let kept: String = machine
        .database()
        .query_row(
            "SELECT group_concat(evidence) FROM verifications",
            [],
            |row| row.get(0),
        )
        .expect("evidence");
    assert!(
        kept.contains("example.org") && !kept.contains("hunter2"),
        "{kept}"
    );
}

#[test]
fn a_workspace_whose_git_folder_is_a_fifo_holds_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > file]] [[say: one]]");
    machine.message_with("+1 −0 file");
    machine.ada_says("[[bash: rm -rf .git; mkfifo .git]] [[say: two]]");
    machine.message_with("Git could not tell what changed: ");
    machine.ada_says(
        "[[bash: rm .git; mkdir .git; mkfifo .git/HEAD .git/index; rm file]] [[say: three]]",
    );
    machine.nth_message_with("Git could not tell what changed: ", 2);
    machine.ada_says("[[say: four]]");
    machine.message_with("four");
}
