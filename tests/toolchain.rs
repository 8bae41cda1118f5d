//! Toolchains that are there already: Debian's, one with a sysroot of its own, clang; and what is said of a wrong one.

use crate::support::Prefix;
use std::{fs, path::Path};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

const HELLO: &str = "#include <stdio.h>\n#include <math.h>\nint main(int c, char **v) { (void)v; printf(\"%.1f\\n\", sqrt(c + 3.0)); return 0; }\n";

/// Compiles a program with `<tuple>-<compiler>`, and runs it under QEMU with the libraries of the sysroot.
fn builds_and_runs(prefix: &Prefix, tuple: &str, compiler: &str, qemu: &str) {
    prefix.write("hello.c", HELLO);
    prefix
        .run(
            &format!("{tuple}-{compiler}"),
            ["hello.c", "-o", "hello", "-lm"],
        )
        .success();
    let sysroot = prefix.join(format!("usr/{tuple}"));
    let said = prefix
        .with("QEMU_LD_PREFIX", &sysroot)
        .command(qemu, ["./hello"])
        .success();
    assert_eq!(said.stdout, "2.0\n");
}

#[test]
fn debians_toolchain_is_adopted_with_its_libc() {
    let prefix = Prefix::with_portage();
    prefix
        .own([
            "init",
            ARM,
            "--toolchain",
            "arm-linux-gnueabi-",
            "--with-libc",
        ])
        .success();
    let recorded = prefix.read(&format!("etc/crossmerge/targets/{ARM}.toml"));
    assert!(
        recorded.contains("kind = \"gnu\"\nprefix = \"/usr/bin/arm-linux-gnueabi-\"\n"),
        "{recorded}"
    );
    builds_and_runs(&prefix, ARM, "gcc", "qemu-arm-static");
    builds_and_runs(&prefix, ARM, "cc", "qemu-arm-static");
    // The linker script speaks of the sysroot, in which its paths are.
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let script = fs::read_to_string(sysroot.join("usr/lib/libc.so")).expect("libc.so");
    for path in script
        .split_whitespace()
        .filter(|word| word.starts_with('/') && word.len() > 2)
    {
        assert!(
            sysroot.join(&path[1..]).exists(),
            "{path} is not in the sysroot"
        );
    }
    // What the linker takes is the sysroot's, found out from the linker.
    let map = prefix
        .run(
            &format!("{ARM}-gcc"),
            ["hello.c", "-o", "hello", "-lm", "-Wl,--trace"],
        )
        .success()
        .stdout;
    assert!(
        map.lines()
            .any(|line| Path::new(line).starts_with(&sysroot) && line.contains("libc.so")),
        "{map}"
    );
    let header = prefix
        .run(&format!("{ARM}-readelf"), ["-hA", "hello"])
        .success()
        .stdout;
    assert!(
        header.contains("ARM") && !header.contains("Tag_ABI_VFP_args"),
        "{header}"
    );
    for tool in ["g++", "cpp", "ar", "strip", "ld", "gcc-ar", "objcopy"] {
        prefix
            .run(&format!("{ARM}-{tool}"), ["--version"])
            .success();
    }
    // The caller's own --sysroot is later on the command line and wins.
    let said = prefix
        .run(
            &format!("{ARM}-gcc"),
            ["--sysroot=/nowhere", "-print-sysroot"],
        )
        .success()
        .stdout;
    assert_eq!(said.trim(), "/nowhere");
    let said = prefix
        .run(&format!("{ARM}-gcc"), ["-print-sysroot"])
        .success()
        .stdout;
    assert_eq!(Path::new(said.trim()), sysroot);
    // A second time there is nothing to copy; and a library that something else put there stays.
    assert!(
        prefix
            .own(["init", ARM, "--with-libc"])
            .success()
            .stderr
            .contains("nothing to do")
    );
    prefix.write(&format!("usr/{ARM}/usr/lib/libm.a"), "a package's own\n");
    prefix.own(["init", ARM, "--with-libc"]).success();
    assert_eq!(
        prefix.read(&format!("usr/{ARM}/usr/lib/libm.a")),
        "a package's own\n"
    );
    let said = prefix.own(["remove", ARM]).success();
    assert!(
        said.stdout.contains("libm.a: edited"),
        "the file that is not ours stays: {}",
        said.stdout.len()
    );
    let left = crate::init::tree(&sysroot);
    assert!(
        left.keys()
            .all(|path| path.is_dir() || path.ends_with("libm.a")),
        "{:?}",
        left.keys()
    );
}

