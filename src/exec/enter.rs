//! Does the steps of a plan, in their order: see [`Step`].

use super::{inner, start};
use crate::plan::step::{
    BINFMT_MISC, Mount, Namespaces, Step, Told, User, Users, What, inside, to_map,
};
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2},
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    sys::stat::{Mode, mkdirat},
    sys::statvfs::{FsFlags, statvfs},
    unistd::{
        Gid, Uid, chdir, chroot, getegid, geteuid, getppid, pivot_root, setgroups, setresgid,
        setresuid,
    },
};
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::{
        fd::{AsRawFd, IntoRawFd, OwnedFd},
        unix::{fs::symlink, process::CommandExt},
    },
    path::{Component, Path, PathBuf},
    process::{ExitCode, Stdio},
};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The kernel refused.
    #[error("cannot do `{step}`: {source}")]
    Step {
        /// The step, in shell.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// There are no namespaces to be had.
    #[error("cannot make namespaces of our own: {0}")]
    Namespaces(io::Error),
    /// Nobody told the kernel which ids there are.
    #[error("cannot map the users and groups of a namespace: {0}")]
    Ids(String),
    /// Something is mounted where there is no place for it.
    #[error("there is no `{place}` to mount something on, and it cannot be made: {source}", place = .place.display())]
    NoPlace {
        /// The place.
        place: PathBuf,
        /// Why it cannot be made.
        source: io::Error,
    },
    /// Signals cannot be waited for.
    #[error("cannot wait for what was started: {0}")]
    Wait(io::Error),
    /// Somebody else called us by a name of our own.
    #[error("this name is only for crossmerge itself")]
    Arguments,
}

impl EnterError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Step { .. } => "`crossmerge plan <tuple> <applet> …` prints all the steps, to try them by hand".into(),
            Self::Namespaces(_) => {
                "`unshare --user --mount true` has to work here: see /proc/sys/user/max_user_namespaces, and what a container allows"
                    .into()
            }
            Self::Ids(_) => "see /etc/subuid, /etc/subgid and `newuidmap` of the package shadow or uidmap".into(),
            Self::NoPlace { place, .. } => format!("make it: `mkdir -p {}`", crate::plan::quote(place.as_os_str())),
            Self::Wait(_) | Self::Arguments => "`crossmerge --help` lists the commands".into(),
        }
    }
}

type Result<T> = std::result::Result<T, EnterError>;

/// Does the steps.
pub(super) fn all(steps: &[Step]) -> Result<()> {
    steps.iter().try_for_each(one)
}

fn one(step: &Step) -> Result<()> {
    let failed = |source: io::Error| EnterError::Step {
        step: step.to_string(),
        source,
    };
    match step {
        Step::Namespaces(namespaces) => self::namespaces(namespaces),
        Step::Users(users) => self::users(CloneFlags::empty(), Some(users)),
        Step::Mount(mount) => self::mount_step(mount, failed),
        Step::Register { line, optional } => {
            let path = format!("{BINFMT_MISC}/register");
            match std::fs::write(path, line.as_encoded_bytes()) {
                Err(_) if *optional => Ok(()),
                result => result.map_err(failed),
            }
        }
        Step::Link { root, path, target } => link(root, path, target).map_err(failed),
        Step::Root { path } => root(path).map_err(failed),
        Step::User(user) => become_user(user).map_err(failed),
        Step::Folder { path } => chdir(path).map_err(|e| failed(e.into())),
        // The environment is that of the command.
        Step::EmptyEnvironment => Ok(()),
    }
}

/// Leaves for the namespaces. Nothing that is mounted from now on is seen outside; what is unmounted outside goes here too.
pub(super) fn namespaces(namespaces: &Namespaces) -> Result<()> {
    let mut flags = CloneFlags::CLONE_NEWNS;
    flags.set(CloneFlags::CLONE_NEWPID, namespaces.processes);
    users(flags, namespaces.users.as_ref())?;
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)
        .map_err(|e| EnterError::Namespaces(e.into()))
}

