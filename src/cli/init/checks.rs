//! Prints what is missing on this machine: the doctor's findings before the first start, and faults in the settings.

use crate::cli::screen;
use crate::config::{self, Fault, Setting, Sources};
use crate::doctor;

/// Settings whose faults are not repeated: init handles them, or the doctor has a line for them.
const SEEN_TO: [Setting; 3] = [Setting::BotToken, Setting::PermissionMode, Setting::Data];

/// Runs the checks and prints the findings. `sources` has what is about to be written.
pub(super) async fn print(sources: &Sources) {
    let report = doctor::before_the_first_start(sources.clone()).await;
    screen::print_coloured(&report.lines());
    let (faults, remarks) = config::faults_and_remarks(sources);
    // Faults without a setting are about files, and were printed at the beginning.
    let is_news = |setting: &Setting| !SEEN_TO.contains(setting);
    for fault in faults {
        if fault.setting.as_ref().is_some_and(is_news) {
            print_line!("{}", of_fault(&fault));
        }
    }
    for remark in remarks {
        print_line!("! {remark}.");
    }
}

pub(super) fn of_fault(fault: &Fault) -> String {
    format!("✗ {}. {}.", fault.what, fault.remedy)
}
