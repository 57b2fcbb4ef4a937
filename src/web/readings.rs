//! The state of the moment: looked up when somebody asks, never counted.

use std::time::Duration;

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::health::Vitals;
use crate::store::counts::Counts;

/// The bot at one moment.
pub struct Readings {
    pub vitals: Vitals,
    /// `None` if the store did not answer.
    pub counts: Option<Counts>,
    pub uptime: Duration,
    /// In bytes; `None` if this machine does not say.
    pub resident_memory: Option<u64>,
}

impl Readings {
    /// The readings under their names.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("telecoder_build", "Which telecoder this is", build);
        let mut gauge = |name: &str, help: &str, value: u64| {
            registry.register(name, help, ConstGauge::new(value));
        };
        let Vitals {
            is_polling,
            store_answers,
            handles_updates,
            other_poller_for,
            webhook_for,
        } = self.vitals;
        gauge(
            "telecoder_polling",
            "Whether updates are asked for as they should be",
            is_polling.into(),
        );
        gauge(
            "telecoder_store_answering",
            "Whether the database answers in time",
            store_answers.into(),
        );
        gauge(
            "telecoder_handling_updates",
            "Whether every stored update has its effect in time",
            handles_updates.into(),
        );
        gauge(
            "telecoder_other_poller",
            "Whether another program polls with the same token",
            other_poller_for.is_some().into(),
        );
        gauge(
            "telecoder_webhook",
            "Whether a webhook takes the messages",
            webhook_for.is_some().into(),
        );
        if let Some(counts) = &self.counts {
            gauge(
                "telecoder_runs_running",
                "Runs in progress",
                counts.runs_running,
            );
            gauge(
                "telecoder_runs_queued",
                "Runs that wait",
                counts.runs_queued,
            );
            gauge(
                "telecoder_jobs_open",
                "Jobs that are not done",
                counts.jobs_open,
            );
            gauge(
                "telecoder_updates_waiting",
                "Updates without effect yet",
                counts.updates_waiting,
            );
            gauge(
                "telecoder_outbox_due",
                "Messages that are not delivered yet",
                counts.outbox_due,
            );
            gauge(
                "telecoder_outbox_parked",
                "Messages that are parked",
                counts.outbox_parked,
            );
            registry.register_with_unit(
                "telecoder_updates_oldest_waiting",
                "How long the oldest update without effect has waited",
                Unit::Seconds,
                ConstGauge::new(counts.updates_oldest_waiting.as_secs_f64()),
            );
            registry.register_with_unit(
                "telecoder_outbox_oldest_due",
                "How long the oldest of them has waited",
                Unit::Seconds,
                ConstGauge::new(counts.outbox_oldest_due.as_secs_f64()),
            );
        }
        registry.register_with_unit(
            "telecoder_uptime",
            "Since the bot was started",
            Unit::Seconds,
            ConstGauge::new(self.uptime.as_secs_f64()),
        );
        if let Some(bytes) = self.resident_memory {
            registry.register_with_unit(
                "process_resident_memory",
                "Memory that the bot itself takes",
                Unit::Bytes,
                ConstGauge::new(bytes),
            );
        }
        registry
    }
}

/// The memory of this process, in bytes. proc_pid_status(5): `VmRSS`, in KiB.
pub fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
