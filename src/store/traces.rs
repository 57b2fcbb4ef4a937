//! What the database has forgotten is gone from its files too: the log of changes is written back and emptied.
//!
//! Together with `secure_delete`, which every connection that writes has on.

use std::path::Path;

use rusqlite::Connection;

use super::BUSY;

/// To be called when nobody is in the middle of something; waits for whoever is.
pub fn clear(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
