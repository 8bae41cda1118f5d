//! Locks: who writes where others write too holds one, and who waits for it says for whom.

use super::{Folder, Trouble};
use crate::context::Identity;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use std::{
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

/// Takes the lock that a file is for, made when it is not there; names in `made` what was. `what` is what the lock is for.
pub fn take(path: &Path, what: &Path, made: &mut Vec<PathBuf>) -> Result<Flock<File>, Trouble> {
    let mut lost = 0;
    let failed = |e: io::Error| Trouble::system("lock", path, e);
    loop {
        let file = match open(path, made) {
            Err(Trouble::System { source, .. })
                if source.kind() == io::ErrorKind::NotFound && lost < MOST_LOST =>
            {
                lost += 1;
                continue;
            }
            file => file?,
        };
        let held = wait_for(file, what).map_err(failed)?;
        // Who held it before may have taken the file away, and the lock is on nothing.
        let identity = Identity::of(&held.metadata().map_err(failed)?);
        let there = path.symlink_metadata();
        if there.is_ok_and(|there| Identity::of(&there) == identity) {
            return Ok(held);
        }
    }
}

fn open(path: &Path, made: &mut Vec<PathBuf>) -> Result<File, Trouble> {
    let (folder, name) = Folder::of(path, made)?;
    let is_new = folder.stat(name)?.is_none();
    let file = folder.open_lock(name)?;
    if is_new {
        made.push(path.into());
    }
    Ok(file)
}

/// Takes the lock of a file, or of a folder. After a moment it says who holds it, and waits on. `what` is what it is for.
pub fn wait_for(mut file: File, what: &Path) -> io::Result<Flock<File>> {
    for _ in 0..TRIES {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(held),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, e)) => return Err(e.into()),
        };
        thread::sleep(PAUSE);
    }
    let (what, who) = (what.display(), holder(&file).unwrap_or_default());
    crate::say(&format!(
        "another crossmerge{who} works on `{what}`: waiting for it"
    ));
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e.into())
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
    let words: Vec<String> = words
        .map(|word| crate::plan::quote(std::ffi::OsStr::from_bytes(word)))
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
