//! A call from another program: whether it is genuine, whether it is meant, and the prompt that it begins.

mod calls;
mod filters;
mod forged;
mod hostile;
mod signatures;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::SecretString;
use telecoder::web::hook::signature::{Delivery, Refused, check};

/// GitHub's published example.
const HUB_SECRET: &str = "It's a Secret to Everybody";
const HUB_BODY: &[u8] = b"Hello, World!";
const HUB_DIGITS: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// The example of Standard Webhooks' own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// Also theirs: well-formed, and of something else.
const OTHER: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

fn headers<T: AsRef<str>>(pairs: &[(&str, T)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(
            name,
            HeaderValue::from_str(value.as_ref()).expect("a value"),
        );
    }
    headers
}

fn checked<T: AsRef<str>>(
    pairs: &[(&str, T)],
    body: &[u8],
    secret: &str,
) -> Result<Delivery, Refused> {
    check(&headers(pairs), body, &SecretString::from(secret), AT)
}

fn accepted<T: AsRef<str>>(pairs: &[(&str, T)], body: &[u8], secret: &str) -> Delivery {
    checked(pairs, body, secret).expect("a genuine call")
}

fn hub() -> String {
    format!("sha256={HUB_DIGITS}")
}

fn digits_of(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Signs as Standard Webhooks' libraries do.
fn standard(secret: &str, id: &str, at: i64, body: &[u8]) -> [(&'static str, String); 3] {
    let key = STANDARD
        .decode(secret.trim_start_matches("whsec_"))
        .expect("base64");
    let signed = [format!("{id}.{at}.").as_bytes(), body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(tag))),
    ]
}
