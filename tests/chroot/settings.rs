//! The settings of a root that another user made: read as from inside, up to one sum, and never opened when they are no files.

use super::{ARM, Rooted};
use crate::support::{Prefix, Said};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::{
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

/// A name, what makes the case, and what is reported of it.
type Case<'c, T> = (&'c str, &'c dyn Fn(&T), &'c str);

/// A root with a Portage, on a machine with a Portage that has a repository and a DISTDIR.
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

/// Plans to enter, with little memory.
fn plans(rooted: &Rooted) -> Said {
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
fn make_conf_is_read_as_from_inside() {
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
        let said = plans(&rooted).success();
        let wanted = format!("{}{place}", rooted.root().display());
        assert!(said.stdout.contains(&wanted), "{target}: {said:#?}");
        assert!(!said.stdout.contains("of/the/machine"), "{target}");
    }
    for (text, place) in [
        ("source /etc/own.conf\n", "/srv/own"),
        ("source ../own.conf\n", "/srv/own"),
        (&*format!("source {outside}\n"), usual),
        (&*format!("DISTDIR=/a\nsource {outside}\n"), "/a"),
    ] {
        remove();
        rooted.write("etc/portage/make.conf", text);
        let said = plans(&rooted).success();
        let wanted = format!("{}{place}", rooted.root().display());
        assert!(said.stdout.contains(&wanted), "{text}: {said:#?}");
        assert!(!said.stdout.contains("of/the/machine"), "{text}");
    }
    // A directory of files.
    remove();
    rooted.write("etc/portage/make.conf/a", "DISTDIR=/a\n");
    symlink("/etc/own.conf", make_conf.join("b")).expect("a link");
    symlink(&outside, make_conf.join("c")).expect("a link");
    let said = plans(&rooted).success();
    assert!(said.stdout.contains("root/srv/own"), "{said:#?}");
}

#[test]
fn repos_conf_comes_to_an_end() {
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
        let said = plans(&rooted).success();
        match why {
            "" => assert_eq!(said.stderr, "", "{name}"),
            why => {
                let told = said.stderr.contains("omitted the host's repositories: ");
                assert!(told && said.stderr.contains(why), "{name}: {said:#?}");
                assert!(!said.stdout.contains("overlays/mine"), "{name}: {said:#?}");
            }
        }
    }
}

#[test]
fn what_is_no_file_is_an_error_and_not_opened() {
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
            let said = rooted.prefix.command("strace", words);
            let is_error =
                said.code == Some(125) || said.code == Some(126) || said.code == Some(127);
            assert_eq!(is_error, is_needed, "{kind} as {file}: {said:#?}");
            if is_needed && file.starts_with("etc") {
                let path = path.display().to_string();
                assert!(
                    said.stderr.contains(&format!("`{path}`: {why}")),
                    "{kind}: {said:#?}"
                );
            }
            // strace -y adds what a descriptor is of: `= 7<PATH>`, or `7<PATH<char 1:5>>`.
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
