//! `make install` and `make uninstall`: what they put where, and what they leave alone.

use crate::{
    init::tree,
    support::{CROSSMERGE, Prefix},
};

fn make(prefix: &Prefix, goal: &str, variables: &[&str]) -> crate::support::Said {
    let binary = format!("binary={CROSSMERGE}");
    // The program is built already: cargo has nothing to do.
    let fixed = [
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "--no-print-directory",
        "CARGO=true",
        &binary,
        goal,
    ];
    prefix.command("make", fixed.iter().chain(variables))
}

#[test]
fn install_makes_every_name_and_uninstall_takes_just_those() {
    let prefix = Prefix::new();
    let dest = prefix.join("dest");
    let destdir = format!("DESTDIR={}", dest.display());
    let variables = [
        destdir.as_str(),
        "EPREFIX=/e",
        "PREFIX=/e/usr",
        "TARGETS=avr s390x-ibm-linux-gnu",
    ];
    prefix.write("dest/e/usr/bin/emerge", "somebody else's\n");
    let before = tree(&dest);
    make(&prefix, "install", &variables).success();
    let bin = dest.join("e/usr/bin");
    for name in [
        "cross-emerge",
        "cross-ebuild",
        "emerge-wrapper",
        "emerge-avr",
        "avr-emerge",
        "s390x-ibm-linux-gnu-pkg-config",
    ] {
        let link = std::fs::read_link(bin.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(link.to_string_lossy(), "crossmerge");
    }
    assert!(dest.join("e/usr/share/doc/crossmerge/COPYING").exists());
    let said = prefix
        .command(bin.join("emerge-wrapper"), ["--help"])
        .success();
    assert!(said.stdout.contains("--target"));
    make(&prefix, "install", &variables).success();
    make(&prefix, "uninstall", &variables).success();
    let gone = |path: &&std::path::PathBuf| !path.is_dir() && !before.contains_key(*path);
    let after = tree(&dest);
    assert_eq!(after.keys().find(gone), None);
    assert_eq!(prefix.read("dest/e/usr/bin/emerge"), "somebody else's\n");
}

#[test]
fn install_does_not_overwrite_crossdevs_wrappers() {
    let prefix = Prefix::new();
    let destdir = format!("DESTDIR={}", prefix.join("dest").display());
    prefix.write("dest/usr/bin/emerge-wrapper", "crossdev's\n");
    let said = make(&prefix, "install", &[destdir.as_str(), "PREFIX=/usr"]);
    assert_ne!(said.code, Some(0));
    assert!(
        said.stderr
            .contains("emerge-wrapper is there and is not ours")
            && said.stderr.contains("hint: "),
        "{said:#?}"
    );
    assert_eq!(prefix.read("dest/usr/bin/emerge-wrapper"), "crossdev's\n");
}
