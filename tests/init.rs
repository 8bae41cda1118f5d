//! `init`, `targets` and `remove` with the real Portage: what they write, and what they never change.

use crate::support::Prefix;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// Everything below a directory: for each path its mode, and the content, the hash of content that is not UTF-8, or
/// the symlink's target.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut tree = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let metadata = path.symlink_metadata().expect("metadata");
            let what = if metadata.is_symlink() {
                format!("-> {}", path.read_link().expect("a link").display())
            } else if metadata.is_dir() {
                directories.push(path.clone());
                String::new()
            } else {
                let content = std::fs::read(&path).expect("a file");
                String::from_utf8(content)
                    .unwrap_or_else(|error| format!("{:?}", Sha256::digest(error.as_bytes())))
            };
            tree.insert(path, format!("{:o} {what}", metadata.mode()));
        }
    }
    tree
}

/// Panics with the paths that differ.
#[track_caller]
pub(crate) fn unchanged(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) {
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let differing: Vec<&PathBuf> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(differing.is_empty(), "changed: {differing:?}");
}

fn etc(path: &str) -> String {
    format!("usr/{TUPLE}/etc/portage/{path}")
}

#[test]
fn init_fills_a_sysroot_and_a_second_run_changes_nothing() {
    let prefix = Prefix::with_portage();
    let overlay = prefix.overlay("mine");
    prefix.append(
        "etc/portage/make.conf",
        "MAKEOPTS=\"-j3 -l2\"\nGENTOO_MIRRORS=\"file:///m\"\nFOO=\"x\"\n",
    );
    let output = prefix.own(["init", TUPLE]).success();
    assert!(
        output.stderr.contains("etc/portage/make.conf"),
        "{output:#?}"
    );

    for name in [
        "emerge",
        "ebuild",
        "pkg-config",
        "env",
        "portageq",
        "quickpkg",
        "equery",
        "emaint",
        "eselect",
        "qlist",
    ] {
        assert_eq!(
            prefix.read_link(&format!("bin/{TUPLE}-{name}")),
            Path::new("crossmerge")
        );
    }
    assert_eq!(
        prefix.read_link(&format!("bin/emerge-{TUPLE}")),
        Path::new("crossmerge")
    );
    let sysroot = prefix.join(format!("usr/{TUPLE}"));
    assert_eq!(
        sysroot
            .join("tmp")
            .metadata()
            .expect("tmp")
            .permissions()
            .mode()
            & 0o7777,
        0o1777
    );

    // The values are those that Portage reads from the files.
    let asked = [
        "CHOST",
        "CBUILD",
        "ROOT",
        "ARCH",
        "KERNEL",
        "ELIBC",
        "ACCEPT_KEYWORDS",
        "CFLAGS",
        "MAKEOPTS",
        "GENTOO_MIRRORS",
        "PKGDIR",
        "PORTAGE_TMPDIR",
        "DISTDIR",
    ];
    let words = ["envvar", "-v"].into_iter().chain(asked);
    let output = prefix
        .run(&format!("{TUPLE}-portageq"), words)
        .success()
        .stdout;
    let root = sysroot.display();
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo/venv");
    for line in [
        format!("CHOST={TUPLE}"),
        "CBUILD=x86_64-pc-linux-gnu".into(),
        format!("ROOT={root}/"),
        "ARCH=arm".into(),
        "KERNEL=linux".into(),
        "ELIBC=glibc".into(),
        "ACCEPT_KEYWORDS='arm ~arm'".into(),
        "CFLAGS='-O2 -pipe -fomit-frame-pointer -march=armv4t -mfloat-abi=soft'".into(),
        "MAKEOPTS='-j3 -l2'".into(),
        "GENTOO_MIRRORS=file:///m".into(),
        format!("PKGDIR={root}/var/cache/binpkgs/"),
        format!("PORTAGE_TMPDIR={root}/tmp/"),
        format!("DISTDIR={}/var/cache/distfiles", venv.display()),
    ] {
        assert!(
            output.lines().any(|printed| printed == line),
            "no {line:?} in {output}"
        );
    }
    // The directories stay in the sysroot if another ROOT is chosen.
    let board = prefix.with("ROOT", prefix.join("board"));
    std::fs::create_dir(prefix.join("board")).expect("a root");
    let asked = ["envvar", "-v", "PKGDIR", "PORTAGE_TMPDIR"];
    let output = board.run(&format!("{TUPLE}-portageq"), asked).success();
    let stay = format!("PKGDIR={root}/var/cache/binpkgs/\nPORTAGE_TMPDIR={root}/tmp/\n");
    assert_eq!(output.stdout, stay);
    let repos = prefix
        .run(
            &format!("{TUPLE}-portageq"),
            ["get_repos", &format!("{root}/")],
        )
        .success()
        .stdout;
    assert!(
        repos.contains("crossmerge-demo") && repos.contains("mine"),
        "{repos}"
    );
    let path = prefix
        .run(
            &format!("{TUPLE}-portageq"),
            ["get_repo_path", &format!("{root}/"), "mine"],
        )
        .success()
        .stdout;
    assert_eq!(Path::new(path.trim()), overlay);
    assert_eq!(
        prefix.read(&etc("profile/use.force")),
        "-kernel_linux\nkernel_linux\n"
    );

    let before = tree(&prefix.path());
    let output = prefix.own(["init", TUPLE]).success();
    assert!(output.stderr.contains("nothing to do"), "{output:#?}");
    unchanged(&before, &tree(&prefix.path()));
}

