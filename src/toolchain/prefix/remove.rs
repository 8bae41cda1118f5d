//! Removing a prefix.

use super::{
    error::PrefixError,
    place::{LOCK, PrefixRecord, RECORD, lock},
};
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{self, Directory};
use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// Removes a prefix that crossmerge made, with everything in it. The record is removed last, so the next run continues
/// an interrupted one. Returns the line for the user.
pub fn remove(directory: &Path, dry_run: bool) -> Result<String, PrefixError> {
    let Some(record) = PrefixRecord::read(directory)? else {
        return Err(PrefixError::NoPrefix(directory.into()));
    };
    let categories = toolchains(directory)?;
    if !categories.is_empty() {
        return Err(PrefixError::HasToolchains {
            directory: directory.into(),
            categories,
        });
    }
    if dry_run {
        return Ok(format!("remove {}/\n", directory.shown()));
    }
    let _lock = lock(directory)?;
    let record = PrefixRecord {
        complete: false,
        ..record
    };
    file::put(&directory.join(RECORD), record.to_text().as_bytes())?;
    let open = Directory::open(directory)?;
    open.clear(&|name| name == RECORD || name == LOCK)?;
    open.remove(OsStr::new(RECORD))?;
    open.remove(OsStr::new(LOCK))?;
    file::remove(directory)?;
    Ok(format!("removed {}\n", directory.shown()))
}

/// Lists the categories of the toolchains that are installed in a prefix.
fn toolchains(directory: &Path) -> io::Result<Vec<String>> {
    let packages: PathBuf = directory.join("var/db/pkg");
    let entries = match fs_err::read_dir(packages) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut categories = Vec::new();
    for entry in entries {
        let category = entry?.file_name().to_string_lossy().into_owned();
        if category.starts_with("cross-") || category.starts_with("cross_llvm-") {
            categories.push(category);
        }
    }
    categories.sort();
    Ok(categories)
}
