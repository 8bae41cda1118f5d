//! Mount points are created in the root and nowhere else, with their own modes. What is mounted read-only is
//! read-only with all mounts below it. No root or source of a bind is reached through a symlink that another user
//! could have created.

use super::{ARM, AS_NOBODY, NOBODY, Rooted};
use crate::support::{Prefix, names_in};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

const NATIVE: &str = "native-unknown-linux-gnu";

fn mode(path: &Path) -> u32 {
    let metadata = path.metadata().unwrap_or_else(|e| panic!("{path:?}: {e}"));
    metadata.permissions().mode() & 0o7777
}

#[test]
fn mount_points_ignore_the_umask_and_the_command_gets_the_callers_umask() {
    for (umask, before) in [
        ("077", &[][..]),
        ("000", &[]),
        ("0777", &[]),
        ("027", &AS_NOBODY),
    ] {
        let rooted = Rooted::of("native", NATIVE);
        for path in ["given/x", "file"] {
            rooted.prefix.write(path, "");
        }
        let given = |path: &str| rooted.prefix.join(path).display().to_string();
        let directory = format!("--bind={}:/var/db/deep/er", given("given"));
        let file = format!("--bind={}:/opt/own/file", given("file"));
        let script = format!("umask {umask}; exec \"$@\"");
        let before = [before, &["sh", "-c", &script, "sh"]].concat();
        let output = rooted.run(&before, &[&directory, &file, "sh", "-c", "umask"]);
        assert_eq!(
            output.success().stdout,
            format!("{:0>4}\n", umask.trim_start_matches('0'))
        );
        for path in [
            "dev",
            "proc",
            "sys",
            "var",
            "var/db",
            "var/db/deep",
            "var/db/deep/er",
            "opt/own",
        ] {
            assert_eq!(mode(&rooted.root().join(path)), 0o755, "{umask}: {path}");
        }
        for path in ["opt/own/file", "etc/resolv.conf"] {
            assert_eq!(mode(&rooted.root().join(path)), 0o644, "{umask}: {path}");
        }
    }
}

#[test]
fn a_symlink_that_dangles_until_the_system_runs_is_a_mount_point() {
    let machines = std::fs::read_to_string("/etc/resolv.conf").expect("a resolv.conf");
    for (links, made) in [
        (
            &[("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf")][..],
            Some("run/systemd/resolve/stub-resolv.conf"),
        ),
        (
            &[("etc/resolv.conf", "/run/NetworkManager/resolv.conf")],
            Some("run/NetworkManager/resolv.conf"),
        ),
        (
            &[("etc/resolv.conf", "/var/run/connman/resolv.conf")],
            Some("var/run/connman/resolv.conf"),
        ),
        (
            &[("etc/resolv.conf", "resolv.conf.real")],
            Some("etc/resolv.conf.real"),
        ),
        (
            &[
                ("etc/resolv.conf", "other"),
                ("etc/other", "../../../etc/last"),
            ],
            Some("etc/last"),
        ),
        (
            &[("etc/resolv.conf", "../up/x/resolv.conf"), ("up", "run")],
            Some("run/x/resolv.conf"),
        ),
        // The symlink's target needs a missing directory, which is left to the root.
        (&[("etc/resolv.conf", "/opt/none/resolv.conf")], None),
        (
            &[("etc/resolv.conf", "other"), ("etc/other", "resolv.conf")],
            None,
        ),
        (
            &[
                ("etc/resolv.conf", "other/x"),
                ("etc/other", "resolv.conf/.."),
            ],
            None,
        ),
    ] {
        let rooted = Rooted::of("native", NATIVE);
        for (link, target) in links {
            symlink(target, rooted.root().join(link)).expect("a link");
        }
        if made.is_some_and(|made| made.starts_with("run")) && links.len() == 2 {
            std::fs::create_dir(rooted.root().join("run")).expect("a directory");
        }
        let output = rooted
            .run(&[], &["sh", "-c", "cat /etc/resolv.conf || :"])
            .success();
        match made {
            Some(made) => {
                assert_eq!(
                    (&output.stdout, output.stderr.as_str()),
                    (&machines, ""),
                    "{links:?}"
                );
                let metadata = rooted.root().join(made).metadata().expect("a file");
                assert_eq!(
                    (metadata.len(), metadata.mode() & 0o7777),
                    (0, 0o644),
                    "{links:?}"
                );
            }
            None => {
                assert!(output.stderr.contains("left out"), "{links:?}: {output:#?}");
                assert!(!rooted.root().join("opt").exists(), "{links:?}");
            }
        }
    }
}

