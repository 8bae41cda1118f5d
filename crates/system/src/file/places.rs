//! Access to paths of which some are in a directory tree that another user may have created. Paths in the tree are
//! opened through the [`Tree`], the others directly. Checks and changes open a path in the same way, so no symlink
//! redirects a change out of the tree.
//!
//! # Errors
//!
//! Those of [`Tree`] and [`Directory`].

use super::{
    beneath::{Node, Tree, find_nofollow_to_change, is_absent},
    directory::Directory,
    error::FileError,
    put::{new_name, remove},
};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// A tree, and the rest of the file system.
#[derive(Debug)]
pub struct Places {
    path: PathBuf,
    tree: Option<Tree>,
}

type Result<T> = std::result::Result<T, FileError>;

impl Places {
    /// Opens the tree at an absolute path, if it exists.
    pub fn of(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.into(),
            tree: Tree::open_if_exists(path)?,
        })
    }

    /// Returns places without a tree: all paths are opened directly.
    pub fn nowhere() -> Self {
        Self {
            path: PathBuf::from("/dev/null/nowhere"),
            tree: None,
        }
    }

    /// Returns the tree, if it exists.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Returns the path of the tree, which may not exist.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.strip_prefix(&self.path).ok()
    }

    /// Looks up a path. If it is a symlink, returns the symlink itself.
    pub fn find_nofollow(&self, path: &Path) -> Result<Option<Node>> {
        match (self.within(path), &self.tree) {
            (None, _) => find_nofollow_to_change(path),
            (Some(_), None) => Ok(None),
            (Some(rest), Some(tree)) => tree.find_nofollow_to_change(rest),
        }
    }

    /// Returns whether a path exists. A symlink exists even if it is dangling.
    pub fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.find_nofollow(path)?.is_some())
    }

    /// Looks up a path in the tree and follows symlinks.
    pub fn find(&self, path: &Path) -> Result<Option<Node>> {
        match (self.within(path), &self.tree) {
            (Some(rest), Some(tree)) => tree.find_to_change(rest),
            _ => Ok(None),
        }
    }

    /// Opens the parent directory of a path and returns it with the last name. Creates missing directories and adds
    /// them to `made`.
    pub fn directory_of<'p>(
        &self,
        path: &'p Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<(Directory, &'p OsStr)> {
        match (self.within(path), &self.tree) {
            (Some(rest), Some(tree)) if !rest.as_os_str().is_empty() => {
                tree.directory_of(rest, Some(made))
            }
            _ => Directory::of(path, made),
        }
    }

    /// Removes a file, symlink or empty directory. Succeeds if it does not exist.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = match (self.within(path), &self.tree) {
            (Some(rest), Some(tree)) if !rest.as_os_str().is_empty() => {
                let directory = tree.directory_of(rest, None);
                directory.and_then(|(directory, name)| directory.remove(name))
            }
            _ => return remove(path),
        };
        match removed.map_err(io::Error::from) {
            Err(e) if is_absent(&e) => Ok(()),
            removed => removed,
        }
    }

    /// Replaces a path, as [`super::put::replace`] does.
    pub fn replace(
        &self,
        path: &Path,
        make: impl FnOnce(&Directory, &OsStr) -> Result<()>,
    ) -> Result<()> {
        let (directory, name) = self.directory_of(path, &mut Vec::new())?;
        directory.replace(name, make)
    }
}

/// Opens the parent directories of many paths. If paths in the same directory follow each other, it is opened only
/// once.
#[derive(Debug)]
pub struct Directories<'a> {
    places: &'a Places,
    last: Option<(PathBuf, Directory)>,
    /// A path on each file system, by device number.
    devices: BTreeMap<u64, PathBuf>,
}

impl<'a> Directories<'a> {
    /// Returns the value without opening a directory yet.
    pub fn of_places(places: &'a Places) -> Self {
        Self {
            places,
            last: None,
            devices: BTreeMap::new(),
        }
    }

    /// Opens the parent directory of a path and returns it with the last name. Creates missing directories and adds
    /// them to `made`.
    pub fn of<'s, 'p>(
        &'s mut self,
        path: &'p Path,
        made: &mut Vec<PathBuf>,
    ) -> Result<(&'s Directory, &'p OsStr)> {
        let place = path.parent().unwrap_or(path);
        let (_, directory) = match self.last.take() {
            Some(last) if last.0 == place => self.last.insert(last),
            _ => {
                let (directory, _) = self.places.directory_of(path, made)?;
                self.devices.insert(directory.device()?, path.into());
                self.last.insert((place.into(), directory))
            }
        };
        Ok((directory, path.file_name().unwrap_or_default()))
    }

    /// Syncs the file systems of all opened directories to the disk.
    pub fn sync(&self) -> Result<()> {
        let mut paths = self.devices.values();
        paths.try_for_each(|path| self.places.directory_of(path, &mut Vec::new())?.0.sync())
    }
}

impl Directory {
    /// Replaces a name in the directory, as [`super::put::replace`] does.
    pub fn replace(
        &self,
        name: &OsStr,
        make: impl FnOnce(&Self, &OsStr) -> Result<()>,
    ) -> Result<()> {
        let new = new_name(name);
        self.remove(&new)?;
        make(self, &new)?;
        self.rename(&new, name)
    }
}
