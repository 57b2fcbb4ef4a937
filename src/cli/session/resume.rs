//! `session resume`: switches a chat to a session, as `/resume` does.

use anyhow::bail;

use super::beside::Beside;
use crate::cli::Misused;
use crate::domain::id::{ChatId, ChatThread};
use crate::inbox::shell::{self, Resumed};

pub(super) fn resume(
    beside: &mut Beside,
    name: &str,
    chat: Option<ChatThread>,
) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    let at = match chat {
        Some(chat) => chat,
        None if session.at.chat == ChatId::SHELL => bail!(Misused(format!(
            "session {name} belongs to no chat yet, and nothing was changed; name one with --chat, or write /resume \
             {name} in it"
        ))),
        None => session.at,
    };
    match beside.write(|db| Ok(shell::resume(db, &session, at)?))? {
        Resumed::Done => print_line!("Chat {at} is now in session {name}, and was told."),
        Resumed::Already => print_line!("Chat {at} is in session {name} already."),
        Resumed::NotReady => {
            bail!("session {name} has no workspace to work in; nothing was changed")
        }
        Resumed::Elsewhere => bail!(
            "session {name} belongs to another chat, where somebody may be using it; nothing was changed"
        ),
        Resumed::Busy => bail!(
            "something is running in chat {at}, which follows one run at a time; nothing was changed"
        ),
    }
    Ok(())
}
