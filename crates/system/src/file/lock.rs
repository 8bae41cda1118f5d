//! File locks for runs that write to the same files. A waiting run prints which process holds the lock.

use super::{beneath::Tree, directory::Directory, error::FileError, path::Identity};
use crossmerge_plan::{report, shown::Show, words::quote_line};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// The number of attempts to take a lock before a note is printed. Most locks are held for a shorter time.
const TRIES: u32 = 10;
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The number of retries if a directory on the lock's path disappears, because another run removes it.
const MOST_LOST: u32 = 1000;

/// The number of attempts to take a lock whose file belongs to another user, who could hold it for ever.
const TRIES_OF_OTHERS: u32 = 100;

/// Takes the lock on the file `path`. Creates the file and its directories if they are missing, and adds them to
/// `made`. `what` is the path that the lock protects.
///
/// # Errors
///
/// [`FileError::Held`] if another user holds the lock on a file of their own. [`FileError::Changed`] if the file is
/// replaced again and again. Else the error of opening or locking it.
pub fn take(path: &Path, what: &Path, made: &mut Vec<PathBuf>) -> Result<Flock<File>, FileError> {
    let name = path.file_name().unwrap_or_default();
    let directory =
        |made: &mut Vec<PathBuf>| Directory::of(path, made).map(|(directory, _)| directory);
    take_by(directory, name, path, what, made)
}

/// Takes the lock on a file in a tree, as [`take`] does. `path` is relative to the tree. `tree` opens the tree for each
/// attempt, because the previous holder of the lock may have removed it.
///
/// # Errors
///
/// The errors of `tree` and those of [`take`].
pub fn take_in(
    tree: impl Fn(&mut Vec<PathBuf>) -> Result<Tree, FileError>,
    what: &Path,
    path: &Path,
    made: &mut Vec<PathBuf>,
) -> Result<Flock<File>, FileError> {
    let name = path.file_name().unwrap_or_default();
    let directory = |made: &mut Vec<PathBuf>| {
        let (directory, _) = tree(made)?.directory_of(path, Some(made))?;
        Ok(directory)
    };
    take_by(directory, name, &what.join(path), what, made)
}

fn take_by(
    open_directory: impl Fn(&mut Vec<PathBuf>) -> Result<Directory, FileError>,
    name: &OsStr,
    path: &Path,
    what: &Path,
    made: &mut Vec<PathBuf>,
) -> Result<Flock<File>, FileError> {
    let failed = |e: io::Error| FileError::system("lock", path, e);
    for _ in 0..MOST_LOST {
        let directory = match open_directory(made) {
            // The previous holder removed the directory.
            Err(FileError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            directory => directory?,
        };
        let is_new = directory.stat(name)?.is_none();
        let (file, is_others) = match directory.open_lock(name) {
            Err(FileError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            opened => opened?,
        };
        if is_new {
            made.push(path.into());
        }
        let held = match is_others {
            true => wait_a_moment(file, path)?,
            false => wait_for(file, what).map_err(failed)?,
        };
        // The previous holder may have removed the file: then this lock protects nothing.
        let identity = Identity::of(&held.metadata().map_err(failed)?);
        let current = open_directory(made).and_then(|directory| directory.stat(name));
        if current.is_ok_and(|current| current.is_some_and(|it| Identity::of_stat(&it) == identity))
        {
            return Ok(held);
        }
    }
    Err(FileError::Changed(path.into()))
}

/// Takes the lock of a file. After a moment, prints which process holds it and continues to wait. `what` is the path
/// that it protects.
fn wait_for(file: File, what: &Path) -> io::Result<Flock<File>> {
    let file = match try_for(file, TRIES)? {
        Ok(held) => return Ok(held),
        Err(file) => file,
    };
    let (what, who) = (what.shown(), holder(&file).unwrap_or_default());
    report::note(&format!(
        "waiting for another crossmerge{who}, which is working on `{what}`"
    ));
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e.into())
}

/// Takes the lock of another user's file. Fails if it is held for longer than a moment.
fn wait_a_moment(file: File, path: &Path) -> Result<Flock<File>, FileError> {
    match try_for(file, TRIES_OF_OTHERS).map_err(|e| FileError::system("lock", path, e))? {
        Ok(held) => Ok(held),
        Err(file) => Err(FileError::Held {
            path: path.into(),
            who: holder(&file).unwrap_or_default(),
        }),
    }
}

/// Attempts to take a lock several times. Returns the file if another process holds the lock each time.
fn try_for(mut file: File, tries: u32) -> io::Result<Result<Flock<File>, File>> {
    for _ in 0..tries {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Ok(held)),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, e)) => return Err(e.into()),
        };
        thread::sleep(PAUSE);
    }
    Ok(Err(file))
}

/// Describes the process that holds the lock of a file: its PID and command line. `None` if the kernel does not show
/// it.
fn holder(file: &File) -> Option<String> {
    let inode = file.metadata().ok()?.ino();
    let locks = fs_err::read_to_string("/proc/locks").ok()?;
    let process = holder_in(&locks, inode)?;
    let command = fs_err::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words = command
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty());
    // Another user may have chosen the arguments, so they are escaped.
    let words: Vec<String> = words
        .map(|word| quote_line(OsStr::from_bytes(word)))
        .collect();
    Some(match words.is_empty() {
        true => format!(" (process {process})"),
        false => format!(" (process {process}, `{}`)", words.join(" ")),
    })
}

/// Returns the PID of the first flock(2) lock on an inode in the text of `/proc/locks`, whose lines have the form `1:
/// FLOCK ADVISORY WRITE PID MAJ:MIN:INODE 0 EOF`. Waiting processes have an additional `->`. The device is ignored,
/// because some file systems show another one there than in stat(2).
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, process, file) = (words.next()?, words.nth(2)?, words.next()?);
        let is_it = kind == "FLOCK" && file.rsplit(':').next()?.parse() == Ok(inode);
        // A process in another PID namespace is shown as 0 or less.
        is_it
            .then(|| process.parse().ok())
            .flatten()
            .filter(|process| *process > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_a_lock_is_found() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fd:01:12 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 41 fd:01:112 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 42 00:1f:12 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 43 00:1f:12 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fd:01:13 0 EOF\n";
        for (inode, process) in [(12, Some(42)), (112, Some(41)), (13, None), (14, None)] {
            assert_eq!(holder_in(locks, inode), process, "{inode}");
        }
    }
}
