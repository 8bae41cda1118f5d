//! `<tuple>-chroot`: enters the target's root, in which the target's programs run under QEMU, and leaves nothing
//! mounted afterwards.
//!
//! It automates the Embedded Handbook's chapter on QEMU chroots in mount, PID and user namespaces, with a
//! per-namespace binfmt_misc. This module reads the system and decides; the result is a plan, whose steps `exec/`
//! performs.
//!
//! The root gets `/proc`, `/sys`, a `/dev` with the host's usual nodes, its own terminals and `/dev/shm`, the host's
//! `resolv.conf`, the host's ebuild repositories (read-only) at the paths in the root's `repos.conf`, and the host's
//! DISTDIR. A missing mount point is created as an empty directory, and stays. Nothing else in the root is changed.

mod environment;
mod error;
mod handler;
mod ids;
mod inside;
mod mounts;
mod request;

pub use error::ChrootError;
pub(crate) use ids::{subordinate_users, users_with_root};
pub use request::{asks_for_help, help};

use super::surroundings::Surroundings;
use crate::context::Context;
use crossmerge_plan::{
    env,
    plan::{
        Alternative, Choice, Plan,
        step::{Mount, MountSource, Namespaces, Root, Step, User, Users},
    },
};
use crossmerge_system::file;
use environment::{PATH, SHELLS, environment};
use error::Result;
use handler::Handler;
use ids::{AvailableIds, locked, users};
use inside::{Account, TargetRoot};
use mounts::{bound, host_files, system};
use request::ChrootRequest;
use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Decides what `<tuple>-chroot args…` does.
pub fn plan(context: &Context, args: Vec<OsString>) -> Result<Plan> {
    let request = ChrootRequest::parse(args)?;
    let mut inside = root(context, request.root.as_deref())?;
    let mut binds = Vec::new();
    for (source, place) in &request.binds {
        let (source, place) = bound(source, place.as_deref())?;
        // The command may be in this mount.
        inside.bind(&source, &place);
        let mut mount = Mount::bind(&source, place);
        if !source.is_dir() {
            mount.source = MountSource::Bind {
                source,
                file: true,
                read_only: false,
            };
        }
        binds.push(Step::Mount(mount.in_root(&inside.path)));
    }
    let (program, args) = command(&inside, &request)?;
    let surroundings = Surroundings::read();
    let handler = Handler::of(context, &surroundings, &inside, &program)?;
    let users = users(context, &surroundings)?;
    let ids = match &users {
        Some(users) => AvailableIds::of(users, &surroundings),
        None => {
            let own = surroundings
                .own_users()
                .map_err(ChrootError::NoNamespaces)?;
            AvailableIds::of(&own, &surroundings)
        }
    };
    let account = account(&inside, request.user.as_deref(), &ids)?;
    let mut mounts = vec![Step::Mount(Mount::bind(&inside.path, &inside.path))];
    mounts.extend(system(&inside, &ids, &surroundings, users.is_some()));
    mounts.extend(host_files(context, &inside)?);
    mounts.extend(binds);
    let entry = Entry {
        context,
        cpu: request.cpu,
        inside,
        users,
        ids,
        account,
        mounts,
        program,
        args,
    };
    let trial = handler.trial.clone();
    let plan = entry.plan(handler);
    Ok(match trial {
        None => plan,
        Some(trial) => Plan {
            choice: Some(Box::new(Choice {
                program: None,
                alternatives: vec![Alternative {
                    trial,
                    plan: entry.plan(Handler::NATIVE),
                }],
                note: None,
            })),
            ..plan
        },
    })
}

/// Everything that is decided about entering a root, but for how its programs run.
struct Entry<'a> {
    context: &'a Context,
    cpu: Option<OsString>,
    inside: TargetRoot,
    users: Option<Users>,
    ids: AvailableIds,
    account: Account,
    mounts: Vec<Step>,
    program: PathBuf,
    args: Vec<OsString>,
}

