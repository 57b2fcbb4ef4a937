//! A chat's own choices: how claude works, how much the chat shows, and when the phone rings.

use jiff::Zoned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The word for the default, in commands and buttons.
pub const OFF: &str = "off";

/// How much a chat's live message shows. `/verbose`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only how long claude works.
    Quiet,
    /// The to-do list, the last steps, the newest words.
    #[default]
    Normal,
    /// More steps, and the result of each.
    Detailed,
}

impl Verbosity {
    pub const ALL: [Verbosity; 3] = [Verbosity::Quiet, Verbosity::Normal, Verbosity::Detailed];

    /// As `/verbose` takes it and the store keeps it.
    pub fn number(self) -> u8 {
        self as u8
    }

    pub fn numbered(number: u8) -> Option<Verbosity> {
        Verbosity::ALL.get(usize::from(number)).copied()
    }

    /// How many of the newest steps are shown.
    pub fn steps(self) -> usize {
        match self {
            Verbosity::Quiet => 0,
            Verbosity::Normal => 4,
            Verbosity::Detailed => 10,
        }
    }
}

/// What claude may do without asking. claude: `--permission-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionMode {
    Default,
    AcceptEdits,
    Plan,
    DontAsk,
    Auto,
    BypassPermissions,
}

impl PermissionMode {
    pub const ALL: [PermissionMode; 6] = [
        PermissionMode::Default,
        PermissionMode::AcceptEdits,
        PermissionMode::Plan,
        PermissionMode::DontAsk,
        PermissionMode::Auto,
        PermissionMode::BypassPermissions,
    ];

    /// As claude spells it.
    pub fn name(self) -> &'static str {
        match self {
            PermissionMode::Default => "default",
            PermissionMode::AcceptEdits => "acceptEdits",
            PermissionMode::Plan => "plan",
            PermissionMode::DontAsk => "dontAsk",
            PermissionMode::Auto => "auto",
            PermissionMode::BypassPermissions => "bypassPermissions",
        }
    }

    /// As people read it: claude calls `default` `manual` since 2.1.280, and takes both.
    pub fn shown(self) -> &'static str {
        match self {
            PermissionMode::Default => "manual",
            other => other.name(),
        }
    }

    /// claude goes on without a person's consent to what it does.
    pub fn asks_nobody(self) -> bool {
        matches!(
            self,
            PermissionMode::BypassPermissions | PermissionMode::Auto
        )
    }

    /// Reads either name, in any letter case.
    pub fn named(name: &str) -> Option<PermissionMode> {
        PermissionMode::ALL.into_iter().find(|mode| {
            [mode.name(), mode.shown()]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

/// How hard claude thinks. claude: `--effort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    pub const ALL: [Effort; 5] = [
        Effort::Low,
        Effort::Medium,
        Effort::High,
        Effort::Xhigh,
        Effort::Max,
    ];

    /// As claude spells it.
    pub fn name(self) -> &'static str {
        match self {
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::Xhigh => "xhigh",
            Effort::Max => "max",
        }
    }

    /// Reads its name, in any letter case.
    pub fn named(name: &str) -> Option<Effort> {
        Effort::ALL
            .into_iter()
            .find(|effort| effort.name().eq_ignore_ascii_case(name))
    }
}

/// Reads the name of a model, which only claude knows: one word that claude does not take for an option.
pub fn model_named(name: &str) -> Option<String> {
    let is_one = !name.is_empty() && !name.starts_with('-') && !name.contains(char::is_whitespace);
    is_one.then(|| name.to_owned())
}

/// Minutes of the day; `from` after `to` includes midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub from: u16,
    pub to: u16,
}

/// When a chat's messages ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Nothing rings in these hours, by the machine's clock.
    pub quiet: Option<QuietHours>,
    /// A run rings at its end only if it took at least this many seconds.
    pub after_s: u32,
}

impl QuietHours {
    /// Reads `22:00-08:00`, `22-8`.
    pub fn parse(text: &str) -> Option<QuietHours> {
        let (from, to) = text.split_once(['-', '–'])?;
        let (from, to) = (minute_of(from)?, minute_of(to)?);
        (from != to).then_some(QuietHours { from, to })
    }

    /// Whether they contain a minute of the day.
    pub fn contains(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl std::fmt::Display for QuietHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [from, to] = [self.from, self.to].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}–{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

impl Ring {
    /// Whether a message may ring at this minute of the day.
    pub fn rings_at(self, minute: u16) -> bool {
        !self.quiet.is_some_and(|quiet| quiet.contains(minute))
    }

    /// Whether a run that took `elapsed` rings at its end.
    pub fn is_worth_it(self, elapsed: Duration) -> bool {
        elapsed >= Duration::from_secs(self.after_s.into())
    }
}

/// The minute of the day on this clock.
pub fn minute_of_day(now: &Zoned) -> u16 {
    u16::try_from(now.hour()).unwrap_or(0) * 60 + u16::try_from(now.minute()).unwrap_or(0)
}

/// `22`, `22:30`, `8:05`, as a minute of the day.
fn minute_of(text: &str) -> Option<u16> {
    let text = text.trim();
    let (hour, minute) = text.split_once(':').unwrap_or((text, "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    ((hour < 24 && minute < 60) || (hour == 24 && minute == 0))
        .then_some((hour * 60 + minute) % 1440)
}

/// The settings of a chat, its topics included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatSettings {
    pub verbosity: Verbosity,
    pub ring: Ring,
    /// Prompts wait for the run's end: `/queue on`.
    pub queues: bool,
}

/// claude's start options in a chat; `None`: the settings' value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    pub mode: Option<PermissionMode>,
    pub model: Option<String>,
    pub effort: Option<Effort>,
}

/// A person's request about a value that a chat can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<T> {
    /// Show the current value.
    Show,
    /// Use the value for chats that have chosen nothing.
    Default,
    Set(T),
}

impl<T> Wanted<T> {
    /// Reads a value or the word for the default. Commands and buttons are both read by this.
    pub fn read(word: &str, value: impl FnOnce(&str) -> Option<T>) -> Option<Wanted<T>> {
        match word {
            OFF => Some(Wanted::Default),
            word => value(word).map(Wanted::Set),
        }
    }

    /// The chat's choice after this request; `None` for the default.
    pub fn applied_to(self, chosen: Option<T>) -> Option<T> {
        match self {
            Wanted::Show => chosen,
            Wanted::Default => None,
            Wanted::Set(value) => Some(value),
        }
    }

    pub fn is_change(&self) -> bool {
        !matches!(self, Wanted::Show)
    }
}

impl<T> From<Option<T>> for Wanted<T> {
    /// A button sets a value, or the default.
    fn from(value: Option<T>) -> Wanted<T> {
        value.map_or(Wanted::Default, Wanted::Set)
    }
}
