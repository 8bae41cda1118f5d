//! The owner, the group and the mode of a file.

use nix::{
    sys::stat::{FileStat, Mode, SFlag},
    unistd::{Group, User},
};
use std::os::unix::fs::MetadataExt;

/// The owner, the group and the mode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned {
    /// The mode, including the file type.
    pub(super) mode: u32,
    /// The user.
    pub(super) uid: u32,
    /// The group.
    pub(super) gid: u32,
}

impl From<&FileStat> for Owned {
    fn from(stat: &FileStat) -> Self {
        Self {
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
        }
    }
}

impl From<&std::fs::Metadata> for Owned {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Self {
            mode: metadata.mode(),
            uid: metadata.uid(),
            gid: metadata.gid(),
        }
    }
}

impl Owned {
    pub(super) fn has(self, bit: Mode) -> bool {
        self.mode & bit.bits() != 0
    }

    pub(super) fn is(self, kind: SFlag) -> bool {
        self.mode & SFlag::S_IFMT.bits() == kind.bits()
    }
}

/// Returns the name of a user, or the number if there is no name.
pub(super) fn user(uid: u32) -> String {
    let user = User::from_uid(uid.into()).ok().flatten();
    user.map_or(uid.to_string(), |user| user.name)
}

/// Returns the name of a group, or the number if there is no name.
pub(super) fn group(gid: u32) -> String {
    let group = Group::from_gid(gid.into()).ok().flatten();
    group.map_or(gid.to_string(), |group| group.name)
}