/// A host whose Portage has a repository and a DISTDIR, and a root with Portage.
fn with_portage() -> Rooted {
    let rooted = Rooted::within(Prefix::with_portage(), "native", NATIVE);
    let prefix = &rooted.prefix;
    std::fs::create_dir(prefix.join("distfiles")).expect("a directory");
    let distdir = prefix.join("distfiles").display().to_string();
    prefix.append("etc/portage/make.conf", &format!("DISTDIR=\"{distdir}\"\n"));
    prefix.write("root/etc/portage/make.conf", "");
    rooted
}

#[test]
fn symlinks_in_the_root_create_nothing_in_the_hosts_file_systems() {
    for (links, setting) in [
        (&[("var/cache", "/sys/fs/cgroup")][..], ""),
        (&[("var/cache", "../sys/fs/cgroup")], ""),
        (&[("var/cache", "/proc/sys/fs")], ""),
        (&[("var/cache", "/dev/shm/../../sys/kernel")], ""),
        (&[("srv", "/sys")], "DISTDIR=\"/srv/fs/cgroup/distfiles\"\n"),
        (&[], "DISTDIR=\"/sys/fs/cgroup/distfiles\"\n"),
        (&[], "DISTDIR=\"/proc/sys/fs/distfiles\"\n"),
        (&[], "DISTDIR=\"/proc/1/distfiles\"\n"),
    ] {
        let rooted = with_portage();
        for path in [
            "sys/fs/cgroup",
            "sys/kernel",
            "proc/sys/fs",
            "var",
            "dev/shm",
        ] {
            std::fs::create_dir_all(rooted.root().join(path)).expect("a directory");
        }
        for (link, target) in links {
            symlink(target, rooted.root().join(link)).expect("a link");
        }
        rooted.write("etc/portage/make.conf", setting);
        let host = || ["/sys/fs/cgroup", "/sys/kernel", "/proc/sys/fs"].map(names_in);
        let before = host();
        let output = rooted.run(&[], &["true"]).success();
        assert_eq!(host(), before, "{links:?} {setting}");
        assert!(
            output.stderr.contains("distfiles"),
            "{links:?} {setting}: {output:#?}"
        );
    }
    // The root itself is no mount point.
    let rooted = with_portage();
    symlink("/", rooted.root().join("all")).expect("a link");
    rooted.write("etc/portage/make.conf", "DISTDIR=\"/all\"\n");
    let output = rooted.run(&[], &["sh", "-c", "echo /*"]).success();
    let shown: Vec<_> = output.stdout.split_whitespace().collect();
    for directory in ["/bin", "/dev", "/etc"] {
        assert!(shown.contains(&directory), "{output:#?}");
    }
    assert!(output.stderr.contains("left out"), "{output:#?}");
}

