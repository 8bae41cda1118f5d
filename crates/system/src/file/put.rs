//! Putting files in their places, whole or not at all, and removing them.

use super::{directory::Directory, error::FileError, read, trust};
use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{AccessFlags, faccessat},
};
use std::{
    collections::hash_map::RandomState,
    ffi::{OsStr, OsString},
    hash::{BuildHasher, Hasher},
    io,
    path::{Path, PathBuf},
};

/// The mode of what everybody may read.
pub const FILE_MODE: u32 = 0o644;

/// The mode of what everybody may run.
pub const PROGRAM_MODE: u32 = 0o755;

/// Writes the file unless it says the same already. Several runs may do so at once; the last one's text stays.
///
/// Its mode stays as it is; a new one may be read by everybody, whatever the umask. When its name is a link, what that leads to is
/// written. A file of another user's, who could change it later, is replaced whatever it says; and a link of his is an error.
pub fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    Directory::of_file(path)?;
    keep(path, text)
}

/// Writes a file as [`put`] does, where crossmerge keeps files of its own and nobody else makes links: most calls find it there, and
/// should not cost more than to read it.
pub fn keep(path: &Path, text: &[u8]) -> io::Result<()> {
    let is_trusted = |owner: u32| owner == 0 || trust::Trust::own().is_known(owner);
    match read::owner_of_same(path, text).is_some_and(is_trusted) {
        true => Ok(()),
        false => put_with(path, text, FILE_MODE),
    }
}

/// Writes a program that everybody may run, as [`put`] does.
pub fn put_program(path: &Path, program: &[u8]) -> io::Result<()> {
    put_with(path, program, PROGRAM_MODE)
}

pub(super) fn put_with(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let (directory, name) = Directory::of_file(path)?;
    directory.check_replaceable(&name)?;
    let mode = directory.mode_of(&name, mode)?;
    // The state of a hasher is what the system knows that nobody can foresee.
    let unforeseen = RandomState::new().build_hasher().finish();
    let new = beside(&name, &format!(".crossmerge-{unforeseen:016x}"));
    directory.write_synced(&new, text, mode)?;
    Ok(directory.rename(&new, &name)?)
}

/// Puts something in its place that is made beside it first, and on the disk by then: `make` gets the directory and the name there, which
/// is the same in each run, so that nothing is left of one that was cut short. Who calls this keeps others from doing so.
pub fn replace(
    path: &Path,
    make: impl FnOnce(&Directory, &OsStr) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let (directory, name) = Directory::of(path, &mut Vec::new())?;
    directory.replace(name, make)
}

/// Removes a file, a link or an empty directory; nothing there is well too, and so is no directory to look in.
pub fn remove(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    let gone = |e: &io::Error| {
        matches!(
            e.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    };
    let removed =
        Directory::open(path.parent().unwrap_or(path)).and_then(|directory| directory.remove(name));
    match removed.map_err(io::Error::from) {
        Err(e) if gone(&e) => Ok(()),
        removed => removed,
    }
}

/// Says why we may not change what is in a directory, if so.
pub fn check_writable(directory: &Path) -> io::Result<()> {
    let access = AccessFlags::W_OK | AccessFlags::X_OK;
    Ok(faccessat(AT_FDCWD, directory, access, AtFlags::AT_EACCESS)?)
}

/// The name beside another where what is new waits.
pub fn new_name(name: &OsStr) -> OsString {
    beside(name, ".crossmerge-new")
}

/// The path beside another where what is new waits.
pub fn waiting(path: &Path) -> PathBuf {
    path.with_file_name(new_name(path.file_name().unwrap_or_default()))
}

pub(super) fn beside(name: &OsStr, ending: &str) -> OsString {
    let mut new = OsString::from(".");
    new.push(name);
    new.push(ending);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_the_same_text_is_not_touched() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new/file");
        put(&path, b"one\n").expect("a file");
        let before = path.metadata().expect("it is there");
        put(&path, b"one\n").expect("a file");
        let identity = crate::file::Identity::of;
        assert_eq!(
            identity(&path.metadata().expect("it is there")),
            identity(&before)
        );
        put(&path, b"two\n").expect("a file");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"two\n");
        let names = std::fs::read_dir(directory.path().join("new")).expect("a directory");
        assert_eq!(names.count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_link_of_ours_leads_to_is_written_and_what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("real")).expect("a directory");
        std::os::unix::fs::symlink("real", path("by")).expect("a link");
        std::os::unix::fs::symlink("by/file", path("link")).expect("a link");
        put(&path("link"), b"one\n").expect("a file");
        assert_eq!(std::fs::read(path("real/file")).expect("a file"), b"one\n");
        assert!(path("link").is_symlink());
        std::os::unix::fs::symlink("round", path("round")).expect("a link");
        for (name, why) in [
            ("round", "links"),
            ("real", "no regular file"),
            ("..", "no regular file"),
        ] {
            let said = put(&path(name), b"").expect_err(name).to_string();
            assert!(said.contains(why), "{name}: {said}");
        }
    }
}
