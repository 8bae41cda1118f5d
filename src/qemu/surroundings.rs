//! The surroundings of this process that decide how namespaces are entered: its ids, and what the kernel allows. They
//! are read in one place, so the decisions that depend on them are functions of values.

use super::{
    binfmt::version,
    namespaces::{KEPT_FROM_USERS, MAX_USER_NAMESPACES, NamespaceError},
};
use crossmerge_plan::plan::step::{BINFMT_MISC, Ids, MapWriter, Users};
use nix::unistd::{Uid, User, getegid, geteuid};
use std::{io, path::Path};

/// The first Linux release with per-namespace binfmt_misc.
const LINUX: (u32, u32) = (6, 7);

/// The surroundings of this process.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether a process with privileges may set its supplementary groups. Once a namespace denies setgroups, so does
    /// every nested one: user_namespaces(7).
    pub(super) may_set_groups: bool,
    /// The release of the kernel.
    release: String,
    has_binfmt_misc: bool,
    /// Whether the limit of user namespaces is 0.
    has_no_namespaces: bool,
    /// The file that restricts user namespaces to root.
    kept_from_users: Option<&'static str>,
    /// The ids of the current user namespace, each mapped to itself: in a container these may be several ranges.
    uids: io::Result<Vec<Ids>>,
    gids: io::Result<Vec<Ids>>,
}

impl Surroundings {
    /// Reads the surroundings.
    pub(super) fn read() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let mut kept = KEPT_FROM_USERS.iter();
        Self {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            may_set_groups: read("/proc/self/setgroups").trim() != "deny",
            release: nix::sys::utsname::uname()
                .map(|uname| uname.release().to_string_lossy().into_owned())
                .unwrap_or_default(),
            has_binfmt_misc: Path::new(BINFMT_MISC).is_dir(),
            has_no_namespaces: read(MAX_USER_NAMESPACES).trim() == "0",
            kept_from_users: kept
                .find(|(file, kept)| read(file).trim() == *kept)
                .map(|(file, _)| *file),
            uids: own_ids("uid_map"),
            gids: own_ids("gid_map"),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// Returns the user's name in the host's passwd.
    pub(super) fn name(&self) -> Option<String> {
        let user = User::from_uid(Uid::from_raw(self.uid)).ok().flatten();
        user.map(|user| user.name)
    }

    /// Checks whether a user namespace can have its own binfmt_misc, as far as files show it.
    pub(super) fn check_table(&self) -> Result<(), NamespaceError> {
        if version(&self.release).is_some_and(|version| version < LINUX) {
            return Err(NamespaceError::OldKernel(self.release.clone()));
        }
        if !self.has_binfmt_misc {
            return Err(NamespaceError::NoBinfmtMisc);
        }
        self.check_namespaces()
    }

    /// Checks whether user namespaces are available, as far as files show it.
    pub(super) fn check_namespaces(&self) -> Result<(), NamespaceError> {
        match self.kept_from_users {
            _ if self.has_no_namespaces => Err(NamespaceError::NoNamespaces),
            Some(file) if !self.is_root() => Err(NamespaceError::KeptFromUsers(file)),
            _ => Ok(()),
        }
    }

    /// Returns the id maps of a namespace in which rules can be registered: all of root's ids, or an ordinary user
    /// mapped to root.
    pub(super) fn own_users(&self) -> Result<Users, NamespaceError> {
        if !self.is_root() {
            return Ok(one(0, self.uid, 0, self.gid));
        }
        let ids = |ids: &io::Result<Vec<Ids>>| match ids {
            Ok(ids) => Ok(ids.clone()),
            Err(e) => Err(NamespaceError::Ids(io::Error::new(e.kind(), e.to_string()))),
        };
        Ok(Users {
            uids: ids(&self.uids)?,
            gids: ids(&self.gids)?,
            map_writer: MapWriter::Outside,
        })
    }

    /// Returns the id maps of a second namespace, nested in the first, in which an ordinary user has their own id
    /// again. Returns `None` for root.
    pub(super) fn own_again(&self) -> Option<Users> {
        (!self.is_root()).then(|| one(self.uid, 0, self.gid, 0))
    }
}

/// Returns the maps of one user and one group.
fn one(uid: u32, outside_uid: u32, gid: u32, outside_gid: u32) -> Users {
    let ids = |inside, outside| {
        vec![Ids {
            inside,
            outside,
            count: 1,
        }]
    };
    Users {
        uids: ids(uid, outside_uid),
        gids: ids(gid, outside_gid),
        map_writer: MapWriter::Inside,
    }
}

/// Reads the ids of the current user namespace.
fn own_ids(file: &str) -> io::Result<Vec<Ids>> {
    let text = fs_err::read_to_string(format!("/proc/self/{file}"))?;
    let range = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (inside, count) = (numbers.next()?.ok()?, numbers.nth(1)?.ok()?);
        Some(Ids {
            inside,
            outside: inside,
            count,
        })
    };
    Ok(text.lines().filter_map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uid: u32) -> Surroundings {
        let all = || {
            Ok(vec![Ids {
                inside: 0,
                outside: 0,
                count: 65_536,
            }])
        };
        Surroundings {
            uid,
            gid: uid,
            may_set_groups: true,
            release: "6.7.0".into(),
            has_binfmt_misc: true,
            has_no_namespaces: false,
            kept_from_users: None,
            uids: all(),
            gids: all(),
        }
    }

    #[test]
    fn root_keeps_every_id_and_an_ordinary_user_only_their_own() {
        let root = of(0).own_users().expect("ids");
        assert_eq!((root.uids[0].count, of(0).own_again()), (65_536, None));
        let user = of(1000);
        assert_eq!(user.own_users().expect("ids").uids[0].to_line(), "0 1000 1");
        let again = user.own_again().expect("a second namespace");
        assert_eq!(again.uids[0].to_line(), "1000 0 1");
        let unread = Surroundings {
            uids: Err(io::ErrorKind::NotFound.into()),
            ..of(0)
        };
        assert!(matches!(unread.own_users(), Err(NamespaceError::Ids(_))));
    }

    #[test]
    fn what_the_kernel_lacks_is_named() {
        let kept = Some(KEPT_FROM_USERS[0].0);
        for (surroundings, table, namespaces) in [
            (of(0), true, true),
            (
                Surroundings {
                    release: "6.6.30".into(),
                    ..of(0)
                },
                false,
                true,
            ),
            (
                Surroundings {
                    has_binfmt_misc: false,
                    ..of(0)
                },
                false,
                true,
            ),
            (
                Surroundings {
                    has_no_namespaces: true,
                    ..of(0)
                },
                false,
                false,
            ),
            (
                Surroundings {
                    kept_from_users: kept,
                    ..of(0)
                },
                true,
                true,
            ),
            (
                Surroundings {
                    kept_from_users: kept,
                    ..of(1000)
                },
                false,
                false,
            ),
        ] {
            assert_eq!(
                surroundings.check_table().is_ok(),
                table,
                "{surroundings:?}"
            );
            let checked = surroundings.check_namespaces();
            assert_eq!(checked.is_ok(), namespaces, "{surroundings:?}");
        }
    }
}
