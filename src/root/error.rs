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
            Self::Write(..) => "check its permissions".into(),
            Self::UnknownTuple { .. } => "name the tuple: `--tuple TUPLE`".into(),
            _ => return None,
        })
    }
}
