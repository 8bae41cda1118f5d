//! Whom we trust with a place: root, and the user we run as. Everybody else is another user.
//!
//! Here is decided, from owners and modes alone, whether another user could have put a link where it is, and whether somebody
//! else could put another file where one is. What follows from it is for whoever asked: to write nothing, or to say so.

use super::{
    owner::{Owned, group, user},
    path::canonical,
    walk::{MOST_LINKS, Rest, push},
};
use crossmerge_plan::{shown::Show, words::quote_line};
use nix::sys::stat::{Mode, SFlag};
use std::{
    fmt, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Who is trusted by this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    own: u32,
    /// Who owns `/`: root, or in a user namespace that has no root of the machine's, the number that stands for all it has not.
    root: u32,
}

impl Trust {
    /// The trust of the user we run as.
    pub(super) fn own() -> Self {
        Self::beside(Path::new("/").metadata().map_or(0, |root| root.uid()))
    }

    /// The trust of the user we run as, where that is who owns `/`.
    fn beside(root: u32) -> Self {
        let own = nix::unistd::geteuid().as_raw();
        Self { own, root }
    }

    /// Returns whether it is root, or the user we run as.
    pub(super) fn is_known(self, uid: u32) -> bool {
        uid == 0 || uid == self.own || uid == self.root
    }

    /// Returns whether nobody else could have put the link there: link and directory are root's or ours; and in a directory that everybody
    /// may write to, it keeps everyone to what is his own.
    ///
    /// Who is in a group that may write to a directory of root's was put there by root.
    pub(super) fn may_follow(self, link: Owned, directory: Owned) -> bool {
        let is_link_known = match directory.has(Mode::S_IWOTH) {
            true => directory.has(Mode::S_ISVTX) && (link.uid == 0 || link.uid == self.own),
            false => self.is_known(link.uid),
        };
        is_link_known && self.is_known(directory.uid)
    }

    /// Returns whether another user may change what it is: its content, or what is in it unless it keeps everyone to his own.
    fn is_weak(self, it: Owned) -> bool {
        let is_kept_apart = it.is(SFlag::S_IFDIR) && it.has(Mode::S_ISVTX);
        // A user's own group may be a group of one; for root, every other group is another user.
        let by_group = it.has(Mode::S_IWGRP) && it.gid != 0 && self.own == 0;
        !self.is_known(it.uid) || (it.has(Mode::S_IWOTH) || by_group) && !is_kept_apart
    }
}

/// What another user may change: a directory, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritableByOthers {
    /// Which.
    pub path: PathBuf,
    what: Owned,
}

impl fmt::Display for WritableByOthers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.what.mode & 0o7777;
        let (path, owner) = (self.path.shown(), user(self.what.uid));
        let group = group(self.what.gid);
        write!(f, "`{path}` (owner {owner}, group {group}, mode {mode:o})")
    }
}

impl WritableByOthers {
    /// The command that makes it root's alone.
    pub fn fix(&self) -> String {
        let path = quote_line(self.path.as_os_str());
        match self.what.uid {
            _ if self.what.is(SFlag::S_IFLNK) => format!("chown -h root:root {path}"),
            0 => format!("chmod go-w {path}"),
            _ => format!("chown root:root {path} && chmod go-w {path}"),
        }
    }
}

/// Another user who owns what is at a path, or a symlink or directory on the path. Root and the user who runs this are no others.
pub fn another(path: &Path) -> io::Result<Option<u32>> {
    let trust = Trust::own();
    let weak = writable_by_others(path)?.map(|weak| weak.what.uid);
    // The weak point can be a directory of root's that a group may write to, above one of another user's.
    let real = canonical(path);
    let owners = real.ancestors().filter_map(|above| above.metadata().ok());
    let mut uids = weak.into_iter().chain(owners.map(|above| above.uid()));
    Ok(uids.find(|uid| !trust.is_known(*uid)))
}