/// Leaves for a namespace of users, if so, and those of the flags.
fn users(mut flags: CloneFlags, users: Option<&Users>) -> Result<()> {
    flags.set(CloneFlags::CLONE_NEWUSER, users.is_some());
    // Who tells the kernel of the ids from outside has to be outside already.
    let ids = match users {
        Some(users) if users.told != Told::Inside => Some(start_ids(users)?),
        _ => None,
    };
    unshare(flags).map_err(|e| EnterError::Namespaces(e.into()))?;
    match (users, ids) {
        (_, Some(mut ids)) => {
            let told = ids.stdin.take().map(|mut go| go.write_all(b"\n"));
            let ended = ids.wait_with_output();
            match (told, ended) {
                (Some(Ok(())), Ok(output)) if output.status.success() => {}
                (_, Ok(output)) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    return Err(EnterError::Ids(said.trim_end().replace('\n', "; ")));
                }
                (_, Err(e)) => return Err(EnterError::Ids(e.to_string())),
            }
        }
        (Some(users), None) => {
            // Without this no one but root may say which groups there are: user_namespaces(7).
            let texts = [
                ("setgroups", "deny".into()),
                ("uid_map", to_map(&users.uids)),
                ("gid_map", to_map(&users.gids)),
            ];
            for (file, text) in texts {
                std::fs::write(format!("/proc/self/{file}"), text)
                    .map_err(|e| EnterError::Ids(format!("/proc/self/{file}: {e}")))?;
            }
        }
        (None, None) => {}
    }
    Ok(())
}

