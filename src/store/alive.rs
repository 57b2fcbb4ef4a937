//! When the bot was last at work, to within a minute: what became old since then became so while it was away.

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

/// Unix milliseconds; none before the first start.
pub fn last(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT at FROM last_alive")?
        .query_row([], |row| row.get(0))
        .optional()
}
