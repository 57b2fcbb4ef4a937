//! No statement reads a whole table that grows with the years.
//!
//! The statements are read from the text of `src/store`: each string that begins as SQL does. So a new one is looked at
//! without anybody having to think of it. Their plans are those of an empty database of the newest schema: telecoder
//! keeps no statistics (`ANALYZE`), so they are the same in a full one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use telecoder::store::{gatherings, migrations};

/// How a statement begins.
const VERBS: [&str; 6] = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"];

/// Tables that stay small; all others grow. Each with what bounds it.
const SMALL: [(&str, &str); 15] = [
    ("album_parts", "a minute"),
    ("chat_pauses", "a row a chat that is left alone now"),
    ("chats", "a row a chat or topic"),
    ("closed_chats", "a row a chat"),
    ("holds", "a row a chat or topic"),
    ("invites", "a day"),
    ("last_alive", "one row"),
    ("login", "one row"),
    ("migrated_chats", "a row a group"),
    ("next_update", "one row"),
    ("page_keys", "half a day, and a row a program"),
    ("people", "a row a person"),
    ("processes", "a row a process"),
    ("repositories", "a row a repository"),
    (
        "routines",
        "a row a routine; those that are over go after a month",
    ),
];

/// Indexes of the few rows that are not finished.
const SMALL_INDEXES: [&str; 12] = [
    "calls_due",
    "jobs_due",
    "jobs_live",
    "outbox_due",
    "outbox_parked",
    "questions_open",
    "runs_live",
    "runs_open",
    "sessions_attached",
    "sessions_new",
    "updates_set_aside",
    "updates_stored",
];

/// How a statement asks for what is not finished.
const UNFINISHED: [&str; 3] = ["state = 'queued'", "state = 'running'", "state = 'due'"];

/// Indexes of all that a session ever had, or a chat: what is unfinished there is found by a small one.
const HISTORIES: [&str; 3] = ["jobs_of_session", "runs_begun", "runs_of_session"];

/// Steps that may be: the file, a part of the statement, the step, and why.
const MAY_BE: &str = "
    closed.rs     | SELECT chat_id FROM sessions UNION      | SCAN sessions | at a start
    gatherings.rs | > (SELECT max(seq) FROM runs) - ?4      | SEARCH runs   | one row, the newest
    migrated.rs   | UPDATE jobs                             | SCAN jobs     | once in the life of a group
    migrated.rs   | UPDATE outbox                           | SCAN outbox   | once in the life of a group
    migrated.rs   | UPDATE runs                             | SCAN runs     | once in the life of a group
    outbox.rs     | thread_id = ?2 ORDER BY id DESC LIMIT 1 | SCAN outbox   | asked in a shell
    page.rs       | FROM sessions s                         | SCAN s        | the list of all
    sessions.rs   | max(thread_id), 0) FROM outbox          | SEARCH outbox | asked in a shell
    sessions.rs   | FROM sessions ORDER BY created_at DESC  | SCAN sessions | the list of all
    sessions.rs   | FROM sessions WHERE state = 'failed'    | SCAN sessions | once a day
    sessions.rs   | live_message IS NOT NULL                | SCAN sessions | at a start
    updates.rs    | DELETE                                  | SCAN updates  | once a day
";

/// How a call begins that hands on a statement from elsewhere in `src/store`.
const HANDED_ON: [&str; 3] = ["forgotten)", "look)", "match has("];

