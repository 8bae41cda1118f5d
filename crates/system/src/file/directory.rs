//! Directories opened safely, and all changes in them: the only code that creates, renames or removes anything on a
//! disk.
//!
//! The path to a directory is walked one component at a time with `O_NOFOLLOW`. A symlink is followed only if no user
//! other than root and the current one could have created it (`trust.rs`). All changes are made relative to the open
//! directory, by names without `/` and without following symlinks. Therefore another user cannot redirect them by
//! changing the path meanwhile. Modes do not depend on the umask.
//!
//! # Errors
//!
//! A [`FileError`] names the path and the system call that failed. Opening a directory also fails with
//! [`FileError::ForeignLink`] at a symlink that must not be followed. A path that must be a regular file and is not
//! one is [`FileError::NotAFile`].

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

/// The mode of missing directories of a path that are created.
pub(super) const DIRECTORY_MODE: u32 = 0o755;

/// The mode of lock files.
const LOCK_MODE: u32 = 0o600;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    pub(super) fd: OwnedFd,
    pub(super) path: PathBuf,
}

type Result<T> = std::result::Result<T, FileError>;

/// Returns whether the file has this type.
pub fn is_kind(stat: &FileStat, kind: SFlag) -> bool {
    Owned::from(stat).is(kind)
}

impl Directory {
    /// Opens an existing directory.
    pub fn open(path: &Path) -> Result<Self> {
        walk(path, None)
    }

    /// Opens a directory. If it or its parents are missing, creates them and adds their paths to `made`.
    pub fn make(path: &Path, made: &mut Vec<PathBuf>) -> Result<Self> {
        walk(path, Some(made))
    }

