//! The login of the real claude, as far as it gets without a network: the link, and a code that is not whole.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{ADA, CHAT, Machine};

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_real_claude_shows_its_link_and_asks_again_for_half_a_code() {
    let why = "TELECODER_TEST_CLAUDE names the real claude; .ci/run sets it";
    let claude = PathBuf::from(std::env::var_os("TELECODER_TEST_CLAUDE").expect(why));
    let machine = Machine::new()
        .with("TELECODER_RUNTIME", claude.display().to_string())
        .with("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .with("DISABLE_AUTOUPDATER", "1")
        .with("DISABLE_TELEMETRY", "1")
        .with("DISABLE_ERROR_REPORTING", "1");
    let _bot = machine.start();
    machine.ada_says("hello");
    let told = machine.message_with("Claude is not logged in on this machine");
    machine.ada_presses(&told);
    let asks = machine.message_with("Open this link");
    let link = asks
        .text
        .lines()
        .find(|line| line.starts_with("https://"))
        .expect("a link");
    // The long one is that of 2.1.197.
    let is_long = ["response_type=code", "code_challenge=", "&state="]
        .iter()
        .all(|part| link.contains(part));
    let short = link.strip_prefix("https://claude.ai/oauth/authorize?");
    let is_short = short.is_some_and(|rest| {
        rest.len() > 40
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    assert!(is_long || is_short, "it is whole: {link}");
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"text": "halfacode", "reply_to_message": {"message_id": asks.id, "date": 1,
            "chat": {"id": CHAT.0, "type": "private", "first_name": "Person"},
            "from": {"id": 1, "is_bot": true, "first_name": "telecoder"}, "text": asks.text}}),
    );
    machine.message_with("Claude says that this is not the whole code.");
}
