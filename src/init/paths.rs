//! Paths for settings files.

use super::error::InitError;
use crate::context::Context;
use crossmerge_plan::shown::Show;
use crossmerge_system::file::below;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Refuses a path that cannot be written to a text file unchanged.
pub(crate) fn check_utf8(path: &Path) -> Result<(), InitError> {
    let unwritable = path
        .to_str()
        .is_none_or(|path| path.contains(char::is_control));
    if unwritable {
        Err(InitError::NotText(path.into()))
    } else {
        Ok(())
    }
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, InitError> {
    std::path::absolute(path).map_err(|e| named(e, path))
}

/// Adds the path to an error of the system.
pub(crate) fn named(error: io::Error, path: &Path) -> InitError {
    io::Error::new(error.kind(), format!("{}: {error}", path.shown())).into()
}

/// Returns the target's `etc/portage`.
pub(crate) fn etc_portage(context: &Context) -> Result<PathBuf, InitError> {
    let sysroot = absolute(&context.foreign_sysroot()?)?;
    let configroot = below(&sysroot, &context.eprefix().to_string_lossy());
    Ok(below(&configroot, "etc/portage"))
}
