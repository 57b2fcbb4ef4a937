//! What claude answered in a run: the last text of each turn, as the chat got it.

use std::io;

use crate::claude::folder::RunFolder;
use crate::claude::host::Host;
use crate::domain::event::Event;
use crate::domain::progress::Progress;
use crate::run::said;
use crate::store::records::Record;

/// So much of the record's end is read; in bytes.
const READ_AT_MOST: u64 = 8 * 1024 * 1024;

/// An error if the record is not kept any more.
pub(super) fn read(folder: RunFolder, record: &Record) -> io::Result<Vec<String>> {
    let mut host = Host::open_near_end(folder, READ_AT_MOST)?;
    let (mut progress, mut answers) = (Progress::default(), Vec::new());
    loop {
        let (events, more) = host.events()?;
        for (_, event) in events.into_iter().filter(|(end, _)| record.has(*end)) {
            progress.apply(&event);
            if let Event::TurnEnded(end) = &event {
                answers.push(said::whole(&progress, &end.text));
            }
        }
        if !more {
            return Ok(answers);
        }
    }
}
