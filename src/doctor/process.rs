//! The running bot: whether one uses this data folder, runs this program, and meets another poller.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::Ground;
use super::report::{Check, Finding};
use crate::systemd::look;
use crate::telegram::poll::{NO_OTHER_POLLER, OTHER_POLLER};

/// How long the bot's page for monitors may take.
const PAGE_LIMIT: Duration = Duration::from_secs(3);

pub(super) fn look(ground: &Ground) -> Vec<Finding> {
    vec![match ground.bot {
        Some(0) => Check::Bot.good("running here"),
        Some(pid) => at_work(ground, pid),
        None => absent(ground),
    }]
}

fn absent(ground: &Ground) -> Finding {
    let unit = ground.manager.unit();
    match unit {
        Some(unit) if unit.is_running() => Check::Bot.warning(
            "none is running in this data folder, though the service runs: it uses another one",
            "Compare TELECODER_DATA here with the service's: systemctl cat telecoder",
        ),
        Some(unit) => Check::Bot.warning("none is running here", unit.scope.command("start")),
        None => Check::Bot.warning(
            "none is running here",
            "telecoder service install, or telecoder",
        ),
    }
}

fn at_work(ground: &Ground, pid: u32) -> Finding {
    let restart = ground.manager.unit().map_or_else(
        || "Restart telecoder to use the new version; runs continue meanwhile".to_owned(),
        |unit| format!("{}; runs continue meanwhile", unit.scope.command("restart")),
    );
    match binary(pid) {
        Binary::Same | Binary::Unknown => Check::Bot.good(format!("running, process {pid}")),
        Binary::Replaced => Check::Bot.warning(
            format!("running, process {pid}; its program was replaced since it started"),
            restart,
        ),
        Binary::Another(path) => Check::Bot.warning(
            format!(
                "running, process {pid}, with another program than this one: {}",
                path.display()
            ),
            restart,
        ),
    }
}

/// Whether another program polls with the running bot's token, by its page for monitors or else by its log since its
/// start; `None` if it has neither, or this user may not read the log.
pub(super) async fn meets_other_poller(ground: &Ground) -> Option<bool> {
    if let Some(address) = ground.known.web_address {
        return of_page(address).await;
    }
    let unit = ground.manager.unit().filter(|unit| unit.is_running())?;
    let since = unit.property("ActiveEnterTimestamp");
    let log = look::journal(unit.scope, since, &ground.environment).await?;
    let last = log.lines().rev().find_map(|line| {
        let begins = line.contains(OTHER_POLLER);
        (begins || line.contains(NO_OTHER_POLLER)).then_some(begins)
    });
    Some(last.unwrap_or(false))
}

/// `/healthz`; `docs/observability.md` has its fields.
async fn of_page(address: SocketAddr) -> Option<bool> {
    #[derive(Deserialize)]
    struct Page {
        other_poller_for_s: Option<u64>,
    }
    let client = reqwest::Client::builder().no_proxy().timeout(PAGE_LIMIT);
    let asked = client
        .build()
        .ok()?
        .get(format!("http://{address}/healthz"));
    let page: Page = asked.send().await.ok()?.json().await.ok()?;
    Some(page.other_poller_for_s.is_some())
}

/// Whether this is a telecoder that this user may look at. A process id from a container means another process here.
pub(super) fn is_telecoder(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("telecoder"))
    })
}

/// The program of a running bot, compared with this one.
enum Binary {
    Same,
    /// It is not on the disk any more, as after an upgrade.
    Replaced,
    Another(PathBuf),
    /// Only its own user and root may look.
    Unknown,
}

/// Linux: proc_pid_exe(5).
fn binary(pid: u32) -> Binary {
    let link = format!("/proc/{pid}/exe");
    let Some(path) = std::fs::read_link(&link).ok().filter(|_| is_telecoder(pid)) else {
        return Binary::Unknown;
    };
    if path.to_string_lossy().ends_with(" (deleted)") {
        return Binary::Replaced;
    }
    let identity = |path: &str| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.dev(), file.ino()))
    };
    match identity(&link).zip(identity("/proc/self/exe")) {
        Some((of_bot, own)) if of_bot != own => Binary::Another(path),
        _ => Binary::Same,
    }
}
