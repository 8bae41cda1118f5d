//! POSIX threads on Windows: `--posix-threads`. Pure.
//!
//! By default, GCC uses the threads of Windows there. The library of POSIX threads is in the package of the libc, and the
//! first compiler compiles it. So the first compiler is configured as usual, and the last one for POSIX threads.

use super::{
    class::{Part, PosixThreads},
    request::ToolchainRequest,
};
use std::iter;

/// The variable from which the ebuilds take further options for configure.
pub(crate) const EXTRA_ECONF: &str = "EXTRA_ECONF";

/// Returns [`EXTRA_ECONF`] of the first and of the last GCC: the user's own options, and for the last one the threads.
pub(crate) fn gcc_options(request: &ToolchainRequest, threads: &PosixThreads) -> [String; 2] {
    let of_gcc = request.parts.get(&Part::Gcc);
    let own = of_gcc.map(|gcc| gcc.environment.as_str());
    // The environment of all parts comes last in the file, and so overrides that of GCC.
    let texts = [Some(request.environment.as_str()), own];
    let own = texts
        .into_iter()
        .flatten()
        .find_map(value)
        .unwrap_or_default();
    let words = own.split_whitespace();
    let last: Vec<&str> = words
        .clone()
        .chain(iter::once(threads.gcc.as_str()))
        .collect();
    [words.collect::<Vec<_>>().join(" "), last.join(" ")]
}

/// Returns the value in the last assignment of [`EXTRA_ECONF`].
fn value(lines: &str) -> Option<String> {
    let mut values = lines.lines().rev().filter_map(|line| {
        line.trim_start()
            .strip_prefix(EXTRA_ECONF)?
            .strip_prefix('=')
    });
    let words = shell_words::split(values.next()?).ok()?;
    Some(words.join(" "))
}
