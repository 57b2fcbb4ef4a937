//! What is missing on this machine: the doctor's findings that matter before the first start, and faults in the settings.

use crate::config::{self, Fault, Setting, Sources};
use crate::doctor;

/// What init itself sees to, or the doctor has a line for, and so is not told as a fault.
const SEEN_TO: [Setting; 3] = [Setting::BotToken, Setting::PermissionMode, Setting::Data];

/// Looks at everything and says what it found. `sources` has what is about to be written.
pub(super) async fn print(sources: &Sources) {
    let report = doctor::before_the_first_start(sources.clone()).await;
    anstream::print!("{}", report.lines());
    let (faults, remarks) = config::faults_and_remarks(sources);
    // What no setting is named for was said at the beginning: it is about the files.
    let is_news = |setting: &Setting| !SEEN_TO.contains(setting);
    for fault in faults {
        if fault.setting.as_ref().is_some_and(is_news) {
            println!("{}", of_fault(&fault));
        }
    }
    for remark in remarks {
        println!("! {remark}.");
    }
}

pub(super) fn of_fault(fault: &Fault) -> String {
    format!("✗ {}. {}.", fault.what, fault.remedy)
}
