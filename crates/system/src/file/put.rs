//! Writing single files, completely or not at all, and removing them.

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

/// The mode of files, readable by every user.
pub const FILE_MODE: u32 = 0o644;

/// The mode of programs, executable by every user.
pub const PROGRAM_MODE: u32 = 0o755;

/// Writes a file unless it already has this content. If several processes do so at once, the last one's content
/// remains.
///
/// An existing file keeps its mode. A new one is readable by every user, whatever the umask. If the path is a symlink,
/// its target is written. A file that belongs to another user is replaced even if its content is the same, because
/// that user could change it later.
///
/// # Errors
///
/// The error of writing the file, as an [`io::Error`] that wraps a [`FileError`]. A symlink that belongs to another
/// user is an error, and so is a path that is neither a regular file nor a symlink.
pub fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    Directory::of_file(path)?;
    keep(path, text)
}

/// Writes a file as [`put`] does, in crossmerge's own directory, in which no other user creates symlinks. In most runs
/// the file is unchanged, and this function costs no more than reading it.
///
/// # Errors
///
/// As for [`put`].
pub fn keep(path: &Path, text: &[u8]) -> io::Result<()> {
    let is_trusted = |owner: u32| owner == 0 || trust::Trust::own().is_trusted_user(owner);
    match read::owner_of_same(path, text).is_some_and(is_trusted) {
        true => Ok(()),
        false => put_with(path, text, FILE_MODE),
    }
}

/// Writes a program that every user may run, as [`put`] does.
///
/// # Errors
///
/// As for [`put`].
pub fn put_program(path: &Path, program: &[u8]) -> io::Result<()> {
    put_with(path, program, PROGRAM_MODE)
}

pub(super) fn put_with(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let (directory, name) = Directory::of_file(path)?;
    directory.check_replaceable(&name)?;
    let mode = directory.mode_of(&name, mode)?;
    // `RandomState` is seeded from the system's random source, so another user cannot guess the name.
    let random = RandomState::new().build_hasher().finish();
    let new = beside(&name, &format!(".crossmerge-{random:016x}"));
    directory.write_synced(&new, text, mode)?;
    Ok(directory.rename(&new, &name)?)
}

/// Replaces a path with a file that `make` first creates under another name in the same directory and syncs to the
/// disk. That name is the same in each run, so the next run removes what an interrupted one has left. The caller has
/// to hold a lock, because two runs would use the same name.
///
/// # Errors
///
/// The error of `make`, or of opening the directory or replacing the file.
pub fn replace(
    path: &Path,
    make: impl FnOnce(&Directory, &OsStr) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let (directory, name) = Directory::of(path, &mut Vec::new())?;
    directory.replace(name, make)
}

/// Replaces a file with this text, as [`replace`] does. An existing file keeps its mode; a new one is readable by every
/// user.
///
/// # Errors
///
/// The error of opening the directory, or of writing or replacing the file.
pub fn replace_text(path: &Path, text: &str) -> Result<(), FileError> {
    let name = path.file_name().unwrap_or_default();
    replace(path, |directory, new| {
        let mode = directory.mode_of(name, FILE_MODE)?;
        directory.write_synced(new, text.as_bytes(), mode)
    })
}

/// Removes a file, symlink or empty directory. Succeeds if it, or its parent directory, does not exist.
///
/// # Errors
///
/// The error of opening the parent directory or of removing the path.
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

/// Checks that the process may create and remove files in a directory.
///
/// # Errors
///
/// The error of faccessat(2), such as a denied permission.
pub fn check_writable(directory: &Path) -> io::Result<()> {
    let access = AccessFlags::W_OK | AccessFlags::X_OK;
    Ok(faccessat(AT_FDCWD, directory, access, AtFlags::AT_EACCESS)?)
}

/// Removes a file, or a directory with everything in it. Succeeds if it does not exist.
///
/// # Errors
///
/// The error of opening the parent directory or of removing a path.
pub fn remove_all(path: &Path) -> io::Result<()> {
    match fs_err::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
        Ok(there) if there.is_dir() => Directory::open(path)?.clear(&|_| false)?,
        Ok(_) => {}
    }
    remove(path)
}

/// Returns the temporary name of a new file before it replaces the one of this name.
pub fn new_name(name: &OsStr) -> OsString {
    beside(name, ".crossmerge-new")
}

/// Returns the temporary path of a new file before it replaces the one at this path.
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
    fn a_file_with_the_same_content_is_not_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new/file");
        put(&path, b"one\n").expect("a file");
        let before = path.metadata().expect("the file");
        put(&path, b"one\n").expect("a file");
        let identity = crate::file::Identity::of;
        assert_eq!(
            identity(&path.metadata().expect("the file")),
            identity(&before)
        );
        put(&path, b"two\n").expect("a file");
        assert_eq!(std::fs::read(&path).expect("the file"), b"two\n");
        let names = std::fs::read_dir(directory.path().join("new")).expect("a directory");
        assert_eq!(names.count(), 1, "nothing is left beside it");
    }

    #[test]
    fn the_target_of_an_own_symlink_is_written_and_only_a_regular_file_is_replaced() {
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
            ("real", "not a regular file"),
            ("..", "not a regular file"),
        ] {
            let error = put(&path(name), b"").expect_err(name).to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