#[test]
fn a_repository_of_the_host_is_read_only_with_all_mounts_below() {
    let rooted = with_portage();
    let overlay = rooted.prefix.overlay("mine");
    for path in ["sub", "sub/deep", "disk"] {
        std::fs::create_dir(overlay.join(path)).expect("a directory");
    }
    rooted.prefix.write("overlays/mine/file", "");
    rooted.write(
        "etc/portage/repos.conf",
        "[mine]\nlocation = /var/db/repos/mine\n",
    );
    // Mounts in the repository: one inside another, one on top of another, one on a file, and one that is created
    // while the root is open.
    let script = r#"cd overlays/mine
        mount -t tmpfs t sub; mkdir sub/deep; mount -t tmpfs t sub/deep
        mount -t tmpfs t disk; mount -t tmpfs t disk; mount --bind file profiles/repo_name; mkdir late
        echo mine > profiles/repo_name
        "$@" & pid=$!
        until [ -e ../../root/ready ]; do sleep 0.1; done
        mount -t tmpfs t late; : > ../../root/go
        wait $pid; find . -name new"#;
    let inside = r#"cd /var/db/repos/mine; : > /ready; until [ -e /go ]; do sleep 0.1; done
        for place in . sub sub/deep disk late profiles; do
            busybox mount -o remount,rw,bind /var/db/repos/mine/$place 2> /dev/null && echo "writable: $place"
            (: > $place/new) 2> /dev/null && echo "written: $place"
        done
        (echo x > profiles/repo_name) 2> /dev/null && echo "written: the file"
        cat profiles/repo_name"#;
    let before = [
        "unshare",
        "--mount",
        "--propagation=shared",
        "sh",
        "-ec",
        script,
        "sh",
    ];
    // The mounts propagate, so that the processes inside could see the late one.
    let output = rooted.run(&before, &["sh", "-c", inside]).success();
    assert_eq!(output.stdout, "mine\n", "{output:#?}");
    assert_eq!(output.stderr, "");
}

#[test]
fn a_root_behind_another_users_symlink_is_not_entered() {
    let rooted = Rooted::of("native", NATIVE);
    rooted.give_to("0:0");
    let theirs = rooted.prefix.join("theirs");
    std::fs::create_dir(&theirs).expect("a directory");
    symlink(rooted.root(), theirs.join("root")).expect("a link");
    symlink(rooted.prefix.path(), theirs.join("above")).expect("a link");
    symlink(".", theirs.join("here")).expect("a link");
    rooted
        .prefix
        .command("chown", ["-Rh", NOBODY, "theirs"])
        .success();
    symlink(&theirs, rooted.prefix.join("ours")).expect("a link");
    rooted.prefix.write("secret/file", "root's\n");
    symlink(rooted.prefix.join("secret"), theirs.join("source")).expect("a link");
    rooted
        .prefix
        .command("chown", ["-h", NOBODY, "theirs/source"])
        .success();
    let before = names_in(rooted.root());
    for root in [
        "theirs/root",
        "theirs/root/.",
        "theirs/above/root",
        "theirs/here/../root",
        "ours/root",
    ] {
        let root = rooted.prefix.join(root).display().to_string();
        let output = rooted.run(&[], &["--root", &root, "true"]);
        output.fails(
            125,
            "is not followed: another user could have put it there",
            "use its own path",
        );
        assert_eq!(names_in(rooted.root()), before, "{root}");
    }
    for source in [
        "theirs/source",
        "theirs/source/file",
        "theirs/above/secret",
        "ours/source/../file",
    ] {
        let bind = format!("--bind={}:/mnt", rooted.prefix.join(source).display());
        let output = rooted.run(&[], &[&bind, "true"]);
        output.fails(
            125,
            "is not followed: another user could have put it there",
            "use its own path",
        );
    }
    // Symlinks of root, and those of the calling user, are followed.
    symlink("root", rooted.prefix.join("link")).expect("a link");
    symlink("secret", rooted.prefix.join("shown")).expect("a link");
    let root = rooted.prefix.join("link").display().to_string();
    let bind = format!("--bind={}:/mnt", rooted.prefix.join("shown/file").display());
    let output = rooted
        .run(&[], &["--root", &root, &bind, "cat", "/mnt"])
        .success();
    assert_eq!(output.stdout, "root's\n");
    rooted.give_to(NOBODY);
    let root = rooted.prefix.join("theirs/root").display().to_string();
    rooted.run(&AS_NOBODY, &["--root", &root, "true"]).success();
}

#[test]
fn an_id_that_setuid_takes_for_no_change_is_rejected() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write(
        "etc/passwd",
        "a:x:4294967295:4294967295::/:/bin/sh\nb:x:1000:4294967295::/:/bin/sh\nc:x:-1:-1::/:/bin/sh\nd:x:4294967296:0::/:/bin/sh\n",
    );
    for user in ["a", "b", "c", "d", "4294967295", "4294967296", "-1"] {
        let output = rooted.run(&[], &["--user", user, "id", "-u"]);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(125), ""),
            "{user}: {output:#?}"
        );
    }
}
