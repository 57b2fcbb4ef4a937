//! Foreign text on a page: it reads well, and nothing of it is markup.

use html5gum::{Error, Token, Tokenizer};
use proptest::prelude::*;
use telecoder::web::show::{Place, markdown};

const PLACE: Place<'static> = Place {
    below: 2,
    name: "answer",
};

#[test]
fn markdown_as_models_write_it_reads_well_on_a_page() {
    let markdown = include_str!("fixtures/answer.md");
    insta::assert_snapshot!(markdown::markup(markdown, PLACE).0);
}

#[test]
fn headings_go_on_with_the_outline_of_the_page() {
    let shown = markdown::markup("### a\n# b\n### c\n#### d\n## e", PLACE).0;
    assert_eq!(
        shown,
        "<h3>a</h3>\n<h3>b</h3>\n<h4>c</h4>\n<h5>d</h5>\n<h4>e</h4>\n"
    );
}

#[test]
fn only_addresses_of_the_web_and_of_mail_can_be_followed_and_none_is_lost() {
    let links = "[a](https://a.io/?x=1&y=\"2) [b](javascript:alert(1)) [c](src/lib.rs) [src/d.rs](src/d.rs) \
                 [e](mailto:e@a.io) [f](JaVaScRiPt:f) [g](data:text/html,g) <https://h.io> [](https://i.io) \
                 [![j](https://j.io/j.png)](https://k.io) ![](https://l.io/l.svg \"title\")";
    insta::assert_snapshot!(markdown::markup(links, PLACE).0.replace("</a>", "</a>\n"));
}

#[test]
fn html_in_an_answer_is_text() {
    let answer = "<script>alert(1)</script>\n\nan <img src=x onerror=alert(1)> and <b>bold</b><br>new line\n\n\
                  <div onclick=\"x\">\nblock & more\n</div>\n\n```html\n<script>alert(2)</script>\n```\n\n\
                  `</code><script>` [<b>x</b>](https://a.io \"\\\"><script>\")";
    insta::assert_snapshot!(markdown::markup(answer, PLACE).0);
}

#[test]
fn a_footnote_leads_there_and_back() {
    let answer = "One[^a], two[^b], one again[^a], [in a link[^b]](https://a.io).\n\n[^b]: Second.\n[^a]: First.";
    insta::assert_snapshot!(markdown::markup(answer, PLACE).0);
}

#[test]
fn very_deep_markdown_is_shown_and_does_not_end_the_bot() {
    for deep in [
        ">".repeat(5_000),
        "- ".repeat(2_000),
        "*a _b ".repeat(3_000),
    ] {
        let shown = markdown::markup(&format!("{deep} end"), PLACE).0;
        assert!(shown.contains("end"));
        is_safe(&shown);
    }
}

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

proptest! {
    #[test]
    fn nothing_in_an_answer_is_markup_of_its_own(answer in hostile()) {
        is_safe(&markdown::markup(&answer, PLACE).0);
    }
}
