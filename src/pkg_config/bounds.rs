//! The folders that a flag may name: the sysroot, the build directory of the package, and what the person allowed.
//!
//! Both sides are canonical, and a path is inside at a boundary only: `/usr/arm-linux-gnueabihf` is not below
//! `/usr/arm-linux-gnueabi`.

use crate::{
    context::{Context, canonical},
    env,
};
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The folders, canonical.
#[derive(Debug)]
pub(crate) struct Bounds(Vec<PathBuf>);

impl Bounds {
    /// Collects them. Without a sysroot, or where it is this machine's root, everything is inside.
    pub(crate) fn of(context: &Context, sysroot: &Path) -> Self {
        let sysroot = match sysroot.as_os_str().is_empty() {
            true => Path::new("/"),
            false => sysroot,
        };
        let allowed = context.settings.extra_prefixes.iter().map(PathBuf::as_path);
        let folders = [sysroot].into_iter().chain(allowed);
        let mut folders: Vec<PathBuf> = folders.map(canonical).collect();
        folders.extend(build_directory(context).map(|folder| canonical(&folder)));
        Self(folders)
    }

    /// Just this folder.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn only(folder: PathBuf) -> Self {
        Self(vec![folder])
    }

    /// Tells whether a path is inside. A relative one is taken from the current folder, and inside when it stays there or
    /// when there is nothing.
    pub(crate) fn hold(&self, path: &Path) -> bool {
        // GCC puts its own sysroot where a path begins so.
        let bytes = path.as_os_str().as_bytes();
        if bytes.starts_with(b"=") || bytes.starts_with(b"$SYSROOT") {
            return true;
        }
        let inside = |path: &Path| self.0.iter().any(|folder| path.starts_with(folder));
        if path.is_absolute() {
            return inside(&canonical(path));
        }
        match path.canonicalize() {
            Ok(path) => path.starts_with(canonical(Path::new("."))) || inside(&path),
            Err(_) => true,
        }
    }
}

/// The folder in which Portage unpacks and builds the package. EAPI 9 keeps WORKDIR from the tools, and still gives TMPDIR,
/// which lies beside it.
pub(crate) fn build_directory(context: &Context) -> Option<PathBuf> {
    if let Some(workdir) = context.env.get(env::WORKDIR) {
        return Some(workdir.into());
    }
    context.env.get(env::ESYSROOT)?;
    let temporary = Path::new(context.env.get(env::TMPDIR)?);
    let work = temporary.parent()?.join("work");
    let is_portages = temporary.file_name() == Some(OsStr::new("temp")) && work.is_dir();
    is_portages.then_some(work)
}
