//! Trust in files. The trusted users are root and the user who runs crossmerge. Any other user is "another user".
//!
//! From owners and modes alone, this module decides whether another user could have created a symlink, and whether
//! another user could replace a file. Callers decide what follows from it: a refusal or a warning.

use super::{
    owner::{Owned, group, user},
    walk::{MOST_LINKS, Rest, push},
};
use crossmerge_plan::{shown::Show, words::quote_line};
use nix::sys::stat::{Mode, SFlag};
use std::{
    collections::BTreeSet,
    fmt,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The users that this process trusts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    own: u32,
    /// The owner of `/`: root or, in a user namespace in which the host's root is not mapped, the overflow uid.
    root: u32,
}

impl Trust {
    /// Returns the trust of the current user.
    pub(super) fn own() -> Self {
        Self::beside(Path::new("/").metadata().map_or(0, |root| root.uid()))
    }

    /// Returns the trust of the current user, if `root` owns `/`.
    fn beside(root: u32) -> Self {
        let own = nix::unistd::geteuid().as_raw();
        Self { own, root }
    }

    /// Returns whether a user is root or the current user.
    pub(super) fn is_trusted_user(self, uid: u32) -> bool {
        uid == 0 || uid == self.own || uid == self.root
    }

    /// Returns whether no other user could have created a symlink. The symlink and its directory have to belong to
    /// trusted users. A directory that every user may write to has to have the sticky bit.
    ///
    /// Groups that may write to a directory of root's are trusted, because root chose their members.
    pub(super) fn may_follow(self, link: Owned, directory: Owned) -> bool {
        let is_link_known = match directory.has(Mode::S_IWOTH) {
            true => directory.has(Mode::S_ISVTX) && (link.uid == 0 || link.uid == self.own),
            false => self.is_trusted_user(link.uid),
        };
        is_link_known && self.is_trusted_user(directory.uid)
    }

    /// Returns whether another user may change a file, or replace files in a directory. The sticky bit prevents the
    /// latter.
    fn is_writable_by_others(self, it: Owned) -> bool {
        let is_kept_apart = it.is(SFlag::S_IFDIR) && it.has(Mode::S_ISVTX);
        // A user's own group usually has no other members. For root, every group but its own consists of other users.
        let by_group = it.has(Mode::S_IWGRP) && it.gid != 0 && self.own == 0;
        !self.is_trusted_user(it.uid) || (it.has(Mode::S_IWOTH) || by_group) && !is_kept_apart
    }
}

/// A file or directory that another user may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritableByOthers {
    /// The path.
    pub path: PathBuf,
    owned: Owned,
}

impl fmt::Display for WritableByOthers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.owned.mode & 0o7777;
        let (path, owner) = (self.path.shown(), user(self.owned.uid));
        let group = group(self.owned.gid);
        write!(f, "`{path}` (owner {owner}, group {group}, mode {mode:o})")
    }
}

impl WritableByOthers {
    /// Returns the command after which only root may change it.
    pub fn fix(&self) -> String {
        let path = quote_line(self.path.as_os_str());
        match self.owned.uid {
            _ if self.owned.is(SFlag::S_IFLNK) => format!("chown -h root:root {path}"),
            0 => format!("chmod go-w {path}"),
            _ => format!("chown root:root {path} && chmod go-w {path}"),
        }
    }
}

/// The users, other than root and the current user, who may change a path: the file, or a symlink or directory on the
/// path to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherUsers {
    owners: BTreeSet<u32>,
    /// Whether every user, or the members of a group, may change a part of the path.
    are_unknown: bool,
}

impl OtherUsers {
    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty() && !self.are_unknown
    }

    /// Adds the other users of another path.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.owners.extend(others.owners);
        self.are_unknown |= others.are_unknown;
        self
    }

    /// Returns whether all of them have a right to a file: because every user has it, or because it is their own file.
    pub(super) fn all_may(&self, right: Mode, file: &Metadata) -> bool {
        let own_it = !self.are_unknown && self.owners.iter().all(|owner| *owner == file.uid());
        own_it || Owned::from(file).has(right)
    }
}

