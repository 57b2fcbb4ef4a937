//! Nothing of an answer is lost on its way to the chat: no address, no word, no indentation; and no link is sent that
//! Telegram could refuse.

use proptest::prelude::*;
use telecoder::chat::text;
use telecoder::telegram::draw::{self, Part};
use telecoder::telegram::markdown;
use telecoder::telegram::rich::{Entity, MESSAGE_UNITS, Rich};

use crate::rendering::{shown, telegram_takes};
use crate::written::{Document, documents};

fn rendered(markdown: &str) -> String {
    shown(&markdown::render(markdown).text)
}

#[test]
fn an_address_that_telegram_would_refuse_as_a_link_is_spelled_out() {
    for address in [
        "http://localhost:3000",
        "http://grafana:3001/d/1",
        "https://",
        "https:example.org",
        "https://example",
        "https://example.",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://1.2.3.4.5",
        "https://example.org\\x",
        "mailto:me@example.org",
        "tel:+49123",
        "tg://resolve?domain=telecoder",
        "ftp://example.org/x",
        "file:///srv/app/x",
        "javascript:alert(1)",
        "docs/page.md",
        "../up.md",
        "#part",
    ] {
        assert_eq!(
            rendered(&format!("Open [the app](<{address}>) now")),
            format!("Open the app (⟨code:{address}⟩) now")
        );
    }
    for address in [
        "http://example.org",
        "HTTPS://Example.org/a_b",
        "https://sub.example.co.uk:8443/a?b=c#d",
        "https://xn--e1afmkfd.xn--p1ai/",
        "https://пример.рф/",
        "http://192.168.0.10:3000/",
        "http://[::1]:3000/x",
        "https://user@example.org/",
    ] {
        assert_eq!(
            rendered(&format!("Open [the app](<{address}>) now")),
            format!("Open ⟨text_link {address}:the app⟩ now")
        );
    }
}

#[test]
fn an_address_that_is_its_own_words_is_said_once() {
    for (markdown, expected) in [
        ("<http://localhost:3000>", "http://localhost:3000"),
        (
            "[http://localhost:3000](http://localhost:3000)",
            "http://localhost:3000",
        ),
        ("[docs/page.md](docs/page.md)", "docs/page.md"),
        ("<me@example.org>", "me@example.org"),
        ("[me@example.org](mailto:me@example.org)", "me@example.org"),
        (
            "see page.md [md](page.md)",
            "see ⟨code:page.md⟩ md (⟨code:page.md⟩)",
        ),
        ("[](http://localhost:3000)", "⟨code:http://localhost:3000⟩"),
        (
            "[ ](https://example.org)",
            "⟨text_link https://example.org:https://example.org⟩",
        ),
    ] {
        assert_eq!(rendered(markdown).trim(), expected, "{markdown}");
    }
}

#[test]
fn a_link_on_code_stays_a_link() {
    for (markdown, expected) in [
        (
            "[`tokio::spawn`](https://docs.rs/tokio)",
            "⟨text_link https://docs.rs/tokio:tokio::spawn⟩",
        ),
        (
            "**[the `spawn` function](https://docs.rs/tokio)**",
            "⟨bold:⟨text_link https://docs.rs/tokio:the spawn function⟩⟩",
        ),
        (
            "# [`spawn`][1]\n\n[1]: https://docs.rs/tokio",
            "⟨bold:⟨text_link https://docs.rs/tokio:spawn⟩⟩",
        ),
        (
            "[$$x^2$$](https://docs.rs/tokio)",
            "⟨text_link https://docs.rs/tokio:$$x^2$$⟩",
        ),
        ("[`spawn`](src/lib.rs)", "⟨code:spawn⟩ (⟨code:src/lib.rs⟩)"),
    ] {
        let rendered = rendered(markdown);
        // At one place, either may be named first.
        let swapped = rendered.replace(
            "⟨text_link https://docs.rs/tokio:⟨bold:",
            "⟨bold:⟨text_link https://docs.rs/tokio:",
        );
        assert_eq!(swapped, expected, "{markdown}");
    }
}

