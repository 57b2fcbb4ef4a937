//! The objects that programs get have the form that is promised, and the page about them has every field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use telecoder::domain::changes::{
    Became, Changed, Changes, Commit, Commits, Fate, Files, Ignored, RefChange, Remote, Unseen,
    Work,
};
use telecoder::domain::check::{
    Check, CheckEnd, CheckKind, CheckResult, Commands, TestCounts, Unit,
};
use telecoder::domain::evidence::{AutoPush, Deeds, Evidence, Ran};
use telecoder::domain::id::{ChatId, ChatThread, RunId, SessionId, ThreadId};
use telecoder::domain::run::RunEnd;
use telecoder::domain::session::{Session, SessionState, Source};
use telecoder::public;
use telecoder::store::runs::RunState;
use telecoder::store::verifications::Verification;

use crate::support::Machine;
use crate::support::shell::{made, shell};

fn files() -> Files {
    let file = |path: &str, lines, became| Changed {
        path: path.into(),
        from: None,
        lines,
        became,
    };
    let renamed = Changed {
        from: Some("old.rs".into()),
        ..file("new.rs", Some((1, 2)), None)
    };
    [
        renamed,
        file("picture.png", None, None),
        file("run.sh", Some((0, 0)), Some(Became::Executable)),
        file("plain.txt", Some((0, 0)), Some(Became::NotExecutable)),
        file("link", Some((1, 1)), Some(Became::Link)),
        file("file", Some((1, 1)), Some(Became::File)),
        file("library", Some((1, 1)), Some(Became::Repository)),
    ]
    .into_iter()
    .collect()
}

fn commits(count: u64) -> Commits {
    Commits {
        count,
        newest: vec![Commit {
            id: "abc1234".into(),
            subject: "a subject".into(),
        }],
    }
}

fn refs() -> Vec<RefChange> {
    let name = || "a-name".to_owned();
    let id = || "def5678".to_owned();
    let branch = |is_new, commits| RefChange::Branch {
        name: name(),
        is_new,
        commits,
    };
    vec![
        branch(true, 2),
        branch(false, 0),
        RefChange::BranchGone {
            name: name(),
            id: id(),
        },
        RefChange::Tag {
            name: name(),
            is_new: true,
        },
        RefChange::Tag {
            name: name(),
            is_new: false,
        },
        RefChange::TagGone {
            name: name(),
            id: id(),
        },
        RefChange::Stashed(1),
        RefChange::StashGone { id: id() },
    ]
}

fn changes() -> Changes {
    let own = Work {
        files: files(),
        commits: commits(3),
        brought: 4,
        branch: Some("telecoder/x".into()),
        remote: Remote::Ahead(3),
        has_moved: true,
        refs: refs(),
        gone: commits(1),
        is_shared: true,
        ignored: Ignored {
            first: vec![".env".into(), "node_modules/".into()],
            count: 2,
        },
        too_large: vec!["model.bin".into()],
        fate: None,
    };
    let with = |fate| Work {
        fate: Some(fate),
        ..Work::default()
    };
    let inside = [
        ("cloned".to_owned(), with(Fate::Cloned)),
        ("gone".to_owned(), with(Fate::Gone)),
        ("new".to_owned(), with(Fate::New)),
        ("worktree".to_owned(), with(Fate::Worktree)),
    ];
    Changes {
        own,
        inside: BTreeMap::from(inside),
        unseen: vec![Unseen {
            what: "vendor".into(),
            why: "git does not answer".into(),
        }],
    }
}

fn checks() -> Vec<CheckResult> {
    let ended = |kind, ended| CheckResult {
        elapsed_ms: 1500,
        ..CheckResult::not_begun(
            &Check {
                kind,
                command: "make it".into(),
            },
            ended,
        )
    };
    let counts = |unit| {
        Some(TestCounts {
            passed: 1,
            failed: 2,
            skipped: 3,
            unit,
        })
    };
    vec![
        CheckResult {
            counts: counts(Unit::Tests),
            misses_coverage: true,
            last_lines: "2 failed".into(),
            survivors: 1,
            ..ended(CheckKind::Tests, CheckEnd::Failed { code: Some(101) })
        },
        CheckResult {
            counts: counts(Unit::Packages),
            ..ended(CheckKind::Lint, CheckEnd::Passed)
        },
        CheckResult {
            counts: counts(Unit::TestsAndPackages),
            ..ended(CheckKind::Setup, CheckEnd::Failed { code: None })
        },
        ended(CheckKind::Tests, CheckEnd::TimedOut),
        ended(CheckKind::Tests, CheckEnd::Stopped),
        ended(CheckKind::Tests, CheckEnd::GaveWay),
        ended(CheckKind::Tests, CheckEnd::NotRun("make: not found".into())),
    ]
}

