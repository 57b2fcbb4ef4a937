//! Reads values that look right and would go wrong later: at the first branch, the first run, the first message.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::Setting;
use super::reader::Reader;
use crate::domain::choices::model_named;

impl Reader<'_> {
    /// The same names as `/model` takes: claude would take one with `-` before it for an option.
    pub(super) fn model(&mut self) -> Option<String> {
        let given = self.sources.value(Setting::Model)?;
        let model = model_named(&given);
        if model.is_none() {
            let why = match given.starts_with('-') {
                true => "begins with -, so claude would take it for an option",
                false => "has a blank in it, and no model has one",
            };
            self.fault(
                Setting::Model,
                format!("TELECODER_MODEL {why}: {given}"),
                "Give the name of a model, like opus",
            );
        }
        model
    }

    pub(super) fn branch_prefix(&mut self) -> String {
        let prefix = self.value_or_default(Setting::BranchPrefix);
        if !begins_branches(&prefix) {
            self.fault(
                Setting::BranchPrefix,
                format!(
                    "TELECODER_BRANCH_PREFIX: git takes no branch that begins with \"{prefix}\""
                ),
                "Use letters, digits, - and /, like telecoder/",
            );
        }
        prefix
    }

    /// The name of the machine's own zone, if none is set.
    pub(super) fn time_zone(&mut self) -> String {
        let Some(name) = self.sources.value(Setting::TimeZone) else {
            let here = TimeZone::system();
            return here.iana_name().unwrap_or("UTC").to_owned();
        };
        match TimeZone::get(&name) {
            Ok(zone) => zone.iana_name().unwrap_or("UTC").to_owned(),
            Err(_) => {
                self.fault(
                    Setting::TimeZone,
                    format!("TELECODER_TIME_ZONE: this machine knows no time zone {name}"),
                    "Write a name like Europe/Berlin, or UTC; on Debian, the package tzdata has them",
                );
                "UTC".to_owned()
            }
        }
    }

    /// A message needs some seconds to arrive, and clocks differ.
    pub(super) fn stale_after(&mut self) -> Option<Duration> {
        const LEAST: Duration = Duration::from_secs(60);
        let length = self.length(Setting::StaleAfter);
        if length.is_some_and(|length| length < LEAST) {
            self.fault(
                Setting::StaleAfter,
                "TELECODER_STALE_AFTER is shorter than a minute, so that messages of now would count as late".into(),
                "Write it like 30m or 2h, or none",
            );
        }
        length
    }
}

/// Whether git takes `prefix` and a name behind it for a branch. git-check-ref-format(1).
fn begins_branches(prefix: &str) -> bool {
    let is_forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let name = format!("{prefix}name");
    !name.starts_with('-')
        && !name.contains(is_forbidden)
        && !name.contains("..")
        && !name.contains("@{")
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}
