//! The owner of a sysroot changes it while root, or another user, works in it. The owner does not obtain what only
//! the user of crossmerge may read, nothing outside the sysroot changes, and the command ends.
//!
//! The first run of a command is not interrupted. It shows which paths the kernel walks, and when. For each walk
//! through a part of the tree, the command runs again and is stopped just before it. Then the part is exchanged for
//! something else, for that walk alone or permanently.
//!
//! These are all the different races, and each other one has the same effect as one of them:
//!
//! - Only system calls that look up the part's name depend on what has that name. They are the calls with a path
//!   through the part, and readlink(2) of an open file in `/proc` or getcwd(2), which return such a path. Two exchanges
//!   between which no call looks up the name have the same effect, so there is one just before each of these calls.
//! - A call relative to an open directory looks up only the names below that directory, except by `..`. If the part is
//!   the directory or above it, an exchange before this call equals one before the next call that looks up the part's
//!   name. Calls without a path (read, fstat, mmap, close) look up no name.
//! - An exchange for one call alone changes nothing if the call does not look up the name. For the last call that
//!   does, it equals a permanent one.
//! - For one call alone, it is the same which of the directories on its path is exchanged. The kernel then finds the
//!   rest of the path in the host's copy (a symlink), in a copy of its directories (a full directory), or nothing (a
//!   FIFO). So only the lowest directory of the path is exchanged, and its end. A directory that the host does not
//!   have is exchanged too: the one in its place is empty, but exists. A permanent exchange is different at each
//!   directory, because crossmerge checks them one by one.

mod stops;

use super::{OTHER_USER, Runner, TUPLE, give_for, hash, scene_in, tree_of};
use crate::{
    init::{tree, unchanged},
    support::{Prefix, some_of},
};
use nix::{
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
    sys::stat::Mode,
    unistd::mkfifo,
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};
use stops::{Call, Walk};

/// The content of each file that only the user of crossmerge may read, and of no file in the tree.
const SECRET: &str = "hunter2";

/// The number of races of each test, unless `make races` runs all of them.
const SOME: usize = 16;

/// The files of a tree that a command may read. SECRET stands for the secret, which only the host's copy contains.
/// `in` is a directory on the path to the sysroot, and `in/bin` is in PATH for `adopt`.
const FILES: [(&str, &str); 16] = [
    (
        "in/s/usr/bin/a-config",
        "#!/bin/sh\n# SECRET\nprefix=/usr\necho -I/usr/include -LSECRET\n",
    ),
    ("in/s/usr/bin/program", "#!/bin/sh\n# SECRET\n"),
    ("in/s/usr/lib/liba.la", "# SECRET\nlibdir='/usr/lib'\n"),
    ("in/s/usr/lib/aConf.sh", "# SECRET\nA_LIBS='-L/usr/lib'\n"),
    (
        "in/s/usr/lib/pkgconfig/a.pc",
        "Name: a\nDescription: SECRET\nVersion: 1\nCflags: -I/usr/include/SECRET\n",
    ),
    ("in/s/lib/ld-linux.so.3", "SECRET\n"),
    ("in/s/lib/libc.so.6", "SECRET\n"),
    ("in/s/etc/x", "x\n"),
    ("in/s/etc/passwd", "root:x:0:0:SECRET:/root:/bin/true\n"),
    ("in/s/etc/group", "root:x:0:SECRET\n"),
    (
        "in/s/etc/portage/make.conf",
        "CFLAGS=\"-DSECRET\"\nDISTDIR=\"/SECRET\"\n",
    ),
    ("in/s/etc/portage/repos.conf", "# SECRET\nREPOSITORIES"),
    ("in/s/etc/portage/profile/use.force", "SECRET\n"),
    (
        "in/s/var/lib/crossmerge/contents",
        "obj etc/x HASH\nobj etc/SECRET HASH\n",
    ),
    (
        "in/s/var/db/pkg/c/p-1/CONTENTS",
        "obj /usr/bin/a-config SECRET 1\n",
    ),
    ("in/bin/cross-emerge", "#!/bin/sh\n# SECRET\n"),
];

