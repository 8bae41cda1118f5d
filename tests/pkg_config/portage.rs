//! The applet in real ebuilds, run by the real Portage, in EAPIs with different environments, and with a profile's
//! library directory.

use super::{ARM, HEAD, package};
use crate::support::Prefix;

/// An ebuild that uses a package of the sysroot and a bundled one.
const EBUILD: &str = r#"EAPI=@EAPI@
DESCRIPTION="asks pkg-config"
HOMEPAGE="https://example.org"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="amd64 arm arm64"
S=${WORKDIR}
src_configure() {
	mkdir bundled || die
	printf 'Name: x\nDescription: x\nVersion: 1\nCflags: -DBUNDLED\n' > bundled/bundled.pc || die
	export PKG_CONFIG_PATH=${WORKDIR}/bundled
	echo "foo: $(${CHOST}-pkg-config --cflags --libs foo || die)"
	echo "bundled: $(${CHOST}-pkg-config --cflags bundled || die)"
	echo "exported:$(bash -c 'for name in WORKDIR ROOT EPREFIX SYSROOT ESYSROOT; do [ -z "${!name+x}" ] || printf " %s" $name; done')"
	if ${CHOST}-pkg-config --cflags leaky > leaked; then die "a leak passed"; fi
	[[ ! -s leaked ]] || die "a leak was printed"
}
"#;

#[test]
fn ebuilds_of_each_eapi_see_the_sysroot_and_their_own_build_directory() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", ARM]).success();
    let overlay = prefix.overlay("asking");
    prefix.own(["init", ARM]).success();
    let sysroot = prefix.join(format!("usr/{ARM}"));
    let directory = format!("usr/{ARM}/usr/lib/pkgconfig");
    package(
        &prefix,
        &format!("{directory}/foo.pc"),
        "Cflags: -I${includedir}/foo\nLibs: -lfoo",
    );
    package(
        &prefix,
        &format!("{directory}/leaky.pc"),
        "Cflags: -isystem/usr/include/leaky",
    );
    // EAPI 9 needs a newer bash than Debian has. This variable makes Portage export the environment of EAPI 9 in any
    // EAPI.
    let like_9 = prefix.with("PORTAGE_DO_NOT_EXPORT_PMS_VARS", "1");
    for (version, eapi, prefix) in [
        ("6", "6", &prefix),
        ("7", "7", &prefix),
        ("8", "8", &prefix),
        ("9", "8", &like_9),
    ] {
        let ebuild = format!("overlays/asking/app-misc/asks/asks-{version}.ebuild");
        prefix.write(&ebuild, &EBUILD.replace("@EAPI@", eapi));
        prefix.write("overlays/asking/profiles/categories", "app-misc\n");
        let path = overlay.join(format!("app-misc/asks/asks-{version}.ebuild"));
        let path = path.to_str().expect("UTF-8");
        let name = format!("{ARM}-ebuild");
        prefix.run(&name, [path, "manifest"]).success();
        let output = prefix
            .run(&name, [path, "clean", "configure"])
            .success()
            .stdout;
        let line = |begin: &str| {
            output
                .lines()
                .find_map(|line| line.strip_prefix(begin))
                .unwrap_or_else(|| panic!("EAPI {version}: {output}"))
        };
        assert_eq!(
            line("foo: ").trim(),
            format!("-I{}/usr/include/foo -lfoo", sysroot.display()),
            "EAPI {version}"
        );
        assert_eq!(line("bundled: ").trim(), "-DBUNDLED", "EAPI {version}");
        let exported = line("exported:").trim();
        let wanted = match version {
            "9" => "SYSROOT ESYSROOT",
            "6" => "WORKDIR ROOT EPREFIX SYSROOT",
            _ => "WORKDIR ROOT EPREFIX SYSROOT ESYSROOT",
        };
        assert_eq!(exported, wanted, "EAPI {version}");
    }
}

#[test]
fn without_a_libdir_in_the_environment_the_profiles_is_used() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", ARM]).success();
    let defaults = format!("usr/{ARM}/etc/portage/profile/make.defaults");
    prefix.append(
        &defaults,
        "DEFAULT_ABI=\"n64\"\nLIBDIR_n64=\"lib64\"\nLIBDIR_n32=\"lib32\"\n",
    );
    for libdir in ["lib", "lib32", "lib64"] {
        prefix.write(
            &format!("usr/{ARM}/usr/{libdir}/pkgconfig/where.pc"),
            &HEAD.replace("1.2", libdir),
        );
    }
    let name = format!("{ARM}-pkg-config");
    let output = prefix.run(&name, ["--modversion", "where"]).success();
    assert_eq!(output.stdout, "lib64\n");
    let output = prefix
        .with("ABI", "n32")
        .run(&name, ["--modversion", "where"])
        .success();
    assert_eq!(output.stdout, "lib32\n");
}
