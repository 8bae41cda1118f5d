//! What a process inside a root can reach: nothing of the host except what it was given. Each promise is tried from
//! inside, for every way to enter.

use super::{ARM, AS_NOBODY, CONTAINED, NOBODY, Rooted};
use std::path::Path;

const NATIVE: &str = "native-unknown-linux-gnu";

/// The caller has directories of the host open, and its working directory is one.
const CARELESS: &str = r#"exec 9< / 8< . 7< /proc 6< /proc/self/ns/mnt 5> left; exec "$@""#;

/// Parts of `/proc` are covered, as in a container. The kernel then refuses to mount another `/proc` in a new user
/// namespace.
const COVERED: &str = r#"mount -t tmpfs none /proc/irq; sleep 1000 & exec "$@""#;

/// User namespaces are disabled. The script is root of a user namespace already, and sets the limit of that one.
const ALONE: &str = r#"echo 0 > /proc/sys/user/max_user_namespaces; exec "$@""#;

/// User namespaces are disabled, and a binfmt_misc stands for the host's.
const ALONE_WITH_TABLE: &str = r#"echo 0 > /proc/sys/user/max_user_namespaces
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
crossmerge binfmt show arm-unknown-linux-gnueabi | grep qemu-arm: | sed 's/:[A-Z]*$/:F/' > /proc/sys/fs/binfmt_misc/register
code=0; "$@" || code=$?; [ ! -e /proc/sys/fs/binfmt_misc/reached ] || echo 'reached: the table'; exit $code"#;

fn sh(script: &str) -> [&str; 4] {
    ["sh", "-ec", script, "sh"]
}

/// The ways to enter: a name, the commands that come first, and the owner of the root.
fn ways(alone: &str) -> Vec<(&str, Vec<&str>, &str)> {
    let namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"];
    let covered = [&namespaces[..], &sh(COVERED)].concat();
    let contained = [&CONTAINED[..], &sh(alone)].concat();
    vec![
        ("root", Vec::new(), "0:0"),
        ("a user", AS_NOBODY.to_vec(), NOBODY),
        ("root, covered", covered.clone(), "0:0"),
        (
            "a user, covered",
            [&covered[..], &AS_NOBODY].concat(),
            NOBODY,
        ),
        ("root alone", contained.clone(), "0:0"),
        (
            "a user alone",
            [&AS_NOBODY[..], &contained].concat(),
            NOBODY,
        ),
    ]
}

fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chroot");
    std::fs::read_to_string(path.join(name)).expect(name)
}

/// A root that contains the scripts, beside a file that only the host has.
fn scene(debian: &str, tuple: &'static str) -> Rooted {
    let rooted = Rooted::of(debian, tuple);
    for name in ["reach.sh", "locked.sh"] {
        rooted.write(name, &script(name));
    }
    rooted.prefix.write("mark", "of the host\n");
    rooted.prefix.write("left", "");
    rooted.prefix.command("chmod", ["666", "left"]).success();
    std::fs::create_dir(rooted.root().join("mnt")).expect("a directory");
    rooted
}

#[test]
fn no_descriptor_directory_program_or_mount_leads_out_of_the_root() {
    for (debian, tuple, alone) in [("native", NATIVE, ALONE), ("armel", ARM, ALONE_WITH_TABLE)] {
        let rooted = scene(debian, tuple);
        let mark = rooted.prefix.join("mark").display().to_string();
        for (name, before, owner) in ways(alone) {
            rooted.give_to(owner);
            let before = [&before[..], &sh(CARELESS)].concat();
            let output = rooted.run(&before, &["sh", "/reach.sh", &mark]);
            if name == "root alone" || name == "a user alone" {
                // Here a process inside may inspect the first process, which has nothing of the host open.
                let has = "ls /proc/1/fd | busybox wc -l; busybox readlink /proc/1/cwd; busybox readlink /proc/1/root; \
                           (: >> /proc/1/exe) 2> /dev/null || echo unchanged";
                let output = rooted.run(&before, &["sh", "-c", has]).success();
                assert_eq!(output.stdout, "4\n/\n/\nunchanged\n", "{debian}, {name}");
            }
            assert_eq!(output.stdout, "tried\n", "{debian}, {name}: {output:#?}");
            assert_eq!(output.code, Some(0), "{debian}, {name}: {output:#?}");
        }
        assert_eq!(rooted.prefix.read("mark"), "of the host\n");
        assert_eq!(rooted.prefix.read("left"), "");
    }
}

