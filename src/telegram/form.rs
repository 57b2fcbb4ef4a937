//! A call with a file in it: a form, as the Bot API's server reads it.

use std::time::Duration;

use reqwest::multipart::Form;
use serde_json::Value;

/// For the smallest file.
const AT_LEAST: Duration = Duration::from_secs(120);
/// The slowest connection expected, in bytes a second.
const SLOWEST: u64 = 32 * 1024;

/// The arguments of a call, each as a part.
pub(super) fn form_of(arguments: &Value) -> Form {
    let arguments = arguments.as_object().into_iter().flatten();
    arguments.fold(Form::new(), |form, (argument, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        form.text(argument.clone(), value)
    })
}

/// A file's name as the Bot API's server reads it: raw, up to a semicolon or a quote (seen in tdlib's `HttpReader`).
pub(super) fn name_in_form(name: &str) -> String {
    let breaks = |c: char| matches!(c, ';' | '"' | '\\') || c.is_control();
    name.replace(breaks, "_")
}

/// How long it may take to send so many bytes.
pub(super) fn time_for(length: u64) -> Duration {
    AT_LEAST + Duration::from_secs(length / SLOWEST)
}
