//! `session logs`: prints what runs did, as lines; `-f` follows.

use anyhow::bail;

use super::LOOK_AGAIN;
use super::beside::Beside;
use super::follow::Follower;
use crate::chat::logs;
use crate::cli::screen;
use crate::domain::id::RunId;
use crate::domain::session::Session;
use crate::store::runs;

pub(super) fn logs(beside: &Beside, name: &str, lines: usize, follow: bool) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    match follow {
        true => print_on(beside, &session, lines),
        false => print_last(beside, &session, lines),
    }
}

fn print_last(beside: &Beside, session: &Session, lines: usize) -> anyhow::Result<()> {
    let Some(run) = runs::newest_of_session(&beside.db, &session.id)? else {
        print_line!("Nothing has run in session {} yet.", session.id);
        return Ok(());
    };
    let mut follower = Follower::new(&beside.runs(), run);
    if !follower.is_there(&beside.db)? {
        bail!(
            "the record of the last run in session {} is not there any more",
            session.id
        );
    }
    print_end(beside, &mut follower, lines)
}

fn print_end(beside: &Beside, follower: &mut Follower, most: usize) -> anyhow::Result<()> {
    let lines: Vec<String> = follower
        .new_events(&beside.db)?
        .iter()
        .flat_map(logs::lines_of)
        .collect();
    print(lines.iter().skip(lines.len().saturating_sub(most)))
}

/// Follows from the last lines on, run after run.
fn print_on(beside: &Beside, session: &Session, lines: usize) -> anyhow::Result<()> {
    let mut at: Option<(RunId, Follower)> = None;
    loop {
        let newest = runs::newest_of_session(&beside.db, &session.id)?;
        if let Some((_, follower)) = &mut at {
            let new: Vec<String> = follower
                .new_events(&beside.db)?
                .iter()
                .flat_map(logs::lines_of)
                .collect();
            print(new.iter())?;
        }
        if let Some(run) = newest
            && at.as_ref().is_none_or(|(shown, _)| *shown != run)
        {
            let mut follower = Follower::new(&beside.runs(), run);
            match at {
                None => print_end(beside, &mut follower, lines)?,
                Some(_) => print(["— the next run".to_owned()].iter())?,
            }
            at = Some((run, follower));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Errors: stdout takes no more, so there is no sense in following on.
fn print<'a>(lines: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    for line in lines {
        print_line!("{}", screen::fit(line, &std::io::stdout()));
    }
    Ok(screen::printed()?)
}
