//! What a person does on the page: the same effects as in the chat, without an update. The chat is the record: what
//! was done, and by whom, is said there.

use std::sync::Arc;

use rusqlite::Connection;

use super::button::{self, Around, Pressed};
use super::question::{self, Answerer};
use super::{Follow, Inbox, admission, hold, job, stop};
use crate::chat::page as words;
use crate::chat::toast;
use crate::command::WantedJob;
use crate::config::PageAddress;
use crate::domain::access::{Access, Member};
use crate::domain::button::Press;
use crate::domain::id::{
    ChatId, ChatThread, MessageId, PromptId, QuestionId, RoutineId, RunId, SessionId, UserId,
};
use crate::domain::prompt::Content;
use crate::domain::session::{Session, SessionState};
use crate::domain::update::Button;
use crate::store::page_keys::{self, Holder, LINK_MS};
use crate::store::prompts::{self, Prompt};
use crate::store::{StoreError, chats, closed, outbox, routines, runs, sessions};

/// Nothing in the chat was pressed or written.
pub(super) const NO_MESSAGE: MessageId = MessageId(0);

/// Somebody who may use the bot, on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub user: UserId,
    /// As the chat names them; empty if that is not known.
    pub name: String,
    /// A program of theirs comes instead, and the name is its own.
    pub is_program: bool,
}

/// What they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The page has made the id, so that the same form is one prompt however often it comes.
    Prompt { id: PromptId, text: String },
    /// As `/stop`
    Stop,
    /// As `/verify`, `/undo`, `/push`, `/diff`
    Work(WantedJob),
    /// A button that the chat shows as well.
    Press(Press),
    /// An answer to claude's question, in words.
    Answer { question: QuestionId, words: String },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// A prompt became this run, or waits in it.
    Asked(RunId),
    /// Words for a moment; empty if what happens speaks for itself.
    Told(&'static str),
}

/// The holder of a key, if they may still use the bot.
pub fn visitor(
    db: &Connection,
    access: &Access,
    holder: Holder,
) -> rusqlite::Result<Option<Visitor>> {
    let Holder { user, name } = holder;
    let Some(private) = private_chat(user) else {
        return Ok(None);
    };
    let member = admission::admit(db, access, user, private)?;
    Ok(member.map(|member| Visitor {
        user: member.user(),
        name,
        is_program: false,
    }))
}

/// Whether somebody may see what belongs to a chat, and act there: whoever may write there, and the owner everywhere.
pub fn may_act(
    db: &Connection,
    access: &Access,
    user: UserId,
    chat: ChatId,
) -> rusqlite::Result<bool> {
    Ok(member_in(db, access, user, chat)?.is_some())
}

fn member_in(
    db: &Connection,
    access: &Access,
    user: UserId,
    chat: ChatId,
) -> rusqlite::Result<Option<Member>> {
    let Some(private) = private_chat(user) else {
        return Ok(None);
    };
    if access.is_owner(user) {
        return admission::admit(db, access, user, private);
    }
    if !chat.is_group() && chat != private {
        return Ok(None);
    }
    admission::admit(db, access, user, chat)
}

fn private_chat(user: UserId) -> Option<ChatId> {
    i64::try_from(user.0).ok().map(ChatId)
}

/// How somebody gets to the page.
pub(super) struct Way {
    pub address: PageAddress,
    /// The bot's username.
    pub bot: String,
}

/// `/web`
pub(super) fn open(
    db: &Connection,
    at: ChatThread,
    user: UserId,
    name: &str,
    way: &Way,
) -> rusqlite::Result<Follow> {
    let told = match way.address.url() {
        None => words::none(),
        Some(_) if at.chat.is_group() => words::in_private(&way.bot),
        Some(url) if way.address.is_https() => words::in_telegram(format!("{url}/app")),
        Some(url) => {
            let holder = Holder {
                user,
                name: name.to_owned(),
            };
            let link = page_keys::make_link(db, &holder)?;
            words::link(&format!("{url}/in/{}", link.as_str()), LINK_MS / 60_000)
        }
    };
    outbox::insert(db, at, &told)?;
    Ok(Follow::default())
}

