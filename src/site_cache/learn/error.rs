//! Errors of `site-cache learn`.

use crate::{
    context::ContextError, qemu::private::NamespaceError, site_cache::error::SiteCacheError,
};
use crossmerge_autoconf::scan::ScanError;
use crossmerge_plan::{passes_on, report::Explain};
use crossmerge_system::{exec::ExecError, file};
use std::{io, path::PathBuf};

/// Why nothing was learned.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The script is not one that stores results.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The answers cannot be read or written.
    #[error(transparent)]
    SiteCache(Box<SiteCacheError>),
    /// A program did not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The tests cannot be run.
    #[error(transparent)]
    NamespaceError(#[from] NamespaceError),
    /// configure stopped.
    #[error("configure failed with programs of the target running; its last lines:\n{tail}", tail = indented(.tail))]
    Failed {
        /// The last lines of its output.
        tail: String,
        /// Where its log is kept.
        log: Option<PathBuf>,
    },
    /// configure did not notice that programs run.
    #[error("configure believes that it is cross-compiling although programs of the target run")]
    StillCross {
        /// Where its log is kept.
        log: Option<PathBuf>,
    },
    /// A directory could not be created or copied.
    #[error(transparent)]
    Directory(io::Error),
    /// A variable to forget was never learned.
    #[error("`{variable}` was not learned")]
    NotLearned {
        /// Its name.
        variable: String,
        /// The target's tuple.
        tuple: String,
    },
}

impl From<SiteCacheError> for LearnError {
    fn from(error: SiteCacheError) -> Self {
        Self::SiteCache(Box::new(error))
    }
}

impl Explain for LearnError {
    passes_on!(Scan, SiteCache, Exec, Context, NamespaceError);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Failed { log, .. } | Self::StillCross { log } => match log {
                Some(log) => format!("its log is `{}`", log.display()),
                None => "it wrote no log; run `<tuple>-configure` by hand".into(),
            },
            Self::Directory(e) => file::hint(e)
                .unwrap_or_else(|| "check the free space and the permissions of TMPDIR".into()),
            Self::NotLearned { tuple, .. } => {
                format!("`crossmerge site-cache list {tuple}` lists the learned ones")
            }
            _ => return None,
        })
    }
}

pub(super) fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
