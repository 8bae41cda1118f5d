//! Symlinks of a sysroot that lead to the host. On the target, they lead to a file of its own root.
//!
//! In the directories that compilers, linkers and build systems search, every symlink is followed as the target follows
//! it. Every symlink on its path that leads out of the sysroot when the host follows it is found, including those that
//! only other symlinks use. Only directories and symlinks are read.

use super::sysroot::{INSTALLED, Sysroot};
use crossmerge_system::file::{
    Identity, Node,
    beneath::{FileKind, Links},
    budget,
};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// Prefixes of the directories below [`INSTALLED`] that are searched: libraries and files beside them, headers,
/// programs.
const SEARCHED: [&[u8]; 5] = [b"lib", b"include", b"bin", b"sbin", b"qt"];

/// Prefixes of the directories below `share` that build systems search.
const SHARED: [&[u8]; 3] = [b"pkgconfig", b"aclocal", b"cmake"];

/// The memory that a symlink takes besides its text, in bytes.
const OF_A_LINK: u64 = 400;

/// A symlink that leads to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EscapingSymlink {
    /// Its path, as the user writes it.
    pub(crate) path: PathBuf,
    /// Its target, as it is written in the symlink.
    pub(crate) target: PathBuf,
    /// The relative path to the same file of the sysroot. `None` if only the host has that file.
    pub(crate) relative: Option<PathBuf>,
    /// The package that owns it.
    pub(crate) owner: Option<String>,
    pub(super) identity: Identity,
}

/// A path, resolved as the target resolves it.
pub(super) struct Followed {
    /// The resolved path, relative to the root.
    pub(super) place: PathBuf,
    /// The file there.
    node: Option<Node>,
    /// The symlinks on the path, each with its target.
    links: Vec<(PathBuf, PathBuf)>,
}

/// Resolves a path from the root of a sysroot: an absolute symlink begins at that root, and `..` does not lead out of
/// it. If the target of a symlink begins with the sysroot's own path, it is resolved as on the host.
pub(super) fn follow(sysroot: &Sysroot, path: &Path) -> Followed {
    let walk = sysroot.tree().map(|tree| tree.follow(path, Links::InRoot));
    match walk {
        Some(Ok(walk)) => Followed {
            place: walk.place.clone(),
            links: walk.links.clone(),
            node: walk.node(),
        },
        // An inaccessible path is not followed.
        _ => Followed {
            place: path.into(),
            links: Vec::new(),
            node: None,
        },
    }
}

