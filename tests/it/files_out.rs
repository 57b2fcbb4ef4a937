//! What claude puts into its outbox arrives in the chat.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use telecoder::demo::bot_api::Posted;

use crate::support::shell::{made, shell};
use crate::support::{ADA, Fault, Machine};

/// The messages of the bot that are files.
pub fn files(machine: &Machine) -> Vec<Posted> {
    let messages = machine.bot_messages();
    messages
        .into_iter()
        .filter(|message| message.file.is_some())
        .collect()
}

/// Waits for a file of this name, and returns its message with its content.
pub fn file(machine: &Machine, name: &str) -> (Posted, Vec<u8>) {
    machine.until(&format!("a file called {name}"), || {
        files(machine).into_iter().find_map(|message| {
            let (called, content) = message.file.clone()?;
            (called == name).then_some((message, content))
        })
    })
}

/// What is in a zip: names with contents and rights, sorted.
pub fn unpacked(zip: Vec<u8>) -> Vec<(String, Vec<u8>, u32)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).expect("a zip");
    let mut members: Vec<_> = (0..zip.len())
        .map(|number| {
            let mut member = zip.by_index(number).expect("a member");
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut member, &mut content).expect("it unpacks");
            let rights = member.unix_mode().unwrap_or_default() & 0o777;
            let name = member.name().expect("a name").into_owned();
            (name, content, rights)
        })
        .collect();
    members.sort();
    members
}

/// The folder of the only session.
fn folder(machine: &Machine) -> PathBuf {
    std::fs::read_dir(machine.data().join("files"))
        .expect("a folder")
        .flatten()
        .next()
        .expect("a session")
        .path()
}

fn calls(machine: &Machine, method: &str) -> usize {
    let calls = machine.api.calls();
    calls.iter().filter(|call| call.method == method).count()
}

#[test]
fn what_claude_hands_over_arrives_to_the_byte_behind_the_answer_and_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    let prompt = machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX && seq 1 30000 > numbers.txt && mkdir -p \"the plots\" && \
         printf x > \"the plots/größe; 1.dat\"]] [[say: handed over]]",
    );
    let answer = machine.message_with("handed over");
    let (message, content) = file(&machine, "numbers.txt");
    let numbers: String = (1..=30000).map(|number| format!("{number}\n")).collect();
    assert!(content == numbers.as_bytes());
    assert_eq!(message.reply_to, Some(prompt.into()));
    assert!(message.id > answer.id && message.silent && message.text.is_empty());
    // Telegram would read a name up to its semicolon only.
    let (message, content) = file(&machine, "größe_ 1.dat");
    assert_eq!(content, b"x");
    assert_eq!(message.text, "the plots/größe; 1.dat");
    machine.until_quiet();

    let outbox = folder(&machine).join("outbox");
    let rights = std::fs::metadata(&outbox).expect("a new one").permissions();
    assert_eq!(rights.mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(&outbox).expect("a folder").count(), 0);
    machine.ada_says("and again");
    machine.message_with("You said: and again");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 2);
}

#[test]
fn files_come_before_the_checks_and_also_from_a_run_that_failed() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "true");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/a; echo 1 > new]] [[say: well]]");
    let checked = machine.message_with("✓ Tests");
    let (message, _) = file(&machine, "a");
    assert!(message.id < checked.id);
    machine.ada_says("[[bash: echo 2 > $TELECODER_OUTBOX/b]] [[exit: 3]]");
    assert_eq!(file(&machine, "b").1, b"2\n");
}

