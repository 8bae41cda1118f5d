//! Which package of the target's sysroot has a file that a root lacks.

use super::merged::{packages_with, without_version};
use crate::{context::Context, libraries::usual};
use crossmerge_system::file::Tree;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Where a missing file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// A package of the sysroot, `category/name`.
    Package(String),
    /// A file of the sysroot that no package owns, by its path in the sysroot.
    File(PathBuf),
}

/// The providers of missing files, by the file's name.
pub(super) type Providers = BTreeMap<String, Provider>;

/// Finds the providers of files with these names in the target's sysroot. A sysroot that does not exist or cannot be
/// read has none.
pub(super) fn find(context: &Context, names: &BTreeSet<String>) -> Providers {
    let mut found = Providers::new();
    let Ok(tree) = Tree::open_to_read(&context.own_sysroot()) else {
        return found;
    };
    if names.is_empty() {
        return found;
    }
    let is_wanted = |name: &OsStr| name.to_str().is_some_and(|name| names.contains(name));
    for (path, package) in packages_with(&tree, is_wanted).unwrap_or_default() {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let package = without_version(&package).to_owned();
        found.insert(name.to_owned(), Provider::Package(package));
    }
    let mut directories: Vec<String> = match context.target() {
        Ok(target) => usual(&target, &[]),
        Err(_) => vec!["lib".into()],
    };
    directories.extend(["bin".into(), "sbin".into()]);
    for name in names {
        if found.contains_key(name) {
            continue;
        }
        let below = directories.iter();
        let paths = below.flat_map(|it| [format!("/{it}/{name}"), format!("/usr/{it}/{name}")]);
        let mut paths = paths.map(PathBuf::from);
        let exists = |path: &PathBuf| tree.find_in_root(path).is_ok_and(|node| node.is_some());
        if let Some(path) = paths.find(exists) {
            let path = path.strip_prefix("/").unwrap_or(Path::new("")).to_owned();
            found.insert(name.clone(), Provider::File(path));
        }
    }
    found
}
