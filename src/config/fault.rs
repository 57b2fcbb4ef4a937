//! Faults in the settings, as a person is told them. `reader` finds them.

use std::fmt;

use super::Setting;
use crate::redact::Redactor;

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `None`: a file is wrong.
    pub setting: Option<Setting>,
    pub what: String,
    pub remedy: String,
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub struct Faults {
    pub list: Vec<Fault>,
    /// What did not happen because of them: "nothing was done".
    undone: &'static str,
}

impl Faults {
    /// Faults that stop a command which does not start the bot.
    pub(super) fn of_a_command(list: Vec<Fault>) -> Faults {
        Faults {
            list,
            undone: "nothing was done",
        }
    }

    /// Faults that stop the bot's start.
    pub(super) fn of_the_start(list: Vec<Fault>) -> Faults {
        Faults {
            list,
            undone: "telecoder was not started",
        }
    }
}

impl Faults {
    /// The faults without secrets. That of the token quotes none, and a wrong token may be a word of any sentence.
    pub fn redacted_by(&self, redactor: &Redactor) -> String {
        let of_token = |fault: &Fault| fault.setting == Some(Setting::BotToken);
        let redacted = self.list.iter().map(|fault| match of_token(fault) {
            true => fault.clone(),
            false => Fault {
                what: redactor.text(&fault.what).into_owned(),
                ..fault.clone()
            },
        });
        let redacted = Faults {
            list: redacted.collect(),
            undone: self.undone,
        };
        redacted.to_string()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.len() {
            1 => write!(f, "a setting is wrong, and {}:", self.undone)?,
            many => write!(f, "{many} settings are wrong, and {}:", self.undone)?,
        }
        for fault in &self.list {
            write!(f, "\n  - {}. {}", fault.what, fault.remedy)?;
        }
        Ok(())
    }
}
