//! The bot's counters since its start, for monitors; `docs/observability.md` has the table.
//!
//! Always counted, in memory: a count is an atomic number, whether somebody reads it or not. The state of the moment
//! (`web::readings`) is not counted but looked up when somebody asks.
//!
//! Labels are words of this program (`&'static str`): no id and no person's text can become one.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::domain::delivery::Parked;
use crate::domain::job::Task;
use crate::domain::run::Outcome;

/// The content type of the text form: OpenMetrics, which Prometheus asks for first.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The reasons that a chat's line finds; an unreadable row never comes so far.
const PARKED: [Parked; 3] = [Parked::Unconfirmed, Parked::Unreachable, Parked::Refused];
/// Upper bounds, in seconds.
const CALL_BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const STORE_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];
const WAIT_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 1800.0];
const SNAPSHOT_BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 30.0];
const RUN_BUCKETS: [f64; 9] = [
    5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 14_400.0,
];

type Labelled<const LABELS: usize> = Family<[(&'static str, &'static str); LABELS], Counter>;

/// The counters. Cheap to clone; all clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    updates: Counter,
    strangers: Counter,
    set_aside: Counter,
    prompts: Counter,
    runs: Labelled<1>,
    run_wait: Histogram,
    run_duration: Histogram,
    snapshot: Histogram,
    snapshots_missing: Counter,
    snapshots_size: Gauge<u64, AtomicU64>,
    jobs: Labelled<2>,
    calls: Labelled<2>,
    call_duration: Histogram,
    floods: Counter,
    pauses: Counter<f64, AtomicU64>,
    messages: Counter,
    delivery: Histogram,
    retries: Labelled<1>,
    repeats: Counter,
    parked: Labelled<1>,
    store_failures: Labelled<1>,
    transaction: Histogram,
}

/// Why a message, or a part of one, is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Telegram asked for a pause.
    Flood,
    /// It did not get through.
    NotSent,
    /// Nobody knows whether it arrived.
    Unanswered,
}

impl Retry {
    const ALL: [Retry; 3] = [Retry::Flood, Retry::NotSent, Retry::Unanswered];

