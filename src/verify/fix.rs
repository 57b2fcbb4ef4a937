//! What claude is told when failing checks are sent back to it: a fixed form, with the checks' own words in it.

use super::{CheckResult, Ended};

/// How much of each check's output goes along, in bytes; the end counts.
const OUTPUT_SENT: usize = 6_000;

/// The prompt; `None` where no check has failed.
pub fn prompt(checks: &[CheckResult]) -> Option<String> {
    // One that could not be run says nothing about the code.
    let is_failing =
        |result: &&CheckResult| matches!(result.ended, Ended::Failed { .. } | Ended::TimedOut);
    let mut failed = checks.iter().filter(is_failing).peekable();
    failed.peek()?;
    let mut prompt = String::from("These checks fail in the workspace as it is now:\n");
    for result in failed {
        prompt.push_str(&format!("\n$ {}\n", result.check.command));
        prompt.push_str(match &result.ended {
            Ended::TimedOut => "(it did not end in time and was ended)\n",
            _ => "",
        });
        prompt.push_str(end_of(&result.last_lines, OUTPUT_SENT));
        if let Ended::Failed { code: Some(code) } = result.ended {
            prompt.push_str(&format!("\n(exit code {code})"));
        }
        prompt.push('\n');
    }
    prompt.push_str("\nFix the cause.");
    Some(prompt)
}

/// The last lines, of at most so many bytes.
pub fn end_of(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut from = text.len() - most;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    match text[from..].find('\n') {
        Some(end) => &text[from + end + 1..],
        None => &text[from..],
    }
}
