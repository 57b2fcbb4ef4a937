//! Sets a workspace up with the project's own command, once, before its first prompt.
//!
//! The command runs as a check does ([`super::checking`]). However it ends, the workspace stands and prompts run.

use fail::fail_point;

use super::at_work::{AtWork, Finished};
use super::checking;
use super::verify::Order;
use crate::chat::setup;
use crate::domain::check::Check;
use crate::verify::commands;

pub(super) async fn set_up(work: &AtWork<'_>) -> anyhow::Result<Finished> {
    let Some(check) = chosen(work).await else {
        // Somebody has taken it back meanwhile.
        return Ok(work.end(|_, _| Ok(())).await?);
    };
    // Prompts wait for it.
    let order = Order {
        run: None,
        with_checks: true,
        by_hand: true,
    };
    let results = tokio::select! {
        biased;
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
        results = checking::run_all(work, order, std::slice::from_ref(&check)) => results?,
    };
    fail_point!("set-up", |_| std::process::abort());
    let told = results.first().map(setup::ended);
    Ok(match told {
        Some(told) => work.say(told).await?,
        None => work.end(|_, _| Ok(())).await?,
    })
}

async fn chosen(work: &AtWork<'_>) -> Option<Check> {
    let checking = &work.handles.checking;
    let file = match checking.trusts_repository {
        true => commands::look(work.session.workspace.clone()).await.file,
        false => None,
    };
    let chosen = commands::setup(work.session, &checking.defaults, file.as_deref());
    chosen.map(|(check, _)| check)
}
