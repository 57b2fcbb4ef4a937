//! Whether the machine is short of memory, as Linux measures it.

use std::fs;

/// So much of the last ten seconds, in percent, somebody waited for memory.
const TOO_LONG: f64 = 10.0;

/// Whether programs have to wait for memory, on this machine or in the service's own control group.
///
/// From pressure stall information (Linux 4.20 on, `Documentation/accounting/psi.rst`); false where it is switched off.
pub fn is_short_of_memory() -> bool {
    fail::fail_point!("memory-is-short", |_| true);
    let own_group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|groups| {
            Some(
                groups
                    .lines()
                    .find_map(|line| line.strip_prefix("0::"))?
                    .to_owned(),
            )
        })
        .map(|group| format!("/sys/fs/cgroup{group}/memory.pressure"));
    own_group
        .into_iter()
        .chain(["/proc/pressure/memory".to_owned()])
        .filter_map(|path| some_of_ten_seconds(&fs::read_to_string(path).ok()?))
        .any(|percent| percent >= TOO_LONG)
}

/// `some avg10=1.23 avg60=… avg300=… total=…`
fn some_of_ten_seconds(pressure: &str) -> Option<f64> {
    let some = pressure.lines().find(|line| line.starts_with("some "))?;
    let value = some
        .split_whitespace()
        .find_map(|field| field.strip_prefix("avg10="))?;
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_last_ten_seconds_is_read() {
        let pressure = "some avg10=12.50 avg60=3.00 avg300=0.10 total=9\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=3\n";
        assert_eq!(some_of_ten_seconds(pressure), Some(12.5));
        assert_eq!(some_of_ten_seconds("full avg10=1.00"), None);
        assert_eq!(some_of_ten_seconds(""), None);
    }
}
