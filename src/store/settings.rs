//! A chat's own settings: how much it is told, when it rings, whether it queues, and what claude is started with.

use crate::domain::choices::ChatSettings;
use crate::domain::choices::Choices;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::choices::Verbosity;
use crate::domain::choices::{Effort, PermissionMode};
use crate::domain::choices::{QuietHours, Ring};
use crate::domain::id::ChatId;

pub fn choices(db: &Connection, chat: ChatId) -> rusqlite::Result<Choices> {
    let found = db
        .prepare_cached(
            "SELECT permission_mode, model, effort FROM chat_settings WHERE chat_id = ?1",
        )?
        .query_row([chat.0], |row| {
            let (mode, effort): (Option<String>, Option<String>) = (row.get(0)?, row.get(2)?);
            Ok(Choices {
                mode: mode.as_deref().and_then(PermissionMode::named),
                model: row.get(1)?,
                effort: effort.as_deref().and_then(Effort::named),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub fn set_choices(db: &Connection, chat: ChatId, choices: &Choices) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO chat_settings (chat_id, permission_mode, model, effort) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (chat_id) DO UPDATE SET permission_mode = excluded.permission_mode,
             model = excluded.model, effort = excluded.effort",
    )?
    .execute(params![
        chat.0,
        choices.mode.map(PermissionMode::name),
        choices.model,
        choices.effort.map(Effort::name),
    ])?;
    Ok(())
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
                queues: row.get(4)?,
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
        settings.queues
    ])?;
    Ok(())
}
