//! Settings: every fault at once, with its remedy.

use std::collections::BTreeSet;

use telecoder::config::Setting;

use crate::support::{Machine, TOKEN};

#[test]
fn all_faults_are_reported_at_once_each_with_a_remedy() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .with("TELECODER_TG_ALLOWED_USERS", "7, @ada")
        .with("TELECODER_TG_ALLOWED_CHATS", "team")
        .with("TELEGRAM_API_URL", "telegram")
        .with("TELECODER_DATA", "relative/path")
        .with("TELECODER_PERMISSION_MODE", "yolo")
        .with("TELECODER_MAX_RUNS", "0")
        .with("TELECODER_RUN_TIMEOUT", "soon");
    let (code, stderr) = machine.run_to_its_end(&["serve"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(stderr);
}

#[test]
fn a_token_that_telegram_refuses_is_one_clear_line() {
    let machine = Machine::new().with("TELEGRAM_BOT_TOKEN", "43:another-token");
    let (code, stderr) = machine.run_to_its_end(&["serve"]);
    assert_eq!(code, Some(2), "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        "telecoder: Telegram does not accept the bot token (Telegram refuses (401): Unauthorized). Check \
         TELEGRAM_BOT_TOKEN; @BotFather shows the token under /mybots"
    );
    assert!(!stderr.contains("another-token"), "{stderr}");
}

#[test]
fn settings_come_from_dot_env_and_the_environment_wins() {
    let machine = Machine::new()
        .without("TELEGRAM_BOT_TOKEN")
        .with("TELECODER_MODEL", "opus");
    std::fs::write(
        machine.folder.path().join(".env"),
        format!(
            "# mine\nTELEGRAM_BOT_TOKEN={TOKEN}\nTELECODER_MODEL=haiku\nMY_KEY='from the file'\n"
        ),
    )
    .expect("a file");
    let _bot = machine.start();
    machine.ada_says("[[argv]]");
    machine.message_with("\"--model\",\"opus\"");
    machine.ada_says("[[env]]");
    machine.message_with("MY_KEY=from the file");
}

#[test]
fn what_is_telecoders_own_does_not_reach_claude_and_everything_else_does() {
    let machine = Machine::new()
        // Too short to be taken for a secret, which the chat would not show.
        .with("ANTHROPIC_API_KEY", "sk-test")
        .with("CLAUDE_CODE_MAX_RETRIES", "3")
        .with("https_proxy", "http://proxy.example:1")
        .with("NOTIFY_SOCKET", "/run/nowhere")
        .with("WATCHDOG_USEC", "1000000");
    let bot = machine.start();
    machine.ada_says("[[env]]");
    let environment = machine.message_with("ANTHROPIC_API_KEY=sk-test").text;
    for passed in [
        "CLAUDE_CODE_MAX_RETRIES=3",
        "https_proxy=",
        "PATH=",
        "HOME=",
    ] {
        assert!(environment.contains(passed), "{passed} in {environment}");
    }
    assert!(environment.contains("TELECODER_RUN="), "the run's marker");
    for kept in [
        "TELEGRAM_",
        "TELECODER_DATA",
        "TELECODER_TG",
        "NOTIFY_SOCKET",
        "WATCHDOG",
        TOKEN,
    ] {
        assert!(!environment.contains(kept), "{kept} in {environment}");
    }
    machine.until_quiet();
    assert!(!bot.log().contains(TOKEN), "{}", bot.log());
}

#[test]
fn the_token_is_in_no_file_of_the_data_folder() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert!(bot.terminate().success());
    let mut folders = vec![machine.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let kind = entry.file_type().expect("its kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path()).expect("its bytes");
                let found = bytes
                    .windows(TOKEN.len())
                    .any(|window| window == TOKEN.as_bytes());
                assert!(!found, "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn the_data_folder_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    let _bot = machine.start();
    let mode = std::fs::metadata(machine.data())
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn root_is_told_at_the_start_that_claude_refuses_to_bypass_permissions() {
    let machine = Machine::new().without("IS_SANDBOX");
    if !is_root() {
        // Everybody else may.
        machine.start();
        return;
    }
    let (code, stderr) = machine.run_to_its_end(&["serve"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("refuses the permission mode bypassPermissions for root"),
        "{stderr}"
    );
    assert!(
        stderr.contains("TELECODER_PERMISSION_MODE=acceptEdits"),
        "{stderr}"
    );
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").expect("it is there").uid() == 0
}

#[test]
fn a_variable_that_is_no_setting_is_pointed_out() {
    let machine = Machine::new().with("TELECODER_MODLE", "opus");
    let bot = machine.start();
    machine.until("the remark", || {
        bot.log()
            .contains("TELECODER_MODLE is no setting of telecoder")
            .then_some(())
    });
}

#[test]
fn dot_env_example_has_every_setting_with_its_default() {
    let example = include_str!("../../.env.example");
    let mut found = BTreeSet::new();
    for line in example.lines() {
        let line = line.trim_start_matches('#');
        if let Some((name, value)) = line.split_once('=')
            && !name.contains(' ')
        {
            let setting = Setting::ALL
                .into_iter()
                .find(|setting| setting.name() == name)
                .unwrap_or_else(|| panic!("{name} is no setting"));
            if !setting.default().is_empty() {
                assert_eq!(value, setting.default(), "{name}");
            }
            found.insert(setting);
        }
    }
    assert_eq!(found.len(), Setting::ALL.len(), "found only {found:?}");
}

#[test]
fn a_command_that_does_not_start_the_bot_says_that_it_did_nothing() {
    let machine = Machine::new().with("TELECODER_DATA", "relative/path");
    let (code, said) = machine.run_to_its_end(&["backup", "copy.db"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("a setting is wrong, and nothing was done:"),
        "{said}"
    );
    assert!(!machine.folder.path().join("copy.db").exists());
}
