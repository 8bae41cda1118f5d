//! Properties that hold for any directory tree that another user created.

use super::{
    beneath::{Links, Tree},
    path::Identity,
};
use nix::{
    fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::{Mode, fstatat},
    unistd::mkfifo,
};
use std::{
    collections::BTreeSet,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Component, Path, PathBuf},
};

/// The most lines of an input that are used. Each takes a few system calls.
const MOST_LINES: usize = 64;

/// Checks that every lookup in a tree of symlinks, directories and FIFOs finds a file of the tree, the same one that
/// the kernel finds with `RESOLVE_BENEATH` or `RESOLVE_IN_ROOT`.
///
/// Each line is an entry to create, or a path to look up: `d PATH`, `f PATH`, `p PATH` (a FIFO), `l TARGET PATH`, `?
/// PATH`.
pub fn tree(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let outer = super::temporary().expect("a directory");
    let top = outer.path().join("tree");
    std::fs::create_dir(&top).expect("a directory");
    std::fs::write(outer.path().join("secret"), "secret").expect("a file");
    let mut made = Made {
        directories: BTreeSet::from([PathBuf::new()]),
        all: BTreeSet::new(),
        lookups: Vec::new(),
    };
    for line in text.lines().take(MOST_LINES) {
        made.line(&top, line);
    }
    made.note(&top, Path::new("."));
    let tree = Tree::open_to_read(&top).expect("the tree");
    for path in &made.lookups {
        check(&tree, path, &made.all);
    }
}

/// The created entries.
struct Made<'t> {
    /// The directories that can be reached without following a symlink.
    directories: BTreeSet<PathBuf>,
    all: BTreeSet<Identity>,
    lookups: Vec<&'t Path>,
}

impl<'t> Made<'t> {
    fn line(&mut self, top: &Path, line: &'t str) {
        let Some((kind, rest)) = line.split_once(' ') else {
            return;
        };
        if kind == "?" {
            self.lookups.push(Path::new(rest));
            return;
        }
        let (target, path) = match kind {
            "l" => rest.split_once(' ').unwrap_or_default(),
            _ => ("", rest),
        };
        let path = Path::new(path);
        let is_plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        // Nothing is created through a symlink.
        let has_place = path
            .parent()
            .is_some_and(|above| self.directories.contains(above));
        if !is_plain || !has_place || path.as_os_str().as_bytes().contains(&0) {
            return;
        }
        let place = top.join(path);
        let is_made = match kind {
            "d" => std::fs::create_dir(&place).is_ok(),
            "f" => std::fs::File::create_new(&place).is_ok(),
            "p" => mkfifo(&place, Mode::S_IRWXU).is_ok(),
            "l" => symlink(target, &place).is_ok(),
            _ => false,
        };
        if is_made {
            self.note(top, path);
            if kind == "d" {
                self.directories.insert(path.components().collect());
            }
        }
    }

    fn note(&mut self, top: &Path, path: &Path) {
        let metadata = top.join(path).symlink_metadata().expect("what was made");
        self.all.insert(Identity::of(&metadata));
    }
}

/// Looks up a path with every method.
fn check(tree: &Tree, path: &Path, all: &BTreeSet<Identity>) {
    let find = tree.find(path).ok().flatten();
    let nofollow = tree.find_nofollow(path).ok().flatten();
    let in_root = tree.find_in_root(path).ok().flatten();
    let walked = tree.follow(path, Links::InRoot);
    let walked = walked.ok().and_then(|walk| walk.node());
    for node in [&find, &nofollow, &in_root, &walked].into_iter().flatten() {
        let is_inside = all.contains(&node.identity());
        assert!(is_inside, "{} leads out", path.display());
    }
    let identity = |node: &Option<super::Node>| node.as_ref().map(super::Node::identity);
    let kernels = |resolve: ResolveFlag| {
        let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC);
        let resolve = resolve | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let fd = openat2(tree.fd(), path, how.resolve(resolve)).ok()?;
        let stat = fstatat(fd, "", AtFlags::AT_EMPTY_PATH).ok()?;
        Some(Identity::of_stat(&stat))
    };
    let is_asked = !path.as_os_str().is_empty();
    if is_asked && let Some(kernels) = kernels(ResolveFlag::RESOLVE_BENEATH) {
        assert_eq!(identity(&find), Some(kernels), "{}", path.display());
    }
    if is_asked {
        let kernels = kernels(ResolveFlag::RESOLVE_IN_ROOT);
        assert_eq!(identity(&in_root), kernels, "{}", path.display());
        // The walk by components, for kernels without openat2(2), finds the same file.
        if kernels.is_some() {
            assert_eq!(identity(&walked), kernels, "{}", path.display());
        }
    }
}
