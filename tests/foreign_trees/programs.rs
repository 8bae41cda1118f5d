//! The host's compiler runs and obeys nothing in a sysroot: no program, no specs and no plugin, whatever its name and
//! wherever GCC or the linker may look for it.

use super::{Runner, give_away, needs_root};
use crate::support::Prefix;
use std::{ffi::OsString, path::Path};

/// Debian's cross compiler has a tuple with another vendor, so no tool of it is the target's by name.
const TUPLE: &str = "aarch64-strangers-linux-gnu";
const TOOLS: &str = "aarch64-linux-gnu-";

/// The names of GCC's and the linker's own programs.
const PROGRAMS: [&str; 16] = [
    "cc1",
    "cc1plus",
    "as",
    "ld",
    "ld.bfd",
    "ld.gold",
    "ld.lld",
    "collect2",
    "lto1",
    "lto-wrapper",
    "g++-mapper-server",
    "gcc",
    "cpp",
    "nm",
    "strip",
    "objcopy",
];
const OBEYED: [&str; 3] = ["specs", "liblto_plugin.so", "bfd-plugins/x.so"];

/// The directories in which a sysroot may contain such programs.
fn directories(machine: &str, version: &str) -> Vec<String> {
    let mut directories: Vec<String> = [
        "lib",
        "lib64",
        "usr/lib",
        "usr/lib64",
        "bin",
        "usr/bin",
        "usr/libexec",
        ".",
    ]
    .map(str::to_owned)
    .into();
    for above in ["usr/lib", "lib", "usr/lib64", "usr/libexec"] {
        directories.push(format!("{above}/{machine}"));
        for gcc in ["gcc", "gcc-cross"] {
            directories.push(format!("{above}/{gcc}/{machine}/{version}"));
            directories.push(format!("{above}/{gcc}/{machine}"));
        }
    }
    directories.push(format!("usr/{machine}/bin"));
    directories
}

fn plant(prefix: &Prefix, sysroot: &Path, ran: &Path) {
    let asked = |option| {
        prefix
            .command(format!("{TOOLS}gcc"), [option])
            .success()
            .stdout
    };
    let (machine, version) = (asked("-dumpmachine"), asked("-dumpversion"));
    let directories = directories(machine.trim(), version.trim());
    for directory in &directories {
        let directory = sysroot.join(directory).join("bfd-plugins");
        std::fs::create_dir_all(directory).expect("directories");
    }
    for directory in directories {
        let directory = sysroot.join(directory);
        let script = format!("#!/bin/sh\necho \"$0\" >>{}\nexit 1\n", ran.display());
        for name in PROGRAMS {
            let place = directory.join(name);
            // The sysroot may have a directory of that name.
            if place.symlink_metadata().is_err() {
                let place = place.strip_prefix(prefix.path()).expect("below the prefix");
                prefix.script(place.to_str().expect("UTF-8"), &script);
            }
        }
        let specs = format!(
            "*cc1:\n-wrapper {}\n\n*linker:\n{0}\n",
            directory.join("cc1").display()
        );
        for name in OBEYED {
            std::fs::write(directory.join(name), &specs).expect("a file");
        }
    }
    give_away(sysroot);
}

#[test]
fn no_file_of_a_sysroot_runs_as_a_program_of_the_host() {
    needs_root();
    Runner::BOTH.into_iter().for_each(no_file_runs);
}

fn no_file_runs(runner: Runner) {
    let mut prefix = Prefix::new();
    prefix.command("chmod", ["755", "."]).success();
    runner.takes(&mut prefix);
    let sysroot = prefix.join("s");
    let place = sysroot.display().to_string();
    prefix
        .own([
            "init",
            TUPLE,
            "--sysroot",
            &place,
            "--toolchain",
            TOOLS,
            "--with-libc",
        ])
        .success();
    let ran = prefix.join("ran");
    std::fs::write(&ran, "").expect("a file");
    prefix.command("chmod", ["666", "ran"]).success();
    plant(&prefix, &sysroot, &ran);
    prefix.write(
        "x.c",
        "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n",
    );
    prefix.write(
        "x.cc",
        "#include <stdio.h>\nint main() { return puts(\"\") < 0; }\n",
    );
    prefix.write("x.s", "\t.text\n");
    let gcc = format!("{TUPLE}-gcc");
    let commands: [(&str, &[&str]); 10] = [
        (&gcc, &["-c", "x.c", "-o", "x.o"]),
        (&gcc, &["x.c", "-o", "x"]),
        (&gcc, &["-flto", "x.c", "-o", "x"]),
        (&gcc, &["-static", "x.c", "-o", "x"]),
        (&gcc, &["-c", "x.s", "-o", "x.o"]),
        (&gcc, &["-E", "x.c"]),
        (
            &gcc,
            &["-fuse-ld=bfd", "-shared", "-fPIC", "x.c", "-o", "x.so"],
        ),
        (&gcc, &["-print-prog-name=cc1"]),
        ("crossmerge", &["doctor", TUPLE]),
        ("crossmerge", &["export", TUPLE, "meson"]),
    ];
    for (name, args) in commands {
        let trace = prefix.join("trace").display().to_string();
        let strace = [
            "-f",
            "--seccomp-bpf",
            "-o",
            &trace,
            "-e",
            "trace=execve,openat,open",
        ];
        let strace = strace.map(Into::into).into_iter();
        let words = strace.chain(prefix.words(name));
        let args: Vec<OsString> = args.iter().map(Into::into).collect();
        let output = prefix.command("strace", words.chain(args.clone()));
        let is_compiler = name == gcc;
        assert!(!is_compiler || output.code == Some(0), "{output:#?}");
        let trace = prefix.read("trace");
        let is_there =
            |line: &&str| line.contains(&format!("\"{place}/")) && !line.contains(" = -1 ");
        for line in trace.lines().filter(is_there) {
            let is_run = line.contains("execve(");
            let is_obeyed = OBEYED
                .iter()
                .any(|name| line.contains(&format!("/{name}\"")));
            assert!(!is_run && !is_obeyed, "{name} {args:?}: {line}");
        }
        assert_eq!(prefix.read("ran"), "", "{name} {args:?}");
        assert!(
            !output.stdout.contains(&place) || args[0] != "-print-prog-name=cc1",
            "{output:#?}"
        );
    }
}
