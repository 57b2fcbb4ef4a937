//! `/logs`: reads the record of the current or last run, while another task may follow it.

use std::path::Path;

use super::disk::{self, NoAnswer};
use crate::chat::logs::{self, LINES, Lines};
use crate::claude::folder::{Kept, RunFolder};
use crate::claude::host::Host;
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Outgoing;
use crate::store::records::{self, Record};
use crate::store::{Store, StoreError, runs};

/// Enough for the last lines of any run; in bytes.
const READ_AT_MOST: u64 = 8 * 1024 * 1024;

pub(super) async fn read(
    store: &Store,
    folder: &Path,
    at: ChatThread,
    lines: Option<usize>,
) -> Result<Outgoing, StoreError> {
    let record = store
        .transaction(move |db| {
            let run = runs::newest_begun(db, at)?;
            run.map(|run| records::of_run(db, run.id)).transpose()
        })
        .await?;
    let Some(record) = record else {
        return Ok(logs::none_yet());
    };
    let path = folder.join(record.process.to_string());
    let folder = RunFolder::new(path.clone());
    let keep = lines.unwrap_or(LINES);
    let read = disk::look(&path, move || last_lines(folder, record, keep)).await;
    Ok(match read {
        Ok(Ok(message)) => message,
        Ok(Err(_)) => logs::gone(),
        Err(NoAnswer) => logs::disk_does_not_answer(),
    })
}

fn last_lines(folder: RunFolder, record: Record, keep: usize) -> std::io::Result<Outgoing> {
    let going_on = !record.is_over() && matches!(folder.kept()?, Kept::Alive(_) | Kept::NotYet);
    let mut host = Host::open_near_end(folder, READ_AT_MOST)?;
    let mut lines = Lines::last(keep);
    loop {
        let (events, more) = host.events()?;
        for (_, event) in events.iter().filter(|(end, _)| record.has(*end)) {
            lines.add(event);
        }
        if !more {
            return Ok(lines.message(going_on));
        }
    }
}
