//! Who looks at the page, and what they may see.
//!
//! A browser shows who it is by a cookie, which it got for a link that was good for one use ([`super::way_in`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;
use tracing::{debug, info};

use super::Web;
use super::refusal::Refusal;
use crate::domain::id::{ChatId, PageKey, UserId};
use crate::inbox::page::{self, Visitor};
use crate::store::{StoreError, page_keys};

/// The name of the cookie, and where people come by TLS: there a browser takes it from this host alone.
const COOKIE: &str = "telecoder";
const COOKIE_BY_TLS: &str = "__Host-telecoder";
/// How long it is remembered whether somebody is in a group.
const MEMBER_FOR: Duration = Duration::from_secs(5 * 60);
/// How long Telegram may take to say so.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// Somebody whose browser is logged in.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub visitor: Visitor,
    pub is_owner: bool,
    login: PageKey,
}

impl Reader {
    /// Whoever a program's token was made for, if they may still use the bot. It is no browser, and has no form.
    pub(super) async fn of_program(
        web: &Web,
        token: PageKey,
    ) -> Result<Option<Reader>, StoreError> {
        let (key, access) = (token.clone(), web.inbox.access.clone());
        let found = web
            .store
            .transaction(move |db| match page_keys::of_program(db, &key)? {
                Some(holder) => page::visitor(db, &access, holder),
                None => Ok(None),
            })
            .await?;
        Ok(found.map(|visitor| Reader {
            is_owner: web.inbox.access.is_owner(visitor.user),
            visitor: Visitor {
                is_program: true,
                ..visitor
            },
            login: token,
        }))
    }

    /// What every form has to bring.
    pub(super) fn form_key(&self) -> String {
        page_keys::form_key(&self.login)
    }

    /// Refuses a form that another page has made.
    pub(super) fn check_form(&self, key: &str) -> Result<(), Refusal> {
        match bool::from(self.form_key().as_bytes().ct_eq(key.as_bytes())) {
            true => Ok(()),
            false => {
                info!("a form was refused: its key is not this browser's");
                Err(Refusal::Foreign)
            }
        }
    }

    pub(super) fn login(&self) -> &PageKey {
        &self.login
    }
}

impl FromRequestParts<Arc<Web>> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Reader, Refusal> {
        let login = key_in(parts, web.page.is_https()).ok_or(Refusal::NotLoggedIn)?;
        let (key, access) = (login.clone(), web.inbox.access.clone());
        let found = web
            .store
            .transaction(move |db| {
                let Some(holder) = page_keys::of_login(db, &key)? else {
                    return Ok(None);
                };
                page::visitor(db, &access, holder)
            })
            .await?;
        let visitor = found.ok_or(Refusal::NotLoggedIn)?;
        Ok(Reader {
            is_owner: web.inbox.access.is_owner(visitor.user),
            visitor,
            login,
        })
    }
}

/// The name of the cookie.
pub(super) fn cookie_name(is_https: bool) -> &'static str {
    match is_https {
        true => COOKIE_BY_TLS,
        false => COOKIE,
    }
}

/// A cookie of a request. RFC 6265: `name=value` pairs, separated by `; `.
pub(super) fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let all = parts.headers.get_all(header::COOKIE);
    let mut pairs = all
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split("; "));
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn key_in(parts: &Parts, is_https: bool) -> Option<PageKey> {
    // Behind TLS, somebody on the machine itself may still come without.
    let by_tls = cookie(parts, COOKIE_BY_TLS).filter(|_| is_https);
    PageKey::parse(by_tls.or_else(|| cookie(parts, COOKIE))?)
}

/// Who is in which group, as Telegram has said not long ago.
#[derive(Default)]
pub struct Memberships(Mutex<BTreeMap<(UserId, ChatId), (bool, Instant)>>);

impl Memberships {
    fn known(&self, user: UserId, chat: ChatId) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_in, at) = known.get(&(user, chat))?;
        (at.elapsed() < MEMBER_FOR).then_some(*is_in)
    }

    fn note(&self, user: UserId, chat: ChatId, is_in: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, at)| at.elapsed() < MEMBER_FOR);
        known.insert((user, chat), (is_in, Instant::now()));
    }
}

/// Bot API: `ChatMember`
#[derive(Deserialize)]
struct ChatMember {
    status: String,
    #[serde(default)]
    is_member: bool,
}

impl Web {
    /// Whether somebody may see a chat's sessions, and act in them: they may write there. The owner may everywhere.
    pub(super) async fn may_see(&self, reader: &Reader, chat: ChatId) -> Result<bool, Refusal> {
        let (access, user) = (self.inbox.access.clone(), reader.visitor.user);
        let is_allowed = self
            .store
            .transaction(move |db| page::may_act(db, &access, user, chat))
            .await?;
        // In a group the chat itself says who can write there; here Telegram is asked.
        let is_to_be_asked = is_allowed && chat.is_group() && !reader.is_owner;
        Ok(is_allowed && (!is_to_be_asked || self.is_in_group(user, chat).await))
    }

    /// While Telegram cannot be asked, nobody is.
    async fn is_in_group(&self, user: UserId, chat: ChatId) -> bool {
        if let Some(is_in) = self.memberships.known(user, chat) {
            return is_in;
        }
        let arguments = json!({ "chat_id": chat.0, "user_id": user.0 });
        let asked = self
            .api
            .call_within::<ChatMember>(ASK_LIMIT, "getChatMember", &arguments)
            .await;
        let is_in = match asked {
            Ok(member) => match member.status.as_str() {
                "creator" | "administrator" | "member" => true,
                "restricted" => member.is_member,
                _ => false,
            },
            Err(error) => {
                debug!(%error, "Telegram does not say whether somebody is in a group");
                return false;
            }
        };
        self.memberships.note(user, chat, is_in);
        is_in
    }
}
