//! `crossmerge image`, with the real programs that write images and those that read them.

use crate::{
    kill::{CALLS, kill_everywhere},
    support::{Output, Prefix, needs_root},
};
use std::{fs, os::unix::fs::symlink, path::Path};

/// The formats whose images are compared.
const FORMATS: [&str; 9] = [
    "ext4", "squashfs", "erofs", "cpio", "cpio.gz", "cpio.zst", "tar", "tar.gz", "tar.xz",
];

/// The script that makes a root at `$1`: programs, a set-user-ID program, a user's file, hard links, an old file, a
/// package and a kernel's modules. Its names are made in another order for another `$2`.
const ROOT: &str = "
    umask 022; mkdir -p $1; cd $1; mkdir -p bin sbin usr/lib tmp home/board var/db/pkg/app-misc/a-1 lib/modules/6.1.0
    for name in $2; do echo $name > usr/lib/$name; done
    echo '#!/bin/sh' > bin/su; chown 0:0 bin/su; chmod 4755 bin/su; chmod 1777 tmp
    ln -s ../bin/su sbin/init
    echo mine > home/board/file; chown -R 990:990 home/board
    ln usr/lib/one usr/lib/same; ln -s ../lib/one usr/link
    touch -d @1000000000 usr/lib/two
    echo 1600000000 > var/db/pkg/app-misc/a-1/BUILD_TIME; echo armv7a-unknown-linux-gnueabihf > var/db/pkg/app-misc/a-1/CHOST
    echo config > lib/modules/6.1.0/config";

/// Makes a root below `/srv` of a prefix, with these names.
fn root(prefix: &Prefix, place: &str, names: &str) {
    needs_root();
    let args = ["-ec", ROOT, "sh", place, names];
    prefix.command("/bin/sh", args).success();
}

/// Runs a program in the prefix and returns what it prints.
fn prints(prefix: &Prefix, program: &str, args: &[&str]) -> String {
    prefix.command(program, args).success().stdout
}

fn fails(output: Output, error: &str, hint: &str) {
    output.fails(125, error, hint);
}

#[test]
fn an_image_has_the_files_of_the_root_with_their_owners_and_modes() {
    let prefix = Prefix::new();
    root(&prefix, "srv/board", "one two three");
    let formats = [&["image", "srv/board"], &FORMATS[..]].concat();
    prefix.own(&formats).success();
    let (mode, owner) = ("-rwsr-xr-x", "990");
    for (program, args) in [
        ("tar", ["-tvf", "srv/board.tar", "--numeric-owner"]),
        ("tar", ["-tvf", "srv/board.tar.xz", "--numeric-owner"]),
        ("cpio", ["-tvn", "-F", "srv/board.cpio"]),
        ("unsquashfs", ["-lln", "-d", "srv/board.squashfs"]),
    ] {
        let args: Vec<&str> = match program {
            "unsquashfs" => vec!["-lln", "srv/board.squashfs"],
            _ => args.to_vec(),
        };
        let listed = prints(&prefix, program, &args);
        let line = |end: &str| {
            let found = listed.lines().find(|line| line.ends_with(end));
            found
                .unwrap_or_else(|| panic!("no {end} in {listed}"))
                .to_owned()
        };
        assert!(line("bin/su").starts_with(mode), "{listed}");
        assert!(line("home/board/file").contains(owner), "{listed}");
        assert!(line("usr/lib/two").contains("2001"), "{listed}");
    }
    prefix
        .command("/usr/sbin/e2fsck", ["-fn", "srv/board.ext4"])
        .success();
    // The kernel starts `/init` of an initramfs; no other image has that symlink.
    let archived = |archive: &str| prints(&prefix, "cpio", &["-tvF", archive]);
    assert!(archived("srv/board.cpio").ends_with("init -> sbin/init\n"));
    assert!(!prints(&prefix, "tar", &["-tf", "srv/board.tar"]).contains("./init\n"));
    let ask = |question: &str| {
        prints(
            &prefix,
            "/usr/sbin/debugfs",
            &["-R", question, "srv/board.ext4"],
        )
    };
    assert!(ask("stat /bin/su").contains("Mode:  04755"));
    assert!(ask("stat /home/board/file").contains("User:   990"));
    assert!(ask("stat /usr/lib/same").contains("Links: 2"));
    // The time of the package, and of no file the time of the test.
    let times = ask("stat /usr/lib/one");
    assert!(times.contains(" ctime: 0x5f5e1000"), "{times}");
    assert!(times.contains(" mtime: 0x5f5e1000"), "{times}");
    assert!(ask("stat /usr/lib/two").contains(" mtime: 0x3b9aca00"));
    let manifest: serde_json::Value =
        serde_json::from_str(&prefix.read("srv/board.json")).expect("JSON");
    assert_eq!(manifest["tuple"], "armv7a-unknown-linux-gnueabihf");
    assert_eq!(manifest["time"], 1_600_000_000);
    assert_eq!(manifest["packages"][0]["name"], "app-misc/a-1");
    assert_eq!(manifest["kernels"][0]["release"], "6.1.0");
    assert_eq!(
        manifest["images"].as_object().map(serde_json::Map::len),
        Some(9)
    );
    let sums = prints(&prefix, "sha256sum", &["srv/board.ext4"]);
    let sum = manifest["images"]["board.ext4"]["sha256"]
        .as_str()
        .expect("a checksum");
    assert!(sums.starts_with(sum), "{sums}");
}

