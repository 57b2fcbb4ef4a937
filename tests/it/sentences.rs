//! Every sentence of the bot, as it stands; and the pure parts under random input.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use telecoder::chat::delivery::{self, Late};
use telecoder::chat::failure::Failure;
use telecoder::chat::hold::{self as words, LoginFailure};
use telecoder::chat::live::{self, Going};
use telecoder::chat::people::{self, Standing};
use telecoder::chat::status::{Facts, status};
use telecoder::chat::workspace;
use telecoder::chat::{logs, text, toast};
use telecoder::chat::{sessions, settings};
use telecoder::claude::stream;
use telecoder::command::{self, Input};
use telecoder::domain::choices::{Effort, QuietHours, Ring, Verbosity};
use telecoder::domain::delivery::NotDelivered;
use telecoder::domain::event::{
    ApiProblem, Edited, Event, ToDoChange, ToDoState, ToolResult, ToolUse,
};
use telecoder::domain::hold::HoldCause;
use telecoder::domain::id::{ChatId, ChatThread, ClaudeSessionId, SessionId, ThreadId, UserId};
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::domain::progress::Progress;
use telecoder::domain::run::RunEnd;
use telecoder::domain::session::{Reported, Session, SessionState, Source};
use telecoder::domain::verb::Verb;
use telecoder::domain::workspace::BackIn;
use telecoder::domain::workspace::Unusable;
use telecoder::telegram::live::drawn;

const HERE: ChatThread = ChatThread {
    chat: ChatId(7),
    thread: None,
};
const MINUTE: Duration = Duration::from_secs(64);

