//! Running a target's programs on the host by QEMU's user-mode emulation: which QEMU an ELF file needs, and the
//! kernel's binfmt_misc, which starts it.

pub mod binfmt;
pub mod chroot;
pub mod content;
mod namespaces;
pub(crate) mod native;
pub mod private;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
pub mod rule;
pub mod run;
mod surroundings;
mod version;

use crate::{context::Context, distribution::Distribution, libraries};
use crossmerge_plan::{
    env::{self, Env},
    plan::{Change, Changes},
};
use crossmerge_system::search;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// Returns the absolute paths of a target's QEMUs in PATH, under QEMU's own name and under that of Debian's
/// statically linked one.
pub fn programs(env: &Env, qemu: &str) -> Vec<PathBuf> {
    let names = [format!("qemu-{qemu}"), format!("qemu-{qemu}-static")];
    names
        .into_iter()
        .filter_map(|name| search::find_program(env, OsStr::new(&name)).ok())
        .collect()
}

/// Returns the variables by which QEMU gets its options, unless the caller has set them. The options `-L` and `-cpu`
/// would not reach the programs that the program starts.
pub(crate) fn variables(context: &Context, root: &Path, cpu: Option<&String>) -> Changes {
    let mut changes = Changes::new();
    for (variable, value) in [
        (env::QEMU_LD_PREFIX, Some(root.as_os_str().to_owned())),
        (env::QEMU_CPU, cpu.map(Into::into)),
    ] {
        if let (None, Some(value)) = (context.env.get(variable), value) {
            changes.insert(variable.name.into(), Change::Set(value));
        }
    }
    changes
}

/// Returns the environment of a program that the kernel starts under QEMU: [`variables`], and the path of its
/// libraries.
pub(crate) fn environment(context: &Context, root: &Path, cpu: Option<&String>) -> Changes {
    let mut changes = variables(context, root, cpu);
    changes.extend(set_env(context, root));
    changes
}

/// Returns QEMU_SET_ENV, unless the caller has set it. By it QEMU gives LD_LIBRARY_PATH to the program only.
pub(crate) fn set_env(context: &Context, root: &Path) -> Option<(OsString, Change)> {
    let path = libraries::linker_path(context, root, Vec::new())?;
    let is_unset = context.env.get(env::QEMU_SET_ENV).is_none();
    is_unset.then(|| {
        let value = Change::Set(assignment(&path));
        (env::QEMU_SET_ENV.name.into(), value)
    })
}

/// Returns QEMU's option that sets LD_LIBRARY_PATH in a program, with further directories. The program may change the
/// variable for those that it starts.
pub(crate) fn option(context: &Context, root: &Path, more: Vec<PathBuf>) -> Vec<OsString> {
    let path = libraries::linker_path(context, root, more);
    path.map_or(Vec::new(), |path| vec!["-E".into(), assignment(&path)])
}

fn assignment(path: &OsStr) -> OsString {
    let mut assignment = OsString::from(env::LD_LIBRARY_PATH.name);
    assignment.push("=");
    assignment.push(path);
    assignment
}

/// Returns the hint on how to install QEMU. A statically linked one also works where its libraries are missing: in a
/// chroot, as an interpreter of binfmt_misc.
pub(crate) fn install_hint(qemu: &str) -> String {
    Distribution::here().qemu_hint(qemu)
}
