//! Why a root could not be checked or measured.

use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, words::quote_line};
use crossmerge_system::file::{self, FileError};
use std::{io, path::PathBuf};

/// Why a root could not be checked or measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
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
    passes_on!(Config, Context);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => {
                file::hint(e).unwrap_or_else(|| "run it as a user who can read the root".into())
            }
            Self::NoRoot { root } => format!("ls -ld {}", quote_line(root.as_os_str())),
            Self::HostRoot { .. } => "name the directory of the target's root".into(),
            Self::UnknownTuple { .. } => "name the tuple: `--tuple TUPLE`".into(),
            _ => return None,
        })
    }
}
