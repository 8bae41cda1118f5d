//! What docs/security.md promises about directory trees that another user made: a sysroot of another user's, a root that was downloaded
//! and unpacked as root, a directory for temporary files.
//!
//! These run as root, and become an ordinary user where a promise is for ordinary users too. The host knows neither
//! that user nor the other one.

mod door;
mod generated;
mod half_done;
mod hostile;
mod outside;
mod printed;
mod private;
mod programs;
mod race;
mod temporary;

use crate::support::{OTHER_USER, Prefix, Said, needs_root};
use std::{
    ffi::OsStr,
    os::unix::fs::{lchown, symlink},
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// The ordinary user who runs crossmerge.
const USER: u32 = 4343;

/// Who runs crossmerge over what another user made.
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

    /// Makes this user the one who owns a prefix and runs our names in it.
    fn takes(self, prefix: &mut Prefix) {
        if self == Self::User {
            prefix.become_user(USER);
        }
    }
}

/// Makes a path another user's, and all that is below it; links themselves.
fn give_away(path: &Path) {
    lchown(path, Some(OTHER_USER), Some(OTHER_USER)).expect("an owner");
    if path.is_dir() && !path.is_symlink() {
        for entry in std::fs::read_dir(path).expect("a directory") {
            give_away(&entry.expect("an entry").path());
        }
    }
}

/// A prefix with a sysroot `s`, a directory of the host's `machine`, and crossmerge under the names of some applets. Nothing of a
/// user's is read.
fn scene() -> Prefix {
    scene_in(Prefix::new())
}

/// The same in a prefix that may have a Portage.
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

/// Runs one of our names with 2 GB of address space, and ends it when it waits.
fn limited<A: AsRef<OsStr>>(prefix: &Prefix, name: &str, args: &[A]) -> Said {
    let words = ["--kill-after=5", "120", "prlimit", "--as=2000000000"];
    let words = words.map(Into::into).into_iter().chain(prefix.words(name));
    let args = args.iter().map(|arg| arg.as_ref().to_owned());
    prefix.command("timeout", words.chain(args))
}

/// Checks that a command came to an end of its own: no signal, no limit of time, no panic.
#[track_caller]
fn ends(said: &Said, what: &str) {
    let is_end = said.code.is_some_and(|code| code <= 127 && code != 124);
    assert!(is_end, "{what}: {said:#?}");
    assert!(!said.stderr.contains("panicked"), "{what}: {said:#?}");
}

/// A directory with a file, a link, an empty directory, and what Portage has.
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

/// The SHA-256 of a text, as the record has it.
fn hash(text: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every path below a directory, without following a symlink.
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

/// Links, made with the directories that they are in.
fn link(prefix: &Prefix, path: &str, target: impl AsRef<Path>) {
    let path = prefix.join(path);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    symlink(target, &path).expect("a link");
}
