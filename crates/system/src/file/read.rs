//! Reading files that other users may have written: only regular files, and only up to a limit for each kind.
//!
//! Opening a named pipe blocks, a device may never end, and a file may have any size. So a file is opened with
//! `O_NONBLOCK`, its type is checked, and it is read up to a limit. Callers decide what a failure means.
//!
//! The limits are constants, in bytes.
//!
//! # Errors
//!
//! Every function that reads fails if the file cannot be opened or read, is neither a regular file nor `/dev/null`,
//! exceeds the limit, or exceeds a limit of [`super::budget`]. [`refused`] returns the reason if crossmerge did not
//! read the file, and `None` if the system could not. A text also has to be UTF-8.

pub use super::refused::{Why, reason, refused};
use super::{
    refused::{refuse, unreadable},
    trust::OtherUsers,
};
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::Mode,
};
use std::{
    fs::{File, Metadata},
    io::{self, Read, Take},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// The limit for a settings file of Portage or a repository. The largest one in Gentoo's repository, `package.mask`,
/// has 200 KiB.
pub const SETTINGS: u64 = 4 << 20;

/// The limit for a TOML file of the user, or a file that init wrote.
pub const CONFIGURATION: u64 = 1 << 20;

/// The limit for a `.pc` file. The largest ones of a desktop system have a few KiB.
pub const PACKAGE: u64 = 1 << 20;

/// The limit for a `*-config` script or a libtool archive. The largest scripts known have 200 KiB.
pub const SCRIPT: u64 = 1 << 20;

/// The limit for a configure script, its log or its cache. PHP's script has 4 MiB. The parsed form takes fifty times
/// the size of a script.
pub const CONFIGURE: u64 = 8 << 20;

/// The limit for a list of installed files: init's record, or Portage's CONTENTS. That of a kernel's sources has
/// 12 MiB.
pub const CONTENTS: u64 = 64 << 20;

/// The limit for a file of a sysroot whose checksum is computed. The largest that init copies are libraries of some
/// hundred MiB.
pub const SUMMED: u64 = 1 << 30;

/// The size of the header of an ELF file, of either class.
pub const ELF_HEADER: u64 = 64;

/// The limit for the output of a program on one stream: flags, settings, the result of a probe.
pub const ANSWER: u64 = 16 << 20;

/// The initial buffer for a file without a size, in bytes.
const SMALL: u64 = 4 << 10;

/// The error for opening a socket.
const NO_DEVICE: i32 = Errno::ENXIO as i32;

/// The flags for opening a file: without waiting for the other end of a pipe, and without making a terminal the
/// controlling one.
const UNTOUCHED: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY);

/// The device numbers of `/dev/null`, which is read as an empty file.
const NULL: (u64, u64) = (1, 3);

/// An open file whose type has been checked.
struct Opened<'p> {
    path: &'p Path,
    file: Take<File>,
    size: u64,
    owner: u32,
}

/// Opens a regular file, to read at most `limit` bytes and one more.
fn open(path: &Path, limit: u64) -> io::Result<Opened<'_>> {
    let file = open_with(path, UNTOUCHED).map_err(|e| match e.raw_os_error() {
        // The error for a socket, and for a device without a driver.
        Some(NO_DEVICE) => path.metadata().map_or(e, |metadata| {
            let why = not_regular(&metadata).unwrap_or(Why::NotRegular("a device"));
            refuse(path, why)
        }),
        _ => unreadable(path, e),
    })?;
    stat_and_take(file, path, limit)
}

/// Opens a regular file for reading. Unlike std's function, it does not wait for the other end of a pipe.
pub fn open_regular(path: &Path) -> io::Result<File> {
    Ok(open(path, u64::MAX)?.file.into_inner())
}

