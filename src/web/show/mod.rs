//! Text as safe markup: what claude, a check or a repository wrote, as a page shows it.
//!
//! Pure: no I/O, no clock. Whatever is in such a text is shown as text; only the tags and attributes that these modules
//! write themselves reach the page. Their classes are in `show.css`, and there is no style within the markup: the page
//! allows none.

pub mod ansi;
pub mod code;
pub mod diff;
mod line;
pub mod markdown;
mod outline;

pub use outline::Place;
