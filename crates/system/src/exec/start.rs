//! The processes that crossmerge starts for itself, without a plan.

use std::{ffi::OsStr, process::Command};

/// The running program's own file, even if its path has changed.
pub(super) const OWN: &str = "/proc/self/exe";

#[expect(
    clippy::disallowed_methods,
    reason = "this is the only code that creates a Command"
)]
pub(super) fn start(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}
