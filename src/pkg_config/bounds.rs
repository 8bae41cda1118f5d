//! The directories that a flag may name: the sysroot, the build directory of the package, and what the user allowed.
//!
//! Both sides are canonical, and a path is inside at a boundary only: `/usr/arm-linux-gnueabihf` is not below
//! `/usr/arm-linux-gnueabi`.

use crate::context::Context;
use crossmerge_plan::env;
use crossmerge_system::file::canonical;
use once_cell::unsync::OnceCell;
use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// The directories.
#[derive(Debug)]
pub(crate) struct AllowedDirectories {
    /// As they are named.
    named: Vec<PathBuf>,
    canonical: OnceCell<Vec<PathBuf>>,
}

impl AllowedDirectories {
    /// Collects them. Without a sysroot, or where it is the host's root, everything is inside.
    pub(crate) fn of(context: &Context, sysroot: &Path) -> Self {
        let sysroot = match sysroot.as_os_str().is_empty() {
            true => Path::new("/"),
            false => sysroot,
        };
        let allowed = context.settings.extra_prefixes.iter().cloned();
        let directories = [sysroot.to_owned()].into_iter().chain(allowed);
        Self::new(directories.chain(build_directory(context)).collect())
    }

    /// Collects those outside the sysroot.
    pub(super) fn allowed(context: &Context) -> Self {
        let allowed = context.settings.extra_prefixes.iter().cloned();
        Self::new(allowed.chain(build_directory(context)).collect())
    }

    fn new(named: Vec<PathBuf>) -> Self {
        let canonical = OnceCell::new();
        Self { named, canonical }
    }

    /// Just this directory.
    pub(super) fn only(directory: PathBuf) -> Self {
        Self::new(vec![directory])
    }

    /// Returns whether a path is inside. A relative one is taken from the current directory, and inside when it stays
    /// there or when there is nothing.
    pub(crate) fn hold(&self, path: &Path) -> bool {
        // GCC puts its own sysroot where a path begins so.
        let bytes = path.as_os_str().as_bytes();
        if bytes.starts_with(b"=") || bytes.starts_with(b"$SYSROOT") {
            return true;
        }
        if path.is_absolute() {
            return self
                .named
                .iter()
                .any(|directory| is_plainly_below(path, directory))
                || self.has(&canonical(path));
        }
        match path.canonicalize() {
            Ok(path) => path.starts_with(canonical(Path::new("."))) || self.has(&path),
            Err(_) => true,
        }
    }

    /// Returns whether a canonical path is inside.
    fn has(&self, path: &Path) -> bool {
        let canonical = || {
            self.named
                .iter()
                .map(|directory| canonical(directory))
                .collect()
        };
        let mut directories = self.canonical.get_or_init(canonical).iter();
        directories.any(|directory| path.starts_with(directory))
    }
}

/// Returns whether a path goes on from a directory over nothing but directories: whatever the directory is
/// canonically, it is below that. So it is with nearly every path that pkg-config answers with, and costs less than
/// the path from the root.
fn is_plainly_below(path: &Path, directory: &Path) -> bool {
    let Ok(rest) = path.strip_prefix(directory) else {
        return false;
    };
    let mut place = directory.to_owned();
    directory.is_absolute()
        && rest.components().all(|part| {
            place.push(part);
            let there = place.symlink_metadata();
            matches!(part, Component::Normal(_)) && there.is_ok_and(|there| !there.is_symlink())
        })
}

/// The directory in which Portage unpacks and builds the package. EAPI 9 keeps WORKDIR from the tools, and still
/// gives TMPDIR, which lies beside it.
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
