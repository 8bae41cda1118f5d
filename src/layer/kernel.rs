//! The `kernel` layer: the variables of the kernel's make.
//!
//! The kernel is compiled by the toolchain itself, not through crossmerge's symlinks: it needs no sysroot, and the
//! symlinks would cost time in each of thousands of calls.

use super::{
    changes::{default, set},
    portage::root,
};
use crate::{
    config::ToolchainKind,
    context::Context,
    export::{ExportError, FLAGS},
    kernel::{
        call::is_one_word,
        tree::{Tree, TreeKind},
    },
};
use crossmerge_plan::{
    env,
    plan::{Change, Changes},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Sets ARCH, CROSS_COMPILE, LLVM, INSTALL_MOD_PATH and INSTALL_PATH. ARCH is omitted if the kernel has no name for
/// the CPU, LLVM if the compiler is GCC. For a tree, variables that it does not use are omitted too, and if it sets its
/// own flags, those of programs are unset.
#[inline(never)]
pub(super) fn kernel(
    context: &Context,
    tree: Option<&Tree>,
    changes: &mut Changes,
) -> Result<(), ExportError> {
    let target = context.target()?;
    if let Some(arch) = target.kernel_arch() {
        let callers = context.env.get(env::ARCH).map(OsStr::to_string_lossy);
        let planned = callers.unwrap_or_else(|| arch.into());
        if tree.is_none_or(|tree| takes_arch(tree, &planned)) {
            default(context, changes, env::ARCH, arch);
        }
    }
    let takes_llvm = tree.is_none_or(|tree| {
        tree.knows(env::LLVM.name) || tree.kind == TreeKind::Module || tree.is_in_tools()
    });
    let own = format!("{}-", context.tuple);
    let cross_compile = match &context.settings.toolchain {
        Some(toolchain) if toolchain.kind == ToolchainKind::Gnu => {
            reachable(context, &toolchain.prefix, toolchain.kind.driver(), changes)
        }
        // clang gets its target from CROSS_COMPILE.
        Some(toolchain) if toolchain.kind == ToolchainKind::Llvm => {
            if takes_llvm {
                default(context, changes, env::LLVM, "1");
            }
            // Since 5.18 the kernel accepts a directory in LLVM, but U-Boot and OpenSBI do not.
            put_first(context, &toolchain.prefix, toolchain.kind.driver(), changes);
            own.into()
        }
        _ => {
            if takes_llvm && matches!(context.compiler(), Some((ToolchainKind::Llvm, _))) {
                default(context, changes, env::LLVM, "1");
            }
            own.into()
        }
    };
    default(context, changes, env::CROSS_COMPILE, cross_compile);
    let root = PathBuf::from(root(context)?);
    let is_kernels = tree.is_none_or(|tree| tree.kind.is_kernels());
    if is_kernels {
        default(context, changes, env::INSTALL_PATH, root.join("boot"));
    }
    if is_kernels || tree.is_some_and(|tree| tree.knows(env::INSTALL_MOD_PATH.name)) {
        // Removes the trailing slash of Portage's ROOT.
        let root: PathBuf = root.components().collect();
        default(context, changes, env::INSTALL_MOD_PATH, root);
    }
    if tree.is_some_and(|tree| tree.kind != TreeKind::Other) {
        changes.extend(FLAGS.iter().map(|name| (name.into(), Change::Unset)));
    }
    Ok(())
}

/// Returns whether a tree uses this ARCH. A tree without `arch/` may use it in any file; one that does not ignores it.
fn takes_arch(tree: &Tree, arch: &str) -> bool {
    let may_be_anywhere =
        tree.kind == TreeKind::Other && (tree.is_in_tools() || !tree.source.join("arch").is_dir());
    tree.kind.is_kernels() || tree.has_arch(arch) || may_be_anywhere
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
