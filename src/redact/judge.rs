//! Tells a secret from ordinary text of the same form.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// What a pattern has matched.
pub struct Found<'a> {
    pub secret: &'a str,
    /// The pattern's group of that name.
    pub name: Option<&'a str>,
    pub head: Option<&'a str>,
    /// The text behind the match.
    pub behind: &'a str,
}

/// Passwords that stand in examples and in what everybody starts on their own machine.
const WELL_KNOWN: [&str; 33] = [
    "password",
    "passwd",
    "pass",
    "passw0rd",
    "pwd",
    "pw",
    "pswd",
    "secret",
    "token",
    "changeme",
    "change-me",
    "change_me",
    "example",
    "postgres",
    "postgresql",
    "mysql",
    "root",
    "admin",
    "guest",
    "test",
    "testing",
    "user",
    "username",
    "mypassword",
    "my-password",
    "my_password",
    "yourpassword",
    "your-password",
    "your_password",
    "mysecretpassword",
    "foobar",
    "redacted",
    "x-oauth-basic",
];

pub fn always(_: &Found<'_>) -> bool {
    true
}

/// Amazon's documents have keys that end so.
pub fn not_an_example(found: &Found<'_>) -> bool {
    !found.secret.contains("EXAMPLE")
}

/// Whether a text looks drawn at random, not written.
pub fn drawn(found: &Found<'_>) -> bool {
    is_drawn(found.secret)
}

fn is_drawn(text: &str) -> bool {
    is_uuid(text) || pieces(text).any(is_drawn_piece)
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

/// Digits among letters, or capitals in no order; a name in camel case has fewer of them.
fn is_drawn_piece(piece: &str) -> bool {
    let count = |is: fn(&u8) -> bool| piece.bytes().filter(is).count();
    let digits = count(u8::is_ascii_digit);
    let upper = count(u8::is_ascii_uppercase);
    let lower = count(u8::is_ascii_lowercase);
    let is_mixed = digits >= 2 && upper + lower >= 4 && runs(piece) >= 4;
    let has_capitals = upper * 4 >= piece.len() && lower * 4 >= piece.len() && runs(piece) >= 6;
    let is_hex =
        piece.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits >= 6 && runs(piece) >= 3;
    (piece.len() >= 20 && is_hex)
        || (piece.len() >= 12 && is_mixed)
        || (piece.len() >= 16 && has_capitals)
}

/// How many runs of digits, of capitals and of small letters a text has.
fn runs(text: &str) -> usize {
    let kind = |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let bytes = text.as_bytes();
    let changes = bytes
        .windows(2)
        .filter(|two| kind(&two[0]) != kind(&two[1]));
    changes.count() + usize::from(!bytes.is_empty())
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Behind `sk-` stands a word of a service and then what was drawn; names of styles and voices are short words.
pub fn is_api_key(found: &Found<'_>) -> bool {
    const SERVICES: [&str; 5] = [
        "sk-proj-",
        "sk-svcacct-",
        "sk-admin-",
        "sk-or-v1-",
        "sk-None-",
    ];
    let is_known = SERVICES
        .iter()
        .any(|service| found.secret.starts_with(service));
    match is_known {
        true => is_drawn(found.secret),
        false => pieces(found.secret).any(|piece| piece.len() >= 32 && is_drawn_piece(piece)),
    }
}

/// Whether the first part of three is the header of a JWT (RFC 7519).
pub fn is_jwt(found: &Found<'_>) -> bool {
    let head = found
        .head
        .and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head = head.and_then(|head| serde_json::from_slice::<serde_json::Value>(&head).ok());
    head.is_some_and(|head| head.get("alg").is_some_and(|alg| alg != "none"))
}

/// Whether a word in the place of a URL's password is one.
pub fn in_url(found: &Found<'_>) -> bool {
    // A version of an image, and its digest.
    if found.behind.starts_with("sha256:") || found.behind.starts_with("sha512:") {
        return false;
    }
    let first = found
        .secret
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let is_port = (1..=5).contains(&first.len())
        && found.secret[first.len()..].starts_with([',', ';', '.', '&', '|', '*']);
    let is_version = found
        .secret
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_number = is_port || (is_version && found.secret.len() <= 5);
    !is_number && is_password(found.name.unwrap_or_default(), found.secret)
}

/// As [`in_url`], of a password with a `/`, `?` or `#` in it: without a port before that, and not of words alone.
pub fn in_odd_url(found: &Found<'_>) -> bool {
    let first = found
        .secret
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    let is_port = first.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = found.secret.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = found.secret.bytes().any(|byte| byte.is_ascii_alphabetic());
    !is_port && has_digit && has_letter && !found.secret.contains("//") && in_url(found)
}

/// Whether a password of a name is more than a word in an example.
fn is_password(name: &str, password: &str) -> bool {
    const SHORTEST: usize = 4;
    let small = password.to_ascii_lowercase();
    let word = small.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_hidden =
        password.bytes().all(|byte| byte == password.as_bytes()[0]) || password.contains('…');
    let is_well_known = WELL_KNOWN.contains(&small.as_str())
        || (WELL_KNOWN.contains(&word) && small.len() <= word.len() + 1)
        || small.eq_ignore_ascii_case(name);
    password.chars().count() >= SHORTEST && !is_hidden && !is_well_known
}

/// A name and a password in base64 (RFC 7617).
pub fn in_authorization(found: &Found<'_>) -> bool {
    let decoded = STANDARD
        .decode(found.secret)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded
        .as_deref()
        .and_then(|decoded| decoded.split_once(':'));
    pair.is_some_and(|(name, password)| is_password(name, password))
}
