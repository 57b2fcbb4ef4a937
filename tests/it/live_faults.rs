//! Whatever happens to a live message once, none is left that offers to stop what is over.

use std::time::Duration;

use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::limits::TOPIC_CLOSED;
use crate::support::watching::Said;
use crate::support::{Fault, Machine};

/// What happens to a call.
struct Case {
    name: &'static str,
    fault: Fault,
    /// The call has had its effect, and the bot cannot know it.
    is_taken: bool,
    /// It says something of the chat, or of another call: nothing has to be shown there again.
    may_give_up: bool,
    in_topic: bool,
}

/// When it happens.
struct Moment {
    name: &'static str,
    method: &'static str,
    words: &'static str,
    prompt: &'static str,
}

const RUN: &str =
    "[[tool: Bash one]] [[sleep: 6000]] [[tool: Bash two]] [[sleep: 9000]] [[say: after it]]";

fn moments() -> [Moment; 4] {
    let moment = |name, method, words, prompt| Moment {
        name,
        method,
        words,
        prompt,
    };
    [
        moment("first send", "sendMessage", "Working", RUN),
        moment("edit", "editMessageText", "Working", RUN),
        moment("end", "editMessageText", "Done", RUN),
        moment(
            "removal",
            "deleteMessage",
            "",
            "[[bash: echo x > one]] [[say: after it]]",
        ),
    ]
}

fn cases() -> Vec<Case> {
    let refused = |code, words| Fault::Refuse(code, words);
    let case = |name, fault| Case {
        name,
        fault,
        is_taken: false,
        may_give_up: false,
        in_topic: false,
    };
    let taken = |name, fault| Case {
        is_taken: true,
        ..case(name, fault)
    };
    let hopeless = |name, fault| Case {
        may_give_up: true,
        ..case(name, fault)
    };
    vec![
        case("429", Fault::Flood(2)),
        case("500", refused(500, "Internal Server Error")),
        case("502 of a gateway", Fault::Status(502)),
        case("cut before it was taken", Fault::CloseBefore),
        case(
            "entities",
            refused(400, "Bad Request: can't parse entities: unsupported"),
        ),
        case("refused", refused(400, "Bad Request: something quite new")),
        hopeless(
            "cannot be edited",
            refused(400, "Bad Request: message can't be edited"),
        ),
        hopeless(
            "cannot be deleted",
            refused(400, "Bad Request: message can't be deleted"),
        ),
        taken("cut after it was taken", Fault::CloseAfter),
        taken(
            "502 of a gateway that passed it on",
            Fault::StatusAfter(502),
        ),
        taken("answered too late", Fault::Late(Duration::from_secs(8))),
        hopeless(
            "blocked for a moment",
            refused(403, "Forbidden: bot was blocked by the user"),
        ),
        hopeless(
            "muted for a moment",
            refused(400, "Bad Request: have no rights to send a message"),
        ),
        Case {
            in_topic: true,
            ..hopeless("topic closed for a moment", refused(400, TOPIC_CLOSED))
        },
    ]
}

/// One chat a moment: a person's own, or a group.
fn write(machine: &Machine, case: &Case, index: usize, prompt: &str) -> Said {
    let person = 101 + index as u64;
    match case.in_topic {
        true => machine.writes_in(group(index), Some(11), UserId(person), prompt),
        false => machine.writes(person, prompt),
    }
}

fn group(index: usize) -> ChatId {
    ChatId(-1_101 - index as i64)
}

fn is_at(message: &Posted, said: &Said) -> bool {
    message.chat == said.chat.0
}

/// What is wrong after this happened at each moment.
fn wrong_after(case: &Case) -> Vec<String> {
    let moments = moments();
    let groups: Vec<String> = (0..4).map(|index| group(index).0.to_string()).collect();
    let machine = Machine::new()
        .with_people(101..=104)
        .with("TELECODER_TG_ALLOWED_CHATS", groups.join(","))
        .with("TELECODER_MAX_RUNS", "4")
        .with("TELECODER_TEST_CMD", "sleep 3");
    let _bot = machine.start();
    let mut said = Vec::new();
    for (index, moment) in moments.iter().enumerate() {
        let chat = match case.in_topic {
            true => group(index).0,
            false => 101 + index as i64,
        };
        let fault = case.fault.clone();
        machine
            .api
            .plan_for_words(moment.method, Some(chat), moment.words, 1, fault);
        said.push(write(&machine, case, index, moment.prompt));
    }
    machine.until_quiet();
    machine.until("everything has happened", || {
        (machine.api.still_planned() == 0).then_some(())
    });
    let mut wrong = Vec::new();
    let mut complain = |moment: &Moment, what: &str| {
        wrong.push(format!("{} at the {}: {what}", case.name, moment.name));
    };
    if !case.is_taken {
        has_no_button_left(&machine, &said);
    }
    for (moment, said) in moments.iter().zip(&said) {
        if moment.name == "first send" {
            let shown = stop_messages(&machine, said);
            let wanted = 1 + usize::from(case.is_taken);
            if shown < wanted && !case.may_give_up {
                complain(moment, &format!("{shown} live messages during the run"));
            }
            // The bot does not know of the first one: a press takes its button away.
            for lost in left(&machine, said) {
                machine.press(UserId(101), &lost, "Stop");
            }
        }
    }
    has_no_button_left(&machine, &said);
    for (moment, said) in moments.iter().zip(&said) {
        for left in left(&machine, said) {
            complain(moment, &format!("{:?} can still be stopped", left.text));
        }
        let answers = machine.sendings(said.chat, "after it").len();
        if answers != 1 && moment.name != "first send" {
            complain(moment, &format!("{answers} answers"));
        }
    }
    wrong
}

/// How many live messages of this chat had the button.
fn stop_messages(machine: &Machine, said: &Said) -> usize {
    let calls = machine.taken().into_iter();
    let shown = calls.filter(|call| {
        let label = &call.arguments["reply_markup"]["inline_keyboard"][0][0]["text"];
        call.method == "sendMessage" && call.arguments["chat_id"] == said.chat.0 && label == "Stop"
    });
    shown.count()
}

fn left(machine: &Machine, said: &Said) -> Vec<Posted> {
    let left = machine.stoppable().into_iter();
    left.filter(|message| is_at(message, said)).collect()
}

/// Waits for a while until no button is left.
fn has_no_button_left(machine: &Machine, said: &[Said]) {
    let begun = std::time::Instant::now();
    machine.until("no button is left, or it takes too long", || {
        let is_over = said.iter().all(|said| left(machine, said).is_empty());
        (is_over || begun.elapsed() > Duration::from_secs(15)).then_some(())
    });
}

#[test]
fn no_live_message_is_left_that_offers_to_stop_what_is_over_whatever_happened_to_it() {
    let cases = cases();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let mut wrong = Vec::new();
        for some in cases.chunks(7) {
            let running: Vec<_> = some
                .iter()
                .map(|case| scope.spawn(move || wrong_after(case)))
                .collect();
            for each in running {
                match each.join() {
                    Ok(found) => wrong.extend(found),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        }
        wrong
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