/// Opens the file of an `O_PATH` descriptor for reading, if it is a regular file or `/dev/null`. Opening any other
/// device can have an effect: it starts a watchdog, or rewinds a tape.
pub fn reopen(opened: &OwnedFd, path: &Path) -> io::Result<File> {
    let file = File::from(opened.try_clone().map_err(|e| unreadable(path, e))?);
    let metadata = file.metadata().map_err(|e| unreadable(path, e))?;
    reopen_with_metadata(&file, &metadata, path)
}

/// Opens the file as [`reopen`] does.
fn reopen_with_metadata(opened: &File, metadata: &Metadata, path: &Path) -> io::Result<File> {
    if let Some(why) = not_regular(metadata) {
        return Err(refuse(path, why));
    }
    if metadata.is_symlink() {
        return Err(refuse(path, Why::NotRegular("a symlink")));
    }
    let again = format!("/proc/self/fd/{}", opened.as_raw_fd());
    open_with(Path::new(&again), UNTOUCHED).map_err(|e| unreadable(path, e))
}

/// Opens a file for reading. std calls open(2), and musl follows that by an unnecessary fcntl(2).
pub(super) fn open_with(path: &Path, flags: OFlag) -> io::Result<File> {
    loop {
        match openat(AT_FDCWD, path, flags | OFlag::O_CLOEXEC, Mode::empty()) {
            Err(Errno::EINTR) => {}
            opened => return Ok(File::from(opened?)),
        }
    }
}

fn stat_and_take(file: File, path: &Path, limit: u64) -> io::Result<Opened<'_>> {
    let metadata = file.metadata().map_err(|e| unreadable(path, e))?;
    take(file, &metadata, path, limit)
}

/// Checks the type of an open file, and limits how many bytes are read from it.
fn take<'p>(file: File, metadata: &Metadata, path: &'p Path, limit: u64) -> io::Result<Opened<'p>> {
    super::budget::PROCESS.file(path)?;
    match not_regular(metadata) {
        Some(why) => Err(refuse(path, why)),
        None => Ok(Opened {
            path,
            owner: metadata.uid(),
            // One byte more than the limit shows that the file is larger.
            file: file.take(limit.saturating_add(1)),
            size: if metadata.is_file() {
                metadata.len()
            } else {
                0
            },
        }),
    }
}

/// Returns why a file is not read. `None` also for a directory, because reading it fails with a clear error.
fn not_regular(metadata: &Metadata) -> Option<Why> {
    let kind = metadata.file_type();
    let device = metadata.rdev();
    let device = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    match () {
        () if kind.is_file() || kind.is_dir() || kind.is_symlink() => None,
        () if kind.is_char_device() && device == NULL => None,
        () if kind.is_fifo() => Some(Why::NotRegular("a pipe")),
        () if kind.is_socket() => Some(Why::NotRegular("a socket")),
        () => Some(Why::NotRegular("a device")),
    }
}

/// Checks the type and size of a file, without opening it, before another program reads it without a limit.
pub fn check(path: &Path, limit: u64) -> io::Result<()> {
    let metadata = path.metadata().map_err(|e| unreadable(path, e))?;
    let size = metadata.len();
    let why = match metadata.is_file() && size > limit {
        true => Some(Why::TooLarge { size, limit }),
        false => not_regular(&metadata),
    };
    why.map_or(Ok(()), |why| Err(refuse(path, why)))
}

/// Reads a whole file.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    whole(open(path, limit)?, limit)
}

/// Returns the owner of a file that has this content. `None` if its content differs or cannot be read.
pub(super) fn owner_of_same(path: &Path, text: &[u8]) -> Option<u32> {
    let limit = text.len() as u64;
    let opened = open(path, limit).ok()?;
    let owner = opened.owner;
    let is_same = opened.size == limit && is_same(&whole(opened, limit).ok()?, text);
    is_same.then_some(owner)
}

/// Compares by words, because memcmp(3) of musl compares by bytes.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks(), b.as_chunks());
    let same = |(a, b): (&[u8; 16], &[u8; 16])| u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b);
    a.len() == b.len() && a.iter().zip(b).all(same) && a_rest == b_rest
}

