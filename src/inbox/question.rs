//! An answer to what claude asks: by a button below the question, or by a reply to it.
//!
//! The answer is written down here; the chat's worker passes it on to claude (`run::drive`).

use rusqlite::Connection;

use super::button::Pressed;
use super::choices::Chooser;
use super::{Follow, Inbox};
use crate::chat::choices::Defaults;
use crate::chat::questions::{self as words, Became};
use crate::chat::toast;
use crate::domain::access::{Access, Member};
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatId, ChatThread, MessageId, QuestionId, UpdateSeq, UserId};
use crate::domain::outgoing::{Outgoing, WantsReply};
use crate::domain::question::{Answer, Choice, Grant, Pick, Question};
use crate::domain::update::{Content, Message};
use crate::run::asked::show;
use crate::store::questions::{self, Asked, State};
use crate::store::{StoreError, outbox, prompts, runs};

/// Words that mean yes to a question of permission.
const YES: [&str; 5] = ["yes", "y", "ok", "okay", "allow"];
/// Words that mean no, without a reason.
const NO: [&str; 3] = ["no", "n", "deny"];

/// Who answers, and what others call them.
#[derive(Clone, Copy)]
pub(super) struct Answerer<'a> {
    pub member: Member,
    pub name: &'a str,
    pub access: &'a Access,
    pub defaults: &'a Defaults,
}

impl Answerer<'_> {
    fn user(&self) -> UserId {
        self.member.user()
    }

    fn may_answer(&self, asked: &Asked) -> bool {
        let user = self.user();
        asked.user.is_none_or(|whose| whose == user) || self.access.is_owner(user)
    }

    /// Whether the answer brings claude to no mode that they may not choose there.
    fn may_give(
        &self,
        db: &Connection,
        at: ChatThread,
        answer: &Answer,
        to: &Question,
    ) -> rusqlite::Result<bool> {
        let chooser = Chooser {
            member: self.member,
            access: self.access,
            defaults: self.defaults,
        };
        for mode in modes_of(answer, to) {
            if !chooser.may_choose(db, at, mode)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Their name in the answer, in groups only.
    fn named_in(&self, chat: ChatId) -> Option<&str> {
        (chat.is_group() && !self.name.is_empty()).then_some(self.name)
    }
}

impl Inbox {
    /// Whether a message replies to claude's question. One with more than words does not fit an answer: it becomes a
    /// prompt, and claude gets all of it.
    pub(super) async fn is_an_answer(
        &self,
        chat: ChatId,
        message: &Message,
    ) -> Result<bool, StoreError> {
        let Some(to) = message
            .answers()
            .filter(|_| message.content == Content::Text && message.inline_bot.is_none())
        else {
            return Ok(false);
        };
        let about = move |db: &Connection| questions::of_message(db, chat, to);
        let found = self.store.transaction(about).await?;
        Ok(found.is_some_and(|(asked, for_words)| for_words || asked.state == State::Open))
    }

    pub(super) async fn answer(
        &self,
        seq: UpdateSeq,
        member: Member,
        at: ChatThread,
        message: Message,
        text: String,
    ) -> Result<(), StoreError> {
        let (access, defaults) = (self.access.clone(), self.defaults.clone());
        self.effect(seq, at, move |db| {
            let by = Answerer {
                member,
                name: &message.sender_name,
                access: &access,
                defaults: &defaults,
            };
            let Some(to) = message.answers() else {
                return Ok(Follow::default());
            };
            let followed = replied(db, at.chat, to, &text, by)?;
            if followed.is_none() {
                // The question is over by now.
                outbox::insert(db, at, &words::words_came_too_late())?;
            }
            Ok(followed.unwrap_or_default())
        })
        .await
    }
}

/// A button below a question.
pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
    (id, pick): (&QuestionId, Pick),
    by: Answerer<'_>,
) -> rusqlite::Result<Pressed> {
    let over = || Pressed::over(toast::QUESTION_IS_OVER).with_all_buttons();
    let Some(asked) = questions::get(db, id)? else {
        return Ok(over());
    };
    let at = runs::place(db, asked.run)?;
    if at.chat != chat {
        return Ok(Pressed::over(toast::NO_EFFECT).buttons_stay());
    }
    if !by.may_answer(&asked) {
        return Ok(Pressed::over(toast::NOT_YOUR_QUESTION).buttons_stay());
    }
    if !is_waited_for(db, &asked)? {
        return Ok(over());
    }
    let stay = |toast| Ok(Pressed::over(toast).buttons_stay());
    let answer = match (pick, &asked.question) {
        (Pick::Allow, Question::Permission { .. }) => Answer::Allowed,
        (Pick::AllowForSession, Question::Permission { .. }) => Answer::AllowedForSession,
        (Pick::Deny, Question::Permission { .. }) => Answer::Denied { why: None },
        (Pick::DenyAndSay, Question::Permission { .. })
        | (Pick::KeepPlanning, Question::Plan { .. }) => {
            ask_for_words(db, at, &asked, by)?;
            return stay(toast::REPLY_WITH_WORDS);
        }
        (Pick::Approve(mode), Question::Plan { modes }) if modes.contains(&mode) => {
            Answer::Approved(mode)
        }
        (Pick::Option(index), Question::Choice { choice, .. }) => {
            let Some(option) = choice.options.get(index) else {
                return stay(toast::NO_EFFECT);
            };
            if choice.several {
                toggle(db, at, &asked, choice, &option.label)?;
                return stay("");
            }
            Answer::Chosen(vec![option.label.clone()])
        }
        (Pick::Done, Question::Choice { .. }) => match chosen(&asked) {
            [] => return stay(toast::CHOOSE_ONE_FIRST),
            labels => Answer::Chosen(labels.to_vec()),
        },
        _ => return stay(toast::NO_EFFECT),
    };
    if !by.may_give(db, at, &answer, &asked.question)? {
        return stay(toast::ONLY_OWNER);
    }
    give(db, at, &asked, &answer, by)?;
    let pressed = Pressed::over(toast::ANSWERED).with(Follow::wake(at));
    Ok(match questions::of_message(db, chat, message)? {
        // It shows the answer now.
        Some(_) => pressed.buttons_stay(),
        // The store knows only the message's other copy.
        None => pressed.with_all_buttons(),
    })
}

