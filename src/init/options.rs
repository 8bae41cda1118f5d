//! What `init` is asked for, and the target that it is about.

use crate::target::{Source, Target};
use std::{ffi::OsString, path::PathBuf};

/// What the command line asked for.
#[derive(Debug, Clone, Default)]
pub struct InitOptions {
    /// Keep the target here from now on.
    pub sysroot: Option<PathBuf>,
    /// Make the links here from now on.
    pub bindir: Option<PathBuf>,
    /// Adopt the GNU toolchain whose tools begin so.
    pub toolchain: Option<OsString>,
    /// Adopt clang and lld.
    pub llvm: bool,
    /// Set the target up for clang, as crossdev asks with `LLVM=yes`, and adopt nothing.
    pub clang_target: bool,
    /// crossdev calls, and will remove the links that it knows of its own directory.
    pub by_crossdev: bool,
    /// Adopt the toolchain that is installed for the tuple, with its libc, where the target has none. crossdev's targets get
    /// theirs from crossdev.
    pub find: bool,
    /// Adopt no toolchain, now and by a later run.
    pub adopt_nothing: bool,
    /// Copy the adopted toolchain's libc into the sysroot.
    pub with_libc: bool,
    /// The profile to link: `auto`, or what `crossmerge profile list` shows. None keeps the one there is, or links
    /// `embedded`.
    pub profile: Option<String>,
}

impl InitOptions {
    /// Returns whether they ask for nothing in particular.
    pub(super) fn is_plain(&self) -> bool {
        let is_chosen = self.sysroot.is_some() || self.bindir.is_some() || self.profile.is_some();
        let adopts = self.toolchain.is_some() || self.llvm || self.adopt_nothing || self.with_libc;
        !is_chosen && !adopts
    }
}

/// A target as `init` gets it: its facts, and the profiles that other tuples' facts come from.
#[derive(Debug, Clone)]
pub struct InitTarget {
    /// The facts.
    pub target: Target,
    /// The CPU families.
    pub families: Vec<Source>,
}
