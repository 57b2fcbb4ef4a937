//! The forms of secrets: what the tokens of the big services look like, as their issuers describe them.
//!
//! One table, continued in `places`; `tests/it/secrets.rs` tries each example and each counter-example. The examples are in pieces, so that
//! nobody who looks for leaked secrets finds these.

use super::judge::{Found, always, drawn, is_api_key, is_jwt, not_an_example};
use super::places::PLACES;

/// A kind of secret with a known form.
pub struct Form {
    pub kind: &'static str,
    /// The pattern is tried wherever one of these stands; the pattern begins with it.
    pub anchors: &'static [&'static str],
    /// The group `secret`, or else the whole match, is the secret.
    pub pattern: &'static str,
    pub before: Before,
    /// Whether a match is a secret.
    pub judge: fn(&Found<'_>) -> bool,
    /// The secret alone tells its kind. Others are known by the text around them.
    pub is_token: bool,
    /// Texts that have such a secret, in pieces.
    pub examples: &'static [&'static [&'static str]],
    /// Texts that resemble one and have none.
    pub others: &'static [&'static str],
}

/// What may stand before the anchor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    Anything,
    /// No letter, no digit, no `_`.
    Edge,
    /// Nor `-`: such a token may contain its own anchor, and each text is read once.
    TokenEdge,
    /// Nor `.`
    JwtEdge,
    /// Eight to ten digits, which belong to the secret, and an edge before them.
    BotNumber,
}

/// What most of them have in common.
pub(super) const TOKEN: Form = Form {
    kind: "",
    anchors: &[],
    pattern: "",
    before: Before::Edge,
    judge: always,
    is_token: true,
    examples: &[],
    others: &[],
};

pub(super) const A20: &str = "aB3dE5gH7jK9mN1pQ2sT";
pub(super) const A16: &str = "4vW6yZ8bC0dF2gH4";
const A6: &str = "jL5nP7";

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Form> {
    TOKENS.iter().chain(&PLACES)
}

