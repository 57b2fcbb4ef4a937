//! Which styles may lie within each other: Telegram refuses some pairs and drops others without a word.

use std::ops::Range;

use crate::telegram::rich::Style;

/// Nothing nests with code, so a style ends before it and goes on behind it; nothing reaches beyond the text.
pub(super) fn untangle(styles: &mut Vec<(Range<usize>, Style)>, length: usize) {
    let is_code = |style: &Style| matches!(style, Style::Code | Style::Pre { .. });
    let mut code: Vec<Range<usize>> = styles
        .iter()
        .filter(|(_, style)| is_code(style))
        .map(|(range, _)| range.clone())
        .collect();
    code.sort_unstable_by_key(|range| range.start);
    *styles = std::mem::take(styles)
        .into_iter()
        .flat_map(|(range, style)| {
            let range = range.start..range.end.min(length);
            let pieces = match style {
                Style::Quote { .. } => vec![range],
                _ if is_code(&style) => vec![range],
                _ => without(range, &code),
            };
            pieces.into_iter().map(move |piece| (piece, style.clone()))
        })
        .filter(|(range, _)| range.start < range.end)
        .collect();
    styles.sort_by(|(a, _), (b, _)| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
}

/// What is left of a range without these others, which are in order.
fn without(range: Range<usize>, code: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    let first = code.partition_point(|hole| hole.end <= range.start);
    for hole in &code[first..] {
        if hole.start >= range.end {
            break;
        }
        pieces.push(start..hole.start.max(start));
        start = start.max(hole.end);
    }
    pieces.push(start..range.end.max(start));
    pieces
}
