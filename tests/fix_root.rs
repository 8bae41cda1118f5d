//! `<tuple>-fix-root` with real scripts and a real libtool, and the files that it leaves alone.

use crate::{init::tree, support::Prefix};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// A short script that prints its prefix as installed `*-config` scripts do.
const SCRIPT: &str = "#!/bin/sh\nprefix=/usr\ncase $1 in --libs) printf '%s\\n' \"-L/usr/lib -lz\" ;; --prefix) printf '%s\\n' \"$prefix\" ;; esac\n";

/// A prefix with an empty sysroot and crossmerge's symlinks.
fn prefix() -> Prefix {
    let prefix = Prefix::new();
    fs::create_dir_all(sysroot(&prefix, "usr/bin")).expect("directories");
    fs::create_dir_all(sysroot(&prefix, "usr/lib")).expect("directories");
    prefix.link(&format!("{ARM}-fix-root"));
    prefix.link("cross-fix-root");
    prefix
}

/// The path of a file in the target's sysroot.
fn sysroot(prefix: &Prefix, path: &str) -> PathBuf {
    prefix.join(format!("usr/{ARM}")).join(path)
}

/// Writes a file in the sysroot.
fn write(prefix: &Prefix, path: &str, text: &str) -> PathBuf {
    prefix.write(&format!("usr/{ARM}/{path}"), text)
}

fn read(prefix: &Prefix, path: &str) -> String {
    prefix.read(&format!("usr/{ARM}/{path}"))
}

fn script(prefix: &Prefix, path: &str) -> PathBuf {
    prefix.script(&format!("usr/{ARM}/{path}"), SCRIPT)
}

fn libtool_archive(libdir: &str) -> String {
    format!(
        "# a libtool library file\ndependency_libs=' -L{libdir} {libdir}/libm.la -lz'\nlibdir='{libdir}'\n"
    )
}

/// Runs `<tuple>-fix-root` and returns its stderr.
fn fix(prefix: &Prefix, args: &[&str]) -> String {
    prefix
        .run(&format!("{ARM}-fix-root"), args)
        .success()
        .stderr
}

/// The absolute paths in the output of a `*-config` script, without the options before them.
fn paths(printed: &str) -> Vec<&str> {
    let words = printed.split_whitespace();
    words
        .filter_map(|word| word.find('/').map(|at| &word[at..]))
        .collect()
}

#[test]
fn real_scripts_print_only_paths_of_the_sysroot() {
    // Scripts of Debian packages that `make check` installs, and options to which each prints a path of the host.
    let scripts = [
        ("apr-1-config", "--includes --link-ld --apr-la-file"),
        ("libassuan-config", "--cflags --libs"),
        ("libgcrypt-config", "--prefix --libs"),
        ("libpng-config", "--cflags"),
        ("libpng16-config", "--prefix --I_opts"),
        ("libusb-config", "--exec-prefix --cflags"),
        ("ncurses6-config", "--prefix --includedir --cflags"),
        ("npth-config", "--prefix --libs"),
        ("pcre2-config", "--prefix --exec-prefix"),
    ];
    let prefix = prefix();
    for (name, _) in scripts {
        let from = Path::new("/usr/bin").join(name);
        let to = sysroot(&prefix, "usr/bin").join(name);
        match fs::read_link(&from) {
            Ok(target) => symlink(target, to).expect("a link"),
            Err(_) => drop(fs::copy(&from, to).unwrap_or_else(|e| panic!("{name}: {e}"))),
        }
    }
    let inside = sysroot(&prefix, "");
    let asked = |name: &Path, question: &str| {
        let ask = |option| prefix.command(name, [option]).success().stdout;
        question.split(' ').map(ask).collect::<String>()
    };
    let in_place = |name: &str| sysroot(&prefix, "usr/bin").join(name);
    for (name, question) in scripts {
        // This script computes its prefix from its own place and so is right already. The paths in its text are not.
        let output = match name {
            "apr-1-config" => fs::read_to_string(in_place(name))
                .expect(name)
                .replace('"', " "),
            _ => asked(&in_place(name), question),
        };
        let is_outside = |path: &&str| *path == "/usr" || path.starts_with("/usr/");
        assert!(paths(&output).iter().any(is_outside), "{name}: {output}");
    }
    fix(&prefix, &[]);
    for (name, question) in scripts {
        let link = prefix.join(format!("bin/{ARM}-{name}"));
        assert_eq!(link.is_symlink(), name != "apr-1-config", "{name}");
        let called = [
            Some(link).filter(|link| link.exists()),
            Some(in_place(name)),
        ];
        for called in called.iter().flatten() {
            let output = asked(called, question);
            let paths = paths(&output);
            assert!(!paths.is_empty(), "{name} names no path");
            let is_inside = |path: &&str| Path::new(path).starts_with(&inside);
            assert!(paths.iter().all(is_inside), "{name} {question}: {output}");
            assert_eq!(
                output.matches("softfloat").count(),
                paths.len(),
                "twice: {output}"
            );
        }
    }
    assert!(fix(&prefix, &[]).starts_with("nothing to do: "));
}