impl Entry<'_> {
    fn plan(&self, handler: Handler) -> Plan {
        let Self {
            context,
            inside,
            ids,
            account,
            ..
        } = self;
        let mut enter = vec![Step::Namespaces(Namespaces {
            users: self.users.clone(),
            processes: true,
        })];
        enter.extend(handler.steps);
        enter.extend(self.mounts.iter().cloned());
        enter.push(Step::Root(Root {
            path: inside.path.clone(),
            identity: inside.identity,
            locked: self.users.clone().map(locked),
        }));
        if ids.has_many() || account.uid != 0 {
            enter.push(Step::User(User {
                uid: account.uid,
                gid: account.gid,
                groups: ids.groups.then(|| {
                    let groups = account.groups.iter().copied();
                    groups.filter(|gid| ids.has_group(*gid)).collect()
                }),
            }));
        }
        let home = if inside.is_dir(&account.home) {
            account.home.as_str()
        } else {
            "/"
        };
        enter.push(Step::Directory { path: home.into() });
        enter.push(Step::EmptyEnvironment);
        let cpu = handler.is_qemu.then(|| {
            let configured = || context.settings.cpu.clone().map(OsString::from);
            let callers = || context.env.get(env::QEMU_CPU).map(OsStr::to_owned);
            self.cpu.clone().or_else(callers).or_else(configured)
        });
        Plan {
            env: environment(
                context,
                account,
                home,
                &self.program,
                cpu.flatten(),
                handler.is_qemu,
                ids,
            ),
            program: self.program.clone(),
            args: self.args.clone(),
            enter,
            ..Plan::default()
        }
    }
}

/// Opens the root: the one of `--root`, else ROOT, else that of the target's make.conf, else the sysroot; as for the
/// other applets.
fn root(context: &Context, asked: Option<&Path>) -> Result<TargetRoot> {
    let root = match (asked, context.named_root()?) {
        (Some(root), _) => root.into(),
        (None, Some(root)) => root,
        (None, None) => {
            let settings = context.read_target_settings(&[env::ROOT.name]);
            let root = settings.and_then(|mut settings| settings.remove(env::ROOT.name));
            match root.as_deref() {
                None | Some("" | "/") => context.existing_sysroot()?,
                Some(root) => root.into(),
            }
        }
    };
    if context.config.is_own_root(&root) {
        return Err(ChrootError::OwnRoot(root));
    }
    let of = |root: &Path| match root.is_dir() {
        true => TargetRoot::of(root),
        false => Err(root
            .metadata()
            .map_or_else(|e| e, |_| io::ErrorKind::NotADirectory.into())),
    };
    of(&root).map_err(|source| match file::hint(&source) {
        Some(_) => ChrootError::Unreachable(source),
        None => ChrootError::NoRoot { root, source },
    })
}

/// Returns the program and its arguments, by their paths in the root.
fn command(inside: &TargetRoot, request: &ChrootRequest) -> Result<(PathBuf, Vec<OsString>)> {
    let root = || inside.path.clone();
    let Some((name, args)) = request.command.split_first() else {
        let mut shells = SHELLS.iter().map(PathBuf::from);
        let shell = shells.find(|shell| inside.is_file(shell));
        let shell = shell.ok_or_else(|| ChrootError::NoShell(root()))?;
        return Ok((shell, vec!["-l".into()]));
    };
    let candidates: Vec<PathBuf> = match name.as_bytes().contains(&b'/') {
        true => vec![Path::new("/").join(name)],
        false => PATH
            .split(':')
            .map(|directory| Path::new(directory).join(name))
            .collect(),
    };
    let mut existing = candidates
        .into_iter()
        .filter(|path| inside.is_file(path))
        .peekable();
    let first = existing.peek().cloned();
    match (existing.find(|path| inside.is_executable(path)), first) {
        (Some(program), _) => Ok((program, args.to_vec())),
        (None, Some(command)) => Err(ChrootError::NotExecutable {
            root: root(),
            command,
        }),
        (None, None) => Err(ChrootError::NoCommand {
            root: root(),
            command: name.display().to_string(),
        }),
    }
}

/// Returns the account that logs in: root, who need not be in the root's passwd, or the requested user.
fn account(inside: &TargetRoot, asked: Option<&str>, ids: &AvailableIds) -> Result<Account> {
    let user = asked.unwrap_or("0");
    let account = inside.account(user)?.ok_or_else(|| ChrootError::NoUser {
        root: inside.path.clone(),
        user: user.into(),
    })?;
    if !ids.has_user(account.uid) || !ids.has_group(account.gid) {
        return Err(ChrootError::UnmappedUser {
            user: user.into(),
            uid: account.uid,
            gid: account.gid,
            ids: ids.to_words(),
        });
    }
    Ok(match account {
        Account {
            uid: 0, name, home, ..
        } if name == "0" => Account {
            uid: 0,
            gid: 0,
            groups: vec![0],
            name: "root".into(),
            home: if inside.is_dir("/root") {
                "/root".into()
            } else {
                home
            },
        },
        account => account,
    })
}
