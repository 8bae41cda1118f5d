//! Why fix-root does nothing, and how to go on.

use crate::{context::ContextError, init::InitError};
use crossmerge_plan::{
    passes_on,
    report::{Explain, OutputError},
    shown::Show,
    tuple::{Tuple, TupleError},
};
use crossmerge_system::{file, file::FileError};
use std::{ffi::OsString, io, path::PathBuf};

/// Why fix-root does nothing.
#[derive(Debug, thiserror::Error)]
pub enum FixRootError {
    /// A look at the target failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The one argument is no tuple.
    #[error(transparent)]
    Tuple(#[from] TupleError),
    /// The arguments, and the environment with them, have no meaning.
    #[error("{message}")]
    Usage {
        /// The name we were called by.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// There is no such directory.
    #[error("there is no directory `{sysroot}` to correct", sysroot = .sysroot.shown())]
    NoSysroot {
        /// The path.
        sysroot: PathBuf,
        /// The variable that names it; none when an argument does.
        from: Option<&'static str>,
    },
    /// The paths in it are right as they are.
    #[error("`{sysroot}` is the host's own root", sysroot = .sysroot.shown())]
    HostRoot {
        /// The path that leads there.
        sysroot: PathBuf,
        /// The variable that names it; none when an argument does.
        from: Option<&'static str>,
    },
    /// The names of the links would lie elsewhere.
    #[error("{0:?} cannot begin the names of links: it has a `/`")]
    Prefix(OsString),
    /// `crossmerge plan` was asked for what runs no program.
    #[error("`{0}-fix-root` runs no program, so there is no plan of one")]
    NoPlan(Tuple),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The help or the diff cannot be printed.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl From<FileError> for FixRootError {
    fn from(error: FileError) -> Self {
        Self::Io(error.into())
    }
}

impl From<InitError> for FixRootError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Io(e) => Self::Io(e),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

impl Explain for FixRootError {
    passes_on!(Context, Tuple, Output);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Usage { name, .. } => format!("`{name} --help` shows the forms"),
            Self::NoSysroot { from: Some(variable), .. } | Self::HostRoot { from: Some(variable), .. } => {
                format!("{variable} in the environment names it: `unset {variable}`")
            }
            Self::NoSysroot { from: None, .. } => "`crossmerge targets` lists the sysroots".into(),
            Self::HostRoot { from: None, .. } => {
                "name another machine's; `crossmerge targets` lists the sysroots".into()
            }
            Self::Prefix(_) => "give the directory as the second argument, and as the third what the names begin with, such as `arm-linux-gnueabi-`".into(),
            Self::NoPlan(tuple) => format!("`{tuple}-fix-root --dry-run` prints what it would change"),
            Self::Io(e) => file::hint(e).unwrap_or_else(|| {
                "run it as who owns the sysroot and the directory of the links; what is done already stays right".into()
            }),
            _ => return None,
        })
    }
}
