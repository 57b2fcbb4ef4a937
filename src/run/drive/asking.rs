//! Puts claude's questions in a run to the chat, and passes answers on.
//!
//! Everything is stored before it is done: a question once for each request, an answer by `inbox::question`. claude
//! gets one answering line for each request, whichever process is killed in between.

use std::time::Duration;

use fail::fail_point;
use jiff::Zoned;
use rusqlite::Connection;
use tracing::{info, warn};
use uuid::Uuid;

use super::Drive;
use super::choosing::Told;
use crate::chat::questions::{self as words, Became};
use crate::claude::{asks, control, elicitation};
use crate::domain::choices::Choices;
use crate::domain::choices::PermissionMode;
use crate::domain::choices::{QuietHours, Ring, minute_of_day};
use crate::domain::event::Event;
use crate::domain::id::{ChatId, ChatThread, MessageId, PromptId, RunId};
use crate::domain::question::{Answer, Asks, Elicitation, Grant, Question, Request, RequestId};
use crate::run::asked::show;
use crate::store::questions::{self, State};
use crate::store::settings;
use crate::store::{self, outbox, runs};

/// When somebody is reminded of a question for the first time, and how often again.
const REMINDED_AFTER: Duration = Duration::from_secs(10 * 60);
const REMINDED_AGAIN: Duration = Duration::from_secs(60 * 60);
/// When a reminder does not ring if the chat has set no quiet hours.
const NIGHT: QuietHours = QuietHours {
    from: 22 * 60,
    to: 8 * 60,
};

/// The open requests of a run.
#[derive(Default)]
pub(super) struct Asking {
    /// In the order in which claude asked.
    waiting: Vec<Waiting>,
    /// Requests that are over, but may still be shown in the chat.
    gone: Vec<RequestId>,
    /// How many questions are open.
    open: usize,
    /// The choices that claude was told; `None` before they are looked up.
    pub(super) told: Option<Told>,
}

struct Waiting {
    request: Request,
    is_put: bool,
    /// claude was asked for the plan, and has not answered yet.
    awaits_plan: bool,
}

/// What claude asks about.
#[derive(Clone, Copy)]
struct About {
    prompt: Option<PromptId>,
    /// The prompt's message.
    message: Option<MessageId>,
}

/// What a request puts to the chat.
struct New {
    questions: Vec<Question>,
    plan: Option<String>,
}

/// What one look at the store brought.
struct Looked {
    at: ChatThread,
    answered: Vec<(RequestId, Vec<Answer>)>,
    over: Vec<RequestId>,
    open: usize,
    has_written: bool,
    choices: Choices,
    grants: Vec<Grant>,
}

impl Asking {
    /// Notes an event about questions.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Asks(request) => self.waiting.push(Waiting {
                awaits_plan: matches!(request.asks, Asks::Plan { plan: None, .. }),
                request: (**request).clone(),
                is_put: false,
            }),
            Event::PlanRead { request, plan } => {
                let asked = self
                    .waiting
                    .iter_mut()
                    .find(|asked| asked.awaits_plan && asked.request.id == *request);
                if let Some(asked) = asked {
                    asked.awaits_plan = false;
                    if let Asks::Plan { plan: read, .. } = &mut asked.request.asks {
                        read.clone_from(plan);
                    }
                }
            }
            Event::AskCancelled(id) => self.end(|request| request.id == *id),
            // A background subagent's request stays open.
            Event::TurnEnded(_) => self.end(|request| {
                // A form does not say whose it is; claude takes it back if nobody waits for it.
                !request.by_subagent && !matches!(request.asks, Asks::Elicitation(_))
            }),
            _ => {}
        }
    }

    fn end(&mut self, is_over: impl Fn(&Request) -> bool) {
        let over = self
            .waiting
            .extract_if(.., |waiting| is_over(&waiting.request));
        self.gone.extend(over.map(|waiting| waiting.request.id));
    }

    /// How many requests wait for an answer.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many questions are open, as the live message tells it.
    pub fn open(&self) -> usize {
        self.open
    }

    fn has_news(&self) -> bool {
        !self.gone.is_empty() || self.waiting.iter().any(|waiting| !waiting.is_put)
    }
}