/// Returns the other users who may change a path, as far as it exists, or who own a symlink on it.
pub fn others(path: &Path) -> OtherUsers {
    let mut others = OtherUsers::default();
    // The walk fails where the path ends.
    let _ = walk(path, |trust, part| {
        let owner = Some(part.owned.uid).filter(|uid| !trust.is_trusted_user(*uid));
        let of_roots = Owned {
            uid: 0,
            ..part.owned
        };
        // The mode of a symlink means nothing.
        let is_symlink = part.owned.is(SFlag::S_IFLNK);
        others.are_unknown |= !is_symlink && trust.is_writable_by_others(of_roots);
        others.owners.extend(owner);
        None::<()>
    });
    others
}

/// Returns the first file, directory or symlink on a path that another user may change. `None` if there is none.
///
/// # Errors
///
/// The error of a component of the path that does not exist or cannot be examined, or ELOOP.
pub fn writable_by_others(path: &Path) -> io::Result<Option<WritableByOthers>> {
    walk(path, |_, part| {
        part.is_writable_by_others.then(|| WritableByOthers {
            path: part.path.to_owned(),
            owned: part.owned,
        })
    })
}

/// A part of a path: a directory, a symlink, or the file at its end.
struct Part<'p> {
    path: &'p Path,
    owned: Owned,
    is_writable_by_others: bool,
}

/// Calls `visit` for each part of a path, in the order in which the kernel resolves them, until it returns a value. It
/// also gets the users that are trusted.
fn walk<T>(
    path: &Path,
    mut visit: impl FnMut(Trust, Part<'_>) -> Option<T>,
) -> io::Result<Option<T>> {
    let path = match path.is_absolute() {
        true => path.to_owned(),
        false => std::path::absolute(path)?,
    };
    // `place` is the resolved part of the path, `directories` the owners of its components, `steps` the remaining
    // components, the next one last.
    let mut place = PathBuf::from("/");
    let root = Owned::from(&place.metadata()?);
    let (mut directories, mut steps, mut links) = (vec![root], Rest::new(), 0);
    push(&mut steps, &path);
    let trust = Trust::beside(root.uid);
    let found = visit(
        trust,
        Part {
            path: &place,
            owned: root,
            is_writable_by_others: trust.is_writable_by_others(root),
        },
    );
    if found.is_some() {
        return Ok(found);
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
        let metadata = place.symlink_metadata()?;
        let owned = Owned::from(&metadata);
        let is_writable_by_others = match directories.last() {
            Some(directory) if metadata.is_symlink() => {
                directory.has(Mode::S_IWOTH) && !trust.may_follow(owned, *directory)
            }
            _ => trust.is_writable_by_others(owned),
        };
        let found = visit(
            trust,
            Part {
                path: &place,
                owned,
                is_writable_by_others,
            },
        );
        if found.is_some() {
            return Ok(found);
        }
        if metadata.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(nix::errno::Errno::ELOOP.into());
            }
            push(&mut steps, &place.read_link()?);
            place.pop();
        } else {
            directories.push(owned);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Trust = Trust { own: 0, root: 0 };
    const ALICE: Trust = Trust { own: 7, root: 0 };
    /// Alice as root of a user namespace in which no other user is mapped.
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
    fn a_symlink_is_followed_if_no_other_user_could_have_created_it() {
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
            let found = trust.may_follow(link_is, directory);
            assert_eq!(
                found, follows,
                "{trust:?}: a link of {link} in {directory:?}"
            );
        }
    }

    #[test]
    fn owners_and_modes_show_what_another_user_may_change() {
        for (trust, what, is_writable_by_others) in [
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
            assert_eq!(
                trust.is_writable_by_others(what),
                is_writable_by_others,
                "{trust:?}: {what:?}"
            );
        }
    }
}
