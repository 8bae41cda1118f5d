//! Programs of a target on this machine, by QEMU's user-mode emulation: which QEMU an ELF file needs, and the kernel's
//! binfmt_misc, which hands it such files.

pub mod binfmt;
pub mod chroot;
pub mod content;
pub mod elf;
pub mod native;
pub mod private;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod properties;
pub mod rule;
pub mod run;
pub(crate) mod script;

use crate::{context, distribution::Distribution, env::Env};
use std::{ffi::OsStr, path::PathBuf};

/// The QEMUs for a target that are in PATH, as absolute paths: by QEMU's own name, and by that of Debian's static one.
pub fn programs(env: &Env, qemu: &str) -> Vec<PathBuf> {
    let names = [format!("qemu-{qemu}"), format!("qemu-{qemu}-static")];
    names
        .into_iter()
        .filter_map(|name| context::find_program(env, OsStr::new(&name)).ok())
        .collect()
}

/// How to get QEMU. A static one also works where its libraries are not: in a chroot, as an interpreter of binfmt_misc.
pub(crate) fn install_hint(qemu: &str) -> String {
    Distribution::here().qemu_hint(qemu)
}
