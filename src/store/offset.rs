//! Where the next getUpdates begins. Bot API: `offset`, which confirms everything below it.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::id::UpdateId;

/// `None` before the first update ever.
pub fn get(db: &Connection) -> rusqlite::Result<Option<UpdateId>> {
    db.prepare_cached("SELECT update_id FROM next_update")?
        .query_row([], |row| row.get(0).map(UpdateId))
        .optional()
}

/// Call it in the transaction that keeps the updates below it.
pub fn set(db: &Connection, next: UpdateId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO next_update (only, update_id) VALUES (1, ?1)
         ON CONFLICT (only) DO UPDATE SET update_id = excluded.update_id",
    )?
    .execute([next.0])?;
    Ok(())
}
