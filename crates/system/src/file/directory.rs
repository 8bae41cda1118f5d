//! A directory that was reached with care, and what is done in it: the one place that makes, renames or removes anything on a disk.
//!
//! The way there is gone component by component, each opened without following it. A link is followed only where nobody but root
//! and we could have put it (`trust.rs`); everything else happens relative to the open directory, where names have no `/` and no link
//! is followed. So nothing that another user does to the path meanwhile leads elsewhere. Modes are set as they are asked for:
//! no umask changes them.

use super::{
    error::FileError,
    owner::Owned,
    trust::Trust,
    walk::{MOST_LINKS, Rest, push},
};
use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{
        AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat, renameat,
    },
    sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat},
    unistd::{UnlinkatFlags, fsync, geteuid, linkat, symlinkat, syncfs, unlinkat},
};
use std::{
    ffi::{OsStr, OsString},
    fs::{File, Permissions},
    io::{self, Read},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::PermissionsExt},
    },
    path::{Component, Path, PathBuf},
};

/// What every directory has that is made on the way.
pub(super) const DIRECTORY_MODE: u32 = 0o755;

/// What every lock has.
const LOCK_MODE: u32 = 0o600;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    pub(super) fd: OwnedFd,
    pub(super) path: PathBuf,
}

type Result<T> = std::result::Result<T, FileError>;

/// Returns whether it is a directory, a link, or whatever the kind says.
pub fn is_kind(stat: &FileStat, kind: SFlag) -> bool {
    Owned::from(stat).is(kind)
}

impl Directory {
    /// Opens a directory that is there.
    pub fn open(path: &Path) -> Result<Self> {
        walk(path, None)
    }

    /// Opens a directory, made where it is missing with those above it, and names in `made` what was.
    pub fn make(path: &Path, made: &mut Vec<PathBuf>) -> Result<Self> {
        walk(path, Some(made))
    }