#[test]
fn the_same_files_make_the_same_bytes_for_every_user() {
    let prefix = Prefix::new();
    root(&prefix, "srv/a", "one two three four");
    let args = [&["image", "srv/a", "--output", "srv/x"], &FORMATS[..]].concat();
    prefix.own(&args).success();
    let sums = prints(&prefix, "/bin/sh", &["-c", "cd srv; sha256sum x.[!j]*"]);
    // The same files, made later and in another order, in another directory.
    root(&prefix, "other/b", "four three two one");
    prefix
        .own([&["image", "other/b", "--output", "srv/x"], &FORMATS[..]].concat())
        .success();
    assert_eq!(
        prints(&prefix, "/bin/sh", &["-c", "cd srv; sha256sum x.[!j]*"]),
        sums
    );
    // An ordinary user, whose files have the owners that their subordinate ids stand for.
    let mut prefix = prefix;
    let own = "65534:200000:65536\n";
    prefix.write("ids", own);
    prefix.become_user(65534);
    let script = "for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
        chown -R 200989:200989 other/b/home/board; chmod 4755 other/b/bin/su; rm srv/x.*
        exec setpriv --reuid=65534 --regid=65534 --clear-groups bin/crossmerge image other/b --output srv/x \"$@\"";
    let args = [&["--mount", "/bin/sh", "-ec", script, "sh"], &FORMATS[..]].concat();
    prefix.command("unshare", args).success();
    let now = prefix.command("/bin/sh", ["-c", "cd srv; sha256sum x.[!j]*"]);
    assert_eq!(now.success().stdout, sums);
    fails(
        prefix.own(["image", "other/b", "tar"]),
        "has no subordinate user and group ids",
        "usermod --add-subuids",
    );
}

/// Makes images as a user with subordinate ids, of a root with a program that has capabilities, and then with a device.
const AS_USER: &str = "
    for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
    user='setpriv --reuid=65534 --regid=65534 --clear-groups'
    $user unshare --map-auto --map-root-user /usr/sbin/setcap cap_net_raw+ep srv/board/usr/lib/one
    $user bin/crossmerge image srv/board ext4 tar cpio
    mknod srv/board/null c 1 3
    $user bin/crossmerge image srv/board tar
    ! $user bin/crossmerge image srv/board ext4";

