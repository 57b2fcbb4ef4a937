//! `session stop`: as `/stop` in a chat, for one session.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::LOOK_AGAIN;
use super::beside::{Beside, NoBot};
use crate::inbox::shell::{self, Stopped};
use crate::store::runs;

/// How long it takes to stop a run that does not want to, and some more.
const STOPPING_TIME: Duration = Duration::from_secs(60);

pub(super) fn stop(beside: &mut Beside, name: &str) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    match beside.write(|db| Ok(shell::stop(db, &session)?))? {
        Stopped::Run => {}
        Stopped::Job => {
            println!("What was being measured is stopped.");
            return Ok(());
        }
        Stopped::Waiting(0) => {
            println!("Nothing is running in session {name}, and nothing waits.");
            return Ok(());
        }
        Stopped::Waiting(dropped) => {
            println!("Prompts that waited and were dropped: {dropped}");
            return Ok(());
        }
    }
    let deadline = Instant::now() + STOPPING_TIME;
    while runs::running_of_session(&beside.db, &session.id)?.is_some() {
        if !beside.has_bot() {
            bail!(NoBot("the run is stopped when telecoder runs"));
        }
        if Instant::now() > deadline {
            bail!("the run does not end; its bot has been told, and goes on trying");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    println!("Stopped. What it changed so far is kept.");
    Ok(())
}
