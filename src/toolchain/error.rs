//! The errors of toolchains, and their hints.

use super::prefix::PrefixError;
use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{
    passes_on,
    report::{Explain, OWN_FAILURE},
    shown::Show,
    tuple::Tuple,
    words::quote,
};
use crossmerge_portage::error::SettingsError;
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{io, path::PathBuf};

/// Why a toolchain cannot be planned or built.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting of Portage cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A program does not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A file cannot be changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of assignments cannot be read.
    #[error("cannot read the settings: {0}")]
    Assignments(#[from] SettingsError),
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {source}", path = .path.shown())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("`{path}` cannot be written: {source}", path = .path.shown())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// There is no Portage.
    #[error("a toolchain is built by Portage, and there is none on this machine")]
    NoPortage {
        /// The tuple.
        tuple: Tuple,
    },
    /// Portage has no main repository.
    #[error("Portage has no main repository, and so no ebuilds of a compiler")]
    NoRepository,
    /// Portage has no CHOST.
    #[error("Portage states no CHOST for this machine")]
    NoHost,
    /// Nothing is recorded about a toolchain.
    #[error("crossmerge has built no toolchain for `{tuple}`")]
    NoRecord {
        /// The tuple.
        tuple: Tuple,
    },
    /// There is no such property of the repositories.
    #[error("there is no variable `{name}`")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// A program of Portage failed.
    #[error("emerge failed: {output}")]
    Unmerge {
        /// What it printed.
        output: String,
    },
    /// A path is relative.
    #[error("`{path}` is not an absolute path", path = .path.shown())]
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// The main repository cannot be written to.
    #[error("`{path}` is the main repository, which the next sync replaces", path = .path.shown())]
    MainRepository {
        /// Its directory.
        path: PathBuf,
    },
    /// A repository has no ebuild of a package.
    #[error("there is no ebuild of {package} in `{directory}`", directory = .directory.shown())]
    NoEbuild {
        /// The package.
        package: String,
        /// The directory that contains none.
        directory: PathBuf,
    },
    /// No ebuild has an allowed version.
    #[error("no version of {package} is {wanted} for ARCH `{arch}`: there are {versions}", versions = .available.join(", "))]
    NoVersion {
        /// The package.
        package: String,
        /// The wanted version.
        wanted: String,
        /// The target's ARCH.
        arch: String,
        /// Whether a stable version is wanted.
        stable: bool,
        /// The existing versions.
        available: Vec<String>,
    },
    /// A file exists where a directory is needed.
    #[error("`{path}` is a file, and the toolchain's settings need a directory there", path = .path.shown())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Something exists where a symlink to a package is needed.
    #[error("`{path}` is not a symlink, and the toolchain's package is linked there", path = .path.shown())]
    NotALink {
        /// The path.
        path: PathBuf,
    },
    /// The tuple is that of the build machine.
    #[error("`{tuple}` is the build machine itself, which has its own compiler")]
    Native {
        /// The tuple.
        tuple: Tuple,
    },
    /// There is no toolchain for the target.
    #[error("there is no toolchain for `{tuple}`: {why}")]
    Refused {
        /// The tuple.
        tuple: Tuple,
        /// The reason.
        why: String,
    },
    /// The build machine lacks programs that its Portage cannot install.
    #[error(transparent)]
    Prefix(#[from] Box<PrefixError>),
    /// The file system is too small for a build.
    #[error("`{directory}` has {free} MiB of free space, and building {package} takes at least {needed} MiB there", directory = .directory.shown())]
    Space {
        /// PORTAGE_TMPDIR.
        directory: PathBuf,
        /// The package.
        package: String,
        /// The free space in MiB.
        free: u64,
        /// The needed space in MiB.
        needed: u64,
    },
    /// The first compiler does not find the libc.
    #[error(transparent)]
    Link(#[from] Box<LinkError>),
    /// A root has no package of a toolchain.
    #[error("the package database of `{root}` contains no compiler, libc or kernel headers", root = .root.shown())]
    NoSystem {
        /// The root.
        root: PathBuf,
    },
    /// POSIX threads are not an option there.
    #[error("`--posix-threads` is only for GCC on Windows, which has threads of its own too")]
    PosixThreads,
    /// No libc is known for the target.
    #[error("`{tuple}` names no libc, and the second compiler needs one")]
    UnknownLibc {
        /// The tuple.
        tuple: Tuple,
    },
    /// The sysroot has a toolchain with the other compiler.
    #[error(
        "`{tuple}` has a toolchain already, {other}, and both would install the libc into the same sysroot"
    )]
    OtherCompiler {
        /// The tuple.
        tuple: Tuple,
        /// The category of that toolchain.
        other: String,
    },
    /// clang cannot compile the libc.
    #[error("clang cannot compile glibc, the libc of `{tuple}`")]
    LlvmLibc {
        /// The tuple.
        tuple: Tuple,
    },
    /// LLVM has no code generator for the CPU.
    #[error("LLVM generates no code for the CPU of `{tuple}`")]
    LlvmCpu {
        /// The tuple.
        tuple: Tuple,
    },
    /// A file of the user's settings has no valid value.
    #[error("`{value}` in etc/portage/crossdev/…/{name} is not {expected}")]
    Setting {
        /// The name of the file.
        name: String,
        /// Its text.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The environment selects another root.
    #[error("a toolchain is installed on the build machine itself, not in ROOT={root}")]
    Root {
        /// The value of ROOT.
        root: String,
    },
    /// LLVM is not installed.
    #[error("LLVM is not installed")]
    NoLlvm,
    /// The installed LLVM was built without a code generator.
    #[error(
        "the installed LLVM was built without the code generator `{target}`, which `{tuple}` needs"
    )]
    LlvmTarget {
        /// The tuple.
        tuple: Tuple,
        /// LLVM's name of it.
        target: String,
    },
}

