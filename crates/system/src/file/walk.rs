//! The components of a path that a walk has yet to go.

use std::{ffi::OsString, path::Path};

/// How many links are followed on one way, as the kernel has it.
pub(super) const MOST_LINKS: usize = 40;

/// What is on the rest of a way, the next step last.
pub(super) type Rest = Vec<OsString>;

/// Adds the components of a path to the rest of a way.
pub(super) fn push(rest: &mut Rest, path: &Path) {
    let parts = path.components().rev();
    rest.extend(parts.map(|part| part.as_os_str().to_owned()));
}
