//! A press on a button: looked up anew, because the message may be of any age, and in a group anyone can press.

use std::path::Path;

use fail::fail_point;
use rusqlite::Connection;

use super::choices::Chooser;
use super::edit::Wish;
use super::question::{self, Answerer};
use super::routine::Presser;
use super::{
    Follow, Inbox, checks, choices, edit, files, hold, job, login, people, queue, resume, routine,
    stop, switch, without_files,
};
use crate::chat::choices::Defaults;
use crate::chat::toast;
use crate::command::Choose;
use crate::domain::access::{Access, Member};
use crate::domain::button::Press;
use crate::domain::id::{ChatThread, UpdateSeq};
use crate::domain::live::LiveOf;
use crate::domain::update::Button;
use crate::inbox::late;
use crate::run::again::How;
use crate::store::{StoreError, closed, migrated, parked, updates};

/// What came of a press.
pub(super) struct Pressed {
    /// What the client shows for a moment.
    pub toast: &'static str,
    pub follow: Follow,
    /// The buttons have nothing left to do.
    pub is_over: bool,
    /// All buttons go, however many there are.
    pub all_go: bool,
}

impl Pressed {
    pub(super) fn over(toast: &'static str) -> Pressed {
        Pressed {
            toast,
            follow: Follow::default(),
            is_over: true,
            all_go: false,
        }
    }

    pub(super) fn with(self, follow: Follow) -> Pressed {
        Pressed { follow, ..self }
    }

    pub(super) fn with_all_buttons(self) -> Pressed {
        Pressed {
            all_go: true,
            ..self
        }
    }

    pub(super) fn buttons_stay(self) -> Pressed {
        Pressed {
            is_over: false,
            ..self
        }
    }
}

impl Inbox {
    pub(super) async fn button(
        &self,
        seq: UpdateSeq,
        member: Member,
        button: Button,
    ) -> Result<(), StoreError> {
        let (at, message, query) = (button.at, button.message, button.query.clone());
        let buttons = button.buttons;
        let live = Press::parse(&button.data).and_then(|press| LiveOf::stopped_by(&press));
        let (access, defaults) = (self.access.clone(), self.defaults.clone());
        let (workspaces, page) = (self.workspaces.clone(), self.page.url());
        let pressed = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? {
                    return Ok(Pressed::over("").buttons_stay());
                }
                if closed::is_closed(db, at.chat)? {
                    return Ok(Pressed::over("").buttons_stay());
                }
                parked::reach_again(db, at.chat)?;
                let around = Around {
                    access: &access,
                    defaults: &defaults,
                    workspaces: &workspaces,
                    page: page.as_deref(),
                };
                act(db, &button, member, around)
            })
            .await?;
        fail_point!("button-done", |_| std::process::abort());
        self.outbox.answer_button(at.chat, &query, pressed.toast);
        if let Some(of) = live {
            self.outbox.live_pressed(at, of, message);
        }
        // Several buttons stay: another one may still be of use.
        if pressed.is_over && (pressed.all_go || buttons <= 1) {
            self.outbox.remove_buttons(at.chat, message);
        }
        self.follow(at, pressed.follow);
        Ok(())
    }
}

/// What the effects of presses need to know.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub access: &'a Access,
    pub defaults: &'a Defaults,
    pub workspaces: &'a Path,
    /// Where the page is; `None` while it is not served.
    pub page: Option<&'a str>,
}

