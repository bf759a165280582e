//! Conversations as identity providers really hold them; the sections of the interop notes each follows stand in the files.

mod authentik;
mod entra;
mod entra_certification;
mod google;
mod hr;
mod jumpcloud;
mod okta;
mod onelogin;
mod ping;
mod sailpoint;
mod scripts;
