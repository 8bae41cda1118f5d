//! The components of a path that a walk has not resolved yet.

use std::{ffi::OsString, path::Path};

/// The number of symlinks that are followed in one path, the same as in the kernel (path_resolution(7)).
pub(super) const MOST_LINKS: usize = 40;

/// The remaining components of a path, the next one last.
pub(super) type Rest = Vec<OsString>;

/// Puts the components of a path before the remaining ones.
pub(super) fn push(rest: &mut Rest, path: &Path) {
    let parts = path.components().rev();
    rest.extend(parts.map(|part| part.as_os_str().to_owned()));
}
