//! The facts of the build machine that a cause needs, as data.

use std::path::PathBuf;

/// The facts of the build machine that a known cause needs.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The directory `etc/portage`.
    pub settings: PathBuf,
    /// PORTAGE_TMPDIR.
    pub portage_tmpdir: PathBuf,
    /// The free bytes of its file system.
    pub free_space: Option<u64>,
    /// The bytes of memory.
    pub memory: Option<u64>,
    /// The number of processes that the kernel has ended for want of memory since the step began.
    pub oom_kills: Option<u64>,
}

/// A config.log below the work directory.
#[derive(Debug, Clone)]
pub struct ConfigLog {
    /// Its path.
    pub path: PathBuf,
    /// When it was last written, in any unit.
    pub modified: u64,
}
