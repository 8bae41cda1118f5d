//! A disk that is full, read-only, another user's, or broken: crossmerge prints a clear error and leaves the old
//! state, and the next run completes the work.
//!
//! The small file systems are real ones in a mount namespace. strace injects the other failures: it fails the Nth
//! call of each system call that creates or changes something, for every N, or for every few if the calls are alike.

use super::{AS_OTHER_USER, TUPLE, directory_of_another_user, left_beside, needs_root};
use crate::{
    init::tree,
    kill,
    support::{CROSSMERGE, Output, Prefix},
};
use std::{collections::BTreeMap, path::PathBuf};

/// A system call, the error number, the kernel's message for it, and the step from one failing call to the next.
const FAULTS: [(&str, &str, &str, usize); 9] = [
    ("openat", "EDQUOT", "Disk quota exceeded", 1),
    ("write", "ENOSPC", "No space left on device", 1),
    ("mkdirat", "ENOSPC", "No space left on device", 1),
    ("fchmod", "EPERM", "Operation not permitted", 2),
    ("symlinkat", "EDQUOT", "Disk quota exceeded", 11),
    ("fsync", "EIO", "Input/output error", 1),
    ("syncfs", "EIO", "Input/output error", 1),
    ("renameat", "EIO", "Input/output error", 6),
    // Only the first call fails. The second releases the lock, which always succeeds.
    ("flock", "EIO", "Input/output error", 1000),
];

type State = BTreeMap<PathBuf, String>;

/// Everything that `init` writes to.
fn state(prefix: &Prefix) -> State {
    let places = ["usr", "bin", "etc/crossmerge", "mine"];
    let trees = places.iter().map(|place| tree(&prefix.join(place)));
    trees.flatten().collect()
}

fn reset(prefix: &Prefix) {
    let script = "rm -rf usr bin etc/crossmerge mine && cp -a saved/. .";
    prefix.command("/bin/sh", ["-c", script]).success();
}

/// The numbers of the openat calls that create a file.
fn calls_that_make(prefix: &Prefix, args: &[&str]) -> Vec<usize> {
    let own = prefix.join("bin/crossmerge").display().to_string();
    let words = ["-o", "calls", "-e", "trace=openat", &own];
    prefix.command("strace", words.iter().chain(args)).success();
    let calls = prefix.read("calls");
    let lines = (1..).zip(calls.lines());
    let making = lines.filter(|(_, line)| line.contains("O_CREAT"));
    making.map(|(number, _)| number).collect()
}

/// Checks the message of a failure: one error with a path and the reason, and one hint.
#[track_caller]
fn is_clear(output: &Output, reason: &str) {
    let errors: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| line.contains(": error: "))
        .collect();
    let hints = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("hint: "));
    assert!(
        matches!(errors[..], [line] if line.contains(reason) && line.contains("`/"))
            && hints.count() == 1,
        "{output:#?}"
    );
}

/// Makes a command fail at every point, checks its message and what it leaves, and lets the next run complete it.
/// Returns the number of failures, and how many of them left the old state.
fn fail_everywhere(prefix: &Prefix, args: &[&str]) -> (usize, usize) {
    let script = "mkdir -p usr etc/crossmerge mine saved/etc && cp -a usr bin mine saved && cp -a etc/crossmerge saved/etc";
    prefix.command("/bin/sh", ["-ec", script]).success();
    let before = state(prefix);
    let making = calls_that_make(prefix, args);
    let whole = state(prefix);
    assert_ne!(before, whole);
    let (mut failures, mut untouched) = (0, 0);
    for (call, error, reason, step) in FAULTS {
        let every: Vec<usize> = match call {
            "openat" => making.clone(),
            _ => (1..1000).step_by(step).collect(),
        };
        let mut passed = 0;
        for when in every {
            reset(prefix);
            let inject = format!("inject={call}:error={error}:when={when}");
            let fault = format!("error={error}");
            let output = prefix.injected(call, &fault, when, "crossmerge", args);
            let left = state(prefix);
            if output.code == Some(0) {
                // The failing call was not about a file that crossmerge writes, or there was no such call.
                assert_eq!(left, whole, "{inject}: {output:#?}");
                passed += 1;
                if passed > 2 {
                    break;
                }
                continue;
            }
            assert_eq!(output.code, Some(125), "{inject}: {output:#?}");
            is_clear(&output, reason);
            failures += 1;
            if left == before {
                untouched += 1;
                continue;
            }
            prefix.own(args).success();
            let fixed = state(prefix);
            let paths = whole.keys().chain(fixed.keys());
            let differing: Vec<_> = paths
                .filter(|path| whole.get(*path) != fixed.get(*path))
                .collect();
            assert!(differing.is_empty(), "{inject} left {differing:?}");
        }
    }
    (failures, untouched)
}

#[test]
fn a_failed_first_init_leaves_the_old_state_or_one_that_the_next_run_completes() {
    let prefix = kill::prefix();
    let (failures, untouched) = fail_everywhere(&prefix, &["init", TUPLE, "--toolchain", "none"]);
    assert!(failures > 35, "only {failures} failures");
    // Most failures leave the old state. Only those from the renames on leave a part of the new one.
    assert!(untouched > failures * 2 / 3, "{untouched} of {failures}");
}

#[test]
fn a_failed_refresh_keeps_the_users_edits() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE, "--toolchain", "none"]).success();
    prefix.append(&format!("usr/{TUPLE}/etc/portage/repos.conf"), "# mine\n");
    prefix.overlay("mine");
    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j7\"\n");
    let mine = prefix.join("mine").display().to_string();
    let (failures, untouched) = fail_everywhere(&prefix, &["init", TUPLE, "--bindir", &mine]);
    assert!(failures > 20, "only {failures} failures");
    assert!(untouched > failures / 2, "{untouched} of {failures}");
}

