//! What a secret looks like, what only resembles one, and that no piece of one is shown wherever a text is cut.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use telecoder::chat::{live, logs};
use telecoder::demo::bot_api::Shown;
use telecoder::domain::event::{Event, ToolResult, ToolUse};
use telecoder::domain::progress::Progress;
use telecoder::redact::streamed::Streamed;
use telecoder::redact::{Redactor, forms, short};

use crate::support::Machine;

/// How much of a secret may be seen.
const SEEN_AT_MOST: usize = 4;

/// The example texts of all forms, and what is secret in each.
fn examples() -> Vec<(&'static str, String, String)> {
    let mut examples = Vec::new();
    for form in forms::all() {
        for pieces in form.examples {
            let text = pieces.concat();
            let redactor = Redactor::default();
            let found = redactor.secrets(&text);
            let [secret] = &found[..] else {
                panic!("{} in {text}: {found:?}", form.kind);
            };
            assert_eq!(secret.kind, form.kind, "{text}");
            let secret = text[secret.range.clone()].to_owned();
            examples.push((form.kind, text, secret));
        }
    }
    examples
}

pub fn private_key() -> String {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let name = "RSA PRIVATE KEY";
    format!(
        "-----BEGIN {name}-----\n{line}\nqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R4\n\
         MzEfYyjiWA4R4/M2bS1GB4t7\n-----END {name}-----"
    )
}

/// A secret without what every one of its form begins with.
fn own_part(secret: &str) -> &str {
    if let Some((_, lines)) = secret.split_once("KEY-----\n") {
        return lines.split("\n-----END").next().unwrap_or_default();
    }
    if let Some((_, half)) = secret.split_once(":AA") {
        return half;
    }
    let anchors = forms::all().flat_map(|form| form.anchors);
    let begun = anchors.filter(|anchor| secret.starts_with(**anchor));
    &secret[begun.map(|anchor| anchor.len()).max().unwrap_or(0)..]
}

/// Whether more of a secret is seen than may be.
fn shows_a_piece(shown: &str, secret: &str) -> bool {
    let letters: Vec<char> = own_part(secret).chars().collect();
    let mut pieces = letters.windows(SEEN_AT_MOST + 1);
    pieces.any(|piece| shown.contains(&piece.iter().collect::<String>()))
}

#[test]
fn each_form_finds_its_examples_and_leaves_its_counter_examples() {
    let examples = examples();
    assert!(examples.len() > forms::all().count());
    for form in forms::all() {
        for other in form.others {
            assert_eq!(Redactor::default().text(other), *other, "{}", form.kind);
        }
    }
    for (kind, text, secret) in examples {
        for (before, behind) in [
            ("", ""),
            ("(\"", "\")"),
            ("é ", "é"),
            ("`", "`"),
            ("\n+", "\n"),
        ] {
            assert_eq!(
                Redactor::default().text(&format!("{before}{text}{behind}")),
                format!(
                    "{before}{}{behind}",
                    text.replace(&secret, &format!("[redacted: {kind}]"))
                ),
            );
        }
    }
}

