//! Changes single lines of a settings file; all others stay as they are, to the byte.
//!
//! dotenvy decides what a line means. A file is replaced whole: a reader sees the old one or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::pages;
use super::setting::Setting;

/// What some editors put in front of a file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The lines of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    entries: Vec<Entry>,
}

/// A line with its end; several, if a quoted value spans them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    text: String,
    /// The variable that it sets; `None` for comments, blank lines and unreadable ones.
    name: Option<String>,
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Its owner alone: 600.
    Owner,
    /// As before; its owner alone if it is new.
    AsTheyAre,
}

impl SettingsFile {
    /// The file's lines; a new file's if there is none.
    pub fn read(path: &Path) -> io::Result<SettingsFile> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(SettingsFile::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(SettingsFile::parse(&pages::example()))
            }
            Err(error) => Err(error),
        }
    }

    pub fn parse(text: &str) -> SettingsFile {
        // Some editors begin a file with a mark that dotenvy does not know.
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut entries = Vec::new();
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            // Takes the fewest lines that can be read; a wrong line is an entry of its own.
            let (length, set) = (1..=rest.len())
                .find_map(|length| Some((length, read(&rest[..length].concat())?)))
                .unwrap_or((1, None));
            let (these, others) = rest.split_at(length);
            entries.push(Entry {
                text: these.concat(),
                name: set.map(|(name, _)| name),
            });
            rest = others;
        }
        SettingsFile { entries }
    }

    /// The first line that cannot be read, with its number.
    pub(super) fn first_unreadable(&self) -> Option<(usize, String)> {
        let mut at = 1;
        for entry in &self.entries {
            if read(&entry.text).is_none() {
                return Some((at, entry.text.clone()));
            }
            at += entry.text.lines().count();
        }
        None
    }

    /// The lines that set a variable: the number of each, the variable's name, and the text.
    pub(super) fn lines_that_set(self) -> impl Iterator<Item = (usize, String, String)> {
        let mut at = 1;
        self.entries.into_iter().filter_map(move |entry| {
            let number = at;
            at += entry.text.lines().count();
            Some((number, entry.name?, entry.text))
        })
    }

    pub fn text(&self) -> String {
        self.entries
            .iter()
            .map(|entry| entry.text.as_str())
            .collect()
    }

    /// Gives a setting a value: in the line that sets it, else in the template's commented line, else at the end.
    /// Blanks around the value are dropped.
    pub fn set(&mut self, setting: Setting, value: &str) {
        let line = format!("{}={}", setting.name(), quoted(value.trim()));
        // The last one wins.
        let stands = self.entries.iter().rposition(|entry| entry.sets(setting));
        let at = stands.or_else(|| {
            let template = setting.line();
            self.entries
                .iter()
                .position(|entry| entry.text.trim_end() == template)
        });
        match at {
            Some(at) => self.replace(at, line, setting),
            None => self.append(line, setting),
        }
    }

    /// Removes a setting's value; its line of the template stays.
    pub fn unset(&mut self, setting: Setting) {
        let template = setting.line();
        let first = self.entries.iter().position(|entry| entry.sets(setting));
        let has_template = self
            .entries
            .iter()
            .any(|entry| !entry.sets(setting) && entry.text.trim_end() == template);
        if let (Some(at), false) = (first, has_template) {
            self.replace(at, template.clone(), setting);
        }
        self.entries
            .retain(|entry| !entry.sets(setting) || entry.text.trim_end() == template);
    }

    /// Replaces the file, or makes it; folders that are missing are made for their owner alone (700).
    pub fn write(&self, path: &Path, rights: Rights) -> io::Result<()> {
        // Of a link, its target is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| behind_link(path));
        let folder = path
            .parent()
            .ok_or_else(|| io::Error::other("it has no folder"))?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut half = tempfile::Builder::new()
            .prefix(".telecoder-settings-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        half.write_all(self.text().as_bytes())?;
        if let Ok(before) = fs::metadata(&path) {
            let made = half.as_file().metadata()?;
            if (before.uid(), before.gid()) != (made.uid(), made.gid()) {
                chown(half.path(), Some(before.uid()), Some(before.gid()))?;
            }
            if rights == Rights::AsTheyAre {
                half.as_file()
                    .set_permissions(fs::Permissions::from_mode(before.mode() & 0o777))?;
            }
        }
        half.as_file().sync_all()?;
        half.persist(&path)?;
        File::open(folder)?.sync_all()
    }

    fn replace(&mut self, at: usize, line: String, setting: Setting) {
        let old = &self.entries[at].text;
        let end = if old.ends_with("\r\n") {
            "\r\n"
        } else if old.ends_with('\n') {
            "\n"
        } else {
            ""
        };
        let line = line + remark_behind(old) + end;
        self.entries[at] = Entry::of(line, setting);
    }

    fn append(&mut self, line: String, setting: Setting) {
        if let Some(last) = self.entries.last_mut()
            && !last.text.ends_with('\n')
        {
            last.text.push('\n');
        }
        self.entries.push(Entry::of(line + "\n", setting));
    }
}

impl Entry {
    fn of(text: String, setting: Setting) -> Entry {
        let name = (!text.starts_with('#')).then(|| setting.name().to_owned());
        Entry { text, name }
    }

    fn sets(&self, setting: Setting) -> bool {
        self.name.as_deref() == Some(setting.name())
    }
}

/// Where a link leads, also when nothing is there yet.
fn behind_link(path: &Path) -> PathBuf {
    match (fs::read_link(path), path.parent()) {
        (Ok(target), Some(folder)) => folder.join(target),
        _ => path.to_owned(),
    }
}

/// The comment after a value, with the blanks before it; empty if there is none, or if the line is one.
fn remark_behind(line: &str) -> &str {
    let whole = read(line);
    if !matches!(whole, Some(Some(_))) {
        return "";
    }
    line.match_indices('#')
        .map(|(at, _)| line[..at].trim_end())
        .find(|value| read(value) == whole)
        .map_or("", |value| line[value.len()..].trim_end())
}

/// The variable that these lines set; `Some(None)` if none, `None` if they cannot be read by themselves.
fn read(lines: &str) -> Option<Option<(String, String)>> {
    match dotenvy::from_read_iter(lines.as_bytes()).next() {
        None => Some(None),
        Some(Ok(set)) => Some(Some(set)),
        Some(Err(_)) => None,
    }
}

/// Quotes any value so that dotenvy reads it back.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,=+@%~".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    let mut quoted = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
