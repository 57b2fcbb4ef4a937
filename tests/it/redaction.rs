//! Secrets: in no message and in no line of the log, whoever says them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use telecoder::chat::text;
use telecoder::domain::live::LiveText;
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::redact::{Redactor, forms};

use crate::support::{Machine, TOKEN};

/// A secret of each known form, put together so that nobody who looks for leaked ones finds these.
fn secrets_by_form() -> Vec<(&'static str, String)> {
    let letters = |count: usize| {
        "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8"
            .chars()
            .cycle()
            .take(count)
            .collect::<String>()
    };
    vec![
        ("Telegram bot token", format!("123456789:AA{}", letters(33))),
        ("Anthropic key", format!("sk-ant-api03-{}", letters(60))),
        ("API key", format!("sk-proj-{}", letters(40))),
        ("GitHub token", format!("ghp_{}", letters(36))),
        ("GitHub token", format!("gho_{}", letters(36))),
        ("GitHub token", format!("ghs_{}", letters(36))),
        (
            "GitHub token",
            format!("github_pat_{}_{}", letters(22), letters(59)),
        ),
        ("GitLab token", format!("glpat-{}", letters(20))),
        ("AWS key", format!("AKIA{}", "ABCDEFGH23456789")),
        ("Slack token", format!("xoxb-123456789-{}", letters(20))),
        ("Google API key", format!("AIza{}", letters(35))),
        ("npm token", format!("npm_{}", letters(36))),
        (
            "JWT",
            format!(
                "{}.eyJ{}.{}",
                "eyJhbGciOiJIUzI1NiJ9",
                letters(30),
                letters(40)
            ),
        ),
    ]
}