#[test]
fn only_whole_parts_of_a_variables_name_make_its_value_a_secret() {
    let text = "Bananas123 North-East 0123456789abc hunter2hunter2 aB3dE5gH7 c0rrect-horse";
    let environment: BTreeMap<OsString, OsString> = [
        ("MONKEY", "Bananas123"),
        ("COMPASS", "North-East"),
        ("SIGNING_KEY", "0123456789abc"),
        ("DB_PASS", "hunter2hunter2"),
        ("NPM_TOKEN", "aB3dE5gH7"),
        ("PGPASSWORD", "c0rrect-horse"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    assert_eq!(
        Redactor::new(&environment).text(text),
        "Bananas123 North-East [redacted: SIGNING_KEY] [redacted: DB_PASS] [redacted: NPM_TOKEN] \
         [redacted: PGPASSWORD]"
    );
}

#[test]
fn a_text_is_shortened_without_cutting_a_secret_wherever_it_stands() {
    let mut texts: Vec<(String, String)> = examples()
        .into_iter()
        .map(|(_, text, secret)| (text, secret))
        .collect();
    texts.push((private_key(), private_key()));
    for (text, secret) in texts {
        let text = format!("docker run it {text} and more");
        for characters in 0..text.chars().count() + 2 {
            for shown in [
                short::one_line(&text, characters),
                short::one_line(&text.replace('\n', " "), characters),
                short::beginning(&text, characters),
                short::newest_words(&text, characters),
                short::last_lines(&text, characters),
            ] {
                assert!(
                    !shows_a_piece(&shown, &secret),
                    "{characters} of {text}: {shown}"
                );
            }
        }
    }
}

#[test]
fn the_live_message_and_the_log_show_no_piece_of_a_secret_at_whatever_place_they_cut() {
    for (_, text, secret) in examples() {
        for padding in (0..220).step_by(3) {
            let said = format!(
                "{}{text} x",
                "run ".repeat(padding / 4) + &*"i".repeat(padding % 4) + " "
            );
            let mut lines = Vec::new();
            let mut progress = Progress::default();
            let result = serde_json::json!({"type": "user", "message": {"content": [
                {"type": "tool_result", "tool_use_id": "1", "content": said.clone()}]}});
            let tool = serde_json::json!({"type": "assistant", "message": {"content": [
                {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": said.clone()}}]}});
            for line in [tool, result] {
                telecoder::claude::stream::events(line.to_string().as_bytes(), &mut |event| {
                    lines.extend(logs::lines_of(&event));
                    progress.apply(&event);
                });
            }
            progress.apply(&Event::Text(said.clone()));
            let going = live::Going {
                verbosity: telecoder::domain::choices::Verbosity::Detailed,
                ..live::Going::default()
            };
            let shown = live::live(&progress, going);
            lines.extend([shown.text, shown.words]);
            assert!(
                !shows_a_piece(&lines.join("\n"), &secret),
                "{said}: {lines:?}"
            );
        }
    }
}

#[test]
fn a_secret_that_is_being_written_is_not_shown_before_its_end_wherever_its_pieces_end() {
    let mut texts: Vec<(String, String)> = examples()
        .into_iter()
        .map(|(_, text, secret)| (text, secret))
        .collect();
    texts.push((private_key(), private_key()));
    let value = "correct-horse-batteries";
    texts.push((value.to_owned(), value.to_owned()));
    let redactor = Redactor::new(&[("A_PASSWORD".into(), value.into())].into());
    for (text, secret) in texts {
        let text = format!("Here it is: {text} and that is all of it. ");
        let cuts: Vec<usize> = (0..text.len())
            .filter(|at| text.is_char_boundary(*at))
            .collect();
        let mut ways: Vec<Vec<&str>> = cuts
            .iter()
            .map(|at| vec![&text[..*at], &text[*at..]])
            .collect();
        ways.push(cuts.windows(2).map(|two| &text[two[0]..two[1]]).collect());
        for pieces in ways {
            let mut streamed = Streamed::default();
            let mut shown = String::new();
            for piece in pieces {
                shown.push_str(&streamed.take(piece, &redactor));
                assert!(!shows_a_piece(&shown, &secret), "{shown}");
            }
            assert!(shown.starts_with("Here it is"), "{shown}");
        }
    }
}

#[test]
fn ordinary_words_are_shown_as_they_are_written() {
    let redactor = Redactor::default();
    let text = "Ich habe die Prüfung geändert; 中文也可以。 See src/main.rs:12 and https://example.com/a, \
                then run `cargo test --all`. -----BEGIN PRIVATE KEY----- begins a key. Done, all of it.\n";
    for size in 1..7 {
        let mut streamed = Streamed::default();
        let letters: Vec<char> = text.chars().collect();
        let shown: String = letters
            .chunks(size)
            .map(|piece| streamed.take(&piece.iter().collect::<String>(), &redactor))
            .collect();
        assert_eq!(shown, text);
    }
    let mut streamed = Streamed::default();
    assert_eq!(
        streamed.take("I look at the tes", &redactor),
        "I look at the tes"
    );
}

/// Nobody shortens other people's text without looking for secrets first; claude gets it as it was written.
#[test]
fn only_what_looks_for_secrets_shortens_text() {
    let allowed = ["redact/short.rs", "claude/forms.rs", "domain/shown.rs"];
    let cuts = [
        "one_line",
        "beginning",
        "newest_words",
        "last_lines",
        "without_middle",
    ];
    let mut files = Vec::new();
    collect(Path::new("src"), 1_000, &mut files);
    for file in files {
        if allowed.iter().any(|allowed| file.ends_with(allowed)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        for statement in text.split("shown::").skip(1) {
            let names = match statement.strip_prefix('{') {
                Some(names) => names.split('}').next().unwrap_or_default(),
                None => statement
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default(),
            };
            let cut = names.split(',').find(|name| cuts.contains(&name.trim()));
            assert_eq!(cut, None, "{} cuts without redact::short", file.display());
        }
    }
}

/// Source files below a folder, in the order of their names.
fn collect(folder: &Path, most: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, most, files);
        } else if files.len() < most && entry.extension().is_some_and(|extension| extension == "rs")
        {
            files.push(entry);
        }
    }
}

/// What in the sources of other crates has the form of a secret and is one, made for a test or an example.
const TRUE_MARKS: &[&str] = &[
    // hyper-util and teloxide, in addresses of their tests.
    "opensesame",
    "rewrite_it_in_rust",
    // teloxide-core, revoked long ago.
    concat!("535362388", ":AAF7-g0gYncWnm5IyfZlpPRqRRv6kNAGlao"),
];

#[test]
fn ordinary_code_of_ten_thousand_files_is_left_alone() {
    let home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let mut files = Vec::new();
    collect(&home.join("registry/src"), 10_000, &mut files);
    if files.is_empty() {
        println!("skipped: cargo's registry has no sources here");
        return;
    }
    let redactor = Redactor::default();
    let mut marks = Vec::new();
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else {
            continue;
        };
        for secret in redactor.secrets(&text) {
            let found = &text[secret.range.clone()];
            if !TRUE_MARKS.contains(&found) && !found.starts_with("-----BEGIN") {
                marks.push(format!("{}: {}: {found}", file.display(), secret.kind));
            }
        }
    }
    assert!(
        marks.is_empty(),
        "{} of {} files:\n{}",
        marks.len(),
        files.len(),
        marks.join("\n")
    );
}

#[test]
fn what_a_tool_has_printed_is_searched_before_it_is_shortened() {
    let secret = "hunter2hunter2";
    let tool = ToolUse {
        id: "1".to_owned(),
        name: "Bash".to_owned(),
        argument: format!("{} postgres://ada:{secret}@db/telecoder", "x".repeat(130)),
        parent: None,
    };
    let result = ToolResult {
        id: "1".to_owned(),
        failed: false,
        text: tool.argument.clone(),
        end: String::new(),
        edited: None,
    };
    let mut lines = logs::lines_of(&Event::ToolUse(tool));
    lines.extend(logs::lines_of(&Event::ToolResult(result)));
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|line| !line.contains("hunter")),
        "{lines:?}"
    );
}

#[test]
fn the_log_of_a_run_and_the_live_message_have_no_piece_of_a_password_that_the_settings_know() {
    let password = "c0rrect-horse-battery";
    let machine = Machine::new().with("DEPLOY_PASSWORD", password);
    let _bot = machine.start();
    // The live message cuts within it, and so does the log.
    for before in [46, 140] {
        let command = format!("{} {password} {password}", "x".repeat(before));
        machine.ada_says(&format!(
            "[[tool: Bash {command}]] [[sleep: 1500]] [[say: done with {before}]]"
        ));
        machine.message_with(&format!("done with {before}"));
        machine.ada_says("/logs");
        machine.until_quiet();
    }
    for call in machine.api.calls() {
        let said = call.arguments.to_string();
        // What Ada herself has written is in a message of hers.
        assert!(!said.contains("c0rre"), "{said}");
    }
}

#[test]
fn a_key_that_claude_is_writing_is_in_no_live_message() {
    let machine = Machine::new();
    let _bot = machine.start();
    let text = format!(
        "Here is the key, line by line:\n{}\nand that was it. ",
        private_key()
    );
    let letters: Vec<char> = text.chars().collect();
    let written: String = letters
        .chunks(30)
        .map(|piece| {
            let piece: String = piece.iter().collect();
            let line =
                serde_json::json!({"type": "stream_event", "event": {"delta": {"text": piece}}});
            format!("[[raw: {line}]] [[sleep: 400]] ")
        })
        .collect();
    machine.ada_says(&format!("{written} [[sleep: 1500]] [[say: over]]"));
    machine.message_with("over");
    machine.until_quiet();
    let calls = machine.api.calls();
    let said: Vec<String> = calls
        .iter()
        .map(|call| call.arguments.to_string())
        .collect();
    assert!(
        said.iter().any(|said| said.contains("Here is the key")),
        "{said:?}"
    );
    for line in private_key().lines().filter(|line| !line.starts_with('-')) {
        assert!(
            said.iter().all(|said| !said.contains(&line[..5])),
            "{said:?}"
        );
    }
}

#[test]
fn a_key_in_gits_progress_is_not_shown_though_it_comes_in_two_pieces() {
    let machine = Machine::new();
    let (begin, end) = ("ghp_aB3dE5gH7jK9mN1pQ2sT", "4vW6yZ8bC0dF2gH4");
    let git = machine.script(
        "git",
        &format!(
            r#"case "$1" in
            fetch) printf 'remote: whole line\n' >&2; printf 'remote: your key is {begin}' >&2; sleep 4; printf '{end} and more\n' >&2; sleep 60 & wait;;
            *) exec /usr/bin/env PATH="$REAL_PATH" git "$@";; esac"#
        ),
    );
    let real_path = machine.environment["PATH"].clone();
    let folder = git.parent().expect("its folder").display();
    let path = format!("{folder}:{real_path}");
    let machine = machine.with("PATH", path).with("REAL_PATH", real_path);
    let _bot = machine.start();
    machine.ada_says("/new https://example.invalid/x.git");
    machine.message_with("remote: your key is [redacted: GitHub token] and more");
    machine.ada_says("/stop");
    machine.message_with("Cloning was stopped");
    let shown = machine.api.shown(0);
    let shows = |text: &str| text.contains("ghp_") || text.contains("4vW6");
    assert!(!shown.iter().any(|shown| match shown {
        Shown::New(message) | Shown::Edited(message) => shows(&message.text),
        Shown::Removed(_) | Shown::Toast(_) => false,
    }));
}

