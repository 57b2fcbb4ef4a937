//! Words of others as a person is shown them: each way to shorten a text, and its edges.

use proptest::prelude::*;
use telecoder::domain::shown::{
    beginning, folded, is_blank, last_lines, newest_words, one_line, size, visible, without_middle,
    without_password,
};

#[test]
fn a_text_is_shortened_and_says_so() {
    assert_eq!(one_line("one\ntwo", 10), "one…");
    assert_eq!(one_line("a long line", 6), "a long…");
    assert_eq!(one_line("  short \n", 10), "short");
    assert_eq!(folded(" a\n\tb\u{7} c "), "a b c");
    assert_eq!(beginning("one two\nthree", 4), "one…");
    assert_eq!(beginning("one", 4), "one");
    assert_eq!(newest_words("the words that are new", 9), "… are new");
    assert_eq!(newest_words(" few ", 9), "few");
    assert_eq!(newest_words("before\u{a0}after", 6), "… after");
    assert_eq!(last_lines("first\nsecond\nthird", 13), "second\nthird");
    assert_eq!(last_lines("first\nsecond\nthird", 11), "third");
    assert_eq!(last_lines("all\nof it", 100), "all\nof it");
    assert_eq!(without_middle("/a/very/long/path/to.rs", 9), "/a/v…o.rs");
    assert_eq!(without_middle("short", 9), "short");
}

#[test]
fn a_size_is_in_units_of_1024_and_never_looks_smaller_than_it_is() {
    const MB: u64 = 1024 * 1024;
    for (bytes, shown) in [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (1025, "2 KB"),
        (MB, "1 MB"),
        (20 * MB, "20 MB"),
        (20 * MB + 1, "20.1 MB"),
        (2 * MB - 1, "2.0 MB"),
        (3 * MB / 2, "1.5 MB"),
        (u64::MAX, "17592186044416.0 MB"),
    ] {
        assert_eq!(size(bytes), shown);
    }
}

#[test]
fn what_cannot_be_seen_is_shown_and_a_password_is_not() {
    assert_eq!(visible("rm\u{202e}txt.\n\tx"), "rm<U+202E>txt.\n\tx");
    assert!(is_blank(" \u{200b}\n") && !is_blank(" x "));
    assert_eq!(
        without_password("fatal: 'https://ada:secret@host/r.git' and ssh://git@host/r"),
        "fatal: 'https://ada:…@host/r.git' and ssh://git@host/r"
    );
    assert_eq!(
        without_password("https://a-token-without-any-name@host/r"),
        "https://…@host/r"
    );
}

proptest! {
    /// No text is cut inside a character, and none becomes longer than it may.
    #[test]
    fn every_text_is_cut_between_its_characters(
        text in "([\\n\u{3000}\u{a0}\u{202f}\u{200d} ]|.){0,80}",
        most in 1..60_usize,
    ) {
        let length = |text: &str| text.chars().count();
        prop_assert!(length(&one_line(&text, most)) <= most + 1);
        prop_assert!(length(&beginning(&text, most)) <= most + 1);
        prop_assert!(length(&newest_words(&text, most)) <= most + 2);
        prop_assert!(length(&without_middle(&text, most)) <= most + 1);
        prop_assert!(last_lines(&text, most).len() <= most);
        prop_assert!(text.ends_with(last_lines(&text, most)));
        prop_assert!(!folded(&text).contains(char::is_control));
    }
}

#[test]
fn a_password_with_a_slash_or_a_number_sign_in_it_is_not_shown_either() {
    for (written, shown) in [
        (
            "https://ada:pa/ss1#word@host/r.git",
            "https://ada:…@host/r.git",
        ),
        (
            "https://ada:secret@host/@scope/x",
            "https://ada:…@host/@scope/x",
        ),
        ("https://host:8080/@scope/x", "https://host:8080/@scope/x"),
        ("https://host/~ada:x@y", "https://host/~ada:x@y"),
        ("http://localhost:3000/a b@c", "http://localhost:3000/a b@c"),
    ] {
        assert_eq!(without_password(written), shown);
    }
}
