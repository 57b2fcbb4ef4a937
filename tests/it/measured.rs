//! The sentences about measurements; which checks are found, chosen and set.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use telecoder::chat::changes as words;
use telecoder::chat::checked::check_line;
use telecoder::chat::checks::{self, Known};
use telecoder::chat::evidence::{self, Hint, Next};
use telecoder::chat::{setup, workspace};
use telecoder::claude::forms;
use telecoder::command::{self, ChecksChange, Command, Input};
use telecoder::domain::changes::{
    Became, Changed, Changes, Commit, Commits, Fate, Files, Ignored, Pushed, RefChange, Remote,
    Unseen, Work,
};
use telecoder::domain::check::Commands;
use telecoder::domain::check::TestCounts;
use telecoder::domain::check::Unit;
use telecoder::domain::check::{Check, CheckEnd, CheckKind, CheckOrigin, CheckResult};
use telecoder::domain::evidence::{AutoPush, Deeds, Evidence, Ran};
use telecoder::domain::id::{JobId, RunId, SessionId};
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::domain::session::Source;
use telecoder::domain::workspace::Unusable;
use telecoder::domain::workspace::{NotCopied, Remark};
use telecoder::git::source;
use telecoder::verify::commands;

fn said(all: &mut String, when: &str, message: &Outgoing) {
    let how = if message.loud { "loud" } else { "silent" };
    let _ = writeln!(all, "[{when}, {how}]");
    match &message.body {
        Body::Note { text, quoted } => {
            let _ = writeln!(all, "{text}");
            if let Some(quoted) = quoted {
                let _ = writeln!(all, "| {}", quoted.replace('\n', "\n| "));
            }
        }
        Body::Evidence { text, folded } => {
            let _ = writeln!(all, "{text}");
            for part in folded {
                let _ = writeln!(
                    all,
                    "> {}\n> {}",
                    part.title,
                    part.text.replace('\n', "\n> ")
                );
            }
        }
        Body::Answer { markdown, footer } => {
            let _ = writeln!(all, "{markdown}\n-- {footer}");
        }
        Body::Question { text, .. } => all.push_str(text),
        Body::File { name, caption, .. } => {
            let _ = writeln!(all, "{name}: {caption}");
        }
        Body::Stored(stored) => {
            let _ = writeln!(all, "{}: {}", stored.name, stored.caption);
        }
    }
    for button in &message.buttons {
        let _ = writeln!(all, "[[ {} ]]", button.label);
    }
    all.push('\n');
}

fn result(kind: CheckKind, ended: CheckEnd) -> CheckResult {
    CheckResult {
        check: Check {
            kind,
            command: match kind {
                CheckKind::Tests => "cargo test".into(),
                CheckKind::Lint => "cargo clippy".into(),
                CheckKind::Setup => "npm ci".into(),
            },
        },
        last_lines: match ended {
            CheckEnd::Passed => String::new(),
            _ => "left: 1\nright: 2".into(),
        },
        ended,
        counts: None,
        misses_coverage: false,
        elapsed_ms: 64_000,
        survivors: 0,
    }
}

fn counted(mut result: CheckResult, passed: u64, failed: u64, skipped: u64) -> CheckResult {
    result.counts = Some(TestCounts {
        passed,
        failed,
        skipped,
        unit: Unit::Tests,
    });
    result
}

fn of_packages(mut result: CheckResult, passed: u64, failed: u64, unit: Unit) -> CheckResult {
    result.counts = Some(TestCounts {
        passed,
        failed,
        skipped: 0,
        unit,
    });
    result
}

fn changed(path: &str, lines: Option<(u64, u64)>) -> Changed {
    Changed {
        path: path.into(),
        from: None,
        lines,
        became: None,
    }
}

fn of(own: Work) -> Changes {
    Changes {
        own,
        ..Changes::default()
    }
}

fn changes() -> Changes {
    of(work())
}

fn work() -> Work {
    Work {
        files: [
            changed("src/parser.rs", Some((40, 12))),
            Changed {
                from: Some("old.rs".into()),
                ..changed("new.rs", Some((0, 0)))
            },
            changed("logo.png", None),
        ]
        .into_iter()
        .collect(),
        commits: Commits {
            count: 2,
            newest: vec![
                Commit {
                    id: "abc1234".into(),
                    subject: "second".into(),
                },
                Commit {
                    id: "def5678".into(),
                    subject: "first".into(),
                },
            ],
        },
        branch: Some("telecoder/k3v9".into()),
        remote: Remote::Ahead(2),
        ..Work::default()
    }
}

