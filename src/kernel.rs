//! Source trees that are built by `make` with CROSS_COMPILE: the Linux kernel, boot loaders and firmware.
//!
//! This module reads the arguments of make and the files of a tree, and checks that they fit together.
//! `layer/kernel.rs` and `applet/xkmake.rs` decide make's environment and arguments. This module changes nothing.

pub mod call;
pub mod config;
mod makefile;
mod text;
pub mod tree;

use crossmerge_plan::{report::Explain, words::quote};
use std::{io, path::PathBuf};

/// Why make is not started.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A file of the tree cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// The directory has no Makefile.
    #[error("there is no Makefile in `{directory}`, so it is not a kernel tree", directory = .directory.display())]
    NoMakefile {
        /// The directory that make would work in.
        directory: PathBuf,
        /// The target's tuple.
        tuple: String,
        /// Whether the directory has a Kbuild file, which make does not read.
        has_kbuild: bool,
    },
    /// The directory is below the top of a kernel tree.
    #[error("`{directory}` is not a kernel tree, but a directory in one", directory = .directory.display())]
    BelowTop {
        /// The directory that make would work in.
        directory: PathBuf,
        /// The top of the kernel tree.
        top: PathBuf,
        /// The target's tuple.
        tuple: String,
    },
    /// The Makefile belongs to another project and ignores CROSS_COMPILE, so make would build for the host.
    #[error(
        "`{directory}` is not a kernel tree, nor U-Boot's or OpenSBI's, and its Makefile does not use CROSS_COMPILE",
        directory = .directory.display()
    )]
    NotOurs {
        /// The directory that make would work in.
        directory: PathBuf,
        /// The target's tuple.
        tuple: String,
    },
    /// The target's compiler does not exist.
    #[error("`{tuple}` has no compiler: `{compiler}` does not exist")]
    NoCompiler {
        /// The name of the compiler that make would start.
        compiler: String,
        /// The tuple.
        tuple: String,
        /// The prefix of an installed toolchain that may be the target's. `None` if there is none.
        adoptable: Option<String>,
    },
    /// make would split the path at its blanks, and the kernel's Makefiles run `rm -rf` on each part.
    #[error("make cannot install to `{place}`, which {variable} names: make would split the path", place = .place.display())]
    NotOneWord {
        /// The directory.
        place: PathBuf,
        /// The variable that names it.
        variable: &'static str,
        /// The goal.
        goal: String,
        /// The target's tuple.
        tuple: String,
    },
    /// The kernel has no name for the CPU.
    #[error("the kernel has no name for the CPU of `{tuple}`")]
    NoArch {
        /// The tuple.
        tuple: String,
        /// The directory in which a user can add one.
        directory: String,
    },
    /// The kernel tree does not support the ARCH.
    #[error("the kernel tree `{tree}` does not know ARCH={arch}: it has no `arch/{directory}`", tree = .tree.display())]
    UnknownArch {
        /// The top of the kernel tree.
        tree: PathBuf,
        /// The ARCH that make would get.
        arch: String,
        /// The name of the missing directory below `arch/`.
        directory: String,
        /// Whether the user set ARCH.
        is_callers: bool,
    },
    /// The `.config` is for another ARCH, and make would convert it.
    #[error("`{config}` was made for ARCH={made_for}, but make would run with ARCH={arch}", config = .config.display())]
    OtherArch {
        /// The `.config`.
        config: PathBuf,
        /// The ARCH that the `.config` was made for.
        made_for: String,
        /// The ARCH that make would get.
        arch: String,
        /// Whether the user set ARCH.
        is_callers: bool,
        /// The target's tuple.
        tuple: String,
        /// Whether the tree is one that was prepared for building modules.
        for_modules: bool,
    },
}

impl Explain for KernelError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(_) => "check its permissions".into(),
            Self::NoMakefile {
                tuple,
                directory,
                has_kbuild: true,
            } => format!(
                "its Kbuild file is for the kernel's make: `{tuple}-xkmake -C KERNEL M={} modules`",
                quote(directory.as_os_str())
            ),
            Self::NoMakefile { tuple, .. } => {
                format!("go to the top of the tree, or name it: `{tuple}-xkmake -C DIR`")
            }
            Self::BelowTop { top, tuple, .. } => {
                format!("build from its top: `{tuple}-xkmake -C {}`", top.display())
            }
            Self::NotOurs { tuple, .. } => format!(
                "build a plain make project with `{tuple}-env make`; name another tree with `{tuple}-xkmake -C DIR`"
            ),
            Self::NoCompiler {
                tuple, adoptable, ..
            } => {
                let prefix = adoptable.as_deref().unwrap_or("PREFIX");
                format!("adopt a toolchain with `crossmerge init {tuple} --toolchain {prefix}`")
            }
            Self::NotOneWord {
                place,
                variable,
                goal,
                tuple,
            } => format!(
                "give it a plain name: `ln -s {} root && {tuple}-xkmake {goal} {variable}=$PWD/root`",
                quote(place.as_os_str())
            ),
            Self::NoArch { directory, .. } => format!(
                "if there is one, add it: set `kbuild` in your own file in `{directory}`; profiles/README.md describes the format"
            ),
            Self::UnknownArch {
                is_callers: true, ..
            }
            | Self::OtherArch {
                is_callers: true, ..
            } => "you set ARCH: `unset ARCH`, and remove it from the arguments".into(),
            Self::UnknownArch { tree, .. } => format!(
                "use a kernel that has it: `ls {}` shows those of this one",
                tree.join("arch").display()
            ),
            Self::OtherArch {
                for_modules: true,
                tuple,
                ..
            } => format!("name the kernel of the target: `{tuple}-xkmake -C DIR M=$PWD`"),
            Self::OtherArch { tuple, .. } => format!(
                "keep it and build elsewhere: `{tuple}-xkmake O=DIR defconfig`; or replace it: `{tuple}-xkmake defconfig`"
            ),
        })
    }
}