#[test]
fn an_unedited_file_is_refreshed_and_an_edited_one_stays() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    let make_conf = etc("make.conf");
    let first = prefix.read(&make_conf);

    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j9\"\n");
    prefix.own(["init", TUPLE]).success();
    assert!(
        prefix.read(&make_conf).contains("MAKEOPTS=\"-j9\""),
        "an unedited file is refreshed"
    );
    assert_ne!(first, prefix.read(&make_conf));

    let edited = prefix.read(&make_conf) + "# mine\n";
    prefix.write(&make_conf, &edited);
    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j10\"\n");
    let output = prefix.own(["init", TUPLE]).success();
    assert_eq!(prefix.read(&make_conf), edited);
    let beside = etc("._cfg0000_make.conf");
    assert!(prefix.read(&beside).contains("-j10"));
    assert!(
        output.stderr.contains("make.conf: left as it is")
            && output.stderr.contains("._cfg0000_make.conf"),
        "{output:#?}"
    );

    // The note about the edited file appears once. A later update replaces crossmerge's own proposal, and no other
    // file.
    let before = tree(&prefix.path());
    prefix.own(["init", TUPLE]).success();
    unchanged(&before, &tree(&prefix.path()));
    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j11\"\n");
    prefix.own(["init", TUPLE]).success();
    assert!(prefix.read(&beside).contains("-j11"));
    prefix.write(&beside, "half merged by hand\n");
    prefix.own(["init", TUPLE]).success();
    assert_eq!(prefix.read(&beside), "half merged by hand\n");
    assert!(prefix.read(&etc("._cfg0001_make.conf")).contains("-j11"));

    // A profile that the user chose stays. A file that the user deleted is written again.
    let profile = prefix.join(etc("make.profile"));
    std::fs::remove_file(&profile).expect("gone");
    symlink("/var/db/repos/x", &profile).expect("a link");
    std::fs::remove_file(prefix.join(etc("repos.conf"))).expect("gone");
    prefix.own(["init", TUPLE]).success();
    assert_eq!(
        prefix.read_link(&etc("make.profile")),
        Path::new("/var/db/repos/x")
    );
    assert!(prefix.read(&etc("repos.conf")).contains("crossmerge-demo"));
}

#[test]
fn dry_run_prints_the_writes_and_changes_nothing() {
    let prefix = Prefix::with_portage();
    let before = tree(&prefix.path());
    let output = prefix.own(["init", TUPLE, "--dry-run"]).success();
    unchanged(&before, &tree(&prefix.path()));
    for part in [
        "+CHOST=\"armv4tl",
        "+++ ",
        "link ",
        "make.profile -> ",
        "+[crossmerge-demo]",
        "/tmp (mode 1777)",
    ] {
        assert!(
            output.stdout.contains(part),
            "no {part:?} in {}",
            output.stdout
        );
    }
    prefix.own(["init", TUPLE]).success();
    assert_eq!(
        prefix.own(["init", TUPLE, "--dry-run"]).success().stdout,
        ""
    );
    prefix.append("etc/portage/make.conf", "MAKEOPTS=\"-j9\"\n");
    let output = prefix.own(["init", TUPLE, "--dry-run"]).success().stdout;
    assert!(
        output.contains("-MAKEOPTS=\"-j2\"") && output.contains("+MAKEOPTS=\"-j9\""),
        "{output}"
    );
}

/// Writes what crossdev's emerge-wrapper leaves: its templates, with placeholders if it failed half-way.
fn crossdev_made(prefix: &Prefix, half_made: bool) {
    let (chost, cbuild, arch) = match half_made {
        true => ("__CHOST__", "__CBUILD__", "__ARCH__"),
        false => (TUPLE, "x86_64-pc-linux-gnu", "arm"),
    };
    prefix.write(
        &etc("make.conf"),
        &format!("CHOST={chost}\nCBUILD={cbuild}\nROOT=/usr/${{CHOST}}/\n# mine\n"),
    );
    let kernel = if half_made { "__KERNEL__" } else { "linux" };
    let libc = if half_made { "__LIBC__" } else { "glibc" };
    prefix.write(
        &etc("profile/make.defaults"),
        &format!("ARCH=\"{arch}\"\nKERNEL=\"-linux {kernel}\"\nELIBC=\"{libc}\"\n"),
    );
    let force = if half_made {
        "__USE_FORCE_KERNEL__"
    } else {
        "kernel_linux"
    };
    prefix.write(
        &etc("profile/use.force"),
        &format!("-kernel_linux\n{force}\n"),
    );
    // Without a main repository, crossdev links a directory of the root.
    let profile = if half_made {
        "/profiles/embedded"
    } else {
        "/var/db/repos/gentoo/profiles/embedded"
    };
    symlink(profile, prefix.join(etc("make.profile"))).expect("a link");
}

