//! `/mode`, `/model`, `/effort` and their buttons: stores what claude is started with in a chat.
//!
//! `run::drive` tells a running claude.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::choices::{self as words, Defaults};
use crate::chat::toast;
use crate::command::Choose;
use crate::domain::access::{Access, Member};
use crate::domain::choices::Choices;
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::outgoing::Outgoing;
use crate::store::settings;
use crate::store::{outbox, processes, questions, runs};

/// Who chooses, and what counts where a chat has chosen nothing.
#[derive(Clone, Copy)]
pub(super) struct Chooser<'a> {
    pub member: Member,
    pub access: &'a Access,
    pub defaults: &'a Defaults,
}

enum Refused {
    OnlyOwner,
    /// claude would not start with it.
    NoBypass,
}

impl Chooser<'_> {
    /// Whether they may bring claude to this mode there, as the chat is now. A command, its buttons and the buttons of
    /// a question all ask this.
    pub fn may_choose(
        self,
        db: &Connection,
        at: ChatThread,
        after: PermissionMode,
    ) -> rusqlite::Result<bool> {
        let chosen = settings::choices(db, at.chat)?.mode;
        let before = chosen.unwrap_or(self.defaults.mode);
        Ok(self.access.may_choose(self.member, at.chat, before, after))
    }
}

/// Changes the choice, if a value is given, and replies with it.
pub(super) fn change(
    db: &Connection,
    at: ChatThread,
    choose: Choose,
    by: Chooser<'_>,
) -> rusqlite::Result<Follow> {
    let reply = match chosen(db, at, choose, by)? {
        Ok(reply) => reply,
        Err(Refused::OnlyOwner) => words::bypass_is_for_owner(),
        Err(Refused::NoBypass) => words::may_not_bypass(),
    };
    outbox::insert(db, at, &reply)?;
    Ok(Follow::wake(at))
}

/// The button's message shows the new choice.
pub(super) fn pressed(
    db: &Connection,
    at: ChatThread,
    message: MessageId,
    choose: Choose,
    by: Chooser<'_>,
) -> rusqlite::Result<Pressed> {
    let now = match chosen(db, at, choose, by)? {
        Ok(now) => now,
        Err(Refused::OnlyOwner) => return Ok(Pressed::over(toast::ONLY_OWNER).buttons_stay()),
        Err(Refused::NoBypass) => {
            outbox::insert(db, at, &words::may_not_bypass())?;
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

/// The reply, unless what the choice comes to is refused.
fn chosen(
    db: &Connection,
    at: ChatThread,
    choose: Choose,
    by: Chooser<'_>,
) -> rusqlite::Result<Result<Outgoing, Refused>> {
    let defaults = by.defaults;
    let mut now = settings::choices(db, at.chat)?;
    let before = now.clone();
    let is_running = runs::running(db, at)?.is_some();
    match choose.clone() {
        Choose::Mode(mode) => now.mode = mode.applied_to(now.mode),
        Choose::Model(model) => now.model = model.applied_to(now.model),
        Choose::Effort(effort) => now.effort = effort.applied_to(now.effort),
    }
    let mode = now.mode.unwrap_or(defaults.mode);
    if !by.may_choose(db, at, mode)? {
        return Ok(Err(Refused::OnlyOwner));
    }
    let is_mode = matches!(&choose, Choose::Mode(wanted) if wanted.is_change());
    if is_mode && now.mode == Some(PermissionMode::BypassPermissions) && !defaults.may_bypass {
        return Ok(Err(Refused::NoBypass));
    }
    if is_mode {
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
