//! The one binary behind every name: it runs what its own name asks for, or reports why not.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}

/// The allocator with musl, whose own asks the kernel too often for what reading settings takes.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
