//! The users and groups that exist inside: the maps of the user namespaces.

use super::{
    super::surroundings::Surroundings,
    error::{ChrootError, Result},
};
use crate::{context::Context, distribution::Distribution};
use crossmerge_plan::{
    env::Env,
    plan::step::{Ids, MapWriter, Users},
};
use crossmerge_system::{file::read, search};
use std::{ffi::OsStr, path::Path};

/// Returns the id maps of the first user namespace. Returns `None` if root calls and user namespaces are not
/// available: root can do without.
pub(super) fn users(context: &Context, surroundings: &Surroundings) -> Result<Option<Users>> {
    let is_root = surroundings.is_root();
    match surroundings.check_namespaces() {
        Err(_) if is_root => return Ok(None),
        Err(why) => return Err(ChrootError::NoNamespaces(why)),
        Ok(()) => {}
    }
    if is_root {
        return surroundings
            .own_users()
            .map(Some)
            .map_err(ChrootError::NoNamespaces);
    }
    Ok(Some(mapped(&context.env, surroundings)))
}

/// Returns the id maps with the calling user as root and, if there are any, their subordinate ids.
fn mapped(env: &Env, surroundings: &Surroundings) -> Users {
    let own = |outside: u32| Ids {
        inside: 0,
        outside,
        count: 1,
    };
    let name = surroundings.name();
    let ranges = |file: &str| {
        subordinate(
            &read::read_to_string(Path::new(file), read::SETTINGS).unwrap_or_default(),
            name.as_deref(),
            surroundings.uid,
        )
    };
    let (mut uids, mut gids) = (ranges("/etc/subuid"), ranges("/etc/subgid"));
    let has = |program: &str| search::has_command(env, OsStr::new(program));
    let map_writer =
        match !uids.is_empty() && !gids.is_empty() && has("newuidmap") && has("newgidmap") {
            true => MapWriter::Newuidmap,
            false => {
                uids.clear();
                gids.clear();
                MapWriter::Inside
            }
        };
    uids.insert(0, own(surroundings.uid));
    gids.insert(0, own(surroundings.gid));
    Users {
        uids,
        gids,
        map_writer,
    }
}

/// Returns the id maps of a user namespace in which the calling user, who is not root, is root. Returns `None` if user
/// namespaces are not available.
pub(crate) fn users_with_root(env: &Env) -> Option<Users> {
    let surroundings = Surroundings::read();
    surroundings.check_namespaces().ok()?;
    Some(mapped(env, &surroundings))
}

/// Returns the id maps of a user namespace in which the calling user, who is not root, is root and may change the owners
/// of files to their subordinate ids. To have none is an error.
pub(crate) fn subordinate_users(env: &Env, broot: &Path) -> Result<Users> {
    let surroundings = Surroundings::read();
    surroundings
        .check_namespaces()
        .map_err(ChrootError::NoNamespaces)?;
    let users = mapped(env, &surroundings);
    if users.map_writer == MapWriter::Newuidmap {
        return Ok(users);
    }
    let user = surroundings.name();
    let user = user.unwrap_or_else(|| surroundings.uid.to_string());
    let program = ["newuidmap", "newgidmap"]
        .into_iter()
        .find(|program| !search::has_command(env, OsStr::new(program)));
    Err(match program {
        Some(program) => ChrootError::NoMapProgram {
            program,
            hint: Distribution::of(env, broot).hint(program),
        },
        None => ChrootError::NoSubordinateIds { user },
    })
}

/// Returns the id maps of the second user namespace: all ids of the first one, each mapped to itself.
pub(super) fn locked(users: Users) -> Users {
    let as_itself = |ids: Vec<Ids>| {
        let ids = ids.into_iter();
        let ids = ids.map(|ids| Ids {
            outside: ids.inside,
            ..ids
        });
        ids.collect()
    };
    Users {
        uids: as_itself(users.uids),
        gids: as_itself(users.gids),
        map_writer: MapWriter::Outside,
    }
}

/// Returns the ranges that subuid(5) assigns a user, mapped consecutively from id 1.
fn subordinate(text: &str, name: Option<&str>, uid: u32) -> Vec<Ids> {
    let mut next = 1u32;
    let range = |line: &str| {
        let fields: Vec<&str> = line.trim().split(':').collect();
        let [user, outside, count] = fields[..] else {
            return None;
        };
        (Some(user) == name || user.parse() == Ok(uid)).then_some(())?;
        let (outside, count) = (outside.parse().ok()?, count.parse().ok()?);
        let inside = next;
        next = next.checked_add(count)?;
        Some(Ids {
            inside,
            outside,
            count,
        })
    };
    text.lines()
        .filter_map(range)
        .filter(|ids| ids.count > 0)
        .collect()
}

/// The ids that are mapped in the root.
pub(super) struct AvailableIds {
    uids: Vec<Ids>,
    gids: Vec<Ids>,
    /// Whether a process may set its supplementary groups.
    pub(super) groups: bool,
}

impl AvailableIds {
    pub(super) fn of(users: &Users, surroundings: &Surroundings) -> Self {
        Self {
            uids: users.uids.clone(),
            gids: users.gids.clone(),
            groups: users.map_writer != MapWriter::Inside && surroundings.may_set_groups,
        }
    }

    /// Returns whether more ids than the caller's own are mapped.
    pub(super) fn has_many(&self) -> bool {
        self.uids.iter().any(|ids| ids.count > 1)
    }

    pub(super) fn has_user(&self, uid: u32) -> bool {
        has(&self.uids, uid)
    }

    pub(super) fn has_group(&self, gid: u32) -> bool {
        has(&self.gids, gid)
    }

    pub(super) fn to_words(&self) -> String {
        let range = |ids: &Ids| match ids.count {
            1 => ids.inside.to_string(),
            count => format!("{} to {}", ids.inside, ids.inside.saturating_add(count - 1)),
        };
        let ranges: Vec<String> = self.uids.iter().map(range).collect();
        ranges.join(", ")
    }
}

fn has(ids: &[Ids], id: u32) -> bool {
    ids.iter().any(|ids| {
        id.checked_sub(ids.inside)
            .is_some_and(|from| from < ids.count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_a_user_are_mapped_consecutively() {
        let text = "root:100000:65536\njo:200000:1000\n# no\n1000:300000:5\njo:bad:1\njo:1:0\n";
        let ids = |inside, outside, count| Ids {
            inside,
            outside,
            count,
        };
        assert_eq!(
            subordinate(text, Some("jo"), 1000),
            [ids(1, 200_000, 1000), ids(1001, 300_000, 5)]
        );
        assert_eq!(subordinate(text, None, 7), []);
        let reach = AvailableIds {
            uids: vec![ids(0, 1000, 1), ids(1, 200_000, 1000)],
            gids: vec![ids(0, 1000, 1)],
            groups: true,
        };
        assert!(reach.has_many());
        for (id, is) in [(0, true), (1, true), (1000, true), (1001, false)] {
            assert_eq!(reach.has_user(id), is, "{id}");
        }
        assert!(!reach.has_group(1));
        assert_eq!(reach.to_words(), "0, 1 to 1000");
    }
}
