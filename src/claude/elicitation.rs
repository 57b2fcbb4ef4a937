//! What an MCP server asks a person through claude: `control_request` `elicitation`, a form of plain fields or a link.
//!
//! claude waits for the answer without a limit, also where it was started without `--permission-prompt-tool`.

use serde_json::{Map, Value, json};

use crate::domain::question::{Answer, Asks, Choice, Elicitation, Field, FieldKind, Offer};

/// The buttons of a link and of a form without fields. Only the first of each accepts.
const ACCEPTING: [&str; 2] = ["Done", "Accept"];
const DECLINE: &str = "Decline";
/// The button of each field that declines the whole form.
const NO_ANSWER: &str = "Do not answer";
/// A form with more fields is not put to a chat.
const MOST_FIELDS: usize = 10;

/// Reads a request; one with a field that no chat can ask for becomes [`Asks::Unknown`].
pub(super) fn read(request: &Value) -> Asks {
    let server = request["mcp_server_name"].as_str().unwrap_or("of no name");
    let message = request["message"].as_str().unwrap_or_default();
    if request["mode"] == "url" {
        let url = request["url"].as_str().unwrap_or_default();
        let question = format!("for the MCP server {server}: {message}\n{url}");
        return Asks::Elicitation(Elicitation {
            fields: Vec::new(),
            choices: vec![choice(question, &[ACCEPTING[0], DECLINE])],
        });
    }
    let schema = &request["requested_schema"];
    let names: Vec<&str> = match request["property_order"].as_array() {
        Some(order) => order.iter().filter_map(Value::as_str).collect(),
        None => schema["properties"]
            .as_object()
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default(),
    };
    if names.len() > MOST_FIELDS {
        return Asks::Unknown(format!("a form of the MCP server {server}"));
    }
    let mut form = Elicitation::default();
    for name in names {
        let property = &schema["properties"][name];
        let Some((kind, labels)) = kind(property) else {
            return Asks::Unknown(format!("a form of the MCP server {server}"));
        };
        let title = property["title"].as_str().unwrap_or(name);
        let mut question = format!("for the MCP server {server}: {message}\n{title}");
        if let Some(description) = property["description"].as_str() {
            question.push_str(&format!(" ({description})"));
        }
        let mut labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        labels.push(NO_ANSWER);
        form.choices.push(choice(question, &labels));
        form.fields.push(Field {
            name: name.to_owned(),
            kind,
        });
    }
    if form.fields.is_empty() {
        let question = format!("for the MCP server {server}: {message}");
        form.choices
            .push(choice(question, &[ACCEPTING[1], DECLINE]));
    }
    Asks::Elicitation(form)
}

/// The kind of a field of a form, and its options. JSON Schema, as the Model Context Protocol restricts it: `string`
/// (with `enum`), `number`, `integer`, `boolean`.
fn kind(property: &Value) -> Option<(FieldKind, Vec<String>)> {
    let texts = |name: &str| -> Option<Vec<String>> {
        let list = property[name].as_array()?;
        list.iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    Some(match property["type"].as_str()? {
        "string" => match texts("enum") {
            Some(values) => {
                let labels = texts("enumNames").filter(|names| names.len() == values.len());
                let labels = labels.unwrap_or_else(|| values.clone());
                let values = labels.iter().cloned().zip(values).collect();
                (FieldKind::OneOf(values), labels)
            }
            None => (FieldKind::Text, Vec::new()),
        },
        "boolean" => (FieldKind::YesOrNo, vec!["Yes".to_owned(), "No".to_owned()]),
        "number" | "integer" => (FieldKind::Number, Vec::new()),
        _ => return None,
    })
}

fn choice(question: String, labels: &[&str]) -> Choice {
    let offer = |label: &&str| Offer {
        label: (*label).to_owned(),
        description: String::new(),
    };
    Choice {
        question,
        header: String::new(),
        options: labels.iter().map(offer).collect(),
        several: false,
    }
}

/// Whether an answer declines the whole form.
pub fn declines(form: &Elicitation, answer: &Answer) -> bool {
    match (form.fields.is_empty(), answer) {
        // Words below a link or a yes are no consent.
        (true, answer) => !matches!(answer, Answer::Chosen(labels)
                if labels.iter().any(|label| ACCEPTING.contains(&label.as_str()))),
        (false, answer) => {
            matches!(answer, Answer::Chosen(labels) if labels.iter().any(|label| label == NO_ANSWER))
        }
    }
}

/// The answer to a request: `accept` with what was answered, `decline`, or `cancel` if nobody could be asked.
pub(super) fn response(form: &Elicitation, answers: &[Answer]) -> Value {
    if answers.is_empty() {
        return json!({"action": "cancel"});
    }
    if answers.iter().any(|answer| declines(form, answer)) {
        return json!({"action": "decline"});
    }
    if form.fields.is_empty() {
        return json!({"action": "accept"});
    }
    let words = |answer: &Answer| match answer {
        Answer::Chosen(labels) => labels.join(", "),
        Answer::Written(words) => words.trim().to_owned(),
        _ => String::new(),
    };
    let mut content = Map::new();
    for (field, answer) in form.fields.iter().zip(answers) {
        content.insert(field.name.clone(), value(&field.kind, words(answer)));
    }
    json!({"action": "accept", "content": content})
}

/// claude does not check the content against the form: the server says what it does not take.
fn value(kind: &FieldKind, words: String) -> Value {
    match kind {
        FieldKind::Text => Value::String(words),
        FieldKind::YesOrNo => match words.to_lowercase().as_str() {
            "yes" | "true" => Value::Bool(true),
            "no" | "false" => Value::Bool(false),
            _ => Value::String(words),
        },
        FieldKind::Number => match serde_json::from_str::<serde_json::Number>(&words) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(words),
        },
        FieldKind::OneOf(values) => {
            let chosen = values.iter().find(|(label, _)| *label == words);
            Value::String(chosen.map_or(words.clone(), |(_, value)| value.clone()))
        }
    }
}
