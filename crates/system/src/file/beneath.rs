//! Directory trees that another user may have created, such as a sysroot or a root. All access to files in them goes
//! through this module.
//!
//! [`Tree::open`] walks the path to the tree as it is written and keeps a descriptor of it. Everything below is opened
//! from that descriptor, one component at a time with `O_NOFOLLOW`. So a path is resolved only once, and no symlink
//! leads out of the tree, whichever user owns it and whatever another user changes meanwhile. A [`Node`] is an `O_PATH`
//! descriptor. Type, identity, mode and content are all taken from it, so a device or a FIFO is recognised before it
//! is opened.
//!
//! openat2(2) resolves a path without symlinks in one call. On kernels without it (before Linux 5.6), the walk by
//! components does the same with more calls.
//!
//! # Errors
//!
//! A [`FileError`] names the path and the system call that failed. A lookup that is to change something also fails with
//! [`FileError::LeadsOut`] or [`FileError::ForeignLink`] at a symlink that must not be followed. Reading a file fails
//! as described in [`read`].

use super::{
    budget,
    directory::{DIRECTORY_MODE, Directory, is_kind},
    error::FileError,
    owner::Owned,
    path::Identity,
    path::without_dots,
    read, refused,
    trust::Trust,
    walk::{MOST_LINKS, Rest, push},
};
use crossmerge_plan::{report, shown::Show};
use nix::{
    dir::{Dir, Type},
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat},
    sys::stat::{FileStat, Mode, SFlag, fstat, fstatat},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
    sync::Mutex,
};

/// The greatest depth of a path. Each directory needs a descriptor while it is walked, and a process has 1024 by
/// default.
pub const MOST_DEPTH: usize = 256;

/// The flags for opening a name of any type, without following a symlink.
const OPEN_PATH: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The symlinks that were reported because they lead out of a tree.
static REPORTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The way in which symlinks below the tree are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As on the host. A symlink that leads out of the tree ends the walk with [`End::Out`].
    Beneath,
    /// As for a process whose root is the tree. An absolute symlink starts at the tree, and `..` stays in it, so none
    /// leads out.
    InRoot,
}

/// The options of a walk.
#[derive(Debug, Clone, Copy)]
struct How {
    links: Links,
    /// Whether to follow a symlink at the end.
    follows_last: bool,
    /// Whether to reject symlinks that another user could have created, because the result is to be changed.
    is_careful: bool,
}

/// An open directory tree.
#[derive(Debug)]
pub struct Tree {
    top: OwnedFd,
    /// The absolute path as the user wrote it.
    path: PathBuf,
    /// The path without symlinks.
    real: PathBuf,
}

/// A file of any type in a tree: an open descriptor and its metadata.
#[derive(Debug)]
pub struct Node {
    fd: OwnedFd,
    stat: FileStat,
    path: PathBuf,
    place: PathBuf,
}

/// The type of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symlink.
    Symlink,
    /// A device, a FIFO or a socket.
    Other,
}

impl FileKind {
    fn of(stat: &FileStat) -> Self {
        match () {
            () if is_kind(stat, SFlag::S_IFREG) => Self::File,
            () if is_kind(stat, SFlag::S_IFDIR) => Self::Directory,
            () if is_kind(stat, SFlag::S_IFLNK) => Self::Symlink,
            () => Self::Other,
        }
    }
}

/// The result of walking a path.
#[derive(Debug)]
pub struct Walk {
    /// The resolved path, relative to the tree and without symlinks, including components that do not exist.
    pub place: PathBuf,
    /// The symlinks on the path: the resolved path and the target of each.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// The end of the walk.
    pub end: End,
}

/// The end of a walk.
#[derive(Debug)]
pub enum End {
    /// At an existing file.
    Node(Node),
    /// At a path that does not exist.
    Missing,
    /// After more symlinks than the kernel follows.
    Loop,
    /// At the last of [`Walk::links`], which leads out of the tree.
    Out,
    /// At a `..` of the path itself, which leads out of the tree.
    Above,
}

type Result<T> = std::result::Result<T, FileError>;

