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
    // Debian's of PowerPC is a link to where the libraries are; the others are in that directory alone.
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
        "use `--toolchain /usr/bin/arm-linux-gnueabi-`",
    );
    for wrong in ["arm-linux-gnueabi", "arm-linux-gnueabi-gcc"] {
        adopt(ARM, wrong).fails(125, "no compiler", "use `--toolchain arm-linux-gnueabi-`");
    }
    // What stands before `gcc` in `gcc` is nothing to type.
    let said =
        adopt("aarch64-unknown-linux-gnu", "gcc").fails(125, "no compiler `gccgcc`", "--toolchain");
    assert!(!said.stderr.contains("--toolchain `"), "{said:#?}");
    adopt(ARM, "s390x-linux-gnu-").fails(125, "its output is 64 bits, big endian, ELF machine 22, and the tuple means 32 bits, little endian, ELF machine 40", "crossmerge show");
    adopt("armeb-unknown-linux-gnueabi", "arm-linux-gnueabi-").fails(
        125,
        "the tuple means 32 bits, big endian",
        "crossmerge show",
    );
    prefix.script(
        "tools/broken-gcc",
        "#!/bin/sh\necho 'broken-gcc: fatal error: cannot execute cc1' >&2\nexit 1\n",
    );
    let said = adopt(ARM, "broken-").fails(125, "cannot compile an empty file", "fix or reinstall");
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
        "no adopted toolchain of",
        "--toolchain PREFIX",
    );
}

/// Runs `crossmerge` in another working directory.
fn own_in(prefix: &Prefix, directory: &Path, args: &[&str]) -> crate::support::Said {
    let script = "cd \"$1\" && shift && exec \"$@\"";
    let (directory, own) = (
        directory.to_str().expect("UTF-8"),
        prefix.join("bin/crossmerge"),
    );
    let own = own.to_str().expect("UTF-8");
    let words = ["-c", script, "sh", directory, own].into_iter();
    prefix.command("/bin/sh", words.chain(args.iter().copied()))
}

