//! Programs are made and run in no directory that is reached by way of another user's link, nor where another user may write.

use super::{Runner, TUPLE, give_away, link, scene};
use std::os::unix::fs::symlink;

#[test]
fn a_directory_for_temporary_files_is_reached_by_no_link_of_another_users() {
    for runner in Runner::BOTH {
        let mut prefix = scene();
        std::fs::create_dir_all(prefix.join("own/sub")).expect("a directory");
        link(&prefix, "alice/t", "/tmp");
        link(&prefix, "alice/own", prefix.join("own"));
        link(&prefix, "alice/up", "../own/sub");
        runner.takes(&mut prefix);
        give_away(&prefix.join("alice"));
        symlink(prefix.join("own"), prefix.join("link")).expect("a link");
        // A compiler keeps what it makes on the way there.
        let told = prefix.join("told").display().to_string();
        let script = format!("#!/bin/sh\necho \"$TMPDIR/\" >>{told}\nexit 1\n");
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
            let options = ["-f", "-o", &trace, "-e", calls];
            let said = prefix.traced(&options, "crossmerge", ["doctor", TUPLE]);
            let trace = prefix.read("trace");
            let made = trace.lines().filter(|line| line.contains("/crossmerge-"));
            let made: Vec<&str> = made.collect();
            assert!(!made.is_empty(), "{runner:?}, {path}: nothing was made");
            let by_link = |line: &&&str| line.contains(&format!("\"{place}/crossmerge-"));
            let is_link = !path.starts_with("own");
            let told = prefix.read("told");
            std::fs::remove_file(prefix.join("told")).expect("gone");
            if is_link {
                assert_eq!(made.iter().find(by_link), None, "{path}");
                assert!(!told.contains(&format!("{place}/")), "{path}: {told}");
            }
            let is_own = made.iter().any(|line| line.contains("/own/"));
            assert_eq!(is_own, is_taken, "{runner:?}, {path}: {said:#?}");
            let is_said = said.stderr.contains("temporary files go to");
            assert_eq!(is_said, !is_taken, "{runner:?}, {path}: {said:#?}");
        }
    }
}

#[test]
fn the_dynamic_linker_of_another_users_sysroot_is_named_before_it_is_run() {
    // The sysroot is his; or the dynamic linker, or a directory on the way to it.
    for his in [
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
        // What an ARM program's header says.
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
        let said = run();
        assert!(!said.stderr.contains(warning), "{his}: {said:#?}");
        std::os::unix::fs::lchown(prefix.join(his), Some(super::OTHER_USER), None)
            .expect("an owner");
        let said = run();
        let is_named = said.stderr.contains(warning);
        // A link of his in root's directory is root's to follow; what it leads to counts.
        assert_eq!(is_named, his != "s/lib/ld-linux.so.3", "{his}: {said:#?}");
    }
}
