//! telecoder's own commands: their names and how their arguments are written. `chat::menu` says what each does.

/// The commands, in the order of the menu. The help and the menu are printed from this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    New,
    Status,
    Logs,
    Raw,
    Stop,
    Queue,
    Diff,
    Undo,
    Push,
    Get,
    Verify,
    Checks,
    Autofix,
    Verbose,
    Quiet,
    Ring,
    Mode,
    Model,
    Effort,
    Sessions,
    Resume,
    At,
    In,
    Every,
    Routines,
    Hook,
    Web,
    Whoami,
    Invite,
    People,
    Help,
    Start,
}

impl Verb {
    pub const ALL: [Verb; 32] = [
        Verb::New,
        Verb::Status,
        Verb::Logs,
        Verb::Raw,
        Verb::Stop,
        Verb::Queue,
        Verb::Diff,
        Verb::Undo,
        Verb::Push,
        Verb::Get,
        Verb::Verify,
        Verb::Checks,
        Verb::Autofix,
        Verb::Verbose,
        Verb::Quiet,
        Verb::Ring,
        Verb::Mode,
        Verb::Model,
        Verb::Effort,
        Verb::Sessions,
        Verb::Resume,
        Verb::At,
        Verb::In,
        Verb::Every,
        Verb::Routines,
        Verb::Hook,
        Verb::Web,
        Verb::Whoami,
        Verb::Invite,
        Verb::People,
        Verb::Help,
        Verb::Start,
    ];

    /// The word after the slash. Bot API: `BotCommand.command`.
    pub fn name(self) -> &'static str {
        match self {
            Verb::New => "new",
            Verb::Status => "status",
            Verb::Logs => "logs",
            Verb::Raw => "raw",
            Verb::Stop => "stop",
            Verb::Queue => "queue",
            Verb::Diff => "diff",
            Verb::Undo => "undo",
            Verb::Push => "push",
            Verb::Get => "get",
            Verb::Verify => "verify",
            Verb::Checks => "checks",
            Verb::Autofix => "autofix",
            Verb::Verbose => "verbose",
            Verb::Quiet => "quiet",
            Verb::Ring => "ring",
            Verb::Mode => "mode",
            Verb::Model => "model",
            Verb::Effort => "effort",
            Verb::Sessions => "sessions",
            Verb::Resume => "resume",
            Verb::At => "at",
            Verb::In => "in",
            Verb::Every => "every",
            Verb::Routines => "routines",
            Verb::Hook => "hook",
            Verb::Web => "web",
            Verb::Whoami => "whoami",
            Verb::Invite => "invite",
            Verb::People => "people",
            Verb::Help => "help",
            Verb::Start => "start",
        }
    }

    /// The possible arguments.
    pub fn arguments(self) -> &'static str {
        match self {
            Verb::New => "[repo-url | path | name | -] [branch]",
            Verb::Logs => "[n]",
            Verb::Get => "path",
            Verb::Verbose => "[0 | 1 | 2]",
            Verb::Quiet => "[22:00-08:00 | off]",
            Verb::Ring => "[minutes | always]",
            Verb::Mode => {
                "[manual | acceptEdits | plan | auto | dontAsk | bypassPermissions | off]"
            }
            Verb::Model => "[name | off]",
            Verb::Effort => "[low | medium | high | xhigh | max | off]",
            Verb::Checks => "[setup=… test=… lint=… | off | auto]",
            Verb::Autofix | Verb::Queue => "[on | off]",
            Verb::Resume => "[session]",
            Verb::At => "15:00 | tomorrow 9:00 | 2026-12-24 18:00 prompt",
            Verb::In => "20m | 2h | 3d prompt",
            Verb::Every => "2h | day 9:00 | weekday 9:00 | \"0 9 * * 1-5\" prompt",
            Verb::Hook => "[add name prompt]",
            Verb::Web => "[off]",
            Verb::People => "[page]",
            Verb::Status
            | Verb::Raw
            | Verb::Stop
            | Verb::Diff
            | Verb::Undo
            | Verb::Push
            | Verb::Verify
            | Verb::Sessions
            | Verb::Routines
            | Verb::Whoami
            | Verb::Invite
            | Verb::Help
            | Verb::Start => "",
        }
    }

    /// All but `/start`, which is pressed only once.
    pub fn in_menu(self) -> bool {
        self != Verb::Start
    }

    /// Works only in the private chat of the bot's owner.
    pub fn is_for_owner(self) -> bool {
        matches!(self, Verb::Invite | Verb::People)
    }

    pub fn named(word: &str) -> Option<Verb> {
        Verb::ALL.into_iter().find(|verb| verb.name() == word)
    }
}
