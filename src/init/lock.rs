//! The lock of a sysroot.

use super::{error::InitError, record, write::Rollback};
use crossmerge_system::file::{self, FileError, Places, Tree};
use nix::fcntl::Flock;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The sysroot's lock, with the files made for it. These are removed before the lock is released.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) rollback: Rollback,
    pub(super) _lock: Flock<File>,
}

/// Takes the sysroot's lock. While another process holds it, waits, and prints so after a moment.
pub(super) fn lock(sysroot: &Path) -> Result<Locked, InitError> {
    let mut made = Vec::new();
    let tree = |made: &mut Vec<PathBuf>| Tree::make(sysroot, made);
    let held = file::take_in(tree, sysroot, Path::new(record::LOCK), &mut made);
    let places = match (&held, Places::of(sysroot)) {
        (Ok(_), places) => places?,
        (Err(_), Ok(places)) => places,
        (Err(_), Err(_)) => Places::nowhere(),
    };
    // If the lock was not taken, the files made for it are removed again.
    let rollback = Rollback::new(places, made);
    Ok(Locked {
        _lock: held?,
        rollback,
    })
}

/// Takes the sysroot's lock if init has made the target. In other sysroots, no process takes it.
pub(crate) fn lock_if_there(sysroot: &Path) -> Result<Option<Flock<File>>, InitError> {
    let Some(tree) = Tree::open_if_exists(sysroot)? else {
        return Ok(None);
    };
    let directory = tree.find_nofollow_to_change(Path::new(record::DIRECTORY))?;
    let held = || take_existing(sysroot, record::LOCK);
    let is_there = directory.is_some_and(|directory| directory.is_dir());
    Ok(is_there.then(held).transpose()?)
}

pub(super) fn take_existing(sysroot: &Path, lock: &str) -> Result<Flock<File>, FileError> {
    let tree = |_: &mut Vec<PathBuf>| Tree::open(sysroot);
    file::take_in(tree, sysroot, Path::new(lock), &mut Vec::new())
}

/// Takes the lock for other work in the sysroot: init's if init has made the target, and otherwise a temporary file. If
/// that file cannot be made, or the file system has no locks, the work goes on without a lock, and the user must not
/// run it twice at once.
pub(crate) fn lock_or_go_on(sysroot: &Path) -> Result<Option<impl Sized>, InitError> {
    let mut rollback = Rollback::new(Places::of(sysroot)?, Vec::new());
    let Some(tree) = Tree::open_if_exists(sysroot)? else {
        return Ok(None);
    };
    let directory = tree.find_nofollow(Path::new(record::DIRECTORY))?;
    let lock = match directory.is_some_and(|directory| directory.is_dir()) {
        true => record::LOCK,
        false => {
            // The file of an interrupted run is removed too.
            rollback.made.push(sysroot.join(record::OTHER_LOCK));
            record::OTHER_LOCK
        }
    };
    match take_existing(sysroot, lock).map_err(io::Error::from) {
        Ok(held) => Ok(Some(Locked {
            rollback,
            _lock: held,
        })),
        Err(e) => {
            // The lock file belongs to another process.
            rollback.keep();
            match file::is_refusal(&e) {
                true => Err(InitError::Io(e)),
                false => Ok(None),
            }
        }
    }
}
