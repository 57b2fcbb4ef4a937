//! Every sentence about files and about what reached claude.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use telecoder::chat::files::{self, LeftOut, NotSent, Why};
use telecoder::chat::raw::{self, Origin, Reached, Shown, Start};
use telecoder::domain::id::JobId;
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::job::secret;

const LARGEST: u64 = 50 << 20;

fn said(messages: impl IntoIterator<Item = (&'static str, Outgoing)>) -> String {
    let mut all = String::new();
    for (when, message) in messages {
        let _ = writeln!(all, "[{when}]");
        let _ = match &message.body {
            Body::Note { text, quoted } => {
                let quoted = quoted.iter().flat_map(|quoted| quoted.lines());
                let quoted: String = quoted.map(|line| format!("\n| {line}")).collect();
                writeln!(all, "{text}{quoted}")
            }
            Body::Stored(stored) => writeln!(all, "<{}> {}", stored.name, stored.caption),
            other => panic!("{other:?}"),
        };
        for button in &message.buttons {
            let _ = writeln!(all, "[[ {} ]]", button.label);
        }
        all.push('\n');
    }
    all
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("k{number}.pem")).collect()
}

#[test]
fn about_files() {
    let large = |bytes| Why::TooLarge {
        bytes,
        path: "/data/files/abc/sent/1/files/video.mp4".into(),
    };
    let not_sent = |name: &str, why| NotSent {
        name: name.into(),
        why,
    };
    let job = JobId::new();
    let kept = Path::new("/data/x");
    let left_out = LeftOut {
        git: true,
        secrets: names(12),
        no_files: 2,
        unreadable: vec!["locked".into()],
    };
    let files_not_sent = [
        not_sent("empty.txt", Why::Empty),
        not_sent("video.mp4", large(LARGEST + 1)),
        not_sent("users", Why::NoFile),
        not_sent("locked", Why::Unreadable("Permission denied".into())),
    ];
    let many: Vec<NotSent> = (0..12).map(|_| not_sent("e", Why::Empty)).collect();
    insta::assert_snapshot!(said([
        ("not sent", files::not_sent(&files_not_sent, LARGEST)),
        ("many not sent", files::not_sent(&many, LARGEST)),
        ("a secret", files::are_secrets(&names(1), job)),
        ("secrets", files::are_secrets(&names(12), job)),
        ("many", files::many("/data/x.zip".into(), 40)),
        ("many, too large", files::many_too_large(40, LARGEST, kept)),
        ("stopped", files::stopped(kept)),
        ("get, a secret", files::is_secret(".env", job)),
        ("get, outside", files::outside("/etc/passwd")),
        ("get, missing", files::missing("readme", &[])),
        (
            "get, one is near",
            files::missing("readme", &["README.md".into()])
        ),
        (
            "get, many are near",
            files::missing("a", &["b".into(), "c".into(), "d".into()])
        ),
        (
            "get, too large",
            files::cannot_get("video.mp4", &large(3 << 30), LARGEST)
        ),
        (
            "get, unreadable",
            files::cannot_get("x", &Why::Unreadable("Permission denied".into()), LARGEST)
        ),
        (
            "get, a folder",
            files::folder("/x".into(), "src", 1, &LeftOut::default())
        ),
        (
            "get, a folder, not all",
            files::folder("/x".into(), "src", 30, &left_out)
        ),
        (
            "get, an empty folder",
            files::nothing_in_folder("src", &LeftOut::default())
        ),
        (
            "get, a large folder",
            files::folder_too_large("src", LARGEST)
        ),
        (
            "gone",
            files::cannot_be_read("a.txt", "No such file or directory")
        ),
        (
            "too large after all",
            files::too_large_after_all("a.txt", kept)
        ),
        (
            "refused",
            files::refused("a.txt", kept, "Bad Request: wrong file")
        ),
    ]));
}

#[test]
fn about_what_reached_claude() {
    let text = |text: &str, origin| Shown::Text {
        text: text.into(),
        origin,
    };
    let reached = Reached {
        blocks: vec![
            text("> quoted", Origin::Telecoder),
            Shown::Picture {
                media_type: "image/png".into(),
                bytes: 34_000,
                file: Some(PathBuf::from("/data/files/abc/inbox/1.png")),
            },
            text("x", Origin::Person),
            text("words of somebody", Origin::Unknown),
        ],
        start: Some(Start {
            appended_to_system_prompt: Some("Files that you put into …".into()),
            arguments: vec!["--model opus".into(), "--resume 1".into()],
        }),
    };
    let gone = Reached {
        start: None,
        ..reached.clone()
    };
    insta::assert_snapshot!(said([
        ("raw", raw::reached(&reached)),
        ("the record is gone", raw::reached(&gone)),
        ("nothing yet", raw::none_yet()),
        ("gone", raw::gone()),
    ]));
}

#[test]
fn names_say_whether_there_is_a_secret_in_a_file() {
    for name in [
        ".env",
        ".env.local",
        "a/.ENV",
        "prod.env",
        ".envrc",
        "x.pem",
        "tls/server.key",
        "id_rsa",
        "k/id_ed25519",
        ".git/config",
        "sub/.git/config",
        ".netrc",
        ".npmrc",
        ".pypirc",
        "credentials",
        "credentials.json",
        ".aws/anything",
        ".ssh/known_hosts",
        "service-account-1.json",
        "terraform.tfstate",
        "secrets.yaml",
    ] {
        assert!(secret::is_named_so(Path::new(name)), "{name}");
    }
    for name in [
        ".env.example",
        ".env.sample",
        "environment.rs",
        "src/env.rs",
        "id_rsa.pub",
        "config",
        "key.rs",
        "keys.md",
        ".github/config",
        "src/credentials/mod.rs",
        "secretary.txt",
        "monkey",
    ] {
        assert!(!secret::is_named_so(Path::new(name)), "{name}");
    }
}
