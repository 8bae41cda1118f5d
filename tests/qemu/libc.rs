//! `<tuple>-ldconfig` and `<tuple>-localedef`: the programs of Debian's libc for ARM write into a root of the target, and
//! Portage calls the former.

use crate::support::{Prefix, prepared};
use std::path::Path;

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// An ebuild with a library in a directory that the dynamic linker does not search by itself.
const EBUILD: &str = r#"EAPI=8
DESCRIPTION="a library in its own directory"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="arm"
S=${WORKDIR}
src_compile() { echo 'int own;' | ${CHOST}-gcc -shared -fPIC -nostdlib -Wl,-soname,libown.so.1 -xc - -o libown.so.1 || die; }
src_install() {
	exeinto /opt/own/lib
	doexe libown.so.1
	echo 'LDPATH="/opt/own/lib"' > 50own || die
	doenvd 50own
}
"#;

/// Copies a program of Debian's libc into a root of the prefix.
fn copy_program(prefix: &Prefix, root: &str, program: &str) {
    let to = prefix.join(root).join(program);
    std::fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
    std::fs::copy(prepared("libc-bin").join(program), to).expect("a copy");
}

fn cache(root: &Path) -> Option<String> {
    let text = std::fs::read(root.join("etc/ld.so.cache")).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn portage_writes_the_cache_with_the_targets_own_ldconfig() {
    let prefix = Prefix::with_portage();
    prefix.overlay("mine");
    prefix
        .own([
            "init",
            ARM,
            "--toolchain",
            "arm-linux-gnueabi-",
            "--with-libc",
        ])
        .success();
    prefix.write("overlays/mine/profiles/categories", "app-misc\n");
    let metadata = "masters =\nuse-manifests = false\n";
    prefix.write("overlays/mine/metadata/layout.conf", metadata);
    prefix.write("overlays/mine/app-misc/own/own-1.ebuild", EBUILD);
    let sysroot = format!("usr/{ARM}");
    copy_program(&prefix, &sysroot, "sbin/ldconfig");
    let board = prefix.join("board");
    std::fs::create_dir(&board).expect("a root");
    let output = prefix
        .with("ROOT", &board)
        .run(&format!("{ARM}-emerge"), ["--oneshot", "app-misc/own"])
        .success();
    let cached = cache(&board).unwrap_or_else(|| panic!("{output:#?}"));
    assert!(cached.contains("/opt/own/lib/libown.so.1"), "{output:#?}");

    // Without an ldconfig, the merge goes on, and a message names the directory.
    std::fs::remove_file(prefix.join(&sysroot).join("sbin/ldconfig")).expect("it is there");
    std::fs::remove_file(board.join("etc/ld.so.cache")).expect("it is there");
    let ldconfig = |prefix: &Prefix| {
        let root = board.display().to_string();
        prefix.run(&format!("{ARM}-ldconfig"), ["-X", "-r", &root])
    };
    let output = ldconfig(&prefix).success();
    let note = "its dynamic linker does not find the libraries in `/opt/own/lib`";
    assert!(output.stderr.contains(note), "{output:#?}");
    assert_eq!(cache(&board), None);
    prefix.write("board/etc/ld.so.conf", "/usr/lib\n");
    assert_eq!(ldconfig(&prefix).success().stderr, "");
}

/// A prefix with a sysroot that has both programs, and their symlinks.
fn prefix_with_programs() -> Prefix {
    let prefix = Prefix::new();
    for program in ["sbin/ldconfig", "usr/bin/localedef"] {
        copy_program(&prefix, &format!("usr/{ARM}"), program);
    }
    for applet in ["ldconfig", "localedef"] {
        prefix.link(&format!("{ARM}-{applet}"));
    }
    prefix
}

#[test]
fn the_cache_is_never_the_hosts() {
    let prefix = prefix_with_programs();
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let etc = sysroot.join("etc");
    std::fs::create_dir(&etc).expect("a directory");
    let ldconfig = format!("{ARM}-ldconfig");
    prefix.run(&ldconfig, ["-X"]).success();
    assert!(cache(&sysroot).is_some());
    prefix
        .run(&ldconfig, ["-X", "-r", "/"])
        .fails(125, "`-r` names the host's root", "omit `-r`");
    let localedef = prefix.run(&format!("{ARM}-localedef"), ["--prefix", "/", "x"]);
    localedef.fails(125, "`--prefix` names the host's root", "omit `--prefix`");
    // Without QEMU, only a root that is to run needs the cache.
    let tools = prefix.join("tools");
    std::fs::create_dir(&tools).expect("a directory");
    std::os::unix::fs::symlink("/usr/bin/true", tools.join("true")).expect("a link");
    let without = prefix.with("PATH", &tools);
    let output = without.run(&ldconfig, [""; 0]).success();
    assert!(output.stderr.contains("gets no ld.so.cache"), "{output:#?}");
    std::fs::create_dir(prefix.join("board")).expect("a root");
    without
        .run(&ldconfig, ["-r", "board"])
        .fails(127, "qemu-arm", "");
}

#[test]
fn a_locale_goes_into_the_targets_archive() {
    let prefix = prefix_with_programs();
    let sysroot = format!("usr/{ARM}");
    let root = prefix.join("board");
    std::fs::create_dir_all(root.join("usr/lib/locale")).expect("a directory");
    let libc = "/usr/arm-linux-gnueabi/lib";
    std::os::unix::fs::symlink(libc, prefix.join(&sysroot).join("lib")).expect("a link");
    let localedef = |args: &[&str]| {
        let board = prefix.with("ROOT", &root);
        board.run(&format!("{ARM}-localedef"), args).success()
    };
    let compiled = prepared("locale/little/C.utf8").display().to_string();
    localedef(&["--add-to-archive", &compiled]);
    assert!(root.join("usr/lib/locale/locale-archive").exists());
    assert_eq!(localedef(&["--list-archive"]).stdout, "C.utf8\n");
    std::fs::remove_file(prefix.join(&sysroot).join("usr/bin/localedef")).expect("it is there");
    let none = prefix.run(&format!("{ARM}-localedef"), ["x"]);
    none.fails(127, "has no `localedef`", "sys-libs/glibc");
}
