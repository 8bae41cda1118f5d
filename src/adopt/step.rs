//! The steps of adopt and of its undoing: each leaves its path old or new, whenever it is cut short.

use super::error::AdoptError;
use crate::init::remove_empty_parents;
use crossmerge_plan::shown::Show;
use crossmerge_system::{
    file,
    file::{Directory, FILE_MODE, Node},
};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AdoptStep {
    /// Copies a file with its mode: aside, or back in place of our link.
    Copy { from: PathBuf, to: PathBuf },
    /// Makes a link in place of whatever is there.
    Link { path: PathBuf, target: PathBuf },
    /// Writes the record.
    Write { path: PathBuf, text: String },
    /// Removes a file or a link.
    Remove { path: PathBuf },
    /// Removes a file that was kept, and the directories that are empty without it, up to and with the top one.
    Discard { path: PathBuf, top: PathBuf },
}

impl AdoptStep {
    /// The path that it changes.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Copy { to: path, .. }
            | Self::Link { path, .. }
            | Self::Write { path, .. }
            | Self::Remove { path }
            | Self::Discard { path, .. } => path,
        }
    }

    /// Does it. What is kept and what is written is on the disk, under its name, before the next step begins.
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
                // What another user lets everybody write is not to be so when it is ours.
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
