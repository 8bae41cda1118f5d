//! The sysroot that fix-root checks: its path as written, its real path, and access to its files.

use super::script::script_in;
use crossmerge_system::file::{FileError, Node, Tree, beneath::Links, canonical};
use std::{
    ffi::OsStr,
    io,
    path::{Component, Path, PathBuf},
};

/// Directories in which packages install headers and libraries.
pub(super) const INSTALLED: [&str; 3] = ["usr", "", "usr/local"];

/// An open sysroot, with its path as the user wrote it, and with all symlinks resolved.
#[derive(Debug)]
pub(crate) struct Sysroot {
    path: PathBuf,
    real: PathBuf,
    /// The open directory. `None` for a sysroot that need not exist.
    tree: Option<Tree>,
}

impl Sysroot {
    /// Opens a sysroot for changes. It must exist.
    pub(crate) fn at(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(Tree::open(path)?))
    }

    /// Opens a sysroot for reading.
    pub(crate) fn to_read(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(Tree::open_to_read(path)?))
    }

    fn of(tree: Tree) -> Self {
        let (absolute, real) = (tree.path(), tree.real().to_owned());
        // An absolute path may contain `..`, which has another meaning after a symlink.
        let is_plain = !absolute
            .components()
            .any(|part| part == Component::ParentDir);
        let path: PathBuf = match is_plain {
            true => absolute.components().collect(),
            false => real.clone(),
        };
        let tree = Some(tree.called(&path));
        Self { path, real, tree }
    }

    /// Returns the open directory.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Returns a sysroot that need not exist.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn imagined(path: &str) -> Self {
        Self {
            path: path.into(),
            real: path.into(),
            tree: None,
        }
    }

    /// Returns the absolute path as written, without a final slash. It is inserted into files.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path without symlinks.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// Returns the host's path of a path on the target.
    pub(super) fn join(&self, path: &Path) -> PathBuf {
        let relative = path.components().filter(|part| *part != Component::RootDir);
        self.path.join(relative.collect::<PathBuf>())
    }

    /// Returns whether a path on the host is in the sysroot, with all symlinks resolved.
    pub(super) fn holds(&self, path: &Path) -> bool {
        canonical(path).starts_with(&self.real)
    }

    /// Strips the sysroot's path, in either form, from an absolute path.
    pub(super) fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let rest = path.strip_prefix(&self.path);
        rest.or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    /// Returns the file to which a path of the sysroot leads, with symlinks as the target follows them.
    pub(super) fn leads_to(&self, path: &Path) -> Option<Node> {
        let walk = self
            .tree
            .as_ref()?
            .follow(self.within(path)?, Links::InRoot);
        walk.ok()?.node()
    }

    /// Returns whether the path is the cross compiler's own directory, which is on the host and not in the sysroot.
    pub(super) fn is_compilers_own(&self, path: &Path) -> bool {
        let is_gcc = |part: Component| {
            ["gcc", "gcc-cross"]
                .map(OsStr::new)
                .contains(&part.as_os_str())
        };
        path.components().any(is_gcc) && path.exists() && self.leads_to(&self.join(path)).is_none()
    }

    /// Returns whether the sysroot has a configuration script at the path.
    pub(super) fn has_config_script(&self, path: &Path) -> bool {
        self.config_script(&self.join(path))
            .is_ok_and(|script| script.is_some())
    }

    /// Returns the configuration script at a path of the sysroot, with its text.
    pub(super) fn config_script(&self, path: &Path) -> io::Result<Option<(Node, Vec<u8>)>> {
        match self.leads_to(path) {
            Some(node) => script_in(path.file_name().unwrap_or_default(), node),
            None => Ok(None),
        }
    }
}
