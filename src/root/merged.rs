//! The packages that Portage's database of a root lists, and the files that each owns.

use super::walk::RootFiles;
use crossmerge_plan::tuple::Tuple;
use crossmerge_portage::merged::{self, MERGED};
use crossmerge_system::file::{Node, Tree, beneath::Links};
use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

/// The most bytes of a file of the database that contains one value.
const VALUE: u64 = 4096;

/// The packages of a root.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// The names, `category/name-version`.
    pub(super) names: Vec<String>,
    /// The package that owns each path, as an index of `names`.
    owners: HashMap<PathBuf, usize>,
}

impl Packages {
    /// Reads the packages of a root.
    pub(super) fn read(files: &RootFiles) -> io::Result<Self> {
        let mut packages = Self::default();
        let Some(database) = database(&files.tree)? else {
            return Ok(packages);
        };
        // CONTENTS names a path as the package installed it, which may lead through a symlink such as `lib`.
        let mut directories: HashMap<PathBuf, PathBuf> = HashMap::new();
        let real = |directory: &Path| {
            let relative = directory.strip_prefix("/").unwrap_or(directory);
            let walk = files.tree.follow(relative, Links::InRoot);
            walk.map_or_else(|_| relative.to_owned(), |walk| walk.place)
        };
        merged::each(&database, |package, directory| {
            let index = packages.names.len();
            packages.names.push(package.to_owned());
            for path in merged::files_of(&merged::contents(directory)?) {
                let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                    continue;
                };
                if !directories.contains_key(parent) {
                    directories.insert(parent.into(), real(parent));
                }
                packages
                    .owners
                    .insert(directories[parent].join(name), index);
            }
            Ok(())
        })?;
        Ok(packages)
    }

    /// Returns the index of the package that owns a path.
    pub(super) fn owner_index(&self, place: &Path) -> Option<usize> {
        self.owners.get(place).copied()
    }

    /// Returns the package that owns a path.
    pub(super) fn owner(&self, place: &Path) -> Option<&str> {
        let index = self.owner_index(place)?;
        self.names.get(index).map(String::as_str)
    }

    /// Returns the paths that packages own, with the name of each package.
    pub(super) fn owned(&self) -> impl Iterator<Item = (&Path, &str)> {
        let owned = self.owners.iter();
        owned.map(|(path, index)| (path.as_path(), self.names[*index].as_str()))
    }
}

/// Opens Portage's database of a root. Returns `None` if there is none.
pub(super) fn database(tree: &Tree) -> io::Result<Option<Node>> {
    let path = Path::new("/").join(MERGED);
    let node = tree.find_in_root(&path).map_err(io::Error::from)?;
    Ok(node.filter(Node::is_dir))
}

/// Returns the tuple of most packages of a root: the CHOST with which each was built.
pub(crate) fn tuple_of(tree: &Tree) -> io::Result<Option<Tuple>> {
    let mut numbers: BTreeMap<Tuple, usize> = BTreeMap::new();
    if let Some(database) = database(tree)? {
        merged::each(&database, |_, directory| {
            let chost = directory.child(OsStr::new("CHOST"))?;
            let text = chost.map(|chost| chost.read(VALUE)).transpose()?;
            let text = String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned();
            if let Ok(tuple) = text.trim().parse() {
                *numbers.entry(tuple).or_default() += 1;
            }
            Ok(())
        })?;
    }
    let most = numbers.into_iter().max_by_key(|(_, number)| *number);
    Ok(most.map(|(tuple, _)| tuple))
}

/// Returns `category/name` of a package without its version (PMS, "Version Specifications").
pub(super) fn without_version(package: &str) -> &str {
    let is_revision = |part: &str| {
        let number = part.strip_prefix('r');
        number
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let rest = match package.rsplit_once('-') {
        Some((rest, last)) if is_revision(last) => rest,
        _ => package,
    };
    match rest.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => package,
    }
}

/// Lists the packages of another root that own a file of one of these names, with the path of each file.
pub(super) fn packages_with(
    tree: &Tree,
    is_wanted: impl Fn(&OsStr) -> bool,
) -> io::Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    if let Some(database) = database(tree)? {
        merged::each(&database, |package, directory| {
            for path in merged::files_of(&merged::contents(directory)?) {
                if path.file_name().is_some_and(&is_wanted) {
                    found.push((path.to_owned(), package.to_owned()));
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_its_version() {
        for (package, name) in [
            ("sys-libs/glibc-2.39-r6", "sys-libs/glibc"),
            ("app-shells/bash-5.2_p15", "app-shells/bash"),
            ("dev-libs/libusb-1.0.26", "dev-libs/libusb"),
            ("x11-libs/gtk+-3.24.41-r1", "x11-libs/gtk+"),
            ("a/b-r1", "a/b-r1"),
        ] {
            assert_eq!(without_version(package), name);
        }
    }
}