#[test]
fn a_sysroot_that_crossdev_made_is_accepted_as_it_is() {
    let prefix = Prefix::with_portage();
    crossdev_made(&prefix, false);
    let before = tree(&prefix.join(etc("")));
    let output = prefix.own(["init", TUPLE]).success();
    assert!(output.stderr.contains("accepted as it is"), "{output:#?}");
    unchanged(&before, &tree(&prefix.join(etc(""))));
    assert_eq!(
        prefix.read_link(&format!("bin/{TUPLE}-emerge")),
        Path::new("crossmerge")
    );
    assert!(prefix.own(["targets"]).success().stdout.contains("foreign"));
    // `remove` deletes only the symlinks.
    prefix.own(["remove", TUPLE]).success();
    unchanged(&before, &tree(&prefix.join(etc(""))));
    assert!(!prefix.join(format!("bin/{TUPLE}-emerge")).is_symlink());
}

#[test]
fn a_sysroot_that_crossdev_left_half_made_is_repaired() {
    let prefix = Prefix::with_portage();
    crossdev_made(&prefix, true);
    assert!(
        prefix
            .own(["targets"])
            .success()
            .stdout
            .contains("half-made")
    );
    let output = prefix.own(["init", TUPLE]).success();
    assert!(
        output.stderr.contains("half-made: init fills in"),
        "{output:#?}"
    );
    let make_conf = prefix.read(&etc("make.conf"));
    assert_eq!(
        make_conf,
        format!("CHOST={TUPLE}\nCBUILD=x86_64-pc-linux-gnu\nROOT=/usr/${{CHOST}}/\n# mine\n")
    );
    assert_eq!(
        prefix.read(&etc("profile/make.defaults")),
        "ARCH=\"arm\"\nKERNEL=\"-linux linux\"\nELIBC=\"glibc\"\n"
    );
    assert_eq!(
        prefix.read(&etc("profile/use.force")),
        "-kernel_linux\nkernel_linux\n"
    );
    assert!(
        prefix.join(etc("make.profile")).join("parent").exists()
            || prefix.join(etc("make.profile")).is_dir()
    );
    let before = tree(&prefix.join(etc("")));
    prefix.own(["init", TUPLE]).success();
    unchanged(&before, &tree(&prefix.join(etc(""))));
}

#[test]
fn a_file_that_crossmerge_did_not_make_is_an_error_before_any_change() {
    type Make = fn(&Path);
    let makes: [(Make, &str); 3] = [
        (
            |path| std::fs::write(path, "#!/bin/sh\n").expect("a file"),
            "--bindir DIR",
        ),
        (
            |path| symlink("cross-emerge", path).expect("a link"),
            "crossmerge adopt",
        ),
        (
            |path| std::fs::create_dir(path).expect("a directory"),
            "--bindir DIR",
        ),
    ];
    for (make, hint) in makes {
        let prefix = Prefix::with_portage();
        make(&prefix.join(format!("bin/{TUPLE}-emerge")));
        let before = tree(&prefix.path());
        prefix.own(["init", TUPLE]).fails(
            125,
            "is not crossmerge's, and a symlink to crossmerge would replace it",
            hint,
        );
        unchanged(&before, &tree(&prefix.path()));
    }
    // A symlink of crossmerge is still its own after the program has moved.
    let prefix = Prefix::with_portage();
    symlink(
        "/opt/gone/crossmerge",
        prefix.join(format!("bin/{TUPLE}-emerge")),
    )
    .expect("a link");
    prefix.own(["init", TUPLE]).success();
    assert_eq!(
        prefix.read_link(&format!("bin/{TUPLE}-emerge")),
        Path::new("crossmerge")
    );
}

#[test]
fn a_tuple_of_the_host_is_refused() {
    let prefix = Prefix::with_portage();
    let profile = prefix.join("etc/portage/make.profile");
    let parent = profile.read_link().expect("a profile");
    std::fs::remove_file(&profile).expect("gone");
    prefix.write(
        "etc/portage/make.profile/parent",
        &format!("{}\n", parent.display()),
    );
    prefix.write("etc/portage/make.profile/eapi", "8\n");
    prefix.write(
        "etc/portage/make.profile/make.defaults",
        "MULTILIB_ABIS=\"amd64 x86\"\nDEFAULT_ABI=\"amd64\"\nCHOST_amd64=\"x86_64-pc-linux-gnu\"\nCHOST_x86=\"i686-pc-linux-gnu\"\n",
    );
    let before = tree(&prefix.path());
    for (tuple, what) in [
        ("x86_64-pc-linux-gnu", "is the CBUILD of the host"),
        ("i686-pc-linux-gnu", "the CHOST of the ABI x86"),
    ] {
        prefix
            .own(["init", tuple])
            .fails(125, what, "another vendor");
    }
    unchanged(&before, &tree(&prefix.path()));
    prefix.own(["init", "i686-cross-linux-gnu"]).success();
}

