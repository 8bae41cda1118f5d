//! `<tuple>-fix-root`: real scripts, a real libtool, and everything that is left alone.

use crate::{init::tree, support::Prefix};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// A script as packages install it, in few lines.
const SCRIPT: &str = "#!/bin/sh\nprefix=/usr\ncase $1 in --libs) printf '%s\\n' \"-L/usr/lib -lz\" ;; --prefix) printf '%s\\n' \"$prefix\" ;; esac\n";

/// A prefix with an empty sysroot and our links.
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

/// Runs `<tuple>-fix-root` and gives what it says on stderr.
fn fix(prefix: &Prefix, args: &[&str]) -> String {
    prefix
        .run(&format!("{ARM}-fix-root"), args)
        .success()
        .stderr
}

/// The absolute paths in what a `*-config` prints, without the options before them.
fn paths(printed: &str) -> Vec<&str> {
    let words = printed.split_whitespace();
    words
        .filter_map(|word| word.find('/').map(|at| &word[at..]))
        .collect()
}

#[test]
fn real_scripts_answer_with_paths_of_the_sysroot_only() {
    // Debian's, of packages that `make check` installs, and a question that each answers with a path of the host.
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
        // This one looks at where it lies, and is right there already; what is written in it is not.
        let said = match name {
            "apr-1-config" => fs::read_to_string(in_place(name))
                .expect(name)
                .replace('"', " "),
            _ => asked(&in_place(name), question),
        };
        let is_outside = |path: &&str| *path == "/usr" || path.starts_with("/usr/");
        assert!(paths(&said).iter().any(is_outside), "{name}: {said}");
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
            let said = asked(called, question);
            let paths = paths(&said);
            assert!(!paths.is_empty(), "{name} names no path");
            let is_inside = |path: &&str| Path::new(path).starts_with(&inside);
            assert!(paths.iter().all(is_inside), "{name} {question}: {said}");
            assert_eq!(
                said.matches("softfloat").count(),
                paths.len(),
                "twice: {said}"
            );
        }
    }
    assert!(fix(&prefix, &[]).starts_with("nothing to do: "));
}

#[test]
fn a_real_libtool_links_through_what_was_corrected() {
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
    let said = run.command("qemu-arm-static", ["build/program"]);
    assert_eq!(said.code, Some(42), "{said:#?}");
}

#[test]
fn every_directory_of_libraries_is_looked_through_and_its_name_kept() {
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
    // A directory that is another's by a link is looked through once.
    symlink("usr/lib", sysroot(&prefix, "lib")).expect("a link");
    // What is no directory of libraries, or lies outside.
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
    let said = fix(&prefix, &[]);
    assert_eq!(
        said.matches("changed  ").count(),
        directories.len(),
        "{said}"
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
        let said = prefix
            .run("cross-fix-root", [path, "bin", ""])
            .success()
            .stderr;
        assert!(said.starts_with("nothing to do: "), "{path}: {said}");
    }
    assert_eq!(tree(&prefix.join("usr")), before);
}

#[test]
fn a_sysroot_of_any_spelling_is_written_so_that_a_shell_reads_it() {
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
        let said = prefix.command(script, ["--prefix"]).success().stdout;
        assert_eq!(said, format!("{root}/usr\n"));
        let said = prefix.run("x-z-config", ["--libs"]).success().stdout;
        assert_eq!(said, format!("-L{root}/usr/lib -lz\n"));
        // libtool itself reads these as a shell does.
        let read = ". \"$0\"; printf %s \"$libdir|$dependency_libs\"";
        let said = prefix
            .command("/bin/sh", ["-c".as_ref(), OsStr::new(read), la.as_os_str()])
            .success();
        let libdir = format!("{root}/usr/lib");
        assert_eq!(
            said.stdout,
            format!("{libdir}| -L{libdir} {libdir}/libm.la -lz")
        );
        let again = [name, "bin", "x-"];
        let said = prefix.run("cross-fix-root", again).success().stderr;
        assert!(said.starts_with("nothing to do: "), "{said}");
        fs::remove_file(prefix.join("bin/x-z-config")).expect("gone");
    }
}

