//! The site cache: what configure scripts ask by running a program, answered beforehand for the target.
//!
//! `data` has the answers and `render` the config.site that gives them; the layer `site-cache` sets CONFIG_SITE to it.

pub mod data;
mod form;
pub mod scan;

use crate::config::ConfigError;
use std::{io, path::PathBuf};

/// Why there are no answers.
#[derive(Debug, thiserror::Error)]
pub enum SiteCacheError {
    /// Configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A script was not scanned.
    #[error(transparent)]
    Scan(#[from] scan::ScanError),
    /// A file is there and cannot be read.
    #[error(transparent)]
    Unreadable(io::Error),
    /// A file is not what the form asks for.
    #[error("`{file}`: {message}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl SiteCacheError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Config(e) => e.hint(),
            Self::Scan(e) => e.hint(),
            Self::Unreadable(_) => "look at its permissions".into(),
            Self::Malformed { file, .. } => format!(
                "mend `{}`; site-cache/README.md has the form",
                file.display()
            ),
        }
    }
}
