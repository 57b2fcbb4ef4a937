//! Attachments: files that came with messages, what became of each, and what claude gets in its place.

use rusqlite::{Connection, params};

use super::{now, to_json};
use crate::id::{AttachmentId, MessageId, PromptId};
use crate::update::File;

/// A file that a prompt waits for; [`crate::prompt::Piece::Awaited`] with its id holds its place. The prompt is there
/// already.
pub fn insert(
    db: &Connection,
    prompt: PromptId,
    _message: Option<MessageId>,
    file: &File,
) -> rusqlite::Result<AttachmentId> {
    db.prepare_cached(
        "INSERT INTO attachments (prompt_id, file, state, created_at) VALUES (?1, ?2, 'awaited', ?3)",
    )?
    .execute(params![prompt.0.to_string(), to_json(file)?, now()])?;
    Ok(AttachmentId(db.last_insert_rowid()))
}
