//! Keys of the page: links that log a browser in once, browsers that are logged in, programs, and what may not be used
//! twice.
//!
//! Of a key only its SHA-256 is kept, so that a copy of the database opens nothing.

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, params};

use super::now;
use crate::domain::id::{PageKey, UserId};

/// How long a link can be used.
pub const LINK_MS: i64 = 5 * 60 * 1000;
/// How long a browser stays logged in.
pub const LOGIN_MS: i64 = 12 * 60 * 60 * 1000;

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub user: UserId,
    /// As the chat names them; empty if that is not known.
    pub name: String,
}

/// A program that may use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub user: UserId,
    pub name: String,
    /// Unix milliseconds.
    pub made_at: i64,
}

/// Makes a link for somebody.
pub fn make_link(db: &Connection, holder: &Holder) -> rusqlite::Result<PageKey> {
    make(db, "link", holder, Some(LINK_MS))
}

/// Uses a link up; its holder's browser is logged in with the new key. `None` if the link is not valid.
pub fn use_link(db: &Connection, link: &PageKey) -> rusqlite::Result<Option<(PageKey, Holder)>> {
    let holder = db
        .prepare_cached(
            "DELETE FROM page_keys WHERE hash = ?1 AND kind = 'link' AND expires_at >= ?2
             RETURNING user_id, name",
        )?
        .query_row(params![hash(link), now()], holder_from)
        .optional()?;
    let Some(holder) = holder else {
        return Ok(None);
    };
    Ok(Some((log_in(db, &holder)?, holder)))
}

/// What somebody was called when they last got a key.
pub fn name_of(db: &Connection, user: UserId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT name FROM page_keys WHERE user_id = ?1 AND kind IN ('link', 'login') AND name <> ''
         ORDER BY made_at DESC LIMIT 1",
    )?
    .query_row([user.0], |row| row.get(0))
    .optional()
}

/// Whose link it is, while it can be used.
pub fn of_link(db: &Connection, link: &PageKey) -> rusqlite::Result<Option<Holder>> {
    holder(db, link, "link")
}

/// Logs a browser in.
pub fn log_in(db: &Connection, holder: &Holder) -> rusqlite::Result<PageKey> {
    make(db, "login", holder, Some(LOGIN_MS))
}

/// Whose browser it is, while it is logged in.
pub fn of_login(db: &Connection, key: &PageKey) -> rusqlite::Result<Option<Holder>> {
    holder(db, key, "login")
}

/// Logs one browser out.
pub fn log_out(db: &Connection, key: &PageKey) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM page_keys WHERE hash = ?1 AND kind = 'login'")?
        .execute([hash(key)])?;
    Ok(())
}

/// Voids somebody's links and logs their browsers out. Returns how many browsers that were.
pub fn log_out_everywhere(db: &Connection, user: UserId) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM page_keys WHERE user_id = ?1 AND kind = 'link'")?
        .execute([user.0])?;
    db.prepare_cached("DELETE FROM page_keys WHERE user_id = ?1 AND kind = 'login'")?
        .execute([user.0])
}

/// Voids everything of somebody who may not use the bot any more, their programs' keys too.
pub fn withdraw_all(db: &Connection, user: UserId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM page_keys WHERE user_id = ?1 AND kind <> 'used'")?
        .execute([user.0])?;
    Ok(())
}

/// Lets a program use the API as somebody.
pub fn make_program(db: &Connection, program: &Holder) -> rusqlite::Result<PageKey> {
    make(db, "program", program, None)
}

/// Whose program it is, and what it is called.
pub fn of_program(db: &Connection, key: &PageKey) -> rusqlite::Result<Option<Holder>> {
    holder(db, key, "program")
}

/// The programs, oldest first.
pub fn programs(db: &Connection) -> rusqlite::Result<Vec<Program>> {
    db.prepare_cached(
        "SELECT user_id, name, made_at FROM page_keys WHERE kind = 'program' ORDER BY made_at, name",
    )?
    .query_map([], |row| {
        Ok(Program {
            user: UserId(row.get(0)?),
            name: row.get(1)?,
            made_at: row.get(2)?,
        })
    })?
    .collect()
}

/// Withdraws the keys of the programs of this name. Returns how many there were.
pub fn withdraw_program(db: &Connection, name: &str) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM page_keys WHERE kind = 'program' AND name = ?1")?
        .execute([name])
}

/// Notes that something was used that may be used once, until it would not be taken any more. Returns false if it was
/// used before.
pub fn use_once(db: &Connection, proof: &str, user: UserId, until: i64) -> rusqlite::Result<bool> {
    forget_old(db)?;
    let used = db
        .prepare_cached(
            "INSERT OR IGNORE INTO page_keys (hash, kind, user_id, name, made_at, expires_at)
             VALUES (?1, 'used', ?2, '', ?3, ?4)",
        )?
        .execute(params![hash_of(proof), user.0, now(), until])?;
    Ok(used == 1)
}

/// What a page's forms have to bring along: only a page of the same browser knows it.
pub fn form_key(login: &PageKey) -> String {
    hash_of(&format!("form:{}", login.as_str()))
}

fn make(
    db: &Connection,
    kind: &str,
    holder: &Holder,
    valid_ms: Option<i64>,
) -> rusqlite::Result<PageKey> {
    forget_old(db)?;
    let (key, now) = (PageKey::random(), now());
    db.prepare_cached(
        "INSERT INTO page_keys (hash, kind, user_id, name, made_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        hash(&key),
        kind,
        holder.user.0,
        holder.name,
        now,
        valid_ms.map(|valid| now.saturating_add(valid))
    ])?;
    Ok(key)
}

fn holder(db: &Connection, key: &PageKey, kind: &str) -> rusqlite::Result<Option<Holder>> {
    db.prepare_cached(
        "SELECT user_id, name FROM page_keys
         WHERE hash = ?1 AND kind = ?2 AND (expires_at IS NULL OR expires_at >= ?3)",
    )?
    .query_row(params![hash(key), kind, now()], holder_from)
    .optional()
}

fn holder_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<Holder> {
    Ok(Holder {
        user: UserId(row.get(0)?),
        name: row.get(1)?,
    })
}

fn forget_old(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM page_keys WHERE expires_at IS NOT NULL AND expires_at < ?1")?
        .execute([now()])?;
    Ok(())
}

fn hash(key: &PageKey) -> String {
    hash_of(key.as_str())
}

fn hash_of(text: &str) -> String {
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
