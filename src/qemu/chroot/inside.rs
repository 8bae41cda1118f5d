//! Looks at a root as its own programs would see it: no link in it leads outside.

use crate::file::{Tree, read};
use nix::{
    fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::fstat,
};
use std::{
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// A root.
#[derive(Debug)]
pub(super) struct Inside {
    root: Tree,
    /// Its path, without links.
    pub(super) path: PathBuf,
    /// Which directory it is: the numbers of its device and its inode.
    pub(super) identity: (u64, u64),
    /// What will be mounted in it: where, and what.
    binds: Vec<(PathBuf, PathBuf)>,
}

/// A user of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

impl Inside {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let root = Tree::open(path)?;
        let stat = fstat(root.fd())?;
        Ok(Self {
            path: root.real().into(),
            identity: (stat.st_dev, stat.st_ino),
            root,
            binds: Vec::new(),
        })
    }

    /// Shows a file or a folder of the machine at a place in the root, as its mount will.
    pub(super) fn bind(&mut self, source: &Path, place: &Path) {
        self.binds.push((place.into(), source.into()));
    }

    /// Opens a file or a folder for reading, by its path in the root.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        // A fifo or a device in a strange root does not hold us up.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        self.at(path, flags)
    }

    /// Opens a path without reading, so that nothing but the way to it need be permitted.
    fn find(&self, path: &Path) -> io::Result<File> {
        self.at(path, OFlag::O_PATH)
    }

    fn at(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let how = OpenHow::new().flags(flags | OFlag::O_CLOEXEC);
        let inside = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        // The last mount lies on top.
        let mut binds = self.binds.iter().rev();
        let bound =
            binds.find_map(|(place, source)| Some((source, path.strip_prefix(place).ok()?)));
        let opened = match bound {
            None => openat2(self.root.fd(), path, how.resolve(inside)),
            Some((source, rest)) if rest.as_os_str().is_empty() => openat2(AT_FDCWD, source, how),
            Some((source, rest)) => {
                let folder = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                let folder = openat2(AT_FDCWD, source, OpenHow::new().flags(folder))?;
                openat2(&folder, rest, how.resolve(inside))
            }
        };
        Ok(File::from(opened?))
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        self.find(Path::new(path))
            .and_then(|file| file.metadata())
            .is_ok_and(|metadata| metadata.is_dir())
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.find(path)
            .and_then(|file| file.metadata())
            .is_ok_and(|metadata| metadata.is_file())
    }

    pub(super) fn is_executable(&self, path: &Path) -> bool {
        use nix::unistd::{AccessFlags, access};
        self.find(path).is_ok_and(|file| {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            access(path.as_str(), AccessFlags::X_OK).is_ok()
        })
    }

    pub(super) fn read(&self, path: &str) -> io::Result<String> {
        let path = Path::new(path);
        let bytes = read::from(self.open(path)?, path, read::SETTINGS)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The files of a configuration that may be one file or a folder of them, in their order.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        if !self.is_dir(path) {
            return self.read(path).into_iter().collect();
        }
        let names = self.open(Path::new(path)).and_then(|folder| {
            let entries = std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
            let mut names: Vec<String> = entries
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter(|name| !name.starts_with('.') && !name.ends_with('~'))
                .collect();
            names.sort();
            Ok(names)
        });
        let names = names.unwrap_or_default().into_iter();
        names
            .flat_map(|name| self.texts(&format!("{path}/{name}")))
            .collect()
    }

    /// Finds a user by name or number in the root's own passwd(5), with the groups of its group(5). A number needs no entry.
    pub(super) fn account(&self, user: &str) -> Option<Account> {
        let number: Option<u32> = user.parse().ok();
        let passwd = self.read("/etc/passwd").unwrap_or_default();
        let entry = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, ..] = fields[..] else {
                return None;
            };
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            (name == user || Some(uid) == number).then(|| Account {
                name: name.into(),
                uid,
                gid,
                groups: Vec::new(),
                home: home.into(),
            })
        };
        let found = passwd.lines().find_map(entry);
        let nameless = |uid| Account {
            name: user.into(),
            uid,
            gid: uid,
            groups: Vec::new(),
            home: "/".into(),
        };
        let mut account = found.or_else(|| number.map(nameless))?;
        let group = self.read("/etc/group").unwrap_or_default();
        let member = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let [_, _, gid, members] = fields[..] else {
                return None;
            };
            let is_in = members.split(',').any(|member| member == account.name);
            is_in.then(|| gid.parse().ok())?
        };
        let groups: Vec<u32> = group.lines().filter_map(member).collect();
        account.groups = [account.gid].into_iter().chain(groups).collect();
        account.groups.sort_unstable();
        account.groups.dedup();
        Some(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_one_of_the_roots_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let etc = folder.path().join("etc");
        std::fs::create_dir(&etc).expect("etc");
        let passwd = "root:x:0:0:root:/root:/bin/sh\nportage:x:250:251::/var/lib/portage/home:/bin/false\nodd\n";
        std::fs::write(etc.join("passwd"), passwd).expect("passwd");
        let group = "root:x:0:\nwheel:x:10:root,portage\nodd\nvideo:x:27:\naudio:x:18:portage\n";
        std::fs::write(etc.join("group"), group).expect("group");
        let inside = Inside::of(folder.path()).expect("a root");
        let is = |user: &str| {
            let account = inside.account(user)?;
            Some((account.uid, account.gid, account.groups, account.home))
        };
        let portage = Some((250, 251, vec![10, 18, 251], "/var/lib/portage/home".into()));
        assert_eq!(is("portage"), portage);
        assert_eq!(is("250"), portage);
        assert_eq!(is("0"), Some((0, 0, vec![0, 10], "/root".into())));
        assert_eq!(is("777"), Some((777, 777, vec![777], "/".into())));
        assert_eq!(is("nobody"), None);
    }
}
