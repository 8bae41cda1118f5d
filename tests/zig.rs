//! Zig as a target's toolchain: a stand-in that records its arguments, and, if it is asked for, the real one.

use crate::support::Prefix;
use std::{fs, path::PathBuf};

const TUPLE: &str = "aarch64-unknown-linux-musl";

/// Creates a program that prints what `zig env` prints, compiles with a GCC, and writes its arguments to `calls`.
fn stand_in(prefix: &Prefix, version: &str) -> PathBuf {
    let calls = prefix.join("calls").display().to_string();
    let script = format!(
        r#"#!/bin/sh
echo "$*" >> {calls}
case $1 in
env)
	printf '.{{\n    .zig_exe = "%s",\n    .version = "{version}",\n}}\n' "$0"
	exit ;;
esac
shift
for word; do
	shift
	case $word in
	-target) skip=yes ;;
	*) [ -n "$skip" ] || set -- "$@" "$word"; skip= ;;
	esac
done
exec aarch64-linux-gnu-gcc -ffreestanding -nostdinc "$@"
"#
    );
    prefix.script("opt/zig", &script)
}

#[test]
fn zig_gets_its_name_of_the_target_and_the_sysroots_packages() {
    let prefix = Prefix::new();
    let zig = stand_in(&prefix, "0.17.1").display().to_string();
    let made = prefix.own(["init", TUPLE, "--toolchain", &zig]).success();
    assert!(made.stderr.contains("crossmerge doctor"), "{made:?}");
    let file = prefix.read(&format!("etc/crossmerge/targets/{TUPLE}.toml"));
    for line in [
        "kind = \"zig\"".to_owned(),
        format!("prefix = \"{zig}\""),
        "options = [\"-target\", \"aarch64-linux-musl\"]".into(),
    ] {
        assert!(file.lines().any(|known| known == line), "{line}: {file}");
    }
    let sysroot = prefix.join(format!("usr/{TUPLE}"));
    fs::create_dir_all(sysroot.join("usr/lib")).expect("a directory");
    let sysroot = sysroot.display();
    let options = [
        // crossmerge's sysroot is the caller's, or else the target's.
        "-O2",
        "hello.c",
        "--sysroot=/board",
        "-Wl,-O1",
        "-Wl,-z,pack-relative-relocs",
        "-Wl,--as-needed",
    ];
    for (tool, wanted) in [
        (
            "gcc",
            "zig cc -target aarch64-linux-musl -O2 hello.c -Wl,--as-needed -idirafter/board/usr/include",
        ),
        (
            "g++",
            "zig c++ -target aarch64-linux-musl -O2 hello.c -Wl,--as-needed -idirafter/board/usr/include",
        ),
    ] {
        let plan = [&["plan", TUPLE, tool][..], &options].concat();
        let plan = prefix.own(plan).success().stdout;
        assert!(plan.contains(wanted), "{wanted}: {plan}");
    }
    for (tool, wanted) in [
        (
            "cc",
            format!(
                "zig cc -target aarch64-linux-musl x.c -idirafter{sysroot}/usr/include -L{sysroot}/usr/lib\n"
            ),
        ),
        ("ar", "zig ar x.c\n".into()),
        ("ranlib", "zig ranlib x.c\n".into()),
        ("ld", format!("zig ld.lld x.c -L{sysroot}/usr/lib\n")),
    ] {
        let plan = prefix.own(["plan", TUPLE, tool, "x.c"]).success().stdout;
        assert!(plan.ends_with(&wanted), "{wanted}: {plan}");
    }
    // An ebuild's HOME is deleted with its build.
    let phase = prefix.with("PORTAGE_TMPDIR", "/var/tmp");
    let phase = phase.with("PORTAGE_BUILDDIR", "/var/tmp/portage/app-misc/hello-2");
    let plan = phase.own(["plan", TUPLE, "cc", "x.c"]).success().stdout;
    assert!(
        plan.contains("ZIG_GLOBAL_CACHE_DIR=/var/tmp/portage/.zig-"),
        "{plan}"
    );

    let libc = prefix.own(["init", TUPLE, "--with-libc"]);
    libc.fails(125, "Zig compiles itself", "omit `--with-libc`");
    prefix.own(["remove", TUPLE]).success();
    assert!(!prefix.join(format!("bin/{TUPLE}-gcc")).is_symlink());
    assert!(
        !prefix
            .join(format!("etc/crossmerge/targets/{TUPLE}.toml"))
            .exists()
    );
}

