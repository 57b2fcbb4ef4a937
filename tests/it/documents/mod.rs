//! The pages for people say what is true: their commands run ([`commands`]), what they quote is said ([`quoted`]), and
//! what they name exists.

mod commands;
mod page;
mod quoted;

use std::collections::BTreeSet;

use regex::Regex;
use telecoder::claude::install::NEWEST_TESTED;
use telecoder::config::Setting;
use telecoder::domain::verb::Verb;

use crate::support::Machine;
use page::{Page, repository};

/// Variables that are no settings, and whose they are.
const OTHER_VARIABLES: [(&str, &str); 7] = [
    ("TELECODER_KEEP", "for what a run starts"),
    ("TELECODER_RUN", "the mark of a run"),
    ("TELECODER_OUTBOX", "for what claude hands over"),
    ("TELECODER_TORTURE", "of the tests"),
    ("TELECODER_UNDO_CASES", "of the tests"),
    ("TELECODER_TEST_CLAUDE", "of the tests"),
    ("TELEGRAM_BOT_TOKEN_FILE", "of install.sh"),
];

/// Words behind a slash that are no commands of telecoder's, and whose they are.
const OTHER_SLASHES: [(&str, &str); 14] = [
    ("newbot", "@BotFather"),
    ("mybots", "@BotFather"),
    ("revoke", "@BotFather"),
    ("setprivacy", "@BotFather"),
    ("compact", "claude"),
    ("context", "claude"),
    ("clear", "claude"),
    ("exit", "claude"),
    ("word", "claude, any"),
    ("healthz", "the page for monitors"),
    ("metrics", "the page for monitors"),
    ("usr", "a folder"),
    ("boot", "a folder"),
    ("etc", "a folder"),
];

/// Words behind a slash in these pages are commands, unless they are named above.
const PAGES_ABOUT_THE_CHAT: [&str; 8] = [
    "README.md",
    "docs/GUIDE.md",
    "docs/quickstart.md",
    "docs/troubleshooting.md",
    "docs/security.md",
    "docs/runtime-setup.md",
    "docs/git-credentials.md",
    "docs/vps-setup.md",
];

/// What telecoder starts of itself, without the parser that people meet.
const STARTED_BY_ITSELF: [&str; 2] = ["telecoder keep", "telecoder hold"];

