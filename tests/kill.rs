//! A kill at any moment of `init`, `adopt`, `adopt --undo` or `<tuple>-fix-root` leaves the old state, the new one,
//! or one from which the next run makes the new one.
//!
//! strace kills the program before each system call that can change a file. A stand-in remembers portageq's answers,
//! so that this takes seconds. The first run asks the real portageq.

use crate::{
    adopt::crossdev,
    init::tree,
    support::{Prefix, some_of},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// The system calls that create, change or remove a file, and those that flush it to disk.
pub(crate) const CALLS: [&str; 17] = [
    "openat",
    "write",
    "copy_file_range",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "rename",
    "renameat",
    "unlink",
    "unlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fsync",
    "syncfs",
    "flock",
];

type Tree = BTreeMap<PathBuf, String>;

/// A prefix whose portageq remembers the real one's answer to each question about the same make.conf.
///
/// Files that a kill leaves in TMPDIR are deleted with the prefix.
pub(crate) fn prefix() -> Prefix {
    let mut prefix = Prefix::with_portage();
    let temporary = prefix.join("temporary");
    fs::create_dir(&temporary).expect("a directory");
    prefix.set("TMPDIR", temporary);
    let real = prefix
        .command("/bin/sh", ["-c", "command -v portageq"])
        .success()
        .stdout;
    prefix.script(
        "tools/portageq",
        &format!(
            "#!/bin/sh\nanswer=$(echo \"$*\" | cat - {0}/etc/portage/make.conf | md5sum)\nanswer={0}/answers/${{answer%% *}}\n\
             [ -e $answer ] || {{ mkdir -p {0}/answers; {1} \"$@\" > $answer.new; mv $answer.new $answer; }}\nexec cat $answer\n",
            prefix.path().display(),
            real.trim()
        ),
    );
    prefix
}

/// Restores the directories that a run writes to.
fn reset(prefix: &Prefix) {
    let script = "rm -rf etc usr bin var && cp -a saved/etc saved/usr saved/bin saved/var .";
    prefix.command("/bin/sh", ["-c", script]).success();
}

fn state(prefix: &Prefix) -> Tree {
    let mut state = tree(&prefix.join("usr"));
    state.extend(tree(&prefix.join("etc")));
    state.extend(tree(&prefix.join("bin")));
    state.extend(tree(&prefix.join("var")));
    state
}

/// Runs a command, and returns the points at which to kill it. A point is a system call, and its number among the
/// calls of that name.
///
/// An `openat` that only reads is not a point: a kill before it leaves the same files as one before the next call.
fn points(
    prefix: &Prefix,
    name: &str,
    args: &[&str],
    calls: &[&'static str],
) -> Vec<(&'static str, usize)> {
    let trace = format!("trace={}", calls.join(","));
    let file = prefix.join("trace").display().to_string();
    let options = ["-o", &file, "-e", &trace];
    prefix.traced(&options, name, args).success();
    let mut made = BTreeMap::new();
    let mut points = Vec::new();
    for line in prefix.read("trace").lines() {
        let Some(&call) = line
            .split_once('(')
            .and_then(|(made, _)| calls.iter().find(|call| **call == made))
        else {
            continue;
        };
        let when = made.entry(call).or_insert(0);
        *when += 1;
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"];
        if call != "openat" || writes.iter().any(|flag| line.contains(flag)) {
            points.push((call, *when));
        }
    }
    points
}

/// Kills a command at every point, or at some of them, and returns the number of points and how often each kind of
/// state was found.
pub(crate) fn kill_everywhere(
    prefix: &Prefix,
    name: &str,
    args: &[&str],
    calls: &[&'static str],
    some: usize,
) -> (usize, BTreeMap<&'static str, usize>) {
    prefix
        .command(
            "/bin/sh",
            [
                "-c",
                "mkdir -p etc usr var && mkdir saved && cp -a etc usr bin var saved",
            ],
        )
        .success();
    let before = state(prefix);
    prefix.run(name, args).success();
    let whole = state(prefix);
    assert_ne!(before, whole);
    reset(prefix);
    let points = points(prefix, name, args, calls);
    assert_eq!(state(prefix), whole, "strace changed what it does");
    let mut found = BTreeMap::new();
    let mut finished = BTreeSet::new();
    for &(call, when) in some_of(&points, some) {
        reset(prefix);
        let output = prefix.injected(call, "signal=KILL", when, name, args);
        assert_eq!(output.code, None, "not a kill: {output:#?}");
        let left = state(prefix);
        let kind = if left == before {
            "untouched"
        } else if left == whole {
            "whole"
        } else {
            // If several kills leave the same state, only the first one is completed.
            if finished.insert(left) {
                prefix.run(name, args).success();
                let fixed = state(prefix);
                let differing: BTreeSet<_> = whole
                    .keys()
                    .chain(fixed.keys())
                    .filter(|path| whole.get(*path) != fixed.get(*path))
                    .collect();
                assert!(
                    differing.is_empty(),
                    "killed before {call} {when}, and the next run left {differing:?}"
                );
            }
            "fixed"
        };
        *found.entry(kind).or_insert(0) += 1;
    }
    (points.len(), found)
}

#[test]
fn a_first_init_survives_a_kill_at_every_file_operation() {
    let prefix = prefix();
    // Without `none`, the search for compilers would write probes, which this test is not about.
    let args = ["init", TUPLE, "--toolchain", "none"];
    let (points, found) = kill_everywhere(&prefix, "crossmerge", &args, &CALLS, usize::MAX);
    assert!(points > 80, "only {points} points");
    assert_eq!(found.values().sum::<usize>(), points);
    assert!(found["untouched"] > 0 && found["fixed"] > 20, "{found:?}");
}

#[test]
fn a_refresh_beside_an_edited_file_survives_a_kill_at_every_file_operation() {
    let prefix = prefix();
    prefix.own(["init", TUPLE, "--toolchain", "none"]).success();
    prefix.append(&format!("usr/{TUPLE}/etc/portage/repos.conf"), "# mine\n");
    prefix.overlay("mine");
    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j7\"\n");
    let (points, found) =
        kill_everywhere(&prefix, "crossmerge", &["init", TUPLE], &CALLS, usize::MAX);
    assert!(points > 40, "only {points} points");
    assert!(found["untouched"] > 0 && found["fixed"] > 10, "{found:?}");
    assert!(
        prefix
            .read(&format!("usr/{TUPLE}/etc/portage/repos.conf"))
            .ends_with("# mine\n")
    );
}

#[test]
fn a_copy_of_a_libc_that_was_killed_is_finished_by_the_next_run() {
    let prefix = prefix();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    let tools = format!("{sdk}/bin/arm-linux-gnueabi-");
    // Portage's own work is not killed, and takes too long for so many runs.
    prefix.script("tools/emerge", "#!/bin/sh\nexit 1\n");
    let args = ["init", TUPLE, "--toolchain", &tools, "--with-libc"];
    // Each run asks the compiler a few questions, so only the calls that put a file in place are tried.
    let (points, found) =
        kill_everywhere(&prefix, "crossmerge", &args, &["renameat", "syncfs"], 36);
    assert!(points > 40, "only {points} points");
    assert!(found["fixed"] > 30, "{found:?}");
}

#[test]
fn a_fix_root_survives_a_kill_at_every_file_operation() {
    let prefix = Prefix::new();
    let name = format!("{TUPLE}-fix-root");
    prefix.link(&name);
    for script in ["a-config", "b-config"] {
        let path = format!("usr/{TUPLE}/usr/bin/{script}");
        prefix.script(&path, "#!/bin/sh\nprefix=/usr\n");
    }
    prefix.write(&format!("usr/{TUPLE}/usr/lib/x.la"), "libdir='/usr/lib'\n");
    let (points, found) = kill_everywhere(&prefix, &name, &[], &CALLS, usize::MAX);
    assert!(points > 30, "only {points} points");
    assert!(found["untouched"] > 0 && found["fixed"] > 10, "{found:?}");
}

#[test]
fn taking_over_crossdevs_wrappers_survives_a_kill_at_every_file_operation() {
    let prefix = crossdev_machine();
    let (points, found) = kill_everywhere(&prefix, "crossmerge", &["adopt"], &CALLS, usize::MAX);
    assert!(points > 70, "only {points} points");
    assert!(found["untouched"] > 0 && found["fixed"] > 40, "{found:?}");
}

#[test]
fn putting_crossdevs_wrappers_back_survives_a_kill_at_every_file_operation() {
    let prefix = crossdev_machine();
    prefix.own(["adopt"]).success();
    let (points, found) = kill_everywhere(
        &prefix,
        "crossmerge",
        &["adopt", "--undo"],
        &CALLS,
        usize::MAX,
    );
    assert!(points > 40, "only {points} points");
    assert!(found["untouched"] > 0 && found["fixed"] > 20, "{found:?}");
}

#[test]
fn an_adopt_that_was_killed_can_be_undone() {
    let prefix = crossdev_machine();
    let places = |prefix: &Prefix| {
        let mut state = state(prefix);
        state.retain(|path, _| !path.starts_with(prefix.join("var")));
        state
    };
    let before = places(&prefix);
    for when in 1.. {
        let output = prefix.injected("renameat", "signal=KILL", when, "crossmerge", ["adopt"]);
        prefix.own(["adopt", "--undo"]).success();
        assert_eq!(places(&prefix), before, "killed before renameat {when}");
        if output.code == Some(0) {
            assert!(when > 20, "only {when} points");
            break;
        }
    }
}

/// A prefix as crossdev leaves it, in which one wrapper is a copy.
fn crossdev_machine() -> Prefix {
    let mut prefix = prefix();
    crossdev(&mut prefix, &[TUPLE]);
    let script = format!("cd usr/bin && rm {TUPLE}-fix-root && cp cross-fix-root {TUPLE}-fix-root");
    prefix.command("/bin/sh", ["-c", &script]).success();
    prefix
}