#[test]
fn a_real_libtool_links_with_the_corrected_files() {
    let prefix = Prefix::new();
    let adopt = ["--toolchain", "arm-linux-gnueabi-", "--with-libc"];
    prefix.own(["init", ARM].iter().chain(&adopt)).success();
    let chain = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fix_root/chain.sh");
    let (build, root) = (prefix.join("build"), sysroot(&prefix, ""));
    let args = [build.as_os_str(), ARM.as_ref(), root.as_os_str()];
    prefix.command(chain, args).success();
    let link = || {
        let la = root.join("usr/lib/libabove.la");
        let script = format!(
            "cd build && ./libtool --mode=link {ARM}-gcc -o program program.lo {}",
            la.display()
        );
        prefix.command("/bin/sh", ["-c", &script])
    };
    let before = link();
    assert_eq!(before.code, Some(1), "{before:#?}");
    assert!(
        before.stderr.contains("'/usr/lib/libbelow.la'"),
        "{before:#?}"
    );
    fix(&prefix, &[]);
    link().success();
    let run = prefix.with("QEMU_LD_PREFIX", &root);
    let output = run.command("qemu-arm-static", ["build/program"]);
    assert_eq!(output.code, Some(42), "{output:#?}");
}

#[test]
fn every_library_directory_is_searched_and_keeps_its_name() {
    let prefix = prefix();
    let directories = [
        "usr/lib",
        "usr/lib64",
        "usr/lib32",
        "usr/libx32",
        "lib64",
        "usr/local/lib",
        "usr/lib/arm-linux-gnueabi",
        "usr/lib64/lp64d",
        "usr/lib/a plugin",
    ];
    for directory in directories {
        write(
            &prefix,
            &format!("{directory}/x.la"),
            &libtool_archive(&format!("/{directory}")),
        );
    }
    // A library directory that is a symlink to another one is searched once.
    symlink("usr/lib", sysroot(&prefix, "lib")).expect("a link");
    // Files outside library directories, and outside the sysroot.
    write(&prefix, "usr/share/x.la", &libtool_archive("/usr/share"));
    prefix.write("outside/y.la", &libtool_archive("/usr/lib"));
    symlink(prefix.join("outside"), sysroot(&prefix, "usr/libout")).expect("a link");
    symlink(prefix.join("outside"), sysroot(&prefix, "usr/lib/out")).expect("a link");
    symlink(
        prefix.join("outside/y.la"),
        sysroot(&prefix, "usr/lib/y.la"),
    )
    .expect("a link");
    let outside = tree(&prefix.join("outside"));
    let output = fix(&prefix, &[]);
    assert_eq!(
        output.matches("changed  ").count(),
        directories.len(),
        "{output}"
    );
    for directory in directories {
        let inside = sysroot(&prefix, directory).display().to_string();
        assert_eq!(
            read(&prefix, &format!("{directory}/x.la")),
            libtool_archive(&inside)
        );
    }
    assert_eq!(
        read(&prefix, "usr/share/x.la"),
        libtool_archive("/usr/share")
    );
    assert_eq!(tree(&prefix.join("outside")), outside);
}