/// Words for a question, written on the page; what is said there.
pub(super) fn answered_on_page(
    db: &Connection,
    chat: ChatId,
    id: &QuestionId,
    text: &str,
    by: Answerer<'_>,
) -> rusqlite::Result<(&'static str, Follow)> {
    let Some(asked) = questions::get(db, id)? else {
        return Ok((toast::QUESTION_IS_OVER, Follow::default()));
    };
    let at = runs::place(db, asked.run)?;
    if at.chat != chat {
        return Ok((toast::NO_EFFECT, Follow::default()));
    }
    if !by.may_answer(&asked) {
        return Ok((toast::NOT_YOUR_QUESTION, Follow::default()));
    }
    if !is_waited_for(db, &asked)? {
        return Ok((toast::QUESTION_IS_OVER, Follow::default()));
    }
    let answer = in_words(&asked.question, text, true);
    give(db, at, &asked, &answer, by)?;
    Ok((toast::ANSWERED, Follow::wake(at)))
}

/// Takes a reply to a message about a question; `None` if it is an ordinary prompt.
pub(super) fn replied(
    db: &Connection,
    chat: ChatId,
    to: MessageId,
    text: &str,
    by: Answerer<'_>,
) -> rusqlite::Result<Option<Follow>> {
    let Some((asked, for_words)) = questions::of_message(db, chat, to)? else {
        return Ok(None);
    };
    let at = runs::place(db, asked.run)?;
    let reply = |message: Outgoing| outbox::insert(db, at, &message.urgent());
    if !is_waited_for(db, &asked)? {
        if !for_words {
            return Ok(None);
        }
        reply(words::words_came_too_late())?;
        return Ok(Some(Follow::default()));
    }
    if !by.may_answer(&asked) {
        reply(words::not_theirs())?;
        return Ok(Some(Follow::default()));
    }
    give(
        db,
        at,
        &asked,
        &in_words(&asked.question, text, for_words),
        by,
    )?;
    Ok(Some(Follow::wake(at)))
}

