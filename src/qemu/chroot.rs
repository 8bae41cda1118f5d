//! `<tuple>-chroot`: enters the target's root, with what a system needs around it, its programs under QEMU, and nothing left
//! afterwards.
//!
//! It does what the Embedded Handbook's chapter on QEMU chroots does by hand, in namespaces of mounts, processes and users, with a
//! binfmt_misc of its own. Here it is looked and decided; the result is a plan whose steps `exec/` does.
//!
//! What the root gets: `/proc`, `/sys`, a `/dev` with the usual nodes of the machine's, its own terminals and `/dev/shm`, the machine's
//! `resolv.conf`, its ebuild repositories (to read) where the root's `repos.conf` has them, and its DISTDIR. A directory to mount on that
//! is missing is made, empty, and stays. Nothing else in the root is touched.

mod error;
mod inside;
mod request;

pub use request::{asks_for_help, help};

use super::{
    binfmt::table,
    native, private, rule,
    script::{self, Script},
};
use crate::context::Context;
use crossmerge_plan::{
    env,
    plan::{
        Change, Changes, Plan,
        step::{Ids, MapWriter, Mount, MountSource, Namespaces, Root, Step, User, Users},
    },
    report,
};
use crossmerge_portage::{Repositories, refusal::Refusal};
use crossmerge_system::{elf, file, file::read};
pub use error::ChrootError;
use error::Result;
use inside::{Account, Inside};
use request::Request;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::{self, IsTerminal, Read},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, fs::FileTypeExt},
    },
    path::{Path, PathBuf},
};

/// PATH of a login of root's: baselayout's, and Debian's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The shells that log in without a command, the preferred first.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// What a login keeps of the caller's environment: the terminal and the language.
const KEPT: [&str; 13] = [
    "COLORTERM",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "COLUMNS",
    "TERM",
];

