//! Portage's own files: which package owns a file of the sysroot, as `var/db/pkg/*/*/CONTENTS` says.

use super::{find::entries, sysroot::Sysroot};
use crate::context::Identity;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Where Portage keeps what it merged, from the sysroot on.
const MERGED: &str = "var/db/pkg";

/// The owners of the files that have one, as `category/name-version`.
///
/// A path of Portage's may go through folders that are merged into one by links, so files count and not their paths.
pub(super) fn owners<'a>(
    sysroot: &Sysroot,
    files: impl Iterator<Item = (&'a Path, Identity)>,
) -> io::Result<BTreeMap<Identity, String>> {
    let (mut names, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for (path, identity) in files {
        names.insert(path.file_name().unwrap_or_default());
        wanted.insert(identity);
    }
    let mut owners = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(owners);
    }
    for package in packages(&sysroot.path().join(MERGED))? {
        let contents = match fs_err::read(package.join("CONTENTS")) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            contents => contents?,
        };
        for path in files_of(&contents) {
            if !path.file_name().is_some_and(|name| names.contains(name)) {
                continue;
            }
            let Ok(metadata) = sysroot.join(path).symlink_metadata() else {
                continue;
            };
            if let Some(identity) = wanted.get(&Identity::of(&metadata)) {
                let name = package.strip_prefix(sysroot.path().join(MERGED));
                owners.insert(*identity, name.unwrap_or(&package).display().to_string());
            }
        }
    }
    Ok(owners)
}

/// The folders of the packages that were merged.
fn packages(merged: &Path) -> io::Result<Vec<PathBuf>> {
    let mut packages = Vec::new();
    if merged.is_dir() {
        for category in entries(merged)? {
            if category.is_dir() {
                packages.extend(entries(&category)?);
            }
        }
    }
    Ok(packages)
}

/// The files in a CONTENTS, whose lines for files are `obj PATH MD5 MTIME`. A path may have spaces in it.
fn files_of(contents: &[u8]) -> impl Iterator<Item = &Path> {
    contents.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.strip_prefix(b"obj ")?.rsplitn(3, |byte| *byte == b' ');
        let path = fields.nth(2)?;
        Some(Path::new(OsStr::from_bytes(path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_contents_may_have_spaces() {
        let contents = b"dir /usr\nobj /usr/lib/a b.la 0123 1700000000\nsym /usr/lib/x -> y 17\nobj /x \xff 1 2\n";
        let files: Vec<&Path> = files_of(contents).collect();
        let second = Path::new(OsStr::from_bytes(b"/x \xff"));
        assert_eq!(files, [Path::new("/usr/lib/a b.la"), second]);
    }
}
