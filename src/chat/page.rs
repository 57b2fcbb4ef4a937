//! What the chat is told of something that was done on the page.

use crate::domain::button::{Button, Press};
use crate::domain::id::{ChatId, RunId, SessionId};
use crate::domain::outgoing::Outgoing;

/// Somebody wrote a prompt there. `name` is missing where nobody else can be meant; `elsewhere` is the session, if the
/// chat talks to another one now.
pub fn asked(name: Option<&str>, elsewhere: Option<&SessionId>, prompt: &str) -> Outgoing {
    let session = match elsewhere {
        Some(session) => format!(", in session {session}"),
        None => String::new(),
    };
    Outgoing::note(format!("{}{session}:", on_the_page(name))).quoting(prompt.to_owned())
}

/// Somebody pressed something there.
pub fn did(name: Option<&str>, what: &str) -> Outgoing {
    Outgoing::note(format!("{}: {what}", on_the_page(name)))
}

/// A link for one browser.
pub fn link(address: &str, minutes: i64) -> Outgoing {
    Outgoing::note(format!(
        "This link opens the page in one browser, once, within {minutes} minutes. Give it to nobody: whoever opens it \
         can do there what you can do here. /web off logs all your browsers out.\n\n{address}"
    ))
}

/// The page as a Mini App.
pub fn in_telegram(address: String) -> Outgoing {
    Outgoing::note("The page opens here in Telegram. /web off logs you out everywhere.")
        .with_button(
            "Open",
            Press::Open {
                url: address,
                in_telegram: true,
            },
        )
}

/// In a group, the way leads through the private chat.
pub fn in_private(bot: &str) -> Outgoing {
    Outgoing::note(
        "The way to the page is yours alone, so you get it in your private chat with the bot.",
    )
    .with_button(
        "Get it there",
        Press::Open {
            url: format!("https://t.me/{bot}?start=web"),
            in_telegram: false,
        },
    )
}

/// It is not served.
pub fn none() -> Outgoing {
    Outgoing::note(
        "The page is switched off. The owner of the bot switches it on with TELECODER_WEB_ADDR; docs/web.md says how.",
    )
}

/// With a button that opens the run on the page.
pub fn opening(mut message: Outgoing, url: &str, run: RunId, chat: ChatId) -> Outgoing {
    message.buttons.push(to_run(url, run, chat));
    message
}

/// As [`opening`], if the message is so long that the chat gets it in several parts.
pub fn opening_if_long(mut message: Outgoing, url: &str, run: RunId, chat: ChatId) -> Outgoing {
    message.in_one_piece = Some(Box::new(to_run(url, run, chat)));
    message
}

/// Opens a run: inside Telegram, where it can be; that is in private chats.
fn to_run(url: &str, run: RunId, chat: ChatId) -> Button {
    let in_telegram = !chat.is_group();
    let url = match in_telegram {
        true => format!("{url}/app?to=/runs/{run}"),
        false => format!("{url}/runs/{run}"),
    };
    Button {
        label: "Open".to_owned(),
        press: Press::Open { url, in_telegram },
        is_over: false,
    }
}

/// All browsers of a person are logged out, and their open links are void.
pub fn logged_out(browsers: usize) -> Outgoing {
    Outgoing::note(match browsers {
        0 => "None of your browsers is logged in to the page.".to_owned(),
        1 => "Your browser is logged out of the page.".to_owned(),
        count => format!("Your {count} browsers are logged out of the page."),
    })
}

fn on_the_page(name: Option<&str>) -> String {
    match name {
        None => "On the page".to_owned(),
        Some("") => "Somebody, on the page".to_owned(),
        Some(name) => format!("{name}, on the page"),
    }
}

/// What a button is called in the chat's record; `None` if the message below which it stands shows what came of it.
pub fn label_of(press: &Press) -> Option<&'static str> {
    Some(match press {
        Press::Stop(_) | Press::StopJob(_) | Press::StopSetup(_) => "Stop",
        Press::Fix(_) => "Fix it",
        Press::UseChecks(_) => "Use these checks",
        Press::Undo(_) => "Undo",
        Press::Redo(_) => "Take the undo back",
        Press::PushIn(..) => "Push",
        Press::Resume(_) => "Go on",
        Press::Repeat(_) => "Run it again",
        Press::Compact { .. } => "Compact",
        Press::Afresh { .. } => "In a new conversation",
        Press::RunLate(_) => "Run them now",
        Press::Cancel(_) => "Cancel",
        Press::AskWithout(_) => "Without the file",
        Press::TryNow(_) => "Try now",
        Press::SendSecrets(_) => "Send them",
        Press::PauseRoutine(_) => "Pause the routine",
        Press::DeleteRoutine(_) => "Delete the routine",
        Press::Correct(_)
        | Press::RunEdited(_)
        | Press::SendParked
        | Press::Switch(_)
        | Press::RemovePerson(_)
        | Press::Answer(..)
        | Press::SetMode(_)
        | Press::SetModel(_)
        | Press::SetEffort(_)
        | Press::LogIn
        | Press::KeepRoutine(_)
        | Press::CancelRoutine(_)
        | Press::RunRoutine(_)
        | Press::ShowRoutine(_)
        | Press::Open { .. }
        | Press::CancelLinks => return None,
    })
}
