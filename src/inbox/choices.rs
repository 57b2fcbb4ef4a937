//! `/mode`, `/model`, `/effort` and their buttons: stores what claude is started with in a chat.
//!
//! `run::drive` tells a running claude.

use crate::domain::choices::Wanted;
use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::choices::{self as words, Defaults};
use crate::chat::toast;
use crate::command::Choose;
use crate::domain::choices::Choices;
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::outgoing::Outgoing;
use crate::store::settings;
use crate::store::{outbox, processes, questions, runs};

/// In a group, only the owner may choose bypassPermissions: then claude asks nobody there.
pub(super) fn is_for_owner(at: ChatThread, choose: &Choose) -> bool {
    let asks_nobody = [PermissionMode::BypassPermissions, PermissionMode::Auto];
    at.chat.is_group()
        && matches!(choose, Choose::Mode(Wanted::Set(mode)) if asks_nobody.contains(mode))
}

/// Changes the choice, if a value is given, and replies with it.
pub(super) fn change(
    db: &Connection,
    at: ChatThread,
    choose: Choose,
    defaults: &Defaults,
) -> rusqlite::Result<Follow> {
    let reply = chosen(db, at, choose, defaults)?;
    outbox::insert(db, at, &reply.unwrap_or_else(|refusal| refusal))?;
    Ok(Follow::wake(at))
}

/// The button's message shows the new choice.
pub(super) fn pressed(
    db: &Connection,
    at: ChatThread,
    message: MessageId,
    choose: Choose,
    defaults: &Defaults,
) -> rusqlite::Result<Pressed> {
    let now = match chosen(db, at, choose, defaults)? {
        Ok(now) => now,
        Err(refusal) => {
            outbox::insert(db, at, &refusal)?;
            return Ok(Pressed::over(toast::NOT_SET).buttons_stay());
        }
    };
    match outbox::row_of(db, at.chat, message)? {
        Some(row) => outbox::insert_edit(db, at, &now.urgent(), row)?,
        None => outbox::insert(db, at, &now)?,
    }
    Ok(Pressed::over(toast::CHOICE_SET)
        .with(Follow::wake(at))
        .buttons_stay())
}

/// The reply; `Err` has the refusal.
fn chosen(
    db: &Connection,
    at: ChatThread,
    choose: Choose,
    defaults: &Defaults,
) -> rusqlite::Result<Result<Outgoing, Outgoing>> {
    let mut now = settings::choices(db, at.chat)?;
    let before = now.clone();
    let is_running = runs::running(db, at)?.is_some();
    let wants_bypass = choose == Choose::Mode(Wanted::Set(PermissionMode::BypassPermissions));
    if wants_bypass && !defaults.may_bypass {
        return Ok(Err(words::may_not_bypass()));
    }
    match choose.clone() {
        Choose::Mode(mode) => now.mode = mode.applied_to(now.mode),
        Choose::Model(model) => now.model = model.applied_to(now.model),
        Choose::Effort(effort) => now.effort = effort.applied_to(now.effort),
    }
    if matches!(&choose, Choose::Mode(mode) if mode.is_change()) {
        questions::forget_granted_modes(db, at.chat)?;
    }
    if now != before {
        settings::set_choices(db, at.chat, &now)?;
        // The next run would begin anew anyway.
        processes::request_stop_of_warm_in(db, at.chat)?;
    }
    Ok(Ok(said(&choose, &now, defaults, is_running)))
}

fn said(choose: &Choose, now: &Choices, defaults: &Defaults, is_running: bool) -> Outgoing {
    match choose {
        Choose::Mode(wanted) => words::mode(now.mode, defaults, is_running && wanted.is_change()),
        Choose::Model(wanted) => words::model(
            now.model.as_deref(),
            defaults,
            is_running && wanted.is_change(),
        ),
        Choose::Effort(wanted) => words::effort(now.effort, is_running && wanted.is_change()),
    }
}