    /// Opens the parent directory of a path, as [`Directory::make`] does, and returns it with the last name of the
    /// path.
    pub fn of<'p>(path: &'p Path, made: &mut Vec<PathBuf>) -> Result<(Self, &'p OsStr)> {
        let name = name(path)?;
        Ok((Self::make(parent(path), made)?, name))
    }

    /// Opens the parent directory of a path as [`Directory::of`] does. If the path is a symlink, opens that of its
    /// target. Returns it with the last name.
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

    /// Returns the target of a symlink. `None` if the name is not a symlink or does not exist, an error if the symlink
    /// must not be followed.
    fn follow(&self, name: &OsStr, wanted: &Path) -> Result<Option<PathBuf>> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        match openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::ENOENT) => Ok(None),
            Err(e) => Err(self.error("open", name, e)),
            Ok(fd) => link_target(&fd, self, name, wanted),
        }
    }

    /// Returns its path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the device number of its file system.
    pub fn device(&self) -> Result<u64> {
        let stat = fstat(&self.fd).map_err(|e| self.error("stat", OsStr::new(""), e))?;
        Ok(stat.st_dev)
    }

    fn error(&self, what: &'static str, name: &OsStr, source: impl Into<io::Error>) -> FileError {
        let path = match name.is_empty() {
            true => self.path.clone(),
            false => self.path.join(name),
        };
        FileError::system(what, &path, source)
    }

    /// Calls lstat(2) on a name. Returns `None` if it does not exist.
    pub fn stat(&self, name: &OsStr) -> Result<Option<FileStat>> {
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(None),
            Err(e) => Err(self.error("stat", name, e)),
            Ok(stat) => Ok(Some(stat)),
        }
    }

    /// Returns the mode for a file that replaces the one of that name: the mode of an existing file, else `otherwise`.
    /// The mode of another user's file is not kept, because it could make the new file writable by every user.
    pub fn mode_of(&self, name: &OsStr, otherwise: u32) -> Result<u32> {
        let is_kept = |stat: &FileStat| {
            is_kind(stat, SFlag::S_IFREG) && Trust::own().is_trusted_user(stat.st_uid)
        };
        let file = self.stat(name)?.filter(is_kept);
        Ok(file.map_or(otherwise, |stat| stat.st_mode & 0o777))
    }

    /// Checks that a name is a regular file or a symlink, or does not exist.
    pub fn check_replaceable(&self, name: &OsStr) -> Result<()> {
        let replaceable = [SFlag::S_IFREG, SFlag::S_IFLNK];
        match self.stat(name)? {
            Some(stat) if !replaceable.iter().any(|kind| is_kind(&stat, *kind)) => {
                Err(FileError::NotAFile(self.path.join(name)))
            }
            _ => Ok(()),
        }
    }

    /// Creates a new file and opens it for writing.
    pub fn create(&self, name: &OsStr) -> Result<File> {
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        Ok(fd.map_err(|e| self.error("create", name, e))?.into())
    }

    /// Creates a new file with this content and mode. If that fails, removes the incomplete file.
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

    /// Creates a file as [`Directory::write`] does, and syncs it to the disk.
    pub fn write_synced(&self, name: &OsStr, content: impl Read, mode: u32) -> Result<()> {
        self.write(name, content, mode)?.sync_all().map_err(|e| {
            let _ = self.remove(name);
            self.error("write", name, e)
        })
    }

    /// Opens a name with `O_PATH`, without following a symlink.
    pub fn open_path_nofollow(&self, name: &OsStr) -> Result<File> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty());
        Ok(fd.map_err(|e| self.error("open", name, e))?.into())
    }

    /// Sets the mode of the file that was opened, even if the name has become another file.
    pub fn set_mode_of(&self, opened: &File, name: &OsStr, mode: u32) -> Result<()> {
        // fchmod(2) fails for an `O_PATH` descriptor, and the file may not be readable.
        let path = format!("/proc/self/fd/{}", opened.as_raw_fd());
        std::fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|e| self.error("set the mode of", name, e))
    }

    /// Returns the current path of the directory, without symlinks.
    pub fn real(&self) -> PathBuf {
        let name = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        readlinkat(AT_FDCWD, name.as_str()).map_or_else(|_| self.path.clone(), PathBuf::from)
    }

    /// Opens a lock file, creating it if it is missing. Only its owner can open it, because every user who can open it
    /// can hold the lock. Returns it, and whether it belongs to another user, who could hold the lock for ever.
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
        let stat = fstat(&fd).map_err(|e| self.error("stat", name, e))?;
        if !is_kind(&stat, SFlag::S_IFREG) {
            return Err(FileError::NotAFile(self.path.join(name)));
        }
        let file = File::from(fd);
        if stat.st_mode & 0o7777 != LOCK_MODE && stat.st_uid == geteuid().as_raw() {
            file.set_permissions(Permissions::from_mode(LOCK_MODE))
                .map_err(|e| self.error("set the mode of", name, e))?;
        }
        Ok((file, !Trust::own().is_trusted_user(stat.st_uid)))
    }

    /// Creates a symlink.
    pub fn link(&self, name: &OsStr, target: &Path) -> Result<()> {
        symlinkat(target, &self.fd, name).map_err(|e| self.error("create", name, e))
    }

    /// Creates a directory.
    pub fn directory(&self, name: &OsStr, mode: u32) -> Result<()> {
        mkdirat(&self.fd, name, Mode::from_bits_truncate(mode & 0o755))
            .map_err(|e| self.error("create", name, e))?;
        // The owner of the parent directory may have replaced it by another file or a symlink: set the mode only of a
        // directory.
        let made = self.open_path_nofollow(name)?;
        let stat = fstat(&made).map_err(|e| self.error("stat", name, e))?;
        if !is_kind(&stat, SFlag::S_IFDIR) {
            return Err(FileError::Changed(self.path.join(name)));
        }
        // The set-group-ID bit, inherited from the parent directory, stays.
        let wanted = stat.st_mode & Mode::S_ISGID.bits() | mode;
        match stat.st_mode & 0o7777 == wanted {
            true => Ok(()),
            false => self.set_mode_of(&made, name, wanted),
        }
    }

    /// Creates a directory. Returns `false` if it exists already: another run may have created it in the meantime.
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

    /// Creates a hard link to a file.
    pub fn hard_link(&self, name: &OsStr, from: &Self, old: &OsStr) -> Result<()> {
        linkat(&from.fd, old, &self.fd, name, AtFlags::empty())
            .map_err(|e| self.error("create", name, e))
    }

    /// Renames a file, replacing one with the new name. If that fails, removes the file.
    pub fn rename(&self, old: &OsStr, new: &OsStr) -> Result<()> {
        renameat(&self.fd, old, &self.fd, new).map_err(|e| {
            let _ = self.remove(old);
            self.error("replace", new, e)
        })
    }

    /// Moves a file or directory to a name that does not exist, or is an empty directory, in another directory of the
    /// same file system. If that fails, nothing changes.
    pub fn move_to(&self, old: &OsStr, directory: &Self, new: &OsStr) -> Result<()> {
        renameat(&self.fd, old, &directory.fd, new).map_err(|e| self.error("move", old, e))
    }

    /// Removes a file, symlink or empty directory. Succeeds if it does not exist.
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

    /// Removes everything in the directory, recursively, except the entries whose names `spared` returns true for.
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

    /// Syncs the directory itself, and so the names in it, to the disk.
    pub fn sync_names(&self) -> Result<()> {
        self.readable()
            .and_then(fsync)
            .map_err(|e| self.error("write", OsStr::new(""), e))
    }

    /// Syncs its whole file system to the disk, which is faster than syncing many files.
    pub fn sync(&self) -> Result<()> {
        self.readable()
            .and_then(syncfs)
            .map_err(|e| self.error("write", OsStr::new(""), e))
    }

    /// Opens the directory for reading. The `O_PATH` descriptor cannot be synced.
    fn readable(&self) -> nix::Result<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        openat(&self.fd, ".", flags, Mode::empty())
    }
}

