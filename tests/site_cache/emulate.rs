//! The mode `emulate`: configure scripts, CMake and Meson run their tests under QEMU. One test builds a whole
//! package, and one merges a package with Portage. If no emulator works, the site cache answers instead.

use super::{ARM, autoconf};
use crate::support::{Prefix, names_in, prepared};
use std::{collections::BTreeSet, os::unix::fs::symlink, path::Path};

const S390X: &str = "s390x-ibm-linux-gnu";

/// The host's mounts and binfmt_misc entries.
fn machine() -> (String, BTreeSet<String>) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let names = names_in("/proc/sys/fs/binfmt_misc");
    (mounts, names)
}

/// Initialises a target whose configure scripts run their tests.
fn emulated(prefix: &Prefix, tuple: &str, toolchain: &str) {
    let init = ["init", tuple, "--toolchain", toolchain, "--with-libc"];
    prefix.own(init).success();
    let file = format!("etc/crossmerge/targets/{tuple}.toml");
    prefix.write(
        &file,
        &format!("site_cache = \"emulate\"\n{}", prefix.read(&file)),
    );
}

#[test]
fn configure_runs_its_tests_and_the_host_does_not_change() {
    let before = machine();
    for (version, program) in [
        autoconf::VERSIONS[0],
        autoconf::VERSIONS[1],
        autoconf::VERSIONS[3],
    ] {
        let prefix = autoconf::project(version, program);
        for (tuple, toolchain) in [(ARM, "arm-linux-gnueabi-"), (S390X, "s390x-linux-gnu-")] {
            emulated(&prefix, tuple, toolchain);
            let _ = std::fs::remove_file(prefix.join("config.cache"));
            let output = prefix
                .run(&format!("{tuple}-configure"), ["--prefix=/usr"])
                .success();
            if version != "2.13" {
                let no = "checking whether we are cross compiling... no\n";
                assert!(output.stdout.contains(no), "{version} {tuple}: {output:#?}");
            }
            let log = prefix.read("config.log");
            let text = format!(
                "crossmerge: programs of {tuple} run on this host: configure runs its tests itself\n"
            );
            assert!(log.contains(&text), "{version} {tuple}: {log}");
            let [malloc, words, more] = autoconf::answers(output);
            assert!(!malloc.contains("cached"), "{version} {tuple}: {malloc}");
            assert_eq!(
                [words, more],
                ["ran", "ran"].map(str::to_owned),
                "{version} {tuple}"
            );
        }
    }
    assert_eq!(machine(), before);
}

#[test]
fn the_test_program_is_rebuilt_only_for_another_libc() {
    let prefix = Prefix::new();
    emulated(&prefix, ARM, "arm-linux-gnueabi-");
    let tried = || {
        let render = prefix.own(["site-cache", "render", ARM]).success().stdout;
        let mut lines = render.lines();
        let line = lines
            .find(|line| line.contains("/trial/"))
            .expect("a program that is tried");
        let program = line
            .split_whitespace()
            .next()
            .expect("a path")
            .trim_matches('\'')
            .to_owned();
        let modified = Path::new(&program)
            .metadata()
            .expect("it is there")
            .modified();
        (program, modified.expect("a time"))
    };
    let first = tried();
    assert_eq!(tried(), first);
    let libc = prefix.join(format!("usr/{ARM}/usr/lib/libc.so"));
    let text = std::fs::read(&libc).expect("a libc");
    std::fs::remove_file(&libc).expect("it is there");
    std::fs::write(&libc, text).expect("another libc");
    let second = tried();
    assert_ne!(second.0, first.0);
    assert!(!Path::new(&first.0).exists());
}

#[test]
fn without_an_emulator_the_answers_are_used_with_a_note() {
    let (version, program) = autoconf::VERSIONS[2];
    let mut prefix = autoconf::project(version, program);
    emulated(&prefix, ARM, "arm-linux-gnueabi-");
    // All programs of the host except QEMU.
    std::fs::create_dir(prefix.join("tools")).expect("tools");
    for entry in std::fs::read_dir("/usr/bin").expect("/usr/bin") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with("qemu-") {
            symlink(entry.path(), prefix.join("tools").join(&name)).expect("a link");
        }
    }
    let path = ["bin", "tools"].map(|directory| prefix.join(directory).display().to_string());
    prefix.set("PATH", path.join(":"));
    let output = prefix.run(&format!("{ARM}-configure"), [""; 0]).success();
    for text in [
        "configure gets answers, since programs of",
        "neither `qemu-arm` nor `qemu-arm-static` is in PATH",
        "hint: ",
        &format!("programs of {ARM} do not run on this host: configure gets answers instead"),
    ] {
        assert!(output.stderr.contains(text), "{text}: {output:#?}");
    }
    let log = prefix.read("config.log");
    assert!(
        log.contains(&format!(
            "crossmerge: programs of {ARM} do not run on this host"
        )),
        "{log}"
    );
    let [malloc, _, more] = autoconf::answers(output);
    assert_eq!([malloc, more], ["(cached) yes", "cross"].map(str::to_owned));
}

