//! Foreign text prepared for people: shortened, in one line, with hidden characters made visible.
//!
//! Pure, for every floor. Lengths are in characters unless a function says bytes. A text is never cut inside a
//! character, and `…` replaces omitted words. `redact` decides which secrets are masked.

use std::borrow::Cow;

/// The first line, at most `characters` of it.
pub fn one_line(text: &str, characters: usize) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let is_cut = line.chars().count() > characters || text.trim().lines().count() > 1;
    let start: String = line.chars().take(characters).collect();
    if is_cut { format!("{start}…") } else { start }
}

/// The text in one line: control characters and whitespace become single spaces.
pub fn folded(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The beginning of a text, lines and all.
pub fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// The last words of an unfinished text, from a word's start if there is one.
pub fn newest_words(text: &str, characters: usize) -> String {
    let text = text.trim();
    let count = text.chars().count();
    if count <= characters {
        return text.to_owned();
    }
    let end: String = text.chars().skip(count - characters).collect();
    let words = end
        .split_once(char::is_whitespace)
        .map_or(end.as_str(), |(_, words)| words);
    format!("… {words}")
}

/// The last whole lines of a text, at most `bytes` long.
pub fn last_lines(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let from = text.ceil_char_boundary(text.len() - bytes);
    let end = text.split_at(from).1;
    end.split_once('\n').map_or(end, |(_, lines)| lines)
}

/// The beginning and the end of a text.
pub fn without_middle(text: &str, characters: usize) -> String {
    let count = text.chars().count();
    if count <= characters {
        return text.to_owned();
    }
    let half = characters / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    format!("{start}…{end}")
}

/// A number of bytes, in units of 1024 as Telegram shows and limits them. Rounded up: a size just above a limit must not
/// look equal to it.
pub fn size(bytes: u64) -> String {
    const KB: u64 = 1024;
    const MB: u64 = 1024 * KB;
    match bytes {
        0..KB => format!("{bytes} bytes"),
        KB..MB => format!("{} KB", bytes.div_ceil(KB)),
        _ if bytes.is_multiple_of(MB) => format!("{} MB", bytes / MB),
        _ => {
            let whole = bytes / MB;
            match (bytes % MB * 10).div_ceil(MB) {
                10 => format!("{}.0 MB", whole + 1),
                tenths => format!("{whole}.{tenths} MB"),
            }
        }
    }
}

/// A text with each invisible or misleading character replaced by its code, such as `<U+200B>`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\n' | '\t') || !is_unseen(character) {
            shown.push(character);
        } else {
            shown.push_str(&code(character));
        }
    }
    shown
}

/// A text that a person judges before a shell or a tool acts on it. Beside what [`visible`] shows, each character has its
/// code that looks like another one: a blank that is none, a joiner in a word, a letter of another alphabet among Latin
/// ones.
pub fn exact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && !joins(c)) {
        let is_latin = word.chars().any(|c| c.is_ascii_alphabetic());
        for character in word.chars() {
            let is_foreign = is_latin && looks_latin(character);
            // Other scripts and pictures need theirs.
            let is_joiner = joins(character) && before.is_none_or(|before| before < '\u{0600}');
            if is_foreign || is_joiner || resembles_ascii(character) {
                shown.push_str(&code(character));
            } else {
                shown.push_str(&visible(character.encode_utf8(&mut [0; 4])));
            }
            before = Some(character);
        }
    }
    shown
}

fn code(character: char) -> String {
    format!("<U+{:04X}>", u32::from(character))
}

/// Joins or varies the character before it.
fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether it looks like a blank, a dash, a slash, a dot or a colon, and is none to a shell.
fn resembles_ascii(c: char) -> bool {
    let is_blank = c.is_whitespace() && !matches!(c, ' ' | '\n' | '\t');
    let is_mark =
        "\u{2010}\u{2011}\u{2212}\u{2044}\u{2215}\u{ff0f}\u{2024}\u{2236}\u{a789}".contains(c);
    is_blank || is_mark
}

/// Cyrillic and Greek letters that look like Latin ones. Unicode: UTS #39, confusables.
fn looks_latin(c: char) -> bool {
    "асеорхуіјѕһԁԛԝгпАВЕКМНОРСТХУЅІЈԌΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγινορυ".contains(c)
}

/// Whether a text has no visible character.
pub fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_whitespace() || is_unseen(character))
}

/// Whether a character is invisible or reverses text: a control character, or a mark that can make one name look like
/// another. Unicode: `Default_Ignorable_Code_Point`, less what joins and varies other characters.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A URL, or git's words about one, without the password in it.
pub fn without_password(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let (authority, behind) = after.split_at(end_of_authority(after));
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split(':').next().unwrap_or_default();
                let hidden = if user.contains(':') { ":…" } else { "" };
                // A token is often given as the name alone.
                let name = if name.len() > 20 { "…" } else { name };
                shown.push_str(&format!("{name}{hidden}@{host}"));
            }
            None => shown.push_str(authority),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Where the part of a URL ends that has its host. A password may have a `/`, `?` or `#` in it, though it should not.
fn end_of_authority(after: &str) -> usize {
    let word = after
        .find(|c: char| c.is_whitespace() || c == '\'' || c == '"')
        .unwrap_or(after.len());
    let end = after[..word].find('/').unwrap_or(word);
    let start = after[..word].find(['/', '?', '#']).unwrap_or(word);
    let Some((_, port)) = after[..start].split_once(':') else {
        return end;
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port || after[..end].contains('@') {
        return end;
    }
    match after[..word].find('@') {
        Some(at) => after[at..word].find('/').map_or(word, |slash| at + slash),
        None => end,
    }
}

/// A text as one word for sh(1).
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}
