//! The rows of imported files, and what rows name and make: each statement for a thousand rows at a time, never for one.

mod foresee;
mod made;
mod named;
mod rows;

use crate::store::statement::marks;

pub use foresee::*;
pub use made::*;
pub use named::*;
pub use rows::*;

/// How many rows one statement inserts: a fixed number, so that its text is prepared once.
const BLOCK: usize = 100;

/// `(?, ?), (?, ?)`: so many rows of so many values.
fn tuples(rows: usize, values: usize) -> String {
    vec![format!("({})", marks(values)); rows].join(", ")
}
