//! The login from the owner's phone: its button, and the reply with the code.

use rusqlite::Connection;
use secrecy::SecretString;

use super::button::Pressed;
use super::{Follow, Inbox};
use crate::chat::toast;
use crate::domain::access::{Access, Member};
use crate::domain::id::{ChatId, UpdateSeq};
use crate::domain::update::{Content, Message};
use crate::store::logins::{self, State};
use crate::store::{StoreError, updates};

/// Shorter than any code.
const SHORTEST_CODE: usize = 24;

/// "Log in": works only in the owner's private chat.
pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    member: Member,
    access: &Access,
) -> rusqlite::Result<Pressed> {
    if !access.is_owner_alone(member, chat) {
        return Ok(Pressed::over(toast::ONLY_OWNER).buttons_stay());
    }
    match logins::state(db)? {
        None => return Ok(Pressed::over(toast::NO_LOGIN_NEEDED)),
        Some(State::Asking) => {
            return Ok(Pressed::over(toast::LOGIN_UNDER_WAY).buttons_stay());
        }
        Some(State::Offered | State::Wanted) => logins::set(db, State::Wanted)?,
    }
    Ok(Pressed::over(toast::LOGGING_IN).with(Follow {
        log_in: true,
        ..Follow::default()
    }))
}

impl Inbox {
    /// Takes a message that is the code of a login: it goes to claude's terminal and nowhere else. Returns whether it
    /// was one.
    ///
    /// A code is any reply to the message that asks for it, and, while a login is offered, any text that looks like
    /// one: it may reply to a copy of that message, or to none.
    pub(super) async fn take_login_code(
        &self,
        seq: UpdateSeq,
        member: Member,
        message: &Message,
    ) -> Result<bool, StoreError> {
        if message.content != Content::Text {
            return Ok(false);
        }
        let text = &message.text;
        let may_be = message.answers().is_some() || looks_like_a_code(&text.text);
        if !may_be || !self.access.is_owner_alone(member, message.at.chat) {
            return Ok(false);
        }
        let replies_to = message.answers();
        let looks_like_one = looks_like_a_code(&text.text);
        let is_code = self
            .store
            .transaction(move |db| {
                let is_reply = match replies_to {
                    Some(message) => logins::is_question(db, message)?,
                    None => false,
                };
                let is_code = is_reply || (looks_like_one && logins::state(db)?.is_some());
                if is_code {
                    // This also forgets the stored text.
                    updates::mark_done(db, seq)?;
                }
                Ok(is_code)
            })
            .await?;
        if is_code {
            self.outbox.delete(message.at.chat, message.id);
            self.login.give(SecretString::from(text.text.clone()));
        }
        Ok(is_code)
    }
}

/// `code#state`, as the page behind the link gives it.
fn looks_like_a_code(text: &str) -> bool {
    let text = text.trim();
    let is_code = |part: &str| {
        part.len() >= SHORTEST_CODE / 2
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() >= SHORTEST_CODE
        && text
            .split_once('#')
            .is_some_and(|(code, state)| is_code(code) && is_code(state))
}
