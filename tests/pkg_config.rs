//! `<tuple>-pkg-config`: its sysroot, its library directories and its real tool. There is one test for each part of
//! the contract that crossdev's wrapper keeps, and for each of that wrapper's defects. The numbers are Gentoo's bugs.

mod leaks;
mod portage;
mod versions;

use crate::support::{CROSSMERGE, Prefix};
use std::{os::unix::fs::symlink, path::Path};

pub(crate) const ARM: &str = "arm-linux-gnueabi";

/// The first lines of each `.pc` file in these tests.
const HEAD: &str = "prefix=/usr\nincludedir=${prefix}/include\nlibdir=${prefix}/lib\n\
                    Name: x\nDescription: x\nVersion: 1.2\n";

/// A prefix with `<tuple>-pkg-config` and an empty sysroot.
pub(crate) fn cross(tuple: &str) -> Prefix {
    let prefix = Prefix::new();
    prefix.link(&format!("{tuple}-pkg-config"));
    std::fs::create_dir_all(prefix.join(format!("usr/{tuple}"))).expect("a sysroot");
    prefix
}

/// Writes a `.pc` file with these fields, and returns its path.
pub(crate) fn package(prefix: &Prefix, path: &str, fields: &str) -> std::path::PathBuf {
    prefix.write(path, &format!("{HEAD}{fields}\n"))
}

/// Writes a package whose flags name its own header directory and library directory.
fn plain(prefix: &Prefix, directory: &str, name: &str) {
    let fields = format!("Cflags: -I${{includedir}}/{name}\nLibs: -L${{libdir}}/{name} -l{name}");
    package(prefix, &format!("{directory}/{name}.pc"), &fields);
}

/// The flags of [`plain`] below a sysroot, as pkg-config prints them.
fn flags(sysroot: &Path, name: &str) -> String {
    let sysroot = sysroot.display();
    format!("-I{sysroot}/usr/include/{name} -L{sysroot}/usr/lib/{name} -l{name} \n")
}

/// Prints the flags of a package.
#[track_caller]
fn ask(prefix: &Prefix, name: &str) -> String {
    let output = prefix.run(&format!("{ARM}-pkg-config"), ["--cflags", "--libs", name]);
    output.success().stdout
}

