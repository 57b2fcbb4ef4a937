//! Calls that are not signed, badly signed, or signed by somebody else.

use axum::http::HeaderValue;
use proptest::prelude::*;
use ring::hmac;
use secrecy::SecretString;
use telecoder::web::hook::signature::{Refused, check};

use super::{
    AT, BODY, HUB_BODY, HUB_DIGITS, HUB_SECRET, ID, OTHER, SECRET, accepted, checked, headers, hub,
    standard,
};

#[test]
fn a_wrong_secret_and_a_changed_body_are_forged() {
    let call = [("X-Hub-Signature-256", hub())];
    assert_eq!(checked(&call, HUB_BODY, "another"), Err(Refused::Forged));
    assert_eq!(
        checked(&call, b"Hello, World?", HUB_SECRET),
        Err(Refused::Forged)
    );
    assert_eq!(checked(&call, b"", HUB_SECRET), Err(Refused::Forged));

    let call = standard(SECRET, ID, AT, BODY);
    assert_eq!(checked(&call, BODY, "whsec_AAAA"), Err(Refused::Forged));
    assert_eq!(checked(&call, b"{}", SECRET), Err(Refused::Forged));
    for (place, value) in [(0, "msg_other"), (1, "1614265331")] {
        let mut call = call.clone();
        call[place].1 = value.to_owned();
        assert_eq!(checked(&call, BODY, SECRET), Err(Refused::Forged));
    }
    // A secret that is no base64 has no key in this scheme.
    for secret in ["whsec_***", "whsec_", "It's a Secret"] {
        assert_eq!(
            checked(&call, BODY, secret),
            Err(Refused::Forged),
            "{secret}"
        );
    }
}

#[test]
fn nobody_comes_in_by_an_empty_secret() {
    let empty = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), HUB_BODY);
    let digits: String = empty
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for call in [
        ("X-Gitea-Signature", digits.as_str()),
        ("X-Gitlab-Token", ""),
    ] {
        assert_eq!(checked(&[call], HUB_BODY, ""), Err(Refused::Forged));
    }
    let call = standard("whsec_", ID, AT, BODY);
    for secret in ["", "whsec_"] {
        assert_eq!(checked(&call, BODY, secret), Err(Refused::Forged));
    }
}

#[test]
fn a_call_without_a_signature_is_told_so() {
    let unsigned: [&[(&str, &str)]; 6] = [
        &[],
        &[("X-GitHub-Event", "push"), ("X-GitHub-Delivery", "1")],
        &[(
            "X-Hub-Signature",
            "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59",
        )],
        // What Gitea sends where no secret was entered.
        &[
            ("X-Gitea-Signature", ""),
            ("X-Hub-Signature-256", "sha256="),
        ],
        &[("webhook-id", ID), ("webhook-timestamp", "1614265330")],
        &[("X-Gitlab-Token", ""), ("Authorization", SECRET)],
    ];
    for pairs in unsigned {
        assert_eq!(
            checked(pairs, BODY, SECRET),
            Err(Refused::Unsigned),
            "{pairs:?}"
        );
    }
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    for value in [
        HUB_DIGITS,
        "sha256",
        "sha1=757107ea",
        "sha256=757107ea",
        &format!("sha256= {HUB_DIGITS}"),
        &format!("sha256={HUB_DIGITS}00"),
        &format!("sha256={}", HUB_DIGITS.replace('7', "g")),
        &format!("{}, {}", hub(), hub()),
    ] {
        let pairs = [("X-Hub-Signature-256", value)];
        assert_eq!(
            checked(&pairs, HUB_BODY, HUB_SECRET),
            Err(Refused::Malformed),
            "{value}"
        );
    }
    let call = standard(SECRET, ID, AT, BODY);
    for missing in [0, 1] {
        let mut call = call.to_vec();
        call.remove(missing);
        assert_eq!(checked(&call, BODY, SECRET), Err(Refused::Malformed));
    }
    for at in [
        "hello",
        "",
        "16142653300000000000000000",
        "1614265330.5",
        " 1",
    ] {
        let mut call = call.clone();
        call[1].1 = at.to_owned();
        assert_eq!(
            checked(&call, BODY, SECRET),
            Err(Refused::Malformed),
            "{at}"
        );
    }
    let mut unreadable = headers(&[("X-Hub-Signature-256", hub())]);
    unreadable.insert(
        "x-github-event",
        HeaderValue::from_bytes(b"\xff").expect("a value"),
    );
    let secret = SecretString::from(HUB_SECRET);
    assert_eq!(
        check(&unreadable, HUB_BODY, &secret, AT),
        Err(Refused::Malformed)
    );
}

#[test]
fn a_header_that_comes_twice_must_say_the_same() {
    let (bad, token) = (format!("sha256={}", "0".repeat(64)), "X-Gitlab-Token");
    let refused: [&[(&str, &str)]; 5] = [
        &[
            ("X-Hub-Signature-256", &bad),
            ("X-Hub-Signature-256", &hub()),
        ],
        &[
            ("X-Hub-Signature-256", &hub()),
            ("X-Hub-Signature-256", &bad),
        ],
        &[
            ("X-Hub-Signature-256", &hub()),
            ("X-GitHub-Delivery", "1"),
            ("X-GitHub-Delivery", "2"),
        ],
        &[
            ("X-Hub-Signature-256", &hub()),
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Event", "ping"),
        ],
        &[(token, HUB_SECRET), (token, "another")],
    ];
    for pairs in refused {
        assert_eq!(
            checked(pairs, HUB_BODY, HUB_SECRET),
            Err(Refused::Malformed),
            "{pairs:?}"
        );
    }
    let mut call = standard(SECRET, ID, AT, BODY).to_vec();
    call.push(("webhook-signature", OTHER.to_owned()));
    assert_eq!(checked(&call, BODY, SECRET), Err(Refused::Malformed));

    let same = [
        ("X-Hub-Signature-256", hub()),
        ("X-Hub-Signature-256", hub()),
    ];
    accepted(&same, HUB_BODY, HUB_SECRET);
}

proptest! {
    #[test]
    fn no_header_is_too_much_and_none_that_was_made_up_is_genuine(
        values in prop::collection::vec((0..14_usize, "[ -~]{0,80}"), 0..8),
        body in prop::collection::vec(any::<u8>(), 0..50),
        now: i64,
    ) {
        const NAMES: [&str; 14] = [
            "x-hub-signature-256", "x-forgejo-signature", "x-gitea-signature", "webhook-id",
            "webhook-timestamp", "webhook-signature", "x-gitlab-token", "x-github-event",
            "x-github-delivery", "x-forgejo-delivery", "x-gitea-event", "x-gitlab-event",
            "x-gitlab-event-uuid", "idempotency-key",
        ];
        let pairs: Vec<_> = values.iter().map(|(name, value)| (NAMES[*name], value)).collect();
        let secret = SecretString::from(SECRET);
        prop_assert!(check(&headers(&pairs), &body, &secret, now).is_err());
    }
}