/// The first compiler cannot link with the libc.
#[derive(Debug, thiserror::Error)]
#[error(
    "the libc of `{tuple}` is installed, and GCC cannot link with it for the ABI {abi}:{printed}",
    printed = .printed.lines().map(|line| format!("\n    {line}")).collect::<String>()
)]
pub struct LinkError {
    /// The tuple.
    pub(crate) tuple: Tuple,
    /// The ABI.
    pub(crate) abi: String,
    /// What the linker printed.
    pub(crate) printed: String,
    /// The library directory that GCC searches first.
    pub(crate) searched: PathBuf,
    /// The directory that contains the libc.
    pub(crate) found: Option<PathBuf>,
}

impl LinkError {
    fn hint(&self) -> String {
        match &self.found {
            Some(found) if *found != self.searched => {
                let link = quote(found.file_name().unwrap_or_default());
                let [found, searched] = [found, &self.searched].map(|path| quote(path.as_os_str()));
                format!(
                    "the libc is in {found}, and GCC searches {searched}: `ln -sT {link} {searched}`, then the same command again"
                )
            }
            _ => format!(
                "`crossmerge toolchain log {} libc` shows how it was built",
                self.tuple
            ),
        }
    }
}

impl Explain for ToolchainError {
    passes_on!(Config, Context, Exec);

    fn own_exit_code(&self) -> u8 {
        match self {
            // As crossdev's.
            Self::Root { .. } => 2,
            // As a step that fails.
            Self::Link(_) => 1,
            _ => OWN_FAILURE,
        }
    }

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Native { .. } => {
                "other CPUs, libcs and vendors: `crossmerge show` lists them".into()
            }
            Self::NoPortage { tuple } => format!(
                "`crossmerge init {tuple}` names a compiler to install; `crossmerge toolchain prepare` makes a Portage to build one with"
            ),
            Self::NoRecord { tuple } => format!(
                "`crossmerge toolchain build {tuple}` builds one; `crossmerge toolchain list` lists those that exist"
            ),
            Self::NoVariable { .. } => {
                "they are MAIN_REPO_PATH, MAIN_REPO_NAME, REPO_CONFIG and SEARCH_OVERLAYS".into()
            }
            Self::NoRepository => "`emerge --sync`".into(),
            Self::NoEbuild { package, .. } => {
                let name = package.split('/').next_back().unwrap_or_default();
                format!(
                    "look for it: `find \"$(portageq get_repo_path / gentoo)\" -maxdepth 2 -name {name}`; name its repository with `--repository`"
                )
            }
            Self::NoVersion { stable: true, .. } => {
                "take the newest version: the same command without `--stable`".into()
            }
            Self::NotADirectory { path } => {
                let path = quote(path.as_os_str());
                format!(
                    "make it one with the file inside: `mv {path} {path}.file && mkdir {path} && mv {path}.file {path}/local`"
                )
            }
            Self::NotALink { path } => {
                format!("move it away: `mv {0} {0}.old`", quote(path.as_os_str()))
            }
            Self::Write { source, .. } | Self::Read { source, .. } => return file::hint(source),
            Self::Assignments(error) => return error.hint(),
            Self::Prefix(error) => return error.hint(),
            Self::Config(_)
            | Self::Context(_)
            | Self::Exec(_)
            | Self::File(_)
            | Self::NoHost
            | Self::Unmerge { .. }
            | Self::Relative { .. }
            | Self::MainRepository { .. }
            | Self::NoVersion { .. }
            | Self::Refused { .. }
            | Self::Setting { .. } => return None,
            Self::Space { .. } => {
                "free some space there, or add PORTAGE_TMPDIR=\"DIRECTORY\" to make.conf, with a directory on another file system".into()
            }
            Self::Link(error) => error.hint(),
            Self::NoSystem { .. } => {
                "name the root of a Gentoo system that has its own compiler, with a directory var/db/pkg".into()
            }
            Self::PosixThreads => "the same command without `--posix-threads`".into(),
            Self::Root { .. } => "run it without ROOT: `env -u ROOT crossmerge …`".into(),
            Self::UnknownLibc { tuple } => format!(
                "name one, as in `{}-unknown-linux-musl`, or stop after the first compiler: `crossmerge toolchain build {tuple} --stage c`",
                tuple.cpu()
            ),
            Self::LlvmLibc { tuple } => {
                format!(
                    "`crossmerge toolchain build {tuple}` builds it with GCC; `crossmerge init {tuple} --llvm` makes a target with clang and an installed glibc; clang can compile musl"
                )
            }
            Self::OtherCompiler { other, .. } => format!(
                "`crossmerge toolchain remove {other}` removes it; a tuple with another vendor has its own sysroot"
            ),
            Self::NoLlvm => "`emerge llvm-core/llvm llvm-core/clang llvm-core/lld`".into(),
            Self::LlvmTarget { target, .. } => format!(
                "add LLVM_TARGETS=\"{target}\" to make.conf, then `emerge --newuse llvm-core/llvm llvm-core/clang`"
            ),
            Self::LlvmCpu { tuple } => format!("`crossmerge toolchain build {tuple}` builds GCC"),
        })
    }
}
