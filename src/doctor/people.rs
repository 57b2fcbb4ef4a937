//! The people who may use the bot, by name if Telegram tells it, and whether the bot is in its groups.

use futures::future::join_all;

use super::Ground;
use super::report::{Check, Finding, counted};
use super::telegram::CALL;
use crate::domain::id::{ChatId, UserId};
use crate::telegram::api::{Api, ApiError};
use crate::telegram::ask::{self, Me};
use crate::telegram::error::About;

/// At most this many are asked for by name; the others are shown by id.
const ASKED_FOR: usize = 20;

/// `me` is `None` if Telegram refuses the token.
pub(super) async fn look(api: &Api, ground: &Ground, me: Option<&Me>) -> Vec<Finding> {
    let Some(me) = me else {
        return without_telegram(ground);
    };
    let known = &ground.known;
    let names = known.users.iter().enumerate().map(async |(place, user)| {
        let id = user.0;
        match place < ASKED_FOR {
            true => match ask::person(api, *user, CALL).await {
                Ok(chat) => format!("{} ({id})", chat.name()),
                Err(error) if error.is_about(About::Chat) => {
                    format!("{id} (has not written to the bot yet)")
                }
                Err(_) => id.to_string(),
            },
            false => id.to_string(),
        }
    });
    let groups = known.chats.iter().map(|group| membership(api, *group, me));
    let owner = known.users.first().copied();
    let hidden = known.chats.iter().map(|group| hidden(api, *group, owner));
    let (names, groups, hidden) = tokio::join!(join_all(names), join_all(groups), join_all(hidden));
    let mut findings = vec![allowed(&names, ground)];
    findings.extend(groups);
    findings.extend(hidden.into_iter().flatten());
    if !known.chats.is_empty() {
        findings.push(privacy(me));
    }
    findings
}

/// The findings without Telegram.
pub(super) fn without_telegram(ground: &Ground) -> Vec<Finding> {
    let users = ground.known.users.iter();
    let names: Vec<String> = users.map(|user| user.0.to_string()).collect();
    vec![allowed(&names, ground)]
}

fn allowed(names: &[String], ground: &Ground) -> Finding {
    if names.is_empty() && !ground.sources.unreadable().is_empty() {
        return Check::People.remark("not known: a settings file cannot be read");
    }
    if names.is_empty() {
        return Check::People.broken(
            "nobody may use the bot: TELECODER_TG_ALLOWED_USERS is empty",
            "telecoder init makes you the owner; /invite in the chat lets others in",
        );
    }
    let count = counted(names.len(), "person", "people");
    Check::People.good(format!("{count} may use the bot: {}", names.join(", ")))
}

async fn membership(api: &Api, group: ChatId, me: &Me) -> Finding {
    let (chat, is_member) = tokio::join!(
        ask::group(api, group, CALL),
        ask::is_member(api, group, me, CALL)
    );
    let name = match chat {
        Ok(chat) => format!("{} ({})", chat.name(), group.0),
        Err(_) => group.0.to_string(),
    };
    const REMEDY: &str =
        "Add the bot to the group, or take the group out of TELECODER_TG_ALLOWED_CHATS";
    match is_member {
        Ok(false) => {
            Check::Groups.warning(format!("{name}: the bot is not in it any more"), REMEDY)
        }
        Ok(true) => Check::Groups.good(format!("{name}: the bot is in it")),
        Err(ApiError::Migrated(new)) => Check::Groups.warning(
            format!("{name}: it has become a supergroup with another id"),
            format!("Put {} into TELECODER_TG_ALLOWED_CHATS instead", new.0),
        ),
        Err(ApiError::Refused { description, .. }) => Check::Groups.warning(
            format!("{name}: the bot is not in it ({description})"),
            REMEDY,
        ),
        Err(error) => Check::Groups.remark(format!("{name}: not known ({error})")),
    }
}

/// An owner whom a group's messages do not name is not heard there.
async fn hidden(api: &Api, group: ChatId, owner: Option<UserId>) -> Option<Finding> {
    let is_hidden = ask::is_anonymous(api, group, owner?, CALL).await;
    is_hidden.unwrap_or(false).then(|| {
        Check::Groups.warning(
            format!(
                "{}: the owner writes there as the group, and nobody can know who it is, so the bot does not hear them",
                group.0
            ),
            "Switch off \"Remain anonymous\" in the owner's rights as an admin of the group",
        )
    })
}

/// Bot API: `can_read_all_group_messages`.
fn privacy(me: &Me) -> Finding {
    Check::Groups.remark(match me.can_read_all_group_messages {
        true => {
            "privacy mode is off: the bot sees every message in its groups (@BotFather: /setprivacy)"
        }
        false => {
            "privacy mode is on: in groups the bot sees commands, messages that mention it and replies to it \
             (@BotFather: /setprivacy)"
        }
    })
}
