//! What an MCP server asks a person through claude: `control_request` `elicitation`, a form of plain fields or a link.
//!
//! claude waits for the answer without a limit, also where it was started without `--permission-prompt-tool`.

use serde_json::{Map, Value, json};

use crate::domain::question::{Answer, Asks, Choice, Elicitation, Field, FieldKind, Offer};

const DECLINE: &str = "Decline";
const DONE: &str = "Done";

/// Reads a request; one with a field that no chat can ask for becomes [`Asks::Unknown`].
pub(super) fn read(request: &Value) -> Asks {
    let server = request["mcp_server_name"].as_str().unwrap_or("of no name");
    let message = request["message"].as_str().unwrap_or_default();
    if request["mode"] == "url" {
        let url = request["url"].as_str().unwrap_or_default();
        let question = format!("for the MCP server {server}: {message}\n{url}");
        return Asks::Elicitation(Elicitation {
            fields: Vec::new(),
            choices: vec![choice(question, &[DONE, DECLINE])],
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
        labels.push(DECLINE);
        form.choices.push(choice(question, &labels));
        form.fields.push(Field {
            name: name.to_owned(),
            kind,
        });
    }
    if form.fields.is_empty() {
        let question = format!("for the MCP server {server}: {message}");
        form.choices.push(choice(question, &["Accept", DECLINE]));
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

/// The answer to a request: `accept` with what was answered, `decline`, or `cancel` if nobody could be asked.
pub(super) fn response(form: &Elicitation, answers: &[Answer]) -> Value {
    let words = |answer: &Answer| match answer {
        Answer::Chosen(labels) => labels.join(", "),
        Answer::Written(words) => words.trim().to_owned(),
        _ => String::new(),
    };
    if answers.is_empty() {
        return json!({"action": "cancel"});
    }
    if answers.iter().any(|answer| words(answer) == DECLINE) {
        return json!({"action": "decline"});
    }
    let mut content = Map::new();
    for (field, answer) in form.fields.iter().zip(answers) {
        content.insert(field.name.clone(), value(&field.kind, words(answer)));
    }
    match content.is_empty() {
        true => json!({"action": "accept"}),
        false => json!({"action": "accept", "content": content}),
    }
}

/// claude does not check the content against the form: the server says what it does not take.
fn value(kind: &FieldKind, words: String) -> Value {
    match kind {
        FieldKind::Text => Value::String(words),
        FieldKind::YesOrNo => {
            let is_yes = ["yes", "true", "y", "1"].contains(&words.to_lowercase().as_str());
            Value::Bool(is_yes)
        }
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
