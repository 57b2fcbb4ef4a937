//! HTML in an answer, as text: a chat has no use for tags that only say how something looks.

/// Tags that are left out; the text between them stays.
const LOOKS: [&str; 30] = [
    "b", "big", "center", "code", "del", "details", "div", "em", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "i", "ins", "kbd", "mark", "p", "s", "samp", "small", "span", "strong", "sub",
    "summary", "sup", "u", "var",
];

/// The text without tags that only say how it looks; `<br>` is a new line, every other tag stays as it is.
pub(super) fn as_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        text.push_str(before);
        let Some(end) = from.find('>') else {
            rest = from;
            break;
        };
        let (tag, behind) = from.split_at(end + 1);
        match name_of(tag).as_str() {
            "br" => {
                text.push('\n');
                rest = behind.strip_prefix('\n').unwrap_or(behind);
                continue;
            }
            "hr" => text.push_str("———"),
            "summary" if tag.starts_with("</") => text.push('\n'),
            name if LOOKS.contains(&name) && is_tag(tag, name) => {}
            _ => text.push_str(tag),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// `b` of `<b class="x">` and of `</b>`.
fn name_of(tag: &str) -> String {
    tag.trim_start_matches(['<', '/'])
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Whether something between `<` and `>` is a tag, and not words that begin with its name.
fn is_tag(tag: &str, name: &str) -> bool {
    let inside = tag
        .trim_start_matches(['<', '/'])
        .trim_end_matches(['>', '/']);
    inside
        .get(name.len()..)
        .unwrap_or_default()
        .split_whitespace()
        .all(|attribute| attribute.contains('=') || attribute == "open" || attribute.ends_with('"'))
}
