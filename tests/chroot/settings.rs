//! The settings of a root that another user made. crossmerge reads them as a process inside would, up to one limit
//! for all files, and opens regular files only.

use super::{ARM, Rooted};
use crate::support::{Output, Prefix};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::{
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

/// A test case: its name, what creates it, and the expected message.
type Case<'c, T> = (&'c str, &'c dyn Fn(&T), &'c str);

/// A root with Portage, on a host whose Portage has a repository and a DISTDIR.
fn scene() -> Rooted {
    let rooted = Rooted::within(Prefix::with_portage(), "native", ARM);
    let prefix = &rooted.prefix;
    prefix.write("distfiles/source.tar", "source\n");
    let distdir = prefix.join("distfiles").display().to_string();
    prefix.append("etc/portage/make.conf", &format!("DISTDIR=\"{distdir}\"\n"));
    prefix.overlay("mine");
    std::fs::create_dir_all(rooted.root().join("etc/portage")).expect("a directory");
    rooted
}

/// Plans to enter the root, with little memory.
fn plans(rooted: &Rooted) -> Output {
    let crossmerge = rooted.prefix.join("bin/crossmerge").display().to_string();
    let root = rooted.root().display().to_string();
    let plan = [
        "plan", ARM, "chroot", "--root", &root, "--user", "jo", "true",
    ];
    let within = [
        "--kill-after=5",
        "60",
        "prlimit",
        "--as=200000000",
        &crossmerge,
    ];
    rooted
        .prefix
        .command("timeout", within.into_iter().chain(plan))
}

#[test]
fn make_conf_is_read_as_a_process_inside_reads_it() {
    let rooted = scene();
    rooted.write("etc/passwd", "jo:x:1000:100::/:/bin/sh\n");
    let outside = rooted
        .prefix
        .write("outside.conf", "DISTDIR=\"/of/the/machine\"\n");
    let outside = outside.display().to_string();
    rooted.write("etc/own.conf", "DISTDIR=\"/srv/own\"\n");
    let make_conf = rooted.root().join("etc/portage/make.conf");
    let remove = || {
        let _ = std::fs::remove_file(&make_conf);
        let _ = std::fs::remove_dir_all(&make_conf);
    };
    let usual = "/var/cache/distfiles";
    for (target, place) in [
        ("/etc/own.conf", "/srv/own"),
        ("../own.conf", "/srv/own"),
        ("../../../../../../etc/own.conf", "/srv/own"),
        (&outside, usual),
        ("make.conf", usual),
    ] {
        remove();
        symlink(target, &make_conf).expect("a link");
        let output = plans(&rooted).success();
        let wanted = format!("{}{place}", rooted.root().display());
        assert!(output.stdout.contains(&wanted), "{target}: {output:#?}");
        assert!(!output.stdout.contains("of/the/machine"), "{target}");
    }
    for (text, place) in [
        ("source /etc/own.conf\n", "/srv/own"),
        ("source ../own.conf\n", "/srv/own"),
        (&*format!("source {outside}\n"), usual),
        (&*format!("DISTDIR=/a\nsource {outside}\n"), "/a"),
    ] {
        remove();
        rooted.write("etc/portage/make.conf", text);
        let output = plans(&rooted).success();
        let wanted = format!("{}{place}", rooted.root().display());
        assert!(output.stdout.contains(&wanted), "{text}: {output:#?}");
        assert!(!output.stdout.contains("of/the/machine"), "{text}");
    }
    // make.conf may be a directory of files.
    remove();
    rooted.write("etc/portage/make.conf/a", "DISTDIR=/a\n");
    symlink("/etc/own.conf", make_conf.join("b")).expect("a link");
    symlink(&outside, make_conf.join("c")).expect("a link");
    let output = plans(&rooted).success();
    assert!(output.stdout.contains("root/srv/own"), "{output:#?}");
}

