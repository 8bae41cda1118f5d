//! The errors of adopt, and their hints.

use crate::{config::ConfigError, context::ContextError, init::InitError};
use crossmerge_plan::{passes_on, report::Explain, shown::Show, tuple::Tuple};
use crossmerge_system::file;
use std::{io, path::PathBuf};

/// An error of adopt.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages state what the variants mean")]
pub enum AdoptError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("`{tuple}` has no crossdev wrapper in PATH or in `{directory}`", directory = .directory.shown())]
    NotCrossdevs { tuple: Tuple, directory: PathBuf },
    #[error("`{0}` was not adopted from crossdev")]
    NotAdopted(Tuple),
    #[error("cannot write to `{directory}`: {why}", directory = .directory.shown())]
    NotWritable { directory: PathBuf, why: io::Error },
    #[error("`{path}` belongs to {package}, and a symlink to crossmerge would replace it", path = .path.shown())]
    Owned { path: PathBuf, package: String },
}

impl Explain for AdoptError {
    passes_on!(Config, Context, Init);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => file::hint(e).unwrap_or_else(|| {
                "fix that and run it again; `crossmerge adopt --undo` undoes what is done".into()
            }),
            Self::NotCrossdevs { tuple, .. } => {
                format!("`crossmerge init {tuple}` makes the symlinks of a target")
            }
            Self::NotAdopted(_) => "`crossmerge targets` shows which targets are `adopted`".into(),
            Self::NotWritable { .. } => "run it as root".into(),
            Self::Owned { path, .. } => {
                format!(
                    "rebuild that package without `{}`, or name the other targets: `crossmerge adopt <tuple>…`",
                    path.shown()
                )
            }
            _ => return None,
        })
    }
}
