//! `crossmerge root build`: the real Portage fills a root from binary packages; and after a kill, the old root is whole or
//! the next run finishes the new one.

use super::ARM;
use crate::{
    init::tree,
    kill,
    support::{Prefix, needs_root, prepared, some_of},
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
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

/// A prefix with a target, and a repository with four packages of Debian's files. `app-misc/greet` has a program with a
/// set-user-ID bit and a file of another user.
fn with_packages() -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    prefix.overlay("mine");
    let armel = prepared("roots/armel");
    let armel = armel.display();
    let base = "IUSE=\"build\"\nsrc_install() { keepdir /usr/bin /root; dosym usr/bin /bin; insinto /etc; printf '%s\\n' root:x:0:0:root:/root:/bin/sh board:x:990:990::/:/bin/sh > passwd; printf '%s\\n' root:x:0: board:x:990: > group; doins passwd group; }\n";
    let libc = format!(
        "src_install() {{ into /; for file in ld-linux.so.3 libc.so.6; do exeinto /lib; doexe {armel}/lib/arm-linux-gnueabi/$file; done; }}\n"
    );
    let greet = format!(
        "RDEPEND=\"sys-libs/board-libc\"\nsrc_install() {{ newbin {armel}/bin/cat greet; fperms 4755 /usr/bin/greet; touch greet.h; doheader greet.h; dodoc greet.h; keepdir /var/lib/greet; fowners 990:990 /var/lib/greet; }}\n"
    );
    let manager =
        format!("RDEPEND=\"app-misc/greet\"\nsrc_install() {{ newbin {armel}/bin/cat emerge; }}\n");
    for (path, text) in [
        (
            "metadata/layout.conf",
            "masters = crossmerge-demo\nthin-manifests = true\nuse-manifests = false\nprofile-formats = portage-2\n",
        ),
        ("profiles/board/parent", "crossmerge-demo:embedded\n"),
        (
            "profiles/board/packages",
            "*sys-apps/baselayout\n*sys-apps/portage\n",
        ),
        (
            "sys-apps/portage/portage-9.ebuild",
            &format!("{HEAD}{manager}"),
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
        "\n# 2 packages: 0 as binary packages, 2 to build\n#   [ebuild  N     ] sys-libs/board-libc-1 to ",
        "/board.new/\n#   [ebuild  N     ] app-misc/greet-1 to ",
    ] {
        assert!(steps.contains(part), "{part}: {steps}");
    }
    assert!(!prefix.join("board.new").exists() && !prefix.join(".board.crossmerge-root").exists());
    let missing = ["root", ARM, "board", "app-misc/none", "--dry-run"];
    let output = prefix.own(missing).fails(
        125,
        "Portage cannot resolve app-misc/none",
        "-emerge --pretend --verbose --tree app-misc/none` prints more",
    );
    let cause = "there are no ebuilds to satisfy \"app-misc/none\"";
    assert!(output.stderr.contains(cause), "{output:#?}");
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
    // The note that its programs do not run would have a second hint.
    let old = format!("run_target_programs = false\n{old}\n{text}");
    prefix.write(&file, &old);
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

#[test]
fn a_stage_has_the_system_with_all_files_and_a_configuration_of_portage() {
    let prefix = with_packages();
    let stage = |args: &[&str]| prefix.own([&["stage", ARM, "out/stage.tar.gz"], args].concat());
    let link = prefix.join(format!("usr/{ARM}/etc/portage/make.profile"));
    fs::create_dir(prefix.join("out")).expect("a directory");
    // @system of the demonstration's profile is empty.
    stage(&[]).fails(125, "has no package manager", "such as sys-apps/portage");
    fs::remove_file(&link).expect("the profile");
    symlink(prefix.join("overlays/mine/profiles/board"), link).expect("a profile");
    prefix.write("out/stage.tar.gz", "mine");
    stage(&[]).fails(125, "out/stage.tar.gz` exists already", "rm ");
    fs::remove_file(prefix.join("out/stage.tar.gz")).expect("the archive");
    prefix.own(["stage", ARM, "out/stage.cpio"]).fails(
        125,
        "does not end with .tar",
        "stage3.tar.xz",
    );
    let steps = stage(&["--dry-run"]).success().stdout;
    for part in [
        "# configure: configuration of Portage\n",
        "FEATURES='-nodoc -noinfo -noman'",
        "\n# 4 packages: 0 as binary packages, 4 to build\n",
    ] {
        assert!(steps.contains(part), "{part}: {steps}");
    }
    stage(&[]).success();
    let left: Vec<_> = crate::support::names_in(prefix.join("out"))
        .into_iter()
        .collect();
    assert_eq!(left, ["stage.json", "stage.tar.gz"]);
    let args = ["-tvf", "out/stage.tar.gz", "--numeric-owner"];
    let listed = prefix.command("tar", args).success().stdout;
    let find = |end: &str| {
        let mut lines = listed.lines();
        let line = lines.find(|line| line.ends_with(end));
        line.unwrap_or_else(|| panic!("no {end}: {listed}"))
            .to_owned()
    };
    for (end, start) in [
        (" ./usr/bin/greet", "-rwsr-xr-x 0/0 "),
        (" ./var/lib/greet/", "drwxr-xr-x 990/990 "),
        (" ./usr/include/greet.h", "-"),
        (" ./usr/share/doc/greet-1/greet.h", "-"),
        ("/.keep_app-misc_greet-0", "-"),
        (" ./var/db/repos/mine/", "d"),
        (
            " ./etc/portage/make.profile -> ../../var/db/repos/mine/profiles/board",
            "l",
        ),
    ] {
        assert!(find(end).starts_with(start), "{end}: {listed}");
    }
    let args = [
        "-xOf",
        "out/stage.tar.gz",
        "./etc/portage/make.conf",
        "./etc/portage/repos.conf/stage.conf",
    ];
    let conf = prefix.command("tar", args).success().stdout;
    for line in [
        "CHOST=\"armv4tl-softfloat-linux-gnueabi\"\n",
        "ACCEPT_KEYWORDS=\"arm ~arm\"\n",
        "main-repo = crossmerge-demo\n",
        "[mine]\nlocation = /var/db/repos/mine\n",
    ] {
        assert!(conf.contains(line), "{line}: {conf}");
    }
}

/// Builds a root and makes images of it, as a user with subordinate ids. Portage's Python may be in a home directory that
/// the user may not enter.
const AS_USER: &str = "
    for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
    user='setpriv --reuid=65534 --regid=65534 --clear-groups'
    python=$(readlink -f $(sed -n '1s/^#!//p' $(command -v emerge)))
    $user test -x $python || {
        python=${python%/bin/*} top=${python#/} top=/${top%%/*}
        mkdir held; mount --bind $python held
        mount -t tmpfs -o mode=755 none $top; mkdir -p $python; mount --bind held $python
    }
    $user bin/crossmerge root \"$@\"
    $user bin/crossmerge image board ext4 tar";

#[test]
fn an_ordinary_user_builds_a_root_whose_images_have_the_owners_of_the_packages() {
    needs_root();
    let mut prefix = with_packages();
    prefix.write("ids", "65534:200000:65536\n");
    fs::create_dir(prefix.join("home")).expect("a directory");
    prefix.set("HOME", prefix.join("home"));
    prefix.become_user(65534);
    prefix.own(["root", ARM, "board", "app-misc/greet"]).fails(
        125,
        "has no subordinate user and group ids",
        "usermod --add-subuids",
    );
    let words = ["--mount", "/bin/sh", "-ec", AS_USER, "sh"];
    let args = [ARM, "board", "app-misc/greet"];
    prefix
        .command("unshare", words.iter().chain(&args))
        .success();
    let listed = prefix.command("tar", ["-tvf", "board.tar", "--numeric-owner"]);
    let listed = listed.success().stdout;
    let stat = |path: &str| {
        let question = format!("stat {path}");
        let words = ["-R", &question, "board.ext4"];
        prefix.command("/usr/sbin/debugfs", words).success().stdout
    };
    for (path, start, mode, user) in [
        ("/usr/bin/greet", "-rwsr-xr-x 0/0 ", "04755", "0"),
        ("/var/lib/greet", "drwxr-xr-x 990/990 ", "0755", "990"),
    ] {
        let is_it = |line: &&str| line.trim_end_matches('/').ends_with(&format!(" .{path}"));
        let line = listed.lines().find(is_it);
        assert!(
            line.is_some_and(|line| line.starts_with(start)),
            "{path}: {listed}"
        );
        let inode = stat(path);
        assert!(inode.contains(&format!("Mode:  {mode}")), "{inode}");
        assert!(inode.contains(&format!("User: {user:>5} ")), "{inode}");
    }
}

/// A stand-in for a kernel's source tree, whose make installs one module as Linux does.
const KERNEL: &str = "# vmlinux INSTALL_MOD_PATH
modules_install:
\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/6.1.0
\techo $(ARCH) > $(INSTALL_MOD_PATH)/lib/modules/6.1.0/x.ko
\tln -s $(CURDIR) $(INSTALL_MOD_PATH)/lib/modules/6.1.0/build
";

#[test]
fn a_root_has_the_modules_of_the_kernel_without_symlinks_to_its_tree_and_the_locales() {
    let prefix = kill::prefix();
    prefix.own(["init", ARM, "--toolchain", "none"]).success();
    let stand_in = EMERGE.replace("TOP", &prefix.path().display().to_string());
    let stand_in = prefix.script("stand-in", &stand_in);
    // The compiler is not called.
    prefix.script(&format!("tools/{ARM}-gcc"), "#!/bin/sh\n");
    prefix.write("kernel/Makefile", KERNEL);
    prefix.write("kernel/Kbuild", "");
    prefix.write("kernel/arch/arm/Makefile", "");
    prefix.write("image/usr/lib/x", "");
    symlink("usr/lib", prefix.join("image/lib")).expect("a symlink");
    let file = format!("etc/crossmerge/targets/{ARM}.toml");
    let old = fs::read_to_string(prefix.join(&file)).unwrap_or_default();
    // The real localedef needs a libc's sources of locales.
    let args = "printf '%s ' \"$ROOT\" \"$@\" > TOP/locale";
    let args = args.replace("TOP", &prefix.path().display().to_string());
    prefix.script("compile-locale", &format!("#!/bin/sh\n{args}\n"));
    prefix.write(
        "etc/crossmerge/wrappers/localedef.toml",
        &format!(
            "summary = \"x\"\ncommand = \"{}\"\n",
            prefix.join("compile-locale").display()
        ),
    );
    let text = format!(
        "{old}\n[root]\nlocales = [\"ca_ES.UTF-8@valencia\"]\n[commands]\nemerge = \"{}\"\n[kernel]\ntree = \"{}\"\n",
        stand_in.display(),
        prefix.join("kernel").display()
    );
    prefix.write(&file, &text);
    prefix.own(["root", ARM, "board", "app-misc/x"]).success();
    let locale = format!(
        "{}.new -i ca_ES@valencia -f UTF-8 ca_ES.UTF-8@valencia ",
        prefix.join("board").display()
    );
    assert_eq!(prefix.read("locale"), locale);
    // The packages came first, so that their symlink `lib` is in use.
    assert_eq!(prefix.read_link("board/lib"), Path::new("usr/lib"));
    assert_eq!(prefix.read("board/usr/lib/modules/6.1.0/x.ko"), "arm\n");
    let build = prefix.join("board/lib/modules/6.1.0/build");
    assert!(build.symlink_metadata().is_err());
}
