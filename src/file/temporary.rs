//! Folders for what is made, run and thrown away: probes, trials, copies of sources.
//!
//! Programs are run there, so nobody else may be able to put another in their place, and the file system has to let them run. What
//! TMPDIR names is taken when it is so, else one of the usual places.

use super::trust::weak_point;
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

/// Makes a folder for us alone, which goes when it is dropped.
pub fn temporary() -> io::Result<Temporary> {
    let own = std::env::temp_dir();
    let Some(why) = unfit(&own) else {
        return make(&own);
    };
    let mut others = USUAL.iter().map(Path::new);
    let Some(other) = others.find(|place| unfit(place).is_none()) else {
        let places = USUAL.join("`, `");
        let what = format!("no folder for temporary files: {why}; nor is `{places}` fit for it");
        return Err(io::Error::other(what));
    };
    SAID.call_once(|| {
        let other = other.display();
        crate::say(&format!(
            "temporary files go to `{other}`, not to what TMPDIR says: {why}"
        ));
    });
    make(other)
}

/// Why programs are not made and run there; none when they are.
fn unfit(place: &Path) -> Option<String> {
    let shown = place.display();
    let real: PathBuf = match place.canonicalize() {
        Ok(real) => real,
        Err(e) => return Some(format!("`{shown}`: {e}")),
    };
    match weak_point(&real) {
        Err(e) => return Some(format!("`{shown}`: {e}")),
        Ok(Some(weak)) => return Some(format!("somebody else may write to {weak}")),
        Ok(None) => {}
    }
    let flags = statvfs(&real).map_or(FsFlags::empty(), |stat| stat.flags());
    flags
        .contains(FsFlags::ST_NOEXEC)
        .then(|| format!("`{shown}` is mounted noexec"))
}

fn make(place: &Path) -> io::Result<Temporary> {
    let folder = Temporary(mkdtemp(&place.join(NAME))?);
    // The umask may have taken something from it.
    fs_err::set_permissions(folder.path(), PermissionsExt::from_mode(0o700))?;
    Ok(folder)
}

/// A folder for us alone.
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
