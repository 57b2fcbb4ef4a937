//! True situations, each really made with git and a stand-in for claude: what the chat is told of them.
//!
//! The tables are printed into docs/EVIDENCE.md: `UPDATE_DOCS=1 cargo test --test it situations::`. Whoever changes what
//! is said there has to look whether it is still true.

mod checks;
mod commits;
mod files;
mod inside;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::Machine;
use crate::support::git::repository;

/// What is made before, what the run does, and what is said of it.
struct Situation {
    /// For the page.
    name: &'static str,
    place: Place,
    /// The arguments of `/checks`; empty: none are set.
    checks: &'static str,
    /// Shell, in the workspace, before the run. `$AT` is a folder beside it, with a bare `host.git`, a clone `others`, and
    /// `project`.
    before: &'static str,
    /// Shell, by claude; empty: it runs nothing.
    run: &'static str,
    answer: &'static str,
    /// What must be said, to the letter: first what the answer's last line says of files.
    said: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Place {
    Clone,
    /// Of a local repository.
    Worktree,
    Empty,
}

const NO_FILE: &str = "no file changed";
/// claude ran something.
const NO_FILE_HERE: &str = "no file changed in the workspace";
/// The answer's last line says nothing of files.
const SILENT: &str = "";

/// What these lines begin with is no evidence.
const OF_NO_EVIDENCE: [&str; 4] = [
    "Cost: ",
    "Done · ",
    "No checks are set up here",
    "Working · ",
];

/// A situation in its chat.
struct Stage {
    user: UserId,
    folder: PathBuf,
    workspace: PathBuf,
    /// How many messages there were before the prompt.
    already: usize,
}

/// Makes all of them with one bot, compares what is said, and prints the page's part.
fn compare(part: &str, situations: &[Situation]) {
    let users = (0..situations.len()).map(|number| user(number).0.to_string());
    let users: Vec<String> = users.collect();
    let machine = Machine::new();
    let settings = machine.folder.path().join("home/.gitconfig");
    let machine = machine
        .with("TELECODER_TG_ALLOWED_USERS", users.join(","))
        .with("GIT_CONFIG_GLOBAL", settings.display().to_string())
        .with("TELECODER_WARM", "none");
    let lines = "[user]\nname=Ada\nemail=ada@example.org\n[init]\ndefaultBranch=main\n\
                 [protocol \"file\"]\nallow=always\n[pull]\nrebase=false\n";
    std::fs::write(settings, lines).expect("settings");
    let _bot = machine.start();
    let stages: Vec<Stage> = situations
        .iter()
        .enumerate()
        .map(|(number, situation)| set_up(&machine, number, situation))
        .collect();
    let both: Vec<(&Stage, &Situation)> = stages.iter().zip(situations).collect();
    // As many as there are places.
    for some in both.chunks(4) {
        some.iter()
            .for_each(|(stage, situation)| prompt(&machine, stage, situation));
        machine.until_quiet();
    }
    let mut rows = String::new();
    let mut wrong = String::new();
    for (stage, situation) in stages.iter().zip(situations) {
        let said = said(&machine, stage, situation);
        if said != situation.said {
            let (name, expected) = (situation.name, situation.said);
            let _ = writeln!(
                wrong,
                "{name}:\n  said     {said:?}\n  expected {expected:?}"
            );
        }
        let _ = writeln!(rows, "{}", row(situation, &said));
    }
    assert!(wrong.is_empty(), "{wrong}");
    print_part(part, &rows);
}

fn prompt(machine: &Machine, stage: &Stage, situation: &Situation) {
    let bash = match situation.run {
        "" => String::new(),
        run => format!(
            "[[bash: {}]] ",
            run.replace("$AT", &stage.folder.to_string_lossy())
        ),
    };
    let prompt = format!("{bash}[[say: {}]]", situation.answer);
    machine
        .api
        .say(ChatId(stage.user.0 as i64), stage.user, &prompt);
}

fn user(number: usize) -> UserId {
    UserId(1_000 + number as u64)
}

fn set_up(machine: &Machine, number: usize, situation: &Situation) -> Stage {
    let folder = machine.folder.path().join(format!("situation-{number}"));
    let home = machine.folder.path().join("home");
    let template = machine.folder.path().join("template");
    if !template.exists() {
        std::fs::create_dir(&template).expect("a folder");
        repository(&template);
        let hosts = "git clone -q --bare project host.git; git clone -q host.git others; \
                     git -C others remote set-url origin ../host.git";
        shell(&home, &template, &template, hosts);
    }
    let copy = format!("cp -a template situation-{number}");
    shell(&home, machine.folder.path(), &template, &copy);
    let project = folder.join("project");
    let new = match situation.place {
        Place::Clone => format!("/new file://{}", folder.join("host.git").display()),
        Place::Worktree => format!("/new {}", project.display()),
        Place::Empty => "/new -".to_owned(),
    };
    let (user, chat) = (user(number), ChatId(user(number).0 as i64));
    machine.api.say(chat, user, &new);
    let workspace = machine.until("a workspace", || workspace_of(machine, chat));
    if !situation.checks.is_empty() {
        let checks = format!("/checks {}", situation.checks);
        machine.api.say(chat, user, &checks);
    }
    shell(&home, &workspace, &folder, situation.before);
    machine.until_quiet();
    Stage {
        user,
        folder,
        workspace,
        already: machine.bot_messages().len(),
    }
}

/// The workspace of a chat's session, once it is ready.
fn workspace_of(machine: &Machine, chat: ChatId) -> Option<PathBuf> {
    let ready = "SELECT workspace FROM sessions WHERE state = 'ready' AND chat_id = ?1";
    let database = machine.database();
    let path = database.query_row(ready, [chat.0], |row| row.get::<_, String>(0));
    path.ok().map(PathBuf::from)
}

fn shell(home: &Path, folder: &Path, at: &Path, script: &str) {
    let done = Command::new("bash")
        .args(["-ec", script])
        .current_dir(folder)
        .env("HOME", home)
        .env("AT", at)
        .output()
        .expect("bash is there");
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script}: {words}");
}

