//! The steps of a run as a list, in which the steps of a subagent are folded below the call that began it.
//!
//! A page may begin in the middle of a subagent, whose call is then on an earlier one: its fold stands where the first
//! of its steps would. While a run goes on, each step of a subagent comes in a fold of its own, and the page's script
//! puts it into the one that is there.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::steps::{self, Extent};
use crate::domain::id::RunId;
use crate::domain::transcript::{Step, What};

/// All of them, in order.
pub(super) fn list(run: RunId, steps: &[Step]) -> Markup {
    let calls = steps.iter().filter_map(call_of).collect::<BTreeSet<_>>();
    let mut of_parent = BTreeMap::<&str, Vec<&Step>>::new();
    for step in steps {
        if let Some(parent) = step.parent() {
            of_parent.entry(parent).or_default().push(step);
        }
    }
    let mut drawing = Drawing { run, of_parent };
    html! {
        @for step in steps {
            @match step.parent() {
                None => (drawing.step(step)),
                Some(parent) if !calls.contains(parent) => (drawing.fold(parent)),
                Some(_) => {},
            }
        }
        // Calls that name each other as their parents.
        @while let Some(parent) = drawing.of_parent.keys().next().copied() { (drawing.fold(parent)) }
    }
}

/// One that comes while the run goes on.
pub(in super::super) fn coming(run: RunId, step: &Step) -> Option<Markup> {
    let item = steps::item(run, step, Extent::InList)?;
    Some(match step.parent() {
        Some(parent) => fold(parent, 1, &item),
        None => item,
    })
}

struct Drawing<'a> {
    run: RunId,
    /// Those that are not drawn yet.
    of_parent: BTreeMap<&'a str, Vec<&'a Step>>,
}

impl<'a> Drawing<'a> {
    fn step(&mut self, step: &'a Step) -> Markup {
        html! {
            @if let Some(item) = steps::item(self.run, step, Extent::InList) { (item) }
            @if let Some(call) = call_of(step) { (self.fold(call)) }
        }
    }

    /// Nothing if it is drawn.
    fn fold(&mut self, parent: &'a str) -> Markup {
        let Some(inside) = self.of_parent.remove(parent) else {
            return html! {};
        };
        let items = html! { @for step in &inside { (self.step(step)) } };
        fold(parent, inside.len(), &items)
    }
}

fn fold(parent: &str, count: usize, items: &Markup) -> Markup {
    let noun = if count == 1 { "step" } else { "steps" };
    html! {
        li.step.subagent data-of=(parent) {
            details {
                summary { "Subagent · " span.count { (count) " " (noun) } }
                ol.steps { (items) }
            }
        }
    }
}

fn call_of(step: &Step) -> Option<&str> {
    match &step.what {
        What::Call(call) => Some(&call.id),
        _ => None,
    }
}