#[test]
fn a_sysroot_elsewhere_is_recorded_and_sysroot_in_the_environment_applies_to_one_call() {
    let prefix = Prefix::with_portage();
    let elsewhere = prefix.join("srv/board one");
    let file = format!("etc/crossmerge/targets/{TUPLE}.toml");
    prefix.write(
        &file,
        "# mine\n[commands]\nemerge = \"emerge --root-deps\"\n",
    );
    prefix
        .own(["init", TUPLE, "--sysroot", "srv/board one"])
        .success();
    assert!(elsewhere.join("etc/portage/make.conf").exists());
    assert!(!prefix.join("usr").join(TUPLE).exists());
    let recorded = prefix.read(&file);
    assert!(
        recorded.contains("# mine") && recorded.contains("emerge --root-deps"),
        "{recorded}"
    );
    assert!(
        recorded.contains(&format!("sysroot = \"{}\"", elsewhere.display())),
        "{recorded}"
    );
    let plan = prefix.own(["plan", TUPLE, "emerge"]).success().stdout;
    assert!(
        plan.contains(&format!("SYSROOT='{}'", elsewhere.display())),
        "{plan}"
    );
    let listed = prefix.own(["targets"]).success().stdout;
    assert!(listed.contains("no-compiler"), "{listed}");

    let other = prefix.join("other");
    let once = prefix.with("SYSROOT", &other);
    once.own(["init", TUPLE]).success();
    assert!(other.join("etc/portage/make.conf").exists());
    assert_eq!(prefix.read(&file), recorded);
    assert!(
        once.own(["plan", TUPLE, "emerge"])
            .success()
            .stdout
            .contains(&format!("SYSROOT={}", other.display()))
    );

    prefix.own(["remove", TUPLE]).success();
    assert!(!elsewhere.exists());
    let left = prefix.read(&file);
    assert!(
        left.contains("# mine") && !left.contains("sysroot"),
        "{left}"
    );
}

#[test]
fn emerge_wrapper_initialises_as_crossdev_calls_it() {
    let prefix = Prefix::with_portage();
    prefix.link("emerge-wrapper");
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}/usr/include"))).expect("a sysroot");
    prefix
        .with("LLVM", "")
        .run("emerge-wrapper", ["--target", TUPLE, "--init"])
        .success();
    assert!(!prefix.read(&etc("profile/make.defaults")).contains("clang"));
    assert!(prefix.read(&etc("make.conf")).contains(TUPLE));
    assert_eq!(
        prefix.read_link(&format!("bin/emerge-{TUPLE}")),
        Path::new("crossmerge")
    );

    let clang = "aarch64-unknown-linux-musl";
    prefix
        .with("LLVM", "yes")
        .run("emerge-wrapper", ["--target", clang, "--init"])
        .success();
    let output = prefix
        .run(
            &format!("{clang}-portageq"),
            ["envvar", "-v", "CC", "AS", "AR", "LD", "LLVM"],
        )
        .success()
        .stdout;
    for line in [
        format!("CC={clang}-clang"),
        format!("AS='{clang}-clang -c'"),
        "AR=llvm-ar".into(),
        "LD=ld.lld".into(),
        "LLVM=1".into(),
    ] {
        assert!(
            output.lines().any(|printed| printed == line),
            "no {line:?} in {output}"
        );
    }
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let prefix = Prefix::with_portage();
    let runs: Vec<_> = (0..6).map(|_| prefix.start(["init", TUPLE])).collect();
    for run in runs {
        let output = run.wait_with_output().expect("an end");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let after = tree(&prefix.path());
    assert!(
        !after
            .keys()
            .any(|path| path.to_string_lossy().contains("crossmerge-new")),
        "{:#?}",
        after.keys()
    );
    assert!(
        !after
            .keys()
            .any(|path| path.to_string_lossy().contains("._cfg")),
        "{:#?}",
        after.keys()
    );
    assert!(
        prefix
            .own(["init", TUPLE])
            .success()
            .stderr
            .contains("nothing to do")
    );
}

#[test]
fn remove_undoes_init_and_keeps_a_users_files() {
    let prefix = Prefix::with_portage();
    let before = tree(&prefix.path());
    prefix.own(["init", TUPLE]).success();
    prefix.own(["remove", TUPLE, "--dry-run"]).success();
    let output = prefix.own(["remove", TUPLE]).success();
    assert!(output.stdout.contains("removed "), "{output:#?}");
    let gone: Vec<_> = tree(&prefix.path())
        .into_keys()
        .filter(|path| !before.contains_key(path))
        .collect();
    assert!(
        gone.iter().all(|path| path.ends_with("usr")),
        "left: {gone:?}"
    );

    prefix.own(["init", TUPLE]).success();
    prefix.run(&format!("{TUPLE}-env"), ["true"]).success();
    let state = format!("var/lib/crossmerge/{TUPLE}");
    assert!(prefix.join(&state).join("config.site").exists());
    let config = prefix.join(format!("bin/{TUPLE}-z-config"));
    let script = prefix.join(format!("usr/{TUPLE}/usr/bin/z-config"));
    std::os::unix::fs::symlink(script, &config).expect("a link");
    prefix.own(["remove", TUPLE]).success();
    assert!(!prefix.join(&state).exists());
    assert!(!config.is_symlink());

    prefix.own(["init", TUPLE]).success();
    let learned = format!("{state}/learned.toml");
    prefix.write(&learned, "[answers]\n");
    prefix.write(&format!("{state}/config.site"), "");
    let output = prefix.own(["remove", TUPLE]).success();
    assert!(
        output.stdout.contains("learned.toml: learned answers"),
        "{output:#?}"
    );
    assert_eq!(tree(&prefix.join(&state)).len(), 1, "{output:#?}");
    assert_eq!(prefix.read(&learned), "[answers]\n");

    let wrapper = prefix.write("etc/crossmerge/wrappers/own.toml", "summary = \"mine\"\n");
    prefix.own(["init", TUPLE]).success();
    let own = prefix.join(format!("bin/{TUPLE}-own"));
    assert!(own.is_symlink());
    std::fs::remove_file(wrapper).expect("it was there");
    // A symlink whose name begins with this tuple, as an earlier version may have made it.
    prefix.link(&format!("{TUPLE}-x-emerge"));
    prefix.append(&etc("make.conf"), "# mine\n");
    prefix.write(&format!("usr/{TUPLE}/usr/bin/merged"), "a package's\n");
    let output = prefix.own(["remove", TUPLE]).success();
    assert!(
        output
            .stdout
            .contains("make.conf: edited since init wrote it"),
        "{output:#?}"
    );
    assert!(output.stdout.contains("2 files"), "{output:#?}");
    assert!(prefix.read(&etc("make.conf")).ends_with("# mine\n"));
    assert!(!prefix.join(etc("repos.conf")).exists());
    assert!(!own.is_symlink(), "the link of a wrapper that is gone");
    // A longer tuple keeps its symlinks.
    assert!(prefix.join(format!("bin/{TUPLE}-x-emerge")).is_symlink());
    assert!(!prefix.join(format!("bin/{TUPLE}-emerge")).is_symlink());
    prefix
        .own(["remove", "avr"])
        .fails(125, "`avr` is not initialised", "crossmerge targets");
}

