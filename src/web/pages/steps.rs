//! The steps of a run: what claude said, and each tool with what went in and came out, which opens at a touch.

use maud::{Markup, html};
use serde_json::Value;

use super::super::show::code::{self, Language};
use super::super::show::diff;
use super::said::{clean, markdown};
use crate::domain::id::RunId;
use crate::domain::shown::size;
use crate::domain::transcript::{Call, CallResult, Step, What};
use crate::redact::short::{beginning, one_line};

/// A longer text is shown in part, with a link to all of it; in characters.
const SHOWN: usize = 4_000;
const SUMMARY: usize = 110;

/// How much of a step is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Extent {
    /// Its beginning, if it is long.
    InList,
    Whole,
}

/// One step as an item of the list; nothing for what is no step.
pub(in super::super) fn item(run: RunId, step: &Step, extent: Extent) -> Option<Markup> {
    let shown = match &step.what {
        What::Prompt(text) => html! {
            li.step.asked { h3.unseen { "Prompt" } (long(run, step, text, extent)) }
        },
        What::Text { text, .. } => html! {
            li.step.said { (markdown(text, &format!("s{}", step.end))) }
        },
        What::Thought { text, .. } => html! {
            li.step.thought {
                details open[extent == Extent::Whole] {
                    summary { "Thinking: " (one_line(text, SUMMARY)) }
                    (long(run, step, text, extent))
                }
            }
        },
        What::Call(call) => called(run, step, call, extent),
        What::Result(result) => came(run, step, result, extent),
        What::Remark(text) => html! { li.step.remark { (text) } },
        What::TooLong(bytes) => html! {
            li.step.remark { "A step of " (size(*bytes)) " is too long to be shown; /logs and the record have it." }
        },
        What::TurnEnded { failed: true } => html! { li.step.remark.failed { "The turn failed." } },
        What::TurnEnded { failed: false } | What::Words(_) => return None,
    };
    Some(shown)
}

fn called(run: RunId, step: &Step, call: &Call, extent: Extent) -> Markup {
    html! {
        li.step.call data-call=(call.id) {
            details open[extent == Extent::Whole] {
                summary {
                    strong { (clean(&call.tool)) } " "
                    code { (one_line(&call.argument, SUMMARY)) }
                }
                (input(run, step, call, extent))
            }
        }
    }
}

fn came(run: RunId, step: &Step, result: &CallResult, extent: Extent) -> Markup {
    let failed = if result.failed { " failed" } else { "" };
    html! {
        li class={ "step result" (failed) } {
            details open[extent == Extent::Whole] {
                summary {
                    @if result.failed { "failed: " } @else { "→ " }
                    @match (result.text.trim().is_empty(), result.pictures) {
                        (true, 0) => span.quiet { "nothing came back" },
                        (true, pictures) => span.quiet { (pictures) " picture(s)" },
                        (false, _) => (one_line(result.text.trim_start(), SUMMARY)),
                    }
                }
                (long(run, step, &result.text, extent))
            }
        }
    }
}

/// What went in: a command as it is, an edit as its lines, a prompt as text, anything else as its fields.
fn input(run: RunId, step: &Step, call: &Call, extent: Extent) -> Markup {
    let field = |name: &str| call.input.get(name).and_then(Value::as_str);
    let number = usize::try_from(step.end).unwrap_or_default();
    let path = field("file_path").unwrap_or_default();
    let is_short = |text: &str| extent == Extent::Whole || text.chars().nth(SHOWN).is_none();
    if let Some(command) = field("command").filter(|command| is_short(command)) {
        return html! {
            pre.code tabindex="0" { (code::block(&clean(command), Language::of_fence("bash"))) }
        };
    }
    if let (Some(old), Some(new)) = (field("old_string"), field("new_string"))
        && is_short(old)
        && is_short(new)
    {
        return diff::lines(&diff::between(path, &clean(old), &clean(new), None), number);
    }
    if let Some(content) = field("content").filter(|content| is_short(content)) {
        return diff::lines(&diff::between(path, "", &clean(content), Some(1)), number);
    }
    if let Some(prompt) = field("prompt") {
        return prompted(run, step, call, prompt, extent);
    }
    let fields = serde_json::to_string_pretty(&call.input).unwrap_or_default();
    long(run, step, &fields, extent)
}

/// What a subagent is asked, below the other fields of its call.
fn prompted(run: RunId, step: &Step, call: &Call, prompt: &str, extent: Extent) -> Markup {
    let others = call.input.as_object().into_iter().flatten();
    let others: Vec<_> = others.filter(|(name, _)| *name != "prompt").collect();
    html! {
        @if !others.is_empty() {
            dl.about { @for (name, value) in others {
                dt { (clean(name)) }
                dd { (value.as_str().map_or_else(|| clean(&value.to_string()), clean)) }
            } }
        }
        div.text { (long(run, step, prompt, extent)) }
    }
}

fn long(run: RunId, step: &Step, text: &str, extent: Extent) -> Markup {
    let is_cut = extent == Extent::InList && text.chars().nth(SHOWN).is_some();
    html! {
        @if is_cut {
            pre tabindex="0" { (beginning(text, SHOWN)) }
            p { a href={ "/runs/" (run) "/steps/" (step.end) } { "All of it (" (size(text.len() as u64)) ")" } }
        } @else {
            pre tabindex="0" { (clean(text)) }
        }
    }
}
