//! Applies the changes. A new text or symlink is created under a temporary name in the same directory, and then renamed.
//! A mode is set directly.
//!
//! If a run is interrupted, each path is old or new, and the next run completes the work.

use super::{Fix, Link, error::FixRootError, find::SysrootFile, symlink::EscapingSymlink};
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{self, Directory, FileError, PROGRAM_MODE, Tree, new_name};
use nix::{errno::Errno, fcntl::AtFlags, sys::stat::fstat, unistd::fchownat};
use std::{
    ffi::OsStr,
    fs::{self, FileTimes},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::Path,
};

impl Fix<'_> {
    /// Makes all changes, and prints each one when it is made.
    pub(super) fn apply(&self, tree: &Tree, print: impl Fn(&str)) -> Result<(), FixRootError> {
        self.check(tree)?;
        for found in &self.changes {
            let path = found.path.shown();
            let modes = found
                .new_mode
                .map(|mode| format!("{:o} -> {mode:o}", found.mode));
            match &found.edit {
                Some((_, new)) => replace(tree, found, new)?,
                None => change_mode(tree, found)?,
            }
            match (&found.edit, modes) {
                (Some(_), None) => print(&format!("changed  {path}")),
                (Some(_), Some(modes)) => print(&format!("changed  {path}; mode {modes}")),
                (None, modes) => print(&format!("mode     {path}: {}", modes.unwrap_or_default())),
            }
            let others = found.others.iter().filter(|_| found.edit.is_some());
            others.for_each(|other| print(&format!("changed  {}: the same file", other.shown())));
        }
        for (symlink, relative) in &self.symlinks {
            relink(tree, symlink, relative)?;
            print(&format!(
                "symlink  {} -> {}, instead of {}",
                symlink.path.shown(),
                relative.shown(),
                symlink.target.shown()
            ));
        }
        for Link { path, target, text } in &self.links {
            file::replace(path, |directory, new| match text {
                None => directory.link(new, target),
                Some(text) => directory.write_synced(new, text.as_bytes(), PROGRAM_MODE),
            })?;
            print(&format!("link     {} -> {}", path.shown(), target.shown()));
        }
        Ok(())
    }

    /// Walks the paths of all changes before the first one, so that an error is found while nothing has changed.
    fn check(&self, tree: &Tree) -> Result<(), FixRootError> {
        for found in &self.changes {
            let (directory, name) = place(tree, &found.path)?;
            check_owner(&reopen(&directory, name, found)?, &found.path)?;
            for other in found.others.iter().filter(|_| found.edit.is_some()) {
                place(tree, other)?;
            }
        }
        for (symlink, _) in &self.symlinks {
            place(tree, &symlink.path)?;
        }
        for Link { path, .. } in &self.links {
            let directory = Directory::open(path.parent().unwrap_or(path))?;
            directory.check_replaceable(path.file_name().unwrap_or_default())?;
            file::check_writable(directory.path())
                .map_err(|e| FileError::system("write to", directory.path(), e))?;
        }
        Ok(())
    }
}

/// Checks that this process can keep the owner of a file that it replaces, and set its mode: only root or the owner can.
fn check_owner(file: &fs::File, path: &Path) -> Result<(), FileError> {
    let owner = file.metadata().map(|metadata| metadata.uid());
    let user = nix::unistd::geteuid();
    match owner {
        Ok(owner) if user.is_root() || owner == user.as_raw() => Ok(()),
        Ok(_) => Err(FileError::system(
            "change",
            path,
            io::Error::from(Errno::EPERM),
        )),
        Err(e) => Err(FileError::system("examine", path, e)),
    }
}