/// A root with a libc in every place where one is looked for.
fn decoy(prefix: &Prefix, directory: &str) {
    for place in ["", "usr/", "../x/", "../x/usr/"] {
        for file in [
            "include/stdio.h",
            "lib/libc.so",
            "lib64/libc.so",
            "libc.so",
            "stdio.h",
        ] {
            prefix.write(&format!("{directory}/{place}{file}"), "decoy");
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
        for directory in [Path::new("/"), &prefix.join("decoy/cwd")] {
            let said = own_in(&prefix, directory, &init).success().stdout;
            assert_eq!(
                said.lines().count(),
                wanted.lines().count(),
                "{directory:?}"
            );
            assert!(said == wanted, "another libc in {directory:?}");
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
            directory => format!("{directory}/{name}"),
        };
        let (library, header) = (file("lib/libc.so"), file("include/stdio.h"));
        let gcc = format!(
            "#!/bin/sh\ncase \" $* \" in\n*' -print-sysroot '*) echo '{answer}' ;;\n*' -print-file-name='*) echo '{library}' ;;\n\
             *' -M '*) echo 'probe.o: probe.c {header}' ;;\n*) exec arm-linux-gnueabi-gcc \"$@\" ;;\nesac\n"
        );
        prefix.script("tools/arm-x-gcc", &gcc);
        let init = ["init", ARM, "--toolchain", &tools, "--with-libc"];
        for directory in [
            Path::new("/"),
            &prefix.join("decoy/cwd"),
            &prefix.join("decoy"),
        ] {
            own_in(&prefix, directory, &init).fails(125, "has no libc", "");
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
        .fails(125, "libc is the host's own", "cross toolchain");
}

#[test]
fn no_link_takes_the_name_of_a_real_tool_in_path() {
    let prefix = Prefix::new();
    for tool in ["gcc", "ld", "ar"] {
        let script = format!("#!/bin/sh\nexec /usr/bin/arm-linux-gnueabi-{tool} \"$@\"\n");
        prefix.script(&format!("tools/arm-board-linux-gnueabi-{tool}"), &script);
    }
    // The tools of a distribution, an SDK's in PATH, and clang, whose linker has the name of a real one.
    for (words, instead) in [
        (
            ["riscv64-linux-gnu", "--toolchain", "riscv64-linux-gnu-"].as_slice(),
            "crossmerge init riscv64-unknown-linux-gnu --toolchain riscv64-linux-gnu- --with-libc",
        ),
        (
            &[
                "arm-linux-gnueabi",
                "--toolchain",
                "arm-linux-gnueabi-",
                "--bindir",
                "bin",
            ],
            "crossmerge init arm-unknown-linux-gnueabi --toolchain arm-linux-gnueabi- --bindir bin --with-libc",
        ),
        (
            &[
                "arm-board-linux-gnueabi",
                "--toolchain",
                "arm-board-linux-gnueabi-",
            ],
            "crossmerge init arm-unknown-linux-gnueabi --toolchain arm-board-linux-gnueabi- --with-libc",
        ),
        (
            &[
                "arm-board-linux-gnueabi",
                "--toolchain",
                "arm-linux-gnueabi-",
            ],
            "crossmerge init arm-unknown-linux-gnueabi --toolchain arm-linux-gnueabi- --with-libc",
        ),
        (
            &["aarch64-linux-gnu", "--llvm"],
            "crossmerge init aarch64-unknown-linux-gnu --llvm --with-libc",
        ),
        (
            &["arm-none-eabi", "--toolchain", "arm-none-eabi-"],
            "crossmerge init arm-unknown-eabi --toolchain arm-none-eabi-`",
        ),
    ] {
        let init = [&["init"], words].concat();
        prefix.own(&init).fails(125, "is a real tool", instead);
        assert!(
            !prefix.join("usr").exists() && !prefix.join("etc").exists(),
            "{words:?}"
        );
    }
    // The command works; and where nobody finds the links, there is nothing to replace.
    let hint = [
        "init",
        "riscv64-unknown-linux-gnu",
        "--toolchain",
        "riscv64-linux-gnu-",
        "--with-libc",
    ];
    prefix.own(hint).success();
    builds_and_runs(
        &prefix,
        "riscv64-unknown-linux-gnu",
        "gcc",
        "qemu-riscv64-static",
    );
    assert!(!prefix.join("bin/riscv64-linux-gnu-gcc").is_symlink());
    let elsewhere = [
        "init",
        "riscv64-linux-gnu",
        "--toolchain",
        "riscv64-linux-gnu-",
        "--bindir",
        "links",
    ];
    prefix.own(elsewhere).success();
    prefix
        .run("../links/riscv64-linux-gnu-gcc", ["--version"])
        .success();
    // Put into PATH later, they do replace it, and the doctor says so.
    let mut found = prefix.with("A", "b");
    found.put_first_in_path(&["links"]);
    let said = found.own(["doctor", "riscv64-linux-gnu"]);
    assert!(said.stdout.contains("is a real tool"), "{said:#?}");
    assert!(
        said.stdout.contains("crossmerge remove riscv64-linux-gnu && crossmerge init riscv64-cross-linux-gnu --toolchain /usr/bin/riscv64-linux-gnu-")
            || said.stdout.contains("crossmerge remove riscv64-linux-gnu && crossmerge init riscv64-unknown-linux-gnu --toolchain /usr/bin/riscv64-linux-gnu-"),
        "{said:#?}"
    );
}

#[test]
fn a_directory_with_a_toolchains_own_layout_is_no_sysroot() {
    let prefix = Prefix::new();
    let tuple = "riscv64-linux-gnu";
    prefix.write(&format!("usr/{tuple}/include/stdio.h"), "Debian's\n");
    prefix.write(&format!("usr/{tuple}/lib/libc.so"), "Debian's\n");
    let before = crate::init::tree(&prefix.path());
    let init = [
        "init",
        tuple,
        "--toolchain",
        "riscv64-linux-gnu-",
        "--with-libc",
        "--bindir",
        "links",
    ];
    prefix.own(init).fails(
        125,
        "a toolchain keeps its own libc there",
        "crossmerge init riscv64-unknown-linux-gnu --toolchain riscv64-linux-gnu- --bindir links --with-libc",
    );
    crate::init::unchanged(&before, &crate::init::tree(&prefix.path()));
    // Without a toolchain the target is made, and the command that gives it one is said.
    let said = prefix.own(["init", tuple, "--dry-run"]).success().stderr;
    assert!(said.contains("does not use the sysroot"), "{said}");
    assert!(
        said.contains(
            "crossmerge init riscv64-unknown-linux-gnu --toolchain riscv64-linux-gnu- --with-libc"
        ),
        "{said}"
    );
}

#[test]
fn a_compiler_that_is_the_targets_already_is_not_adopted() {
    let prefix = Prefix::new();
    let tuple = "arm-board-linux-gnueabi";
    let sysroot = prefix.join(format!("usr/{tuple}"));
    fs::create_dir_all(&sysroot).expect("a sysroot");
    // As crossdev makes them.
    let script = format!(
        "#!/bin/sh\nexec /usr/bin/arm-linux-gnueabi-gcc --sysroot={} \"$@\"\n",
        sysroot.display()
    );
    prefix.script(&format!("tools/{tuple}-gcc"), &script);
    prefix
        .own(["init", tuple, "--toolchain", &format!("{tuple}-")])
        .success();
    assert!(!prefix.join(format!("bin/{tuple}-gcc")).is_symlink());
    assert!(prefix.join(format!("bin/{tuple}-emerge")).is_symlink());
    assert!(!prefix.join("etc").exists());
}

#[test]
fn a_toolchain_with_another_libc_system_or_abi_is_refused() {
    let prefix = Prefix::new();
    let script = |name: &str, compiler: &str, options: &str| {
        let text = format!("#!/bin/sh\nexec /usr/bin/{compiler} {options} \"$@\"\n");
        prefix.script(&format!("sdk/{name}-gcc"), &text);
    };
    // A multilib that makes another ABI by itself, and has no libc for the tuple's.
    script(
        "riscv64-soft",
        "riscv64-linux-gnu-gcc",
        "-march=rv64imac -mabi=lp64",
    );
    let sdk = |name: &str| prefix.join(format!("sdk/{name}-")).display().to_string();
    for (tuple, toolchain, why, hint) in [
        (
            "armv5tel-softfloat-linux-musleabi",
            "arm-linux-gnueabi-",
            "its libc is glibc, and the tuple means musl",
            "",
        ),
        (
            "aarch64-unknown-linux-musl",
            "aarch64-linux-gnu-",
            "its libc is glibc, and the tuple means musl",
            "",
        ),
        (
            "mips64el-unknown-linux-uclibcabi64",
            "mips64el-linux-gnuabi64-",
            "its libc is glibc, and the tuple means uclibc-ng",
            "",
        ),
        (
            "x86_64-cross-linux-gnu",
            "x86_64-linux-musl-",
            "its libc is musl, and the tuple means glibc",
            "crossmerge init x86_64-cross-linux-gnu --toolchain",
        ),
        (
            "armv7a-unknown-linux-gnueabihf",
            "arm-linux-gnueabi-",
            "its float ABI is soft, and the tuple means hard",
            "crossmerge init armv7a-unknown-linux-gnueabihf --toolchain /usr/bin/arm-linux-gnueabihf- --with-libc",
        ),
        (
            "armv7a-softfp-linux-gnueabi",
            "arm-linux-gnueabihf-",
            "its float ABI is hard, and the tuple means soft",
            "crossmerge init armv7a-softfp-linux-gnueabi --toolchain /usr/bin/arm-linux-gnueabi- --with-libc",
        ),
        (
            "arm-unknown-linux-gnueabi",
            "arm-none-eabi-",
            "its system is none, and the tuple means linux",
            "crossmerge init arm-unknown-linux-gnueabi --toolchain /usr/bin/arm-linux-gnueabi- --with-libc",
        ),
        (
            "arm-board-eabi",
            "arm-linux-gnueabi-",
            "its system is linux, and the tuple means none",
            "crossmerge init arm-board-eabi --toolchain /usr/bin/arm-none-eabi-",
        ),
        (
            "x86_64-w64-mingw32",
            "x86_64-linux-gnu-",
            "its system is linux, and the tuple means Winnt",
            "",
        ),
        (
            "riscv64-unknown-linux-gnu",
            &sdk("riscv64-soft"),
            "its float ABI is soft, and the tuple means double",
            "crossmerge init riscv64-unknown-linux-gnu --toolchain /usr/bin/riscv64-linux-gnu- --with-libc",
        ),
    ] {
        let init = ["init", tuple, "--toolchain", toolchain, "--with-libc"];
        prefix.own(init).fails(125, why, hint);
    }
    // clang takes the libc of a GCC beside it, whatever the tuple means.
    let said = prefix.own([
        "init",
        "aarch64-unknown-linux-musl",
        "--llvm",
        "--with-libc",
    ]);
    assert_eq!(said.code, Some(125), "{said:#?}");
    assert!(!prefix.join("usr").exists() && !prefix.join("etc").exists());
    // What fits, by itself or with the tuple's flags, is adopted.
    for (tuple, options) in [
        (
            "x86_64-cross-linux-musl",
            ["--toolchain", "x86_64-linux-musl-"].as_slice(),
        ),
        (
            "armv6j-unknown-linux-gnueabihf",
            &["--toolchain", "arm-linux-gnueabihf-"],
        ),
        (
            "armv7a-hardfloat-linux-gnueabi",
            &["--toolchain", "arm-linux-gnueabihf-"],
        ),
        (
            "riscv64-softfloat-linux-gnu",
            &["--toolchain", &sdk("riscv64-soft")],
        ),
        ("arm-board-eabi", &["--toolchain", "arm-none-eabi-"]),
        ("armv7a-hardfloat-eabi", &["--toolchain", "arm-none-eabi-"]),
        ("aarch64-unknown-linux-musl", &["--llvm"]),
        ("armv7a-unknown-linux-musleabihf", &["--llvm"]),
        ("powerpc64-unknown-linux-musl", &["--llvm"]),
        ("x86_64-unknown-mingw32", &["--llvm"]),
    ] {
        prefix.own([&["init", tuple], options].concat()).success();
    }
    let multilib = prefix.read("etc/crossmerge/targets/armv7a-hardfloat-eabi.toml");
    assert!(multilib.contains("-mfloat-abi=hard"), "{multilib}");
    let macros = prefix
        .run(
            "armv7a-hardfloat-eabi-gcc",
            ["-dM", "-E", "-x", "c", "/dev/null"],
        )
        .success()
        .stdout;
    assert!(macros.contains("__ARM_PCS_VFP"), "{macros}");
}

#[test]
fn doctor_sees_a_target_that_was_made_with_another_libc() {
    let prefix = Prefix::new();
    let tuple = "arm-unknown-linux-musleabi";
    prefix.write(
        &format!("etc/crossmerge/targets/{tuple}.toml"),
        "[toolchain]\nkind = \"gnu\"\nprefix = \"/usr/bin/arm-linux-gnueabi-\"\n",
    );
    prefix.own(["init", tuple]).success();
    let said = prefix.own(["doctor", tuple]).stdout;
    assert!(
        said.contains("another system: its libc is glibc, and the tuple means musl"),
        "{said}"
    );
}
