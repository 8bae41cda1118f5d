//! The one binary behind every name: it runs what its own name asks for, or reports why not.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossmerge::run(std::env::args_os())
}

/// The allocator, the same with every C library: musl's own asks the kernel too often for what reading settings takes.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
