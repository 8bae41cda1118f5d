//! Whether another user could put another program in the place of one that root is about to run. Said once for each directory.
//!
//! QEMU runs more than the program in its arguments: the dynamic linker and the libc of a sysroot. These are named as well.
//!
//! Nothing is refused: who may write to root's PATH is root already, and this names the directory that makes it so. What others run is
//! their own affair, so for them nothing is looked at.

use crate::{
    file::{Node, Tree, WritableByOthers, beneath::Links, writable_by_others},
    user,
};
use crossmerge_plan::{
    env,
    plan::{Change, Plan, step::Step},
    report,
    shown::Show,
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The programs that were looked at.
static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What was named.
static NAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Looks at the program of a plan, and warns when it is not root's alone. In a root that is entered, programs are whose the root is.
pub(super) fn warn_of(plan: &Plan) {
    let is_in_root = plan.enter.iter().any(|step| matches!(step, Step::Root(_)));
    if !is_in_root && user::acts_for_system() {
        warn_of_program(&plan.program);
        for sysroot in sysroots(plan) {
            warn_of_sysroot(sysroot);
        }
    }
}

/// The sysroots from which QEMU takes the dynamic linker and the libraries of the program that it runs: as one of its options, or of its
/// variables. Source: the manual of QEMU's user mode emulation.
fn sysroots(plan: &Plan) -> impl Iterator<Item = &Path> {
    let words =
        || std::iter::once(plan.program.as_os_str()).chain(plan.args.iter().map(|arg| &**arg));
    let is_qemu = |word: &OsStr| {
        let name = Path::new(word).file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b"qemu-")
    };
    let mut qemu = words().skip_while(move |word| !is_qemu(word));
    let by_option = qemu
        .next()
        .and_then(|_| qemu.skip_while(|word| *word != "-L").nth(1));
    let by_variable = match plan.env.get(OsStr::new(env::QEMU_LD_PREFIX.name)) {
        Some(Change::Set(value)) => Some(value.as_os_str()),
        _ => None,
    };
    let named = by_option.into_iter().chain(by_variable);
    named.map(Path::new)
}

/// Where the dynamic linker of a target is, from the root on; and the libc beside it.
const LINKERS: [&str; 8] = [
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "usr/lib",
    "usr/lib32",
    "usr/lib64",
    "usr/libx32",
];

/// How many directories are looked into: a real sysroot has a few.
const MOST_DIRECTORIES: usize = 64;

/// Warns when another user may change the dynamic linker or the libc that QEMU takes from a sysroot: it runs as root as well.
fn warn_of_sysroot(sysroot: &Path) {
    if !is_new(&SEEN, sysroot) {
        return;
    }
    let Some(writable) = writable_in(sysroot) else {
        return;
    };
    if is_new(&NAMED, &writable.path) {
        report::note(&format!(
            "warning: the dynamic linker and the libc in `{}` are run as root, and another user may change {writable}; to fix it: `{}`",
            sysroot.shown(),
            writable.fix()
        ));
    }
}

fn writable_in(sysroot: &Path) -> Option<WritableByOthers> {
    if let Ok(Some(writable)) = writable_by_others(sysroot) {
        return Some(writable);
    }
    let tree = Tree::open_to_read(sysroot).ok()?;
    let followed = |place: &Path| tree.follow(place, Links::InRoot).ok()?.node();
    let is_run = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        [&b"ld"[..], b"libc.so", b"libc-"]
            .iter()
            .any(|begin| name.starts_with(begin))
    };
    let mut directories: Vec<PathBuf> = LINKERS.iter().map(PathBuf::from).collect();
    let mut seen = BTreeSet::new();
    while let Some(place) = directories.pop() {
        let Some(directory) = followed(&place).filter(Node::is_dir) else {
            continue;
        };
        if !seen.insert(directory.place().to_owned()) {
            continue;
        }
        let names = directory.names().unwrap_or_default().into_iter();
        let names = names.filter(|name| is_run(name));
        for node in names.filter_map(|name| followed(&directory.place().join(name))) {
            if let Ok(Some(writable)) = writable_by_others(node.path()) {
                return Some(writable);
            }
            // The libc is beside the linker that a symlink leads to.
            if seen.len() < MOST_DIRECTORIES {
                directories.extend(node.place().parent().map(Path::to_owned));
            }
        }
    }
    None
}

fn is_new(paths: &Mutex<BTreeSet<PathBuf>>, path: &Path) -> bool {
    let paths = paths.lock();
    paths.is_ok_and(|mut paths| paths.insert(path.into()))
}

fn warn_of_program(program: &Path) {
    if !is_new(&SEEN, program) {
        return;
    }
    // What cannot be looked at cannot be run either, and that is said then.
    let Ok(Some(writable)) = writable_by_others(program) else {
        return;
    };
    if is_new(&NAMED, &writable.path) {
        let program = program.shown();
        report::note(&format!(
            "warning: `{program}` is run as root, and another user may change {writable}; to fix it: `{}`",
            writable.fix()
        ));
    }
}
