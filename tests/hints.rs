//! Hints are true: the command that each names exists, is accepted, and fixes the problem. [`crate::support::hints`]
//! checks the hints of all runs. These tests run them.

use crate::{
    build_systems::{ARM, Target},
    support::{Output, Prefix, hints},
};
use std::fs;

/// A command that fails, and succeeds after the first command of its hint has run in the same shell.
struct Case {
    /// A script that creates the files, once.
    files: &'static str,
    /// What the caller's shell has set.
    shell: &'static str,
    command: &'static str,
    /// A part of the error.
    error: &'static str,
}

const fn case(
    files: &'static str,
    shell: &'static str,
    command: &'static str,
    error: &'static str,
) -> Case {
    Case {
        files,
        shell,
        command,
        error,
    }
}

/// A tuple without a target.
const OTHER: &str = "armv7a-unknown-linux-gnueabihf";

/// `$T` is the target's tuple, `$N` the tuple of a target that does not exist, and `$B` the directory of the
/// commands.
const CASES: [Case; 28] = [
    // Variables in the caller's environment.
    case("", "export SYSROOT=rel", "$T-env true", "SYSROOT"),
    case("", "export ROOT=rel", "$T-env true", "ROOT"),
    case(
        "",
        "export PORTAGE_CONFIGROOT=rel",
        "$T-env true",
        "PORTAGE_CONFIGROOT",
    ),
    case("", "export SYSROOT=/", "$T-fix-root", "the host's own root"),
    case("", "export ROOT=/nowhere", "$T-fix-root", "/nowhere"),
    case(
        "printf '#!/bin/sh\\n' > configure; chmod +x configure",
        "export CC=gcc",
        "$T-configure",
        "CC",
    ),
    case("", "export GOARCH=amd64", "$T-go version", "GOARCH"),
    // Projects, and the tools that build them.
    case(
        "printf '#!/bin/sh\\n' > configure",
        "",
        "$T-configure",
        "is not executable",
    ),
    case(
        "printf 'AC_INIT([x],[1])\\nAC_OUTPUT\\n' > configure.ac",
        "",
        "$T-configure",
        "there is no `configure`",
    ),
    case(
        "mkdir other; printf 'all:\\n\\ttouch made\\n' > Makefile",
        "",
        "test -e made || $T-configure",
        "there is no `configure`",
    ),
    case(
        "printf 'cmake_minimum_required(VERSION 3.20)\\nproject(x C)\\n' > CMakeLists.txt",
        "",
        "test -d build || $T-configure",
        "there is no `configure`",
    ),
    case(
        "printf \"project('x','c')\\n\" > meson.build",
        "",
        "test -d build || $T-configure",
        "there is no `configure`",
    ),
    // Files that are not programs.
    case(
        "echo 'int main(void){return 0;}' > x.c; $T-gcc -c x.c",
        "",
        "test -x x && $T-run ./x || $T-run ./x.o",
        "object file",
    ),
    case(
        "echo 'int main(void){return 0;}' > w.c; $T-gcc -c w.c -o w",
        "",
        "test -x w.out && $T-run ./w.out || $T-run ./w",
        "object file",
    ),
    case(
        "echo 'int main(void){return 0;}' > y.c; chmod +x y.c",
        "",
        "test -x y && $T-run ./y || $T-run ./y.c",
        "C source",
    ),
    case(
        "echo 'int main(void){return 0;}' > z.c; $T-gcc z.c -o z; chmod -x z",
        "",
        "$T-run ./z",
        "is not executable",
    ),
    case(
        "printf '#!/bin/sh\\r\\ntrue\\n' > crlf; chmod +x crlf",
        "",
        "$T-run ./crlf",
        "CRLF",
    ),
    case(
        "printf '\\357\\273\\277#!/bin/sh\\ntrue\\n' > bom; chmod +x bom",
        "",
        "$T-run ./bom",
        "byte order mark",
    ),
    case("", "", "crossmerge remove $N", "$N"),
    // Existing files that are not crossmerge's.
    case(
        "$T-env true; crossmerge export $T cmake > /dev/null; echo mine > f.cmake",
        "",
        "test $(wc -l < f.cmake) -gt 1 || crossmerge export $T cmake f.cmake",
        "was not made by",
    ),
    case(
        "echo mine > f.ini",
        "",
        "test $(wc -l < f.ini) -gt 1 || crossmerge export $T meson f.ini",
        "was not made by",
    ),
    case(
        "echo '#!/bin/sh' > $B/$N-emerge",
        "",
        "crossmerge init $N --toolchain none",
        "$N-emerge",
    ),
    // Names.
    case(
        "",
        "",
        "crossmerge show aarhc64-unknown-linux-gnu",
        "aarhc64",
    ),
    case("", "", "crossmerge show arm64-linx", "linx"),
    case("", "", "crossmerge doctor --check nosuch $T", "nosuch"),
    // Targets.
    case("", "", "crossmerge doctor $N", "$N"),
    case("", "", "crossmerge site-cache forget $T nosuch", "nosuch"),
    case(
        "",
        "",
        "crossmerge init i686-linux-gnu --toolchain i686-linux-gnu-",
        "i686-linux-gnu",
    ),
];

