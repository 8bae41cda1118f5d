//! The place of a result: it is made under a temporary name beside the place, and renamed.

use super::error::PackError;
use crate::toolchain::cause;
use crossmerge_system::file::Directory;
use std::{fs, io, path::Path};

/// Checks that a file system has room for a toolchain.
pub(super) fn check_space(directory: &Path, bytes: u64) -> Result<(), PackError> {
    let mut existing = directory.ancestors();
    let existing = existing.find(|directory| directory.is_dir());
    let existing = existing.unwrap_or(Path::new("/"));
    let free = cause::Machine::read(Path::new(""), existing, None).free_space;
    match free {
        Some(free) if free < bytes => Err(PackError::Space {
            directory: existing.into(),
            free: free >> 20,
            needed: bytes.div_ceil(1 << 20),
        }),
        _ => Ok(()),
    }
}

/// Renames a new file or directory to its place, when it is on the disk.
pub(super) fn rename(new: &Path, path: &Path) -> Result<(), PackError> {
    let (directory, name) = Directory::of(path, &mut Vec::new())?;
    directory.sync()?;
    directory.rename(new.file_name().unwrap_or_default(), name)?;
    Ok(directory.sync_names()?)
}

/// Checks that a path does not exist or is an empty directory.
pub(super) fn check_empty(path: &Path) -> Result<(), PackError> {
    match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            Err(PackError::OutputExists(path.into()))
        }
        Err(e) => Err(PackError::read(path)(e)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(PackError::NotEmpty(path.into())),
        },
    }
}
