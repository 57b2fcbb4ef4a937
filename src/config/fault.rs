//! Faults in the settings, as a person is told them. `reader` finds them.

use std::fmt;

use super::Setting;

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
