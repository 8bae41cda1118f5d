//! `<tuple>-run`: its choice of QEMU, libraries and CPU model, and what it does with native programs, scripts and
//! other files.

use super::{PROGRAM, compile};
use crate::support::{Output, Prefix};
use std::{os::unix::fs::symlink, path::Path};

const TUPLE: &str = "armv5tel-softfloat-linux-gnueabi";
const ARM: &str = "arm-linux-gnueabi";

/// A prefix with a sysroot that contains only Debian's libc for the target.
fn prefix_with_libc() -> Prefix {
    let prefix = Prefix::new();
    prefix.link(&format!("{TUPLE}-run"));
    let sysroot = format!("usr/{TUPLE}");
    std::fs::create_dir_all(prefix.join(&sysroot).join("usr/bin")).expect("a sysroot");
    symlink(format!("/usr/{ARM}/lib"), prefix.join(sysroot).join("lib")).expect("a link");
    prefix
}

fn run(prefix: &Prefix, args: &[&str]) -> Output {
    prefix.run(&format!("{TUPLE}-run"), args)
}

#[track_caller]
fn prints(output: Output, text: &str) {
    assert_eq!(
        (output.code, output.stdout.trim_end()),
        (Some(7), text),
        "{output:#?}"
    );
}

#[test]
fn the_header_selects_qemu_and_the_path_selects_the_libraries() {
    let prefix = prefix_with_libc();
    let sysroot = prefix.join(format!("usr/{TUPLE}")).display().to_string();
    compile(&prefix, ARM, &[], "program", PROGRAM);
    let output = run(&prefix, &["./program", "a b", "", "-0", "--"]);
    prints(
        output,
        &format!("<./program><a b><><-0><--> prefix={sysroot} cpu=-"),
    );
    // A bare name is searched in the sysroot first, and then in the current directory.
    prints(
        run(&prefix, &["program"]),
        &format!("<program> prefix={sysroot} cpu=-"),
    );
    compile(&prefix, ARM, &["-static"], "static", PROGRAM);
    let tool = prefix.join(format!("usr/{TUPLE}/usr/bin/tool"));
    std::fs::copy(prefix.join("static"), &tool).expect("a copy");
    prefix.script("tool", "#!/bin/sh\necho wrong\n");
    prints(
        run(&prefix, &["tool", "x"]),
        &format!("<tool><x> prefix={sysroot} cpu=-"),
    );
    // A program in another ROOT uses the libraries of that ROOT, and absolute symlinks are resolved inside it.
    let root = prefix.join("root");
    std::fs::create_dir_all(root.join("usr/bin")).expect("a root");
    symlink(format!("/usr/{ARM}/lib"), root.join("lib")).expect("a link");
    std::fs::copy(prefix.join("program"), root.join("usr/bin/applet.real")).expect("a copy");
    symlink("/usr/bin/applet.real", root.join("usr/bin/applet")).expect("a link");
    let with_root = prefix.with("ROOT", &root);
    let path = root.display().to_string();
    prints(
        run(&with_root, &["applet"]),
        &format!("<applet> prefix={path} cpu=-"),
    );
    let typed = format!("{path}/usr/bin/applet");
    prints(
        run(&with_root, &[&typed]),
        &format!("<{typed}> prefix={path} cpu=-"),
    );
    // The caller's QEMU_LD_PREFIX overrides the default.
    let with_prefix = with_root.with("QEMU_LD_PREFIX", format!("/usr/{ARM}"));
    prints(
        run(&with_prefix, &["applet"]),
        &format!("<applet> prefix=/usr/{ARM} cpu=-"),
    );
}

#[test]
fn another_targets_program_gets_its_own_qemu() {
    let prefix = prefix_with_libc();
    let sysroot = prefix.join(format!("usr/{TUPLE}")).display().to_string();
    prefix.write(
        &format!("etc/crossmerge/targets/{TUPLE}.toml"),
        "cpu = \"arm926\"\n",
    );
    compile(&prefix, "s390x-linux-gnu", &["-static"], "static", PROGRAM);
    compile(&prefix, "s390x-linux-gnu", &[], "dynamic", PROGRAM);
    // The CPU model is one for the target's CPU, and s390x has none of that name.
    prints(
        run(&prefix, &["./static"]),
        &format!("<./static> prefix={sysroot} cpu=-"),
    );
    run(&prefix, &["./dynamic"]).fails(
        126,
        &format!("needs the dynamic linker `/lib/ld64.so.1`, which is not in `{sysroot}`; it is not for `{TUPLE}`"),
        "of its own target",
    );
}

