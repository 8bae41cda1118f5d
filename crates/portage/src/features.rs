//! The FEATURES that each version of Portage knows. `unknown-features-filter` removes all others.

use super::version::Version;

/// FEATURES that every version in [`Version::measured`] knows (`SUPPORTED_FEATURES` in `portage/const.py`).
const ALWAYS: [&str; 88] = [
    "assume-digests",
    "binpkg-docompress",
    "binpkg-dostrip",
    "binpkg-ignore-signature",
    "binpkg-logs",
    "binpkg-multi-instance",
    "binpkg-request-signature",
    "binpkg-signing",
    "buildpkg",
    "buildpkg-live",
    "buildsyspkg",
    "candy",
    "case-insensitive-fs",
    "ccache",
    "chflags",
    "clean-logs",
    "collision-protect",
    "compress-build-logs",
    "compress-index",
    "compressdebug",
    "config-protect-if-modified",
    "digest",
    "distcc",
    "distlocks",
    "downgrade-backup",
    "ebuild-locks",
    "fail-clean",
    "fakeroot",
    "fixlafiles",
    "force-mirror",
    "getbinpkg",
    "gpg-keepalive",
    "icecream",
    "installsources",
    "ipc-sandbox",
    "keeptemp",
    "keepwork",
    "lmirror",
    "merge-sync",
    "metadata-transfer",
    "mirror",
    "mount-sandbox",
    "multilib-strict",
    "network-sandbox",
    "network-sandbox-proxy",
    "news",
    "noauto",
    "noclean",
    "nodoc",
    "noinfo",
    "noman",
    "nostrip",
    "notitles",
    "parallel-fetch",
    "parallel-install",
    "pid-sandbox",
    "pkgdir-index-trusted",
    "preserve-libs",
    "protect-owned",
    "python-trace",
    "qa-unresolved-soname-deps",
    "sandbox",
    "selinux",
    "sesandbox",
    "sfperms",
    "sign",
    "skiprocheck",
    "split-elog",
    "split-log",
    "splitdebug",
    "strict",
    "strict-keepdir",
    "stricter",
    "suidctl",
    "test",
    "test-fail-continue",
    "unknown-features-filter",
    "unknown-features-warn",
    "unmerge-backup",
    "unmerge-logs",
    "unmerge-orphans",
    "unprivileged",
    "userfetch",
    "userpriv",
    "usersandbox",
    "usersync",
    "webrsync-gpg",
    "xattr",
];

/// FEATURES that only some versions know. The versions after a feature alternate: the first one that knows it, the
/// first one that no longer does, and so on. If the oldest version knows a feature, its list begins with
/// [`Version::OLDEST`].
const SOMETIMES: [(&str, &[Version]); 12] = [
    ("buildpkg-proactive", &[Version::of(80, 0)]),
    (
        "cgroup",
        &[Version::OLDEST, Version::of(50, 0), Version::of(82, 0)],
    ),
    ("dedupdebug", &[Version::of(62, 0)]),
    ("export-pms-vars", &[Version::of(68, 0), Version::of(70, 0)]),
    ("home-dir-template-copy", &[Version::of(67, 0)]),
    ("jobserver-token", &[Version::of(74, 0)]),
    ("merge-use-vdb", &[Version::of(83, 0)]),
    ("merge-wait", &[Version::of(62, 0)]),
    ("observability", &[Version::of(82, 0)]),
    ("packdebug", &[Version::of(74, 0)]),
    ("prelink-checksums", &[Version::OLDEST, Version::of(82, 0)]),
    ("warn-on-large-env", &[Version::of(45, 3)]),
];

/// Returns whether a version of Portage knows a feature.
pub(super) fn is_known(portage: Version, feature: &str) -> bool {
    let sometimes = || {
        let (_, turns) = SOMETIMES.iter().find(|(name, _)| *name == feature)?;
        Some(turns.iter().filter(|turn| portage >= **turn).count() % 2 == 1)
    };
    ALWAYS.binary_search(&feature).is_ok() || sometimes().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_known_between_their_versions() {
        for (feature, version, wanted) in [
            ("sandbox", "3.0.45", true),
            ("xattr", "3.0.83", true),
            ("assume-digests", "3.0.83", true),
            ("nonsense", "3.0.83", false),
            ("", "3.0.83", false),
            ("warn-on-large-env", "3.0.45.2", false),
            ("warn-on-large-env", "3.0.45.3", true),
            ("cgroup", "3.0.45", true),
            ("cgroup", "3.0.49", true),
            ("cgroup", "3.0.50", false),
            ("cgroup", "3.0.81.3", false),
            ("cgroup", "3.0.82", true),
            ("dedupdebug", "3.0.61", false),
            ("dedupdebug", "3.0.62", true),
            ("merge-wait", "3.0.61", false),
            ("merge-wait", "3.0.62", true),
            ("home-dir-template-copy", "3.0.66.1", false),
            ("home-dir-template-copy", "3.0.67", true),
            ("export-pms-vars", "3.0.67", false),
            ("export-pms-vars", "3.0.68", true),
            ("export-pms-vars", "3.0.69.3", true),
            ("export-pms-vars", "3.0.70", false),
            ("jobserver-token", "3.0.73", false),
            ("jobserver-token", "3.0.74", true),
            ("packdebug", "3.0.73", false),
            ("packdebug", "3.0.74", true),
            ("buildpkg-proactive", "3.0.79", false),
            ("buildpkg-proactive", "3.0.80", true),
            ("observability", "3.0.81.3", false),
            ("observability", "3.0.82", true),
            ("prelink-checksums", "3.0.81.3", true),
            ("prelink-checksums", "3.0.82", false),
            ("merge-use-vdb", "3.0.82.2", false),
            ("merge-use-vdb", "3.0.83", true),
        ] {
            let portage = version.parse().expect(version);
            assert_eq!(is_known(portage, feature), wanted, "{feature} {version}");
        }
    }

    #[test]
    fn the_features_are_in_order() {
        assert!(ALWAYS.is_sorted());
        assert!(SOMETIMES.is_sorted_by_key(|(name, _)| name));
        let twice = |(name, _): &(&str, _)| ALWAYS.contains(name);
        assert!(!SOMETIMES.iter().any(twice));
    }
}
