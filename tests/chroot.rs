//! `<tuple>-chroot`: the real kernel and the real QEMU enter roots with Debian's programs for three machines.
//!
//! These tests run as root, and become `nobody` where an ordinary user acts. No root contains a QEMU. A test that
//! changes binfmt_misc does so in its own user namespace.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start programs, and there is no plan to go through"
)]

mod places;
mod portage;
mod reach;
mod settings;
mod swapped;
mod table;

use crate::support::{CROSSMERGE, Output, Prefix, prepared};
use std::{
    ffi::OsStr,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";
const S390X: &str = "s390x-ibm-linux-gnu";

const NOBODY: &str = "65534:65534";

/// The command that runs another one as `nobody`.
const AS_NOBODY: [&str; 5] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--",
];

/// Enters namespaces in which a test is root but has no other ID, as in an ordinary user's container.
const CONTAINED: [&str; 3] = ["unshare", "--map-root-user", "--mount"];

/// A prefix that contains a root, which every user may enter.
struct Rooted {
    prefix: Prefix,
    tuple: &'static str,
}

impl Rooted {
    /// A root with the programs of a Debian architecture.
    fn of(debian: &str, tuple: &'static str) -> Self {
        Self::within(Prefix::new(), debian, tuple)
    }

    fn within(prefix: Prefix, debian: &str, tuple: &'static str) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests need root: run `make check` as root"
        );
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(prefix.path(), open).expect("a mode");
        // `nobody` cannot read the directory in which cargo builds.
        std::fs::remove_file(prefix.join("bin/crossmerge")).expect("the link");
        std::fs::copy(CROSSMERGE, prefix.join("bin/crossmerge")).expect("a copy");
        prefix.link(&format!("{tuple}-chroot"));
        let from = prepared(&format!("roots/{debian}"))
            .canonicalize()
            .expect("a root");
        let script = "cp -al \"$0/.\" root 2> /dev/null || { rm -rf root && cp -a \"$0/.\" root; }
            rm -f root/.recipe; mkdir -p root/root root/etc";
        prefix
            .command(
                "/bin/sh",
                [OsStr::new("-ec"), script.as_ref(), from.as_os_str()],
            )
            .success();
        let rooted = Self { prefix, tuple };
        rooted.give_to(NOBODY);
        rooted
    }

    /// Gives the directories to a user, who may then create files in them. The real root may do so anyway, but root
    /// of a container may not.
    fn give_to(&self, user: &str) {
        let args = [
            "root", "-type", "d", "-exec", "chown", "-h", user, "{}", "+",
        ];
        self.prefix.command("find", args).success();
    }

    fn root(&self) -> PathBuf {
        self.prefix.join("root")
    }

    fn program(&self) -> String {
        let name = format!("bin/{}-chroot", self.tuple);
        self.prefix.join(name).display().to_string()
    }

    /// Runs the applet with this root, through the commands in `before`.
    fn run(&self, before: &[&str], args: &[&str]) -> Output {
        let (program, root) = (self.program(), self.root().display().to_string());
        let mut words = before.to_vec();
        words.extend([program.as_str(), "--root", root.as_str()]);
        words.extend(args);
        self.prefix.command(words[0], &words[1..])
    }

    /// Enters as root and returns what a script prints in the target's shell.
    fn prints(&self, args: &[&str], script: &str) -> String {
        let args = [args, &["/bin/sh", "-c", script]].concat();
        self.run(&[], &args).success().stdout
    }

    fn write(&self, path: &str, text: &str) {
        self.prefix.write(&format!("root/{path}"), text);
    }
}

#[test]
fn a_root_of_another_machine_runs_its_programs_and_only_mount_points_are_added() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chroot/nothing_left.sh");
    let rooted = Rooted::of("armel", ARM);
    let script = rooted.prefix.script(
        "nothing_left.sh",
        &std::fs::read_to_string(script).expect("a script"),
    );
    let (script, program) = (script.display().to_string(), rooted.program());
    let root = rooted.root().display().to_string();
    for (before, owner) in [(&[][..], "0:0"), (&AS_NOBODY, NOBODY)] {
        rooted.give_to(owner);
        let words = [before, &CONTAINED, &["sh", &script, &program, &root]].concat();
        let output = rooted.prefix.command(words[0], &words[1..]).success();
        let lines: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(
            lines,
            [
                "armv7l",
                "armv7l",
                "a command: 0",
                "a failing command: 3",
                "TERM to the outer one: 143",
                "KILL to the outer one: 137",
                "KILL to the inner one: 137",
            ],
            "{output:#?}"
        );
    }
    // The applet added only mount points to the root.
    let added = "cd root && find dev proc sys etc/resolv.conf -size +0 -type f; ls | tr '\\n' ' '";
    let output = rooted.prefix.command("/bin/sh", ["-c", added]).success();
    assert_eq!(output.stdout, "bin dev etc lib proc root sys usr ");
}

