//! Nothing outside a sysroot changes through its symlinks, whichever user owns them: in a root that was unpacked as
//! root, root owns them.

use super::{Runner, TUPLE, give_away, hash, link, machine, scene};
use crate::{
    init::{tree, unchanged},
    support::Prefix,
};
use std::path::PathBuf;

/// Symlinks from the sysroot to the host's directory, each in another form: path and target.
const OUT: [(&str, &str); 7] = [
    ("s/usr/lib", "MACHINE/lib"),
    ("s/usr/x", "MACHINE"),
    ("s/usr/x", "../../machine"),
    ("s/usr/x", "../../s/../machine/."),
    ("s/usr/x", "/proc/self/cwd/machine"),
    ("s/usr/y", "MACHINE"),
    ("s/x", ".."),
];

/// A record that names paths of the host's directory through one of these symlinks.
fn record() -> String {
    let hash = hash("libc\n");
    let mut record = format!("pending\nobj usr/lib/libc.so.6 {hash}\n");
    for out in ["usr/x", "usr/y", "x/machine", "in/usr/x", "z"] {
        record.push_str(&format!(
            "obj {out}/lib/libc.so.6 {hash}\nobj {out}/libc.so.6 {hash}\nsym {out}/bin -> usr/bin\ndir {out}/empty/below\ndir {out}/empty\n"
        ));
    }
    record
}

/// A sysroot with such a symlink, and with symlinks inside that lead to it. The user who runs crossmerge unpacked it.
fn with_link(runner: Runner, path: &str, target: &str) -> (Prefix, PathBuf) {
    let mut prefix = scene();
    let machine = machine(&prefix);
    link(
        &prefix,
        path,
        target.replace("MACHINE", &machine.display().to_string()),
    );
    link(&prefix, "s/usr/y", "x");
    link(&prefix, "s/in", ".");
    link(&prefix, "s/z", "in/usr/y");
    prefix.write("s/var/lib/crossmerge/contents", &record());
    runner.takes(&mut prefix);
    (prefix, machine)
}

#[test]
fn remove_follows_no_link_out_of_the_sysroot() {
    for runner in Runner::BOTH {
        for (path, target) in OUT.into_iter().filter(|(path, _)| *path != "s/usr/y") {
            let (prefix, machine) = with_link(runner, path, target);
            let before = tree(&machine);
            let dry = prefix.own(["remove", TUPLE, "--dry-run"]).success();
            let output = prefix.own(["remove", TUPLE]).success();
            unchanged(&before, &tree(&machine));
            for output in [dry, output] {
                let named = format!(
                    "behind {}: it leads out of the sysroot",
                    prefix.join(path).display()
                );
                assert!(output.stdout.contains(&named), "no {named}: {output:#?}");
                assert!(!output.stdout.contains("libc.so.6\n"), "{output:#?}");
            }
        }
    }
}

#[test]
fn remove_follows_a_link_that_stays_in_the_sysroot() {
    for runner in Runner::BOTH {
        for target in [
            "usr/lib",
            "usr/../usr/lib",
            "../s/usr/lib",
            "PREFIX/s/usr/lib",
        ] {
            let mut prefix = scene();
            let file = prefix.write("s/usr/lib/libc.so.6", "libc\n");
            link(
                &prefix,
                "s/lib",
                target.replace("PREFIX", &prefix.path().display().to_string()),
            );
            let record = format!("obj lib/libc.so.6 {}\n", hash("libc\n"));
            prefix.write("s/var/lib/crossmerge/contents", &record);
            runner.takes(&mut prefix);
            prefix.own(["remove", TUPLE]).success();
            assert!(!file.exists(), "{target}");
        }
    }
}

#[test]
fn a_record_behind_a_symlink_out_of_the_sysroot_does_not_count() {
    for runner in Runner::BOTH {
        for path in [
            "s/var",
            "s/var/lib",
            "s/var/lib/crossmerge",
            "s/var/lib/crossmerge/contents",
        ] {
            let mut prefix = scene();
            let file = prefix.write("s/etc/x", "libc\n");
            for place in [
                "m/lib/crossmerge/contents",
                "m/crossmerge/contents",
                "m/contents",
            ] {
                prefix.write(place, &format!("obj etc/x {}\n", hash("libc\n")));
            }
            let target = match path.ends_with("contents") {
                true => prefix.join("m/contents"),
                false => prefix.join("m"),
            };
            link(&prefix, path, target);
            runner.takes(&mut prefix);
            let output = prefix.own(["remove", TUPLE]);
            assert!(file.exists(), "{path}: {output:#?}");
            assert!(
                output.stderr.contains("leads out of"),
                "{path}: {output:#?}"
            );
        }
    }
}

