//! Settings files: what is wrong with one is said with its line, and whose file has a say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use proptest::prelude::*;
use telecoder::config::{self, Setting, Sources};

use crate::support::{Machine, TOKEN};

/// A machine whose settings are all in its person's own file, besides what the tests need.
fn machine_with_own_file(text: impl AsRef<[u8]>) -> (Machine, PathBuf) {
    let machine = Machine::new();
    let file = machine
        .folder
        .path()
        .join("home/.config/telecoder/telecoder.env");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, text).expect("a file");
    (machine, file)
}

fn said(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String) {
    let output = machine
        .telecoder(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("telecoder starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_line_that_cannot_be_read_is_named_with_its_number_and_the_reason() {
    for (line, name, reason) in [
        (
            "TELECODER_TEST_CMD=it's",
            "TELECODER_TEST_CMD",
            "a value with ' or \\ needs double quotes",
        ),
        (
            "TELECODER_TEST_CMD=a\\b",
            "TELECODER_TEST_CMD",
            "a value with ' or \\ needs double quotes",
        ),
        (
            "TELECODER_TEST_CMD=cargo test",
            "TELECODER_TEST_CMD",
            "a value with blanks needs double quotes",
        ),
        (
            "TELECODER_TEST_CMD=\"echo $CI $HOME\"",
            "TELECODER_TEST_CMD",
            "a $ that is meant as it is needs a \\ before it",
        ),
        (
            "TELECODER_TEST_CMD=\"cargo test",
            "TELECODER_TEST_CMD",
            "its quotes are not closed",
        ),
        (
            "TELECODER_TEST_CMD=\"a\\b\"",
            "TELECODER_TEST_CMD",
            "a \\ that is meant as it is needs another one before it",
        ),
        ("export it", "", "there is no = in it"),
        ("2ND=x", "", "what stands before = is no name of a variable"),
    ] {
        let (machine, file) = machine_with_own_file(format!(
            "# mine\nNOTE=\"two\nlines\"\n{line}\nTELECODER_MODEL=opus\n"
        ));
        // What the file has is not missed as well.
        let machine = machine.without("TELEGRAM_BOT_TOKEN").without("IS_SANDBOX");
        let (code, stderr) = machine.run_to_its_end(&["serve"]);
        assert_eq!(code, Some(2), "{line}: {stderr}");
        let name = match name {
            "" => String::new(),
            name => format!(" ({name})"),
        };
        let wanted = format!(
            "{} cannot be read at line 4{name}: {reason}. ",
            file.display()
        );
        assert!(stderr.contains(&wanted), "{wanted}\n{stderr}");
        assert!(
            stderr.contains("a setting is wrong, and"),
            "one fault: {stderr}"
        );
    }
}

#[test]
fn a_file_that_is_no_utf_8_is_told_as_what_it_is() {
    let utf_16: Vec<u8> = "\u{feff}TELECODER_MODEL=opus\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, reason) in [
        (utf_16, "it is written in UTF-16"),
        (
            b"A=1\nMY_NAME=J\xf6rg\n".to_vec(),
            "line 2 (MY_NAME): it has a letter that is not UTF-8",
        ),
    ] {
        let (machine, file) = machine_with_own_file(bytes);
        let (code, stderr) = machine.run_to_its_end(&["serve"]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(&file.display().to_string()), "{stderr}");
        assert!(stderr.contains(reason), "{reason}: {stderr}");
        assert!(stderr.contains("Save it as UTF-8"), "{stderr}");
    }
}

#[test]
fn a_setting_that_is_written_into_an_unreadable_file_does_not_pass_for_done() {
    let (machine, file) = machine_with_own_file("GREETING=hello world\n");
    let (code, said) = said(&machine, &["config", "set", "TELECODER_MODEL", "opus"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("TELECODER_MODEL is set in "), "{said}");
    assert!(
        said.contains(&format!(
            "{} cannot be read at line 1 (GREETING): ",
            file.display()
        )),
        "{said}"
    );
    assert!(said.contains("telecoder does not start"), "{said}");
}

#[test]
fn a_variable_that_was_replaced_by_nothing_is_a_remark() {
    let (machine, file) = machine_with_own_file(
        "BASE=/srv\nOK=$BASE/x\nSINGLE='a$b'\nMEANT=\"a\\$b\"\nMY_WORD=abc$def\n",
    );
    let remark = format!(
        "{}, line 5: $def in MY_WORD stands for nothing, because no variable has that name",
        file.display()
    );
    let (_, shown) = said(&machine, &["config", "view"]);
    assert!(shown.contains(&remark), "{shown}");
    assert_eq!(shown.matches("stands for nothing").count(), 1, "{shown}");
    let (_, shown) = said(&machine, &["doctor"]);
    assert!(
        shown.contains("$def in MY_WORD stands for nothing"),
        "{shown}"
    );
    let bot = machine.start();
    machine.until_log(&bot, "stands for nothing");
}

#[test]
fn a_folders_own_env_has_no_say_for_commands_that_only_happen_to_be_run_there() {
    let machine = Machine::new();
    machine.start().terminate();
    let foreign = machine.folder.path().join("foreign");
    std::fs::create_dir(&foreign).expect("a folder");
    let trap = foreign.join("trap");
    machine.script("claude", &format!("touch {}", trap.display()));
    let program = machine.folder.path().join("claude").display().to_string();
    let machine = machine.without("TELECODER_RUNTIME");
    let there = |arguments: &[&str]| {
        let output = machine
            .telecoder(arguments)
            .current_dir(&foreign)
            .stdin(Stdio::null())
            .output()
            .expect("telecoder starts");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    std::fs::write(
        foreign.join(".env"),
        format!("TELECODER_RUNTIME={program}\nTELECODER_MODEL=of-a-stranger\n"),
    )
    .expect("a file");
    let (_, said) = there(&["doctor"]);
    assert!(
        !trap.exists(),
        "the doctor ran a stranger's program: {said}"
    );
    assert!(
        said.contains(&format!("{} was not read", foreign.join(".env").display())),
        "{said}"
    );
    // Those that are meant to read it do.
    let (_, shown) = there(&["config", "view"]);
    assert!(shown.contains("of-a-stranger"), "{shown}");
    // And one that cannot be read ends nothing.
    for unreadable in ["GREETING=hello world\n", "\u{0}\u{0}"] {
        std::fs::write(foreign.join(".env"), unreadable).expect("a file");
        let (code, said) = there(&["session", "list"]);
        assert_eq!(code, Some(0), "{said}");
    }
    std::fs::remove_file(foreign.join(".env")).expect("it is there");
    std::fs::create_dir(foreign.join(".env")).expect("a folder");
    let (code, said) = there(&["session", "list"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = there(&["backup", "copy"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn the_env_that_a_bot_was_started_with_counts_for_the_other_commands_there() {
    let machine = Machine::new().without("TELECODER_DATA");
    let data = machine.folder.path().join("of the bot");
    std::fs::write(
        machine.folder.path().join(".env"),
        format!("TELECODER_DATA=\"{}\"\n", data.display()),
    )
    .expect("a file");
    machine.start().terminate();
    assert!(data.join("telecoder.db").is_file());
    let (code, said) = said(&machine, &["session", "list"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn odd_values_are_found_at_the_start() {
    for (setting, value, fault) in [
        (
            "TELECODER_BRANCH_PREFIX",
            "x y/",
            "git takes no branch that begins with \"x y/\"",
        ),
        (
            "TELECODER_BRANCH_PREFIX",
            "-x/",
            "git takes no branch that begins with",
        ),
        (
            "TELECODER_BRANCH_PREFIX",
            "a..b/",
            "git takes no branch that begins with",
        ),
        (
            "TELECODER_TG_ALLOWED_CHATS",
            "1001234567",
            "a group's number is negative",
        ),
        (
            "TELECODER_TG_ALLOWED_USERS",
            "0",
            "has an entry that is no id: 0",
        ),
        ("TELECODER_MODEL", "--x", "TELECODER_MODEL begins with -"),
        (
            "TELECODER_STALE_AFTER",
            "1s",
            "TELECODER_STALE_AFTER is shorter than a minute",
        ),
    ] {
        let machine = Machine::new().with(setting, value);
        let (code, stderr) = machine.run_to_its_end(&["serve"]);
        assert_eq!(code, Some(2), "{setting}={value}: {stderr}");
        assert!(stderr.contains(fault), "{fault}: {stderr}");
    }
    let machine = Machine::new()
        .with("TELECODER_KEEP", "1")
        .with("TELECODER_OUTBOX", "/tmp");
    let (_, shown) = said(&machine, &["config", "view"]);
    assert!(!shown.contains("no setting of telecoder"), "{shown}");
    let machine = Machine::new().with("TELEGRAM_BOT_TOKEN", "123");
    let (_, stderr) = machine.run_to_its_end(&["serve"]);
    assert!(
        stderr.contains("does not look like a bot token"),
        "{stderr}"
    );
    assert!(!stderr.contains("redacted"), "{stderr}");
    assert!(!stderr.contains(TOKEN));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_prefix_of_branches_is_wrong_exactly_where_git_says_so(prefix in "[-a.x~/@{ ^:?*\\[\\\\]{1,5}(\\.lock/)?") {
        let named = format!("{prefix}s");
        let git = std::process::Command::new("git")
            .args(["check-ref-format", &format!("refs/heads/{named}")])
            .output();
        let git_takes_it = git.expect("git").status.success() && !named.starts_with('-');
        let environment = [("TELECODER_BRANCH_PREFIX", prefix.as_str()), ("HOME", "/nowhere")];
        let sources = Sources::of(
            environment
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect::<BTreeMap<_, _>>(),
        );
        let fault = config::fault_of(&sources, Setting::BranchPrefix);
        // Blanks around a value are dropped.
        prop_assume!(prefix.trim() == prefix);
        prop_assert_eq!(fault.is_none(), git_takes_it, "{}", prefix);
    }
}

#[test]
fn what_is_written_in_the_folder_of_a_project_is_said_to_be_for_bots_that_are_started_there() {
    let machine = Machine::new();
    let file = machine.folder.path().join(".env");
    std::fs::write(&file, "TELECODER_MAX_RUNS=2\n").expect("a file");
    let (code, said) = said(&machine, &["config", "set", "TELECODER_MAX_RUNS", "3"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("started in this folder"), "{said}");
    assert_eq!(read(&file), "TELECODER_MAX_RUNS=3\n");
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("a file")
}

#[test]
fn who_sets_something_hears_whether_a_bot_runs_now_that_does_not_have_it_yet() {
    let (machine, _) = machine_with_own_file("");
    let set = |value: &str| said(&machine, &["config", "set", "TELECODER_MAX_RUNS", value]);
    let (code, told) = set("2");
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("data now; the next one that starts has it."),
        "{told}"
    );
    let bot = machine.start();
    let (code, told) = set("3");
    assert_eq!(code, Some(0), "{told}");
    let process = bot.process.id();
    assert!(
        told.contains(&format!("The bot that runs now (process {process}) has what it was started with until it is restarted.")),
        "{told}"
    );
    let (_, told) = said(&machine, &["config", "unset", "TELECODER_MAX_RUNS"]);
    assert!(told.contains("The bot that runs now"), "{told}");
}

#[test]
fn a_model_that_no_chat_could_choose_is_found_at_the_start() {
    for model in ["--x", "two words", "tab\tinside"] {
        let machine = Machine::new().with("TELECODER_MODEL", model);
        let (code, stderr) = machine.run_to_its_end(&["serve"]);
        assert_eq!(code, Some(2), "{model}: {stderr}");
        assert!(stderr.contains("TELECODER_MODEL"), "{stderr}");
    }
}
