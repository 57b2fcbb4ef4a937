//! How a person writes which calls begin a routine: `/hook add [fresh] [field=value …] name prompt`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::filter::Filter;
use super::read::Words;

/// The longest name.
const NAME_MOST: usize = 40;

/// A new secret of a hook: 256 random bits in base64, which every way of signing takes as it is.
pub fn secret() -> SecretString {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).expect("the system has random numbers");
    STANDARD.encode(bits).into()
}

/// What stands behind `/hook add`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedHook<'a> {
    /// The address ends with it.
    pub name: &'a str,
    /// The conditions as they were written; empty for none.
    pub filter: String,
    pub is_fresh: bool,
    pub prompt: &'a str,
}

/// Why it is no hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHook {
    NoName,
    /// A name has small letters, digits and `-`, and not more than 40 of them.
    BadName(String),
    NoPrompt,
    /// This is no condition.
    BadFilter(String),
}

pub fn read_hook(text: &str) -> Result<WantedHook<'_>, NoHook> {
    let mut words = Words::of(text);
    let (mut is_fresh, mut filter) = (false, String::new());
    let name = loop {
        match words.peek() {
            "" => return Err(NoHook::NoName),
            "fresh" => {
                words.take();
                is_fresh = true;
            }
            word if word.contains('=') => {
                let rest = words.rest();
                let behind =
                    Filter::first_of(rest).ok_or_else(|| NoHook::BadFilter(word.to_owned()))?;
                let condition = &rest[..rest.len() - behind.len()];
                filter.push_str(condition.trim());
                filter.push(' ');
                words = Words::of(behind);
            }
            word if is_name(word) => break word,
            word => return Err(NoHook::BadName(word.to_owned())),
        }
    };
    words.take_last(Some);
    let prompt = words.behind_separator();
    match prompt.trim().is_empty() {
        true => Err(NoHook::NoPrompt),
        false => Ok(WantedHook {
            name,
            filter: filter.trim_end().to_owned(),
            is_fresh,
            prompt,
        }),
    }
}

fn is_name(word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.len() <= NAME_MOST && !word.starts_with('-') && word.chars().all(is_letter)
}