#[test]
fn a_sysroot_is_the_same_by_any_of_its_paths() {
    let prefix = prefix();
    write(&prefix, "usr/lib/x.la", &libtool_archive("/usr/lib"));
    script(&prefix, "usr/bin/z-config");
    symlink(sysroot(&prefix, ""), prefix.join("link")).expect("a link");
    fix(&prefix, &[]);
    let before = tree(&prefix.join("usr"));
    for path in ["link", "link/", "usr/../link/.", &format!("usr/{ARM}//")] {
        let output = prefix
            .run("cross-fix-root", [path, "bin", ""])
            .success()
            .stderr;
        assert!(output.starts_with("nothing to do: "), "{path}: {output}");
    }
    assert_eq!(tree(&prefix.join("usr")), before);
}

#[test]
fn a_sysroot_with_special_characters_is_quoted_for_a_shell() {
    let prefix = prefix();
    for name in ["a b", "a&b;c", "it's $HOME `x`", "a\\b\"c", ".*[x](y)|z"] {
        let script = prefix.script(&format!("{name}/usr/bin/z-config"), SCRIPT);
        let la = prefix.write(
            &format!("{name}/usr/lib/x.la"),
            &libtool_archive("/usr/lib"),
        );
        let root = prefix.join(name);
        prefix
            .run(
                "cross-fix-root",
                [root.as_os_str(), "bin".as_ref(), "x-".as_ref()],
            )
            .success();
        let root = root.display();
        let output = prefix.command(script, ["--prefix"]).success().stdout;
        assert_eq!(output, format!("{root}/usr\n"));
        let output = prefix.run("x-z-config", ["--libs"]).success().stdout;
        assert_eq!(output, format!("-L{root}/usr/lib -lz\n"));
        // libtool reads these values as a shell does.
        let read = ". \"$0\"; printf %s \"$libdir|$dependency_libs\"";
        let output = prefix
            .command("/bin/sh", ["-c".as_ref(), OsStr::new(read), la.as_os_str()])
            .success();
        let libdir = format!("{root}/usr/lib");
        assert_eq!(
            output.stdout,
            format!("{libdir}| -L{libdir} {libdir}/libm.la -lz")
        );
        let again = [name, "bin", "x-"];
        let output = prefix.run("cross-fix-root", again).success().stderr;
        assert!(output.starts_with("nothing to do: "), "{output}");
        fs::remove_file(prefix.join("bin/x-z-config")).expect("gone");
    }
}

#[test]
fn the_three_forms_of_crossdevs_command() {
    let prefix = prefix();
    let path = prefix.join("other").display().to_string();
    let fresh = || {
        prefix.script("other/usr/bin/z-config", SCRIPT);
        script(&prefix, "usr/bin/z-config");
        let _ = fs::remove_dir_all(prefix.join("links"));
        for directory in ["links/tools", "usr/bin"] {
            fs::create_dir_all(prefix.join(directory)).expect("a directory");
        }
    };
    let other_is_right = || {
        prefix
            .read("other/usr/bin/z-config")
            .contains(&format!("{path}/usr"))
    };
    let own = sysroot(&prefix, "usr/bin/z-config");

    // Three arguments, and no CHOST.
    fresh();
    prefix
        .run("cross-fix-root", [path.as_str(), "links", "arm-x-"])
        .success();
    assert!(other_is_right());
    assert_eq!(
        prefix.read_link("links/arm-x-z-config"),
        Path::new(&format!("{path}/usr/bin/z-config"))
    );
    // One argument.
    fresh();
    prefix.run("cross-fix-root", [ARM]).success();
    assert!(!other_is_right());
    assert_eq!(prefix.read_link(&format!("usr/bin/{ARM}-z-config")), own);
    // No arguments: the first of three environment variables that is not empty names the root.
    for (name, empty) in [
        ("SYSROOT", "ROOT"),
        ("ROOT", "SYSROOT"),
        ("STAGEDIR", "ROOT"),
    ] {
        fresh();
        let with = prefix
            .with(name, &path)
            .with(empty, "")
            .with("CROSS_COMPILE", "arm-y-");
        with.run("cross-fix-root", [] as [&str; 0]).success();
        assert!(other_is_right(), "{name}");
        // There is no directory for symlinks: that of argv[0] is only for the target's own sysroot.
        with.run(&format!("{ARM}-fix-root"), [] as [&str; 0])
            .success();
        assert_eq!(fs::read_dir(prefix.join("bin")).expect("bin").count(), 3);
        with.with("ROOTDIR", prefix.join("links"))
            .run("cross-fix-root", [] as [&str; 0])
            .success();
        assert!(
            prefix.join("links/tools/arm-y-z-config").is_symlink(),
            "{name}"
        );
    }
    // The tuple in argv[0], or in CHOST.
    fresh();
    fix(&prefix, &[]);
    assert_eq!(prefix.read_link(&format!("bin/{ARM}-z-config")), own);
    fresh();
    prefix
        .with("CHOST", ARM)
        .run("cross-fix-root", [] as [&str; 0])
        .success();
    assert!(fs::read_to_string(&own).expect("a text").contains(ARM));
}

