//! The program that the checks compile and link.

use std::{ffi::OsString, path::Path};

/// A program that needs no header and no library, and starts at `main` or at `_start`.
pub(super) const SOURCE: &str = "int main(void) { return 0; }\nvoid _start(void) { main(); }\n";

/// Returns the arguments that compile and link a source without any library.
pub(super) fn link_bare(source: &Path, out: &Path) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-nostdlib", "-nostartfiles", "-o"].map(Into::into).into();
    args.extend([out.as_os_str().to_owned(), source.as_os_str().to_owned()]);
    args
}
