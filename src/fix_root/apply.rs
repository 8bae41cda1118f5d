//! Doing it: a text is written beside its place and renamed, a mode is set, a link is made beside its place and renamed.
//!
//! A kill at any moment leaves each path old or new, and the next run does the rest.

use super::{Fix, FixRootError, Found, Link};
use crate::init::{new_name, remove_if_there};
use std::{
    fs::FileTimes,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink},
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
            if let Some((_, new)) = &found.edit {
                replace(found, new)?;
            }
            if let Some(mode) = found.new_mode {
                fs_err::set_permissions(&found.path, PermissionsExt::from_mode(mode))?;
            }
            match (&found.edit, modes) {
                (Some(_), None) => say(&format!("changed  {path}")),
                (Some(_), Some(modes)) => say(&format!("changed  {path}; mode {modes}")),
                (None, modes) => say(&format!("mode     {path}: {}", modes.unwrap_or_default())),
            }
            let others = found.others.iter().filter(|_| found.edit.is_some());
            others.for_each(|other| say(&format!("changed  {}: the same file", other.display())));
        }
        for Link { path, target, text } in &self.links {
            beside(path, |new| match text {
                None => symlink(target, new),
                Some(text) => {
                    let mut file = fs_err::File::create_new(new)?;
                    file.write_all(text.as_bytes())?;
                    file.set_permissions(PermissionsExt::from_mode(0o755))?;
                    file.sync_all()
                }
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

/// Gives a file another text. Its mode, its owner and its times stay: make and libtool compare those. Its other names
/// stay names of one file.
fn replace(found: &Found, text: &[u8]) -> Result<(), FixRootError> {
    let metadata = fs_err::metadata(&found.path)?;
    beside(&found.path, |new| {
        let mut file = fs_err::File::create_new(new)?;
        file.write_all(text)?;
        let made = file.metadata()?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if (made.uid(), made.gid()) != (uid, gid) {
            fchown(&file, Some(uid), Some(gid))?;
        }
        file.set_permissions(metadata.permissions())?;
        let (accessed, modified) = (metadata.accessed()?, metadata.modified()?);
        let times = FileTimes::new()
            .set_accessed(accessed)
            .set_modified(modified);
        file.file().set_times(times)?;
        file.sync_all()
    })?;
    for other in &found.others {
        beside(other, |new| fs_err::hard_link(&found.path, new))?;
    }
    Ok(())
}

/// Makes something beside its place and renames it.
fn beside(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), FixRootError> {
    let new = new_name(path);
    remove_if_there(&new)?;
    make(&new).map_err(|source| FixRootError::Write {
        path: path.into(),
        source,
    })?;
    Ok(fs_err::rename(&new, path)?)
}
