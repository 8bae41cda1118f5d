//! Whether this process uses the configuration and state of the system, or of one user.
//!
//! The effective user ID alone does not decide that. `unshare --map-root-user`, a user namespace with subordinate IDs,
//! and fakeroot all show a process the ID 0, and it is still one user's process, on a system that belongs to another
//! user. Every choice between the system's directories and a user's own depends on [`acts_for_system`].

use crate::file::read;
use crossmerge_plan::report;
use nix::unistd::{Uid, User, geteuid};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Once, OnceLock},
};

/// The mapping of the user IDs of this process to those outside its user namespace (user_namespaces(7)).
const UID_MAP: &str = "/proc/self/uid_map";

/// The state of this process, as the kernel shows it. fakeroot changes the result of `geteuid`, but not this file.
///
/// It does so by a library that the dynamic linker preloads. A statically linked program has no dynamic linker, and
/// reading this file would take a thirtieth of the time of a start.
const STATUS: &str = "/proc/self/status";

/// The part of that file with the user IDs, in bytes. The longest name of a process before them takes 64.
const UP_TO_UIDS: usize = 512;

/// A directory that the administrator of every system owns.
const OF_THE_SYSTEM: &str = "/usr";

/// Returns whether this process acts for the whole system: it runs as root, and the system's own files are root's.
///
/// In a container, root is the system's root although a user namespace maps it to an ordinary user outside, because
/// the files of the container are root's. In a namespace that only maps the user to root, `/usr` belongs to another
/// user.
pub fn acts_for_system() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        geteuid().is_root() && {
            let is_linked_dynamically = !cfg!(target_feature = "crt-static");
            let status = is_linked_dynamically.then(|| read::of_kernel(STATUS, UP_TO_UIDS).ok());
            let status = status.flatten();
            let status = status.as_deref().map(String::from_utf8_lossy);
            let owner = || Path::new(OF_THE_SYSTEM).metadata().ok().map(|it| it.uid());
            let uid_map = || read::read_to_string(Path::new(UID_MAP), read::SETTINGS).ok();
            is_systems_root(status.as_deref(), owner, uid_map)
        }
    })
}

/// Returns whether a process with the effective user ID 0 is the system's root. A file that cannot be read is no
/// evidence against that. The owner is checked before the mapping, which takes the kernel ten times as long to produce.
fn is_systems_root(
    status: Option<&str>,
    owner_of_usr: impl Fn() -> Option<u32>,
    uid_map: impl Fn() -> Option<String>,
) -> bool {
    let is_whole = || uid_map().is_none_or(|map| ranges(&map).eq([(0, 0, u32::MAX)]));
    status.and_then(effective_uid).is_none_or(|uid| uid == 0)
        && (owner_of_usr().is_none_or(|uid| uid == 0) || is_whole())
}

/// Returns the effective user ID in the text of `/proc/PID/status`, which has the real one, the effective one and two
/// more.
fn effective_uid(status: &str) -> Option<u32> {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().nth(1)?.parse().ok()
}

/// Parses a mapping into ranges: the first ID inside, the first ID outside, and the length.
fn ranges(map: &str) -> impl Iterator<Item = (u32, u32, u32)> {
    map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??, numbers.next()??))
    })
}

/// Returns the user ID that the caller had before they became root in a namespace or under fakeroot. Returns `None` if
/// it is not known: in a namespace within a namespace, the mapping names an ID of the outer one.
fn uid_outside(status: &str, uid_map: &str) -> Option<u32> {
    let inside = effective_uid(status)?;
    let outside = ranges(uid_map).find_map(|(first, outside, many)| {
        let nth = inside.checked_sub(first).filter(|nth| *nth < many)?;
        outside.checked_add(nth)
    });
    outside.filter(|uid| *uid != 0)
}

/// Returns the user's directory for configuration. `None` for the system, and if the user has none.
pub fn config_dir() -> Option<PathBuf> {
    own_dir(dirs::config_dir)
}

/// Returns the user's directory for state. `None` for the system, and if the user has none.
pub fn state_dir() -> Option<PathBuf> {
    own_dir(|| dirs::state_dir().or_else(dirs::data_local_dir))
}

/// Returns the user's directory for data. `None` for the system, and if the user has none.
pub fn data_dir() -> Option<PathBuf> {
    own_dir(dirs::data_dir)
}

/// Returns the user's directory for commands. `None` for the system, and if the user has none.
pub fn bin_dir() -> Option<PathBuf> {
    own_dir(dirs::executable_dir)
}

fn own_dir(dir: impl Fn() -> Option<PathBuf>) -> Option<PathBuf> {
    if acts_for_system() {
        return None;
    }
    let dir = dir()?;
    match geteuid().is_root() {
        true => of_the_caller(dir),
        false => Some(dir),
    }
}

/// Moves a directory from root's home directory to the caller's. It is in root's if HOME is unset, or set to root's.
fn of_the_caller(dir: PathBuf) -> Option<PathBuf> {
    let home_of = |uid: u32| User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let Some(rest) = home_of(0).and_then(|root| Some(dir.strip_prefix(root.dir).ok()?.to_owned()))
    else {
        return Some(dir);
    };
    let text = |file| read::read_to_string(Path::new(file), read::SETTINGS).unwrap_or_default();
    let caller = uid_outside(&text(STATUS), &text(UID_MAP)).and_then(home_of);
    if caller.is_none() {
        static WARNED: Once = Once::new();
        WARNED.call_once(|| {
            report::note(
                "warning: this is root in a user namespace, and HOME does not name the home directory of the user outside it: their \
                 configuration is not read; to fix it: `export HOME=DIR`",
            );
        });
    }
    Some(caller?.dir.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "         0          0 4294967295\n";
    const ALONE: &str = "         0       1000          1\n";
    const SUBUIDS: &str = "         0       1000          1\n         1     100000      65536\n";
    const NESTED: &str = "         0          0          1\n";

    fn status(uid: u32) -> String {
        format!("Name:\tcrossmerge\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\n")
    }

    #[test]
    fn root_of_another_users_system_does_not_act_for_it() {
        for (uid, map, owner, acts) in [
            (0, WHOLE, 0, true),
            // The mapping is complete, so this is root, whichever user owns `/usr`.
            (0, WHOLE, 1000, true),
            // `unshare --map-root-user`, alone and with subordinate IDs, and once more inside.
            (0, ALONE, 65534, false),
            (0, SUBUIDS, 65534, false),
            (0, NESTED, 65534, false),
            // A container of an ordinary user, and root's own namespace.
            (0, SUBUIDS, 0, true),
            (0, NESTED, 0, true),
            // fakeroot, which makes `geteuid` and `stat` return 0.
            (1000, WHOLE, 0, false),
        ] {
            let status = status(uid);
            let found = is_systems_root(Some(&status), || Some(owner), || Some(map.to_owned()));
            assert_eq!(found, acts, "{uid} {map:?} {owner}");
        }
        assert!(is_systems_root(None, || None, || None));
    }

    #[test]
    fn the_caller_is_known_by_their_uid_outside() {
        for (uid, map, outside) in [
            (0, ALONE, Some(1000)),
            (0, SUBUIDS, Some(1000)),
            (1, SUBUIDS, Some(100_000)),
            (1000, WHOLE, Some(1000)),
            (0, NESTED, None),
            (7, ALONE, None),
        ] {
            assert_eq!(uid_outside(&status(uid), map), outside, "{uid} {map:?}");
        }
    }
}