/// `/web off`
pub(super) fn close(db: &Connection, at: ChatThread, user: UserId) -> rusqlite::Result<Follow> {
    let browsers = page_keys::log_out_everywhere(db, user)?;
    outbox::insert(db, at, &words::logged_out(browsers))?;
    Ok(Follow::default())
}

impl Inbox {
    /// Does it, in one transaction; `None` if there is no such session, or it is not theirs.
    pub async fn act_on_page(
        self: &Arc<Self>,
        visitor: &Visitor,
        session: &SessionId,
        act: Act,
    ) -> Result<Option<Acted>, StoreError> {
        let session = session.clone();
        self.in_chat(visitor, move |db, by| {
            let Some(session) = sessions::get(db, &session)? else {
                return Ok(None);
            };
            let by = by.in_chat(db, session.at.chat)?;
            let done = by.map(|by| by.act(db, &session, act)).transpose()?;
            Ok(done.map(|done| (session.at, done)))
        })
        .await
    }

    /// Presses a button of a routine's, as [`Inbox::act_on_page`].
    pub async fn press_routine(
        self: &Arc<Self>,
        visitor: &Visitor,
        routine: &RoutineId,
        press: Press,
    ) -> Result<Option<Acted>, StoreError> {
        let routine = routine.clone();
        self.in_chat(visitor, move |db, by| {
            let Some(routine) = routines::get(db, &routine)? else {
                return Ok(None);
            };
            let by = by.in_chat(db, routine.at.chat)?;
            let done = by.map(|by| by.press(db, routine.at, press)).transpose()?;
            Ok(done.map(|done| (routine.at, done)))
        })
        .await
    }

    async fn in_chat<F>(
        self: &Arc<Self>,
        visitor: &Visitor,
        act: F,
    ) -> Result<Option<Acted>, StoreError>
    where
        F: FnOnce(&Connection, Coming<'_>) -> rusqlite::Result<Option<Done>> + Send + 'static,
    {
        let _stays = self.moving.read().await;
        let (inbox, visitor) = (Arc::clone(self), visitor.clone());
        let done = self
            .store
            .transaction(move |db| {
                let coming = Coming {
                    inbox: &inbox,
                    visitor: &visitor,
                };
                act(db, coming)
            })
            .await?;
        Ok(done.map(|(at, (acted, follow))| {
            self.follow(at, follow);
            acted
        }))
    }
}

/// Where something was done, what came of it, and what follows.
type Done = (ChatThread, (Acted, Follow));

/// Somebody who wants to act.
struct Coming<'a> {
    inbox: &'a Inbox,
    visitor: &'a Visitor,
}

impl<'a> Coming<'a> {
    /// `None` if they may not act there, or nobody may.
    fn in_chat(self, db: &Connection, chat: ChatId) -> rusqlite::Result<Option<By<'a>>> {
        let Some(member) = member_in(db, &self.inbox.access, self.visitor.user, chat)? else {
            return Ok(None);
        };
        Ok((!closed::is_closed(db, chat)?).then_some(By {
            inbox: self.inbox,
            visitor: self.visitor,
            member,
        }))
    }
}

/// Who acts.
struct By<'a> {
    inbox: &'a Inbox,
    visitor: &'a Visitor,
    member: Member,
}