#[test]
fn the_three_forms_of_crossdev() {
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
    // One.
    fresh();
    prefix.run("cross-fix-root", [ARM]).success();
    assert!(!other_is_right());
    assert_eq!(prefix.read_link(&format!("usr/bin/{ARM}-z-config")), own);
    // None, and the environment: the first of the three that is not empty.
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
        // No place for links is known, and the one of the name is not for another sysroot.
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
    // The tuple in the name, or in CHOST.
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
fn what_has_no_meaning_is_refused() {
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
        let said = run(&[option]).success();
        assert!(
            said.stdout.starts_with("Usage: cross-fix-root ") && said.stderr.is_empty(),
            "{said:#?}"
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
    let said = prefix
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
            said.stdout.lines().any(|there| there == line),
            "no {line:?} in {said:#?}"
        );
    }
    assert!(said.stderr.contains("would change in "), "{said:#?}");
}

#[test]
fn a_file_keeps_what_is_not_its_text() {
    let prefix = prefix();
    let path = script(&prefix, "usr/bin/z-config");
    let other = sysroot(&prefix, "usr/bin/y-config");
    fs::hard_link(&path, &other).expect("a hard link");
    // A name elsewhere, as in a copy made of hard links, keeps the old text.
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
    // Neither through a link nor where a name elsewhere would show it.
    let outside = prefix.write("outside", "");
    fs::set_permissions(&outside, PermissionsExt::from_mode(0o600)).expect("a mode");
    symlink(&outside, sysroot(&prefix, "usr/lib/liblink.so")).expect("a link");
    fs::hard_link(&outside, sysroot(&prefix, "usr/lib/libhard.so")).expect("a hard link");
    let said = fix(&prefix, &[]);
    for (path, _, wanted) in cases {
        let mode = sysroot(&prefix, path).metadata().expect(path).mode() & 0o7777;
        assert_eq!(mode, wanted, "{path}: {mode:o}");
    }
    assert_eq!(outside.metadata().expect("a file").mode() & 0o7777, 0o600);
    assert!(
        said.contains("libhard.so: it has another hard link"),
        "{said}"
    );
}

