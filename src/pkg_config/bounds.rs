//! The directories that a flag may name: the sysroot, the package's build directory, and those that the user allowed.
//!
//! Both paths are canonical, and compared by components: `/usr/arm-linux-gnueabihf` is not below
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

/// The allowed directories.
#[derive(Debug)]
pub(crate) struct AllowedDirectories {
    /// The directories by the names that they were given.
    named: Vec<PathBuf>,
    canonical: OnceCell<Vec<PathBuf>>,
}

impl AllowedDirectories {
    /// Collects the directories. Without a sysroot, or if it is the host's root, every path is allowed.
    pub(crate) fn of(context: &Context, sysroot: &Path) -> Self {
        let sysroot = match sysroot.as_os_str().is_empty() {
            true => Path::new("/"),
            false => sysroot,
        };
        let allowed = context.settings.extra_prefixes.iter().cloned();
        let directories = [sysroot.to_owned()].into_iter().chain(allowed);
        Self::new(directories.chain(build_directory(context)).collect())
    }

    /// Collects the allowed directories outside the sysroot.
    pub(super) fn allowed(context: &Context) -> Self {
        let allowed = context.settings.extra_prefixes.iter().cloned();
        Self::new(allowed.chain(build_directory(context)).collect())
    }

    fn new(named: Vec<PathBuf>) -> Self {
        let canonical = OnceCell::new();
        Self { named, canonical }
    }

    /// Allows this directory only.
    pub(super) fn only(directory: PathBuf) -> Self {
        Self::new(vec![directory])
    }

    /// Returns whether a path is allowed. A relative one starts at the current directory, and is allowed if it stays
    /// there or does not exist.
    pub(crate) fn hold(&self, path: &Path) -> bool {
        // GCC replaces such a prefix by its own sysroot.
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

    /// Returns whether a canonical path is allowed.
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

/// Returns whether all components of a path after a directory are directories and no symlinks. Then the path is below
/// the directory, whatever its canonical form. This is so for nearly every path that pkg-config prints, and is
/// cheaper than resolving the whole path.
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

/// Returns the directory in which Portage unpacks and builds the package. EAPI 9 does not export WORKDIR, but still
/// TMPDIR, which is beside it.
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