#[test]
fn the_cpu_of_a_tuple_becomes_zigs_option() {
    let prefix = Prefix::new();
    let zig = stand_in(&prefix, "0.17.1").display().to_string();
    let tuple = "armv7a-unknown-linux-gnueabihf";
    // The stand-in compiles for another CPU.
    let output = prefix.own(["init", tuple, "--toolchain", &zig]);
    output.fails(125, "cannot compile an empty file", "toolchain");
    let calls = prefix.read("calls");
    let wanted = "cc -target arm-linux-gnueabihf -mcpu=generic+v7a+vfp3d16 -c";
    assert!(calls.contains(wanted), "{calls}");
}

#[test]
fn a_zig_that_does_not_fit_is_an_error_with_a_way_out() {
    let prefix = Prefix::new();
    let zig = stand_in(&prefix, "0.17.1").display().to_string();
    let init = |tuple: &str, zig: &str| prefix.own(["init", tuple, "--toolchain", zig]);
    let unknown = init("armv4tl-softfloat-linux-musleabi", &zig);
    unknown.fails(125, "Zig has no libc for", "crossmerge toolchain build");
    init(TUPLE, "/nowhere/zig").fails(125, "there is no program `/nowhere/zig`", "");
    let old = stand_in(&prefix, "0.9.1").display().to_string();
    init(TUPLE, &old).fails(125, "is Zig 0.9.1, and crossmerge needs", "newer release");
    let other = prefix.script("opt/zig", "#!/bin/sh\necho zig\n");
    let other = other.display().to_string();
    init(TUPLE, &other).fails(
        125,
        "does not print the path and the version",
        "program itself",
    );
    assert!(
        !prefix
            .join(format!("etc/crossmerge/targets/{TUPLE}.toml"))
            .exists()
    );
}

/// `make zig` runs it, with the path of Zig's program in ZIG.
#[test]
#[ignore = "it needs Zig, which compiles a libc for minutes"]
#[expect(
    clippy::disallowed_methods,
    reason = "the test's own settings, not those of the program"
)]
fn the_real_zig_builds_programs_that_run() {
    let mut prefix = Prefix::new();
    // The libc that an earlier run has compiled.
    if let Some(cache) = std::env::var_os("ZIG_GLOBAL_CACHE_DIR") {
        prefix.set("ZIG_GLOBAL_CACHE_DIR", cache);
    }
    let zig = std::env::var("ZIG").expect("ZIG is the path of Zig's program");
    prefix.own(["init", TUPLE, "--toolchain", &zig]).success();
    prefix.write(
        "hello.c",
        "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n",
    );
    prefix.write(
        "hello.cc",
        "#include <iostream>\n#include <stdexcept>\nint main() { try { throw std::runtime_error(\"hello\"); } catch (std::exception &e) { std::cout << e.what() << std::endl; } }\n",
    );
    prefix.write("library.c", "int f(void) { return 0; }\n");
    for (tool, args) in [
        ("gcc", "hello.c -o hello"),
        ("cc", "-static hello.c -o static"),
        ("g++", "hello.cc -o c++"),
        ("gcc", "-shared -fPIC library.c -o libf.so"),
        ("gcc", "-dynamic hello.c -L. -lf -o dynamic"),
    ] {
        let tool = format!(
            "cd {} && exec {TUPLE}-{tool} {args}",
            prefix.path().display()
        );
        prefix.command("sh", ["-c", &tool]).success();
    }
    for program in ["hello", "static", "c++"] {
        let program = prefix.join(program);
        let output = prefix.run(&format!("{TUPLE}-run"), [&program]).success();
        assert_eq!(output.stdout, "hello\n", "{}", program.display());
    }
    let doctor = prefix.own(["doctor", TUPLE]);
    assert!(!doctor.stdout.contains("error"), "{doctor:?}");
}
