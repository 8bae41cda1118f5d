//! crossmerge makes and runs no program in a directory that it reaches through another user's symlink, or to which
//! another user may write.

use super::{Runner, TUPLE, give_away, link, scene};
use std::os::unix::fs::symlink;

#[test]
fn a_temporary_directory_behind_another_users_symlink_is_not_used() {
    for runner in Runner::BOTH {
        let mut prefix = scene();
        std::fs::create_dir_all(prefix.join("own/sub")).expect("a directory");
        link(&prefix, "alice/t", "/tmp");
        link(&prefix, "alice/own", prefix.join("own"));
        link(&prefix, "alice/up", "../own/sub");
        runner.takes(&mut prefix);
        give_away(&prefix.join("alice"));
        symlink(prefix.join("own"), prefix.join("link")).expect("a link");
        // A compiler that records the directory for temporary files.
        let recorded = prefix.join("recorded").display().to_string();
        let script = format!("#!/bin/sh\necho \"$TMPDIR/\" >>{recorded}\nexit 1\n");
        prefix.script(&format!("tools/{TUPLE}-gcc"), &script);
        for (path, is_taken) in [
            ("alice/t", false),
            ("alice/own", false),
            ("alice/own/sub", false),
            ("alice/up/..", false),
            ("own", true),
            ("link", true),
            ("link/sub", true),
        ] {
            let place = prefix.join(path).display().to_string();
            let prefix = prefix.with("TMPDIR", &place);
            let trace = prefix.join("trace").display().to_string();
            let calls = "trace=mkdir,mkdirat,openat,execve,unlinkat,symlink";
            let options = ["-f", "--seccomp-bpf", "-o", &trace, "-e", calls];
            let output = prefix.traced(&options, "crossmerge", ["doctor", TUPLE]);
            let trace = prefix.read("trace");
            let made = trace.lines().filter(|line| line.contains("/crossmerge-"));
            let made: Vec<&str> = made.collect();
            assert!(!made.is_empty(), "{runner:?}, {path}: nothing was made");
            let by_link = |line: &&&str| line.contains(&format!("\"{place}/crossmerge-"));
            let is_link = !path.starts_with("own");
            let recorded = prefix.read("recorded");
            std::fs::remove_file(prefix.join("recorded")).expect("gone");
            if is_link {
                assert_eq!(made.iter().find(by_link), None, "{path}");
                assert!(
                    !recorded.contains(&format!("{place}/")),
                    "{path}: {recorded}"
                );
            }
            let is_own = made.iter().any(|line| line.contains("/own/"));
            assert_eq!(is_own, is_taken, "{runner:?}, {path}: {output:#?}");
            let is_noted = output.stderr.contains("temporary files go to");
            assert_eq!(is_noted, !is_taken, "{runner:?}, {path}: {output:#?}");
        }
    }
}

#[test]
fn the_dynamic_linker_of_another_users_sysroot_is_named_before_it_is_run() {
    // Another user owns the sysroot, the dynamic linker, or a directory on the path to it.
    for foreign in [
        "s",
        "s/lib",
        "s/lib/ld-linux.so.3",
        "s/usr/lib/real.so",
        "s/lib/libc.so.6",
    ] {
        let prefix = scene();
        prefix.script("tools/qemu-arm", "#!/bin/sh\nexit 0\n");
        prefix.script("tools/qemu-arm-static", "#!/bin/sh\nexit 0\n");
        link(&prefix, "s/lib/ld-linux.so.3", "/usr/lib/real.so");
        prefix.write("s/usr/lib/real.so", "");
        prefix.write("s/lib/libc.so.6", "");
        // The header of an ARM program.
        let mut header = vec![0x7f, b'E', b'L', b'F', 1, 1, 1];
        header.resize(16, 0);
        header.extend([2, 0, 40, 0, 1, 0, 0, 0]);
        header.resize(36, 0);
        header.extend([0, 2, 0, 5, 52, 0, 32, 0]);
        header.resize(64, 0);
        std::fs::write(prefix.join("program"), header).expect("a file");
        prefix.command("chmod", ["755", "program"]).success();
        let program = prefix.join("program").display().to_string();
        let run = || prefix.run(&format!("{TUPLE}-run"), [&program]);
        let warning = "the dynamic linker and the libc in";
        let output = run();
        assert!(!output.stderr.contains(warning), "{foreign}: {output:#?}");
        std::os::unix::fs::lchown(prefix.join(foreign), Some(super::OTHER_USER), None)
            .expect("an owner");
        let output = run();
        let is_named = output.stderr.contains(warning);
        // In root's directory, another user's symlink is followed, and the owner of its target counts.
        assert_eq!(
            is_named,
            foreign != "s/lib/ld-linux.so.3",
            "{foreign}: {output:#?}"
        );
    }
}