#[test]
fn a_badge_keeps_both_its_addresses() {
    assert_eq!(
        rendered("[![ci](https://example.org/ci.svg)](https://example.org/ci) passes"),
        "⟨text_link https://example.org/ci:ci⟩ (⟨text_link https://example.org/ci.svg:image⟩) passes"
    );
    assert_eq!(
        rendered("[![](ci.svg)](https://example.org/ci)"),
        "⟨text_link https://example.org/ci:image⟩ (⟨code:ci.svg⟩)"
    );
    assert_eq!(
        rendered("[![ci](https://example.org/ci.svg)](ci.md)"),
        "ci (⟨code:ci.md⟩) (⟨text_link https://example.org/ci.svg:image⟩)"
    );
    assert_eq!(
        rendered("![a [page](https://example.org/page)](https://example.org/x.png)"),
        "⟨text_link https://example.org/x.png:a page⟩ (⟨text_link https://example.org/page:link⟩)"
    );
    assert_eq!(
        rendered("![](https://example.org/x.png \"the plan\")"),
        "⟨text_link https://example.org/x.png:image⟩ (the plan)"
    );
}

#[test]
fn an_address_in_the_head_of_a_table_or_in_a_table_that_becomes_a_file_is_kept() {
    let head = "| [name](https://example.org/head) | empty |\n|---|---|\n| one | |\n| two | |";
    assert_eq!(
        rendered(head),
        "⟨text_link https://example.org/head:name⟩: ⟨bold:one⟩\nempty: –\n\nname: ⟨bold:two⟩"
    );
    let row = "| [a cell](https://example.org/cell) with many, many words in it | and another |\n";
    let table = format!("| a | b |\n|---|---|\n{}", row.repeat(200));
    let files = markdown::render(&table).files;
    assert!(
        files[0]
            .content
            .contains("a cell (https://example.org/cell)")
    );
}

#[test]
fn what_only_looks_like_a_tag_is_left_as_it_is_written() {
    for markdown in [
        "Use Vec<S> and Option<B>, impl<S> Service<S>",
        "Vec<s> and Option<b>, a<i>",
        "<B>bold</B>",
        "a </b> alone",
        "Cell<p>, then words",
        "<div>\nnever closed",
        "<span title=\"words\">more</span>",
    ] {
        assert_eq!(rendered(markdown), markdown);
    }
    for (markdown, expected) in [
        ("press <kbd>Ctrl</kbd>, H<sub>2</sub>O", "press Ctrl, H2O"),
        ("<b>two <i>words</i></b>, Vec<b>", "two words, Vec<b>"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p align=\"center\">\nmiddle\n</p>", "middle"),
        (
            "<details open>\n<summary>more</summary>\n\nwords\n\n</details>",
            "more\n\nwords",
        ),
    ] {
        assert_eq!(rendered(markdown).trim(), expected, "{markdown}");
    }
}

#[test]
fn two_prices_are_not_a_formula_and_what_is_between_them_is_drawn() {
    for (markdown, expected) in [
        ("$5 for **A** and 3$", "$5 for ⟨bold:A⟩ and 3$"),
        (
            "$5 for [A](https://example.org) and $x^2$, 3$ and `B`",
            "$5 for ⟨text_link https://example.org:A⟩ and ⟨code:$x^2$⟩, 3$ and ⟨code:B⟩",
        ),
        ("$$5 for **A** and more$$", "$$5 for ⟨bold:A⟩ and more$$"),
        ("a \\$5 **b** 3\\$", "a $5 ⟨bold:b⟩ 3$"),
    ] {
        assert_eq!(rendered(markdown), expected, "{markdown}");
    }
    let many = "$1 or **2** or 3$ ".repeat(300);
    assert!(!rendered(&many).contains("**"));
}