#[test]
fn root_and_nobody_become_root_inside_and_every_machine_gets_its_qemu() {
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    for (debian, tuple, machine) in [
        ("armel", ARM, "armv7l"),
        ("s390x", S390X, "s390x"),
        // Programs of the host's own architecture need no QEMU.
        ("native", "native-unknown-linux-gnu", ""),
    ] {
        let rooted = Rooted::of(debian, tuple);
        let own = Command::new("uname")
            .arg("-m")
            .output()
            .expect("uname")
            .stdout;
        let own = String::from_utf8(own).expect("a name");
        let machine = if machine.is_empty() {
            own.trim()
        } else {
            machine
        };
        for before in [&[][..], &AS_NOBODY] {
            let earlier = mounts();
            let script = "id -u; id -g; uname -m; sh -c 'sh -c \"uname -m\"'; echo $(($(busybox ps | busybox wc -l) < 10)); busybox pwd";
            let output = rooted.run(before, &["sh", "-c", script]).success();
            assert_eq!(
                output.stdout,
                format!("0\n0\n{machine}\n{machine}\n1\n/root\n"),
                "{before:?}"
            );
            assert_eq!(output.stderr, "");
            assert_eq!(mounts(), earlier);
        }
    }
}

#[test]
fn the_exit_code_is_that_of_the_command_or_its_signal() {
    let rooted = Rooted::of("armel", ARM);
    for (script, code) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        // The processes inside cannot end the first process.
        ("kill -TERM 1; kill -KILL 1; exit 9", 9),
    ] {
        let output = rooted.run(&[], &["sh", "-c", script]);
        assert_eq!(output.code, Some(code), "{script}: {output:#?}");
    }
    // The first process reaps orphans, so that none stays a zombie.
    let orphan =
        "sh -c 'sh -c \"exit 0\" & exit 0'; sleep 0.5; busybox ps -o stat= | busybox grep -c Z";
    assert_eq!(rooted.run(&[], &["sh", "-c", orphan]).stdout, "0\n");
}

#[test]
fn a_signal_to_the_applet_reaches_the_command() {
    let rooted = Rooted::of("armel", ARM);
    let script = "trap 'echo user; exit 5' USR1; echo ready; while :; do sleep 0.1; done";
    let root = rooted.root().display().to_string();
    let outer = "\"$1\" --root \"$2\" sh -c \"$3\" > output & pid=$!
        until grep -q ready output; do sleep 0.1; done
        kill -USR1 $pid; code=0; wait $pid || code=$?; cat output; echo $code";
    let args = ["-c", outer, "sh", &rooted.program(), &root, script];
    let output = rooted.prefix.command("/bin/sh", args).success();
    assert_eq!(output.stdout, "ready\nuser\n5\n");
}

#[test]
fn an_interactive_shell_has_a_terminal_with_jobs() {
    let rooted = Rooted::of("armel", ARM);
    let root = rooted.root().display().to_string();
    // Each line of input is typed after the prompt that it answers.
    let typed = "prompt() { n=$((n + 1)); until [ $(grep -o 'in> ' output | wc -l) -ge $n ]; do sleep 0.1; done; }
        n=0; : > output
        { until grep -q bash- output; do sleep 0.1; done; echo \"PS1='in''> '\"; prompt; echo 'tty; sleep 1000'
        until grep -q /dev/console output; do sleep 0.1; done; sleep 1; printf '\\032'; prompt
        echo 'bg; kill %1; wait %1; echo \"ended by $?\"'; prompt; echo 'cat'; sleep 1; printf '\\003'; prompt; echo 'exit 6'; } |
        script -qefc \"$1 --root $2\" output > /dev/null";
    let output = rooted
        .prefix
        .with("TERM", "dumb")
        .command("/bin/sh", ["-c", typed, "sh", &rooted.program(), &root]);
    let log = rooted.prefix.read("output");
    assert_eq!(output.code, Some(6), "{output:#?}\n{log}");
    for wanted in ["/dev/console", "Stopped", "ended by 143", "^C"] {
        assert!(log.contains(wanted), "no {wanted:?} in {log}");
    }
    assert!(!log.contains("no job control"), "{log}");
}

