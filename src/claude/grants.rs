//! Grants: what claude may do in a session without asking again, as claude suggests it and as claude is told it.
//!
//! Requests and their answers are `claude::asks`'.

use serde_json::{Value, json};

use crate::domain::choices::PermissionMode;
use crate::domain::question::Grant;
use crate::domain::shown::exact;

/// Grants with more characters than this cannot all be shown to a person, and so are not offered.
const LONGEST_GRANT: usize = 600;
const MOST_GRANTS: usize = 5;
/// How many of a session's grants claude is told; each takes up to some hundred bytes.
const MOST_RULES: usize = 1_000;

/// The grants to offer for this session, as claude suggests them. A mode, which allows much more than was asked, is
/// offered only if claude suggests no rule or folder; the tool as a whole, unless it is Bash, only if no mode either.
pub(super) fn for_session(tool: &str, command: Option<&str>, suggestions: &[Value]) -> Vec<Grant> {
    let mut grants = Vec::new();
    for suggestion in suggestions {
        match suggestion["type"].as_str() {
            Some("addRules") if suggestion["behavior"] == "allow" => {
                let rules = suggestion["rules"].as_array().into_iter().flatten();
                grants.extend(rules.filter_map(rule));
            }
            Some("addDirectories") => {
                let folders = suggestion["directories"].as_array().into_iter().flatten();
                let folders = folders.filter_map(Value::as_str);
                grants.extend(folders.map(|folder| Grant::Folder(folder.to_owned())));
            }
            _ => {}
        }
    }
    if !grants.is_empty() {
        return match can_be_shown(&grants, command) {
            true => grants,
            false => Vec::new(),
        };
    }
    let mode = suggestions
        .iter()
        .filter(|suggestion| suggestion["type"] == "setMode")
        .find_map(|suggestion| PermissionMode::named(suggestion["mode"].as_str()?));
    match mode {
        Some(mode) => vec![Grant::Mode(mode)],
        None if tool == "Bash" => Vec::new(),
        None => vec![Grant::Rule {
            tool: tool.to_owned(),
            content: None,
        }],
    }
}

/// claude reads an empty rule and `*` as the whole tool; `None` if that would be all of Bash. No tool has a parenthesis in
/// its name: it would be another rule.
fn rule(suggested: &Value) -> Option<Grant> {
    let is_name = |tool: &&str| !tool.contains(['(', ')']);
    let tool = suggested["toolName"].as_str().filter(is_name)?.to_owned();
    let is_of_all = |c: char| c.is_whitespace() || matches!(c, '*' | ':');
    let content = suggested["ruleContent"]
        .as_str()
        .filter(|content| !content.chars().all(is_of_all))
        .map(str::to_owned);
    if tool == "Bash" && content.is_none() {
        return None;
    }
    Some(Grant::Rule { tool, content })
}

/// Whether a person can read all that they would allow. The command itself does not count: it is shown anyway.
fn can_be_shown(grants: &[Grant], command: Option<&str>) -> bool {
    let shown: String = grants
        .iter()
        .filter_map(|grant| match grant {
            Grant::Rule {
                content: Some(content),
                ..
            } if Some(content.as_str()) == command => None,
            Grant::Rule { .. } => grant.rule(),
            Grant::Folder(folder) => Some(folder.clone()),
            Grant::Mode(_) => None,
        })
        .collect();
    grants.len() <= MOST_GRANTS
        && shown.chars().count() <= LONGEST_GRANT
        && exact(&shown) == shown
        && !shown.contains(char::is_control)
}

/// A grant as an entry of claude's `updatedPermissions`.
pub(super) fn update(grant: &Grant) -> Value {
    match grant {
        Grant::Rule { tool, content } => {
            let mut rule = json!({"toolName": tool});
            if let Some(content) = content {
                rule["ruleContent"] = json!(content);
            }
            json!({"type": "addRules", "rules": [rule], "behavior": "allow", "destination": "session"})
        }
        Grant::Folder(folder) => {
            json!({"type": "addDirectories", "directories": [folder], "destination": "session"})
        }
        Grant::Mode(mode) => {
            json!({"type": "setMode", "mode": mode.name(), "destination": "session"})
        }
    }
}

/// The rules and folders that a session has allowed, the newest [`MOST_RULES`], for claude's settings: `permissions`.
pub(super) fn permissions(grants: &[Grant]) -> Value {
    let grants = &grants[grants.len().saturating_sub(MOST_RULES)..];
    let rules: Vec<String> = grants.iter().filter_map(spelled).collect();
    let folders: Vec<&str> = grants
        .iter()
        .filter_map(|grant| match grant {
            Grant::Folder(folder) => Some(folder.as_str()),
            Grant::Rule { .. } | Grant::Mode(_) => None,
        })
        .collect();
    json!({"allow": rules, "additionalDirectories": folders})
}

/// A rule as claude's settings spell it, with parentheses and backslashes escaped (seen on 2.1.197): unescaped, it
/// would be another rule.
fn spelled(grant: &Grant) -> Option<String> {
    let Grant::Rule { tool, content } = grant else {
        return None;
    };
    let Some(content) = content else {
        return Some(tool.clone());
    };
    let mut escaped = String::with_capacity(content.len());
    for character in content.chars() {
        if matches!(character, '\\' | '(' | ')') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    Some(format!("{tool}({escaped})"))
}