/// Looks for what another user may change: the file or directory, and every directory and link on the way to it.
pub fn writable_by_others(path: &Path) -> io::Result<Option<WritableByOthers>> {
    let path = match path.is_absolute() {
        true => path.to_owned(),
        false => std::path::absolute(path)?,
    };
    // Where we are, a path without links and dots; whose the directories on it are; and the steps that are left, the next one last.
    let mut place = PathBuf::from("/");
    let root = Owned::from(&place.metadata()?);
    let (mut directories, mut steps, mut links) = (vec![root], Rest::new(), 0);
    push(&mut steps, &path);
    let trust = Trust::beside(root.uid);
    if trust.is_weak(root) {
        return Ok(Some(WritableByOthers {
            path: place,
            what: root,
        }));
    }
    while let Some(step) = steps.pop() {
        if step == "/" {
            directories.truncate(1);
            place.push(step);
            continue;
        }
        if step == "." {
            continue;
        }
        if step == ".." {
            // There is nothing above the root.
            if place.pop() {
                directories.pop();
            }
            continue;
        }
        place.push(step);
        let there = place.symlink_metadata()?;
        let what = Owned::from(&there);
        let is_weak = match directories.last() {
            Some(directory) if there.is_symlink() => {
                directory.has(Mode::S_IWOTH) && !trust.may_follow(what, *directory)
            }
            _ => trust.is_weak(what),
        };
        if is_weak {
            return Ok(Some(WritableByOthers { path: place, what }));
        }
        if there.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(nix::errno::Errno::ELOOP.into());
            }
            push(&mut steps, &place.read_link()?);
            place.pop();
        } else {
            directories.push(what);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Trust = Trust { own: 0, root: 0 };
    const ALICE: Trust = Trust { own: 7, root: 0 };
    /// Alice as root of a user namespace, in which everybody else is nobody.
    const SPACE: Trust = Trust {
        own: 0,
        root: 65534,
    };

    fn owned(uid: u32, mode: u32) -> Owned {
        Owned {
            mode: mode | SFlag::S_IFDIR.bits(),
            uid,
            gid: uid,
        }
    }

    #[test]
    fn a_link_is_followed_where_nobody_else_could_have_put_it() {
        for (trust, link, directory, follows) in [
            (ROOT, 0, owned(0, 0o755), true),
            (ROOT, 0, owned(0, 0o775), true),
            (ROOT, 0, owned(0, 0o1777), true),
            (ROOT, 0, owned(0, 0o777), false),
            (ROOT, 0, owned(7, 0o755), false),
            (ROOT, 7, owned(0, 0o1777), false),
            (ROOT, 7, owned(7, 0o755), false),
            (ROOT, 7, owned(0, 0o755), false),
            (ALICE, 7, owned(7, 0o775), true),
            (ALICE, 0, owned(0, 0o755), true),
            (ALICE, 0, owned(7, 0o755), true),
            (ALICE, 7, owned(0, 0o1777), true),
            (ALICE, 7, owned(8, 0o1777), false),
            (ALICE, 8, owned(0, 0o1777), false),
            (ALICE, 8, owned(8, 0o755), false),
            (SPACE, 65534, owned(65534, 0o755), true),
            (SPACE, 65534, owned(65534, 0o1777), false),
            (SPACE, 0, owned(65534, 0o1777), true),
        ] {
            let link_is = owned(link, 0o777);
            let said = trust.may_follow(link_is, directory);
            assert_eq!(
                said, follows,
                "{trust:?}: a link of {link} in {directory:?}"
            );
        }
    }

    #[test]
    fn what_another_user_may_change_is_weak() {
        for (trust, what, is_weak) in [
            (ROOT, owned(0, 0o755), false),
            (ROOT, owned(0, 0o1777), false),
            (ROOT, owned(0, 0o777), true),
            (ROOT, owned(0, 0o775), false),
            (
                ROOT,
                Owned {
                    gid: 50,
                    ..owned(0, 0o775)
                },
                true,
            ),
            (ROOT, owned(7, 0o700), true),
            (ALICE, owned(7, 0o775), false),
            (ALICE, owned(7, 0o777), true),
            (ALICE, owned(8, 0o755), true),
            (SPACE, owned(65534, 0o755), false),
        ] {
            assert_eq!(trust.is_weak(what), is_weak, "{trust:?}: {what:?}");
        }
    }
}