#[test]
fn the_default_sysroot_is_usr_tuple_below_broot() {
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig"), "foo");
    assert_eq!(
        ask(&prefix, "foo"),
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
}

#[test]
fn sysroot_in_the_environment_names_the_sysroot() {
    let prefix = cross(ARM);
    plain(&prefix, "board/usr/lib/pkgconfig", "foo");
    let board = prefix.join("board");
    assert_eq!(
        ask(&prefix.with("SYSROOT", &board), "foo"),
        flags(&board, "foo")
    );
    let slash = format!("{}/", board.display());
    assert_eq!(
        ask(&prefix.with("SYSROOT", slash), "foo"),
        flags(&board, "foo")
    );
}

#[test]
fn in_eapi_7_esysroot_names_the_sysroot_and_a_prefix_is_inside_it() {
    let prefix = cross(ARM);
    plain(&prefix, "board/opt/pre/usr/lib/pkgconfig", "foo");
    let board = prefix.join("board");
    let mut ebuild = prefix.with("SYSROOT", &board);
    ebuild.set("ESYSROOT", board.join("opt/pre"));
    ebuild.set("ROOT", "/nowhere");
    assert_eq!(ask(&ebuild, "foo"), flags(&board, "foo"));
    ebuild.set("ESYSROOT", format!("{}/", board.display()));
    plain(&prefix, "board/usr/lib/pkgconfig", "bar");
    assert_eq!(ask(&ebuild, "bar"), flags(&board, "bar"));
}

#[test]
fn a_prefix_inside_a_prefix_is_added_once() {
    // A prefixed Portage builds for a sysroot inside its own prefix (bug 642604).
    let prefix = cross(ARM);
    let pre = prefix.path().display().to_string();
    let sysroot = prefix.join(format!("usr/{ARM}"));
    plain(&prefix, &format!("usr/{ARM}{pre}/usr/lib/pkgconfig"), "foo");
    let mut ebuild = prefix.with("SYSROOT", &sysroot);
    ebuild.set("EPREFIX", &pre);
    ebuild.set("ESYSROOT", format!("{}{pre}", sysroot.display()));
    assert_eq!(ask(&ebuild, "foo"), flags(&sysroot, "foo"));
}

#[test]
fn in_eapi_6_root_and_sysroot_name_the_sysroot() {
    let prefix = cross(ARM);
    let board = prefix.join("board");
    plain(&prefix, "board/pre/usr/lib/pkgconfig", "foo");
    let mut ebuild = prefix.with("ROOT", "/nowhere");
    ebuild.set("SYSROOT", &board);
    ebuild.set("EPREFIX", "/pre");
    assert_eq!(ask(&ebuild, "foo"), flags(&board, "foo"));
}

#[test]
fn eapi_6_without_a_sysroot_builds_natively_in_portages_prefix() {
    let prefix = cross(ARM);
    plain(&prefix, "usr/lib/pkgconfig", "foo");
    for sysroot in [None, Some(""), Some("/")] {
        let mut ebuild = prefix.with("ROOT", "/");
        if let Some(sysroot) = sysroot {
            ebuild.set("SYSROOT", sysroot);
        }
        assert_eq!(
            ask(&ebuild, "foo"),
            "-I/usr/include/foo -L/usr/lib/foo -lfoo \n",
            "{sysroot:?}"
        );
    }
}

#[test]
fn in_eapi_9_no_root_eprefix_or_workdir_is_set() {
    let prefix = cross(ARM);
    let board = prefix.join("board");
    plain(&prefix, "board/usr/lib/pkgconfig", "foo");
    prefix.write(
        "build/work/x/bundled.pc",
        &format!("{HEAD}Cflags: -DBUNDLED\n"),
    );
    std::fs::create_dir_all(prefix.join("build/temp")).expect("T");
    let mut ebuild = prefix.with("SYSROOT", &board);
    ebuild.set("ESYSROOT", &board);
    ebuild.set("TMPDIR", prefix.join("build/temp"));
    ebuild.set("PKG_CONFIG_PATH", prefix.join("build/work/x"));
    assert_eq!(ask(&ebuild, "foo"), flags(&board, "foo"));
    assert_eq!(ask(&ebuild, "bundled"), "-DBUNDLED \n");
}

#[test]
fn stagedir_names_the_sysroot_for_uclinux() {
    let prefix = cross(ARM);
    plain(&prefix, "stage/usr/lib/pkgconfig", "foo");
    plain(&prefix, "stage/own", "bar");
    let stage = prefix.join("stage");
    let mut uclinux = prefix.with("STAGEDIR", &stage);
    uclinux.set("UCLINUX_PKG_CONFIG_LIBDIR", stage.join("own"));
    assert_eq!(ask(&uclinux, "foo"), flags(&stage, "foo"));
    assert_eq!(ask(&uclinux, "bar"), flags(&stage, "bar"));
}

#[test]
fn an_empty_sysroot_dir_is_respected_and_never_searches_the_host() {
    let prefix = cross(ARM);
    let board = prefix.join("board");
    let spelt = format!("Cflags: -I{}/usr/include/foo", board.display());
    package(&prefix, "board/usr/lib/pkgconfig/foo.pc", &spelt);
    let mut blank = prefix.with("SYSROOT", &board);
    blank.set("PKG_CONFIG_SYSROOT_DIR", "");
    // No path gets a prefix, and the package is the sysroot's.
    assert_eq!(
        ask(&blank, "foo"),
        format!("-I{}/usr/include/foo \n", board.display())
    );
    let output = blank
        .own(["plan", "--json", ARM, "pkg-config", "--libs", "foo"])
        .success();
    let plan: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(plan["env"]["PKG_CONFIG_SYSROOT_DIR"], "");
    let directories = plan["env"]["PKG_CONFIG_LIBDIR"].as_str().expect("a list");
    for directory in directories.split(':') {
        assert!(Path::new(directory).starts_with(&board), "{directory}");
    }
}

#[test]
fn options_about_pkg_config_itself_need_no_sysroot() {
    // Bug 830840: PKG_PROG_PKG_CONFIG calls it with `--atleast-pkgconfig-version`.
    let prefix = Prefix::new();
    prefix.link(&format!("{ARM}-pkg-config"));
    let name = format!("{ARM}-pkg-config");
    for question in [
        &["--version"][..],
        &["--about"],
        &["--help"],
        &["--dump-personality"],
        &["--atleast-pkgconfig-version", "0.9.0"],
        &["--atleast-pkgconfig-version=0.9.0"],
    ] {
        let bare = prefix.command("pkg-config", question).success();
        assert_eq!(
            prefix.run(&name, question).success().stdout,
            bare.stdout,
            "{question:?}"
        );
    }
    prefix.run(&name, ["--exists", "zlib"]).fails(
        125,
        &format!("the sysroot `{}/usr/{ARM}`", prefix.path().display()),
        "crossmerge init",
    );
    prefix
        .with("SYSROOT", "/nowhere")
        .run(&name, ["--exists", "zlib"])
        .fails(125, "the sysroot `/nowhere`", "unset SYSROOT");
}

#[test]
fn the_system_paths_are_inside_the_sysroot() {
    let prefix = cross(ARM);
    let sysroot = prefix.join(format!("usr/{ARM}"));
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Cflags: -I${includedir}\nLibs: -L${libdir} -L/lib -lfoo",
    );
    assert_eq!(ask(&prefix, "foo"), "-lfoo \n");
    // Bug 939334: a caller may ask for the system paths.
    let mut all = prefix.with("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1");
    all.set("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1");
    let sysroot = sysroot.display();
    assert_eq!(
        ask(&all, "foo"),
        format!("-I{sysroot}/usr/include -L{sysroot}/usr/lib -L{sysroot}/lib -lfoo \n")
    );
}

