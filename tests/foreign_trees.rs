//! The promises of docs/security.md about directory trees that another user made: another user's sysroot, a
//! downloaded root that was unpacked as root, a directory for temporary files.
//!
//! These tests run as root, and become an ordinary user to test a promise for ordinary users. The host knows neither
//! that user nor the other one.

mod generated;
mod half_done;
mod hostile;
mod outside;
mod printed;
mod private;
mod programs;
mod race;
mod sources;
mod temporary;

use crate::support::{OTHER_USER, Output, Prefix, needs_root};
use std::{
    ffi::OsStr,
    os::unix::fs::{PermissionsExt, lchown, symlink},
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// The ordinary user who runs crossmerge.
const USER: u32 = 4343;

/// The user who runs crossmerge on another user's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    Root,
    User,
}

impl Runner {
    const BOTH: [Self; 2] = [Self::Root, Self::User];

    fn uid(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::User => USER,
        }
    }

    /// Makes this user the owner of a prefix, and the one who runs the commands in it.
    fn takes(self, prefix: &mut Prefix) {
        if self == Self::User {
            prefix.become_user(USER);
        }
    }
}

/// Makes another user the owner of a path and everything below it. Changes symlinks themselves.
fn give_away(path: &Path) {
    give_for(Runner::Root, path);
}

/// Gives a tree to another user. If an ordinary user works in it, every user may write to its directories, and the
/// ordinary user owns its files.
fn give_for(runner: Runner, top: &Path) {
    for path in tree_of(top).into_iter().chain([top.to_owned()]) {
        let metadata = path.symlink_metadata().expect("metadata");
        let is_users = runner == Runner::User && metadata.is_file();
        let owner = Some(if is_users { USER } else { OTHER_USER });
        lchown(&path, owner, owner).expect("an owner");
        if runner == Runner::User && metadata.is_dir() {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).expect("a mode");
        }
    }
}

/// A prefix with a sysroot `s`, a directory `machine` that stands for the host's, and the symlinks of some applets.
/// It has no user's configuration.
fn scene() -> Prefix {
    scene_in(Prefix::new())
}

/// Like [`scene`], in a prefix that may have a Portage.
fn scene_in(mut prefix: Prefix) -> Prefix {
    needs_root();
    prefix.command("chmod", ["755", "."]).success();
    for (variable, place) in [
        ("HOME", "home"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_STATE_HOME", "state"),
        ("SYSROOT", "s"),
    ] {
        let place = prefix.join(place);
        std::fs::create_dir_all(&place).expect("a directory");
        prefix.set(variable, place);
    }
    for applet in ["fix-root", "pkg-config", "env", "run", "emerge"] {
        prefix.link(&format!("{TUPLE}-{applet}"));
    }
    prefix
}

/// Runs a command of crossmerge with 2 GB of address space, and kills it if it hangs.
fn limited<A: AsRef<OsStr>>(prefix: &Prefix, name: &str, args: &[A]) -> Output {
    let words = ["--kill-after=5", "120", "prlimit", "--as=2000000000"];
    let words = words.map(Into::into).into_iter().chain(prefix.words(name));
    let args = args.iter().map(|arg| arg.as_ref().to_owned());
    prefix.command("timeout", words.chain(args))
}

/// Checks that a command ended by itself: no signal, no timeout, no panic.
#[track_caller]
fn ends(output: &Output, what: &str) {
    let is_end = output.code.is_some_and(|code| code <= 127 && code != 124);
    assert!(is_end, "{what}: {output:#?}");
    assert!(!output.stderr.contains("panicked"), "{what}: {output:#?}");
}

/// A directory with a file, a symlink, an empty directory, and Portage's files.
fn machine(prefix: &Prefix) -> PathBuf {
    for (file, text) in [
        ("lib/libc.so.6", "libc\n"),
        ("portage/make.conf", "MACHINE=1\n"),
        (".libc.so.6.crossmerge-new", "waits\n"),
        ("lib/.libc.so.6.crossmerge-new", "waits\n"),
    ] {
        prefix.write(&format!("machine/{file}"), text);
    }
    let machine = prefix.join("machine");
    std::fs::create_dir_all(machine.join("empty/below")).expect("a directory");
    std::fs::create_dir_all(machine.join("portage/profile")).expect("a directory");
    symlink("usr/bin", machine.join("bin")).expect("a link");
    symlink("/machines/own", machine.join("portage/make.profile")).expect("a link");
    machine
}

/// The SHA-256 of a text, as in the record.
fn hash(text: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every path below a directory. Follows no symlink.
fn tree_of(top: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut directories = vec![top.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_dir() {
                directories.push(entry.path());
            }
            paths.push(entry.path());
        }
    }
    paths
}

/// Creates a symlink, and the directories above it.
fn link(prefix: &Prefix, path: &str, target: impl AsRef<Path>) {
    let path = prefix.join(path);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    symlink(target, &path).expect("a link");
}
