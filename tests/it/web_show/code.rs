//! The colours of code on a page.

use proptest::prelude::*;
use telecoder::web::show::code::{self, Language};
use telecoder::web::show::{Place, diff, markdown};

use super::{hostile, is_safe};

#[test]
fn words_texts_and_comments_have_colours_in_the_languages_that_people_use() {
    let mut all = String::new();
    for (name, source) in [
        (
            "src/lib.rs",
            "//! A crate.\n#[derive(Debug)]\npub fn find<'a>(text: &'a str) -> Option<char> {\n    /* one /* two */\n still */ \
             let c = '\\''; let s = r#\"a \"b\" \\\"#;\n    println!(\"{c} \\\" {}\", 0x_ff + 1.5);\n    Some('x')\n}",
        ),
        (
            "a.py",
            "@cached\ndef f(x: int) -> None:\n    \"\"\"Doc\n    goes on\"\"\"\n    return f'{x}' # it's",
        ),
        (
            "a.tsx",
            "const a: Map<string> = `one ${two}\nthree`; // end\nexport function $b() { return null }",
        ),
        ("deploy/run", "echo no language"),
        (
            "run.sh",
            "# start\nif [ \"$1\" = 'a' ]; then echo $# a#b \"${x}\"; fi",
        ),
        ("Dockerfile.dev", "FROM debian # base\nRUN apt-get update"),
        ("a.json", "{\"a\": [1, true, null, \"x\\\"y\"]}"),
        ("a.yml", "# top\nkey-one: it's a \"text\"\non: true"),
        ("Cargo.toml", "[package]\nname = \"x\" # y\nversion = 1"),
        ("a.sql", "select id from runs -- all\nwhere name = 'it''s'"),
        (
            "a.html",
            "<!-- a\n--> <p class=\"b\" hidden>it's <b>c</b> & d</p>",
        ),
        (
            "a.css",
            ":root { --ground: #fff; } /* x */\n@media (width > 360px) { a { color: red } }",
        ),
        ("a.go", "func main() { fmt.Println(`a\nb`, 'c') } // d"),
        ("a.md", "# Title\n> quote\ntext"),
        ("a.diff", "@@ -1 +1 @@\n-a\n+b\n c"),
    ] {
        let shown = code::block(source, Language::of_file(name)).0;
        is_safe(&shown);
        all += &format!("== {name}\n{}\n", in_brackets(&shown));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_language_is_known_by_the_fence_or_the_file() {
    for (info, is_known) in [
        ("rust", true),
        ("Rust,ignore", true),
        ("rs title=\"src/a.rs\"", true),
        ("src/main.py", true),
        ("", false),
        ("text", false),
        ("nonsense", false),
    ] {
        assert_eq!(Language::of_fence(info).is_some(), is_known, "{info}");
    }
    let place = Place {
        below: 2,
        name: "a",
    };
    let shown = markdown::markup("```rust\nfn f() {}\n```", place).0;
    assert!(
        shown.contains("<span class=\"c-keyword\">fn</span>"),
        "{shown}"
    );
}

#[test]
fn words_that_differ_keep_their_colours() {
    let diff = diff::read(
        "--- a.rs\n+++ a.rs\n@@ -1 +1 @@\n-let a = \"one two\";\n+let a = \"one three\";\n",
    );
    let shown = diff::markup(&diff, 2).0;
    is_safe(&shown);
    assert!(
        shown.contains("<span class=\"c-text\">&quot;one </span><mark><span class=\"c-text\">three</span></mark>"),
        "{shown}"
    );
}

#[test]
fn a_huge_text_and_a_very_long_line_stay_plain() {
    let long = "let x = 1; ".repeat(300);
    let huge = "let x = 1;\n".repeat(60_000);
    for (source, shown) in
        [&long, &huge].map(|text| (text, code::block(text, Language::of_fence("rust")).0))
    {
        assert!(!shown.contains("c-keyword"));
        assert!(shown.len() < source.len() + 1_000);
    }
}

#[test]
fn a_file_has_a_row_with_an_address_for_each_line() {
    let shown = code::file("a.rs", "fn f() {}\n\n<b>\n").0;
    is_safe(&shown);
    insta::assert_snapshot!(shown);
}

/// Markup as a person can read it.
fn in_brackets(markup: &str) -> String {
    let text = markup
        .replace("<span class=\"c-", "⟨")
        .replace("\">", ":")
        .replace("</span>", "⟩");
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The text that a browser shows for it.
fn without_tags(markup: &str) -> String {
    html5gum::Tokenizer::new(markup)
        .flatten()
        .filter_map(|token| match token {
            html5gum::Token::String(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            _ => None,
        })
        .collect()
}

proptest! {
    #[test]
    fn colours_change_nothing_of_a_text(
        name in prop::sample::select(&["a.rs", "a.py", "a.ts", "a.sh", "a.yml", "a.html", "a.lua", "a.md", "a.diff", "a.sql", "a.css"]),
        text in hostile(),
        piece in "[a-z'\"`#/*<>!\\-{} \\\\\n\u{e4}]{0,80}",
    ) {
        for text in [text, piece] {
            let text: String = text.chars().filter(|c| matches!(c, '\t' | '\n') || !c.is_control()).collect();
            let shown = code::block(&text, Language::of_file(name)).0;
            is_safe(&shown);
            let plain = code::block(&text, None).0;
            prop_assert_eq!(without_tags(&shown), without_tags(&plain));
        }
    }
}
