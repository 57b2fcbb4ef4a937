//! Code blocks: a short one is shown, a long one becomes a file with the name that the answer gives it.

use super::File;

/// A longer block becomes a file; in bytes, about two messages.
const LONGEST: usize = 8_000;
/// A longer diff is sent as a file; in lines.
const LONGEST_DIFF: usize = 60;
/// Telegram shows a tab as one space.
const TAB: &str = "    ";
/// Bot API: `CopyTextButton.text`.
const COPIED_AT_MOST: usize = 256;

/// A code block while it is read.
pub(super) struct Block {
    /// The first word behind the fence, as it was written.
    kind: Option<String>,
    /// The path that the fence or the words before it name.
    path: Option<String>,
    /// The fence names it, behind the language.
    is_named_by_fence: bool,
    pub(super) code: String,
}

impl Block {
    /// `info` is the text behind the fence; `named_before`, the name at the end of the text before.
    pub(super) fn new(info: &str, named_before: Option<String>) -> Block {
        let kind = info
            .split([' ', ',', '{', ':'])
            .next()
            .filter(|kind| !kind.is_empty())
            .map(str::to_owned);
        let by_fence = named_in(info);
        Block {
            is_named_by_fence: by_fence.is_some() && by_fence != kind,
            kind,
            path: by_fence.or(named_before).filter(|name| is_path(name)),
            code: String::new(),
        }
    }

    /// As written behind the fence.
    pub(super) fn language(&self) -> Option<String> {
        self.kind.clone()
    }

    /// The path behind the language, which a message shows above the block.
    pub(super) fn named_by_fence(&self) -> Option<&str> {
        // `{.haskell}` is a language.
        let is_file = |path: &&str| !path.starts_with('.') || path.contains('/');
        self.path
            .as_deref()
            .filter(|_| self.is_named_by_fence)
            .filter(is_file)
    }

    /// As a message shows it.
    pub(super) fn shown(&self) -> String {
        self.code.trim_end_matches('\n').replace('\t', TAB)
    }

    /// A command of one line, for a button that copies it.
    pub(super) fn command(&self) -> Option<&str> {
        let is_shell = matches!(
            self.kind.as_deref(),
            Some("bash" | "sh" | "shell" | "zsh" | "console")
        );
        let code = self.code.trim();
        let command = code.strip_prefix("$ ").unwrap_or(code);
        let fits = !command.is_empty()
            && !command.contains('\n')
            && command.encode_utf16().count() <= COPIED_AT_MOST;
        (is_shell && fits).then_some(command)
    }

    /// The block as a file, if it is too long for a chat.
    pub(super) fn as_file(&self) -> Option<File> {
        let is_long = self.code.len() > LONGEST
            || (self.is_diff() && self.code.lines().count() > LONGEST_DIFF);
        if !is_long {
            return None;
        }
        let title = match &self.path {
            Some(path) => path.clone(),
            None if self.is_diff() => "changes.diff".to_owned(),
            None => format!(
                "code.{}",
                extension(self.kind.as_deref().unwrap_or_default())
            ),
        };
        let name = title.rsplit('/').next().unwrap_or(&title).to_owned();
        Some(File {
            name,
            title,
            content: self.code.clone(),
        })
    }

    fn is_diff(&self) -> bool {
        matches!(self.kind.as_deref(), Some("diff" | "patch"))
            || self.code.starts_with("diff --git ")
            || (self.code.starts_with("--- ") && self.code.contains("\n+++ "))
    }
}

/// `rust src/main.rs`, `rust:src/main.rs`, `rust title="src/main.rs"`, `src/main.rs`.
fn named_in(info: &str) -> Option<String> {
    info.split([' ', ',', '{', '}', ':'])
        .map(|word| {
            let value = word.split_once('=').map_or(word, |(_, value)| value);
            value.trim_matches(['"', '\''])
        })
        .find(|word| is_path(word))
        .map(str::to_owned)
}

/// A file's name, with or without folders.
fn is_path(word: &str) -> bool {
    const ODD: [char; 10] = ['<', '>', '|', '*', '?', '"', '\\', '(', ')', ';'];
    let name = word.rsplit('/').next().unwrap_or(word);
    let has_extension = name
        .rsplit_once('.')
        .is_some_and(|(_, extension)| (1..=10).contains(&extension.len()));
    has_extension
        && !name.starts_with("..")
        && word.len() <= 200
        && !word.contains("://")
        && !word.contains(|c: char| c.is_whitespace() || c.is_control() || ODD.contains(&c))
}

fn extension(language: &str) -> &str {
    match language {
        "rust" => "rs",
        "python" => "py",
        "javascript" => "js",
        "typescript" => "ts",
        "bash" | "shell" | "console" | "zsh" => "sh",
        "markdown" => "md",
        "yaml" => "yml",
        "ruby" => "rb",
        "kotlin" => "kt",
        "csharp" | "c#" => "cs",
        "c++" => "cpp",
        "" | "text" | "plaintext" => "txt",
        other if other.chars().all(|c| c.is_ascii_alphanumeric()) => other,
        _ => "txt",
    }
}
