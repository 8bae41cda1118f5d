//! The binary. It runs the command that its own name selects, or reports why it cannot.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}

/// The allocator with musl, whose own asks the kernel too often for what reading settings takes.
#[cfg(all(target_env = "musl", not(feature = "system-malloc")))]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
