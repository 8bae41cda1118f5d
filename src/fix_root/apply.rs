//! Doing it: a text is written beside its place and renamed, a mode is set, a link is made beside its place and renamed.
//!
//! A kill at any moment leaves each path old or new, and the next run does the rest.

use super::{Fix, FixRootError, Found, Link, Stray};
use crate::{
    context::Identity,
    file::{self, Folder, PROGRAM_MODE, Trouble, new_name},
};
use nix::{fcntl::AtFlags, unistd::fchownat};
use std::{
    ffi::OsStr,
    fs::{self, FileTimes},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::Path,
};

impl Fix<'_> {
    /// Does everything that was decided, and says each thing when it is done.
    pub(super) fn apply(&self, say: impl Fn(&str)) -> Result<(), FixRootError> {
        for found in &self.changes {
            let path = found.path.display();
            let modes = found
                .new_mode
                .map(|mode| format!("{:o} -> {mode:o}", found.mode));
            match &found.edit {
                Some((_, new)) => replace(found, new)?,
                None => change_mode(found)?,
            }
            match (&found.edit, modes) {
                (Some(_), None) => say(&format!("changed  {path}")),
                (Some(_), Some(modes)) => say(&format!("changed  {path}; mode {modes}")),
                (None, modes) => say(&format!("mode     {path}: {}", modes.unwrap_or_default())),
            }
            let others = found.others.iter().filter(|_| found.edit.is_some());
            others.for_each(|other| say(&format!("changed  {}: the same file", other.display())));
        }
        for (stray, relative) in &self.strays {
            relink(stray, relative)?;
            say(&format!(
                "symlink  {} -> {}, instead of {}",
                stray.path.display(),
                relative.display(),
                stray.target.display()
            ));
        }
        for Link { path, target, text } in &self.links {
            file::replace(path, |folder, new| match text {
                None => folder.link(new, target),
                Some(text) => folder.write_synced(new, text.as_bytes(), PROGRAM_MODE),
            })?;
            say(&format!(
                "link     {} -> {}",
                path.display(),
                target.display()
            ));
        }
        Ok(())
    }
}

/// Replaces a symlink of the sysroot by one to the relative path. Its owner stays.
fn relink(stray: &Stray, relative: &Path) -> Result<(), FixRootError> {
    let there = fs::symlink_metadata(&stray.path)?;
    if fs::read_link(&stray.path)? != stray.target {
        return Err(Trouble::Changed(stray.path.clone()).into());
    }
    file::replace(&stray.path, |folder, new| {
        folder.link(new, relative)?;
        // Only what was opened gets the owner: whoever owns the directory may put a file of root's at this name.
        let made = folder.look(new)?;
        let owned = || -> io::Result<()> {
            let metadata = made.metadata()?;
            let is_owners = (metadata.uid(), metadata.gid()) == (there.uid(), there.gid());
            if is_owners || !metadata.is_symlink() {
                return Ok(());
            }
            let (user, group) = (there.uid().into(), there.gid().into());
            let flags = AtFlags::AT_EMPTY_PATH;
            Ok(fchownat(&made, "", Some(user), Some(group), flags)?)
        };
        owned().map_err(|e| Trouble::system("give an owner to", &folder.path().join(new), e))
    })?;
    Ok(())
}

/// Opens what was found, for looking at it and for nothing else; an error when it is another by now.
fn found_again(folder: &Folder, name: &OsStr, found: &Found) -> Result<fs::File, FixRootError> {
    let file = folder.look(name)?;
    match found.is(Identity::of(&file.metadata()?)) {
        true => Ok(file),
        false => Err(Trouble::Changed(found.path.clone()).into()),
    }
}

/// Gives a file the mode that it should have.
fn change_mode(found: &Found) -> Result<(), FixRootError> {
    let (folder, name) = place(&found.path)?;
    let file = found_again(&folder, name, found)?;
    let mode = found.new_mode.unwrap_or(found.mode);
    Ok(folder.set_mode_of(&file, name, mode)?)
}

/// Gives a file another text, and the mode that it should have. Its owner and its times stay: make and libtool compare those. Its
/// other names stay names of one file.
fn replace(found: &Found, text: &[u8]) -> Result<(), FixRootError> {
    let (folder, name) = place(&found.path)?;
    let metadata = found_again(&folder, name, found)?.metadata()?;
    let new = new_name(name);
    folder.remove(&new)?;
    let file = folder.write(&new, text, 0o600)?;
    let completed = || {
        let made = file.metadata()?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if (made.uid(), made.gid()) != (uid, gid) {
            fchown(&file, Some(uid), Some(gid))?;
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
        let _ = folder.remove(&new);
        return Err(Trouble::system("write", &found.path, e).into());
    }
    folder.rename(&new, name)?;
    for other in &found.others {
        file::replace(other, |other, new| other.hard_link(new, &folder, name))?;
    }
    Ok(())
}

/// The open folder of a path, and the last name.
fn place(path: &Path) -> Result<(Folder, &OsStr), Trouble> {
    Folder::of(path, &mut Vec::new())
}
