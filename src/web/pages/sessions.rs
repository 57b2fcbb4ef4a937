//! `GET /`: the sessions, those first in which something happened last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;

use super::super::Web;
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told};
use super::words;
use crate::domain::id::ChatId;
use crate::redact::short::one_line;
use crate::store::page::{self, Listed};
use crate::store::{runs, verifications};

/// How many sessions one page has.
const A_PAGE: usize = 40;
const PROMPT_SHOWN: usize = 160;

/// What to show. Empty fields, as a form sends them, choose nothing.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Filter {
    #[serde(default)]
    state: String,
    #[serde(default)]
    chat: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    page: usize,
}

/// What a filter can be set to, and its name in the form.
const STATES: [(&str, &str); 5] = [
    ("", "any state"),
    ("works", "at work"),
    ("waits", "waiting"),
    ("done", "done"),
    ("failed", "failed"),
];

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Query(filter): Query<Filter>,
) -> Result<Response, Refusal> {
    let all = visible(&web, &reader).await?;
    let mut chats: Vec<ChatId> = all.iter().map(|session| session.at.chat).collect();
    chats.sort();
    chats.dedup();
    let fitting: Vec<Listed> = all
        .into_iter()
        .filter(|session| filter.fits(session))
        .collect();
    let count = fitting.len();
    let from = filter.page.saturating_mul(A_PAGE).min(count);
    let shown: Vec<Listed> = fitting.into_iter().skip(from).take(A_PAGE).collect();
    let newest: Vec<_> = shown
        .iter()
        .filter_map(|session| Some(session.newest.as_ref()?.id))
        .collect();
    let checks: BTreeMap<_, _> = web
        .store
        .transaction(move |db| {
            let mut checks = BTreeMap::new();
            for run in newest {
                if let Some(evidence) = verifications::of_run(db, run)? {
                    checks.insert(run, (evidence.is_green(), evidence.is_red()));
                }
            }
            Ok(checks)
        })
        .await?;
    let own = own_chat(&reader);
    let body = html! {
        h1 { "Sessions" }
        (filter.form(&chats, own))
        @if count == 0 {
            p.nothing {
                @if filter.is_set() { "No session is like that. " a href="/" { "Show all" } }
                @else { "There is no session yet. Write to the bot, and the first one is made." }
            }
        }
        ul.cards {
            @for session in &shown {
                li { (card(session, own, session.newest.as_ref().and_then(|run| checks.get(&run.id)))) }
            }
        }
        (filter.pages(count))
    };
    Ok(layout::page(
        "Sessions",
        Place::Sessions,
        &reader,
        told,
        &body,
    ))
}

pub(in super::super) fn own_chat(reader: &Reader) -> ChatId {
    ChatId(i64::try_from(reader.visitor.user.0).unwrap_or(0))
}

/// All that this person may see. The run of a session at work is the one that goes on, not those that wait behind it.
pub(in super::super) async fn visible(web: &Web, reader: &Reader) -> Result<Vec<Listed>, Refusal> {
    let all = web.store.transaction(sessions_as_they_are).await?;
    let mut may = BTreeMap::new();
    for session in &all {
        let chat = session.at.chat;
        if let Entry::Vacant(unknown) = may.entry(chat) {
            unknown.insert(web.may_see(reader, chat).await?);
        }
    }
    let is_visible = |session: &Listed| may.get(&session.at.chat).copied().unwrap_or(false);
    Ok(all.into_iter().filter(is_visible).collect())
}

fn sessions_as_they_are(db: &Connection) -> rusqlite::Result<Vec<Listed>> {
    let mut all = page::sessions(db)?;
    for run in runs::all_running(db)? {
        if let Some(session) = all.iter_mut().find(|session| session.id == run.session) {
            session.newest = page::run(db, run.id)?;
        }
    }
    Ok(all)
}

fn card(session: &Listed, own: ChatId, checks: Option<&(bool, bool)>) -> Markup {
    let address = format!("/sessions/{}", session.id);
    html! {
        a.card href=(address) {
            div.first {
                strong { (words::repository(&session.source)) }
                @if let Some(branch) = &session.branch { span.branch { (branch) } }
                @match &session.newest {
                    Some(run) => (words::mark(run)),
                    None => span.state.waits { "new" },
                }
                @match checks {
                    Some((true, _)) => span.checks.done { "checks passed" },
                    Some((_, true)) => span.checks.failed { "checks failed" },
                    _ => "",
                }
            }
            @if let Some(prompt) = session.newest.as_ref().and_then(|run| run.prompt.as_ref()) {
                p.prompt { (one_line(prompt, PROMPT_SHOWN)) }
            }
            p.quiet {
                (session.id) " · " (words::chat(session.at, own))
                @if let Some(run) = &session.newest { " · " (words::when(run)) }
            }
        }
    }
}

impl Filter {
    fn is_set(&self) -> bool {
        !self.state.is_empty() || !self.chat.is_empty() || !self.words.trim().is_empty()
    }

    fn fits(&self, session: &Listed) -> bool {
        let state = session.newest.as_ref().map(|run| words::state(run).1);
        let fits_state = self.state.is_empty() || state == Some(self.state.as_str());
        let fits_chat = self.chat.is_empty() || session.at.chat.0.to_string() == self.chat;
        let words = self.words.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&words);
        let prompt = session
            .newest
            .as_ref()
            .and_then(|run| run.prompt.as_deref());
        let fits_words = words.is_empty()
            || has(&session.id.0)
            || has(&session.source.name())
            || session.branch.as_deref().is_some_and(has)
            || prompt.is_some_and(has);
        fits_state && fits_chat && fits_words
    }

    fn form(&self, chats: &[ChatId], own: ChatId) -> Markup {
        html! {
            form.filter method="get" role="search" {
                label { span.unseen { "Words" }
                    input type="search" name="words" value=(self.words) placeholder="repository, branch, prompt"; }
                label { span.unseen { "State" }
                    select name="state" {
                        @for (value, name) in STATES {
                            option value=(value) selected[value == self.state] { (name) }
                        }
                    }
                }
                @if chats.len() > 1 {
                    label { span.unseen { "Chat" }
                        select name="chat" {
                            option value="" { "all chats" }
                            @for chat in chats {
                                @let id = chat.0.to_string();
                                @let at = crate::domain::id::ChatThread { chat: *chat, thread: None };
                                option value=(id) selected[id == self.chat] { (words::chat(at, own)) }
                            }
                        }
                    }
                }
                button { "Show" }
            }
        }
    }

    fn pages(&self, count: usize) -> Markup {
        let at = |page: usize| {
            let query = [
                ("state", self.state.as_str()),
                ("chat", self.chat.as_str()),
                ("words", self.words.as_str()),
            ];
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            };
            let query: Vec<String> = query
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={}&", encode(value)))
                .collect();
            format!("/?{}page={page}", query.concat())
        };
        html! {
            @if count > A_PAGE {
                nav.pages aria-label="More sessions" {
                    @if self.page > 0 { a rel="prev" href=(at(self.page - 1)) { "Newer" } }
                    @if (self.page + 1).saturating_mul(A_PAGE) < count {
                        a rel="next" href=(at(self.page + 1)) { "Older" }
                    }
                }
            }
        }
    }
}
