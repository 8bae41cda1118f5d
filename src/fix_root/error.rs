//! The errors of fix-root, and their hints.

use crate::{context::ContextError, init::InitError};
use crossmerge_plan::{
    passes_on,
    report::{Explain, OutputError},
    shown::Show,
    tuple::TupleError,
};
use crossmerge_system::file::{self, FileError};
use std::{ffi::OsString, io, path::PathBuf};

/// An error of fix-root.
#[derive(Debug, thiserror::Error)]
pub enum FixRootError {
    /// A lookup of the target failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The only argument is not a tuple.
    #[error(transparent)]
    Tuple(#[from] TupleError),
    /// The arguments and the environment match none of the forms of the command.
    #[error("{message}")]
    Usage {
        /// The name by which crossmerge was called.
        name: String,
        /// The problem.
        message: String,
    },
    /// The sysroot is not a directory.
    #[error("there is no directory `{sysroot}` to correct", sysroot = .sysroot.shown())]
    NoSysroot {
        /// The path.
        sysroot: PathBuf,
        /// The variable that names it; `None` if an argument does.
        from: Option<&'static str>,
    },
    /// The sysroot is the host's own root, whose paths are correct.
    #[error("`{sysroot}` is the host's own root", sysroot = .sysroot.shown())]
    HostRoot {
        /// The path as the user wrote it.
        sysroot: PathBuf,
        /// The variable that names it; `None` if an argument does.
        from: Option<&'static str>,
    },
    /// The prefix would put the symlinks into another directory.
    #[error("{0:?} cannot be the prefix of symlinks: it contains a `/`")]
    Prefix(OsString),
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
                "name a target's sysroot; `crossmerge targets` lists them".into()
            }
            Self::Prefix(_) => "pass the directory as the second argument, and as the third a prefix such as `arm-linux-gnueabi-`".into(),
            Self::Io(e) => file::hint(e).unwrap_or_else(|| {
                "run it as the user who owns the sysroot and the directory of the symlinks; completed work is kept".into()
            }),
            _ => return None,
        })
    }
}