/// Device nodes that programs expect: those of the Linux Standard Base and `/dev/full`, `/dev/random`, `/dev/urandom`.
const NODES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Links in `/dev`, as the kernel's devtmpfs does not have them and every udev makes them.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// What of `/proc` is the machine's, and not its processes': settings of the kernel and of devices. Container runtimes have the same list.
const PROC_OF_THE_MACHINE: [&str; 10] = [
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

/// The group of terminals (tty) in every distribution.
const TTY_GROUP: u32 = 5;

/// What Portage cannot do under QEMU, which does not emulate the system calls of its sandboxes: Gentoo's bugs 703278 and 703276, and
/// `sandbox` traces what it preloads into.
const NOT_UNDER_QEMU: [&str; 6] = [
    "-ipc-sandbox",
    "-mount-sandbox",
    "-network-sandbox",
    "-pid-sandbox",
    "-sandbox",
    "-usersandbox",
];

/// What Portage cannot do without a user of its own.
const NOT_WITHOUT_IDS: [&str; 4] = ["-userfetch", "-userpriv", "-usersandbox", "-usersync"];

/// Who Portage gives its directories to where there is nobody else.
const ALONE: [(&str, &str); 2] = [("PORTAGE_GRPNAME", "root"), ("PORTAGE_USERNAME", "root")];

/// Decides what `<tuple>-chroot args…` does.
pub fn plan(context: &Context, args: Vec<OsString>) -> Result<Plan> {
    let request = Request::parse(args)?;
    let mut inside = root(context, request.root.as_deref())?;
    let mut binds = Vec::new();
    for (source, place) in &request.binds {
        let (source, place) = bound(source, place.as_deref())?;
        // A program may lie there.
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
    let handler = Handler::of(context, &inside, &program)?;
    let users = users(context)?;
    let ids = match &users {
        Some(users) => Reach::of(users),
        None => Reach::of(&private::own_users().map_err(ChrootError::NoNamespaces)?),
    };
    let account = account(&inside, request.user.as_deref(), &ids)?;
    let is_foreign = handler.is_qemu;

    let mut enter = vec![Step::Namespaces(Namespaces {
        users: users.clone(),
        processes: true,
    })];
    enter.extend(handler.steps);
    enter.push(Step::Mount(Mount::bind(&inside.path, &inside.path)));
    enter.extend(system(&inside, &ids, users.is_some()));
    enter.extend(files_of_the_machine(context, &inside)?);
    enter.extend(binds);
    enter.push(Step::Root(Root {
        path: inside.path.clone(),
        identity: inside.identity,
        locked: users.map(locked),
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

    let cpu = is_foreign.then(|| {
        let configured = || context.settings.cpu.clone().map(OsString::from);
        let callers = || context.env.get(env::QEMU_CPU).map(OsStr::to_owned);
        request.cpu.clone().or_else(callers).or_else(configured)
    });
    Ok(Plan {
        env: environment(
            context,
            &account,
            home,
            &program,
            cpu.flatten(),
            is_foreign,
            &ids,
        ),
        program,
        args,
        enter,
        ..Plan::default()
    })
}

/// The root: what was asked for, else ROOT, else the sysroot; with Portage's own settings in between, as the other applets have it.
fn root(context: &Context, asked: Option<&Path>) -> Result<Inside> {
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
        true => Inside::of(root),
        false => Err(root
            .metadata()
            .map_or_else(|e| e, |_| io::ErrorKind::NotADirectory.into())),
    };
    of(&root).map_err(|source| match file::hint(&source) {
        Some(_) => ChrootError::Unreachable(source),
        None => ChrootError::NoRoot { root, source },
    })
}

/// The program and its arguments, as they are called inside.
fn command(inside: &Inside, request: &Request) -> Result<(PathBuf, Vec<OsString>)> {
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
    let mut there = candidates
        .into_iter()
        .filter(|path| inside.is_file(path))
        .peekable();
    let first = there.peek().cloned();
    match (there.find(|path| inside.is_executable(path)), first) {
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

/// What runs the root's programs.
struct Handler {
    /// The steps that make a table, where it is ours.
    steps: Vec<Step>,
    is_qemu: bool,
}

impl Handler {
    /// Finds it by the header of the program, or of what runs it when it is a script.
    fn of(context: &Context, inside: &Inside, program: &Path) -> Result<Self> {
        let header = header(inside, program)?;
        let root = || inside.path.clone();
        if native::runs(&header) {
            return Ok(Self {
                steps: Vec::new(),
                is_qemu: false,
            });
        }
        let rules = rule::all(&context.config)?;
        let Some(rule) = rule::of_header(&rules, &header) else {
            let kind = elf::ElfHeader::of(&header);
            return Err(ChrootError::NoEmulation {
                command: program.into(),
                machine: kind.map_or(0, |kind| kind.machine),
                bits: kind.map_or(0, |kind| kind.bits),
            });
        };
        let table = || {
            private::possible()?;
            let served = private::served(context, &rule.qemu, private::is_static)?;
            Ok(private::table(&served, false))
        };
        match table() {
            Ok(steps) => Ok(Self {
                steps,
                is_qemu: true,
            }),
            // The machine's table reaches into every root when it has opened the interpreter already.
            Err(_) if machines_handler(&header) => Ok(Self {
                steps: Vec::new(),
                is_qemu: true,
            }),
            Err(why) => Err(ChrootError::NoHandler { root: root(), why }),
        }
    }
}

/// Returns whether the machine's own table has a rule for such programs that works in any root.
fn machines_handler(header: &[u8]) -> bool {
    let entries = table::read().ok().flatten().unwrap_or_default();
    let mut entries = entries
        .iter()
        .filter(|entry| entry.is_enabled && entry.takes(header));
    entries.any(|entry| entry.flags.contains('F'))
}

/// The ELF header that the kernel meets when the program is started.
fn header(inside: &Inside, program: &Path) -> Result<Vec<u8>> {
    let root = || inside.path.clone();
    let mut path = program.to_owned();
    for _ in 0..=script::DEPTH_MAX {
        let missing = |needs: &Path| ChrootError::NoInterpreter {
            root: root(),
            command: program.into(),
            needs: needs.into(),
        };
        let mut file = inside.open(&path).map_err(|_| missing(&path))?;
        let mut head = Vec::new();
        let read = file
            .by_ref()
            .take(elf::HEADER_LEN as u64)
            .read_to_end(&mut head);
        if read.is_err() {
            break;
        }
        if elf::ElfHeader::of(&head).is_some_and(elf::ElfHeader::is_program) {
            let opened = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            return match elf::interpreter(&opened) {
                Ok(Some(linker)) if !inside.is_file(&linker) => Err(missing(&linker)),
                _ => {
                    head.truncate(elf::HEADER_LEN);
                    Ok(head)
                }
            };
        }
        let Some(script) = Script::of(&head) else {
            break;
        };
        if script.interpreter.as_os_str().is_empty() {
            break;
        }
        path = Path::new("/").join(script.interpreter);
        if !inside.is_file(&path) {
            return Err(missing(&path));
        }
    }
    Err(ChrootError::NoProgram {
        root: root(),
        command: program.into(),
    })
}

/// The users that there are inside; none when there can be no user namespace, which root can do without.
fn users(context: &Context) -> Result<Option<Users>> {
    let is_root = nix::unistd::geteuid().is_root();
    match private::namespaces_possible() {
        Err(_) if is_root => return Ok(None),
        Err(why) => return Err(ChrootError::NoNamespaces(why)),
        Ok(()) => {}
    }
    if is_root {
        return private::own_users()
            .map(Some)
            .map_err(ChrootError::NoNamespaces);
    }
    let own = |outside: u32| Ids {
        inside: 0,
        outside,
        count: 1,
    };
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let name = nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map(|user| user.name);
    let ranges = |file: &str| {
        subordinate(
            &read::read_to_string(Path::new(file), read::SETTINGS).unwrap_or_default(),
            name.as_deref(),
            uid.as_raw(),
        )
    };
    let (mut uids, mut gids) = (ranges("/etc/subuid"), ranges("/etc/subgid"));
    let has = |program: &str| context.has_command(OsStr::new(program));
    let map_writer = match !uids.is_empty() && !gids.is_empty() && has("newuidmap") && has("newgidmap") {
        true => MapWriter::Newuidmap,
        false => {
            uids.clear();
            gids.clear();
            MapWriter::Inside
        }
    };
    uids.insert(0, own(uid.as_raw()));
    gids.insert(0, own(gid.as_raw()));
    Ok(Some(Users { uids, gids, map_writer }))
}

/// The ids of the second user namespace: all that the first one has, each as itself.
fn locked(users: Users) -> Users {
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

/// The ranges that subuid(5) gives a user, one behind the other from 1 on.
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

/// The ids that can be had inside.
struct Reach {
    uids: Vec<Ids>,
    gids: Vec<Ids>,
    /// Whether a process may choose its other groups.
    groups: bool,
}

impl Reach {
    fn of(users: &Users) -> Self {
        Self {
            uids: users.uids.clone(),
            gids: users.gids.clone(),
            // Denied once, it is denied in every namespace below: user_namespaces(7).
            groups: users.map_writer != MapWriter::Inside
                && std::fs::read_to_string("/proc/self/setgroups")
                    .map_or(true, |says| says.trim() != "deny"),
        }
    }

    /// More than the caller's own.
    fn has_many(&self) -> bool {
        self.uids.iter().any(|ids| ids.count > 1)
    }

    fn has_user(&self, uid: u32) -> bool {
        has(&self.uids, uid)
    }

    fn has_group(&self, gid: u32) -> bool {
        has(&self.gids, gid)
    }

    fn to_words(&self) -> String {
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

/// Who logs in: root, who need not be in the root's passwd, or the user that was asked for.
fn account(inside: &Inside, asked: Option<&str>, ids: &Reach) -> Result<Account> {
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

/// What every system has: its processes, devices and terminals.
fn system(inside: &Inside, ids: &Reach, has_users: bool) -> Vec<Step> {
    let root = &inside.path;
    let mut steps = Vec::new();
    let mut mount = |mount: Mount| steps.push(Step::Mount(mount.in_root(root)));
    mount(Mount {
        // Where something covers parts of the machine's own, as in a container, no other may be mounted. Without a user namespace, the
        // machine's would show processes of the machine whose root can be entered.
        fallback: has_users.then(|| Mount::bind("/proc", "/proc").to_read().source),
        ..Mount::new("proc", "nosuid,nodev,noexec", "/proc")
    });
    if nix::unistd::geteuid().is_root() {
        // They ask for no right but to be root's.
        let settings = PROC_OF_THE_MACHINE
            .iter()
            .map(|name| Path::new("/proc").join(name));
        settings
            .filter(|path| path.exists())
            .for_each(|path| mount(Mount::read_only(path)));
    }
    // A sysfs is that of a network namespace, and only who made that one mounts another.
    mount(Mount {
        optional: true,
        ..Mount::bind("/sys", "/sys").to_read()
    });
    mount(Mount::new("tmpfs", "nosuid,mode=755", "/dev"));
    let nodes = NODES.iter().map(|node| Path::new("/dev").join(node));
    for node in nodes.filter(|node| is_device(node)) {
        mount(file(&without_links(&node), &node));
    }
    let terminal = std::fs::read_link("/proc/self/fd/0")
        .ok()
        .filter(|path| io::stdin().is_terminal() && is_device(path));
    if let Some(terminal) = terminal {
        mount(Mount {
            optional: true,
            ..file(&terminal, Path::new("/dev/console"))
        });
    }
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

/// A file or a device of the machine's. A device can be written to on a mount that is read-only; its mode cannot be changed.
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

/// The path that a path of the machine's leads to.
fn without_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// What the root sees of the machine: names of hosts, and for a Portage repositories and sources.
fn files_of_the_machine(context: &Context, inside: &Inside) -> Result<Vec<Step>> {
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
    let Some(machine) = has_portage
        .then(|| context.repositories())
        .transpose()?
        .flatten()
    else {
        return Ok(steps);
    };
    // Whoever enters may want to fix the settings, so they are entered without.
    let leave_out = |what: &str, why: Refusal| {
        report::note(&format!("left out the host's {what}: {why}"));
    };
    match repositories(inside, &machine) {
        Ok(all) => all.into_iter().for_each(|(source, place)| {
            mount(Mount::bind(without_links(&source), place).to_read());
        }),
        Err(why) => leave_out("repositories", why),
    }
    const DISTDIR: &str = "DISTDIR";
    let distdir = context
        .host_settings(&[DISTDIR])?
        .map(|settings| PathBuf::from(&settings[DISTDIR]));
    if let Some(source) = distdir.filter(|directory| directory.is_dir()) {
        match inside.settings.distdir() {
            Ok(place) => mount(Mount::bind(without_links(&source), place)),
            Err(why) => leave_out(DISTDIR, why),
        }
    }
    Ok(steps)
}

/// Which directories of the machine are repositories of the root, and where it wants them. A repository that the root has itself is its
/// own matter; one that it does not name is where the machine has it.
fn repositories(
    inside: &Inside,
    machine: &Repositories,
) -> std::result::Result<BTreeMap<PathBuf, PathBuf>, Refusal> {
    let wanted = inside.settings.repositories()?;
    let place = |name: &str| {
        wanted
            .iter()
            .find(|(wanted, _)| wanted == name)
            .map(|(_, place)| PathBuf::from(place))
    };
    let named = machine.all.iter().filter_map(|repository| {
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

/// What a mount that was asked for shows, and where. Root would give a program inside what it leads to, so its links are those of
/// root's own.
fn bound(source: &Path, place: Option<&Path>) -> Result<(PathBuf, PathBuf)> {
    let opened = file::look_at(source).map_err(io::Error::from);
    let real = opened
        .and_then(|opened| std::fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd())));
    let real = real.map_err(|error| ChrootError::NoSource {
        path: source.into(),
        source: error,
    })?;
    let place = match place {
        Some(place) => place.to_owned(),
        // As it was written: the machine's own links are not the root's.
        None => std::path::absolute(source).unwrap_or_else(|_| real.clone()),
    };
    if !place.is_absolute() || place.parent().is_none() {
        return Err(ChrootError::BadPlace(place));
    }
    Ok((real, place))
}

/// The environment of a login.
fn environment(
    context: &Context,
    account: &Account,
    home: &str,
    program: &Path,
    cpu: Option<OsString>,
    is_foreign: bool,
    ids: &Reach,
) -> Changes {
    let kept = KEPT
        .iter()
        .filter_map(|name| Some((*name, context.env.get_name(name)?.to_owned())));
    let shell = match SHELLS.iter().find(|shell| Path::new(shell) == program) {
        Some(shell) => shell,
        None => SHELLS[1],
    };
    let mut features: Vec<&str> = Vec::new();
    if is_foreign {
        features.extend(NOT_UNDER_QEMU);
    }
    if !ids.has_many() {
        features.extend(NOT_WITHOUT_IDS);
    }
    features.sort_unstable();
    features.dedup();
    let features = (!features.is_empty()).then(|| ("FEATURES", features.join(" ").into()));
    let own = [
        ("HOME", home.into()),
        ("LOGNAME", OsString::from(&account.name)),
        ("PATH", PATH.into()),
        ("SHELL", shell.into()),
        ("USER", OsString::from(&account.name)),
    ];
    let cpu = cpu.map(|cpu| (env::QEMU_CPU.name, cpu));
    let alone = (!ids.has_many()).then_some(ALONE).into_iter().flatten();
    let alone = alone.map(|(name, value)| (name, value.into()));
    let all = kept.chain(own).chain(cpu).chain(features).chain(alone);
    all.map(|(name, value)| (name.into(), Change::Set(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_a_user_come_one_behind_the_other() {
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
        let reach = Reach {
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
