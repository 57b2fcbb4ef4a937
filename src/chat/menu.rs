//! What each command does, in a line: for `/help` and for the menu of the client; and who sees which in the menu.

use crate::domain::verb::Verb;

/// The commands of a menu. Only the owner, alone with the bot, sees those that nobody else may use.
pub fn commands(is_owners: bool) -> impl Iterator<Item = Verb> {
    Verb::ALL
        .into_iter()
        .filter(move |verb| verb.in_menu() && (is_owners || !verb.is_for_owner()))
}

/// One line for each command. Bot API: `BotCommand.description`.
pub fn meaning(verb: Verb) -> &'static str {
    match verb {
        Verb::New => "Start a fresh session, empty or on a repository",
        Verb::Status => "What runs, what waits, how the last run ended",
        Verb::Logs => "The last lines of the current or last run",
        Verb::Raw => "What exactly reached claude for the last prompt",
        Verb::Stop => "End what runs",
        Verb::Queue => "What waits, and whether messages wait for a run's end",
        Verb::Diff => "What the last run changed",
        Verb::Undo => "Take back what the last run changed",
        Verb::Push => "Push the branch",
        Verb::Get => "Send a file or a folder of the workspace",
        Verb::Verify => "Run the checks now",
        Verb::Checks => "Which commands check each run",
        Verb::Autofix => "Send failing checks back to claude by itself",
        Verb::Verbose => "How much is shown while a run goes on",
        Verb::Quiet => "Hours in which nothing rings",
        Verb::Ring => "Ring only after runs that took long",
        Verb::Mode => "What claude asks you about before it does it",
        Verb::Model => "Which model answers here",
        Verb::Effort => "How hard claude thinks",
        Verb::Sessions => "The sessions of this chat",
        Verb::Resume => "Go on in another session",
        Verb::Whoami => "Your id and this chat's, for the settings",
        Verb::At => "A prompt for later, once",
        Verb::In => "A prompt for in a while, once",
        Verb::Every => "A prompt again and again",
        Verb::Routines => "What begins by itself here",
        Verb::Hook => "A prompt that a call from outside begins",
        Verb::Web => "The page: diffs, logs and every step, in a browser",
        Verb::Invite => "A link that lets one person in",
        Verb::People => "Who may use this bot",
        Verb::Help => "What this is and how to use it",
        Verb::Start => "Say hello",
    }
}