/// The script does find an escape: it reaches the host from a plain chroot(2), through a descriptor that was left
/// open and through a process with another root.
#[test]
fn the_search_for_an_escape_finds_one_in_a_plain_chroot() {
    let rooted = scene("native", NATIVE);
    let mark = rooted.prefix.join("mark").display().to_string();
    let root = rooted.root().display().to_string();
    let plain = r#"mkdir "$1/proc"; mount -t proc proc "$1/proc"; exec 9< .
        /usr/sbin/chroot "$1" sh /reach.sh "$2""#;
    let namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
    let args = ["sh", "-ec", plain, "sh", &root, &mark];
    let args = namespaces.iter().chain(&args);
    let output = rooted.prefix.command("unshare", args).success();
    for found in ["/fd/9", "/root"] {
        let mut lines = output.stdout.lines();
        let is_found =
            lines.any(|line| line.starts_with("reached: /proc/") && line.ends_with(found));
        assert!(is_found, "{found}: {output:#?}");
    }
}

#[test]
fn read_only_and_hidden_mounts_stay_so() {
    for (debian, tuple) in [("native", NATIVE), ("armel", ARM)] {
        let rooted = scene(debian, tuple);
        let hostname = || std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let named = hostname();
        for (before, owner) in [(&[][..], "0:0"), (&AS_NOBODY, NOBODY)] {
            rooted.give_to(owner);
            let run = r#"sleep 1000 & pid=$!; "$@" "$pid" /proc/sys; kill $pid"#;
            let before = [before, &sh(run)].concat();
            let output = rooted.run(&before, &["sh", "/locked.sh"]).success();
            let output: Vec<&str> = output.stdout.lines().collect();
            assert_eq!(output, ["tried"], "{debian}, {owner}");
            assert_eq!(hostname(), named, "{debian}, {owner}");
        }
    }
}

#[test]
fn a_standard_stream_that_is_a_directory_is_refused() {
    let rooted = scene("native", NATIVE);
    for (redirected, name) in [
        ("< /", "standard input"),
        ("< .", "standard input"),
        ("2< /", "standard error"),
    ] {
        let script = format!("exec \"$@\" {redirected}");
        let output = rooted.run(&sh(&script), &["true"]);
        assert_eq!(output.code, Some(125), "{redirected}: {output:#?}");
        if name != "standard error" {
            output.fails(125, &format!("{name} is a directory"), "/dev/null");
        }
    }
    // A standard stream that is a regular file is passed on.
    rooted.prefix.write("given", "given\n");
    let output = rooted.run(&sh("exec \"$@\" < given"), &["cat"]).success();
    assert_eq!(output.stdout, "given\n");
}

#[test]
fn the_callers_ipc_objects_are_not_visible_inside() {
    use std::process::Command;
    let rooted = scene("native", NATIVE);
    let output = Command::new("ipcmk").args(["-Q"]).output().expect("ipcmk");
    let output = String::from_utf8(output.stdout).expect("a number");
    let queue = output
        .split_whitespace()
        .last()
        .expect("a number")
        .to_owned();
    let inside = rooted.prints(&[], "cat /proc/sysvipc/msg | busybox wc -l");
    let removed = Command::new("ipcrm").args(["-q", &queue]).status();
    assert!(removed.expect("ipcrm").success());
    assert_eq!(inside, "1\n");
}
