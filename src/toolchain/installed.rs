//! The packages of toolchains in a package database: on the build machine, also if crossdev built them, and in the root
//! of a target's own system.

use super::{
    class::TargetClass,
    error::ToolchainError,
    request::ToolchainRequest,
    version::{WantedVersion, compare, is_version},
};
use crossmerge_portage::merged::MERGED;
use crossmerge_system::file::Tree;
use std::{cmp::Ordering, collections::BTreeMap, path::Path};

/// Lists the categories of toolchains that have packages in a root.
pub(crate) fn categories(root: &Path) -> Result<Vec<String>, ToolchainError> {
    let mut names = names(root, Path::new(MERGED))?;
    names.retain(|name| name.starts_with("cross-") || name.starts_with("cross_llvm-"));
    Ok(names)
}

/// Lists the packages of a category, each with its newest version.
pub(crate) fn packages(
    root: &Path,
    category: &str,
) -> Result<BTreeMap<String, String>, ToolchainError> {
    let mut packages: BTreeMap<String, String> = BTreeMap::new();
    for name in names(root, &Path::new(MERGED).join(category))? {
        let mut splits = name
            .match_indices('-')
            .map(|(place, _)| name.split_at(place));
        let split = splits.find(|(_, version)| is_version(&version[1..]));
        let Some((package, version)) = split else {
            continue;
        };
        let version = version[1..].to_owned();
        let newest = packages.entry(package.to_owned()).or_default();
        if newest.is_empty() || compare(newest, &version) == Ordering::Less {
            *newest = version;
        }
    }
    Ok(packages)
}

/// Asks for the versions that the system in a root has: those of its own compiler, libc and kernel headers.
pub(crate) fn take_versions(
    request: &mut ToolchainRequest,
    root: &Path,
) -> Result<(), ToolchainError> {
    let mut found = false;
    for (part, package) in TargetClass::of(&request.tuple).packages {
        let mut packages = packages(root, &package.category)?;
        if let Some(version) = packages.remove(&package.name) {
            let wanted = request.parts.entry(part).or_default();
            wanted.version = Some(WantedVersion::Operator("=".into(), version));
            found = true;
        }
    }
    match found {
        true => Ok(()),
        false => Err(ToolchainError::NoSystem { root: root.into() }),
    }
}

/// Lists the names in a directory of a root. A directory that does not exist has none.
fn names(root: &Path, directory: &Path) -> Result<Vec<String>, ToolchainError> {
    let Some(node) = Tree::open_to_read(root)?.find(directory)? else {
        return Ok(Vec::new());
    };
    let read = |source| ToolchainError::Read {
        path: root.join(directory),
        source,
    };
    let names = node.names().map_err(read)?.into_iter();
    Ok(names.filter_map(|name| name.into_string().ok()).collect())
}