/// The file at a path, found with one lookup: what it is, and its content.
#[derive(Debug)]
pub struct Found {
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// The content of a regular file or of `/dev/null`. An error for anything else.
    pub content: io::Result<Vec<u8>>,
}

impl Found {
    /// Looks up a path, follows symlinks, and reads the file whole. Its type is checked before it is opened, because
    /// opening some devices has an effect.
    ///
    /// If other users chose the path, each of them must be able to read the file: they own it, or every user may read it,
    /// and the same holds for entering each directory on its path. Otherwise crossmerge would reveal a file that only its
    /// own user may read.
    pub fn at(path: &Path, limit: u64, chosen_by: Option<&OtherUsers>) -> io::Result<Self> {
        let opened = open_with(path, OFlag::O_PATH).map_err(|e| unreadable(path, e))?;
        let metadata = opened.metadata().map_err(|e| unreadable(path, e))?;
        let content = || {
            let file = reopen_with_metadata(&opened, &metadata, path)?;
            if chosen_by.is_some_and(|others| !may_read(others, &file, &metadata)) {
                return Err(refuse(path, Why::Private));
            }
            whole(take(file, &metadata, path, limit)?, limit)
        };
        Ok(Self {
            is_dir: metadata.is_dir(),
            is_file: metadata.is_file(),
            content: match metadata.is_dir() {
                true => Err(unreadable(path, Errno::EISDIR.into())),
                false => content(),
            },
        })
    }
}

/// Returns whether all of the users may read an open file.
fn may_read(users: &OtherUsers, file: &File, metadata: &Metadata) -> bool {
    let may_enter = |above: &Path| {
        let metadata = above.metadata();
        metadata.is_ok_and(|metadata| users.all_may(Mode::S_IXOTH, &metadata))
    };
    // The kernel's path of the open file, because the given path may contain symlinks.
    let real = fs_err::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let is_reachable = |real: PathBuf| real.ancestors().skip(1).all(may_enter);
    users.all_may(Mode::S_IROTH, metadata) && real.is_ok_and(is_reachable)
}

/// Reads a whole file that was opened with `O_NONBLOCK`.
pub fn from(file: File, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    whole(stat_and_take(file, path, limit)?, limit)
}

fn whole(opened: Opened, limit: u64) -> io::Result<Vec<u8>> {
    let (path, size) = (opened.path, opened.size);
    if size > limit {
        return Err(refuse(path, Why::TooLarge { size, limit }));
    }
    let bytes = opened.rest()?;
    match bytes.len() as u64 > limit {
        true => Err(refuse(path, Why::Endless(limit))),
        false => Ok(bytes),
    }
}

impl Opened<'_> {
    /// Reads as much as the file had when it was opened. What is appended afterwards is left out.
    fn rest(mut self) -> io::Result<Vec<u8>> {
        let unread = |e| unreadable(self.path, e);
        let known = self.size.min(self.file.limit());
        let mut bytes = Vec::new();
        if known == 0 {
            // The size of a file in `/proc` is 0.
            bytes.reserve(usize::try_from(SMALL.min(self.file.limit())).unwrap_or_default());
            self.file.read_to_end(&mut bytes).map_err(unread)?;
        } else {
            bytes.resize(usize::try_from(known).unwrap_or_default(), 0);
            let read = fill(&mut self.file, &mut bytes).map_err(unread)?;
            bytes.truncate(read);
        }
        super::budget::PROCESS.bytes(self.path, bytes.len() as u64)?;
        Ok(bytes)
    }
}

/// Reads until the buffer is full or the file ends, and returns how much that was. Once the buffer is full, the kernel is
/// not asked for more.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(length)
}

/// Reads a whole file, which has to be UTF-8.
pub fn read_to_string(path: &Path, limit: u64) -> io::Result<String> {
    to_text(read(path, limit)?, path)
}

/// Converts the content of a file to text.
pub(super) fn to_text(bytes: Vec<u8>, path: &Path) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| refuse(path, Why::NotText))
}

