//! The umask does not matter: crossmerge writes every file with its documented mode.

use super::TUPLE;
use crate::{
    init::tree,
    support::{CROSSMERGE, Prefix},
};
use std::path::Path;

/// The usual umask comes first.
const UMASKS: [&str; 4] = ["022", "000", "077", "777"];

/// Every path below a directory, with its mode.
fn modes(prefix: &Prefix) -> Vec<String> {
    let own = prefix.path();
    let tree = tree(&own);
    let mode = |what: &String| what.split(' ').next().map(str::to_owned);
    tree.iter()
        .map(|(path, what)| {
            let path = path.strip_prefix(&own).expect("below");
            format!("{} {}", path.display(), mode(what).unwrap_or_default())
        })
        .collect()
}

/// Runs a script under each umask, each time in a new prefix, and checks that the modes are the same. Returns the
/// last prefix.
fn same_under_all(prepare: impl Fn() -> Prefix, script: &str) -> Prefix {
    let mut usual = Vec::new();
    let mut last = None;
    for umask in UMASKS {
        let prefix = prepare();
        let script = format!("umask {umask}; {script}");
        prefix.command("/bin/sh", ["-ec", &script]).success();
        let made = modes(&prefix);
        match usual.is_empty() {
            true => usual = made,
            false => {
                let differs = made.iter().filter(|line| !usual.contains(line));
                let differs: Vec<_> = differs.map(|line| line.lines().next()).collect();
                assert!(
                    differs.is_empty() && made.len() == usual.len(),
                    "{umask}: {differs:?}"
                );
            }
        }
        last = Some(prefix);
    }
    last.expect("there are umasks")
}

/// Checks that every user may read the files below, and that only root may write them, except in the sysroot's `tmp`.
#[track_caller]
fn is_readable_by_all(directory: &Path) {
    for (path, what) in tree(directory) {
        let mode = what.split(' ').next().unwrap_or_default();
        let mode = u32::from_str_radix(mode, 8).expect("a mode");
        let is_link = mode & 0o170_000 == 0o120_000;
        let is_lock = path.file_name().is_some_and(|name| name == "lock");
        let wanted = match mode & 0o170_000 {
            _ if is_link => continue,
            _ if is_lock => 0o600,
            _ if path.ends_with(format!("{TUPLE}/tmp")) => 0o1777,
            0o040_000 => 0o755,
            _ => 0o644 | mode & 0o111,
        };
        assert_eq!(mode & 0o7777, wanted, "{}", path.display());
    }
}

#[test]
fn every_command_writes_the_same_modes_under_every_umask() {
    let script = format!(
        "crossmerge init {TUPLE}
         mkdir -m 755 -p usr/{TUPLE}/usr usr/{TUPLE}/usr/bin
         cp -p tools/foo-config usr/{TUPLE}/usr/bin/foo-config
         crossmerge profile set {TUPLE} embedded
         {TUPLE}-env > /dev/null
         {TUPLE}-fix-root
         crossmerge export {TUPLE} cmake new/cross.cmake
         crossmerge remove {TUPLE}
         crossmerge init {TUPLE}
         {TUPLE}-env > /dev/null"
    );
    let prepare = || {
        let prefix = Prefix::with_portage();
        prefix.script("tools/foo-config", "#!/bin/sh\nprefix=/usr\n");
        prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
        prefix.command("chmod", ["755", "bin"]).success();
        prefix
    };
    let prefix = same_under_all(prepare, &script);
    for directory in ["usr", "var", "new", "etc/crossmerge"] {
        let directory = prefix.join(directory);
        if directory.exists() {
            is_readable_by_all(&directory);
        }
    }
    assert!(
        prefix
            .join(format!("usr/{TUPLE}/etc/portage/make.conf"))
            .exists()
    );
    assert!(prefix.join("new/cross.cmake").exists());
    let state = prefix.join(format!("var/lib/crossmerge/{TUPLE}"));
    assert!(state.is_dir(), "no config.site");
}

#[test]
fn a_copied_libc_is_readable_by_all_and_writable_by_root_only() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/sdk.sh");
    let prefix = Prefix::new();
    let sdk = prefix.join("sdk").display().to_string();
    prefix.command("/bin/sh", [script, &sdk]).success();
    // A careless vendor's package.
    prefix
        .command("chmod", ["-R", "a+rwX", "sdk/arm-linux-gnueabi"])
        .success();
    prefix
        .command("chmod", ["4775", "sdk/arm-linux-gnueabi/lib/libc.so.6"])
        .success();
    let prepare = || {
        let fresh = Prefix::new();
        fresh.command("chmod", ["755", "bin"]).success();
        fresh
    };
    let script = format!(
        "crossmerge init {TUPLE} --toolchain {sdk}/bin/arm-linux-gnueabi- --with-libc 2> /dev/null"
    );
    let made = same_under_all(prepare, &script);
    is_readable_by_all(&made.join("usr"));
    let libc = made.join(format!("usr/{TUPLE}/usr/lib/libc.so.6"));
    let mode = std::os::unix::fs::MetadataExt::mode(&libc.metadata().expect("a file"));
    assert_eq!(mode & 0o111, 0o111);
}

#[test]
fn make_install_writes_the_same_under_every_umask() {
    let script = format!(
        "make -s -C {} CARGO=true binary={CROSSMERGE} docs=$PWD/docs DESTDIR=$PWD/dest TARGETS={TUPLE} install > /dev/null",
        env!("CARGO_MANIFEST_DIR"),
    );
    let prepare = || {
        let prefix = Prefix::new();
        crate::docs::make("2026-01-31", &prefix.join("docs")).expect("pages and completions");
        prefix
    };
    let prefix = same_under_all(prepare, &script);
    is_readable_by_all(&prefix.join("dest"));
    assert!(prefix.join("dest/usr/local/bin").is_dir());
}
