//! A routine's times in words that a person reads.

use super::When;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Milliseconds of a unit, and its name.
const UNITS: [(i64, &str); 4] = [
    (24 * 60 * 60 * 1000, "day"),
    (60 * 60 * 1000, "hour"),
    (60 * 1000, "minute"),
    (1000, "second"),
];

impl When {
    /// "every weekday at 9:00", "every 2 hours", "once". Fields of crontab(5) that no other form makes stay as they
    /// are.
    pub fn in_words(&self) -> String {
        match self {
            When::Once(_) => "once".to_owned(),
            When::Cron(fields) => cron(fields).unwrap_or_else(|| fields.clone()),
            When::Every { pause, .. } => every(*pause),
            When::Call => "at a call".to_owned(),
        }
    }
}

fn every(pause: i64) -> String {
    let (length, unit) = UNITS
        .into_iter()
        .find(|(length, _)| pause % length == 0)
        .unwrap_or((1, "millisecond"));
    match pause / length {
        1 => format!("every {unit}"),
        count => format!("every {count} {unit}s"),
    }
}

/// In words, if it is one of the forms that [`super::read()`] makes.
fn cron(fields: &str) -> Option<String> {
    if fields == super::read::HOURLY {
        return Some("every hour".to_owned());
    }
    let fields: Vec<&str> = fields.split(' ').collect();
    let &[minute, hour, "*", "*", weekdays] = fields.as_slice() else {
        return None;
    };
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let days = match weekdays {
        "*" => "day".to_owned(),
        super::read::WORKDAYS => "weekday".to_owned(),
        list => days(list)?,
    };
    Some(format!("every {days} at {hour}:{minute:02}"))
}

/// `1,3,5` as "Monday, Wednesday and Friday".
fn days(list: &str) -> Option<String> {
    let names: Option<Vec<&str>> = list
        .split(',')
        .map(|number| {
            let number: usize = number.parse().ok()?;
            DAYS.get(number.checked_sub(1)?).copied()
        })
        .collect();
    let names = names?;
    let (last, others) = names.split_last()?;
    Some(match others {
        [] => (*last).to_owned(),
        _ => format!("{} and {last}", others.join(", ")),
    })
}
