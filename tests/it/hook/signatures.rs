//! Calls as GitHub, Forgejo, Gitea, GitLab and senders of Standard Webhooks make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use telecoder::domain::routine::secret as make_secret;
use telecoder::web::hook::signature::{Delivery, Refused, Scheme, VALID_S};

use super::{
    AT, BODY, HUB_BODY, HUB_DIGITS, HUB_SECRET, ID, OTHER, SECRET, SIGNATURE, accepted, checked,
    digits_of, hub, standard,
};

/// Of `Hello, World!` and of nothing.
const HUB_SHA256: &str = "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f";
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn githubs_own_example_is_genuine() {
    let delivery = accepted(
        &[
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("X-GitHub-Event", "issues"),
            (
                "X-Hub-Signature",
                "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59",
            ),
            ("X-Hub-Signature-256", &hub()),
        ],
        HUB_BODY,
        HUB_SECRET,
    );
    assert_eq!(
        delivery,
        Delivery {
            scheme: Scheme::Hmac,
            id: "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
            has_own_id: true,
            event: Some("issues".to_owned()),
        }
    );
}

#[test]
fn what_forgejo_and_gitea_send_is_genuine() {
    let forgejo = [
        ("X-Forgejo-Delivery", "f6266f16"),
        ("X-Forgejo-Event", "pull_request"),
        ("X-Forgejo-Signature", HUB_DIGITS),
        ("X-Gitea-Delivery", "f6266f16"),
        ("X-Gitea-Event", "pull_request"),
        ("X-Gitea-Signature", HUB_DIGITS),
        ("X-GitHub-Delivery", "f6266f16"),
        ("X-GitHub-Event", "pull_request_comment"),
        ("X-Hub-Signature-256", &hub()),
    ];
    let delivery = accepted(&forgejo, HUB_BODY, HUB_SECRET);
    assert_eq!(delivery.scheme, Scheme::Hmac);
    assert_eq!(delivery.id, "f6266f16");
    assert_eq!(delivery.event.as_deref(), Some("pull_request"));

    let upper = HUB_DIGITS.to_ascii_uppercase();
    accepted(&[("X-Gitea-Signature", &upper)], HUB_BODY, HUB_SECRET);

    // One good signature does not make up for a bad one.
    let mut one_is_bad = forgejo;
    let bad = digits_of("another", HUB_BODY);
    one_is_bad[5].1 = &bad;
    assert_eq!(
        checked(&one_is_bad, HUB_BODY, HUB_SECRET),
        Err(Refused::Forged)
    );
}

#[test]
fn standard_webhooks_own_example_is_genuine() {
    let pairs = [
        ("webhook-id", ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", SIGNATURE),
    ];
    let delivery = accepted(&pairs, BODY, SECRET);
    assert_eq!(
        (delivery.scheme, delivery.id.as_str()),
        (Scheme::Standard, ID)
    );
    assert_eq!(delivery.event, None);
    // Their libraries take the secret without its beginning, too.
    accepted(&pairs, BODY, SECRET.trim_start_matches("whsec_"));
    // Unpadded, as some write it.
    let mut unpadded = pairs;
    unpadded[2].1 = SIGNATURE.trim_end_matches('=');
    accepted(&unpadded, BODY, SECRET);
}

#[test]
fn one_good_signature_of_several_is_enough_where_a_sender_changes_its_secret() {
    let v2 = OTHER.replace("v1", "v2");
    let signed_with = |signatures: &str| {
        let pairs = [
            ("webhook-id", ID),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signatures),
        ];
        checked(&pairs, BODY, SECRET).map(|delivery| delivery.id)
    };
    let known = || Ok(ID.to_owned());
    assert_eq!(
        signed_with(&format!("{OTHER} {v2} {SIGNATURE} {OTHER}")),
        known()
    );
    assert_eq!(signed_with(&format!("v1,*** v1 , {SIGNATURE}")), known());
    for bad in [
        OTHER.to_owned(),
        SIGNATURE.replace("v1", "v2"),
        SIGNATURE.replace("v1,", "v1a,"),
        SIGNATURE[..8].to_owned(),
        SIGNATURE.trim_start_matches("v1,").to_owned(),
        "v1,".to_owned(),
        "v1,dawfeoifkpqwoekfpqoekf".to_owned(),
        "***".to_owned(),
        format!("{OTHER},{SIGNATURE}"),
    ] {
        assert_eq!(signed_with(&bad), Err(Refused::Forged), "{bad}");
    }
}

#[test]
fn a_standard_webhook_is_good_for_five_minutes() {
    for (at, result) in [
        (AT, Ok(())),
        (AT - VALID_S, Ok(())),
        (AT + VALID_S, Ok(())),
        (AT - VALID_S - 1, Err(Refused::Stale)),
        (AT + VALID_S + 1, Err(Refused::Stale)),
        (0, Err(Refused::Stale)),
        (i64::MIN, Err(Refused::Stale)),
        (i64::MAX, Err(Refused::Stale)),
    ] {
        let pairs = standard(SECRET, ID, at, BODY);
        assert_eq!(checked(&pairs, BODY, SECRET).map(|_| ()), result, "{at}");
    }
    // Whoever forges one does not learn about the clock.
    let pairs = standard("whsec_AAAA", ID, 0, BODY);
    assert_eq!(checked(&pairs, BODY, SECRET), Err(Refused::Forged));
}

