//! A year of routines in seconds, over zones whose clocks change in every way, held against a slow reading of each
//! minute.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::subsequence;
use telecoder::domain::routine::{MOST_COUNTED, Passed, When};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Berlin and New York skip an hour and repeat one, Lord Howe half of one, Sao Paulo at midnight. Apia left out a day.
const YEARS: [(&str, i16); 5] = [
    ("Europe/Berlin", 2026),
    ("America/New_York", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Pacific/Apia", 2011),
    ("America/Sao_Paulo", 2018),
];

/// A year, minute by minute.
struct Year {
    zone: TimeZone,
    /// From its first minute to beyond its last.
    minutes: Vec<Minute>,
    /// Where the clocks change.
    changes: Vec<i64>,
}

struct Minute {
    moment: i64,
    /// The times that the clocks show now or have just skipped. Empty: they show it for the second time.
    times: Vec<DateTime>,
}

static ALL: LazyLock<Vec<Year>> = LazyLock::new(|| {
    YEARS
        .into_iter()
        .map(|(name, year)| Year::of(name, year))
        .collect()
});

impl Year {
    fn of(name: &str, year: i16) -> Year {
        let zone = super::zone(name);
        let begin = date(year, 1, 1)
            .to_zoned(zone.clone())
            .expect("a year begins");
        let end = begin.timestamp() + SignedDuration::from_hours(24 * 370);
        let mut at = begin.timestamp();
        let mut newest = begin.datetime() - 1.minute();
        let (mut minutes, mut changes, mut offset) = (Vec::new(), Vec::new(), begin.offset());
        while at < end {
            let info = zone.to_offset(at);
            if info != offset {
                changes.push(at.as_millisecond());
                offset = info;
            }
            let shown = offset.to_datetime(at);
            let mut times = Vec::new();
            while newest < shown {
                newest += 1.minute();
                times.push(newest);
            }
            minutes.push(Minute {
                moment: at.as_millisecond(),
                times,
            });
            at += SignedDuration::from_mins(1);
        }
        Year {
            zone,
            minutes,
            changes,
        }
    }

    /// The moments of a rule, by looking at each minute.
    fn moments(&self, rule: &Rule) -> Vec<i64> {
        let runs = |minute: &&Minute| minute.times.iter().any(|time| rule.names(*time));
        self.minutes
            .iter()
            .filter(runs)
            .map(|minute| minute.moment)
            .collect()
    }
}

/// A cron expression as sets, and as a text.
#[derive(Clone, Debug)]
struct Rule {
    text: String,
    sets: [BTreeSet<i8>; 5],
    /// The days of the month, and those of the week, begin with a star.
    is_star: [bool; 2],
}

impl Rule {
    fn names(&self, time: DateTime) -> bool {
        let [minutes, hours, days, months, weekdays] = &self.sets;
        let weekday = time.weekday().to_sunday_zero_offset();
        let (day, weekday) = (days.contains(&time.day()), weekdays.contains(&weekday));
        let fits = if self.is_star.contains(&true) {
            day && weekday
        } else {
            day || weekday
        };
        minutes.contains(&time.minute())
            && hours.contains(&time.hour())
            && months.contains(&time.month())
            && fits
    }
}

/// A field: its text, and what it names.
fn field(min: i8, max: i8) -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    let stepped = move |from: i8, to: i8, step: i8| -> BTreeSet<i8> {
        (from..=to)
            .step_by(usize::try_from(step).expect("positive"))
            .collect()
    };
    let values: Vec<i8> = (min..=max).collect();
    prop_oneof![
        2 => Just(("*".to_owned(), stepped(min, max, 1))),
        1 => (2..max).prop_map(move |step| (format!("*/{step}"), stepped(min, max, step))),
        4 => subsequence(values, 1..=3).prop_map(|list| {
            let text: Vec<String> = list.iter().map(i8::to_string).collect();
            (text.join(","), list.into_iter().collect())
        }),
        2 => (min..=max, min..=max, 1..max).prop_map(move |(one, other, step)| {
            let (from, to) = (one.min(other), one.max(other));
            (format!("{from}-{to}/{step}"), stepped(from, to, step))
        }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let fields = (
        field(0, 59),
        field(0, 23),
        field(1, 31),
        field(1, 12),
        field(0, 7),
    );
    // Many in the hours of the changes, and few that only come in one month.
    let often = (any::<bool>(), any::<bool>());
    (fields, often).prop_map(
        |((minute, hour, day, month, weekday), (any_day, any_month))| {
            let all = |min: i8, max: i8| ("*".to_owned(), (min..=max).collect::<BTreeSet<i8>>());
            let (day, weekday) = if any_day {
                (all(1, 31), all(0, 7))
            } else {
                (day, weekday)
            };
            let month = if any_month { all(1, 12) } else { month };
            let fields = [minute, hour, day, month, weekday];
            let text = fields.each_ref().map(|(text, _)| text.as_str()).join(" ");
            let is_star = [2, 4].map(|field: usize| fields[field].0.starts_with('*'));
            let mut sets = fields.map(|(_, set)| set);
            if sets[4].remove(&7) {
                sets[4].insert(0);
            }
            Rule {
                text,
                sets,
                is_star,
            }
        },
    )
}

/// Holds `next` against the expected moments between two others.
fn same(when: &When, zone: &TimeZone, expected: &[i64], from: i64, until: i64) {
    let begin = expected.partition_point(|moment| *moment <= from);
    let mut after = from;
    for moment in expected[begin..]
        .iter()
        .take_while(|moment| **moment < until)
    {
        let next = when.next(zone, after);
        assert_eq!(next, Some(*moment), "{when:?} behind {}", shown(after));
        after = *moment;
    }
    let next = when.next(zone, after);
    assert!(
        next.is_none_or(|next| next >= until),
        "{when:?} behind {}",
        shown(after)
    );
}

fn shown(moment: i64) -> String {
    Timestamp::from_millisecond(moment)
        .expect("a moment")
        .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_time_of_a_rule_comes_once_also_where_the_clocks_change(
        rule in rule(),
        place in 0..YEARS.len(),
        starts in prop::collection::vec((0..365 * DAY, 0..40 * DAY), 8),
    ) {
        let year = &ALL[place];
        let when = When::Cron(rule.text.clone());
        let expected = year.moments(&rule);
        let begin = year.minutes[0].moment - 1;
        // All of the year, if that is soon done; else the days around the changes.
        if expected.len() < 2000 {
            same(&when, &year.zone, &expected, begin, begin + 365 * DAY);
        } else {
            for change in &year.changes {
                same(&when, &year.zone, &expected, change - DAY / 4, change + DAY / 4);
            }
        }
        // A restart at any moment finds the same, also just beside the changes.
        let near = |change: &i64| [-1, 0, 1, 30 * MINUTE, 90 * MINUTE].map(|by| (change + by, DAY));
        let starts = starts.into_iter().map(|(start, length)| (begin + start, length));
        for (after, length) in starts.chain(year.changes.iter().flat_map(near)) {
            let first = expected.partition_point(|moment| *moment <= after);
            let next = when.next(&year.zone, after);
            let known = expected.get(first);
            prop_assert!(next == known.copied() || known.is_none(), "{} behind {}", rule.text, shown(after));
            // The minutes go five days beyond the year.
            let until = (after + length).min(begin + 370 * DAY);
            let missed = &expected[first..expected.partition_point(|moment| *moment <= until)];
            let passed = missed.last().map(|newest| Passed {
                count: missed.len().min(MOST_COUNTED),
                newest: *newest,
            });
            prop_assert_eq!(when.missed(&year.zone, after, until), passed, "{} from {}", rule.text, shown(after));
        }
    }

    #[test]
    fn an_interval_counts_from_its_first_moment_through_all_changes(
        place in 0..YEARS.len(),
        start in 0..30 * DAY,
        pause in MINUTE..3 * DAY,
        after in 0..365 * DAY,
    ) {
        let year = &ALL[place];
        let from = year.minutes[0].moment + start;
        let when = When::Every { from, pause };
        let mut moment = from;
        for _ in 0..100 {
            prop_assert_eq!(when.next(&year.zone, moment - 1), Some(moment));
            prop_assert_eq!(when.next(&year.zone, moment), Some(moment + pause));
            moment += pause;
        }
        let after = year.minutes[0].moment + after;
        let next = when.next(&year.zone, after).expect("it goes on");
        prop_assert!(next > after && (next - from) % pause == 0 && (next == from || next - pause <= after));
        let until = after + 30 * DAY;
        let expected = (next..=until).step_by(usize::try_from(pause).expect("positive"));
        let (count, newest) = (expected.clone().count(), expected.last());
        let passed = newest.map(|newest| Passed { count: count.min(MOST_COUNTED), newest });
        prop_assert_eq!(when.missed(&year.zone, after, until), passed);
    }
}
