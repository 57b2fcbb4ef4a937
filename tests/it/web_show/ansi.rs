//! The output of checks on a page.

use proptest::prelude::*;
use telecoder::web::show::ansi;

use super::{hostile, is_safe};

#[test]
fn colours_of_a_terminal_become_classes() {
    let output = "plain \x1b[1;31mbold red\x1b[0m \x1b[2mdim\x1b[22m \x1b[4;92munderlined\nand on\x1b[m\n\
                  \x1b[38;5;208morange\x1b[39m \x1b[38;2;10;10;200mblue\x1b[0m \x1b[38:2::250:250:0myellow\x1b[0m \x1b[48;5;1mon red\x1b[0m\n\
                  \x1b[7minverse\x1b[0m \x1b[7;32mgreen\x1b[27;39m \x1b[3;9mstruck\x1b[23;29m <b>&\n\
                  \x1b[38;5mcut \x1b[38;9;9m\x1b[999;1mbold\x1b[0";
    let shown = ansi::markup(output.as_bytes()).0;
    is_safe(&shown);
    insta::assert_snapshot!(shown);
}

#[test]
fn of_a_line_that_is_written_again_the_last_version_stays() {
    for (output, expected) in [
        ("10 %\r50 %\r100 %\ndone\r\n", "100 %\ndone\n"),
        ("Building [=> ] long\x1b[K\rok\x1b[K\n", "ok\n"),
        ("one\x1b[2K\x1b[1Gtwo\n", "two\n"),
        ("one\x1b[2K\rtwo", "two"),
        ("working\r\x1b[Kdone\n", "done\n"),
        ("abc\x08\x08d\n", "ad\n"),
        ("last\r", "last"),
        ("a\tb\n\n c", "a\tb\n\n c"),
    ] {
        assert_eq!(ansi::markup(output.as_bytes()).0, expected, "{output:?}");
    }
}

#[test]
fn what_else_a_terminal_can_be_told_is_left_out() {
    for (output, expected) in [
        ("\x1b]0;title\x07a", "a"),
        ("\x1b]8;;https://a.io\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1b[2J\x1b[3A\x1b[?25lb\x1bcc\x1b(Bd", "abcd"),
        ("\x1bPq#0\x1b\\a", "a"),
        ("\x1b[8mconcealed\x1b[0m", "concealed"),
        ("a\x00\x07b", "ab"),
        ("\u{202e}x", "<span class=\"hidden-sign\">U+202E</span>x"),
    ] {
        assert_eq!(ansi::markup(output.as_bytes()).0, expected, "{output:?}");
    }
    assert_eq!(ansi::markup(b"a\xff\xc3b").0, "a\u{fffd}\u{fffd}b");
}

proptest! {
    #[test]
    fn any_bytes_give_markup_that_is_safe(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        is_safe(&ansi::markup(&bytes).0);
    }

    #[test]
    fn nothing_in_coloured_output_is_markup_of_its_own(
        pieces in prop::collection::vec((prop_oneof!["\x1b\\[[0-9;:]{0,12}[mKGAJ]", "\x1b\\][^\x07]{0,9}\x07", "\r|\n|\x08"], hostile()), 0..6),
    ) {
        let output: String = pieces.into_iter().map(|(control, text)| control + text.as_str()).collect();
        is_safe(&ansi::markup(output.as_bytes()).0);
    }

    #[test]
    fn output_without_controls_is_shown_as_it_is(text in "[ -~\u{e4}\u{1f600}\n\t]{0,200}") {
        prop_assert_eq!(ansi::markup(text.as_bytes()).0, maud::html! { (text) }.0);
    }
}
