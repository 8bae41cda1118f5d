//! Existing toolchains: Debian's, one with its own sysroot, and clang; and the errors for unsuitable ones.

use crate::support::Prefix;
use std::{fs, path::Path};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

const HELLO: &str = "#include <stdio.h>\n#include <math.h>\nint main(int c, char **v) { (void)v; printf(\"%.1f\\n\", sqrt(c + 3.0)); return 0; }\n";

/// Compiles a program with `<tuple>-<compiler>`, and runs it under QEMU with the sysroot's libraries.
fn builds_and_runs(prefix: &Prefix, tuple: &str, compiler: &str, qemu: &str) {
    prefix.write("hello.c", HELLO);
    prefix
        .run(
            &format!("{tuple}-{compiler}"),
            ["hello.c", "-o", "hello", "-lm"],
        )
        .success();
    let sysroot = prefix.join(format!("usr/{tuple}"));
    let output = prefix
        .with("QEMU_LD_PREFIX", &sysroot)
        .command(qemu, ["./hello"])
        .success();
    assert_eq!(output.stdout, "2.0\n");
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
    // The linker script has paths inside the sysroot.
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
    // The linker's trace shows that it uses the sysroot's files.
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
    // The caller's own `--sysroot` comes later on the command line and so replaces the default.
    let output = prefix
        .run(
            &format!("{ARM}-gcc"),
            ["--sysroot=/nowhere", "-print-sysroot"],
        )
        .success()
        .stdout;
    assert_eq!(output.trim(), "/nowhere");
    let output = prefix
        .run(&format!("{ARM}-gcc"), ["-print-sysroot"])
        .success()
        .stdout;
    assert_eq!(Path::new(output.trim()), sysroot);
    // A second run copies nothing. A library from another source stays.
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
    let output = prefix.own(["remove", ARM]).success();
    assert!(
        output.stdout.contains("libm.a: edited"),
        "the file that is not ours stays: {}",
        output.stdout.len()
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
fn a_toolchains_own_sysroot_is_used_unchanged() {
    let prefix = Prefix::new();
    // crosstool-NG builds compilers that know their sysroot. This one has Debian's libc in the layout of a root.
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
fn a_dynamic_linker_beside_the_libraries_is_copied_too() {
    // For PowerPC, Debian's dynamic linker is a symlink into the library directory. For the others it is only in that
    // directory.
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
        let output = prefix.run(&format!("{tuple}-run"), ["./hello"]).success();
        assert_eq!(output.stdout, "2.0\n", "{tuple}");
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
    // A call that does not link prints no warning, because configure treats a warning as a failure.
    let output = prefix
        .run(
            &format!("{tuple}-clang"),
            ["-Werror", "-c", "hello.c", "-o", "hello.o"],
        )
        .success();
    assert_eq!(output.stderr, "");
    let defaults = prefix.read(&format!("usr/{tuple}/etc/portage/profile/make.defaults"));
    assert!(
        defaults.contains(&format!("CC=\"{tuple}-clang\"")),
        "{defaults}"
    );
    let output = prefix
        .run(&format!("{tuple}-env"), ["/bin/sh", "-c", "echo $CC $AR"])
        .success()
        .stdout;
    assert_eq!(output.trim(), format!("{tuple}-clang {tuple}-ar"));
}

#[test]
fn a_toolchain_for_another_target_is_an_error_with_the_reason() {
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
    // For `gcc`, the prefix before `gcc` is empty, so the hint names no prefix.
    let output =
        adopt("aarch64-unknown-linux-gnu", "gcc").fails(125, "no compiler `gccgcc`", "--toolchain");
    assert!(!output.stderr.contains("--toolchain `"), "{output:#?}");
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
    let output =
        adopt(ARM, "broken-").fails(125, "cannot compile an empty file", "fix or reinstall");
    assert!(output.stderr.contains("cannot execute cc1"), "{output:#?}");
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
    // A compiler symlink of crossmerge without a toolchain.
    prefix.link(&format!("{ARM}-gcc"));
    prefix.run(&format!("{ARM}-gcc"), ["x.c"]).fails(
        125,
        "no adopted toolchain of",
        "--toolchain PREFIX",
    );
}

/// Runs `crossmerge` in another working directory.
fn own_in(prefix: &Prefix, directory: &Path, args: &[&str]) -> crate::support::Output {
    let script = "cd \"$1\" && shift && exec \"$@\"";
    let (directory, own) = (
        directory.to_str().expect("UTF-8"),
        prefix.join("bin/crossmerge"),
    );
    let own = own.to_str().expect("UTF-8");
    let words = ["-c", script, "sh", directory, own].into_iter();
    prefix.command("/bin/sh", words.chain(args.iter().copied()))
}

/// Creates a libc in every place of a root in which crossmerge looks for one.
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
            let output = own_in(&prefix, directory, &init).success().stdout;
            assert_eq!(
                output.lines().count(),
                wanted.lines().count(),
                "{directory:?}"
            );
            assert!(output == wanted, "another libc in {directory:?}");
        }
    }
}