impl Tree {
    /// Opens a tree to change it. A symlink on the path to it that another user could have created is an error.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_fd(Directory::open(path)?.fd, path)
    }

    /// Opens a tree to change it, as [`Tree::open`] does. Creates missing directories on the path to it and adds them
    /// to `made`.
    pub fn make(path: &Path, made: &mut Vec<PathBuf>) -> Result<Self> {
        Self::from_fd(Directory::make(path, made)?.fd, path)
    }

    /// Opens a tree to change it, as [`Tree::open`] does. Returns `None` if it does not exist.
    pub fn open_if_exists(path: &Path) -> Result<Option<Self>> {
        match Self::open(path) {
            Err(FileError::System { source, .. }) if is_absent(&source) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Opens a tree to read it: the path to it may go through any symlinks.
    pub fn open_to_read(path: &Path) -> Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let top = open(path, flags, Mode::empty());
        Self::from_fd(top.map_err(|e| FileError::system("open", path, e))?, path)
    }

    /// Creates a tree from an open directory. `path` is its path for messages.
    pub fn from_fd(top: OwnedFd, path: &Path) -> Result<Self> {
        let absolute = std::path::absolute(path);
        let path = absolute.map_err(|e| FileError::system("open", path, e))?;
        // The kernel's path of the open directory: the given path may lead elsewhere by now.
        let name = format!("/proc/self/fd/{}", top.as_raw_fd());
        let real = readlinkat(AT_FDCWD, name.as_str()).map_or_else(|_| path.clone(), PathBuf::from);
        Ok(Self { top, path, real })
    }

    /// Returns the absolute path as it was written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the tree with another path for messages.
    pub fn called(self, path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, ..self }
    }

    /// Returns the path without symlinks, as it was when the tree was opened.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// Returns the open directory itself.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    /// Makes an absolute path relative to the tree. `None` if it begins neither with the tree's path nor with its real
    /// path.
    pub fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let rest = path.strip_prefix(&self.path);
        rest.or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    /// Looks up a path and follows symlinks. Returns `None` if it does not exist. A symlink that leads out of the tree
    /// is reported once, and counts as missing.
    pub fn find(&self, path: &Path) -> Result<Option<Node>> {
        self.node(path, true)
    }

    /// Looks up a path as [`Tree::find`] does, but does not follow a symlink at its end.
    pub fn find_nofollow(&self, path: &Path) -> Result<Option<Node>> {
        self.node(path, false)
    }

    fn node(&self, path: &Path, follows_last: bool) -> Result<Option<Node>> {
        let how = How {
            links: Links::Beneath,
            follows_last,
            is_careful: false,
        };
        let walk = match self.walk(path, how, None) {
            // Programs cannot open a path that is too long either.
            Err(FileError::System { source, .. })
                if source.raw_os_error() == Some(Errno::ENAMETOOLONG as i32) =>
            {
                return Ok(None);
            }
            walk => walk?,
        };
        if let (End::Out, Some((link, target))) = (&walk.end, walk.links.last()) {
            let link = self.path.join(link);
            let is_new = REPORTED
                .lock()
                .is_ok_and(|mut reported| reported.insert(link.clone()));
            if is_new {
                report::note(&format!(
                    "`{}` leads out of `{}`, to `{}`, and counts as missing",
                    link.shown(),
                    self.path.shown(),
                    target.shown()
                ));
            }
        }
        Ok(walk.node())
    }

    /// Looks up a path that is to be changed, without following a symlink at its end. A symlink on the path that leads
    /// out of the tree, or that another user could have created, is an error.
    pub fn find_nofollow_to_change(&self, path: &Path) -> Result<Option<Node>> {
        self.node_to_change(path, false)
    }

    /// Looks up a path as [`Tree::find_nofollow_to_change`] does, and follows a symlink at its end.
    pub fn find_to_change(&self, path: &Path) -> Result<Option<Node>> {
        self.node_to_change(path, true)
    }

    fn node_to_change(&self, path: &Path, follows_last: bool) -> Result<Option<Node>> {
        let how = How {
            links: Links::Beneath,
            follows_last,
            is_careful: true,
        };
        let walk = self.walk(path, how, None)?;
        self.check_inside(&walk, path)?;
        Ok(walk.node())
    }

    /// Opens the parent directory of a path to change it, and returns it with the last name. With a list, creates
    /// missing directories and adds them to it. Symlinks are treated as in [`Tree::find_nofollow_to_change`].
    pub fn directory_of<'p>(
        &self,
        path: &'p Path,
        made: Option<&mut Vec<PathBuf>>,
    ) -> Result<(Directory, &'p OsStr)> {
        let Some(name) = path.file_name() else {
            return Err(FileError::NotAFile(self.path.join(path)));
        };
        let above = path.parent().unwrap_or(Path::new(""));
        Ok((self.directory(above, made)?, name))
    }

    /// Opens a directory of the tree to change its entries, as [`Tree::directory_of`] does.
    pub fn directory(&self, path: &Path, made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
        let how = How {
            links: Links::Beneath,
            follows_last: true,
            is_careful: true,
        };
        let walk = self.walk(path, how, made)?;
        self.check_inside(&walk, path)?;
        let shown = self.path.join(path);
        match walk.node() {
            None => Err(FileError::system("open", &shown, Errno::ENOENT)),
            Some(node) if !node.is_dir() => Err(FileError::system("enter", &shown, Errno::ENOTDIR)),
            Some(node) => Ok(Directory {
                fd: node.fd,
                path: shown,
            }),
        }
    }

    fn check_inside(&self, walk: &Walk, path: &Path) -> Result<()> {
        match (&walk.end, walk.links.last()) {
            (End::Out, Some((link, target))) => Err(FileError::LeadsOut {
                link: self.path.join(link),
                target: target.clone(),
                tree: self.path.clone(),
            }),
            (End::Out | End::Above, _) => Err(FileError::system(
                "reach",
                &self.path.join(path),
                Errno::EXDEV,
            )),
            (End::Loop, _) => Err(FileError::system(
                "reach",
                &self.path.join(path),
                Errno::ELOOP,
            )),
            (End::Node(_) | End::Missing, _) => Ok(()),
        }
    }

    /// Looks up a path for a process whose root is the tree, without following a symlink at its end. Returns `None` if
    /// it cannot be reached.
    pub fn find_nofollow_in_root(&self, path: &Path) -> Option<Node> {
        let how = How {
            links: Links::InRoot,
            follows_last: false,
            is_careful: false,
        };
        self.walk(path, how, None).ok()?.node()
    }

    /// Walks a path and follows all symlinks.
    pub fn follow(&self, path: &Path, links: Links) -> Result<Walk> {
        let how = How {
            links,
            follows_last: true,
            is_careful: false,
        };
        self.walk(path, how, None)
    }

    /// Looks up a path for a process whose root is the tree, and follows symlinks. Returns `None` if it does not exist.
    pub fn find_in_root(&self, path: &Path) -> Result<Option<Node>> {
        let place = path.strip_prefix("/").unwrap_or(path);
        match open_in_root(&self.top, path) {
            Ok(fd) => self.node_of(fd, place.into()).map(Some),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG) => Ok(None),
            Err(Errno::ENOSYS) => Ok(self.follow(path, Links::InRoot)?.node()),
            Err(e) => Err(FileError::system("open", &self.path.join(place), e)),
        }
    }

    fn walk(&self, path: &Path, how: How, made: Option<&mut Vec<PathBuf>>) -> Result<Walk> {
        // Usually the path has no symlinks: then one system call is enough.
        let is_plain = |part| matches!(part, Component::Normal(_));
        if !path.as_os_str().is_empty() && path.components().all(is_plain) {
            let beneath = ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS;
            let opened = openat2(
                &self.top,
                path,
                OpenHow::new().flags(OPEN_PATH).resolve(beneath),
            );
            if let Ok(fd) = opened {
                let node = self.node_of(fd, path.into())?;
                if !(node.is_link() && how.follows_last) {
                    return Ok(Walk {
                        place: path.into(),
                        links: Vec::new(),
                        end: End::Node(node),
                    });
                }
            }
        }
        self.walk_slowly(path, how, made)
    }

    /// Walks component by component. A symlink changes what is left of the path, and also from where it is walked, so
    /// all of this is the state of one loop.
    fn walk_slowly(
        &self,
        path: &Path,
        how: How,
        mut made: Option<&mut Vec<PathBuf>>,
    ) -> Result<Walk> {
        let failed = |place: &Path, e: Errno| FileError::system("open", &self.path.join(place), e);
        let top = || openat(&self.top, ".", OPEN_PATH, Mode::empty());
        let mut walk = Walk {
            place: PathBuf::new(),
            links: Vec::new(),
            end: End::Missing,
        };
        // The open directories from the top of the tree to the current one. Components that do not exist are only
        // counted in `missing`.
        let mut stack: Vec<Node> = Vec::new();
        let mut missing = 0_usize;
        let mut rest = Rest::new();
        push(&mut rest, path);
        while let Some(part) = rest.pop() {
            match Path::new(&part).components().next() {
                None | Some(Component::CurDir) => continue,
                Some(Component::RootDir | Component::Prefix(_)) => {
                    (stack, missing) = (Vec::new(), 0);
                    walk.place = PathBuf::new();
                    continue;
                }
                Some(Component::ParentDir) => {
                    walk.place.pop();
                    if missing > 0 {
                        missing -= 1;
                    } else if stack.pop().is_none() && how.links == Links::Beneath {
                        walk.end = End::Above;
                        return Ok(walk);
                    }
                    continue;
                }
                Some(Component::Normal(_)) => {}
            }
            let next = walk.place.join(&part);
            let above = stack
                .last()
                .map_or(self.top.as_fd(), |node| node.fd.as_fd());
            let is_directory = stack.last().is_none_or(Node::is_dir);
            if missing > 0 || !is_directory {
                missing += 1;
                walk.place = next;
                continue;
            }
            if stack.len() == MOST_DEPTH {
                return Err(failed(&next, Errno::ENAMETOOLONG));
            }
            let fd = match openat(above, part.as_os_str(), OPEN_PATH, Mode::empty()) {
                Err(Errno::ENOENT) => {
                    let Some(made) = made.as_deref_mut() else {
                        missing += 1;
                        walk.place = next;
                        continue;
                    };
                    let directory = Directory {
                        fd: openat(above, ".", OPEN_PATH, Mode::empty())
                            .map_err(|e| failed(&next, e))?,
                        path: self.path.join(&walk.place),
                    };
                    if directory.make_unless_exists(&part, DIRECTORY_MODE)? {
                        made.push(self.path.join(&next));
                    }
                    // The next iteration opens it like an existing one.
                    rest.push(part);
                    continue;
                }
                fd => fd.map_err(|e| failed(&next, e))?,
            };
            let node = self.node_of(fd, next.clone())?;
            if !node.is_link() || rest.is_empty() && !how.follows_last {
                walk.place = next;
                stack.push(node);
                continue;
            }
            let target = node
                .target()
                .map_err(|e| FileError::system("read", &node.path, e))?;
            if walk.links.len() == MOST_LINKS {
                walk.end = End::Loop;
                return Ok(walk);
            }
            walk.links.push((next, target.clone()));
            if how.is_careful {
                let holder = fstat(above).map_err(|e| failed(&walk.place, e))?;
                let may = Trust::own().may_follow(Owned::from(&node.stat), Owned::from(&holder));
                if !may {
                    let owners = [node.stat.st_uid, holder.st_uid];
                    let wanted = self.path.join(path);
                    return Err(FileError::foreign_link(node.path, &wanted, target, owners));
                }
            }
            match self.leads(&walk.place, &target, how.links) {
                None => {
                    walk.end = End::Out;
                    return Ok(walk);
                }
                Some(To::Here) => push(&mut rest, &target),
                Some(To::Top(target)) => {
                    (stack, missing) = (Vec::new(), 0);
                    walk.place = PathBuf::new();
                    push(&mut rest, &target);
                }
            }
        }
        if missing > 0 {
            return Ok(walk);
        }
        let node = match stack.pop() {
            Some(node) => node,
            None => {
                let fd = top().map_err(|e| failed(Path::new(""), e))?;
                self.node_of(fd, PathBuf::new())?
            }
        };
        walk.end = End::Node(node);
        Ok(walk)
    }

    /// Decides from where the target of a symlink is resolved. Returns `None` if it leads out of the tree. `place` is
    /// the directory of the symlink.
    fn leads(&self, place: &Path, target: &Path, links: Links) -> Option<To> {
        let is_absolute = target.is_absolute();
        if is_absolute && let Some(rest) = self.within(target) {
            return Some(To::Top(rest.into()));
        }
        if links == Links::InRoot {
            return Some(match is_absolute {
                true => To::Top(target.into()),
                false => To::Here,
            });
        }
        if is_absolute {
            return None;
        }
        let mut depth = place.components().count();
        for part in target.components() {
            match part {
                Component::ParentDir if depth == 0 => {
                    // The target leaves the tree and may come back, as `../sysroot/var` does.
                    let whole = without_dots(&self.real.join(place).join(target));
                    let rest = whole.strip_prefix(&self.real).ok()?;
                    return Some(To::Top(rest.into()));
                }
                Component::ParentDir => depth -= 1,
                Component::Normal(_) => depth += 1,
                _ => {}
            }
        }
        Some(To::Here)
    }

    fn node_of(&self, fd: OwnedFd, place: PathBuf) -> Result<Node> {
        let path = self.path.join(&place);
        let stat = fstat(&fd).map_err(|e| FileError::system("stat", &path, e))?;
        Ok(Node {
            fd,
            stat,
            path,
            place,
        })
    }
}