#[test]
fn a_picture_comes_as_one_and_a_picture_that_telegram_cannot_show_as_a_file() {
    let machine = Machine::new();
    let _bot = machine.start();
    let png =
        |width: &str| format!("printf '\\211PNG\\r\\n\\032\\n\\0\\0\\0\\rIHDR{width}\\0\\0\\0\\2'");
    machine.ada_says(&format!(
        "[[bash: cd $TELECODER_OUTBOX; {} > plot.png; {} > wide.png]]",
        png("\\0\\0\\0\\2"),
        png("\\0\\0\\23\\210")
    ));
    assert_eq!(file(&machine, "plot.png").0.text, "plot.png");
    let (_, content) = file(&machine, "wide.png");
    assert_eq!(content.len(), 24);
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 2);
    let method_of = |accepted| {
        let calls = machine.api.calls();
        let tried = calls
            .into_iter()
            .filter(|call| call.method == "sendPhoto" && call.accepted == accepted);
        tried.count()
    };
    assert_eq!((method_of(true), method_of(false)), (1, 1));
    assert_eq!(calls(&machine, "sendDocument"), 1);
}

#[test]
fn links_are_not_followed_and_what_telegram_does_not_take_is_told() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX; ln -s /etc/passwd users; ln -s /etc all; mkfifo pipe; touch empty; \
         truncate -s 2001M huge; echo fine > fine]]",
    );
    let told = machine.message_with("Files from claude that were not sent:");
    for line in [
        "• all: it is a link or a device; only files are sent.",
        "• users: it is a link or a device; only files are sent.",
        "• pipe: it is a link or a device; only files are sent.",
        "• empty: it is empty, and Telegram takes no empty files.",
        "• huge: it is 2001 MB, and Telegram takes at most 2000 MB. It is kept: ",
    ] {
        assert!(told.text.contains(line), "{line} in {}", told.text);
    }
    let kept = told.text.split("It is kept: ").nth(1).expect("a path");
    let kept = PathBuf::from(kept.lines().next().expect("a line"));
    assert_eq!(std::fs::metadata(kept).expect("it is").len(), 2001 << 20);
    file(&machine, "fine");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 1);
}

#[test]
fn an_outbox_that_has_become_a_link_hands_nothing_over() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: rmdir $TELECODER_OUTBOX; ln -s /etc/ssl $TELECODER_OUTBOX]] [[say: sly]]",
    );
    machine.message_with("sly");
    machine.until_quiet();
    assert!(files(&machine).is_empty());
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/honest]]");
    file(&machine, "honest");
}

#[test]
fn what_is_too_large_for_telegram_after_all_is_told_and_what_is_behind_it_comes() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: cd $TELECODER_OUTBOX; truncate -s 51M large; echo small > small]]");
    let told = machine.message_with("large could not be sent: it is larger than Telegram takes");
    file(&machine, "small");
    let kept = told.text.split("It is kept: ").nth(1).expect("a path");
    assert!(PathBuf::from(kept.lines().next().expect("a line")).exists());
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM outbox WHERE state = 'parked'"),
        [0]
    );
}

#[test]
fn a_file_that_is_gone_when_its_turn_comes_holds_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendDocument", None, 1, Fault::Flood(2));
    machine.ada_says("[[bash: cd $TELECODER_OUTBOX; echo 1 > first; echo 2 > second]]");
    machine.until("the first was tried", || {
        (machine.api.still_planned() == 0).then_some(())
    });
    let sent = std::fs::read_dir(folder(&machine).join("sent")).expect("a folder");
    let of_job = sent.flatten().next().expect("a job").path();
    std::fs::remove_file(of_job.join("files/first")).expect("it was there");
    machine.message_with(
        "first could not be sent: it was changed or removed meanwhile (No such file or directory).",
    );
    file(&machine, "second");
}

#[test]
fn many_files_come_as_one_zip() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX; mkdir d; for i in $(seq 10 25); do echo $i > d/日本$i; done; \
         echo x > run.sh; chmod 755 run.sh; ln -s /etc/passwd d/users]]",
    );
    let (message, zip) = file(&machine, "files.zip");
    assert_eq!(message.text, "17 files from claude, in one zip.");
    let mut expected: Vec<_> = (10..=25)
        .map(|number| {
            (
                format!("d/日本{number}"),
                format!("{number}\n").into_bytes(),
            )
        })
        .chain([("run.sh".to_owned(), b"x\n".to_vec())])
        .collect();
    expected.sort();
    let members = unpacked(zip);
    let rights: Vec<u32> = members.iter().map(|member| member.2).collect();
    assert_eq!(rights[16], 0o755);
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, content, _)| (name, content))
        .collect();
    assert_eq!(members, expected);
    machine.message_with("• d/users: it is a link");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 1);
}

