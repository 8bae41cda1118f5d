//! The `kernel` layer: the variables of the kernel's make.
//!
//! The kernel is compiled by the toolchain itself, not through crossmerge's symlinks: it needs no sysroot, and the
//! symlinks would cost time in each of thousands of calls.

use super::{
    changes::{default, set},
    portage::root,
};
use crate::{
    config::ToolchainKind, context::Context, export::ExportError, kernel::call::is_one_word,
};
use crossmerge_plan::{env, plan::Changes};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Sets ARCH, CROSS_COMPILE, LLVM, INSTALL_MOD_PATH and INSTALL_PATH. ARCH is omitted if the kernel has no name for
/// the CPU, LLVM if the compiler is GCC.
pub(super) fn kernel(context: &Context, changes: &mut Changes) -> Result<(), ExportError> {
    let target = context.target()?;
    if let Some(arch) = target.kernel_arch() {
        default(context, changes, env::ARCH, arch);
    }
    let own = format!("{}-", context.tuple);
    let cross_compile = match &context.settings.toolchain {
        Some(toolchain) if toolchain.kind == ToolchainKind::Gnu => {
            reachable(context, &toolchain.prefix, toolchain.kind.driver(), changes)
        }
        // clang gets its target from CROSS_COMPILE.
        Some(toolchain) => {
            default(context, changes, env::LLVM, "1");
            // Since 5.18 the kernel accepts a directory in LLVM, but U-Boot and OpenSBI do not.
            put_first(context, &toolchain.prefix, toolchain.kind.driver(), changes);
            own.into()
        }
        None => {
            if matches!(context.compiler(), Some((ToolchainKind::Llvm, _))) {
                default(context, changes, env::LLVM, "1");
            }
            own.into()
        }
    };
    default(context, changes, env::CROSS_COMPILE, cross_compile);
    let root = PathBuf::from(root(context)?);
    default(context, changes, env::INSTALL_PATH, root.join("boot"));
    // Removes the trailing slash of Portage's ROOT.
    let root: PathBuf = root.components().collect();
    default(context, changes, env::INSTALL_MOD_PATH, root);
    Ok(())
}

/// Returns the prefix in a form that make can use: the whole path, else its last part, with its directory first in
/// PATH.
fn reachable(context: &Context, prefix: &Path, driver: &str, changes: &mut Changes) -> OsString {
    if is_one_word(prefix.as_os_str()) {
        return prefix.into();
    }
    put_first(context, prefix, driver, changes);
    split(prefix).1.to_owned()
}

/// Puts the directory of a toolchain first in PATH, unless a shell finds its driver anyway.
fn put_first(context: &Context, prefix: &Path, driver: &str, changes: &mut Changes) {
    let (directory, name) = split(prefix);
    let mut program = name.to_owned();
    program.push(driver);
    if context
        .find_program(&program)
        .is_ok_and(|found| found == directory.join(&program))
    {
        return;
    }
    let path = [directory.to_owned()].into_iter().chain(context.path());
    // A directory with a colon in its name cannot be in PATH.
    if let Ok(path) = std::env::join_paths(path) {
        set(changes, env::PATH.name, path);
    }
}

/// Splits a prefix into its directory and the beginning of the tools' names.
fn split(prefix: &Path) -> (&Path, &OsStr) {
    let bytes = prefix.as_os_str().as_bytes();
    let at = bytes
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1);
    let (directory, name) = bytes.split_at(at);
    (
        Path::new(OsStr::from_bytes(directory)),
        OsStr::from_bytes(name),
    )
}
