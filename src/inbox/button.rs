//! A press on a button: looked up anew, because the message may be of any age, and in a group anyone can press.

use std::borrow::Cow;

use rusqlite::Connection;

use super::{Follow, Inbox, held, resume, stop};
use crate::chat::button::Press;
use crate::id::UpdateSeq;
use crate::store::{StoreError, outbox, updates};
use crate::telegram::access::Member;
use crate::update::Button;

/// What came of a press.
pub(super) struct Pressed {
    /// What the client shows for a moment.
    pub toast: Cow<'static, str>,
    pub follow: Follow,
    /// The buttons have nothing left to do.
    pub is_over: bool,
}

impl Pressed {
    pub(super) fn over(toast: impl Into<Cow<'static, str>>) -> Pressed {
        Pressed {
            toast: toast.into(),
            follow: Follow::default(),
            is_over: true,
        }
    }

    pub(super) fn with(self, follow: Follow) -> Pressed {
        Pressed { follow, ..self }
    }

    fn buttons_stay(self) -> Pressed {
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
        let pressed = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? {
                    return Ok(Pressed::over("").buttons_stay());
                }
                outbox::reach_again(db, at.chat)?;
                act(db, &button, member)
            })
            .await?;
        self.outbox.answer_button(&query, pressed.toast);
        if pressed.is_over {
            self.outbox.remove_buttons(at.chat, message);
        }
        self.follow(at, pressed.follow);
        Ok(())
    }
}

fn act(db: &Connection, button: &Button, member: Member) -> rusqlite::Result<Pressed> {
    let chat = button.at.chat;
    match Press::parse(&button.data) {
        // The live message takes its button away itself when the run has ended.
        Some(Press::Stop(run)) => Ok(match stop::pressed(db, chat, run)? {
            Some(follow) => Pressed::over("Stopping.").with(follow).buttons_stay(),
            None => Pressed::over("This run is over."),
        }),
        Some(Press::Resume(run)) => resume::pressed(db, chat, run, resume::How::GoOn, member),
        Some(Press::Repeat(run)) => resume::pressed(db, chat, run, resume::How::Again, member),
        Some(Press::RunHeld) => held::pressed(db, chat),
        Some(Press::SendParked) => Ok(match outbox::send_parked(db, chat)? {
            0 => Pressed::over("Everything was sent already."),
            _ => Pressed::over("Sending."),
        }),
        None => Ok(Pressed::over("This button is over.")),
    }
}
