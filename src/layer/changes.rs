//! The names of the layers, and the changes that they add up to.

use crate::context::Context;
use crossmerge_plan::{
    env::Variable,
    plan::{Change, Changes, File, step::Step},
};
use serde::Deserialize;
use std::ffi::{OsStr, OsString};

/// The name of a layer, as `wrappers/*.toml` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What makes Portage build for the target.
    Portage,
    /// The target's tools, for build systems that ask the environment.
    Compiler,
    /// What shows pkg-config the sysroot and hides the machine.
    PkgConfig,
    /// The flags of the target's compilers and linker.
    Flags,
    /// Those flags for a build system that decides on optimisation and debugging.
    BuildTypeFlags,
    /// What makefiles that know nothing of the tools' variables ask for.
    Make,
    /// What lets compiler caches see that the compiler behind a link of ours changed.
    CompilerCache,
    /// What tells Cargo and its build scripts of the target.
    Cargo,
    /// What tells Go of the target.
    Go,
    /// What tells the kernel's make of the target.
    Kernel,
    /// What configure scripts would find out by running a program.
    SiteCache,
}

/// What the layers add up to.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The changes to the environment.
    pub env: Changes,
    /// Files that they name.
    pub files: Vec<File>,
    /// The steps into the namespaces in which the tool runs.
    pub enter: Vec<Step>,
}

pub(super) fn set(changes: &mut Changes, name: &str, value: impl Into<OsString>) {
    changes.insert(name.into(), Change::Set(value.into()));
}

/// Sets a variable that the caller left unset, whose name is only known at run time.
pub(super) fn propose(
    context: &Context,
    changes: &mut Changes,
    name: &str,
    value: impl Into<OsString>,
) {
    if context.env.get_name(name).is_none() {
        set(changes, name, value);
    }
}

/// Sets a variable that the caller left unset.
pub(super) fn default(
    context: &Context,
    changes: &mut Changes,
    variable: Variable,
    value: impl Into<OsString>,
) {
    set(
        changes,
        variable.name,
        context
            .env
            .get(variable)
            .map_or_else(|| value.into(), OsStr::to_owned),
    );
}