impl By<'_> {
    fn act(
        &self,
        db: &Connection,
        session: &Session,
        act: Act,
    ) -> rusqlite::Result<(Acted, Follow)> {
        match act {
            Act::Prompt { id, text } => self.ask(db, session, id, text),
            // What else the chat works on is not this page's to stop.
            Act::Stop
                if runs::running(db, session.at)?.is_some_and(|run| run.session != session.id) =>
            {
                Ok((Acted::Told(toast::RUN_IS_OVER), Follow::default()))
            }
            Act::Stop => {
                self.say(db, session.at, "Stop")?;
                let follow = stop::request(db, session.at)?;
                Ok((Acted::Told(toast::STOPPING), follow))
            }
            Act::Work(wanted) => {
                self.say(db, session.at, label(wanted))?;
                let follow = job::request_in(db, session, wanted, None)?;
                Ok((Acted::Told(""), follow))
            }
            Act::Press(press) => self.press(db, session.at, press),
            Act::Answer { question, words } => self.answer(db, session.at, &question, &words),
        }
    }

    fn ask(
        &self,
        db: &Connection,
        session: &Session,
        id: PromptId,
        text: String,
    ) -> rusqlite::Result<(Acted, Follow)> {
        if let Some(run) = prompts::run_of(db, id)? {
            return Ok((Acted::Asked(run), Follow::default()));
        }
        if session.state == SessionState::Failed {
            return Ok((Acted::Told(toast::NO_EFFECT), Follow::default()));
        }
        let (at, run) = (session.at, RunId::new());
        let is_current = chats::current_session(db, at)?.is_some_and(|now| now.id == session.id);
        let elsewhere = (!is_current).then_some(&session.id);
        runs::insert(db, run, &session.id, at)?;
        if at.chat != ChatId::SHELL {
            outbox::insert(db, at, &words::asked(self.named_in(at), elsewhere, &text))?;
        }
        let prompt = Prompt {
            id,
            content: Content::written(text, None),
            message: None,
            user: Some(self.visitor.user),
            sent_at: None,
        };
        prompts::insert(db, run, &prompt)?;
        hold::tell(db, at)?;
        let follow = Follow {
            accepted: 1,
            ..Follow::wake(at)
        };
        Ok((Acted::Asked(run), follow))
    }

    fn press(
        &self,
        db: &Connection,
        at: ChatThread,
        press: Press,
    ) -> rusqlite::Result<(Acted, Follow)> {
        let button = Button {
            query: String::new(),
            message: NO_MESSAGE,
            at,
            sender: self.visitor.user,
            sender_name: self.visitor.name.clone(),
            data: press.data(),
            buttons: 0,
        };
        let page = self.inbox.page.url();
        let Pressed { toast, follow, .. } = button::act(
            db,
            &button,
            self.member,
            Around {
                access: &self.inbox.access,
                defaults: &self.inbox.defaults,
                workspaces: &self.inbox.workspaces,
                page: page.as_deref(),
            },
        )?;
        if let Some(label) = words::label_of(&press) {
            self.say(db, at, label)?;
        } else if matches!(press, Press::Answer(..)) {
            self.say_of_answer(db, at, toast)?;
        }
        Ok((Acted::Told(toast), follow))
    }

    fn answer(
        &self,
        db: &Connection,
        at: ChatThread,
        question: &QuestionId,
        words: &str,
    ) -> rusqlite::Result<(Acted, Follow)> {
        let by = Answerer {
            member: self.member,
            name: &self.visitor.name,
            access: &self.inbox.access,
            defaults: &self.inbox.defaults,
        };
        let (toast, follow) = question::answered_on_page(db, at.chat, question, words, by)?;
        self.say_of_answer(db, at, toast)?;
        Ok((Acted::Told(toast), follow))
    }

    fn say(&self, db: &Connection, at: ChatThread, what: &str) -> rusqlite::Result<()> {
        match at.chat {
            ChatId::SHELL => Ok(()),
            _ => outbox::insert(db, at, &words::did(self.named_in(at), what)),
        }
    }

    /// An answer stands in the question itself, but not that a program gave it.
    fn say_of_answer(&self, db: &Connection, at: ChatThread, toast: &str) -> rusqlite::Result<()> {
        match self.visitor.is_program && toast == toast::ANSWERED {
            true => self.say(db, at, "Answer"),
            false => Ok(()),
        }
    }

    /// In their own chat a person needs no name; a program always does.
    fn named_in(&self, at: ChatThread) -> Option<&str> {
        let is_own = private_chat(self.visitor.user) == Some(at.chat);
        (!is_own || self.visitor.is_program).then_some(self.visitor.name.as_str())
    }
}

fn label(wanted: WantedJob) -> &'static str {
    match wanted {
        WantedJob::Diff => "Diff",
        WantedJob::Undo => "Undo",
        WantedJob::Push => "Push",
        WantedJob::Verify => "Verify",
    }
}