#[test]
fn no_statement_reads_all_of_a_table_that_grows() {
    let db = newest();
    let statements = statements();
    assert!(statements.len() > 250, "{} are read", statements.len());
    let mut faults = Vec::new();
    let may_be = MAY_BE.lines().filter(|line| !line.trim().is_empty());
    let may_be: Vec<Vec<&str>> = may_be
        .map(|line| line.split(" | ").map(str::trim).collect())
        .collect();
    let mut unused = may_be.clone();
    for statement in &statements {
        for step in whole_reads(&db, &statement.sql) {
            let reason = may_be.iter().find(|it| {
                statement.file == it[0] && statement.sql.contains(it[1]) && step.starts_with(it[2])
            });
            match reason {
                Some(reason) => unused.retain(|other| other != reason),
                None => faults.push(format!("{statement}\n  {step}")),
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}

#[test]
fn every_statement_is_one_that_this_test_can_read() {
    let mut unread = Vec::new();
    for (file, text) in sources("src/store") {
        for call in [".prepare_cached(", ".prepare(", ".execute_batch("] {
            for (at, _) in text.match_indices(call) {
                let argument = text[at + call.len()..].trim_start();
                let argument = argument.strip_prefix("&format!(").unwrap_or(argument);
                let argument = argument.trim_start();
                let line = argument.lines().next().unwrap_or_default();
                if !argument.starts_with('"') && !HANDED_ON.iter().any(|it| line.starts_with(it)) {
                    unread.push(format!("{file}: {call}{line}"));
                }
            }
        }
    }
    assert!(unread.is_empty(), "\n{}", unread.join("\n"));
}

#[test]
fn only_the_store_knows_sql() {
    let elsewhere: Vec<String> = sources("src")
        .iter()
        .filter(|(file, _)| !file.starts_with("src/store/"))
        .flat_map(|(file, text)| literals(text).into_iter().map(move |it| (file, it)))
        .filter(|(_, literal)| is_sql(&literal.text))
        .map(|(file, literal)| format!("{file}:{}: {}", literal.line, literal.text))
        .collect();
    assert!(elsewhere.is_empty(), "\n{}", elsewhere.join("\n"));
}

struct Statement {
    file: String,
    line: usize,
    sql: String,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "src/store/{}:{}: {}", self.file, self.line, self.sql)
    }
}

/// A database of the newest schema.
fn newest() -> Connection {
    let mut db = Connection::open_in_memory().expect("a database");
    migrations::apply(&mut db).expect("the schema");
    db
}

/// The steps of a statement's plan that read a whole table, or a whole index, that grows.
fn whole_reads(db: &Connection, sql: &str) -> Vec<String> {
    let plan: Vec<String> = db
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .and_then(|mut plan| plan.raw_query().mapped(|row| row.get(3)).collect())
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let tables = tables(db);
    let names = names_in(sql, &tables);
    let asks_for_unfinished = UNFINISHED.iter().any(|state| sql.contains(state));
    plan.into_iter()
        .filter(|step| {
            let words: Vec<&str> = step.split_whitespace().collect();
            let index = words.iter().skip_while(|word| **word != "INDEX").nth(1);
            if index.is_some_and(|index| HISTORIES.contains(index)) {
                return asks_for_unfinished;
            }
            // Without an index, a search is one for the least or the greatest: it reads all.
            let is_whole = words[0] == "SCAN" || words[0] == "SEARCH" && !words.contains(&"USING");
            let name = words.get(1).copied().unwrap_or_default();
            let table = names.get(name).copied().unwrap_or(name);
            let grows = tables.iter().any(|it| it == table)
                && !SMALL.iter().any(|(small, _)| *small == table)
                && !index.is_some_and(|index| SMALL_INDEXES.contains(index));
            step.contains(" AUTOMATIC ") || is_whole && grows
        })
        .collect()
}

/// The tables of a statement by the names that it gives them.
fn names_in<'a>(sql: &'a str, tables: &[String]) -> BTreeMap<&'a str, &'a str> {
    let words: Vec<&str> = sql
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect();
    let mut names = BTreeMap::new();
    for (place, word) in words.iter().enumerate() {
        if tables.iter().any(|table| table == word) {
            let after = words[place + 1..].iter().find(|after| **after != "AS");
            if let Some(name) = after.filter(|name| name.chars().all(char::is_lowercase)) {
                names.insert(*name, *word);
            }
            names.insert(*word, *word);
        }
    }
    names
}

