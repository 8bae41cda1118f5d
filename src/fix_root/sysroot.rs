//! The sysroot that is looked at: how it is written, where it really is, and what is in it.

use super::script::script_in;
use crossmerge_system::file::{FileError, Node, Tree, beneath::Links, canonical};
use std::{
    ffi::OsStr,
    io,
    path::{Component, Path, PathBuf},
};

/// Where packages put what others are built against.
pub(super) const INSTALLED: [&str; 3] = ["usr", "", "usr/local"];

/// A sysroot: open, with its path as a user wrote it, and with every link followed.
#[derive(Debug)]
pub(crate) struct Sysroot {
    path: PathBuf,
    real: PathBuf,
    /// None of one that is imagined.
    tree: Option<Tree>,
}

impl Sysroot {
    /// Opens it to change it. It has to be there.
    pub(crate) fn at(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(Tree::open(path)?))
    }

    /// Opens it to look at it.
    pub(crate) fn to_read(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(Tree::open_to_read(path)?))
    }

    fn of(tree: Tree) -> Self {
        let (absolute, real) = (tree.path(), tree.real().to_owned());
        // An absolute path may have `..` in it, which means something else behind a link.
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

    /// The open directory.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// One that need not be there.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn imagined(path: &str) -> Self {
        Self {
            path: path.into(),
            real: path.into(),
            tree: None,
        }
    }

    /// The absolute path as it was written, without a slash at its end. What is written into files begins with it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path without links.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// The place that a path of the target's has here.
    pub(super) fn join(&self, path: &Path) -> PathBuf {
        let relative = path.components().filter(|part| *part != Component::RootDir);
        self.path.join(relative.collect::<PathBuf>())
    }

    /// Returns whether a path of the host's lies in the sysroot, whatever links lead to it.
    pub(super) fn holds(&self, path: &Path) -> bool {
        canonical(path).starts_with(&self.real)
    }

    /// The rest of an absolute path that begins with the sysroot's, in either spelling.
    pub(super) fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let rest = path.strip_prefix(&self.path);
        rest.or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    /// What a path of the sysroot leads to, by symlinks as the target follows them.
    pub(super) fn leads_to(&self, path: &Path) -> Option<Node> {
        let way = self
            .tree
            .as_ref()?
            .follow(self.within(path)?, Links::InRoot);
        way.ok()?.node()
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

    /// Returns whether the path is of a configuration script that the sysroot has.
    pub(super) fn has_config_script(&self, path: &Path) -> bool {
        self.config_script(&self.join(path))
            .is_ok_and(|script| script.is_some())
    }

    /// The text of a script that answers for a library, where the sysroot has one at that path: the file and what is in it.
    pub(super) fn config_script(&self, path: &Path) -> io::Result<Option<(Node, Vec<u8>)>> {
        match self.leads_to(path) {
            Some(node) => script_in(path.file_name().unwrap_or_default(), node),
            None => Ok(None),
        }
    }
}