#[test]
fn libraries_outside_usr_get_the_sysroot_too() {
    // Bug 517530.
    let prefix = cross(ARM);
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Libs: -L/lib64 -lfoo",
    );
    let sysroot = prefix.join(format!("usr/{ARM}"));
    assert_eq!(
        ask(&prefix, "foo"),
        format!("-L{}/lib64 -lfoo \n", sysroot.display())
    );
}

#[test]
fn packages_in_usr_share_are_found() {
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/share/pkgconfig"), "foo");
    assert_eq!(
        ask(&prefix, "foo"),
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
}

#[test]
fn variables_are_printed_without_the_sysroot() {
    // Bug 815520: a build installs files into the directory that a variable names.
    let prefix = cross(ARM);
    package(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"), "");
    let output = prefix.run(
        &format!("{ARM}-pkg-config"),
        ["--variable=includedir", "foo"],
    );
    assert_eq!(output.success().stdout, "/usr/include\n");
}

#[test]
fn a_destdir_that_is_the_sysroot_changes_nothing() {
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig"), "foo");
    let sysroot = prefix.join(format!("usr/{ARM}"));
    assert_eq!(
        ask(&prefix.with("DESTDIR", &sysroot), "foo"),
        flags(&sysroot, "foo")
    );
}

/// The library directories that pkg-config searches, from PKG_CONFIG_LIBDIR.
#[track_caller]
fn searched(prefix: &Prefix) -> Vec<String> {
    let output = prefix
        .own(["plan", "--json", ARM, "pkg-config", "--libs", "foo"])
        .success();
    let plan: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let sysroot = format!("{}/usr/", prefix.join(format!("usr/{ARM}")).display());
    let directories = plan["env"]["PKG_CONFIG_LIBDIR"].as_str().expect("a list");
    let libdir = |directory: &str| {
        directory
            .strip_prefix(&sysroot)?
            .strip_suffix("/pkgconfig")
            .map(str::to_owned)
    };
    let mut libdirs: Vec<String> = directories.split(':').filter_map(libdir).collect();
    assert_eq!(libdirs.pop().as_deref(), Some("share"), "{directories}");
    libdirs
}

#[test]
fn the_environment_names_the_libdir() {
    let prefix = cross(ARM);
    std::fs::create_dir_all(prefix.join(format!("usr/{ARM}/usr/lib/pkgconfig")))
        .expect("a directory");
    let mut abi = prefix.with("LIBDIR_n64", "lib64");
    abi.set("LIBDIR_default", "libdefault");
    assert_eq!(searched(&abi), ["libdefault"]);
    abi.set("DEFAULT_ABI", "n64");
    assert_eq!(searched(&abi), ["lib64"]);
    abi.set("LIBDIR_n32", "lib32");
    abi.set("ABI", "n32");
    assert_eq!(searched(&abi), ["lib32"]);
}

#[test]
fn the_libdirs_of_the_sysroot_are_found() {
    for libdir in [
        "lib",
        "lib64",
        "lib32",
        "lib/arm-linux-gnueabi",
        "lib64/lp64d",
    ] {
        let prefix = cross(ARM);
        std::fs::create_dir_all(prefix.join(format!("usr/{ARM}/usr/{libdir}/pkgconfig")))
            .expect(libdir);
        assert_eq!(searched(&prefix), [libdir]);
    }
    let prefix = cross(ARM);
    assert_eq!(searched(&prefix), ["lib"], "nothing is there");
    for libdir in ["lib", "lib64"] {
        std::fs::create_dir_all(prefix.join(format!("usr/{ARM}/usr/{libdir}/pkgconfig")))
            .expect(libdir);
    }
    assert_eq!(searched(&prefix), ["lib64", "lib"]);
}

#[test]
fn a_libdir_that_is_a_symlink_to_another_counts_once() {
    let prefix = cross(ARM);
    std::fs::create_dir_all(prefix.join(format!("usr/{ARM}/usr/lib/pkgconfig")))
        .expect("a directory");
    std::os::unix::fs::symlink("lib", prefix.join(format!("usr/{ARM}/usr/lib64"))).expect("a link");
    assert_eq!(searched(&prefix), ["lib64"]);
}

#[test]
fn no_compiler_runs_to_find_the_libdir() {
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/lib64/pkgconfig"), "foo");
    let started = prefix.join("started");
    for compiler in ["gcc", "clang", "cc"] {
        prefix.script(
            &format!("bin/{ARM}-{compiler}"),
            &format!("#!/bin/sh\ntouch {}\n", started.display()),
        );
    }
    ask(&prefix, "foo");
    assert!(!started.exists());
}

#[test]
fn the_hosts_own_pkg_config_is_found_by_its_tuple() {
    // Bug 948948.
    let prefix = cross(ARM);
    prefix.script(
        "tools/x86_64-pc-linux-gnu-pkg-config",
        "#!/bin/sh\necho by the tuple\n",
    );
    let name = format!("{ARM}-pkg-config");
    let output = prefix
        .with("CBUILD", "x86_64-pc-linux-gnu")
        .run(&name, ["--modversion", "foo"]);
    assert_eq!(output.success().stdout, "by the tuple\n");
    prefix.write(
        &format!("usr/{ARM}/etc/portage/make.conf"),
        "CBUILD=\"x86_64-pc-linux-gnu\"\n",
    );
    assert_eq!(
        prefix.run(&name, ["--modversion", "foo"]).success().stdout,
        "by the tuple\n"
    );
    prefix.run(&name, ["--modversion", "foo"]).success();
}

#[test]
fn pkg_config_never_calls_itself() {
    // Bug 955822: if CBUILD and CHOST are the same, the preferred name is crossmerge's own.
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig"), "foo");
    let native = prefix.with("CBUILD", ARM);
    assert_eq!(
        ask(&native, "foo"),
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
    // It does not call itself under the plain name either, which uClinux-dist uses.
    prefix.link("pkg-config");
    assert_eq!(
        ask(&prefix, "foo"),
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
    // It does not call another installation of crossmerge either, which would call it back.
    let mut two = prefix.with("CBUILD", ARM);
    std::fs::create_dir(prefix.join("local")).expect("a directory");
    std::fs::copy(CROSSMERGE, prefix.join("local/crossmerge")).expect("a copy");
    for name in ["pkg-config", &format!("{ARM}-pkg-config")] {
        symlink("crossmerge", prefix.join("local").join(name)).expect("a link");
    }
    two.put_first_in_path(&["local"]);
    for program in ["bin", "local"] {
        let name = prefix.join(program).join(format!("{ARM}-pkg-config"));
        let output = two.command(name, ["--cflags", "--libs", "foo"]).success();
        let wanted = flags(&prefix.join(format!("usr/{ARM}")), "foo");
        assert_eq!(output.stdout.trim(), wanted.trim(), "{program}");
    }
    let own = prefix.join(format!("bin/{ARM}-pkg-config"));
    prefix
        .with("REAL_PKG_CONFIG", &own)
        .run(&format!("{ARM}-pkg-config"), ["--exists", "foo"])
        .fails(127, "was not found", "");
}

#[test]
fn a_user_may_choose_the_real_tool() {
    let prefix = cross(ARM);
    let tool = |name: &str| {
        prefix.script(
            &format!("real/{name}"),
            &format!("#!/bin/sh\necho {name} \"$@\"\n"),
        )
    };
    let (named, configured) = (tool("named"), tool("configured"));
    prefix.write(
        "etc/crossmerge/crossmerge.toml",
        &format!(
            "[commands]\npkg-config = \"{} --pure\"\n",
            configured.display()
        ),
    );
    for name in ["pkg-config", "pkgconf"] {
        let _ = std::fs::remove_file(prefix.join(format!("bin/{ARM}-{name}")));
        prefix.link(&format!("{ARM}-{name}"));
        let name = format!("{ARM}-{name}");
        assert_eq!(
            prefix.run(&name, ["--modversion", "x"]).success().stdout,
            "configured --pure --modversion x\n"
        );
        let output = prefix
            .with("REAL_PKG_CONFIG", &named)
            .run(&name, ["--modversion", "x"]);
        assert_eq!(output.success().stdout, "named --modversion x\n");
    }
}

#[test]
fn only_output_with_flags_is_piped() {
    let prefix = cross(ARM);
    let fake = prefix.script("real/pkg-config", "#!/bin/sh\necho $PPID\n");
    let prefix = prefix.with("REAL_PKG_CONFIG", fake);
    let own = format!("{}\n", std::process::id());
    for (question, piped) in [
        ("--exists", false),
        ("--modversion", false),
        ("--variable=libdir", false),
        ("--print-requires", false),
        ("--cflags", true),
        ("--libs-only-l", true),
    ] {
        // If the applet exec's the tool, the tool's parent is this test. If it reads the tool's output, the parent is
        // the applet.
        let parent = prefix
            .run(&format!("{ARM}-pkg-config"), [question, "foo"])
            .success()
            .stdout;
        assert_eq!(parent != own, piped, "{question}");
    }
}

#[test]
fn the_real_tool_inherits_signals_and_descriptors_unchanged() {
    let prefix = cross(ARM);
    // Prints the ignored signals, and the open descriptors, of which there must be only the usual three.
    let script = "#!/bin/sh\ngrep SigIgn /proc/$$/status\nls /proc/$$/fd\n";
    let prefix = prefix.with("REAL_PKG_CONFIG", prefix.script("real/pkg-config", script));
    let usual = prefix.command("/bin/sh", ["real/pkg-config"]).success();
    for question in ["--exists", "--cflags"] {
        let output = prefix.run(&format!("{ARM}-pkg-config"), [question, "foo"]);
        assert_eq!(output.success().stdout, usual.stdout, "{question}");
    }
}

#[test]
fn the_real_tool_gets_the_whole_environment() {
    let prefix = cross(ARM);
    let script = "#!/bin/sh\nexec env\n";
    let prefix = prefix
        .with("REAL_PKG_CONFIG", prefix.script("real/pkg-config", script))
        .with("EMPTY", "")
        .with("SPACED", "a b = c");
    let output = prefix.run(&format!("{ARM}-pkg-config"), ["--exists", "foo"]);
    let output = output.success().stdout;
    let sysroot = prefix.join(format!("usr/{ARM}")).display().to_string();
    for line in [
        "EMPTY=",
        "SPACED=a b = c",
        &format!("PKG_CONFIG_SYSROOT_DIR={sysroot}"),
    ] {
        let there = output.lines().filter(|output| *output == line).count();
        assert_eq!(there, 1, "{line}: {output}");
    }
}

#[test]
fn the_exit_code_is_that_of_the_real_tool() {
    let prefix = cross(ARM);
    let name = format!("{ARM}-pkg-config");
    for (script, code) in [("exit 3", 3), ("echo out; exit 7", 7), ("kill -9 $$", 137)] {
        let fake = prefix.script("real/pkg-config", &format!("#!/bin/sh\n{script}\n"));
        let output = prefix
            .with("REAL_PKG_CONFIG", fake)
            .run(&name, ["--cflags", "foo"]);
        assert_eq!(output.code, Some(code), "{script}: {output:#?}");
        assert_eq!(output.stdout.trim(), if code == 7 { "out" } else { "" });
    }
}

#[test]
fn a_directory_of_pkg_config_path_that_changed_the_output_is_named() {
    // Bug 936677: the variable is the host's, whatever set it.
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/usr/lib/pkgconfig"), "foo");
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/needy.pc"),
        "Requires: bar",
    );
    plain(&prefix, "machine", "bar");
    plain(&prefix, "machine", "foo");
    plain(&prefix, "elsewhere", "other");
    let name = format!("{ARM}-pkg-config");
    let list = |directories: &[&str]| {
        directories
            .iter()
            .map(|directory| prefix.join(directory).display().to_string())
            .collect::<Vec<_>>()
            .join(":")
    };
    let with = prefix.with("PKG_CONFIG_PATH", list(&["machine", "elsewhere"]));
    let output = with.run(&name, ["--cflags", "--libs", "foo"]).success();
    assert_eq!(
        output.stdout,
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
    let bar = prefix.join("machine/bar.pc").display().to_string();
    assert_eq!(
        output.stderr.matches("PKG_CONFIG_PATH").count(),
        1,
        "{output:#?}"
    );
    let output = with.run(&name, ["--exists", "needy"]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains(&bar), "{output:#?}");
    // If the directory does not change the output, there is no note.
    let output = prefix
        .with("PKG_CONFIG_PATH", list(&["elsewhere"]))
        .run(&name, ["--cflags", "foo"])
        .success();
    assert_eq!(output.stderr, "");
}

#[test]
fn a_directory_of_pkg_config_path_in_the_sysroot_or_the_build_directory_is_used() {
    let prefix = cross(ARM);
    plain(&prefix, &format!("usr/{ARM}/opt/vendor/pkgconfig"), "foo");
    package(&prefix, "work/x/bundled.pc", "Cflags: -DBUNDLED");
    plain(&prefix, "workshop", "foreign");
    let directories = [
        &format!("usr/{ARM}/opt/vendor/pkgconfig"),
        "work/x",
        "workshop",
    ];
    let path = directories
        .map(|directory| prefix.join(directory).display().to_string())
        .join(":");
    let mut ebuild = prefix.with("PKG_CONFIG_PATH", path);
    ebuild.set("WORKDIR", prefix.join("work"));
    assert_eq!(
        ask(&ebuild, "foo"),
        flags(&prefix.join(format!("usr/{ARM}")), "foo")
    );
    assert_eq!(ask(&ebuild, "bundled"), "-DBUNDLED \n");
    let output = ebuild.run(&format!("{ARM}-pkg-config"), ["--exists", "foreign"]);
    assert_eq!(
        output.code,
        Some(1),
        "`workshop` is not below `work`: {output:#?}"
    );
}

/// The paths outside the sysroot that are allowed: those that the target's file names, and those in the package's
/// build directory.
#[test]
fn a_package_in_an_allowed_prefix_keeps_its_paths() {
    let prefix = cross(ARM);
    let sysroot = prefix.join(format!("usr/{ARM}")).display().to_string();
    let vendor = prefix.join("vendor").display().to_string();
    for path in ["include", "lib", "relative/include"] {
        std::fs::create_dir_all(prefix.join("vendor").join(path)).expect("a directory");
    }
    let head = "Description: x\nVersion: 1\n";
    let flags = "Cflags: -I${prefix}/include\nLibs: -L${prefix}/lib -lvendor\n";
    let write = |name: &str, place: &str, rest: &str| {
        let text = format!("prefix={place}\nName: {name}\n{head}{rest}");
        prefix.write(&format!("vendor/lib/pkgconfig/{name}.pc"), &text);
    };
    write("vendor", &vendor, flags);
    write("here-uninstalled", &vendor, flags);
    write("relative", "${pcfiledir}/../..", flags);
    write(
        "needs",
        &vendor,
        "Requires: inside\nLibs: -L${prefix}/lib -lneeds\n",
    );
    let directory = format!("usr/{ARM}/usr/lib/pkgconfig");
    plain(&prefix, &directory, "inside");
    package(
        &prefix,
        &format!("{directory}/both.pc"),
        "Requires: vendor\nCflags: -I${includedir}/both",
    );
    for name in ["inside", "both"] {
        std::fs::create_dir_all(format!("{sysroot}/usr/include/{name}")).expect("a directory");
        std::fs::create_dir_all(format!("{sysroot}/usr/lib/{name}")).expect("a directory");
    }
    let with_path = prefix.with("PKG_CONFIG_PATH", format!("{vendor}/lib/pkgconfig"));
    let work = with_path.with("WORKDIR", &vendor);
    let config = format!("etc/crossmerge/targets/{ARM}.toml");
    for (with, is_workdir) in [(&work, true), (&with_path, false)] {
        if !is_workdir {
            prefix.write(&config, &format!("extra_prefixes = [{vendor:?}]\n"));
        }
        let name = format!("{ARM}-pkg-config");
        for (args, wanted) in [
            (
                &["--cflags", "vendor"] as &[&str],
                format!("-I{vendor}/include"),
            ),
            (&["--libs", "vendor"], format!("-L{vendor}/lib -lvendor")),
            (
                &["--cflags-only-I", "vendor"],
                format!("-I{vendor}/include"),
            ),
            (
                &["--libs", "--static", "vendor"],
                format!("-L{vendor}/lib -lvendor"),
            ),
            (&["--libs", "here"], format!("-L{vendor}/lib -lvendor")),
            (&["--variable=prefix", "vendor"], vendor.clone()),
            (
                &["--cflags", "relative"],
                format!("-I{vendor}/lib/pkgconfig/../../include"),
            ),
            (
                &["--cflags", "vendor", "inside"],
                format!("-I{vendor}/include -I{sysroot}/usr/include/inside"),
            ),
            (
                &["--cflags", "both"],
                format!("-I{sysroot}/usr/include/both -I{vendor}/include"),
            ),
            (
                &["--libs", "needs"],
                format!("-L{vendor}/lib -lneeds -L{sysroot}/usr/lib/inside -linside"),
            ),
            (
                &["--libs", "inside"],
                format!("-L{sysroot}/usr/lib/inside -linside"),
            ),
        ] {
            let output = with.run(&name, args).success();
            assert_eq!(output.stdout.trim_end(), wanted, "{args:?}");
            assert_eq!(output.stderr, "", "{args:?}");
        }
        // Every tool's output is treated alike, also for a mixed call, for which pkgconf 3.0.1 runs twice.
        for (tool, path) in versions::tools() {
            let with = with.with("REAL_PKG_CONFIG", path);
            let output = with
                .run(&name, ["--cflags", "--libs", "vendor", "inside"])
                .success();
            let mut words: Vec<&str> = output.stdout.split_whitespace().collect();
            words.sort_unstable();
            let (include, lib) = (format!("-I{vendor}/include"), format!("-L{vendor}/lib"));
            let (other, library) = (
                format!("-I{sysroot}/usr/include/inside"),
                format!("-L{sysroot}/usr/lib/inside"),
            );
            let mut wanted = vec![&*include, &*lib, &*other, &*library, "-linside", "-lvendor"];
            wanted.sort_unstable();
            assert_eq!(words, wanted, "{tool}");
        }
    }
    std::fs::remove_dir(prefix.join("vendor/include")).expect("gone");
    let output = with_path.run(&format!("{ARM}-pkg-config"), ["--cflags", "vendor"]);
    let line = format!("warning: `-I{vendor}/include` names a directory that does not exist");
    assert!(output.stderr.contains(&line), "{output:#?}");
}

#[test]
fn a_package_that_only_the_build_machine_has_is_named_after_a_failure() {
    let prefix = cross(ARM);
    let name = format!("{ARM}-pkg-config");
    // A stand-in for a build machine that has the package.
    package(&prefix, "machine/zlib.pc", "Libs: -lz");
    let machine = prefix.join("machine");
    let tool = prefix.script(
        "tools/machines-pkg-config",
        &format!("#!/bin/sh\ncase $* in *pc_path*) echo {}:/nowhere ;; *) exec /usr/bin/pkg-config \"$@\" ;; esac\n", machine.display()),
    );
    let prefix = prefix.with("REAL_PKG_CONFIG", tool);
    let output = prefix.run(&name, ["--libs", "zlib"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(1), ""),
        "{output:#?}"
    );
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("crossmerge: "))
        .collect();
    assert!(
        matches!(lines[..], [line] if line.contains("the build machine has `zlib` (`/") && line.contains("machine/zlib.pc`)") && line.contains("merge or install it there")),
        "{output:#?}"
    );
    package(
        &prefix,
        &format!("usr/{ARM}/usr/lib/pkgconfig/foo.pc"),
        "Requires: zlib",
    );
    let output = prefix.run(&name, ["--cflags", "foo"]);
    assert!(
        output.stderr.contains("the build machine has `zlib`"),
        "{output:#?}"
    );
    for args in [
        &["--exists", "zlib"] as &[&str],
        &["--libs", "--silence-errors", "zlib"],
        &["--libs", "none-has-it"],
    ] {
        let output = prefix.run(&name, args);
        assert!(!output.stderr.contains("build machine"), "{output:#?}");
        assert_eq!(output.code, Some(1), "{output:#?}");
    }
}