#[test]
fn a_failed_export_leaves_the_file_unchanged() {
    let prefix = Prefix::new();
    prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
    prefix.write("mine/cross.cmake", "");
    prefix
        .own(["export", TUPLE, "cmake", "mine/cross.cmake", "--force"])
        .success();
    prefix.script(&format!("tools/{TUPLE}-clang"), "#!/bin/sh\nexit 1\n");
    std::fs::remove_file(prefix.join(format!("tools/{TUPLE}-gcc"))).expect("gone");
    let file = prefix.join("mine/cross.cmake").display().to_string();
    let (failures, untouched) = fail_everywhere(&prefix, &["export", TUPLE, "cmake", &file]);
    assert!(failures > 2, "only {failures} failures");
    assert_eq!(failures, untouched);
}

/// Mounts a tmpfs with these options on `usr` in a mount namespace, and runs a script there.
fn on_small_disk(prefix: &Prefix, options: &str, script: &str) -> Output {
    let script = format!("mkdir -p usr; mount -t tmpfs -o {options} none usr; {script}");
    prefix.command("unshare", ["--mount", "/bin/sh", "-c", &script])
}

#[test]
fn a_full_disk_is_named_and_the_next_run_with_space_completes() {
    needs_root();
    let prefix = kill::prefix();
    let sum = "tar -C usr --sort=name --mtime=@0 -c . | sha256sum";
    let grow = "mount -o remount,size=64m,nr_inodes=1000 usr";
    let script = format!("crossmerge init {TUPLE} 2> first && {sum}");
    let whole = on_small_disk(&prefix, "size=64m", &script).success().stdout;
    prefix.own(["remove", TUPLE]).success();
    let before = state(&prefix);
    let mut fitted = 0;
    let pages = (1..12).map(|pages| format!("size={}k", pages * 4));
    for options in pages.chain(
        (2..16)
            .step_by(2)
            .map(|inodes| format!("size=1m,nr_inodes={inodes}")),
    ) {
        let script = format!(
            "crossmerge init {TUPLE} 2> output; echo $? > code; find usr -mindepth 1 > left; find bin > links
             {grow}; crossmerge init {TUPLE} 2>> again; {sum}; find usr -name '.*crossmerge*'"
        );
        let last = on_small_disk(&prefix, &options, &script).success().stdout;
        assert_eq!(last, whole, "{options}");
        if prefix.read("code") == "0\n" {
            fitted += 1;
        } else {
            let output = prefix.read("output");
            assert_eq!(prefix.read("code"), "125\n", "{options}: {output}");
            assert_eq!(prefix.read("left"), "", "{options}: {output}");
            assert_eq!(
                prefix.read("links").lines().count(),
                before
                    .keys()
                    .filter(|path| path.starts_with(prefix.join("bin")))
                    .count()
                    + 1
            );
            assert!(
                output.contains("No space left on device") && output.contains("\nhint: free space"),
                "{output}"
            );
        }
        assert_eq!(prefix.own(["remove", TUPLE]).code, Some(0));
        assert_eq!(state(&prefix), before, "{options}");
    }
    assert!((1..12).contains(&fitted), "{fitted} fitted");
}

#[test]
fn a_read_only_file_system_is_named_and_nothing_is_written_elsewhere() {
    needs_root();
    let prefix = kill::prefix();
    for directory in ["usr", "mine", "etc/crossmerge"] {
        std::fs::create_dir_all(prefix.join(directory)).expect("a directory");
    }
    let before = state(&prefix);
    for directory in ["usr", "mine", "etc/crossmerge"] {
        let script = format!(
            "mount --bind {directory} {directory} && mount -o remount,ro,bind {directory} && exec {CROSSMERGE} init {TUPLE} --bindir $PWD/mine"
        );
        let output = prefix.command("unshare", ["--mount", "/bin/sh", "-ec", &script]);
        let place = prefix.join(directory).display().to_string();
        let output = output.fails(125, "Read-only file system", "findmnt -T");
        assert!(output.stderr.contains(&place), "{output:#?}");
        assert_eq!(state(&prefix), before, "{directory}");
    }
    let mine = prefix.join("mine").display().to_string();
    prefix.own(["init", TUPLE, "--bindir", &mine]).success();
    assert_eq!(left_beside(&prefix.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_user_without_permission_gets_the_path_and_nothing_is_written() {
    needs_root();
    let prefix = Prefix::new();
    prefix.command("chmod", ["755", "."]).success();
    let own = super::copied_program(&prefix);
    for name in ["home", "home/bin", "home/closed"] {
        directory_of_another_user(&prefix, name);
    }
    prefix.command("chmod", ["0", "home/closed"]).success();
    std::fs::create_dir(prefix.join("roots")).expect("a directory");
    let home = tree(&prefix.join("home"));
    for (sysroot, bindir) in [
        ("roots/x", "home/bin"),
        ("home/closed/x", "home/bin"),
        ("home/x", "roots"),
    ] {
        let words = [
            "env",
            "HOME=home",
            "XDG_CONFIG_HOME=home/config",
            &own,
            "init",
            TUPLE,
            "--sysroot",
            sysroot,
            "--bindir",
            bindir,
        ];
        let output = prefix.command("setpriv", AS_OTHER_USER.iter().chain(&words));
        let output = output.fails(125, "Permission denied", "run it as root");
        let place = [sysroot, bindir]
            .into_iter()
            .find(|place| !place.starts_with("home/bin") && *place != "home/x");
        let place = place.expect("one is not ours").trim_end_matches("/x");
        assert!(output.stderr.contains(place), "{output:#?}");
        assert_eq!(tree(&prefix.join("home")), home, "{sysroot} {bindir}");
    }
}
