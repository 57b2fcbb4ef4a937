//! Reads a settings file whole, or says which line cannot be read and why. Quotes no value: it may be a secret.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::Fault;
use super::file::{BYTE_ORDER_MARK, SettingsFile};

const REMEDY_OF_A_LINE: &str =
    "Write it like NAME=\"value\", with \\ before each \", $ and \\ in the value";
const REMEDY_OF_AN_ENCODING: &str = "Save it as UTF-8";

/// What a settings file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub values: BTreeMap<String, String>,
    /// Things to know that are no faults.
    pub remarks: Vec<String>,
}

/// `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Values>, Fault> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            return Err(cannot_read(path, ": it is a folder", "Move it away"));
        }
        Err(error) => {
            return Err(cannot_read(
                path,
                &format!(": {error}"),
                "See that telecoder's user may read it",
            ));
        }
    };
    if is_utf_16(&bytes) {
        let why = ": it is written in UTF-16";
        return Err(cannot_read(path, why, REMEDY_OF_AN_ENCODING));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(of_another_encoding(path, error.as_bytes())),
    };
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let mut values = BTreeMap::new();
    for set in dotenvy::from_read_iter(text.as_bytes()) {
        // The error quotes the line.
        let Ok((name, value)) = set else {
            return Err(of_a_line(path, text));
        };
        values.insert(name, value);
    }
    let remarks = replaced_by_nothing(path, text);
    Ok(Some(Values { values, remarks }))
}

fn cannot_read(path: &Path, why: &str, remedy: &str) -> Fault {
    Fault {
        setting: None,
        what: format!("{} cannot be read{why}", path.display()),
        remedy: remedy.into(),
    }
}

/// Editors begin such a file with a mark; in one without it, every second byte of plain letters is zero.
fn is_utf_16(bytes: &[u8]) -> bool {
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || zeros > bytes.len() / 4
}

fn of_another_encoding(path: &Path, bytes: &[u8]) -> Fault {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let at = lines.position(|line| str::from_utf8(line).is_err());
    let number = at.unwrap_or_default();
    let line = bytes.split(|byte| *byte == b'\n').nth(number);
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let why = format!(
        " at line {}{}: it has a letter that is not UTF-8, perhaps of Latin-1",
        number + 1,
        in_brackets(&line)
    );
    cannot_read(path, &why, REMEDY_OF_AN_ENCODING)
}

fn of_a_line(path: &Path, text: &str) -> Fault {
    let Some((number, line)) = SettingsFile::parse(text).first_unreadable() else {
        return cannot_read(path, ": its lines are not NAME=value", REMEDY_OF_A_LINE);
    };
    let why = format!(" at line {number}{}: {}", in_brackets(&line), reason(&line));
    cannot_read(path, &why, REMEDY_OF_A_LINE)
}

/// The name that a line sets, in brackets.
fn in_brackets(line: &str) -> String {
    let name = name_of(line).filter(|name| is_name(name));
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

/// What stands before `=`.
fn name_of(line: &str) -> Option<&str> {
    let name = line.split_once('=')?.0.trim();
    Some(name.strip_prefix("export ").unwrap_or(name).trim())
}

fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter)
        && name
            .chars()
            .all(|c| is_letter(c) || c.is_ascii_digit() || c == '.')
}

/// Why dotenvy cannot read a line.
fn reason(line: &str) -> &'static str {
    let Some((_, value)) = line.split_once('=') else {
        return "there is no = in it";
    };
    if !name_of(line).is_some_and(is_name) {
        return "what stands before = is no name of a variable";
    }
    let value = value.trim();
    let (quote, inside) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), &value[1..]),
        _ => (None, value),
    };
    match quote {
        Some(quote) if !is_closed(inside, quote) => "its quotes are not closed",
        Some('"') if dollars(inside).next().is_some() => {
            "a $ that is meant as it is needs a \\ before it"
        }
        Some('"') if inside.contains('\\') => {
            "a \\ that is meant as it is needs another one before it"
        }
        Some(_) => "there is something behind its quotes",
        None if value.contains(['\'', '\\']) => "a value with ' or \\ needs double quotes",
        None if value.contains('"') => "a value with \" in it needs double quotes around all of it",
        None => "a value with blanks needs double quotes",
    }
}

/// Whether the quote that was opened before `inside` ends in it.
fn is_closed(inside: &str, quote: char) -> bool {
    let mut escaped = false;
    for c in inside.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return true,
            _ => {}
        }
    }
    false
}

/// The names behind each `$` that dotenvy replaces: not after `\`, nor in single quotes.
fn dollars(value: &str) -> impl Iterator<Item = &str> {
    let (mut escaped, mut single, mut double) = (false, false, false);
    value.char_indices().filter_map(move |(at, c)| {
        match c {
            _ if escaped => escaped = false,
            '\'' if !double => single = !single,
            _ if single => {}
            '\\' => escaped = true,
            '"' => double = !double,
            '$' => return Some(name_behind(&value[at + 1..])),
            _ => {}
        }
        None
    })
}

/// As dotenvy reads it: letters and digits, or all between braces.
fn name_behind(rest: &str) -> &str {
    match rest.strip_prefix('{') {
        Some(inside) => inside.split('}').next().unwrap_or_default(),
        None => {
            let end = rest.find(|c: char| !c.is_alphanumeric());
            &rest[..end.unwrap_or(rest.len())]
        }
    }
}

/// A remark about each `$NAME` for which there is no variable.
fn replaced_by_nothing(path: &Path, text: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for (number, name, line) in SettingsFile::parse(text).lines_that_set() {
        let value = line.split_once('=').map_or("", |(_, value)| value);
        let before_remark = value.split(" #").next().unwrap_or_default();
        for used in dollars(before_remark) {
            if std::env::var_os(used).is_none() && !known.iter().any(|known| known == used) {
                remarks.push(format!(
                    "{}, line {number}: ${used} in {name} stands for nothing, because no variable has that name. If \
                     it is meant as it is, write {name}=\"…\\${used}…\"",
                    path.display()
                ));
            }
        }
        known.push(name);
    }
    remarks
}
