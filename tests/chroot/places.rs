//! Places to mount on are made in the root and nowhere else, with their own modes, and what is mounted to be read is read-only all the
//! way down. Roots and what is bound are reached by no symlink that another user could have planted.

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
fn the_umask_does_not_matter_for_places_and_stays_the_callers() {
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
        let said = rooted.run(&before, &[&directory, &file, "sh", "-c", "umask"]);
        assert_eq!(
            said.success().stdout,
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
fn a_link_that_leads_to_nothing_before_the_system_runs_is_a_place() {
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
        // What is to be there first is the root's own matter.
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
        let said = rooted
            .run(&[], &["sh", "-c", "cat /etc/resolv.conf || :"])
            .success();
        match made {
            Some(made) => {
                assert_eq!(
                    (&said.stdout, said.stderr.as_str()),
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
                assert!(said.stderr.contains("left out"), "{links:?}: {said:#?}");
                assert!(!rooted.root().join("opt").exists(), "{links:?}");
            }
        }
    }
}

/// A prefix with a Portage of the machine's that has a repository and a DISTDIR, and a root with a Portage.
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
fn links_of_the_root_make_nothing_where_the_machine_is_mounted() {
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
        let said = rooted.run(&[], &["true"]).success();
        assert_eq!(host(), before, "{links:?} {setting}");
        assert!(
            said.stderr.contains("distfiles"),
            "{links:?} {setting}: {said:#?}"
        );
    }
    // The root itself is no place either.
    let rooted = with_portage();
    symlink("/", rooted.root().join("all")).expect("a link");
    rooted.write("etc/portage/make.conf", "DISTDIR=\"/all\"\n");
    let said = rooted.run(&[], &["sh", "-c", "echo /*"]).success();
    let shown: Vec<_> = said.stdout.split_whitespace().collect();
    for directory in ["/bin", "/dev", "/etc"] {
        assert!(shown.contains(&directory), "{said:#?}");
    }
    assert!(said.stderr.contains("left out"), "{said:#?}");
}

#[test]
fn a_repository_of_the_machines_is_read_only_all_the_way_down() {
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
    // Mounts in the repository: in one another, one over another, of a file, and one that is made while the root is open.
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
    // What is mounted here is to be seen by those inside if anything is.
    let said = rooted.run(&before, &["sh", "-c", inside]).success();
    assert_eq!(said.stdout, "mine\n", "{said:#?}");
    assert_eq!(said.stderr, "");
}

#[test]
fn a_root_behind_a_link_of_another_users_is_not_entered() {
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
        let said = rooted.run(&[], &["--root", &root, "true"]);
        said.fails(
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
        let said = rooted.run(&[], &[&bind, "true"]);
        said.fails(
            125,
            "is not followed: another user could have put it there",
            "use its own path",
        );
    }
    // Root's own links, and a user's, lead where they say.
    symlink("root", rooted.prefix.join("link")).expect("a link");
    symlink("secret", rooted.prefix.join("shown")).expect("a link");
    let root = rooted.prefix.join("link").display().to_string();
    let bind = format!("--bind={}:/mnt", rooted.prefix.join("shown/file").display());
    let said = rooted
        .run(&[], &["--root", &root, &bind, "cat", "/mnt"])
        .success();
    assert_eq!(said.stdout, "root's\n");
    rooted.give_to(NOBODY);
    let root = rooted.prefix.join("theirs/root").display().to_string();
    rooted.run(&AS_NOBODY, &["--root", &root, "true"]).success();
}

#[test]
fn no_user_of_the_root_has_an_id_that_means_no_change() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write(
        "etc/passwd",
        "a:x:4294967295:4294967295::/:/bin/sh\nb:x:1000:4294967295::/:/bin/sh\nc:x:-1:-1::/:/bin/sh\nd:x:4294967296:0::/:/bin/sh\n",
    );
    for user in ["a", "b", "c", "d", "4294967295", "4294967296", "-1"] {
        let said = rooted.run(&[], &["--user", user, "id", "-u"]);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (Some(125), ""),
            "{user}: {said:#?}"
        );
    }
}
