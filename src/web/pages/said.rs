//! A message of the bot's on the page, with its buttons.

use maud::{Markup, html};

use super::super::reader::Reader;
use super::super::show::{Place, markdown};
use super::layout::form_key;
use crate::chat::questions as question_words;
use crate::domain::button::{Button, ButtonStyle, Press};
use crate::domain::id::SessionId;
use crate::domain::outgoing::{Body, Outgoing};
use crate::redact::Redactor;

/// Lines of the bot's, below each other.
pub(super) fn lines(text: &str) -> Markup {
    let text = Redactor::of_this_process().text(text);
    html! {
        @for (number, line) in text.lines().enumerate() {
            @if number > 0 { br; }
            (line)
        }
    }
}

/// A text as it is, without its secrets.
pub(super) fn clean(text: &str) -> String {
    Redactor::of_this_process().text(text).into_owned()
}

/// claude's Markdown. `name` begins its anchors: no two texts of a page have the same.
pub(super) fn markdown(text: &str, name: &str) -> Markup {
    markdown::markup(&clean(text), Place { below: 2, name })
}

/// What a message says. In a question everything is shown that an answer sets going.
pub(super) fn body(message: &Outgoing) -> Markup {
    match &message.body {
        Body::Note { text, quoted } => html! {
            p { (lines(text)) }
            @if let Some(quoted) = quoted { pre tabindex="0" { (clean(quoted)) } }
        },
        Body::Answer {
            markdown: text,
            footer,
        } => html! {
            (markdown(text, "answer"))
            p.quiet { (lines(footer)) }
        },
        Body::Evidence { text, folded } => html! {
            p.evidence { (lines(text)) }
            @for fold in folded {
                details {
                    summary { (clean(&fold.title)) }
                    pre tabindex="0" { (clean(&fold.text)) }
                }
            }
        },
        Body::Question { text, code, below } => html! {
            p { (judged(text)) }
            @if let Some(code) = code { pre.code tabindex="0" { (judged(&code.text)) } }
            @for line in below.lines().filter(|line| !line.starts_with(question_words::REPLY)) {
                p { (judged(line)) }
            }
        },
        Body::File {
            name,
            content,
            caption,
        } => html! {
            p { (lines(caption)) }
            details { summary { (clean(name)) } pre tabindex="0" { (clean(content)) } }
        },
        Body::Stored(stored) => html! {
            p { (clean(&stored.name)) " " span.quiet { (lines(&stored.caption)) } }
        },
    }
}

fn judged(text: &str) -> String {
    Redactor::of_this_process().text_to_judge(text).into_owned()
}

/// The buttons, as forms; `back` is the page that is shown afterwards.
pub(super) fn buttons(
    buttons: &[Button],
    session: &SessionId,
    reader: &Reader,
    back: &str,
) -> Markup {
    html! {
        @if !buttons.is_empty() {
            div.buttons {
                @for button in buttons.iter().filter(|button| !button.is_over && !matches!(button.press, Press::Open { .. })) {
                    form method="post" action={ "/sessions/" (session) "/press" } {
                        (form_key(reader))
                        input type="hidden" name="press" value=(button.press.data());
                        input type="hidden" name="back" value=(back);
                        button class=(class_of(button)) { (clean(&button.label)) }
                    }
                }
            }
        }
    }
}

fn class_of(button: &Button) -> &'static str {
    match button.press.style() {
        Some(ButtonStyle::Primary) => "primary",
        Some(ButtonStyle::Danger) => "danger",
        None => "",
    }
}
