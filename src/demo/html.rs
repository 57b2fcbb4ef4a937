//! The demo's chat as a page that looks like a phone, for `telecoder demo --html FILE`.
//!
//! Draws the messages that the Bot API got, with their entities; knows nothing of how they were made.

use crate::domain::shown::size;
use crate::redact::short::one_line;
use std::io;
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::bot_api::{BotApi, Does, Key, Posted};

const STYLE: &str = include_str!("phone.css");

/// Rewrites the page at each change, whole or not at all, until it is dropped.
pub async fn follow(api: BotApi, file: &Path) -> io::Result<()> {
    let mut changes = api.changes();
    loop {
        write(&api, file)?;
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Writes the page with the chat as it is now.
pub fn write(api: &BotApi, file: &Path) -> io::Result<()> {
    let mut half = file.as_os_str().to_owned();
    half.push(".half");
    std::fs::write(&half, page(&api.messages()).into_string())?;
    std::fs::rename(&half, file)
}

/// A chat as a phone shows it.
pub fn page(messages: &[Posted]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "telecoder" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { "telecoder" span { "bot" } }
                main {
                    @for message in messages {
                        (bubble(message, messages))
                    }
                }
            }
        }
    }
}

fn bubble(message: &Posted, all: &[Posted]) -> Markup {
    let side = if message.by_bot { "bot" } else { "person" };
    let answered = all
        .iter()
        .find(|other| other.chat == message.chat && Some(i64::from(other.id)) == message.reply_to);
    html! {
        div class={ "message " (side) } {
            @if let Some(answered) = answered {
                div class="reply" { (one_line(&answered.text, 60)) }
            }
            @if let Some((name, content)) = &message.file {
                div class="file" {
                    span class="icon" { "📄" }
                    div { (name) small { (size(content.len() as u64)) } }
                }
            }
            div class="text" { (styled(&message.text, &message.entities)) }
            @if let Some(reaction) = &message.reaction {
                span class="reaction" { (reaction) }
            }
            @if message.by_bot && !message.silent {
                span class="rings" title="it rings" { "🔔" }
            }
        }
        @if !message.keys.is_empty() {
            div class="buttons" {
                @for key in &message.keys {
                    span class=(look(key)) { (key.text) }
                }
            }
        }
    }
}

fn look(key: &Key) -> &str {
    match key.does {
        Does::Nothing => "disabled",
        _ => key.style.as_deref().unwrap_or("plain"),
    }
}

/// A text with its entities as elements. Bot API: `MessageEntity`, in UTF-16 units; they nest.
fn styled(text: &str, entities: &[Value]) -> Markup {
    struct Mark<'a> {
        at: usize,
        opens: bool,
        length: usize,
        entity: &'a Value,
    }
    let mut marks: Vec<Mark<'_>> = Vec::new();
    for entity in entities {
        let number = |name: &str| {
            entity[name]
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(0)
        };
        let (offset, length) = (number("offset"), number("length"));
        for (at, opens) in [(offset, true), (offset + length, false)] {
            marks.push(Mark {
                at,
                opens,
                length,
                entity,
            });
        }
    }
    // At the same place inner ones close first, and outer ones open first.
    marks.sort_by_key(|mark| {
        let order = if mark.opens {
            usize::MAX - mark.length
        } else {
            mark.length
        };
        (mark.at, mark.opens, order)
    });
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut out = String::new();
    let mut from = 0;
    for mark in marks {
        let at = mark.at.min(units.len()).max(from);
        push_escaped(&mut out, &String::from_utf16_lossy(&units[from..at]));
        from = at;
        let (open, close) = tags(mark.entity);
        // A block begins and ends a line by itself.
        let is_block = close == "</pre>" || close == "</blockquote>";
        if is_block && mark.opens && out.ends_with('\n') {
            out.pop();
        }
        out.push_str(if mark.opens { &open } else { close });
        if is_block && !mark.opens && units.get(from) == Some(&u16::from(b'\n')) {
            from += 1;
        }
    }
    push_escaped(&mut out, &String::from_utf16_lossy(&units[from..]));
    PreEscaped(out)
}

fn push_escaped(out: &mut String, text: &str) {
    out.push_str(&html! { (text) }.into_string());
}

fn tags(entity: &Value) -> (String, &'static str) {
    let plain = |tag: &str| format!("<{tag}>");
    match entity["type"].as_str().unwrap_or_default() {
        "bold" => (plain("b"), "</b>"),
        "italic" => (plain("i"), "</i>"),
        "strikethrough" => (plain("s"), "</s>"),
        "code" => (plain("code"), "</code>"),
        "pre" => {
            let language = entity["language"].as_str().unwrap_or_default();
            let mut open = plain("pre");
            if !language.is_empty() {
                open.push_str("<span class=\"language\">");
                push_escaped(&mut open, language);
                open.push_str("</span>");
            }
            (open, "</pre>")
        }
        "text_link" => (plain("u"), "</u>"),
        "date_time" => ("<span class=\"time\">".to_owned(), "</span>"),
        "blockquote" => (plain("blockquote"), "</blockquote>"),
        "expandable_blockquote" => ("<blockquote class=\"folded\">".to_owned(), "</blockquote>"),
        _ => (plain("span"), "</span>"),
    }
}
