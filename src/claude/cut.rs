//! Why a turn ended before its work was done, read from a `result` line (seen on 2.1.332 and 2.1.197).

use serde_json::Value;

use crate::domain::event::Cut;

/// `line` is the `result` line, `words` its text. `None` if the turn ended for another reason, or as it should.
pub(super) fn of_result(line: &Value, words: &str) -> Option<Cut> {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    if !line["is_error"].as_bool().unwrap_or(false) {
        let is_cut = text("stop_reason") == "tool_use" && words.trim().is_empty();
        return is_cut.then_some(Cut::MidWork);
    }
    match (text("terminal_reason"), text("subtype")) {
        ("prompt_too_long", _) => return Some(Cut::ConversationTooLong),
        ("max_turns" | "budget_exhausted", _) => return Some(Cut::OwnLimit),
        (_, "error_max_turns" | "error_max_budget_usd") => return Some(Cut::OwnLimit),
        _ => {}
    }
    let has = |part: &str| words.contains(part);
    if words.starts_with("Prompt is too long") {
        return Some(Cut::ConversationTooLong);
    }
    if has("Request too large") {
        return Some(Cut::RequestTooLarge);
    }
    if has("image in the conversation could not be processed")
        || text("terminal_reason") == "image_error"
    {
        return Some(Cut::Picture);
    }
    if has("output token maximum") {
        return Some(Cut::OutputTokens);
    }
    if has("mid-response") {
        return Some(Cut::Connection);
    }
    None
}