#[test]
fn init_writes_nothing_through_a_link_out_of_the_sysroot() {
    for runner in Runner::BOTH {
        for (path, target) in [
            ("etc", "machine"),
            ("etc/portage", "machine/portage"),
            ("etc/portage/profile", "machine/portage/profile"),
            ("var", "machine"),
            ("var/lib/crossmerge", "machine/empty"),
            ("etc/portage", "../../../machine/portage"),
        ] {
            let mut prefix = Prefix::with_portage();
            super::needs_root();
            let machine = machine(&prefix);
            let before = tree(&machine);
            let target = match target.starts_with("..") {
                true => target.into(),
                false => prefix.join(target),
            };
            link(&prefix, &format!("home/s/{path}"), target);
            runner.takes(&mut prefix);
            let sysroot = prefix.join("home/s");
            let here = tree(&sysroot);
            for options in [&[][..], &["--profile", "embedded"]] {
                let args = ["init", TUPLE, "--sysroot", &sysroot.display().to_string()];
                let output = prefix.own(args.iter().chain(options));
                unchanged(&before, &tree(&machine));
                unchanged(&here, &tree(&sysroot));
                let place = format!("`{}` leads out of", sysroot.join(path).display());
                output.fails(125, &place, "nothing outside the tree");
            }
        }
    }
}

#[test]
fn the_path_to_a_sysroot_is_walked_component_by_component() {
    for runner in Runner::BOTH {
        let mut prefix = scene();
        prefix.write("real/usr/lib/libx.la", "libdir='/usr/lib'\n");
        prefix
            .command("chmod", ["600", "real/usr/lib/libx.la"])
            .success();
        std::fs::create_dir_all(prefix.join("alice")).expect("a directory");
        link(&prefix, "alice/link", prefix.join("real"));
        link(&prefix, "alice/deep", prefix.join("real/usr/lib"));
        runner.takes(&mut prefix);
        give_away(&prefix.join("alice"));
        let before = tree(&prefix.join("real"));
        for path in [
            "alice/link",
            "alice/link/",
            "alice/link/usr/..",
            "alice/./deep/../..",
        ] {
            let sysroot = prefix.join(path);
            let prefix = prefix.with("SYSROOT", &sysroot);
            for (name, args) in [
                (format!("{TUPLE}-fix-root"), &[][..]),
                ("crossmerge".into(), &["remove", TUPLE]),
                ("crossmerge".into(), &["init", TUPLE]),
            ] {
                let output = prefix.run(&name, args);
                unchanged(&before, &tree(&prefix.join("real")));
                assert_eq!(output.code, Some(125), "{path}: {output:#?}");
                assert!(
                    output.stderr.contains("belongs to 4242"),
                    "{path}: {output:#?}"
                );
            }
        }
        // A symlink of the user's own is as good as the directory.
        std::os::unix::fs::symlink("real", prefix.join("own")).expect("a link");
        runner.takes(&mut prefix);
        let prefix = prefix.with("SYSROOT", prefix.join("own"));
        prefix
            .run(&format!("{TUPLE}-fix-root"), [] as [&str; 0])
            .success();
        assert!(prefix.read("real/usr/lib/libx.la").contains("/own/usr/lib"));
    }
}

#[test]
fn adopt_skips_a_directory_of_path_behind_another_users_symlink() {
    for runner in Runner::BOTH {
        let mut prefix = Prefix::with_portage();
        super::needs_root();
        crate::adopt::crossdev(&mut prefix, &[TUPLE]);
        std::fs::create_dir(prefix.join("alice")).expect("a directory");
        std::fs::create_dir(prefix.join("elsewhere")).expect("a directory");
        for (name, script) in [("emerge", "cross-emerge"), ("ebuild", "cross-ebuild")] {
            link(&prefix, &format!("elsewhere/{TUPLE}-{name}"), script);
        }
        link(&prefix, "alice/bin", prefix.join("elsewhere"));
        runner.takes(&mut prefix);
        give_away(&prefix.join("alice"));
        let before = tree(&prefix.join("elsewhere"));
        prefix.put_first_in_path(&["alice/bin", "usr/local/bin", "bin", "usr/bin"]);
        let output = prefix.own(["adopt"]).success();
        unchanged(&before, &tree(&prefix.join("elsewhere")));
        assert!(
            output.stderr.contains("a directory of PATH is left out"),
            "{output:#?}"
        );
    }
}

#[test]
fn no_script_of_a_sysroot_becomes_a_tool_of_the_target() {
    let prefix = scene();
    let script = "#!/bin/sh\ncase $1 in --cflags) echo -I/usr/include;; esac\n";
    let tools = [
        "gcc",
        "gcc-12",
        "g++",
        "ld",
        "ld.bfd",
        "as",
        "emerge",
        "pkg-config",
        "strip",
        "cargo",
    ];
    for name in tools.iter().chain(&["x-config", "gccx-config"]) {
        prefix.script(&format!("s/usr/bin/{name}"), script);
    }
    std::fs::create_dir(prefix.join("links")).expect("a directory");
    let [sysroot, links] = ["s", "links"].map(|path| prefix.join(path).display().to_string());
    let output = prefix.run(&format!("{TUPLE}-fix-root"), [&*sysroot, &links, "t-"]);
    let names = crate::support::names_in(&links);
    let wanted = ["t-gccx-config", "t-x-config"].map(str::to_owned);
    assert_eq!(names.into_iter().collect::<Vec<_>>(), wanted, "{output:#?}");
}