/// Replaces a symlink of the sysroot by one with a relative path. Root keeps its owner.
fn relink(tree: &Tree, symlink: &EscapingSymlink, relative: &Path) -> Result<(), FixRootError> {
    let (directory, name) = place(tree, &symlink.path)?;
    let changed = || FileError::Changed(symlink.path.clone());
    let within = tree.within(&symlink.path).unwrap_or(&symlink.path);
    let there = tree.find_nofollow_to_change(within)?.ok_or_else(changed)?;
    if !there.is_link() || there.target()? != symlink.target {
        return Err(changed().into());
    }
    let there = there.into_file().metadata()?;
    directory.replace(name, |directory, new| {
        directory.link(new, relative)?;
        // The owner is set on the open symlink only: the owner of the directory may put a file of root's at this name.
        let made = directory.open_path_nofollow(new)?;
        let owned = || -> io::Result<()> {
            let metadata = made.metadata()?;
            let is_owners = (metadata.uid(), metadata.gid()) == (there.uid(), there.gid());
            // Only root may give a file to another user.
            if is_owners || !metadata.is_symlink() || !nix::unistd::geteuid().is_root() {
                return Ok(());
            }
            let (user, group) = (there.uid().into(), there.gid().into());
            let flags = AtFlags::AT_EMPTY_PATH;
            Ok(fchownat(&made, "", Some(user), Some(group), flags)?)
        };
        owned().map_err(|e| FileError::system("give an owner to", &directory.path().join(new), e))
    })?;
    Ok(())
}

/// Opens a file again, without access to its contents. Fails if it is another file by now.
fn reopen(
    directory: &Directory,
    name: &OsStr,
    found: &SysrootFile,
) -> Result<fs::File, FixRootError> {
    let file = directory.open_path_nofollow(name)?;
    let there = fstat(&file).map_err(io::Error::from)?;
    match found.is_still(&there) {
        true => Ok(file),
        false => Err(FileError::Changed(found.path.clone()).into()),
    }
}

/// Sets the mode of a file.
fn change_mode(tree: &Tree, found: &SysrootFile) -> Result<(), FixRootError> {
    let (directory, name) = place(tree, &found.path)?;
    let file = reopen(&directory, name, found)?;
    let mode = found.new_mode.unwrap_or(found.mode);
    Ok(directory.set_mode_of(&file, name, mode)?)
}

/// Replaces the text and the mode of a file. Its owner and its times are kept, because make and libtool compare times.
/// Its other names remain hard links to it.
fn replace(tree: &Tree, found: &SysrootFile, text: &[u8]) -> Result<(), FixRootError> {
    let (directory, name) = place(tree, &found.path)?;
    let metadata = reopen(&directory, name, found)?.metadata()?;
    let new = new_name(name);
    directory.remove(&new)?;
    let file = directory.write(&new, text, 0o600)?;
    let completed = || {
        let made = file.metadata()?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if (made.uid(), made.gid()) != (uid, gid) {
            match fchown(&file, Some(uid), Some(gid)) {
                // An ordinary user can only keep a group that the user belongs to.
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied && made.uid() == uid => {}
                changed => changed?,
            }
        }
        let mode = found.new_mode.unwrap_or(found.mode);
        file.set_permissions(PermissionsExt::from_mode(mode))?;
        let (accessed, modified) = (metadata.accessed()?, metadata.modified()?);
        let times = FileTimes::new()
            .set_accessed(accessed)
            .set_modified(modified);
        file.set_times(times)?;
        file.sync_all()
    };
    if let Err(e) = completed() {
        let _ = directory.remove(&new);
        return Err(FileError::system("write", &found.path, e).into());
    }
    directory.rename(&new, name)?;
    for other in &found.others {
        let (place, other) = place(tree, other)?;
        place.replace(other, |other, new| other.hard_link(new, &directory, name))?;
    }
    Ok(())
}

/// Opens the directory of a path of the sysroot. Returns it with the last component.
fn place<'p>(tree: &Tree, path: &'p Path) -> Result<(Directory, &'p OsStr), FileError> {
    tree.directory_of(tree.within(path).unwrap_or(path), None)
}
