//! Routines, and what became of each of their moments.

use rusqlite::{Connection, OptionalExtension, Row, params};
use secrecy::{ExposeSecret, SecretString};

use super::chats::{place_from, thread_column};
use super::runs::run_id;
use super::{from_json, now, to_json};
use crate::domain::id::{ChatId, ChatThread, RoutineId, RunId, UserId};
use crate::domain::routine::{Missed, Occurrence, PausedFor, Routine, State};

/// So many moments of a routine are remembered.
const KEPT: u32 = 100;
/// How long a card can be kept.
const CARD_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Routines of one minute begin so many seconds after each other: their places in the minute lie far apart, however many
/// they are.
const STEP_S: i64 = 37;
const MINUTE_S: i64 = 60;
/// So many failures in a row pause a routine.
const FAILURES_MOST: u32 = 3;

/// For [`from_row`].
const COLUMNS: &str =
    "id, name, chat_id, thread_id, user_id, moment, zone, prompt, fresh, missed, state, paused_for,
    planned_at, made_at, filter";

/// Stores a routine that is offered: it begins nothing until it is kept.
pub fn insert(db: &Connection, routine: &Routine) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO routines (id, name, chat_id, thread_id, user_id, moment, zone, prompt, fresh, missed, filter, state, made_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'offered', ?12)",
    )?
    .execute(params![
        routine.id.0,
        routine.name,
        routine.at.chat.0,
        thread_column(routine.at),
        routine.user.map(|user| user.0),
        to_json(&routine.when)?,
        routine.zone,
        to_json(&routine.prompt)?,
        routine.is_fresh,
        routine.missed.name(),
        routine.filter,
        routine.made_at,
    ])?;
    Ok(())
}

pub fn get(db: &Connection, id: &RoutineId) -> rusqlite::Result<Option<Routine>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM routines WHERE id = ?1"))?
        .query_row([&id.0], from_row)
        .optional()
}

/// The one that is called by this name.
pub fn named(db: &Connection, name: &str) -> rusqlite::Result<Option<Routine>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM routines WHERE name = ?1"))?
        .query_row([name], from_row)
        .optional()
}

/// The secret of its calls.
pub fn secret(db: &Connection, id: &RoutineId) -> rusqlite::Result<Option<SecretString>> {
    let secret: Option<Option<String>> = db
        .prepare_cached("SELECT secret FROM routines WHERE id = ?1")?
        .query_row([&id.0], |row| row.get(0))
        .optional()?;
    Ok(secret.flatten().map(SecretString::from))
}

pub fn set_secret(db: &Connection, id: &RoutineId, secret: &SecretString) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE routines SET secret = ?2 WHERE id = ?1")?
        .execute(params![id.0, secret.expose_secret()])?;
    Ok(())
}

/// A chat's, or a topic's, in the order of their making; without those that are only offered, and without those whose
/// moment has passed.
pub fn of_place(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<Routine>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM routines WHERE chat_id = ?1 AND thread_id = ?2 AND state IN ('kept', 'paused')
         ORDER BY made_at, id"
    ))?
    .query_map(params![at.chat.0, thread_column(at)], from_row)?
    .collect()
}

/// Those of all chats, as [`of_place`].
pub fn all(db: &Connection) -> rusqlite::Result<Vec<Routine>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM routines WHERE state IN ('kept', 'paused') ORDER BY chat_id, thread_id, made_at, id"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// A routine waits for its own last run: it begins when that has ended. Asked from the few runs that are open, as a
/// routine has many that have ended.
const IS_FREE: &str =
    "id NOT IN (SELECT o.routine_id FROM runs r CROSS JOIN occurrences o ON o.run_id = r.id
    WHERE r.state = 'queued' OR r.state = 'running')";

/// Those that are due, the longest first; at most so many.
pub fn due(db: &Connection, most: u32) -> rusqlite::Result<Vec<Routine>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM routines WHERE state = 'kept' AND due_at <= ?1 AND {IS_FREE} ORDER BY due_at LIMIT ?2"
    ))?
    .query_map(params![now(), most], from_row)?
    .collect()
}

