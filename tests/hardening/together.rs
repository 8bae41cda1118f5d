//! Many at once: each run ends whole, and as it would have alone.

use super::{TUPLE, left_beside, needs_root};
use crate::{init::tree, kill, support::Prefix};
use std::{
    collections::BTreeMap,
    io::Read,
    path::PathBuf,
    process::{Child, ExitStatus},
    thread,
};

/// How many at once.
const MANY: usize = 50;

/// Waits for a run, and gives what it said.
fn end(mut run: Child) -> (ExitStatus, String) {
    let mut said = String::new();
    let stderr = run.stderr.as_mut().expect("it was piped");
    stderr.read_to_string(&mut said).expect("text");
    (run.wait().expect("it ended"), said)
}

#[track_caller]
fn all_end_well(runs: Vec<Child>) {
    for run in runs {
        let (status, said) = end(run);
        assert!(status.success(), "{status}: {said}");
    }
}

/// Everything that a run may write.
fn written(prefix: &Prefix) -> BTreeMap<PathBuf, String> {
    let places = ["usr", "bin", "etc/crossmerge", "var"];
    let trees = places.iter().map(|place| tree(&prefix.join(place)));
    trees.flatten().collect()
}

/// Checks that what was written is what one run alone wrote.
#[track_caller]
fn same(written: &BTreeMap<PathBuf, String>, alone: &BTreeMap<PathBuf, String>) {
    let paths = alone.keys().chain(written.keys());
    let differing: Vec<_> = paths
        .filter(|path| alone.get(*path) != written.get(*path))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn fifty_inits_at_once_come_to_what_one_comes_to() {
    let tuples: Vec<String> = (0..10)
        .map(|n| format!("arm-board{n}-linux-gnueabihf"))
        .collect();
    let prefix = kill::prefix();
    for tuple in &tuples {
        prefix.own(["init", tuple]).success();
    }
    let alone = written(&prefix);
    for tuple in &tuples {
        prefix.own(["remove", tuple]).success();
    }
    // Of each target, and beside each other: what reads and what refreshes the same files.
    let runs = (0..MANY).map(|n| prefix.start(["init", &tuples[n % tuples.len()]]));
    all_end_well(runs.collect());
    same(&written(&prefix), &alone);
    assert_eq!(left_beside(&prefix.path()), [] as [PathBuf; 0]);
}

#[test]
fn init_beside_remove_and_readers_ends_whole() {
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
        let (status, said) = end(run);
        // Who removes may come when there is nothing, and who plans while there is no sysroot: both are told so, by portageq if need be.
        let is_told = ["is not initialised", "does not exist", "is not a directory"]
            .iter()
            .any(|part| said.contains(part));
        assert!(
            status.success() || !must_succeed && is_told,
            "{status}: {said}"
        );
    }
    prefix.own(["init", TUPLE]).success();
    same(&written(&prefix), &whole);
}

#[test]
fn what_init_makes_is_safe_from_a_remove_that_let_it_in() {
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
fn inits_that_are_killed_beside_others_leave_nothing() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let whole = written(&prefix);
    prefix.own(["remove", TUPLE]).success();
    for round in 0..4 {
        let mut runs: Vec<Child> = (0..6).map(|_| prefix.start(["init", TUPLE])).collect();
        // Those that come first are the ones that write.
        let killed = runs.iter_mut().take(3 + round % 2);
        killed.for_each(|run| run.kill().expect("it was ours"));
        for (n, run) in runs.into_iter().enumerate() {
            let (status, said) = end(run);
            assert!(status.success() || n < 4, "{status}: {said}");
        }
        same(&written(&prefix), &whole);
        prefix.own(["remove", TUPLE]).success();
    }
}

#[test]
fn who_waits_says_for_whom() {
    let prefix = kill::prefix();
    prefix.own(["init", TUPLE]).success();
    let lock = prefix.join(format!("usr/{TUPLE}/var/lib/crossmerge/lock"));
    let lock = lock.display().to_string();
    // The holder keeps it until the process that waits has printed its note.
    let held = "until grep -q waiting said 2> /dev/null; do :; done";
    let script = format!(
        "flock \"$0\" sh -c '> held; {held}' & until [ -e held ]; do :; done; crossmerge init {TUPLE} 2> said"
    );
    prefix.command("/bin/sh", ["-c", &script, &lock]).success();
    let said = prefix.read("said");
    assert!(
        said.contains("another crossmerge (process ") && said.contains("`flock /"),
        "{said}"
    );
    assert!(said.contains("nothing to do"), "{said}");
}

#[test]
fn another_user_cannot_hold_the_lock() {
    needs_root();
    let prefix = kill::prefix();
    prefix.command("chmod", ["755", "."]).success();
    prefix.own(["init", TUPLE]).success();
    let lock = format!("usr/{TUPLE}/var/lib/crossmerge/lock");
    let words = [&super::AS_OTHER_USER[..], &["cat", &lock]].concat();
    let said = prefix.command("setpriv", words);
    assert!(said.stderr.contains("Permission denied"), "{said:#?}");
}
