//! `claude auth login`: what it shows, and whether a login is of use at all.
//!
//! Seen on 2.1.197, with and without a terminal: it prints a link and asks for the code that the page behind it gives
//! ("Paste code here if prompted >"). If the code is not complete, it says "Invalid code." and asks again. It exits
//! with 0, or with 1 and "Login failed: …". claude keeps the credentials. `setup-token`, which prints a token for
//! others to keep, is not used.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// If one of these is set, claude uses it, and a login changes nothing.
const KEYS: [&str; 6] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
];

/// How claude asks again for a code that is not whole: in 2.1.197, and in 2.1.332.
const REFUSALS: [&str; 2] = ["Invalid code", "doesn't look like the full code"];

/// How much of the screen is kept, in bytes; the link and the question are some hundred.
const SCREEN_KEPT: usize = 64 * 1024;

/// Whether claude has its credentials from a login.
pub fn helps(environment: &BTreeMap<OsString, OsString>) -> bool {
    KEYS.iter().all(|name| {
        environment
            .get(OsStr::new(name))
            .is_none_or(|value| value.is_empty())
    })
}

/// The program and its arguments.
pub fn arguments(program: &Path) -> Vec<OsString> {
    vec![program.into(), "auth".into(), "login".into()]
}

/// claude's environment, for a terminal that nobody looks at.
pub fn environment(of_claude: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let mut environment = of_claude.clone();
    environment.insert("TERM".into(), "xterm".into());
    // Opens no window on a machine that nobody sits at: the link goes to the phone.
    environment.insert("BROWSER".into(), "true".into());
    environment
}

/// What the terminal has shown so far. Its `Debug` shows nothing: somebody may have typed a code.
#[derive(Default)]
pub struct Screen {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

impl Screen {
    pub fn shows(&mut self, bytes: &[u8]) {
        let room = SCREEN_KEPT.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&strip_ansi_escapes::strip(&self.bytes)).into_owned()
    }

    /// The link; `None` until it is complete and claude waits for the code.
    pub fn link(&self) -> Option<String> {
        static LINK: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?s)(https://[!-~]+)[ \r\n].*Paste code here")
                .expect("the pattern is well-formed")
        });
        let text: String = self.text().chars().filter(char::is_ascii).collect();
        Some(LINK.captures(&text)?[1].to_owned())
    }

    /// How often a code was refused and asked for again.
    pub fn refusals(&self) -> usize {
        let text = self.text();
        REFUSALS
            .iter()
            .map(|words| text.matches(words).count())
            .sum()
    }

    /// Why the login failed, in claude's words.
    pub fn failure(&self) -> Option<String> {
        let text = self.text();
        let (_, words) = text.rsplit_once("Login failed:")?;
        Some(words.lines().next()?.trim().to_owned())
    }
}
