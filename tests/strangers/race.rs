//! The owner of a sysroot changes it while root works in it: what only root may read does not come into his hands, and nothing of root's
//! changes.
//!
//! Another thread swaps folders for links as fast as it can. strace delays the command at one system call after the other, so that each
//! gap between two looks is as wide as it has to be.

use super::{SOMEBODY, TUPLE, give_away, hash, link, scene};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const SECRET: &str = "hunter2";

/// The system calls by which a path is looked at, and those that change something. With a delay at each, every look is made while
/// the owner acts.
const CALLS: [&str; 9] = [
    "openat2",
    "openat",
    "open",
    "readlinkat",
    "newfstatat",
    "getdents64",
    "fchmod",
    "renameat",
    "unlinkat",
];

/// How long the command waits there, in microseconds.
const DELAY: u32 = 3000;

/// What the owner swaps: a folder of the sysroot and what is put in its place.
const SWAPPED: [&str; 5] = ["usr/bin", "usr/lib", "usr", "var/lib", "etc"];

/// A sysroot of somebody else's, with a twin of each folder that is full of links to files that only root may read, and is a link
/// itself for some.
fn contested() -> (Prefix, PathBuf) {
    let prefix = scene();
    let secret = prefix.write(
        "machine/secret",
        &format!(
            "#!/bin/sh\nPASSWORD={SECRET}\nexec tar cf - /usr/include --exclude=-I/usr/include\n"
        ),
    );
    prefix.command("chmod", ["600", "machine/secret"]).success();
    prefix.write("machine/x", "x\n");
    let archive = prefix.write(
        "machine/secret.la",
        &format!("# {SECRET}\nlibdir='/usr/lib'\n"),
    );
    prefix
        .command("chmod", ["600", "machine/secret.la"])
        .success();
    for number in 0..10 {
        prefix.script(
            &format!("s/usr/bin/a{number}-config"),
            "#!/bin/sh\necho nothing\n",
        );
        link(&prefix, &format!("s/usr/bin-/a{number}-config"), &secret);
        prefix.write(&format!("s/usr/lib/lib{number}.la"), "libdir='/usr/lib'\n");
        link(&prefix, &format!("s/usr/lib-/lib{number}.la"), &archive);
    }
    link(&prefix, "s/usr-", prefix.join("machine"));
    link(&prefix, "s/etc-", prefix.join("machine"));
    link(&prefix, "s/var/lib-", prefix.join("machine"));
    prefix.write("s/etc/x", "x\n");
    prefix.write(
        "s/var/lib/crossmerge/contents",
        &format!("obj etc/x {}\n", hash("x\n")),
    );
    give_away(&prefix.join("s"));
    let machine = prefix.join("machine");
    (prefix, machine)
}

/// Swaps for as long as it is not over.
fn swap(sysroot: &Path, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        for name in SWAPPED {
            let (one, other) = (sysroot.join(name), sysroot.join(format!("{name}-")));
            let swap = || {
                renameat2(
                    AT_FDCWD,
                    &one,
                    AT_FDCWD,
                    &other,
                    RenameFlags::RENAME_EXCHANGE,
                )
            };
            let _ = swap();
            thread::sleep(Duration::from_micros(300));
            let _ = swap();
        }
    }
}

/// The files that belong to somebody else or that he may read, and hold the secret.
fn leaked(sysroot: &Path) -> Vec<PathBuf> {
    let mut leaked = Vec::new();
    for path in tree(sysroot).into_keys() {
        let Ok(there) = path.symlink_metadata() else {
            continue;
        };
        let may_read = there.uid() == SOMEBODY || there.mode() & 0o004 != 0;
        if there.is_file() && may_read {
            let text = std::fs::read(&path).unwrap_or_default();
            if String::from_utf8_lossy(&text).contains(SECRET) {
                leaked.push(path);
            }
        }
    }
    leaked
}

/// Runs a command at every call of each kind, up to so many, while somebody swaps.
fn nobody_wins(name: &str, args: &[&str], most: usize) {
    let mut calls = 0;
    for call in CALLS {
        let (prefix, machine) = contested();
        let before = tree(&machine);
        let sysroot = prefix.join("s");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| swap(&sysroot, &is_over));
            for when in 1..=most {
                // From there on each call waits: with one delayed call the gap is missed mostly.
                let fault = format!("delay_enter={DELAY}");
                prefix.injected(call, &fault, format!("{when}..{}", when + 20), name, args);
                calls += 1;
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert_eq!(
            leaked(&sysroot),
            [] as [PathBuf; 0],
            "{name} {args:?}, {call}"
        );
        unchanged(&before, &tree(&machine));
    }
    assert!(calls > 20, "only {calls}");
}

#[test]
fn nobody_wins_a_race_against_fix_root() {
    nobody_wins(&format!("{TUPLE}-fix-root"), &["--installed"], 6);
}

#[test]
fn nobody_wins_a_race_against_remove() {
    nobody_wins("crossmerge", &["remove", TUPLE], 4);
}

#[test]
fn nobody_wins_a_race_against_init_with_delays() {
    nobody_wins("crossmerge", &["init", TUPLE, "--toolchain", "none"], 4);
}
