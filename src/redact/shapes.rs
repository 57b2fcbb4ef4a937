//! Finds secrets by their form: the tokens of the big services.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::Secret;

/// Everything that may be a secret; [`judge`] decides. One pattern, so that a text is read once.
static CANDIDATE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?x)
          (?: gh[pousr]_ | github_pat_ ) [A-Za-z0-9_]{20,}
        | glpat- [A-Za-z0-9_-]{20,}
        | (?-u:\b) sk- [A-Za-z0-9_-]{16,}
        | (?-u:\b) (?: AKIA | ASIA ) [A-Z0-9]{16}
        | xox[abeoprs]- [A-Za-z0-9-]{10,}
        | AIza [A-Za-z0-9_-]{35}
        | npm_ [A-Za-z0-9]{36}
        | eyJ [A-Za-z0-9_-]{8,} \. eyJ [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]*
        | [0-9]{8,12} : [A-Za-z0-9_-]{34,}
        | (?i-u: bearer ) [\x20:]{1,4} [A-Za-z0-9._~+/-]{16,} =*
        | :// [^\x00-\x20/?\#'"<>`\\@]+ (?: @ [^\x00-\x20/?\#'"<>`\\@]+ )* @
        # What was shortened before it came here.
        | (?: gh[pousr]_ | github_pat_ | glpat- | sk-ant- | xox[abeoprs]- | AIza | npm_ )
          [A-Za-z0-9_-]{10,} (?: … | \z )
    "#;
    Regex::new(pattern).expect("a pattern that is a constant is right or wrong at the first test")
});

/// A longer name in a URL is a token.
const LONGEST_NAME: usize = 20;
/// Bot API: the part of a token behind the colon has 35 characters.
const BOT_TOKEN: std::ops::RangeInclusive<usize> = 34..=36;

/// The secrets in a text that have a known form, in their order.
pub fn find(text: &str) -> Vec<Secret<'static>> {
    let mut found = Vec::new();
    look(text, 0, true, &mut found);
    found
}

/// A candidate that is no secret may contain one; it is searched once, so that the time stays linear.
fn look(text: &str, offset: usize, may_look_inside: bool, found: &mut Vec<Secret<'static>>) {
    for candidate in CANDIDATE.find_iter(text) {
        let start = offset + candidate.start();
        match judge(candidate.as_str()) {
            Some(Judged { range, kind }) => found.push(Secret {
                range: start + range.start..start + range.end,
                kind: Cow::Borrowed(kind),
            }),
            None if may_look_inside => {
                let inside = candidate.as_str();
                let behind = 1 + inside
                    .find([':', '-', ' '])
                    .expect("the kinds that can be refused have one of these");
                look(&inside[behind..], start + behind, false, found);
            }
            None => {}
        }
    }
}

struct Judged {
    range: std::ops::Range<usize>,
    kind: &'static str,
}

/// A candidate's kind, and the part to redact; `None` if it is no secret.
fn judge(candidate: &str) -> Option<Judged> {
    let end = candidate
        .strip_suffix('…')
        .map_or(candidate.len(), str::len);
    let whole = |kind| {
        Some(Judged {
            range: 0..end,
            kind,
        })
    };
    let first = candidate.as_bytes()[0];
    if let Some(userinfo) = candidate.strip_prefix("://") {
        return in_url(userinfo.strip_suffix('@')?);
    }
    if first.eq_ignore_ascii_case(&b'b') {
        let secret = "bearer".len() + candidate["bearer".len()..].find(|c| c != ' ' && c != ':')?;
        return has_digit(&candidate[secret..]).then_some(Judged {
            range: secret..end,
            kind: "bearer token",
        });
    }
    if first.is_ascii_digit() {
        let (_, secret) = candidate.split_once(':')?;
        return BOT_TOKEN
            .contains(&secret.len())
            .then(|| whole("Telegram bot token"))?;
    }
    if let Some(rest) = candidate.strip_prefix("sk-") {
        return match rest.starts_with("ant-") {
            true => whole("Anthropic key"),
            // Words with hyphens between them are no key.
            false => has_digit(rest).then(|| whole("API key"))?,
        };
    }
    whole(match &candidate[..3] {
        "ghp" | "gho" | "ghu" | "ghs" | "ghr" | "git" => "GitHub token",
        "glp" => "GitLab token",
        "AKI" | "ASI" => "AWS key",
        "xox" => "Slack token",
        "AIz" => "Google API key",
        "npm" => "npm token",
        _ => "JWT",
    })
}

/// A password in a URL, or a token in the place of a name.
fn in_url(userinfo: &str) -> Option<Judged> {
    let is_secret = match userinfo.split_once(':') {
        // Hidden already, or not there.
        Some((name, "…" | "" | "***")) => name.len() > LONGEST_NAME,
        Some(_) => true,
        None => userinfo.len() > LONGEST_NAME,
    };
    let start = "://".len();
    is_secret.then_some(Judged {
        range: start..start + userinfo.len(),
        kind: "password",
    })
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}
