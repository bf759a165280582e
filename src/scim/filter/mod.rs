//! Filters and sorting: from a client's text to a yes or no about a resource. RFC 7644 §3.4.2.2 and §3.4.2.3.
//!
//! text → [`parse`] → [`syntax::Filter`] (as written) → [`check`] → [`checked::CheckedFilter`] (fits one resource
//! type) → [`eval`] in memory, or SQL in `store`. [`sort`] is the same road for `sortBy`.
//! Not here: URL decoding, paging, SQL.

pub mod check;
pub mod checked;
pub mod error;
pub mod eval;
#[cfg(test)]
pub(in crate::scim) mod fixture;
mod nearest;
pub mod parse;
#[cfg(test)]
pub(in crate::scim) mod properties;
pub mod sort;
pub mod subject;
pub mod syntax;
mod token;

pub use checked::CheckedFilter;
pub use error::{FilterError, FilterErrorKind};
pub(in crate::scim) use nearest::nearest_attribute;
pub use subject::Subject;
pub use syntax::Filter;
pub(in crate::scim) use token::is_name;
