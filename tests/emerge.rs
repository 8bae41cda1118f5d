//! The main job: the real Portage cross-merges real packages through crossmerge's symlinks, and QEMU runs the result.
//!
//! These tests do what the demonstration does, with fewer packages and in their own prefix, so that they test this
//! build.

use crate::support::Prefix;
use std::{ffi::OsString, path::PathBuf};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

#[test]
fn portage_cross_merges_for_arm_and_the_programs_run() {
    let prefix = Prefix::with_portage();
    prefix.link("emerge-wrapper");
    prefix
        .own([
            "init",
            ARM,
            "--toolchain",
            "arm-linux-gnueabi-",
            "--with-libc",
        ])
        .success();
    prefix
        .run("emerge-wrapper", ["--target", ARM, "--init"])
        .success();
    // dfu-util finds libusb through `<tuple>-pkg-config`.
    prefix
        .run(
            &format!("{ARM}-emerge"),
            ["--oneshot", "app-mobilephone/dfu-util"],
        )
        .success();
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let qemu = prefix.with("QEMU_LD_PREFIX", &sysroot);
    let output = qemu
        .command(
            "qemu-arm-static",
            [
                sysroot.join("usr/bin/dfu-util").as_os_str(),
                "--version".as_ref(),
            ],
        )
        .success();
    assert!(output.stdout.starts_with("dfu-util 0.11"), "{output:#?}");
    let needed = prefix.run(
        &format!("{ARM}-readelf"),
        [
            std::ffi::OsStr::new("-d"),
            sysroot.join("usr/bin/dfu-util").as_os_str(),
        ],
    );
    assert!(needed.success().stdout.contains("libusb-1.0.so.0"));
    // Portage's other commands see the same target.
    let output = prefix.run(
        &format!("{ARM}-portageq"),
        [
            "match",
            &format!("{}/", sysroot.display()),
            "dev-libs/libusb",
        ],
    );
    assert_eq!(output.success().stdout, "dev-libs/libusb-1.0.26\n");
    prefix
        .run(&format!("{ARM}-quickpkg"), ["dev-libs/libusb"])
        .success();
    // `remove` keeps what Portage merged.
    let output = prefix.own(["remove", ARM]).success();
    assert!(
        output.stdout.contains("files that init did not write"),
        "{}",
        output.stdout
    );
    assert!(sysroot.join("usr/bin/dfu-util").exists());
}

#[test]
fn portage_cross_merges_for_a_big_endian_target_into_a_root_beside_the_sysroot() {
    let tuple = "s390x-ibm-linux-gnu";
    let prefix = Prefix::with_portage();
    prefix
        .own([
            "init",
            tuple,
            "--toolchain",
            "s390x-linux-gnu-",
            "--with-libc",
        ])
        .success();
    let board = prefix.join("board");
    std::fs::create_dir(&board).expect("a root");
    let emerge = format!("{tuple}-emerge");
    prefix
        .with("ROOT", &board)
        .run(&emerge, ["--oneshot", "app-arch/bzip2"])
        .success();
    let bzip2 = board.join("usr/bin/bzip2");
    assert!(bzip2.exists() && !prefix.join(format!("usr/{tuple}/usr/bin/bzip2")).exists());
    // The package that was built is the sysroot's. One that is made of the root's files is the root's own.
    let packages = |root: PathBuf| -> Vec<OsString> {
        let package = root.join("var/cache/binpkgs/app-arch/bzip2");
        let files = std::fs::read_dir(package).into_iter().flatten();
        files
            .map(|file| file.expect("a file").file_name())
            .collect()
    };
    let of_sysroot = packages(prefix.join(format!("usr/{tuple}")));
    assert_eq!((of_sysroot.len(), packages(board.clone()).len()), (1, 0));
    let with_root = prefix.with("ROOT", &board);
    let quickpkg = format!("{tuple}-quickpkg");
    with_root.run(&quickpkg, ["app-arch/bzip2"]).success();
    assert_eq!(packages(prefix.join(format!("usr/{tuple}"))), of_sysroot);
    assert_eq!(packages(board.clone()).len(), 1);
    // A directory that the user chose stays.
    let chosen = with_root.with("PKGDIR", prefix.join("chosen"));
    let plan = chosen.own(["plan", tuple, "quickpkg", "app-arch/bzip2"]);
    assert!(!plan.success().stdout.contains("binpkgs"));
    let qemu = prefix.with("QEMU_LD_PREFIX", prefix.join(format!("usr/{tuple}")));
    // The package's library is in the separate ROOT, the libc in the sysroot.
    let run = format!(
        "qemu-s390x-static -E LD_LIBRARY_PATH={} {}",
        board.join("usr/lib").display(),
        bzip2.display()
    );
    let script = format!("echo across | {run} -c | {run} -dc");
    assert_eq!(
        qemu.command("/bin/sh", ["-c", &script]).success().stdout,
        "across\n"
    );
    let machine = prefix
        .run(
            &format!("{tuple}-readelf"),
            [std::ffi::OsStr::new("-h"), bzip2.as_os_str()],
        )
        .success();
    assert!(
        machine.stdout.contains("IBM S/390") && machine.stdout.contains("big endian"),
        "{}",
        machine.stdout
    );
    // `--root` names another root for one call. Without it, the ROOT in the user's make.conf is the default.
    let make_conf = format!("usr/{tuple}/etc/portage/make.conf");
    let third = prefix.join("third");
    let text = prefix.read(&make_conf);
    let root = format!("ROOT=\"{}\"", third.display());
    let edited = text.lines().map(|line| {
        if line.starts_with("ROOT=") {
            &root
        } else {
            line
        }
    });
    prefix.write(&make_conf, &edited.collect::<Vec<_>>().join("\n"));
    let plan = prefix.own(["plan", tuple, "emerge"]).success().stdout;
    assert!(
        plan.contains(&format!("ROOT={}/", third.display())),
        "{plan}"
    );
}

#[test]
fn pkg_config_searches_the_library_directory_of_the_targets_profile() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", ARM]).success();
    for libdir in ["lib", "lib64", "lib77"] {
        let file = format!("usr/{ARM}/usr/{libdir}/pkgconfig/x.pc");
        prefix.write(
            &file,
            &format!("Name: x\nDescription: x\nVersion: 1\nLibs: -L/usr/{libdir} -l{libdir}\n"),
        );
    }
    let libs = |prefix: &Prefix| {
        prefix
            .run(&format!("{ARM}-pkg-config"), ["--libs-only-l", "x"])
            .success()
            .stdout
    };
    // The demonstration's profile sets LIBDIR_default="lib".
    assert_eq!(libs(&prefix).trim(), "-llib");
    prefix.append(
        &format!("usr/{ARM}/etc/portage/profile/make.defaults"),
        "DEFAULT_ABI=\"x\"\nLIBDIR_x=\"lib77\"\n",
    );
    assert_eq!(libs(&prefix).trim(), "-llib77");
    assert_eq!(
        libs(&prefix.with("ABI", "y").with("LIBDIR_y", "lib64")).trim(),
        "-llib64"
    );
}
