//! Claude's Markdown on a page.

use proptest::prelude::*;
use telecoder::web::show::{Place, markdown};

use super::{hostile, is_safe};

const PLACE: Place<'static> = Place {
    below: 2,
    name: "answer",
};

#[test]
fn markdown_as_models_write_it_reads_well_on_a_page() {
    let markdown = include_str!("../fixtures/answer.md");
    insta::assert_snapshot!(markdown::markup(markdown, PLACE).0);
}

#[test]
fn headings_go_on_with_the_outline_of_the_page() {
    let shown = markdown::markup("### a\n# b\n### c\n#### d\n## e", PLACE).0;
    assert_eq!(
        shown,
        "<div class=\"markdown\"><h3>a</h3>\n<h3>b</h3>\n<h4>c</h4>\n<h5>d</h5>\n<h4>e</h4>\n</div>"
    );
}

#[test]
fn only_addresses_of_the_web_and_of_mail_can_be_followed_and_none_is_lost() {
    let links = "[a](https://a.io/?x=1&y=\"2) [b](javascript:alert(1)) [c](src/lib.rs) [src/d.rs](src/d.rs) \
                 [e](mailto:e@a.io) [f](JaVaScRiPt:f) [g](data:text/html,g) <https://h.io> [](https://i.io) \
                 [![j](https://j.io/j.png \"inner\")](https://k.io) ![](https://l.io/l.svg \"title\")";
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

proptest! {
    #[test]
    fn nothing_in_an_answer_is_markup_of_its_own(answer in hostile()) {
        is_safe(&markdown::markup(&answer, PLACE).0);
    }
}
