//! SCIM through the front door. Files follow the sections of RFC 7644; `HV-nn` are the vectors of our checklist's §35.

mod auth;
mod bulk;
mod bulk_rows;
mod client_credentials;
mod concurrency;
mod cursor;
mod cursor_walks;
mod custom;
mod custom_files;
mod custom_types;
mod discovery;
mod errors;
mod etag;
mod group_memberships;
mod groups_patch;
mod hostile;
mod hostile_addresses;
mod hostile_bodies;
mod large_groups;
mod list;
mod members_filters;
mod paging;
mod people;
mod projection;
mod published;
mod raw;
mod retention;
mod rights;
mod rows;

mod sorting;
mod switches;
mod switches_demands;
mod users_create;
mod users_patch;
mod users_replace;
