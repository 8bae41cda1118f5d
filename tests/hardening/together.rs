//! Many runs at the same time: each ends in the state that it would have left alone.

use super::{TUPLE, left_beside, needs_root};
use crate::{init::tree, kill, support::Prefix};
use std::{
    collections::BTreeMap,
    io::Read,
    path::PathBuf,
    process::{Child, ExitStatus},
    thread,
};

/// The number of runs at the same time.
const MANY: usize = 50;

/// Waits for a run and returns its status and its stderr.
fn end(mut run: Child) -> (ExitStatus, String) {
    let mut output = String::new();
    let stderr = run.stderr.as_mut().expect("it was piped");
    stderr.read_to_string(&mut output).expect("text");
    (run.wait().expect("it ended"), output)
}

#[track_caller]
fn all_end_well(runs: Vec<Child>) {
    for run in runs {
        let (status, output) = end(run);
        assert!(status.success(), "{status}: {output}");
    }
}

/// Everything that a run may write.
fn written(prefix: &Prefix) -> BTreeMap<PathBuf, String> {
    let places = ["usr", "bin", "etc/crossmerge", "var"];
    let trees = places.iter().map(|place| tree(&prefix.join(place)));
    trees.flatten().collect()
}

/// Checks that the runs wrote the same as one run alone.
#[track_caller]
fn same(written: &BTreeMap<PathBuf, String>, alone: &BTreeMap<PathBuf, String>) {
    let paths = alone.keys().chain(written.keys());
    let differing: Vec<_> = paths
        .filter(|path| alone.get(*path) != written.get(*path))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn fifty_inits_at_once_write_what_one_writes() {
    let tuples: Vec<String> = (0..10)
        .map(|n| format!("arm-board{n}-linux-gnueabihf"))
        .collect();
    let prefix = kill::prefix();
    // Packages of the libc would have other times in each run.
    prefix.script("tools/emerge", "#!/bin/sh\nexit 1\n");
    for tuple in &tuples {
        prefix.own(["init", tuple]).success();
    }
    let alone = written(&prefix);
    for tuple in &tuples {
        prefix.own(["remove", tuple]).success();
    }
    // Several runs for each target, and several targets, whose runs read and refresh the same files.
    let runs = (0..MANY).map(|n| prefix.start(["init", &tuples[n % tuples.len()]]));
    all_end_well(runs.collect());
    same(&written(&prefix), &alone);
    assert_eq!(left_beside(&prefix.path()), [] as [PathBuf; 0]);
}

#[test]
fn init_beside_remove_and_readers_leaves_a_whole_state() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let whole = written(&prefix);
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push((true, prefix.start(["init", TUPLE])));
        runs.push((false, prefix.start(["remove", TUPLE])));
        runs.push((true, prefix.start(["init", TUPLE, "--profile", "embedded"])));
        runs.push((false, prefix.start(["plan", TUPLE, "env"])));
        runs.push((true, prefix.start(["targets"])));
    }
    for (must_succeed, run) in runs {
        let (status, output) = end(run);
        // `remove` may run when there is no target, and `plan` while there is no sysroot. Both fail with a message,
        // which may come from portageq.
        let is_expected = ["is not initialised", "does not exist", "is not a directory"]
            .iter()
            .any(|part| output.contains(part));
        assert!(
            status.success() || !must_succeed && is_expected,
            "{status}: {output}"
        );
    }
    prefix.own(["init", TUPLE]).success();
    same(&written(&prefix), &whole);
}

#[test]
fn a_remove_that_is_still_running_deletes_nothing_of_the_next_init() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let whole = written(&prefix);
    let lock = prefix.join(format!("usr/{TUPLE}/var/lib/crossmerge/lock"));
    let slow = |call, delay, verb| prefix.injected(call, delay, "1+", "crossmerge", [verb, TUPLE]);
    thread::scope(|scope| {
        let removed = scope.spawn(|| slow("unlinkat", "delay_enter=40000", "remove"));
        while lock.exists() {
            thread::yield_now();
        }
        slow("mkdirat", "delay_exit=100000", "init").success();
        removed.join().expect("no panic").success();
    });
    same(&written(&prefix), &whole);
}

#[test]
fn killed_inits_beside_others_leave_no_trace() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let whole = written(&prefix);
    prefix.own(["remove", TUPLE]).success();
    for round in 0..4 {
        let mut runs: Vec<Child> = (0..6).map(|_| prefix.start(["init", TUPLE])).collect();
        // The first runs are those that write.
        let killed = runs.iter_mut().take(3 + round % 2);
        killed.for_each(|run| run.kill().expect("it was ours"));
        for (n, run) in runs.into_iter().enumerate() {
            let (status, output) = end(run);
            assert!(status.success() || n < 4, "{status}: {output}");
        }
        same(&written(&prefix), &whole);
        prefix.own(["remove", TUPLE]).success();
    }
}

#[test]
fn a_waiting_process_names_the_lock_holder() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let lock = prefix.join(format!("usr/{TUPLE}/var/lib/crossmerge/lock"));
    let lock = lock.display().to_string();
    // The process that holds the lock keeps it until the waiting process has printed its note.
    let held = "until grep -q waiting output 2> /dev/null; do :; done";
    let script = format!(
        "flock \"$0\" sh -c '> held; {held}' & until [ -e held ]; do :; done; crossmerge init {TUPLE} 2> output"
    );
    prefix.command("/bin/sh", ["-c", &script, &lock]).success();
    let output = prefix.read("output");
    assert!(
        output.contains("another crossmerge (process ") && output.contains("`flock /"),
        "{output}"
    );
    assert!(output.contains("nothing to do"), "{output}");
}

#[test]
fn another_user_cannot_hold_the_lock() {
    needs_root();
    let prefix = kill::prefix();
    prefix.command("chmod", ["755", "."]).success();
    prefix.own(["init", TUPLE]).success();
    let lock = format!("usr/{TUPLE}/var/lib/crossmerge/lock");
    let words = [&super::AS_OTHER_USER[..], &["cat", &lock]].concat();
    let output = prefix.command("setpriv", words);
    assert!(output.stderr.contains("Permission denied"), "{output:#?}");
}
