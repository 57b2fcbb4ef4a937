//! From nothing to a bot that answers its owner and nobody else.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::Signal;
use telecoder::config::pages;
use telecoder::domain::id::ChatId;

use crate::support::terminal::Terminal;
use crate::support::{BOT, CHAT, Fault, GRACE, Machine, TEAM, TOKEN, processes};

/// A machine on which nothing is set up, and its settings file.
fn bare() -> (Machine, PathBuf) {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .without("TELECODER_TG_ALLOWED_USERS")
        .without("TELECODER_TG_ALLOWED_CHATS");
    let file = machine
        .folder
        .path()
        .join("home/.config/telecoder/telecoder.env");
    (machine, file)
}

fn token_file(machine: &Machine, token: &str) -> String {
    let path = machine.folder.path().join("token");
    std::fs::write(&path, format!("{token}\n")).expect("a file");
    path.display().to_string()
}

fn text_of(file: &PathBuf) -> String {
    std::fs::read_to_string(file).expect("a settings file")
}

/// The template with these lines filled in.
fn template_with(lines: &[(&str, &str)]) -> String {
    lines.iter().fold(pages::example(), |text, (line, filled)| {
        assert!(text.contains(line), "{line}");
        text.replacen(&format!("\n{line}\n"), &format!("\n{filled}\n"), 1)
    })
}

/// The code in the link that was shown.
fn code_in(shown: &str) -> String {
    let link = format!("https://t.me/{BOT}?start=");
    let at = shown.find(&link).expect("a link") + link.len();
    let code: String = shown[at..]
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    assert_eq!(code.len(), 32, "128 bits");
    code
}

#[test]
fn in_a_terminal_the_token_is_typed_unseen_and_who_presses_start_owns_the_bot() {
    let (machine, file) = bare();
    machine.api.say(ChatId(8), GRACE, "/start an-older-code");
    let mut terminal = Terminal::start(machine.telecoder(&["init", "--no-service"]));
    terminal.until("write /newbot to @BotFather");
    terminal.until("Token (it is not shown): ");
    terminal.types(TOKEN);
    terminal.until("✓ Token: Telegram takes it, the bot is @test_coder_bot");
    let shown = terminal.until("Waiting for it… (The link works for 10 minutes;");
    let code = code_in(&shown);
    assert!(shown.contains("▀▄") || shown.contains("▄▀"), "{shown}");
    // Neither a wrong code nor the right one in a group is anything.
    machine
        .api
        .say(ChatId(8), GRACE, "/start 0123456789abcdef0123456789abcdef");
    machine.api.say(TEAM, GRACE, &format!("/start {code}"));
    machine.ada_says(&format!("/start {code}"));
    terminal.until("✓ Owner: Person (7)");
    terminal.until("telecoder makes it when it starts");
    terminal.until("/git");
    terminal.until("2.1.197 (fake claude) at ");
    terminal.until("claude is logged in, or has a key");
    terminal.until("bypassPermissions: claude does not ask");
    terminal.until(&format!("✓ Settings: {}", file.display()));
    terminal.until("Start it with: telecoder");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(!screen.contains(TOKEN), "{screen}");
    assert!(!screen.contains("Secret-Token"), "{screen}");
    machine.message_with("You are the owner of this bot now.");

    let mode = std::fs::metadata(&file)
        .expect("a settings file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        text_of(&file),
        template_with(&[
            (
                "TELEGRAM_BOT_TOKEN=",
                &format!("TELEGRAM_BOT_TOKEN={TOKEN}")
            ),
            (
                "TELECODER_TG_ALLOWED_USERS=",
                "TELECODER_TG_ALLOWED_USERS=7"
            ),
        ])
    );

    // All that was sent meanwhile is still there for the bot: it greets Ada, and answers nobody else.
    assert_eq!(machine.api.unconfirmed(), 4);
    let _bot = machine.start();
    machine.api.say(ChatId(8), GRACE, "let me in");
    machine.ada_says("it is me");
    machine.message_with("You said: it is me");
    machine.until_quiet();
    let messages = machine.bot_messages();
    assert!(
        messages.iter().all(|message| message.chat == CHAT.0),
        "{messages:?}"
    );
    assert!(
        messages.len() >= 3,
        "a welcome, a greeting, an answer: {messages:?}"
    );
}

