//! `docs/openapi.json`, and whether an answer is as it says: status, kind, fields and their types.

use serde_json::Value;
use uuid::Uuid;

use crate::support::browser::Page;

pub struct Description {
    pub whole: Value,
}

impl Description {
    pub fn read() -> Description {
        let text = include_str!("../../../docs/openapi.json");
        Description {
            whole: serde_json::from_str(text).expect("JSON"),
        }
    }

    /// Methods and paths, sorted.
    pub fn operations(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (path, methods) in self.whole["paths"].as_object().expect("paths") {
            let methods = methods.as_object().expect("methods").keys();
            all.extend(methods.map(|method| (method.clone(), path.clone())));
        }
        all.sort();
        all
    }

    /// Holds an answer against what is said of its request.
    pub fn hold(&self, method: &str, path: &str, page: &Page) {
        let kind = page.header("content-type").unwrap_or_default();
        assert!(
            page.status < 400 || kind == "application/problem+json",
            "{path}: {kind}"
        );
        let Some(responses) = self.responses(method, path) else {
            self.assert_fits("Problem", &json_of(page));
            return;
        };
        let response = self.resolved(&responses[page.status.to_string()]);
        assert!(
            response.is_object(),
            "{method} {path}: {} is not described",
            page.status
        );
        let schema = &response["content"][kind]["schema"];
        assert!(
            schema.is_object(),
            "{method} {path}: {kind} is not described"
        );
        if kind.contains("json") {
            let json = json_of(page);
            assert_eq!(
                self.faults(schema, &json, ""),
                [] as [String; 0],
                "{path}: {json}"
            );
            if page.status >= 400 {
                assert_eq!(json["status"], page.status);
            }
        }
    }

    pub fn assert_fits(&self, name: &str, value: &Value) {
        let schema = &self.whole["components"]["schemas"][name];
        assert_eq!(self.faults(schema, value, ""), [] as [String; 0], "{value}");
    }

    fn responses(&self, method: &str, path: &str) -> Option<&Value> {
        let asked: Vec<&str> = path.split('?').next()?.split('/').collect();
        let paths = self.whole["paths"].as_object()?;
        let (_, methods) = paths.iter().find(|(described, _)| {
            let described: Vec<&str> = described.split('/').collect();
            let fits = |(of, it): (&&str, &&str)| of.starts_with('{') || of == it;
            described.len() == asked.len() && described.iter().zip(&asked).all(fits)
        })?;
        methods.get(method.to_lowercase())?.get("responses")
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(to) => self.whole.pointer(&to[1..]).expect("what it refers to"),
            None => schema,
        }
    }

    /// What of a value is not as a schema says. A field that is not described is a fault too.
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolved(schema);
        if let Some(any) = schema["anyOf"].as_array() {
            let mut all = any.iter().map(|one| self.faults(one, value, at));
            let first = all.next().unwrap_or_default();
            let fits = first.is_empty() || all.any(|faults| faults.is_empty());
            return if fits { Vec::new() } else { first };
        }
        let mut faults = Vec::new();
        let kinds = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_a(kind, value)) {
            faults.push(format!("{at} is {value}, not {kinds:?}"));
        }
        if let Some(one_of) = schema["enum"].as_array()
            && !one_of.contains(value)
        {
            faults.push(format!("{at} is {value}, none of {one_of:?}"));
        }
        if let (Some(format), Some(text)) = (schema["format"].as_str(), value.as_str()) {
            let fits = match format {
                "uuid" => Uuid::parse_str(text).is_ok(),
                "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
                other => panic!("an unknown format: {other}"),
            };
            if !fits {
                faults.push(format!("{at} is {text}, no {format}"));
            }
        }
        match value {
            Value::Array(values) => {
                for (number, value) in values.iter().enumerate() {
                    faults.extend(self.faults(&schema["items"], value, &format!("{at}/{number}")));
                }
            }
            Value::Object(fields) => {
                let (required, described) = self.fields(schema);
                if described.is_empty() {
                    return faults;
                }
                let missing = required.iter().filter(|name| !fields.contains_key(**name));
                faults.extend(missing.map(|name| format!("{at}/{name} is missing")));
                for (name, value) in fields {
                    let at = format!("{at}/{name}");
                    match described.iter().find(|(other, _)| *other == name) {
                        Some((_, schema)) => faults.extend(self.faults(schema, value, &at)),
                        None => faults.push(format!("{at} is not described")),
                    }
                }
            }
            _ => {}
        }
        faults
    }

    /// The required fields, and all that are described, of an object and those that it is made of.
    fn fields<'a>(&'a self, schema: &'a Value) -> (Vec<&'a str>, Vec<(&'a String, &'a Value)>) {
        let schema = self.resolved(schema);
        let (mut required, mut described) = (Vec::new(), Vec::new());
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more_required, more_described) = self.fields(part);
            required.extend(more_required);
            described.extend(more_described);
        }
        let own = schema["required"].as_array().into_iter().flatten();
        required.extend(own.filter_map(Value::as_str));
        described.extend(schema["properties"].as_object().into_iter().flatten());
        (required, described)
    }
}

fn json_of(page: &Page) -> Value {
    serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("no JSON: {}", page.body))
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("an unknown type: {other}"),
    }
}