#[test]
fn what_portage_merged_is_left_without_installed() {
    let prefix = prefix();
    let la = write(&prefix, "usr/lib/a b.la", &libtool_archive("/usr/lib"));
    let config = script(&prefix, "usr/bin/z-config");
    write(&prefix, "usr/lib/mine.la", &libtool_archive("/usr/lib"));
    // Merged through names that a link made one with /usr's.
    symlink("usr/lib", sysroot(&prefix, "lib")).expect("a link");
    symlink("usr/bin", sysroot(&prefix, "bin")).expect("a link");
    let contents = "dir /lib\nobj /lib/a b.la 0123 1700000000\nobj /bin/z-config 0123 1700000000\n";
    write(&prefix, "var/db/pkg/sys-libs/zlib-1.3/CONTENTS", contents);
    let (old, _) = (
        fs::read(&la).expect("a text"),
        fs::read(&config).expect("a text"),
    );
    let said = fix(&prefix, &[]);
    assert_eq!(fs::read(&la).expect("a text"), old);
    assert_eq!(fs::read_to_string(&config).expect("a text"), SCRIPT);
    assert!(read(&prefix, "usr/lib/mine.la").contains(ARM));
    // A link would only lead builds to what still names the host.
    assert!(!prefix.join(format!("bin/{ARM}-z-config")).is_symlink());
    for line in [
        format!("left     {}: `sys-libs/zlib-1.3` owns it", la.display()),
        format!("left     {}: `sys-libs/zlib-1.3` owns it", config.display()),
    ] {
        assert!(
            said.lines().any(|there| there == line),
            "no {line:?} in {said}"
        );
    }
    assert!(
        said.contains(&format!("`{ARM}-fix-root --installed`")),
        "{said}"
    );
    fix(&prefix, &["--installed"]);
    assert!(read(&prefix, "usr/lib/a b.la").contains(ARM));
    let said = prefix
        .run(&format!("{ARM}-z-config"), ["--prefix"])
        .success()
        .stdout;
    assert_eq!(Path::new(said.trim()), sysroot(&prefix, "usr"));
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
    // A link in the sysroot is linked too; a program, another's pkg-config and a link that leads out are not.
    symlink("a-config", sysroot(&prefix, "usr/bin/alias-config")).expect("a link");
    symlink("/usr/bin/env", sysroot(&prefix, "usr/bin/out-config")).expect("a link");
    fs::copy("/bin/true", sysroot(&prefix, "usr/bin/elf-config")).expect("a copy");
    script(&prefix, "usr/bin/pkg-config");
    let link = |name: &str| prefix.join(format!("bin/{ARM}-{name}-config"));
    let theirs = prefix.script(&format!("bin/{ARM}-b-config"), "#!/bin/sh\n");
    symlink("/usr/bin/env", link("c")).expect("a link");
    symlink(sysroot(&prefix, "usr/bin/gone-config"), link("d")).expect("a link");
    let said = fix(&prefix, &[]);
    let leads = |name: &str| fs::read_link(link(name)).ok();
    let inside = |name: &str| Some(sysroot(&prefix, &format!("usr/bin/{name}-config")));
    for name in ["a", "alias", "d"] {
        assert_eq!(leads(name), inside(name), "{said}");
    }
    assert_eq!(fs::read_to_string(theirs).expect("a text"), "#!/bin/sh\n");
    assert_eq!(leads("c"), Some("/usr/bin/env".into()));
    for name in ["out", "elf", "pkg"] {
        assert_eq!(leads(name), None, "{name}");
    }
    assert_eq!(
        said.matches("it is not a symlink into the sysroot").count(),
        2,
        "{said}"
    );
    assert_eq!(
        said.matches("it leads out of the sysroot").count(),
        1,
        "{said}"
    );
    assert_eq!(said.matches("changed  ").count(), 4, "{said}");
    // Through a link this one would answer with the link's place.
    let place = prefix.run(&format!("{ARM}-own-place-config"), [] as [&str; 0]);
    assert_eq!(Path::new(place.stdout.trim()), sysroot(&prefix, "usr"));
    // What was called once and lies elsewhere now is ours still.
    prefix.script(
        &format!("bin/{ARM}-own-place-config"),
        &format!(
            "#!/bin/sh\nexec {} \"$@\"\n",
            sysroot(&prefix, "bin/x-config").display()
        ),
    );
    let said = fix(&prefix, &[]);
    assert_eq!(said.matches("link     ").count(), 1, "{said}");
    assert!(fix(&prefix, &[]).contains("nothing to change in "));
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_looked_at() {
    let prefix = prefix();
    // As anyone but the owner of the directory: root may read everything.
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
    let said = prefix.command("setpriv", args).success();
    assert!(
        said.stdout.contains("x.la\n") && !said.stdout.contains("y.la"),
        "{said:#?}"
    );
    let line = format!(
        "left     {}: cannot read it: permission denied\n",
        private.display()
    );
    assert!(said.stderr.contains(&line), "{said:#?}");
}

#[test]
fn symlinks_that_lead_to_this_machine_become_relative() {
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
        // The host alone has it, nobody has it, and it is right.
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
    let said = fix(&prefix, &[]);
    assert!(
        said.contains("libown.so: `sys-libs/own-1` owns it"),
        "{said}"
    );
    assert!(
        said.contains(
            "libhost.so: it leads out of the sysroot, to `/etc/passwd`, which the sysroot does not contain"
        ),
        "{said}"
    );
    assert!(!said.contains("libnone"), "{said}");
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
fn a_script_is_found_by_what_it_answers_whatever_its_name() {
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
    // As Debian's alternatives are.
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
    // Programs of the target's, which run there.
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
    let said = fix(&prefix, &[]);
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
        // The interpreter is the build machine's: the build runs the script.
        let answer = text.split_once('\n').map_or(&text[..], |(first, rest)| {
            if first.starts_with("#!") { rest } else { &text }
        });
        let outside = answer.replace(inside, "").matches("/usr").count();
        assert_eq!(
            answer.matches(inside).count(),
            outside,
            "{path}: {text} {said}"
        );
    }
    for (path, text) in kept {
        assert_eq!(read(&prefix, path), text, "{path}");
    }
    for name in ["z-flags", "real-config", "z-config", "pg_config"] {
        let said = prefix.run(&format!("{ARM}-{name}"), ["--libs"]).success();
        assert!(
            said.stdout.starts_with(&format!("-L{inside}/usr/lib -l")),
            "{name}: {said:#?}"
        );
    }
    assert!(fix(&prefix, &[]).starts_with("nothing to do: "));
}