#[test]
fn gitlabs_token_is_the_secret() {
    let token = ("X-Gitlab-Token", SECRET);
    let delivery = accepted(
        &[
            ("Idempotency-Key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"),
            ("X-Gitlab-Event", "Push Hook"),
            (
                "X-Gitlab-Event-UUID",
                "13792a34-cac6-4fda-95a8-c58e00a3954e",
            ),
            (
                "X-Gitlab-Webhook-UUID",
                "02affd2d-2cba-4033-917d-ec22d5dc4b38",
            ),
            token,
        ],
        BODY,
        SECRET,
    );
    assert_eq!(delivery.scheme, Scheme::GitLab);
    assert_eq!(delivery.id, "f5e5f430-f57b-4e6e-9fac-d9128cd7232f");
    assert_eq!(delivery.event.as_deref(), Some("Push Hook"));

    // Before 17.4. Calls that set off one another share it, so the body belongs to the id.
    let pairs = [("X-Gitlab-Event-UUID", "13792a34"), token];
    let (one, other) = (
        accepted(&pairs, b"{}", SECRET),
        accepted(&pairs, b"[]", SECRET),
    );
    assert!(one.id.starts_with("13792a34-") && one.id != other.id);
    assert_eq!(accepted(&pairs, b"{}", SECRET), one);

    for wrong in ["whsec_", "x", &SECRET[1..], &SECRET.to_lowercase()] {
        let pairs = [("X-Gitlab-Token", wrong)];
        assert_eq!(
            checked(&pairs, BODY, SECRET),
            Err(Refused::Forged),
            "{wrong}"
        );
    }
}

#[test]
fn a_newer_gitlab_that_signs_is_held_to_its_signature() {
    let mut pairs = standard(SECRET, ID, AT, BODY).to_vec();
    pairs.push(("X-Gitlab-Token", "another".to_owned()));
    pairs.push(("X-Gitlab-Event", "Push Hook".to_owned()));
    let delivery = accepted(&pairs, BODY, SECRET);
    assert_eq!(
        (delivery.scheme, delivery.id.as_str()),
        (Scheme::Standard, ID)
    );
    assert_eq!(delivery.event.as_deref(), Some("Push Hook"));

    let mut pairs = standard("whsec_AAAA", ID, AT, BODY).to_vec();
    pairs.push(("X-Gitlab-Token", SECRET.to_owned()));
    assert_eq!(checked(&pairs, BODY, SECRET), Err(Refused::Forged));
}

#[test]
fn the_body_stands_for_an_id_that_is_not_sent() {
    let call = [("X-Hub-Signature-256", hub())];
    assert_eq!(accepted(&call, HUB_BODY, HUB_SECRET).id, HUB_SHA256);
    let call = [("X-Gitlab-Token", SECRET), ("X-Gitlab-Event-UUID", "")];
    assert_eq!(accepted(&call, b"", SECRET).id, EMPTY_SHA256);
    let call = [("X-Forgejo-Signature", digits_of(SECRET, b""))];
    assert_eq!(accepted(&call, b"", SECRET).id, EMPTY_SHA256);
    accepted(&standard(SECRET, ID, AT, b""), b"", SECRET);

    let long = "x".repeat(5000);
    let call = [("X-Gitlab-Token", SECRET), ("Idempotency-Key", &long)];
    assert_eq!(accepted(&call, b"", SECRET).id.len(), 64);
}

#[test]
fn a_new_secret_is_good_for_every_scheme() {
    let (secret, other) = (make_secret(), make_secret());
    let text = secret.expose_secret();
    assert_ne!(text, other.expose_secret());
    assert_eq!(STANDARD.decode(text).expect("base64").len(), 32);
    accepted(&[("X-Gitea-Signature", digits_of(text, BODY))], BODY, text);
    accepted(&standard(text, ID, AT, BODY), BODY, text);
    accepted(&[("X-Gitlab-Token", text)], BODY, text);
    assert!(!format!("{secret:?}").contains(text));
}

proptest! {
    #[test]
    fn what_is_signed_with_the_secret_is_genuine_and_a_changed_byte_is_not(
        body in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0..8_u32,
    ) {
        let mut changed = body.clone();
        changed[place.index(body.len())] ^= 1 << bit;
        let hub = [("X-Hub-Signature-256", format!("sha256={}", digits_of(SECRET, &body)))];
        let standard = standard(SECRET, ID, AT, &body);
        prop_assert!(checked(&hub, &body, SECRET).is_ok());
        prop_assert!(checked(&standard, &body, SECRET).is_ok());
        prop_assert_eq!(checked(&hub, &changed, SECRET), Err(Refused::Forged));
        prop_assert_eq!(checked(&standard, &changed, SECRET), Err(Refused::Forged));
    }
}
