//! SCIM through the front door. Files follow the sections of RFC 7644; `HV-nn` are the vectors of our checklist's §35.

mod auth;
mod bulk;
mod concurrency;
mod cursor;
mod discovery;
mod errors;
mod etag;
mod groups_patch;
mod hostile;
mod list;
mod paging;
mod people;
mod projection;
mod rows;
mod sorting;
mod users_create;
mod users_patch;
mod users_replace;
