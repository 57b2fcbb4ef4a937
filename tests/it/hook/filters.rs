//! Which calls begin a routine's work.

use proptest::prelude::*;
use serde_json::{Value, json};
use telecoder::domain::routine::filter::{Fault, Filter};

fn matches(filter: &str, body: &Value) -> bool {
    let filter = Filter::parse(filter).unwrap_or_else(|fault| panic!("{filter:?}: {fault:?}"));
    filter.matches(body)
}

fn opened() -> Value {
    json!({
        "action": "opened",
        "number": 7,
        "ratio": 1.5,
        "ref": "refs/heads/topic",
        "forced": false,
        "milestone": null,
        "repository": {"full_name": "ada/thing", "private": true},
        "labels": [{"name": "bug"}, {"name": "good first issue"}],
        "title": "a=b \"c\"",
        "empty": "",
        "deep": {"0": "zero", "a=b": 1},
    })
}

#[test]
fn a_call_is_meant_if_all_conditions_hold() {
    for filter in [
        "action=opened",
        "repository.full_name=ada/thing",
        "ref!=refs/heads/main",
        "action=opened repository.full_name=ada/thing ref!=refs/heads/main",
        " action=opened\n\tnumber=7 \n",
        "number=7",
        "ratio=1.5",
        "forced=false",
        "repository.private=true",
        "milestone=null",
        "labels.0.name=bug",
        "labels.1.name=\"good first issue\"",
        "labels.1.name=“good first issue” number=7",
        r#"title="a=b \"c\"" action=opened"#,
        r#"action="\u006fpened""#,
        "empty=\"\"",
        "deep.0=zero",
        "action!=closed",
    ] {
        assert!(matches(filter, &opened()), "{filter}");
    }
    for filter in [
        "action=closed",
        "action=Opened",
        "action=open",
        "action!=opened",
        "action=opened ref=refs/heads/main",
        "number=07",
        "number!=7",
        "forced=no",
        "labels.0=bug",
        "labels.00.name=bug",
        "labels.+0.name=bug",
        "labels.2.name=bug",
        "labels=[]",
        "repository={}",
        "action.x=opened",
    ] {
        assert!(!matches(filter, &opened()), "{filter}");
    }
}

#[test]
fn a_field_that_is_not_there_equals_nothing() {
    for body in [opened(), json!({}), json!([]), json!("x"), json!(null)] {
        for value in ["x", "\"\"", "null", "false"] {
            assert!(!matches(&format!("missing.field={value}"), &body));
            assert!(matches(&format!("missing.field!={value}"), &body));
        }
    }
    // Nor do objects and arrays.
    assert!(matches("labels!=bug repository!=ada/thing", &opened()));
}

#[test]
fn what_is_no_condition_is_named() {
    for text in ["", "  \n"] {
        assert_eq!(Filter::parse(text), Err(Fault::Nothing));
    }
    for (text, word) in [
        ("action", "action"),
        ("action=opened and ref=x", "and"),
        ("action = opened", "action"),
        ("action=", "action="),
        ("action= opened", "action="),
        ("action==opened", "action==opened"),
        ("=opened", "=opened"),
        ("!=opened", "!=opened"),
        ("a..b=1", "a..b=1"),
        (".a=1", ".a=1"),
        ("a.=1", "a.=1"),
        ("a=\"x", "a=\"x"),
        ("a=\"x\"y", "a=\"x\"y"),
        ("a=x\"y", "a=x\"y"),
        ("a=\"\\q\"", "a=\"\\q\""),
        ("\"a\"=x", "\"a\"=x"),
    ] {
        assert_eq!(
            Filter::parse(text),
            Err(Fault::Malformed(word.to_owned())),
            "{text}"
        );
    }
}

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z0-9_-]{1,6}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Each field with a value of its own: its path, and the value as a filter writes it.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, &below(name), found);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                leaves(value, &below(&place.to_string()), found);
            }
        }
        leaf if !path.is_empty() => found.push((path.to_owned(), leaf.to_string())),
        _ => (),
    }
}

proptest! {
    #[test]
    fn any_field_of_any_body_can_be_asked_for(body in body()) {
        let mut found = Vec::new();
        leaves(&body, "", &mut found);
        let all: Vec<String> = found.iter().map(|(path, value)| format!("{path}={value}")).collect();
        if !all.is_empty() {
            prop_assert!(matches(&all.join(" "), &body));
        }
        for (path, value) in &found {
            let not_equal = format!("{path}!={value}");
            let other = format!("{path}=\"another value\"");
            let below = format!("{path}.below={value}");
            prop_assert!(!matches(&not_equal, &body));
            prop_assert!(!matches(&other, &body));
            prop_assert!(!matches(&below, &body));
        }
    }

    #[test]
    fn no_text_is_too_much_for_a_filter(
        text in prop_oneof![any::<String>(), "[a=!.\" 0\\\\\n]{0,20}"],
        body in body(),
    ) {
        if let Ok(filter) = Filter::parse(&text) {
            let _ = filter.matches(&body);
        }
    }
}
