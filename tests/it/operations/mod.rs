//! Running it: keys, limits, the command line, faults. The ids are those of the requirements on reliability and security.

mod command_line;
mod exposure;
mod faults;
mod keys;
mod limits;
mod refused_tokens;
