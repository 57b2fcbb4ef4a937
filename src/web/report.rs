//! What `/healthz` says. Pure; `docs/observability.md` has the fields.

use std::time::Duration;

use serde::Serialize;

use crate::health::Vitals;
use crate::store::counts::Counts;

#[derive(Serialize)]
pub(super) struct Report {
    /// `ok`, or `failing`.
    status: &'static str,
    /// What is wrong, a sentence each; empty if nothing is.
    problems: Vec<&'static str>,
    version: &'static str,
    uptime_s: u64,
    polling: bool,
    store_answering: bool,
    handling_updates: bool,
    /// How long another program has polled with the same token.
    other_poller_for_s: Option<u64>,
    /// How long a webhook has taken the messages.
    webhook_for_s: Option<u64>,
    /// `null` if the store did not answer.
    runs_running: Option<u64>,
    runs_queued: Option<u64>,
    updates_waiting: Option<u64>,
    outbox_due: Option<u64>,
    outbox_parked: Option<u64>,
}

pub(super) fn of(vitals: &Vitals, counts: Option<&Counts>, uptime: Duration) -> Report {
    let mut problems = Vec::new();
    if !vitals.is_polling {
        problems.push(
            "Telegram has not been asked for updates in time. If this lasts, restart telecoder; nothing is lost.",
        );
    }
    if !vitals.store_answers {
        problems.push(
            "The database does not answer. Has another program locked it, or does its disk hang?",
        );
    }
    if !vitals.handles_updates {
        problems.push(
            "A message has waited for more than a minute without any effect. Does a disk hang? It is stored, and is \
             handled when the bot can.",
        );
    }
    Report {
        status: if vitals.is_alive() { "ok" } else { "failing" },
        problems,
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: uptime.as_secs(),
        polling: vitals.is_polling,
        store_answering: vitals.store_answers,
        handling_updates: vitals.handles_updates,
        other_poller_for_s: vitals.other_poller_for.map(|time| time.as_secs()),
        webhook_for_s: vitals.webhook_for.map(|time| time.as_secs()),
        runs_running: counts.map(|counts| counts.runs_running),
        runs_queued: counts.map(|counts| counts.runs_queued),
        updates_waiting: counts.map(|counts| counts.updates_waiting),
        outbox_due: counts.map(|counts| counts.outbox_due),
        outbox_parked: counts.map(|counts| counts.outbox_parked),
    }
}