#[test]
fn a_toolchain_with_a_sysroot_of_its_own_gives_it_as_it_is() {
    let prefix = Prefix::new();
    // As crosstool-NG builds them: a compiler that knows its sysroot. Debian's libc, laid out as a root has it.
    let debian = "/usr/arm-linux-gnueabi";
    let script = format!(
        "mkdir -p sdk/root/lib sdk/root/usr/lib && cp -a {debian}/include sdk/root/usr/include && cp -a {debian}/lib/. sdk/root/usr/lib &&
         sed -i 's,{debian}/lib/,/usr/lib/,g' sdk/root/usr/lib/libc.so && cp -a {debian}/lib/ld-linux.so.3 sdk/root/lib"
    );
    prefix.command("/bin/sh", ["-c", &script]).success();
    for tool in ["gcc", "readelf", "ar"] {
        let sysroot = if tool == "gcc" {
            format!("--sysroot={}", prefix.join("sdk/root").display())
        } else {
            String::new()
        };
        prefix.script(
            &format!("sdk/bin/arm-board-{tool}"),
            &format!("#!/bin/sh\nexec arm-linux-gnueabi-{tool} {sysroot} \"$@\"\n"),
        );
    }
    let tools = prefix.join("sdk/bin/arm-board-");
    prefix
        .own([
            "init",
            ARM,
            "--toolchain",
            &tools.display().to_string(),
            "--with-libc",
        ])
        .success();
    assert!(prefix.join(format!("usr/{ARM}/lib/ld-linux.so.3")).exists());
    builds_and_runs(&prefix, ARM, "gcc", "qemu-arm-static");
    assert!(
        !prefix.join(format!("bin/{ARM}-g++")).is_symlink(),
        "a tool that is not there has no link"
    );
}

#[test]
fn a_dynamic_linker_that_lies_beside_the_libraries_comes_with_them() {
    // Debian's of PowerPC is a link to where the libraries are; the others are in that folder alone.
    for (tuple, toolchain) in [
        (
            "mips64el-unknown-linux-gnuabi64",
            "mips64el-linux-gnuabi64-",
        ),
        ("powerpc64le-unknown-linux-gnu", "powerpc64le-linux-gnu-"),
        ("sparc64-unknown-linux-gnu", "sparc64-linux-gnu-"),
    ] {
        let prefix = Prefix::new();
        let init = ["init", tuple, "--toolchain", toolchain, "--with-libc"];
        prefix.own(init).success();
        prefix.write("hello.c", HELLO);
        let build = ["hello.c", "-o", "hello", "-lm"];
        prefix.run(&format!("{tuple}-gcc"), build).success();
        let said = prefix.run(&format!("{tuple}-run"), ["./hello"]).success();
        assert_eq!(said.stdout, "2.0\n", "{tuple}");
        let again = prefix.own(init).success();
        assert!(again.stderr.contains("nothing to do"), "{again:#?}");
    }
}

#[test]
fn clang_and_lld_are_adopted_without_a_gcc_of_that_name() {
    let tuple = "aarch64-unknown-linux-gnu";
    let prefix = Prefix::with_portage();
    prefix
        .own(["init", tuple, "--llvm", "--with-libc"])
        .success();
    assert!(!prefix.join(format!("bin/{tuple}-gcc")).is_symlink());
    builds_and_runs(&prefix, tuple, "clang", "qemu-aarch64-static");
    builds_and_runs(&prefix, tuple, "cc", "qemu-aarch64-static");
    let comment = prefix
        .run(&format!("{tuple}-readelf"), ["-p", ".comment", "hello"])
        .success()
        .stdout;
    assert!(
        comment.contains("LLD") || comment.contains("Linker"),
        "{comment}"
    );
    // A call that does not link warns of nothing, for configure takes a warning for a failure.
    let said = prefix
        .run(
            &format!("{tuple}-clang"),
            ["-Werror", "-c", "hello.c", "-o", "hello.o"],
        )
        .success();
    assert_eq!(said.stderr, "");
    let defaults = prefix.read(&format!("usr/{tuple}/etc/portage/profile/make.defaults"));
    assert!(
        defaults.contains(&format!("CC=\"{tuple}-clang\"")),
        "{defaults}"
    );
    let said = prefix
        .run(&format!("{tuple}-env"), ["/bin/sh", "-c", "echo $CC $AR"])
        .success()
        .stdout;
    assert_eq!(said.trim(), format!("{tuple}-clang {tuple}-ar"));
}

