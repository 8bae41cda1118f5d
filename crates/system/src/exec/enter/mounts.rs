//! Mounts, using descriptors. A mount is made read-only, with all mounts in it, before other processes can see it.
//!
//! mount_setattr(2) changes a whole tree at once, but only from Linux 5.12 on. mount(2) changes one mount at a time,
//! so the mounts are listed from mountinfo, which every kernel has.

use crate::file::is_kind;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2},
    mount::{MsFlags, mount},
    sys::{
        stat::{SFlag, fstat},
        statvfs::{FsFlags, fstatvfs},
    },
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
};

/// Returns the path in `/proc` of an open descriptor.
pub(super) fn by_descriptor(fd: &impl AsRawFd) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_raw_fd()).into()
}

/// Opens a path of the host with `O_PATH`. A symlink on it is an error, because plans contain paths without symlinks.
pub(super) fn open(path: &Path) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(AT_FDCWD, path, how)
}

/// Returns the device and inode numbers of a file.
pub(super) fn identity(fd: impl AsFd) -> nix::Result<(u64, u64)> {
    let stat = fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Mounts a new file system that needs no device.
pub(super) fn new(name: &str, options: &str, place: &Path) -> nix::Result<()> {
    let (flags, data) = flags(options);
    let data = Some(data.as_str()).filter(|data| !data.is_empty());
    mount(Some(name), place, Some(name), flags, data)
}

/// Binds a directory, with all mounts in it, or a file.
pub(super) fn bind(source: &Path, place: &Path) -> nix::Result<()> {
    let (flags, none) = (MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>);
    mount(Some(source), place, none, flags, none)
}

/// Binds an opened path on itself, and opens the mount.
pub(super) fn bind_itself(opened: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let by_descriptor = by_descriptor(opened);
    bind(&by_descriptor, &by_descriptor)?;
    on_top(opened, path, identity(opened)?)
}

/// Opens the mount on an opened mount point. Only the path leads to it, so its identity is checked.
pub(super) fn on_top(place: &OwnedFd, path: &Path, mounted: (u64, u64)) -> nix::Result<OwnedFd> {
    let top = open(path)?;
    match identity(&top)? == mounted && number(&top)? != number(place)? {
        true => Ok(top),
        // Another process has changed the path meanwhile.
        false => Err(Errno::ESTALE),
    }
}

/// Binds a path of the host on itself, read-only with all mounts in it, and opens the mount.
pub(crate) fn read_only_file(path: &Path) -> nix::Result<OwnedFd> {
    read_only_of(&open(path)?, path)
}

/// Binds an opened path as [`read_only_file`] does.
pub(super) fn read_only_of(opened: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let top = bind_itself(opened, path)?;
    make_read_only(&top)?;
    Ok(top)
}

/// Makes a mount read-only, with all mounts in it. Later mounts outside do not appear in it.
pub(super) fn make_read_only(top: &OwnedFd) -> nix::Result<()> {
    let none = None::<&str>;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    mount(none, &by_descriptor(top), none, private, none)?;
    remount(top)?;
    if !is_kind(&fstat(top)?, SFlag::S_IFDIR) {
        return Ok(());
    }
    let all = Mounted::all()?;
    for mount in below(number(top)?, &all) {
        let opened = match open(&mount.path) {
            // The program has no more permissions than this process, so it cannot access the mount either.
            Err(Errno::EACCES) => continue,
            opened => opened?,
        };
        let found = number(&opened)?;
        if found == mount.number {
            remount(&opened)?;
        } else if !below(mount.number, &all).any(|over| over.number == found) {
            // No other mount covers it, so another process has moved it.
            return Err(Errno::ESTALE);
        }
    }
    Ok(())
}

fn remount(mounted: &OwnedFd) -> nix::Result<()> {
    let none = None::<&str>;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags_of(mounted)?;
    mount(none, &by_descriptor(mounted), none, flags, none)
}

/// Returns the flags of a mount that a remount has to repeat. In a user namespace, the kernel rejects a remount that
/// clears them. Flags for access times are kept if the remount contains none.
fn flags_of(mounted: &OwnedFd) -> nix::Result<MsFlags> {
    let pairs = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    let has = fstatvfs(mounted)?.flags();
    let flags = pairs.iter().filter(|(flag, _)| has.contains(*flag));
    Ok(flags.map(|(_, flag)| *flag).collect())
}

/// Splits the options of `mount -o` into the flags and the data of mount(2).
fn flags(options: &str) -> (MsFlags, String) {
    let (mut flags, mut data) = (MsFlags::empty(), Vec::new());
    for option in options.split(',') {
        match option {
            "nosuid" => flags |= MsFlags::MS_NOSUID,
            "nodev" => flags |= MsFlags::MS_NODEV,
            "noexec" => flags |= MsFlags::MS_NOEXEC,
            "ro" => flags |= MsFlags::MS_RDONLY,
            option => data.push(option),
        }
    }
    (flags, data.join(","))
}

/// Returns the id of the mount that contains an open file.
fn number(fd: &OwnedFd) -> nix::Result<u32> {
    // It is in the first three lines, so one read is enough.
    let mut text = [0; 128];
    let path = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let length = File::open(path).and_then(|mut file| file.read(&mut text));
    let length = length.map_err(|_| Errno::ENOSYS)?;
    let text = std::str::from_utf8(&text[..length]).map_err(|_| Errno::ENOSYS)?;
    let number = text.lines().find_map(|line| line.strip_prefix("mnt_id:"));
    number
        .and_then(|number| number.trim().parse().ok())
        .ok_or(Errno::ENOSYS)
}

/// A line of mountinfo (proc_pid_mountinfo(5)).
#[derive(Debug, PartialEq, Eq)]
struct Mounted {
    number: u32,
    on: u32,
    path: PathBuf,
    system: String,
}

/// The initial buffer for mountinfo in bytes, enough for some hundred mounts.
const MOUNTINFO: usize = 16 << 10;

impl Mounted {
    fn all() -> nix::Result<Vec<Self>> {
        let mut text = Vec::with_capacity(MOUNTINFO);
        // Its size is 0, so `fs::read` would begin with a few bytes.
        let file = File::open("/proc/self/mountinfo").map(|file| file.take(u64::MAX));
        let read = file.and_then(|mut file| file.read_to_end(&mut text));
        read.map_err(|_| Errno::ENOSYS)?;
        let lines = text.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(Self::of).collect())
    }

    fn of(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
        let (number, on) = (number()?, number()?);
        let path = unescape(fields.nth(2)?);
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        Some(Self {
            number,
            on,
            path,
            system: String::from_utf8_lossy(rest.next()?).into_owned(),
        })
    }
}

