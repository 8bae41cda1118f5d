//! The options and the target of `init`.

use crate::target::{Source, Target};
use std::{ffi::OsString, path::PathBuf};

/// The options of the command line.
#[derive(Debug, Clone, Default)]
pub struct InitOptions {
    /// The sysroot, recorded for later runs.
    pub sysroot: Option<PathBuf>,
    /// The directory of the symlinks, recorded for later runs.
    pub bindir: Option<PathBuf>,
    /// The prefix of the GNU toolchain to adopt.
    pub toolchain: Option<OsString>,
    /// Whether to adopt clang and lld.
    pub llvm: bool,
    /// Whether to set up the target for clang without adopting a toolchain, as crossdev requests with `LLVM=yes`.
    pub clang_target: bool,
    /// Whether crossdev calls: it removes the symlinks that it knows from its own directory.
    pub by_crossdev: bool,
    /// Whether to adopt the toolchain that is installed for the tuple, with its libc, if the target has none. Not for
    /// crossdev's targets, for which crossdev builds one.
    pub find: bool,
    /// Whether to adopt no toolchain, now and in later runs.
    pub adopt_nothing: bool,
    /// Whether to copy the adopted toolchain's libc into the sysroot.
    pub with_libc: bool,
    /// The profile to link: `auto`, or a name that `crossmerge profile list` prints. `None` keeps the linked profile,
    /// or links `embedded` if there is none.
    pub profile: Option<String>,
}

impl InitOptions {
    /// Returns whether no option requests a change.
    pub(super) fn is_plain(&self) -> bool {
        let is_chosen = self.sysroot.is_some() || self.bindir.is_some() || self.profile.is_some();
        let adopts = self.toolchain.is_some() || self.llvm || self.adopt_nothing || self.with_libc;
        !is_chosen && !adopts
    }
}

/// The target of `init`, with the CPU families from which other tuples' facts are derived.
#[derive(Debug, Clone)]
pub struct InitTarget {
    /// The facts about its tuple.
    pub target: Target,
    /// The CPU families.
    pub families: Vec<Source>,
}
