//! The binary: everything is in the library, starting at `rollcall::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rollcall::cli::main()
}