fn environment(variables: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
    variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn private_key() -> String {
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    format!(
        "-----BEGIN {name}-----\n{line}\n{line}\nMzEfYyjiWA4R4/M2bS1GB4t7\n-----END {name}-----",
        name = "RSA PRIVATE KEY"
    )
}

#[test]
fn claude_may_print_its_whole_environment_and_the_chat_shows_no_key_of_it() {
    let key = format!("sk-ant-api03-{}", "x1Y2".repeat(10));
    let machine = Machine::new()
        .with("ANTHROPIC_API_KEY", &key)
        .with("DEPLOY_PASSWORD", "correct-horse-9")
        .with("DATABASE_URL", "postgres://ada:hunter2hunter2@db/telecoder")
        .with("RUST_LOG", "debug");
    let bot = machine.start();
    machine.ada_says("[[env]]");
    let shown = machine.message_with("ANTHROPIC_API_KEY=").text;
    for stands_in in [
        "ANTHROPIC_API_KEY=[redacted: ANTHROPIC_API_KEY]",
        "DEPLOY_PASSWORD=[redacted: DEPLOY_PASSWORD]",
        "DATABASE_URL=postgres://",
        "HOME=/",
    ] {
        assert!(shown.contains(stands_in), "{stands_in} in {shown}");
    }
    machine.ada_says("the password is hunter2hunter2, twice: hunter2hunter2");
    machine.message_with("You said: the password is [redacted: DATABASE_URL], twice: ");
    machine.until_quiet();
    for secret in [&key, "correct-horse-9", "hunter2hunter2", TOKEN] {
        assert_is_nowhere(&machine, secret);
        assert!(!bot.log().contains(secret), "{secret} in {}", bot.log());
    }
}

#[test]
fn the_bots_own_token_is_in_no_message_and_in_no_line_of_the_log_whatever_happens() {
    let (_, half) = TOKEN.split_once(':').expect("it has two parts");
    let machine = Machine::new().with("RUST_LOG", "trace");
    let bot = machine.start();
    machine.ada_says(&format!(
        "say {TOKEN} again, or https://api.telegram.org/bot{TOKEN}/getMe"
    ));
    machine.message_with("You said: say [redacted: TELEGRAM_BOT_TOKEN] again, or https");
    // As the name of a tool's argument, of a file, of a repository, and cut where the live message cuts.
    machine.ada_says(&format!(
        "[[tool: Bash echo {TOKEN} {TOKEN} {TOKEN} {TOKEN}]] [[sleep: 1500]] [[say: after]]"
    ));
    machine.message_with("after");
    let live = machine.api.calls().into_iter().any(|call| {
        let said = call.arguments.to_string();
        said.contains("Bash echo [redacted: TELEGRAM_BOT_TOKEN] [redacted: TELEGRAM_BOT")
    });
    assert!(live, "the live message showed the tool's line");
    machine.ada_says(&format!("/new https://x:{TOKEN}@127.0.0.1:1/ada/notes.git"));
    machine.message_with("could not be cloned");
    machine.ada_says(&format!("/checks test=\"echo {half}\" lint=-"));
    machine.message_with("echo [redacted: TELEGRAM_BOT_TOKEN]");
    machine.ada_says("/logs");
    machine.ada_says("/status");
    machine.until_quiet();
    assert_is_nowhere(&machine, half);
    assert!(!bot.log().contains(half), "{}", bot.log());
    let (_, stderr) = Machine::new()
        .with("TELEGRAM_API_URL", format!("nowhere/bot{TOKEN}"))
        .run_to_its_end(&["serve"]);
    assert!(stderr.contains("TELEGRAM_API_URL is no http"), "{stderr}");
    assert!(!stderr.contains(half), "{stderr}");
}

/// Not in any call of the Bot API, files and buttons included.
fn assert_is_nowhere(machine: &Machine, secret: &str) {
    for call in machine.api.calls() {
        let said = call.arguments.to_string();
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    for message in machine.bot_messages() {
        let (_, content) = message.file.unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        assert!(!content.contains(secret), "{secret} in {content}");
    }
}

#[test]
fn every_known_form_is_recognised_and_named() {
    let redactor = Redactor::default();
    for (kind, secret) in secrets_by_form() {
        for (before, behind) in [
            ("", ""),
            ("key=", "\n"),
            ("(\"", "\")"),
            ("é ", "é"),
            ("`", "`"),
        ] {
            assert_eq!(
                redactor.text(&format!("{before}{secret}{behind}")),
                format!("{before}[redacted: {kind}]{behind}"),
            );
        }
    }
    let bearer = "Authorization: Bearer abc123def456ghi789==";
    assert_eq!(
        redactor.text(bearer),
        "Authorization: Bearer [redacted: bearer token]"
    );
    for url in [
        "https://ada:pass word@x",
        "https://ada:p@ss:word1@example.com/x",
        "https://0123456789abcdef012345@example.com/x",
    ] {
        let shown = redactor.text(url).into_owned();
        assert_eq!(
            shown.contains("[redacted: password]@example.com/x"),
            url.ends_with("/x"),
            "{shown}"
        );
    }
}

#[test]
fn a_private_key_is_recognised_whole_cut_off_quoted_and_in_a_diff() {
    let redactor = Redactor::default();
    let key = private_key();
    let hidden = "[redacted: private key]";
    assert_eq!(
        redactor.text(&format!("a\n{key}\nb")),
        format!("a\n{hidden}\nb")
    );
    let two = format!("{key}\n{key}\nand words");
    assert_eq!(
        redactor.text(&two),
        format!("{hidden}\n{hidden}\nand words")
    );
    let in_json = key.replace('\n', "\\n");
    assert_eq!(
        redactor.text(&format!("\"{in_json}\"")),
        format!("\"{hidden}\"")
    );
    for mark in ["+", "-", "> "] {
        let marked = key.replace('\n', &format!("\n{mark}"));
        let shown = redactor.text(&marked).into_owned();
        assert!(
            !shown.contains("MIIEvQ") && !shown.contains("MzEf"),
            "{shown}"
        );
    }
    let without_its_end = &key[..key.len() - 70];
    let shown = redactor.text(without_its_end).into_owned();
    assert!(!shown.contains("MIIEvQ"), "{shown}");
    let without_its_start = format!("the end is\n{}", &key[60..]);
    let shown = redactor.text(&without_its_start).into_owned();
    assert!(
        !shown.contains("MIIEvQ") && !shown.contains("MzEf"),
        "{shown}"
    );
    assert!(shown.starts_with("the end is"), "{shown}");
    let shared_dashes = format!("{}-----END PRIVATE KEY-----", &key[..key.len() - 5]);
    let shown = redactor.text(&shared_dashes[60..]).into_owned();
    assert!(!shown.contains("MzEf"), "{shown}");
    let words =
        "It begins with -----BEGIN PRIVATE KEY----- and a line break. Look for PRIVATE KEY.";
    assert_eq!(redactor.text(words), words);
}

#[test]
fn what_only_resembles_a_secret_is_left_alone() {
    let redactor = Redactor::new(&environment(&[
        ("SSH_AUTH_SOCK", "/run/user/1000/agent"),
        ("KEY_FILE", "/home/ada/.ssh/id_ed25519"),
        ("DATABASE_PASSWORD", "postgres"),
        ("PIN_TOKEN", "1234"),
        ("TOKEN_URL", "https://example.com/token"),
        ("OLDPWD", "/home/ada/notes/old"),
        ("EDITOR", "an-editor-of-mine"),
    ]));
    for text in [
        "postgres runs; 1234 rows; see https://example.com/token and /home/ada/.ssh/id_ed25519",
        "an-editor-of-mine in /home/ada/notes/old",
        "the class sk-cube-grid-something-long of the spinner",
        "1234567890:da39a3ee5e6b4b0d3255bfef95601890afd80709 size and hash",
        "ssh://git@github.com/ada/notes, git@github.com:ada/notes.git, https://ada:…@example.com",
        "write to ada@example.com about http://localhost:3000/a@b",
        "put sk-ant-… or ghp_… there; bearer of bad news, Bearer authentication-schemes-are-many",
        "10:30:00.123456789:INFO",
        "",
    ] {
        assert_eq!(redactor.text(text), text);
    }
}

#[test]
fn a_key_is_recognised_as_part_of_an_address_and_of_json() {
    let redactor = Redactor::new(&environment(&[
        ("ODD_SECRET", "p\"ss/w rd&9\\"),
        ("DEPLOY_KEY", "0123456789abcdefghij"),
    ]));
    assert_eq!(
        redactor.text("?key=p%22ss%2Fw%20rd%269%5C&x"),
        "?key=[redacted: ODD_SECRET]&x"
    );
    let in_json = serde_json::json!({"key": "p\"ss/w rd&9\\"}).to_string();
    assert_eq!(
        redactor.text(&in_json),
        "{\"key\":\"[redacted: ODD_SECRET]\"}"
    );
    assert_eq!(
        redactor.text("0123456789abc and more"),
        "0123456789abc and more"
    );
}

#[test]
fn what_is_shown_as_code_stays_code_around_what_was_taken_out() {
    let redactor = Redactor::new(&environment(&[("A_KEY", "0123456789abcdef")]));
    let line = "▸ Bash echo 0123456789abcdef > é ✓ Read 0123456789abcdef";
    let at = |part: &str| line.find(part).expect("it is there");
    let shown = redactor.without_secrets(LiveText {
        text: line.to_owned(),
        code: vec![at("echo")..at(" ✓"), at("Read")..line.len()],
        words: "so far 0123456789abcdef".to_owned(),
    });
    let code: Vec<&str> = shown
        .code
        .iter()
        .map(|range| &shown.text[range.clone()])
        .collect();
    assert_eq!(
        code,
        ["echo [redacted: A_KEY] > é", "Read [redacted: A_KEY]"]
    );
    assert_eq!(shown.words, "so far [redacted: A_KEY]");
}

#[test]
fn every_text_of_a_message_is_looked_through_and_the_footer_stays() {
    let redactor = Redactor::new(&environment(&[("A_KEY", "0123456789abcdef")]));
    let mut answer = text::answer("it is 0123456789abcdef", "Done · 1 s".into(), None);
    answer.preface = Some("of 0123456789abcdef".into());
    redactor.clean_message(&mut answer);
    assert_eq!(
        answer.body,
        Body::Answer {
            markdown: "it is [redacted: A_KEY]".into(),
            footer: "Done · 1 s".into()
        }
    );
    assert_eq!(answer.preface.as_deref(), Some("of [redacted: A_KEY]"));
    let mut file = Outgoing::of(Body::File {
        name: "0123456789abcdef.diff".into(),
        content: "+0123456789abcdef".into(),
        caption: "0123456789abcdef".into(),
    });
    redactor.clean_message(&mut file);
    assert!(
        !format!("{file:?}").contains("0123456789abcdef"),
        "{file:?}"
    );
}

#[test]
fn a_hostile_text_takes_time_that_is_linear_in_its_length() {
    let redactor = Redactor::new(&environment(&[("A_KEY", &"a".repeat(500))]));
    let begin = "-----BEGIN PRIVATE KEY-----";
    let pieces = [
        "ghp_",
        "sk-",
        "sk-ant-",
        "eyJ",
        "eyJaaaaaaaaa.",
        "://",
        "://a:b@",
        "a",
        "1",
        "bearer ",
        begin,
        &format!("{begin}\n{}\n", "A".repeat(40)),
        "-----END PRIVATE KEY-----",
        "PRIVATE KEY",
        "BEGIN ",
        "-",
        "A",
        "0123456789:",
        "aaaaaaaa…",
        "bearer aaaaaaaaaaaaaaaaaaaa:",
        "sk-aaaaaaaaaaaaaaaaaaaaaa ",
        "xoxb-",
        "\n",
        "…",
        " é",
    ];
    let anchors = forms::all().flat_map(|form| form.anchors.iter().copied());
    let anchors: Vec<&str> = anchors.collect();
    let marked: Vec<String> = anchors
        .iter()
        .flat_map(|anchor| ["/", ":", "?a:"].map(|mark| format!("{anchor}{mark}")))
        .collect();
    let marked = marked.iter().map(String::as_str);
    for piece in pieces.into_iter().chain(anchors).chain(marked) {
        let took = |bytes: usize| {
            let hostile = piece.repeat(bytes / piece.len());
            let begun = Instant::now();
            let _ = redactor.text(&hostile);
            begun.elapsed()
        };
        let short = took(50_000);
        let long = took(800_000);
        // Sixteen times the length; what is quadratic takes 256 times as long.
        let limit = short * 100 + Duration::from_millis(200);
        assert!(long < limit, "{piece:?}: {short:?}, then {long:?}");
    }
}

const PIECES: [&str; 24] = [
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "END RSA PRIVATE KEY-----",
    "PRIVATE KEY",
    "-----",
    "-",
    "\n",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
    "0123456789abcdef",
    "0123456789",
    "ghp_",
    "sk-ant-",
    "sk-",
    "eyJabcdefghijk.",
    "://",
    "@",
    ":",
    "bearer ",
    "abcdefghijklmnopqrstuvwxyz",
    "…",
    "é",
    " ",
    "AKIA",
    "👩‍💻",
];

proptest! {
    #[test]
    fn no_secret_survives_in_whatever_it_stands(
        which in 0_usize..13,
        before in "[ -~é…\n]{0,60}[ \n\"'(=]",
        behind in "([ \n\"'),;][ -~é…\n]{0,60})?",
    ) {
        let (_, secret) = secrets_by_form().swap_remove(which);
        let text = format!("{before}{secret}{behind}");
        let shown = Redactor::default().text(&text).into_owned();
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }

    #[test]
    fn no_value_of_the_environment_survives(
        value in "[!-~]{8,40}[0-9A-Z][a-z]",
        before in "\\PC{0,40}",
        behind in "\\PC{0,40}",
    ) {
        prop_assume!(!value.starts_with(['/', '~']) && !value.starts_with("./") && !value.contains("://"));
        let redactor = Redactor::new(&environment(&[("SOME_TOKEN", &value)]));
        let shown = redactor.text(&format!("{before}{value}{behind}")).into_owned();
        prop_assert!(!shown.contains(&value), "{}", shown);
    }

    #[test]
    fn a_text_without_a_secret_is_unchanged_to_the_byte(text in "[a-zA-Z0-9 .,!?é\n#*`()-]{0,300}") {
        // Long words with digits behind a known beginning are the secrets themselves.
        prop_assume!(!text.contains("sk-") && !text.contains("AIza"));
        let redactor = Redactor::new(&environment(&[("SOME_TOKEN", "-never-in-there_~")]));
        prop_assert_eq!(redactor.text(&text), text.as_str());
    }

    #[test]
    fn whatever_is_put_together_from_pieces_of_secrets_is_survived(
        pieces in prop::collection::vec(0_usize..PIECES.len(), 0..40),
    ) {
        let text: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        let redactor = Redactor::new(&environment(&[("A_KEY", "0123456789abcdef")]));
        let shown = redactor.text(&text).into_owned();
        prop_assert!(!shown.contains("0123456789abcdef"), "{}", shown);
        let live = LiveText { code: std::iter::once(0..text.len()).collect(), ..LiveText::plain(text) };
        let live = redactor.without_secrets(live);
        prop_assert_eq!(&live.text, &shown);
        prop_assert!(live.code.iter().all(|range| shown.get(range.clone()).is_some()));
    }

    #[test]
    fn what_was_redacted_once_is_not_changed_again(text in "\\PC{0,200}") {
        let redactor = Redactor::default();
        let once = redactor.text(&text).into_owned();
        prop_assert_eq!(redactor.text(&once), once.as_str());
    }
}

#[test]
fn a_secret_that_markdown_writes_in_another_way_is_not_shown_either() {
    let secret = "Tr0ub4dor_and|3&more";
    let token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let machine = Machine::new().with("DEPLOY_PASSWORD", secret);
    let _bot = machine.start();
    let escaped = r"Tr0ub4dor\_and\|3&amp;more";
    for said in [
        format!("the first: {escaped} as you see"),
        format!("the second:\n\n| name | value |\n|---|---|\n| DEPLOY | {escaped} |\n"),
        format!("the third: {} as you see", token.replace('_', r"\_")),
    ] {
        machine.ada_says(&format!("[[say: {said}]]"));
    }
    for part in ["the first", "the second", "the third"] {
        let answer = machine.message_with(part).text;
        assert!(answer.contains("[redacted: "), "{answer}");
        assert!(
            !answer.contains(secret) && !answer.contains(token),
            "{answer}"
        );
    }
}