    fn name(self) -> &'static str {
        match self {
            Retry::Flood => "flood",
            Retry::NotSent => "not_sent",
            Retry::Unanswered => "unanswered",
        }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("telecoder");
        let mut names = Names(&mut registry);
        let metrics = Metrics {
            updates: names.of("updates_received", "Updates of Telegram's that were stored"),
            strangers: names.of(
                "strangers_ignored",
                "Updates of people who may not use the bot",
            ),
            set_aside: names.of("updates_set_aside", "Updates that failed three times"),
            prompts: names.of("prompts_accepted", "Messages that became runs"),
            runs: names.of("runs_ended", "Runs that ended, by how"),
            run_wait: names.seconds(
                "run_wait",
                "From a prompt's acceptance to its run's keeper",
                WAIT_BUCKETS,
            ),
            run_duration: names.seconds(
                "run_duration",
                "From a run's start to its end",
                RUN_BUCKETS,
            ),
            snapshot: names.seconds(
                "snapshot",
                "Keeping what is in a workspace before a run",
                SNAPSHOT_BUCKETS,
            ),
            snapshots_missing: names.of(
                "snapshots_missing",
                "Runs that began without a snapshot of what was before",
            ),
            snapshots_size: names.bytes(
                "snapshots_size",
                "What the snapshots take on the disk, counted once an hour",
            ),
            jobs: names.of("jobs_ended", "Jobs that ended, by what they did"),
            calls: names.of(
                "bot_api_calls",
                "Calls of the Bot API, by method and result",
            ),
            call_duration: names.seconds(
                "bot_api_call_duration",
                "Calls but getUpdates",
                CALL_BUCKETS,
            ),
            floods: names.of("bot_api_floods", "Answers 429"),
            pauses: names.unit(
                "bot_api_pause",
                "Pauses that Telegram asked for",
                Counter::default(),
            ),
            messages: names.of("messages_sent", "Messages that arrived whole"),
            delivery: names.seconds(
                "message_delivery",
                "From a message's row to its arrival",
                WAIT_BUCKETS,
            ),
            retries: names.of(
                "message_retries",
                "Sends that have to be done again, by why",
            ),
            repeats: names.of("message_repeats", "Messages that may have arrived twice"),
            parked: names.of("messages_parked", "Messages parked, by why"),
            store_failures: names.of("store_failures", "Changes that the database did not take"),
            transaction: names.seconds(
                "store_transaction",
                "Changes and looks, waiting included",
                STORE_BUCKETS,
            ),
            registry: Arc::new(Registry::default()),
        };
        metrics.begin_at_zero();
        Metrics {
            registry: Arc::new(registry),
            ..metrics
        }
    }

    /// Known labels begin at zero: a rate needs a number to rise from.
    fn begin_at_zero(&self) {
        for outcome in Outcome::NAMES {
            count(&self.runs, [("outcome", outcome)], 0);
        }
        for kind in Task::KINDS {
            count(&self.jobs, [("kind", kind), ("outcome", "done")], 0);
        }
        for retry in Retry::ALL {
            count(&self.retries, [("reason", retry.name())], 0);
        }
        for why in PARKED {
            count(&self.parked, [("reason", why.name())], 0);
        }
        count(&self.store_failures, [("reason", "not_committed")], 0);
    }

    /// All counters in the text form, followed by `readings`, the state of the moment.
    pub fn text(&self, readings: &Registry) -> String {
        let mut written = String::with_capacity(16 * 1024);
        text::encode_registry(&mut written, &self.registry)
            .and_then(|()| text::encode_registry(&mut written, readings))
            .and_then(|()| text::encode_eof(&mut written))
            .expect("a String takes whatever is written to it");
        written
    }

    pub fn updates_received(&self, count: usize) {
        self.updates.inc_by(count as u64);
    }

    pub fn stranger_ignored(&self) {
        self.strangers.inc();
    }

    pub fn update_set_aside(&self) {
        self.set_aside.inc();
    }

    pub fn prompts_accepted(&self, count: u64) {
        self.prompts.inc_by(count);
    }

    /// Its keeper has started; `waited` is the time since the prompt was accepted.
    pub fn run_started(&self, waited: Duration) {
        self.run_wait.observe(waited.as_secs_f64());
    }

    /// What was before a run is kept, or cannot be.
    pub fn snapshot(&self, took: Duration, is_there: bool) {
        self.snapshot.observe(took.as_secs_f64());
        if !is_there {
            self.snapshots_missing.inc();
        }
    }

    /// All snapshots, in bytes.
    pub fn snapshots_take(&self, bytes: u64) {
        self.snapshots_size.set(bytes);
    }

    /// `elapsed` is `None` if it never began.
    pub fn run_ended(&self, outcome: &Outcome, elapsed: Option<Duration>) {
        count(&self.runs, [("outcome", outcome.name())], 1);
        if let Some(elapsed) = elapsed {
            self.run_duration.observe(elapsed.as_secs_f64());
        }
    }

    pub fn job_ended(&self, task: &Task, was_given_up: bool) {
        let outcome = if was_given_up { "given_up" } else { "done" };
        count(&self.jobs, [("kind", task.kind()), ("outcome", outcome)], 1);
    }

    /// A call of the Bot API. `result` is one word.
    pub fn called(&self, method: &'static str, result: &'static str, took: Duration) {
        count(&self.calls, [("method", method), ("result", result)], 1);
        // It waits for updates; that is no delay.
        if method != "getUpdates" {
            self.call_duration.observe(took.as_secs_f64());
        }
    }

    /// Bot API: 429.
    pub fn asked_to_pause(&self, pause: Duration) {
        self.floods.inc();
        self.pauses.inc_by(pause.as_secs_f64());
    }

    /// A message has arrived, all its parts; `waited` is the time since it was written.
    pub fn message_sent(&self, waited: Duration) {
        self.messages.inc();
        self.delivery.observe(waited.as_secs_f64());
    }

    pub fn message_retried(&self, why: Retry) {
        count(&self.retries, [("reason", why.name())], 1);
    }

    pub fn message_repeated(&self) {
        self.repeats.inc();
    }

    pub fn messages_parked(&self, why: Parked, messages: usize) {
        count(&self.parked, [("reason", why.name())], messages as u64);
    }

    /// A transaction is over; `failure` is one word for why it failed.
    pub fn transaction(&self, took: Duration, failure: Option<&'static str>) {
        self.transaction.observe(took.as_secs_f64());
        if let Some(reason) = failure {
            count(&self.store_failures, [("reason", reason)], 1);
        }
    }
}

fn count<const LABELS: usize>(
    family: &Labelled<LABELS>,
    labels: [(&'static str, &'static str); LABELS],
    by: u64,
) {
    family.get_or_create(&labels).inc_by(by);
}

/// Puts metrics into a registry.
struct Names<'a>(&'a mut Registry);

impl Names<'_> {
    fn of<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    fn bytes(&mut self, name: &str, help: &str) -> Gauge<u64, AtomicU64> {
        let gauge = Gauge::default();
        self.0
            .register_with_unit(name, help, Unit::Bytes, gauge.clone());
        gauge
    }

    fn unit<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0
            .register_with_unit(name, help, Unit::Seconds, metric.clone());
        metric
    }

    fn seconds(&mut self, name: &str, help: &str, bounds: [f64; 9]) -> Histogram {
        self.unit(name, help, Histogram::new(bounds))
    }
}