impl Drive<'_> {
    /// Puts new questions to the chat, and passes answers on. `looks` says that somebody may have answered or chosen
    /// something, or that it is time to look.
    pub(super) async fn attend(&mut self, looks: bool) -> anyhow::Result<()> {
        // The unread events may end a question.
        if self.more || (!looks && !self.asking.has_news()) {
            return Ok(());
        }
        for waiting in self
            .asking
            .waiting
            .iter()
            .filter(|waiting| waiting.awaits_plan)
        {
            let id = &waiting.request.id;
            let key = format!("plan-{}", as_key(&id.0));
            self.host.pass_on(&key, &control::get_plan(id))?;
        }
        let looked = self.look_at_questions().await?;
        self.asking.open = looked.open;
        self.asking.gone.clear();
        for waiting in &mut self.asking.waiting {
            waiting.is_put = !waiting.awaits_plan;
        }
        if looked.has_written {
            self.runner.handles.outbox.deliver(looked.at.chat);
        }
        if self.may_go_on(looked.open, !looked.answered.is_empty()) {
            self.pass_answers_on(looked.answered).await?;
        }
        let over = looked.over;
        self.asking
            .waiting
            .retain(|waiting| !over.contains(&waiting.request.id));
        self.tell_choices(&looked.choices, &looked.grants)?;
        Ok(())
    }

    async fn look_at_questions(&self) -> anyhow::Result<Looked> {
        let id = self.run.id;
        let about = About {
            prompt: self.progress.asked_now().first().copied(),
            message: self.asked_now().first().copied().or(self.run.asked_by),
        };
        let session = self.session.id.clone();
        let folder = &self.progress.folder;
        let is_new = |waiting: &Waiting| !waiting.is_put;
        let modes = match self.asking.waiting.iter().any(is_new) {
            true => self.modes_of_a_plan(),
            false => Vec::new(),
        };
        let gone = self.asking.gone.clone();
        let minute = minute_of_day(&Zoned::now());
        let waiting: Vec<(RequestId, Option<New>, Option<Elicitation>)> = self
            .asking
            .waiting
            .iter()
            .filter(|waiting| !waiting.awaits_plan)
            .map(
                |Waiting {
                     request, is_put, ..
                 }| {
                    let new = || New {
                        // A session of a shell has nobody to ask.
                        questions: match self.run.at.chat {
                            ChatId::SHELL => Vec::new(),
                            _ => request.questions(folder, &modes),
                        },
                        plan: match &request.asks {
                            Asks::Plan { plan, .. } => Some(plan.clone().unwrap_or_default()),
                            _ => None,
                        },
                    };
                    let form = match &request.asks {
                        Asks::Elicitation(form) => Some(form.clone()),
                        _ => None,
                    };
                    (request.id.clone(), (!is_put).then(new), form)
                },
            )
            .collect();
        let store = &self.runner.handles.store;
        Ok(store
            .transaction(move |db| {
                let at = runs::place(db, id)?;
                let mut has_written = false;
                for request in &gone {
                    has_written |= close_request(db, at, id, request)?;
                }
                let (mut answered, mut over) = (Vec::new(), Vec::new());
                for (request, new, form) in &waiting {
                    if let Some(new) = new {
                        has_written |= put(db, at, id, request, new, about)?;
                    }
                    let found = questions::of_request(db, id, request)?;
                    let declined = found.iter().find_map(|asked| {
                        let (form, answer) = (form.as_ref()?, asked.answer.as_ref()?);
                        elicitation::declines(form, answer).then(|| answer.clone())
                    });
                    if let Some(declined) = declined {
                        has_written |= close_request(db, at, id, request)?;
                        answered.push((request.clone(), vec![declined]));
                    } else if found.iter().all(|asked| asked.state == State::Answered) {
                        let answers = found.into_iter().filter_map(|asked| asked.answer);
                        answered.push((request.clone(), answers.collect()));
                    } else if found.iter().any(|asked| asked.state == State::Over) {
                        over.push(request.clone());
                    }
                }
                has_written |= remind(db, at, id, minute)?;
                Ok(Looked {
                    at,
                    answered,
                    over,
                    open: questions::open_count(db, id)?,
                    has_written,
                    choices: settings::choices(db, at.chat)?,
                    grants: questions::grants(db, &session)?,
                })
            })
            .await?)
    }

    async fn pass_answers_on(
        &mut self,
        answered: Vec<(RequestId, Vec<Answer>)>,
    ) -> anyhow::Result<()> {
        for (id, answers) in answered {
            let place = self
                .asking
                .waiting
                .iter()
                .position(|waiting| waiting.request.id == id);
            let Some(place) = place else {
                continue;
            };
            fail_point!("answer-written", |_| std::process::abort());
            let request = &self.asking.waiting[place].request;
            if let Asks::Unknown(subtype) = &request.asks {
                warn!(run.id = %self.run.id, subtype, "claude asks for something that telecoder does not know");
            }
            let key = format!("answer-{}", as_key(&id.0));
            let is_new = self
                .host
                .pass_on(&key, &asks::response(request, &answers))?;
            if is_new {
                info!(run.id = %self.run.id, "an answer was passed on to claude");
            }
            let declined = match &request.asks {
                Asks::Unknown(what) if is_new => Some(words::declined(what)),
                _ => None,
            };
            fail_point!("answer-passed-on", |_| std::process::abort());
            self.asking.waiting.remove(place);
            if let Some(told) = declined {
                self.say(told).await?;
            }
        }
        Ok(())
    }

    /// The modes to offer when a plan is approved; a configured bypassPermissions comes first.
    fn modes_of_a_plan(&self) -> Vec<PermissionMode> {
        let before = self.runner.permission_mode;
        let may_bypass = self.asking.told.as_ref().map_or_else(
            || {
                self.host
                    .launched()
                    .is_ok_and(|launched| launched.may_bypass)
            },
            |told| told.may_bypass,
        );
        let mut modes = vec![PermissionMode::AcceptEdits, PermissionMode::Default];
        if may_bypass {
            match before {
                PermissionMode::BypassPermissions => modes.insert(0, before),
                _ => modes.push(PermissionMode::BypassPermissions),
            }
        }
        modes
    }
}

