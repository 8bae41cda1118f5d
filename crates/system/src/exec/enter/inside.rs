//! Entering a root. The root is opened once, by its checked path and without following symlinks. Everything else uses
//! descriptors, so another user cannot interfere by changing the path, or the root, meanwhile.
//!
//! The order matters:
//!
//! 1. [`Inside::of`] opens the root, and everything of the host that will be mounted in it.
//! 2. [`Inside::make_mount`] makes the root a mount, and creates all mount points in it. Nothing of the host is
//!    mounted in it yet, so no symlink of the root leads to a file of the host.
//! 3. [`Inside::mount`] mounts. A read-only mount is made read-only before it appears in the root.
//! 4. [`Inside::enter`] changes the root, unmounts the old one with all mounts in it, and closes all descriptors of it.

use super::{
    error::{EnterError, Result, failed},
    ids::Outside,
    mounts::{self, by_descriptor},
    place::{Within, find_or_make, open_in, path_of},
};
use crossmerge_plan::{
    plan::step::{Mount, MountSource, Root, Step},
    report,
};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sys::statfs::{DEVPTS_SUPER_MAGIC, FsType, PROC_SUPER_MAGIC, TMPFS_MAGIC, fstatfs},
    unistd::{chdir, chroot, fchdir, pivot_root, symlinkat},
};
use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

/// The file systems that are newly mounted in a root, with their types in fstatfs(2).
const SYSTEMS: [(&str, FsType); 3] = [
    ("proc", PROC_SUPER_MAGIC),
    ("tmpfs", TMPFS_MAGIC),
    ("devpts", DEVPTS_SUPER_MAGIC),
];

/// A root that is being entered.
pub(super) struct Inside {
    path: PathBuf,
    top: OwnedFd,
    /// The PID of this process in the PID namespace of the process outside.
    number: Option<String>,
    /// The directories and files of the host that will be mounted, by their paths.
    sources: BTreeMap<PathBuf, nix::Result<OwnedFd>>,
    /// The mounts in the root, in the order of their steps.
    mounts: Vec<Placed>,
}

/// A mount in the root.
struct Placed {
    /// The number of its step.
    number: usize,
    /// Its path in the root.
    on: PathBuf,
    /// The index of the earlier mount that contains it, and its path in that mount.
    in_mount: Option<(usize, PathBuf)>,
    /// The mount point. `None` if it is in another mount and not opened yet.
    place: Option<nix::Result<OwnedFd>>,
    /// The mounted file system, opened if another mount is in it.
    top: Option<OwnedFd>,
}

impl Inside {
    /// Opens the root that the steps enter, and everything that they mount in it. Returns `None` if they enter none.
    pub(super) fn of(steps: &[Step]) -> Result<Option<Self>> {
        let mut roots = steps.iter().filter_map(|step| match step {
            Step::Root(root) => Some((step, root)),
            _ => None,
        });
        let Some((step, root)) = roots.next() else {
            return Ok(None);
        };
        let top = match mounts::open(&root.path) {
            Err(Errno::ELOOP | Errno::ENOENT | Errno::ENOTDIR) => {
                return Err(EnterError::Changed(root.path.clone()));
            }
            top => top.map_err(failed(step))?,
        };
        if mounts::identity(&top).map_err(failed(step))? != root.identity {
            return Err(EnterError::Changed(root.path.clone()));
        }
        let number = match root.locked {
            Some(_) => Some(Outside::own_number()?),
            None => None,
        };
        let mounts = steps.iter().filter_map(|step| match step {
            Step::Mount(mount) if mount.root.is_some() => Some(mount),
            _ => None,
        });
        let sources = mounts.flat_map(|mount| [Some(&mount.source), mount.fallback.as_ref()]);
        let sources = sources.flatten().filter_map(|source| match source {
            MountSource::Bind { source, .. } => Some((source.clone(), mounts::open(source))),
            _ => None,
        });
        Ok(Some(Self {
            path: root.path.clone(),
            top,
            number,
            sources: sources.collect(),
            mounts: Vec::new(),
        }))
    }

    /// Returns whether the step mounts the root on itself.
    pub(super) fn is_root(&self, mount: &Mount) -> bool {
        let is_itself = |source: &Path| source == self.path && mount.on == self.path;
        matches!(&mount.source, MountSource::Bind { source, .. } if is_itself(source))
    }