#[test]
fn a_relative_path_in_a_tools_output_is_ignored() {
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
fn the_hosts_own_libc_is_not_copied() {
    let prefix = Prefix::new();
    // gcc without a prefix uses the host's headers.
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
fn no_symlink_shadows_a_real_tool_in_path() {
    let prefix = Prefix::new();
    for tool in ["gcc", "ld", "ar"] {
        let script = format!("#!/bin/sh\nexec /usr/bin/arm-linux-gnueabi-{tool} \"$@\"\n");
        prefix.script(&format!("tools/arm-board-linux-gnueabi-{tool}"), &script);
    }
    // The tools of a distribution, those of an SDK in PATH, and clang, whose linker has the name of a real one.
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
    // The suggested command works. In a directory that is not in PATH, the symlinks replace nothing.
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
    // If the directory is added to PATH later, the symlinks do replace the tool, and doctor reports it.
    let mut found = prefix.with("A", "b");
    found.put_first_in_path(&["links"]);
    let output = found.own(["doctor", "riscv64-linux-gnu"]);
    assert!(output.stdout.contains("is a real tool"), "{output:#?}");
    assert!(
        output.stdout.contains("crossmerge remove riscv64-linux-gnu && crossmerge init riscv64-cross-linux-gnu --toolchain /usr/bin/riscv64-linux-gnu-")
            || output.stdout.contains("crossmerge remove riscv64-linux-gnu && crossmerge init riscv64-unknown-linux-gnu --toolchain /usr/bin/riscv64-linux-gnu-"),
        "{output:#?}"
    );
}

#[test]
fn a_directory_in_a_toolchains_own_layout_is_no_sysroot() {
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
    // Without a toolchain, the target is made, and crossmerge prints the command that adds one.
    let output = prefix.own(["init", tuple, "--dry-run"]).success().stderr;
    assert!(output.contains("does not use the sysroot"), "{output}");
    assert!(
        output.contains(
            "crossmerge init riscv64-unknown-linux-gnu --toolchain riscv64-linux-gnu- --with-libc"
        ),
        "{output}"
    );
}

#[test]
fn a_compiler_with_the_targets_own_name_is_not_adopted() {
    let prefix = Prefix::new();
    let tuple = "arm-board-linux-gnueabi";
    let sysroot = prefix.join(format!("usr/{tuple}"));
    fs::create_dir_all(&sysroot).expect("a sysroot");
    // crossdev makes such compilers.
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
fn a_toolchain_with_another_libc_system_or_abi_is_an_error() {
    let prefix = Prefix::new();
    let script = |name: &str, compiler: &str, options: &str| {
        let text = format!("#!/bin/sh\nexec /usr/bin/{compiler} {options} \"$@\"\n");
        prefix.script(&format!("sdk/{name}-gcc"), &text);
    };
    // A multilib compiler whose default is another ABI, and which has no libc for the tuple's.
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
    // clang uses the libc of a GCC beside it, whatever the tuple means.
    let output = prefix.own([
        "init",
        "aarch64-unknown-linux-musl",
        "--llvm",
        "--with-libc",
    ]);
    assert_eq!(output.code, Some(125), "{output:#?}");
    assert!(!prefix.join("usr").exists() && !prefix.join("etc").exists());
    // A toolchain that fits, by default or with the tuple's flags, is adopted.
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
fn doctor_finds_a_libc_that_does_not_fit_the_tuple() {
    let prefix = Prefix::new();
    let tuple = "arm-unknown-linux-musleabi";
    prefix.write(
        &format!("etc/crossmerge/targets/{tuple}.toml"),
        "[toolchain]\nkind = \"gnu\"\nprefix = \"/usr/bin/arm-linux-gnueabi-\"\n",
    );
    prefix.own(["init", tuple]).success();
    let output = prefix.own(["doctor", tuple]).stdout;
    assert!(
        output.contains("another system: its libc is glibc, and the tuple means musl"),
        "{output}"
    );
}