#[test]
fn what_is_called_like_a_secret_comes_only_when_a_person_says_so_and_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX; mkdir k; echo s > k/id_ed25519; echo p > k/id_ed25519.pub; \
         echo e > .env.example; echo r > .env.local]]",
    );
    let question =
        machine.message_with("Claude also handed over .env.local, k/id_ed25519. Their names");
    file(&machine, "id_ed25519.pub");
    file(&machine, ".env.example");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 2);
    assert_eq!(question.buttons[0].0, "Send them all the same");
    machine.api.press(ADA, &question, &question.buttons[0].1);
    assert_eq!(file(&machine, "id_ed25519").1, b"s\n");
    assert_eq!(file(&machine, ".env.local").1, b"r\n");
    machine.api.press(ADA, &question, &question.buttons[0].1);
    machine.until_toast("It was sent already.");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 4);
}

#[test]
fn each_session_has_an_outbox_of_its_own_and_claude_is_told_where() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[env]]");
    let path_in = |text: &str| {
        let line = text.lines().find(|line| line.contains("TELECODER_OUTBOX="));
        line.expect("a variable")
            .split('=')
            .nth(1)
            .expect("a path")
            .to_owned()
    };
    let first = path_in(&machine.message_with("TELECODER_OUTBOX=").text);
    machine.ada_says("[[argv]]");
    machine.message_with(&format!(
        "\"--append-system-prompt\",\"Files that you put into {first} (also $TELECODER_OUTBOX) are sent to the person \
         in the chat when you are done.\""
    ));
    machine.ada_says("/new -");
    machine.message_with("New session");
    machine.ada_says("[[env]]");
    let second = path_in(&machine.nth_message_with("TELECODER_OUTBOX=", 2).text);
    assert_ne!(first, second);
}

#[test]
fn what_was_sent_goes_with_the_records_of_old_runs() {
    let machine = Machine::new().with("TELECODER_KEEP_RUNS", "1");
    let bot = machine.start();
    for number in 1..=3 {
        machine.ada_says(&format!(
            "[[bash: echo {number} > $TELECODER_OUTBOX/file{number}]]"
        ));
        file(&machine, &format!("file{number}"));
        machine.until_quiet();
    }
    let sent = folder(&machine).join("sent");
    let kept = || std::fs::read_dir(&sent).expect("a folder").count();
    assert_eq!(kept(), 3);
    bot.kill();
    let _bot = machine.start();
    machine.until("the old ones are gone", || (kept() == 1).then_some(()));
}

#[test]
fn what_a_session_of_a_shell_hands_over_waits_for_a_chat() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let hands_over = "[[bash: echo x > $TELECODER_OUTBOX/waits]] [[say: done]]";
    let (code, said) = shell(&machine, &["session", "run", &session, hands_over]);
    assert_eq!(code, Some(0), "{said}");
    machine.until_quiet();
    assert!(folder(&machine).join("outbox/waits").exists());
    machine.ada_says(&format!("/resume {session}"));
    machine.ada_says("hello");
    assert_eq!(file(&machine, "waits").1, b"x\n");
}

#[test]
fn who_stops_the_sending_is_told_where_the_files_are() {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at("files-moved=1*return");
    machine.ada_says("[[bash: echo x > $TELECODER_OUTBOX/kept]] [[say: done]]");
    bot.wait_for_its_end();
    // Held up for long enough to be stopped.
    let _bot = machine.start_failing_at("files-moved=sleep(3000)");
    machine.message_with("done");
    machine.ada_says("/stop");
    let told = machine.message_with("Sending files was stopped. Claude's files are kept: ");
    let kept = told.text.rsplit("are kept: ").next().expect("a path");
    assert!(PathBuf::from(kept).join("kept").exists(), "{kept}");
    machine.until_quiet();
    assert!(files(&machine).is_empty());
}