    /// Opens the directory of a path, as [`Directory::make`] does, and gives the last name.
    pub fn of<'p>(path: &'p Path, made: &mut Vec<PathBuf>) -> Result<(Self, &'p OsStr)> {
        let name = name(path)?;
        Ok((Self::make(parent(path), made)?, name))
    }

    /// Opens the directory of a path as [`Directory::of`] does; when a link is there, that of the file it leads to. Gives the last name.
    pub fn of_file(path: &Path) -> Result<(Self, OsString)> {
        let mut place = path.to_owned();
        for _ in 0..MOST_LINKS {
            let (directory, last) = Self::of(&place, &mut Vec::new())?;
            let Some(target) = directory.follow(last, path)? else {
                return Ok((directory, last.to_owned()));
            };
            place = parent(&place).join(target);
        }
        Err(FileError::system("reach", path, Errno::ELOOP))
    }

    /// Where the link of that name leads; none when there is no link, an error when it is not to be followed.
    fn follow(&self, name: &OsStr, wanted: &Path) -> Result<Option<PathBuf>> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        match openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::ENOENT) => Ok(None),
            Err(e) => Err(self.error("open", name, e)),
            Ok(fd) => link_target(&fd, self, name, wanted),
        }
    }

    /// Its path, for a user.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of its file system.
    pub fn device(&self) -> Result<u64> {
        let stat = fstat(&self.fd).map_err(|e| self.error("look at", OsStr::new(""), e))?;
        Ok(stat.st_dev)
    }

    fn error(&self, what: &'static str, name: &OsStr, source: impl Into<io::Error>) -> FileError {
        let path = match name.is_empty() {
            true => self.path.clone(),
            false => self.path.join(name),
        };
        FileError::system(what, &path, source)
    }

    /// What is there under a name, as it is itself; none when nothing is.
    pub fn stat(&self, name: &OsStr) -> Result<Option<FileStat>> {
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(None),
            Err(e) => Err(self.error("look at", name, e)),
            Ok(stat) => Ok(Some(stat)),
        }
    }

    /// The mode that a file of that name keeps when it is replaced: that of the file which is there and is root's or ours, else what
    /// is given. What another user lets everybody write is not to be so when it is ours.
    pub fn mode_of(&self, name: &OsStr, otherwise: u32) -> Result<u32> {
        let is_kept =
            |stat: &FileStat| is_kind(stat, SFlag::S_IFREG) && Trust::own().is_known(stat.st_uid);
        let file = self.stat(name)?.filter(is_kept);
        Ok(file.map_or(otherwise, |stat| stat.st_mode & 0o777))
    }

    /// Refuses to replace what is no file.
    pub fn check_replaceable(&self, name: &OsStr) -> Result<()> {
        let replaceable = [SFlag::S_IFREG, SFlag::S_IFLNK];
        match self.stat(name)? {
            Some(stat) if !replaceable.iter().any(|kind| is_kind(&stat, *kind)) => {
                Err(FileError::NotAFile(self.path.join(name)))
            }
            _ => Ok(()),
        }
    }

    /// Makes a file that was not there, and opens it for writing.
    pub fn create(&self, name: &OsStr) -> Result<File> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        Ok(fd.map_err(|e| self.error("make", name, e))?.into())
    }

    /// Makes a file that was not there, with what is read and the mode. One that cannot be completed is taken away.
    pub fn write(&self, name: &OsStr, mut content: impl Read, mode: u32) -> Result<File> {
        let mut file = self.create(name)?;
        let filled = io::copy(&mut content, &mut file)
            .and_then(|_| file.set_permissions(Permissions::from_mode(mode)));
        match filled {
            Ok(()) => Ok(file),
            Err(e) => {
                let _ = self.remove(name);
                Err(self.error("write", name, e))
            }
        }
    }

    /// The same, and brings it to the disk.
    pub fn write_synced(&self, name: &OsStr, content: impl Read, mode: u32) -> Result<()> {
        self.write(name, content, mode)?.sync_all().map_err(|e| {
            let _ = self.remove(name);
            self.error("write", name, e)
        })
    }

    /// Opens what has the name, as it is itself, for looking at it and for nothing else.
    pub fn look(&self, name: &OsStr) -> Result<File> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty());
        Ok(fd.map_err(|e| self.error("open", name, e))?.into())
    }

    /// Sets the mode of what was looked at, whatever has its name by now.
    pub fn set_mode_of(&self, looked_at: &File, name: &OsStr, mode: u32) -> Result<()> {
        // Only so can the mode of a file be set that may not be read.
        let path = format!("/proc/self/fd/{}", looked_at.as_raw_fd());
        std::fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|e| self.error("set the mode of", name, e))
    }

    /// The path without links, as it is now.
    pub fn real(&self) -> PathBuf {
        let name = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        readlinkat(AT_FDCWD, name.as_str()).map_or_else(|_| self.path.clone(), PathBuf::from)
    }

    /// Opens the file of a lock, made when it is not there. Only who may write it can hold it, so it is for its owner alone. Tells
    /// too whether it is another user's, who can hold it for ever.
    pub fn open_lock(&self, name: &OsStr) -> Result<(File, bool)> {
        let flags = OFlag::O_RDWR
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        let fd = fd.map_err(|e| match e {
            Errno::ELOOP => FileError::NotAFile(self.path.join(name)),
            e => self.error("open", name, e),
        })?;
        let stat = fstat(&fd).map_err(|e| self.error("look at", name, e))?;
        if !is_kind(&stat, SFlag::S_IFREG) {
            return Err(FileError::NotAFile(self.path.join(name)));
        }
        let file = File::from(fd);
        if stat.st_mode & 0o7777 != LOCK_MODE && stat.st_uid == geteuid().as_raw() {
            file.set_permissions(Permissions::from_mode(LOCK_MODE))
                .map_err(|e| self.error("set the mode of", name, e))?;
        }
        Ok((file, !Trust::own().is_known(stat.st_uid)))
    }

    /// Makes a link.
    pub fn link(&self, name: &OsStr, target: &Path) -> Result<()> {
        symlinkat(target, &self.fd, name).map_err(|e| self.error("make", name, e))
    }

    /// Makes a directory.
    pub fn directory(&self, name: &OsStr, mode: u32) -> Result<()> {
        mkdirat(&self.fd, name, Mode::from_bits_truncate(mode & 0o755))
            .map_err(|e| self.error("make", name, e))?;
        // Another user, whose directory it is in, may have put a name of another file in its place: only a directory gets the mode.
        let made = self.look(name)?;
        let stat = fstat(&made).map_err(|e| self.error("look at", name, e))?;
        if !is_kind(&stat, SFlag::S_IFDIR) {
            return Err(FileError::Changed(self.path.join(name)));
        }
        // A bit that the directory hands down stays.
        let wanted = stat.st_mode & Mode::S_ISGID.bits() | mode;
        match stat.st_mode & 0o7777 == wanted {
            true => Ok(()),
            false => self.set_mode_of(&made, name, wanted),
        }
    }

    /// Makes a directory unless another run was faster; returns whether it did.
    pub(super) fn make_unless_exists(&self, name: &OsStr, mode: u32) -> Result<bool> {
        match self.directory(name, mode) {
            Err(FileError::System { source, .. })
                if source.kind() == io::ErrorKind::AlreadyExists =>
            {
                Ok(false)
            }
            made => made.map(|()| true),
        }
    }

    /// Gives a file another name besides.
    pub fn hard_link(&self, name: &OsStr, from: &Self, old: &OsStr) -> Result<()> {
        linkat(&from.fd, old, &self.fd, name, AtFlags::empty())
            .map_err(|e| self.error("make", name, e))
    }

    /// Renames, and replaces what has the new name. What cannot be renamed is taken away.
    pub fn rename(&self, old: &OsStr, new: &OsStr) -> Result<()> {
        renameat(&self.fd, old, &self.fd, new).map_err(|e| {
            let _ = self.remove(old);
            self.error("replace", new, e)
        })
    }

    /// Removes a file, a link or an empty directory; nothing there is well too.
    pub fn remove(&self, name: &OsStr) -> Result<()> {
        let gone = match self.stat(name)? {
            None => return Ok(()),
            Some(stat) if is_kind(&stat, SFlag::S_IFDIR) => {
                unlinkat(&self.fd, name, UnlinkatFlags::RemoveDir)
            }
            Some(_) => unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir),
        };
        match gone {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(e) => Err(self.error("remove", name, e)),
        }
    }

    /// Removes everything in it, and below, but for what is spared here by its name.
    pub fn clear(&self, spared: &dyn Fn(&OsStr) -> bool) -> Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let failed = |e| self.error("read", OsStr::new(""), e);
        let mut listing = Dir::openat(&self.fd, ".", flags, Mode::empty()).map_err(failed)?;
        let names = listing
            .iter()
            .map(|entry| Ok(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned()));
        let names: Vec<OsString> = names.collect::<nix::Result<_>>().map_err(failed)?;
        let wanted = |name: &&OsString| *name != "." && *name != ".." && !spared(name);
        for name in names.iter().filter(wanted) {
            let stat = self.stat(name)?;
            if stat.is_some_and(|stat| is_kind(&stat, SFlag::S_IFDIR)) {
                let fd = openat(&self.fd, name.as_os_str(), flags, Mode::empty());
                let below = Self {
                    fd: fd.map_err(|e| self.error("open", name, e))?,
                    path: self.path.join(name),
                };
                below.clear(&|_| false)?;
            }
            self.remove(name)?;
        }
        Ok(())
    }

    /// Brings its list of names to the disk.
    pub fn sync_names(&self) -> Result<()> {
        self.readable()
            .and_then(fsync)
            .map_err(|e| self.error("write", OsStr::new(""), e))
    }

    /// Brings everything of its file system to the disk: one wait, however many files.
    pub fn sync(&self) -> Result<()> {
        self.readable()
            .and_then(syncfs)
            .map_err(|e| self.error("write", OsStr::new(""), e))
    }

    /// The directory once more, for what an open path alone does not allow.
    fn readable(&self) -> nix::Result<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        openat(&self.fd, ".", flags, Mode::empty())
    }
}

