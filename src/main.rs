//! The binary. It runs the command that its own name selects, or reports why it cannot.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}

/// The allocator, for every C library. musl's own makes too many system calls for the many small strings of settings.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
