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

/// An ebuild that compiles a program which needs the libc.
const NEEDS_LIBC: &str = "EAPI=8\nDESCRIPTION=\"x\"\nSLOT=0\nKEYWORDS=\"arm\"\nRDEPEND=\"sys-libs/glibc\"\nS=\"${WORKDIR}\"\n\
     src_compile() {\n\techo 'int main(void) { return 42; }' | ${CHOST}-gcc -x c - -o needs-libc || die\n}\n\
     src_install() {\n\tdobin needs-libc\n}\n";

#[test]
fn the_libc_of_an_adopted_toolchain_is_a_package_of_the_target() {
    let prefix = Prefix::with_portage();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    prefix.command(script, [prefix.join("sdk")]).success();
    let tools = prefix.join("sdk/bin/arm-linux-gnueabi-");
    prefix.overlay("mine");
    for (path, text) in [
        ("profiles/categories", "app-misc\nsys-libs\n"),
        ("metadata/layout.conf", "masters =\nuse-manifests = false\n"),
        ("app-misc/needs-libc/needs-libc-1.ebuild", NEEDS_LIBC),
        (
            "sys-libs/glibc/glibc-9.ebuild",
            "EAPI=8\nDESCRIPTION=\"x\"\nSLOT=2.2\nKEYWORDS=\"arm\"\nS=\"${WORKDIR}\"\n",
        ),
    ] {
        prefix.write(&format!("overlays/mine/{path}"), text);
    }
    let tools = tools.to_str().expect("UTF-8");
    let init = ["init", ARM, "--toolchain", tools, "--with-libc"];
    let output = prefix.own(init).success().stderr;
    let names: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("merged   "))
        .collect();
    assert_eq!(
        names,
        ["sys-libs/glibc-2.36, sys-libs/toolchain-runtime-12.2.0"],
        "{output}"
    );
    let output = prefix.own(["init", ARM]).success().stderr;
    assert!(output.contains("nothing to do"), "{output}");

    // A root gets it as a dependency, also by the sonames that the program needs.
    let emerge = format!("{ARM}-emerge");
    prefix
        .run(&emerge, ["--oneshot", "app-misc/needs-libc"])
        .success();
    let board = prefix.join("board");
    std::fs::create_dir(&board).expect("a root");
    let with_root = prefix
        .with("ROOT", &board)
        .with("INSTALL_MASK", "/usr/include");
    let args = [
        "--usepkgonly",
        "--ignore-soname-deps=n",
        "--oneshot",
        "app-misc/needs-libc",
    ];
    with_root.run(&emerge, args).success();
    for package in ["glibc-2.36", "toolchain-runtime-12.2.0"] {
        let package = board.join("var/db/pkg/sys-libs").join(package);
        assert!(package.exists(), "{}", package.display());
    }
    let linker = board.join("lib/ld-linux.so.3").symlink_metadata();
    assert!(linker.expect("a dynamic linker").is_file());
    assert!(!board.join("usr/include").exists());
    let run = [
        "-L".as_ref(),
        board.as_os_str(),
        board.join("usr/bin/needs-libc").as_os_str(),
    ]
    .map(ToOwned::to_owned);
    let output = prefix.command("qemu-arm-static", run);
    assert_eq!(output.code, Some(42), "{output:#?}");

    // Portage does not replace it, until the user wants that.
    let chosen = |prefix: &Prefix| {
        let output = prefix.run(&emerge, ["-p", "sys-libs/glibc"]).success();
        output.stdout
    };
    assert!(chosen(&prefix).contains("sys-libs/glibc-2.36 "));
    prefix.write(
        &format!("usr/{ARM}/etc/portage/package.unmask"),
        "sys-libs/glibc\n",
    );
    assert!(chosen(&prefix).contains("sys-libs/glibc-9"));
    prefix
        .run(&emerge, ["--oneshot", "sys-libs/glibc"])
        .success();
    let output = prefix.own(["init", ARM]).success().stderr;
    assert!(!output.contains("merged "), "{output}");
    prefix.own(["remove", ARM]).success();
    let database = prefix.join(format!("usr/{ARM}/var/db/pkg"));
    assert!(!database.join("sys-libs/toolchain-runtime-12.2.0").exists());
    assert!(database.join("sys-libs/glibc-9").exists());
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

/// An ebuild that installs a program and runs it in pkg_postinst. It also records what a configure script without
/// `--build` would believe.
const RUNS: &str = r#"EAPI=8
DESCRIPTION="runs its own program"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="arm"
S=${WORKDIR}
src_configure() {
	(
		as_me=configure host_alias=${CHOST} cross_compiling=maybe
		exec 5> /dev/null
		. "${CONFIG_SITE}"
		echo "${cross_compiling}"
	) > cross || die
}
src_compile() {
	echo '#include <stdio.h>
	int main(void) { return puts("ran") < 0; }' | ${CHOST}-gcc -xc - -o ran || die
}
src_install() { dobin ran; insinto /usr/share/ran; doins cross; }
pkg_postinst() { "${EROOT}"/usr/bin/ran > "${EROOT}"/usr/share/ran/output; true; }
"#;

/// An ebuild whose pkg_postinst finds its own reason to fail.
const DIES: &str = r#"EAPI=8
DESCRIPTION="dies in pkg_postinst"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="arm"
S=${WORKDIR}
pkg_postinst() { die "no reason"; }
"#;

