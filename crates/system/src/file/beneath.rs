//! Directory trees that another user made: a sysroot, a root. The one way in which crossmerge reaches what is below
//! them.
//!
//! [`Tree::open`] walks the path to the tree as it is written and keeps a descriptor of it. Everything below is opened
//! from that descriptor, one component at a time with `O_NOFOLLOW`, so a path is looked up once and no symlink leads
//! out, whoever owns it and whatever somebody changes meanwhile. A [`Node`] is an `O_PATH` descriptor: kind, identity,
//! mode and text are all taken from it. A device or a FIFO is therefore known before it is opened.
//!
//! openat2(2) walks a path without symlinks in one call. Where the kernel lacks it (before Linux 5.6), the walk by
//! components does the same with more calls.

use super::{
    budget,
    directory::{DIRECTORY_MODE, Directory, is_kind},
    error::FileError,
    owner::Owned,
    path::Identity,
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

/// How many directories a path may go down: each holds a descriptor, of which a process has 1024.
pub const MOST_DEPTH: usize = 256;

/// Flags that open whatever has a name, and nothing behind it.
const LOOK: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The links that were named as leading out.
static NAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// How symlinks below the tree are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As the host follows them. One that leads out of the tree ends the walk with [`End::Out`].
    Beneath,
    /// As a process follows them whose root is the tree: an absolute one begins at the tree, and `..` stays in it.
    /// None leads out.
    InRoot,
}

/// What a walk does on the way.
#[derive(Debug, Clone, Copy)]
struct How {
    links: Links,
    /// A symlink at the end is followed.
    follows_last: bool,
    /// Refuses symlinks that other users could have planted, for what is changed at the end.
    is_careful: bool,
}

/// An open directory tree.
#[derive(Debug)]
pub struct Tree {
    top: OwnedFd,
    /// As the user wrote it, absolute.
    path: PathBuf,
    /// Without symlinks.
    real: PathBuf,
}

/// Something in a tree: an open descriptor and what it is.
#[derive(Debug)]
pub struct Node {
    fd: OwnedFd,
    stat: FileStat,
    path: PathBuf,
    place: PathBuf,
}

/// What has a name in a directory, before a look at it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symlink.
    Symlink,
    /// A device, a FIFO, a socket.
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

/// A path that was walked.
#[derive(Debug)]
pub struct Way {
    /// Where it leads, from the top of the tree on, without symlinks. A missing rest is part of it.
    pub place: PathBuf,
    /// The symlinks on the way: the place of each, and what it contains.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// What is there.
    pub end: End,
}

/// How a walk ended.
#[derive(Debug)]
pub enum End {
    /// With something that exists.
    Node(Node),
    /// With nothing.
    Missing,
    /// With more symlinks than the kernel follows.
    Loop,
    /// At the last of the symlinks, which leads out of the tree.
    Out,
    /// At a `..` of the path itself, which leads out of the tree.
    Above,
}

type Result<T> = std::result::Result<T, FileError>;

