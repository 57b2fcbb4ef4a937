//! Settings are seen and changed by command, and their pages say what the code does.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use proptest::prelude::*;
use serde_json::Value;
use telecoder::config::file::SettingsFile;
use telecoder::config::{Config, Setting, Sources, pages};

use crate::support::{Machine, TOKEN};

/// Runs telecoder to its end; its exit code, and what it said on stdout and stderr.
fn shell(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = machine
        .telecoder(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("telecoder starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn machine_with_file(text: &str) -> (Machine, std::path::PathBuf) {
    let machine = Machine::new();
    let file = machine.folder.path().join(".env");
    std::fs::write(&file, text).expect("a file");
    (machine, file)
}

fn text_of(file: &Path) -> String {
    std::fs::read_to_string(file).expect("a file")
}

#[test]
fn every_setting_is_shown_with_its_value_and_where_that_is_from_and_no_secret() {
    let (machine, file) = machine_with_file("TELECODER_MODEL=opus\nMY_KEY=sk-something\n");
    let (code, shown, _) = shell(&machine, &["config", "view"]);
    assert_eq!(code, Some(0), "{shown}");
    for setting in Setting::ALL {
        assert!(shown.contains(setting.name()), "{}", setting.name());
    }
    let line = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(name));
        line.expect("a line")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("TELECODER_MODEL"),
        format!("TELECODER_MODEL opus {}", file.display())
    );
    assert_eq!(line("TELECODER_MAX_RUNS"), "TELECODER_MAX_RUNS 4 default");
    assert_eq!(
        line("TELEGRAM_BOT_TOKEN"),
        "TELEGRAM_BOT_TOKEN …set… environment"
    );
    assert!(!shown.contains("sk-something") && !shown.contains("Secret-Token"));

    let (code, json, _) = shell(&machine, &["config", "view", "--json"]);
    assert_eq!(code, Some(0));
    assert!(!json.contains("sk-something") && !json.contains("Secret-Token"));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["faults"], serde_json::json!([]));
    let settings = json["settings"].as_array().expect("settings");
    assert_eq!(settings.len(), Setting::ALL.len());
    let of = |name: &str| {
        settings
            .iter()
            .find(|setting| setting["name"] == name)
            .expect("it")
            .clone()
    };
    let token = of("TELEGRAM_BOT_TOKEN");
    assert_eq!(
        (&token["value"], &token["set"], &token["secret"]),
        (&Value::Null, &Value::Bool(true), &Value::Bool(true))
    );
    assert_eq!(of("TELECODER_MODEL")["file"], file.display().to_string());
}

