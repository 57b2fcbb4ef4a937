//! The moments of a routine where the clocks change, at the calendar's ends, and after a long absence.

use telecoder::domain::routine::{MOST_COUNTED, When};

use super::{moment, shown, zone};

fn cron(fields: &str) -> When {
    When::Cron(fields.to_owned())
}

/// The next moments behind a time on the clocks, as these show them.
fn next(fields: &str, name: &str, after: &str, count: usize) -> Vec<String> {
    let (when, zone) = (cron(fields), zone(name));
    let mut after = moment(&format!("{after}[{name}]"));
    let mut moments = Vec::new();
    for _ in 0..count {
        after = when.next(&zone, after).expect("a next moment");
        let zoned = jiff::Timestamp::from_millisecond(after).expect("a moment");
        moments.push(
            zoned
                .to_zoned(zone.clone())
                .strftime("%F %H:%M%:z")
                .to_string(),
        );
    }
    moments
}

#[test]
fn a_time_that_the_clocks_skip_runs_at_the_instant_of_their_change() {
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2),
        ["2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]
    );
    assert_eq!(
        next("*/20 * * * *", "Europe/Berlin", "2026-03-29T01:30", 4),
        [
            "2026-03-29 01:40+01:00",
            "2026-03-29 03:00+02:00",
            "2026-03-29 03:20+02:00",
            "2026-03-29 03:40+02:00"
        ]
    );
    assert_eq!(
        next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2),
        ["2026-10-04 02:30+11:00", "2026-10-05 02:15+11:00"]
    );
    assert_eq!(
        next("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", 2),
        ["2018-11-04 01:00-02:00", "2018-11-05 00:00-02:00"]
    );
}

#[test]
fn a_day_that_a_zone_left_out_runs_once_at_the_change() {
    assert_eq!(
        next("0 */8 * * *", "Pacific/Apia", "2011-12-29T15:00", 3),
        [
            "2011-12-29 16:00-10:00",
            "2011-12-31 00:00+14:00",
            "2011-12-31 08:00+14:00"
        ]
    );
}

#[test]
fn a_time_that_the_clocks_show_twice_runs_the_first_time() {
    assert_eq!(
        next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2),
        ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]
    );
    assert_eq!(
        next("0 * * * *", "America/New_York", "2026-11-01T00:30-04:00", 3),
        [
            "2026-11-01 01:00-04:00",
            "2026-11-01 02:00-05:00",
            "2026-11-01 03:00-05:00"
        ]
    );
    // Asked while the clocks show it for the second time.
    let second = moment("2026-10-25T02:10:00+01:00[Europe/Berlin]");
    let berlin = zone("Europe/Berlin");
    let then = cron("30 2 * * *").next(&berlin, second).expect("a moment");
    assert_eq!(shown(&berlin, then).to_string(), "2026-10-26T02:30:00");
}

#[test]
fn a_day_of_the_month_or_a_day_of_the_week_is_enough_where_both_are_named() {
    assert_eq!(
        next("0 9 13 * 5", "UTC", "2026-12-01T00:00", 4),
        [
            "2026-12-04 09:00+00:00",
            "2026-12-11 09:00+00:00",
            "2026-12-13 09:00+00:00",
            "2026-12-18 09:00+00:00"
        ]
    );
}

#[test]
fn a_leap_day_is_found_however_far_away_it_is() {
    assert_eq!(
        next("0 0 29 2 *", "Europe/Berlin", "2096-03-01T00:00", 2),
        ["2104-02-29 00:00+01:00", "2108-02-29 00:00+01:00"]
    );
    // Where one of both begins with a star, both must fit: 29 February on a Sunday.
    assert_eq!(
        next("0 0 29 2 */7", "UTC", "2032-03-01T00:00", 2),
        ["2060-02-29 00:00+00:00", "2088-02-29 00:00+00:00"]
    );
    assert_eq!(
        next("0 0 29 2 */7", "UTC", "2088-03-01T00:00", 1),
        ["2128-02-29 00:00+00:00"]
    );
}

