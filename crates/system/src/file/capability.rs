//! Capabilities of files (`capabilities(7)`): the rights that a program has without a set-user-ID bit.

use rustix::{fs::lgetxattr, io::Errno};
use std::{io, path::Path};

/// The extended attribute in which the kernel keeps them.
const ATTRIBUTE: &str = "security.capability";

/// Returns whether a file has capabilities. A file system without extended attributes has no such file.
///
/// # Errors
///
/// The file cannot be examined.
pub fn has_capabilities(path: &Path) -> io::Result<bool> {
    // The longest value has 24 bytes (`struct vfs_ns_cap_data`).
    match lgetxattr(path, ATTRIBUTE, &mut [0_u8; 24]) {
        Ok(length) => Ok(length > 0),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