fn commit(id: &str, subject: &str) -> Commit {
    Commit {
        id: id.into(),
        subject: subject.into(),
    }
}

/// What claude ran, and how it ended.
fn ran(command: &str, passed: bool, counts: Option<(u64, u64)>) -> Deeds {
    Deeds {
        can_have_written: true,
        is_whole: true,
        commands: vec![Ran {
            command: command.into(),
            passed: Some(passed),
            counts: counts.map(|(passed, failed)| TestCounts {
                passed,
                failed,
                skipped: 0,
                unit: Unit::Tests,
            }),
        }],
    }
}

fn evidence(checks: Vec<CheckResult>) -> Evidence {
    Evidence {
        changes: Ok(changes()),
        checks,
        deeds: Some(Deeds {
            can_have_written: true,
            is_whole: true,
            commands: Vec::new(),
        }),
        auto_push: None,
        cost_usd: Some(0.19),
    }
}

#[test]
fn what_was_measured_is_told_in_a_few_lines() {
    let tests = |ended| result(CheckKind::Tests, ended);
    let lint = |ended| result(CheckKind::Lint, ended);
    let failed = || CheckEnd::Failed { code: Some(101) };
    let mut all = String::new();
    let mut tell = |when: &str, evidence: &Evidence, next: Next, hint: Option<Hint>| {
        let message = evidence::message(JobId::default(), evidence, &next, hint.as_ref());
        said(&mut all, when, &message);
    };
    let green = evidence(vec![
        counted(tests(CheckEnd::Passed), 118, 0, 2),
        lint(CheckEnd::Passed),
    ]);
    tell("green", &green, Next::Open, None);
    let red = evidence(vec![counted(tests(failed()), 118, 2, 0), lint(failed())]);
    tell("red", &red, Next::Open, None);
    tell("red, goes back by itself", &red, Next::Fixing(1, 3), None);
    tell("red, again and again", &red, Next::GaveUp(3), None);
    let by_hand = Evidence {
        deeds: None,
        ..red.clone()
    };
    tell("red, asked for", &by_hand, Next::Open, None);
    for (when, evidence, deeds) in [
        (
            "passed then",
            &red,
            ran("cargo test -q", true, Some((120, 0))),
        ),
        ("failed then, too", &red, ran("cargo test", false, None)),
        ("passes now", &green, ran("cargo test", false, Some((3, 1)))),
        ("passed then as well", &green, ran("cargo test", true, None)),
        (
            "push refused",
            &green,
            ran("git push origin \u{202e}niam", false, None),
        ),
    ] {
        let evidence = Evidence {
            deeds: Some(deeds),
            ..evidence.clone()
        };
        tell(when, &evidence, Next::Open, None);
    }
    let ends = [
        CheckEnd::Failed { code: None },
        CheckEnd::TimedOut,
        CheckEnd::Stopped,
        CheckEnd::GaveWay,
        CheckEnd::NotRun("No such file or directory".into()),
    ];
    let mut cut: Vec<CheckResult> = ends.into_iter().map(tests).collect();
    cut[0].survivors = 1;
    cut[1].survivors = 3;
    let not_begun = [CheckEnd::Stopped, CheckEnd::GaveWay].map(|ended| CheckResult {
        elapsed_ms: 0,
        ..lint(ended)
    });
    cut.extend(not_begun);
    tell("not to its end", &evidence(cut), Next::Open, None);
    for (when, auto_push) in [
        ("pushed", AutoPush::Pushed { link: None }),
        (
            "pushed, with a link",
            AutoPush::Pushed {
                link: Some("https://example.org/pull/new/x".into()),
            },
        ),
        ("refused", AutoPush::Refused("remote: no".into())),
    ] {
        let pushed = Evidence {
            auto_push: Some(auto_push),
            ..evidence(vec![tests(CheckEnd::Passed)])
        };
        tell(when, &pushed, Next::Open, None);
    }
    let unmeasured = Evidence {
        changes: Err("git took longer than 120 s".into()),
        ..evidence(Vec::new())
    };
    tell("not measured", &unmeasured, Next::Open, None);
    let many = Changes {
        own: Work {
            files: (0..25)
                .map(|n| changed(&format!("file\n{n}"), Some((1, 0))))
                .collect(),
            too_large: vec!["model.bin".into()],
            ..Work::default()
        },
        unseen: vec![Unseen {
            what: String::new(),
            why: "error: unable to index file 'secret'".into(),
        }],
        ..Changes::default()
    };
    let many = Evidence {
        changes: Ok(many),
        cost_usd: None,
        ..evidence(Vec::new())
    };
    let session = SessionId("k3v9abcd".into());
    let found = Commands {
        test: Some("cargo test".into()),
        lint: Some("cargo clippy".into()),
        ..Commands::default()
    };
    let offer = Hint {
        session: session.clone(),
        found,
    };
    tell("many files, an offer", &many, Next::Open, Some(offer));
    let nothing_found = Hint {
        session,
        found: Commands::default(),
    };
    tell("nothing to check", &many, Next::Open, Some(nothing_found));
    for (when, changes) in every_kind_of_change() {
        let evidence = Evidence {
            changes: Ok(changes),
            cost_usd: None,
            ..evidence(Vec::new())
        };
        tell(when, &evidence, Next::Open, None);
    }
    insta::assert_snapshot!(all);
}

