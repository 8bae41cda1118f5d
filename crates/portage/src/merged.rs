//! The packages that own files of a root, according to Portage's `var/db/pkg/*/*/CONTENTS`.

use crossmerge_system::file::{Identity, Node, beneath::FileKind, read};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// Portage's database of merged packages, relative to the root.
pub const MERGED: &str = "var/db/pkg";

/// Returns the package that owns each file or symlink, as `category/name-version`. `merged` is the root's [`MERGED`]
/// directory, and `identity` looks up the file at a path.
///
/// Files are compared by identity, not by path: a path in CONTENTS may lead through a symlink to a merged directory,
/// such as `lib` to `usr/lib`.
///
/// # Errors
///
/// The error of reading a directory or a CONTENTS in `merged`.
pub fn owners<'a>(
    merged: Option<&Node>,
    identity: impl Fn(&Path) -> Option<Identity>,
    files: impl Iterator<Item = (&'a Path, Identity)>,
) -> io::Result<BTreeMap<Identity, String>> {
    let (mut names, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    for (path, identity) in files {
        names.insert(path.file_name().unwrap_or_default());
        wanted.insert(identity);
    }
    let mut owners = BTreeMap::new();
    let Some(merged) = merged.filter(|merged| merged.is_dir() && !wanted.is_empty()) else {
        return Ok(owners);
    };
    each(merged, |package, directory| {
        let contents = contents(directory)?;
        for path in files_of(&contents) {
            if !path.file_name().is_some_and(|name| names.contains(name)) {
                continue;
            }
            if let Some(identity) = identity(path).and_then(|it| wanted.get(&it)) {
                owners.insert(*identity, package.to_owned());
            }
        }
        Ok(())
    })?;
    Ok(owners)
}

/// Calls a function with each merged package: its name `category/name-version`, and its directory in [`MERGED`]. A name
/// that begins with `-MERGING-` belongs to an interrupted merge, and is omitted, as in Portage.
///
/// # Errors
///
/// The error of reading a directory, or of the function.
pub fn each(merged: &Node, mut call: impl FnMut(&str, &Node) -> io::Result<()>) -> io::Result<()> {
    let child = |node: &Node, name: &OsStr| node.child(name).map_err(io::Error::from);
    for (category, kind) in merged.entries()? {
        if kind != FileKind::Directory {
            continue;
        }
        let Some(directory) = child(merged, &category)? else {
            continue;
        };
        for (package, kind) in directory.entries()? {
            if kind != FileKind::Directory || package.as_bytes().starts_with(b"-MERGING-") {
                continue;
            }
            if let Some(node) = child(&directory, &package)?.filter(Node::is_dir) {
                let name = Path::new(&category).join(&package);
                call(&name.display().to_string(), &node)?;
            }
        }
    }
    Ok(())
}

/// Reads the CONTENTS of a package, given its directory in [`MERGED`]. Empty if it does not exist.
///
/// # Errors
///
/// The error of reading it.
pub fn contents(package: &Node) -> io::Result<Vec<u8>> {
    match package.child(OsStr::new("CONTENTS"))? {
        Some(contents) => contents.read(read::CONTENTS),
        None => Ok(Vec::new()),
    }
}

/// Returns the files and symlinks in a CONTENTS, whose lines are `obj PATH MD5 MTIME` and `sym PATH -> TARGET MTIME`. A
/// path may contain spaces.
pub fn files_of(contents: &[u8]) -> impl Iterator<Item = &Path> {
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
