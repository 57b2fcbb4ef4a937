//! `/verbose`, `/quiet`, `/ring`: stores what a chat wants to see and hear.

use rusqlite::Connection;

use super::Follow;
use crate::chat::settings as words;
use crate::command::Setting;
use crate::domain::id::ChatThread;
use crate::store::{outbox, settings};

/// Changes the setting if a value is given, and says how it is now.
pub(super) fn change(
    db: &Connection,
    at: ChatThread,
    setting: Setting,
) -> rusqlite::Result<Follow> {
    let mut now = settings::get(db, at.chat)?;
    let reply = match setting {
        Setting::Verbose(verbosity) => {
            now.verbosity = verbosity.unwrap_or(now.verbosity);
            words::verbose(now.verbosity)
        }
        Setting::Quiet(quiet) => {
            now.ring.quiet = quiet.applied_to(now.ring.quiet);
            words::quiet(now.ring)
        }
        Setting::Ring(after_s) => {
            now.ring.after_s = after_s.unwrap_or(now.ring.after_s);
            words::ring(now.ring)
        }
    };
    settings::set(db, at.chat, now)?;
    outbox::insert(db, at, &reply)?;
    Ok(Follow::default())
}