fn every_kind_of_change() -> Vec<(&'static str, Changes)> {
    let ignored = |names: &[&str]| Ignored {
        first: names.iter().map(|name| name.to_string()).collect(),
        count: names.len() as u64,
    };
    let branch = |name: &str, is_new, commits| RefChange::Branch {
        name: name.into(),
        is_new,
        commits,
    };
    let refs = Work {
        branch: Some("main".into()),
        has_moved: true,
        brought: 3,
        refs: vec![
            branch("feature", true, 2),
            branch("other", false, 0),
            RefChange::BranchGone {
                name: "feat".into(),
                id: "abc1234".into(),
            },
            RefChange::Tag {
                name: "v1".into(),
                is_new: true,
            },
            RefChange::TagGone {
                name: "v0".into(),
                id: "def5678".into(),
            },
            RefChange::Stashed(1),
            RefChange::StashGone {
                id: "0123456".into(),
            },
        ],
        gone: Commits {
            count: 2,
            newest: vec![commit("aaaaaaa", "the work"), commit("bbbbbbb", "of a day")],
        },
        ..Work::default()
    };
    let became = |path: &str, became| Changed {
        became: Some(became),
        ..changed(path, Some((0, 0)))
    };
    let inside = |folder: &str, fate, work: Work| (folder.to_owned(), Work { fate, ..work });
    let untouched = || Work {
        branch: Some("main".into()),
        ..Work::default()
    };
    let repositories = Changes {
        inside: [
            inside("app/", Some(Fate::Cloned), work()),
            inside("gone/", Some(Fate::Gone), Work::default()),
            inside("new/", Some(Fate::New), work()),
            inside("tree/", Some(Fate::Worktree), untouched()),
            inside("vendor/lib/", None, refs.clone()),
        ]
        .into(),
        unseen: vec![Unseen {
            what: "broken/".into(),
            why: "this repository cannot be read any more".into(),
        }],
        ..Changes::default()
    };
    let modes = [
        became("run.sh", Became::Executable),
        became("link", Became::Link),
        changed("rtl\u{202e}txt.exe", Some((1, 0))),
    ];
    vec![
        ("nothing", Changes::default()),
        (
            "only what is ignored",
            of(Work {
                ignored: ignored(&[".env", "target/", ".git/hooks/pre-commit"]),
                ..work()
            }),
        ),
        ("refs", of(refs.clone())),
        (
            "refs that others have too",
            of(Work {
                is_shared: true,
                has_moved: false,
                ..refs
            }),
        ),
        ("several repositories", repositories),
        (
            "modes and names",
            of(Work {
                files: modes.into_iter().collect(),
                ..Work::default()
            }),
        ),
        (
            "not wholly seen",
            Changes {
                unseen: vec![Unseen {
                    what: "broken/".into(),
                    why: "this repository cannot be read any more".into(),
                }],
                ..Changes::default()
            },
        ),
    ]
}

