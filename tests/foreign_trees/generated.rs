//! Commands on sysroots that are generated from bytes, as in the fuzz target `sysroot`: with 2 GB of address space
//! each command ends by itself, and nothing outside the sysroot changes.

use super::{Runner, TUPLE, ends, limited, machine, scene, tree_of};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use crossmerge_system::file::hostile;
use nix::sys::stat::SFlag;
use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt};

/// The number of trees for each test, which `CROSSMERGE_TREES` overrides.
const TREES: u64 = 6;

/// The commands: the name, and the arguments.
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

/// A pseudo-random sequence of bytes, which is the same in each run (xorshift64).
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

/// Makes the sysroot of a seed. Another user owns it, and every user may write to its directories.
fn sysroot(prefix: &Prefix, seed: u64) {
    let sysroot = prefix.join("s");
    // `rm` can remove a directory whose path is longer than PATH_MAX.
    prefix.command("rm", ["-rf", "s"]).success();
    fs::create_dir(&sysroot).expect("a directory");
    hostile::make(&bytes(seed), &sysroot, &prefix.join("machine"));
    prefix.command("chown", ["-hR", "4242:4242", "s"]).success();
    let open = ["s", "-type", "d", "-exec", "chmod", "777", "{}", "+"];
    prefix.command("find", open).success();
}

/// The host's files beside the sysroot.
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

/// Runs a command on a tree and checks the result.
fn check(prefix: &Prefix, seed: u64, name: &str, args: &[&str]) {
    let full = |text: &&str| {
        let text = text.replace("TUPLE", TUPLE);
        text.replace("PREFIX", &prefix.path().display().to_string())
    };
    let args: Vec<String> = args.iter().map(full).collect();
    sysroot(prefix, seed);
    let machine = prefix.join("machine");
    let before = tree(&machine);
    let output = limited(prefix, &full(&name), &args);
    ends(&output, &format!("the tree of seed {seed}"));
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
fn the_generated_trees_contain_every_kind_of_file() {
    let prefix = with_machine(Runner::Root);
    let (mut kinds, mut texts) = (BTreeSet::new(), 0);
    for seed in 0..TREES {
        sysroot(&prefix, seed);
        for path in tree_of(&prefix.join("s")) {
            let metadata = path.symlink_metadata().expect("metadata");
            kinds.insert(metadata.mode() & SFlag::S_IFMT.bits());
            texts += usize::from(metadata.is_file() && metadata.len() > 0);
        }
    }
    let all = [
        SFlag::S_IFDIR,
        SFlag::S_IFREG,
        SFlag::S_IFLNK,
        SFlag::S_IFIFO,
        SFlag::S_IFSOCK,
        SFlag::S_IFCHR,
    ];
    assert_eq!(kinds, all.map(|kind| kind.bits()).into());
    assert!(texts > 20, "only {texts} texts");
}

#[test]
fn every_command_of_root_ends() {
    all_end(Runner::Root);
}

#[test]
fn every_command_of_a_user_ends() {
    all_end(Runner::User);
}
