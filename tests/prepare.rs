//! `crossmerge toolchain prepare`: what it needs, what it writes, and what is left after a kill.
//!
//! A stand-in for Python makes a run take milliseconds. One test installs the real Portage, from the wheel that
//! `tests/setup` downloads.

use crate::{init::tree, support::Prefix};
use std::{ffi::OsStr, fs, os::unix::fs::symlink, path::Path};

/// A Python that makes no virtual environment, and installs no Portage, but writes the files that are changed
/// afterwards.
const PYTHON: &str = "#!/bin/sh
case \"$1 $2\" in
	'-m venv') mkdir -p \"$3/bin\" && cp \"$0\" \"$3/bin/python3\" ;;
	'-m pip')
		top=$(dirname \"$0\")/..
		mkdir -p \"$top/share/portage/config\"
		echo 'FEATURES=\"sandbox\"' > \"$top/share/portage/config/make.globals\"
		echo '[DEFAULT]' > \"$top/share/portage/config/repos.conf\"
		;;
esac
";

/// The target of the wrappers of clang.
const LLVM_TUPLE: &str = "aarch64-unknown-linux-musl";

/// The archives of a user: names of upstream and of Debian.
const ARCHIVES: [&str; 4] = [
    "binutils_2.40.orig.tar.xz",
    "gcc-12.5.0.tar.xz",
    "hello-2.10.tar.gz",
    "llvm-toolchain-14_14.0.6.orig.tar.xz",
];

fn prefix() -> Prefix {
    let prefix = Prefix::new();
    prefix.script("tools/python3", PYTHON);
    for archive in ARCHIVES {
        prefix.write(&format!("archives/{archive}"), archive);
    }
    prefix
}

fn prepare(prefix: &Prefix, more: &[&str]) -> crate::support::Output {
    let place = prefix.join("P").display().to_string();
    let words = ["toolchain", "prepare", "--prefix", &place];
    prefix.own(words.iter().chain(more))
}

#[test]
fn what_the_host_lacks_is_listed_with_one_command_and_nothing_is_written() {
    let mut prefix = prefix();
    prefix.write("etc/os-release", "ID=debian\n");
    prefix.write("var/lib/apt/lists/Packages", "");
    for name in ["apt-get", "tar", "xz", "bash"] {
        prefix.script(&format!("few/{name}"), "#!/bin/sh\n");
    }
    prefix.set("PATH", prefix.join("few"));
    let command = "apt-get install -y binutils bzip2 file findutils g++ gcc gzip libc6-dev make patch python3-venv wget";
    let output = prepare(&prefix, &[]).fails(125, "building a toolchain needs", command);
    for part in ["`gcc`, ", "`make`", "`strip`", "`python3-venv`"] {
        assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
    }
    assert!(!prefix.join("P").exists());
}

#[test]
fn a_dry_run_prints_the_steps_and_a_second_run_has_none() {
    let prefix = prefix();
    let archives = prefix.join("archives").display().to_string();
    let args = ["--sources", &archives];
    let steps = prepare(&prefix, &["--sources", &archives, "--dry-run"])
        .success()
        .stdout;
    for step in ["run ", " -m venv ", "gcc-config\n", "append settings to "] {
        assert!(steps.contains(step), "{step}: {steps}");
    }
    assert!(!prefix.join("P").exists());
    prepare(&prefix, &args).success();
    let whole = tree(&prefix.join("P"));
    let again = prepare(&prefix, &args).success();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(tree(&prefix.join("P")), whole);

    let globals = prefix.read("P/share/portage/config/make.globals");
    assert!(globals.starts_with("FEATURES=\"sandbox\"\n"), "{globals}");
    assert!(globals.contains(" -sandbox "), "{globals}");
    let place = prefix.join("P");
    if let Ok(ccache) = fs::read_to_string(place.join("var/cache/ccache/ccache.conf")) {
        let line = format!("base_dir = {}\n", place.display());
        assert!(ccache.starts_with(&line), "{ccache}");
    }
    let manifest = prefix.read("P/var/db/repos/crossmerge-sources/sys-devel/binutils/Manifest");
    let line = "DIST binutils_2.40.orig.tar.xz 25 SHA512 ";
    assert!(manifest.starts_with(line), "{manifest}");
    let ebuild = prefix.read("P/var/db/repos/crossmerge-sources/sys-devel/gcc/gcc-12.5.0.ebuild");
    assert!(ebuild.contains("inherit crossmerge-gcc\n"), "{ebuild}");
    // One archive of LLVM has the libraries of all its packages.
    for package in ["compiler-rt", "libunwind", "libcxxabi", "libcxx"] {
        let directory = format!("P/var/db/repos/crossmerge-sources/llvm-runtimes/{package}");
        let ebuild = prefix.read(&format!("{directory}/{package}-14.0.6.ebuild"));
        assert!(ebuild.contains(&format!("inherit crossmerge-{package}\n")));
        let manifest = prefix.read(&format!("{directory}/Manifest"));
        assert!(manifest.starts_with("DIST llvm-toolchain-14_14.0.6.orig.tar.xz 36 "));
    }
    assert!(
        !prefix
            .join("P/var/cache/distfiles/hello-2.10.tar.gz")
            .exists()
    );
}

#[test]
fn the_users_make_conf_stays_and_an_old_file_of_the_repository_goes() {
    let prefix = prefix();
    prepare(&prefix, &[]).success();
    prefix.write("P/etc/portage/make.conf", "MAKEOPTS=\"-j1\"\n");
    let old = prefix.write(
        "P/var/db/repos/crossmerge-toolchain/sys-libs/old/old-1.ebuild",
        "",
    );
    prefix.write("P/usr/bin/emerge", "damaged");
    prepare(&prefix, &[]).success();
    assert_eq!(prefix.read("P/etc/portage/make.conf"), "MAKEOPTS=\"-j1\"\n");
    assert!(!old.exists());
    assert!(prefix.read("P/usr/bin/emerge").starts_with("#!/bin/sh\n"));
    // Python was upgraded: Portage is installed again, with crossmerge's settings.
    fs::remove_file(prefix.join("P/bin/python3")).expect("the file");
    symlink("/nonexistent", prefix.join("P/bin/python3")).expect("a link");
    fs::remove_file(prefix.join("P/bin/python3")).expect("the link");
    prepare(&prefix, &[]).success();
    let globals = prefix.read("P/share/portage/config/make.globals");
    assert!(globals.contains(" -sandbox "), "{globals}");
}

#[test]
fn after_a_kill_the_next_run_completes_the_prefix() {
    let prefix = prefix();
    let place = prefix.join("P");
    prepare(&prefix, &[]).success();
    let whole = tree(&place);
    let path = place.display().to_string();
    let args = ["toolchain", "prepare", "--prefix", &path];
    let mut kills = 0;
    for call in ["mkdirat", "symlinkat", "renameat"] {
        // Every third call of each kind, up to the first that does not happen.
        for when in (1..).step_by(3) {
            fs::remove_dir_all(&place).expect("the prefix");
            let output = prefix.injected(call, "signal=KILL", when, "crossmerge", args);
            if output.code == Some(0) {
                break;
            }
            kills += 1;
            prepare(&prefix, &[]).success();
            assert_eq!(tree(&place), whole, "{call} {when}");
        }
    }
    assert!(kills > 20, "{kills}");
}

#[test]
fn only_a_prefix_is_removed_and_only_without_toolchains() {
    let prefix = prefix();
    prefix.write("P/file", "mine");
    prepare(&prefix, &[]).fails(125, "crossmerge did not make it", "--prefix DIR");
    prepare(&prefix, &["--remove"]).fails(125, "there is no prefix", "toolchain prepare");
    assert_eq!(prefix.read("P/file"), "mine");
    fs::remove_file(prefix.join("P/file")).expect("the file");

    prepare(&prefix, &[]).success();
    let package = "P/var/db/pkg/cross-avr";
    prefix.write(&format!("{package}/gcc-12/PF"), "");
    prepare(&prefix, &["--remove"]).fails(
        125,
        "contains toolchains: `cross-avr`",
        "--unmerge 'cross-avr/*'",
    );
    fs::remove_dir_all(prefix.join(package)).expect("the package");
    prepare(&prefix, &["--remove", "--dry-run"]).success();
    assert!(prefix.join("P/usr/bin/emerge").exists());
    prepare(&prefix, &["--remove"]).success();
    assert!(!prefix.join("P").exists());
}

#[test]
fn a_path_that_make_would_split_is_an_error() {
    let prefix = prefix();
    let place = prefix.join("my prefix").display().to_string();
    prefix
        .own(["toolchain", "prepare", "--prefix", &place])
        .fails(125, "contains a space", "--prefix DIR");
}

/// binutils-config and gcc-config: the symlinks of the selected version, and those that go with it.
#[test]
fn the_commands_of_a_toolchain_lead_to_the_selected_version() {
    let prefix = prefix();
    prepare(&prefix, &[]).success();
    let config = |kind: &str, args: &[&str]| {
        let program = prefix.join(format!("P/usr/bin/{kind}-config"));
        prefix.command(program, args).success().stdout
    };
    for version in ["2.9", "2.40"] {
        prefix.script(
            &format!("P/usr/x86_64-pc-linux-gnu/avr/binutils-bin/{version}/ld"),
            "",
        );
        prefix.write(
            &format!("P/etc/env.d/binutils/avr-{version}"),
            "TARGET=\"avr\"\n",
        );
    }
    prefix.script("P/usr/x86_64-pc-linux-gnu/avr/gcc-bin/12/avr-gcc", "");
    prefix.write("P/etc/env.d/gcc/avr-12", "CTARGET=\"avr\"\n");
    let leads = |link: &str, version: &str| {
        let target = fs::canonicalize(prefix.join(link)).expect(link);
        assert!(target.ends_with(Path::new(version)), "{}", target.display());
    };
    config("binutils", &["avr-2.9"]);
    config("gcc", &["avr-12"]);
    leads("P/usr/bin/avr-ld", "2.9/ld");
    leads("P/usr/avr/bin/ld", "2.9/ld");
    leads("P/usr/bin/avr-gcc", "12/avr-gcc");
    assert_eq!(config("binutils", &["-c", "avr"]), "avr-2.9\n");
    let list = " [1] avr-2.9 *\n [2] avr-2.40\n";
    assert_eq!(config("binutils", &["-l"]), list);
    // The selected version is unmerged: the last one is selected. Then that one is, too.
    fs::remove_dir_all(prefix.join("P/usr/x86_64-pc-linux-gnu/avr/binutils-bin/2.9")).expect("it");
    fs::remove_file(prefix.join("P/etc/env.d/binutils/avr-2.9")).expect("it");
    config("binutils", &["--update", "avr"]);
    leads("P/usr/bin/avr-ld", "2.40/ld");
    fs::remove_dir_all(prefix.join("P/usr/x86_64-pc-linux-gnu/avr/binutils-bin")).expect("it");
    fs::remove_file(prefix.join("P/etc/env.d/binutils/avr-2.40")).expect("it");
    config("binutils", &["--update", "avr"]);
    assert!(!prefix.join("P/usr/bin/avr-ld").is_symlink());
    assert!(!prefix.join("P/etc/env.d/binutils/config-avr").exists());
    leads("P/usr/bin/avr-gcc", "12/avr-gcc");
}

/// toolchain.eclass of ::gentoo reads the selected compiler in these forms. Before the first compiler is selected, it expects
/// a failure, and takes the last one of the list.
#[test]
fn the_ebuilds_of_gentoo_select_a_compiler() {
    let prefix = prefix();
    prepare(&prefix, &[]).success();
    let program = prefix.join("P/usr/bin/gcc-config");
    let config = |args: &[&str]| prefix.command(&program, args).success().stdout;
    prefix.script("P/usr/x86_64-pc-linux-gnu/avr/gcc-bin/12.2.0/avr-gcc", "");
    prefix.write("P/etc/env.d/gcc/avr-12.2.0", "CTARGET=\"avr\"\n");
    let nothing_is_selected = || {
        let output = prefix.command(&program, ["-c", "avr"]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    };
    nothing_is_selected();
    assert_eq!(config(&["-l"]), " [1] avr-12.2.0\n");
    config(&["avr-12.2.0"]);
    assert_eq!(config(&["-c", "avr"]), "avr-12.2.0\n");
    assert_eq!(
        prefix
            .with("CHOST", "avr")
            .command(&program, ["-c"])
            .success()
            .stdout,
        "avr-12.2.0\n"
    );
    assert_eq!(config(&["-S", "avr-12.2.0"]), "avr 12.2.0\n");
    assert_eq!(config(&["--use-old", "--force"]), "");
    assert!(prefix.join("P/usr/bin/avr-gcc").exists());
    // The last version is unmerged.
    fs::remove_dir_all(prefix.join("P/usr/x86_64-pc-linux-gnu/avr")).expect("it");
    fs::remove_file(prefix.join("P/etc/env.d/gcc/avr-12.2.0")).expect("it");
    nothing_is_selected();
    config(&[""]);
    assert!(!prefix.join("P/usr/bin/avr-gcc").is_symlink());
    assert!(!prefix.join("P/etc/env.d/gcc/config-avr").exists());
}

#[test]
fn the_real_portage_is_installed_from_its_wheel_and_reads_the_prefix() {
    let mut prefix = Prefix::new();
    let wheels = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo/wheels");
    assert!(
        wheels.is_dir(),
        "no `{}`: run tests/setup",
        wheels.display()
    );
    prefix.set("PIP_NO_INDEX", "1");
    prefix.set("PIP_FIND_LINKS", wheels);
    let archives = prefix.join("archives").display().to_string();
    prefix.write("archives/musl-1.2.3.tar.gz", "");
    prepare(&prefix, &["--sources", &archives]).success();
    let portage = |program: &str, args: &[&str]| {
        let program = prefix.join(format!("P/usr/bin/{program}"));
        prefix.command(program, args).success().stdout
    };
    let place = prefix.join("P").display().to_string();
    let said = portage("portageq", &["envvar", "EPREFIX", "DISTDIR", "CHOST"]);
    assert!(
        said.starts_with(&format!("{place}\n{place}/var/cache/distfiles\n")),
        "{said}"
    );
    let repositories = portage("portageq", &["get_repos", &place]);
    assert_eq!(repositories, "crossmerge-sources crossmerge-toolchain\n");
    let said = portage("portageq", &["match", &place, "sys-devel/gcc"]);
    assert_eq!(said, "");
    let found = portage("portageq", &["best_visible", &place, "sys-libs/musl"]);
    assert_eq!(found, "sys-libs/musl-1.2.3\n");

    // A program that is uninstalled later is missed before a build changes anything.
    fs::create_dir(prefix.join("most")).expect("a directory");
    for entry in fs::read_dir("/usr/bin").expect("/usr/bin").flatten() {
        let link = prefix.join("most").join(entry.file_name());
        if !["cmake", "patch"]
            .map(OsStr::new)
            .contains(&&*entry.file_name())
        {
            symlink(entry.path(), link).expect("a symlink");
        }
    }
    let path = format!("{place}/usr/bin:{}", prefix.join("most").display());
    let without = prefix.with("PATH", path);
    let before = tree(&prefix.join("P/etc"));
    without
        .own([
            "toolchain",
            "build",
            "riscv64-unknown-linux-musl",
            "--stage",
            "binutils",
        ])
        .fails(125, "building a toolchain needs `patch`", "patch");
    let with_clang = ["toolchain", "build", LLVM_TUPLE, "--llvm"];
    without.own(with_clang).fails(
        125,
        "building a toolchain needs `patch` and `cmake`",
        "cmake patch",
    );
    assert_eq!(tree(&prefix.join("P/etc")), before);

    prefix.set("PORTAGE_OVERRIDE_EPREFIX", place);
    the_wrappers_of_clang_compile_for_their_target(&prefix);
}

/// Builds the wrappers, which need no source archive, with the real Portage, makes their target and removes them.
fn the_wrappers_of_clang_compile_for_their_target(prefix: &Prefix) {
    let build = |tuple: &str, more: &[&str]| {
        let words = ["toolchain", "build", tuple, "--stage", "binutils"];
        prefix.own(words.iter().chain(more))
    };
    build("aarch64-unknown-linux-gnu", &["--llvm"]).fails(
        125,
        "clang cannot compile glibc, the libc of `aarch64-unknown-linux-gnu`",
        "crossmerge toolchain build aarch64-unknown-linux-gnu",
    );
    build(LLVM_TUPLE, &["--llvm"]).success();
    let clang = prefix.join(format!("P/usr/bin/{LLVM_TUPLE}-clang"));
    let object = prefix.join("object.o").display().to_string();
    let compile = ["-c", "-x", "c", "/dev/null", "-o", &object];
    prefix.command(&clang, compile).success();
    let header = fs::read(&object).expect("the object");
    // e_machine of the ELF header: EM_AARCH64.
    assert_eq!(header[18], 183);
    let link = prefix.command(&clang, ["-###", &object]).success().stderr;
    let sysroot = prefix.join("P/usr").join(LLVM_TUPLE);
    let sysroot = format!("\"--sysroot={}\"", sysroot.display());
    for part in [&sysroot, "ld.lld\"", "libclang_rt.builtins", "libunwind"] {
        assert!(link.contains(part), "{part}: {link}");
    }
    let target = prefix.read(&format!("P/etc/crossmerge/targets/{LLVM_TUPLE}.toml"));
    assert!(target.contains("kind = \"llvm\""), "{target}");
    let status = prefix.own(["toolchain", "status"]).success().stdout;
    assert!(status.contains("clang-crossdev-wrappers 1  "), "{status}");

    // GCC would install its libc into the same sysroot.
    let category = format!("cross_llvm-{LLVM_TUPLE}");
    build(LLVM_TUPLE, &[]).fails(
        125,
        &format!("has a toolchain already, {category}"),
        &format!("crossmerge toolchain remove {category}"),
    );
    let removed = prefix.own(["toolchain", "remove", LLVM_TUPLE]).success();
    assert!(!clang.exists(), "{removed:?}");
}
