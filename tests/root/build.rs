//! `crossmerge root build`: the real Portage fills a root from binary packages; and after a kill, the old root is whole or
//! the next run finishes the new one.

use super::ARM;
use crate::{
    init::tree,
    kill,
    support::{Prefix, prepared, some_of},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The number of kills, unless `make races` does all of them.
const SOME: usize = 8;

/// The system calls of which each may be the last one.
const CALLS: [&str; 8] = [
    "openat",
    "write",
    "mkdirat",
    "symlinkat",
    "renameat",
    "unlinkat",
    "fsync",
    "flock",
];

/// The beginning of every ebuild.
const HEAD: &str = r#"EAPI=8
DESCRIPTION="x"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~arm"
RESTRICT="strip"
S=${WORKDIR}
"#;

/// An emerge that installs the files of `image`, and finds every binary package.
const EMERGE: &str = "#!/bin/sh
case \" $* \" in
	*' --pretend '*) exit 0 ;;
	*' --usepkgonly '*) cp -R \"TOP/image/.\" \"$ROOT\" ;;
esac
";

/// A prefix with a target, and a repository with three packages of Debian's files.
fn with_packages() -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    prefix.overlay("mine");
    let armel = prepared("roots/armel");
    let armel = armel.display();
    let base = "IUSE=\"build\"\nsrc_install() { keepdir /usr/bin /root; dosym usr/bin /bin; insinto /etc; echo root:x:0:0:root:/root:/bin/sh > passwd; echo root:x:0: > group; doins passwd group; }\n";
    let libc = format!(
        "src_install() {{ into /; for file in ld-linux.so.3 libc.so.6; do exeinto /lib; doexe {armel}/lib/arm-linux-gnueabi/$file; done; }}\n"
    );
    let greet = format!(
        "RDEPEND=\"sys-libs/board-libc\"\nsrc_install() {{ newbin {armel}/bin/cat greet; touch greet.h; doheader greet.h; keepdir /var/lib/greet; }}\n"
    );
    for (path, text) in [
        (
            "metadata/layout.conf",
            "masters = crossmerge-demo\nthin-manifests = true\nuse-manifests = false\n",
        ),
        (
            "sys-apps/baselayout/baselayout-9.ebuild",
            &format!("{HEAD}{base}"),
        ),
        (
            "sys-libs/board-libc/board-libc-1.ebuild",
            &format!("{HEAD}{libc}"),
        ),
        ("app-misc/greet/greet-1.ebuild", &format!("{HEAD}{greet}")),
    ] {
        prefix.write(&format!("overlays/mine/{path}"), text);
    }
    // The target sees the repository too.
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    prefix
}

#[test]
fn portage_fills_a_root_from_binary_packages_and_a_failed_step_leaves_the_old_one() {
    let prefix = with_packages();
    let args = ["root", ARM, "board", "app-misc/greet"];
    let steps = prefix
        .own(args.iter().chain(&["--dry-run"]))
        .success()
        .stdout;
    for part in [
        "# base: sys-apps/baselayout, alone\n",
        " USE=build ",
        " --usepkgonly '--binpkg-respect-use=y' --oneshot --noreplace app-misc/greet\n",
        "# replace: ",
    ] {
        assert!(steps.contains(part), "{part}: {steps}");
    }
    assert!(!prefix.join("board.new").exists() && !prefix.join(".board.crossmerge-root").exists());
    let built = prefix.own(args);
    assert_eq!(built.code, Some(0), "{built:#?}");
    assert!(built.stderr.contains("ready    "), "{built:#?}");
    let board = prefix.join("board");
    let is_there = |path: &str| board.join(path).symlink_metadata().is_ok();
    for path in [
        "usr/bin/greet",
        "lib/libc.so.6",
        "etc/passwd",
        "var/lib/greet",
        "bin",
    ] {
        assert!(is_there(path), "{path}: {built:#?}");
    }
    for path in [
        "usr/include",
        "var/lib/greet/.keep_app-misc_greet-0",
        "var/cache/edb/counter",
    ] {
        assert!(!is_there(path), "{path}");
    }
    assert!(!prefix.join("board.new").exists());
    // The package was built into the sysroot, with its header.
    assert!(
        prefix
            .join(format!("usr/{ARM}/usr/include/greet.h"))
            .exists()
    );
    prefix.own(["root", "check", "board"]).success();

    // A hook that fails keeps the old root. The next run goes on after the steps that are done.
    prefix.write("board/mark", "old");
    let hooks = prefix.join("hooks");
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    let text = format!(
        "[root]\npackages = [\"app-misc/greet\"]\nhooks = \"{}\"\n",
        hooks.display()
    );
    let old = fs::read_to_string(prefix.join(&file)).unwrap_or_default();
    prefix.write(&file, &format!("{old}\n{text}"));
    let hook = "#!/bin/sh\necho $CHOST > \"$ROOT/etc/hostname\"\n";
    prefix.script("hooks/post-packages", &format!("{hook}exit 1\n"));
    prefix.own(["root", ARM, "board"]).fails(
        1,
        "step `post-packages` failed",
        "the same command goes on",
    );
    assert_eq!(prefix.read("board/mark"), "old");
    prefix.script("hooks/post-packages", hook);
    let log = ".board.crossmerge-root/packages.log";
    let before = fs::metadata(prefix.join(log))
        .expect("a log")
        .modified()
        .expect("a time");
    prefix.own(["root", ARM, "board"]).success();
    let after = fs::metadata(prefix.join(log))
        .expect("a log")
        .modified()
        .expect("a time");
    assert_eq!(before, after, "the packages are merged once");
    assert_eq!(prefix.read("board/etc/hostname"), format!("{ARM}\n"));
    assert!(!prefix.join("board/mark").exists());
}