#[test]
fn how_a_check_ended_is_told_in_one_line() {
    let ended = |ended| result(CheckKind::Tests, ended);
    let green = || ended(CheckEnd::Passed);
    let red = || ended(CheckEnd::Failed { code: Some(1) });
    let uncovered = CheckResult {
        misses_coverage: true,
        ..counted(red(), 240, 0, 0)
    };
    let lines: Vec<String> = [
        counted(green(), 3, 0, 1),
        counted(green(), 3, 0, 0),
        green(),
        counted(green(), 0, 0, 0),
        counted(green(), 0, 0, 2),
        counted(green(), 3, 2, 0),
        of_packages(green(), 1, 0, Unit::Packages),
        of_packages(green(), 2, 0, Unit::Packages),
        of_packages(green(), 5, 0, Unit::TestsAndPackages),
        of_packages(red(), 2, 1, Unit::Packages),
        of_packages(red(), 0, 1, Unit::Packages),
        counted(red(), 118, 2, 1),
        counted(red(), 240, 0, 0),
        counted(red(), 240, 0, 2),
        uncovered,
        counted(red(), 0, 0, 0),
        red(),
        counted(ended(CheckEnd::Failed { code: None }), 12, 0, 0),
        ended(CheckEnd::Failed { code: None }),
        ended(CheckEnd::NotRun("sh: 1: jest: not found".into())),
    ]
    .iter()
    .map(check_line)
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_could_not_be_run_or_ran_nothing_is_neither_green_nor_sent_to_claude() {
    let not_run = result(
        CheckKind::Tests,
        CheckEnd::NotRun("sh: x: not found".into()),
    );
    assert!(!not_run.is_green() && !not_run.is_red());
    let nothing = counted(result(CheckKind::Tests, CheckEnd::Passed), 0, 0, 0);
    assert!(!nothing.is_green() && !nothing.is_red());
    assert_eq!(forms::failing_checks(&[not_run, nothing]), None);
}

#[test]
fn evidence_that_an_older_telecoder_stored_is_read() {
    let old = r#"{"changes":{"Ok":{"files":{"count":1,"added":2,"removed":0,"first":[{"path":"a","from":null,"lines":[2,0]}]},
        "commits":{"count":1,"newest":[{"id":"abc1234","subject":"x"}]},"branch":"main","remote":{"ahead":1},"left_out":"",
        "has_moved":true,"has_submodules":false}},"checks":[],"contradictions":["nothing_changed",{"not_pushed":1}],
        "auto_push":null,"cost_usd":0.1}"#;
    let old: Evidence = serde_json::from_str(old).expect("it is read");
    let now = Evidence {
        changes: Ok(of(Work {
            files: [changed("a", Some((2, 0)))].into_iter().collect(),
            commits: Commits {
                count: 1,
                newest: vec![commit("abc1234", "x")],
            },
            branch: Some("main".into()),
            remote: Remote::Ahead(1),
            has_moved: true,
            ..Work::default()
        })),
        checks: Vec::new(),
        deeds: None,
        auto_push: None,
        cost_usd: Some(0.1),
    };
    assert_eq!(old, now);
    let stored = serde_json::to_string(&now).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Evidence>(&stored).expect("it is read"),
        now
    );
}