    /// Mounts the root on itself, and creates all mount points in it.
    pub(super) fn make_mount(&mut self, steps: &[Step]) -> Result<()> {
        self.top = mounts::bind_itself(&self.top, &self.path).map_err(|e| match e {
            Errno::ELOOP | Errno::ENOENT | Errno::ENOTDIR | Errno::ESTALE => {
                EnterError::Changed(self.path.clone())
            }
            e => EnterError::Step {
                step: format!("mount --rbind {0} {0}", self.path.display()),
                source: e.into(),
            },
        })?;
        let top = path_of(&self.top).map_err(|e| EnterError::NoPlace {
            place: self.path.clone(),
            source: e.into(),
        })?;
        let mut covered: Vec<PathBuf> = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let Step::Mount(mount) = step else { continue };
            if mount.root.is_none() {
                continue;
            }
            let in_mount = self.mount_around(&mount.on);
            let place = in_mount.is_none().then(|| {
                // A symlink may lead to a path below an earlier mount point, where this mount would be hidden.
                let may_be = |place: &OwnedFd| {
                    let place = path_of(place)?;
                    let is_below = |over: &PathBuf| place != *over && place.starts_with(over);
                    match covered.iter().any(is_below) {
                        true => Err(Errno::EBUSY),
                        false => Ok(()),
                    }
                };
                let place =
                    find_or_make(&self.top, &mount.on, is_file(mount), Within::Root, &may_be)?;
                let found = path_of(&place)?;
                if found == top {
                    return Err(Errno::EBUSY);
                }
                covered.push(found);
                Ok(place)
            });
            self.mounts.push(Placed {
                number,
                on: mount.on.clone(),
                in_mount,
                place,
                top: None,
            });
        }
        Ok(())
    }

    /// Returns the last mount so far that contains a path of the root, lexically, and the path in that mount.
    fn mount_around(&self, path: &Path) -> Option<(usize, PathBuf)> {
        let is_plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
        if !path.components().all(is_plain) {
            return None;
        }
        let around = self
            .mounts
            .iter()
            .enumerate()
            .filter_map(|(number, mount)| {
                let rest = path.strip_prefix(&mount.on).ok()?;
                (!rest.as_os_str().is_empty()).then(|| (number, rest.to_owned()))
            });
        around.min_by_key(|(number, rest)| (rest.components().count(), usize::MAX - number))
    }

    /// Carries out the step of this number, which mounts something in the root.
    pub(super) fn mount(&mut self, number: usize, step: &Mount) -> Result<()> {
        let leave_out = |why: &dyn std::fmt::Display| {
            report::note(&format!("left out `{}`: {why}", step.place().display()));
            Ok(())
        };
        let Some(mount) = self.mounts.iter().position(|mount| mount.number == number) else {
            return Err(EnterError::Arguments);
        };
        let place = match self.place(mount, step) {
            Ok(place) => place,
            // A file in `/proc` or `/sys` that this kernel does not have.
            Err(Errno::ENOENT) if step.source == MountSource::ReadOnly => return Ok(()),
            Err(e) if step.optional => return leave_out(&io::Error::from(e)),
            Err(e) => {
                return Err(EnterError::NoPlace {
                    place: step.place(),
                    source: e.into(),
                });
            }
        };
        let failed = |e: nix::Error| EnterError::Step {
            step: step.to_string(),
            source: e.into(),
        };
        let mut mounted = &step.source;
        match (self.do_mount(&step.source, &place), &step.fallback) {
            (Ok(()), _) => {}
            (Err(e), Some(fallback)) => {
                report::note(&format!(
                    "cannot mount a new `{}` ({}); mounting the host's",
                    step.on.display(),
                    io::Error::from(e),
                ));
                self.do_mount(fallback, &place).map_err(failed)?;
                mounted = fallback;
            }
            (Err(e), None) if step.optional => return leave_out(&io::Error::from(e)),
            (Err(e), None) => return Err(failed(e)),
        }
        let is_around =
            |other: &Placed| matches!(other.in_mount, Some((around, _)) if around == mount);
        if self.mounts.iter().any(is_around) {
            let top = self.top_of(mounted, &place).map_err(failed)?;
            self.mounts[mount].top = Some(top);
        }
        Ok(())
    }

    /// Returns the mount point of a mount. One in another mount is opened or created only now.
    fn place(&mut self, mount: usize, step: &Mount) -> nix::Result<OwnedFd> {
        if let Some(place) = self.mounts[mount].place.take() {
            return place;
        }
        let Some((around, rest)) = &self.mounts[mount].in_mount else {
            return Err(Errno::ENOENT);
        };
        let top = self.mounts[*around].top.as_ref().ok_or(Errno::ENOENT)?;
        match step.source {
            MountSource::ReadOnly => open_in(top, rest, Within::Mount),
            _ => find_or_make(top, rest, is_file(step), Within::Mount, &|_| Ok(())),
        }
    }

    fn do_mount(&self, source: &MountSource, place: &OwnedFd) -> nix::Result<()> {
        let on = by_descriptor(place);
        match source {
            MountSource::New { name, options } => mounts::new(name, options, &on),
            MountSource::ReadOnly => mounts::read_only_of(place, &path_of(place)?).map(drop),
            MountSource::Terminal => Err(Errno::ENOTTY),
            MountSource::Bind {
                source, read_only, ..
            } => {
                let opened = self.sources.get(source).ok_or(Errno::ENOENT)?;
                let opened = opened.as_ref().map_err(|e| *e)?;
                match read_only {
                    true => {
                        let top = mounts::read_only_of(opened, source)?;
                        mounts::bind(&by_descriptor(&top), &on)
                    }
                    false => mounts::bind(&by_descriptor(opened), &on),
                }
            }
        }
    }

    /// Opens the file system that was mounted on a mount point.
    fn top_of(&self, source: &MountSource, place: &OwnedFd) -> nix::Result<OwnedFd> {
        let path = path_of(place)?;
        match source {
            MountSource::Bind { source, .. } => {
                let source = self.sources.get(source).ok_or(Errno::ENOENT)?;
                let mounted = mounts::identity(source.as_ref().map_err(|e| *e)?)?;
                mounts::on_top(place, &path, mounted)
            }
            MountSource::ReadOnly => mounts::on_top(place, &path, mounts::identity(place)?),
            MountSource::Terminal => Err(Errno::ENOTTY),
            MountSource::New { name, .. } => {
                let top = mounts::open(&path)?;
                let is_it = |system: &(&str, FsType)| system.0 == name;
                let wanted = SYSTEMS.iter().find(|system| is_it(system));
                let found = fstatfs(&top)?.filesystem_type();
                match wanted.is_some_and(|(_, wanted)| *wanted == found) {
                    true => mounts::on_top(place, &path, mounts::identity(&top)?),
                    false => Err(Errno::ESTALE),
                }
            }
        }
    }

    /// Creates a symlink in the root, unless its path exists.
    pub(super) fn link(&self, path: &Path, target: &Path) -> nix::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or_default();
        let mounts = self.mounts.iter().rev();
        let mut mounted = mounts.filter(|mount| mount.on == directory);
        let made = match mounted.find_map(|mount| mount.top.as_ref()) {
            Some(top) => symlinkat(target, top, name),
            None => symlinkat(target, &open_in(&self.top, directory, Within::Root)?, name),
        };
        match made {
            Err(Errno::EEXIST) => Ok(()),
            made => made,
        }
    }

    /// Makes the opened directory the root of this process and of all processes in the namespace (pivot_root(2)), and
    /// unmounts the old root with all its mounts. A process without a descriptor of the old root cannot reach it any
    /// more. Then the mounts are locked.
    pub(super) fn enter(self, root: &Root, outside: Option<Outside>) -> Result<()> {
        let failed = |e: nix::Error| EnterError::Step {
            step: Step::Root(root.clone()).to_string(),
            source: e.into(),
        };
        fchdir(&self.top).map_err(failed)?;
        match pivot_root(".", ".") {
            Ok(()) => umount2(".", MntFlags::MNT_DETACH).map_err(failed)?,
            Err(Errno::EINVAL) if mounts::is_rootfs().map_err(failed)? => {
                // The initramfs cannot be unmounted. As in switch_root(8), the new root is moved over it and hides it.
                let (none, over) = (None::<&str>, MsFlags::MS_MOVE);
                mount(Some("."), "/", none, over, none)
                    .and_then(|()| chroot("."))
                    .map_err(failed)?;
            }
            Err(Errno::EINVAL) => return Err(EnterError::NotAMount(root.path.clone())),
            Err(e) => return Err(failed(e)),
        }
        chdir("/").map_err(failed)?;
        let number = self.number.clone();
        // Closes all descriptors of the old root.
        drop(self);
        match (number, outside) {
            (None, _) => Ok(()),
            (Some(number), Some(outside)) => outside.lock(&number),
            (Some(_), None) => Err(EnterError::Arguments),
        }
    }
}

fn is_file(mount: &Mount) -> bool {
    matches!(mount.source, MountSource::Bind { file: true, .. })
}