fn said(messages: impl IntoIterator<Item = (&'static str, Outgoing)>) -> String {
    let mut all = String::new();
    for (when, message) in messages {
        let Body::Note { text, quoted } = &message.body else {
            panic!("{when} is no sentence");
        };
        let how = if message.loud { "loud" } else { "silent" };
        let _ = writeln!(all, "[{when}, {how}]\n{text}");
        for button in &message.buttons {
            let _ = writeln!(all, "[[ {} ]]", button.label);
        }
        if let Some(quoted) = quoted {
            let _ = writeln!(all, "| {}", quoted.replace('\n', "\n| "));
        }
        all.push('\n');
    }
    all
}

fn a_session(at: ChatThread, source: Source) -> Session {
    let id = SessionId("abc12345".into());
    Session {
        branch: Some("telecoder/abc12345".into()),
        state: SessionState::Ready,
        ..Session::new(id, at, source, Path::new("/data/workspaces"))
    }
}

fn sources() -> [Source; 3] {
    [
        Source::Empty,
        Source::Clone("https://ada:secret@example.org/x.git".into()),
        Source::Worktree("/srv/x".into()),
    ]
}

#[test]
fn replies_to_commands() {
    let mut messages = vec![
        ("help", text::help()),
        ("misused", text::misused(Verb::New)),
        ("a sticker", text::cannot_be_passed_on("sticker")),
        ("paid media", text::cannot_be_passed_on("paid_media")),
        ("a story", text::cannot_be_passed_on("story")),
        ("an invoice", text::cannot_be_passed_on("invoice")),
        ("something new", text::cannot_be_passed_on("hologram")),
        (
            "not a repository",
            workspace::unusable(
                "nonsense",
                &Unusable::Unknown,
                &["web".into(), "api".into()],
            ),
        ),
        (
            "a transport",
            workspace::unusable("ext::sh", &Unusable::Transport("ext".into()), &[]),
        ),
        (
            "outside",
            workspace::unusable("/etc", &Unusable::Outside(vec!["/srv".into()]), &[]),
        ),
        ("nothing to stop", text::nothing_to_stop()),
        ("one dropped", text::dropped_waiting(1)),
        ("many dropped", text::dropped_waiting(3)),
        ("no logs", logs::none_yet()),
        ("logs gone", logs::gone()),
        ("set aside", delivery::set_aside()),
    ];
    for source in sources() {
        messages.push(("new", workspace::new_session(&source, false)));
        messages.push(("new, waits", workspace::new_session(&source, true)));
        messages.push((
            "ready",
            workspace::workspace_ready(&source, "telecoder/abc", &[], None),
        ));
        messages.push(("given up", workspace::setting_up_stopped(&source, 1)));
        let words = "fatal: repository 'https://ada:secret@example.org/x.git/' not found";
        messages.push((
            "failed",
            workspace::workspace_failed(
                &source,
                "git refused, in these words",
                words,
                BackIn::Previous,
                0,
            ),
        ));
        messages.push((
            "failed, prompts waited",
            workspace::workspace_failed(
                &source,
                "git is not installed on this machine",
                "",
                BackIn::None,
                2,
            ),
        ));
    }
    insta::assert_snapshot!(said(messages));
}

#[test]
fn ends_of_runs() {
    let failures = [
        Failure::NotLoggedIn,
        Failure::UnknownConversation,
        Failure::Api(ApiProblem::Overloaded, "API Error: 529".into()),
        Failure::Api(ApiProblem::RateLimited, "resets 8pm".into()),
        Failure::Api(ApiProblem::NotLoggedIn, "Invalid API key".into()),
        Failure::Api(ApiProblem::Refused, "Try rephrasing".into()),
        Failure::Api(
            ApiProblem::UnknownModel,
            "issue with the selected model".into(),
        ),
        Failure::Turn("Reached maximum number of turns (2)".into()),
        Failure::ProgramMissing {
            program: "claude".into(),
            path: "/usr/local/bin:/usr/bin:/bin".into(),
        },
        Failure::WorkspaceMissing("/srv/x".into()),
        Failure::NotStarted("Permission denied".into()),
        Failure::NoAnswer {
            how: "exit code 3".into(),
            stderr: "words".into(),
        },
    ];
    let progress = Progress::default();
    let mut messages: Vec<(&str, Outgoing)> = failures
        .iter()
        .map(|failure| ("failed", failure.message(MINUTE, &progress)))
        .collect();
    messages.extend([
        ("stopped", text::stopped(MINUTE, 0.19, 0, &[])),
        (
            "stopped, with work in the background",
            text::stopped(
                MINUTE,
                0.0,
                0,
                &["List the sources".into(), "Dev server".into()],
            ),
        ),
        ("stopped, one waits", text::stopped(MINUTE, 0.0, 1, &[])),
        ("stopped, many wait", text::stopped(MINUTE, 0.001, 3, &[])),
        (
            "timed out",
            text::timed_out(Duration::from_secs(3_720), 1.5),
        ),
        (
            "lost",
            text::lost("▸ Bash cargo test", &["src/main.rs".into()], 0, true),
        ),
        ("lost, many files", text::lost("", &many_files(), 2, true)),
        ("lost, not begun", text::lost("", &[], 1, false)),
        (
            "something left behind",
            Outgoing::note(text::left_behind(1, 2).expect("there is something")),
        ),
        (
            "background ended",
            text::background_ended(&["Dev server".into()]),
        ),
        (
            "background stopped",
            text::background_stopped(&["Dev server".into(), "Build".into()]),
        ),
        (
            "background lost",
            text::background_lost(&["Dev server".into()]),
        ),
    ]);
    insta::assert_snapshot!(said(messages));
}

fn many_files() -> Vec<String> {
    (1..=11).map(|number| format!("src/{number}.rs")).collect()
}

#[test]
fn what_is_said_while_a_chat_is_held_up() {
    let at = |text: &str| -> jiff::Zoned { text.parse().expect("a moment") };
    let now = at("2026-11-24T18:00:00+01:00[Europe/Berlin]");
    let today = at("2026-11-24T20:14:00+01:00[Europe/Berlin]");
    let tomorrow = at("2026-11-25T02:00:00+01:00[Europe/Berlin]");
    let later = at("2026-11-28T09:00:00+01:00[Europe/Berlin]");
    let words = "You've hit your session limit · resets 8:14pm (Europe/Berlin)";
    let line = |why, until| Outgoing::note(words::status_line(why, until, &now).text);
    insta::assert_snapshot!(said([
        ("limit", words::limited(&today, &now, true, words)),
        (
            "limit, tomorrow",
            words::limited(&tomorrow, &now, true, words)
        ),
        ("limit, later", words::limited(&later, &now, true, words)),
        ("limit, no time", words::limited(&today, &now, false, "429")),
        (
            "waits",
            words::waits(HoldCause::Limit, Some(&tomorrow), &now)
        ),
        (
            "waits for a login",
            words::waits(HoldCause::Login, None, &now)
        ),
        ("status", line(HoldCause::Limit, Some(&later))),
        ("status, login", line(HoldCause::Login, None)),
        (
            "overload",
            words::overloaded(&today, &now, "529 Overloaded")
        ),
        (
            "not started",
            words::not_started(
                &today,
                &now,
                &Failure::NotStarted("Text file busy (os error 26)".into())
            )
        ),
        (
            "no program",
            words::not_started(
                &today,
                &now,
                &Failure::ProgramMissing {
                    program: "claude".into(),
                    path: "/usr/bin:/bin".into(),
                }
            )
        ),
        (
            "no program, by path",
            words::not_started(
                &today,
                &now,
                &Failure::ProgramMissing {
                    program: "/opt/claude".into(),
                    path: String::new(),
                }
            )
        ),
        (
            "waits for a start",
            words::waits(HoldCause::Start, Some(&today), &now)
        ),
        ("status, no start", line(HoldCause::Start, Some(&today))),
        (
            "a login refused once",
            words::login_refused_once(&today, &now, "API Error: 401")
        ),
        (
            "waits for the API",
            words::waits(HoldCause::Overload, Some(&today), &now)
        ),
        ("status, overload", line(HoldCause::Overload, Some(&today))),
        (
            "stop",
            text::dropped_waiting(2).adding(words::NO_LONGER_HELD)
        ),
        ("not logged in, owner", words::not_logged_in(true)),
        ("not logged in, another", words::not_logged_in(false)),
        ("for the owner", words::login_wanted_elsewhere()),
        (
            "link",
            words::login_link("https://example.org/authorize?x=y")
        ),
        ("half a code", words::code_again()),
        ("logged in", words::logged_in(0)),
        ("logged in, one", words::logged_in(1)),
        ("logged in, many", words::logged_in(3)),
        (
            "refused",
            words::login_failed(&LoginFailure::Refused("Request failed".into()))
        ),
        ("too late", words::login_failed(&LoginFailure::TooLate)),
        ("cut off", words::login_failed(&LoginFailure::CutOff)),
        ("over", words::login_failed(&LoginFailure::Over)),
        (
            "not started",
            words::login_failed(&LoginFailure::NotStarted("No such file".into()))
        ),
    ]));
}

#[test]
fn what_is_said_about_messages_and_prompts_that_come_late() {
    let held = |text: &str, hours: u64| Late {
        text: text.to_owned(),
        age: Duration::from_secs(hours * 3600),
    };
    let many: Vec<Late> = (1..=7)
        .map(|number| held(&format!("prompt {number}"), 30))
        .collect();
    insta::assert_snapshot!(said([
        ("perhaps not delivered", delivery::perhaps_not_delivered()),
        (
            "not delivered",
            delivery::not_delivered("Telegram refuses (400): Bad Request: it is too long"),
        ),
        (
            "one held",
            delivery::late(&[held("fix the build\nand more", 9)], HERE)
        ),
        (
            "two held",
            delivery::late(&[held("one", 9), held("two", 8)], HERE)
        ),
        ("many held", delivery::late(&many, HERE)),
        ("set aside, for the owner", delivery::set_aside_elsewhere()),
        (
            "cannot store",
            Outgoing::note(delivery::cannot_store("database or disk is full")),
        ),
        ("can store again", Outgoing::note(delivery::CAN_STORE_AGAIN)),
    ]));
}

#[test]
fn what_is_said_about_a_chats_own_settings() {
    let night = QuietHours::parse("22:00-8").expect("hours");
    let with = |quiet, after_s| Ring { quiet, after_s };
    let mut messages: Vec<(&str, Outgoing)> = Verbosity::ALL
        .iter()
        .map(|verbosity| ("verbose", settings::verbose(*verbosity)))
        .collect();
    messages.extend([
        ("quiet", settings::quiet(with(Some(night), 0))),
        ("no quiet hours", settings::quiet(with(None, 0))),
        ("ring", settings::ring(with(None, 300))),
        ("ring always", settings::ring(with(None, 0))),
    ]);
    insta::assert_snapshot!(said(messages));
}

#[test]
fn what_is_said_about_people_and_sessions() {
    let team = ChatThread {
        chat: ChatId(-100_500),
        thread: Some(ThreadId(5)),
    };
    let listed = |user, name: Option<&str>, standing| people::Listed {
        user: UserId(user),
        name: name.map(str::to_owned),
        standing,
    };
    let ended = people::Ended {
        stopped: true,
        dropped: 2,
    };
    let one_dropped = people::Ended {
        stopped: false,
        dropped: 1,
    };
    let invited = [("Grace".to_owned(), UserId(8))];
    let in_chat = a_session(
        HERE,
        Source::Clone("https://ada:secret@example.org/web.git".into()),
    );
    let in_shell = a_session(
        ChatThread {
            chat: ChatId::SHELL,
            thread: Some(ThreadId(1)),
        },
        Source::Worktree("/srv/api".into()),
    );
    let of = |session: &Session, is_current, last_prompt: Option<&str>| sessions::Listed {
        session: session.clone(),
        is_current,
        runs: 3,
        cost_usd: 0.5,
        last_prompt: last_prompt.map(str::to_owned),
    };
    insta::assert_snapshot!(said([
        (
            "whoami",
            people::whoami("Ada (@ada)", UserId(7), HERE, Standing::Owner)
        ),
        (
            "whoami in a topic",
            people::whoami("Grace", UserId(8), team, Standing::Invited)
        ),
        ("not the owner", people::owner_only()),
        (
            "invite",
            people::invitation("coder_bot", "0123", Duration::from_secs(86_400))
        ),
        ("joined", people::joined("Grace", UserId(8))),
        ("welcome", people::welcome()),
        (
            "people",
            people::people(
                &[
                    listed(7, None, Standing::Owner),
                    listed(9, None, Standing::InSettings),
                    listed(10, Some("Bob"), Standing::InSettings),
                    listed(8, Some("Grace"), Standing::Invited),
                ],
                1,
                2
            )
        ),
        ("removed", people::removed("Grace", ended, 0)),
        (
            "removed, was idle",
            people::removed("Grace", people::Ended::default(), 1)
        ),
        (
            "ended at a start",
            people::ended_at_start(&[(ChatId(8), ended), (ChatId(-100_500), one_dropped)])
        ),
        ("invited still", people::invited_still(&invited)),
        ("invited in a backup", people::invited_in_backup(&invited)),
        ("removed, but listed", people::removed_and_listed("Grace")),
        ("no sessions", sessions::sessions(&[], 0)),
        (
            "sessions",
            sessions::sessions(
                &[
                    of(&in_chat, true, Some("fix the build\nand more")),
                    of(&in_shell, false, None),
                ],
                4
            )
        ),
        (
            "resumed",
            sessions::switched(&in_chat, sessions::GoingOn::Nothing)
        ),
        (
            "resumed while it runs",
            sessions::switched(&in_shell, sessions::GoingOn::Run)
        ),
        (
            "resumed while a terminal has it",
            sessions::switched(&in_shell, sessions::GoingOn::Terminal)
        ),
        ("resumed already", sessions::is_current(&in_chat.id)),
        ("no such session", sessions::unknown("nonsense")),
        ("no workspace", sessions::not_ready(&in_chat.id)),
        ("busy", sessions::busy()),
    ]));
}

#[test]
fn what_a_press_on_a_button_is_answered_with() {
    insta::assert_snapshot!(
        [
            toast::STOPPING,
            toast::REMOVED,
            toast::ONLY_OWNER,
            toast::LINKS_CANCELLED,
            toast::SWITCHED,
            toast::BUSY,
            toast::RUN_IS_OVER,
            toast::GOING_ON,
            toast::TAKEN_UP,
            toast::RUNNING,
            toast::NOTHING_TO_RUN,
            toast::SENDING,
            toast::NOTHING_TO_SEND,
            toast::NO_EFFECT,
        ]
        .join("\n")
    );
}

#[test]
fn quiet_hours_go_over_midnight() {
    let night = QuietHours::parse("22:30-08:00").expect("hours");
    for (minute, quiet) in [
        (22 * 60 + 29, false),
        (22 * 60 + 30, true),
        (0, true),
        (479, true),
        (480, false),
    ] {
        assert_eq!(night.contains(minute), quiet, "{minute}");
    }
    let noon = QuietHours::parse("12-13").expect("hours");
    assert!(noon.contains(12 * 60) && !noon.contains(13 * 60) && !noon.contains(0));
    for nonsense in ["", "22", "22-", "25-3", "3-3", "a-b", "1:60-2", "-"] {
        assert_eq!(QuietHours::parse(nonsense), None, "{nonsense}");
    }
}

#[test]
fn what_the_live_message_says() {
    let mut progress = Progress::default();
    let tool = |id: &str, name: &str, argument: &str, parent: Option<&str>| {
        Event::ToolUse(ToolUse {
            id: id.into(),
            name: name.into(),
            argument: argument.into(),
            parent: parent.map(str::to_owned),
        })
    };
    let result = |id: &str, edited| {
        Event::ToolResult(ToolResult {
            id: id.into(),
            failed: false,
            text: "12 passed\nand more".into(),
            end: "12 passed\nand more".into(),
            edited,
        })
    };
    let edited = Some(Edited {
        added: 12,
        removed: 3,
    });
    let mut events = vec![Event::TurnStarted {
        mode: String::new(),
        claude_session: ClaudeSessionId("s".into()),
        model: "m".into(),
        folder: "/data/workspaces/abc".into(),
    }];
    for number in 1..=10 {
        events.push(Event::ToDo(ToDoChange::Added {
            id: number.to_string(),
            subject: format!("Task {number}"),
        }));
    }
    for (id, state) in [
        ("1", ToDoState::Completed),
        ("2", ToDoState::Completed),
        ("3", ToDoState::InProgress),
        ("9", ToDoState::Deleted),
    ] {
        events.push(Event::ToDo(ToDoChange::Moved {
            id: id.into(),
            state,
        }));
    }
    events.extend([
        tool("a", "Bash", "cargo test --workspace", None),
        result("a", None),
        tool("b", "Edit", "/data/workspaces/abc/src/lib.rs", None),
        result("b", edited),
        tool("c", "Task", "Look for other places", None),
        tool("d", "Grep", "fn main", Some("c")),
        tool("e", "Read", "/data/workspaces/abc/src/main.rs", Some("c")),
        Event::StillRunning {
            call: "c".into(),
            seconds: 90,
        },
        Event::TaskStarted {
            id: "fore".into(),
            what: "Look for other places".into(),
            in_background: Some(false),
        },
        Event::InBackground(BTreeMap::from([
            ("a1".to_owned(), "List the sources".to_owned()),
            ("b1".to_owned(), "Dev server".to_owned()),
        ])),
        Event::Words("The **second** place is in `src/".into()),
    ]);
    for event in &events {
        progress.apply(event);
    }
    let mut all = String::new();
    for verbosity in Verbosity::ALL {
        for (seconds, waiting) in [(7, 0), (345, 1), (4_000, 2)] {
            let going = Going {
                elapsed: Duration::from_secs(seconds),
                stopping: false,
                waiting,
                asks: 0,
                verbosity,
            };
            let drawn = drawn(&live::live(&progress, going));
            let _ = writeln!(all, "[{verbosity:?}, {seconds} s]\n{}\n", drawn.text);
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_status_says() {
    let source = Source::Clone("https://ada:secret@example.org/x.git".into());
    let session = a_session(HERE, source);
    let nothing = Facts {
        session: None,
        running_for: None,
        running_elsewhere: false,
        ..Facts::default()
    };
    let idle = Facts {
        session: Some(session.clone()),
        reported: Some(Reported {
            model: "claude-opus-5-5".into(),
            mode: "default".into(),
        }),
        effort: Some(Effort::High),
        last: Some(RunEnd {
            outcome: "failed".into(),
            reason: Some("claude is not logged in".into()),
            started_at: Some(0),
            ended_at: 12_000,
            cost_usd: 0.19,
        }),
        last_ago: Some(MINUTE),
        cost_usd: 1.234,
        runs: 5,
        ..nothing.clone()
    };
    let busy = Facts {
        session: Some(session),
        reported: Some(Reported {
            model: "claude-opus-5-5".into(),
            mode: String::new(),
        }),
        running_for: Some(MINUTE),
        waiting: 2,
        ..nothing.clone()
    };
    let elsewhere = Facts {
        running_elsewhere: true,
        ..busy.clone()
    };
    let no_place = Facts {
        running_for: None,
        no_free_place: true,
        ..busy.clone()
    };
    let trouble = Facts {
        late: 2,
        not_delivered: NotDelivered {
            count: 3,
            reason: Some("Telegram refuses (403): Forbidden: bot was blocked by the user".into()),
        },
        not_delivered_elsewhere: (1, 1),
        other_poller_for: Some(MINUTE),
        webhook: Some((MINUTE, Some("hooks.example".into()))),
        ..nothing.clone()
    };
    insta::assert_snapshot!(said([
        ("nothing", status(&nothing)),
        ("idle", status(&idle)),
        ("busy", status(&busy)),
        ("busy in the session before", status(&elsewhere)),
        ("no free place", status(&no_place)),
        ("trouble", status(&trouble)),
    ]));
}

#[test]
fn what_is_a_command_and_what_is_a_prompt() {
    let mut all = String::new();
    for text in [
        "/status",
        "/status@test_bot",
        "/STATUS",
        "/status now",
        "/statuses",
        "//status",
        "//status x",
        "//x",
        "// comment",
        "/",
        "/compact",
        "/compact@test_bot keep it",
        "/compact@other_bot",
        "/logs",
        "/logs 5",
        "/logs -1",
        "/logs x",
        "/verbose",
        "/verbose 2",
        "/verbose 3",
        "/quiet",
        "/quiet off",
        "/quiet 22:00-08:00",
        "/quiet sometimes",
        "/ring",
        "/ring 5",
        "/ring always",
        "/ring never",
        "/mode",
        "/mode off",
        "/mode acceptedits",
        "/mode dontAsk",
        "/model",
        "/model opus[1m]",
        "/model --help",
        "/model off",
        "/effort",
        "/effort max",
        "/effort some",
        "/new",
        "/new -",
        "/new - branch",
        "/new u b",
        "/new u b c",
        "/stop now",
        "/start payload",
        "/etc/hosts",
        " /status",
        "/status\nmore",
        "/status@",
        "/mail@example.com",
        "hello",
    ] {
        let _ = writeln!(all, "{text:?} → {:?}", command::read(text, "test_bot"));
    }
    insta::assert_snapshot!(all);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_text_that_does_not_begin_with_a_slash_is_the_prompt_to_the_byte(text in "[^/]\\PC*") {
        prop_assert_eq!(command::read(&text, "test_bot"), Input::Prompt(text));
    }

    #[test]
    fn whatever_claude_prints_is_survived(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut progress = Progress::default();
        stream::events(&line, &mut |event| progress.apply(&event));
    }

    #[test]
    fn fields_of_other_kinds_than_today_are_survived(
        kind in prop_oneof![Just("assistant"), Just("user"), Just("result"), Just("system"), Just("stream_event")],
        subtype in prop_oneof![Just("init"), Just("api_retry"), Just("task_started"), Just("compact_boundary")],
        odd in prop_oneof![Just("null"), Just("1"), Just("\"x\""), Just("[]"), Just("{}"), Just("[{\"type\":1}]")],
    ) {
        let line = format!(
            "{{\"type\":\"{kind}\",\"subtype\":\"{subtype}\",\"message\":{odd},\"result\":{odd},\"event\":{odd},\
             \"session_id\":{odd},\"is_error\":{odd},\"attempt\":{odd},\"task_id\":{odd}}}"
        );
        let mut count = 0;
        stream::events(line.as_bytes(), &mut |event| {
            count += 1;
            assert!(event != Event::Garbage, "{line}");
        });
        prop_assert!(count <= 1);
    }
}

#[test]
fn what_is_said_of_files() {
    use telecoder::chat::fetched::{self, Rest};
    use telecoder::domain::fetched::{Missed, MissedCause};
    use telecoder::domain::id::RunId;

    let run = RunId(uuid::Uuid::nil());
    let one = |name: &str, why: MissedCause| {
        vec![Missed {
            name: name.to_owned(),
            why,
        }]
    };
    let alone = |name: &str, why: MissedCause| fetched::missed(&one(name, why), Rest::Nothing);
    let mut two = one("the picture", MissedCause::Gone);
    two.extend(one("big.iso", MissedCause::TooLarge));
    let program = |how: &str, words: &str| MissedCause::NotTranscribed {
        how: how.into(),
        words: words.into(),
    };
    insta::assert_snapshot!(said([
        ("too big", alone("big.iso", MissedCause::TooLarge)),
        (
            "too big for a local server",
            alone("big.iso", MissedCause::MuchTooLarge)
        ),
        (
            "gone, with words",
            fetched::missed(&one("a.pdf", MissedCause::Gone), Rest::Waits(run))
        ),
        ("two of an album", fetched::missed(&two, Rest::GoesOn)),
        (
            "cut off",
            alone(
                "a.pdf",
                MissedCause::CutOff("Telegram's server failed (502)".into())
            )
        ),
        (
            "a local server that keeps its files to itself",
            alone(
                "a.pdf",
                MissedCause::OutOfReach("/var/lib/bot-api/a.pdf".into())
            )
        ),
        (
            "no room",
            alone("a.pdf", MissedCause::Disk("No space left on device".into()))
        ),
        (
            "nothing listens",
            alone("the voice message", MissedCause::NoTranscriber)
        ),
        (
            "the listener fails",
            alone(
                "the voice message",
                program("failed (exit code 1)", "no model")
            )
        ),
        (
            "silence",
            alone("the video message", MissedCause::NothingHeard)
        ),
        ("stopped", fetched::stopped(1)),
        ("several stopped", fetched::stopped(3)),
        ("heard", fetched::heard("Fix the tests.")),
    ]));
}
