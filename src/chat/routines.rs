//! The sentences about routines: their card, the list, what began, and what did not.
//!
//! A moment is told in the routine's own zone; a client shows it in its reader's.

use jiff::{Timestamp, Zoned};

use crate::domain::button::Press;
use crate::domain::outgoing::{Outgoing, TimeForm, ToldTime};
use crate::domain::routine::{
    CronFault, Missed, NotUnderstood, Occurrence, PausedFor, Routine, State, When,
};
use crate::redact::short::one_line;

/// How much of a prompt a list shows, in characters.
const PROMPT_SHOWN: usize = 60;
/// The most that one list shows: a message has room for a hundred buttons.
const LISTED: usize = 40;
/// How many moments a card shows.
const NEXT_SHOWN: usize = 3;

/// Every form of a when.
const FORMS: &str = "\
    /at 15:00 … (or tomorrow 9:00, monday 9:00, 2026-12-24 18:00)\n\
    /in 20m … (or 2h, 1h30m, 3d)\n\
    /every weekday 9:00 … (or day 9:00, mon,thu 9:00, 2h, \"0 9 * * 1-5\")\n\n\
    Instead of … stands the prompt. Before the time may stand: fresh (each time in a new session), skip or all (what \
    becomes of moments that pass while I am away; without either, one run makes up for them), and a time zone such as \
    Europe/Berlin.";

/// A moment with its day, and with its year if that is another one than the reader's.
fn moment(at: &Zoned, now: i64) -> ToldTime {
    let now = Timestamp::from_millisecond(now).map(|now| now.to_zoned(at.time_zone().clone()));
    let form = match now.is_ok_and(|now| now.year() == at.year()) {
        true => "%a %-d %b, %H:%M",
        false => "%a %-d %b %Y, %H:%M",
    };
    ToldTime {
        words: at.strftime(form).to_string(),
        at: at.timestamp().as_second(),
        form: TimeForm::DateAndClock,
    }
}

