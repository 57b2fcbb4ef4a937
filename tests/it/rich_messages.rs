//! Rich messages that people send are read as Markdown, and nothing in them is dropped without a word.

use proptest::prelude::*;
use serde_json::{Value, json};
use telecoder::telegram::rich_message;

fn read(blocks: Value) -> String {
    let read = rich_message::read(&json!({"blocks": blocks})).expect("a message");
    read.text
}

#[test]
fn every_block_and_every_style_keeps_its_meaning() {
    let blocks: Value =
        serde_json::from_str(include_str!("fixtures/rich_message.json")).expect("JSON");
    let read = rich_message::read(&json!({"blocks": blocks})).expect("a message");
    let files: Vec<&str> = read.files.iter().map(|file| file.id.as_str()).collect();
    assert_eq!(files, ["photo", "clip", "song", "film", "voice", "inside"]);
    insta::assert_snapshot!(read.text);
}

#[test]
fn cells_that_cover_others_keep_the_rest_in_its_columns() {
    let table = json!([{"type": "table", "cells": [
        [{"text": "name", "rowspan": 2}, {"text": "size", "colspan": 2}],
        [{"text": "min"}, {"text": "max"}],
        [{"text": "a|b"}, {}, {"text": ["1", "\n", "2"]}],
    ]}]);
    assert_eq!(
        read(table),
        "| name | size |  |\n|---|---|---|\n|  | min | max |\n| a\\|b |  | 1<br>2 |"
    );
}

#[test]
fn a_message_of_an_unknown_form_is_named() {
    let read = rich_message::read(&json!({"pages": []})).expect("a message");
    assert!(
        read.text.contains("could not be passed on"),
        "{}",
        read.text
    );
}

/// A text, and the words in it.
fn text() -> impl Strategy<Value = (Value, Vec<String>)> {
    let leaf = "[a-z]{1,8}".prop_map(|word| (json!(word), vec![word]));
    leaf.prop_recursive(3, 12, 3, |inner| {
        let kinds = prop::sample::select(vec![
            "bold",
            "italic",
            "code",
            "url",
            "spoiler",
            "marked",
            "hashtag",
            "reference",
            "brand_new",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|texts| {
                let (texts, words): (Vec<Value>, Vec<Vec<String>>) = texts.into_iter().unzip();
                (Value::Array(texts), words.concat())
            }),
            (kinds, inner).prop_map(|(kind, (text, words))| {
                (
                    json!({"type": kind, "text": text, "url": "https://example.org"}),
                    words,
                )
            }),
        ]
    })
}

fn block() -> impl Strategy<Value = (Value, Vec<String>)> {
    let kinds = prop::sample::select(vec![
        "paragraph",
        "heading",
        "pre",
        "footer",
        "pullquote",
        "brand_new",
    ]);
    let leaf = (kinds, text())
        .prop_map(|(kind, (text, words))| (json!({"type": kind, "text": text, "size": 2}), words));
    leaf.prop_recursive(3, 16, 3, |inner| {
        let kinds = prop::sample::select(vec![
            "list",
            "blockquote",
            "details",
            "collage",
            "table",
            "brand_new",
        ]);
        (kinds, prop::collection::vec(inner, 1..3), text()).prop_map(
            |(kind, blocks, (text, mut words))| {
                let (blocks, inside): (Vec<Value>, Vec<Vec<String>>) = blocks.into_iter().unzip();
                if kind != "table" {
                    words.extend(inside.concat());
                }
                let block = match kind {
                    "list" => json!({"type": kind, "items": [
                    {"label": "1", "value": 1, "blocks": [{"type": "paragraph", "text": text}]},
                    {"label": "2", "value": 2, "blocks": blocks}]}),
                    "blockquote" => json!({"type": kind, "blocks": blocks, "credit": text}),
                    "details" => json!({"type": kind, "blocks": blocks, "summary": text}),
                    "table" => json!({"type": kind, "cells": [[{"text": text}]]}),
                    _ => json!({"type": kind, "blocks": blocks, "caption": {"text": text}}),
                };
                (block, words)
            },
        )
    })
}

proptest! {
    #[test]
    fn no_word_is_lost(blocks in prop::collection::vec(block(), 1..4)) {
        let (blocks, words): (Vec<Value>, Vec<Vec<String>>) = blocks.into_iter().unzip();
        let text = read(Value::Array(blocks));
        for word in words.concat() {
            prop_assert!(text.contains(&word), "{word} is not in {text}");
        }
    }

    #[test]
    fn whatever_comes_is_read(kind in "[a-z_]{1,12}", field in "[a-z_]{1,12}", word in "\\PC{0,20}") {
        let inside = Value::Object([(field.clone(), json!(word))].into_iter().collect());
        let mut block = json!({"type": kind});
        block[field.as_str()] = json!([inside, word]);
        read(json!([block, word, 7, null]));
    }
}