/// The directory from which the target of a symlink is resolved.
enum To {
    /// The directory of the symlink.
    Here,
    /// The top of the tree, with this path instead of the target.
    Top(PathBuf),
}

/// Opens a path with O_PATH, as for a process whose root is the directory `top`: no symlink leads out of it. Follows a
/// symlink at the end.
///
/// # Errors
///
/// Those of openat2(2), which Linux has since 5.6.
pub fn open_in_root(top: impl AsFd, path: &Path) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let mut opened = openat2(&top, path, how);
    // openat2(2) fails with EAGAIN if a directory is renamed while it resolves a `..` in it.
    for _ in 0..MOST_LINKS {
        match opened {
            Err(Errno::EAGAIN) => opened = openat2(&top, path, how),
            _ => break,
        }
    }
    opened
}

/// Returns whether the error means that the path does not exist.
pub fn is_absent(error: &io::Error) -> bool {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    absent.contains(&error.kind())
}

/// Looks up a path on the host that is to be changed. Symlinks on the path are treated as in [`Directory::open`].
pub fn find_nofollow_to_change(path: &Path) -> Result<Option<Node>> {
    let directory = match Directory::open(super::directory::parent(path)) {
        Err(FileError::System { source, .. }) if is_absent(&source) => return Ok(None),
        directory => directory?,
    };
    let Some(name) = path.file_name() else {
        return Err(FileError::NotAFile(path.into()));
    };
    match directory.open_path_nofollow(name) {
        Err(FileError::System { source, .. }) if is_absent(&source) => Ok(None),
        opened => Ok(Some(Node::of(opened?.into(), path)?)),
    }
}

