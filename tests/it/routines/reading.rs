//! What stands behind `/at`, `/in` and `/every`.

use proptest::prelude::*;
use telecoder::domain::routine::{
    CronFault, Form, Missed, NotUnderstood as No, Wanted, When, read,
};

use super::{moment, zone};

/// A Tuesday, 15:30 in Berlin.
const NOW: &str = "2026-12-01T15:30:00+01:00[Europe/Berlin]";

fn told(form: Form, text: &str) -> Result<Wanted<'_>, No> {
    read(form, text, moment(NOW), &zone("Europe/Berlin"))
}

fn understood(form: Form, text: &str) -> Wanted<'_> {
    told(form, text).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"))
}

fn once(form: Form, text: &str) -> String {
    let wanted = understood(form, text);
    assert_eq!(wanted.prompt, "go on", "{text:?}");
    let When::Once(at) = wanted.when else {
        panic!("{text:?} is once, not {:?}", wanted.when);
    };
    super::shown(&zone("Europe/Berlin"), at).to_string()
}

#[test]
fn a_time_on_the_clock_is_the_next_such_moment() {
    for (text, at) in [
        ("15:31 go on", "2026-12-01T15:31:00"),
        ("15:30 go on", "2026-12-02T15:30:00"),
        ("9:00 go on", "2026-12-02T09:00:00"),
        ("09:00 go on", "2026-12-02T09:00:00"),
        ("9am go on", "2026-12-02T09:00:00"),
        ("3:30pm go on", "2026-12-02T15:30:00"),
        ("3:31PM go on", "2026-12-01T15:31:00"),
        ("12am go on", "2026-12-02T00:00:00"),
        ("12pm go on", "2026-12-02T12:00:00"),
        ("today 18:00 go on", "2026-12-01T18:00:00"),
        ("Tomorrow 9:00 go on", "2026-12-02T09:00:00"),
        ("tuesday 16:00 go on", "2026-12-01T16:00:00"),
        ("Tue 15:30 go on", "2026-12-08T15:30:00"),
        ("monday 9:00 go on", "2026-12-07T09:00:00"),
        ("2026-12-24 18:00 go on", "2026-12-24T18:00:00"),
        ("2026-12-24T18:00 go on", "2026-12-24T18:00:00"),
        ("2026-12-24   6pm go on", "2026-12-24T18:00:00"),
    ] {
        assert_eq!(once(Form::At, text), at, "{text}");
    }
}

#[test]
fn a_time_that_has_gone_by_is_said_to_have_passed() {
    for text in [
        "today 15:30 x",
        "today 9:00 x",
        "2026-12-01 15:29 x",
        "1970-01-01T00:00 x",
    ] {
        assert_eq!(told(Form::At, text), Err(No::Past), "{text}");
    }
}

#[test]
fn a_length_of_time_is_counted_from_now() {
    for (text, at) in [
        ("20m go on", "2026-12-01T15:50:00"),
        ("90s go on", "2026-12-01T15:31:30"),
        ("1h30m go on", "2026-12-01T17:00:00"),
        ("3D go on", "2026-12-04T15:30:00"),
        ("1d1h1m1s go on", "2026-12-02T16:31:01"),
        ("366d go on", "2027-12-02T15:30:00"),
    ] {
        assert_eq!(once(Form::In, text), at, "{text}");
    }
    assert_eq!(told(Form::In, "0s x"), Err(No::TooShort));
    assert_eq!(told(Form::In, "366d1s x"), Err(No::TooLong));
    assert_eq!(
        told(Form::In, "99999999999999999999999d x"),
        Err(No::TooLong)
    );
}

#[test]
fn work_again_and_again_is_kept_as_fields_of_crontab_or_as_a_pause() {
    for (text, fields) in [
        ("day 9:00 x", "0 9 * * *"),
        ("weekday 9:00 x", "0 9 * * 1-5"),
        ("weekend 10:05 x", "5 10 * * 6,7"),
        ("monday 9:00 x", "0 9 * * 1"),
        ("fri,Mon,wednesday,mon 9am x", "0 9 * * 1,3,5"),
        ("sunday 12am x", "0 0 * * 7"),
        ("HOUR x", "0 * * * *"),
        ("\"0 9 * * 1-5\" x", "0 9 * * 1-5"),
        ("“0 9 * * 1-5” x", "0 9 * * 1-5"),
        ("„0 9 * * 1-5“ x", "0 9 * * 1-5"),
        ("«*/5  9 * jan MON-fri» x", "*/5 9 * jan MON-fri"),
        ("‘ 0 9 29 2 * ’ x", "0 9 29 2 *"),
        ("'*/5 * * * *' x", "*/5 * * * *"),
    ] {
        let when = understood(Form::Every, text).when;
        assert_eq!(when, When::Cron(fields.to_owned()), "{text}");
    }
    for (text, pause) in [("2h x", 7_200_000), ("1m x", 60_000), ("1d x", 86_400_000)] {
        let from = moment(NOW) + pause;
        let when = understood(Form::Every, text).when;
        assert_eq!(when, When::Every { from, pause }, "{text}");
    }
    assert_eq!(told(Form::Every, "59s x"), Err(No::TooShort));
    assert_eq!(told(Form::Every, "367d x"), Err(No::TooLong));
}

