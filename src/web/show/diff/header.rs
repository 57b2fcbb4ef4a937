//! Paths as git's headers write them.

use std::borrow::Cow;

/// The two paths behind `diff --git`, with what stands before them (`a/`, `b/`). A name may have spaces, so where the
/// first ends is known by the names of a rename, or because both are the same.
pub(super) fn both(line: &str, renamed: Option<(&str, &str)>) -> Option<(String, String)> {
    if line.starts_with('"') || line.ends_with('"') {
        return quoted(line);
    }
    let middle = match renamed {
        Some((from, to)) => {
            let prefixes = line.len().checked_sub(from.len() + to.len() + 1)?;
            prefixes / 2 + from.len()
        }
        None => line.len().checked_sub(1)? / 2,
    };
    let (old, new) = (line.get(..middle)?, line.get(middle..)?.strip_prefix(' ')?);
    Some((old.to_owned(), new.to_owned()))
}

fn quoted(line: &str) -> Option<(String, String)> {
    let (old, behind) = match line.strip_prefix('"') {
        Some(quoted) => {
            let end = end_of_quoted(quoted)?;
            (&line[..end + 2], &line[end + 2..])
        }
        None => line.split_at(line.find(" \"")?),
    };
    let new = behind.strip_prefix(' ')?;
    Some((unquoted(old).into_owned(), unquoted(new).into_owned()))
}

/// Where the closing quotation mark is.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// A path as git quotes it like a string of C; another one stays. What is no UTF-8 is replaced.
pub(super) fn unquoted(path: &str) -> Cow<'_, str> {
    let inside = path
        .strip_prefix('"')
        .and_then(|path| path.strip_suffix('"'));
    let Some(inside) = inside else {
        return Cow::Borrowed(path);
    };
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            bytes.push(byte);
        } else if let Some((byte, length)) = escaped(behind) {
            bytes.push(byte);
            rest = &behind[length..];
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The byte that is meant behind a backslash, and how many stand for it.
fn escaped(behind: &[u8]) -> Option<(u8, usize)> {
    if let Some(octal) = behind.get(..3) {
        let value = octal.iter().try_fold(0_u32, |value, digit| {
            let digit = char::from(*digit).to_digit(8)?;
            Some(value * 8 + digit)
        });
        if let Some(byte) = value.and_then(|value| u8::try_from(value).ok()) {
            return Some((byte, 3));
        }
    }
    let byte = match behind.first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        other => *other,
    };
    Some((byte, 1))
}
