//! The binary. It runs the command that its own name selects, or reports why it cannot.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}

/// The allocator with musl, whose own asks the kernel too often for what reading settings takes.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
