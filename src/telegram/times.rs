//! Marks the moments that a text tells: a client shows them in its reader's own time zone.

use super::rich::{Rich, Style};
use crate::domain::outgoing::{TimeForm, ToldTime};

/// Appends a text. Words that are not there any more, as the text was changed, are not marked.
pub(super) fn push(rich: &mut Rich, text: &str, times: &[ToldTime]) {
    let start = rich.text.len();
    rich.push(text, None);
    let mut found: Vec<_> = times
        .iter()
        .flat_map(|time| {
            let words = text.match_indices(&time.words);
            words
                .map(|(at, words)| at..at + words.len())
                .filter(|range| !time.words.is_empty() && is_whole(text, range))
                .map(move |range| (start + range.start..start + range.end, style(time)))
        })
        .collect();
    found.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
    // Of two in the same place, the longer one.
    found.dedup_by(|later, earlier| later.0.start < earlier.0.end);
    rich.styles.extend(found);
}

fn is_whole(text: &str, range: &std::ops::Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    ![before, after]
        .into_iter()
        .flatten()
        .any(|next| next.is_alphanumeric() || next == ':')
}

/// Bot API: `date_time_format`
fn style(time: &ToldTime) -> Style {
    Style::Time {
        at: time.at,
        format: match time.form {
            TimeForm::Clock => "t",
            TimeForm::DayAndClock => "wt",
            TimeForm::DateAndClock => "wdt",
        },
    }
}
