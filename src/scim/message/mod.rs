//! The protocol's fixed messages: bodies as JSON, search requests, lists, errors, the provider's configuration.
//!
//! RFC 7644 §3.4.2, §3.4.3, §3.8, §4. Not here: PATCH and bulk messages, resources.

mod json;
mod note;
mod reply;
mod search;

pub use json::{MAX_NESTING, parse_json};
pub use note::Note;
pub use reply::{Page, error_body, list_response, service_provider_config};
pub use search::{CURSOR_TIMEOUT, DEFAULT_COUNT, MAX_RESULTS, SearchRequest};
