//! Warnings before root runs a program that another user could replace, once for each file or directory.
//!
//! QEMU runs more than the program in its arguments: the dynamic linker and the libc of a sysroot. These are checked
//! too.
//!
//! This is a warning and not an error: a user who may write to a directory in root's PATH could become root without
//! crossmerge too, and the warning names that directory. For other users, nothing is checked.

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

/// The programs and sysroots that were checked.
static CHECKED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The files and directories that a warning has named.
static REPORTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Warns root if another user could replace the program of a plan. A program in a root that the plan enters is not
/// checked, because it belongs to the owner of that root.
pub(super) fn warn_of(plan: &Plan) {
    let is_in_root = plan.enter.iter().any(|step| matches!(step, Step::Root(_)));
    if !is_in_root && user::acts_for_system() {
        warn_of_program(&plan.program);
        for sysroot in sysroots(plan) {
            warn_of_sysroot(sysroot);
        }
    }
}

/// Returns the sysroots from which QEMU loads the dynamic linker and the libraries of the program that it runs. An
/// option or a variable of QEMU names them. Source: the manual of QEMU's user mode emulation.
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

/// The directories of a sysroot that may contain the dynamic linker, and the libc beside it.
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

/// The most directories that are checked. A real sysroot has a few.
const MOST_DIRECTORIES: usize = 64;

/// Warns if another user may change the dynamic linker or the libc that QEMU loads from a sysroot, because they run as
/// root too.
fn warn_of_sysroot(sysroot: &Path) {
    if !is_new(&CHECKED, sysroot) {
        return;
    }
    let Some(writable) = writable_in(sysroot) else {
        return;
    };
    if is_new(&REPORTED, &writable.path) {
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
            // The libc is beside the target of the linker's symlink.
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
    if !is_new(&CHECKED, program) {
        return;
    }
    // An error is ignored: the program cannot be run either, and that reports it.
    let Ok(Some(writable)) = writable_by_others(program) else {
        return;
    };
    if is_new(&REPORTED, &writable.path) {
        let program = program.shown();
        report::note(&format!(
            "warning: `{program}` is run as root, and another user may change {writable}; to fix it: `{}`",
            writable.fix()
        ));
    }
}