fn whole() -> Evidence {
    Evidence {
        changes: Ok(changes()),
        checks: checks(),
        deeds: Some(Deeds {
            can_have_written: true,
            is_whole: true,
            commands: vec![Ran {
                command: "cargo test".into(),
                passed: Some(false),
                counts: Some(TestCounts {
                    failed: 1,
                    ..TestCounts::default()
                }),
            }],
        }),
        auto_push: Some(AutoPush::Pushed {
            link: Some("https://example.org/pull".into()),
        }),
        cost_usd: Some(0.25),
    }
}

fn empty() -> Evidence {
    Evidence {
        changes: Err("git does not answer".into()),
        checks: Vec::new(),
        deeds: None,
        auto_push: None,
        cost_usd: None,
    }
}

fn shown(evidence: Evidence, run: Option<&str>) -> String {
    let stored = Verification {
        run: run.map(str::to_owned),
        by_hand: run.is_none(),
        evidence,
        at: 1_764_455_946_946,
    };
    serde_json::to_string_pretty(&public::Verification::from(&stored)).expect("JSON")
}

#[test]
fn a_whole_measurement_has_the_form_that_programs_rely_on() {
    insta::assert_snapshot!("a_whole_measurement_as_json", shown(whole(), Some("a-run")));
}

#[test]
fn a_measurement_of_nothing_has_the_same_fields() {
    insta::assert_snapshot!("an_empty_measurement_as_json", shown(empty(), None));
    let refused = Evidence {
        changes: Ok(Changes::default()),
        auto_push: Some(AutoPush::Refused("no rights".into())),
        ..empty()
    };
    insta::assert_snapshot!("a_measurement_of_no_change_as_json", shown(refused, None));
}

#[test]
fn a_session_and_a_run_have_the_form_that_programs_rely_on() {
    let id = SessionId("abc12345".into());
    let session = |chat, topic| {
        let at = ChatThread {
            chat: ChatId(chat),
            thread: Some(ThreadId(topic)),
        };
        Session::new(id.clone(), at, Source::Empty, Path::new("/workspaces"))
    };
    let in_shell = session(0, 1);
    let in_forum = Session {
        source: Source::Clone("https://ada:secret@example.org/x.git".into()),
        branch: Some("telecoder/abc12345".into()),
        state: SessionState::Ready,
        checks: Commands {
            setup: Some("make setup".into()),
            test: Some("make test".into()),
            lint: Some(String::new()),
        },
        autofix: true,
        ..session(-100_500, 5)
    };
    let inspected = public::Inspected {
        session: public::Session::new(&in_shell, 0, 0.0),
        last_runs: vec![public::LastRun::new(
            RunId(uuid::Uuid::nil()),
            &RunState::Waiting,
            vec!["a prompt".into()],
        )],
        verifications: Vec::new(),
    };
    let listed = public::Session::new(&in_forum, 3, 0.75);
    let saved = || public::Saved {
        session: id.0.clone(),
        run: "a-run".into(),
    };
    let ended = RunEnd {
        outcome: "failed".into(),
        reason: Some("a reason".into()),
        started_at: Some(1_764_455_946_946),
        ended_at: 1_764_455_947_000,
        cost_usd: 0.25,
    };
    let lost = RunEnd {
        outcome: "lost".into(),
        reason: None,
        started_at: None,
        ..ended.clone()
    };
    let evidence = public::Evidence::from(&empty());
    let whole = public::Run::new(saved(), &ended, vec!["an answer".into()], Some(evidence));
    let bare = public::Run::new(saved(), &lost, Vec::new(), None);
    let created = public::Created::from(&in_shell);
    let all = (inspected, listed, created, saved(), whole, bare);
    let all = serde_json::to_string_pretty(&all).expect("JSON");
    insta::assert_snapshot!("sessions_and_runs_as_json", all);
}

/// The names of all fields in it.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                fields(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn the_page_about_json_has_every_field() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let ran = ["session", "run", &session, "hello", "--json"];
    let mut named = BTreeSet::new();
    let inspected = ["session", "inspect", &session, "--json"];
    let printed = [&ran[..], &inspected].map(|arguments| shell(&machine, arguments).1);
    for json in [shown(whole(), None)].iter().chain(&printed) {
        fields(&serde_json::from_str(json).expect("JSON"), &mut named);
    }
    for field in named {
        assert!(page.contains(&format!("| `{field}` |")), "{field}");
    }
}
