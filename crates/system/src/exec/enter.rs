//! Carries out the steps of a plan in their order: see [`Step`].
//!
//! [`Inside`] carries out the steps that enter a root: it opens the root once, and then uses only descriptors.

pub(super) mod error;
mod ids;
mod inside;
mod mounts;
mod place;

pub(super) use ids::{Outside, map_for, write_ids};
pub(super) use mounts::read_only_file;

use crossmerge_plan::plan::step::{BINFMT_MISC, Mount, MountSource, Namespaces, Step, User};
pub use error::EnterError;
use error::{Result, failed};
use inside::Inside;
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    mount::{MsFlags, mount},
    sched::CloneFlags,
    sys::stat::Mode,
    unistd::{Gid, Uid, chdir, getegid, geteuid, setgroups, setresgid, setresuid},
};
use std::{
    io::{self, IsTerminal},
    os::{fd::OwnedFd, unix::fs::FileTypeExt},
    path::{Path, PathBuf},
};

/// Carries out the steps. A step that locks the mounts needs a process outside the second user namespace.
pub(super) fn all(steps: &[Step], mut outside: Option<Outside>) -> Result<()> {
    let steps = &with_terminal(steps);
    let mut inside = Inside::of(steps)?;
    for (number, step) in steps.iter().enumerate() {
        match (step, &mut inside) {
            (Step::Root(root), entered) => {
                let entered = entered.take().ok_or(EnterError::Arguments)?;
                entered.enter(root, outside.take())?;
            }
            (Step::Mount(mount), Some(inside)) if mount.root.is_some() => {
                inside.mount(number, mount)?;
            }
            (Step::Mount(mount), Some(inside)) if inside.is_root(mount) => {
                inside.make_mount(steps)?;
            }
            (Step::Link { path, target, .. }, Some(inside)) => {
                inside.link(path, target).map_err(failed(step))?;
            }
            _ => one(step)?,
        }
    }
    Ok(())
}

/// Returns the steps with the terminal on standard input where they mount it. Without a terminal, that mount is
/// omitted.
fn with_terminal(steps: &[Step]) -> Vec<Step> {
    let is_device = |path: &PathBuf| {
        let metadata = path.metadata();
        metadata.is_ok_and(|metadata| metadata.file_type().is_char_device())
    };
    let terminal = || {
        let path = std::fs::read_link("/proc/self/fd/0").ok();
        path.filter(|path| io::stdin().is_terminal() && is_device(path))
    };
    let resolved = |step: &Step| match step {
        Step::Mount(mount) if mount.source == MountSource::Terminal => {
            let source = MountSource::Bind {
                source: terminal()?,
                file: true,
                read_only: true,
            };
            let mount = mount.clone();
            Some(Step::Mount(Mount { source, ..mount }))
        }
        step => Some(step.clone()),
    };
    steps.iter().filter_map(resolved).collect()
}

fn one(step: &Step) -> Result<()> {
    match step {
        Step::Namespaces(namespaces) => self::namespaces(namespaces),
        Step::Users(users) => ids::unshare_users(CloneFlags::empty(), Some(users)),
        Step::Mount(mount) => mount_here(mount).map_err(failed(step)),
        Step::Register { line, optional } => {
            let path = format!("{BINFMT_MISC}/register");
            match std::fs::write(path, line.as_encoded_bytes()) {
                Err(_) if *optional => Ok(()),
                result => result.map_err(failed(step)),
            }
        }
        Step::User(user) => become_user(user).map_err(failed(step)),
        Step::Directory { path } => chdir(path).map_err(failed(step)),
        // The environment of the program is built when it is executed.
        Step::EmptyEnvironment => Ok(()),
        // These need a root, and the steps enter none.
        Step::Root(_) | Step::Link { .. } => Err(EnterError::Arguments),
    }
}

/// Moves the process into new namespaces (unshare(2)). Its later mounts are not visible outside. A file system that is
/// unmounted outside disappears inside too.
pub(super) fn namespaces(namespaces: &Namespaces) -> Result<()> {
    let mut flags = CloneFlags::CLONE_NEWNS;
    if namespaces.processes {
        flags |= CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    }
    ids::unshare_users(flags, namespaces.users.as_ref())?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)
        .map_err(|e| EnterError::Namespaces(e.into()))
}

/// Splits the steps into those that set up a binfmt_misc, which come first, and the others.
pub(super) fn split_table(steps: &[Step]) -> (&[Step], &[Step]) {
    let is_of_table = |step: &Step| match step {
        Step::Register { .. } => true,
        Step::Mount(mount) => match &mount.source {
            // QEMU, mounted read-only on itself.
            MountSource::Bind { source, .. } => {
                mount.root.is_none() && *source == mount.on && is_file(mount)
            }
            _ => mount.root.is_none() && mount.on == Path::new(BINFMT_MISC),
        },
        _ => false,
    };
    let others = steps.iter().position(|step| !is_of_table(step));
    steps.split_at(others.unwrap_or(steps.len()))
}

fn is_file(mount: &Mount) -> bool {
    matches!(mount.source, MountSource::Bind { file: true, .. })
}

/// Opens the binfmt_misc that the steps have set up. Its rules disappear with its last mount, so a process has to keep
/// it open.
pub(super) fn table(steps: &[Step]) -> Option<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    (!steps.is_empty()).then(|| open(BINFMT_MISC, flags, Mode::empty()).ok())?
}

/// Carries out a mount outside a root.
fn mount_here(step: &Mount) -> nix::Result<()> {
    match &step.source {
        MountSource::New { name, options } => mounts::new(name, options, &step.on),
        MountSource::Bind {
            source,
            read_only: true,
            ..
        } if *source == step.on => mounts::read_only_file(source).map(drop),
        MountSource::Bind { source, .. } => mounts::bind(source, &step.on),
        MountSource::ReadOnly => mounts::read_only_file(&step.on).map(drop),
        // It has been replaced by the terminal's path.
        MountSource::Terminal => Err(Errno::ENOTTY),
    }
}

fn become_user(user: &User) -> nix::Result<()> {
    if let Some(groups) = &user.groups {
        let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups)?;
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    if getegid() != gid {
        setresgid(gid, gid, gid)?;
    }
    if geteuid() != uid {
        setresuid(uid, uid, uid)?;
    }
    Ok(())
}