/// The directory of a path.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// The last name of a path, which has to have one.
fn name(path: &Path) -> Result<&OsStr> {
    match path.file_name() {
        Some(name) => Ok(name),
        None => Err(FileError::NotAFile(path.into())),
    }
}

/// Where a link that was opened leads; none when it is no link, an error when it is not to be followed.
fn link_target(
    fd: &OwnedFd,
    directory: &Directory,
    name: &OsStr,
    wanted: &Path,
) -> Result<Option<PathBuf>> {
    let path = directory.path.join(name);
    let failed = |e| FileError::system("look at", &path, e);
    let stat = fstat(fd).map_err(failed)?;
    if !is_kind(&stat, SFlag::S_IFLNK) {
        return Ok(None);
    }
    let holder = fstat(&directory.fd).map_err(failed)?;
    let target = PathBuf::from(readlinkat(fd, "").map_err(failed)?);
    match Trust::own().may_follow(Owned::from(&stat), Owned::from(&holder)) {
        true => Ok(Some(target)),
        false => {
            let owners = [stat.st_uid, holder.st_uid];
            Err(FileError::foreign_link(path, wanted, target, owners))
        }
    }
}

/// Goes to a directory. With a list, what is missing is made and put on it.
fn walk(wanted: &Path, made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
    // Mostly everything is there, and no link on the way: then one call is enough.
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    match openat2(AT_FDCWD, wanted, how) {
        Ok(fd) => Ok(Directory {
            fd,
            path: wanted.into(),
        }),
        Err(_) => {
            let directory = walk_slowly(wanted, made)?;
            let stat = fstat(&directory.fd).map_err(|e| FileError::system("open", wanted, e))?;
            match is_kind(&stat, SFlag::S_IFDIR) {
                true => Ok(directory),
                false => Err(FileError::system("enter", &directory.path, Errno::ENOTDIR)),
            }
        }
    }
}