#[test]
fn without_a_terminal_everything_is_given_by_flags_and_nothing_is_asked() {
    let (machine, _) = bare();
    let file = machine.folder.path().join("etc/telecoder/settings.env");
    let token = token_file(&machine, TOKEN);
    let output = machine
        .telecoder(&[
            "init",
            "--token-file",
            &token,
            "--owner",
            "7",
            "--file",
            &file.display().to_string(),
            "--permission-mode",
            "acceptEdits",
            "--no-service",
        ])
        .stdin(Stdio::null())
        .output()
        .expect("telecoder starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &*String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    assert_eq!(
        text_of(&file),
        template_with(&[
            (
                "TELEGRAM_BOT_TOKEN=",
                &format!("TELEGRAM_BOT_TOKEN={TOKEN}")
            ),
            (
                "TELECODER_TG_ALLOWED_USERS=",
                "TELECODER_TG_ALLOWED_USERS=7"
            ),
            (
                "#TELECODER_PERMISSION_MODE=bypassPermissions",
                "TELECODER_PERMISSION_MODE=acceptEdits"
            ),
        ])
    );
    assert!(
        said.contains("! telecoder does not look for settings there by itself"),
        "{said}"
    );
    // Nobody was disturbed who polls with this token.
    assert_eq!(machine.api.polls(), 0);
}

