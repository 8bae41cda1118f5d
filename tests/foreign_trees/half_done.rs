//! A command that fails for a reason known in advance changes nothing. No other user can hold a lock of root's.

use super::{OTHER_USER, Runner, TUPLE, ends, give_away, hash, limited, link, scene};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use std::{
    os::unix::fs::{MetadataExt, lchown, symlink},
    path::Path,
    process::{Child, Stdio},
};

#[test]
fn fix_root_checks_every_place_before_it_changes_one() {
    for runner in Runner::BOTH {
        for (links, planted) in [
            ("alice/l", "alice/l"),
            ("alice/l/sub", "alice/l"),
            ("bin2", "bin2/x-x-config"),
        ] {
            let mut prefix = scene();
            prefix.write("s/usr/lib/libx.so", "");
            prefix
                .command("chmod", ["600", "s/usr/lib/libx.so"])
                .success();
            prefix.script("s/usr/bin/x-config", "#!/bin/sh\necho -I/usr/include\n");
            std::fs::create_dir_all(prefix.join("b/sub")).expect("a directory");
            match planted {
                // A directory is not replaced.
                "bin2/x-x-config" => {
                    std::fs::create_dir_all(prefix.join(planted)).expect("a directory")
                }
                _ => link(&prefix, planted, prefix.join("b")),
            }
            runner.takes(&mut prefix);
            if planted.starts_with("alice") {
                give_away(&prefix.join("alice"));
            }
            let before = tree(&prefix.join("s"));
            let args = [prefix.join("s"), prefix.join(links), "x-".into()];
            let output = prefix.run(&format!("{TUPLE}-fix-root"), args);
            if planted.starts_with("alice") {
                assert_eq!(output.code, Some(125), "{links}: {output:#?}");
                unchanged(&before, &tree(&prefix.join("s")));
            } else {
                // A directory at a symlink's name belongs to another user, and stays.
                assert!(output.success().stderr.contains("left     "));
            }
        }
    }
}

/// An ordinary user cannot give a file to its owner, so the file of another user cannot be replaced.
#[test]
fn fix_root_of_a_user_checks_the_owner_of_every_file_before_it_changes_one() {
    for (path, text, is_possible) in [
        ("s/usr/lib/libz.la", "libdir='/usr/lib'\n", false),
        ("s/usr/lib/libz.so", "", false),
        // The owner of a symlink has no effect.
        ("s/usr/lib/z", "/usr/lib/libx.la", true),
    ] {
        let mut prefix = scene();
        prefix.write("s/usr/lib/libx.la", "libdir='/usr/lib'\n");
        match is_possible {
            true => link(&prefix, path, text),
            false => {
                prefix.write(path, text);
                prefix.command("chmod", ["604", path]).success();
            }
        }
        Runner::User.takes(&mut prefix);
        let place = prefix.join(path);
        lchown(&place, Some(OTHER_USER), Some(OTHER_USER)).expect("an owner");
        let before = tree(&prefix.join("s"));
        let output = prefix.run(&format!("{TUPLE}-fix-root"), [] as [&str; 0]);
        if is_possible {
            output.success();
            assert_eq!(prefix.read_link(path), Path::new("libx.la"));
        } else {
            let named = format!("cannot change `{}`", place.display());
            output.fails(125, &named, "");
            unchanged(&before, &tree(&prefix.join("s")));
        }
    }
}

#[test]
fn fix_root_of_a_user_keeps_no_group_of_which_the_user_is_not_a_member() {
    let mut prefix = scene();
    let path = "s/usr/lib/libx.la";
    prefix.write(path, "libdir='/usr/lib'\n");
    Runner::User.takes(&mut prefix);
    lchown(prefix.join(path), None, Some(OTHER_USER)).expect("a group");
    let fix_root = format!("{TUPLE}-fix-root");
    prefix.run(&fix_root, [] as [&str; 0]).success();
    assert!(prefix.read(path).contains("/s/usr/lib"));
    let gid = prefix.join(path).metadata().expect("metadata").gid();
    assert_ne!(gid, OTHER_USER);
}