static TOKENS: [Form; 22] = [
    Form {
        // docs.github.com, "About authentication to GitHub"; installation tokens are becoming JWTs.
        kind: "GitHub token",
        anchors: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        pattern: r"gh[pousr]_(?:[A-Za-z0-9]{36,251}|[0-9]{1,12}_eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,2000})",
        examples: &[
            &["ghp_", A20, A16],
            &["GITHUB_TOKEN=gho_", A20, A16],
            &[r"a\nghs_", A20, A16],
            &["%3Dghr_", A20, A16],
        ],
        others: &[
            "fn boroughs_are_sorted_by_population() and highs_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2gH4",
            "ghp_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2_gH4",
            "ghp_aB3dE5gH7jK9mN1pQ2sT",
        ],
        ..TOKEN
    },
    Form {
        kind: "GitHub token",
        anchors: &["github_pat_"],
        pattern: "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        examples: &[&["github_pat_11", A20, "_", A20, A20, A16, "abc"]],
        others: &[
            "github_pat_of_somebody_who_has_not_understood_what_that_is_and_names_it_so_all_the_same",
        ],
        ..TOKEN
    },
    Form {
        // docs.gitlab.com, "Token overview"
        kind: "GitLab token",
        anchors: &[
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-",
            "glagent-", "gloas-", "glsoat-", "glffct-",
        ],
        pattern: r"gl(?:pat|dt|rtr?|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
        before: Before::TokenEdge,
        judge: drawn,
        examples: &[&["glpat-", A20], &["glrt-t1_", A20], &["glcbt-64_", A20]],
        others: &["glpat-the-token-of-the-project", "glrt-short"],
        ..TOKEN
    },
    Form {
        // docs.slack.dev, "Tokens"
        kind: "Slack token",
        anchors: &[
            "xoxa-",
            "xoxb-",
            "xoxe-",
            "xoxo-",
            "xoxp-",
            "xoxr-",
            "xoxs-",
            "xoxc-",
            "xoxd-",
            "xoxe.xoxp-",
            "xoxe.xoxb-",
            "xapp-",
        ],
        pattern: r"(?:xox[abceoprsd]|xoxe\.xox[bp]|xapp)-[A-Za-z0-9-]{24,}",
        before: Before::TokenEdge,
        judge: drawn,
        examples: &[
            &["xoxb-123456789012-1234567890123-", A20, "u6vW"],
            &["xapp-1-A0123456789-1234567890123-", A20, A16],
        ],
        others: &["xoxb-your-token-goes-here-please", "xoxp-1234"],
        ..TOKEN
    },
    Form {
        // docs.stripe.com, "API keys": secret and restricted keys, those of a sandbox too. A publishable key (`pk_`) is
        // meant to be seen.
        kind: "Stripe key",
        anchors: &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
        pattern: "[sr]k_(?:live|test)_[A-Za-z0-9]{24,247}",
        judge: drawn,
        examples: &[
            &["sk_live_", A20, "u6vW"],
            &["rk_live_51", A20, A16],
            &["sk_test_", A20, "u6vW"],
        ],
        others: &[
            "sk_live_your_key",
            "sk_test_your_key_from_the_dashboard",
            "pk_test_aB3dE5gH7jK9mN1pQ2sTu6vW",
            "task_live_aB3dE5gH7jK9mN1pQ2sT4vW6",
        ],
        ..TOKEN
    },
    Form {
        // docs.stripe.com, "Webhook signatures"
        kind: "Stripe signing secret",
        anchors: &["whsec_"],
        pattern: "whsec_[A-Za-z0-9+/]{24,250}=*",
        judge: drawn,
        examples: &[&["whsec_", A20, "u6vW"]],
        others: &["whsec_of_the_endpoint_in_the_dashboard"],
        ..TOKEN
    },
    Form {
        // developer.hashicorp.com, "Vault tokens"
        kind: "Vault token",
        anchors: &["hvs.", "hvb.", "hvr."],
        pattern: r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
        before: Before::JwtEdge,
        judge: drawn,
        examples: &[&["hvs.CAESI", A20]],
        others: &[
            "hvs.the-token-of-the-vault-of-all",
            "self.hvs.aB3dE5gH7jK9mN1pQ2sTu6vW",
        ],
        ..TOKEN
    },
    Form {
        // console.groq.com
        kind: "Groq key",
        anchors: &["gsk_"],
        pattern: "gsk_[A-Za-z0-9]{52}",
        judge: drawn,
        examples: &[&["gsk_", A20, A16, A16]],
        others: &["gsk_short"],
        ..TOKEN
    },
    Form {
        kind: "Google API key",
        anchors: &["AIza"],
        pattern: "AIza[A-Za-z0-9_-]{35}",
        before: Before::TokenEdge,
        examples: &[&["AIzaSy", A20, "-_3dE5gH7jK9m"]],
        others: &["AIzaSyB-short", "xAIzaSyaB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2"],
        ..TOKEN
    },
    Form {
        kind: "Google client secret",
        anchors: &["GOCSPX-"],
        pattern: "GOCSPX-[A-Za-z0-9_-]{28}",
        before: Before::TokenEdge,
        judge: drawn,
        examples: &[&["GOCSPX-", A20, "u6vW-8yZ"]],
        others: &["GOCSPX-the-secret-of-the-client-x"],
        ..TOKEN
    },
    Form {
        kind: "Google access token",
        anchors: &["ya29."],
        pattern: r"ya29\.(?:[a-z0-9]\.)?[A-Za-z0-9_-]{20,}",
        before: Before::JwtEdge,
        judge: drawn,
        examples: &[&["ya29.a0Af", A20, A16]],
        others: &["ya29.the-access-token-of-somebody"],
        ..TOKEN
    },
    Form {
        // docs.aws.amazon.com, "IAM identifiers"
        kind: "AWS key",
        anchors: &["AKIA", "ASIA"],
        pattern: "A[KS]IA[A-Z0-9]{16}",
        judge: not_an_example,
        examples: &[&["AKIA", "ABCDEFGH23456789"], &["ASIA", "QWERTZUI23456789"]],
        others: &[
            "AKIAIOSFODNN7EXAMPLE",
            "EURASIAABCDEFGH23456789",
            "AKIAABCDEFGH234567890",
        ],
        ..TOKEN
    },
    Form {
        kind: "npm token",
        anchors: &["npm_"],
        pattern: "npm_[A-Za-z0-9]{36}",
        judge: drawn,
        examples: &[&["npm_", A20, A16]],
        others: &[
            "npm_config_registry_of_the_whole_company",
            "npm_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2gH4x",
        ],
        ..TOKEN
    },
    Form {
        // The macaroon of pypi.org begins so.
        kind: "PyPI token",
        anchors: &["pypi-AgEI"],
        pattern: "pypi-AgEI[A-Za-z0-9_-]{50,}",
        before: Before::TokenEdge,
        examples: &[&["pypi-AgEI", "cHlwaS5vcmc", A20, A20, A16]],
        others: &["pypi-AgEIcHlwaS5vcmc"],
        ..TOKEN
    },
    Form {
        kind: "Hugging Face token",
        anchors: &["hf_"],
        pattern: "hf_[A-Za-z0-9]{34,40}",
        judge: drawn,
        examples: &[&["hf_", A20, "vWyZbCdFgHjLnP"]],
        others: &[
            "hf_hub_download_of_a_model_that_is_large",
            "half_aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2",
        ],
        ..TOKEN
    },
    Form {
        kind: "Docker token",
        anchors: &["dckr_pat_", "dckr_oat_"],
        pattern: "dckr_[op]at_[A-Za-z0-9_-]{27,32}",
        judge: drawn,
        examples: &[&["dckr_pat_", A20, "u6v-8yZ"]],
        others: &["dckr_pat_the-token-of-the-registry-x"],
        ..TOKEN
    },
    Form {
        kind: "SendGrid key",
        anchors: &["SG."],
        pattern: r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
        before: Before::JwtEdge,
        examples: &[&["SG.", A20, "u6.", A20, A16, "-_abcde"]],
        others: &[
            "SG.aB3dE5gH7jK9mN1pQ2sT.short",
            "MSG.aB3dE5gH7jK9mN1pQ2sTu6",
        ],
        ..TOKEN
    },
    Form {
        // core.telegram.org/bots/api#authorizing-your-bot
        kind: "Telegram bot token",
        anchors: &[":AA"],
        pattern: ":AA[A-Za-z0-9_-]{33}",
        before: Before::BotNumber,
        examples: &[
            &["123456789:AA", A20, "u6vW-8yZ0aB_d"],
            &["bot1234567890:AA", A20, "u6vW-8yZ0aB_d"],
        ],
        others: &[
            "1732900000:550e8400-e29b-41d4-a716-446655440000",
            "1234567890:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "123456789:AAaB3dE5gH7jK9mN1pQ2sTu6vW-8yZ0aB_dx",
        ],
        ..TOKEN
    },
    Form {
        kind: "age key",
        anchors: &["AGE-SECRET-KEY-1"],
        pattern: "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        examples: &[&[
            "AGE-SECRET-KEY-1",
            "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
            "QPZRY9X8GF2TVDW0S3JN54KHCE",
        ]],
        others: &["AGE-SECRET-KEY-1 and its line"],
        ..TOKEN
    },
    Form {
        kind: "Anthropic key",
        anchors: &["sk-ant-"],
        pattern: "sk-ant-[A-Za-z0-9_-]{32,}",
        before: Before::TokenEdge,
        judge: drawn,
        examples: &[&["sk-ant-api03-", A20, "-", A20, "_", A16, "AA"]],
        others: &[
            "sk-ant-…",
            "sk-ant-api03-your-key-from-the-console-goes-here",
        ],
        ..TOKEN
    },
    Form {
        // OpenAI's, and those of the many that have taken its form over.
        kind: "API key",
        anchors: &["sk-"],
        pattern: "sk-[A-Za-z0-9_-]{32,}",
        before: Before::TokenEdge,
        judge: is_api_key,
        examples: &[
            &["sk-proj-", A20, "-", A16, "_", A6],
            &["sk-", A20, A20, "abcdEFGH"],
            &[
                "sk-or-v1-",
                "0123456789abcdef0123456789abcdef",
                "0123456789abcdef0123456789abcdef",
            ],
        ],
        others: &[
            ".sk-folding-cube-variant2",
            "sk-SK-Chirp3-HD-Achernar",
            "messages.sk-SK-of-the-second-release-2024.json",
            "the class sk-cube-grid-something-long-of-the-spinner",
        ],
        ..TOKEN
    },
    Form {
        kind: "JWT",
        anchors: &["eyJ"],
        pattern: r"(?P<head>eyJ[A-Za-z0-9_-]{8,})\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        before: Before::JwtEdge,
        judge: is_jwt,
        examples: &[&[
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            ".",
            "eyJzdWIiOiIxMjM0In0",
            ".",
            A20,
            A16,
        ]],
        // {"version": 3, …}, as in a source map
        others: &[
            "eyJ2ZXJzaW9uIjozLCJmaWxlIjoiIn0.eyJzdWIiOiIxMjM0In0.aB3dE5gH7jK9",
            "eyJhbGciOiJIUzI1NiJ9",
        ],
        ..TOKEN
    },
];