/// The modes that claude works in after this answer.
fn modes_of(answer: &Answer, to: &Question) -> Vec<PermissionMode> {
    match (answer, to) {
        (Answer::Approved(mode), _) => vec![*mode],
        (Answer::AllowedForSession, Question::Permission { for_session, .. }) => {
            let modes = for_session.iter().filter_map(|grant| match grant {
                Grant::Mode(mode) => Some(*mode),
                Grant::Rule { .. } | Grant::Folder(_) => None,
            });
            modes.collect()
        }
        _ => Vec::new(),
    }
}

/// An open question counts only while its run is running.
fn is_waited_for(db: &Connection, asked: &Asked) -> rusqlite::Result<bool> {
    Ok(asked.state == State::Open && runs::running_under(db, asked.run)?.is_some())
}

/// What words mean as an answer. If somebody was asked for them, claude reads them as they are.
fn in_words(question: &Question, text: &str, for_words: bool) -> Answer {
    let word = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    let is_one_of = |words: &[&str]| !for_words && words.contains(&word.as_str());
    match question {
        Question::Permission { .. } if is_one_of(&YES) => Answer::Allowed,
        Question::Permission { .. } if is_one_of(&NO) => Answer::Denied { why: None },
        Question::Permission { .. } => Answer::Denied {
            why: Some(text.to_owned()),
        },
        Question::Plan { .. } => Answer::KeepPlanning(text.to_owned()),
        Question::Choice { choice, .. } => {
            let label = choice.options.iter().map(|option| &option.label);
            let mut same = label.filter(|label| label.to_lowercase() == word);
            match same.next() {
                Some(label) => Answer::Chosen(vec![label.clone()]),
                None => Answer::Written(text.to_owned()),
            }
        }
    }
}

/// Records the first answer; the question shows it.
fn give(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    answer: &Answer,
    by: Answerer<'_>,
) -> rusqlite::Result<()> {
    if !questions::answer(db, &asked.id, answer, by.user())? {
        return Ok(());
    }
    if let (Answer::AllowedForSession, Question::Permission { for_session, .. }) =
        (answer, &asked.question)
    {
        keep(db, asked, for_session)?;
    }
    let became = Became::Answered {
        answer,
        by: by.named_in(at.chat),
    };
    show(db, at, asked, became)
}

/// Grants apply to the session's later runs too.
fn keep(db: &Connection, asked: &Asked, grants: &[Grant]) -> rusqlite::Result<()> {
    let Some(run) = runs::running_under(db, asked.run)? else {
        return Ok(());
    };
    grants
        .iter()
        .try_for_each(|grant| questions::grant(db, &run.session, grant))
}

fn chosen(asked: &Asked) -> &[String] {
    match &asked.answer {
        Some(Answer::Chosen(labels)) => labels,
        _ => &[],
    }
}

/// Keeps the options' order.
fn toggle(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    choice: &Choice,
    label: &str,
) -> rusqlite::Result<()> {
    let before = chosen(asked);
    let labels = choice.options.iter().map(|option| &option.label);
    let now: Vec<String> = labels
        .filter(|other| before.contains(other) != (other.as_str() == label))
        .cloned()
        .collect();
    questions::set_draft(db, &asked.id, &Answer::Chosen(now.clone()))?;
    show(db, at, asked, Became::Open(&now))
}

/// Once is enough: the message can be replied to until the question is over.
fn ask_for_words(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    by: Answerer<'_>,
) -> rusqlite::Result<()> {
    if questions::is_asked_for_words(db, &asked.id)? {
        return Ok(());
    }
    let is_asker = asked.user == Some(by.user());
    let whose = match is_asker {
        true => WantsReply::OfAsker,
        false => WantsReply::OfAnybody,
    };
    let message = match asked.question {
        Question::Plan { .. } => words::say_wish(whose),
        _ => words::say_why(whose),
    };
    let prompt = prompts::of_run(db, asked.run)?.into_iter().next();
    let to = prompt
        .and_then(|prompt| prompt.message)
        .filter(|_| is_asker);
    let row = outbox::insert_long(db, at, message.replying_to(to))?;
    questions::add_message(db, &asked.id, row, true)
}