#[test]
fn a_login_has_a_clean_environment() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write("etc/passwd", "root:x:0:0::/root:/bin/bash\n");
    let prefix = rooted
        .prefix
        .with("LANG", "C.UTF-8")
        .with("CFLAGS", "-O9")
        .with("TERM", "dumb");
    let root = rooted.root().display().to_string();
    let output = prefix
        .run(&format!("{ARM}-chroot"), ["--root", &root, "env"])
        .success();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "FEATURES=-ipc-sandbox -mount-sandbox -network-sandbox -pid-sandbox -sandbox -usersandbox",
            "HOME=/root",
            "LANG=C.UTF-8",
            "LOGNAME=root",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SHELL=/bin/sh",
            "TERM=dumb",
            "USER=root",
        ]
    );
    // A user with only one ID inside cannot become Portage's user.
    let output = rooted.run(&AS_NOBODY, &["env"]).success();
    assert!(output.stdout.contains("-userpriv"), "{output:#?}");
    assert!(
        output.stdout.contains("PORTAGE_GRPNAME=root\n"),
        "{output:#?}"
    );
    // A root that needs no QEMU keeps all features.
    let native = Rooted::of("native", "native-unknown-linux-gnu");
    assert!(!native.prints(&[], "env").contains("FEATURES"));
}

#[test]
fn the_emulated_cpu_is_the_requested_one() {
    let rooted = Rooted::of("armel", ARM);
    assert_eq!(
        rooted.prints(&["--cpu", "arm926"], "uname -m"),
        "armv5tel\n"
    );
    rooted.prefix.write(
        &format!("etc/crossmerge/targets/{ARM}.toml"),
        "cpu = \"arm1136\"\n",
    );
    assert_eq!(
        rooted.prints(&[], "uname -m; sh -c 'uname -m'"),
        "armv6l\narmv6l\n"
    );
    assert_eq!(rooted.prints(&["--cpu=cortex-a15"], "uname -m"), "armv7l\n");
}

#[test]
fn a_bind_shows_its_source_and_stays_inside_the_root() {
    let rooted = Rooted::of("armel", ARM);
    rooted.prefix.write("given/file", "given\n");
    std::fs::create_dir(rooted.prefix.join("outside")).expect("a directory");
    let (given, outside) = (rooted.prefix.join("given"), rooted.prefix.join("outside"));
    let given = given.display();
    // Symlinks in the root that lead out of it: one is absolute, the other relative.
    symlink(&outside, rooted.root().join("absolute")).expect("a link");
    symlink(
        "../../../../../../../../outside",
        rooted.root().join("relative"),
    )
    .expect("a link");
    for (bind, read) in [
        (
            format!("{given}:/srv/deep/er"),
            "/srv/deep/er/file".to_owned(),
        ),
        (format!("{given}/file:/etc/other"), "/etc/other".to_owned()),
        (format!("{given}"), format!("{given}/file")),
        (format!("{given}:/bin/../opt"), "/opt/file".to_owned()),
    ] {
        let output = rooted.prints(&["--bind", &bind], &format!("cat {read}"));
        assert_eq!(output, "given\n", "{bind}");
    }
    rooted.prints(&["--bind", &format!("{given}:/mnt")], "echo new > /mnt/new");
    assert_eq!(rooted.prefix.read("given/new"), "new\n");
    // The program exists only in the directory that is bound.
    rooted
        .prefix
        .script("given/program", "#!/bin/sh\necho \"$0\"\n");
    for (bind, program) in [
        (format!("{given}:/mnt"), "/mnt/program"),
        (format!("{given}/program:/mnt/one"), "/mnt/one"),
    ] {
        let output = rooted.run(&[], &["--bind", &bind, program]);
        assert_eq!(output.success().stdout, format!("{program}\n"));
    }
    // If a symlink is dangling inside the root, there is no mount point. Otherwise its target is the mount point.
    let bind = format!("--bind={given}:/absolute");
    rooted
        .run(&[], &[&bind, "true"])
        .fails(125, "does not exist", "create it");
    std::fs::create_dir(rooted.root().join("outside")).expect("a directory");
    let bind = format!("--bind={given}:/relative");
    assert_eq!(rooted.prints(&[&bind], "cat /outside/file"), "given\n");
    assert_eq!(std::fs::read_dir(&outside).expect("a directory").count(), 0);
}

