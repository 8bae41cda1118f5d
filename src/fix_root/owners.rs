//! Portage's own files: which package owns a file of a root, as `var/db/pkg/*/*/CONTENTS` says.

use super::find::entries;
use crate::{context::Identity, file::read};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Where Portage keeps what it merged, from the root on.
pub(crate) const MERGED: &str = "var/db/pkg";

/// The owners of the files and links that have one, as `category/name-version`. `merged` is where the root keeps what was merged,
/// and `place` where a path in there is, seen from here.
///
/// A path of Portage's may go through folders that are merged into one by links, so files count and not their paths.
pub(crate) fn owners<'a>(
    merged: &Path,
    place: impl Fn(&Path) -> PathBuf,
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
    for package in packages(merged)? {
        let contents = match read::read(&package.join("CONTENTS"), read::CONTENTS) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            contents => contents?,
        };
        for path in files_of(&contents) {
            if !path.file_name().is_some_and(|name| names.contains(name)) {
                continue;
            }
            let Ok(metadata) = place(path).symlink_metadata() else {
                continue;
            };
            if let Some(identity) = wanted.get(&Identity::of(&metadata)) {
                let name = package.strip_prefix(merged);
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

/// The files and links in a CONTENTS, whose lines are `obj PATH MD5 MTIME` and `sym PATH -> TARGET MTIME`. A path may have spaces
/// in it.
pub(crate) fn files_of(contents: &[u8]) -> impl Iterator<Item = &Path> {
    contents.split(|byte| *byte == b'\n').filter_map(|line| {
        let path = match line.strip_prefix(b"obj ") {
            Some(rest) => rest.rsplitn(3, |byte| *byte == b' ').nth(2)?,
            None => {
                let rest = line.strip_prefix(b"sym ")?;
                let arrow = rest.windows(4).position(|bytes| bytes == b" -> ")?;
                &rest[..arrow]
            }
        };
        Some(Path::new(OsStr::from_bytes(path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_contents_may_have_spaces() {
        let contents = b"dir /usr\nobj /usr/lib/a b.la 0123 1700000000\nsym /usr/lib/x y -> z 17\nobj /x \xff 1 2\n";
        let files: Vec<&Path> = files_of(contents).collect();
        let second = Path::new(OsStr::from_bytes(b"/x \xff"));
        assert_eq!(
            files,
            [
                Path::new("/usr/lib/a b.la"),
                Path::new("/usr/lib/x y"),
                second
            ]
        );
    }
}
