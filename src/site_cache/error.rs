//! Errors of the site cache.

use crate::config::ConfigError;
use crossmerge_autoconf::scan;
use crossmerge_plan::{passes_on, report::Explain};
use crossmerge_system::file;
use std::{io, path::PathBuf};

/// Why there are no answers.
#[derive(Debug, thiserror::Error)]
pub enum SiteCacheError {
    /// The configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A script was not scanned.
    #[error(transparent)]
    Scan(#[from] scan::ScanError),
    /// An existing file cannot be read.
    #[error(transparent)]
    Unreadable(io::Error),
    /// A file does not have the required form.
    #[error("`{file}`: {message}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Explain for SiteCacheError {
    passes_on!(Config, Scan);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(e) => file::hint(e).unwrap_or_else(|| "check its permissions".into()),
            Self::Malformed { file, .. } => format!(
                "fix `{}`; site-cache/README.md describes the format",
                file.display()
            ),
            _ => return None,
        })
    }
}
