//! The stylesheet of foreign text: everything in it can be read.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../src/web/show.css");
/// What the text stands on, light and dark: the page, its boxes, lines that came and lines that went.
const GROUNDS: [[&str; 4]; 2] = [
    ["#ffffff", "#f4f5f7", "#dcf5e3", "#fde4e2"],
    ["#14171b", "#1d2127", "#12321d", "#3d1a1a"],
];
/// WCAG 2.2, 1.4.3.
const LEAST: f64 = 4.5;

#[test]
fn every_colour_can_be_read_on_every_ground_in_light_and_dark() {
    let (light, rest) = STYLE.split_once("@media").expect("it has a dark part");
    let (dark, _) = rest.split_once("\n}\n").expect("it ends");
    for (style, grounds) in [light, dark].into_iter().zip(GROUNDS) {
        let colours = variables(style);
        assert_eq!(colours.len(), 15, "{colours:?}");
        for (name, colour) in colours {
            // What a terminal colours never stands on a line of a diff.
            let grounds = if name.starts_with("--a-") {
                &grounds[..2]
            } else {
                &grounds
            };
            for ground in grounds {
                let contrast = contrast(colour, ground);
                assert!(
                    contrast >= LEAST,
                    "{name} {colour} on {ground}: {contrast:.2}"
                );
            }
        }
    }
}

#[test]
fn every_class_of_a_colour_has_its_rule() {
    for class in [
        "c-comment",
        "c-text",
        "c-number",
        "c-keyword",
        "c-type",
        "c-call",
        "c-key",
        "c-added",
        "c-removed",
        "a-bold",
        "a-dim",
        "a-italic",
        "a-underlined",
        "a-struck",
        "a-inverse",
    ] {
        assert!(STYLE.contains(&format!(".{class} {{")), "{class}");
    }
    for colour in [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ] {
        for class in [
            format!(".a-{colour}, .a-bright-{colour} {{"),
            format!(".a-on-{colour}, .a-on-bright-{colour} {{"),
        ] {
            assert!(STYLE.contains(&class), "{class}");
        }
    }
}

fn variables(style: &str) -> BTreeMap<&str, &str> {
    let rules = style
        .split([';', '{'])
        .filter_map(|rule| rule.trim().split_once(": "));
    rules.filter(|(name, _)| name.starts_with("--")).collect()
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: &str) -> f64 {
    let part = |from: usize| {
        let part = u8::from_str_radix(&colour[from..from + 2], 16).expect("a part of a colour");
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}