#[test]
fn meaningless_arguments_are_errors() {
    let prefix = prefix();
    let before = tree(&prefix.join(""));
    let run = |args: &[&str]| prefix.run("cross-fix-root", args);
    run(&[]).fails(
        125,
        "needs a tuple in its name, an argument, or SYSROOT",
        "cross-fix-root --help",
    );
    run(&["a", "b"]).fails(125, "no, one or three arguments, but got 2", "--help");
    run(&["--wrong"]).fails(125, "there is no option `--wrong`", "--help");
    run(&["usr", "bin", "a/b-"]).fails(125, "cannot be the prefix of symlinks", "as the third");
    run(&["nowhere", "bin", "x-"]).fails(
        125,
        "there is no directory `nowhere`",
        "crossmerge targets",
    );
    run(&["avr"]).fails(125, "of `avr` does not exist", "crossmerge init avr");
    run(&["a b"]).fails(125, "is not a tuple", "");
    for root in ["/", "/usr/..", &prefix.path().display().to_string()] {
        run(&[root, "bin", "x-"]).fails(125, "the host's own root", "crossmerge targets");
        let with = prefix.with("SYSROOT", root);
        let run = |name: &str| with.run(name, [] as [&str; 0]);
        run("cross-fix-root").fails(125, "the host's own root", "unset SYSROOT");
        run(&format!("{ARM}-fix-root")).fails(125, "the host's own root", "unset SYSROOT");
    }
    let nowhere = prefix.with("STAGEDIR", "/nowhere");
    nowhere
        .run("cross-fix-root", [] as [&str; 0])
        .fails(125, "`/nowhere`", "unset STAGEDIR");
    assert_eq!(tree(&prefix.join("")), before);
    for option in ["--help", "-h"] {
        let output = run(&[option]).success();
        assert!(
            output.stdout.starts_with("Usage: cross-fix-root ") && output.stderr.is_empty(),
            "{output:#?}"
        );
    }
    prefix.own(["plan", ARM, "fix-root"]).fails(
        125,
        "runs no program",
        &format!("{ARM}-fix-root --dry-run"),
    );
}

#[test]
fn a_dry_run_prints_a_diff_and_touches_nothing() {
    let prefix = prefix();
    script(&prefix, "usr/bin/z-config");
    let library = write(&prefix, "usr/lib/libz.so.1", "");
    fs::set_permissions(&library, PermissionsExt::from_mode(0o600)).expect("a mode");
    let before = tree(&prefix.join(""));
    let output = prefix
        .run(&format!("{ARM}-fix-root"), ["--dry-run"])
        .success();
    assert_eq!(tree(&prefix.join("")), before);
    let inside = sysroot(&prefix, "").display().to_string();
    let inside = inside.trim_end_matches('/');
    for line in [
        "-prefix=/usr".into(),
        format!("+prefix={inside}/usr"),
        format!("mode {} 600 -> 755", library.display()),
        format!(
            "link {}-z-config -> {inside}/usr/bin/z-config",
            prefix.join("bin").join(ARM).display()
        ),
    ] {
        assert!(
            output.stdout.lines().any(|there| there == line),
            "no {line:?} in {output:#?}"
        );
    }
    assert!(output.stderr.contains("would change in "), "{output:#?}");
}

