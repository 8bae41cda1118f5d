//! What is promised to those who run this as root: what docs/security.md says, each with another user on the machine who means ill,
//! or a disk that does.
//!
//! These run as root. The other user is one that the host does not know.

mod disk;
mod links;
mod streams;
mod together;
mod trust;
mod umask;

use crate::support::{OTHER_USER, Prefix, needs_root};
use std::{
    os::unix::fs::lchown,
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// What makes a command another user's.
const AS_OTHER_USER: [&str; 4] = ["--reuid=4242", "--regid=4242", "--clear-groups", "--"];

/// Makes a path another user's; a link itself.
fn give_away(path: &Path) {
    lchown(path, Some(OTHER_USER), Some(OTHER_USER)).expect("an owner");
}

/// A directory of another user's below the prefix.
fn directory_of_another_user(prefix: &Prefix, name: &str) -> PathBuf {
    let directory = prefix.join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    give_away(&directory);
    directory
}

/// A copy of the program that anybody may run, wherever cargo builds.
fn copied_program(prefix: &Prefix) -> String {
    let program = prefix.join("copy/crossmerge");
    std::fs::create_dir(prefix.join("copy")).expect("a directory");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    program.display().to_string()
}

/// What was left beside its place below a directory.
fn left_beside(directory: &Path) -> Vec<PathBuf> {
    let mut left: Vec<PathBuf> = crate::init::tree(directory).into_keys().collect();
    left.retain(|path| path.to_string_lossy().contains(".crossmerge-"));
    left
}
