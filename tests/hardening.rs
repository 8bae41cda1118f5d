//! What is promised to those who run this as root: what docs/security.md says, each with somebody else on the machine who means ill,
//! or a disk that does.
//!
//! These run as root. Somebody else is a user whom the machine does not know.

mod disk;
mod links;
mod streams;
mod together;
mod trust;
mod umask;

use crate::support::{Prefix, SOMEBODY, needs_root};
use std::{
    os::unix::fs::lchown,
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// What makes a command somebody else's.
const AS_SOMEBODY: [&str; 4] = ["--reuid=4242", "--regid=4242", "--clear-groups", "--"];

/// Makes a path somebody else's; a link itself.
fn give_away(path: &Path) {
    lchown(path, Some(SOMEBODY), Some(SOMEBODY)).expect("an owner");
}

/// A folder of somebody else's below the prefix.
fn folder_of_somebody(prefix: &Prefix, name: &str) -> PathBuf {
    let folder = prefix.join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    give_away(&folder);
    folder
}

/// A copy of the program that anybody may run, wherever cargo builds.
fn copied_program(prefix: &Prefix) -> String {
    let program = prefix.join("copy/crossmerge");
    std::fs::create_dir(prefix.join("copy")).expect("a folder");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    program.display().to_string()
}

/// What was left beside its place below a folder.
fn left_beside(folder: &Path) -> Vec<PathBuf> {
    let mut left: Vec<PathBuf> = crate::init::tree(folder).into_keys().collect();
    left.retain(|path| path.to_string_lossy().contains(".crossmerge-"));
    left
}