impl Tree {
    /// Opens a tree to change it. A symlink on the path to it that another user could have planted is an error.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_fd(Directory::open(path)?.fd, path)
    }

    /// Opens a tree to change it, as [`Tree::open`] does. Missing directories on the path to it are made, and added to
    /// `made`.
    pub fn make(path: &Path, made: &mut Vec<PathBuf>) -> Result<Self> {
        Self::from_fd(Directory::make(path, made)?.fd, path)
    }

    /// Opens a tree to change it, as [`Tree::open`] does; `None` if there is nothing.
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

    /// Takes a directory that is open already. `path` is its name for users.
    pub fn from_fd(top: OwnedFd, path: &Path) -> Result<Self> {
        let absolute = std::path::absolute(path);
        let path = absolute.map_err(|e| FileError::system("open", path, e))?;
        // The kernel's own name of what was opened: the path may lead elsewhere by now.
        let name = format!("/proc/self/fd/{}", top.as_raw_fd());
        let real = readlinkat(AT_FDCWD, name.as_str()).map_or_else(|_| path.clone(), PathBuf::from);
        Ok(Self { top, path, real })
    }

    /// The absolute path as it was written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same tree under another name for users.
    pub fn called(self, path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, ..self }
    }

    /// The path without symlinks, as it was when the tree was opened.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// The open directory itself.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    /// The rest of an absolute path that begins with the tree's, in either spelling.
    pub fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let rest = path.strip_prefix(&self.path);
        rest.or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    /// What a path leads to, symlinks followed; `None` if there is nothing. A symlink that leads out is named, once,
    /// and counts as nothing.
    pub fn find(&self, path: &Path) -> Result<Option<Node>> {
        self.node(path, true)
    }

    /// What has the path, symlinks followed on the way to it only; otherwise as [`Tree::find`].
    pub fn look(&self, path: &Path) -> Result<Option<Node>> {
        self.node(path, false)
    }

    fn node(&self, path: &Path, follows_last: bool) -> Result<Option<Node>> {
        let how = How {
            links: Links::Beneath,
            follows_last,
            is_careful: false,
        };
        let way = match self.walk(path, how, None) {
            // Neither the kernel nor a build would find it.
            Err(FileError::System { source, .. })
                if source.raw_os_error() == Some(Errno::ENAMETOOLONG as i32) =>
            {
                return Ok(None);
            }
            way => way?,
        };
        if let (End::Out, Some((link, target))) = (&way.end, way.links.last()) {
            let link = self.path.join(link);
            let is_new = NAMED
                .lock()
                .is_ok_and(|mut named| named.insert(link.clone()));
            if is_new {
                report::note(&format!(
                    "`{}` leads out of `{}`, to `{}`, and counts as missing",
                    link.shown(),
                    self.path.shown(),
                    target.shown()
                ));
            }
        }
        Ok(way.node())
    }

    /// What has the path, for what changes it: a symlink on the way that leads out, or that another user could have
    /// planted, is an error.
    pub fn look_to_change(&self, path: &Path) -> Result<Option<Node>> {
        self.node_to_change(path, false)
    }

    /// What the path leads to, otherwise as [`Tree::look_to_change`].
    pub fn find_to_change(&self, path: &Path) -> Result<Option<Node>> {
        self.node_to_change(path, true)
    }

    fn node_to_change(&self, path: &Path, follows_last: bool) -> Result<Option<Node>> {
        let how = How {
            links: Links::Beneath,
            follows_last,
            is_careful: true,
        };
        let way = self.walk(path, how, None)?;
        self.check_inside(&way, path)?;
        Ok(way.node())
    }

    /// Opens the directory of a path to change it, and returns it with the last name. With a list, missing directories
    /// are made and added to it. Symlinks are treated as in [`Tree::look_to_change`].
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

    /// Opens a directory of the tree to change what is in it, as [`Tree::directory_of`] does.
    pub fn directory(&self, path: &Path, made: Option<&mut Vec<PathBuf>>) -> Result<Directory> {
        let how = How {
            links: Links::Beneath,
            follows_last: true,
            is_careful: true,
        };
        let way = self.walk(path, how, made)?;
        self.check_inside(&way, path)?;
        let shown = self.path.join(path);
        match way.node() {
            None => Err(FileError::system("open", &shown, Errno::ENOENT)),
            Some(node) if !node.is_dir() => Err(FileError::system("enter", &shown, Errno::ENOTDIR)),
            Some(node) => Ok(Directory {
                fd: node.fd,
                path: shown,
            }),
        }
    }

    fn check_inside(&self, way: &Way, path: &Path) -> Result<()> {
        match (&way.end, way.links.last()) {
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

    /// What has the path in the eyes of a process whose root is the tree, itself; `None` if there is nothing that can
    /// be reached.
    pub fn look_in_root(&self, path: &Path) -> Option<Node> {
        let how = How {
            links: Links::InRoot,
            follows_last: false,
            is_careful: false,
        };
        self.walk(path, how, None).ok()?.node()
    }

    /// Walks a path to its end.
    pub fn follow(&self, path: &Path, links: Links) -> Result<Way> {
        let how = How {
            links,
            follows_last: true,
            is_careful: false,
        };
        self.walk(path, how, None)
    }

    /// What a path leads to for a process whose root is the tree; `None` if there is nothing. No symlink leads out.
    pub fn find_in_root(&self, path: &Path) -> Result<Option<Node>> {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let place = path.strip_prefix("/").unwrap_or(path);
        let mut opened = openat2(&self.top, path, how);
        // So says the kernel where somebody renames what a `..` is in.
        for _ in 0..MOST_LINKS {
            match opened {
                Err(Errno::EAGAIN) => opened = openat2(&self.top, path, how),
                _ => break,
            }
        }
        match opened {
            Ok(fd) => self.node_of(fd, place.into()).map(Some),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG) => Ok(None),
            Err(Errno::ENOSYS) => Ok(self.follow(path, Links::InRoot)?.node()),
            Err(e) => Err(FileError::system("open", &self.path.join(place), e)),
        }
    }

    fn walk(&self, path: &Path, how: How, made: Option<&mut Vec<PathBuf>>) -> Result<Way> {
        // Mostly there is no symlink on the way: then one call is enough.
        let is_plain = |part| matches!(part, Component::Normal(_));
        if !path.as_os_str().is_empty() && path.components().all(is_plain) {
            let beneath = ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS;
            let opened = openat2(&self.top, path, OpenHow::new().flags(LOOK).resolve(beneath));
            if let Ok(fd) = opened {
                let node = self.node_of(fd, path.into())?;
                if !(node.is_link() && how.follows_last) {
                    return Ok(Way {
                        place: path.into(),
                        links: Vec::new(),
                        end: End::Node(node),
                    });
                }
            }
        }
        self.walk_slowly(path, how, made)
    }

    /// Walks component by component.
    fn walk_slowly(
        &self,
        path: &Path,
        how: How,
        mut made: Option<&mut Vec<PathBuf>>,
    ) -> Result<Way> {
        let failed = |place: &Path, e: Errno| FileError::system("open", &self.path.join(place), e);
        let top = || openat(&self.top, ".", LOOK, Mode::empty());
        let mut way = Way {
            place: PathBuf::new(),
            links: Vec::new(),
            end: End::Missing,
        };
        // The open directories from the top down to where the walk is, each with its owner; shorter than the place
        // where that is missing.
        let mut stack: Vec<Node> = Vec::new();
        let mut missing = 0_usize;
        let mut rest = Rest::new();
        push(&mut rest, path);
        while let Some(part) = rest.pop() {
            match Path::new(&part).components().next() {
                None | Some(Component::CurDir) => continue,
                Some(Component::RootDir | Component::Prefix(_)) => {
                    (stack, missing) = (Vec::new(), 0);
                    way.place = PathBuf::new();
                    continue;
                }
                Some(Component::ParentDir) => {
                    way.place.pop();
                    if missing > 0 {
                        missing -= 1;
                    } else if stack.pop().is_none() && how.links == Links::Beneath {
                        way.end = End::Above;
                        return Ok(way);
                    }
                    continue;
                }
                Some(Component::Normal(_)) => {}
            }
            let next = way.place.join(&part);
            let above = stack
                .last()
                .map_or(self.top.as_fd(), |node| node.fd.as_fd());
            let is_directory = stack.last().is_none_or(Node::is_dir);
            if missing > 0 || !is_directory {
                missing += 1;
                way.place = next;
                continue;
            }
            if stack.len() == MOST_DEPTH {
                return Err(failed(&next, Errno::ENAMETOOLONG));
            }
            let fd = match openat(above, part.as_os_str(), LOOK, Mode::empty()) {
                Err(Errno::ENOENT) => {
                    let Some(made) = made.as_deref_mut() else {
                        missing += 1;
                        way.place = next;
                        continue;
                    };
                    let directory = Directory {
                        fd: openat(above, ".", LOOK, Mode::empty())
                            .map_err(|e| failed(&next, e))?,
                        path: self.path.join(&way.place),
                    };
                    if directory.make_unless_exists(&part, DIRECTORY_MODE)? {
                        made.push(self.path.join(&next));
                    }
                    // What is there now is treated as if it had been.
                    rest.push(part);
                    continue;
                }
                fd => fd.map_err(|e| failed(&next, e))?,
            };
            let node = self.node_of(fd, next.clone())?;
            if !node.is_link() || rest.is_empty() && !how.follows_last {
                way.place = next;
                stack.push(node);
                continue;
            }
            let target = node
                .target()
                .map_err(|e| FileError::system("read", &node.path, e))?;
            if way.links.len() == MOST_LINKS {
                way.end = End::Loop;
                return Ok(way);
            }
            way.links.push((next, target.clone()));
            if how.is_careful {
                let holder = fstat(above).map_err(|e| failed(&way.place, e))?;
                let may = Trust::own().may_follow(Owned::from(&node.stat), Owned::from(&holder));
                if !may {
                    let owners = [node.stat.st_uid, holder.st_uid];
                    let wanted = self.path.join(path);
                    return Err(FileError::foreign_link(node.path, &wanted, target, owners));
                }
            }
            match self.leads(&way.place, &target, how.links) {
                None => {
                    way.end = End::Out;
                    return Ok(way);
                }
                Some(To::Here) => push(&mut rest, &target),
                Some(To::Top(target)) => {
                    (stack, missing) = (Vec::new(), 0);
                    way.place = PathBuf::new();
                    push(&mut rest, &target);
                }
            }
        }
        if missing > 0 {
            return Ok(way);
        }
        let node = match stack.pop() {
            Some(node) => node,
            None => {
                let fd = top().map_err(|e| failed(Path::new(""), e))?;
                self.node_of(fd, PathBuf::new())?
            }
        };
        way.end = End::Node(node);
        Ok(way)
    }

    /// Where what a symlink contains is to be followed from; `None` if it leads out of the tree. `place` is the
    /// directory of the symlink.
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
                    // It leaves the tree and may come back: `../sysroot/var`.
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
        let stat = fstat(&fd).map_err(|e| FileError::system("look at", &path, e))?;
        Ok(Node {
            fd,
            stat,
            path,
            place,
        })
    }
}

