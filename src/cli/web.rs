//! `telecoder web`: a link to the page, and the programs that may use its API.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::bail;
use clap::Subcommand;

use super::screen::print_beside;
use super::session::beside::Beside;
use super::{Misused, table};
use crate::config::{Known, PageAddress, Setting, Sources, data_folder};
use crate::domain::id::UserId;
use crate::store::page_keys::{self, Holder, LINK_MS};

/// How long the page may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// A name of a program.
const NAME_MOST: usize = 60;

#[derive(Debug, Subcommand)]
pub(super) enum WebCommand {
    /// Let a program use the API: prints its token, once
    #[command(after_help = "Example:\n  telecoder web token deploy-script")]
    Token {
        /// What the program is called
        name: String,
        /// Withdraw the token of this name instead
        #[arg(long)]
        withdraw: bool,
    },
    /// List the programs that may use the API
    Tokens,
}

pub(super) fn run(sources: &Sources, command: Option<WebCommand>) -> anyhow::Result<()> {
    let data = data_folder(sources)?;
    let known = Known::read(sources);
    let beside = Beside::open(&data)?;
    let Some(owner) = known.users.first().copied() else {
        return Err(Misused(
            "nobody may use this bot: TELECODER_TG_ALLOWED_USERS is empty, and the first one there is who the page \
             would be opened for"
                .to_owned(),
        )
        .into());
    };
    match command {
        None => {
            let name = name_of(&beside, owner)?;
            let holder = Holder { user: owner, name };
            let url = known
                .page
                .url()
                .or_else(|| PageAddress::written_down(&data));
            let Some(url) = url else {
                bail!(
                    "the page is not served. {} says where it shall be: telecoder config set {0} 9464",
                    Setting::WebAddr.name()
                );
            };
            let link = page_keys::make_link(&beside.db, &holder)?;
            if !answers(&url) {
                print_beside("! Nothing answers there yet: start the bot first.");
            }
            print_line!("{url}/in/{}", link.as_str());
            print_beside(&format!(
                "It logs one browser in as the owner of the bot, once, within {} minutes.",
                LINK_MS / 60_000
            ));
            Ok(())
        }
        Some(WebCommand::Token {
            name,
            withdraw: true,
        }) => match page_keys::withdraw_program(&beside.db, &name)? {
            0 => Err(Misused(format!(
                "no program is called {name}; telecoder web tokens lists them"
            ))
            .into()),
            _ => {
                print_line!("{name} cannot use the API any more.");
                Ok(())
            }
        },
        Some(WebCommand::Token { name, .. }) => {
            if name.trim().is_empty() || name.chars().count() > NAME_MOST {
                return Err(Misused(format!("a name has 1 to {NAME_MOST} characters")).into());
            }
            let is_taken = page_keys::programs(&beside.db)?
                .iter()
                .any(|program| program.name == name);
            if is_taken {
                return Err(Misused(format!(
                    "a program is called {name} already; --withdraw takes its token back first"
                ))
                .into());
            }
            let program = Holder { user: owner, name };
            let token = page_keys::make_program(&beside.db, &program)?;
            print_line!("{}", token.as_str());
            print_beside(
                "The program sends it as “Authorization: Bearer TOKEN”, and may do what the owner of the bot may do. It \
                 is not shown again.",
            );
            Ok(())
        }
        Some(WebCommand::Tokens) => {
            let programs = page_keys::programs(&beside.db)?;
            if programs.is_empty() {
                print_line!("No program may use the API; telecoder web token NAME lets one.");
                return Ok(());
            }
            let rows: Vec<[String; 2]> = programs
                .into_iter()
                .map(|program| {
                    let made = jiff::Timestamp::from_millisecond(program.made_at);
                    let made = made.map_or_else(|_| String::new(), |made| made.to_string());
                    [program.name, made]
                })
                .collect();
            table::print(["Program", "Made"], &rows);
            Ok(())
        }
    }
}

/// As Telegram has shown the owner; the chat knows it from the page's earlier visits.
fn name_of(beside: &Beside, owner: UserId) -> rusqlite::Result<String> {
    Ok(page_keys::name_of(&beside.db, owner)?.unwrap_or_default())
}

/// Whether somebody listens at an address of the page.
fn answers(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split('/').next().unwrap_or_default();
    let host = match (host.rsplit_once(':'), scheme) {
        (Some((_, port)), _) if port.parse::<u16>().is_ok() => host.to_owned(),
        (_, "https") => format!("{host}:443"),
        _ => format!("{host}:80"),
    };
    let addresses = host.to_socket_addrs().into_iter().flatten();
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, ANSWER_LIMIT).is_ok())
}
