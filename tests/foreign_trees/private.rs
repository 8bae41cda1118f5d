//! The owner of a sysroot makes Portage's settings in it refer to files that only the user who runs crossmerge may
//! read. crossmerge writes and prints no value from them.

use super::{Runner, TUPLE, give_away, link, scene_in};
use crate::support::{OTHER_USER, Prefix};
use std::{
    fs::Permissions,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::Path,
};

const SECRET: &str = "hunter2";

/// The ways to refer to the secret: a file of the sysroot, and its text. If the text is empty, the file is a symlink.
const WAYS: [(&str, &str); 4] = [
    ("s/etc/portage/make.conf", ""),
    (
        "s/etc/portage/make.conf",
        "source SECRET\nCFLAGS=\"-D${PASSWORD}\"\n",
    ),
    ("s/etc/portage/profile/make.defaults", ""),
    ("s/etc", ""),
];

/// A host with Portage, and another user's sysroot that has the host's profile.
fn with_settings() -> Prefix {
    let prefix = scene_in(Prefix::with_portage());
    prefix.write(
        "s/etc/portage/repos.conf",
        &prefix.read("etc/portage/repos.conf"),
    );
    let profile = prefix.read_link("etc/portage/make.profile");
    symlink(profile, prefix.join("s/etc/portage/make.profile")).expect("a symlink");
    prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
    prefix
}

#[test]
fn no_value_of_a_private_file_is_written() {
    for runner in Runner::BOTH {
        // Either the file itself is private, or its directory.
        for (private, mode) in [("own/portage/make.conf", "600"), ("own", "700")] {
            for (path, text) in WAYS {
                let mut prefix = with_settings();
                let secret = format!("PASSWORD={SECRET}\nCFLAGS=\"-D{SECRET}\"\n");
                let secret = prefix.write("own/portage/make.conf", &secret);
                let text = text.replace("SECRET", &secret.display().to_string());
                match (path, &*text) {
                    ("s/etc", _) => {
                        std::fs::rename(prefix.join(path), prefix.join("s/etc-")).expect("moved");
                        link(&prefix, path, prefix.join("own"));
                    }
                    (_, "") => link(&prefix, path, &secret),
                    _ => drop(prefix.write(path, &text)),
                }
                runner.takes(&mut prefix);
                prefix.command("chmod", [mode, private]).success();
                give_away(&prefix.join("s"));
                let file = prefix.join("written").display().to_string();
                let output = prefix.own(["export", TUPLE, "cmake", &file, "--force"]);
                let what = format!("{runner:?}, {private}, {path}: {output:#?}");
                let written = std::fs::read_to_string(&file).unwrap_or_default();
                assert!(!written.contains(SECRET), "{what}");
                assert!(!output.stdout.contains(SECRET), "{what}");
                let grep = prefix.command("grep", ["-rl", SECRET, "var", "state"]);
                assert_eq!(grep.stdout, "", "{what}");
            }
        }
    }
}

/// If several users may change the sysroot, a file is private unless all of them may read it.
#[test]
fn a_private_file_of_one_other_user_is_not_written_for_another() {
    let other = |uid: u32| move |path: &Path| chown(path, Some(uid), Some(uid)).expect("an owner");
    let for_all = |path: &Path| {
        std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("a mode");
    };
    // Who may change a part of the sysroot, and whether the secret of OTHER_USER may be written.
    type Row<'r> = (&'r str, &'r dyn Fn(&Path), bool);
    let rows: [Row<'_>; 5] = [
        ("s", &other(OTHER_USER), true),
        ("s/etc/portage", &other(OTHER_USER + 1), false),
        ("s/etc", &other(OTHER_USER + 1), false),
        ("s/etc/portage", &for_all, false),
        ("s/etc", &for_all, false),
    ];
    for runner in Runner::BOTH {
        for (part, change, is_written) in rows {
            let mut prefix = with_settings();
            let secret = prefix.write("own/secret", &format!("CFLAGS=\"-D{SECRET}\"\n"));
            link(&prefix, "s/etc/portage/make.conf", &secret);
            runner.takes(&mut prefix);
            give_away(&prefix.join("s"));
            change(&prefix.join(part));
            chown(&secret, Some(OTHER_USER), None).expect("an owner");
            // The user who runs crossmerge may read it by its group; no other user may.
            chown(&secret, None, Some(runner.uid())).expect("a group");
            std::fs::set_permissions(&secret, Permissions::from_mode(0o640)).expect("a mode");
            let output = prefix.own(["export", TUPLE, "cmake"]);
            let what = format!("{runner:?}, {part}: {output:#?}");
            assert_eq!(output.stdout.contains(SECRET), is_written, "{what}");
        }
    }
}

/// A profile may be outside the sysroot. If another user may change it, that user names its files too.
#[test]
fn no_value_of_a_private_file_is_written_by_a_profile_outside_the_sysroot() {
    for runner in Runner::BOTH {
        for file in ["outside/make.defaults", "outside/below/make.defaults"] {
            let mut prefix = with_settings();
            let secret = format!("PASSWORD={SECRET}\nCFLAGS=\"-D{SECRET}\"\n");
            let secret = prefix.write("own/make.defaults", &secret);
            prefix.write("outside/below/eapi", "7\n");
            prefix.write("outside/parent", "below\n");
            link(&prefix, file, &secret);
            let profile = prefix.join("s/etc/portage/make.profile");
            std::fs::remove_file(&profile).expect("the old profile");
            symlink(prefix.join("outside"), profile).expect("a symlink");
            runner.takes(&mut prefix);
            let private = ["600", "own/make.defaults"];
            prefix.command("chmod", private).success();
            give_away(&prefix.join("s"));
            give_away(&prefix.join("outside"));
            let output = prefix.own(["export", TUPLE, "cmake"]);
            let what = format!("{runner:?}, {file}: {output:#?}");
            assert!(!output.stdout.contains(SECRET), "{what}");
            assert!(output.stderr.contains(file), "{what}");
        }
    }
}

/// The host's own settings may source such a file. A sysroot's settings may not, even in the same process.
#[test]
fn files_of_the_hosts_settings_are_not_written_for_a_sysroot() {
    for runner in Runner::BOTH {
        let mut prefix = with_settings();
        let secret = prefix.write("own/secret", &format!("PASSWORD={SECRET}\n"));
        let source = format!("source {}\n", secret.display());
        prefix.append("etc/portage/make.conf", &source);
        let text = format!("{source}CFLAGS=\"-D${{PASSWORD}}\"\n");
        prefix.write("s/etc/portage/make.conf", &text);
        runner.takes(&mut prefix);
        prefix.command("chmod", ["600", "own/secret"]).success();
        give_away(&prefix.join("s"));
        for args in [&["export", TUPLE, "cmake"][..], &["plan", TUPLE, "env"]] {
            let output = prefix.own(args);
            let what = format!("{runner:?}, {args:?}: {output:#?}");
            assert!(!output.stdout.contains(&format!("-D{SECRET}")), "{what}");
            assert!(output.stderr.contains("own/secret"), "{what}");
        }
    }
}

#[test]
fn world_readable_files_are_read() {
    for runner in Runner::BOTH {
        let mut prefix = with_settings();
        let shared = prefix.write("own/shared", "CFLAGS=\"-Dshared\"\n");
        link(&prefix, "s/etc/portage/make.conf", shared);
        runner.takes(&mut prefix);
        give_away(&prefix.join("s"));
        let output = prefix.own(["export", TUPLE, "cmake"]).success();
        assert!(
            output.stdout.contains("-Dshared"),
            "{runner:?}: {output:#?}"
        );
    }
}