/// The content of a root.
fn content(board: &Path) -> BTreeMap<PathBuf, String> {
    let inside = |path: PathBuf| path.strip_prefix(board).expect("a path of the root").into();
    let all = tree(board).into_iter();
    all.map(|(path, what)| (inside(path), what)).collect()
}

#[test]
fn after_a_kill_the_old_root_is_whole_or_the_next_run_finishes_the_new_one() {
    let prefix = kill::prefix();
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    let stand_in = EMERGE.replace("TOP", &prefix.path().display().to_string());
    let stand_in = prefix.script("stand-in", &stand_in);
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    let old = fs::read_to_string(prefix.join(&file)).unwrap_or_default();
    let text = format!("{old}\n[commands]\nemerge = \"{}\"\n", stand_in.display());
    prefix.write(&file, &text);
    let board = prefix.join("b/board");
    let args = ["root", ARM, "b/board", "app-misc/x"];
    let build = |version: &str| {
        prefix.write("image/etc/version", version);
        prefix.own(args).success();
        content(&board)
    };
    let (first, second) = (build("1"), build("2"));
    assert_ne!(first, second);

    build("1");
    prefix.write("image/etc/version", "2");
    let trace = format!("trace={}", CALLS.join(","));
    let trace_file = prefix.join("trace").display().to_string();
    let options = ["-o", &trace_file, "-e", &trace];
    prefix.traced(&options, "crossmerge", args).success();
    let mut made = BTreeMap::new();
    let mut points = Vec::new();
    for line in prefix.read("trace").lines() {
        let name = line.split('(').next().unwrap_or_default();
        let Some(&call) = CALLS.iter().find(|call| **call == name) else {
            continue;
        };
        let when = made.entry(call).or_insert(0);
        *when += 1;
        if call != "openat" || line.contains("O_CREAT") || line.contains("O_WRONLY") {
            points.push((call, *when));
        }
    }
    assert!(points.len() > 20, "{points:?}");
    for &(call, when) in some_of(&points, SOME) {
        build("1");
        prefix.write("image/etc/version", "2");
        let output = prefix.injected(call, "signal=KILL", when, "crossmerge", args);
        assert_eq!(output.code, None, "not a kill: {output:#?}");
        let left = content(&board);
        let moved = content(&prefix.join("b/.board.crossmerge-root/old"));
        let is_whole = left == first || left == second || (left.is_empty() && moved == first);
        assert!(is_whole, "{call} {when}: {left:#?}");
        prefix.own(args).success();
        assert_eq!(content(&board), second, "{call} {when}");
        for path in ["b/board.new", "b/.board.crossmerge-root/old"] {
            assert!(!prefix.join(path).exists(), "{call} {when}: {path}");
        }
    }
}

#[test]
fn only_a_root_that_crossmerge_has_built_is_replaced() {
    let prefix = kill::prefix();
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    prefix.write("home/letter", "mine");
    prefix.own(["root", ARM, "home", "app-misc/x"]).fails(
        125,
        "`crossmerge root` did not make it",
        "move it away",
    );
    assert_eq!(prefix.read("home/letter"), "mine");
    prefix.write("board.new/letter", "mine");
    prefix.own(["root", ARM, "board", "app-misc/x"]).fails(
        125,
        "board.new` exists",
        "move it away",
    );
    assert_eq!(prefix.read("board.new/letter"), "mine");
    prefix
        .own(["root", ARM, "board"])
        .fails(125, "no packages are named", "--set @system");
    prefix.own(["root", ARM, "/", "app-misc/x"]).fails(
        125,
        "is the host's own root",
        "name the directory",
    );
}