#[test]
fn a_corrected_file_keeps_its_mode_owner_and_time() {
    let prefix = prefix();
    let path = script(&prefix, "usr/bin/z-config");
    let other = sysroot(&prefix, "usr/bin/y-config");
    fs::hard_link(&path, &other).expect("a hard link");
    // A hard link elsewhere, as `cp -al` makes it, keeps the old text.
    let elsewhere = prefix.join("elsewhere");
    fs::hard_link(&path, &elsewhere).expect("a hard link");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o4751)).expect("a mode");
    std::os::unix::fs::chown(&path, Some(12), Some(34)).ok();
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    let file = fs::File::options().write(true).open(&path).expect("a file");
    file.set_modified(old).expect("a time");
    let before = path.metadata().expect("a file");
    fix(&prefix, &[]);
    let after = path.metadata().expect("a file");
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.modified().expect("a time"), old);
    let kept = |m: &fs::Metadata| (m.mode(), m.uid(), m.gid());
    assert_eq!(kept(&before), kept(&after));
    assert_eq!(other.metadata().expect("a file").ino(), after.ino());
    assert_eq!(fs::read_to_string(elsewhere).expect("a text"), SCRIPT);
}

#[test]
fn libraries_are_755_and_archives_644() {
    let prefix = prefix();
    let cases = [
        ("usr/lib/libz.so", 0o644, 0o755),
        ("lib64/libz.so.1", 0o4600, 0o4755),
        ("usr/lib/libz.a", 0o755, 0o644),
        ("usr/lib/x/plugin.la", 0o600, 0o644),
        ("usr/lib/plugin.so", 0o600, 0o600),
        ("usr/share/libz.so", 0o600, 0o600),
    ];
    for (path, mode, _) in cases {
        let path = write(&prefix, path, "");
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
    }
    // The modes of files outside do not change: not through a symlink, and not through a hard link.
    let outside = prefix.write("outside", "");
    fs::set_permissions(&outside, PermissionsExt::from_mode(0o600)).expect("a mode");
    symlink(&outside, sysroot(&prefix, "usr/lib/liblink.so")).expect("a link");
    fs::hard_link(&outside, sysroot(&prefix, "usr/lib/libhard.so")).expect("a hard link");
    let output = fix(&prefix, &[]);
    for (path, _, wanted) in cases {
        let mode = sysroot(&prefix, path).metadata().expect(path).mode() & 0o7777;
        assert_eq!(mode, wanted, "{path}: {mode:o}");
    }
    assert_eq!(outside.metadata().expect("a file").mode() & 0o7777, 0o600);
    assert!(
        output.contains("libhard.so: it has another hard link"),
        "{output}"
    );
}

#[test]
fn files_that_portage_merged_stay_without_the_option_installed() {
    let prefix = prefix();
    let la = write(&prefix, "usr/lib/a b.la", &libtool_archive("/usr/lib"));
    let config = script(&prefix, "usr/bin/z-config");
    write(&prefix, "usr/lib/mine.la", &libtool_archive("/usr/lib"));
    // The package was merged through symlinks to directories of /usr.
    symlink("usr/lib", sysroot(&prefix, "lib")).expect("a link");
    symlink("usr/bin", sysroot(&prefix, "bin")).expect("a link");
    let contents = "dir /lib\nobj /lib/a b.la 0123 1700000000\nobj /bin/z-config 0123 1700000000\n";
    write(&prefix, "var/db/pkg/sys-libs/zlib-1.3/CONTENTS", contents);
    let (old, _) = (
        fs::read(&la).expect("a text"),
        fs::read(&config).expect("a text"),
    );
    let output = fix(&prefix, &[]);
    assert_eq!(fs::read(&la).expect("a text"), old);
    assert_eq!(fs::read_to_string(&config).expect("a text"), SCRIPT);
    assert!(read(&prefix, "usr/lib/mine.la").contains(ARM));
    // There is no symlink yet, because builds would find a script that still prints the host's paths.
    assert!(!prefix.join(format!("bin/{ARM}-z-config")).is_symlink());
    for line in [
        format!("left     {}: `sys-libs/zlib-1.3` owns it", la.display()),
        format!("left     {}: `sys-libs/zlib-1.3` owns it", config.display()),
    ] {
        assert!(
            output.lines().any(|there| there == line),
            "no {line:?} in {output}"
        );
    }
    assert!(
        output.contains(&format!("`{ARM}-fix-root --installed`")),
        "{output}"
    );
    fix(&prefix, &["--installed"]);
    assert!(read(&prefix, "usr/lib/a b.la").contains(ARM));
    let output = prefix
        .run(&format!("{ARM}-z-config"), ["--prefix"])
        .success()
        .stdout;
    assert_eq!(Path::new(output.trim()), sysroot(&prefix, "usr"));
    assert!(fix(&prefix, &[]).starts_with("nothing to do: "));
}