#[test]
fn gawk_builds_completely() {
    let prefix = Prefix::new();
    emulated(&prefix, ARM, "arm-linux-gnueabi-");
    let script = format!(
        "mkdir gawk; tar -xf {} -C gawk --strip-components=1; cd gawk
         $t-configure --disable-nls --disable-extensions --disable-mpfr CFLAGS=-O0
         grep 'checking whether we are cross compiling' config.log
         $t-env make -j2 -C support; $t-env make -j2 gawk
         $t-run ./gawk 'BEGIN {{ print 6 * 7 }}'",
        prepared("chain/gawk-5.2.1.tar.xz").display()
    );
    let output = prefix
        .with("t", ARM)
        .command("/bin/sh", ["-exc", &script])
        .success();
    assert!(output.stdout.ends_with("\n42\n"), "{output:#?}");
    assert!(
        output.stdout.contains("cross compiling... no\n"),
        "{output:#?}"
    );
}

/// A program that prints facts about the machine for which it is compiled.
const ASKS: &str = r#"#include <stdio.h>
int main(void)
{
    union { int word; char byte; } it = { 1 };
    printf("%d %s", (int) sizeof(long), it.byte ? "little" : "big");
    return 0;
}
"#;

#[test]
fn cmake_and_meson_run_their_test_programs_for_the_target() {
    for (tuple, toolchain, printed) in [
        (ARM, "arm-linux-gnueabi-", "4 little"),
        (S390X, "s390x-linux-gnu-", "8 big"),
    ] {
        let prefix = Prefix::new();
        emulated(&prefix, tuple, toolchain);
        prefix.write("asks.c", ASKS);
        prefix.write(
            "CMakeLists.txt",
            "cmake_minimum_required(VERSION 3.16)\nproject(asks C)\n\
             try_run(code compiled ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/asks.c RUN_OUTPUT_VARIABLE output)\n\
             message(STATUS \"CMake: ${code} ${output}.\")\n",
        );
        prefix.write(
            "meson.build",
            "project('asks', 'c')\nran = meson.get_compiler('c').run(files('asks.c'))\n\
             message('Meson:', ran.returncode(), ran.stdout() + '.')\n",
        );
        let script = "$t-cmake -B cmake; $t-meson setup meson";
        let output = prefix
            .with("t", tuple)
            .command("/bin/sh", ["-exc", script])
            .success();
        for text in [
            format!("CMake: 0 {printed}."),
            format!("Meson: 0 {printed}."),
        ] {
            assert!(output.stdout.contains(&text), "{text}: {output:#?}");
        }
    }
}

/// An ebuild whose configure script runs a test, and which installs the result.
const EBUILD: &str = r#"EAPI=8
DESCRIPTION="asks by running a program"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="amd64 arm arm64"
S=${WORKDIR}
src_unpack() { cp -r "${FILESDIR}"/. "${WORKDIR}" || die; }
src_compile() { :; }
src_install() { insinto /usr/share/asks; doins config.log; }
"#;

#[test]
fn portage_merges_a_package_whose_configure_ran_its_tests() {
    let (version, program) = autoconf::VERSIONS[2];
    let project = autoconf::project(version, program);
    let prefix = Prefix::with_portage();
    emulated(&prefix, ARM, "arm-linux-gnueabi-");
    let overlay = prefix.overlay("asking");
    // `init` derives the target's list of repositories from the host's.
    prefix.own(["init", ARM]).success();
    prefix.write("overlays/asking/profiles/categories", "app-misc\n");
    let ebuild = "overlays/asking/app-misc/asks/asks-1.ebuild";
    let path = prefix.write(ebuild, EBUILD);
    for name in ["configure", "configure.ac", "config.sub", "config.guess"] {
        let to = overlay.join("app-misc/asks/files");
        std::fs::create_dir_all(&to).expect("a directory");
        std::fs::copy(project.join(name), to.join(name)).expect(name);
    }
    let manifest = [path.to_str().expect("UTF-8"), "manifest"];
    prefix.run(&format!("{ARM}-ebuild"), manifest).success();
    prefix
        .run(&format!("{ARM}-emerge"), ["--oneshot", "app-misc/asks"])
        .success();
    let log = prefix.read(&format!("usr/{ARM}/usr/share/asks/config.log"));
    let text = format!(
        "\ncrossmerge: programs of {ARM} run on this host: configure runs its tests itself\n"
    );
    assert!(log.contains(&text), "{log}");
    assert!(log.contains("\nx_cv_more=ran\n"), "{log}");
    let (_, after) = log
        .split_once(": checking whether we are cross compiling\n")
        .expect("it asks");
    let result = after.lines().find_map(|line| line.split_once(": result: "));
    assert_eq!(result.map(|(_, result)| result), Some("no"), "{log}");
}

#[test]
fn with_an_emulator_no_compiler_for_the_build_machine_is_named() {
    let prefix = Prefix::new();
    emulated(&prefix, ARM, "arm-linux-gnueabi-");
    let script =
        "echo \"${CC_FOR_BUILD-none} ${BUILD_CC-none} ${CXX_FOR_BUILD-none} ${BUILD_CXX-none}\"";
    let output = |prefix: &Prefix| {
        let output = prefix.run(&format!("{ARM}-env"), ["sh", "-c", script]);
        output.success().stdout
    };
    assert_eq!(output(&prefix), "none none none none\n");
    assert_eq!(
        output(&prefix.with("CC_FOR_BUILD", "mine")),
        "mine none none none\n"
    );
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    prefix.write(&file, &prefix.read(&file).replace("emulate", "answers"));
    assert!(!output(&prefix).contains("none"));
}