#[test]
fn what_is_wrong_is_below_the_settings_with_its_remedy() {
    let machine = Machine::new()
        .with("TELECODER_MAX_RUNS", "many")
        .with("TELECODER_MODLE", "opus");
    let (code, shown, _) = shell(&machine, &["config", "view"]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains(
            "✗ TELECODER_MAX_RUNS is no number from 1 to 1000: many. Each run takes about 300 MB"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("! TELECODER_MODLE is no setting of telecoder and has no effect."),
        "{shown}"
    );
}

#[test]
fn setting_a_value_changes_its_line_and_nothing_else() {
    let before = "# mine\r\n\nMY_KEY='two words' # a remark\n export TELECODER_MODEL = haiku\nNOTE=\"a\nTELECODER_MODEL=no\nb\"\n\
                  not a line\n#TELECODER_MAX_RUNS=9 is what I had\nlast=1";
    let (machine, file) = machine_with_file(before);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("its rights");
    let (code, said, failed) = shell(&machine, &["config", "set", "TELECODER_MODEL", "opus"]);
    // It is written, though one of the others keeps a bot from starting.
    assert_eq!(code, Some(1), "{failed}");
    assert_eq!(
        text_of(&file),
        before.replace(" export TELECODER_MODEL = haiku", "TELECODER_MODEL=opus")
    );
    assert!(
        said.contains("A running bot needs a restart for this"),
        "{said}"
    );
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    // A comment of the person's own is no place for a new line.
    let (code, _, _) = shell(&machine, &["config", "set", "TELECODER_MAX_RUNS", "2"]);
    assert_eq!(code, Some(1));
    assert!(text_of(&file).ends_with("\nlast=1\nTELECODER_MAX_RUNS=2\n"));
    assert!(text_of(&file).contains("#TELECODER_MAX_RUNS=9 is what I had\n"));
}

#[test]
fn a_setting_goes_into_no_file_that_telecoder_does_not_read_and_into_no_projects_own() {
    let (machine, file) = machine_with_file("DATABASE_URL=postgres://localhost\n");
    let (code, said, _) = shell(&machine, &["config", "set", "TELECODER_MODEL", "opus"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("/.config/telecoder/telecoder.env"), "{said}");
    assert_eq!(text_of(&file), "DATABASE_URL=postgres://localhost\n");
    let units = machine.folder.path().join("etc/systemd/system");
    std::fs::create_dir_all(&units).expect("a folder");
    std::fs::write(units.join("telecoder.service"), "[Service]\nUser=nobody\n").expect("a unit");
    let root = machine.folder.path().display().to_string();
    let set = ["config", "set", "TELECODER_MODEL", "haiku", "--root", &root];
    let (code, _, said) = shell(&machine, &set);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("sudo -u nobody -H telecoder config set"),
        "{said}"
    );
    let (code, ..) = shell(
        &machine,
        &[&set[..], &["--file", &file.display().to_string()]].concat(),
    );
    assert_eq!(code, Some(0));
    assert!(text_of(&file).contains("TELECODER_MODEL=haiku"));
}

#[test]
fn a_remark_behind_a_value_stays_when_the_value_is_changed() {
    let (machine, file) = machine_with_file(
        "TELECODER_MAX_RUNS=2 # the machine has little memory\nMY_NOTE='a # in it' # and one behind\n",
    );
    let (code, _, said) = shell(&machine, &["config", "set", "TELECODER_MAX_RUNS", "1"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        text_of(&file),
        "TELECODER_MAX_RUNS=1 # the machine has little memory\nMY_NOTE='a # in it' # and one behind\n"
    );
}

#[test]
fn a_file_that_an_editor_has_begun_with_a_byte_order_mark_is_read_and_changed() {
    let (machine, file) =
        machine_with_file("\u{feff}TELECODER_MAX_RUNS=3\r\nTELECODER_MODEL=haiku\r\n");
    let (code, shown, _) = shell(&machine, &["config", "view", "--json"]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\"haiku\""), "{shown}");
    let (code, _, said) = shell(&machine, &["config", "set", "TELECODER_MAX_RUNS", "5"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        text_of(&file),
        "TELECODER_MAX_RUNS=5\r\nTELECODER_MODEL=haiku\r\n"
    );
}

#[test]
fn a_settings_file_behind_a_link_that_leads_nowhere_yet_is_made_where_the_link_leads() {
    let machine = Machine::new();
    let (link, target) = (
        machine.folder.path().join("link.env"),
        machine.folder.path().join("kept.env"),
    );
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    let link_name = link.display().to_string();
    let arguments = [
        "config",
        "set",
        "TELECODER_MAX_RUNS",
        "5",
        "--file",
        &link_name,
    ];
    let (code, _, said) = shell(&machine, &arguments);
    assert_eq!(code, Some(0), "{said}");
    assert!(link.is_symlink() && target.is_file());
}

#[test]
fn a_new_file_is_made_from_the_template_for_its_owner_alone_and_unset_leaves_the_template() {
    let machine = Machine::new();
    let file = machine
        .folder
        .path()
        .join("home/.config/telecoder/telecoder.env");
    let (code, said, _) = shell(
        &machine,
        &["config", "set", "TELECODER_TEST_CMD", "echo \"$HOME\" # x"],
    );
    assert_eq!(code, Some(0));
    assert!(said.contains(&file.display().to_string()), "{said}");
    assert_eq!(
        text_of(&file),
        pages::example().replace(
            "#TELECODER_TEST_CMD=\n",
            "TELECODER_TEST_CMD=\"echo \\\"\\$HOME\\\" # x\"\n"
        )
    );
    let mode = std::fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, said, _) = shell(&machine, &["config", "unset", "TELECODER_TEST_CMD"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(text_of(&file), pages::example());
    let (code, said, _) = shell(&machine, &["config", "unset", "TELECODER_TEST_CMD"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("was not set in any settings file"), "{said}");
}

#[test]
fn a_value_that_the_bot_would_not_take_is_not_written() {
    let (machine, file) = machine_with_file("TELECODER_MAX_RUNS=2\n");
    let (code, _, said) = shell(&machine, &["config", "set", "TELECODER_MAX_RUNS", "0"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("TELECODER_MAX_RUNS is no number from 1 to 1000: 0"),
        "{said}"
    );
    let (code, _, said) = shell(&machine, &["config", "set", "TELECODER_MODLE", "opus"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("a similar value exists: 'TELECODER_MODEL'"),
        "{said}"
    );
    let (code, _, said) = shell(&machine, &["config", "set", "RUST_LOG", "telecoder=loud"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("RUST_LOG is not understood"), "{said}");
    assert_eq!(text_of(&file), "TELECODER_MAX_RUNS=2\n");
}

#[test]
fn the_token_is_taken_from_standard_input_only_and_shown_nowhere() {
    let (machine, file) = machine_with_file("");
    let (code, said, failed) = shell(&machine, &["config", "set", "TELEGRAM_BOT_TOKEN", "1:abc"]);
    assert_eq!(code, Some(2));
    assert!(
        failed.contains("everybody on this machine can see a command's arguments"),
        "{failed}"
    );
    assert!(!failed.contains("1:abc") && !said.contains("1:abc"));
    assert_eq!(text_of(&file), "");

    let mut child = machine
        .telecoder(&["config", "set", "TELEGRAM_BOT_TOKEN", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("telecoder starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{TOKEN}").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains(TOKEN), "{said}");
    assert!(
        said.contains("! The environment has TELEGRAM_BOT_TOKEN too, and the environment wins."),
        "{said}"
    );
    assert_eq!(text_of(&file), format!("TELEGRAM_BOT_TOKEN={TOKEN}\n"));
}

proptest! {
    #[test]
    fn any_value_is_read_back_as_it_was_set(value in "\\PC*|[ -~\n\t\r$\"'\\\\#]*", other in "[a-z \"'$\\\\]*") {
        for begin in [String::new(), pages::example(), "TELECODER_MODEL=x\n".into()] {
            let mut file = SettingsFile::parse(&begin);
            file.set(Setting::LintCommand, &other);
            file.set(Setting::Model, &value);
            let text = file.text();
            let read: BTreeMap<String, String> = dotenvy::from_read_iter(text.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
            prop_assert_eq!(&read["TELECODER_MODEL"], value.trim());
            prop_assert_eq!(&read["TELECODER_LINT_CMD"], other.trim());
        }
    }

    #[test]
    fn a_file_that_is_read_and_not_changed_is_the_same_to_the_byte(text in "([A-Z#='\" a-z\\\\]{0,12}\r?\n){0,8}[a-z=]*") {
        prop_assert_eq!(SettingsFile::parse(&text).text(), text);
    }
}

/// A page of the repository is what the code prints; `UPDATE_DOCS=1` writes it anew.
fn is_up_to_date(path: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, printed).expect("it can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == printed,
        "{} is not what the settings say; UPDATE_DOCS=1 cargo test --test it configuration:: writes it anew",
        path.display()
    );
}

#[test]
fn the_example_file_and_the_page_about_settings_are_what_the_code_says() {
    is_up_to_date(".env.example", &pages::example());
    is_up_to_date("docs/configuration.md", &pages::documentation());
}

#[test]
fn the_example_file_and_the_page_have_every_setting_once_and_no_other() {
    let names: Vec<&str> = Setting::ALL.map(Setting::name).to_vec();
    let mut in_example: Vec<&str> = include_str!("../../.env.example")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && !name.contains(' '))
        .collect();
    let mut in_page: Vec<&str> = include_str!("../../docs/configuration.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let mut names = names;
    names.sort_unstable();
    in_example.sort_unstable();
    in_page.sort_unstable();
    assert_eq!(in_example, names);
    assert_eq!(in_page, names);
}

#[test]
fn the_example_file_misses_nothing_but_the_token_and_its_examples_are_right() {
    let environment = |lines: &str| {
        let lines = dotenvy::from_read_iter(lines.as_bytes()).map(|line| line.expect("a line"));
        let mut environment: BTreeMap<_, _> = lines
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        environment.insert("HOME".into(), "/home/ada".into());
        environment.insert("IS_SANDBOX".into(), "1".into());
        environment
    };
    let example = pages::example();
    let faults = Config::read(&Sources::of(environment(&example)))
        .expect_err("there is no token")
        .list;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].setting, Some(Setting::BotToken));
    // What is commented out has the value shown, and what the page gives as an example is taken.
    let all: String = Setting::ALL
        .into_iter()
        .map(|setting| format!("{}={}\n", setting.name(), setting.default()))
        .collect();
    assert_eq!(faults_of(&environment(&all)), [Some(Setting::BotToken)]);
    let examples: String = Setting::ALL
        .into_iter()
        .map(|setting| format!("{}=\"{}\"\n", setting.name(), setting.about().example))
        .collect();
    assert_eq!(
        faults_of(&environment(&examples)),
        [Some(Setting::BotToken)]
    );
}

fn faults_of(
    environment: &BTreeMap<std::ffi::OsString, std::ffi::OsString>,
) -> Vec<Option<Setting>> {
    match Config::read(&Sources::of(environment.clone())) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.list.into_iter().map(|fault| fault.setting).collect(),
    }
}

#[test]
fn claude_is_installed_in_the_version_that_telecoder_is_tested_with() {
    use telecoder::claude::install::NEWEST_TESTED;
    let file = |name: &str| {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
        std::fs::read_to_string(deploy.join(name)).expect("a file")
    };
    for (name, line) in [
        (
            "install.sh",
            format!("readonly CLAUDE_VERSION={NEWEST_TESTED}"),
        ),
        ("Dockerfile", format!("ARG CLAUDE_VERSION={NEWEST_TESTED}")),
    ] {
        assert!(file(name).lines().any(|it| it == line), "{name}: {line}");
    }
}
