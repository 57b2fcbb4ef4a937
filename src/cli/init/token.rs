//! The bot's token: where it comes from, and whether Telegram accepts it. It is never shown, not even in an error.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow};
use secrecy::{ExposeSecret, SecretString};

use super::terminal::Terminal;
use crate::cli::Misused;
use crate::config::{self, Origin, Setting, Sources};
use crate::metrics::Metrics;
use crate::telegram::api::{Api, TIMEOUT};
use crate::telegram::ask;
use crate::telegram::client::Way;

/// How often a token is asked for.
const TRIES: u32 = 3;

/// A token that Telegram accepts, and its bot.
pub(super) struct Bot {
    pub token: SecretString,
    pub api: Api,
    /// Without the @.
    pub username: String,
}

/// Why a token does not work, for a person.
enum Unfit {
    /// Another one may work.
    Token(String),
    /// No other one would work.
    World(anyhow::Error),
}

/// Takes the token from the file, the settings or the person; asks again if Telegram refuses it.
pub(super) async fn find(
    file: Option<&Path>,
    sources: &Sources,
    terminal: &mut Terminal,
) -> anyhow::Result<Bot> {
    let mut given = match file {
        // A terminal would show it.
        Some(file) if file == Path::new("-") && terminal.is_there() => None,
        file => given(file, sources)?,
    };
    if given.is_none() && !terminal.is_there() {
        return Err(Misused(
            "there is no token. Get one from @BotFather in Telegram (/newbot), and give it with --token-file FILE \
             (- is standard input) or as TELEGRAM_BOT_TOKEN in the environment"
                .into(),
        )
        .into());
    }
    if given.is_none() {
        print_line!(
            "The bot needs a token. In Telegram, write /newbot to @BotFather; it gives you one."
        );
    }
    let mut tries = 0;
    loop {
        let token = match given.take() {
            Some(token) => token,
            None => {
                tries += 1;
                terminal.secret("Token").await?
            }
        };
        match look(sources, &token).await {
            Ok((api, username)) => {
                print_line!("✓ Token: Telegram takes it, the bot is @{username}");
                return Ok(Bot {
                    token,
                    api,
                    username,
                });
            }
            Err(Unfit::World(error)) => return Err(error),
            Err(Unfit::Token(why)) if terminal.is_there() && tries < TRIES => {
                print_line!("✗ {why}");
            }
            Err(Unfit::Token(why)) => {
                return Err(Misused(format!("{why}. Nothing was written")).into());
            }
        }
    }
}

/// The token from the file or the settings, if there is one.
fn given(file: Option<&Path>, sources: &Sources) -> anyhow::Result<Option<SecretString>> {
    let Some(file) = file else {
        let Some((token, origin)) = sources.found(Setting::BotToken) else {
            return Ok(None);
        };
        match origin {
            Origin::Environment => print_line!("Using the token from the environment."),
            Origin::File(path) => print_line!("Using the token in {}.", path.display()),
        }
        return Ok(Some(token.into()));
    };
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map(|_| text)
            .map_err(|error| Misused(format!("standard input cannot be read: {error}")))?
    } else {
        std::fs::read_to_string(file).map_err(|error| {
            Misused(format!(
                "the token file {} cannot be read: {error}",
                file.display()
            ))
        })?
    };
    Ok(Some(text.trim().to_owned().into()))
}

async fn look(sources: &Sources, token: &SecretString) -> Result<(Api, String), Unfit> {
    let with = sources
        .clone()
        .with_value(Setting::BotToken, token.expose_secret());
    let server = config::api_url(&with).map_err(|faults| Unfit::World(faults.into()))?;
    if let Some(fault) = config::fault_of(&with, Setting::BotToken) {
        return Err(Unfit::Token(fault.what));
    }
    let way = Way::new(server, &with.whole_environment());
    if let Some(remark) = way.remark() {
        print_line!("! {remark}.");
    }
    let api =
        Api::new(way, token.clone(), Metrics::new()).map_err(|error| Unfit::World(error.into()))?;
    match ask::me(&api, TIMEOUT).await {
        Ok(me) => Ok((api, me.username)),
        Err(error) if error.is_refused_token() => Err(Unfit::Token(format!(
            "Telegram does not accept this token ({error}). @BotFather shows it under /mybots"
        ))),
        Err(error) => Err(Unfit::World(anyhow!(
            "{}. Nothing was written",
            api.way().told(&error)
        ))),
    }
}

/// Deletes the webhook, if the person agrees: while one is set, Telegram refuses getUpdates.
pub(super) async fn end_webhook(
    api: &Api,
    agreed: bool,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let webhook = ask::webhook(api, TIMEOUT)
        .await
        .context("Telegram did not say whether a webhook is set, and nothing was written")?;
    if !webhook.is_set() {
        return Ok(());
    }
    if !agreed {
        let host = webhook
            .host()
            .map(|host| format!(" ({host})"))
            .unwrap_or_default();
        if !terminal.is_there() {
            return Err(webhook_is_set(&host).into());
        }
        print_line!(
            "! Telegram sends this bot's messages to a webhook{host}, so telecoder would get none. Another program may \
             need it."
        );
        if !terminal.agrees("Delete the webhook?", false).await? {
            return Err(webhook_is_set(&host).into());
        }
    }
    ask::delete_webhook(api, TIMEOUT)
        .await
        .context("the webhook could not be deleted, and nothing was written")?;
    print_line!("✓ Webhook: deleted; messages sent meanwhile are kept");
    Ok(())
}

pub(super) fn webhook_is_set(host: &str) -> Misused {
    Misused(format!(
        "Telegram sends this bot's messages to a webhook{host}, so telecoder would get none. Nothing was written. Run \
         init again with --delete-webhook, or take another bot"
    ))
}

pub(super) fn conflict() -> anyhow::Error {
    anyhow!(
        "another program polls with this token, and nothing was written. If it is telecoder, stop it (systemctl stop \
         telecoder) and run init again"
    )
}
