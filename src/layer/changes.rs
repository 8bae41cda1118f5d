//! The names of the layers, and their combined changes.

use super::variants::Variants;
use crate::context::Context;
use crossmerge_plan::{
    env::Variable,
    plan::{Change, Changes, File, Plan},
};
use serde::Deserialize;
use std::ffi::{OsStr, OsString};

/// The name of a layer, as `wrappers/*.toml` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Portage's variables for the target.
    Portage,
    /// A directory of binary packages of its own for a root that is not the sysroot.
    RootPackages,
    /// The target's tools, for build systems that ask the environment.
    Compiler,
    /// pkg-config's directories: those of the sysroot, and none of the host.
    PkgConfig,
    /// The flags of the target's compilers and linker.
    Flags,
    /// Those flags for a build system that decides on optimisation and debugging.
    BuildTypeFlags,
    /// Variables of makefiles that do not use the tools' own.
    Make,
    /// The string by which compiler caches notice a changed compiler behind crossmerge's symlinks.
    CompilerCache,
    /// The variables of Cargo and its build scripts.
    Cargo,
    /// The variables of Go.
    Go,
    /// The variables of the kernel's make.
    Kernel,
    /// Answers for the tests of configure scripts that run a program.
    SiteCache,
    /// Namespaces in which the target's programs run, for pkg_postinst.
    TargetPrograms,
    /// The directory in which Zig keeps the libc that it has compiled.
    ZigCache,
}

/// The combined result of the layers.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The changes to the environment.
    pub env: Changes,
    /// The files that the changes name.
    pub files: Vec<File>,
    /// The parts of the plan that depend on a trial.
    pub(crate) variants: Vec<Variants>,
}

impl Prepared {
    /// Returns the plan of a program with everything that the layers have prepared.
    pub(crate) fn complete(self, plan: Plan) -> Plan {
        let plan = Plan {
            env: self.env,
            files: self.files,
            ..plan
        };
        let variants = self.variants.into_iter();
        variants.fold(plan, |plan, variants| variants.complete(plan))
    }
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