#[test]
fn only_links_into_the_sysroot_are_replaced() {
    let prefix = prefix();
    for name in ["a", "b", "c", "d", "own-place"] {
        script(&prefix, &format!("usr/bin/{name}-config"));
    }
    let own = "#!/bin/sh\nprefix=$(cd \"$(dirname \"$0\")/..\" && pwd)\necho $prefix\n";
    prefix.script(&format!("usr/{ARM}/usr/bin/own-place-config"), own);
    // A symlink inside the sysroot gets one too. A program, a pkg-config, and a symlink that leads out do not.
    symlink("a-config", sysroot(&prefix, "usr/bin/alias-config")).expect("a link");
    symlink("/usr/bin/env", sysroot(&prefix, "usr/bin/out-config")).expect("a link");
    fs::copy("/bin/true", sysroot(&prefix, "usr/bin/elf-config")).expect("a copy");
    script(&prefix, "usr/bin/pkg-config");
    let link = |name: &str| prefix.join(format!("bin/{ARM}-{name}-config"));
    let theirs = prefix.script(&format!("bin/{ARM}-b-config"), "#!/bin/sh\n");
    symlink("/usr/bin/env", link("c")).expect("a link");
    symlink(sysroot(&prefix, "usr/bin/gone-config"), link("d")).expect("a link");
    let output = fix(&prefix, &[]);
    let leads = |name: &str| fs::read_link(link(name)).ok();
    let inside = |name: &str| Some(sysroot(&prefix, &format!("usr/bin/{name}-config")));
    for name in ["a", "alias", "d"] {
        assert_eq!(leads(name), inside(name), "{output}");
    }
    assert_eq!(fs::read_to_string(theirs).expect("a text"), "#!/bin/sh\n");
    assert_eq!(leads("c"), Some("/usr/bin/env".into()));
    for name in ["out", "elf", "pkg"] {
        assert_eq!(leads(name), None, "{name}");
    }
    assert_eq!(
        output
            .matches("it is not a symlink into the sysroot")
            .count(),
        2,
        "{output}"
    );
    assert_eq!(
        output.matches("it leads out of the sysroot").count(),
        1,
        "{output}"
    );
    assert_eq!(output.matches("changed  ").count(), 4, "{output}");
    // Through a symlink this script would print the symlink's directory.
    let place = prefix.run(&format!("{ARM}-own-place-config"), [] as [&str; 0]);
    assert_eq!(Path::new(place.stdout.trim()), sysroot(&prefix, "usr"));
    // A script of crossmerge that calls another one is replaced, although the other one has moved.
    prefix.script(
        &format!("bin/{ARM}-own-place-config"),
        &format!(
            "#!/bin/sh\nexec {} \"$@\"\n",
            sysroot(&prefix, "bin/x-config").display()
        ),
    );
    let output = fix(&prefix, &[]);
    assert_eq!(output.matches("link     ").count(), 1, "{output}");
    assert!(fix(&prefix, &[]).contains("nothing to change in "));
}

