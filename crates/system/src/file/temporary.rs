//! Directories for what is made, run and thrown away: probes, trials, copies of sources.
//!
//! Programs are run there, so nobody else may be able to put another in their place, and the file system has to let them run. What
//! TMPDIR names is taken when it is so, else one of the usual places.

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

/// Where else, in this order.
const USUAL: [&str; 2] = ["/tmp", "/var/tmp"];

/// Its name, as mkdtemp(3) takes it: with something else for each X.
const NAME: &str = "crossmerge-XXXXXX";

/// Says once why another place than TMPDIR is taken.
static SAID: Once = Once::new();

/// Makes a directory for us alone, which goes when it is dropped.
pub fn temporary() -> io::Result<Temporary> {
    let own = std::env::temp_dir();
    let why = match fit(&own) {
        Ok(place) => return make(&place),
        Err(why) => why,
    };
    let others = USUAL.iter().map(Path::new);
    let Some((other, place)) = others
        .filter_map(|place| Some((place, fit(place).ok()?)))
        .next()
    else {
        let places = USUAL.join("`, `");
        let what = format!("no directory for temporary files: {why}; nor is `{places}` fit for it");
        return Err(io::Error::other(what));
    };
    SAID.call_once(|| {
        let other = other.shown();
        report::note(&format!(
            "temporary files go to `{other}`, not to what TMPDIR says: {why}"
        ));
    });
    make(&place)
}

/// The path without links of a directory in which programs are made and run; why not, if they are not. Every link on the way is looked
/// at as it is written, and the path that is returned is of what was opened then: nobody can lead it elsewhere any more.
fn fit(place: &Path) -> Result<PathBuf, String> {
    let shown = place.shown();
    let named = |e: io::Error| format!("`{shown}`: {e}");
    let check = |path: &Path| match writable_by_others(path).map_err(named)? {
        Some(weak) => Err(format!("another user may write to {weak}")),
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
    // The umask may have taken something from it.
    fs_err::set_permissions(directory.path(), PermissionsExt::from_mode(0o700))?;
    Ok(directory)
}

/// A directory for us alone.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans up there.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
