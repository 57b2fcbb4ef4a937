//! What a chat has set for itself: how much it is told, when it rings, and what becomes of what is written meanwhile.

use rusqlite::{Connection, OptionalExtension, params};

use crate::chat::live::Verbosity;
use crate::chat::ring::{QuietHours, Ring};
use crate::id::ChatId;

/// The settings of a chat, its topics included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatSettings {
    pub verbosity: Verbosity,
    pub ring: Ring,
    /// What is written while a run goes on waits for its end.
    pub holds_back: bool,
}

pub fn get(db: &Connection, chat: ChatId) -> rusqlite::Result<ChatSettings> {
    let found = db
        .prepare_cached(
            "SELECT verbosity, quiet_from, quiet_to, ring_after_s, holds_back FROM chat_settings WHERE chat_id = ?1",
        )?
        .query_row([chat.0], |row| {
            let quiet: (Option<u16>, Option<u16>) = (row.get(1)?, row.get(2)?);
            Ok(ChatSettings {
                verbosity: Verbosity::numbered(row.get(0)?).unwrap_or_default(),
                ring: Ring {
                    quiet: match quiet {
                        (Some(from), Some(to)) => Some(QuietHours { from, to }),
                        _ => None,
                    },
                    after_s: row.get(3)?,
                },
                holds_back: row.get(4)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub fn set(db: &Connection, chat: ChatId, settings: ChatSettings) -> rusqlite::Result<()> {
    let quiet = settings.ring.quiet;
    db.prepare_cached(
        "INSERT INTO chat_settings (chat_id, verbosity, quiet_from, quiet_to, ring_after_s, holds_back)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (chat_id) DO UPDATE SET verbosity = excluded.verbosity,
             quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
             ring_after_s = excluded.ring_after_s, holds_back = excluded.holds_back",
    )?
    .execute(params![
        chat.0,
        settings.verbosity.number(),
        quiet.map(|quiet| quiet.from),
        quiet.map(|quiet| quiet.to),
        settings.ring.after_s,
        settings.holds_back
    ])?;
    Ok(())
}