fn telling(message: Outgoing, times: Vec<ToldTime>) -> Outgoing {
    times.into_iter().fold(message, Outgoing::telling)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Its next moments, as a sentence.
fn next(routine: &Routine, now: i64) -> (String, Vec<ToldTime>) {
    let moments = routine.next_few(now, NEXT_SHOWN);
    let times: Vec<ToldTime> = moments.iter().map(|at| moment(at, now)).collect();
    let words: Vec<&str> = times.iter().map(|time| time.words.as_str()).collect();
    let sentence = match (words.as_slice(), &routine.when) {
        ([], _) => String::new(),
        ([only], When::Once(_)) => format!("{only} ({}).", zone(routine)),
        (words, _) => format!("Next: {} ({}).", words.join("; "), zone(routine)),
    };
    (sentence, times)
}

fn how(routine: &Routine) -> String {
    let place = match (routine.is_fresh, &routine.when) {
        (true, When::Once(_)) => ", in a new session on the same repository",
        (true, _) => ", each time in a new session on the same repository",
        (false, _) => "",
    };
    let missed = match routine.missed {
        Missed::Once => "",
        Missed::Skip => " What passes while I am away is left out.",
        Missed::All => " What passes while I am away is all made up for.",
    };
    let when = capitalized(&routine.when_in_words());
    match routine.when {
        When::Once(_) => format!("{when}{place}:"),
        _ => format!("{when}{place}.{missed}"),
    }
}

fn zone(routine: &Routine) -> &str {
    match routine.zone.as_str() {
        "Etc/UTC" => "UTC",
        zone => zone,
    }
}

/// The card that a person keeps or cancels.
pub fn offered(routine: &Routine, now: i64) -> Outgoing {
    let (next, times) = next(routine, now);
    let text = format!(
        "{} {next} Nothing begins unless you keep it. The prompt:",
        how(routine)
    );
    telling(Outgoing::note(text).quoting(routine.prompt.shown()), times)
        .with_button("Keep", Press::KeepRoutine(routine.id.clone()))
        .with_button("Cancel", Press::CancelRoutine(routine.id.clone()))
}

/// It is kept, or goes on.
pub fn kept(routine: &Routine, now: i64) -> Outgoing {
    let next = routine
        .planned_at
        .map(|at| moment(&routine.in_zone(at), now));
    let when = match (&next, &routine.when) {
        (Some(next), When::Once(_)) => format!(" for {}", next.words),
        (Some(next), _) => format!(": {}, next {}", routine.when_in_words(), next.words),
        (None, _) => format!(": {}", routine.when_in_words()),
    };
    Outgoing::note(format!(
        "Kept{when}. /routines shows and changes what is kept here."
    ))
    .telling(next)
}

/// What was written is none of the forms.
pub fn not_understood(why: &NotUnderstood) -> Outgoing {
    Outgoing::note(format!(
        "Nothing was made: {}. These forms are understood:\n\n{FORMS}",
        why_not(why)
    ))
}

/// Why words are no routine, as a clause.
pub fn why_not(why: &NotUnderstood) -> String {
    match why {
        NotUnderstood::NoWhen => "I did not understand when".to_owned(),
        NotUnderstood::NoPrompt => "behind the time there is no prompt".to_owned(),
        NotUnderstood::Past => "that moment has passed".to_owned(),
        NotUnderstood::TooShort => {
            "that is too short; again and again takes a minute at least".to_owned()
        }
        NotUnderstood::TooLong => "that is too long; 366 days are the most".to_owned(),
        NotUnderstood::UnknownZone(zone) => {
            format!("this machine knows no time zone {}", one_line(zone, 40))
        }
        NotUnderstood::Twice(option) => {
            format!(
                "“{}” repeats or contradicts what stands before it",
                one_line(option, 40)
            )
        }
        NotUnderstood::Cron(fault) => cron_fault(fault),
    }
}

fn cron_fault(fault: &CronFault) -> String {
    match fault {
        CronFault::NotFive => "a cron expression has five fields, and nothing else".to_owned(),
        CronFault::Extension => {
            "a cron expression has numbers, names, and * , - / here, as crontab(5) knows them"
                .to_owned()
        }
        CronFault::NeverComes => "no day of the calendar fits that cron expression".to_owned(),
        CronFault::Field(words) => {
            format!(
                "the cron expression is not valid ({})",
                one_line(words, 120)
            )
        }
    }
}

/// It would have to bring a file.
pub fn no_files() -> Outgoing {
    Outgoing::note(
        "Nothing was made: a routine takes words along, but no file. Put the file into the workspace, and name it in the \
         prompt.",
    )
}

/// `/routines`
pub fn list(routines: &[Routine], now: i64) -> Outgoing {
    if routines.is_empty() {
        return Outgoing::note(format!(
            "There is no routine in this chat. One is made so:\n\n{FORMS}\n\n/hook says how a call from outside begins one."
        ));
    }
    let mut times = Vec::new();
    let mut lines =
        vec!["Routines of this chat. A number shows one, with what can be done:".to_owned()];
    for (number, routine) in routines.iter().take(LISTED).enumerate() {
        let next = routine
            .planned_at
            .map(|at| moment(&routine.in_zone(at), now));
        let state = match (routine.state, &next) {
            (State::Paused(_), _) => ", paused".to_owned(),
            (_, Some(next)) => format!(", next {}", next.words),
            (_, None) => String::new(),
        };
        times.extend(next);
        let prompt = one_line(&routine.prompt.shown(), PROMPT_SHOWN);
        let when = routine.when_in_words();
        lines.push(format!("{}. {when}{state}: {prompt}", number + 1));
    }
    if routines.len() > LISTED {
        lines.push(format!(
            "… and {} more; “telecoder routine list” has all.",
            routines.len() - LISTED
        ));
    }
    let mut message = telling(Outgoing::note(lines.join("\n")), times);
    for (number, routine) in routines.iter().take(LISTED).enumerate() {
        let press = Press::ShowRoutine(routine.id.clone());
        message = message.with_button(format!("{}", number + 1), press);
    }
    message
}

/// One routine, with what can be done with it.
pub fn shown(routine: &Routine, last: &[Occurrence], now: i64) -> Outgoing {
    let (next, mut times) = next(routine, now);
    let standing = match routine.state {
        State::Paused(PausedFor::Wish) => "It is paused.".to_owned(),
        State::Paused(PausedFor::Failures) => {
            "It is paused, as three runs in a row failed.".to_owned()
        }
        State::Paused(PausedFor::Removal) => {
            "It is paused, as who made it may not use me here any more.".to_owned()
        }
        State::Over => "It is over.".to_owned(),
        State::Kept | State::Offered => next,
    };
    let mut text = format!("{} {standing}", how(routine));
    if !last.is_empty() {
        text.push_str("\n\nThe last ones:");
    }
    for occurrence in last {
        let planned = moment(&routine.in_zone(occurrence.planned_at), now);
        text.push_str(&format!("\n• {}: {}", planned.words, became(occurrence)));
        times.push(planned);
    }
    text.push_str("\n\nThe prompt:");
    let message = telling(Outgoing::note(text).quoting(routine.prompt.shown()), times);
    let id = || routine.id.clone();
    let message = message.with_button("Run now", Press::RunRoutine(id()));
    match routine.state {
        State::Kept => message.with_button("Pause", Press::PauseRoutine(id())),
        _ => message.with_button("Go on", Press::KeepRoutine(id())),
    }
    .with_button("Delete", Press::DeleteRoutine(id()))
}

/// What became of a moment, in a word or two.
pub fn became(occurrence: &Occurrence) -> &'static str {
    match (occurrence.run, occurrence.outcome.as_deref()) {
        (None, _) => "left out",
        (Some(_), None) => "waits or runs",
        (_, Some("completed")) => "done",
        (_, Some("stopped")) => "stopped",
        (_, Some("timed_out")) => "out of time",
        (_, Some("lost")) => "lost",
        (_, Some(_)) => "failed",
    }
}

