//! The replies to `/whoami`, `/invite` and `/people`.

use std::time::Duration;

use crate::domain::button::Press;
use crate::domain::id::{ChatId, ChatThread, UserId};
use crate::domain::outgoing::Outgoing;
use crate::redact::short::one_line;

/// How long a name on a button may be, in characters.
const NAME_SHOWN: usize = 24;
const NAME_IN_TEXT: usize = 64;
/// How many people one list has: a message has room for a hundred buttons.
const LISTED: usize = 40;

/// Why somebody may use the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Owner,
    InSettings,
    Invited,
}

/// Somebody who may use the bot, as `/people` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub user: UserId,
    /// `None` for people who were not invited: only their id is known.
    pub name: Option<String>,
    pub standing: Standing,
}

/// `/whoami`
pub fn whoami(name: &str, user: UserId, at: ChatThread, standing: Standing) -> Outgoing {
    let standing = match standing {
        Standing::Owner => "You own this bot: first on TELECODER_TG_ALLOWED_USERS.",
        Standing::InSettings => "You may use this bot: you are on TELECODER_TG_ALLOWED_USERS.",
        Standing::Invited => "You may use this bot: its owner invited you.",
    };
    let mut lines = vec![
        format!("You are {}.", one_line(name, NAME_IN_TEXT)),
        standing.to_owned(),
        format!("Your user id: {}", user.0),
    ];
    if at.chat.is_group() {
        lines.push(format!(
            "This group's id, for TELECODER_TG_ALLOWED_CHATS: {}",
            at.chat.0
        ));
    }
    if let Some(thread) = at.thread {
        lines.push(format!("This topic's id: {}", thread.0));
    }
    Outgoing::note(lines.join("\n"))
}

/// Only the owner may do this, and only in the private chat.
pub fn owner_only() -> Outgoing {
    Outgoing::note(
        "Only the owner of this bot can do that, in the private chat with it. The owner is the first on \
         TELECODER_TG_ALLOWED_USERS.",
    )
}

/// `/invite`
pub fn invitation(bot: &str, code: &str, valid_for: Duration) -> Outgoing {
    let hours = valid_for.as_secs() / 3600;
    Outgoing::note(format!(
        "Send this link to one person. The first to open it and press Start may use this bot, and so have claude do \
         anything that it may do here. The link works once, for {hours} hours.\n\n\
         https://t.me/{bot}?start={code}"
    ))
}

/// To somebody who has just used a link.
pub fn welcome() -> Outgoing {
    Outgoing::note("You may use this bot now. What you write next goes to claude; /help says more.")
        .loud()
}

/// To the owner: somebody has used a link.
pub fn joined(name: &str, user: UserId) -> Outgoing {
    Outgoing::note(format!(
        "{} (id {}) has used your link and may use this bot now. /people can undo that.",
        one_line(name, NAME_IN_TEXT),
        user.0
    ))
    .loud()
}

/// `/people`; of very many people one page, the last one if there are fewer. `links` is the number of open links.
pub fn people(listed: &[Listed], page: usize, links: usize) -> Outgoing {
    let pages = listed.len().div_ceil(LISTED).max(1);
    let page = page.clamp(1, pages);
    let shown = listed.chunks(LISTED).nth(page - 1).unwrap_or_default();
    let mut lines = vec![match pages {
        1 => "Who may use this bot:".to_owned(),
        _ => format!("Who may use this bot, page {page} of {pages}:"),
    }];
    for person in shown {
        let name = person
            .name
            .as_ref()
            .map(|name| format!("{}, ", one_line(name, NAME_IN_TEXT)))
            .unwrap_or_default();
        lines.push(format!(
            "• {name}id {}, {}",
            person.user.0,
            match person.standing {
                Standing::Owner => "the owner",
                Standing::InSettings if person.name.is_some() => {
                    "named in the settings and invited"
                }
                Standing::InSettings => "named in the settings",
                Standing::Invited => "invited",
            }
        ));
    }
    if pages > 1 {
        let next = page % pages + 1;
        lines.push(format!("/people {next} shows page {next}."));
    }
    lines.push(
        "/invite lets one more in. To remove people named in the settings, edit TELECODER_TG_ALLOWED_USERS."
            .to_owned(),
    );
    lines.extend(open_links(links));
    let invited = shown
        .iter()
        .filter(|person| person.name.is_some() && person.standing != Standing::Owner);
    let message = invited.fold(Outgoing::note(lines.join("\n")), |message, person| {
        let name = person.name.as_deref().unwrap_or_default();
        let label = format!("Remove {}", one_line(name, NAME_SHOWN));
        message.with_button(&label, Press::RemovePerson(person.user))
    });
    match links {
        0 => message,
        _ => message.with_button("Cancel open links", Press::CancelLinks),
    }
}

