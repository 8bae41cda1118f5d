//! The mounts in the root.

use super::{
    super::surroundings::Surroundings,
    error::{ChrootError, Result},
    ids::AvailableIds,
    inside::TargetRoot,
};
use crate::context::Context;
use crossmerge_plan::{
    plan::step::{Mount, MountSource, Step},
    report,
};
use crossmerge_portage::{Repositories, error::SettingsError};
use crossmerge_system::file;
use std::{
    collections::BTreeMap,
    io,
    os::{fd::AsRawFd, unix::fs::FileTypeExt},
    path::{Path, PathBuf},
};

/// The device nodes that programs expect: those of the Linux Standard Base, and `/dev/full`, `/dev/random`,
/// `/dev/urandom`.
const NODES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// The symlinks in `/dev` that every udev makes and the kernel's devtmpfs does not.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// The parts of `/proc` with settings of the kernel and of devices, which belong to the host. Container runtimes have
/// the same list.
const PROC_OF_THE_HOST: [&str; 10] = [
    "acpi",
    "asound",
    "bus",
    "driver",
    "fs",
    "irq",
    "mtrr",
    "scsi",
    "sys",
    "sysrq-trigger",
];

/// The group of terminals (tty), which has this id in every distribution.
const TTY_GROUP: u32 = 5;

/// Returns the steps that mount processes, devices and terminals.
pub(super) fn system(
    inside: &TargetRoot,
    ids: &AvailableIds,
    surroundings: &Surroundings,
    has_users: bool,
) -> Vec<Step> {
    let root = &inside.path;
    let mut steps = Vec::new();
    let mut mount = |mount: Mount| steps.push(Step::Mount(mount.in_root(root)));
    mount(Mount {
        // If parts of the host's `/proc` are covered, as in a container, the kernel allows no new mount of it; then
        // the host's is mounted. That is not done without a user namespace: the host's processes would be visible,
        // and by them the host's root.
        fallback: has_users.then(|| Mount::bind("/proc", "/proc").to_read().source),
        ..Mount::new("proc", "nosuid,nodev,noexec", "/proc")
    });
    if surroundings.is_root() {
        // Only root may write these files, and needs no capability for it.
        let settings = PROC_OF_THE_HOST
            .iter()
            .map(|name| Path::new("/proc").join(name));
        settings
            .filter(|path| path.exists())
            .for_each(|path| mount(Mount::read_only(path)));
    }
    // A sysfs belongs to a network namespace, and only the user namespace that owns that may mount it.
    mount(Mount {
        optional: true,
        ..Mount::bind("/sys", "/sys").to_read()
    });
    mount(Mount::new("tmpfs", "nosuid,mode=755", "/dev"));
    let nodes = NODES.iter().map(|node| Path::new("/dev").join(node));
    for node in nodes.filter(|node| is_device(node)) {
        mount(file(&without_links(&node), &node));
    }
    mount(Mount {
        source: MountSource::Terminal,
        optional: true,
        ..Mount::new("", "", "/dev/console")
    });
    let group = match ids.has_group(TTY_GROUP) {
        true => format!(",gid={TTY_GROUP}"),
        false => String::new(),
    };
    let options = format!("nosuid,noexec,newinstance,ptmxmode=0666,mode=620{group}");
    mount(Mount::new("devpts", &options, "/dev/pts"));
    mount(Mount::new("tmpfs", "nosuid,nodev,mode=1777", "/dev/shm"));
    steps.extend(LINKS.iter().map(|(name, target)| Step::Link {
        root: root.clone(),
        path: Path::new("/dev").join(name),
        target: target.into(),
    }));
    steps
}

fn is_device(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.file_type().is_char_device())
}

/// Returns the read-only bind mount of a file or device. On a read-only mount a device can still be written to; only
/// its mode cannot be changed.
fn file(source: &Path, place: &Path) -> Mount {
    Mount {
        source: MountSource::Bind {
            source: source.into(),
            file: true,
            read_only: true,
        },
        ..Mount::bind(source, place)
    }
}