fn tables(db: &Connection) -> Vec<String> {
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
        .expect("the tables")
}

/// All statements of `src/store`, with the constants in their places.
fn statements() -> Vec<Statement> {
    let sources = sources("src/store");
    let mut statements = Vec::new();
    for (file, text) in &sources {
        let file = file.trim_start_matches("src/store/").to_owned();
        if file.starts_with("migrations/") {
            continue;
        }
        for literal in literals(text) {
            if !is_sql(&literal.text) {
                continue;
            }
            let whole = filled(&literal, text, &sources);
            let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            for sql in whole
                .split(';')
                .map(str::trim)
                .filter(|sql| !sql.is_empty())
            {
                statements.push(Statement {
                    file: file.clone(),
                    line: literal.line,
                    sql: sql.to_owned(),
                });
            }
        }
    }
    statements
}

fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|first| VERBS.contains(&first)) && words.next().is_some()
}

/// The text of a format string with its constants, which are those of its file or of one that it names in a `use`.
fn filled(literal: &Literal, file: &str, sources: &[(String, String)]) -> String {
    let mut whole = literal.text.clone();
    if !literal.is_format {
        return whole;
    }
    while let Some((before, rest)) = whole.split_once('{') {
        let (name, after) = rest.split_once('}').expect("a closed brace");
        let value = match name {
            "" => ready(&file[literal.end..]),
            _ => constant(name, file, sources)
                .unwrap_or_else(|| panic!("{}: what is {{{name}}}?", literal.text)),
        };
        whole = format!("{before}{value}{after}");
    }
    whole
}

/// The one thing that a statement has in its place by number.
fn ready(after: &str) -> String {
    let now = after
        .split_once("gatherings::ready(\"")
        .or_else(|| after.split_once("ready(\""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(now, _)| now);
    gatherings::ready(now.expect("a time"))
}

fn constant(name: &str, file: &str, sources: &[(String, String)]) -> Option<String> {
    let here = constant_in(name, file);
    here.or_else(|| {
        let module = file.lines().find_map(|line| {
            let path = line.strip_prefix("use super::")?;
            let (module, names) = path.split_once("::")?;
            let mut names = names.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            names.any(|it| it == name).then_some(module)
        })?;
        let named = format!("src/store/{module}.rs");
        let (_, text) = sources.iter().find(|(file, _)| *file == named)?;
        constant_in(name, text)
    })
}

fn constant_in(name: &str, file: &str) -> Option<String> {
    let (before, _) = file.split_once(&format!("const {name}: &str ="))?;
    let literal = literals(file)
        .into_iter()
        .find(|it| it.end > before.len())?;
    Some(literal.text)
}

struct Literal {
    text: String,
    line: usize,
    /// Where the file goes on after it.
    end: usize,
    is_format: bool,
}

/// The string literals of a source file; raw ones and those in comments are left out.
fn literals(source: &str) -> Vec<Literal> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("'\"'") {
            at += 3;
        } else if rest.starts_with("'\\\"'") {
            at += 4;
        } else if let Some(inside) = rest.strip_prefix('"') {
            let (text, length) = literal(inside);
            let line = source[..at].matches('\n').count() + 1;
            let is_format = source[..at].trim_end().ends_with("format!(");
            at += 1 + length;
            found.push(Literal {
                text,
                line,
                end: at,
                is_format,
            });
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// What a literal says that begins here, and its length with the closing quotation mark.
fn literal(source: &str) -> (String, usize) {
    let mut text = String::new();
    let mut letters = source.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, at + 1),
            '\\' => match letters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, '\n')) => {}
                Some((_, escaped)) => text.push(escaped),
                None => {}
            },
            _ => text.push(letter),
        }
    }
    (text, source.len())
}

/// The source files below a folder, by their path.
fn sources(below: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(below)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let name = path.strip_prefix(root).expect("below the root");
            (name.display().to_string(), text)
        })
        .collect()
}
