//! Telegram: whether it can be reached and takes the token, whether another program takes the bot's messages, and
//! whether the clocks agree. `people` looks at who may use the bot.
//!
//! No update is confirmed: no call here has an offset.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::report::{Check, Finding, counted};
use super::{Ground, people, process};
use crate::metrics::Metrics;
use crate::telegram::api::{Api, ApiError};
use crate::telegram::ask::{self, Me};
use crate::telegram::client::{self, Way};

/// How long one call may take.
pub(super) const CALL: Duration = Duration::from_secs(5);
/// Our poll ends another program's. If that polls again within this time, it ends ours.
const OTHERS_COME_BACK: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(2);
const CLOCK_OFF_MS: u64 = 5_000;
const CLOCK_WRONG_MS: u64 = 60_000;

pub(super) async fn look(ground: Arc<Ground>) -> Vec<Finding> {
    let known = &ground.known;
    let Some(server) = known.api_url.clone() else {
        return not_looked_at("TELEGRAM_API_URL is wrong", &ground);
    };
    // Shows whether Telegram answers, even without a good token.
    let nobodys = || SecretString::from("0:nobody");
    let token = known.token.clone().unwrap_or_else(nobodys);
    let way = Way::new(server, &ground.sources.whole_environment());
    let Ok(api) = Api::new(way, token, Metrics::new()) else {
        return not_looked_at("no HTTP client can be made", &ground);
    };
    let asked = Instant::now();
    let me = ask::me(&api, CALL).await;
    let took = asked.elapsed();

    let mut findings = vec![reached(api.way(), &me, took)];
    if findings[0].mark == super::report::Mark::Broken {
        findings.extend(not_looked_at("Telegram does not answer", &ground));
        return findings;
    }
    if let Some(remark) = api.way().remark() {
        findings.push(Check::Telegram.warning(remark, "Correct it, or remove it"));
    }
    findings.push(clock(api.clock().ahead()));
    findings.push(match (&me, &known.token) {
        (_, None) => Check::Token.remark("there is none to try"),
        (Ok(me), _) => Check::Token.good(format!("Telegram takes it; the bot is @{}", me.username)),
        (Err(error), _) if error.is_refused_token() => Check::Token.broken(
            format!("Telegram does not take it ({error})"),
            "@BotFather shows the token under /mybots; put that one into TELEGRAM_BOT_TOKEN",
        ),
        (Err(error), _) => Check::Token.warning(
            format!("it is not known whether Telegram takes it: {error}"),
            "Try again in a minute",
        ),
    });
    match me {
        Ok(me) => {
            let (updates, people) = tokio::join!(
                updates(&api, &ground),
                people::look(&api, &ground, Some(&me))
            );
            findings.push(updates);
            findings.extend(people);
        }
        Err(_) => findings.extend(people::look(&api, &ground, None).await),
    }
    findings
}

/// The findings of the other checks if Telegram cannot be asked.
fn not_looked_at(why: &str, ground: &Ground) -> Vec<Finding> {
    let checks = [Check::Token, Check::Updates, Check::Clock];
    checks
        .into_iter()
        .map(|check| check.remark(format!("not looked at: {why}")))
        .chain(people::without_telegram(ground))
        .collect()
}

fn reached(way: &Way, me: &Result<Me, ApiError>, took: Duration) -> Finding {
    let through = way.proxy.as_ref();
    let through = through.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
    match me {
        Err(error @ (ApiError::NotSent(_) | ApiError::Unanswered(_))) => {
            Check::Telegram.broken(way.told(error), opening(way, error))
        }
        Err(error @ ApiError::Server(_)) => Check::Telegram.warning(
            error.to_string(),
            "This mostly passes by itself; telecoder then continues",
        ),
        _ if took > SLOW => Check::Telegram.warning(
            format!(
                "it answers{through}, but slowly: in {:.1} s",
                took.as_secs_f32()
            ),
            match way.proxy {
                Some(_) => "Check the proxy and this machine's network".to_owned(),
                None => format!("Check this machine's network: ping -c 5 {}", way.host()),
            },
        ),
        _ => Check::Telegram.good(format!("answers in {} ms{through}", took.as_millis())),
    }
}

/// What opens a way that is closed.
fn opening(way: &Way, error: &ApiError) -> String {
    if Way::is_distrusted(error) {
        return client::TRUST.to_owned();
    }
    match &way.proxy {
        Some(proxy) => format!(
            "Check the proxy and the value of {} (in the service's environment or the settings file); NO_PROXY={} \
             goes around it",
            proxy.variable(),
            way.host()
        ),
        None => "Check this machine's network and name resolution. If Telegram can be reached only through a proxy, \
                 put it into the settings file: HTTPS_PROXY=socks5h://HOST:PORT"
            .to_owned(),
    }
}

fn clock(ahead_ms: i64) -> Finding {
    let off = ahead_ms.unsigned_abs();
    let which = if ahead_ms > 0 { "behind" } else { "ahead of" };
    let found = format!(
        "this machine's clock is {} s {which} Telegram's",
        off / 1_000
    );
    const REMEDY: &str = "sudo timedatectl set-ntp true";
    match off {
        ..CLOCK_OFF_MS => Check::Clock.good("agrees with Telegram's"),
        CLOCK_OFF_MS..CLOCK_WRONG_MS => Check::Clock.warning(found, REMEDY),
        _ => Check::Clock.broken(found, REMEDY),
    }
}

/// Whether the messages to the bot come here.
async fn updates(api: &Api, ground: &Ground) -> Finding {
    let (webhook, other) = tokio::join!(ask::webhook(api, CALL), other_poller(api, ground));
    let webhook = match webhook {
        Ok(webhook) => webhook,
        Err(error) => {
            return Check::Updates.warning(
                format!("it is not known where messages go: {error}"),
                "Try again in a minute",
            );
        }
    };
    if webhook.is_set() {
        return Check::Updates.broken(
            ask::webhook_takes(webhook.host().as_deref()),
            format!(
                "{}, or open https://api.telegram.org/bot<token>/deleteWebhook",
                ask::END_WEBHOOK
            ),
        );
    }
    let waiting = counted(
        webhook.pending_update_count,
        "message waits at Telegram",
        "messages wait at Telegram",
    );
    match (other, ground.bot) {
        (Some(true), _) => Check::Updates.broken(
            "another program polls with the same token, so messages go now here, now there (409)",
            "Stop the other program, or get a new token from @BotFather (/revoke)",
        ),
        (Some(false), Some(_)) => Check::Updates.good(format!(
            "the bot here takes them, and no other program; {waiting}"
        )),
        (None, Some(_)) => Check::Updates.good(format!(
            "the bot here takes them; {waiting}. /status in the chat says whether another program does too"
        )),
        (Some(false), None) => {
            Check::Updates.good(format!("{waiting}; no other program takes them"))
        }
        (None, None) => Check::Updates.warning(
            format!("{waiting}; it is not known whether another program takes them"),
            "Try again in a minute",
        ),
    }
}

/// Whether another program polls; `None` if unknown. A poll would disturb a bot that runs here, so that bot is asked
/// instead. Confirms nothing: it has no offset.
async fn other_poller(api: &Api, ground: &Ground) -> Option<bool> {
    if ground.bot.is_some() {
        return process::meets_other_poller(ground).await;
    }
    // Without a wait it would never be ended: the latest poll wins.
    match ask::waiting(api, 1, OTHERS_COME_BACK, CALL).await {
        Ok(_) => Some(false),
        Err(error) if error.is_conflict() => Some(true),
        Err(_) => None,
    }
}