/// From where what a symlink contains is followed.
enum To {
    /// Its own directory.
    Here,
    /// The top of the tree, by this path.
    Top(PathBuf),
}

/// Takes `..` out of a path by its text.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// Returns whether the error means that there is nothing.
pub fn is_absent(error: &io::Error) -> bool {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    absent.contains(&error.kind())
}

/// Looks at what has a path on the host, for what changes it: symlinks on the way are treated as [`Directory::open`]
/// does.
pub fn look_to_change(path: &Path) -> Result<Option<Node>> {
    let directory = match Directory::open(super::directory::parent(path)) {
        Err(FileError::System { source, .. }) if is_absent(&source) => return Ok(None),
        directory => directory?,
    };
    let Some(name) = path.file_name() else {
        return Err(FileError::NotAFile(path.into()));
    };
    match directory.look(name) {
        Err(FileError::System { source, .. }) if is_absent(&source) => Ok(None),
        looked_at => Ok(Some(Node::of(looked_at?.into(), path)?)),
    }
}

impl Way {
    /// What is there.
    pub fn node(self) -> Option<Node> {
        match self.end {
            End::Node(node) => Some(node),
            End::Missing | End::Loop | End::Out | End::Above => None,
        }
    }
}

impl Node {
    /// Looks at what a path of the host leads to, by any symlinks.
    pub fn at(path: &Path) -> Result<Self> {
        let fd = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        Self::of(fd.map_err(|e| FileError::system("open", path, e))?, path)
    }