#[test]
fn the_configured_cpu_is_emulated() {
    let prefix = prefix_with_libc();
    let source = "#include <stdio.h>\n#include <sys/utsname.h>\n\
        int main(void) { struct utsname u; return uname(&u) || puts(u.machine) < 0; }\n";
    compile(&prefix, ARM, &["-static"], "machine", source);
    let machine = |prefix: &Prefix| run(prefix, &["./machine"]).success().stdout;
    assert_eq!(machine(&prefix), "armv7l\n");
    let file = format!("etc/crossmerge/targets/{TUPLE}.toml");
    prefix.write(&file, "cpu = \"arm926\"\n");
    assert_eq!(machine(&prefix), "armv5tel\n");
    assert_eq!(machine(&prefix.with("QEMU_CPU", "cortex-a8")), "armv7l\n");
    let plan = prefix
        .own(["plan", TUPLE, "run", "./machine"])
        .success()
        .stdout;
    assert!(plan.contains("QEMU_CPU=arm926"), "{plan}");
    assert_eq!(
        prefix.command("/bin/sh", ["-c", &plan]).success().stdout,
        "armv5tel\n"
    );
    // Build systems get the model with the emulator's command, because they use the exported files without
    // crossmerge.
    symlink(
        format!("/usr/{ARM}/include"),
        prefix.join(format!("usr/{TUPLE}/include")),
    )
    .expect("a link");
    prefix.script(
        &format!("bin/{TUPLE}-gcc"),
        &format!("#!/bin/sh\nexec /usr/bin/{ARM}-gcc \"$@\"\n"),
    );
    let cmake = prefix.own(["export", TUPLE, "cmake"]).success().stdout;
    let emulator = cmake
        .lines()
        .find(|line| line.contains("CMAKE_CROSSCOMPILING_EMULATOR"));
    assert!(
        emulator.is_some_and(|line| line.contains("-cpu") && line.contains("arm926")),
        "{cmake}"
    );
}

#[test]
fn programs_that_the_kernel_runs_are_executed_directly() {
    let prefix = prefix_with_libc();
    for compiler in ["x86_64-linux-gnu", "i686-linux-gnu"] {
        let program = compile(&prefix, compiler, &["-static"], compiler, PROGRAM);
        let typed = format!("./{compiler}");
        let runs = prefix.command(&program, ["x"]).code == Some(7);
        let plan = prefix
            .own(["plan", TUPLE, "run", &typed, "x"])
            .success()
            .stdout;
        assert_eq!(plan.contains("qemu-"), !runs, "{plan}");
        let output = run(&prefix, &[&typed, "x"]);
        assert!(
            output.stdout.starts_with(&format!("<{typed}><x>")),
            "{output:#?}"
        );
        assert_eq!(output.code, Some(7));
    }
}