#[test]
fn what_is_not_fields_of_crontab_is_refused_with_the_reason() {
    let fault = |fields: &str| {
        let text = format!("\"{fields}\" x");
        match told(Form::Every, &text) {
            Err(No::Cron(fault)) => fault,
            other => panic!("{fields:?}: {other:?}"),
        }
    };
    for fields in [
        "@daily",
        "",
        "* * * *",
        "0 9 * * 1 Europe/Berlin",
        "0 0 9 * * 1",
    ] {
        assert_eq!(fault(fields), CronFault::NotFive, "{fields}");
    }
    for fields in [
        "0 0 L * *",
        "0 0 15W * *",
        "0 0 * * 5L",
        "0 0 * * 5#3",
        "H * * * *",
    ] {
        assert_eq!(fault(fields), CronFault::Extension, "{fields}");
    }
    for fields in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        assert_eq!(fault(fields), CronFault::NeverComes, "{fields}");
    }
    for (fields, reason) in [
        ("60 * * * *", "value must be in range 0..=59; found 60"),
        ("0 5-4 * * *", "range must be in ascending order; found 5-4"),
        ("*/0 * * * *", "step must be greater than 0"),
        ("x * * * *", "malformed expression"),
        ("0 0 * * ä", "unknown character 'ä'"),
    ] {
        assert_eq!(fault(fields), CronFault::Field(reason.to_owned()));
    }
    let long = format!("{} * * * *", "1,".repeat(40_000));
    assert!(matches!(fault(&long), CronFault::Field(_)));
}