/// Returns whether `/` is the initramfs, which cannot be unmounted or moved.
pub(super) fn is_rootfs() -> nix::Result<bool> {
    let all = Mounted::all()?;
    let mut roots = all.iter().filter(|mount| mount.path == Path::new("/"));
    Ok(roots.any(|mount| mount.system == "rootfs"))
}

/// Returns the mounts in a mount, at any depth.
fn below(number: u32, all: &[Mounted]) -> impl Iterator<Item = &Mounted> {
    let mut on: BTreeMap<u32, Vec<&Mounted>> = BTreeMap::new();
    // The first mount is its own parent.
    for mount in all.iter().filter(|mount| mount.number != mount.on) {
        on.entry(mount.on).or_default().push(mount);
    }
    let mut left = on.remove(&number).unwrap_or_default();
    std::iter::from_fn(move || {
        let mount = left.pop()?;
        left.extend(on.remove(&mount.number).unwrap_or_default());
        Some(mount)
    })
}

/// Decodes a path in mountinfo, in which blanks and backslashes are escaped in octal, as `\040`.
fn unescape(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *byte == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                rest = &after[3..];
            }
            None => {
                path.push(*byte);
                rest = after;
            }
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_parsed() {
        for (line, number, on, path, system) in [
            (r"1 1 0:2 / / rw - rootfs rootfs rw", 1, 1, "/", "rootfs"),
            (
                r"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
                36,
                35,
                "/mnt 2",
                "ext3",
            ),
            (
                r"40 36 0:3 / /a\134b\012 rw shared:4 master:2 - fuse.sshfs x rw",
                40,
                36,
                "/a\\b\n",
                "fuse.sshfs",
            ),
        ] {
            let wanted = Mounted {
                number,
                on,
                path: path.into(),
                system: system.into(),
            };
            assert_eq!(Mounted::of(line.as_bytes()), Some(wanted), "{line}");
        }
        for line in ["", "1", "1 x 0:2 / / rw - a b c", "1 2 0:2 / / rw"] {
            assert_eq!(Mounted::of(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_mount_is_below_those_that_it_is_in() {
        let mounted = |number, on| Mounted {
            number,
            on,
            path: "/".into(),
            system: String::new(),
        };
        // 7 is in 8 and 8 in 7, which no kernel reports.
        let all = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 1), (7, 8), (8, 7)];
        let all = all.map(|(number, on)| mounted(number, on));
        let below = |number| {
            let mut numbers: Vec<u32> = below(number, &all).map(|mount| mount.number).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(below(1), [2, 3, 4, 5]);
        assert_eq!(below(2), [3, 4]);
        assert!(below(4).is_empty());
        assert!(below(9).is_empty());
        assert_eq!(below(7), [7, 8]);
    }
}