/// When the next one is due, in Unix milliseconds.
pub fn next_due(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(&format!(
        "SELECT due_at FROM routines WHERE state = 'kept' AND due_at IS NOT NULL AND {IS_FREE} ORDER BY due_at LIMIT 1"
    ))?
    .query_row([], |row| row.get(0))
    .optional()
}

/// From now on it begins at its moments; `planned_at` is the next one.
pub fn keep(db: &Connection, id: &RoutineId, planned_at: Option<i64>) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE routines SET state = 'kept', paused_for = NULL, kept_at = ?2 WHERE id = ?1",
    )?
    .execute(params![id.0, now()])?;
    plan(db, id, planned_at)
}

/// Another person answers for it.
pub fn set_user(db: &Connection, id: &RoutineId, user: Option<UserId>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE routines SET user_id = ?2 WHERE id = ?1")?
        .execute(params![id.0, user.map(|user| user.0)])?;
    Ok(())
}

/// Sets its next moment.
pub fn plan(db: &Connection, id: &RoutineId, planned_at: Option<i64>) -> rusqlite::Result<()> {
    let due_at = match planned_at {
        Some(planned_at) => Some(planned_at + place_in_minute(db, id, planned_at)?),
        None => None,
    };
    db.prepare_cached("UPDATE routines SET planned_at = ?2, due_at = ?3 WHERE id = ?1")?
        .execute(params![id.0, planned_at, due_at])?;
    Ok(())
}

/// How long after its moment it begins, in milliseconds: at once, if no other has the same minute.
fn place_in_minute(db: &Connection, id: &RoutineId, planned_at: i64) -> rusqlite::Result<i64> {
    let minute = planned_at.div_euclid(MINUTE_S * 1000) * MINUTE_S * 1000;
    let others: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM routines
             WHERE state = 'kept' AND planned_at >= ?1 AND planned_at < ?2 AND +id <> ?3",
        )?
        .query_row(params![minute, minute + MINUTE_S * 1000, id.0], |row| {
            row.get(0)
        })?;
    let place = others.wrapping_mul(STEP_S).rem_euclid(MINUTE_S) * 1000;
    // It stays within the minute.
    Ok(place.min((minute + MINUTE_S * 1000 - 1 - planned_at).max(0)))
}

pub fn pause(db: &Connection, id: &RoutineId, why: PausedFor) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE routines SET state = 'paused', paused_for = ?2, planned_at = NULL, due_at = NULL WHERE id = ?1",
    )?
    .execute(params![id.0, why.name()])?;
    Ok(())
}

/// Its only moment has passed.
pub fn end(db: &Connection, id: &RoutineId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE routines SET state = 'over', planned_at = NULL, due_at = NULL WHERE id = ?1",
    )?
    .execute([&id.0])?;
    Ok(())
}

/// Returns false if it was deleted before.
pub fn delete(db: &Connection, id: &RoutineId) -> rusqlite::Result<bool> {
    let deleted = db
        .prepare_cached("DELETE FROM routines WHERE id = ?1")?
        .execute([&id.0])?;
    Ok(deleted == 1)
}

/// Forgets cards that nobody has kept for a month, and routines that are over.
pub fn forget_old(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM routines WHERE state IN ('offered', 'over') AND made_at < ?1")?
        .execute([now() - CARD_KEPT_MS])?;
    Ok(())
}

/// Whether a run of it waits or goes on.
pub fn goes_on(db: &Connection, id: &RoutineId) -> rusqlite::Result<bool> {
    db.prepare_cached(&format!(
        "SELECT 1 FROM routines WHERE id = ?1 AND NOT ({IS_FREE})"
    ))?
    .exists([&id.0])
}

/// Whether it is noted what became of a moment.
pub fn has_begun(db: &Connection, id: &RoutineId, planned_at: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM occurrences WHERE routine_id = ?1 AND planned_at = ?2")?
        .exists(params![id.0, planned_at])
}

