//! `/logs`: reads the record of the current or last run, while another task may follow it.

use std::path::Path;

use crate::chat::logs::{self, LINES, Lines};
use crate::claude::folder::{Kept, RunFolder};
use crate::claude::host::Host;
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Outgoing;
use crate::store::{Store, StoreError, runs};

/// Enough for the last lines of any run; in bytes.
const READ_AT_MOST: u64 = 8 * 1024 * 1024;

pub(super) async fn read(
    store: &Store,
    folder: &Path,
    at: ChatThread,
    lines: Option<usize>,
) -> Result<Outgoing, StoreError> {
    let run = store
        .transaction(move |db| runs::newest_begun(db, at))
        .await?;
    let Some(run) = run else {
        return Ok(logs::none_yet());
    };
    let folder = RunFolder::new(folder.join(run.id.to_string()));
    // Reading takes a moment, and the dispatcher has other chats to serve.
    let read =
        tokio::task::spawn_blocking(move || last_lines(folder, lines.unwrap_or(LINES))).await;
    Ok(match read {
        Ok(Ok(message)) => message,
        _ => logs::gone(),
    })
}

fn last_lines(folder: RunFolder, keep: usize) -> std::io::Result<Outgoing> {
    let going_on = matches!(folder.kept()?, Kept::Alive(_) | Kept::NotYet);
    let mut host = Host::open_near_end(folder, READ_AT_MOST)?;
    let mut lines = Lines::last(keep);
    loop {
        let (events, more) = host.events()?;
        for (_, event) in &events {
            lines.add(event);
        }
        if !more {
            return Ok(lines.message(going_on));
        }
    }
}