#[test]
fn keys_for_tests_and_passwords_with_marks_of_an_address_in_them_are_secret_too() {
    let redactor = Redactor::default();
    let drawn = "aB3dE5gH7jK9mN1pQ2sTu6vW";
    for (text, secret) in [
        (format!("sk_test_{drawn}"), format!("sk_test_{drawn}")),
        (format!("rk_test_51{drawn}"), format!("rk_test_51{drawn}")),
        (
            format!("whsec_{drawn}4vW6yZ8b"),
            format!("whsec_{drawn}4vW6yZ8b"),
        ),
        (format!("hvs.CAESI{drawn}"), format!("hvs.CAESI{drawn}")),
        (
            format!("gsk_{drawn}{drawn}abcD"),
            format!("gsk_{drawn}{drawn}abcD"),
        ),
        (
            "postgres://ada:pa/ss1word@db/app".into(),
            "pa/ss1word".into(),
        ),
        (
            "https://ada:h0rse#battery@example.com/x".into(),
            "h0rse#battery".into(),
        ),
        (
            "amqp://ada:3a/?b#c4d@queue:5672/%2F".into(),
            "3a/?b#c4d".into(),
        ),
    ] {
        let found = redactor.secrets(&text);
        let found: Vec<&str> = found
            .iter()
            .map(|secret| &text[secret.range.clone()])
            .collect();
        assert_eq!(found, [secret.as_str()], "{text}");
    }
    for text in [
        format!("pk_test_{drawn} and pk_live_{drawn}"),
        "http://localhost:3000/@vite/client".into(),
        "https://example.com:8443/a?b=1#c@d.example".into(),
        "redis://cache:6379/0@x".into(),
        "http://host:port/path/to@it".into(),
        "https://registry:4873/@scope%2fname".into(),
        "see http://a:8080/x or write to ada@example.com".into(),
    ] {
        assert_eq!(redactor.text(&text), text);
    }
}