/// What a part of the tree is exchanged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// A symlink to the same part of the host's directory.
    Out,
    /// A directory that is full of symlinks to files of that part.
    Full,
    Pipe,
}

/// One run of a command.
#[derive(Debug)]
struct Race<'c> {
    /// The part that is exchanged.
    part: &'c Path,
    other: Other,
    /// The calls after which it is exchanged: the second one exchanges it back.
    at: Vec<&'c Call>,
}

/// A command in a scene.
struct Contest {
    prefix: Prefix,
    runner: Runner,
    name: String,
    args: Vec<String>,
}

impl Contest {
    fn new(runner: Runner, name: &str, args: &[&str]) -> Self {
        let mut prefix = scene_in(Prefix::with_portage());
        prefix.set("SYSROOT", prefix.join("alice/in/s"));
        let name = name.replace("TUPLE", TUPLE);
        let full = |arg: &&str| {
            let top = prefix.path().display().to_string();
            arg.replace("TUPLE", TUPLE).replace("PREFIX", &top)
        };
        let args = args.iter().map(full).collect();
        if !prefix.join("bin").join(&name).exists() {
            prefix.link(&name);
        }
        if args == ["adopt"] {
            crate::adopt::crossdev(&mut prefix, &[TUPLE]);
            prefix.put_first_in_path(&["alice/in/bin"]);
        }
        machine(&prefix);
        runner.takes(&mut prefix);
        prefix.command("chmod", ["-R", "go=", "machine"]).success();
        Self {
            prefix,
            runner,
            name,
            args,
        }
    }

    /// Makes the tree again, with the replacement for a part of it.
    fn tree(&self, race: Option<&Race<'_>>) {
        let top = self.prefix.join("alice");
        let _ = fs::remove_dir_all(&top);
        for (path, text) in FILES {
            let text = filled(&self.prefix, text, "public");
            let path = self.prefix.write(&format!("alice/{path}"), &text);
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
        }
        fs::create_dir(top.join("in/s/bin")).expect("a directory");
        fs::hard_link(self.prefix.join("true"), top.join("in/s/bin/true")).expect("a program");
        symlink("cross-emerge", top.join(format!("in/bin/{TUPLE}-emerge"))).expect("a symlink");
        let profile = self.prefix.read_link("etc/portage/make.profile");
        symlink(profile, top.join("in/s/etc/portage/make.profile")).expect("a symlink");
        if let Some(race) = race {
            let part = self.prefix.join("machine").join(race.part);
            let other = top.join("other");
            match race.other {
                Other::Out => symlink(part, other).expect("a symlink"),
                Other::Full => full(&part, &other),
                Other::Pipe => mkfifo(&other, Mode::from_bits_truncate(0o666)).expect("a pipe"),
            }
        }
        give_for(self.runner, &top);
    }