pub(super) fn act(
    db: &Connection,
    button: &Button,
    member: Member,
    around: Around<'_>,
) -> rusqlite::Result<Pressed> {
    let Around {
        access, defaults, ..
    } = around;
    // The message may be of the group before it moved.
    let chat = migrated::moved_to(db, button.at.chat)?.unwrap_or(button.at.chat);
    let at = ChatThread { chat, ..button.at };
    let choose = |wish: Choose| {
        let by = Chooser {
            member,
            access,
            defaults,
        };
        choices::pressed(db, at, button.message, wish, by)
    };
    let presser = Presser {
        user: member.user(),
        access,
        workspaces: around.workspaces,
        page: around.page,
    };
    let wish = |id, wish| routine::pressed(db, at, &id, wish, presser);
    match Press::parse(&button.data) {
        Some(Press::KeepRoutine(id)) => wish(id, routine::Wish::Keep),
        Some(Press::CancelRoutine(id) | Press::DeleteRoutine(id)) => {
            wish(id, routine::Wish::Delete)
        }
        Some(Press::PauseRoutine(id)) => wish(id, routine::Wish::Pause),
        Some(Press::RunRoutine(id)) => wish(id, routine::Wish::Run),
        Some(Press::ShowRoutine(id)) => wish(id, routine::Wish::Show),
        Some(Press::Answer(id, pick)) => {
            let by = Answerer {
                member,
                name: &button.sender_name,
                access,
                defaults,
            };
            question::pressed(db, chat, button.message, (&id, pick), by)
        }
        Some(Press::SetMode(mode)) => choose(Choose::Mode(mode.into())),
        Some(Press::SetModel(model)) => choose(Choose::Model(model.into())),
        Some(Press::SetEffort(effort)) => choose(Choose::Effort(effort.into())),
        // The live message takes its button away itself when the run has ended.
        Some(Press::Stop(run)) => Ok(match stop::pressed(db, chat, run)? {
            Some(follow) => Pressed::over(toast::STOPPING).with(follow).buttons_stay(),
            None => Pressed::over(toast::RUN_IS_OVER),
        }),
        Some(Press::AskWithout(run)) => without_files::pressed(db, chat, run),
        Some(Press::Resume(run)) => resume::pressed(db, chat, run, How::GoOn, member),
        Some(Press::Repeat(run)) => resume::pressed(db, chat, run, How::Again, member),
        Some(Press::Compact { run, begun }) => {
            resume::pressed(db, chat, run, How::Compacted { begun }, member)
        }
        Some(Press::Afresh { run, begun }) => {
            resume::pressed(db, chat, run, How::Afresh { begun }, member)
        }
        Some(Press::RunLate(thread)) => late::pressed(db, ChatThread { chat, thread }),
        Some(Press::TryNow(thread)) => hold::try_pressed(db, ChatThread { chat, thread }),
        Some(Press::LogIn) => login::pressed(db, chat, member, access),
        Some(Press::StopJob(id)) => job::stop_pressed(db, chat, id),
        Some(Press::StopSetup(session)) => Ok(match stop::setup_pressed(db, chat, &session)? {
            Some(follow) => Pressed::over(toast::STOPPING).with(follow).buttons_stay(),
            None => Pressed::over(toast::JOB_IS_OVER),
        }),
        Some(Press::Fix(id)) => job::fix_pressed(db, chat, id, button.message),
        Some(Press::UseChecks(session)) => checks::use_pressed(db, chat, &session),
        Some(Press::PushIn(session, folder)) => job::push_pressed(db, chat, &session, folder),
        Some(Press::Undo(run)) => job::undo_pressed(db, chat, run),
        Some(Press::Redo(run)) => job::redo_pressed(db, chat, run),
        Some(Press::SendSecrets(job)) => files::secrets_pressed(db, chat, job, button.message),
        Some(Press::Cancel(run)) => queue::cancel_pressed(db, chat, run),
        Some(Press::Correct(prompt)) => {
            edit::pressed(db, chat, prompt, Wish::Correct, (member, access))
        }
        Some(Press::RunEdited(prompt)) => {
            edit::pressed(db, chat, prompt, Wish::RunAgain, (member, access))
        }
        Some(Press::SendParked) => Ok(match parked::send_parked(db, chat)? {
            0 => Pressed::over(toast::NOTHING_TO_SEND),
            _ => Pressed::over(toast::SENDING),
        }),
        Some(Press::Switch(session)) => {
            switch::pressed(db, at, &session, access.is_owner_alone(member, chat))
        }
        Some(Press::CancelLinks) => people::cancel_links_pressed(db, chat, member, access),
        Some(Press::RemovePerson(user)) => people::remove_pressed(db, at, member, access, user),
        Some(Press::Open { .. }) | None => Ok(Pressed::over(toast::NO_EFFECT)),
    }
}
