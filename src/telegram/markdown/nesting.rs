//! Which styles may nest: Telegram refuses some pairs and silently drops others.

use std::ops::Range;

use crate::telegram::rich::Style;

/// Splits each style but a quote around code, as nothing else nests with code; cuts all at the text's end.
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

/// The pieces of a range outside `code`, which is in order.
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
