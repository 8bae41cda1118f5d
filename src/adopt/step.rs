//! The steps of adopt and of its undo. If a step is interrupted, its path has either its old or its new state.

use super::error::AdoptError;
use crate::init::remove_empty_parents;
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{self, Directory, FILE_MODE, Node};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AdoptStep {
    /// Copies a file with its mode: to the kept copies, or back over the symlink.
    Copy { from: PathBuf, to: PathBuf },
    /// Makes a symlink, replacing an existing file.
    Link { path: PathBuf, target: PathBuf },
    /// Writes the record.
    Write { path: PathBuf, text: String },
    /// Removes a file or a symlink.
    Remove { path: PathBuf },
    /// Removes a kept copy and the directories that become empty, up to and including `top`.
    Discard { path: PathBuf, top: PathBuf },
}

impl AdoptStep {
    /// Returns the path that the step changes.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Copy { to: path, .. }
            | Self::Link { path, .. }
            | Self::Write { path, .. }
            | Self::Remove { path }
            | Self::Discard { path, .. } => path,
        }
    }

    /// Does the step. Files are synced, and renamed to their names, before the next step begins.
    pub(super) fn apply(&self) -> Result<(), AdoptError> {
        if let Self::Discard { path, top } = self {
            file::remove(path)?;
            return Ok(remove_empty_parents(path, top)?);
        }
        Ok(self.place()?)
    }

    fn place(&self) -> io::Result<()> {
        match self {
            Self::Copy { from, to } => {
                let from = Node::at(from).map_err(io::Error::from)?;
                // A file that other users may write to must not stay so once root owns it.
                let mode = match from.is_trusted() {
                    true => from.mode() & 0o777,
                    false => from.mode() & 0o755,
                };
                let from = from.open()?;
                file::replace(to, |directory, new| directory.write_synced(new, from, mode))?;
            }
            Self::Link { path, target } => {
                return Ok(file::replace(path, |directory, new| {
                    directory.link(new, target)
                })?);
            }
            Self::Write { path, text } => file::replace(path, |directory, new| {
                directory.write_synced(new, text.as_bytes(), FILE_MODE)
            })?,
            Self::Remove { path } | Self::Discard { path, .. } => return file::remove(path),
        }
        Ok(Directory::open(self.path().parent().unwrap_or(Path::new("/")))?.sync_names()?)
    }
}

impl fmt::Display for AdoptStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy { from, to } => write!(f, "copy {} -> {}", from.shown(), to.shown()),
            Self::Link { path, target } => {
                write!(f, "link {} -> {}", path.shown(), target.shown())
            }
            Self::Write { path, .. } => write!(f, "write {}", path.shown()),
            Self::Remove { path } | Self::Discard { path, .. } => {
                write!(f, "remove {}", path.shown())
            }
        }
    }
}
