//! Prints tables: as wide as the terminal, without lines and colours; in a pipe, one row a line. The first column names
//! the row.

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
            // A name broken in two cannot be copied.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    print_line!("{}", table.trim_fmt());
}

/// The terminal's width in letters; `None` without a terminal.
pub(super) fn width() -> Option<u16> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let columns = tcgetwinsize(&stdout).ok()?.ws_col;
    // Some terminals do not know their width, and a table needs some room.
    (columns > 0).then(|| columns.max(40))
}