/// How a beginning differs from the plan.
#[derive(Clone, Debug, Default)]
pub struct Late {
    /// Its moment, if that was a while ago.
    pub planned: Option<Zoned>,
    /// So many moments before it passed without a run.
    pub missed: u32,
    /// A person wanted it now.
    pub is_by_hand: bool,
}

/// Its prompt was queued. `elsewhere` is the session, if the chat talks to another one.
pub fn begun(routine: &Routine, late: &Late, elsewhere: Option<&str>, now: i64) -> Outgoing {
    let time = late.planned.as_ref().map(|at| moment(at, now));
    let mut remarks = Vec::new();
    remarks.extend(late.is_by_hand.then(|| "by hand".to_owned()));
    remarks.extend(
        time.as_ref()
            .map(|time| format!("planned for {}", time.words)),
    );
    remarks.extend(match late.missed {
        0 => None,
        1 => Some("one moment before passed meanwhile".to_owned()),
        many => Some(format!("{many} moments before passed meanwhile")),
    });
    let remarks = match remarks.is_empty() {
        true => String::new(),
        false => format!(" ({})", remarks.join("; ")),
    };
    let session = elsewhere.map_or_else(String::new, |session| format!(", in session {session}"));
    let title = match routine.when {
        When::Once(_) => "As planned".to_owned(),
        _ => format!("Routine, {}", routine.when_in_words()),
    };
    Outgoing::note(format!("{title}{session}{remarks}:"))
        .quoting(routine.prompt.shown())
        .telling(time)
}

/// Moments passed without a run, and none is made up for.
pub fn left_out(routine: &Routine, newest: i64, missed: u32, now: i64) -> Outgoing {
    let when = routine.when_in_words();
    let time = moment(&routine.in_zone(newest), now);
    let passed = match missed {
        1 => format!("its moment {} passed", time.words),
        many => format!("{many} moments up to {} passed", time.words),
    };
    Outgoing::note(format!("Routine, {when}: {passed} without a run.")).telling(time)
}

/// Three runs in a row failed.
pub fn paused_by_failures(routine: &Routine) -> Outgoing {
    let why = "three runs in a row failed, so it is paused. Look at their answers, and let it go on when the cause is \
               mended.";
    paused(routine, why).loud()
}

/// Who made it may not use the bot in this chat any more.
pub fn paused_by_removal(routine: &Routine) -> Outgoing {
    let why = "who made it may not use me here any more, so it is paused. Whoever lets it go on answers for it from then \
               on.";
    paused(routine, why)
}

fn paused(routine: &Routine, why: &str) -> Outgoing {
    let when = routine.when_in_words();
    Outgoing::note(format!("Routine, {when}: {why}"))
        .quoting(routine.prompt.shown())
        .with_button("Go on", Press::KeepRoutine(routine.id.clone()))
        .with_button("Delete", Press::DeleteRoutine(routine.id.clone()))
}

/// Somebody made it in a shell of the machine.
pub fn made_in_shell(routine: &Routine, now: i64) -> Outgoing {
    let next = routine
        .planned_at
        .map(|at| moment(&routine.in_zone(at), now));
    let begins = match &next {
        Some(next) => format!(" It begins {}.", next.words),
        None => String::new(),
    };
    let when = routine.when_in_words();
    Outgoing::note(format!(
        "A routine was made in the shell, {when}.{begins} /routines shows and changes what is kept here."
    ))
    .quoting(routine.prompt.shown())
    .telling(next)
}

/// Somebody paused it in a shell of the machine.
pub fn paused_in_shell(routine: &Routine) -> Outgoing {
    let when = routine.when_in_words();
    Outgoing::note(format!("Routine, {when}: it was paused in the shell."))
        .with_button("Go on", Press::KeepRoutine(routine.id.clone()))
}

/// Somebody deleted it in a shell of the machine.
pub fn deleted_in_shell(routine: &Routine) -> Outgoing {
    let when = routine.when_in_words();
    Outgoing::note(format!("Routine, {when}: it was deleted in the shell."))
        .quoting(routine.prompt.shown())
}
