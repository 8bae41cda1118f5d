//! `crossmerge toolchain pack` and `unpack`, with the real Portage, the real tar and the stand-in packages of
//! `tests/toolchain`.

use crate::{
    kill::{CALLS, kill_everywhere},
    support::{Prefix, server::Server},
    toolchain_build::prefix,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const TUPLE: &str = "armv4tl-softfloat-linux-musleabi";
const CATEGORY: &str = "cross-armv4tl-softfloat-linux-musleabi";

/// The number of kills, unless `make races` does all of them.
const SOME: usize = 6;

/// The programs of the stand-in toolchain, which know only where they are.
const PROGRAM: &str = "#!/bin/sh
top=$(readlink -f \"$0\")
top=${top%/*/*/*/*/*}
case $1 in
	-v) echo 'Configured with: configure --with-sysroot=/x' >&2 ;;
	-print-sysroot) echo \"$top/TUPLE\" ;;
	-print-prog-name=*) echo \"$top/TUPLE/bin/${1#*=}\" ;;
	-c) : > \"$4\" ;;
	*) exit 1 ;;
esac
";

/// The CHOST of the stand-ins' profile.
const CHOST: &str = "x86_64-pc-linux-gnu";

/// A prefix with a complete toolchain of few files, as Portage would have installed it: GCC with a program of the build
/// machine that needs a library, under two names, and a text with paths of the toolchain.
fn installed() -> Prefix {
    let prefix = prefix();
    let usr = prefix.join("usr");
    let program = PROGRAM.replace("TUPLE", TUPLE);
    let programs = format!("usr/{CHOST}/{TUPLE}");
    let libexec = format!("usr/libexec/gcc/{TUPLE}/16");
    let text = format!("path={}/lib/gcc/{TUPLE}/x\n", usr.display());
    let packages = [
        (
            "binutils-2.46.0",
            vec![
                format!("{programs}/binutils-bin/2.46/as"),
                format!("{programs}/binutils-bin/2.46/ld"),
            ],
        ),
        (
            "gcc-16.1.0",
            vec![
                format!("{programs}/gcc-bin/16/{TUPLE}-gcc"),
                format!("{libexec}/text"),
                format!("{libexec}/cc1"),
                format!("{libexec}/cc1plus"),
            ],
        ),
        (
            "linux-headers-7.1",
            vec![format!("usr/{TUPLE}/usr/include/linux/version.h")],
        ),
        (
            "musl-1.2.6",
            vec![
                format!("usr/{TUPLE}/usr/include/stdio.h"),
                format!("usr/{TUPLE}/usr/lib/libc.a"),
            ],
        ),
    ];
    // A directory that GCC searches, without a file of a package.
    fs::create_dir_all(prefix.join(format!("usr/{TUPLE}/lib"))).expect("a directory");
    for (package, files) in &packages {
        let database = format!("var/db/pkg/{CATEGORY}/{package}");
        let mut contents = String::from("dir /usr\n");
        for file in files {
            match file.rsplit('/').next() {
                Some("cc1") => {
                    fs::copy("/bin/ls", prefix.join(file)).expect("a program");
                }
                Some("cc1plus") => {
                    fs::hard_link(prefix.join(format!("{libexec}/cc1")), prefix.join(file))
                        .expect("a link");
                }
                Some("text") => drop(prefix.write(file, &text)),
                _ if file.contains("-bin/") => drop(prefix.script(file, &program)),
                _ => drop(prefix.write(file, "stand-in\n")),
            }
            contents += &format!("obj {} 0 0\n", prefix.join(file).display());
        }
        for (name, text) in [
            ("CONTENTS", contents.as_str()),
            ("USE", "cxx"),
            ("BUILD_TIME", "1700000000"),
            ("SIZE", "100"),
            ("CHOST", CHOST),
        ] {
            prefix.write(&format!("{database}/{name}"), text);
        }
    }
    prefix
}

/// Another machine: a prefix without Portage.
fn bare() -> Prefix {
    Prefix::new()
}

fn pack(prefix: &Prefix, output: &Path) -> crate::support::Output {
    prefix.own([
        "toolchain".as_ref(),
        "pack".as_ref(),
        TUPLE.as_ref(),
        "--output".as_ref(),
        output.as_os_str(),
    ])
}

fn unpack(prefix: &Prefix, archive: &Path, directory: &Path) -> crate::support::Output {
    prefix.own([
        "toolchain".as_ref(),
        "unpack".as_ref(),
        archive.as_os_str(),
        "--no-init".as_ref(),
        "--prefix".as_ref(),
        directory.as_os_str(),
    ])
}

/// Runs a program of the system.
fn run(program: &str, args: &[&Path]) -> String {
    bare().command(program, args).success().stdout
}

/// Changes a file of an archive.
fn with_change(
    prefix: &Prefix,
    archive: &Path,
    name: &str,
    change: impl Fn(&str) -> String,
) -> PathBuf {
    let tree = prefix.join("changed");
    let _ = fs::remove_dir_all(&tree);
    fs::create_dir(&tree).expect("a directory");
    run("tar", &["-xf".as_ref(), archive, "-C".as_ref(), &tree]);
    let path = tree.join(TUPLE).join(name);
    let text = fs::read_to_string(&path).expect(name);
    fs::write(&path, change(&text)).expect(name);
    let changed = prefix.join("changed.tar");
    run(
        "tar",
        &[
            "-cf".as_ref(),
            &changed,
            "-C".as_ref(),
            &tree,
            TUPLE.as_ref(),
        ],
    );
    changed
}

#[test]
fn an_archive_is_reproducible_and_works_at_another_path() {
    let prefix = installed();
    let (one, two) = (prefix.join("one.tar.xz"), prefix.join("two.tar.xz"));
    let packed = pack(&prefix, &one).success();
    assert!(packed.stderr.contains("gcc 16.1.0"), "{packed:?}");
    pack(&prefix, &two).success();
    assert!(
        fs::read(&one).expect("one") == fs::read(&two).expect("two"),
        "the archives differ"
    );
    pack(&prefix, &one).fails(125, "exists already", "remove it");

    let machine = bare();
    let place = machine.join("opt/a longer place/t");
    unpack(&machine, &one, &place).fails(125, "contains a space", "name a new directory");
    let place = machine.join("opt/a-much-longer-path-than-that-of-the-toolchain-before/t");
    unpack(&machine, &one, &place).success();
    // The files of the toolchain's first place are not used.
    fs::remove_dir_all(prefix.join("usr")).expect("usr");
    let gcc = place.join(format!("bin/{TUPLE}-gcc"));
    let sysroot = run(gcc.to_str().expect("text"), &["-print-sysroot".as_ref()]);
    let wanted = fs::canonicalize(place.join(TUPLE)).expect("the sysroot");
    assert_eq!(Path::new(sysroot.trim()), wanted);
    assert!(place.join(format!("{TUPLE}/usr/include/stdio.h")).exists());
    // GCC searches `lib/../lib64`.
    assert!(place.join(format!("{TUPLE}/lib")).is_dir());
    for link in [format!("bin/{TUPLE}-as"), format!("{TUPLE}/bin/ld")] {
        let target = fs::read_link(place.join(&link)).expect("a link");
        assert!(target.is_relative() && place.join(&link).exists(), "{link}");
    }
    // A program of the build machine starts with the libraries of the archive.
    let programs = place.join(format!("libexec/gcc/{TUPLE}/16"));
    for name in ["cc1", "cc1plus"] {
        let program = programs.join(name);
        let script = fs::read_to_string(&program).expect("a script");
        assert!(
            script.contains("lib/crossmerge") && script.contains("cc1.real"),
            "{script}"
        );
        run(program.to_str().expect("text"), &["/".as_ref()]);
    }
    assert!(
        fs::read_dir(place.join("lib/crossmerge"))
            .expect("libraries")
            .count()
            > 0
    );
    let text = fs::read_to_string(programs.join("text")).expect("the text");
    assert_eq!(
        text,
        format!("path={}/lib/gcc/{TUPLE}/x\n", place.display())
    );
    run(
        "sh",
        &[
            "-c".as_ref(),
            format!(
                "cd '{}' && sha256sum --quiet -c crossmerge-toolchain.sha256",
                place.display()
            )
            .as_ref(),
        ],
    );
    let manifest = fs::read_to_string(place.join("crossmerge-toolchain.toml")).expect("a manifest");
    for line in [
        "step = \"gcc-stage2\"",
        "stage = 4",
        "interpreter = ",
        "version = \"16.1.0\"",
    ] {
        assert!(manifest.contains(line), "{line}: {manifest}");
    }
    unpack(&machine, &one, &place).fails(125, "is not empty", "name a new directory");
}

#[test]
fn an_unpacked_toolchain_is_adopted_as_a_target() {
    let prefix = installed();
    let archive = prefix.join("t.tar");
    pack(&prefix, &archive).success();
    let machine = bare();
    let place = machine.join("opt/t");
    let args = ["toolchain", "unpack"].map(AsRef::<std::ffi::OsStr>::as_ref);
    let unpack = |place: &Path| {
        let options = ["--no-test".as_ref(), "--prefix".as_ref(), place.as_os_str()];
        machine.own(args.into_iter().chain([archive.as_os_str()]).chain(options))
    };
    // A stand-in of a compiler is no compiler of the tuple: the error is init's, and the files are there.
    let unpacked = unpack(&place);
    assert!(place.join("bin").exists(), "{unpacked:?}");
    let target = format!("etc/crossmerge/targets/{TUPLE}.toml");
    machine.write(
        &target,
        &format!(
            "[toolchain]\nkind = \"gnu\"\nprefix = \"{}/bin/{TUPLE}-\"\n",
            place.display()
        ),
    );
    unpack(&machine.join("opt/u")).fails(125, "exists already, with the compiler", "--no-init");
    assert!(!machine.join("opt/u").exists());
}

#[test]
fn archives_that_do_not_fit_are_errors_and_leave_nothing() {
    let prefix = installed();
    let archive = prefix.join("t.tar");
    pack(&prefix, &archive).success();
    let machine = bare();
    let place = machine.join("opt/t");
    fs::create_dir(machine.join("opt")).expect("opt");
    let refused = |archive: &Path, error: &str, hint: &str| {
        unpack(&machine, archive, &place).fails(125, error, hint);
        let left: Vec<_> = fs::read_dir(machine.join("opt")).expect("opt").collect();
        assert!(left.is_empty(), "{error}: {left:?}");
    };
    let other = machine.write("other.tar.zst", "not an archive\n");
    refused_without_hint(&machine, &other, "is not an archive of a toolchain");
    refused_without_hint(&machine, &machine.join("none"), "does not exist");
    refused_without_hint(&machine, &machine.path(), "contains no packed toolchain");
    let manifest = "crossmerge-toolchain.toml";
    let replaced = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        with_change(&prefix, &archive, manifest, move |text| {
            assert!(text.contains(&from), "{from}: {text}");
            text.replacen(&from, &to, 1)
        })
    };
    let format = replaced("format = 1", "format = 2");
    refused_without_hint(&machine, &format, "has format 2");
    refused(
        &replaced("machine = ", "machine = 1"),
        "are for x86_64-pc-linux-gnu, and this machine is",
        "build the toolchain on this machine",
    );
    refused(
        &replaced("glibc = \"2.", "glibc = \"9."),
        "need glibc 9.",
        "on the older system",
    );
    refused(
        &replaced("interpreter = \"", "interpreter = \"/none"),
        "need the dynamic linker `/none/",
        "on the older system",
    );
    refused(
        &replaced("\nbytes = ", "\nbytes = 9999999999"),
        "MiB of free space",
        "name another directory",
    );
    refused(
        &replaced("stage = 4", "stage = 4\n# changed"),
        "has not the recorded checksum",
        "copy it again",
    );
    let text = format!("libexec/gcc/{TUPLE}/16/text");
    let changed = with_change(&prefix, &archive, &text, |text| format!("{text}more\n"));
    refused(
        &changed,
        "`libexec/gcc/armv4tl-softfloat-linux-musleabi/16/text` has not the recorded checksum",
        "copy it again",
    );
    // A copy that was interrupted.
    let content = fs::read(&archive).expect("the archive");
    let cut = machine.join("cut.tar");
    fs::write(&cut, &content[..content.len() / 2]).expect("half of it");
    refused(&cut, "is damaged", "copy it again");
}

fn refused_without_hint(machine: &Prefix, archive: &Path, error: &str) {
    let output = unpack(machine, archive, &machine.join("opt/t"));
    assert_eq!(output.code, Some(125), "{output:?}");
    assert!(output.stderr.contains(error), "{error}: {output:?}");
}

#[test]
fn packages_of_each_stage_are_kept_apart_and_installed_in_another_prefix() {
    let prefix = prefix();
    let output = prefix.join("out.tar");
    let none = pack(&prefix, &output);
    assert!(none.stderr.contains("has built no toolchain"), "{none:?}");
    // The same USE flags for both compilers: Portage cannot tell their packages apart.
    let flags = "-cxx -openmp -fortran -d -go -jit -zstd -zlib -default-stack-clash-protection -ssp -pie -sanitize";
    let binary = prefix.join("binary");
    let make_conf = prefix.read("etc/portage/make.conf");
    let pkgdir = format!("PKGDIR=\"{}\"\n", binary.display());
    let features = format!("{make_conf}{pkgdir}FEATURES=\"getbinpkg buildpkg\"\n");
    prefix.write("etc/portage/make.conf", &features);
    let plan = prefix.own(["toolchain", "plan", TUPLE]).success();
    for options in [
        format!("-u '--usepkg-exclude={CATEGORY}/gcc' '--buildpkg-exclude={CATEGORY}/gcc' >"),
        "-u --newuse '--binpkg-respect-use=y' >".to_owned(),
    ] {
        assert!(plan.stdout.contains(&options), "{options}: {plan:?}");
    }
    prefix.write("etc/portage/make.conf", &format!("{make_conf}{pkgdir}"));
    let with_flags = prefix.with("USE", flags);
    let build = |more: &[&str]| {
        let args = ["toolchain", "build", TUPLE, "--no-test"];
        with_flags.own(args.iter().chain(more)).success()
    };
    build(&["--stage", "libc"]);
    unfinished_is_refused(&prefix, &output);
    let atom = format!("={CATEGORY}/gcc-16.1.0");
    prefix.run_in("usr/bin/quickpkg", [atom.as_str()]).success();

    let built = build(&["--emerge-opt=--usepkg"]);
    let stage = prefix.read(&format!("usr/lib/gcc/{TUPLE}/16/stand-in"));
    assert!(stage.contains("libc full\n"), "{stage}: {built:?}");
    // Portage itself takes that package.
    let plain = ["--pretend", "--usepkgonly", "--nodeps", atom.as_str()];
    let taken = prefix.run_in("usr/bin/emerge", plain).success();
    assert!(taken.stdout.contains("[binary"), "{taken:?}");
    prefix.write("etc/portage/make.conf", &make_conf);

    // Another machine gets them from a web server.
    let packages = prefix.join("packages");
    pack(&prefix, &packages).success();
    let server = Server::of(&packages);
    let copy = ["-q", "-r", "-np", "-nH", "-R", "index.html*", "-P", "copy"];
    let url = format!("{}/", server.url());
    let args = copy.iter().copied().chain([url.as_str()]);
    prefix.command("wget", args).success();
    installed_elsewhere(&prefix.join("copy"));
}

fn unfinished_is_refused(prefix: &Prefix, output: &Path) {
    pack(prefix, output).fails(
        125,
        "is not complete: it has a libc, and lacks a compiler with a libc",
        "--stage libc` packs what exists",
    );
    assert!(!output.exists());
    let args = [
        "toolchain",
        "pack",
        TUPLE,
        "--stage",
        "c",
        "--json",
        "--output",
    ];
    let args = args.map(AsRef::<std::ffi::OsStr>::as_ref).into_iter();
    let packed = prefix.own(args.chain([output.as_os_str()])).success();
    let value: serde_json::Value = serde_json::from_str(&packed.stdout).expect("JSON");
    let steps: Vec<&str> = { value["manifest"]["package"].as_array() }
        .expect("packages")
        .iter()
        .filter_map(|package| package["step"].as_str())
        .collect();
    assert_eq!(steps, ["binutils", "gcc-stage1"]);
    let machine = bare();
    unpack(&machine, output, &machine.join("t")).success();
    assert!(!machine.join("t").join(TUPLE).join("usr/include").exists());
    let zip = prefix.join("out.zip");
    pack(prefix, &zip).fails(125, "is not the name of an archive", "--output DIRECTORY/");
}

fn installed_elsewhere(packages: &Path) {
    let other = prefix();
    let args = ["toolchain", "unpack"].map(AsRef::<std::ffi::OsStr>::as_ref);
    let unpack = |options: &[&str]| {
        let options = options.iter().map(AsRef::<std::ffi::OsStr>::as_ref);
        other.own(
            args.into_iter()
                .chain([packages.as_os_str()])
                .chain(options),
        )
    };
    let package = packages.join(CATEGORY).join("musl");
    let file = fs::read_dir(&package).expect("musl").next();
    let file = file.expect("a package").expect("a package").path();
    let content = fs::read(&file).expect("a package");
    fs::write(&file, b"damaged").expect("a package");
    let error = "the package of musl 1.2.6 has not the recorded checksum";
    unpack(&["--no-init"]).fails(125, error, "copy it again");
    assert!(!other.join("var/db/pkg").join(CATEGORY).exists());
    fs::write(&file, content).expect("a package");
    unpack(&["--no-init"]).success();
    assert!(other.join(format!("usr/bin/{TUPLE}-gcc")).exists());
    unpack(&["--no-init"]).success();
    let status = other.own(["toolchain", "status", TUPLE]).success();
    assert_eq!(status.stdout.matches("installed").count(), 4, "{status:?}");
    other.own(["toolchain", "remove", TUPLE]).success();
    assert!(
        !other
            .join(format!("etc/portage/package.use/{CATEGORY}"))
            .exists()
    );
    let longer = other.join("a/longer/path");
    let no_prefix = longer.to_str().expect("text");
    let hint = "crossmerge toolchain prepare --prefix";
    unpack(&["--prefix", no_prefix]).fails(125, "is no prefix with a Portage", hint);
}

#[test]
fn an_archive_is_unpacked_whole_or_not_at_all() {
    let prefix = installed();
    let archive = prefix.join("t.tar");
    pack(&prefix, &archive).success();
    let machine = bare();
    let place = machine.join("usr/t");
    let args = [
        "toolchain".to_owned(),
        "unpack".into(),
        archive.display().to_string(),
        "--no-init".into(),
        "--prefix".into(),
        place.display().to_string(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (points, _) = kill_everywhere(&machine, "crossmerge", &args, &CALLS, SOME);
    assert!(points > 20, "only {points} points");
    assert!(place.join(format!("bin/{TUPLE}-gcc")).exists());
    let mode = fs::metadata(&place)
        .expect("the directory")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
}