#[test]
fn a_toolchain_that_is_not_the_targets_is_refused_with_the_reason() {
    let prefix = Prefix::new();
    let adopt = |tuple: &str, prefix_of_tools: &str| {
        prefix.own(["init", tuple, "--toolchain", prefix_of_tools])
    };
    adopt(ARM, "nowhere-").fails(
        125,
        "no compiler `nowhere-gcc`",
        "there is one with `--toolchain /usr/bin/arm-linux-gnueabi-`",
    );
    for wrong in ["arm-linux-gnueabi", "arm-linux-gnueabi-gcc"] {
        adopt(ARM, wrong).fails(
            125,
            "no compiler",
            "there is one with `--toolchain arm-linux-gnueabi-`",
        );
    }
    adopt(ARM, "s390x-linux-gnu-").fails(125, "it makes 64 bits, big endian, ELF machine 22, and the tuple means 32 bits, little endian, ELF machine 40", "crossmerge show");
    adopt("armeb-unknown-linux-gnueabi", "arm-linux-gnueabi-").fails(
        125,
        "the tuple means 32 bits, big endian",
        "crossmerge show",
    );
    prefix.script(
        "tools/broken-gcc",
        "#!/bin/sh\necho 'broken-gcc: fatal error: cannot execute cc1' >&2\nexit 1\n",
    );
    let said =
        adopt(ARM, "broken-").fails(125, "cannot compile an empty file", "mend or reinstall");
    assert!(said.stderr.contains("cannot execute cc1"), "{said:#?}");
    prefix.own(["init", ARM, "--with-libc"]).fails(
        125,
        "needs an adopted toolchain",
        "--toolchain PREFIX",
    );
    assert_eq!(
        prefix
            .own(["init", ARM, "--llvm", "--toolchain", "x-"])
            .code,
        Some(125)
    );
    assert!(
        !prefix.join("usr").exists() && !prefix.join("etc").exists(),
        "something was made"
    );
    // A compiler link of ours with no toolchain behind it.
    prefix.link(&format!("{ARM}-gcc"));
    prefix.run(&format!("{ARM}-gcc"), ["x.c"]).fails(
        125,
        "no toolchain was adopted",
        "--toolchain PREFIX",
    );
}

/// Runs `crossmerge` in another working directory.
fn own_in(prefix: &Prefix, folder: &Path, args: &[&str]) -> crate::support::Said {
    let script = "cd \"$1\" && shift && exec \"$@\"";
    let (folder, own) = (
        folder.to_str().expect("UTF-8"),
        prefix.join("bin/crossmerge"),
    );
    let own = own.to_str().expect("UTF-8");
    let words = ["-c", script, "sh", folder, own].into_iter();
    prefix.command("/bin/sh", words.chain(args.iter().copied()))
}

/// A root of somebody's, with a libc in every place where one is looked for.
fn decoy(prefix: &Prefix, folder: &str) {
    for place in ["", "usr/", "../x/", "../x/usr/"] {
        for file in [
            "include/stdio.h",
            "lib/libc.so",
            "lib64/libc.so",
            "libc.so",
            "stdio.h",
        ] {
            prefix.write(&format!("{folder}/{place}{file}"), "decoy");
        }
    }
}

#[test]
fn the_working_directory_does_not_change_which_libc_is_copied() {
    let prefix = Prefix::new();
    decoy(&prefix, "decoy/cwd");
    for words in [
        ["aarch64-unknown-linux-gnu", "--llvm"].as_slice(),
        &["s390x-unknown-linux-gnu", "--toolchain", "s390x-linux-gnu-"],
    ] {
        let init = [&["init", "--with-libc", "--dry-run"], words].concat();
        let wanted = own_in(&prefix, &prefix.path(), &init).success().stdout;
        assert!(wanted.contains("/include/stdio.h -> "), "{words:?}");
        for folder in [Path::new("/"), &prefix.join("decoy/cwd")] {
            let said = own_in(&prefix, folder, &init).success().stdout;
            assert_eq!(said.lines().count(), wanted.lines().count(), "{folder:?}");
            assert!(said == wanted, "another libc in {folder:?}");
        }
    }
}

#[test]
fn a_tools_relative_answer_is_no_path() {
    let prefix = Prefix::new();
    decoy(&prefix, "decoy/cwd");
    let tools = prefix.join("tools/arm-x-").display().to_string();
    for answer in ["", ".", "usr", "../x", "./usr", "../x/usr"] {
        let file = |name: &str| match answer {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let (library, header) = (file("lib/libc.so"), file("include/stdio.h"));
        let gcc = format!(
            "#!/bin/sh\ncase \" $* \" in\n*' -print-sysroot '*) echo '{answer}' ;;\n*' -print-file-name='*) echo '{library}' ;;\n\
             *' -M '*) echo 'probe.o: probe.c {header}' ;;\n*) exec arm-linux-gnueabi-gcc \"$@\" ;;\nesac\n"
        );
        prefix.script("tools/arm-x-gcc", &gcc);
        let init = ["init", ARM, "--toolchain", &tools, "--with-libc"];
        for folder in [
            Path::new("/"),
            &prefix.join("decoy/cwd"),
            &prefix.join("decoy"),
        ] {
            own_in(&prefix, folder, &init).fails(
                125,
                "does not tell where its libc is",
                "--with-libc",
            );
        }
        assert!(
            !prefix.join("usr").exists(),
            "{answer:?}: something was made"
        );
    }
}

#[test]
fn the_machines_own_libc_is_not_copied() {
    let prefix = Prefix::new();
    // gcc without a prefix: its headers are the machine's.
    prefix
        .own([
            "init",
            "x86_64-cross-linux-gnu",
            "--toolchain",
            "x86_64-linux-gnu-",
            "--with-libc",
        ])
        .fails(125, "libc is this machine's own", "cross toolchain");
}