#[test]
fn remove_skips_other_users_directories_in_path_and_succeeds() {
    for runner in Runner::BOTH {
        // Another user's symlink: in that user's directory behind a symlink of that user, directly in that user's
        // directory, and in a directory to which every user may write.
        for (directory, at) in [
            ("alice/l", "alice/real"),
            ("alice/real", "alice/real"),
            ("shared", "shared"),
        ] {
            let mut prefix = scene();
            prefix.write("s/etc/x", "x\n");
            let record = format!("obj etc/x {}\n", hash("x\n"));
            prefix.write("s/var/lib/crossmerge/contents", &record);
            runner.takes(&mut prefix);
            let crossmerge = prefix
                .join("bin/crossmerge")
                .canonicalize()
                .expect("the program");
            link(&prefix, &format!("{at}/{TUPLE}-run"), crossmerge);
            match directory {
                "shared" => {
                    prefix.command("chmod", ["1777", "shared"]).success();
                    give_away(&prefix.join(format!("shared/{TUPLE}-run")));
                }
                _ => {
                    // `remove` by an ordinary user considers only directories to which that user may write.
                    prefix.command("chmod", ["777", "alice/real"]).success();
                    link(&prefix, "alice/l", "real");
                    give_away(&prefix.join("alice"));
                }
            }
            let bin = prefix.join("bin").display().to_string();
            let path = format!("{bin}:{}:/usr/bin:/bin", prefix.join(directory).display());
            let prefix = prefix.with("PATH", path);
            for time in 0..2 {
                let output = prefix.own(["remove", TUPLE]).success();
                let named = format!("left     {}", prefix.join(directory).display());
                assert!(
                    output.stdout.contains(&named),
                    "{directory}, {time}: {output:#?}"
                );
                assert!(!prefix.join("s/etc/x").exists(), "{directory}");
                assert!(prefix.join(format!("{at}/{TUPLE}-run")).is_symlink());
            }
        }
    }
}

