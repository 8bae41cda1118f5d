//! Trees that are built by `make` with CROSS_COMPILE: the Linux kernel's above all, boot loaders, firmware.
//!
//! Here is what a call of make and a tree say of themselves, and whether they go together. What make is then given is
//! decided in `layer/kernel.rs` and `applet/xkmake.rs`. Nothing is changed here.

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
    /// Nothing that make could build.
    #[error("there is no Makefile in `{directory}`, so it is no kernel tree", directory = .directory.display())]
    NoMakefile {
        /// The directory that make would work in.
        directory: PathBuf,
        /// Our tuple.
        tuple: String,
        /// The directory has a Kbuild file, which make does not read.
        has_kbuild: bool,
    },
    /// A directory below the top of a kernel tree.
    #[error("`{directory}` is no kernel tree, but a directory in one", directory = .directory.display())]
    BelowTop {
        /// The directory that make would work in.
        directory: PathBuf,
        /// The tree.
        top: PathBuf,
        /// Our tuple.
        tuple: String,
    },
    /// A Makefile of something else, which would be built for the host.
    #[error(
        "`{directory}` is no kernel tree, nor U-Boot's or OpenSBI's, and its Makefile does not know CROSS_COMPILE",
        directory = .directory.display()
    )]
    NotOurs {
        /// The directory that make would work in.
        directory: PathBuf,
        /// Our tuple.
        tuple: String,
    },
    /// Nothing to compile with.
    #[error("the compiler of `{tuple}` is not there: no `{compiler}`")]
    NoCompiler {
        /// What make would start.
        compiler: String,
        /// The tuple.
        tuple: String,
        /// The prefix of a toolchain that may be the target's; none where none was seen.
        adoptable: Option<String>,
    },
    /// make would take the place apart, and begins with `rm -rf` of the parts.
    #[error("make cannot install to `{place}`, which {variable} names: it would take it for more than one word", place = .place.display())]
    NotOneWord {
        /// The directory.
        place: PathBuf,
        /// What names it.
        variable: &'static str,
        /// What was to be built.
        goal: String,
        /// Our tuple.
        tuple: String,
    },
    /// The kernel does not run on such a CPU.
    #[error("the kernel has no name for the CPU of `{tuple}`")]
    NoArch {
        /// The tuple.
        tuple: String,
        /// Where a user can teach one.
        directory: String,
    },
    /// This kernel does not.
    #[error("the kernel tree `{tree}` does not know ARCH={arch}: it has no `arch/{directory}`", tree = .tree.display())]
    UnknownArch {
        /// The tree.
        tree: PathBuf,
        /// What make would be told.
        arch: String,
        /// Where the tree would have it.
        directory: String,
        /// ARCH is the caller's.
        is_callers: bool,
    },
    /// make would turn the configuration into one for another machine.
    #[error("`{config}` was made for ARCH={made_for}, and this is make for ARCH={arch}", config = .config.display())]
    OtherArch {
        /// The `.config`.
        config: PathBuf,
        /// The ARCH in it.
        made_for: String,
        /// What make would be told.
        arch: String,
        /// ARCH is the caller's.
        is_callers: bool,
        /// Our tuple.
        tuple: String,
        /// The tree is one that was prepared for building modules.
        for_modules: bool,
    },
}

impl Explain for KernelError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(_) => "look at its permissions".into(),
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
                "a project of make's is built with `{tuple}-env make`; another tree is named with `{tuple}-xkmake -C DIR`"
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
                "if there is one, teach it: `kbuild` in a file of yours in `{directory}`; profiles/README.md has the form"
            ),
            Self::UnknownArch {
                is_callers: true, ..
            }
            | Self::OtherArch {
                is_callers: true, ..
            } => "ARCH is set by you: `unset ARCH`, and leave it out of the arguments".into(),
            Self::UnknownArch { tree, .. } => format!(
                "take a kernel that has it: `ls {}` shows those of this one",
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