/// Returns the parent directory of a path.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// Returns the last name of a path. A path that ends in `..` or is `/` is an error.
fn name(path: &Path) -> Result<&OsStr> {
    match path.file_name() {
        Some(name) => Ok(name),
        None => Err(FileError::NotAFile(path.into())),
    }
}

/// Returns the target of an opened symlink. `None` if it is not a symlink, an error if it must not be followed.
fn link_target(
    fd: &OwnedFd,
    directory: &Directory,
    name: &OsStr,
    wanted: &Path,
) -> Result<Option<PathBuf>> {
    let path = directory.path.join(name);
    let failed = |e| FileError::system("stat", &path, e);
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

/// Opens a directory. With a list, creates missing directories and adds their paths to it.
fn walk(wanted: &Path, made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
    // Usually the directory exists and the path has no symlinks: then one system call is enough.
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

/// Opens a path of any type with `O_PATH`, to examine or mount it. A symlink on the path that another user could have
/// created is an error.
pub fn open_path(path: &Path) -> Result<OwnedFd> {
    Ok(walk_slowly(path, None)?.fd)
}

/// Opens a path one component at a time, so that an error names the component that failed.
fn walk_slowly(wanted: &Path, mut made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let start = |place: &str, path: &str| match open(place, flags, Mode::empty()) {
        Ok(fd) => Ok(Directory {
            fd,
            path: path.into(),
        }),
        Err(e) => Err(FileError::system("open", Path::new(place), e)),
    };
    let mut current = start(".", "")?;
    let (mut rest, mut links) = (Rest::new(), 0);
    push(&mut rest, wanted);
    while let Some(part) = rest.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => {
                current = start("/", "/")?;
                continue;
            }
            None | Some(Component::CurDir) => continue,
            _ => {}
        }
        let fd = match openat(&current.fd, part.as_os_str(), flags, Mode::empty()) {
            Err(Errno::ENOENT) if made.is_some() => {
                if current.make_unless_exists(&part, DIRECTORY_MODE)?
                    && let Some(made) = made.as_deref_mut()
                {
                    made.push(current.path.join(&part));
                }
                // The next iteration opens it like an existing one.
                rest.push(part);
                continue;
            }
            fd => fd.map_err(|e| FileError::system("open", &current.path.join(&part), e))?,
        };
        let path = current.path.join(&part);
        match link_target(&fd, &current, &part, wanted)? {
            None => current = Directory { fd, path },
            Some(_) if links == MOST_LINKS => {
                return Err(FileError::system("reach", wanted, Errno::ELOOP));
            }
            Some(target) => {
                links += 1;
                push(&mut rest, &target);
            }
        }
    }
    Ok(current)
}