fn open_links(links: usize) -> Option<String> {
    match links {
        0 => None,
        1 => Some("1 link of yours is open: it lets in its first user.".to_owned()),
        many => Some(format!(
            "{many} links of yours are open: each lets in its first user."
        )),
    }
}

/// What was ended in a chat in which nobody may write any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Something was at work.
    pub stopped: bool,
    /// How many waiting prompts were dropped.
    pub dropped: usize,
}

/// Somebody was removed: what was ended, and how many open links were cancelled.
pub fn removed(name: &str, ended: Ended, links: usize) -> Outgoing {
    let Ended { stopped, dropped } = ended;
    let mut sentences = vec![format!(
        "{} may not use this bot any more.",
        one_line(name, NAME_IN_TEXT)
    )];
    if stopped {
        sentences.push("Work in their private chat is stopped.".to_owned());
    }
    match dropped {
        0 => {}
        1 => sentences.push("Their waiting prompt was dropped.".to_owned()),
        many => sentences.push(format!("Their {many} waiting prompts were dropped.")),
    }
    if links > 0 {
        sentences.push("Open links are cancelled; /invite makes a new one.".to_owned());
    }
    Outgoing::note(sentences.join(" "))
}

/// Somebody was removed, but the settings name them too.
pub fn removed_and_listed(name: &str) -> Outgoing {
    Outgoing::note(format!(
        "{} is no longer invited, but may still use this bot: the settings name them. Take the id out of \
         TELECODER_TG_ALLOWED_USERS and restart telecoder.",
        one_line(name, NAME_IN_TEXT)
    ))
}

/// To the owner at a start: what was ended in chats in which nobody may write any more.
pub fn ended_at_start(chats: &[(ChatId, Ended)]) -> Outgoing {
    let mut lines = vec![
        "Since this start these may not use this bot any more, and what was left of them is ended:"
            .to_owned(),
    ];
    for (chat, ended) in chats {
        let who = match chat.is_group() {
            true => format!("the group {}", chat.0),
            false => format!("the person with the id {}", chat.0),
        };
        let stopped = ended
            .stopped
            .then(|| "what was running is stopped".to_owned());
        let dropped = match ended.dropped {
            0 => None,
            1 => Some("1 waiting prompt is dropped".to_owned()),
            many => Some(format!("{many} waiting prompts are dropped")),
        };
        let what: Vec<String> = stopped.into_iter().chain(dropped).collect();
        lines.push(format!("• {who}: {}", what.join(", ")));
    }
    lines.push("The workspaces are kept; they are told nothing.".to_owned());
    Outgoing::note(lines.join("\n")).loud()
}

/// To the owner at a start: people who were taken out of the settings, and are invited.
pub fn invited_still(people: &[(String, UserId)]) -> Outgoing {
    let mut lines = vec![
        "Taken out of TELECODER_TG_ALLOWED_USERS, but may still use this bot, because you have invited them:"
            .to_owned(),
    ];
    lines.extend(people.iter().map(line_of));
    lines.push("/people has a button that removes them.".to_owned());
    Outgoing::note(lines.join("\n")).loud()
}

/// To the owner at the first start with a restored backup.
pub fn invited_in_backup(people: &[(String, UserId)]) -> Outgoing {
    let mut lines = vec![
        "This is a backup that was restored. By invitation, as then, these may use this bot:"
            .to_owned(),
    ];
    lines.extend(people.iter().map(line_of));
    lines.push(
        "Whoever you have removed since is among them again; /people removes them. Links that were open then let \
         nobody in."
            .to_owned(),
    );
    Outgoing::note(lines.join("\n")).loud()
}

fn line_of((name, user): &(String, UserId)) -> String {
    format!("• {} (id {})", one_line(name, NAME_IN_TEXT), user.0)
}