#[test]
fn a_users_file_that_remove_kept_stays_and_init_makes_the_others_again() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    prefix.append(&etc("make.conf"), "# mine\n");
    prefix.own(["remove", TUPLE]).success();
    let output = prefix.own(["init", TUPLE]).success();
    assert!(output.stderr.contains("._cfg0000_make.conf"), "{output:#?}");
    assert!(prefix.read(&etc("make.conf")).ends_with("# mine\n"));
    for path in ["make.profile", "repos.conf", "profile/make.defaults"] {
        assert!(prefix.join(etc(path)).exists(), "{path}");
    }
}

/// Creates a small SDK with its own sysroot, and returns the prefix of its tools.
fn sdk(prefix: &Prefix) -> String {
    for file in ["include/stdio.h", "lib/crt1.o", "lib/libc.so"] {
        prefix.write(&format!("sdk/sysroot/usr/{file}"), file);
    }
    let gcc = "#!/bin/sh\ncase $* in\n-print-sysroot) echo \"${0%/*}/sysroot\" ;;\n*) exec arm-linux-gnueabi-gcc \"$@\" ;;\nesac\n";
    prefix.script("sdk/arm-x-gcc", gcc);
    prefix.join("sdk/arm-x-").display().to_string()
}

#[test]
fn remove_prints_one_line_for_a_libc_and_one_for_the_symlinks() {
    let prefix = Prefix::with_portage();
    let init = ["init", TUPLE, "--toolchain", &sdk(&prefix), "--with-libc"];
    let made = prefix.own(init).success();
    let counts = made.stderr.lines().filter(|line| line.contains(" in "));
    let counts: Vec<&str> = counts
        .filter_map(|line| line.strip_prefix("new      "))
        .collect();
    assert_eq!(counts.len(), 2, "{made:#?}");
    let would = prefix.own(["remove", TUPLE, "--dry-run"]).success().stdout;
    let output = prefix.own(["remove", TUPLE]).success().stdout;
    let left = |line: &&str| !line.starts_with("left ");
    let announced = output.replace("removed  ", "would remove ");
    assert_eq!(
        would.lines().collect::<Vec<_>>(),
        announced.lines().filter(left).collect::<Vec<_>>()
    );
    for count in counts {
        assert!(
            output.contains(&format!("removed  {count}\n")),
            "no {count:?} in {output}"
        );
    }
    assert!(output.contains("/etc/portage/make.conf\n"), "{output}");
    assert!(output.lines().count() < 15, "{output}");
}

#[test]
fn a_sysroot_in_other_use_is_refused_before_any_change() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    prefix.own(["init", "avr", "--sysroot", "far"]).success();
    prefix.write("file", "");
    symlink("far", prefix.join("link")).expect("a link");
    let before = tree(&prefix.path());
    for (place, why) in [
        (
            format!("usr/{TUPLE}").as_str(),
            format!("it is the sysroot of `{TUPLE}`").as_str(),
        ),
        ("far", "it is the sysroot of `avr`"),
        ("link", "it is the sysroot of `avr`"),
        ("usr", "the host's own files are in it"),
        ("file", "it is not a directory"),
    ] {
        prefix
            .own(["init", "arm-other-linux-gnueabi", "--sysroot", place])
            .fails(125, why, "--sysroot DIR");
    }
    unchanged(&before, &tree(&prefix.path()));
    for place in [
        "/etc",
        "/root",
        "/home",
        "/var",
        "/opt",
        "/mnt",
        "/usr/lib",
        "/usr/../srv/.",
        "/var/lib",
        "/proc",
        "etc",
    ] {
        prefix.own(["init", "avr", "--sysroot", place]).fails(
            125,
            "the host's own files are in it",
            "--sysroot DIR",
        );
    }
    let home = prefix.with("HOME", prefix.join("me"));
    std::fs::create_dir(prefix.join("me")).expect("a home");
    home.own(["init", "avr", "--sysroot", "me"]).fails(
        125,
        "it is the home directory of",
        "--sysroot DIR",
    );
    std::fs::remove_dir(prefix.join("me")).expect("it is empty");
    unchanged(&before, &tree(&prefix.path()));
    // The target may use its own sysroot again, and a move is noted.
    prefix.own(["init", "avr", "--sysroot", "far"]).success();
    let output = prefix
        .own(["init", "avr", "--sysroot", "further"])
        .success();
    assert!(output.stderr.contains("far` until now"), "{output:#?}");
}

