//! Conversations as identity providers really hold them; the sections of the interop notes each follows stand in the files.

mod entra;
mod okta;
