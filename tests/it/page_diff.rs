//! The diff of a run on the page, and remarks on its lines.

use std::path::PathBuf;

use crate::page::{logged_in, machine, run_of, session_of};
use crate::support::browser::{Browser, Page};
use crate::support::git::{git, repository};
use crate::support::{ADA, Bot, GRACE, Machine};

fn runs(machine: &Machine) -> Vec<String> {
    let database = machine.database();
    let mut statement = database
        .prepare("SELECT id FROM runs ORDER BY seq")
        .expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("an id")).collect()
}

/// Ada says it, and everything that follows is done.
fn says(machine: &Machine, prompt: &str) {
    machine.ada_says(prompt);
    machine.until_quiet();
}

fn workspace(machine: &Machine) -> PathBuf {
    let folder: String = machine
        .database()
        .query_row(
            "SELECT workspace FROM sessions ORDER BY rowid DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .expect("a session");
    PathBuf::from(folder)
}

/// A session in a repository of Ada's, and her browser.
fn in_repository() -> (Machine, Bot, Browser) {
    let machine = machine();
    let project = repository(machine.folder.path());
    let bot = machine.start();
    says(&machine, &format!("/new {}", project.display()));
    let browser = logged_in(&machine, &bot, ADA);
    (machine, bot, browser)
}

/// The mark of the first file whose path is this.
fn seen(page: &Page, path: &str) -> (String, String) {
    let (before, _) = page
        .body
        .split_once(&format!("data-path=\"{path}\""))
        .unwrap_or_else(|| panic!("no {path} in {}", page.body));
    let value = |name: &str| {
        let (_, value) = before
            .rsplit_once(&format!("{name}=\""))
            .expect("an attribute");
        value.split('"').next().expect("a value").to_owned()
    };
    (value("data-file"), value("data-seen"))
}

/// Sends remarks, each a path, a side, two lines and words.
fn remark(
    browser: &Browser,
    page: &Page,
    run: &str,
    remarks: &[(&str, &str, &str, &str, &str)],
) -> Page {
    let mut fields = vec![
        ("key", page.field("key")),
        ("once", uuid::Uuid::new_v4().to_string()),
    ];
    for (path, side, first, last, words) in remarks {
        let (file, mark) = seen(page, path);
        fields.push(("file", file));
        fields.push(("seen", mark));
        fields.push(("side", (*side).to_owned()));
        fields.push(("first", (*first).to_owned()));
        fields.push(("last", (*last).to_owned()));
        fields.push(("words", (*words).to_owned()));
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post(&format!("/runs/{run}/remarks"), &fields)
}

#[test]
fn each_run_has_a_diff_of_its_own_and_several_have_one_together() {
    let (machine, _bot, browser) = in_repository();
    says(&machine, "[[bash: echo first > one]]");
    says(&machine, "[[bash: echo latter > two; echo more >> one]]");
    says(&machine, "[[bash: rm two]]");
    let runs = runs(&machine);
    let first = browser.get(&format!("/runs/{}/diff", runs[0]));
    first.assert_says("What the run changed");
    first.assert_says("first");
    assert!(!first.body.contains("latter"), "{}", first.body);
    first.assert_says("to just before the next run");
    let second = browser.get(&format!("/runs/{}/diff", runs[1]));
    second.assert_says("latter");
    second.assert_says("2 files");
    let third = browser.get(&format!("/runs/{}/diff", runs[2]));
    third.assert_says("to the workspace as it is now");
    third.assert_says("deleted");
    let all = browser.get(&format!("/runs/{}/diff?with={}", runs[2], runs[0]));
    all.assert_says("What 3 runs changed");
    all.assert_says("more");
    all.assert_says("1 file");
    assert!(!all.body.contains("latter"), "{}", all.body);
    // The links lead there.
    browser
        .get(&format!("/runs/{}", runs[0]))
        .assert_says(&format!("href=\"/runs/{}/diff\"", runs[0]));
    let session = browser.get(&format!("/sessions/{}", session_of(&machine)));
    session.assert_says(&format!("href=\"/runs/{}/diff\"", runs[1]));
}

#[test]
fn an_undone_run_shows_what_was_taken_away() {
    let (machine, _bot, browser) = in_repository();
    says(&machine, "[[bash: echo taken > away]]");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: the workspace is as it was");
    machine.until_quiet();
    let diff = browser.get(&format!("/runs/{}/diff", run_of(&machine)));
    diff.assert_says("It was undone");
    diff.assert_says("taken");
}

#[test]
fn repositories_inside_renames_and_binary_files_are_in_the_diff() {
    let (machine, _bot, browser) = in_repository();
    says(
        &machine,
        "[[bash: seq 40 > long; git init -q lib; echo a > lib/a; \
         git -C lib -c user.name=A -c user.email=a@b.c add . ; \
         git -C lib -c user.name=A -c user.email=a@b.c commit -qm one]]",
    );
    says(
        &machine,
        "[[bash: mv long longer; echo b >> lib/a; printf 'a\\0b' > bin]]",
    );
    let before = runs(&machine);
    says(&machine, "[[bash: rm -rf lib; echo end > end]]");
    let first = browser.get(&format!("/runs/{}/diff", before[0]));
    first.assert_says("lib/a");
    let second = browser.get(&format!("/runs/{}/diff", before[1]));
    for part in ["lib/a", "renamed", "longer", "binary"] {
        second.assert_says(part);
    }
    assert!(
        !second.body.contains("data-path=\"bin\""),
        "nothing to remark on"
    );
    let third = browser.get(&format!("/runs/{}/diff", run_of(&machine)));
    third.assert_says("lib/</code> was removed");
}

#[test]
fn of_a_clone_that_a_run_made_only_what_differs_from_it_is_shown() {
    let (machine, _bot, browser) = in_repository();
    let project = machine.folder.path().join("project").display().to_string();
    says(
        &machine,
        &format!("[[bash: git clone -q {project} copy; echo added >> copy/README.md]]"),
    );
    says(
        &machine,
        &format!("[[bash: git clone -q {project} late; echo later > late/new]]"),
    );
    let runs = runs(&machine);
    let first = browser.get(&format!("/runs/{}/diff", runs[0]));
    first.assert_says("1 file<");
    first.assert_says("copy/README.md");
    first.assert_says("added");
    let second = browser.get(&format!("/runs/{}/diff", runs[1]));
    second.assert_says("1 file<");
    second.assert_says("late/new");
    let both = browser.get(&format!("/runs/{}/diff?with={}", runs[0], runs[1]));
    both.assert_says("2 files<");
}

#[test]
fn what_a_repository_has_in_it_is_text_and_secrets_are_not_shown() {
    let (machine, _bot, browser) = in_repository();
    let folder = workspace(&machine);
    let token = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB";
    std::fs::write(
        folder.join("\"><img src=x onerror=alert(1)>.html"),
        format!("<script>alert(1)</script>\n\u{202e}turned\ntoken {token}\n"),
    )
    .expect("a file");
    let key = format!(
        "a\n-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n-----END RSA PRIVATE KEY-----\nbehind\n",
        "A".repeat(64),
        "B".repeat(64)
    );
    std::fs::write(folder.join("key"), key).expect("a file");
    // What lies there before a run is in the snapshot; so the run moves it.
    says(
        &machine,
        "[[bash: mkdir in; mv *.html in/; git add -A; printf 'last' >> key]]",
    );
    says(&machine, "[[bash: rm -r in key]]");
    let page = browser.get(&format!("/runs/{}/diff", run_of(&machine)));
    for markup in ["<img", "<script>alert", "\u{202e}", token, "AAAAAAAA"] {
        assert!(!page.body.contains(markup), "{markup} in {}", page.body);
    }
    page.assert_says("&lt;script&gt;");
    page.assert_says("U+202E");
    // Lines behind a secret keep their numbers.
    let (_, behind) = page.body.split_once("-o6\"").expect("line 6");
    assert!(behind[..300].contains("behind"), "{behind}");
    let asked = remark(
        &browser,
        &page,
        &run_of(&machine),
        &[("key", "o", "6", "", "Keep it.")],
    );
    assert_eq!(asked.status, 200, "{}", asked.body);
    machine.until_quiet();
    machine.message_with("About line 6 of key, as it was before");
}

#[test]
fn remarks_are_one_prompt_with_the_code_as_git_has_it() {
    let (machine, _bot, browser) = in_repository();
    says(
        &machine,
        "[[bash: printf 'one\\ntwo\\n```\\nfour <b>\\n' > code; printf 'x\\n' > other]]",
    );
    says(&machine, "[[bash: printf 'y\\n' > other]]");
    let of = runs(&machine);
    let page = browser.get(&format!("/runs/{}/diff", of[0]));
    let asked = remark(
        &browser,
        &page,
        &of[0],
        &[("code", "n", "2", "2", "Why two?")],
    );
    asked.assert_says("About line 2 of code");
    machine.until_quiet();
    machine.message_with("On the page:");
    machine.message_with("Why two?");
    let one = "[About line 2 of code:]\n```\ntwo\n```\nWhy two?";
    assert_eq!(machine.claude_got().last(), Some(&one.into()));

    let page = browser.get(&format!("/runs/{}/diff?with={}", of[1], of[0]));
    let mut fields = Vec::new();
    for words in ["with", "key", "once"] {
        fields.push((words, page.field(words)));
    }
    for (path, side, first, last, words) in [
        ("code", "n", "4", "3", "Both\r\nlines."),
        ("other", "n", "1", "1", "y?"),
        ("code", "n", "1", "1", "one"),
        ("code", "n", "1", "4", "all"),
    ] {
        let (file, mark) = seen(&page, path);
        for (name, value) in [
            ("file", file.as_str()),
            ("seen", mark.as_str()),
            ("side", side),
            ("first", first),
            ("last", last),
            ("words", words),
        ] {
            fields.push((name, value.to_owned()));
        }
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let path = format!("/runs/{}/remarks", of[1]);
    browser
        .post(&path, &fields)
        .assert_says("About lines 3 to 4 of code");
    // A form that is sent again is the same prompt.
    browser
        .post(&path, &fields)
        .assert_says("About lines 3 to 4 of code");
    machine.until_quiet();
    let four = "[About lines 3 to 4 of code:]\n````\n```\nfour <b>\n````\nBoth\nlines.\n\n\
                [About line 1 of other:]\n```\ny\n```\ny?\n\n\
                [About line 1 of code:]\n```\none\n```\none\n\n\
                [About lines 1 to 4 of code:]\n````\none\ntwo\n```\nfour <b>\n````\nall";
    let got = machine.claude_got();
    assert_eq!(got.last(), Some(&four.into()));
    assert_eq!(got.len(), 4);
}

#[test]
fn a_remark_on_what_is_not_there_is_refused_in_words() {
    let (machine, _bot, browser) = in_repository();
    says(&machine, "[[bash: seq 3 > numbers]]");
    let run = run_of(&machine);
    let page = browser.get(&format!("/runs/{run}/diff"));
    for (line, words, sentence) in [
        (("n", "9", "9"), "x", "lines that the diff does not have"),
        (("o", "1", "1"), "x", "lines that the diff does not have"),
        (("n", "1", "4000000000"), "x", "too much for one prompt"),
        (("n", "", ""), "x", "does not say which lines"),
        (("n", "1", "1"), "  ", "There is no remark"),
    ] {
        let (side, first, last) = line;
        let refused = remark(
            &browser,
            &page,
            &run,
            &[("numbers", side, first, last, words)],
        );
        assert_eq!(refused.status, 400, "{}", refused.body);
        refused.assert_says(sentence);
    }
    // Somebody has changed the file meanwhile.
    std::fs::write(workspace(&machine).join("numbers"), "other\n").expect("a file");
    let refused = remark(&browser, &page, &run, &[("numbers", "n", "1", "1", "x")]);
    assert_eq!(refused.status, 400);
    refused.assert_says("has changed since you looked");
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
fn nobody_sees_or_remarks_more_than_in_the_chat() {
    let machine = machine().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    says(&machine, "[[bash: echo mine > own]]");
    let run = run_of(&machine);
    let (ada, grace) = (
        logged_in(&machine, &bot, ADA),
        logged_in(&machine, &bot, GRACE),
    );
    let page = ada.get(&format!("/runs/{run}/diff"));
    page.assert_says("mine");
    assert_eq!(grace.get(&format!("/runs/{run}/diff")).status, 404);
    assert_eq!(grace.get(&format!("/runs/{run}/diff?file=1")).status, 404);
    let about = [("own", "n", "1", "1", "give it to me")];
    // Ada's form in Grace's browser, and Grace's own.
    assert_eq!(remark(&grace, &page, &run, &about).status, 403);
    let key = grace.get("/").field("key");
    let once = uuid::Uuid::new_v4().to_string();
    let own = grace.post(
        &format!("/runs/{run}/remarks"),
        &[("key", &key), ("once", &once)],
    );
    assert_eq!(own.status, 404);
    assert_eq!(
        ada.post(&format!("/runs/{run}/remarks"), &[("once", &once)])
            .status,
        403
    );
    assert_eq!(ada.get(&format!("/runs/{run}/diff?file=2")).status, 404);
    assert_eq!(ada.get(&format!("/runs/{run}/diff?file=0")).status, 404);
    let unknown = uuid::Uuid::new_v4();
    assert_eq!(
        ada.get(&format!("/runs/{run}/diff?with={unknown}")).status,
        404
    );
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
fn a_large_diff_is_read_file_by_file() {
    let (machine, _bot, browser) = in_repository();
    says(
        &machine,
        "[[bash: for n in $(seq 600); do seq 20 > file-$n; done; seq 30000 > huge]]",
    );
    let run = run_of(&machine);
    let page = browser.get(&format!("/runs/{run}/diff"));
    page.assert_says("601 files");
    page.assert_says("Show it alone");
    assert!(page.body.len() <= 300_000, "{} bytes", page.body.len());
    let huge = browser.get(&format!("/runs/{run}/diff?file=601"));
    huge.assert_says("huge");
    huge.assert_says("The rest of this file is too long");
    assert!(huge.body.len() <= 4_000_000, "{} bytes", huge.body.len());
    browser
        .get(&format!("/runs/{run}/diff?file=600"))
        .assert_says("The next file");
}

#[test]
fn a_git_that_hangs_holds_nobody_up() {
    let machine = machine();
    let hangs = machine.folder.path().join("hangs");
    let real = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
        .map(|folder| folder.join("git"))
        .find(|git| git.exists())
        .expect("git");
    std::fs::create_dir(machine.folder.path().join("bin")).expect("a folder");
    machine.script(
        "bin/git",
        &format!(
            "case \"$*\" in *diff-index*--no-color*) [ -e {hangs} ] && exec sleep 600;; esac\nexec {real} \"$@\"",
            hangs = hangs.display(),
            real = real.display()
        ),
    );
    let path = format!(
        "{}/bin:{}",
        machine.folder.path().display(),
        machine.environment["PATH"]
    );
    let machine = machine.with("PATH", path);
    let bot = machine.start();
    says(&machine, "[[bash: echo x > y]]");
    let browser = logged_in(&machine, &bot, ADA);
    let run = run_of(&machine);
    std::fs::write(&hangs, "").expect("a file");
    let path = format!("/runs/{run}/diff");
    let looks: Vec<_> = (0..3)
        .map(|_| {
            let path = path.clone();
            let browser = Browser {
                address: browser.address,
                cookies: browser.cookies.clone(),
            };
            std::thread::spawn(move || browser.get(&path))
        })
        .collect();
    // The chat and the other pages do not wait for them.
    machine.ada_says("/whoami");
    machine.message_with("Your user id");
    assert_eq!(browser.get(&format!("/runs/{run}")).status, 200);
    assert!(looks.iter().all(|look| !look.is_finished()));
    let looks: Vec<Page> = looks
        .into_iter()
        .map(|look| look.join().expect("a page"))
        .collect();
    assert!(
        looks.iter().all(|look| [429, 503].contains(&look.status)),
        "{looks:?}"
    );
    let silent = looks
        .iter()
        .filter(|look| look.body.contains("git does not answer"));
    assert!(silent.count() >= 2, "{looks:?}");
    std::fs::remove_file(&hangs).expect("it is there");
    browser.get(&path).assert_says("<code>y</code>");
}

#[test]
fn a_run_without_a_snapshot_says_so() {
    let (machine, _bot, browser) = in_repository();
    says(&machine, "[[bash: echo x > y]]");
    let run = run_of(&machine);
    let snapshots = machine.data().join("snapshots");
    let store = std::fs::read_dir(snapshots)
        .expect("snapshots")
        .next()
        .expect("one")
        .expect("one");
    git(
        &store.path(),
        &["update-ref", "-d", &format!("refs/telecoder/{run}/before")],
    );
    let page = browser.get(&format!("/runs/{run}/diff"));
    page.assert_says("There is no diff: there is no snapshot of what was before it.");
}
