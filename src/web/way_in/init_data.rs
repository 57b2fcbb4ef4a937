//! What Telegram hands to a Mini App, and the proof in it. Pure.
//!
//! Bot API, "Validating data received via the Mini App": the fields but `hash`, each as `name=value`, sorted and put
//! into lines, are signed with HMAC-SHA-256; the key is the HMAC-SHA-256 of the bot's token under `WebAppData`.

use percent_encoding::percent_decode_str;
use ring::hmac;
use serde::Deserialize;

use crate::domain::id::UserId;

/// How old it may be, in seconds.
pub const VALID_S: i64 = 5 * 60;
/// How far ahead of this machine's clock Telegram's may be, in seconds.
const AHEAD_S: i64 = 60;
const KEY: &[u8] = b"WebAppData";

/// Who opened the Mini App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub user: UserId,
    pub name: String,
    /// Unix seconds.
    pub signed_at: i64,
    /// Each is used once.
    pub hash: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// A field is missing, or makes no sense.
    Malformed,
    /// It is not signed with this bot's token.
    Forged,
    Old,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    first_name: String,
    #[serde(default)]
    last_name: String,
}

/// Reads and proves what Telegram sent. `now` is in Unix seconds.
pub fn check(data: &str, token: &str, now: i64) -> Result<Proven, Unproven> {
    let mut fields = fields(data).ok_or(Unproven::Malformed)?;
    let hash = take(&mut fields, "hash").ok_or(Unproven::Malformed)?;
    let signature = bytes_of(&hash).ok_or(Unproven::Malformed)?;
    fields.sort();
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), token.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    // In constant time.
    hmac::verify(&key, lines.join("\n").as_bytes(), &signature).map_err(|_| Unproven::Forged)?;

    let signed_at: i64 = take(&mut fields, "auth_date")
        .and_then(|date| date.parse().ok())
        .ok_or(Unproven::Malformed)?;
    if !(now - VALID_S..=now + AHEAD_S).contains(&signed_at) {
        return Err(Unproven::Old);
    }
    let user = take(&mut fields, "user").ok_or(Unproven::Malformed)?;
    let user: User = serde_json::from_str(&user).map_err(|_| Unproven::Malformed)?;
    let name = format!("{} {}", user.first_name, user.last_name);
    Ok(Proven {
        user: UserId(user.id),
        name: name.trim().to_owned(),
        signed_at,
        hash,
    })
}

/// The fields of a query string; `None` if one comes twice or cannot be read.
fn fields(data: &str) -> Option<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for pair in data.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let read = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text)
                .decode_utf8()
                .ok()
                .map(String::from)
        };
        let (name, value) = (read(name)?, read(value)?);
        if fields.iter().any(|(other, _)| *other == name) {
            return None;
        }
        fields.push((name, value));
    }
    Some(fields)
}

fn take(fields: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let at = fields.iter().position(|(other, _)| other == name)?;
    Some(fields.remove(at).1)
}

/// 32 bytes as 64 hexadecimal digits.
fn bytes_of(hash: &str) -> Option<Vec<u8>> {
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..32)
        .map(|at| u8::from_str_radix(&hash[at * 2..at * 2 + 2], 16).ok())
        .collect()
}