#[test]
fn neither_capabilities_nor_devices_are_lost_silently_for_an_ordinary_user() {
    let mut prefix = Prefix::new();
    root(&prefix, "srv/board", "one two");
    prefix.write("ids", "65534:200000:65536\n");
    prefix.become_user(65534);
    let output = prefix.command("unshare", ["--mount", "/bin/sh", "-ec", AS_USER]);
    let output = output.success();
    for part in [
        "warning: the cpio archive does not contain the capabilities of usr/lib/one, usr/lib/same\n",
        "srv/board/null` is a device file, which only root can copy\nhint: `rm ",
    ] {
        assert!(output.stderr.contains(part), "{output:#?}");
    }
    let args = ["-R", "ea_list /usr/lib/one", "srv/board.ext4"];
    let listed = prints(&prefix, "/usr/sbin/debugfs", &args);
    // Version 2, which is valid in every user namespace, and CAP_NET_RAW (13).
    let expected = "security.capability (20) = 01 00 00 02 00 20 00 00 ";
    assert!(listed.contains(expected), "{listed}");
    let args = [
        "--xattrs",
        "--xattrs-include=*",
        "-xf",
        "srv/board.tar",
        "./usr/lib/one",
    ];
    prints(&prefix, "tar", &args);
    let listed = prints(&prefix, "/usr/sbin/getcap", &["usr/lib/one"]);
    assert!(listed.contains("cap_net_raw"), "{listed}");
}

#[test]
fn a_size_is_checked_before_anything_is_written() {
    let prefix = Prefix::new();
    root(&prefix, "srv/board", "one two");
    let file = fs::File::create(prefix.join("srv/board/large")).expect("a file");
    file.set_len(9 << 20).expect("a size");
    let image = |args: &[&str]| prefix.own([&["image", "srv/board"], args].concat());
    fails(
        image(&["ext4", "--size", "5M"]),
        "as ext4, and the image has 5120 KiB",
        "14M is enough",
    );
    assert!(!prefix.join("srv/board.json").exists());
    fails(
        image(&["tar", "--size", "1M"]),
        "as tar, and the image has 1024 KiB",
        "M is enough",
    );
    assert!(!prefix.join("srv/board.tar").exists());
    image(&["ext4", "--size", "64M", "--label", "board"]).success();
    let length = fs::metadata(prefix.join("srv/board.ext4"))
        .expect("the image")
        .len();
    assert_eq!(length, 64 << 20);
    let features = prints(&prefix, "/usr/sbin/dumpe2fs", &["-h", "srv/board.ext4"]);
    assert!(
        features.contains("Filesystem volume name:   board\n"),
        "{features}"
    );
    // Many inodes and no blocks, which is where images run full first.
    let many = "mkdir srv/board/many; cd srv/board/many; seq 3000 | xargs touch";
    prefix.command("/bin/sh", ["-ec", many]).success();
    image(&["ext4"]).success();
    prefix
        .command("/usr/sbin/e2fsck", ["-fn", "srv/board.ext4"])
        .success();
}

