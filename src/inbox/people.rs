//! `/whoami`, `/invite`, `/people`, and the link that lets somebody in.
//!
//! A stranger has one way in: `/start` with a code that the owner has given away. A wrong code gets no reply; after
//! five wrong codes a person is ignored for an hour.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::button::Pressed;
use super::{Follow, removal};
use crate::chat::people::{self as words, Listed, Standing};
use crate::chat::toast;
use crate::domain::access::{Access, Member};
use crate::domain::id::{ChatId, ChatThread, InviteCode, UserId};
use crate::domain::update::{Content, Incoming, Message};
use crate::store::{closed, invites, now, outbox, people};

/// How long a link is valid.
const INVITE_VALID_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// A person may send so many wrong codes in so long.
const TRIES: u32 = 5;
const TRIES_FORGOTTEN: Duration = Duration::from_secs(60 * 60);
/// For how many strangers wrong codes are counted.
const REMEMBERED: usize = 1_000;

/// Wrong codes, by their sender.
#[derive(Default)]
pub struct WrongCodes(BTreeMap<UserId, (u32, Instant)>);

impl WrongCodes {
    /// Whether this person may try one more code.
    pub(super) fn may_try(&mut self, user: UserId, now: Instant) -> bool {
        self.0
            .retain(|_, (_, last)| now.duration_since(*last) < TRIES_FORGOTTEN);
        self.0.get(&user).is_none_or(|(tries, _)| *tries < TRIES)
    }

    pub(super) fn was_wrong(&mut self, user: UserId, now: Instant) {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&user) {
            // Nobody can guess 128 bits; that many strangers shut nobody out.
            let oldest = self.0.iter().min_by_key(|(_, (_, last))| *last);
            if let Some(oldest) = oldest.map(|(user, _)| *user) {
                self.0.remove(&oldest);
            }
        }
        let (tries, last) = self.0.entry(user).or_insert((0, now));
        (*tries, *last) = (*tries + 1, now);
    }
}

/// The code in a stranger's `/start`, which counts in a private chat only.
pub(super) fn code_of(incoming: &Incoming) -> Option<(&Message, UserId, InviteCode)> {
    let Incoming::Message(message) = incoming else {
        return None;
    };
    if message.content != Content::Text {
        return None;
    }
    let code = InviteCode::parse(message.text.text.strip_prefix("/start ")?.trim())?;
    let user = message.sender.filter(|_| !message.at.chat.is_group())?;
    Some((message, user, code))
}

/// Lets somebody in if the code is valid; returns whether it is.
pub(super) fn join(
    db: &Connection,
    owner: Option<ChatThread>,
    at: ChatThread,
    user: UserId,
    name: &str,
    code: &InviteCode,
) -> rusqlite::Result<bool> {
    let Some(owner) = owner else {
        return Ok(false);
    };
    // A former owner's codes are void.
    let Some(invited_by) = invites::take(db, code)?.filter(|by| private_chat(*by) == owner) else {
        return Ok(false);
    };
    people::insert(db, user, name, invited_by)?;
    closed::open(db, at.chat)?;
    outbox::insert(db, at, &words::welcome())?;
    outbox::insert(db, owner, &words::joined(name, user))?;
    Ok(true)
}

/// `/whoami`
pub(super) fn whoami(
    db: &Connection,
    at: ChatThread,
    user: UserId,
    name: &str,
    access: &Access,
) -> rusqlite::Result<Follow> {
    outbox::insert(
        db,
        at,
        &words::whoami(name, user, at, standing(access, user)),
    )?;
    Ok(Follow::default())
}

/// `/invite`
pub(super) fn invite(
    db: &Connection,
    at: ChatThread,
    owner: UserId,
    bot: &str,
) -> rusqlite::Result<Follow> {
    let code = InviteCode::random();
    let holds = i64::try_from(INVITE_VALID_FOR.as_millis()).unwrap_or(i64::MAX);
    invites::insert(db, &code, owner, now().saturating_add(holds))?;
    outbox::insert(
        db,
        at,
        &words::invitation(bot, code.as_str(), INVITE_VALID_FOR),
    )?;
    Ok(Follow::default())
}

/// `/people`, a page of the list.
pub(super) fn list(
    db: &Connection,
    at: ChatThread,
    access: &Access,
    page: usize,
) -> rusqlite::Result<Follow> {
    let invited = people::all(db)?;
    let name_of = |user| {
        let person = invited.iter().find(|person| person.user == user);
        person.map(|person| person.name.clone())
    };
    let named = access.users().map(|user| Listed {
        user,
        name: name_of(user),
        standing: standing(access, user),
    });
    let unnamed = invited.iter().filter(|person| !access.lists(person.user));
    let unnamed = unnamed.map(|person| Listed {
        user: person.user,
        name: Some(person.name.clone()),
        standing: Standing::Invited,
    });
    let listed: Vec<Listed> = named.chain(unnamed).collect();
    outbox::insert(db, at, &words::people(&listed, page, invites::count(db)?))?;
    Ok(Follow::default())
}

/// "Cancel open links": they let nobody in any more.
pub(super) fn cancel_links_pressed(
    db: &Connection,
    chat: ChatId,
    member: Member,
    access: &Access,
) -> rusqlite::Result<Pressed> {
    if !access.is_owner_alone(member, chat) {
        return Ok(Pressed::over(toast::ONLY_OWNER).buttons_stay());
    }
    Ok(match invites::cancel_all(db)? {
        0 => Pressed::over(toast::NO_EFFECT).buttons_stay(),
        _ => Pressed::over(toast::LINKS_CANCELLED).buttons_stay(),
    })
}

/// "Remove": the person's work in their private chat ends with them. In groups, whose work is everybody's, it
/// continues, but none of their prompts begins.
pub(super) fn remove_pressed(
    db: &Connection,
    at: ChatThread,
    member: Member,
    access: &Access,
    user: UserId,
) -> rusqlite::Result<Pressed> {
    if !access.is_owner_alone(member, at.chat) {
        return Ok(Pressed::over(toast::ONLY_OWNER).buttons_stay());
    }
    let Some(name) = people::remove(db, user)? else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    if access.lists(user) {
        outbox::insert(db, at, &words::removed_and_listed(&name))?;
        return Ok(Pressed::over(toast::REMOVED));
    }
    let mut theirs = removal::close(db, private_chat(user).chat)?;
    let elsewhere = removal::drop_work_of_strangers(db, access)?;
    theirs.ended.dropped += elsewhere.len();
    // They may know an open link.
    let links = invites::cancel_all(db)?;
    outbox::insert(db, at, &words::removed(&name, theirs.ended, links))?;
    Ok(Pressed::over(toast::REMOVED).with(Follow {
        stop: theirs.places,
        tell_workers: elsewhere.into_iter().map(|(_, at)| at).collect(),
        menus_changed: true,
        ..Follow::default()
    }))
}

pub(super) fn private_chat(user: UserId) -> ChatThread {
    ChatThread {
        chat: ChatId(i64::try_from(user.0).unwrap_or(0)),
        thread: None,
    }
}

fn standing(access: &Access, user: UserId) -> Standing {
    match (access.is_owner(user), access.lists(user)) {
        (true, _) => Standing::Owner,
        (false, true) => Standing::InSettings,
        (false, false) => Standing::Invited,
    }
}
