//! Portage inside a root: the demonstration's Portage merges a package with Debian's Python for ARM. It needs the
//! settings that the applet passes, and the host's repository and DISTDIR.

use super::{ARM, AS_NOBODY, Prefix, Rooted};
use std::os::unix::fs::MetadataExt;

/// An ebuild that records which machine and which user built it. `doins` would start one more Python, which QEMU runs
/// for seconds.
const EBUILD: &str = r#"EAPI=8
DESCRIPTION="records where it was built"
HOMEPAGE="https://example.org"
SRC_URI="https://example.org/source"
LICENSE="GPL-2"
SLOT="0"
KEYWORDS="arm"
S=${WORKDIR}
src_unpack() { cp "${DISTDIR}/source" . || die; }
src_compile() { { uname -m && id -un; } >> source || die; }
src_install() { mkdir -p "${ED}/usr/share/where" && cp source "${ED}/usr/share/where" || die; }
"#;

/// The settings that Gentoo's own profiles contain.
const DEFAULTS: &str = r#"ARCH="arm"
ACCEPT_KEYWORDS="arm"
CHOST="armv4tl-softfloat-linux-gnueabi"
"#;

/// A root with Portage, on a host that has the repository and the source.
fn with_portage() -> Rooted {
    let rooted = Rooted::within(Prefix::with_portage(), "portage", ARM);
    let prefix = &rooted.prefix;
    prefix.overlay("mine");
    for (path, text) in [
        ("metadata/layout.conf", "masters =\nuse-manifests = false\n"),
        ("profiles/arch.list", "arm\n"),
        ("profiles/categories", "app-misc\n"),
        ("profiles/arm/make.defaults", DEFAULTS),
        ("app-misc/where/where-1.ebuild", EBUILD),
    ] {
        prefix.write(&format!("overlays/mine/{path}"), text);
    }
    prefix.write("distfiles/source", "here\n");
    let distdir = format!("DISTDIR=\"{}\"\n", prefix.join("distfiles").display());
    prefix.append("etc/portage/make.conf", &distdir);
    rooted.write(
        "etc/portage/repos.conf",
        "[DEFAULT]\nmain-repo = mine\n\n[mine]\nlocation = /var/db/repos/mine\n",
    );
    std::os::unix::fs::symlink(
        "/var/db/repos/mine/profiles/arm",
        rooted.root().join("etc/portage/make.profile"),
    )
    .expect("a link");
    rooted
}

/// Merges the package. `builder` is the user as which Portage has to build.
fn merges(before: &[&str], owner: &str, builder: &str) {
    let rooted = with_portage();
    let prefix = &rooted.prefix;
    // Other tests share these files by hard links.
    rooted.give_to(owner);
    prefix
        .command("chown", ["-R", owner, "distfiles"])
        .success();
    let output = rooted
        .run(before, &["emerge", "--oneshot", "app-misc/where"])
        .success();
    assert!(
        output
            .stdout
            .contains(">>> Completed (1 of 1) app-misc/where-1::mine\n"),
        "{output:#?}"
    );
    let merged = "root/usr/share/where/source";
    assert_eq!(
        prefix.read(merged),
        format!("here\narmv7l\n{builder}\n"),
        "{output:#?}"
    );
    let contents = prefix.read("root/var/db/pkg/app-misc/where-1/CONTENTS");
    assert!(
        contents.contains("obj /usr/share/where/source "),
        "{contents}"
    );
    let metadata = prefix.join(merged).metadata().expect("it is there");
    assert_eq!(format!("{}:{}", metadata.uid(), metadata.gid()), owner);
}

#[test]
fn portage_merges_for_root_and_builds_as_its_own_user() {
    merges(&[], "0:0", "portage");
}

#[test]
fn portage_merges_for_an_ordinary_user_who_is_alone_inside() {
    merges(&AS_NOBODY, "65534:65534", "root");
}
