//! Why a root could not be built, checked or measured.

use crate::{
    applet::AppletError, config::ConfigError, context::ContextError, qemu::chroot::ChrootError,
};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, words::quote_line};
use crossmerge_system::{
    exec::ExecError,
    file::{self, FileError},
};
use std::{io, path::PathBuf};

/// Why a root could not be built, checked or measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
    #[error(transparent)]
    Applet(#[from] AppletError),
    #[error(transparent)]
    Chroot(#[from] ChrootError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The directory is not a root.
    #[error("`{root}` is not a directory", root = .root.shown())]
    NoRoot {
        /// The directory.
        root: PathBuf,
    },
    /// The directory is the host's own root.
    #[error("`{root}` is the host's own root", root = .root.shown())]
    HostRoot {
        /// The directory.
        root: PathBuf,
    },
    /// There is something at the path that crossmerge has not made.
    #[error("`{root}` exists, and `crossmerge root` did not make it", root = .root.shown())]
    Foreign {
        /// The path.
        root: PathBuf,
    },
    /// Neither the arguments nor the configuration name a package.
    #[error("no packages are named")]
    NoPackages {
        /// The target's configuration.
        file: PathBuf,
    },
    /// An option is among the packages.
    #[error("`{}` is not a package", .0.shown())]
    NotAPackage(String),
    /// A locale has no character set.
    #[error("`{}` in `locales` is no locale with a character set", .0.shown())]
    BadLocale(String),
    /// Portage finds no way to merge the packages.
    #[error("Portage cannot resolve {}", .packages.join(" "))]
    Unresolved {
        /// The target's tuple.
        tuple: String,
        /// The packages and sets.
        packages: Vec<String>,
        /// The directory of Portage's configuration for the target.
        configuration: PathBuf,
        /// Whether a package excludes the version of an adopted toolchain's libc.
        is_libc: bool,
    },
    /// No ebuild repository has the target's profile, so a stage could not name it.
    #[error("the profile of {tuple} is in no ebuild repository")]
    NoProfile {
        /// The target's tuple.
        tuple: String,
    },
    /// The packages of a stage have no package manager.
    #[error(
        "@system of {tuple}'s profile has no package manager, so the stage could build nothing"
    )]
    NoManager {
        /// The target's tuple.
        tuple: String,
    },
    /// The name of a stage does not end as an archive's.
    #[error("`{}` does not end with .tar, .tar.gz, .tar.xz or .tar.zst", .0.shown())]
    NoArchive(PathBuf),
    /// A log could not be written.
    #[error("cannot write `{}`: {}", .0.shown(), .1)]
    Write(PathBuf, io::Error),
    /// No tuple was given, and no package of the root names one.
    #[error("`{root}` has no installed package that states its CHOST", root = .root.shown())]
    UnknownTuple {
        /// The directory.
        root: PathBuf,
    },
}

impl From<FileError> for RootError {
    fn from(error: FileError) -> Self {
        Self::Io(error.into())
    }
}

impl Explain for RootError {
    passes_on!(Applet, Chroot, Exec, Config, Context);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => {
                file::hint(e).unwrap_or_else(|| "run it as a user who can read the root".into())
            }
            Self::NoRoot { root } => format!("ls -ld {}", quote_line(root.as_os_str())),
            Self::HostRoot { .. } => "name the directory of the target's root".into(),
            Self::Foreign { root } => {
                let root = quote_line(root.as_os_str());
                format!("move it away: `mv {root} {root}.old`")
            }
            Self::NoPackages { file } => format!(
                "name packages, `--set @system`, or write `[root]` and `packages = [\"…\"]` into `{}`",
                file.shown()
            ),
            Self::NotAPackage(_) => "name packages and sets only".into(),
            Self::BadLocale(_) => "name it with its character set: `de_DE.UTF-8`".into(),
            Self::Unresolved {
                is_libc: true,
                configuration,
                ..
            } => format!(
                "the adopted toolchain's libc decides: mask the packages that exclude it in `{}`, or adopt a toolchain with another libc",
                configuration.join("package.mask").shown()
            ),
            Self::Unresolved {
                tuple, packages, ..
            } => format!(
                "`{tuple}-emerge --pretend --verbose --tree {}` prints more",
                packages.join(" ")
            ),
            Self::NoProfile { tuple } => {
                format!("take one of a repository: `crossmerge profile list {tuple}`")
            }
            Self::NoManager { tuple } => format!(
                "name one, such as sys-apps/portage, as a further package; `crossmerge profile list {tuple}` prints other profiles"
            ),
            Self::NoArchive(_) => "name the archive: `stage3.tar.xz`".into(),
            Self::Write(..) => "check its permissions".into(),
            Self::UnknownTuple { .. } => "name the tuple: `--tuple TUPLE`".into(),
            _ => return None,
        })
    }
}