#[test]
fn options_stand_before_the_when_in_any_order() {
    let wanted = understood(
        Form::Every,
        "Fresh europe/berlin SKIP weekday 9:00 fresh all",
    );
    assert!(wanted.is_fresh);
    assert_eq!(wanted.zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(wanted.missed, Missed::Skip);
    assert_eq!(wanted.prompt, "fresh all");

    let wanted = understood(Form::At, "all UTC 15:00 go");
    assert_eq!(wanted.zone.as_deref(), Some("UTC"));
    assert_eq!(wanted.missed, Missed::All);
    // 14:30 in UTC: today.
    assert_eq!(
        wanted.when,
        When::Once(moment("2026-12-01T15:00:00+00:00[UTC]"))
    );

    let wanted = understood(Form::In, "20m skip UTC/x");
    assert_eq!((wanted.missed, wanted.is_fresh), (Missed::Once, false));
    assert_eq!((wanted.zone, wanted.prompt), (None, "skip UTC/x"));

    let named = |word: &str| Err(No::UnknownZone(word.to_owned()));
    for word in ["Mars/Base", "../../etc/passwd", "/etc/passwd", "a/"] {
        let text = format!("{word} 15:00 x");
        assert_eq!(told(Form::At, &text), named(word));
    }
    for (text, word) in [
        ("fresh fresh 15:00 x", "fresh"),
        ("skip All 15:00 x", "All"),
        ("UTC Europe/Berlin 15:00 x", "Europe/Berlin"),
    ] {
        assert_eq!(told(Form::At, text), Err(No::Twice(word.to_owned())));
    }
}

#[test]
fn the_prompt_is_what_stands_behind_one_separator_to_the_byte() {
    for (text, prompt) in [
        ("15:00 one", "one"),
        ("  15:00 one", "one"),
        ("\n15:00 one", "one"),
        ("15:00   one  two \n", "one  two \n"),
        ("15:00\none", "one"),
        ("15:00\r\n one", " one"),
        (
            "15:00\n    fn main() {\n        x\n    }\n\n",
            "    fn main() {\n        x\n    }\n\n",
        ),
        ("15:00\n\none", "\none"),
        ("15:00\t\u{a0}one", "\u{a0}one"),
        ("15:00 15:00 tomorrow", "15:00 tomorrow"),
    ] {
        assert_eq!(understood(Form::At, text).prompt, prompt, "{text:?}");
    }
    let wanted = understood(Form::Every, "\"0 9 * * *\"\n  go");
    assert_eq!(wanted.prompt, "  go");
    for text in [
        "15:00",
        "15:00 ",
        "15:00\n\n",
        "15:00 \u{200b}",
        "today 16:00 ",
    ] {
        assert_eq!(told(Form::At, text), Err(No::NoPrompt), "{text:?}");
    }
}

#[test]
fn nothing_is_guessed() {
    let nothing = |form, texts: &[&str]| {
        for text in texts {
            assert_eq!(told(form, text), Err(No::NoWhen), "{form:?} {text:?}");
        }
    };
    nothing(
        Form::At,
        &[
            "",
            " \n",
            "fresh",
            "15 x",
            "15:0 x",
            "15.00 x",
            "24:00 x",
            "13pm x",
            "0am x",
            "9 am x",
            "noon x",
            "today",
            "today x",
            "today\n16:00 x",
            "monday x",
            "mo 9:00 x",
            "20m x",
            "2026-02-30 9:00 x",
            "2026-2-3 9:00 x",
            "2026-12-24 x",
            "2026-12-24T18:00:00 x",
            "+9:00 x",
            "-2026-12-24 9:00 x",
            "15:00x",
            "١٥:٠٠ x",
            "next monday 9:00 x",
        ],
    );
    nothing(
        Form::In,
        &[
            "20 x",
            "m x",
            "20 m x",
            "30m1h x",
            "1h1h x",
            "1w x",
            "1.5h x",
            "-5m x",
            "15:00 x",
            "tomorrow x",
            "20m, x",
        ],
    );
    nothing(
        Form::Every,
        &[
            "x",
            "0 9 * * 1-5 x",
            "@daily x",
            "day x",
            "9:00 x",
            "mon, wed 9:00 x",
            "mon,,wed 9:00 x",
            "monday,day 9:00 x",
            "hourly x",
            "\"0 9 * * 1 x",
            "\"0 9 * * 1\"x",
            "minute x",
        ],
    );
}

#[test]
fn a_routine_says_in_words_when_its_work_begins() {
    let words = |text: &str| understood(Form::Every, text).when.in_words();
    for (text, said) in [
        ("day 9:00 x", "every day at 9:00"),
        ("weekday 17:05 x", "every weekday at 17:05"),
        ("weekend 10:00 x", "every Saturday and Sunday at 10:00"),
        ("mon 0:00 x", "every Monday at 0:00"),
        (
            "fri,mon,wed 9:00 x",
            "every Monday, Wednesday and Friday at 9:00",
        ),
        ("hour x", "every hour"),
        ("1h x", "every hour"),
        ("2h x", "every 2 hours"),
        ("90m x", "every 90 minutes"),
        ("90s x", "every 90 seconds"),
        ("1d x", "every day"),
        ("24h x", "every day"),
        ("48h x", "every 2 days"),
        ("'*/5 9 * * 1-5' x", "*/5 9 * * 1-5"),
        ("'0 9 1 * 1' x", "0 9 1 * 1"),
        ("'0 9 * * 0' x", "0 9 * * 0"),
        ("'0 9 * * fri' x", "0 9 * * fri"),
    ] {
        assert_eq!(words(text), said, "{text}");
    }
    assert_eq!(When::Once(0).in_words(), "once");
    assert_eq!(When::Call.in_words(), "at a call");
}

#[test]
fn a_when_is_kept_as_json() {
    let every = When::Every { from: 1, pause: 2 };
    for (when, json) in [
        (When::Once(7), r#"{"once":7}"#),
        (
            When::Cron("0 9 * * *".to_owned()),
            r#"{"cron":"0 9 * * *"}"#,
        ),
        (every, r#"{"every":{"from":1,"pause":2}}"#),
        (When::Call, r#""call""#),
    ] {
        assert_eq!(serde_json::to_string(&when).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<When>(json).expect("a when"), when);
    }
    assert_eq!(
        serde_json::to_string(&Missed::default()).expect("JSON"),
        r#""once""#
    );
}

/// Texts that come near to the forms.
fn near() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ \t\n]{1,2}",
        "(fresh|skip|all|UTC|Europe/Berlin|today|tomorrow|mon|weekday|hour|day)",
        "[0-9]{1,12}",
        "[0-9]{1,4}[dhms:apm-]{0,3}",
        "[\"“”'*/,#L-]",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_at_no_moment_is_too_much_for_the_reader(
        text in prop_oneof![near(), any::<String>()],
        now in prop_oneof![any::<i64>(), 0..4_000_000_000_000_i64],
    ) {
        for form in [Form::At, Form::In, Form::Every] {
            let Ok(wanted) = read(form, &text, now, &zone("Europe/Berlin")) else { continue };
            prop_assert!(text.ends_with(wanted.prompt));
            let zone = zone(wanted.zone.as_deref().unwrap_or("Europe/Berlin"));
            prop_assert!(wanted.when.next(&zone, now).is_some_and(|next| next > now));
            prop_assert!(!wanted.when.in_words().is_empty());
        }
    }

    #[test]
    fn any_prompt_arrives_behind_any_when(prompt in any::<String>(), break_line: bool) {
        let separator = if break_line { "\n" } else { " " };
        let separated = break_line || !prompt.starts_with([' ', '\t']);
        prop_assume!(separated && !telecoder::domain::shown::is_blank(&prompt));
        for (form, when) in [
            (Form::At, "fresh tomorrow 9:00"),
            (Form::At, "9am"),
            (Form::In, "UTC 20m"),
            (Form::Every, "all mon,tue 9:00"),
            (Form::Every, "“0 9 * * *”"),
            (Form::Every, "hour"),
        ] {
            let text = format!("{when}{separator}{prompt}");
            prop_assert_eq!(told(form, &text).map(|wanted| wanted.prompt), Ok(prompt.as_str()));
        }
    }
}