#[test]
fn a_script_runs_with_the_targets_interpreter() {
    let prefix = prefix_with_libc();
    let sysroot = prefix.join(format!("usr/{TUPLE}"));
    let program = compile(&prefix, ARM, &["-static"], "interpreter", PROGRAM);
    std::fs::create_dir(sysroot.join("bin")).expect("a directory");
    std::fs::copy(program, sysroot.join("bin/sh")).expect("a copy");
    prefix.script("script", "#! /bin/sh -e x \necho native; exit 3\n");
    let prefix_is = sysroot.display();
    prints(
        run(&prefix, &["./script", "a"]),
        &format!("</bin/sh><-e x><./script><a> prefix={prefix_is} cpu=-"),
    );
    // The target has no such interpreter, and the host has one.
    prefix.script("other", "#!/bin/bash\necho native \"$@\"; exit 3\n");
    let output = run(&prefix, &["./other", "a"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (Some(3), "native a\n"),
        "{output:#?}"
    );
}

/// The expected result is what the kernel does with the same file, by the exit code that a shell returns.
#[test]
fn a_script_that_the_kernel_does_not_start_does_not_run() {
    let prefix = prefix_with_libc();
    let sysroot = prefix.join(format!("usr/{TUPLE}"));
    let program = compile(&prefix, ARM, &["-static"], "interpreter", PROGRAM);
    std::fs::create_dir(sysroot.join("bin")).expect("a directory");
    std::fs::copy(&program, sysroot.join("bin/sh")).expect("a copy");
    std::fs::copy(&program, sysroot.join("bin/data")).expect("a copy");
    let data = sysroot.join("bin/data").display().to_string();
    prefix.command("/bin/chmod", ["-x", &data]).success();
    let nested = prefix.script("nested", "#!/bin/sh -n\n");
    std::fs::copy(&nested, sysroot.join("bin/nested")).expect("a copy");
    let is = format!("prefix={} cpu=-", sysroot.display());
    for (text, output) in [
        ("#!/bin/sh \r\n", format!("</bin/sh><\r><./s><a> {is}")),
        ("#!/bin/sh -e", format!("</bin/sh><-e><./s><a> {is}")),
        ("#!/bin/sh ", format!("</bin/sh><><./s><a> {is}")),
        (
            "#!/bin/nested x\n",
            format!("</bin/sh><-n></bin/nested><x><./s><a> {is}"),
        ),
        (
            "#!./interpreter x\n",
            format!("<./interpreter><x><./s><a> {is}"),
        ),
    ] {
        prefix.script("s", text);
        let ran = run(&prefix, &["./s", "a"]);
        let nested = sysroot.join("bin/nested").display().to_string();
        let stdout = ran.stdout.replace(&nested, "/bin/nested");
        assert_eq!(
            (ran.code, stdout.trim_end()),
            (Some(7), &*output),
            "{text:?}"
        );
    }
    let long = format!("#!/bin/{}\n", "x".repeat(250));
    for (text, code, error, hint) in [
        (
            "#!/bin/sh\r\n",
            127,
            "needs the interpreter `/bin/sh\\r`, which does not exist: the script has CRLF line ends",
            "`sed -i 's/\\r$//' ./s`",
        ),
        (
            "#!/bin/sh\x0c\n",
            127,
            "needs the interpreter `/bin/sh\\u{c}`, which does not exist, neither in",
            "head -n 1 ./s",
        ),
        (
            "#!/usr/bin/none\n",
            127,
            "`/usr/bin/none`, which does not exist",
            "merge",
        ),
        (
            "#!none\n",
            127,
            "does not exist in the current directory",
            "head -n 1",
        ),
        (
            "#!/bin/data\n",
            126,
            "`/bin/data`, which is not executable",
            "chmod +x",
        ),
        (
            "#!/bin\n",
            126,
            "`/bin`, which is not executable",
            "chmod +x",
        ),
        ("#!\n", 126, "neither ELF nor a script", "od -c"),
        (&long, 126, "neither ELF nor a script", "od -c"),
        ("#!./s\n", 126, "more than 5 scripts", "head -n 1 ./s"),
    ] {
        prefix.script("s", text);
        run(&prefix, &["./s"]).fails(code, error, hint);
    }
}

#[test]
fn a_file_that_is_no_program_is_an_error_with_the_next_step() {
    let prefix = prefix_with_libc();
    compile(&prefix, ARM, &["-c"], "t.o", PROGRAM);
    prefix.write("t.c", "int main(void) { return 0; }\n");
    prefix.write("t.py", "print(1)\n");
    let gcc = format!("`{TUPLE}-gcc ./t.");
    for (name, what, hint) in [
        (
            "./t.c",
            "it is C source",
            &*format!("compile it: {gcc}c -o ./t`"),
        ),
        (
            "./t.o",
            "not linked yet",
            &format!("link it: {gcc}o -o ./t`"),
        ),
        (
            "./t.py",
            "it is a Python script",
            &format!("`{TUPLE}-run python3 ./t.py`"),
        ),
    ] {
        for mode in ["-x", "+x"] {
            prefix.command("/bin/chmod", [mode, name]).success();
            run(&prefix, &[name]).fails(126, what, hint);
        }
    }
}

#[test]
fn run_and_env_have_their_own_help() {
    let prefix = prefix_with_libc();
    prefix.link(&format!("{TUPLE}-env"));
    for (applet, line) in [
        ("run", "-run program [arguments…]"),
        ("env", "-env command [arguments…]"),
    ] {
        for option in ["--help", "-h"] {
            let output = prefix.run(&format!("{TUPLE}-{applet}"), [option]).success();
            assert!(
                output.stdout.contains(line) && output.stderr.is_empty(),
                "{output:#?}"
            );
        }
    }
    // After the command, `--help` belongs to the command.
    let output = prefix
        .run(&format!("{TUPLE}-env"), ["echo", "--help"])
        .success();
    assert!(
        output.stdout.starts_with("Usage: ") && output.stdout.contains("echo"),
        "{output:#?}"
    );
}

#[test]
fn signals_reach_the_program_and_its_exit_code_reaches_the_caller() {
    let prefix = prefix_with_libc();
    let source = "#include <signal.h>\n#include <stdio.h>\n#include <unistd.h>\n\
        static void end(int n) { (void)n; _exit(9); }\n\
        int main(int c, char **v) { (void)v; signal(SIGUSR1, end); puts(\"ready\"); fflush(stdout);\n\
        if (c > 1) raise(SIGTERM); for (;;) pause(); }\n";
    compile(&prefix, ARM, &["-static"], "waits", source);
    let run = prefix.join(format!("bin/{TUPLE}-run"));
    let end = prefix.command(
        "/bin/bash",
        ["-c", "coproc { exec \"$0\" ./waits; }; read -ru ${COPROC[0]} _; kill -USR1 $COPROC_PID; wait $COPROC_PID; echo $?",
            run.to_str().expect("a path")],
    );
    assert_eq!(end.success().stdout, "9\n");
    let end = prefix.command(
        "/bin/bash",
        [
            "-c",
            "ulimit -c 0; \"$0\" ./waits now > ready; echo $?",
            run.to_str().expect("a path"),
        ],
    );
    assert_eq!(end.success().stdout, "143\n");
}

#[test]
fn a_program_that_cannot_run_is_an_error() {
    let prefix = prefix_with_libc();
    let sysroot = prefix.join(format!("usr/{TUPLE}")).display().to_string();
    compile(&prefix, ARM, &["-static"], "program", PROGRAM);
    compile(&prefix, ARM, &["-c"], "object", PROGRAM);
    let mut unknown = std::fs::read(prefix.join("program")).expect("a program");
    unknown[18..20].copy_from_slice(&[0x34, 0x12]);
    std::fs::write(prefix.join("unknown"), unknown).expect("a file");
    prefix.write("text", "hello\n");
    for name in ["unknown", "object"] {
        let chmod = ["+x".into(), prefix.join(name)];
        prefix.command("/bin/chmod", chmod).success();
    }
    let hint = format!("`{TUPLE}-run ./program");
    run(&prefix, &[]).fails(125, "no program was named", &hint);
    run(&prefix, &["./none"]).fails(127, "there is no `./none`", "is a path on the host");
    run(&prefix, &["none"]).fails(127, "there is no program `none` in", "by its path");
    run(&prefix, &["./text"]).fails(126, "`./text` is not executable", "chmod +x ./text");
    prefix.script("text", "hello\n");
    run(&prefix, &["./text"]).fails(126, "neither ELF nor a script", "od -c ./text");
    run(&prefix, &["./object"]).fails(
        126,
        "is an ELF file, but not a program (ELF type 1)",
        "-gcc ./object -o ./object.out",
    );
    run(&prefix, &["./unknown"]).fails(126, "ELF machine 4660, 32 bits", "od -c");
    run(&prefix, &["./bin"]).fails(126, "`./bin` is not a program", "od -c ./bin");
    // A path means the host's file, even if the target has one.
    let tool = Path::new(&sysroot).join("usr/bin/crossmerge-tool");
    std::fs::copy(prefix.join("program"), &tool).expect("a copy");
    let meant = format!("the target's is `{}`", tool.display());
    run(&prefix, &["/usr/bin/crossmerge-tool"]).fails(
        127,
        "there is no `/usr/bin/crossmerge-tool`",
        &meant,
    );
    // Without QEMU, and then without the target's libc.
    let without = prefix.with("PATH", prefix.join("bin"));
    run(&without, &["./program"]).fails(
        127,
        "`./program` needs `qemu-arm` or `qemu-arm-static`, and neither is in PATH",
        "install QEMU's user-mode emulation",
    );
    compile(&prefix, ARM, &[], "dynamic", PROGRAM);
    std::fs::remove_file(prefix.join(format!("usr/{TUPLE}/lib"))).expect("a link");
    let wanted =
        format!("needs the dynamic linker `/lib/ld-linux.so.3`, which is not in `{sysroot}`");
    run(&prefix, &["./dynamic"]).fails(126, &wanted, "--with-libc");
}

/// A tuple of MIPS may mean o32, n32 or n64. The compiler's output decides, and this compiler always makes n32.
#[test]
fn an_ambiguous_abi_gets_the_emulator_for_the_compilers_output() {
    let prefix = Prefix::new();
    let tuple = "mips64el-unknown-linux-gnu";
    std::fs::create_dir_all(prefix.join(format!("usr/{tuple}"))).expect("a sysroot");
    let source = prefix.write(
        "n32.c",
        "void __start(void)\n{\n\tregister long number __asm__(\"$2\") = 6058;\n\tregister long code __asm__(\"$4\") = 42;\n\
         \t__asm__ volatile(\"syscall\" : : \"r\"(number), \"r\"(code));\n}\n",
    );
    prefix.script(
        &format!("bin/{tuple}-gcc"),
        &format!(
            "#!/bin/sh\nexec /usr/bin/mips64el-linux-gnuabi64-gcc -mabi=n32 -nostdlib -static {} -o \"$3\"\n",
            source.display()
        ),
    );
    let json = prefix.own(["export", tuple, "json"]).success().stdout;
    let facts: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let emulator = &facts["emulator"][0];
    assert_eq!(emulator, "/usr/bin/qemu-mipsn32el-static", "{json}");
}