/// Starts us as the one who tells of the ids, which waits for a line.
fn start_ids(users: &Users) -> Result<std::process::Child> {
    let told = match users.told {
        Told::Newuidmap => "newuidmap",
        _ => "file",
    };
    let mut command = start(super::OWN);
    command
        .arg0(inner::IDS)
        .args([to_map(&users.uids), to_map(&users.gids), told.to_owned()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().map_err(|e| EnterError::Ids(e.to_string()))
}

/// Tells the kernel which ids our parent's namespace has, once there is one.
pub(super) fn tell_ids(args: &[OsString]) -> Result<ExitCode> {
    let [uids, gids, told] = args else {
        return Err(EnterError::Arguments);
    };
    let failed = |what: &str, e: io::Error| EnterError::Ids(format!("{what}: {e}"));
    let mut go = [0];
    if io::stdin().read(&mut go).map_err(|e| failed("stdin", e))? == 0 {
        // The parent did not get its namespace, and says so.
        return Ok(ExitCode::SUCCESS);
    }
    let parent = getppid();
    for (file, command, map) in [
        ("uid_map", "newuidmap", uids),
        ("gid_map", "newgidmap", gids),
    ] {
        let map = map.to_str().ok_or(EnterError::Arguments)?;
        if told == "newuidmap" {
            let mut command = start(command);
            command.arg(parent.to_string()).args(map.split_whitespace());
            let status = command.status().map_err(|e| failed("newuidmap", e))?;
            if !status.success() {
                return Err(EnterError::Ids(format!("`{command:?}` failed")));
            }
        } else {
            let path = format!("/proc/{parent}/{file}");
            std::fs::write(&path, map).map_err(|e| failed(&path, e))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn mount_step(step: &Mount, failed: impl Fn(io::Error) -> EnterError) -> Result<()> {
    let leave_out = |why: &dyn std::fmt::Display| {
        crate::say(&format!("left out `{}`: {why}", step.place().display()));
        Ok(())
    };
    let is_file = matches!(step.what, What::Bind { file: true, .. });
    let (place, _open) = match &step.root {
        None => (step.on.clone(), None),
        Some(root) => match place(root, &step.on, is_file) {
            Ok(fd) => (format!("/proc/self/fd/{}", fd.as_raw_fd()).into(), Some(fd)),
            Err(e) if step.optional => return leave_out(&io::Error::from(e)),
            Err(e) => {
                return Err(EnterError::NoPlace {
                    place: step.place(),
                    source: e.into(),
                });
            }
        },
    };
    let mounted = do_mount(&step.what, &place).and_then(|()| make_read_only(step));
    match (mounted, &step.instead) {
        (Ok(()), _) => Ok(()),
        (Err(e), Some(instead)) => {
            crate::say(&format!(
                "`{}` cannot be mounted as it should be ({}); mounting this machine's",
                step.on.display(),
                io::Error::from(e),
            ));
            do_mount(instead, &place).map_err(|e| failed(e.into()))
        }
        (Err(e), None) if step.optional => leave_out(&io::Error::from(e)),
        (Err(e), None) => Err(failed(e.into())),
    }
}

fn do_mount(what: &What, place: &Path) -> nix::Result<()> {
    let none = None::<&str>;
    match what {
        What::New { name, options } => {
            let (flags, data) = flags(options);
            let data = Some(data.as_str()).filter(|data| !data.is_empty());
            mount(Some(name.as_str()), place, Some(name.as_str()), flags, data)
        }
        What::Bind { source, .. } => mount(
            Some(source),
            place,
            none,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            none,
        ),
    }
}

/// Makes a bound mount read-only, when it should be. The place is looked up again: only now does it lead to what was mounted.
fn make_read_only(step: &Mount) -> nix::Result<()> {
    let What::Bind {
        source,
        read_only: true,
        ..
    } = &step.what
    else {
        return Ok(());
    };
    let none = None::<&str>;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags_of(source)?;
    match &step.root {
        None => mount(none, &step.on, none, flags, none),
        Some(root) => {
            let mounted = open_in(&open_root(root)?, &step.on)?;
            let mounted = format!("/proc/self/fd/{}", mounted.as_raw_fd());
            mount(none, mounted.as_str(), none, flags, none)
        }
    }
}

/// The flags of the mount that a path is on. The kernel lets nobody take one away who has it from elsewhere; those about access times
/// it keeps where none of them is named.
fn flags_of(path: &Path) -> nix::Result<MsFlags> {
    let pairs = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    let has = statvfs(path)?.flags();
    let flags = pairs.iter().filter(|(flag, _)| has.contains(*flag));
    Ok(flags.map(|(_, flag)| *flag).collect())
}

/// What `mount -o` takes, as the flags and the data of mount(2).
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

/// A path in a root, with every link in it read as from there.
fn open_in(root: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    openat2(root, path, how)
}

fn open_root(root: &Path) -> nix::Result<OwnedFd> {
    open(
        root,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

/// The place of a mount, made when it is not there: a folder, or an empty file.
fn place(root: &Path, path: &Path, file: bool) -> nix::Result<OwnedFd> {
    let root = open_root(root)?;
    let mut so_far = PathBuf::from("/");
    let mut there = open_in(&root, &so_far)?;
    let mut names = path
        .components()
        .filter(|part| *part != Component::RootDir)
        .peekable();
    while let Some(name) = names.next() {
        so_far.push(name);
        there = match open_in(&root, &so_far) {
            Err(Errno::ENOENT) => {
                let name: &Path = name.as_ref();
                match file && names.peek().is_none() {
                    true => {
                        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
                        nix::fcntl::openat(&there, name, flags, Mode::from_bits_truncate(0o644))?;
                    }
                    false => mkdirat(&there, name, Mode::from_bits_truncate(0o755))?,
                }
                open_in(&root, &so_far)?
            }
            there => there?,
        };
    }
    Ok(there)
}

fn link(root: &Path, path: &Path, target: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder = open_in(&open_root(root)?, folder)?;
    let folder = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    match symlink(
        target,
        inside(&folder, Path::new(path.file_name().unwrap_or_default())),
    ) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Makes a folder the root. The one before is put below it and taken away, as pivot_root(2) has it.
///
/// With the last of its mounts a binfmt_misc forgets its rules. So this process keeps it, out of everybody's sight, as long as it lives.
fn root(path: &Path) -> io::Result<()> {
    if let Ok(table) = open(BINFMT_MISC, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) {
        let _ = table.into_raw_fd();
    }
    chdir(path)?;
    match pivot_root(".", ".") {
        Ok(()) => umount2(".", MntFlags::MNT_DETACH)?,
        // The first root of a machine that booted from an initramfs cannot be left.
        Err(Errno::EINVAL) => chroot(".")?,
        Err(e) => return Err(e.into()),
    }
    Ok(chdir("/")?)
}

fn become_user(user: &User) -> io::Result<()> {
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