/// Notes that a moment has its run, or was left out. Errors if that is noted already.
pub fn begin(
    db: &Connection,
    id: &RoutineId,
    planned_at: i64,
    run: Option<RunId>,
    missed: u32,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO occurrences (routine_id, planned_at, run_id, missed) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        id.0,
        planned_at,
        run.map(|run| run.to_string()),
        missed
    ])?;
    db.prepare_cached(
        "DELETE FROM occurrences WHERE routine_id = ?1 AND planned_at <
             (SELECT planned_at FROM occurrences WHERE routine_id = ?1 ORDER BY planned_at DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![id.0, KEPT])?;
    Ok(())
}

/// The newest moment that was noted.
pub fn last_begun(db: &Connection, id: &RoutineId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT max(planned_at) FROM occurrences WHERE routine_id = ?1")?
        .query_row([&id.0], |row| row.get(0))
}

/// What came of its last moments, newest first.
pub fn occurrences(
    db: &Connection,
    id: &RoutineId,
    most: u32,
) -> rusqlite::Result<Vec<Occurrence>> {
    db.prepare_cached(
        "SELECT o.planned_at, o.run_id, r.outcome, o.missed FROM occurrences o LEFT JOIN runs r ON r.id = o.run_id
         WHERE o.routine_id = ?1 ORDER BY o.planned_at DESC LIMIT ?2",
    )?
    .query_map(params![id.0, most], |row| {
        let run: Option<String> = row.get(1)?;
        Ok(Occurrence {
            planned_at: row.get(0)?,
            run: run.map(|run| run_id(1, &run)).transpose()?,
            outcome: row.get(2)?,
            missed: row.get(3)?,
        })
    })?
    .collect()
}

/// The routine that began a run.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Option<Routine>> {
    let id: Option<String> = db
        .prepare_cached("SELECT routine_id FROM occurrences WHERE run_id = ?1")?
        .query_row([run.to_string()], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => get(db, &RoutineId(id)),
        None => Ok(None),
    }
}

/// Another run continues this one, and its end counts.
pub fn continued(db: &Connection, old: RunId, new: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE occurrences SET run_id = ?2 WHERE run_id = ?1")?
        .execute([old.to_string(), new.to_string()])?;
    Ok(())
}

/// Whether its last runs since it was kept have all failed, as many as pause it. A run that a person stopped says
/// nothing.
pub fn fails_always(db: &Connection, id: &RoutineId) -> rusqlite::Result<bool> {
    let failed: u32 = db
        .prepare_cached(
            "SELECT count(*) FROM (
                 SELECT r.outcome AS outcome FROM occurrences o JOIN runs r ON r.id = o.run_id
                 WHERE o.routine_id = ?1 AND r.state = 'ended' AND r.outcome <> 'stopped'
                   AND r.queued_at >= (SELECT kept_at FROM routines WHERE id = ?1)
                 ORDER BY o.planned_at DESC LIMIT ?2)
             WHERE outcome <> 'completed'",
        )?
        .query_row(params![id.0, FAILURES_MOST], |row| row.get(0))?;
    Ok(failed == FAILURES_MOST)
}

/// A group has another id.
pub(super) fn move_chat(db: &Connection, old: ChatId, new: ChatId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE routines SET chat_id = ?2 WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Routine> {
    let (state, paused_for): (String, Option<String>) = (row.get(10)?, row.get(11)?);
    let missed: String = row.get(9)?;
    Ok(Routine {
        id: RoutineId(row.get(0)?),
        name: row.get(1)?,
        at: place_from(row, 2)?,
        user: row.get::<_, Option<u64>>(4)?.map(UserId),
        when: from_json(5, &row.get::<_, String>(5)?)?,
        zone: row.get(6)?,
        prompt: from_json(7, &row.get::<_, String>(7)?)?,
        is_fresh: row.get(8)?,
        missed: Missed::named(&missed).unwrap_or_default(),
        state: match state.as_str() {
            "offered" => State::Offered,
            "kept" => State::Kept,
            "over" => State::Over,
            _ => State::Paused(
                PausedFor::ALL
                    .into_iter()
                    .find(|why| Some(why.name()) == paused_for.as_deref())
                    .unwrap_or(PausedFor::Wish),
            ),
        },
        planned_at: row.get(12)?,
        made_at: row.get(13)?,
        filter: row.get::<_, Option<String>>(14)?.unwrap_or_default(),
    })
}