    /// Every race that can have a different result.
    fn races<'c>(&self, calls: &'c [Call]) -> Vec<Race<'c>> {
        let top = self.prefix.join("alice");
        let machine = self.prefix.join("machine");
        let walks = calls.iter().flat_map(|call| &call.walks);
        let mut parts: Vec<&Path> = walks
            .filter_map(|walk| walk.to.strip_prefix(&top).ok())
            .flat_map(Path::ancestors)
            .filter(|part| !part.as_os_str().is_empty())
            .filter(|part| top.join(part).symlink_metadata().is_ok())
            .collect();
        parts.sort();
        parts.dedup();
        let mut races = Vec::new();
        for is_back in [false, true] {
            for other in [Other::Out, Other::Full, Other::Pipe] {
                for part in &parts {
                    let place = top.join(part);
                    if other == Other::Full && !place.is_dir() {
                        continue;
                    }
                    let walks = calls.windows(2).filter(|pair| pair[1].is_through(&place));
                    let mut walks: Vec<&[Call]> = walks.collect();
                    if is_back {
                        walks.pop();
                        walks.retain(|pair| !is_like_a_lower_part(&pair[1], part, &top, &machine));
                    }
                    for pair in walks {
                        let at = pair.iter().take(1 + usize::from(is_back)).collect();
                        races.push(Race { part, other, at });
                    }
                }
            }
        }
        races
    }

    /// Runs a race, and returns the number of its stops that were reached.
    fn run(&self, race: &Race<'_>) -> usize {
        let top = self.prefix.join("alice");
        let (part, other) = (top.join(race.part), top.join("other"));
        let swap = || {
            // The command may have removed the part.
            let _ = renameat2(
                AT_FDCWD,
                &part,
                AT_FDCWD,
                &other,
                RenameFlags::RENAME_EXCHANGE,
            );
        };
        let end = stops::stopped(&self.prefix, &race.at, &self.name, &self.args, swap);
        let what = format!("{:?}: {} {:?}: {race:?}", self.runner, self.name, self.args);
        let is_end = end
            .code
            .is_some_and(|code| code <= 127 && code != 124 && code != 101);
        assert!(
            is_end && !end.stderr.contains("panicked"),
            "{what}: {end:#?}"
        );
        assert_eq!(self.leaked(), [] as [PathBuf; 0], "{what}: {end:#?}");
        end.stops
    }

    /// The files that contain the secret and that another user owns or may read.
    fn leaked(&self) -> Vec<PathBuf> {
        let mut leaked = Vec::new();
        for place in [
            "alice", "home", "config", "state", "etc", "var", "usr", "export",
        ] {
            for path in tree_of(&self.prefix.join(place)) {
                let there = path.symlink_metadata().expect("metadata");
                let may_read = there.uid() == OTHER_USER || there.mode() & 0o044 != 0;
                if there.is_file() && may_read {
                    let text = fs::read(&path).unwrap_or_default();
                    if String::from_utf8_lossy(&text).contains(SECRET) {
                        leaked.push(path);
                    }
                }
            }
        }
        leaked
    }
}

/// Returns whether exchanging a part for one call has the same effect as exchanging a part below it: all walks of the
/// call that lead through this part lead through one below it and further, the host has both, and the call does not
/// return their names.
fn is_like_a_lower_part(call: &Call, part: &Path, top: &Path, machine: &Path) -> bool {
    let place = top.join(part);
    let mut walks = { call.walks.iter() }.filter(|walk| walk.is_through(&place));
    let is_like = |walk: &Walk| {
        let lower = walk
            .to
            .parent()
            .filter(|lower| *lower != place && lower.starts_with(&place));
        let lower = lower.and_then(|lower| lower.strip_prefix(top).ok());
        lower.is_some_and(|lower| machine.join(lower).is_dir())
    };
    !call.returns_path && walks.all(is_like)
}

/// Fills in a file's text. Its repos.conf names the host's repositories, so that Portage's settings are read
/// completely.
fn filled(prefix: &Prefix, text: &str, secret: &str) -> String {
    text.replace("SECRET", secret)
        .replace("HASH", &hash("x\n"))
        .replace("REPOSITORIES", &prefix.read("etc/portage/repos.conf"))
}

/// Writes the files of the user who runs crossmerge, and a host for the commands.
fn machine(prefix: &Prefix) {
    for (path, text) in FILES {
        let text = filled(prefix, text, SECRET);
        prefix.write(&format!("machine/{path}"), &text);
    }
    for tool in [
        "gcc",
        "emerge",
        "qemu-arm",
        "qemu-arm-static",
        "cross-ebuild",
    ] {
        let name = if tool == "gcc" {
            format!("{TUPLE}-gcc")
        } else {
            tool.to_owned()
        };
        let code = u8::from(tool == "gcc");
        prefix.script(
            &format!("tools/{name}"),
            &format!("#!/bin/sh\nexit {code}\n"),
        );
    }
    prefix.script(
        "project/configure",
        "#!/bin/sh\n# Generated by GNU Autoconf 2.71.\n\
         for a; do case $a in --cache-file=*) echo ac_cv_x=yes >\"${a#*=}\";; esac; done\n: >config.log\n",
    );
    prefix.write("true.c", "int main(void) { return 0; }\n");
    prefix
        .command("cc", ["-static", "-o", "true", "true.c"])
        .success();
}