#[test]
fn targets_distinguishes_a_missing_compiler_and_an_unreadable_sysroot() {
    let prefix = Prefix::with_portage();
    let sdk = sdk(&prefix);
    prefix.own(["init", TUPLE, "--toolchain", &sdk]).success();
    let state = |prefix: &Prefix| {
        let listed = prefix.own(["targets", "--json"]).success().stdout;
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        listed[0]["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(state(&prefix), "ready");
    std::fs::remove_file(format!("{sdk}gcc")).expect("it was there");
    assert_eq!(state(&prefix), "no-compiler");
    let make_conf = prefix.join(etc("make.conf"));
    std::fs::remove_file(&make_conf).expect("it was there");
    std::fs::create_dir(&make_conf).expect("a directory");
    assert_eq!(state(&prefix), "no-compiler");
    // A directory in place of a file stops root too. A mode would not.
    let record = prefix.join(format!("usr/{TUPLE}/var/lib/crossmerge/contents"));
    std::fs::remove_file(&record).expect("it was there");
    std::fs::create_dir(&record).expect("a directory");
    assert_eq!(state(&prefix), "unreadable");
}

#[test]
fn a_host_with_a_broken_portage_gets_an_error_and_no_sysroot() {
    let prefix = Prefix::with_portage();
    let before_usr = prefix.join("usr").exists();
    prefix.write("etc/portage/repos.conf", "[DEFAULT]\nmain-repo = nowhere\n");
    let output = prefix.own(["init", TUPLE]);
    assert_eq!(output.code, Some(125), "{output:#?}");
    assert!(
        output.stderr.contains("main repository")
            || output.stderr.contains("portageq did not print"),
        "{output:#?}"
    );
    assert_eq!(prefix.join("usr").exists(), before_usr);

    let prefix = Prefix::with_portage();
    let overlay = prefix.overlay("only");
    prefix.write(
        "etc/portage/repos.conf",
        &format!(
            "[DEFAULT]\nmain-repo = only\n[only]\nlocation = {}\n",
            overlay.display()
        ),
    );
    prefix
        .own(["init", TUPLE])
        .fails(125, "has no profile", "emerge --sync");
    assert!(!prefix.join("usr").exists());
}

#[test]
fn without_portage_the_symlinks_and_the_sysroot_are_still_made() {
    let prefix = Prefix::new();
    let output = prefix.own(["init", TUPLE]).success();
    assert!(
        output.stderr.contains("there is no Portage on the host"),
        "{output:#?}"
    );
    let listed = prefix.own(["targets"]).success().stdout;
    assert!(
        listed.starts_with(&format!("{TUPLE}  no-compiler  ")),
        "{listed}"
    );
    assert_eq!(
        prefix.read_link(&format!("bin/{TUPLE}-emerge")),
        Path::new("crossmerge")
    );
    let native = prefix.command("cc", ["-dumpmachine"]).success().stdout;
    let (cpu, _) = native.split_once('-').expect("a tuple");
    for native in [
        native.trim(),
        cpu,
        &format!("{cpu}-linux-gnu"),
        &format!("{cpu}-pc-linux-gnu"),
        &format!("{cpu}-unknown-linux-gnu"),
    ] {
        prefix
            .own(["init", native])
            .fails(125, "the native tuple of the host", "another vendor");
    }
    for foreign in ["cross-linux-gnu", "pc-linux-musl", "unknown-elf"] {
        prefix
            .own(["init", &format!("{cpu}-{foreign}"), "--dry-run"])
            .success();
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_a_hint() {
    let prefix = Prefix::with_portage();
    // A file in place of a directory stops root too. A mode would not.
    prefix.write("file", "");
    let output = prefix.own(["init", TUPLE, "--sysroot", "file/sysroot"]);
    assert_eq!(output.code, Some(125), "{output:#?}");
    assert!(
        output.stderr.contains("file/sysroot") && output.stderr.contains("hint: "),
        "{output:#?}"
    );
    prefix.write(&format!("usr/{TUPLE}/tmp"), "");
    prefix
        .own(["init", TUPLE])
        .fails(125, "/tmp` is not a directory", "mv ");
}

#[test]
fn an_ordinary_user_has_their_own_targets() {
    let prefix = Prefix::new();
    // The program is copied to where another user can run it.
    let program = prefix.join("crossmerge");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    let home = prefix.join("home");
    let user = prefix
        .with("HOME", &home)
        .with("TUPLE", TUPLE)
        .with("CM", &program);
    let script = r#"
        as() { if [ $(id -u) = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
        if [ ! -d "$HOME" ]; then
            chmod 755 . && mkdir "$HOME" || exit
            if [ $(id -u) = 0 ]; then chown 65534:65534 "$HOME" || exit; fi
        fi
        cd "$HOME"
    "#;
    let run = |commands: &str| user.command("/bin/sh", ["-ec", &format!("{script}\n{commands}")]);
    let init = "as $CM init $TUPLE --sysroot sysroot --bindir bin --toolchain arm-linux-gnueabi-";
    let output = run(&format!(
        "{init}\nas bin/$TUPLE-gcc -print-sysroot\nas $CM targets"
    ))
    .success()
    .stdout;
    let sysroot = home.join("sysroot").display().to_string();
    assert!(
        output.starts_with(&sysroot) && output.contains("ready"),
        "{output}"
    );
    let file = format!("home/.config/crossmerge/targets/{TUPLE}.toml");
    let recorded = prefix.read(&file);
    assert!(
        recorded.contains(&sysroot) && recorded.contains("home/bin"),
        "{recorded}"
    );
    let output = run("as $CM init $TUPLE").success().stderr;
    assert!(output.contains("home/bin` is not in PATH"), "{output}");
    run("as $CM remove $TUPLE").success();
    assert!(!home.join("bin").join(format!("{TUPLE}-gcc")).is_symlink());
    assert!(!prefix.join(&file).exists());
    // A user without a writable directory may not change the host's, and gets a hint.
    if run("id -u").stdout.trim() == "0" {
        let env =
            "mkdir -p root; export SYSROOT=$PWD/root; ln -sf $CM $TUPLE-env; as env HOME=/nowhere";
        let state = |variable: &str| run(&format!("{env} {variable} ./$TUPLE-env true"));
        state("A=b").fails(125, "Permission denied", "export XDG_STATE_HOME=DIR");
        state("XDG_STATE_HOME=$HOME/state").success();
        let output = run("as $CM init $TUPLE --bindir /usr/local/bin");
        output.fails(125, "Permission denied", "--sysroot DIR --bindir DIR");
        // The user's own target of the same tuple exists beside the host's and does not depend on it.
        prefix.own(["init", TUPLE]).success();
        prefix.write(
            &format!("etc/crossmerge/targets/{TUPLE}.toml"),
            "leaks = \"warn\"\n",
        );
        run(init).success();
        assert!(
            prefix
                .read(&file)
                .starts_with("leaks = \"warn\"\nsysroot = ")
        );
        run("as $CM remove $TUPLE").success();
        assert_eq!(prefix.read(&file), "leaks = \"warn\"\n");
        assert!(prefix.join(format!("bin/{TUPLE}-emerge")).is_symlink());
    }
}

#[test]
fn portage_sees_exactly_the_arch_kernel_and_libc_of_each_kind_of_target() {
    let prefix = Prefix::with_portage();
    for (tuple, arch, kernel, elibc) in [
        ("aarch64-unknown-linux-musl", "arm64", "linux", "musl"),
        ("x86_64-w64-mingw32", "amd64", "Winnt", "mingw"),
        ("i686-gnu", "x86", "Hurd", "glibc"),
        ("arm-none-eabi", "arm", "", "newlib"),
        ("avr", "avr", "", ""),
    ] {
        prefix.own(["init", tuple]).success();
        for (name, value) in [("ARCH", arch), ("KERNEL", kernel), ("ELIBC", elibc)] {
            let output = prefix.run(&format!("{tuple}-portageq"), ["envvar", name]);
            assert_eq!(output.stdout.trim(), value, "{name} of {tuple}");
        }
        let flags = prefix
            .run(&format!("{tuple}-portageq"), ["envvar", "USE"])
            .stdout;
        let flags: Vec<&str> = flags
            .split_whitespace()
            .filter(|flag| flag.contains('_'))
            .collect();
        let wanted = [("elibc", elibc), ("kernel", kernel)];
        let wanted = wanted.iter().filter(|(_, value)| !value.is_empty());
        let wanted: Vec<String> = wanted
            .map(|(name, value)| format!("{name}_{value}"))
            .collect();
        assert_eq!(flags, wanted, "USE of {tuple}");
    }
}

#[test]
fn a_setting_of_the_host_has_the_same_value_in_the_target() {
    let prefix = Prefix::with_portage();
    let odd = r#"MAKEOPTS='-j2 a"b" \$x \\\\ é'"#;
    prefix.append(
        "etc/portage/make.conf",
        &format!("{odd}\nDISTDIR=\"/d   e\n/f\"\n"),
    );
    prefix.own(["init", TUPLE]).success();
    // A repository whose path contains characters that Portage would expand.
    let odd = prefix.overlay("odd");
    let place = odd.with_file_name("50% off");
    std::fs::rename(&odd, &place).expect("a new place");
    let repos_conf = prefix.read("etc/portage/repos.conf");
    let text = repos_conf.replace("overlays/odd", "overlays/50%% off");
    prefix.write("etc/portage/repos.conf", &text);
    prefix.own(["init", TUPLE]).success();
    let root = format!("{}/", prefix.join("usr").join(TUPLE).display());
    let output = prefix.run(
        &format!("{TUPLE}-portageq"),
        ["get_repo_path", &root, "odd"],
    );
    assert_eq!(output.success().stdout.trim(), place.display().to_string());
    for name in ["MAKEOPTS", "DISTDIR"] {
        let of_host = prefix
            .command("portageq", ["envvar", name])
            .success()
            .stdout;
        let of_target = prefix.run(&format!("{TUPLE}-portageq"), ["envvar", name]);
        assert_eq!(of_target.success().stdout, of_host);
    }
}

#[test]
fn root_in_a_users_namespace_acts_as_that_user() {
    let prefix = Prefix::new();
    let program = prefix.join("crossmerge");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    let home = prefix.join("home");
    // The host has the same target.
    prefix
        .own(["init", TUPLE, "--toolchain", "arm-linux-gnueabi-"])
        .success();
    let user = prefix
        .with("HOME", &home)
        .with("TUPLE", TUPLE)
        .with("CM", &program);
    let script = r#"
        as() { if [ $(id -u) = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
        chmod 755 . && mkdir -p "$HOME"
        if [ $(id -u) = 0 ]; then chown 65534:65534 "$HOME"; fi
        cd "$HOME"
        as $CM init $TUPLE --sysroot sysroot --bindir bin --toolchain arm-linux-gnueabi- 2>&1
        ask() { as "$@" bin/$TUPLE-gcc -print-sysroot; as "$@" bin/$TUPLE-env true; as "$@" $CM targets; }
        ask env
        ask unshare --map-root-user
        ask unshare --map-root-user unshare --map-root-user
        # HOME is root's home, which the C library also returns without HOME. crossmerge uses the user's own home.
        as env HOME=/root unshare --map-root-user $CM targets 2>&1
        as unshare --map-root-user $CM remove $TUPLE
    "#;
    let output = user.command("/bin/sh", ["-ec", script]).success();
    let sysroot = home.join("sysroot").display().to_string();
    let answers: Vec<&str> = output.stdout.lines().filter(|l| *l == sysroot).collect();
    assert_eq!(answers.len(), 3, "{output:#?}");
    let listed: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.contains(TUPLE) && line.contains(&sysroot))
        .filter(|line| !line.contains("new ") && !line.contains("removed"))
        .collect();
    assert!(listed.len() >= 3, "{output:#?}");
    let state = home.join(".local/state/crossmerge");
    assert!(!state.join(TUPLE).exists(), "{output:#?}");
    // The host's own directory contains only what the host's `init` wrote.
    let of_machine = prefix.join(format!("var/lib/crossmerge/{TUPLE}/config.site"));
    assert!(!of_machine.exists(), "{output:#?}");
    assert!(
        !home
            .join(".config/crossmerge/targets")
            .join(format!("{TUPLE}.toml"))
            .exists()
    );
    // The host's own files stay, whichever user called `remove`.
    assert!(
        prefix
            .join(format!("etc/crossmerge/targets/{TUPLE}.toml"))
            .exists()
    );
    assert!(prefix.join(format!("bin/{TUPLE}-gcc")).is_symlink());
}

#[test]
fn symlinks_of_the_earlier_toolchain_are_removed_with_it() {
    let prefix = Prefix::new();
    let tuple = "aarch64-unknown-linux-gnu";
    let init = |options: &[&str]| prefix.own([&["init", tuple], options].concat());
    init(&["--toolchain", "aarch64-linux-gnu-"]).success();
    assert!(prefix.join(format!("bin/{tuple}-g++")).is_symlink());
    let would = init(&["--llvm", "--dry-run"]).success().stdout;
    assert!(
        would.contains(&format!(
            "remove {}\n",
            prefix.join(format!("bin/{tuple}-gcc")).display()
        )),
        "{would}"
    );
    let output = init(&["--llvm"]).success().stderr;
    assert!(
        output.contains("removed  ") && output.contains("the toolchain has no such tool"),
        "{output}"
    );
    for name in crate::support::names_in(prefix.join("bin")) {
        let tool = name.strip_prefix(&format!("{tuple}-")).unwrap_or("env");
        if ["gcc", "g++", "gfortran", "clang", "ld", "ar", "strip"].contains(&tool) {
            prefix.run(&name, ["--version"]).success();
        }
    }
    assert!(!prefix.join(format!("bin/{tuple}-gcc")).is_symlink());
    assert!(prefix.join(format!("bin/{tuple}-clang")).is_symlink());
    assert!(init(&[]).success().stderr.contains("nothing to do"));
    init(&["--toolchain", "aarch64-linux-gnu-"]).success();
    assert!(!prefix.join(format!("bin/{tuple}-clang")).is_symlink());
    assert!(prefix.join(format!("bin/{tuple}-gcc")).is_symlink());
}

#[test]
fn a_run_after_an_interrupted_one_keeps_its_options() {
    let prefix = Prefix::new();
    let sdk = sdk(&prefix);
    let init = [
        "init",
        TUPLE,
        "--toolchain",
        &sdk,
        "--with-libc",
        "--sysroot",
        "board",
    ];
    prefix.own(init).success();
    let whole = tree(&prefix.path());
    prefix.own(["remove", TUPLE]).success();
    // The run is killed when everything is prepared, and only the options are in place.
    let output = prefix.injected("renameat", "signal=KILL", 3, "crossmerge", init);
    assert_eq!(output.code, None, "{output:#?}");
    assert!(!prefix.join(format!("bin/{TUPLE}-gcc")).exists());
    let listed = prefix.own(["targets"]).success().stdout;
    assert!(
        listed.contains("unfinished") && listed.contains("board"),
        "{listed}"
    );
    let doctor = prefix.own(["doctor", TUPLE]).stdout;
    assert!(
        doctor.contains(&format!("crossmerge init {TUPLE}")),
        "{doctor}"
    );
    prefix.own(["init", TUPLE]).success();
    unchanged(&whole, &tree(&prefix.path()));
}