#[test]
fn symlinks_in_the_root_lead_no_mount_outside() {
    let rooted = Rooted::of("armel", ARM);
    let outside = rooted.prefix.path().join("outside");
    for directory in ["proc", "dev", "etc"] {
        std::fs::create_dir_all(outside.join(directory)).expect("a directory");
    }
    rooted.prefix.write("outside/etc/resolv.conf", "theirs\n");
    symlink(
        outside.join("etc/resolv.conf"),
        rooted.root().join("etc/resolv.conf"),
    )
    .expect("a link");
    // If the root contains a directory with that path, the mount goes there.
    let within = rooted
        .root()
        .join(outside.strip_prefix("/").expect("a path"));
    std::fs::create_dir_all(within.join("proc")).expect("a directory");
    std::fs::create_dir_all(within.join("dev")).expect("a directory");
    for directory in ["proc", "dev"] {
        symlink(outside.join(directory), rooted.root().join(directory)).expect("a link");
    }
    let output = rooted
        .run(
            &[],
            &[
                "sh",
                "-c",
                "test -c /dev/null && test -e /proc/self && echo fine",
            ],
        )
        .success();
    assert_eq!(output.stdout, "fine\n");
    // The symlink's target does not exist inside the root, so the applet goes on without this file.
    assert!(
        output.stderr.contains("left out") && output.stderr.contains("resolv.conf"),
        "{output:#?}"
    );
    assert_eq!(rooted.prefix.read("outside/etc/resolv.conf"), "theirs\n");
    for directory in ["proc", "dev"] {
        assert_eq!(
            std::fs::read_dir(outside.join(directory))
                .expect("a directory")
                .count(),
            0
        );
    }
}

#[test]
fn host_names_resolve_as_on_the_host() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write("etc/resolv.conf", "# the root's own\n");
    let machines = std::fs::read_to_string("/etc/resolv.conf").expect("a resolv.conf");
    assert_eq!(rooted.prints(&[], "cat /etc/resolv.conf"), machines);
    assert_eq!(
        rooted.prefix.read("root/etc/resolv.conf"),
        "# the root's own\n"
    );
}

#[test]
fn a_user_of_the_root_can_be_chosen_if_the_caller_may_map_the_id() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\njo:x:1000:100::/srv:/bin/sh\n",
    );
    rooted.write("etc/group", "root:x:0:\naudio:x:18:jo\nusers:x:100:\n");
    std::fs::create_dir(rooted.root().join("srv")).expect("a directory");
    let who = "id -u; id -g; id -G; id -un; busybox pwd; busybox grep -c . /proc/1/status > /dev/null && echo $HOME $USER";
    assert_eq!(
        rooted.prints(&["--user", "jo"], who),
        "1000\n100\n100 18\njo\n/srv\n/srv jo\n"
    );
    assert_eq!(rooted.prints(&["--user=77"], "id -u; id -G"), "77\n77\n");
    rooted
        .run(&[], &["--user", "jane", "true"])
        .fails(125, "has no user `jane`", "etc/passwd");
    rooted.run(&AS_NOBODY, &["--user", "jo", "true"]).fails(
        125,
        "user `jo` has the id 1000 and group 100 in the root, and you have only 0",
        "--add-subuids",
    );
    // The caller can end a process inside although it belongs to another user.
    rooted
        .prefix
        .command("chown", ["1000", "root/srv"])
        .success();
    let script = "\"$1\" --root \"$2\" --user jo sh -c ': > ready; exec sleep 1000' & pid=$!
        until [ -e root/srv/ready ]; do sleep 0.1; done; kill -TERM $pid; code=0; wait $pid || code=$?; echo $code";
    let root = rooted.root().display().to_string();
    let output = rooted
        .prefix
        .command("/bin/sh", ["-c", script, "sh", &rooted.program(), &root])
        .success();
    assert_eq!(output.stdout, "143\n");
}

