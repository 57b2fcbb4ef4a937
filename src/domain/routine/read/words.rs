//! The words in front of a prompt, one after the other, and what is left behind them.

/// A text whose beginning is read.
pub struct Words<'a> {
    rest: &'a str,
}

/// Whether a character parts the words of a line.
pub fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Quotation marks, also those that phones make of plain ones.
pub fn is_quote(c: char) -> bool {
    "\"'“”„‟«»‘’‚‛‹›".contains(c)
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str) -> Words<'a> {
        Words {
            rest: text.trim_start(),
        }
    }

    /// The next word, which may be empty. It ends where the line does.
    pub fn peek(&self) -> &'a str {
        let end = self.rest.find(|c| is_blank(c) || is_break(c));
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    /// All that is left.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next word, taken off. Blanks before the one behind it go with that one.
    pub fn take(&mut self) -> &'a str {
        let word = self.peek();
        self.rest = self.rest[word.len()..].trim_start_matches(is_blank);
        word
    }

    /// Takes off the next word if `read` makes something of it. It is the last one: what parts it from the prompt stays.
    pub fn take_last<T>(&mut self, read: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let word = self.peek();
        let value = read(word)?;
        self.rest = &self.rest[word.len()..];
        Some(value)
    }

    /// Takes off a text in quotation marks, if it begins with one. The marks need not be a pair. It is the last word.
    pub fn take_quoted(&mut self) -> Option<&'a str> {
        let inner = self.rest.strip_prefix(is_quote)?;
        let (quoted, rest) = inner.split_once(is_quote)?;
        if !rest.is_empty() && !rest.starts_with(|c| is_blank(c) || is_break(c)) {
            return None;
        }
        self.rest = rest;
        Some(quoted)
    }

    /// What follows the one separator: the blanks of the line, or a line break.
    pub fn behind_separator(&self) -> &'a str {
        let rest = self.rest.trim_start_matches(is_blank);
        if rest.len() < self.rest.len() {
            return rest;
        }
        rest.strip_prefix("\r\n")
            .or_else(|| rest.strip_prefix(is_break))
            .unwrap_or(rest)
    }
}

fn is_break(c: char) -> bool {
    c == '\n' || c == '\r'
}
