//! The sentences about measurements; which checks are found, chosen and set.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use telecoder::chat::changes as words;
use telecoder::chat::checks::{self, Known};
use telecoder::chat::evidence::{self, Hint, Next};
use telecoder::chat::workspace;
use telecoder::claude::forms;
use telecoder::command::{self, ChecksChange, Command, Input};
use telecoder::domain::changes::Changes;
use telecoder::domain::changes::Pushed;
use telecoder::domain::changes::{Changed, Commit, Commits, Files, Remote};
use telecoder::domain::check::Commands;
use telecoder::domain::check::TestCounts;
use telecoder::domain::check::{Check, CheckEnd, CheckKind, CheckResult};
use telecoder::domain::evidence::{AutoPush, Contradiction, Evidence};
use telecoder::domain::id::{JobId, RunId, SessionId};
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::domain::session::Source;
use telecoder::domain::workspace::Remark;
use telecoder::domain::workspace::Unusable;
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
            },
        },
        last_lines: match ended {
            CheckEnd::Passed => String::new(),
            _ => "left: 1\nright: 2".into(),
        },
        ended,
        counts: None,
        elapsed_ms: 64_000,
        survivors: 0,
    }
}

fn counted(mut result: CheckResult, passed: u64, failed: u64, skipped: u64) -> CheckResult {
    result.counts = Some(TestCounts {
        passed,
        failed,
        skipped,
    });
    result
}

fn changed(path: &str, lines: Option<(u64, u64)>) -> Changed {
    Changed {
        path: path.into(),
        from: None,
        lines,
    }
}

fn changes() -> Changes {
    Changes {
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
        left_out: String::new(),
        has_moved: false,
        has_submodules: false,
    }
}

fn evidence(checks: Vec<CheckResult>) -> Evidence {
    Evidence {
        changes: Ok(changes()),
        checks,
        contradictions: Vec::new(),
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
    let red = Evidence {
        contradictions: vec![
            Contradiction::TestsFail(Some(2)),
            Contradiction::TestsFail(Some(1)),
            Contradiction::TestsFail(None),
            Contradiction::LintFails,
            Contradiction::NothingChanged,
            Contradiction::NothingCommitted,
            Contradiction::NotPushed(1),
            Contradiction::NotPushed(3),
        ],
        ..evidence(vec![counted(tests(failed()), 118, 2, 0), lint(failed())])
    };
    tell("red", &red, Next::Open, None);
    tell("red, goes back by itself", &red, Next::Fixing(1, 3), None);
    tell("red, again and again", &red, Next::GaveUp(3), None);
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
        files: (0..25)
            .map(|n| changed(&format!("file\n{n}"), Some((1, 0))))
            .collect(),
        commits: Commits::default(),
        branch: None,
        remote: Remote::None,
        left_out: "error: unable to index file 'secret'".into(),
        has_moved: false,
        has_submodules: false,
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
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_said_about_work_in_a_workspace() {
    let mut all = String::new();
    let run = RunId::default();
    let files = changes().files;
    let one: Files = files.first[..1].iter().cloned().collect();
    let commits_only = Changes {
        files: Files::default(),
        remote: Remote::Ahead(0),
        left_out: "fatal: a repository within".into(),
        ..changes()
    };
    let pushed = |up_to_date, link: Option<&str>| Pushed {
        branch: "telecoder/k3v9".into(),
        up_to_date,
        link: link.map(str::to_owned),
    };
    let url = Source::Clone("https://ada:secret@example.org/x.git".into());
    let lacking = [
        Remark::Submodules((1..=7).map(|n| format!("vendor/{n}")).collect()),
        Remark::LargeFiles(1),
        Remark::LargeFiles(12),
    ];
    for (when, message) in [
        ("ready", workspace::workspace_ready(&url, "main", &lacking)),
        ("remarks", workspace::remarks(&lacking).expect("some")),
        ("no session", words::no_session()),
        ("not ready", words::not_ready()),
        ("nothing has run", words::nothing_has_run()),
        ("undo during a run", words::undo_waits()),
        ("a diff", words::diff("diff --git a/x b/x\n+```\n")),
        ("a long diff", words::long_diff("…".into(), &files, false)),
        ("a cut diff", words::long_diff("…".into(), &files, true)),
        ("no diff", words::no_diff()),
        ("pushed", words::pushed(&pushed(false, None))),
        (
            "pushed, a link",
            words::pushed(&pushed(false, Some("https://example.org/pull/new/x"))),
        ),
        ("up to date", words::pushed(&pushed(true, None))),
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
        ("nothing to undo", words::nothing_to_undo()),
        ("undone", words::undone(run, &Files::default())),
        ("undone but for", words::undone(run, &one)),
        ("undone but for many", words::undone(run, &files)),
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
fn what_checks_says() {
    let mut all = String::new();
    let session = Commands {
        test: Some("make test".into()),
        lint: None,
    };
    let defaults = Commands {
        test: Some("never".into()),
        lint: Some("cargo clippy".into()),
    };
    let found = Commands {
        test: Some("cargo test".into()),
        lint: None,
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
        Some(ChecksChange::Set {
            test: test.map(str::to_owned),
            lint: lint.map(str::to_owned),
        })
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
            Err(Unusable::Unknown | Unusable::Transport(_) | Unusable::Outside(_)) => {}
        }
    }
}