    fn of(fd: OwnedFd, path: &Path) -> Result<Self> {
        let stat = fstat(&fd).map_err(|e| FileError::system("look at", path, e))?;
        let (path, place) = (path.to_owned(), path.to_owned());
        Ok(Self {
            fd,
            stat,
            path,
            place,
        })
    }

    /// The size of a file in bytes.
    pub fn size(&self) -> u64 {
        u64::try_from(self.stat.st_size).unwrap_or_default()
    }

    /// The path from the host's root on, as the user wrote that of the tree.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path from the top of the tree on, without symlinks.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// What the kernel says of it.
    pub fn stat(&self) -> &FileStat {
        &self.stat
    }

    /// The mode without the bits of its kind.
    pub fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    /// Which file it is.
    pub fn identity(&self) -> Identity {
        Identity::of_stat(&self.stat)
    }

    /// Returns whether it is root's, or the user's who runs this.
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

    /// The open descriptor, which allows no reading.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// What a symlink contains.
    pub fn target(&self) -> io::Result<PathBuf> {
        Ok(readlinkat(&self.fd, "")?.into())
    }

    /// The descriptor as a file, for what an `O_PATH` descriptor allows.
    pub fn into_file(self) -> File {
        self.fd.into()
    }

    /// Opens a regular file for reading. Anything else is an error, and is not opened.
    pub fn open(&self) -> io::Result<File> {
        read::open_looked_at(&self.fd, &self.path)
    }

