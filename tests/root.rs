//! `crossmerge root`: the check of a root finds each fault and names the package and the command that fixes it.

mod build;

use crate::support::{OTHER_USER, Prefix, needs_root, prepared};
use std::{
    fs,
    os::unix::fs::{chown, symlink},
    path::{Path, PathBuf},
};

const ARM: &str = "armv4tl-softfloat-linux-gnueabi";

/// A finding: the check, the path, the package, a part of the message, and the beginning of the fix.
type Finding = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    String,
);

/// Adds a package to Portage's database below a directory.
fn merged(prefix: &Prefix, root: &str, package: &str, contents: &[&str]) {
    let lines: String = contents
        .iter()
        .map(|path| match path.split_once(" -> ") {
            Some(_) => format!("sym {path} 1700000000\n"),
            None => format!("obj {path} 0123456789abcdef 1700000000\n"),
        })
        .collect();
    let directory = format!("{root}/var/db/pkg/{package}");
    prefix.write(&format!("{directory}/CONTENTS"), &lines);
    prefix.write(&format!("{directory}/CHOST"), &format!("{ARM}\n"));
}

/// A root with Debian's busybox, its libraries, and a script: all of them belong to packages, and nothing is wrong.
fn board(prefix: &Prefix) -> PathBuf {
    let armel = prepared("roots/armel");
    let board = prefix.join("board");
    for directory in ["lib", "usr/bin", "etc"] {
        fs::create_dir_all(board.join(directory)).expect("a directory");
    }
    symlink("usr/bin", board.join("bin")).expect("bin");
    symlink("busybox", board.join("usr/bin/sh")).expect("sh");
    let libraries = armel.join("lib/arm-linux-gnueabi");
    for name in ["ld-linux.so.3", "libc.so.6", "libresolv.so.2"] {
        fs::copy(libraries.join(name), board.join("lib").join(name)).expect(name);
    }
    fs::copy(armel.join("bin/busybox"), board.join("usr/bin/busybox")).expect("busybox");
    prefix.script("board/usr/bin/hello", "#!/bin/sh\necho hello\n");
    prefix.write("board/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    prefix.write("board/etc/group", "root:x:0:\n");
    prefix.write("board/etc/hello.conf", "greeting = hello\n");
    let libc = [
        "/lib/ld-linux.so.3",
        "/lib/libc.so.6",
        "/lib/libresolv.so.2",
    ];
    merged(prefix, "board", "sys-libs/glibc-2.36-r7", &libc);
    // The package has installed it through the symlink `bin`.
    let busybox = ["/bin/busybox", "/bin/sh -> busybox"];
    merged(prefix, "board", "sys-apps/busybox-1.35.0", &busybox);
    let hello = ["/usr/bin/hello", "/etc/hello.conf"];
    merged(prefix, "board", "app-misc/hello-1", &hello);
    // The sysroot has the packages that a root may lack.
    let sysroot = format!("usr/{ARM}");
    merged(prefix, &sysroot, "sys-libs/glibc-2.36-r7", &libc);
    let perl = ["/usr/bin/perl", "/usr/bin/perl5 -> perl"];
    merged(prefix, &sysroot, "dev-lang/perl-5.36.0-r2", &perl);
    board
}

/// The findings of a check, as JSON.
fn check(prefix: &Prefix, board: &Path) -> Vec<serde_json::Value> {
    let output = prefix.own([
        "root".as_ref(),
        "check".as_ref(),
        "--json".as_ref(),
        board.as_os_str(),
    ]);
    let report: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:#?}"));
    let findings = report["findings"].as_array().expect("an array").clone();
    let code = if findings.is_empty() { 0 } else { 1 };
    assert_eq!(output.code, Some(code), "{output:#?}");
    assert_eq!(report["tuple"], ARM);
    findings
}

#[track_caller]
fn has(findings: &[serde_json::Value], (check, path, package, message, fix): Finding) {
    let is_it = |finding: &&serde_json::Value| {
        finding["check"] == check
            && finding["path"] == path
            && finding["package"].as_str() == package
            && finding["message"].as_str().expect("text").contains(message)
            && finding["fix"].as_str().expect("text").starts_with(&fix)
    };
    assert!(
        findings.iter().any(|finding| is_it(&finding)),
        "no {check} {path} {package:?} {message:?} {fix:?} in {findings:#?}"
    );
}

#[test]
fn each_fault_of_a_root_is_found_and_named_with_its_package_and_its_fix() {
    needs_root();
    let prefix = Prefix::new();
    let board = board(&prefix);
    let ok = prefix.own(["root".as_ref(), "check".as_ref(), board.as_os_str()]);
    assert!(ok.success().stdout.ends_with(": ok\n"));
    let merge = |package: &str| {
        let root = board.display();
        format!("ROOT={root} {ARM}-emerge --usepkg --oneshot {package}")
    };
    let remove = |path: &str| format!("rm {}", board.join(path).display());
    let busybox = Some("sys-apps/busybox-1.35.0");
    let hello = Some("app-misc/hello-1");
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let keep = |path: &str| fs::read(board.join(path)).expect("a file");
    let put = |path: &str, content: &[u8]| fs::write(board.join(path), content).expect("a file");
    let delete = |path: &str| fs::remove_file(board.join(path)).expect("a file");

    // A library, and the dynamic linker.
    let library = keep("lib/libresolv.so.2");
    delete("lib/libresolv.so.2");
    let findings = check(&prefix, &board);
    let missing = "needs `libresolv.so.2`, which does not exist in the root";
    has(
        &findings,
        (
            "library",
            "/usr/bin/busybox",
            busybox,
            missing,
            merge("sys-libs/glibc"),
        ),
    );
    let libc = Some("sys-libs/glibc-2.36-r7");
    has(
        &findings,
        (
            "missing",
            "/lib/libresolv.so.2",
            libc,
            "does not exist",
            merge("sys-libs/glibc"),
        ),
    );
    assert_eq!(findings.len(), 2, "{findings:#?}");
    // The dynamic linker finds a library of another directory in its cache only.
    fs::create_dir_all(board.join("usr/lib/own")).expect("a directory");
    put("usr/lib/own/libresolv.so.2", &library);
    let ldconfig = format!("ROOT={} {ARM}-ldconfig", board.display());
    let findings = check(&prefix, &board);
    let elsewhere = "does not search the directory of `/usr/lib/own/libresolv.so.2`";
    has(
        &findings,
        (
            "library",
            "/usr/bin/busybox",
            busybox,
            elsewhere,
            "echo /usr/lib/own >> ".into(),
        ),
    );
    put("etc/ld.so.conf", b"include ld.so.conf.d/*.conf\n");
    prefix.write("board/etc/ld.so.conf.d/own.conf", "# own\n/usr/lib/own\n");
    let findings = check(&prefix, &board);
    has(
        &findings,
        (
            "cache",
            "/usr/lib/own/libresolv.so.2",
            None,
            "no ld.so.cache",
            ldconfig.clone(),
        ),
    );
    put(
        "etc/ld.so.cache",
        b"glibc-ld.so.cache1.1\0libresolv.so.2\0/usr/lib/own/libresolv.so.2\0",
    );
    let findings = check(&prefix, &board);
    assert!(
        findings.iter().all(|it| it["severity"] == "warning"),
        "{findings:#?}"
    );
    for path in [
        "etc/ld.so.conf",
        "etc/ld.so.cache",
        "etc/ld.so.conf.d/own.conf",
        "usr/lib/own/libresolv.so.2",
    ] {
        delete(path);
    }
    put("lib/libresolv.so.2", &library);
    let linker = keep("lib/ld-linux.so.3");
    delete("lib/ld-linux.so.3");
    let findings = check(&prefix, &board);
    let missing = "needs the dynamic linker `/lib/ld-linux.so.3`";
    has(
        &findings,
        (
            "interpreter",
            "/usr/bin/busybox",
            busybox,
            missing,
            merge("sys-libs/glibc"),
        ),
    );
    put("lib/ld-linux.so.3", &linker);
    assert_eq!(check(&prefix, &board), [serde_json::Value::Null; 0]);

    // An ELF file of the build machine, owned and unowned.
    let program = keep("usr/bin/busybox");
    fs::copy("/bin/true", board.join("usr/bin/busybox")).expect("a program");
    fs::copy("/bin/true", board.join("usr/bin/true")).expect("a program");
    let findings = check(&prefix, &board);
    let foreign = "ELF machine 62; the tuple is 32 bits, little endian, ELF machine 40";
    let rebuild = format!("{ARM}-emerge --oneshot --buildpkg sys-apps/busybox && ");
    has(
        &findings,
        ("machine", "/usr/bin/busybox", busybox, foreign, rebuild),
    );
    has(
        &findings,
        (
            "machine",
            "/usr/bin/true",
            None,
            foreign,
            remove("usr/bin/true"),
        ),
    );
    has(
        &findings,
        (
            "unowned",
            "/usr/bin/true",
            None,
            "no package owns it",
            remove("usr/bin/true"),
        ),
    );
    delete("usr/bin/true");
    put("usr/bin/busybox", &program);

    // Firmware is for another processor.
    fs::create_dir_all(board.join("lib/firmware")).expect("a directory");
    fs::copy("/bin/true", board.join("lib/firmware/x.elf")).expect("firmware");
    let findings = check(&prefix, &board);
    assert!(
        findings.iter().all(|it| it["check"] == "unowned"),
        "{findings:#?}"
    );
    delete("lib/firmware/x.elf");

    // Scripts, symlinks and texts.
    prefix.script("board/usr/bin/hello", "#!/usr/bin/perl -w\n");
    let findings = check(&prefix, &board);
    let perl = "starts `/usr/bin/perl`, which does not exist in the root";
    has(
        &findings,
        (
            "script",
            "/usr/bin/hello",
            hello,
            perl,
            merge("dev-lang/perl"),
        ),
    );
    prefix.script("board/usr/bin/hello", "#!/usr/bin/env -S python3 -u\n");
    symlink("busybox", board.join("usr/bin/env")).expect("env");
    let findings = check(&prefix, &board);
    let python = "starts `python3`, which does not exist in the root";
    has(
        &findings,
        (
            "script",
            "/usr/bin/hello",
            hello,
            python,
            remove("usr/bin/hello"),
        ),
    );
    delete("usr/bin/env");
    prefix.script("board/usr/bin/hello", "#!/bin/sh\n");
    // The build machine has this path, and the root does not.
    symlink("/etc/hostname", board.join("usr/bin/dead")).expect("a link");
    symlink("loop", board.join("usr/bin/loop")).expect("a link");
    symlink("/proc/self/mounts", board.join("etc/mtab")).expect("a link");
    symlink(sysroot.join("usr/lib"), board.join("usr/bin/out")).expect("a link");
    put(
        "etc/hello.conf",
        format!("libdir={}/usr/lib\n", sysroot.display()).as_bytes(),
    );
    put("etc/._cfg0000_hello.conf", b"new");
    fs::write(board.join("usr/bin/mine"), "mine").expect("a file");
    chown(board.join("usr/bin/mine"), Some(OTHER_USER), Some(0)).expect("an owner");
    let findings = check(&prefix, &board);
    let dead = "leads to `/etc/hostname`, which does not exist in the root";
    has(
        &findings,
        (
            "symlink",
            "/usr/bin/dead",
            None,
            dead,
            remove("usr/bin/dead"),
        ),
    );
    has(
        &findings,
        (
            "symlink",
            "/usr/bin/loop",
            None,
            "leads to itself",
            remove("usr/bin/loop"),
        ),
    );
    has(
        &findings,
        (
            "host-path",
            "/usr/bin/out",
            None,
            "a path of the build machine",
            remove("usr/bin/out"),
        ),
    );
    let again = format!("{ARM}-emerge --oneshot --buildpkg app-misc/hello && ");
    has(
        &findings,
        (
            "host-path",
            "/etc/hello.conf",
            hello,
            "a path of the build machine",
            again,
        ),
    );
    let left = "/etc/._cfg0000_hello.conf";
    has(
        &findings,
        (
            "leftover",
            left,
            None,
            "waits for dispatch-conf",
            remove(&left[1..]),
        ),
    );
    let owner = "belongs to user 4242, which the root's /etc/passwd does not contain";
    let own = format!("chown -h 0:0 {}", board.join("usr/bin/mine").display());
    has(&findings, ("owner", "/usr/bin/mine", None, owner, own));
    has(
        &findings,
        (
            "unowned",
            "/usr/bin",
            None,
            "no package owns 4 files in it",
            "rm ".into(),
        ),
    );
    assert!(
        !findings
            .iter()
            .any(|it| it["path"] == "/etc/mtab" && it["check"] == "symlink")
    );

    // The fixes that remove something leave a root without faults.
    put("etc/hello.conf", b"");
    delete("etc/mtab");
    for _ in 0..2 {
        for finding in check(&prefix, &board) {
            let fix = finding["fix"].as_str().expect("text");
            prefix.command("/bin/sh", ["-c", fix]);
        }
    }
    assert_eq!(check(&prefix, &board), [serde_json::Value::Null; 0]);
}

#[test]
fn sizes_are_by_package_and_their_sum_is_that_of_all_files() {
    let prefix = Prefix::new();
    let board = board(&prefix);
    fs::write(board.join("usr/mine"), [0; 1000]).expect("a file");
    fs::hard_link(board.join("usr/mine"), board.join("usr/mine-too")).expect("a name");
    let output = prefix.own([
        "root".as_ref(),
        "size".as_ref(),
        "--json".as_ref(),
        board.as_os_str(),
    ]);
    let report: serde_json::Value = serde_json::from_str(&output.success().stdout).expect("JSON");
    let sizes = report["sizes"].as_array().expect("an array");
    let of = |name: &str| {
        let size = sizes.iter().find(|size| size["name"] == name);
        size.unwrap_or_else(|| panic!("{name}: {sizes:#?}"))["bytes"].as_u64()
    };
    let busybox = board
        .join("usr/bin/busybox")
        .metadata()
        .expect("a file")
        .len();
    // The symlink's size is the length of its target.
    assert_eq!(of("sys-apps/busybox-1.35.0"), Some(busybox + 7));
    let bytes: u64 = sizes
        .iter()
        .map(|size| size["bytes"].as_u64().expect("a number"))
        .sum();
    assert_eq!(report["bytes"].as_u64(), Some(bytes));
    let unowned = of("no package").expect("a number");
    assert!((1000..2000).contains(&unowned), "{sizes:#?}");
    assert!(of("Portage's database") > Some(0));
}

#[test]
fn a_root_without_packages_needs_a_tuple_and_no_other_path_is_read() {
    let prefix = Prefix::new();
    let board = prefix.join("board");
    fs::create_dir(&board).expect("a directory");
    prefix.own(["root", "check", "board"]).fails(
        125,
        "no installed package that states its CHOST",
        "--tuple",
    );
    prefix
        .own(["root", "check", "nothing"])
        .fails(125, "is not a directory", "ls -ld nothing");
    prefix.own(["root", "check", "--tuple", ARM, "/"]).fails(
        125,
        "is the host's own root",
        "name the directory",
    );
    // The build machine has this file.
    symlink("/etc/hostname", board.join("program")).expect("a link");
    symlink("/", board.join("top")).expect("a link");
    nix::unistd::mkfifo(&board.join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    let output = prefix.own(["root", "check", "--tuple", ARM, "board"]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    let dead = "/program\n           leads to `/etc/hostname`, which does not exist in the root\n";
    assert!(output.stdout.contains(dead), "{output:#?}");
}