impl Walk {
    /// Returns the file at the end. `None` if the walk did not end at an existing file.
    pub fn node(self) -> Option<Node> {
        match self.end {
            End::Node(node) => Some(node),
            End::Missing | End::Loop | End::Out | End::Above => None,
        }
    }
}

impl Node {
    /// Opens a path on the host, and follows any symlinks.
    pub fn at(path: &Path) -> Result<Self> {
        let fd = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        Self::of(fd.map_err(|e| FileError::system("open", path, e))?, path)
    }

    fn of(fd: OwnedFd, path: &Path) -> Result<Self> {
        let stat = fstat(&fd).map_err(|e| FileError::system("stat", path, e))?;
        let (path, place) = (path.to_owned(), path.to_owned());
        Ok(Self {
            fd,
            stat,
            path,
            place,
        })
    }

    /// Returns the size of a file in bytes.
    pub fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or_default()
    }

    /// Returns the path on the host, beginning with the path of the tree as the user wrote it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path relative to the tree, without symlinks.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the result of fstat(2).
    pub fn stat(&self) -> &FileStat {
        &self.stat
    }

    /// Returns the mode without the file type.
    pub fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    /// Returns the identity of the file.
    pub fn identity(&self) -> Identity {
        Identity::of_stat(&self.stat)
    }

    /// Returns whether it belongs to root or the current user.
    pub fn is_trusted(&self) -> bool {
        Trust::own().is_trusted_user(self.stat.st_uid)
    }

    /// Returns whether it is a directory.
    pub fn is_dir(&self) -> bool {
        is_kind(&self.stat, SFlag::S_IFDIR)
    }

    /// Returns whether it is a regular file.
    pub fn is_file(&self) -> bool {
        is_kind(&self.stat, SFlag::S_IFREG)
    }

    /// Returns whether it is a symlink.
    pub fn is_link(&self) -> bool {
        is_kind(&self.stat, SFlag::S_IFLNK)
    }

    /// Returns the `O_PATH` descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Returns the target of a symlink.
    pub fn target(&self) -> io::Result<PathBuf> {
        Ok(readlinkat(&self.fd, "")?.into())
    }

    /// Converts the `O_PATH` descriptor to a file, which cannot be read.
    pub fn into_file(self) -> File {
        self.fd.into()
    }

    /// Opens a regular file for reading. A file of any other type is an error and is not opened.
    pub fn open(&self) -> io::Result<File> {
        read::reopen(&self.fd, &self.path)
    }

    /// Reads a whole file.
    pub fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        read::from(self.open()?, &self.path, limit)
    }

    /// Reads a whole file, which has to be UTF-8.
    pub fn read_to_string(&self, limit: u64) -> io::Result<String> {
        read::to_text(self.read(limit)?, &self.path)
    }

    /// Reads at most `length` bytes from the beginning of a file.
    pub fn head(&self, length: u64) -> io::Result<Vec<u8>> {
        read::head_of(self.open()?, &self.path, length)
    }

    /// Returns the names in a directory, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let entries = self.entries()?.into_iter();
        Ok(entries.map(|(name, _)| name).collect())
    }

    /// Returns the names in a directory, sorted, and the type of each when the directory was listed.
    pub fn entries(&self) -> io::Result<Vec<(OsString, FileKind)>> {
        let failed = |e: Errno| refused::unreadable(&self.path, e.into());
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut listing = Dir::openat(&self.fd, ".", flags, Mode::empty()).map_err(failed)?;
        let mut names = Vec::new();
        for entry in listing.iter() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                budget::PROCESS.name(&self.path, name.len())?;
                let name = OsStr::from_bytes(name).to_owned();
                let kind = match entry.file_type() {
                    Some(Type::File) => FileKind::File,
                    Some(Type::Directory) => FileKind::Directory,
                    Some(Type::Symlink) => FileKind::Symlink,
                    Some(_) => FileKind::Other,
                    // Not every file system reports types.
                    None => self
                        .stat_of(&name)?
                        .map_or(FileKind::Other, |stat| FileKind::of(&stat)),
                };
                names.push((name, kind));
            }
        }
        names.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(names)
    }

    /// Calls lstat(2) on a name in a directory. Returns `None` if it does not exist.
    fn stat_of(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(None),
            stat => Ok(Some(stat?)),
        }
    }

    /// Opens a name in a directory without following a symlink. Returns `None` if it does not exist.
    pub fn child(&self, name: &OsStr) -> Result<Option<Self>> {
        let path = self.path.join(name);
        let fd = match openat(&self.fd, name, OPEN_PATH, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(None),
            fd => fd.map_err(|e| FileError::system("open", &path, e))?,
        };
        let stat = fstat(&fd).map_err(|e| FileError::system("stat", &path, e))?;
        let place = self.place.join(name);
        Ok(Some(Self {
            fd,
            stat,
            path,
            place,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::{fs::symlink, net::UnixListener},
    };

    struct Scene {
        directory: tempfile::TempDir,
        tree: Tree,
    }

    /// Returns a tree `t` with some files, and a file in the same directory, outside the tree.
    fn scene() -> Scene {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path().join("t");
        for path in ["usr/lib", "etc", "lib", "deep/er"] {
            fs::create_dir_all(top.join(path)).expect(path);
        }
        fs::create_dir(directory.path().join("out")).expect("a directory");
        for path in ["t/usr/lib/x", "t/etc/x", "t/lib/x", "out/x"] {
            fs::write(directory.path().join(path), path).expect(path);
        }
        let tree = Tree::open(&top).expect("a tree");
        Scene { directory, tree }
    }

    impl Scene {
        fn link(&self, path: &str, target: &str) {
            let target = target.replace("TOP", self.tree.path().to_str().expect("UTF-8"));
            symlink(target, self.tree.path().join(path)).expect(path);
        }

        fn text(&self, node: Option<Node>) -> Option<String> {
            let text = node.map(|node| node.read_to_string(100).expect("a file"));
            assert!(text.as_ref().is_none_or(|text| text.starts_with("t/")));
            text
        }
    }

    #[test]
    fn no_symlink_leads_out_of_a_tree() {
        let out = [
            "/out/x",
            "../../out/x",
            "../../../../etc/passwd",
            "/",
            "../..",
        ];
        for target in out {
            let scene = scene();
            let target =
                target.replace("/out", &format!("{}/out", scene.directory.path().display()));
            scene.link("usr/link", &target);
            for path in ["usr/link", "usr/link/x", "usr/link/out/x"] {
                assert!(
                    scene.tree.find(Path::new(path)).expect(path).is_none(),
                    "{target}: {path}"
                );
            }
            let error = scene
                .tree
                .find_nofollow_to_change(Path::new("usr/link/x"))
                .expect_err(&target);
            assert!(error.to_string().contains("leads out of"), "{error}");
            let error = scene
                .tree
                .directory_of(Path::new("usr/link/x"), None)
                .expect_err(&target);
            assert!(error.to_string().contains("leads out of"), "{error}");
            let is_itself = scene
                .tree
                .find_nofollow(Path::new("usr/link"))
                .expect("readable");
            assert!(is_itself.is_some_and(|node| node.is_link()));
        }
        let scene = scene();
        for path in ["../out/x", "usr/../../out/x", "..", "usr/../.."] {
            let path = Path::new(path);
            assert!(
                scene.tree.find(path).expect("readable").is_none(),
                "{path:?}"
            );
            assert!(
                scene.tree.find_nofollow_to_change(path).is_err(),
                "{path:?}"
            );
        }
    }

    #[test]
    fn a_symlink_that_stays_inside_is_followed() {
        for (target, wanted) in [
            ("lib", "t/usr/lib/x"),
            ("../etc", "t/etc/x"),
            ("../usr/../lib", "t/lib/x"),
            ("TOP/etc", "t/etc/x"),
            ("../../t/etc", "t/etc/x"),
            ("./lib/", "t/usr/lib/x"),
        ] {
            let scene = scene();
            scene.link("usr/link", target);
            let path = Path::new("usr/link/x");
            let found = scene.tree.find(path).expect(target);
            assert_eq!(scene.text(found).as_deref(), Some(wanted), "{target}");
            let found = scene.tree.find_nofollow_to_change(path).expect(target);
            assert_eq!(scene.text(found).as_deref(), Some(wanted), "{target}");
        }
    }

    #[test]
    fn no_symlink_leads_out_of_a_root() {
        for (target, wanted) in [
            ("/etc", "etc/x"),
            ("/../../lib", "lib/x"),
            ("../../../../etc", "etc/x"),
            ("TOP/lib", "lib/x"),
        ] {
            let scene = scene();
            scene.link("usr/link", target);
            let path = Path::new("usr/link/x");
            let walk = scene.tree.follow(path, Links::InRoot).expect(target);
            assert_eq!(walk.place, Path::new(wanted), "{target}");
            assert!(matches!(walk.end, End::Node(_)), "{target}");
        }
        let scene = scene();
        scene.link("a", "b");
        scene.link("b", "/a");
        let walk = scene
            .tree
            .follow(Path::new("a"), Links::InRoot)
            .expect("a walk");
        assert!(matches!(walk.end, End::Loop));
        let walk = scene.tree.follow(Path::new("no/where/../x"), Links::InRoot);
        let walk = walk.expect("a walk");
        assert_eq!(walk.place, Path::new("no/x"));
        assert!(matches!(walk.end, End::Missing));
    }

    #[test]
    fn a_path_in_a_root_is_resolved_inside_it() {
        let scene = scene();
        let out = scene.directory.path().join("out/x");
        for (target, wanted) in [
            ("/etc/x", Some("t/etc/x")),
            ("../../../../etc/x", Some("t/etc/x")),
            ("lib/x", Some("t/usr/lib/x")),
            ("/etc/none", None),
            ("/etc/x/y", None),
            ("link", None),
            (out.to_str().expect("text"), None),
        ] {
            scene.link("usr/link", target);
            for path in ["usr/link", "/usr/link", "../usr/../usr/link"] {
                let found = scene.tree.find_in_root(Path::new(path)).expect(target);
                assert_eq!(scene.text(found).as_deref(), wanted, "{path}: {target}");
            }
            fs::remove_file(scene.tree.path().join("usr/link")).expect("the link");
        }
    }

    #[test]
    fn only_a_regular_file_is_opened() {
        let scene = scene();
        let path = |name: &str| scene.tree.path().join(name);
        nix::unistd::mkfifo(&path("pipe"), Mode::S_IRWXU).expect("a FIFO");
        let _listens = UnixListener::bind(path("socket")).expect("a socket");
        scene.link("link", "pipe");
        for (name, what) in [
            ("pipe", "a pipe"),
            ("socket", "a socket"),
            ("link", "a pipe"),
        ] {
            let node = scene.tree.find(Path::new(name)).expect(name).expect(name);
            let error = node.read(100).expect_err(name);
            assert!(error.to_string().contains(what), "{error}");
        }
        let link = scene
            .tree
            .find_nofollow(Path::new("link"))
            .expect("a lookup")
            .expect("a link");
        assert!(link.open().is_err());
        let directory = scene
            .tree
            .find(Path::new("usr"))
            .expect("a lookup")
            .expect("usr");
        let error = directory.read(100).expect_err("a directory");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(directory.names().expect("names"), ["lib"]);
        let child = directory
            .child(OsStr::new("lib"))
            .expect("a look")
            .expect("lib");
        assert_eq!(child.place(), Path::new("usr/lib"));
    }

    #[test]
    fn an_open_file_stays_the_same_after_its_path_changes() {
        let scene = scene();
        let top = scene.tree.path();
        let node = scene
            .tree
            .find(Path::new("usr/lib/x"))
            .expect("a look")
            .expect("x");
        fs::rename(top.join("usr/lib"), top.join("usr/old")).expect("renamed");
        symlink(scene.directory.path().join("out"), top.join("usr/lib")).expect("a link");
        assert_eq!(scene.text(Some(node)).as_deref(), Some("t/usr/lib/x"));
        assert!(
            scene
                .tree
                .find(Path::new("usr/lib/x"))
                .expect("a look")
                .is_none()
        );
        // The tree is the directory that was opened, wherever its name leads.
        fs::rename(top, scene.directory.path().join("moved")).expect("renamed");
        symlink(scene.directory.path().join("out"), top).expect("a link");
        assert!(scene.tree.find(Path::new("x")).expect("a look").is_none());
        let found = scene.tree.find(Path::new("etc/x")).expect("a look");
        assert_eq!(scene.text(found).as_deref(), Some("t/etc/x"));
    }

    #[test]
    fn missing_directories_are_created_in_the_tree() {
        let scene = scene();
        let mut made = Vec::new();
        let path = Path::new("var/lib/own/file");
        let (directory, name) = scene
            .tree
            .directory_of(path, Some(&mut made))
            .expect("made");
        assert_eq!(name, "file");
        assert_eq!(directory.path(), scene.tree.path().join("var/lib/own"));
        let wanted = ["var", "var/lib", "var/lib/own"].map(|path| scene.tree.path().join(path));
        assert_eq!(made, wanted);
        assert!(scene.tree.directory_of(Path::new("no/file"), None).is_err());
        let deep = PathBuf::from("d/".repeat(MOST_DEPTH + 1));
        let error = scene
            .tree
            .directory(&deep, Some(&mut made))
            .expect_err("too deep");
        assert!(
            error.to_string().contains("name too long") || error.to_string().contains("too long"),
            "{error}"
        );
        assert!(scene.tree.find(&deep).expect("a look").is_none());
    }
}