/// Reads the beginning of a file in `/proc`, which the kernel writes. The length is small, so one read is enough.
pub(crate) fn of_kernel(path: &str, length: usize) -> io::Result<Vec<u8>> {
    let mut text = vec![0; length];
    let read = open_with(Path::new(path), OFlag::empty())?.read(&mut text)?;
    text.truncate(read);
    Ok(text)
}

/// Reads at most `length` bytes from the beginning of a file.
pub fn head(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    beginning(open(path, length)?, length)
}

/// Reads the beginning of a file that was opened with `O_NONBLOCK`.
pub(super) fn head_of(file: File, path: &Path, length: u64) -> io::Result<Vec<u8>> {
    beginning(stat_and_take(file, path, length)?, length)
}

fn beginning(mut opened: Opened, length: u64) -> io::Result<Vec<u8>> {
    opened.file.set_limit(length);
    opened.rest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::refused::hint;
    use crossmerge_plan::shown::Show;
    use std::os::unix::fs::FileExt;

    fn read_found(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        Found::at(path, limit, None)?.content
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        fs_err::write(&path, "abc").expect("a file");
        assert_eq!(read(&path, 3).expect("just so many"), b"abc");
        assert_eq!(head(&path, 2).expect("the beginning"), b"ab");
        assert_eq!(head(&path, 9).expect("all of it"), b"abc");
        let error = read(&path, 2).expect_err("one too many");
        assert_eq!(
            refused(&error),
            Some(Why::TooLarge { size: 3, limit: 2 }),
            "{error}"
        );
        let message = error.to_string();
        assert!(message.starts_with(&format!("`{}` has 3 bytes", path.shown())));
        assert!(reason(&error).starts_with("has 3 bytes"));
        assert!(hint(&error).is_some_and(|hint| hint.contains("ls -lL")));
        let file = fs_err::File::create(&path).expect("a file");
        file.file().write_at(b"x", 1 << 40).expect("a hole");
        assert!(refused(&read(&path, CONTENTS).expect_err("a terabyte")).is_some());
        assert!(refused(&check(&path, CONTENTS).expect_err("a terabyte")).is_some());
    }

    #[test]
    fn content_is_the_same_only_in_every_byte() {
        let text: Vec<u8> = (0..40).collect();
        assert!(is_same(&text, &text.clone()) && is_same(&[], &[]));
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] += 1;
            assert!(!is_same(&text, &other), "{at}");
            assert!(
                !is_same(&text, &text[..at]) && !is_same(&text[..at], &text),
                "{at}"
            );
        }
    }

    #[test]
    fn a_pipe_a_socket_and_a_device_are_errors_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let socket = directory.path().join("socket");
        let _listens = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for (path, why) in [
            (pipe.as_path(), Why::NotRegular("a pipe")),
            (&socket, Why::NotRegular("a socket")),
            (Path::new("/dev/zero"), Why::NotRegular("a device")),
        ] {
            for error in [
                read_found(path, 9).err(),
                read(path, 9).err(),
                head(path, 9).err(),
                check(path, 9).err(),
            ] {
                assert_eq!(error.as_ref().and_then(refused), Some(why), "{error:?}");
            }
        }
        for read in [read, read_found] {
            assert_eq!(read(Path::new("/dev/null"), 9).expect("nothing"), b"");
        }
        let error = read(directory.path(), 9).expect_err("a directory");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert!(hint(&error).is_some_and(|hint| hint.contains("ls -lL")));
        // Its size is 0.
        let error = read(Path::new("/proc/self/maps"), 9).expect_err("more than that");
        assert_eq!(refused(&error), Some(Why::Endless(9)));
    }

    #[test]
    fn the_reason_of_an_error_has_no_path() {
        let error = read(Path::new("/nowhere/at/all"), 9).expect_err("nothing there");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(reason(&error), "No such file or directory (os error 2)");
        assert_eq!(hint(&error), None);
    }
}