    /// Reads a file whole.
    pub fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        read::from(self.open()?, &self.path, limit)
    }

    /// Reads a file whole that has to be UTF-8.
    pub fn read_to_string(&self, limit: u64) -> io::Result<String> {
        read::to_text(self.read(limit)?, &self.path)
    }

    /// Reads the beginning of a file, up to so many bytes.
    pub fn head(&self, length: u64) -> io::Result<Vec<u8>> {
        read::head_of(self.open()?, &self.path, length)
    }

    /// The names in a directory, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let entries = self.entries()?.into_iter();
        Ok(entries.map(|(name, _)| name).collect())
    }

    /// The names in a directory, sorted, and what each was when it was listed.
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
                    // Not every file system tells.
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

    /// What the kernel says of a name in a directory, symlinks not followed; `None` if there is nothing.
    fn stat_of(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(None),
            stat => Ok(Some(stat?)),
        }
    }

    /// What has a name in a directory, symlinks not followed; `None` if there is nothing.
    pub fn child(&self, name: &OsStr) -> Result<Option<Self>> {
        let path = self.path.join(name);
        let fd = match openat(&self.fd, name, LOOK, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(None),
            fd => fd.map_err(|e| FileError::system("open", &path, e))?,
        };
        let stat = fstat(&fd).map_err(|e| FileError::system("look at", &path, e))?;
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

    /// A tree `t` with some files, and a file beside it that is not its own.
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
    fn no_symlink_leads_out() {
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
                .look_to_change(Path::new("usr/link/x"))
                .expect_err(&target);
            assert!(error.to_string().contains("leads out of"), "{error}");
            let error = scene
                .tree
                .directory_of(Path::new("usr/link/x"), None)
                .expect_err(&target);
            assert!(error.to_string().contains("leads out of"), "{error}");
            let is_itself = scene.tree.look(Path::new("usr/link")).expect("readable");
            assert!(is_itself.is_some_and(|node| node.is_link()));
        }
        let scene = scene();
        for path in ["../out/x", "usr/../../out/x", "..", "usr/../.."] {
            let path = Path::new(path);
            assert!(
                scene.tree.find(path).expect("readable").is_none(),
                "{path:?}"
            );
            assert!(scene.tree.look_to_change(path).is_err(), "{path:?}");
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
            let found = scene.tree.look_to_change(path).expect(target);
            assert_eq!(scene.text(found).as_deref(), Some(wanted), "{target}");
        }
    }

    #[test]
    fn in_a_root_no_symlink_leads_out_either() {
        for (target, wanted) in [
            ("/etc", "etc/x"),
            ("/../../lib", "lib/x"),
            ("../../../../etc", "etc/x"),
            ("TOP/lib", "lib/x"),
        ] {
            let scene = scene();
            scene.link("usr/link", target);
            let path = Path::new("usr/link/x");
            let way = scene.tree.follow(path, Links::InRoot).expect(target);
            assert_eq!(way.place, Path::new(wanted), "{target}");
            assert!(matches!(way.end, End::Node(_)), "{target}");
        }
        let scene = scene();
        scene.link("a", "b");
        scene.link("b", "/a");
        let way = scene
            .tree
            .follow(Path::new("a"), Links::InRoot)
            .expect("a walk");
        assert!(matches!(way.end, End::Loop));
        let way = scene.tree.follow(Path::new("no/where/../x"), Links::InRoot);
        let way = way.expect("a walk");
        assert_eq!(way.place, Path::new("no/x"));
        assert!(matches!(way.end, End::Missing));
    }

    #[test]
    fn a_root_is_looked_at_as_from_inside() {
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
    fn what_is_no_file_is_not_opened() {
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
            .look(Path::new("link"))
            .expect("a look")
            .expect("a link");
        assert!(link.open().is_err());
        let directory = scene
            .tree
            .find(Path::new("usr"))
            .expect("a look")
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
    fn what_was_opened_stays_what_it_was() {
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
    fn missing_directories_are_made_in_the_tree() {
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