/// What the answer's last line says of files, and the lines of the evidence.
fn said(machine: &Machine, stage: &Stage, situation: &Situation) -> Vec<String> {
    let chat = ChatId(stage.user.0 as i64);
    let messages = machine.bot_messages().into_iter().skip(stage.already);
    let mut said = Vec::new();
    for message in messages.filter(|message| message.chat == chat.0) {
        let text = message
            .text
            .replace(&*stage.folder.to_string_lossy(), "/srv");
        let text = text.replace(&*stage.workspace.to_string_lossy(), "…");
        if text.starts_with(situation.answer) {
            let footer = text.lines().last().unwrap_or_default();
            let untouched = footer.split(" · ").find(|part| part.starts_with(NO_FILE));
            said.insert(0, untouched.unwrap_or(SILENT).to_owned());
            continue;
        }
        let (lines, folded) = text.split_once("\n\n").unwrap_or((&text, ""));
        let is_of_evidence =
            |line: &&str| !OF_NO_EVIDENCE.iter().any(|other| line.starts_with(other));
        said.extend(lines.lines().filter(is_of_evidence).map(normal));
        let files = folded
            .split("\n\n")
            .find_map(|part| part.strip_prefix("Files\n"));
        let files = files.into_iter().flat_map(str::lines).take(4);
        said.extend(files.map(|line| format!("> {}", normal(line))));
    }
    said
}

/// Without what is another time other: ids, the branch's name, times.
fn normal(line: &str) -> String {
    let mut line = line.to_owned();
    for (pattern, instead) in [
        (r"(?-u:\b)[0-9a-f]{7}(?-u:\b)", "1a2b3c4"),
        (r"telecoder/[a-z0-9]{8}", "telecoder/x"),
        (r" · [0-9]+ s", " · 1 s"),
    ] {
        let pattern = Regex::new(pattern).expect("a pattern");
        line = pattern.replace_all(&line, instead).into_owned();
    }
    line
}

fn row(situation: &Situation, said: &[String]) -> String {
    let code = |line: &String| format!("`{}`", line.replace('|', "\\|"));
    let (footer, card) = said.split_first().expect("an answer");
    let footer = match footer.as_str() {
        "" => String::new(),
        _ => code(footer),
    };
    let card: Vec<String> = card.iter().map(code).collect();
    let (name, answer) = (situation.name, situation.answer);
    format!("| {name} | {answer} | {footer} | {} |", card.join("<br>"))
}

/// The part of docs/EVIDENCE.md between two marks.
fn print_part(part: &str, rows: &str) {
    const PAGE: &str = "docs/EVIDENCE.md";
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let begin = format!("<!-- {part} -->\n");
    let end = format!("<!-- end of {part} -->");
    let (before, rest) = page.split_once(&begin).expect("its mark");
    let (_, after) = rest.split_once(&end).expect("its end");
    let heading =
        "| What happened | claude's answer | Its last line | The evidence |\n|---|---|---|---|";
    let printed = format!("{before}{begin}\n{heading}\n{rows}\n{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, printed).expect("the page");
        return;
    }
    assert!(
        page == printed,
        "{PAGE} is not what was seen; UPDATE_DOCS=1 cargo test --test it situations:: writes it anew\n{printed}"
    );
}
