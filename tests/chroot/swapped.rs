//! Another user changes the root while root enters it: at each of the system calls that go by its path, it becomes a symlink to a
//! directory of root's.

use super::{NOBODY, Rooted};
use crate::support::{Said, names_in};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const NATIVE: &str = "native-unknown-linux-gnu";

/// The system calls of entering, of each of which the first so many are held up for a while.
const CALLS: [(&str, u32); 8] = [
    ("openat2", 12),
    ("mount", 6),
    ("mkdirat", 3),
    ("openat", 2),
    ("fchdir", 1),
    ("pivot_root", 1),
    ("umount2", 1),
    ("unshare", 2),
];

/// Exchanges two names until it is told to stop.
fn exchange(one: &Path, other: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)
            .expect("both are there");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A directory of root's that nobody names, with all that a root has.
fn victim(rooted: &Rooted) -> PathBuf {
    rooted
        .prefix
        .command("cp", ["-a", "root/.", "victim"])
        .success();
    rooted
        .prefix
        .command("chown", ["-R", "0:0", "victim"])
        .success();
    rooted.prefix.join("victim")
}

#[test]
fn a_root_that_is_swapped_for_a_link_leads_nowhere_else() {
    let rooted = Rooted::of("native", NATIVE);
    let victim = victim(&rooted);
    for path in ["theirs/in", "theirs/other"] {
        std::fs::create_dir_all(rooted.prefix.join(path)).expect("a directory");
    }
    std::fs::rename(rooted.root(), rooted.prefix.join("theirs/in/root")).expect("renamed");
    symlink(&victim, rooted.prefix.join("theirs/in/link")).expect("a link");
    symlink(&victim, rooted.prefix.join("theirs/other/root")).expect("a link");
    rooted
        .prefix
        .command(
            "chown",
            [
                "-h",
                NOBODY,
                "theirs",
                "theirs/in",
                "theirs/in/link",
                "theirs/other",
                "theirs/other/root",
            ],
        )
        .success();
    let before = names_in(&victim);
    let root = rooted.prefix.join("theirs/in/root").display().to_string();
    let mut refused = 0;
    // The root itself, and a directory on the path to it.
    for (one, other) in [
        ("theirs/in/root", "theirs/in/link"),
        ("theirs/in", "theirs/other"),
    ] {
        for (call, times) in CALLS {
            let (one, other) = (rooted.prefix.join(one), rooted.prefix.join(other));
            let said = while_exchanged(&one, &other, || {
                let inside = ["sh", "-c", "echo inside; busybox ls -di /"];
                delayed(&rooted, call, times, &["--root", &root], &inside)
            });
            assert_eq!(names_in(&victim), before, "{call}: {said:#?}");
            // It was entered, or it was not, and never another one.
            match said.code {
                Some(0) => assert!(said.stdout.starts_with("inside\n"), "{call}: {said:#?}"),
                code => {
                    assert_eq!(
                        (code, said.stdout.as_str()),
                        (Some(125), ""),
                        "{call}: {said:#?}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "nothing was ever swapped in time");
}

#[test]
fn a_place_that_is_swapped_for_a_link_leads_nowhere_else() {
    let rooted = Rooted::of("native", NATIVE);
    let victim = victim(&rooted);
    rooted.prefix.write("given/x", "");
    std::fs::create_dir_all(rooted.root().join("a/b")).expect("directories");
    symlink(&victim, rooted.root().join("out")).expect("a link");
    let before = names_in(&victim);
    let root = rooted.root().display().to_string();
    let bind = format!("--bind={}:/a/b/c/d", rooted.prefix.join("given").display());
    for (call, times) in CALLS {
        let (one, other) = (rooted.root().join("a/b"), rooted.root().join("out"));
        let said = while_exchanged(&one, &other, || {
            delayed(&rooted, call, times, &["--root", &root, &bind], &["true"])
        });
        assert_eq!(names_in(&victim), before, "{call}: {said:#?}");
        assert_eq!(
            names_in(rooted.prefix.join("given")),
            ["x".to_owned()].into(),
            "{call}"
        );
        assert!(
            [Some(0), Some(125)].contains(&said.code),
            "{call}: {said:#?}"
        );
    }
}

/// Does something while two paths change places.
fn while_exchanged(one: &Path, other: &Path, act: impl FnOnce() -> Said) -> Said {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let exchanging = scope.spawn(|| exchange(one, other, &stop));
        let said = act();
        stop.store(true, Ordering::Relaxed);
        exchanging.join().expect("it only exchanges");
        said
    })
}

/// Enters the root, 20 ms late at each of the first calls of a system call.
fn delayed(rooted: &Rooted, call: &str, times: u32, options: &[&str], inside: &[&str]) -> Said {
    let inject = format!("inject={call}:delay_enter=20000:when=1..{times}");
    let trace = format!("trace={call}");
    let program = rooted.program();
    let strace = [
        "-f",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
        &program,
    ];
    let words = [&strace[..], options, inside].concat();
    rooted.prefix.command("strace", words)
}