/// A prefix with a target, and a repository that contains these ebuilds.
fn prefix_with_ebuilds(ebuilds: &[(&str, &str)]) -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.overlay("mine");
    let metadata = "masters =\nuse-manifests = false\n";
    prefix.write("overlays/mine/metadata/layout.conf", metadata);
    prefix.write("overlays/mine/profiles/categories", "app-misc\n");
    for (name, text) in ebuilds {
        prefix.write(
            &format!("overlays/mine/app-misc/{name}/{name}-1.ebuild"),
            text,
        );
    }
    let toolchain = ["--toolchain", "arm-linux-gnueabi-", "--with-libc"];
    prefix
        .own([&["init", ARM], &toolchain[..]].concat())
        .success();
    prefix
}

#[test]
fn a_failed_postinst_is_an_error_and_programs_of_the_target_run_on_request() {
    let prefix = prefix_with_ebuilds(&[("runs", RUNS), ("dies", DIES)]);
    let emerge = format!("{ARM}-emerge");
    let merge = [
        "--oneshot",
        "--keep-going",
        "app-misc/runs",
        "app-misc/dies",
    ];
    let output = prefix.run(&emerge, merge);
    assert_eq!(output.code, Some(1), "{output:#?}");
    let text = format!("{}{}", output.stdout, output.stderr);
    let (_, list) = text
        .split_once("The following 2 packages have failed to build, install, or execute")
        .unwrap_or_else(|| panic!("{text}"));
    for package in ["(app-misc/runs-1:", "(app-misc/dies-1:"] {
        assert!(list.contains(package), "{package}: {list}");
    }
    for reason in [
        "usr/bin/ran` cannot be executed here",
        "add `run_target_programs = true` as the first line of",
        "no reason",
    ] {
        assert!(text.contains(reason), "{reason}: {text}");
    }
    let shared = format!("usr/{ARM}/usr/share/ran");
    assert_eq!(prefix.read(&format!("{shared}/output")), "");
    // In a root they run without the setting: the binary package of the failed merge is complete. The root has no libc.
    let root = prefix.own(["root", ARM, "device", "app-misc/runs"]);
    assert!(root.stderr.contains("app-misc/runs "), "{root:#?}");
    let new = ["device.new", "device"].map(|root| prefix.join(root).join("usr/share/ran/output"));
    let output = new
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    assert_eq!(output.as_deref(), Some("ran\n"), "{root:#?}");

    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    let settings = format!("run_target_programs = true\n{}", prefix.read(&file));
    prefix.write(&file, &settings);
    prefix
        .run(&emerge, ["--oneshot", "app-misc/runs"])
        .success();
    assert_eq!(prefix.read(&format!("{shared}/output")), "ran\n");
    assert_eq!(prefix.read(&format!("{shared}/cross")), "yes\n");
    // With a ROOT without a libc, the program uses that of the sysroot.
    let board = prefix.join("board");
    std::fs::create_dir(&board).expect("a root");
    let merge = ["--usepkgonly", "--oneshot", "app-misc/runs"];
    prefix.with("ROOT", &board).run(&emerge, merge).success();
    assert_eq!(prefix.read("board/usr/share/ran/output"), "ran\n");
}

/// An ebuild with a file of another user.
const OWNED: &str = r#"EAPI=8
DESCRIPTION="a file of another user"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="arm"
S=${WORKDIR}
src_compile() { echo 'int owned;' | ${CHOST}-gcc -c -xc - -o owned || die; }
src_install() { insinto /etc; doins owned; fowners 990:990 /etc/owned; }
"#;

/// Runs emerge as `nobody`, who is root in a user namespace with subordinate IDs. The namespaces of the script contain a
/// directory of Python that this user may enter, and what root's emerge has made on other hosts.
const IN_NAMESPACE: &str = r#"
    mkdir -p home var/log python
    chown 65534:65534 home
    chmod 755 .
    case $(readlink -f "$(command -v python3)") in
    /root/*)
        top=$(readlink -f "$(command -v python3)" | cut -d / -f 1-3)
        mount --bind "$top" python
        mount -t tmpfs -o mode=755 root /root
        mkdir "$top"
        mount --bind python "$top"
        ;;
    esac
    echo nobody:200000:65536 > subordinate
    mount --bind subordinate /etc/subuid
    mount --bind subordinate /etc/subgid
    cd home
    export HOME=$PWD PATH=$PWD/bin:$PATH
    as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
    as crossmerge init $t --sysroot sysroot --bindir bin --toolchain arm-linux-gnueabi-
    as unshare --map-auto --map-root-user $t-emerge --oneshot app-misc/owned
    stat -c 'owner %u' sysroot/etc/owned
"#;

#[test]
fn root_in_a_users_namespace_merges_for_that_user() {
    crate::support::needs_root();
    // The host has the same target.
    let prefix = prefix_with_ebuilds(&[("owned", OWNED)]);
    let program = prefix.join("bin/crossmerge");
    std::fs::remove_file(&program).expect("the symlink");
    std::fs::copy(crate::support::CROSSMERGE, &program).expect("a copy");
    for directory in ["var/cache/edb/dep", "var/lib/portage", "var/db/pkg"] {
        std::fs::create_dir_all(prefix.join(directory)).expect("a directory");
    }
    let arguments = ["--mount", "/bin/sh", "-exc", IN_NAMESPACE];
    let output = prefix
        .with("t", ARM)
        .command("unshare", arguments)
        .success();
    // User 990 of the namespace is the 990th of nobody's subordinate IDs, which begin with ID 1.
    assert!(output.stdout.contains("\nowner 200989\n"), "{output:#?}");
    assert!(!prefix.join(format!("usr/{ARM}/etc/owned")).exists());
}