#[test]
fn an_interval_goes_on_whatever_the_clocks_do() {
    let from = moment("2026-03-28T22:00:00+01:00[Europe/Berlin]");
    let when = When::Every {
        from,
        pause: 7_200_000,
    };
    let berlin = zone("Europe/Berlin");
    assert_eq!(when.next(&berlin, from - 1), Some(from));
    assert_eq!(when.next(&berlin, from), Some(from + 7_200_000));
    assert_eq!(when.next(&berlin, from + 7_199_999), Some(from + 7_200_000));
    let missed = when
        .missed(&berlin, from, from + 10 * 7_200_000)
        .expect("some");
    assert_eq!((missed.count, missed.newest), (10, from + 10 * 7_200_000));
}

#[test]
fn years_of_missed_minutes_are_counted_up_to_a_limit_and_the_newest_is_told() {
    let berlin = zone("Europe/Berlin");
    let (from, until) = (
        moment("1990-01-01T00:00:00+01:00[Europe/Berlin]"),
        moment("2026-12-01T15:30:20+01:00[Europe/Berlin]"),
    );
    for (fields, newest) in [
        ("* * * * *", "2026-12-01T15:30:00"),
        ("* * * 1 *", "2026-01-31T23:59:00"),
        ("0 9 * * 1-5", "2026-12-01T09:00:00"),
    ] {
        let missed = cron(fields).missed(&berlin, from, until).expect("some");
        assert_eq!(missed.count, MOST_COUNTED, "{fields}");
        assert_eq!(
            shown(&berlin, missed.newest).to_string(),
            newest,
            "{fields}"
        );
    }
    let missed = cron("0 0 29 2 *")
        .missed(&berlin, from, until)
        .expect("some");
    assert_eq!(missed.count, 9);
    assert_eq!(
        shown(&berlin, missed.newest).to_string(),
        "2024-02-29T00:00:00"
    );
    assert_eq!(
        cron("0 0 29 2 *").missed(&berlin, until - 1000, until),
        None
    );
    let every = When::Every {
        from: i64::MIN,
        pause: 1,
    };
    let missed = every.missed(&berlin, 0, until).expect("some");
    assert_eq!((missed.count, missed.newest), (MOST_COUNTED, until));
    let missed = every.missed(&berlin, -9_000_001, -2).expect("some");
    assert_eq!((missed.count, missed.newest), (MOST_COUNTED, -2));
}

#[test]
fn the_ends_of_the_calendar_and_a_broken_record_are_no_moments() {
    let whens = [
        When::Once(i64::MAX),
        When::Once(i64::MIN),
        When::Call,
        cron("* * * * *"),
        cron("0 0 29 2 *"),
        cron("not fields"),
        cron(""),
        cron("0 0 30 2 *"),
        When::Every {
            from: i64::MAX,
            pause: i64::MAX,
        },
        When::Every {
            from: i64::MIN,
            pause: i64::MAX,
        },
        When::Every { from: 0, pause: 0 },
        When::Every { from: 0, pause: -5 },
    ];
    let calendar = jiff::Timestamp::MAX.as_millisecond();
    for when in &whens {
        for zone in ["UTC", "Europe/Berlin", "Pacific/Apia", "Pacific/Honolulu"].map(zone) {
            for after in [
                i64::MIN,
                -62_135_596_800_000,
                0,
                calendar - 1,
                calendar,
                i64::MAX,
            ] {
                if let Some(next) = when.next(&zone, after) {
                    assert!(next > after, "{when:?} behind {after}: {next}");
                    assert!(next <= calendar);
                }
            }
        }
        let utc = zone("UTC");
        let _ = when.missed(&utc, calendar - 1, i64::MAX);
        let _ = when.missed(&utc, i64::MIN, i64::MAX);
    }
    assert_eq!(When::Call.next(&zone("UTC"), 0), None);
    assert_eq!(cron("0 0 30 2 *").next(&zone("UTC"), 0), None);
}