#[test]
fn every_command_that_a_page_names_is_one_that_telecoder_takes() {
    let machine = Machine::new();
    let mut named = BTreeSet::new();
    for page in Page::all() {
        let code = page.inline_code().into_iter();
        // Those of `sh` are run, which is more.
        let blocks = page.blocks().into_iter();
        let blocks = blocks
            .filter(|(language, _)| language != "sh")
            .map(|(_, block)| block);
        for text in code.chain(blocks) {
            for line in text.lines() {
                if let Some(command) = command_in(line) {
                    named.insert((command, page.path.clone()));
                }
            }
        }
    }
    assert!(named.len() > 60, "{named:?}");
    for (command, page) in named {
        if STARTED_BY_ITSELF
            .iter()
            .any(|it| command.join(" ").starts_with(it))
        {
            continue;
        }
        let mut words: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        words.push("--help");
        let output = machine
            .telecoder(&words)
            .output()
            .expect("telecoder starts");
        assert!(
            output.status.success(),
            "{}: {command:?}\n{}",
            page.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The words of the `telecoder …` in a line; none where there is none, or where it is no command but a path or a name.
fn command_in(line: &str) -> Option<Vec<String>> {
    let pattern =
        Regex::new("(?:^|&& |sudo |-H |; |cargo run --release -- )telecoder(?: (?<words>.*))?$")
            .expect("a pattern");
    let found = pattern.captures(line)?;
    let rest = found.name("words").map_or("", |words| words.as_str());
    // What follows is the shell's, a comment, or left out.
    let rest = rest
        .split(['<', '>', '|', ';', '#', '&', '…', '\''])
        .next()?;
    let words = rest
        .split_whitespace()
        .map(|word| word.trim_matches(['[', ']']).to_owned())
        .map(|word| match word.as_str() {
            "SHELL" => "bash".to_owned(),
            "ID" => "7".to_owned(),
            _ => word,
        });
    Some(
        std::iter::once("telecoder".to_owned())
            .chain(words)
            .collect(),
    )
}

#[test]
fn every_variable_of_telecoders_that_a_page_names_is_a_setting_or_known_otherwise() {
    let pattern = Regex::new("(?:TELECODER|TELEGRAM)_[A-Z][A-Z_]*[A-Z]").expect("a pattern");
    let settings: Vec<&str> = Setting::ALL.map(Setting::name).to_vec();
    let mut seen = BTreeSet::new();
    for page in Page::all() {
        for found in pattern.find_iter(&page.text) {
            let name = found.as_str();
            let is_known =
                settings.contains(&name) || OTHER_VARIABLES.iter().any(|(other, _)| *other == name);
            assert!(is_known, "{}: {name}", page.path.display());
            seen.insert(name.to_owned());
        }
    }
    for name in settings.iter().filter(|name| name.starts_with("TELE")) {
        assert!(seen.contains(*name), "no page names {name}");
    }
}

#[test]
fn every_command_of_the_chat_is_in_the_table_and_no_page_names_another() {
    let known: Vec<&str> = Verb::ALL.map(Verb::name).to_vec();
    let pattern = Regex::new(r"^//?([a-z]+)(?:$| )").expect("a pattern");
    for path in PAGES_ABOUT_THE_CHAT {
        for code in Page::named(path).inline_code() {
            let Some(word) = pattern.captures(&code).map(|found| found[1].to_owned()) else {
                continue;
            };
            let is_known = known.contains(&word.as_str())
                || OTHER_SLASHES.iter().any(|(other, _)| *other == word);
            assert!(is_known, "{path}: {code}");
        }
    }
    let rows = Page::named("README.md").first_cells();
    for verb in Verb::ALL.into_iter().filter(|verb| verb.in_menu()) {
        let written = match verb.arguments() {
            "" => format!("/{}", verb.name()),
            arguments => format!("/{} {arguments}", verb.name()),
        };
        assert!(rows.contains(&written), "{written} is not in {rows:?}");
    }
}

#[test]
fn every_command_of_the_shell_is_in_the_first_page() {
    let machine = Machine::new();
    let shell = Page::named("README.md").inline_code();
    let names_it = |group: &str, name: &str| {
        shell.iter().any(|code| {
            let words: Vec<&str> = code.split_whitespace().collect();
            // In a row about a group, the others of the group stand without their first words.
            words.starts_with(&["telecoder", name])
                || words.starts_with(&["telecoder", group, name])
                || (!group.is_empty() && words.first() == Some(&name))
        })
    };
    for group in ["", "session", "config", "service"] {
        let arguments: Vec<&str> = [group, "--help"]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let output = machine.telecoder(&arguments).output().expect("it starts");
        let help = String::from_utf8_lossy(&output.stdout);
        let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in commands.take_while(|line| !line.is_empty()) {
            let name = line.split_whitespace().next().expect("a command");
            assert!(
                name == "help" || names_it(group, name),
                "README.md does not have telecoder {group} {name}"
            );
        }
    }
}

#[test]
fn the_version_of_claude_that_a_page_names_is_the_one_that_was_tested() {
    let version = Regex::new(r"bash -s ([0-9.]+[0-9])|tested with, 2.1.197 to ([0-9.]+[0-9])")
        .expect("a pattern");
    let mut named = 0;
    for page in Page::all() {
        for found in version.captures_iter(&page.text) {
            let found = found.get(1).or(found.get(2)).expect("one of them").as_str();
            assert_eq!(found, NEWEST_TESTED, "{}", page.path.display());
            named += 1;
        }
    }
    assert!(named >= 3, "{named}");
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut followed = 0;
    for page in Page::all() {
        let folder = repository().join(page.path.parent().expect("a folder"));
        for link in page.links() {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => repository().join(&page.path),
                path => folder.join(path),
            };
            assert!(target.exists(), "{}: {link}", page.path.display());
            if !anchor.is_empty() {
                let target = std::fs::canonicalize(target).expect("it is there");
                let target = target
                    .strip_prefix(repository())
                    .expect("in the repository");
                let anchors = Page::named(&target.to_string_lossy()).anchors();
                assert!(
                    anchors.iter().any(|it| it == anchor),
                    "{}: {link}; there are {anchors:?}",
                    page.path.display()
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 60, "{followed}");
}

#[test]
fn every_page_is_reached_from_the_first_one() {
    let links = Page::named("README.md").links();
    for page in Page::all() {
        let path = page.path.to_string_lossy();
        assert!(
            path == "README.md" || links.iter().any(|link| *link == path),
            "README.md does not lead to {path}"
        );
    }
}
