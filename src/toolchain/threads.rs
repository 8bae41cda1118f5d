//! POSIX threads on Windows: `--posix-threads`. Pure.
//!
//! By default, GCC uses the threads of Windows there. The library of POSIX threads is in the package of the libc, and the
//! first compiler compiles it. So the first compiler is configured as usual, and the last one for POSIX threads.

use super::{
    class::{Part, TargetClass},
    request::ToolchainRequest,
};

/// The variable from which the ebuilds take further options for configure.
pub(crate) const EXTRA_ECONF: &str = "EXTRA_ECONF";

/// How a toolchain gets POSIX threads.
pub(crate) struct ThreadOptions {
    /// The USE flag of the libc that builds their library.
    pub(crate) libc: String,
    /// [`EXTRA_ECONF`] of the first GCC: the user's own options.
    pub(crate) first_gcc: String,
    /// [`EXTRA_ECONF`] of the last GCC.
    pub(crate) last_gcc: String,
}

impl ThreadOptions {
    /// Decides on the options of a request. `None` if it does not ask for them.
    pub(crate) fn of(request: &ToolchainRequest, class: &TargetClass) -> Option<Self> {
        let threads = class.posix_threads.as_ref();
        let threads = threads.filter(|_| request.posix_threads)?;
        let of_gcc = request.parts.get(&Part::Gcc);
        // The environment of all parts comes last in the file, and so overrides that of GCC.
        let texts = [
            Some(&request.environment),
            of_gcc.map(|gcc| &gcc.environment),
        ];
        let own = texts.into_iter().flatten().find_map(|lines| value(lines));
        let own = own.unwrap_or_default();
        Some(Self {
            libc: threads.libc.clone(),
            last_gcc: format!("{own} {}", threads.gcc).trim_start().to_owned(),
            first_gcc: own,
        })
    }
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
