//! The promises of docs/security.md to users who run crossmerge as root, each tested against a hostile user on the
//! same host or a failing disk.
//!
//! These tests run as root. The other user has an ID that the host does not know.

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

/// The options of setpriv that make a command another user's.
const AS_OTHER_USER: [&str; 4] = ["--reuid=4242", "--regid=4242", "--clear-groups", "--"];

/// Makes another user the owner of a path. Changes a symlink itself, not its target.
fn give_away(path: &Path) {
    lchown(path, Some(OTHER_USER), Some(OTHER_USER)).expect("an owner");
}

/// Creates a directory of another user below the prefix.
fn directory_of_another_user(prefix: &Prefix, name: &str) -> PathBuf {
    let directory = prefix.join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    give_away(&directory);
    directory
}

/// Copies the program to where every user may run it, because cargo's directory may be closed.
fn copied_program(prefix: &Prefix) -> String {
    let program = prefix.join("copy/crossmerge");
    std::fs::create_dir(prefix.join("copy")).expect("a directory");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    program.display().to_string()
}

/// The temporary files that a run left below a directory.
fn left_beside(directory: &Path) -> Vec<PathBuf> {
    let mut left: Vec<PathBuf> = crate::init::tree(directory).into_keys().collect();
    left.retain(|path| path.to_string_lossy().contains(".crossmerge-"));
    left
}
