//! What is wrong with the settings, as it is told to a person. What is looked at is `reader`'s.

use std::fmt;

use super::Setting;

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `None`: a file, or what two settings come to together.
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
    /// The faults in what a command needs that does not start the bot.
    pub(super) fn of_a_command(list: Vec<Fault>) -> Faults {
        Faults {
            list,
            undone: "nothing was done",
        }
    }

    /// Those for which the bot does not start.
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
