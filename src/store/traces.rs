//! Removes deleted content from the database's files too: the write-ahead log is written back and emptied.
//!
//! This relies on `secure_delete`, which every writing connection sets.

use std::path::Path;

use rusqlite::Connection;

use super::BUSY;

/// Call it while no transaction is open; it waits for any that is.
pub fn clear(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
