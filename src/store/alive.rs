//! When the bot last ran, to within a minute: prompts that became late since then did so in its absence.

use rusqlite::{Connection, OptionalExtension};

use super::now;

pub fn note(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO last_alive (only, at) VALUES (1, ?1)
         ON CONFLICT (only) DO UPDATE SET at = excluded.at",
    )?
    .execute([now()])?;
    Ok(())
}

/// Unix milliseconds; `None` before the first start.
pub fn last(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT at FROM last_alive")?
        .query_row([], |row| row.get(0))
        .optional()
}