#[test]
fn an_unreadable_directory_is_named_and_the_rest_is_searched() {
    let prefix = prefix();
    // The test runs as another user than the owner, because root may read everything.
    for directory in [prefix.path(), sysroot(&prefix, "usr/lib")] {
        fs::set_permissions(directory, PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    write(&prefix, "usr/lib/x.la", &libtool_archive("/usr/lib"));
    write(
        &prefix,
        "usr/lib/private/y.la",
        &libtool_archive("/usr/lib"),
    );
    let private = sysroot(&prefix, "usr/lib/private");
    fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).expect("a mode");
    let program = fs::canonicalize(prefix.join("bin/crossmerge")).expect("the program");
    let name = prefix.join(format!("bin/{ARM}-fix-root"));
    fs::remove_file(&name).expect("gone");
    fs::copy(program, &name).expect("a copy");
    let program = name.to_str().expect("UTF-8");
    let args = ["--reuid=65534", "--clear-groups", program, "--dry-run"];
    let output = prefix.command("setpriv", args).success();
    assert!(
        output.stdout.contains("x.la\n") && !output.stdout.contains("y.la"),
        "{output:#?}"
    );
    let line = format!(
        "left     {}: cannot read it: permission denied\n",
        private.display()
    );
    assert!(output.stderr.contains(&line), "{output:#?}");
}

#[test]
fn symlinks_that_lead_to_the_host_become_relative() {
    let prefix = prefix();
    for path in [
        "lib/libz.so.1",
        "usr/lib/x/liby.so.2",
        "usr/lib/libown.so.1",
    ] {
        write(&prefix, path, "");
    }
    fs::create_dir_all(sysroot(&prefix, "etc/alternatives")).expect("a directory");
    let links = [
        ("usr/lib/libz.so", "/lib/libz.so.1", "../../lib/libz.so.1"),
        (
            "usr/lib/liby.so",
            "/etc/alternatives/liby.so",
            "../../etc/alternatives/liby.so",
        ),
        (
            "etc/alternatives/liby.so",
            "/usr/lib/x/liby.so.2",
            "../../usr/lib/x/liby.so.2",
        ),
        ("lib64", "/usr/lib", "usr/lib"),
        ("usr/lib/libown.so", "/usr/lib/libown.so.1", "libown.so.1"),
        // Three targets that stay: one exists only on the host, one does not exist, and one is right.
        ("usr/lib/libhost.so", "/etc/passwd", "/etc/passwd"),
        (
            "usr/lib/libnone.so",
            "/nowhere/libnone.so.1",
            "/nowhere/libnone.so.1",
        ),
        (
            "usr/lib/libright.so",
            "../../lib/libz.so.1",
            "../../lib/libz.so.1",
        ),
    ];
    for (link, target, _) in links {
        symlink(target, sysroot(&prefix, link)).expect(link);
    }
    let contents = "sym /usr/lib/libown.so -> /usr/lib/libown.so.1 1700000000\n";
    write(&prefix, "var/db/pkg/sys-libs/own-1/CONTENTS", contents);
    let before = tree(&prefix.join(""));
    let dry = prefix
        .run(&format!("{ARM}-fix-root"), ["--dry-run"])
        .success();
    assert_eq!(tree(&prefix.join("")), before);
    let line = format!(
        "symlink {} -> ../../lib/libz.so.1, instead of /lib/libz.so.1\n",
        sysroot(&prefix, "usr/lib/libz.so").display()
    );
    assert!(dry.stdout.contains(&line), "no {line} in {dry:#?}");
    let output = fix(&prefix, &[]);
    assert!(
        output.contains("libown.so: `sys-libs/own-1` owns it"),
        "{output}"
    );
    assert!(
        output.contains(
            "libhost.so: it leads out of the sysroot, to `/etc/passwd`, which the sysroot does not contain"
        ),
        "{output}"
    );
    assert!(!output.contains("libnone"), "{output}");
    let leads = |link: &str| fs::read_link(sysroot(&prefix, link)).expect(link);
    assert_eq!(
        leads("usr/lib/libown.so"),
        Path::new("/usr/lib/libown.so.1")
    );
    fix(&prefix, &["--installed"]);
    for (link, _, relative) in links {
        assert_eq!(leads(link), Path::new(relative), "{link}");
    }
    assert!(fix(&prefix, &[]).contains("nothing to change in "));
}

#[test]
fn a_script_is_recognised_by_its_content_not_its_name() {
    let prefix = prefix();
    let inside = sysroot(&prefix, "").display().to_string();
    let inside = inside.trim_end_matches('/');
    let put = |path: &str, text: &str| prefix.script(&format!("usr/{ARM}/{path}"), text);
    put("usr/bin/z-flags", SCRIPT);
    put("usr/bin/z-config-1.0", SCRIPT);
    put(
        "usr/bin/pg_config",
        "#!/usr/bin/perl\nmy $prefix = '/usr';\nif ($ARGV[0] eq '--libs') { print \"-L/usr/lib -lpq\\n\"; }\n",
    );
    put("usr/bin/prints", "#!/bin/sh\necho -L/usr/lib -lz\n");
    put("usr/lib/z/z.real", SCRIPT);
    symlink("../lib/z/z.real", sysroot(&prefix, "usr/bin/real-config")).expect("a link");
    // Symlinks as Debian's alternatives makes them.
    fs::create_dir_all(sysroot(&prefix, "etc/alternatives")).expect("a directory");
    symlink(
        "/etc/alternatives/z-config",
        sysroot(&prefix, "usr/bin/z-config"),
    )
    .expect("a link");
    symlink(
        "/usr/bin/z-flags",
        sysroot(&prefix, "etc/alternatives/z-config"),
    )
    .expect("a link");
    for (path, text) in [
        (
            "usr/lib/tcl8.6/tclConfig.sh",
            "# tcl\nTCL_PREFIX='/usr'\nTCL_LIB_SPEC='-L/usr/lib -ltcl8.6'\n",
        ),
        (
            "usr/lib/xml2Conf.sh",
            "XML2_INCLUDEDIR=\"-I/usr/include/libxml2\"\n",
        ),
        ("usr/share/x/xConfig.sh", "X_LIBS=-L/usr/lib\n"),
    ] {
        write(&prefix, path, text);
    }
    // Programs for the target, which run on the target only.
    let kept = [
        (
            "usr/bin/firefox",
            "#!/bin/sh\nlibdir=/usr/lib/firefox\nexec $libdir/firefox \"$@\"\n",
        ),
        (
            "usr/bin/uses",
            "#!/bin/sh\nprefix=/usr\nLIBS=$(z-config --libs)\nexec cc -L/usr/lib $LIBS\n",
        ),
        ("usr/lib/os-release", "NAME=x\nLOGO=/usr/lib/x.png\n"),
        ("usr/bin/x-pkg-config", SCRIPT),
    ];
    for (path, text) in kept {
        put(path, text);
    }
    let output = fix(&prefix, &[]);
    for path in [
        "usr/bin/z-flags",
        "usr/bin/z-config-1.0",
        "usr/bin/pg_config",
        "usr/bin/prints",
        "usr/lib/z/z.real",
        "usr/lib/tcl8.6/tclConfig.sh",
        "usr/lib/xml2Conf.sh",
        "usr/share/x/xConfig.sh",
    ] {
        let text = read(&prefix, path);
        // The first line stays, because the build machine runs the script.
        let answer = text.split_once('\n').map_or(&text[..], |(first, rest)| {
            if first.starts_with("#!") { rest } else { &text }
        });
        let outside = answer.replace(inside, "").matches("/usr").count();
        assert_eq!(
            answer.matches(inside).count(),
            outside,
            "{path}: {text} {output}"
        );
    }
    for (path, text) in kept {
        assert_eq!(read(&prefix, path), text, "{path}");
    }
    for name in ["z-flags", "real-config", "z-config", "pg_config"] {
        let output = prefix.run(&format!("{ARM}-{name}"), ["--libs"]).success();
        assert!(
            output.stdout.starts_with(&format!("-L{inside}/usr/lib -l")),
            "{name}: {output:#?}"
        );
    }
    assert!(fix(&prefix, &[]).starts_with("nothing to do: "));
}
