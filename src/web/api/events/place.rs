//! Where somebody is in a run's record: behind a line, or behind some of the steps that came from one line.

use std::fmt;
use std::str::FromStr;

use crate::store::records::Record;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The byte behind the line.
    pub end: u64,
    /// The number of the line's last step that they have, from 0; `None` if they have them all.
    pub within: Option<usize>,
}

impl Place {
    pub fn behind(end: u64) -> Place {
        Place { end, within: None }
    }

    /// Earlier events are about other runs.
    pub fn not_before(self, record: &Record) -> Place {
        match self.end <= record.begins_at() {
            true => Place::behind(record.begins_at()),
            false => self,
        }
    }
}

/// `1234`, or `1234.0` inside a line.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Some(within) => write!(f, "{}.{within}", self.end),
            None => write!(f, "{}", self.end),
        }
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Place, Self::Err> {
        let (end, within) = match text.split_once('.') {
            Some((end, within)) => (end, Some(within.parse()?)),
            None => (text, None),
        };
        Ok(Place {
            end: end.parse()?,
            within,
        })
    }
}