#[test]
fn what_is_in_the_file_stays_there_and_the_new_owner_is_in_front() {
    let (machine, _) = bare();
    let file = machine.folder.path().join(".env");
    std::fs::write(
        &file,
        format!("# mine\nTELEGRAM_BOT_TOKEN={TOKEN}\nMY_KEY='a b'\nTELECODER_TG_ALLOWED_USERS='8,7 9'\n# the end"),
    )
    .expect("a file");
    let (code, said) = machine.run_to_its_end(&["init", "--owner", "7"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        text_of(&file),
        format!(
            "# mine\nTELEGRAM_BOT_TOKEN={TOKEN}\nMY_KEY='a b'\nTELECODER_TG_ALLOWED_USERS=7,8,9\n# the end"
        )
    );
    // With somebody on the list nobody waits for an owner where nobody could be asked.
    let (code, said) = machine.run_to_its_end(&["init"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(text_of(&file).contains("TELECODER_TG_ALLOWED_USERS=7,8,9\n"));
}

#[test]
fn a_refused_token_is_asked_for_again_three_times_and_nothing_is_written() {
    let (machine, file) = bare();
    let mut terminal = Terminal::start(machine.telecoder(&["init"]));
    for wrong in ["not a token", "43:another-token", "43:yet-another"] {
        terminal.until("Token (it is not shown): ");
        terminal.types(wrong);
    }
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(2), "{screen}");
    assert!(
        screen.contains("✗ TELEGRAM_BOT_TOKEN does not look like a bot token"),
        "{screen}"
    );
    assert!(
        screen.contains("✗ Telegram does not accept this token"),
        "{screen}"
    );
    assert!(screen.contains("Nothing was written"), "{screen}");
    for wrong in ["not a token", "another-token", "yet-another"] {
        assert!(!screen.contains(wrong), "{screen}");
    }
    assert!(!file.exists());
}

#[test]
fn without_a_terminal_what_is_missing_is_an_error_that_names_the_flag() {
    let (machine, file) = bare();
    let (code, said) = machine.run_to_its_end(&["init"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--token-file"), "{said}");
    let token = token_file(&machine, "43:another-token");
    let (code, said) = machine.run_to_its_end(&["init", "--token-file", &token]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("Telegram does not accept this token"),
        "{said}"
    );
    assert!(!said.contains("another-token"), "{said}");
    assert!(!file.exists());
}

/// An init without a terminal that waits for its owner, and the code that it showed.
fn waiting(
    machine: &Machine,
    more: &[&str],
) -> (Child, String, BufReader<std::process::ChildStdout>) {
    let mut arguments = vec!["init", "--token-file", "-"];
    arguments.extend(more);
    let mut init = machine
        .telecoder(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("telecoder starts");
    let mut stdin = init.stdin.take().expect("it is piped");
    writeln!(stdin, "{TOKEN}").expect("it reads");
    drop(stdin);
    let mut stdout = BufReader::new(init.stdout.take().expect("it is piped"));
    let mut shown = String::new();
    while !shown.contains("Waiting for it") {
        assert!(stdout.read_line(&mut shown).expect("a line") > 0, "{shown}");
    }
    let code = code_in(&shown);
    (init, code, stdout)
}

fn end_of(init: Child) -> (Option<i32>, String) {
    let output = init.wait_with_output().expect("it ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn five_wrong_codes_end_it_and_get_no_answer() {
    let (machine, file) = bare();
    let (init, code, _stdout) = waiting(&machine, &[]);
    for number in 0..5 {
        machine
            .api
            .say(ChatId(8), GRACE, &format!("/start {number}"));
    }
    let (exit, said) = end_of(init);
    assert_eq!(exit, Some(1), "{said}");
    assert!(
        said.contains("Five wrong codes were sent to the bot"),
        "{said}"
    );
    assert!(said.contains("--owner"), "{said}");
    assert!(!file.exists());
    assert!(machine.bot_messages().is_empty());
    // The code is good for nothing any more: another init has another one.
    let (mut again, other, _stdout) = waiting(&machine, &[]);
    assert_ne!(code, other);
    again.kill().expect("it is there");
    again.wait().expect("it ends");
}

#[test]
fn a_code_that_nobody_used_in_time_is_good_no_longer_and_a_new_one_is_offered() {
    let (machine, file) = bare();
    let (init, _, _stdout) = waiting(&machine, &["--pairing-time", "200ms"]);
    let (exit, said) = end_of(init);
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("Nobody pressed Start in time"), "{said}");
    assert!(!file.exists());

    let token = token_file(&machine, TOKEN);
    let mut terminal = Terminal::start(machine.telecoder(&[
        "init",
        "--token-file",
        &token,
        "--pairing-time",
        "200ms",
    ]));
    terminal.until("Make a new code? [Y/n] ");
    terminal.types("");
    terminal.until("Make a new code? [Y/n] ");
    terminal.types("n");
    let (status, screen) = terminal.end();
    assert_eq!(status.code(), Some(1), "{screen}");
    assert!(
        screen.contains("nobody is the owner, and nothing was written"),
        "{screen}"
    );
}

#[test]
fn another_owner_can_be_paired_and_who_was_there_stays() {
    let (machine, _) = bare();
    let file = machine.folder.path().join(".env");
    std::fs::write(&file, "TELECODER_TG_ALLOWED_USERS=8,9\n").expect("a file");
    let (init, code, _stdout) = waiting(&machine, &["--pair", "--no-service"]);
    machine.ada_says(&format!("/start {code}"));
    let (exit, said) = end_of(init);
    assert_eq!(exit, Some(0), "{said}");
    assert_eq!(
        text_of(&file),
        format!("TELECODER_TG_ALLOWED_USERS=7,8,9\nTELEGRAM_BOT_TOKEN={TOKEN}\n")
    );
}

#[test]
fn a_hundred_unseen_messages_do_not_hide_the_owner() {
    let (machine, file) = bare();
    for _ in 0..130 {
        machine.api.say(ChatId(8), GRACE, "hello?");
    }
    let (init, code, mut stdout) = waiting(&machine, &["--no-service"]);
    machine.ada_says(&format!("/start {code}"));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    let (exit, said) = end_of(init);
    assert_eq!(exit, Some(0), "{rest}{said}");
    assert!(text_of(&file).contains("TELECODER_TG_ALLOWED_USERS=7\n"));
    // Those that were in the way are gone, the others are not.
    assert_eq!(machine.api.unconfirmed(), 31);
}

#[test]
fn wrong_codes_behind_a_hundred_old_messages_are_no_tries_at_the_new_code() {
    let (machine, file) = bare();
    for _ in 0..100 {
        machine.api.say(ChatId(8), GRACE, "hello?");
    }
    for number in 0..5 {
        machine
            .api
            .say(ChatId(8), GRACE, &format!("/start {number}"));
    }
    let (init, code, _stdout) = waiting(&machine, &["--no-service"]);
    machine.ada_says(&format!("/start {code}"));
    let (exit, said) = end_of(init);
    assert_eq!(exit, Some(0), "{said}");
    assert!(text_of(&file).contains("TELECODER_TG_ALLOWED_USERS=7\n"));
    // Only what was in the way is gone.
    assert_eq!(machine.api.unconfirmed(), 6);
}

#[test]
fn a_webhook_is_told_of_and_deleted_when_that_is_agreed_to() {
    let (machine, file) = bare();
    machine.api.set_webhook("https://hooks.example/secret-path");
    let token = token_file(&machine, TOKEN);
    let (code, said) = machine.run_to_its_end(&["init", "--token-file", &token, "--owner", "7"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--delete-webhook"), "{said}");
    assert!(!said.contains("secret-path"), "{said}");
    assert!(!file.exists());

    let mut terminal = Terminal::start(machine.telecoder(&[
        "init",
        "--token-file",
        &token,
        "--owner",
        "7",
        "--no-service",
    ]));
    terminal.until("to a webhook (hooks.example)");
    terminal.until("Delete the webhook? [y/N] ");
    terminal.types("y");
    terminal.until("✓ Webhook: deleted");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(file.exists());
}

#[test]
fn another_program_that_polls_is_told_of_with_what_to_do() {
    let (machine, file) = bare();
    machine.api.plan_after(
        "getUpdates",
        None,
        1,
        1,
        Fault::Refuse(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
    );
    let token = token_file(&machine, TOKEN);
    let (code, said) = machine.run_to_its_end(&["init", "--token-file", &token]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("another program polls with this token")
            && said.contains("systemctl stop telecoder"),
        "{said}"
    );
    assert!(!file.exists());
}

#[test]
fn init_that_is_stopped_leaves_nothing_behind_and_a_terminal_that_shows_what_is_typed() {
    let (machine, file) = bare();
    let mut terminal = Terminal::start(machine.telecoder(&["init"]));
    terminal.until("Token (it is not shown): ");
    assert!(!terminal.shows_what_is_typed());
    processes::signal(terminal.id(), Signal::INT);
    terminal.until("init was stopped, and nothing was written");
    let (status, _) = terminal.end();
    assert_eq!(status.code(), Some(1));
    assert!(terminal.shows_what_is_typed());
    assert!(!file.exists());
    assert!(!file.parent().expect("a folder").exists());
}

#[test]
fn what_is_missing_on_the_machine_is_said_with_its_remedy_and_stops_nothing() {
    let (machine, file) = bare();
    let machine = machine
        .with("TELECODER_RUNTIME", "/nowhere/claude")
        .with("PATH", "/nowhere")
        .with("TELECODER_DATA", "/proc/telecoder")
        .with("TELECODER_MAX_RUNS", "0");
    let token = token_file(&machine, TOKEN);
    let output = machine
        .telecoder(&[
            "init",
            "--token-file",
            &token,
            "--owner",
            "7",
            "--no-service",
        ])
        .stdin(Stdio::null())
        .output()
        .expect("telecoder starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    for part in [
        "✗ git          there is no git where telecoder looks for programs (PATH)",
        "→ sudo apt-get install git",
        "✗ claude       /nowhere/claude is not there",
        "→ curl -fsSL https://claude.ai/install.sh | bash -s 2.1.332",
        "✗ Data folder  /proc/telecoder is not there and cannot be made",
        "✗ TELECODER_MAX_RUNS is no number from 1 to 1000: 0.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(file.exists());
}

#[test]
fn for_root_a_permission_mode_is_chosen_that_claude_takes() {
    let (machine, file) = bare();
    let machine = machine.without("IS_SANDBOX");
    let token = token_file(&machine, TOKEN);
    let (code, said) = machine.run_to_its_end(&[
        "init",
        "--token-file",
        &token,
        "--owner",
        "7",
        "--no-service",
    ]);
    assert_eq!(code, Some(0), "{said}");
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(
        text_of(&file).contains("\nTELECODER_PERMISSION_MODE=acceptEdits\n"),
        is_root
    );
}

/// A folder that stands for /, with systemd and, where one is named, a service of the machine that runs as this user.
fn root_with_systemd(machine: &Machine, runs_as: Option<&str>) -> String {
    let root = machine.folder.path().join("root");
    std::fs::create_dir_all(root.join("run/systemd/system")).expect("systemd runs");
    let units = root.join("etc/systemd/system");
    std::fs::create_dir_all(&units).expect("a folder");
    if let Some(user) = runs_as {
        let unit = format!("[Service]\nUser={user}\n");
        std::fs::write(units.join("telecoder.service"), unit).expect("a unit");
    }
    root.display().to_string()
}

#[test]
fn root_is_told_at_once_to_run_init_as_the_services_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (machine, file) = bare();
    let root = root_with_systemd(&machine, Some("daemon"));
    let token = token_file(&machine, TOKEN);
    let init = [
        "init",
        "--token-file",
        &token,
        "--owner",
        "7",
        "--root",
        &root,
    ];
    let (code, said) = machine.run_to_its_end(&init);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("sudo -u daemon -H telecoder init"), "{said}");
    assert!(!file.exists());
    assert!(machine.api.calls().is_empty(), "Telegram was not asked");
    // Whoever names the file knows which one it is.
    let other = machine
        .folder
        .path()
        .join("other.env")
        .display()
        .to_string();
    let named = [&init[..], &["--file", &other, "--no-service"]].concat();
    let (code, said) = machine.run_to_its_end(&named);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn root_alone_is_told_how_to_come_to_a_service_and_is_offered_none() {
    let has_user = std::process::Command::new("id")
        .arg("telecoder")
        .output()
        .expect("id");
    if !rustix::process::geteuid().is_root() || has_user.status.success() {
        return;
    }
    let (machine, file) = bare();
    let root = root_with_systemd(&machine, None);
    let token = token_file(&machine, TOKEN);
    let init = [
        "init",
        "--token-file",
        &token,
        "--owner",
        "7",
        "--root",
        &root,
    ];
    let (code, said) = machine.run_to_its_end(&[&init[..], &["--service"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("deploy/install.sh makes one"), "{said}");
    assert!(!file.exists());
    let mut terminal = Terminal::start(machine.telecoder(&init));
    terminal.until("! a service does not run as root, and there is no user telecoder here");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(!screen.contains("Install it as a service?"), "{screen}");
}

#[test]
fn whom_the_machines_service_runs_as_is_not_asked_about_another_one() {
    let (machine, _) = bare();
    let id = std::process::Command::new("id").arg("-un").output();
    let name = String::from_utf8(id.expect("a name").stdout).expect("text");
    let root = root_with_systemd(&machine, Some(name.trim()));
    let token = token_file(&machine, TOKEN);
    let mut terminal = Terminal::start(machine.telecoder(&[
        "init",
        "--token-file",
        &token,
        "--owner",
        "7",
        "--root",
        &root,
    ]));
    terminal.until("this starts it: sudo telecoder service restart");
    let (status, screen) = terminal.end();
    assert!(status.success(), "{screen}");
    assert!(!screen.contains("Install it as a service?"), "{screen}");
}