/// A process of another user that locks the file at a path.
fn holder(path: &Path) -> Child {
    #[expect(clippy::disallowed_methods, reason = "it runs beside the test")]
    let mut command = std::process::Command::new("setpriv");
    let user = OTHER_USER.to_string();
    let child = command
        .args([
            "--reuid",
            &user,
            "--regid",
            &user,
            "--clear-groups",
            "flock",
            "-xF",
        ])
        .arg(path)
        .args(["sh", "-c", "echo held; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.expect("setpriv and flock");
    let mut held = [0; 5];
    let stdout = child.stdout.as_mut().expect("a pipe");
    std::io::Read::read_exact(stdout, &mut held).expect("the lock is held");
    child
}

#[test]
fn no_user_can_block_root_with_a_lock() {
    for runner in Runner::BOTH {
        // The locked file, and whether the other user owns it.
        for (path, is_foreign) in [
            ("s", false),
            ("s/var/lib/crossmerge", false),
            ("s/.crossmerge-lock", true),
            ("s/var/lib/crossmerge/lock", true),
        ] {
            let mut prefix = scene();
            prefix.write("s/usr/lib/libx.so", "");
            if path.contains("var") {
                std::fs::create_dir_all(prefix.join("s/var/lib/crossmerge")).expect("directories");
            }
            runner.takes(&mut prefix);
            if is_foreign {
                prefix.write(path, "");
                give_away(&prefix.join("s"));
            }
            let mut holder = holder(&prefix.join(path));
            for (name, args) in [
                (format!("{TUPLE}-fix-root"), &[][..]),
                ("crossmerge".into(), &["init", TUPLE]),
                ("crossmerge".into(), &["remove", TUPLE]),
            ] {
                let start = std::time::Instant::now();
                let output = limited(&prefix, &name, args);
                ends(&output, path);
                assert!(start.elapsed().as_secs() < 20, "{path}: {output:#?}");
            }
            holder.kill().expect("ended");
            holder.wait().expect("ended");
        }
    }
}

/// A scene with a compiler, and with a directory `shared` in which every user may write and the runner may replace
/// files.
fn with_shared_directory(runner: Runner) -> Prefix {
    let mut prefix = scene();
    prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
    std::fs::create_dir(prefix.join("shared")).expect("a directory");
    runner.takes(&mut prefix);
    // In a directory with the sticky bit, only root may replace another user's file.
    let mode = match runner {
        Runner::Root => "1777",
        Runner::User => "777",
    };
    prefix.command("chmod", [mode, "shared"]).success();
    prefix
}

#[test]
fn the_mode_of_another_users_file_is_not_kept() {
    for runner in Runner::BOTH {
        let prefix = with_shared_directory(runner);
        for (mode, is_foreign, wanted) in [
            ("666", true, 0o644),
            ("777", true, 0o644),
            ("600", true, 0o644),
            ("664", false, 0o664),
            ("600", false, 0o600),
        ] {
            // An ordinary user cannot read the existing file.
            if runner == Runner::User && is_foreign && mode == "600" {
                continue;
            }
            let path = prefix.write("shared/t.cmake", "# other\n");
            prefix.command("chmod", [mode, "shared/t.cmake"]).success();
            let owner = Some(if is_foreign { OTHER_USER } else { runner.uid() });
            lchown(&path, owner, owner).expect("an owner");
            let file = path.display().to_string();
            prefix
                .own(["export", TUPLE, "cmake", &file, "--force"])
                .success();
            let there = path.metadata().expect("a file");
            assert_eq!(
                (there.uid(), there.mode() & 0o7777),
                (runner.uid(), wanted),
                "{mode}"
            );
            std::fs::remove_file(&path).expect("gone");
        }
    }
}

#[test]
fn another_users_file_with_the_same_text_is_replaced() {
    for runner in Runner::BOTH {
        let prefix = with_shared_directory(runner);
        let path = prefix.join("shared/t.cmake");
        let file = path.display().to_string();
        let export = || prefix.own(["export", TUPLE, "cmake", &file, "--force"]);
        export().success();
        give_away(&path);
        export().success();
        assert_eq!(path.metadata().expect("a file").uid(), runner.uid());
        // Another user could change that user's symlink later.
        symlink("t.cmake", prefix.join("shared/link")).expect("a link");
        give_away(&prefix.join("shared/link"));
        let link = prefix.join("shared/link").display().to_string();
        let output = prefix.own(["export", TUPLE, "cmake", &link, "--force"]);
        output.fails(125, "belongs to 4242", "use its own path");
    }
}

#[test]
fn remove_checks_the_users_files_before_the_sysroots() {
    for runner in Runner::BOTH {
        for (planted, text) in [
            ("etc/crossmerge", "sysroot = '/x'\n"),
            ("etc/crossmerge/targets", "sysroot = '/x'\n"),
            ("STATE/crossmerge", ""),
        ] {
            let state = match runner {
                Runner::Root => "var/lib",
                Runner::User => "state",
            };
            let planted = &planted.replace("STATE", state);
            let mut prefix = scene();
            prefix.write("s/etc/x", "x\n");
            let record = format!("obj etc/x {}\n", hash("x\n"));
            prefix.write("s/var/lib/crossmerge/contents", &record);
            for place in ["m", "m/targets"] {
                prefix.write(&format!("{place}/{TUPLE}.toml"), text);
                prefix.write(&format!("{place}/{TUPLE}/start-files/x"), "");
            }
            runner.takes(&mut prefix);
            let before = (tree(&prefix.join("s")), tree(&prefix.join("m")));
            link(&prefix, planted, prefix.join("m"));
            give_away(prefix.join(planted).parent().expect("a directory"));
            let output = prefix.own(["remove", TUPLE]);
            assert_eq!(output.code, Some(125), "{planted}: {output:#?}");
            unchanged(&before.0, &tree(&prefix.join("s")));
            unchanged(&before.1, &tree(&prefix.join("m")));
        }
    }
}

#[test]
fn the_kept_copy_of_another_users_wrapper_is_not_world_writable() {
    let mut prefix = crate::support::Prefix::with_portage();
    super::needs_root();
    crate::adopt::crossdev(&mut prefix, &[TUPLE]);
    let name = format!("usr/bin/{TUPLE}-fix-root");
    let path = prefix.join(&name);
    std::fs::remove_file(&path).expect("gone");
    std::fs::copy(prefix.join("usr/bin/cross-fix-root"), &path).expect("a copy");
    prefix.command("chmod", ["777", &name]).success();
    give_away(&path);
    prefix.own(["adopt"]).success();
    let kept = tree(&prefix.join("var/lib/crossmerge/kept"));
    let kept = kept
        .keys()
        .find(|kept| kept.ends_with(format!("{TUPLE}-fix-root")));
    let mode = kept
        .expect("it is kept")
        .metadata()
        .expect("it is there")
        .mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn a_hard_link_in_place_of_a_directory_keeps_its_mode() {
    let prefix = scene();
    let victim = prefix.write("machine/file", "x\n");
    prefix.command("chmod", ["600", "machine/file"]).success();
    // A hard link at the temporary name of a directory that `init` creates.
    std::fs::create_dir_all(prefix.join("s/etc")).expect("a directory");
    std::fs::hard_link(&victim, prefix.join("s/.tmp.crossmerge-new")).expect("another name");
    give_away(&prefix.join("s/etc"));
    symlink("nowhere", prefix.join("s/.usr.crossmerge-new")).expect("a link");
    prefix.own(["init", TUPLE, "--toolchain", "none"]);
    assert_eq!(victim.metadata().expect("a file").mode() & 0o7777, 0o600);
}
