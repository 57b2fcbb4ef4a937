//! Which calls are meant, by what stands in their JSON body: `action=opened repository.full_name=ada/thing`. Pure.
//!
//! A filter is one or more conditions, and all of them must hold. Between them stand blanks or line breaks. A condition
//! is a field, `=` or `!=`, and a value; one with blanks stands in quotation marks, as JSON writes it, or in those that
//! phones make of them.

use serde_json::Value;

/// The conditions that a body must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    /// Names in objects, places in arrays.
    path: Vec<String>,
    is_equal: bool,
    value: String,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no condition in it.
    Nothing,
    /// This is no condition.
    Malformed(String),
}

impl Filter {
    pub fn parse(text: &str) -> Result<Filter, Fault> {
        let mut conditions = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (condition, behind) = Condition::parse(rest).ok_or_else(|| {
                let word = rest.split_whitespace().next().unwrap_or_default();
                Fault::Malformed(word.to_owned())
            })?;
            conditions.push(condition);
            rest = behind.trim_start();
        }
        if conditions.is_empty() {
            return Err(Fault::Nothing);
        }
        Ok(Filter(conditions))
    }

    /// What follows the condition at the beginning of a text; `None` if there is none.
    pub fn first_of(text: &str) -> Option<&str> {
        Condition::parse(text).map(|(_, behind)| behind)
    }

    /// Whether all conditions hold. A field that is not there equals nothing.
    pub fn matches(&self, body: &Value) -> bool {
        self.0.iter().all(|condition| condition.holds(body))
    }
}

impl Condition {
    /// The condition at the beginning of a text, and what follows it.
    fn parse(text: &str) -> Option<(Condition, &str)> {
        let (field, rest) = text.split_once('=')?;
        let (field, is_equal) = match field.strip_suffix('!') {
            Some(field) => (field, false),
            None => (field, true),
        };
        if field.contains(|c: char| c.is_whitespace() || c == '"') {
            return None;
        }
        let path: Vec<String> = field.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return None;
        }
        let (value, rest) = value(rest)?;
        let condition = Condition {
            path,
            is_equal,
            value,
        };
        Some((condition, rest))
    }

    fn holds(&self, body: &Value) -> bool {
        let found = self.path.iter().try_fold(body, |value, name| match value {
            Value::Object(fields) => fields.get(name),
            Value::Array(values) => place(name).and_then(|place| values.get(place)),
            _ => None,
        });
        found.is_some_and(|found| is_written(found, &self.value)) == self.is_equal
    }
}

/// A value at the beginning of a text, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let value = values.next()?.ok()?;
        let rest = &text[values.byte_offset()..];
        let is_over = rest.is_empty() || rest.starts_with(char::is_whitespace);
        return is_over.then_some((value, rest));
    }
    // Phones make these of plain quotation marks.
    if let Some(inner) = text.strip_prefix(is_curly) {
        let (value, rest) = inner.split_once(is_curly)?;
        let is_over = rest.is_empty() || rest.starts_with(char::is_whitespace);
        return is_over.then(|| (value.to_owned(), rest));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    let is_value = !value.is_empty() && !value.starts_with('=') && !value.contains('"');
    is_value.then(|| (value.to_owned(), rest))
}

fn is_curly(c: char) -> bool {
    "“”„‟«»".contains(c)
}

/// Numbers, booleans and null compare by their JSON text. Objects and arrays equal nothing.
fn is_written(found: &Value, value: &str) -> bool {
    match found {
        Value::String(text) => text == value,
        Value::Number(number) => number.to_string() == value,
        Value::Bool(true) => value == "true",
        Value::Bool(false) => value == "false",
        Value::Null => value == "null",
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// `0`, `12`; not `01` or `+1`.
fn place(name: &str) -> Option<usize> {
    let place: usize = name.parse().ok()?;
    (place.to_string() == name).then_some(place)
}
