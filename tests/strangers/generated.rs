//! Commands on sysroots out of bytes, as the fuzz target `sysroot` has them: with 2 GB of address space each ends by itself, and nothing
//! outside the sysroot changes.

#[path = "../../src/file/hostile.rs"]
mod hostile;

use super::{Runner, TUPLE, ends, limited, machine, scene};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use std::fs;

/// How many trees a test makes; `CROSSMERGE_TREES` is another number.
const TREES: u64 = 8;

/// The commands: our name, and the arguments.
const COMMANDS: [(&str, &[&str]); 14] = [
    ("TUPLE-fix-root", &["--dry-run"]),
    ("TUPLE-fix-root", &[]),
    ("TUPLE-fix-root", &["--installed"]),
    ("crossmerge", &["init", "TUPLE", "--toolchain", "none"]),
    ("crossmerge", &["remove", "TUPLE", "--dry-run"]),
    ("crossmerge", &["remove", "TUPLE"]),
    ("crossmerge", &["doctor", "TUPLE"]),
    ("crossmerge", &["plan", "TUPLE", "emerge", "x"]),
    ("crossmerge", &["export", "TUPLE", "cmake"]),
    ("crossmerge", &["profile", "list", "TUPLE"]),
    ("TUPLE-pkg-config", &["--cflags", "--libs", "a"]),
    ("TUPLE-env", &["true"]),
    ("TUPLE-run", &["PREFIX/s/usr/bin/program"]),
    (
        "native-unknown-linux-gnu-chroot",
        &["--root", "PREFIX/s", "/bin/true"],
    ),
];

/// A sequence of bytes that looks like chance, and is the same in each run (xorshift64).
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..600).map(|_| next()).collect()
}

fn sysroot(prefix: &Prefix, seed: u64) {
    let sysroot = prefix.join("s");
    // A directory deeper than a path may be long is a task for rm.
    prefix.command("rm", ["-rf", "s"]).success();
    fs::create_dir(&sysroot).expect("a directory");
    hostile::make(&bytes(seed), &sysroot, &prefix.join("machine"));
    prefix.command("chown", ["-hR", "4242:4242", "s"]).success();
}

/// What a machine has beside the sysroot.
fn with_machine(runner: Runner) -> Prefix {
    let mut prefix = scene();
    prefix.link("native-unknown-linux-gnu-chroot");
    prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
    for tool in ["qemu-arm", "qemu-arm-static", "emerge"] {
        prefix.script(&format!("tools/{tool}"), "#!/bin/sh\nexit 0\n");
    }
    let machine = machine(&prefix);
    fs::write(machine.join("secret"), "").expect("a file");
    runner.takes(&mut prefix);
    prefix
}

/// Checks a command on a tree.
fn check(prefix: &Prefix, seed: u64, name: &str, args: &[&str]) {
    let full = |text: &&str| {
        let text = text.replace("TUPLE", TUPLE);
        text.replace("PREFIX", &prefix.path().display().to_string())
    };
    let args: Vec<String> = args.iter().map(full).collect();
    sysroot(prefix, seed);
    let machine = prefix.join("machine");
    let before = tree(&machine);
    let said = limited(prefix, &full(&name), &args);
    ends(&said, &format!("the tree of seed {seed}"));
    unchanged(&before, &tree(&machine));
}

fn all_end(runner: Runner) {
    #[expect(clippy::disallowed_methods, reason = "for longer runs")]
    let trees = std::env::var("CROSSMERGE_TREES");
    let trees = trees.map_or(TREES, |number| number.parse().expect("a number"));
    let prefix = with_machine(runner);
    for seed in 0..trees {
        for (name, args) in COMMANDS {
            check(&prefix, seed, name, args);
        }
    }
}

#[test]
fn every_command_of_roots_ends() {
    all_end(Runner::Root);
}

#[test]
fn every_command_of_a_users_ends() {
    all_end(Runner::User);
}