/// Opens whatever is at a path, for looking at it and mounting it. A symlink that another user could have planted is an error.
pub fn look_at(path: &Path) -> Result<OwnedFd> {
    Ok(walk_slowly(path, None)?.fd)
}

/// The same, step by step, and with a reason when it fails.
fn walk_slowly(wanted: &Path, mut made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let start = |place: &str, path: &str| match open(place, flags, Mode::empty()) {
        Ok(fd) => Ok(Directory {
            fd,
            path: path.into(),
        }),
        Err(e) => Err(FileError::system("open", Path::new(place), e)),
    };
    let mut there = start(".", "")?;
    let (mut rest, mut links) = (Rest::new(), 0);
    push(&mut rest, wanted);
    while let Some(part) = rest.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => {
                there = start("/", "/")?;
                continue;
            }
            None | Some(Component::CurDir) => continue,
            _ => {}
        }
        let fd = match openat(&there.fd, part.as_os_str(), flags, Mode::empty()) {
            Err(Errno::ENOENT) if made.is_some() => {
                if there.make_unless_exists(&part, DIRECTORY_MODE)?
                    && let Some(made) = made.as_deref_mut()
                {
                    made.push(there.path.join(&part));
                }
                // What is there now is looked at as if it had been.
                rest.push(part);
                continue;
            }
            fd => fd.map_err(|e| FileError::system("open", &there.path.join(&part), e))?,
        };
        let path = there.path.join(&part);
        match link_target(&fd, &there, &part, wanted)? {
            None => there = Directory { fd, path },
            Some(_) if links == MOST_LINKS => {
                return Err(FileError::system("reach", wanted, Errno::ELOOP));
            }
            Some(target) => {
                links += 1;
                push(&mut rest, &target);
            }
        }
    }
    Ok(there)
}
