//! Locks: who writes where others write too holds one, and who waits for it says for whom.

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

/// How long a lock is tried for before anything is said: most are held for less.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// How often the way to a lock may be gone, because somebody takes away what it leads through.
const MOST_LOST: u32 = 1000;

/// How long a lock is tried for that is another user's file: he could hold it for ever.
const TRIES_OF_OTHERS: u32 = 100;

/// Takes the lock that a file is for, made when it is not there; names in `made` what was. `what` is what the lock is for.
pub fn take(path: &Path, what: &Path, made: &mut Vec<PathBuf>) -> Result<Flock<File>, FileError> {
    let name = path.file_name().unwrap_or_default();
    let directory =
        |made: &mut Vec<PathBuf>| Directory::of(path, made).map(|(directory, _)| directory);
    take_by(directory, name, path, what, made)
}

/// Takes the lock that a file of a tree is for, as [`take`] does. `path` begins at the tree, which is opened anew each time: who held the
/// lock before may have removed it.
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
            // Who held it before took away what it was in.
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
        // Who held it before may have taken the file away, and the lock is on nothing.
        let identity = Identity::of(&held.metadata().map_err(failed)?);
        let there = open_directory(made).and_then(|directory| directory.stat(name));
        if there.is_ok_and(|there| there.is_some_and(|it| Identity::of_stat(&it) == identity)) {
            return Ok(held);
        }
    }
    Err(FileError::Changed(path.into()))
}

/// Takes the lock of a file. After a moment it says who holds it, and waits on. `what` is what it is for.
fn wait_for(file: File, what: &Path) -> io::Result<Flock<File>> {
    let file = match try_for(file, TRIES)? {
        Ok(held) => return Ok(held),
        Err(file) => file,
    };
    let (what, who) = (what.shown(), holder(&file).unwrap_or_default());
    report::note(&format!(
        "another crossmerge{who} works on `{what}`: waiting for it"
    ));
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e.into())
}

/// Takes the lock of another user's file, unless that is held for more than a moment.
fn wait_a_moment(file: File, path: &Path) -> Result<Flock<File>, FileError> {
    match try_for(file, TRIES_OF_OTHERS).map_err(|e| FileError::system("lock", path, e))? {
        Ok(held) => Ok(held),
        Err(file) => Err(FileError::Held {
            path: path.into(),
            who: holder(&file).unwrap_or_default(),
        }),
    }
}

/// Tries for a lock so often; gives the file back if another process holds it all the time.
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

/// Who holds the lock of a file: its process, and what that was called with; none when the kernel does not show it.
fn holder(file: &File) -> Option<String> {
    let inode = file.metadata().ok()?.ino();
    let locks = fs_err::read_to_string("/proc/locks").ok()?;
    let process = holder_in(&locks, inode)?;
    let command = fs_err::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words = command
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty());
    // Whoever started it chose its words.
    let words: Vec<String> = words
        .map(|word| quote_line(OsStr::from_bytes(word)))
        .collect();
    Some(match words.is_empty() {
        true => format!(" (process {process})"),
        false => format!(" (process {process}, `{}`)", words.join(" ")),
    })
}

/// The process of the first lock by flock(2) on an inode, in the form of `/proc/locks`: `1: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE 0 EOF`.
/// The device is not looked at, for some file systems show another there than stat(2) does. One that waits has a `->` more.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, process, file) = (words.next()?, words.nth(2)?, words.next()?);
        let is_it = kind == "FLOCK" && file.rsplit(':').next()?.parse() == Ok(inode);
        // A process of another namespace is shown as 0 or less.
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
    fn the_holder_of_a_lock_is_found_and_no_one_else() {
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
