//! `/get`: files and folders of the workspace, and of nothing else.

use std::path::PathBuf;

use crate::files_out::{file, files, unpacked};
use crate::support::{ADA, Bot, Machine};

/// A session whose workspace was filled by these commands.
fn machine_with(commands: &str) -> (Machine, Bot) {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says(&format!("[[bash: {commands}]] [[say: filled]]"));
    machine.message_with("filled");
    machine.until_quiet();
    (machine, bot)
}

fn workspace(machine: &Machine) -> PathBuf {
    let mut workspaces = std::fs::read_dir(machine.data().join("workspaces")).expect("a folder");
    workspaces.next().expect("a workspace").expect("it").path()
}

#[test]
fn a_file_comes_to_the_byte_while_a_run_goes_on() {
    let (machine, _bot) = machine_with("mkdir -p src; seq 1 9999 > \"src/mit Leerzeichen ß.txt\"");
    machine.ada_says("[[sleep: 60000]]");
    machine.until("it runs", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'running'") == [1]).then_some(())
    });
    let asked = machine.ada_says("/get src/mit Leerzeichen ß.txt");
    let (message, content) = file(&machine, "mit Leerzeichen ß.txt");
    let numbers: String = (1..=9999).map(|number| format!("{number}\n")).collect();
    assert!(content == numbers.as_bytes());
    assert_eq!(message.text, "src/mit Leerzeichen ß.txt");
    assert_eq!(message.reply_to, Some(asked.into()));
    machine.ada_says("/stop");
    machine.until_quiet();
    let absolute = workspace(&machine).join("src/mit Leerzeichen ß.txt");
    machine.ada_says(&format!("/get {}", absolute.display()));
    machine.until("it comes again", || {
        (files(&machine).len() == 2).then_some(())
    });
}

#[test]
fn nothing_outside_the_workspace_comes_whatever_the_path() {
    let (machine, _bot) = machine_with(
        "ln -s /etc/passwd users; ln -s / all; ln -s ../../telecoder.db up; mkdir d; ln -s .. d/back; echo fine > fine",
    );
    let secret = machine.data().join("telecoder.db");
    let sly = format!("/get {}/../../telecoder.db", workspace(&machine).display());
    for (number, wanted) in [
        "/get ../../telecoder.db",
        "/get d/../../../telecoder.db",
        "/get /etc/passwd",
        "/get //etc/passwd",
        "/get users",
        "/get all/etc/passwd",
        "/get all",
        "/get up",
        "/get d/back/../../telecoder.db",
        "/get ..",
        "/get ../nowhere",
        &format!("/get {}", secret.display()),
        &sly,
    ]
    .into_iter()
    .enumerate()
    {
        machine.ada_says(wanted);
        machine.nth_message_with("is not in the workspace of this session", number + 1);
    }
    assert!(files(&machine).is_empty());
    machine.ada_says("/get d/back/fine");
    assert_eq!(file(&machine, "fine").1, b"fine\n");
    machine.ada_says("/get d");
    machine.message_with("There is no file to send in d. Left out: 1 link.");
}

#[test]
fn a_secret_comes_only_with_the_button_whatever_its_link_is_called() {
    let (machine, _bot) = machine_with(
        "echo TOKEN=1 > .env; ln -s .env notes.txt; echo 1 > server.key; echo 2 > .env.example",
    );
    machine.ada_says("/get .env.example");
    file(&machine, ".env.example");
    for wanted in ["server.key", "notes.txt", ".git/config", ".env"] {
        machine.ada_says(&format!("/get {wanted}"));
        machine.message_with(&format!("The name of {wanted} suggests secrets."));
    }
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 1);
    let question = machine.message_with("The name of .env suggests");
    machine.api.press(ADA, &question, &question.buttons[0].1);
    assert_eq!(file(&machine, ".env").1, b"TOKEN=1\n");
    machine.api.press(ADA, &question, &question.buttons[0].1);
    machine.until_toast("It was sent already.");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 2);
}

#[test]
fn a_folder_comes_as_a_zip_without_git_secrets_and_links_and_says_so() {
    let (machine, _bot) = machine_with(
        "mkdir -p app/bin; echo '#!/bin/sh' > app/bin/run; chmod 755 app/bin/run; seq 1 50000 > app/ñ.txt; \
         echo 1 > app/.env; ln -s /etc app/etc; mkdir app/.git; echo 1 > app/.git/HEAD",
    );
    machine.ada_says("/get app/");
    let (message, zip) = file(&machine, "app.zip");
    assert_eq!(
        message.text,
        "2 files of app. Left out: .git, 1 link. Left out, because the name suggests secrets: \
         app/.env. /get with the name sends it."
    );
    let numbers: String = (1..=50000).map(|number| format!("{number}\n")).collect();
    assert!(
        unpacked(zip)
            == [
                ("bin/run".into(), b"#!/bin/sh\n".to_vec(), 0o755),
                ("ñ.txt".into(), numbers.into_bytes(), 0o644),
            ]
    );
    machine.ada_says("/get .");
    let (message, zip) = file(&machine, "workspace.zip");
    assert!(
        message.text.starts_with("2 files of workspace."),
        "{}",
        message.text
    );
    assert_eq!(unpacked(zip)[0].0, "app/bin/run");
}

#[test]
fn a_name_that_is_not_there_is_answered_with_names_that_are_near() {
    let (machine, _bot) =
        machine_with("mkdir -p docs; echo 1 > docs/README.md; echo 1 > main.rs; touch empty");
    machine.ada_says("/get readme.md");
    machine.message_with("There is no readme.md in the workspace. Did you mean docs/README.md?");
    machine.ada_says("/get qqqqqqqq/zzzz");
    machine.message_with("There is no qqqqqqqq/zzzz in the workspace.");
    machine.ada_says("/get empty");
    machine.message_with("Not sent: empty: it is empty, and Telegram takes no empty files.");
    machine.ada_says("/get");
    machine.message_with("/get path");
}

#[test]
fn a_chat_without_a_workspace_is_told_so() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/get x");
    machine.message_with("There is no workspace yet");
}