#[test]
fn the_first_line_of_a_code_block_keeps_its_indentation() {
    let code = "    def f(self):\n        return 1";
    let first = |markdown: &str| match &draw::draw(&mut answer(markdown)).parts[0] {
        Part::Text(rich) => rich.text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(first(&format!("```python\n{code}\n```")).starts_with(code));
    assert!(first(&format!("```python\n\n \n{code}\n```")).starts_with(code));
    // Moved to the next part as a whole.
    let words = "words and words\n\n".repeat(240);
    let block = format!("{code}\n").repeat(30);
    let parts = markdown::render(&format!("{words}```python\n{block}```"))
        .text
        .split(MESSAGE_UNITS);
    assert_eq!(parts.len(), 2);
    assert!(parts[1].text.starts_with(code), "{}", parts[1].text);
    // Cut in the middle, with blank lines at the cut.
    let block = format!("\n\n{code}\n").repeat(200);
    for part in markdown::render(&format!("```python\n{block}```"))
        .text
        .split(500)
    {
        assert!(part.text.starts_with("    "), "{}", part.text);
    }
}

fn answer(markdown: &str) -> telecoder::domain::outgoing::Outgoing {
    text::answer(markdown, "Done · 1 s".into(), None)
}

/// A link that Telegram could refuse; on purpose not the code that decides it.
fn could_be_refused(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or(url.strip_prefix("https://")) else {
        return true;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !(host.contains('.') || host.starts_with('['))
}

/// Everything that was sent.
#[derive(Default)]
struct Sent {
    texts: String,
    urls: String,
}

impl Sent {
    fn add(&mut self, rich: &Rich) {
        let entities: Vec<Entity> = rich.entities();
        for url in entities.iter().filter_map(|entity| entity.url.as_deref()) {
            assert!(!could_be_refused(url), "{url}");
            self.urls.push_str(&format!("{url}\n"));
        }
        self.texts.push_str(&rich.text);
    }
}

/// The words and addresses of a document that are not in what was sent; a cut may be in the middle of an address.
fn lost(document: &Document, sent: &Sent) -> Vec<String> {
    let texts: String = sent.texts.split_whitespace().collect();
    document
        .words
        .iter()
        .chain(&document.addresses)
        .filter(|wanted| {
            let bare = wanted.strip_prefix("mailto:").unwrap_or(wanted);
            !texts.contains(bare) && !sent.urls.contains(bare)
        })
        .cloned()
        .collect()
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|number| number.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(500))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_word_and_no_address_of_an_answer_is_lost(document in documents()) {
        let mut sent = Sent::default();
        for part in draw::draw(&mut answer(&document.markdown)).parts {
            match part {
                Part::Text(rich) => {
                    telegram_takes(&rich.text, &rich.entities());
                    sent.add(&rich);
                }
                Part::File { content, caption, .. } => {
                    sent.texts.push_str(&String::from_utf8_lossy(&content));
                    sent.add(&caption);
                }
                Part::Stored { .. } => panic!("a file of this machine"),
            }
        }
        prop_assert_eq!(lost(&document, &sent), Vec::<String>::new(), "{}\n---\n{}", document.markdown, sent.texts);
    }

    #[test]
    fn no_cut_and_no_refused_link_loses_a_word_or_an_address(document in documents(), units in 40..400_usize) {
        let rich = markdown::render_in_place(&document.markdown);
        let mut cut = Sent::default();
        for part in rich.split(units) {
            prop_assert!(part.text.encode_utf16().count() <= units);
            telegram_takes(&part.text, &part.entities());
            cut.add(&part);
        }
        let spelled_out = rich.with_links_spelled_out(usize::MAX).expect("it always fits");
        let mut all = Sent::default();
        all.add(&spelled_out);
        prop_assert_eq!(lost(&document, &all), Vec::<String>::new(), "{}\n---\n{}", document.markdown, all.texts);
        // An address in the text may be cut: the links between are looked at apart.
let mut words = document;
        words.addresses.clear();
        prop_assert_eq!(lost(&words, &cut), Vec::<String>::new(), "{}\n---\n{}", words.markdown, cut.texts);
    }
}