/// Creates a directory with a symlink to each file of another one, below the same paths.
fn full(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    for path in tree_of(from) {
        let place = to.join(path.strip_prefix(from).expect("below"));
        match path.is_dir() {
            true => fs::create_dir(place).expect("a directory"),
            false => symlink(path, place).expect("a symlink"),
        }
    }
}

/// Runs the races of a command, and checks that the host does not change.
#[expect(clippy::print_stderr, reason = "`make races` shows the figures")]
fn no_race_succeeds(runner: Runner, name: &str, args: &[&str]) {
    let contest = Contest::new(runner, name, args);
    contest.tree(None);
    // The first run creates what the tree does not contain.
    stops::calls(&contest.prefix, &contest.name, &contest.args);
    contest.tree(None);
    let (mut calls, end) = stops::calls(&contest.prefix, &contest.name, &contest.args);
    if name.ends_with("-run") {
        // The tree's program may do what it likes, and so may wait too. crossmerge's own calls end with its exec.
        let mut execs = (0..calls.len()).filter(|place| calls[*place].is_exec());
        let last = execs.nth(1).expect("crossmerge starts the program");
        calls.truncate(last + 1);
    }
    assert!(matches!(end.code, Some(0 | 1)), "{runner:?}: {end:#?}");
    let races = contest.races(&calls);
    let machine = contest.prefix.join("machine");
    let before = tree(&machine);
    let chosen = some_of(&races, SOME);
    let mut stops = 0;
    for &race in &chosen {
        contest.tree(Some(race));
        stops += usize::from(contest.run(race) > 0);
        unchanged(&before, &tree(&machine));
    }
    eprintln!(
        "{runner:?} {name} {args:?}: {} calls, {} races, {} run, {stops} stopped",
        calls.len(),
        races.len(),
        chosen.len()
    );
    assert!(races.len() > 10, "{races:#?}");
    assert!(
        stops * 10 >= chosen.len() * 9,
        "only {stops} of {} were stopped",
        chosen.len()
    );
}

/// A test for each command and each runner, so that they run in parallel.
macro_rules! races {
    ($($test:ident: $name:literal $args:expr;)*) => {
        $(mod $test {
            use super::{Runner, no_race_succeeds};

            #[test]
            fn by_root() {
                no_race_succeeds(Runner::Root, $name, &$args);
            }

            #[test]
            fn by_a_user() {
                no_race_succeeds(Runner::User, $name, &$args);
            }
        })*
    };
}

races! {
    init: "crossmerge" ["init", "TUPLE", "--toolchain", "none"];
    remove: "crossmerge" ["remove", "TUPLE"];
    fix_root: "TUPLE-fix-root" [];
    fix_root_of_what_is_installed: "TUPLE-fix-root" ["--installed"];
    doctor: "crossmerge" ["doctor", "TUPLE"];
    plan: "crossmerge" ["plan", "TUPLE", "emerge", "x"];
    env: "TUPLE-env" ["true"];
    emerge: "TUPLE-emerge" ["x"];
    pkg_config: "TUPLE-pkg-config" ["--cflags", "a"];
    run: "TUPLE-run" ["PREFIX/alice/in/s/usr/bin/program"];
    export: "crossmerge" ["export", "TUPLE", "cmake", "PREFIX/export/cmake", "--force"];
    learn: "crossmerge" ["site-cache", "learn", "TUPLE", "PREFIX/project/configure"];
    chroot: "native-unknown-linux-gnu-chroot" ["--root", "PREFIX/alice/in/s", "/bin/true"];
    adopt: "crossmerge" ["adopt"];
}
