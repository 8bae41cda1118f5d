//! Temporary directories, for probes, trial builds and copies of sources.
//!
//! crossmerge runs programs in them, so no other user may be able to replace a program, and the file system must not be
//! mounted noexec. crossmerge uses the directory in TMPDIR if it meets these conditions, otherwise one of the usual
//! ones.

use super::{directory::Directory, trust::writable_by_others};
use crossmerge_plan::{report, shown::Show};
use nix::{
    sys::statvfs::{FsFlags, statvfs},
    unistd::mkdtemp,
};
use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Once,
};

/// The directories to use instead of TMPDIR, in this order.
const USUAL: [&str; 2] = ["/tmp", "/var/tmp"];

/// The name of a temporary directory. mkdtemp(3) replaces each X.
const NAME: &str = "crossmerge-XXXXXX";

/// Makes crossmerge print the note about an unsuitable TMPDIR only once.
static NOTED: Once = Once::new();

/// Creates a directory that only this user can access. It is removed when the returned value is dropped.
///
/// # Errors
///
/// No directory is suitable, or the new one cannot be created.
pub fn temporary() -> io::Result<Temporary> {
    let own = std::env::temp_dir();
    let why = match suitable(&own) {
        Ok(place) => return make(&place),
        Err(why) => why,
    };
    let others = USUAL.iter().map(Path::new);
    let Some((other, place)) = others
        .filter_map(|place| Some((place, suitable(place).ok()?)))
        .next()
    else {
        let places = USUAL.join("`, `");
        let message = format!(
            "no suitable directory for temporary files: {why}; `{places}` are not suitable either"
        );
        return Err(io::Error::other(message));
    };
    NOTED.call_once(|| {
        let other = other.shown();
        report::note(&format!(
            "temporary files go to `{other}` instead of TMPDIR: {why}"
        ));
    });
    make(&place)
}

/// Checks that programs can be created and run in a directory safely. Returns its path without symlinks, or the reason
/// against it. All symlinks on the given path are checked. The returned path is that of the opened directory, so
/// another user cannot redirect it afterwards.
fn suitable(place: &Path) -> Result<PathBuf, String> {
    let shown = place.shown();
    let named = |e: io::Error| format!("`{shown}`: {e}");
    let check = |path: &Path| match writable_by_others(path).map_err(named)? {
        Some(writable) => Err(format!("another user may write to {writable}")),
        None => Ok(()),
    };
    check(place)?;
    let real = match Directory::open(place) {
        Ok(directory) => directory.real(),
        Err(e) => return Err(e.to_string()),
    };
    check(&real)?;
    let flags = statvfs(&real).map_or(FsFlags::empty(), |stat| stat.flags());
    match flags.contains(FsFlags::ST_NOEXEC) {
        true => Err(format!("`{shown}` is mounted noexec")),
        false => Ok(real),
    }
}

fn make(place: &Path) -> io::Result<Temporary> {
    let directory = Temporary(mkdtemp(&place.join(NAME))?);
    // The umask may have cleared some bits.
    fs_err::set_permissions(directory.path(), PermissionsExt::from_mode(0o700))?;
    Ok(directory)
}

/// A temporary directory that only this user can access.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If it cannot be removed, the cleaner of the temporary directory removes it later.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
