//! Repositories that were worked on, by the short names that `/new` takes.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, now, to_json};
use crate::domain::session::Source;

/// How many repositories may share a name.
const SAME_NAMES: u32 = 1_000;

/// Remembers a repository; returns its name. Of two with the same short name the later one gets a number.
pub fn remember(db: &Connection, source: &Source) -> rusqlite::Result<Option<String>> {
    let Some(short) = source.short_name() else {
        return Ok(None);
    };
    let json = to_json(source)?;
    let known: Option<String> = db
        .prepare_cached("UPDATE repositories SET used_at = ?2 WHERE source = ?1 RETURNING name")?
        .query_row(params![json, now()], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(known);
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO repositories (name, source, used_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    for number in 1..SAME_NAMES {
        let name = match number {
            1 => short.clone(),
            number => format!("{short}-{number}"),
        };
        if insert.execute(params![name, json, now()])? == 1 {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

pub fn named(db: &Connection, name: &str) -> rusqlite::Result<Option<Source>> {
    db.prepare_cached("SELECT source FROM repositories WHERE name = ?1")?
        .query_row([name], |row| from_json(0, &row.get::<_, String>(0)?))
        .optional()
}

/// The names, the last used first.
pub fn names(db: &Connection, most: u32) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM repositories ORDER BY used_at DESC, name LIMIT ?1")?
        .query_map([most], |row| row.get(0))?
        .collect()
}
