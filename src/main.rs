//! The one binary behind every name: it runs what its own name asks for, or reports why not.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}