#[test]
fn results_that_an_older_telecoder_stored_are_read() {
    let old = r#"{"kind":"tests","command":"go test","ended":"passed",
        "counts":{"passed":3,"failed":0,"skipped":1},"elapsed_ms":64000,"last_lines":"","survivors":0}"#;
    let old: CheckResult = serde_json::from_str(old).expect("it is read");
    let mut now = counted(result(CheckKind::Tests, CheckEnd::Passed), 3, 0, 1);
    now.check.command = "go test".into();
    assert_eq!(old, now);
    let packages = of_packages(now, 3, 0, Unit::Packages);
    let stored = serde_json::to_string(&packages).expect("JSON");
    assert!(stored.contains(r#""unit":"packages""#), "{stored}");
    let read: CheckResult = serde_json::from_str(&stored).expect("it is read");
    assert_eq!(read, packages);
}

#[test]
fn what_is_said_about_work_in_a_workspace() {
    let mut all = String::new();
    let run = RunId::default();
    let files = changes().files();
    let one: Files = files.first[..1].iter().cloned().collect();
    let commits_only = Changes {
        own: Work {
            files: Files::default(),
            remote: Remote::Ahead(0),
            ..work()
        },
        unseen: vec![Unseen {
            what: "lib/".into(),
            why: "git refused".into(),
        }],
        ..Changes::default()
    };
    let pushed = |up_to_date, link: Option<&str>| Pushed {
        branch: "telecoder/k3v9".into(),
        uncommitted: 0,
        up_to_date,
        link: link.map(str::to_owned),
    };
    let url = Source::Clone("https://ada:secret@example.org/x.git".into());
    let lacking = [
        Remark::Submodules((1..=7).map(|n| format!("vendor/{n}")).collect()),
        Remark::LargeFiles(1),
        Remark::LargeFiles(12),
    ];
    let odd = [
        Remark::HookFailed("git-lfs was not found on your path".into()),
        Remark::BeginsAt("main".into()),
        Remark::Copied((1..=7).map(|n| format!("{n}.env")).collect()),
        Remark::NotCopied(vec![NotCopied::of("huge", "it is not a file")]),
    ];
    for (when, message) in [
        (
            "ready",
            workspace::workspace_ready(&url, "main", &lacking, None),
        ),
        (
            "ready, with a setup",
            workspace::workspace_ready(&url, "main", &odd, Some("npm ci")),
        ),
        ("odd remarks", workspace::remarks(&odd).expect("some")),
        ("remarks", workspace::remarks(&lacking).expect("some")),
        ("no session", words::no_session()),
        ("not ready", words::not_ready()),
        ("nothing has run", words::nothing_has_run()),
        ("undo during a run", words::undo_waits()),
        ("a diff", words::diff("diff --git a/x b/x\n+```\n")),
        (
            "a long diff",
            words::long_diff("…".into(), &files, false, false),
        ),
        (
            "a cut diff",
            words::long_diff("…".into(), &files, true, false),
        ),
        (
            "a diff of bytes",
            words::long_diff("…".into(), &files, false, true),
        ),
        ("no diff", words::no_diff()),
        ("pushed", words::pushed("", &pushed(false, None))),
        (
            "pushed, a link",
            words::pushed("", &pushed(false, Some("https://example.org/pull/new/x"))),
        ),
        ("up to date", words::pushed("", &pushed(true, None))),
        (
            "pushed, not all",
            words::pushed(
                "lib",
                &Pushed {
                    uncommitted: 2,
                    ..pushed(false, None)
                },
            ),
        ),
        (
            "which",
            words::which_push(
                &SessionId("k3v9abcd".into()),
                &[(String::new(), 1), ("lib".into(), 2), ("x".repeat(70), 1)],
            ),
        ),
        ("all is pushed", words::all_pushed()),
        ("push of none", words::no_such_repository("lib")),
        (
            "push refused",
            words::not_pushed(
                "git refused, in these words",
                "remote: https://a:secret@b/ says no",
            ),
        ),
        ("stopped", words::job_stopped("The push")),
        (
            "git failed",
            words::git_failed(
                "There is no diff",
                "git refused, in these words",
                "fatal: bad object",
            ),
        ),
        (
            "ask undo",
            words::ask_undo(run, "Fix the parser\nplease", &changes()),
        ),
        (
            "ask undo, commits only",
            words::ask_undo(run, "commit it", &commits_only),
        ),
        (
            "nothing to undo",
            words::nothing_to_undo(&Changes::default()),
        ),
        ("undone", words::undone(run, &Files::default(), &[])),
        (
            "undone, a clone",
            words::undone(run, &Files::default(), &["lib/".to_owned()]),
        ),
        ("undone but for", words::undone(run, &one, &[])),
        (
            "undone but for many",
            words::undone(run, &files, &["lib/".to_owned()]),
        ),
        (
            "not undone",
            words::not_undone(
                "git refused, in these words",
                "fatal: no",
                "refs/telecoder/x/kept-y",
            ),
        ),
        ("not undone any more", words::not_undone_any_more()),
        ("given up", words::job_given_up()),
        ("redone", words::redone(&Files::default())),
        ("not redone", words::not_redone()),
        ("autofix", checks::autofix(true)),
        ("no autofix", checks::autofix(false)),
    ] {
        said(&mut all, when, &message);
    }
    let _ = writeln!(
        all,
        "{}\n\n{}\n\n{}",
        workspace::setting_up(&url, Duration::from_secs(75), "Receiving objects: 45%").text,
        words::pushing(Duration::from_secs(3), "Writing objects: 45%").text,
        evidence::live("cargo test", Duration::from_secs(34), "test a ... ok").text,
    );
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_said_about_the_setup_of_a_workspace() {
    let mut all = String::new();
    for ended in [
        CheckEnd::Passed,
        CheckEnd::Failed { code: Some(1) },
        CheckEnd::Failed { code: None },
        CheckEnd::TimedOut,
        CheckEnd::Stopped,
        CheckEnd::NotRun("sh: 1: npm: not found".into()),
    ] {
        let when = format!("{ended:?}");
        let ended = setup::ended(&result(CheckKind::Setup, ended));
        said(&mut all, &when, &ended);
    }
    all.push_str(&setup::live("npm ci", Duration::from_secs(12), "added 3 packages").text);
    insta::assert_snapshot!(all);
}

#[test]
fn what_checks_says() {
    let mut all = String::new();
    let session = Commands {
        test: Some("make test".into()),
        ..Commands::default()
    };
    let defaults = Commands {
        test: Some("never".into()),
        lint: Some("cargo clippy".into()),
        ..Commands::default()
    };
    let found = Commands {
        test: Some("cargo test".into()),
        ..Commands::default()
    };
    let setup = Check {
        kind: CheckKind::Setup,
        command: "npm ci".into(),
    };
    let file = "[checks]\ntest = \"a\"\nlint = \"b\"";
    for (when, chosen, file_fault) in [
        ("its own", commands::chosen(&session, &defaults, None), None),
        (
            "the repository's",
            commands::chosen(&Commands::default(), &Commands::default(), Some(file)),
            None,
        ),
        (
            "a bad file",
            commands::chosen(&Commands::default(), &Commands::default(), Some("nonsense")),
            commands::of_file("nonsense").err(),
        ),
    ] {
        let known = Known {
            session: SessionId("k3v9abcd".into()),
            own: Commands::default(),
            setup: Some((setup.clone(), CheckOrigin::Settings)),
            sets_up: when == "its own",
            chosen,
            found: found.clone(),
            file_fault,
        };
        said(&mut all, when, &checks::checks(&known));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_claude_is_told_when_checks_fail() {
    let long: String = (0..2_000).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "line {line}");
        text
    });
    let failed = CheckResult {
        last_lines: long,
        ..result(CheckKind::Tests, CheckEnd::Failed { code: Some(101) })
    };
    let prompt = forms::failing_checks(&[
        failed,
        result(CheckKind::Lint, CheckEnd::TimedOut),
        result(CheckKind::Lint, CheckEnd::Passed),
    ])
    .expect("something failed");
    assert!(prompt.len() < 7_000);
    assert!(
        prompt
            .starts_with("These checks fail in the workspace as it is now:\n\n$ cargo test\nline ")
    );
    assert!(
        prompt.ends_with(
            "line 1999\n\n(exit code 101)\n\n$ cargo clippy\n(it did not end in time and was ended)\n\
             left: 1\nright: 2\n\nFix the cause."
        ),
        "{prompt}"
    );
    assert_eq!(
        forms::failing_checks(&[result(CheckKind::Tests, CheckEnd::Stopped)]),
        None
    );
}

#[test]
fn the_usual_projects_are_recognised_by_their_files() {
    const CLIPPY: &str = "cargo clippy --all-targets -- -D warnings";
    const GO_TEST: &str = "go list -f '{{.Dir}}/...' -m | xargs go test";
    const GO_VET: &str = "go list -f '{{.Dir}}/...' -m | xargs go vet";
    const CTEST: &str = "cmake --build build && ctest --test-dir build --output-on-failure";
    const NO_TESTS: &str = r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#;
    const SCRIPTS: &str = r#"{"scripts":{"test":"vitest run","lint":"eslint ."}}"#;
    const PNPM: &str = r#"{"packageManager":"pnpm@9.1.0","scripts":{"test":"vitest"}}"#;
    type Row = (
        &'static [(&'static str, &'static str)],
        &'static str,
        &'static str,
    );
    #[rustfmt::skip]
    let rows: &[Row] = &[
        (&[("justfile", "test *args:\n  echo\n"), ("Cargo.toml", "")], "just test", ""),
        (&[("Justfile", "@test filter='a:b': build\n  echo\nlint:\n")], "just test", "just lint"),
        (&[("justfile", "run test:\ntest := '1'\nalias t := run\n")], "", ""),
        (&[("Makefile", "all:\n\ntest: all\n\techo\nlint:\n")], "make test", "make lint"),
        (&[("Makefile", "unit test: all\n"), ("Cargo.toml", ""), ("clippy.toml", "")], "make test", CLIPPY),
        (&[("GNUmakefile", "check:\n")], "make check", ""),
        (&[("Makefile", "check:\n"), ("go.mod", "")], "go test ./...", "go vet ./..."),
        (&[("Makefile", "test := 1\ntests:\n\ttest: x\ntest ?= a:b\n.PHONY: test\n")], "", ""),
        (&[("Makefile", "# CMAKE generated file: DO NOT EDIT!\ntest:\n")], "", ""),
        (&[("README.md", "test:")], "", ""),
        (&[("Cargo.toml", "")], "cargo test", ""),
        (&[("Cargo.toml", "[lints.clippy]\nall = 'warn'\n")], "cargo test", CLIPPY),
        (&[("Cargo.toml", "[package]\n[workspace]\n[workspace.lints.clippy]\n")], "cargo test --workspace", CLIPPY),
        (&[("Cargo.toml", ""), (".config/nextest.toml", "")], "cargo nextest run --workspace", ""),
        (&[("go.mod", "module x")], "go test ./...", "go vet ./..."),
        (&[("go.mod", "module x"), (".golangci.yml", "")], "go test ./...", "golangci-lint run"),
        (&[("go.work", "use ./a"), ("go.mod", "")], GO_TEST, GO_VET),
        (&[("gradlew", ""), ("build.gradle.kts", "")], "./gradlew test", ""),
        (&[("build.gradle", "")], "gradle test", ""),
        (&[("mvnw", ""), ("pom.xml", "")], "./mvnw test", ""),
        (&[("pom.xml", "")], "mvn test", ""),
        (&[("mix.exs", ""), (".credo.exs", "")], "mix test", "mix credo"),
        (&[("Package.swift", ""), (".swiftlint.yml", "")], "swift test", "swiftlint"),
        (&[("pyproject.toml", "dependencies = [\"pytest\"]"), ("uv.lock", "")], "uv run pytest", ""),
        (&[("pyproject.toml", "[tool.uv]\n[tool.pytest]\n[tool.ruff]\n")], "uv run pytest", "uv run ruff check ."),
        (&[("pyproject.toml", "[tool.poetry]\npytest"), ("ruff.toml", "")], "poetry run pytest", "poetry run ruff check ."),
        (&[("pdm.lock", ""), ("conftest.py", "")], "pdm run pytest", ""),
        (&[("Pipfile", ""), ("tests/conftest.py", "")], "pipenv run pytest", ""),
        (&[("pyproject.toml", "[tool.pytest.ini_options]\n[tool.ruff]\n")], "python3 -m pytest", "ruff check ."),
        (&[("requirements-dev.txt", "pytest==8\n")], "python3 -m pytest", ""),
        (&[("conftest.py", "")], "python3 -m pytest", ""),
        (&[(".venv/bin/python", ""), (".venv/bin/pytest", ""), (".venv/bin/ruff", ""), ("uv.lock", ""), ("ruff.toml", "")],
            ".venv/bin/python -m pytest", ".venv/bin/ruff check ."),
        (&[("venv/bin/python", ""), ("venv/bin/pytest", "")], "venv/bin/python -m pytest", ""),
        (&[(".venv/bin/python", ""), ("pytest.ini", "")], "python3 -m pytest", ""),
        (&[("manage.py", "")], "python3 manage.py test", ""),
        (&[("manage.py", ""), ("uv.lock", "")], "uv run python manage.py test", ""),
        (&[("tox.ini", "[tox]\ncommands = pytest")], "tox", ""),
        (&[("tox.ini", "[pytest]")], "python3 -m pytest", ""),
        (&[("noxfile.py", ""), ("tox.ini", "")], "nox", ""),
        (&[("Gemfile", ""), (".rspec", ""), (".rubocop.yml", "")], "bundle exec rspec", "bundle exec rubocop"),
        (&[("Gemfile", ""), ("bin/rails", ""), ("Rakefile", "test")], "bin/rails test", ""),
        (&[("Gemfile", ""), ("Rakefile", "Rake::TestTask.new(:test)")], "bundle exec rake test", ""),
        (&[("composer.json", SCRIPTS)], "composer test", "composer lint"),
        (&[("composer.json", "{}"), ("artisan", ""), ("phpunit.xml", "")], "php artisan test", ""),
        (&[("composer.json", "{}"), ("phpunit.xml.dist", ""), ("phpstan.neon", "")], "vendor/bin/phpunit", "vendor/bin/phpstan analyse"),
        (&[("deno.json", r#"{"lint":{}}"#)], "deno test", "deno lint"),
        (&[("deno.jsonc", r#"{"tasks":{"test":"deno test -A"}} // x"#)], "deno task test", ""),
        (&[("package.json", SCRIPTS)], "npm run test", "npm run lint"),
        (&[("package.json", SCRIPTS), ("package-lock.json", "")], "npm run test", "npm run lint"),
        (&[("package.json", SCRIPTS), ("pnpm-lock.yaml", "")], "pnpm run test", "pnpm run lint"),
        (&[("package.json", SCRIPTS), ("yarn.lock", "")], "yarn run test", "yarn run lint"),
        (&[("package.json", SCRIPTS), ("bun.lock", "")], "bun run test", "bun run lint"),
        (&[("package.json", PNPM), ("biome.json", "")], "pnpm run test", "pnpm exec biome check ."),
        (&[("package.json", NO_TESTS), ("biome.jsonc", "")], "", "npx --no biome check ."),
        (&[("package.json", NO_TESTS), ("bun.lockb", "")], "bun test", ""),
        (&[("package.json", "{}"), ("turbo.json", r#"{"tasks":{"test":{},"lint":{}}}"#)],
            "npx --no turbo run test", "npx --no turbo run lint"),
        (&[("package.json", "{}"), ("nx.json", ""), ("yarn.lock", "")], "yarn run nx run-many -t test", ""),
        (&[("package.json", "{}"), ("pnpm-workspace.yaml", "")], "pnpm -r run test", ""),
        (&[("package.json", r#"{"workspaces":["a"]}"#), ("package-lock.json", "")], "npm run test --workspaces --if-present", ""),
        (&[("package.json", "not json")], "", ""),
        (&[("App.sln", "")], "dotnet test", ""),
        (&[("App.csproj", "")], "dotnet test", ""),
        (&[("CMakeLists.txt", "enable_testing()"), ("build/CTestTestfile.cmake", "")], CTEST, ""),
        (&[("CMakeLists.txt", "include(CTest)")], "cmake -B build && CTEST", ""),
        (&[("CMakeLists.txt", "project(x)")], "", ""),
    ];
    for (files, test, lint) in rows {
        let workspace = tempfile::tempdir().expect("a folder");
        for (name, text) in *files {
            let file = workspace.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            std::fs::write(file, text).expect("a file");
        }
        let found = commands::detect(workspace.path());
        let test = test.replace("CTEST", CTEST);
        assert_eq!(found.test.unwrap_or_default(), test, "{files:?}");
        assert_eq!(&found.lint.unwrap_or_default(), lint, "{files:?}");
    }
}

#[test]
fn checks_are_set_as_they_are_written() {
    let read = |text: &str| match command::read(text, "bot") {
        Input::Command(Command::Checks(change)) => Some(change),
        _ => None,
    };
    let set = |test: Option<&str>, lint: Option<&str>| {
        Some(ChecksChange::Set(Commands {
            setup: None,
            test: test.map(str::to_owned),
            lint: lint.map(str::to_owned),
        }))
    };
    assert_eq!(read("/checks"), Some(ChecksChange::Show));
    assert_eq!(read("/checks off"), Some(ChecksChange::Off));
    assert_eq!(read("/checks auto"), Some(ChecksChange::Auto));
    assert_eq!(
        read("/checks test=cargo test -- --test-threads=1 lint=cargo clippy"),
        set(Some("cargo test -- --test-threads=1"), Some("cargo clippy"))
    );
    assert_eq!(
        read("/checks lint='make lint' test=\"npm test\""),
        set(Some("npm test"), Some("make lint"))
    );
    assert_eq!(
        read("/checks test=\"make lint=1 all\" lint=x"),
        set(Some("make lint=1 all"), Some("x"))
    );
    assert_eq!(read("/checks test=-"), set(Some(""), None));
    assert_eq!(
        read("/checks test=\"a\" && \"b\""),
        set(Some("\"a\" && \"b\""), None)
    );
    assert_eq!(
        read("/checks test=make setup=\"npm ci\" lint=-"),
        Some(ChecksChange::Set(Commands {
            setup: Some("npm ci".into()),
            test: Some("make".into()),
            lint: Some(String::new()),
        }))
    );
    assert_eq!(read("/checks run the tests"), None);
    assert_eq!(read("/checks mytest=x"), None);
}

proptest! {
    #[test]
    fn no_text_behind_checks_and_no_name_of_a_repository_confuses(text in "\\PC{0,60}") {
        let _ = command::read(&format!("/checks {text}"), "bot");
        let _ = command::read(&format!("/checks test={text} lint={text}"), "bot");
        match source::named(&text, &[PathBuf::from("/nowhere")]) {
            Ok(Source::Clone(url)) => prop_assert!(!url.starts_with('-')),
            Ok(other) => prop_assert!(false, "{other:?} is within no root"),
            Err(why) => prop_assert_ne!(why, Unusable::NoAnswer),
        }
    }
}