#[test]
fn a_mistake_is_named_and_changes_nothing() {
    let prefix = Prefix::new();
    root(&prefix, "srv/board", "one");
    let image = |args: &[&str]| prefix.own([&["image"], args].concat());
    fs::write(prefix.join("srv/board.tar"), "mine").expect("a file");
    for (args, error, hint) in [
        (
            &["srv/none", "tar"][..],
            "srv/none` cannot be read",
            "name the directory",
        ),
        (
            &["/", "tar"],
            "`/` is the root of this machine",
            "name the target's root",
        ),
        (
            &["srv/board.tar", "ext4"],
            "is not a directory",
            "name the directory",
        ),
        (
            &["srv/board"],
            "no image is asked for",
            "name a format: ext4",
        ),
        (&["srv/board", "ext9"], "invalid value `ext9`", "ext4"),
        (
            &["srv/board", "tar"],
            "srv/board.tar` exists already",
            "rm ",
        ),
        (
            &["srv/board", "tar", "ext4", "--size=9M"],
            "`--size` is for one image",
            "once for each",
        ),
        (
            &["srv/board", "cpio", "--label=x"],
            "`--label` does not apply to cpio",
            "omit",
        ),
        (
            &["srv/board", "ext4", "--output=srv/board/usr/x"],
            "is in the root",
            "--output",
        ),
        (
            &["srv/board", "ext4", "--output=srv"],
            "is a directory",
            "--output",
        ),
        (
            &["srv/board", "ext4", "--size=much"],
            "a size is a number",
            "--help",
        ),
        (
            &["srv/board", "--genimage=none.cfg"],
            "is no configuration",
            "--help",
        ),
        (
            &["srv/board", "erofs", "--", "--no-such"],
            "mkfs.erofs failed for erofs",
            "",
        ),
    ] {
        let output = image(args);
        match hint {
            "" => drop(output.fails_without_hint(125, error)),
            hint => fails(output, error, hint),
        }
    }
    assert_eq!(prefix.read("srv/board.tar"), "mine");
    let left = prints(&prefix, "ls", &["-A", "srv"]);
    assert_eq!(left, "board\nboard.tar\n");
    let bad = prefix.with("SOURCE_DATE_EPOCH", "yesterday");
    fails(
        bad.own(["image", "srv/board", "ext4"]),
        "`yesterday`, which is not",
        "unset",
    );
    let mounted = "mount -t tmpfs none srv/board/tmp && exec bin/crossmerge image srv/board ext4";
    let output = prefix.command("unshare", ["--mount", "/bin/sh", "-c", mounted]);
    fails(output, "a file system is mounted at `", "umount ");
    let without = prefix.without("PATH").with("PATH", prefix.join("bin"));
    let output = without.own(["image", "srv/board", "squashfs"]);
    output.fails(127, "is not installed", "");
}

#[test]
fn a_disk_is_made_by_the_users_own_configuration() {
    let prefix = Prefix::new();
    root(&prefix, "srv/board", "one two");
    let configuration = "image board.squashfs { squashfs { } size = 1M }
        image board.img { hdimage { } partition root { partition-type = 0x83 image = \"board.squashfs\" } }";
    prefix.write("board.cfg", configuration);
    prefix
        .own(["image", "srv/board", "--genimage", "board.cfg"])
        .success();
    let disk = prints(&prefix, "/usr/sbin/sfdisk", &["--dump", "srv/board.img"]);
    assert!(disk.contains("type=83"), "{disk}");
    let first = fs::read(prefix.join("srv/board.img")).expect("the disk");
    prefix
        .own(["image", "srv/board", "--genimage", "board.cfg"])
        .success();
    let second = fs::read(prefix.join("srv/board.img")).expect("the disk");
    assert!(first[512..] == second[512..], "the partition differs");
}

#[test]
fn a_kill_leaves_the_old_images_or_the_next_run_makes_the_new_ones() {
    let prefix = Prefix::new();
    root(&prefix, "usr/board", "one two");
    fs::create_dir_all(prefix.join("etc")).expect("a directory");
    let args = [
        "image",
        "usr/board",
        "ext4",
        "cpio.gz",
        "--output",
        "var/board",
    ];
    fs::create_dir_all(prefix.join("var")).expect("a directory");
    let (points, found) = kill_everywhere(&prefix, "crossmerge", &args, &CALLS, 5);
    assert!(points > 20 && found["fixed"] > 0, "{points} {found:?}");
}

#[test]
fn the_steps_can_be_printed() {
    let prefix = Prefix::new();
    root(&prefix, "srv/board", "one");
    symlink("board", prefix.join("srv/link")).expect("a symlink");
    let output = prefix
        .own(["image", "srv/link/", "ext4", "cpio.gz", "--dry-run"])
        .success();
    for step in [
        "cp --archive",
        "mke2fs ",
        "cpio --create",
        "gzip -n -9",
        "srv/link.ext4\n",
    ] {
        assert!(output.stdout.contains(step), "no {step} in {output:#?}");
    }
    assert!(!Path::new(&prefix.join("srv/link.ext4")).exists());
}
