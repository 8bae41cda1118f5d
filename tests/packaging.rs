//! The ebuilds: the real Portage merges the release from this source tree beside crossdev's package, and unmerges it
//! again.
//!
//! Gentoo's repository is not available here. `tests/data/gentoo` has stand-ins for the files that the ebuilds use.
//! The crates are those of the Manifest, whose digests Portage checks.

use crate::support::{Output, Prefix, names_in, prepared};
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

/// The value of a variable, and what the ebuild appends to it.
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
fn the_ebuilds_and_cargo_agree() {
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
            manifest.lines().any(|output| output.starts_with(&line)),
            "no {line} in the Manifest: {update}"
        );
    }
}

#[test]
fn the_license_covers_every_crate() {
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
    let output = prefix
        .command(
            env!("CARGO"),
            args.iter().copied().chain([manifest.as_str()]),
        )
        .success();
    let metadata: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
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
        // Every part between ANDs must be allowed. Of the alternatives between ORs, one must be.
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

/// The directory of the real cargo and rustc. rustup's would look for them in the home directory, which an ebuild
/// does not have.
fn toolchain() -> PathBuf {
    Path::new(env!("CARGO"))
        .parent()
        .expect("a directory")
        .into()
}

/// A host with the repositories and with the files that an ebuild fetches. The release is packed from this source
/// tree.
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
    // Packs the working tree as `make dist` packs a release.
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
    // A fast build instead of an optimised one. The crates are compiled once for all runs.
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

/// Runs `ebuild` with a version of crossmerge's ebuild.
fn ebuild_does(prefix: &Prefix, version: &str, phases: &[&str]) -> Output {
    let ebuild = prefix.join(format!(
        "repository/dev-util/crossmerge/crossmerge-{version}.ebuild"
    ));
    let args = [ebuild.to_str().expect("UTF-8")];
    prefix.command("/usr/bin/env", ["ebuild"].iter().chain(&args).chain(phases))
}

fn emerge(prefix: &Prefix, args: &[&str]) -> Output {
    prefix.command(
        "/usr/bin/env",
        ["emerge", "--color=n", "--nospinner", "--quiet"]
            .iter()
            .chain(args),
    )
}

#[test]
fn portage_merges_the_release_beside_crossdev_and_unmerges_it_completely() {
    let prefix = machine();
    ebuild_does(&prefix, VERSION, &["manifest"]).success();
    emerge(&prefix, &["--oneshot", "dev-util/crossmerge"]).success();
    let bin = |name: &str| prefix.join("usr/bin").join(name);
    let output = prefix.command(bin("crossmerge"), ["--version"]).success();
    assert_eq!(output.stdout, format!("crossmerge {VERSION}\n"));
    assert_eq!(
        prefix.read_link("usr/bin/cross-equery"),
        Path::new("crossmerge")
    );
    // crossdev's own names stay crossdev's.
    let output = prefix.command(bin("emerge-wrapper"), ["--help"]).success();
    assert_eq!(output.stdout, "emerge-wrapper of crossdev\n");
    let output = emerge(
        &prefix,
        &["--pretend", "--verbose", "=dev-util/crossmerge-9999"],
    );
    assert_ne!(
        output.code,
        Some(0),
        "a live ebuild has no keywords: {output:#?}"
    );
    let without = prefix.with("USE", "-crossdev");
    let output = emerge(&without, &["--pretend", "dev-util/crossmerge"]);
    assert!(
        output
            .stdout
            .contains("sys-devel/crossdev (\"sys-devel/crossdev\" is soft blocking"),
        "{output:#?}"
    );

    // The prefix of the host's Portage is compiled in, and the program finds crossdev's target there.
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
fn the_live_ebuild_uses_the_given_repository() {
    let prefix = machine();
    let output = ebuild_does(&prefix, "9999", &["unpack"]);
    assert!(
        output.code != Some(0)
            && (output.stdout + &output.stderr).contains("CROSSMERGE_REPO is not set")
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