#[test]
fn an_ordinary_user_has_the_ids_of_etc_subuid() {
    let rooted = Rooted::of("armel", ARM);
    rooted.write("etc/passwd", "jo:x:1000:100::/srv:/bin/sh\n");
    rooted.write("etc/group", "audio:x:18:jo\n");
    rooted.prefix.write("ids", "65534:200000:2000\n");
    // newuidmap reads the host's /etc/subuid and /etc/subgid, so the test mounts its own files over them.
    let script =
        "for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done; exec \"$@\"";
    let enter = ["unshare", "--mount", "sh", "-ec", script, "sh"];
    let before = [&enter[..], &AS_NOBODY].concat();
    let who = "id -u; id -G; read go; cd /root && : > own; busybox stat -c %u /bin/sh own";
    // The IDs are read on the host. Inside, they belong to an intermediate user namespace.
    let seen = "for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
        mkfifo go; \"$@\" < go > output & pid=$!
        exec 3> go; until [ \"$(wc -l < output)\" -ge 2 ]; do sleep 0.1; done; cat output
        first=$(cat /proc/$pid/task/$pid/children); first=${first% }
        program=$(cat /proc/$first/task/$first/children)
        cat /proc/${program% }/uid_map
        echo >&3; wait $pid; tail -n +3 output";
    let enter = ["unshare", "--mount", "sh", "-ec", seen, "sh"];
    let seen = [&enter[..], &AS_NOBODY].concat();
    let output = rooted.run(&seen, &["sh", "-c", who]).success();
    let words: Vec<&str> = output.stdout.split_whitespace().collect();
    let map = ["0", "65534", "1", "1", "200000", "2000"];
    assert_eq!(words[..2], ["0", "0"], "{output:#?}");
    assert_eq!(words[2..8], map, "{output:#?}");
    // A file of the host's root belongs to the overflow user inside.
    assert_eq!(words[8..], ["65534", "0"], "{output:#?}");
    let output = rooted.run(&before, &["--user", "jo", "sh", "-c", "id -u; id -G"]);
    assert_eq!(output.success().stdout, "1000\n100 18\n");
    rooted.run(&before, &["--user", "2001", "true"]).fails(
        125,
        "you have only 0, 1 to 2000",
        "--add-subuids",
    );
}

#[test]
fn a_read_only_root_is_entered_if_the_mount_points_exist() {
    let rooted = Rooted::of("armel", ARM);
    let root = rooted.root().display().to_string();
    let script = "mount --rbind \"$2\" \"$2\" && mount -o remount,bind,ro \"$2\" && exec \"$1\" --root \"$2\" sh -c 'uname -m; echo x > /x'";
    let args = ["sh", "-c", script, "sh", &rooted.program(), &root];
    let run = || {
        let words = [&CONTAINED[..], &args].concat();
        rooted.prefix.command(words[0], &words[1..])
    };
    run().fails(
        125,
        "/proc` does not exist and cannot be created",
        "mkdir -p",
    );
    for directory in ["proc", "dev"] {
        std::fs::create_dir(rooted.root().join(directory)).expect("a directory");
    }
    let output = run();
    assert_eq!(
        (output.stdout.as_str(), output.code),
        ("armv7l\n", Some(2)),
        "{output:#?}"
    );
    assert!(
        output.stderr.contains("left out") && output.stderr.contains("/sys"),
        "{output:#?}"
    );
    assert!(
        output.stderr.contains("Read-only file system"),
        "{output:#?}"
    );
    assert!(!rooted.root().join("sys").exists());
}

#[test]
fn a_root_that_cannot_be_entered_is_an_error() {
    let rooted = Rooted::of("armel", ARM);
    let fails = |args: &[&str], code, error: &str, hint: &str| {
        rooted.run(&[], args).fails(code, error, hint);
    };
    fails(
        &["--root", "/", "true"],
        125,
        "the host's own root",
        "--root DIR",
    );
    fails(
        &["--root", "/proc/self/root/.", "true"],
        125,
        "the host's own root",
        "--root DIR",
    );
    fails(
        &["--root", "/nowhere", "true"],
        125,
        "there is no root `/nowhere`",
        "--root DIR",
    );
    fails(
        &["--root", "/etc/passwd", "true"],
        125,
        "not a directory",
        "--root DIR",
    );
    fails(&["--rot", "x"], 125, "there is no option `--rot`", "--help");
    fails(&["--user"], 125, "`--user` needs a value", "--help");
    fails(
        &["--bind", "/nowhere", "true"],
        125,
        "cannot bind `/nowhere`",
        "--bind SRC:DST",
    );
    fails(
        &["--bind", "/etc:/", "true"],
        125,
        "cannot bind on `/`",
        "--bind SRC:DST",
    );
    fails(
        &["frobnicate"],
        127,
        "has no command `frobnicate`",
        "usr/bin",
    );
    fails(
        &["/bin/frobnicate"],
        127,
        "has no command `/bin/frobnicate`",
        "usr/bin",
    );
    rooted.write("bin/text", "no program\n");
    fails(&["text"], 126, "is not executable", "od -c");
    let script = |path: &str, text: &str| rooted.prefix.script(&format!("root/bin/{path}"), text);
    script("text", "no program\n");
    fails(&["text"], 126, "is not a program", "od -c");
    script("perlish", "#!/usr/bin/perl -w\n");
    fails(
        &["perlish"],
        126,
        "needs `/usr/bin/perl`",
        "merge the package",
    );
    script("good", "#! /bin/sh -e\necho from a script\n");
    let output = rooted.run(&[], &["good"]).success();
    assert_eq!(output.stdout, "from a script\n");
    // An ELF header with an unknown machine.
    let mut odd = std::fs::read(rooted.root().join("bin/busybox")).expect("a program");
    odd[18..20].copy_from_slice(&[0xfe, 0xfe]);
    let path = script("odd", "");
    std::fs::write(path, odd).expect("a program");
    fails(&["odd"], 126, "ELF machine 65278, 32 bits", "binfmt status");
    std::fs::rename(
        rooted.root().join("lib/ld-linux.so.3"),
        rooted.root().join("lib/away"),
    )
    .expect("a name");
    fails(
        &["sh"],
        126,
        "needs `/lib/ld-linux.so.3`",
        "merge the package",
    );
    let empty = rooted.prefix.join("empty");
    std::fs::create_dir(&empty).expect("a directory");
    fails(
        &["--root", &empty.display().to_string()],
        127,
        "has no shell",
        "merge a shell",
    );
}

#[test]
fn a_missing_or_dynamically_linked_qemu_is_an_error() {
    let rooted = Rooted::of("armel", ARM);
    let bin = rooted.prefix.join("bin").display().to_string();
    let tools = rooted.prefix.join("tools").display().to_string();
    let prefix = rooted.prefix.with("PATH", format!("{bin}:{tools}"));
    let root = rooted.root().display().to_string();
    let run = || prefix.run(&format!("{ARM}-chroot"), ["--root", &root, "true"]);
    run().fails(
        125,
        "neither `qemu-arm` nor `qemu-arm-static` is in PATH",
        "statically linked `qemu-arm-static`",
    );
    std::fs::create_dir(rooted.prefix.join("tools")).expect("a directory");
    std::fs::copy("/bin/sh", rooted.prefix.join("tools/qemu-arm")).expect("a copy");
    run().fails(
        125,
        "tools/qemu-arm` is dynamically linked",
        "statically linked `qemu-arm-static`",
    );
    // Both names of QEMU exist, and the one that works is used.
    let qemu = Path::new("/usr/bin/qemu-arm-static");
    std::fs::copy(qemu, rooted.prefix.join("tools/qemu-arm-static")).expect("a copy");
    run().success();
}

#[test]
fn a_plan_can_be_pasted() {
    let rooted = Rooted::of("armel", ARM);
    let root = rooted.root().display().to_string();
    let args = [
        "plan",
        ARM,
        "chroot",
        "--root",
        &root,
        "sh",
        "-c",
        "uname -m; id -u; echo $HOME",
    ];
    for before in [&[][..], &AS_NOBODY] {
        let crossmerge = rooted.prefix.join("bin/crossmerge").display().to_string();
        let words = [before, &[&crossmerge], &args].concat();
        let plan = rooted
            .prefix
            .command(words[0], &words[1..])
            .success()
            .stdout;
        let words = [before, &["sh", "-c", &plan]].concat();
        let output = rooted.prefix.command(words[0], &words[1..]).success();
        assert_eq!(output.stdout, "armv7l\n0\n/root\n", "{plan}");
    }
    let json = rooted
        .prefix
        .own([&["plan", "--json"], &args[1..]].concat())
        .success()
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let steps: Vec<&str> = json["enter"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(steps[..2], ["namespaces", "mount"]);
    assert_eq!(
        steps[steps.len() - 4..],
        ["root", "user", "directory", "empty-environment"]
    );
}

#[test]
fn the_targets_own_root_has_the_hosts_repositories_and_sources() {
    let rooted = Rooted::within(Prefix::with_portage(), "armel", ARM);
    let prefix = &rooted.prefix;
    let overlay = prefix.overlay("mine");
    prefix.write("distfiles/source.tar", "source\n");
    prefix.append(
        "etc/portage/make.conf",
        &format!("DISTDIR=\"{}\"\n", prefix.join("distfiles").display()),
    );
    prefix.write(
        "root/etc/portage/repos.conf",
        "[DEFAULT]\nmain-repo = crossmerge-demo\n\n[mine]\nlocation = /var/db/repos/mine\n",
    );
    // The directories in which the root's Portage looks for sources. The test did not configure them.
    for place in ["/var/cache/distfiles", "/srv/sources"] {
        let script = format!(
            "cat /var/db/repos/mine/profiles/repo_name; echo x > /var/db/repos/mine/new; cat {place}/source.tar; echo x > {place}/new"
        );
        let output = rooted.run(&[], &["sh", "-c", &script]);
        assert_eq!(output.stdout, "mine\nsource\n", "{place}: {output:#?}");
        assert!(
            output.stderr.contains("Read-only file system"),
            "{output:#?}"
        );
        assert!(!overlay.join("new").exists());
        assert_eq!(prefix.read("distfiles/new"), "x\n");
        std::fs::remove_file(prefix.join("distfiles/new")).expect("a file");
        prefix.write("root/etc/portage/make.conf", "DISTDIR=\"/srv/sources\"\n");
    }
    // A repository that belongs to the root itself is not replaced.
    prefix.write("root/var/db/repos/mine/profiles/repo_name", "mine\n");
    prefix.write("root/var/db/repos/mine/own", "own\n");
    assert_eq!(rooted.prints(&[], "cat /var/db/repos/mine/own"), "own\n");
}

#[test]
fn the_hosts_rules_and_the_users_id_stay_in_a_per_namespace_binfmt_misc() {
    use crossmerge::{config::Config, context::Context, qemu::private};
    use crossmerge_plan::env::Env;
    let rooted = Rooted::of("armel", ARM);
    let env: Env = [("PATH", "/usr/bin:/bin")].into_iter().collect();
    let config = Config::read(&env).expect("a configuration");
    let context = Context::new(env, config, ARM.parse().expect("a tuple")).expect("a context");
    let steps = serde_json::to_string(&private::steps(&context).expect("steps")).expect("data");
    let root = rooted.root();
    let library = root.join("lib/arm-linux-gnueabi").display().to_string();
    let linker = root.join("lib/ld-linux.so.3").display().to_string();
    let uname = root.join("bin/uname").display().to_string();
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let earlier = mounts();
    // The program is the target's, and a program of the host started it.
    let script = "\"$0\" --library-path \"$1\" \"$2\" -m; id -u; cat /proc/self/uid_map; ls /proc/sys/fs/binfmt_misc";
    let crossmerge = rooted.prefix.join("bin/crossmerge");
    let mut command = Command::new(&crossmerge);
    std::os::unix::process::CommandExt::arg0(&mut command, ":enter");
    command.args([&steps, "/bin/sh", "-c", script, &linker, &library, &uname]);
    let output = Output::of(&mut command).success();
    let lines: Vec<&str> = output.stdout.split_whitespace().collect();
    assert_eq!(
        lines[..5],
        ["armv7l", "0", "0", "0", "4294967295"],
        "{output:#?}"
    );
    assert_eq!(
        lines[5..],
        ["qemu-arm", "qemu-armeb", "register", "status"],
        "{output:#?}"
    );
    assert_eq!(mounts(), earlier);
}
