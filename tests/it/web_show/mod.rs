//! Foreign text on a page: it reads well, and nothing of it is markup.

mod ansi;
mod code;
mod diff;
mod markdown;
mod style;

use html5gum::{Error, Token, Tokenizer};
use proptest::prelude::*;

/// The tags that these modules write, and their attributes.
const TAGS: &[&str] = &[
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "section",
    "span",
    "strong",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
const ATTRIBUTES: &[&str] = &[
    "aria-label",
    "aria-labelledby",
    "class",
    "colspan",
    "href",
    "id",
    "rel",
    "role",
    "scope",
    "start",
    "tabindex",
    "target",
    "title",
];

/// Reads the markup as a browser does.
fn is_safe(markup: &str) {
    let mut open = Vec::new();
    for Ok(token) in Tokenizer::new(markup) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert!(TAGS.contains(&name.as_str()), "<{name}> in {markup}");
                for (attribute, value) in &tag.attributes {
                    let attribute = String::from_utf8_lossy(attribute);
                    let value = String::from_utf8_lossy(&value.value);
                    assert!(ATTRIBUTES.contains(&&*attribute), "{attribute} in {markup}");
                    let leads_out = ["http://", "https://", "mailto:", "#"]
                        .iter()
                        .any(|start| value.to_lowercase().starts_with(start));
                    assert!(attribute != "href" || leads_out, "{value} in {markup}");
                }
                if !matches!(name.as_str(), "br" | "hr") {
                    open.push(name);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert_eq!(open.pop(), Some(name), "in {markup}");
            }
            Token::String(_) => {}
            // Characters that a browser replaces or passes over.
            Token::Error(error)
                if matches!(
                    error.value,
                    Error::UnexpectedNullCharacter
                        | Error::ControlCharacterInInputStream
                        | Error::NoncharacterInInputStream
                ) => {}
            other => panic!("{other:?} in {markup}"),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open in {markup}");
}

/// Pieces of which attacks are made, and any words.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(&[
            "<script>",
            "</script>",
            "<img src=x onerror=alert(1)>",
            "javascript:alert(1)",
            "](",
            "[",
            ")",
            "!",
            "![",
            "<",
            ">",
            "\"",
            "'",
            "&",
            "&lt;",
            "&#60;",
            "`",
            "```",
            "```rust onload=\n",
            "\n",
            "\n\n",
            "    ",
            "|",
            "|-|",
            "\n|-|-|\n",
            "> ",
            "- [ ] ",
            "- [x]",
            "1. ",
            "999999999) ",
            "# ",
            "*",
            "**",
            "_",
            "~~",
            "$",
            "$$",
            "[^1]",
            "[^1]: ",
            "[a]: ",
            "https://a.io",
            "mailto:",
            "<https://a.io\">",
            "<!--",
            "-->",
            "<![CDATA[",
            "<?php",
            "<br>",
            "</a>",
            "</div>",
            "\\",
            "\0",
            "\r",
            "\t",
            "on=",
            " onclick=\"",
            "style=\"",
            "data:text/html,",
            "\u{202e}",
            "[!NOTE]\n",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        "[a-z ]{0,8}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}
