//! Finds the owner: from a flag, from the settings, or by the person who presses Start with the code shown here.

use std::time::{Duration, Instant};

use anyhow::bail;
use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};

use super::InitArguments;
use super::code::{Code, Over};
use super::pairing::Updates;
use super::terminal::{self, Terminal};
use super::token::Bot;
use crate::config::{Setting, Sources};
use crate::domain::id::UserId;
use crate::telegram::api::TIMEOUT;
use crate::telegram::ask;

/// The message to the new owner.
const WELCOME: &str = "You are the owner of this bot now. It answers here when telecoder runs.";

/// The new list of people who may use the bot, the owner first; `None` if it stays as it is.
pub(super) async fn find(
    arguments: &InitArguments,
    sources: &Sources,
    bot: &Bot,
    terminal: &mut Terminal,
) -> anyhow::Result<Option<String>> {
    let users = sources.value(Setting::AllowedUsers);
    if let Some(id) = arguments.owner {
        print_line!("✓ Owner: {id}");
        return Ok(Some(with_owner(id, users.as_deref())));
    }
    if let Some(users) = &users
        && !arguments.pair
    {
        print_line!("✓ Who may use the bot: {users}");
        if !terminal.agrees("Set another owner?", false).await? {
            return Ok(None);
        }
    }
    let id = pair(arguments.pairing_time, bot, terminal).await?;
    Ok(Some(with_owner(id, users.as_deref())))
}

/// Shows codes until somebody has used one.
async fn pair(good_for: Duration, bot: &Bot, terminal: &mut Terminal) -> anyhow::Result<u64> {
    let mut updates = Updates::begin(&bot.api).await?;
    loop {
        let mut code = Code::new(Instant::now(), good_for);
        let link = code.link(&bot.username);
        print_line!(
            "\nOpen this link on your phone or computer, and press Start. The first to do so is the owner:\n"
        );
        print_line!("  {link}");
        terminal::draw(&link);
        print_line!(
            "Waiting for it… (The link works for {}; Ctrl-C stops.)",
            in_words(good_for)
        );
        let over = match updates.wait_for(&mut code).await? {
            Ok(owner) => {
                print_line!(
                    "✓ Owner: {} ({})",
                    terminal::harmless(&owner.name),
                    owner.user.0
                );
                welcome(bot, owner.user).await;
                return Ok(owner.user.0);
            }
            Err(Over::Expired) => "Nobody pressed Start in time, so the code has expired",
            Err(Over::Guessed) => {
                "Five wrong codes were sent to the bot, so somebody may be guessing; the code is not accepted any more"
            }
        };
        if !terminal.is_there() {
            bail!("{over}. Nothing was written. Run init again, or give your user id with --owner");
        }
        print_line!("✗ {over}.");
        if !terminal.agrees("Make a new code?", true).await? {
            bail!("nobody is the owner, and nothing was written");
        }
    }
}

/// Like `10 minutes`.
fn in_words(length: Duration) -> String {
    SpanPrinter::new()
        .designator(Designator::Verbose)
        .spacing(Spacing::BetweenUnitsAndDesignators)
        .unsigned_duration_to_string(&length)
}

/// A failure changes nothing.
async fn welcome(bot: &Bot, owner: UserId) {
    if let Err(error) = ask::say(&bot.api, owner, WELCOME, TIMEOUT).await {
        print_line!("! The chat could not be told ({error}); you are the owner all the same.");
    }
}

/// The list with the owner first, each person once.
fn with_owner(owner: u64, users: Option<&str>) -> String {
    let owner = owner.to_string();
    let others = users
        .unwrap_or_default()
        .split([',', ' ', ';'])
        .map(str::trim)
        .filter(|user| !user.is_empty() && *user != owner);
    let mut list: Vec<&str> = vec![&owner];
    for user in others {
        if !list.contains(&user) {
            list.push(user);
        }
    }
    list.join(",")
}