/// A name of letters, digits and `-` for a passed-on line; unique for each text.
pub(super) fn as_key(text: &str) -> String {
    const LONGEST: usize = 100;
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_one) {
        return text.to_owned();
    }
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}

/// Asks the chat, each question once. Returns whether a message is due.
fn put(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    request: &RequestId,
    new: &New,
    about: About,
) -> rusqlite::Result<bool> {
    let mut has_written = false;
    for (number, question) in new.questions.iter().enumerate() {
        let Some(id) = questions::insert(db, run, (request, number), about.prompt, question)?
        else {
            continue;
        };
        has_written = true;
        if let Some(plan) = &new.plan {
            outbox::insert_long(db, at, words::plan(plan).replying_to(about.message))?;
        }
        let message = words::message(&id, question, Became::Open(&[]))
            .loud()
            .replying_to(about.message);
        let row = outbox::insert_long(db, at, message)?;
        questions::set_message(db, &id, row)?;
        if let Some(whole) = words::whole(question) {
            outbox::insert_replying(db, at, &whole, Some(row))?;
        }
    }
    Ok(has_written)
}

/// Closes a request that is over for claude.
fn close_request(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    request: &RequestId,
) -> rusqlite::Result<bool> {
    let mut has_closed = false;
    for asked in questions::of_request(db, run, request)? {
        if questions::close(db, &asked.id)? {
            show(db, at, &asked, Became::Over)?;
            has_closed = true;
        }
    }
    Ok(has_closed)
}

/// One reminder of all that is open, as an answer to the oldest question. `minute` is that of the day.
fn remind(db: &Connection, at: ChatThread, run: RunId, minute: u16) -> rusqlite::Result<bool> {
    let in_ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let due = questions::due_for_reminder(db, run, in_ms(REMINDED_AFTER), in_ms(REMINDED_AGAIN))?;
    let Some(since) = due else {
        return Ok(false);
    };
    let open = questions::open_of_run(db, run)?;
    let waited = Duration::from_millis(u64::try_from(store::now() - since).unwrap_or(0));
    let ring = settings::get(db, at.chat)?.ring;
    let night = Ring {
        quiet: ring.quiet.or(Some(NIGHT)),
        ..ring
    };
    let message = words::reminder(waited, open.len())
        .loud()
        .ringing_if(night.rings_at(minute));
    let oldest = open.first();
    outbox::insert_replying(db, at, &message, oldest.and_then(|asked| asked.row))?;
    // If only one question is open, a reply to the reminder answers it.
    if let [only] = open.as_slice() {
        questions::add_message(db, &only.id, db.last_insert_rowid(), false)?;
    }
    questions::set_reminded(db, run)?;
    Ok(true)
}
