//! The packages of a root, from Portage's database in it, and its kernels.

use super::manifest::{ImageKernel, ImagePackage};
use crossmerge_plan::words::hex;
use crossmerge_portage::merged::{self, MERGED};
use crossmerge_system::file::{
    Tree,
    beneath::{FileKind, Node},
    read,
};
use sha2::{Digest, Sha256};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

/// The directories of modules, of which the first is a symlink to the second if the root has a merged /usr.
const MODULES: [&str; 2] = ["lib/modules", "usr/lib/modules"];

/// Lists the merged packages by name. A root without a database has none.
pub(super) fn packages(root: &Tree) -> io::Result<Vec<ImagePackage>> {
    let mut packages = Vec::new();
    let Some(database) = root.find(Path::new(MERGED)).map_err(io::Error::from)? else {
        return Ok(packages);
    };
    merged::each(&database, |name, package| {
        packages.push(package_of(name, package));
        Ok(())
    })?;
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

fn package_of(name: &str, package: &Node) -> ImagePackage {
    let text = |file: &str| {
        let file = package.child(OsStr::new(file)).ok().flatten();
        let text = file.and_then(|file| file.read_to_string(read::PACKAGE).ok());
        text.unwrap_or_default().trim().to_owned()
    };
    ImagePackage {
        name: name.to_owned(),
        repository: text("repository"),
        build_time: text("BUILD_TIME").parse().unwrap_or(0),
        build_id: text("BUILD_ID").parse().ok(),
        chost: text("CHOST"),
        flags: text("USE").split_whitespace().map(str::to_owned).collect(),
    }
}

/// Lists the kernels whose modules or configuration are in the root, by release.
pub(super) fn kernels(root: &Tree) -> io::Result<Vec<ImageKernel>> {
    let mut kernels: Vec<ImageKernel> = Vec::new();
    for place in MODULES {
        let Some(modules) = root.find(Path::new(place)).map_err(io::Error::from)? else {
            continue;
        };
        for release in directories(&modules)? {
            let release = release.to_string_lossy().into_owned();
            if kernels.iter().any(|kernel| kernel.release == release) {
                continue;
            }
            let places = [
                format!("boot/config-{release}"),
                format!("{place}/{release}/config"),
            ];
            let configuration = places.iter().find_map(|place| {
                let file = root.find(Path::new(place)).ok().flatten()?;
                file.read(read::SETTINGS).ok()
            });
            kernels.push(ImageKernel {
                release,
                config_sha256: configuration.map(|text| hex(&Sha256::digest(text))),
            });
        }
    }
    kernels.sort_by(|one, other| one.release.cmp(&other.release));
    Ok(kernels)
}

fn directories(node: &Node) -> io::Result<Vec<OsString>> {
    if !node.is_dir() {
        return Ok(Vec::new());
    }
    let entries = node.entries()?.into_iter();
    let entries = entries.filter(|(_, kind)| *kind == FileKind::Directory);
    Ok(entries.map(|(name, _)| name).collect())
}