/// Finds the symlinks that lead to the host, in the order of their paths. Unreadable directories are skipped; the
/// search for libraries reports them.
pub(super) fn find(sysroot: &Sysroot) -> io::Result<Vec<EscapingSymlink>> {
    let mut found = BTreeMap::new();
    let mut check = |link: &Path| -> io::Result<()> {
        let followed = follow(sysroot, link);
        let escaping = followed
            .links
            .iter()
            .filter(|(place, target)| leads_out(sysroot, place, target));
        for (place, target) in escaping {
            if found.contains_key(place) {
                continue;
            }
            let path = sysroot.real().join(place);
            // The symlink is followed alone, because a later one may be dangling.
            let exists = follow(sysroot, place).node.is_some();
            let relative = exists.then(|| relative(sysroot, place, target));
            // A dangling symlink is harmless.
            if relative.is_none() && !path.exists() {
                continue;
            }
            let link = sysroot
                .tree()
                .and_then(|tree| tree.find_nofollow_in_root(place));
            let Some(link) = link.filter(Node::is_link) else {
                continue;
            };
            let identity = link.identity();
            budget::PROCESS.kept(&path, OF_A_LINK + target.as_os_str().len() as u64)?;
            found.insert(
                place.clone(),
                EscapingSymlink {
                    path: sysroot.path().join(place),
                    target: target.clone(),
                    relative,
                    owner: None,
                    identity,
                },
            );
        }
        Ok(())
    };
    let begins = |names: &[&[u8]], name: &OsStr| {
        let name = name.as_bytes();
        names.iter().any(|begin| name.starts_with(begin))
    };
    let mut above: Vec<PathBuf> = INSTALLED.iter().map(PathBuf::from).collect();
    above.extend(
        listed(sysroot, Path::new("opt"))
            .into_iter()
            .map(|(name, _)| Path::new("opt").join(name)),
    );
    for above in above {
        for (name, kind) in listed(sysroot, &above) {
            let place = above.join(&name);
            if begins(&SEARCHED, &name) {
                walk(sysroot, &place, kind, &mut check)?;
            } else if name == "share" {
                for (name, kind) in listed(sysroot, &place) {
                    if begins(&SHARED, &name) {
                        walk(sysroot, &place.join(name), kind, &mut check)?;
                    }
                }
            } else if kind == FileKind::Symlink {
                // `usr` or `local` itself.
                check(&place)?;
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Lists a directory of the sysroot, resolved as the target resolves it; empty if it cannot be read. A symlink that
/// leads out is not followed, because its target is not part of the sysroot.
fn listed(sysroot: &Sysroot, place: &Path) -> Vec<(OsString, FileKind)> {
    let directory = follow(sysroot, place).node;
    directory
        .filter(Node::is_dir)
        .and_then(|directory| directory.entries().ok())
        .unwrap_or_default()
}

fn walk(
    sysroot: &Sysroot,
    place: &Path,
    kind: FileKind,
    check: &mut dyn FnMut(&Path) -> io::Result<()>,
) -> io::Result<()> {
    match kind {
        FileKind::Symlink => check(place),
        FileKind::Directory => listed(sysroot, place)
            .into_iter()
            .filter(|(_, kind)| matches!(kind, FileKind::Symlink | FileKind::Directory))
            .try_for_each(|(name, kind)| walk(sysroot, &place.join(name), kind, check)),
        FileKind::File | FileKind::Other => Ok(()),
    }
}

/// Returns whether a symlink leads out of the sysroot on the host, by its target.
fn leads_out(sysroot: &Sysroot, place: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return sysroot.within(target).is_none();
    }
    let mut depth = place.components().count() - 1;
    target.components().any(|part| match part {
        Component::ParentDir if depth == 0 => true,
        Component::ParentDir => {
            depth -= 1;
            false
        }
        Component::Normal(_) => {
            depth += 1;
            false
        }
        _ => false,
    })
}

/// Returns the relative path from a symlink to its target, read from the root of the sysroot.
fn relative(sysroot: &Sysroot, place: &Path, target: &Path) -> PathBuf {
    let is_plain =
        target.is_absolute() && !target.components().any(|part| part == Component::ParentDir);
    let directory = place.parent().unwrap_or(Path::new(""));
    // A target with `..` may mean another file from another directory, so it is resolved first.
    let to: PathBuf = match is_plain {
        true => target.components().skip(1).collect(),
        false if target.is_absolute() => follow(sysroot, target).place,
        false => follow(sysroot, &directory.join(target)).place,
    };
    let shared = directory
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = directory
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    match path.as_os_str().is_empty() {
        true => ".".into(),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_directory_is_searched_where_it_is_on_the_target() {
        let directory = tempfile::tempdir().expect("a directory");
        let [root, outside] = ["root", "outside"].map(|name| directory.path().join(name));
        for path in ["root/opt/local/lib", "root/lib", "outside/lib"] {
            fs::create_dir_all(directory.path().join(path)).expect(path);
        }
        fs::write(root.join("lib/liba.so.0"), "").expect("a file");
        for (link, target) in [
            (root.join("usr"), "/opt"),
            (root.join("opt/local/lib/liba.so"), "/lib/liba.so.0"),
            (outside.join("lib/liba.so"), "/lib/liba.so.0"),
            (root.join("opt/outside"), &outside.display().to_string()),
        ] {
            symlink(target, &link).unwrap_or_else(|e| panic!("{}: {e}", link.display()));
        }
        let sysroot = Sysroot::at(&root).expect("a sysroot");
        let found = find(&sysroot).expect("a walk");
        let found = found.iter().map(|symlink| {
            let path = symlink.path.strip_prefix(&root).expect("a path inside");
            (
                path.to_str(),
                symlink.relative.as_deref().and_then(Path::to_str),
            )
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                (
                    Some("opt/local/lib/liba.so"),
                    Some("../../../lib/liba.so.0")
                ),
                (Some("opt/outside"), None),
                (Some("usr"), Some("opt")),
            ]
        );
    }

    /// This is a table: one row for each case.
    #[test]
    fn a_symlink_that_leads_out_is_found_with_its_relative_path() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        for path in [
            "lib",
            "usr/lib/sub",
            "usr/include",
            "etc/alternatives",
            "opt/x/lib",
            "usr/share/pkgconfig",
            "usr/share/doc",
        ] {
            fs::create_dir_all(root.join(path)).expect(path);
        }
        for path in [
            "lib/liba.so.0",
            "usr/lib/sub/libb.so",
            "opt/x/lib/libx.so",
            "usr/include/x.h",
        ] {
            fs::write(root.join(path), "").expect(path);
        }
        let inside = root.join("lib/liba.so.0");
        for (link, target, relative) in [
            (
                "usr/lib/liba.so",
                "/lib/liba.so.0",
                Some("../../lib/liba.so.0"),
            ),
            (
                "usr/lib/here.so",
                "/usr/lib/sub/libb.so",
                Some("sub/libb.so"),
            ),
            ("usr/lib/sub/up.so", "/usr/lib/sub/libb.so", Some("libb.so")),
            (
                "usr/lib/slashes.so",
                "//lib/.//liba.so.0",
                Some("../../lib/liba.so.0"),
            ),
            (
                "usr/lib/dots.so",
                "/usr/lib/../../../lib/liba.so.0",
                Some("../../lib/liba.so.0"),
            ),
            // A chain of symlinks, whose middle one is in a directory that is not searched.
            (
                "usr/lib/chain.so",
                "/etc/alternatives/chain.so",
                Some("../../etc/alternatives/chain.so"),
            ),
            (
                "etc/alternatives/chain.so",
                "/lib/liba.so.0",
                Some("../../lib/liba.so.0"),
            ),
            // Symlinks to directories.
            ("usr/lib/x", "/opt/x/lib", Some("../../opt/x/lib")),
            ("lib64", "/usr/lib", Some("usr/lib")),
            ("usr/include/own", "/usr/include", Some(".")),
            // A relative symlink with too many `..`.
            (
                "usr/lib/far.so",
                "../../../../lib/liba.so.0",
                Some("../../lib/liba.so.0"),
            ),
            // Only the build machine has the file.
            ("usr/lib/host.so", "/etc/passwd", None),
            (
                "usr/share/pkgconfig/x.pc",
                "/usr/include/x.h",
                Some("../../include/x.h"),
            ),
            ("opt/x/lib/y.so", "/opt/x/lib/libx.so", Some("libx.so")),
        ] {
            symlink(target, root.join(link)).expect(link);
            let sysroot = Sysroot::at(&root).expect("a sysroot");
            let found = find(&sysroot).expect("readable");
            // The middle of a chain is checked below, because only its first symlink is in a searched directory.
            if link.starts_with("etc") {
                continue;
            }
            let symlink = found.iter().find(|symlink| symlink.path == root.join(link));
            let found_relative = symlink.map(|symlink| symlink.relative.as_deref());
            let wanted = match link {
                "usr/lib/chain.so" => None,
                _ => Some(relative.map(Path::new)),
            };
            assert_eq!(found_relative, wanted, "{link}: {found:?}");
        }
        for (link, target) in [
            ("usr/lib/relative.so", "../../lib/liba.so.0"),
            ("usr/lib/through.so", "x/libx.so"),
            ("usr/lib/nowhere.so", "/nowhere/at/all"),
            ("usr/lib/loop.so", "/usr/lib/loop.so"),
            ("usr/lib/inside.so", inside.to_str().expect("UTF-8")),
            ("usr/share/doc/x", "/lib/liba.so.0"),
        ] {
            symlink(target, root.join(link)).expect(link);
        }
        let sysroot = Sysroot::at(&root).expect("a sysroot");
        let found = find(&sysroot).expect("readable");
        let chain = ["usr/lib/chain.so", "etc/alternatives/chain.so"].map(|path| root.join(path));
        for link in chain {
            let symlink = found.iter().find(|symlink| symlink.path == link);
            assert!(
                symlink.is_some_and(|symlink| symlink.relative.is_some()),
                "{link:?}"
            );
        }
        assert_eq!(found.len(), 14, "{found:#?}");
        for escaping in &found {
            if let Some(relative) = &escaping.relative {
                fs::remove_file(&escaping.path).expect("gone");
                symlink(relative, &escaping.path).expect("a link");
            }
        }
        let again = find(&sysroot).expect("readable");
        assert_eq!(again.len(), 1, "{again:#?}");
        let through = fs::canonicalize(root.join("usr/lib/through.so")).expect("a file");
        assert!(through.starts_with(sysroot.real()), "{through:?}");
    }
}
