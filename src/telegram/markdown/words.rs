//! Finds paths in an answer's words.

/// Endings of source files. Some are the endings of domains too: a client would make a link of `lib.rs`.
const ENDINGS: [&str; 40] = [
    "rs", "py", "js", "ts", "tsx", "jsx", "mjs", "go", "c", "h", "cc", "cpp", "hpp", "java", "kt",
    "rb", "php", "cs", "swift", "sh", "sql", "md", "toml", "yml", "yaml", "json", "lock", "css",
    "scss", "html", "vue", "txt", "cfg", "ini", "env", "xml", "proto", "tf", "lua", "ex",
];

/// Splits a text into pieces that are paths (`src/lib.rs:120:5`) and pieces that are not.
pub(super) fn with_paths(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        if let Some((start, end)) = path_in(word) {
            if plain_from < at + start {
                pieces.push((&text[plain_from..at + start], false));
            }
            pieces.push((&text[at + start..at + end], true));
            plain_from = at + end;
        }
        at += word.len();
    }
    if plain_from < text.len() {
        pieces.push((&text[plain_from..], false));
    }
    pieces
}

/// Where in a word the path is, without the punctuation around it.
fn path_in(word: &str) -> Option<(usize, usize)> {
    let start = word.len() - word.trim_start_matches(['(', '[', '"', '\'', '“']).len();
    let path = word[start..].trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '.' | ',' | ';' | ':' | ')' | ']' | '"' | '\'' | '”' | '!' | '?'
            )
    });
    let file = path
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | '-'))
        .trim_end_matches(':');
    // The trimmed part must be a line number, not the end of a name.
    let behind = &path[file.len()..];
    let names_line = behind.is_empty() || behind.starts_with(':');
    let (stem, ending) = file.rsplit_once('.')?;
    // Node.js, Next.js: products, as people write them.
    if ending == "js" && behind.is_empty() && stem.starts_with(char::is_uppercase) {
        return None;
    }
    let is_path = names_line
        && !stem.is_empty()
        && ENDINGS.contains(&ending)
        && !file.contains("://")
        && !file.starts_with("www.")
        && without_drive(file).chars().all(|c| {
            c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '\\' | '@' | '+')
        })
        && (!file.contains('@') || file.contains('/'));
    is_path.then_some((start, start + path.len()))
}

/// `C:\src\main.rs` without `C:`.
fn without_drive(file: &str) -> &str {
    match file.as_bytes() {
        [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic() => &file[2..],
        _ => file,
    }
}
