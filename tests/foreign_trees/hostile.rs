//! Hostile sysroots: every command ends by itself with 2 GB of address space, whatever the sysroot contains.

use super::{Runner, TUPLE, ends, give_away, hash, limited, link, scene};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use std::{
    fs::File,
    os::unix::fs::{FileExt, symlink},
    path::{Path, PathBuf},
};

/// A command: the name, and the arguments.
type Command = (&'static str, &'static [&'static str]);

/// The commands that change a sysroot.
const CHANGING: [Command; 3] = [
    ("fix-root", &[]),
    ("crossmerge", &["init", TUPLE]),
    ("crossmerge", &["remove", TUPLE]),
];

/// Every command that reads a sysroot.
const COMMANDS: [Command; 7] = [
    ("crossmerge", &["doctor", TUPLE]),
    ("crossmerge", &["remove", TUPLE, "--dry-run"]),
    ("crossmerge", &["targets"]),
    ("fix-root", &["--dry-run"]),
    CHANGING[0],
    CHANGING[1],
    CHANGING[2],
];

/// The files of a sysroot that the commands read.
const READ: [&str; 7] = [
    "var/lib/crossmerge/contents",
    "var/lib/crossmerge/lock",
    "etc/portage/make.conf",
    "usr/lib/libx.la",
    "usr/bin/x-config",
    "usr/lib/xConf.sh",
    "var/db/pkg/c/p/CONTENTS",
];

/// Makes a tree for every command and runs the command on it, as root and as an ordinary user.
#[track_caller]
fn all_end(what: &str, commands: &[Command], make: impl Fn(&Prefix, &Path)) {
    for runner in Runner::BOTH {
        all_of_a_runner_end(what, runner, commands, &make);
    }
}

#[track_caller]
fn all_of_a_runner_end(
    what: &str,
    runner: Runner,
    commands: &[Command],
    make: impl Fn(&Prefix, &Path),
) {
    for &(name, args) in commands {
        let mut prefix = scene();
        runner.takes(&mut prefix);
        let sysroot = prefix.join("s");
        for place in [
            "usr/lib",
            "usr/bin",
            "etc/portage",
            "var/lib/crossmerge",
            "var/db/pkg/c/p",
        ] {
            std::fs::create_dir_all(sysroot.join(place)).expect("directories");
        }
        make(&prefix, &sysroot);
        if runner == Runner::User {
            // The user may change everything in it. chmod and this crate's functions follow no symlink in it.
            prefix.command("chmod", ["-R", "a+rwX", "s"]).success();
        }
        let name = match name {
            "fix-root" => format!("{TUPLE}-fix-root"),
            name => name.to_owned(),
        };
        let output = limited(&prefix, &name, args);
        ends(&output, &format!("{what}: {runner:?}: {name} {args:?}"));
    }
}

#[test]
fn special_files_do_not_stop_any_command() {
    for path in READ {
        for what in ["pipe", "device", "loop", "directory", "sparse"] {
            let commands = match what {
                "pipe" => &COMMANDS[..],
                _ => &CHANGING,
            };
            all_end(
                &format!("{path} is a {what}"),
                commands,
                |prefix, sysroot| {
                    let place = sysroot.join(path);
                    match what {
                        "pipe" => nix::unistd::mkfifo(&place, nix::sys::stat::Mode::S_IRWXU)
                            .expect("a FIFO"),
                        "device" => {
                            let words =
                                [place.as_os_str(), "c".as_ref(), "1".as_ref(), "5".as_ref()];
                            prefix.command("mknod", words).success();
                        }
                        "loop" => {
                            symlink(place.file_name().expect("a name"), &place).expect("a link")
                        }
                        "directory" => std::fs::create_dir(&place).expect("a directory"),
                        _ => {
                            let file = File::create(&place).expect("a file");
                            file.write_at(b"x", 1 << 40).expect("a hole");
                        }
                    }
                    give_away(sysroot);
                },
            );
        }
    }
}

#[test]
fn a_device_is_not_opened() {
    // The kernel has no driver for this device. Opening it fails, and `stat` does not.
    for path in READ {
        let prefix = scene();
        let place = prefix.join("s").join(path);
        std::fs::create_dir_all(place.parent().expect("a directory")).expect("directories");
        let words = [place.as_os_str(), "c".as_ref(), "1".as_ref(), "5".as_ref()];
        prefix.command("mknod", words).success();
        give_away(&prefix.join("s"));
        for (name, args) in [
            (format!("{TUPLE}-fix-root"), &[][..]),
            ("crossmerge".into(), &["remove", TUPLE]),
            ("crossmerge".into(), &["init", TUPLE, "--toolchain", "none"]),
        ] {
            let own = prefix.join("bin").join(&name).display().to_string();
            let trace = prefix.join("trace").display().to_string();
            let words = [
                "-f",
                "-y",
                "-o",
                &trace,
                "-e",
                "trace=open,openat,openat2",
                &own,
            ];
            prefix.command("strace", words.iter().chain(args));
            let trace = prefix.read("trace");
            let name = place
                .file_name()
                .and_then(|name| name.to_str())
                .expect("UTF-8");
            let ends = format!("/{path}>");
            let is_opened = |line: &&str| {
                let by_name =
                    line.contains(&format!("{name}\"")) || line.contains("/proc/self/fd/");
                // A lock file is opened for reading and writing. docs/security.md has the limits of this.
                by_name && line.contains(&ends) && !line.contains("O_PATH")
            };
            let is_lock = path.ends_with("lock");
            assert!(
                is_lock || trace.lines().find(is_opened).is_none(),
                "{path}: {name} {args:?}: {trace}"
            );
        }
    }
}

#[test]
fn symlink_loops_do_not_stop_any_command() {
    all_end("links to where they are", &COMMANDS, |_, sysroot| {
        for place in [
            "usr/lib",
            "usr/bin",
            "usr",
            "etc/portage",
            "var/db/pkg",
            "var/db/pkg/c",
        ] {
            for name in ["a", "b"] {
                symlink(".", sysroot.join(place).join(name)).expect("a link");
                symlink("..", sysroot.join(place).join(format!("{name}up"))).expect("a link");
            }
        }
        symlink("lib1", sysroot.join("usr/lib0")).expect("a link");
        symlink("lib0", sysroot.join("usr/lib1")).expect("a link");
        give_away(sysroot);
    });
    all_end("links to each other", &COMMANDS, |_, sysroot| {
        // Each symlink goes through the one before it twice.
        symlink("x", sysroot.join("usr/lib/l0")).expect("a link");
        for number in 1..60 {
            let before = format!("l{0}/../l{0}", number - 1);
            symlink(before, sysroot.join(format!("usr/lib/l{number}"))).expect("a link");
        }
        let hash = hash("");
        let line = |number| format!("obj usr/lib/l{number}/x {hash}\n");
        let record: String = (0..60).map(line).collect();
        std::fs::write(sysroot.join("var/lib/crossmerge/contents"), record).expect("a record");
        give_away(sysroot);
    });
}

/// Creates nested directories with names of this length, and a file in the last one.
fn deep(place: &Path, name: &str, depth: usize) {
    use nix::{
        dir::Dir,
        fcntl::{OFlag, openat},
        sys::stat::{Mode, mkdirat},
    };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    let mut directory = Dir::open(place, flags, Mode::empty()).expect("a directory");
    for _ in 0..depth {
        mkdirat(&directory, name, Mode::S_IRWXU).expect("a directory");
        directory = Dir::openat(&directory, name, flags, Mode::empty()).expect("a directory");
    }
    let file = OFlag::O_WRONLY | OFlag::O_CREAT;
    openat(
        &directory,
        "libdeep.la",
        file,
        Mode::S_IRUSR | Mode::S_IWUSR,
    )
    .expect("a file");
}

#[test]
fn directories_deeper_than_path_max_do_not_stop_any_command() {
    for (name, depth) in [
        ("d".repeat(250), 30),
        ("d".repeat(250), 300),
        ("d".into(), 3000),
    ] {
        let make = |_: &Prefix, sysroot: &Path| {
            deep(&sysroot.join("usr/lib"), &name, depth);
            deep(&sysroot.join("usr"), "bin2", 1);
            deep(&sysroot.join("var/db/pkg"), &name, depth);
            let below = format!("{name}/").repeat(depth);
            let record = format!(
                "dir usr/lib/{below}x\nobj usr/lib/{below}libdeep.la {}\n",
                hash("")
            );
            std::fs::write(sysroot.join("var/lib/crossmerge/contents"), record).expect("a record");
        };
        let what = format!("{depth} directories");
        all_of_a_runner_end(&what, Runner::Root, &COMMANDS, make);
        // chmod and the removal of the tree take minutes for the deeper ones.
        if depth == 30 {
            all_of_a_runner_end(&what, Runner::User, &COMMANDS, make);
        }
    }
    // The part of the tree that is not too deep is still processed.
    let prefix = scene();
    for place in ["s/usr/lib", "s/var/lib/crossmerge", "s/etc"] {
        std::fs::create_dir_all(prefix.join(place)).expect("directories");
    }
    deep(&prefix.join("s/usr/lib"), &"d".repeat(250), 30);
    prefix.write("s/usr/lib/libz.so", "");
    prefix
        .command("chmod", ["600", "s/usr/lib/libz.so"])
        .success();
    prefix.write("s/etc/x", "x\n");
    prefix.write(
        "s/var/lib/crossmerge/contents",
        &format!("obj etc/x {}\n", hash("x\n")),
    );
    prefix
        .run(&format!("{TUPLE}-fix-root"), [] as [&str; 0])
        .success();
    let mode = prefix.join("s/usr/lib/libz.so").metadata().expect("a file");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o777, 0o755);
    prefix.own(["remove", TUPLE]).success();
    assert!(!prefix.join("s/etc/x").exists());
}

#[test]
fn a_record_of_any_size_does_not_stop_any_command() {
    for line in ["dir NUMBER\n", "\n"] {
        let prefix = scene();
        let lines = (0..10_000_000).map(|number| line.replace("NUMBER", &format!("{number:x}")));
        let mut left = 67_000_000_usize;
        let fits = |line: &String| {
            left = left.saturating_sub(line.len());
            left > 0
        };
        let mut text: String = lines.take_while(fits).collect();
        if line == "\n" {
            text = line.repeat(67_000_000);
        }
        prefix.write("s/var/lib/crossmerge/contents", &text);
        for args in [&["doctor", TUPLE][..], &["remove", TUPLE]] {
            let output = limited(&prefix, "crossmerge", args);
            ends(&output, &format!("lines such as {line:?}: {args:?}"));
        }
    }
    let prefix = scene();
    prefix.write("s/var/lib/crossmerge/contents", &"dir a\n".repeat(300_000));
    for args in [
        &["remove", TUPLE][..],
        &["init", TUPLE, "--toolchain", "none"],
    ] {
        let named = format!(
            "`{}` has more than",
            prefix.join("s/var/lib/crossmerge/contents").display()
        );
        let output = prefix.own(args);
        assert_eq!(output.code, Some(125), "{output:#?}");
        assert!(output.stderr.contains(&named), "{output:#?}");
    }
}

#[test]
fn the_total_size_of_hashed_files_is_limited() {
    // One file under many names, and many files.
    for (files, is_too_much) in [(1, false), (8, true)] {
        let prefix = scene();
        let mut record = String::new();
        for number in 0..files {
            let path = format!("s/usr/lib/big{number}");
            prefix.write(&path, "");
            let file = File::options()
                .write(true)
                .open(prefix.join(&path))
                .expect("a file");
            file.set_len(900 << 20).expect("a hole");
            for name in 0..if files == 1 { 100 } else { 1 } {
                let other = format!("usr/lib/big{number}-{name}");
                std::fs::hard_link(prefix.join(&path), prefix.join("s").join(&other))
                    .expect("a name");
                record.push_str(&format!("obj {other} {}\n", "0".repeat(64)));
            }
        }
        prefix.write("s/var/lib/crossmerge/contents", &record);
        let output = limited(&prefix, "crossmerge", &["remove", TUPLE, "--dry-run"]);
        ends(&output, "large files");
        assert_eq!(output.code == Some(125), is_too_much, "{output:#?}");
        assert_eq!(
            output.stderr.contains("exceeds a limit"),
            is_too_much,
            "{output:#?}"
        );
    }
}

#[test]
fn the_total_size_of_changed_files_is_limited() {
    let prefix = scene();
    let text = format!("libdir='/usr/lib'\n{}", "# \n".repeat(300_000));
    for number in 0..160 {
        prefix.write(&format!("s/usr/lib/lib{number}.la"), &text);
    }
    give_away(&prefix.join("s"));
    let before = tree(&prefix.join("s"));
    let output = limited(&prefix, &format!("{TUPLE}-fix-root"), &[] as &[&str]);
    ends(&output, "archives");
    assert!(
        output.code == Some(125) && output.stderr.contains("exceeds a limit"),
        "{output:#?}"
    );
    unchanged(&before, &tree(&prefix.join("s")));
}

#[test]
fn the_copies_of_learn_do_not_contain_themselves() {
    for temporary in ["p/tmp", "p", "p/a/b"] {
        let prefix = scene();
        std::fs::create_dir_all(prefix.join("p/a/b")).expect("directories");
        std::fs::create_dir_all(prefix.join("p/tmp")).expect("directories");
        prefix.write("p/config.status", "");
        prefix.script(
            "p/configure",
            "#!/bin/sh\n# Generated by GNU Autoconf 2.71.\nfind . -type d >>../found\nexit 1\n",
        );
        prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
        let trace = prefix.join("trace").display().to_string();
        let own = prefix.join("bin/crossmerge").display().to_string();
        let configure = prefix.join("p/configure").display().to_string();
        let words = [
            "-f",
            "-o",
            &trace,
            "-e",
            "trace=mkdir",
            &own,
            "site-cache",
            "learn",
            TUPLE,
            &configure,
        ];
        let prefix = prefix.with("TMPDIR", prefix.join(temporary));
        prefix.command("timeout", ["60", "strace"].iter().chain(&words));
        let trace = prefix.read("trace");
        let builds = trace.lines().filter(|line| line.contains("/build"));
        let nested = |line: &str| line.matches("/build").count() > 1;
        let builds: Vec<&str> = builds.collect();
        assert!(
            !builds.iter().any(|line| nested(line)),
            "{temporary}: {builds:?}"
        );
        assert!(builds.len() < 20, "{temporary}: {builds:?}");
    }
}

#[test]
fn a_symlink_out_of_the_sysroot_is_named_once_and_counts_as_missing() {
    let prefix = scene();
    prefix.write("machine/contents", "obj etc/x 0\n");
    link(&prefix, "s/var/lib/crossmerge", prefix.join("machine"));
    let out: PathBuf = prefix.join("s/var/lib/crossmerge");
    let output = prefix.own(["doctor", TUPLE]);
    let named = format!("`{}` leads out of", out.display());
    assert_eq!(output.stderr.matches(&named).count(), 1, "{output:#?}");
}
