//! Mount points in a root, created if they are missing.
//!
//! The root may belong to another user, who may change it meanwhile. Every path is resolved in the root, as its own
//! programs would resolve it, so no symlink leads out. New files are created in directories that were opened in this
//! way. The umask does not apply.

use super::mounts::by_descriptor;
use crate::file::open_in_root;
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat},
    sys::stat::{Mode, mkdirat, umask},
};
use std::{
    ffi::{OsStr, OsString},
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

/// The most dangling symlinks that are followed for one mount point, the same as the limit of the kernel for symlinks.
const MOST_LINKS: usize = 40;

/// Directories that are empty until a system has booted. Until then, symlinks into them are dangling.
const EMPTY_UNTIL_BOOT: [&str; 2] = ["run", "var/run"];

/// The most names that are looked up for one mount point. If there are more, another process apparently keeps changing
/// the path.
const MOST_TURNS: usize = 4096;

/// The way in which paths are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// As for a process whose root is the directory.
    Root,
    /// Beneath the directory, which an earlier step mounted in the root. Nothing is created in mounts below it.
    Mount,
}

/// Opens a path in a directory, and resolves all symlinks in that directory.
pub(super) fn open_in(top: &OwnedFd, path: &Path, within: Within) -> nix::Result<OwnedFd> {
    match within {
        Within::Root => open_in_root(top, or_dot(path)),
        Within::Mount => open_beneath(top, path, ResolveFlag::empty()),
    }
}

fn open_beneath(top: &OwnedFd, path: &Path, resolve: ResolveFlag) -> nix::Result<OwnedFd> {
    let beneath = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(beneath | resolve);
    openat2(top, or_dot(path), how)
}

/// Returns the path that opens a directory itself if the path is empty, which openat2(2) rejects.
fn or_dot(path: &Path) -> &Path {
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}

/// Returns the kernel's path of an open file.
pub(super) fn path_of(fd: &OwnedFd) -> nix::Result<PathBuf> {
    Ok(readlinkat(nix::fcntl::AT_FDCWD, &by_descriptor(fd))?.into())
}

/// Opens a mount point for a directory or a file, and creates it if it is missing. `may_be` returns an error for an
/// unsuitable one.
pub(super) fn find_or_make(
    top: &OwnedFd,
    path: &Path,
    is_file: bool,
    within: Within,
    may_be: &dyn Fn(&OwnedFd) -> nix::Result<()>,
) -> nix::Result<OwnedFd> {
    let before = umask(Mode::empty());
    let place = walk(top, path, is_file, within, may_be);
    umask(before);
    place
}

fn walk(
    top: &OwnedFd,
    path: &Path,
    is_file: bool,
    within: Within,
    may_be: &dyn Fn(&OwnedFd) -> nix::Result<()>,
) -> nix::Result<OwnedFd> {
    let (mut rest, mut so_far, mut links) = (Vec::new(), PathBuf::new(), 0);
    push(&mut rest, path);
    let mut there = open_in(top, &so_far, within)?;
    let mut turns = 0;
    while let Some(name) = rest.pop() {
        turns += 1;
        if turns > MOST_TURNS {
            return Err(Errno::EAGAIN);
        }
        let next = so_far.join(&name);
        match open_in(top, &next, within) {
            Ok(opened) => (there, so_far) = (opened, next),
            Err(Errno::ENOENT) => match readlinkat(&there, name.as_os_str()) {
                // It is a dangling symlink.
                Ok(_) if links == MOST_LINKS => return Err(Errno::ELOOP),
                Ok(target) => {
                    links += 1;
                    let target = PathBuf::from(target);
                    if target.is_absolute() {
                        so_far = PathBuf::new();
                        there = open_in(top, &so_far, within)?;
                    }
                    push(&mut rest, &target);
                }
                Err(Errno::ENOENT) => {
                    let is_last = rest.is_empty();
                    let is_expected = links == 0
                        || is_last && is_file
                        || is_empty_until_boot(top, &there, &name, &rest)?;
                    if !is_expected {
                        return Err(Errno::ENOENT);
                    }
                    may_be(&there)?;
                    if within == Within::Mount {
                        open_beneath(top, &so_far, ResolveFlag::RESOLVE_NO_XDEV)?;
                    }
                    make(&there, &name, is_file && is_last)?;
                    // The next iteration opens it like an existing one.
                    rest.push(name);
                }
                // Another process has just replaced it.
                Err(Errno::EINVAL) => rest.push(name),
                Err(e) => return Err(e),
            },
            Err(e) => return Err(e),
        }
    }
    may_be(&there)?;
    Ok(there)
}

/// Puts the names of a path before the remaining ones. The next one is last.
fn push(rest: &mut Vec<OsString>, path: &Path) {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    rest.extend(names);
}

/// Returns whether a name in an open directory, with the remaining path, is in one of [`EMPTY_UNTIL_BOOT`].
fn is_empty_until_boot(
    top: &OwnedFd,
    there: &OwnedFd,
    name: &OsStr,
    rest: &[OsString],
) -> nix::Result<bool> {
    let mut place = path_of(there)?.join(name);
    place.extend(rest.iter().rev());
    let place = place.strip_prefix(path_of(top)?).map(Path::to_owned);
    let mut empty = EMPTY_UNTIL_BOOT.iter();
    Ok(place.is_ok_and(|place| empty.any(|empty| place.starts_with(empty))))
}

fn make(there: &OwnedFd, name: &OsStr, is_file: bool) -> nix::Result<()> {
    let made = match is_file {
        true => {
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
            openat(there, name, flags, Mode::from_bits_truncate(0o644)).map(drop)
        }
        false => mkdirat(there, name, Mode::from_bits_truncate(0o755)),
    };
    match made {
        // Another process has just created it.
        Err(Errno::EEXIST) => Ok(()),
        made => made,
    }
}
