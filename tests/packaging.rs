//! The ebuilds: the real Portage merges the release's from this very tree, beside crossdev's package, and unmerges it again.
//!
//! Gentoo's repository is not here: `tests/data/gentoo` stands in for what the ebuilds take from it. The crates are those of the
//! Manifest, whose digests Portage checks.

use crate::support::{Prefix, Said, names_in, prepared};
use std::{
    collections::BTreeSet,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

const SOURCE: &str = env!("CARGO_MANIFEST_DIR");
const PACKAGE: &str = "packaging/gentoo/dev-util/crossmerge";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

fn text(path: &str) -> String {
    let path = Path::new(SOURCE).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn ebuild() -> String {
    text(&format!("{PACKAGE}/crossmerge-{VERSION}.ebuild"))
}

/// The value of a variable that an ebuild sets once, or adds to.
fn value(ebuild: &str, assignment: &str) -> String {
    let (_, rest) = ebuild
        .split_once(&format!("\n{assignment}\""))
        .unwrap_or_else(|| panic!("no {assignment}"));
    rest.split_once('"').expect("a closing quote").0.to_owned()
}

/// The crates of Cargo.lock, as `name@version`.
fn locked() -> BTreeSet<String> {
    let lock: toml::Table = text("Cargo.lock").parse().expect("TOML");
    let packages = lock["package"].as_array().expect("packages").iter();
    let crates = packages.filter(|package| package.get("source").is_some());
    let name = |package: &toml::Value, key: &str| package[key].as_str().expect("text").to_owned();
    crates
        .map(|package| format!("{}@{}", name(package, "name"), name(package, "version")))
        .collect()
}

#[test]
fn the_ebuilds_name_what_cargo_names() {
    let ebuild = ebuild();
    let update = "run packaging/gentoo/update";
    assert_eq!(
        ebuild,
        text(&format!("{PACKAGE}/crossmerge-9999.ebuild")),
        "{update}"
    );
    let crates: BTreeSet<String> = value(&ebuild, "CRATES=")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    assert_eq!(crates, locked(), "{update}");
    let rust = format!("{}.0", env!("CARGO_PKG_RUST_VERSION"));
    assert_eq!(value(&ebuild, "RUST_MIN_VER="), rust, "{update}");
    let manifest = text(&format!("{PACKAGE}/Manifest"));
    for name in crates {
        let line = format!("DIST {}.crate ", name.replacen('@', "-", 1));
        assert!(
            manifest.lines().any(|said| said.starts_with(&line)),
            "no {line} in the Manifest: {update}"
        );
    }
}

#[test]
fn the_license_is_that_of_every_crate() {
    let ours = value(&ebuild(), "LICENSE+=");
    let ours: BTreeSet<&str> = ours.split_whitespace().collect();
    let args = [
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--manifest-path",
    ];
    let manifest = format!("{SOURCE}/Cargo.toml");
    let mut prefix = Prefix::new();
    prefix.set("CARGO_HOME", prepared("cargo-home"));
    prefix.set("PATH", format!("{}:/usr/bin:/bin", toolchain().display()));
    let said = prefix
        .command(
            env!("CARGO"),
            args.iter().copied().chain([manifest.as_str()]),
        )
        .success();
    let metadata: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let mut needed = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let (name, license) = (
            &package["name"],
            package["license"].as_str().expect("a license"),
        );
        // The crates of the workspace have no source. Their license is that of crossmerge itself.
        if package["source"].is_null() {
            continue;
        }
        // Each part behind AND has to be met; of those between OR, one.
        for part in license.replace(['(', ')'], "").split(" AND ") {
            let mut any = part.split(" OR ").flat_map(|one| one.split('/'));
            let met = any.find(|one| ours.contains(one.trim()));
            needed.insert(
                met.unwrap_or_else(|| panic!("{name}: {part} is not in LICENSE"))
                    .trim()
                    .to_owned(),
            );
        }
    }
    let needed: BTreeSet<&str> = needed.iter().map(String::as_str).collect();
    assert_eq!(needed, ours, "LICENSE names one that no crate has");
}

/// The directory of cargo and rustc themselves: rustup's would look for them in the home that an ebuild does not have.
fn toolchain() -> PathBuf {
    Path::new(env!("CARGO"))
        .parent()
        .expect("a directory")
        .into()
}

/// A machine with the repositories and the files that an ebuild fetches; the release is packed from this tree as it is.
fn machine() -> Prefix {
    let mut prefix = Prefix::with_portage();
    prefix.put_first_in_path(&[toolchain().to_str().expect("UTF-8")]);
    let distfiles = prefix.join("distfiles");
    std::fs::create_dir(&distfiles).expect("a directory");
    let registry = prepared("cargo-home/registry/cache");
    for name in locked() {
        let file = format!("{}.crate", name.replacen('@', "-", 1));
        let directories = std::fs::read_dir(&registry).expect("registries");
        let mut places =
            directories.map(|directory| directory.expect("a directory").path().join(&file));
        let place = places.find(|place| place.exists());
        let place = place.unwrap_or_else(|| panic!("no {file}: run tests/setup"));
        symlink(place, distfiles.join(file)).expect("a link");
    }
    crate::docs::make("2026-01-31", &prefix.join("docs")).expect("pages and completions");
    // As `make dist` makes it, of the files as they are now.
    let script = "set -e; cd \"$1\"; into=$4/crossmerge-$2; mkdir \"$into\"; cp -r packaging/gentoo \"$4/repository\"; \
                  git ls-files -z --cached --others --exclude-standard | \
                  tar -c --null --files-from=- --ignore-failed-read | tar -x -C \"$into\"; \
                  cp -r \"$4/docs\" \"$into/premade\"; tar -c -C \"$4\" \"crossmerge-$2\" | xz -0 > \"$3/crossmerge-$2.tar.xz\"";
    let (distfiles, place) = (
        distfiles.display().to_string(),
        prefix.path().display().to_string(),
    );
    let args = ["-c", script, "sh", SOURCE, VERSION, &distfiles, &place];
    prefix.command("/bin/sh", args).success();
    prefix.append(
        "etc/portage/repos.conf",
        &format!(
            "\n[gentoo]\nlocation = {SOURCE}/tests/data/gentoo\n\n[crossmerge]\nlocation = {}\n",
            prefix.join("repository").display()
        ),
    );
    // Quickly instead of well: one build of the crates serves every run.
    prefix.append(
        "etc/portage/make.conf",
        &format!(
            "DISTDIR=\"{distfiles}\"\nACCEPT_KEYWORDS=\"~amd64 ~arm64\"\nACCEPT_LICENSE=\"*\"\n\
             FEATURES=\"collision-protect strict -buildpkg\"\nPORTAGE_TMPDIR=\"{}\"\nECARGO_REGISTRY_DIR=\"{}\"\n\
             CARGO_TARGET_DIR=\"{}/ebuild\"\nCARGO_PROFILE_RELEASE_LTO=\"off\"\nCARGO_PROFILE_RELEASE_OPT_LEVEL=\"0\"\n\
             CARGO_PROFILE_RELEASE_CODEGEN_UNITS=\"16\"\n",
            prefix.join("tmp").display(),
            prepared("cargo-home").display(),
            env!("CARGO_TARGET_TMPDIR"),
        ),
    );
    std::fs::create_dir(prefix.join("tmp")).expect("a directory");
    prefix
}

/// Runs `ebuild` on a version of ours.
fn ebuild_does(prefix: &Prefix, version: &str, phases: &[&str]) -> Said {
    let ebuild = prefix.join(format!(
        "repository/dev-util/crossmerge/crossmerge-{version}.ebuild"
    ));
    let args = [ebuild.to_str().expect("UTF-8")];
    prefix.command("/usr/bin/env", ["ebuild"].iter().chain(&args).chain(phases))
}

fn emerge(prefix: &Prefix, args: &[&str]) -> Said {
    prefix.command(
        "/usr/bin/env",
        ["emerge", "--color=n", "--nospinner", "--quiet"]
            .iter()
            .chain(args),
    )
}

#[test]
fn portage_merges_the_release_beside_crossdev_and_unmerging_it_gives_everything_back() {
    let prefix = machine();
    ebuild_does(&prefix, VERSION, &["manifest"]).success();
    emerge(&prefix, &["--oneshot", "dev-util/crossmerge"]).success();
    let bin = |name: &str| prefix.join("usr/bin").join(name);
    let said = prefix.command(bin("crossmerge"), ["--version"]).success();
    assert_eq!(said.stdout, format!("crossmerge {VERSION}\n"));
    assert_eq!(
        prefix.read_link("usr/bin/cross-equery"),
        Path::new("crossmerge")
    );
    // crossdev's names are crossdev's.
    let said = prefix.command(bin("emerge-wrapper"), ["--help"]).success();
    assert_eq!(said.stdout, "emerge-wrapper of crossdev\n");
    let said = emerge(
        &prefix,
        &["--pretend", "--verbose", "=dev-util/crossmerge-9999"],
    );
    assert_ne!(
        said.code,
        Some(0),
        "a live ebuild has no keywords: {said:#?}"
    );
    let without = prefix.with("USE", "-crossdev");
    let said = emerge(&without, &["--pretend", "dev-util/crossmerge"]);
    assert!(
        said.stdout
            .contains("sys-devel/crossdev (\"sys-devel/crossdev\" is soft blocking"),
        "{said:#?}"
    );

    // The prefix of the machine's Portage is built in, and the program finds a target of crossdev's there.
    let own = prefix.without("PORTAGE_OVERRIDE_EPREFIX");
    prefix.write(
        &format!("usr/{TUPLE}/etc/portage/make.conf"),
        &format!("CHOST={TUPLE}\n"),
    );
    symlink("cross-emerge", bin(&format!("{TUPLE}-emerge"))).expect("a link");
    own.command(bin("crossmerge"), ["adopt"]).success();
    assert!(
        prefix
            .join("usr/share/man/man1")
            .read_dir()
            .expect("pages")
            .count()
            > 3
    );
    let help = own
        .command(bin(&format!("{TUPLE}-chroot")), ["--help"])
        .success();
    assert!(help.stdout.contains(TUPLE), "{help:#?}");
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{TUPLE}-emerge")),
        Path::new("crossmerge")
    );

    emerge(&prefix, &["--unmerge", "dev-util/crossmerge"]).success();
    assert_eq!(
        prefix.read_link(&format!("usr/bin/{TUPLE}-emerge")),
        Path::new("cross-emerge")
    );
    let left = names_in(prefix.join("usr/bin"));
    let emerge_link = format!("{TUPLE}-emerge");
    let crossdevs = [
        "cross-ebuild",
        "cross-emerge",
        "cross-fix-root",
        "cross-pkg-config",
        "emerge-wrapper",
        &emerge_link,
    ];
    assert_eq!(left, crossdevs.map(str::to_owned).into());
    for gone in [
        "usr/share/doc",
        "usr/share/man",
        "usr/share/fish",
        "var/lib/crossmerge/adopted.toml",
    ] {
        assert!(!prefix.join(gone).exists(), "{gone}");
    }
}

#[test]
fn the_live_ebuild_takes_the_tree_that_it_is_told_of() {
    let prefix = machine();
    let said = ebuild_does(&prefix, "9999", &["unpack"]);
    assert!(
        said.code != Some(0) && (said.stdout + &said.stderr).contains("CROSSMERGE_REPO is not set")
    );
    prefix.append(
        "etc/portage/make.conf",
        &format!("CROSSMERGE_REPO=\"file://{SOURCE}\"\n"),
    );
    ebuild_does(&prefix, "9999", &["clean", "unpack"]).success();
    let work = "tmp/portage/dev-util/crossmerge-9999/work";
    assert!(
        prefix
            .join(format!("{work}/crossmerge-9999/Cargo.lock"))
            .exists()
    );
    assert!(
        prefix
            .join(format!("{work}/cargo_home/gentoo"))
            .read_dir()
            .expect("crates")
            .count()
            > 80
    );
}