/// Returns a path of the host with all symlinks resolved.
fn without_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Returns the steps that mount the host's `resolv.conf` and, if the root has Portage, the host's repositories and
/// DISTDIR.
pub(super) fn host_files(context: &Context, inside: &TargetRoot) -> Result<Vec<Step>> {
    const RESOLV_CONF: &str = "/etc/resolv.conf";
    let root = &inside.path;
    let mut steps = Vec::new();
    let mut mount = |mount: Mount| {
        steps.push(Step::Mount(
            Mount {
                optional: true,
                ..mount
            }
            .in_root(root),
        ));
    };
    if let (Ok(source), true) = (Path::new(RESOLV_CONF).canonicalize(), inside.is_dir("/etc")) {
        mount(file(&source, Path::new(RESOLV_CONF)));
    }
    let has_portage = inside.is_dir("/etc/portage") || inside.is_dir("/usr/share/portage");
    let Some(host) = has_portage
        .then(|| context.repositories())
        .transpose()?
        .flatten()
    else {
        return Ok(steps);
    };
    // An error here must not keep the user from entering the root, perhaps to fix its settings.
    let omit = |what: &str, why: SettingsError| {
        report::note(&format!("omitted the host's {what}: {why}"));
    };
    match repositories(inside, &host) {
        Ok(all) => all.into_iter().for_each(|(source, place)| {
            mount(Mount::bind(without_links(&source), place).to_read());
        }),
        Err(why) => omit("repositories", why),
    }
    const DISTDIR: &str = "DISTDIR";
    let distdir = context
        .host_settings(&[DISTDIR])?
        .map(|settings| PathBuf::from(&settings[DISTDIR]));
    if let Some(source) = distdir.filter(|directory| directory.is_dir()) {
        match inside.settings.distdir() {
            Ok(place) => mount(Mount::bind(without_links(&source), place)),
            Err(why) => omit(DISTDIR, why),
        }
    }
    Ok(steps)
}

/// Returns the host's directories of the repositories that the root names, each with its path in the root. A
/// repository that exists in the root is left alone. If the root names none, each has the host's path.
fn repositories(
    inside: &TargetRoot,
    host: &Repositories,
) -> std::result::Result<BTreeMap<PathBuf, PathBuf>, SettingsError> {
    let wanted = inside.settings.repositories()?;
    let place = |name: &str| {
        wanted
            .iter()
            .find(|(wanted, _)| wanted == name)
            .map(|(_, place)| PathBuf::from(place))
    };
    let named = host.all.iter().filter_map(|repository| {
        let place = match place(&repository.name) {
            Some(place) => place,
            None if wanted.is_empty() => repository.location.clone(),
            None => return None,
        };
        Some((repository.location.clone(), place))
    });
    let is_own = |place: &Path| inside.is_file(&place.join("profiles/repo_name"));
    let there =
        named.filter(|(source, place)| source.is_dir() && place.is_absolute() && !is_own(place));
    Ok(there.collect())
}

/// Resolves the source and the mount point of a `--bind`. The source is resolved here, with the caller's rights: root
/// in the namespace could follow other symlinks.
pub(super) fn bound(source: &Path, place: Option<&Path>) -> Result<(PathBuf, PathBuf)> {
    let opened = file::open_path(source).map_err(io::Error::from);
    let real = opened
        .and_then(|opened| std::fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd())));
    let real = real.map_err(|error| ChrootError::NoSource {
        path: source.into(),
        source: error,
    })?;
    let place = match place {
        Some(place) => place.to_owned(),
        // The path as it was typed: the host's symlinks do not exist in the root.
        None => std::path::absolute(source).unwrap_or_else(|_| real.clone()),
    };
    if !place.is_absolute() || place.parent().is_none() {
        return Err(ChrootError::BadPlace(place));
    }
    Ok((real, place))
}
