//! The login that the owner is offered: at most one, and its state.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::id::MessageId;

/// The login's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is a button for it.
    Offered,
    /// The button was pressed.
    Wanted,
    /// claude waits for the code.
    Asking,
}

impl State {
    const ALL: [State; 3] = [State::Offered, State::Wanted, State::Asking];

    fn name(self) -> &'static str {
        match self {
            State::Offered => "offered",
            State::Wanted => "wanted",
            State::Asking => "asking",
        }
    }
}

/// Offers a login by a button, unless one is offered already. Returns whether to tell the owner: not if another chat
/// already waits for a login. Call it after the hold is set.
pub fn offer(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("INSERT OR IGNORE INTO login (only, state) VALUES (1, 'offered')")?
        .execute([])?;
    db.prepare_cached("SELECT count(*) <= 1 FROM holds WHERE why = 'login'")?
        .query_row([], |row| row.get(0))
}

/// The login's state; `None` if claude is logged in, as far as known.
pub fn state(db: &Connection) -> rusqlite::Result<Option<State>> {
    let name: Option<String> = db
        .prepare_cached("SELECT state FROM login")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(name.and_then(|name| State::ALL.into_iter().find(|state| state.name() == name)))
}

pub fn set(db: &Connection, state: State) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE login SET state = ?1")?
        .execute([state.name()])?;
    Ok(())
}

/// claude waits for the code that this outbox row asks for.
pub fn set_asking(db: &Connection, row: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE login SET state = 'asking', asks_in = ?1")?
        .execute([row])?;
    Ok(())
}

/// Whether this message of the owner's chat is, or was, the one that asks for the code.
pub fn is_question(db: &Connection, message: MessageId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM login l JOIN sent_parts s ON s.outbox_id = l.asks_in WHERE s.message_id = ?1",
    )?
    .exists(params![message.0])
}

/// Removes the login.
pub fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM login")?.execute([])?;
    Ok(())
}
