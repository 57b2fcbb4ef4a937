//! The settings that telecoder starts claude with, beside the person's own: a file for `--settings`.
//!
//! In a file, because grants add up and Linux takes 128 KiB for one argument.

use serde_json::{Value, json};

use super::grants;
use crate::domain::question::Grant;

/// claude deletes conversations after so many days without a prompt; its default is 30, and a chat may rest longer.
const CONVERSATIONS_KEPT_DAYS: u32 = 3650;

/// The settings of a run whose session has these grants.
pub fn of_run(grants: &[Grant]) -> String {
    let mut settings = of_every_claude();
    settings["permissions"] = grants::permissions(grants);
    // A plan is made with the person: else claude's own classifier decides what it may do meanwhile (2.1.236 on).
    settings["useAutoModeDuringPlan"] = json!(false);
    settings.to_string()
}

/// The settings of a claude in a chat or at a terminal.
pub(super) fn of_every_claude() -> Value {
    json!({
        "cleanupPeriodDays": CONVERSATIONS_KEPT_DAYS,
        // Sessions of one machine see each other, and one could begin a turn in another (2.1.280 on).
        "crossSessionInbound": "refuse",
    })
}
