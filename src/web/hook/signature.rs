//! Whether an incoming call comes from somebody who knows the hook's secret. Pure.
//!
//! The headers say which scheme its sender uses, and one secret is good for all:
//!
//! - GitHub, Forgejo and Gitea sign the body with HMAC-SHA-256; the key is the secret's text. GitHub, "Validating
//!   webhook deliveries"; Forgejo, "Webhooks".
//! - Standard Webhooks 1.0 signs id, moment and body; the key is the secret's base64 behind `whsec_`. Newer GitLabs do
//!   so, too ("signing token").
//! - GitLab sends the secret itself ("secret token"). GitLab, "Webhooks".
//!
//! If the headers of several schemes are there, the first of these decides, and no other makes up for it. In all but
//! Standard Webhooks, the delivery's id and the event's name are not signed: whoever got hold of a call can send it
//! again under another id. Which ids were there already is the store's.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use ring::digest::{SHA256, digest};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// How far the moment of a Standard Webhook may be from now, in seconds, to either side.
pub const VALID_S: i64 = 5 * 60;
/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// The longest id that is kept as it is, in bytes.
const MOST_ID_BYTES: usize = 200;

/// The headers of an HMAC of the body, and what stands before its hexadecimal digits.
const HMAC_HEADERS: [(&str, &str); 3] = [
    ("x-hub-signature-256", "sha256="),
    ("x-forgejo-signature", ""),
    ("x-gitea-signature", ""),
];
/// Forgejo and Gitea send GitHub's names as well, so their own come first.
const DELIVERY_HEADERS: [&str; 3] = [
    "x-forgejo-delivery",
    "x-gitea-delivery",
    "x-github-delivery",
];
const EVENT_HEADERS: [&str; 4] = [
    "x-forgejo-event",
    "x-gitea-event",
    "x-github-event",
    "x-gitlab-event",
];

/// Base64 with and without the signs that fill it up.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a call shows that its sender knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256`, `X-Forgejo-Signature`, `X-Gitea-Signature`.
    Hmac,
    /// `webhook-signature`.
    Standard,
    /// `X-Gitlab-Token`.
    GitLab,
}

/// A genuine call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub scheme: Scheme,
    /// The same when its sender tries again. If it sent none, the body's SHA-256 in hexadecimal digits.
    pub id: String,
    /// The id is its sender's.
    pub has_own_id: bool,
    /// What happened, in the sender's word: `push`, `Push Hook`.
    pub event: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No scheme's header is there.
    Unsigned,
    /// A header is missing, makes no sense, or comes twice with different values.
    Malformed,
    /// It is not signed with this secret.
    Forged,
    /// Genuine, but signed more than five minutes ago or in the future.
    Stale,
}

/// Checks a call. `now` is in Unix seconds.
pub fn check(
    headers: &HeaderMap,
    body: &[u8],
    secret: &SecretString,
    now: i64,
) -> Result<Delivery, Refused> {
    let secret = secret.expose_secret();
    // Everybody can sign with an empty key.
    if secret.is_empty() {
        return Err(Refused::Forged);
    }
    let (scheme, id) = if let Some(id) = check_hmac(headers, body, secret)? {
        (Scheme::Hmac, id)
    } else if let Some(id) = check_standard(headers, body, secret, now)? {
        (Scheme::Standard, Some(id))
    } else if let Some(id) = check_token(headers, body, secret)? {
        (Scheme::GitLab, id)
    } else {
        return Err(Refused::Unsigned);
    };
    Ok(Delivery {
        scheme,
        has_own_id: id.is_some(),
        id: match id {
            Some(id) if id.len() <= MOST_ID_BYTES => id,
            Some(id) => sha256(id.as_bytes()),
            None => sha256(body),
        },
        event: first(headers, &EVENT_HEADERS)?.map(str::to_owned),
    })
}

/// The id, if the call is signed in this scheme. Each of the scheme's headers must hold.
fn check_hmac(
    headers: &HeaderMap,
    body: &[u8],
    secret: &str,
) -> Result<Option<Option<String>>, Refused> {
    let mut is_signed = false;
    for (name, prefix) in HMAC_HEADERS {
        let Some(value) = one(headers, name)? else {
            continue;
        };
        let signature = value.strip_prefix(prefix).ok_or(Refused::Malformed)?;
        // Gitea signs with nothing where no secret was entered.
        if signature.is_empty() {
            continue;
        }
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refused::Malformed);
        }
        let made = hexadecimal(sign(secret.as_bytes(), &[body]).as_ref());
        let signature = signature.to_ascii_lowercase();
        if !is_same(signature.as_bytes(), made.as_bytes()) {
            return Err(Refused::Forged);
        }
        is_signed = true;
    }
    if !is_signed {
        return Ok(None);
    }
    Ok(Some(first(headers, &DELIVERY_HEADERS)?.map(str::to_owned)))
}

/// The same for Standard Webhooks.
fn check_standard(
    headers: &HeaderMap,
    body: &[u8],
    secret: &str,
    now: i64,
) -> Result<Option<String>, Refused> {
    let Some(signatures) = one(headers, "webhook-signature")? else {
        return Ok(None);
    };
    let needed = |name| one(headers, name)?.ok_or(Refused::Malformed);
    let (id, moment) = (needed("webhook-id")?, needed("webhook-timestamp")?);
    let signed_at: i64 = moment.parse().map_err(|_| Refused::Malformed)?;

    let key = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let key = BASE64.decode(key).map_err(|_| Refused::Forged)?;
    if key.is_empty() {
        return Err(Refused::Forged);
    }
    let made = sign(&key, &[id.as_bytes(), b".", moment.as_bytes(), b".", body]);
    // A sender that changes its secret signs with the old one, too. Other versions are other algorithms.
    let is_genuine = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|signature| BASE64.decode(signature).ok())
        .any(|signature| is_same(&signature, made.as_ref()));
    if !is_genuine {
        return Err(Refused::Forged);
    }
    if signed_at.abs_diff(now) > VALID_S.unsigned_abs() {
        return Err(Refused::Stale);
    }
    Ok(Some(id.to_owned()))
}

/// The same for GitLab's secret token.
fn check_token(
    headers: &HeaderMap,
    body: &[u8],
    secret: &str,
) -> Result<Option<Option<String>>, Refused> {
    let Some(token) = one(headers, "x-gitlab-token")? else {
        return Ok(None);
    };
    if !is_same(token.as_bytes(), secret.as_bytes()) {
        return Err(Refused::Forged);
    }
    // Since GitLab 17.4, and the same when it tries again.
    if let Some(key) = one(headers, "idempotency-key")? {
        return Ok(Some(Some(key.to_owned())));
    }
    // What one call sets off may call again under the same id, so the body belongs to it. `X-Gitlab-Webhook-UUID` is
    // of no use here: it is another one at each try.
    let id = one(headers, "x-gitlab-event-uuid")?;
    Ok(Some(id.map(|id| format!("{id}-{}", sha256(body)))))
}

/// The value of the first of these headers that is there.
fn first<'a>(headers: &'a HeaderMap, names: &[&str]) -> Result<Option<&'a str>, Refused> {
    for name in names {
        if let Some(value) = one(headers, name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The one value of a header; an empty one is none.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != value) {
        return Err(Refused::Malformed);
    }
    let value = value.to_str().map_err(|_| Refused::Malformed)?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

fn sign(key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    context.sign()
}

/// Compares in a time that tells nothing but the lengths.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(digest(&SHA256, bytes).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
