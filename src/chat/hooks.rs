//! The sentences about routines that a call from another program begins.

use crate::domain::button::Press;
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Outgoing;
use crate::domain::routine::{NoHook, Routine};
use crate::redact::short::one_line;

const FORM: &str = "\
    /hook add name prompt\n\n\
    The address of the call ends with the name. Before it may stand: fresh (each time in a new session), and what the \
    call's JSON must say, such as action=opened or ref!=refs/heads/main. The call's body goes to claude as a file, never \
    as words of the prompt.";

/// `/hook`
pub fn how() -> Outgoing {
    Outgoing::note(format!(
        "A call from another program (GitHub, GitLab, Forgejo, a monitor) begins a prompt so:\n\n{FORM}\n\n/routines \
         shows, pauses and deletes what is kept."
    ))
}

/// Nobody could call.
pub fn no_page() -> Outgoing {
    Outgoing::note(
        "Nothing was made: calls come in at the page, and it is switched off. The owner of the bot switches it on with \
         TELECODER_WEB_ADDR; docs/web.md says how, and how others reach it.",
    )
}

/// What was written is no hook.
pub fn not_understood(why: &NoHook) -> Outgoing {
    let why = match why {
        NoHook::NoName => "there is no name".to_owned(),
        NoHook::BadName(name) => format!(
            "“{}” is no name: a name has small letters, digits and -, and 40 at most",
            one_line(name, 40)
        ),
        NoHook::NoPrompt => "behind the name there is no prompt".to_owned(),
        NoHook::BadFilter(words) => format!(
            "“{}” is no condition: one is a field, = or !=, and a value",
            one_line(words, 40)
        ),
    };
    Outgoing::note(format!("Nothing was made: {why}. The form is:\n\n{FORM}"))
}

/// Another routine has the name.
pub fn is_taken(taken: &Routine, at: ChatThread) -> Outgoing {
    let name = taken.name.as_deref().unwrap_or_default();
    let place = match taken.at == at {
        true => "in this chat; /routines deletes it",
        false => "in another chat",
    };
    Outgoing::note(format!(
        "Nothing was made: there is a hook “{name}” already, {place}."
    ))
}

/// The card that a person keeps or cancels.
pub fn offered(routine: &Routine) -> Outgoing {
    let name = routine.name.as_deref().unwrap_or_default();
    let place = match routine.is_fresh {
        true => ", each time in a new session on the same repository",
        false => "",
    };
    let filter = match routine.filter.as_str() {
        "" => String::new(),
        filter => format!(" The call must say {}.", one_line(filter, 200)),
    };
    let text = format!(
        "When {name} is called{place}.{filter} Nothing begins unless you keep it; then you get the address and a secret. \
         The prompt, with the call's body as a file:"
    );
    Outgoing::note(text)
        .quoting(routine.prompt.shown())
        .with_button("Keep", Press::KeepRoutine(routine.id.clone()))
        .with_button("Cancel", Press::CancelRoutine(routine.id.clone()))
}

/// Its address and its secret, which is shown this once.
pub fn kept(routine: &Routine, page: Option<&str>, secret: &str) -> Outgoing {
    let name = routine.name.as_deref().unwrap_or_default();
    let address = match page {
        Some(page) => format!("{page}/hook/{name}"),
        None => format!("/hook/{name} of the page"),
    };
    Outgoing::note(format!(
        "Kept. Enter these where the call comes from, with application/json as the content type. The secret is not \
         shown again; whoever has it can begin this prompt.\n\nAddress: {address}\nSecret: {secret}"
    ))
}