#[test]
fn the_command_of_a_hint_fixes_the_problem() {
    follow(&Target::new(&ARM).prefix);
}

#[test]
fn the_command_of_a_hint_fixes_the_problem_on_gentoo_too() {
    let mut prefix = Prefix::with_portage();
    prefix.write("etc/os-release", "ID=gentoo\n");
    let toolchain = ["--toolchain", "arm-linux-gnueabi-", "--with-libc"];
    prefix
        .own(["init", ARM.tuple].iter().chain(&toolchain))
        .success();
    let home = prefix.join("home");
    prefix.set("HOME", home);
    follow(&prefix);
}

fn follow(target: &Prefix) {
    let work = target.join("work");
    let run = |script: &str| -> Output {
        let prefix = target.with("T", ARM.tuple);
        let prefix = prefix.with("N", OTHER);
        let prefix = prefix.with("B", target.join("bin"));
        prefix.command("/bin/sh", ["-c", &format!("cd work\n{script}")])
    };
    for Case {
        files,
        shell,
        command,
        error,
    } in &CASES
    {
        fs::create_dir(&work).expect("a directory");
        run(files).success();
        let output = run(&format!("{shell}\n{command}"));
        assert_ne!(output.code, Some(0), "{output:#?}");
        // doctor prints its hints on stdout, the others on stderr.
        let text = format!("{}{}", output.stderr, output.stdout);
        assert!(text.contains(&error.replace("$N", OTHER)), "{output:#?}");
        let lines = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("hint: "));
        let commands: Vec<&str> = lines.flat_map(hints::commands).collect();
        let first = commands
            .first()
            .unwrap_or_else(|| panic!("no command in {output:#?}"));
        // A crossmerge command replaces the failed one, so it only has to succeed. After any other fix, the failed
        // command has to succeed.
        let then = if first.starts_with("crossmerge") {
            "true"
        } else {
            command
        };
        let output = run(&format!("set -e\n{shell}\n{first}\n{then}"));
        assert_eq!(output.code, Some(0), "`{first}` does not help: {output:#?}");
        fs::remove_dir_all(&work).expect("the directory");
    }
}

#[test]
fn programs_that_hints_use_freely_are_in_every_system() {
    let prefix = Prefix::new();
    let query = |args: [&str; 3]| prefix.command("/usr/bin/dpkg-query", args).success().stdout;
    for (program, package) in hints::BARE {
        let output = query(["-W", "-f=${Essential} ${Priority}", package]);
        let is_bare = ["yes ", "required", "important"]
            .iter()
            .any(|word| output.contains(word));
        assert!(is_bare, "{package}: {output:?}");
        let files = query(["--admindir=/var/lib/dpkg", "-L", package]);
        let is_it = |file: &str| file.contains("bin/") && file.ends_with(&format!("/{program}"));
        assert!(files.lines().any(is_it), "`{program}` is not of {package}");
    }
}
