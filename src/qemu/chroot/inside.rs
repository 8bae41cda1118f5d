//! A root as its own programs see it: no symlink in it leads outside.

use crossmerge_portage::{InRoot, error::SettingsError};
use crossmerge_system::file::{Tree, is_kind, open_in_root, read};
use nix::{
    fcntl::{OFlag, open},
    sys::stat::{FileStat, Mode, SFlag, fstat},
};
use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    rc::Rc,
};

/// The target's root.
#[derive(Debug)]
pub(super) struct TargetRoot {
    root: Rc<Tree>,
    /// Its text files, whose total size is limited.
    pub(super) settings: InRoot,
    /// Its path, with all symlinks resolved.
    pub(super) path: PathBuf,
    /// The device and inode numbers of the directory.
    pub(super) identity: (u64, u64),
    /// The bind mounts of the command line: mount point and source.
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

impl TargetRoot {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let root = Rc::new(Tree::open(path)?);
        let stat = fstat(root.fd())?;
        Ok(Self {
            path: root.real().into(),
            identity: (stat.st_dev, stat.st_ino),
            settings: InRoot::of(Rc::clone(&root)),
            root,
            binds: Vec::new(),
        })
    }

    /// Adds a bind mount, so that lookups below its mount point read the source.
    pub(super) fn bind(&mut self, source: &Path, place: &Path) {
        self.binds.push((place.into(), source.into()));
    }

    /// Opens a regular file for reading by its path in the root. Any other kind of file is an error, and is not
    /// opened.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        read::reopen(&self.find(path)?, path)
    }

    /// Opens a path with O_PATH, which only needs search permission for its directories.
    fn find(&self, path: &Path) -> io::Result<OwnedFd> {
        // The last mount covers the ones before.
        let mut binds = self.binds.iter().rev();
        let bound =
            binds.find_map(|(place, source)| Some((source, path.strip_prefix(place).ok()?)));
        let open = |source: &Path| open(source, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        Ok(match bound {
            None => open_in_root(self.root.fd(), path)?,
            Some((source, rest)) if rest.as_os_str().is_empty() => open(source)?,
            Some((source, rest)) => open_in_root(open(source)?, rest)?,
        })
    }

    fn stat(&self, path: &Path) -> Option<FileStat> {
        fstat(self.find(path).ok()?).ok()
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        let there = self.stat(Path::new(path));
        there.is_some_and(|there| is_kind(&there, SFlag::S_IFDIR))
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        let there = self.stat(path);
        there.is_some_and(|there| is_kind(&there, SFlag::S_IFREG))
    }

    pub(super) fn is_executable(&self, path: &Path) -> bool {
        use nix::unistd::{AccessFlags, access};
        self.find(path).is_ok_and(|file| {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            access(path.as_str(), AccessFlags::X_OK).is_ok()
        })
    }

    /// Finds a user by name or id in the root's own passwd(5), with the groups of its group(5). An id needs no entry.
    pub(super) fn account(&self, user: &str) -> Result<Option<Account>, SettingsError> {
        let number: Option<u32> = user.parse().ok();
        let text = |path| Ok(self.settings.text(path)?.unwrap_or_default());
        let passwd: Rc<str> = text("/etc/passwd")?;
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
        let Some(mut account) = found.or_else(|| number.map(nameless)) else {
            return Ok(None);
        };
        let group: Rc<str> = text("/etc/group")?;
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
        Ok(Some(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_looked_up_in_the_roots_passwd() {
        let directory = tempfile::tempdir().expect("a directory");
        let etc = directory.path().join("etc");
        std::fs::create_dir(&etc).expect("etc");
        let passwd = "root:x:0:0:root:/root:/bin/sh\nportage:x:250:251::/var/lib/portage/home:/bin/false\nodd\n";
        std::fs::write(etc.join("passwd"), passwd).expect("passwd");
        let group = "root:x:0:\nwheel:x:10:root,portage\nodd\nvideo:x:27:\naudio:x:18:portage\n";
        std::fs::write(etc.join("group"), group).expect("group");
        let inside = TargetRoot::of(directory.path()).expect("a root");
        let is = |user: &str| {
            let account = inside.account(user).expect("files")?;
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
