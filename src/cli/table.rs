//! Tables as every listing has them: as wide as the terminal, without lines and colours; in a pipe one row a line.
//! The first column is what a row is called by.

use std::io::IsTerminal;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use rustix::termios::tcgetwinsize;

/// Prints rows below their headings.
pub(super) fn print<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(headings)
        .add_rows(rows);
    if let Some(width) = width() {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        if column.index == 0 {
            // A name that is broken cannot be copied.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    println!("{}", table.trim_fmt());
}

/// Of the terminal, in letters; `None` where there is none.
pub(super) fn width() -> Option<u16> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let columns = tcgetwinsize(&stdout).ok()?.ws_col;
    // Some terminals do not know, and in a few letters there is no room for a table.
    (columns > 0).then(|| columns.max(40))
}