#[test]
fn reading_repos_conf_always_ends() {
    let many = |rooted: &Rooted, text: &str, count: usize| {
        rooted.write("etc/big", text);
        for number in 0..count {
            let path = format!("etc/portage/repos.conf/{number}");
            symlink("../../big", rooted.root().join(path)).expect("a link");
        }
    };
    let circle = |rooted: &Rooted, names: &[&str]| {
        for name in names {
            let path = rooted.root().join("etc/portage/repos.conf").join(name);
            symlink(".", path).expect("a link");
        }
    };
    let cases: [Case<Rooted>; 7] = [
        (
            "two circles",
            &|rooted| circle(rooted, &["a", "b"]),
            "has more than 20000 files, or its symlinks form a cycle",
        ),
        (
            "three circles",
            &|rooted| circle(rooted, &["a", "b", "c"]),
            "has more than 20000 files",
        ),
        (
            "one file often",
            &|rooted| many(rooted, &"#".repeat(4 << 20), 600),
            "makes repos.conf longer than 16777216 bytes",
        ),
        (
            "many sections",
            &|rooted| {
                let sections: String = (0..300_000).map(|number| format!("[{number}]\n")).collect();
                many(rooted, &sections, 2);
            },
            "makes repos.conf longer than",
        ),
        (
            "a large file",
            &|rooted| {
                let path = rooted.root().join("etc/portage/repos.conf/x");
                std::fs::File::create(path)
                    .expect("a file")
                    .set_len(1 << 40)
                    .expect("a hole");
            },
            "has 1099511627776 bytes",
        ),
        (
            "a FIFO",
            &|rooted| {
                let path = rooted.root().join("etc/portage/repos.conf/x");
                nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("a FIFO");
            },
            "",
        ),
        (
            "many files",
            &|rooted| {
                for number in 0..20_001 {
                    rooted.write(&format!("etc/portage/repos.conf/{number}"), "");
                }
            },
            "has more than 20000 files",
        ),
    ];
    for (name, make, why) in cases {
        let rooted = scene();
        rooted.write("etc/passwd", "jo:x:1000:100::/:/bin/sh\n");
        std::fs::create_dir_all(rooted.root().join("etc/portage/repos.conf")).expect("a directory");
        make(&rooted);
        let output = plans(&rooted).success();
        match why {
            "" => assert_eq!(output.stderr, "", "{name}"),
            why => {
                let is_noted = output.stderr.contains("omitted the host's repositories: ");
                assert!(
                    is_noted && output.stderr.contains(why),
                    "{name}: {output:#?}"
                );
                assert!(
                    !output.stdout.contains("overlays/mine"),
                    "{name}: {output:#?}"
                );
            }
        }
    }
}

#[test]
fn a_special_file_is_an_error_and_is_not_opened() {
    let kinds: [Case<Path>; 4] = [
        (
            "a device",
            &|path| {
                mknod(path, SFlag::S_IFCHR, Mode::S_IRUSR, makedev(1, 5)).expect("a device");
            },
            "is a device, not a regular file",
        ),
        (
            "a disk",
            &|path| {
                mknod(path, SFlag::S_IFBLK, Mode::S_IRUSR, makedev(7, 250)).expect("a device");
            },
            "is a device, not a regular file",
        ),
        (
            "a FIFO",
            &|path| nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a FIFO"),
            "is a pipe, not a regular file",
        ),
        (
            "a socket",
            &|path| drop(UnixListener::bind(path).expect("a socket")),
            "is a socket, not a regular file",
        ),
    ];
    for (kind, make, why) in kinds {
        for (file, is_needed) in [
            ("etc/passwd", true),
            ("etc/group", true),
            ("etc/portage/make.conf", false),
            ("etc/portage/repos.conf", false),
            ("usr/share/portage/config/make.globals", false),
            ("bin/true", true),
        ] {
            let rooted = scene();
            rooted.write("etc/passwd", "jo:x:1000:100::/:/bin/sh\n");
            let path = rooted.root().join(file);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            let _ = std::fs::remove_file(&path);
            make(&path);
            let crossmerge = rooted.prefix.join("bin/crossmerge").display().to_string();
            let root = rooted.root().display().to_string();
            let words = [
                "-f",
                "-o",
                "calls",
                "-y",
                "-e",
                "trace=open,openat,openat2",
                &crossmerge,
                "plan",
                ARM,
                "chroot",
                "--root",
                &root,
                "--user",
                "jo",
                "true",
            ];
            let output = rooted.prefix.command("strace", words);
            let is_error =
                output.code == Some(125) || output.code == Some(126) || output.code == Some(127);
            assert_eq!(is_error, is_needed, "{kind} as {file}: {output:#?}");
            if is_needed && file.starts_with("etc") {
                let path = path.display().to_string();
                assert!(
                    output.stderr.contains(&format!("`{path}`: {why}")),
                    "{kind}: {output:#?}"
                );
            }
            // `strace -y` adds the path of each descriptor: `= 7<PATH>`, or `7<PATH<char 1:5>>`.
            let opened = format!("<{}", path.display());
            let calls = rooted.prefix.read("calls");
            let is_opened = |line: &&str| {
                line.contains("= ")
                    && line
                        .split("= ")
                        .last()
                        .is_some_and(|fd| fd.contains(&opened))
            };
            let mut opened = calls.lines().filter(is_opened);
            assert!(
                opened.all(|line| line.contains("O_PATH")),
                "{kind} as {file}: {calls}"
            );
        }
    }
}
