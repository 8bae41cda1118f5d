//! Why a farm could not be set up or examined.

use crate::{config::ConfigError, context::ContextError};
use crossmerge_plan::{passes_on, report::Explain};
use crossmerge_system::file;
use std::io;

/// Why a farm could not be set up or examined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FarmError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Explain for FarmError {
    passes_on!(Config, Context);

    fn own_hint(&self) -> Option<String> {
        match self {
            Self::Io(e) => file::hint(e),
            _ => None,
        }
    }
}
