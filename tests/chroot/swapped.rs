//! Another user changes the root while crossmerge enters it as root. During each system call that uses its path, the
//! root becomes a symlink to a directory of root's.

use super::{NOBODY, Rooted};
use crate::support::{Output, names_in};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const NATIVE: &str = "native-unknown-linux-gnu";

/// The system calls that entering makes, and how many calls of each are delayed.
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

/// Exchanges two paths until `stop` is set.
fn exchange(one: &Path, other: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)
            .expect("both are there");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A directory of root's with all files of a root, which no argument names.
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
fn a_root_that_becomes_a_symlink_during_entry_is_not_followed() {
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
    // The root itself is exchanged, and then a directory on its path.
    for (one, other) in [
        ("theirs/in/root", "theirs/in/link"),
        ("theirs/in", "theirs/other"),
    ] {
        for (call, times) in CALLS {
            let (one, other) = (rooted.prefix.join(one), rooted.prefix.join(other));
            let output = while_exchanged(&one, &other, || {
                let inside = ["sh", "-c", "echo inside; busybox ls -di /"];
                delayed(&rooted, call, times, &["--root", &root], &inside)
            });
            assert_eq!(names_in(&victim), before, "{call}: {output:#?}");
            // crossmerge enters the right root or fails. It never enters another one.
            match output.code {
                Some(0) => assert!(output.stdout.starts_with("inside\n"), "{call}: {output:#?}"),
                code => {
                    assert_eq!(
                        (code, output.stdout.as_str()),
                        (Some(125), ""),
                        "{call}: {output:#?}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "nothing was ever swapped in time");
}

#[test]
fn a_mount_point_that_becomes_a_symlink_during_entry_is_not_followed() {
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
        let output = while_exchanged(&one, &other, || {
            delayed(&rooted, call, times, &["--root", &root, &bind], &["true"])
        });
        assert_eq!(names_in(&victim), before, "{call}: {output:#?}");
        assert_eq!(
            names_in(rooted.prefix.join("given")),
            ["x".to_owned()].into(),
            "{call}"
        );
        assert!(
            [Some(0), Some(125)].contains(&output.code),
            "{call}: {output:#?}"
        );
    }
}

/// Calls `act` while another thread exchanges two paths.
fn while_exchanged(one: &Path, other: &Path, act: impl FnOnce() -> Output) -> Output {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let exchanging = scope.spawn(|| exchange(one, other, &stop));
        let output = act();
        stop.store(true, Ordering::Relaxed);
        exchanging.join().expect("it only exchanges");
        output
    })
}

/// Enters the root, and delays each of the first calls of a system call by 20 ms.
fn delayed(rooted: &Rooted, call: &str, times: u32, options: &[&str], inside: &[&str]) -> Output {
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
