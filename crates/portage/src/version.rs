//! The versions of Portage, and how they differ in reading settings.
//!
//! Every difference between the measured versions is one row of `CHANGES`. The other modules call [`Version::has`]
//! and contain no version numbers.

use std::{fmt, str::FromStr};

/// A released version of Portage: up to four numbers, such as `3.0.66.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u32; 4]);

/// A behaviour of Portage that began or ended with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChange {
    /// A repository whose owner has no user name is `volatile`. Earlier versions fail.
    NamelessOwner,
    /// NO_COLOR is converted to lower case, like NOCOLOR.
    NoColor,
    /// `sync-git-verify-max-age-days` is an option of git.
    GitMaxAge,
    /// The name of a section in repos.conf may be an alias of its repository.
    AliasSections,
    /// The files of a profile with an unknown EAPI must be files. In earlier versions they may be directories.
    UnknownEapiHasFiles,
    /// PORTAGE_USERNAME and PORTAGE_GRPNAME default to `portage`. In earlier versions they are empty.
    DefaultUser,
    /// `sync-openpgp-key-refresh` has values other than yes and no.
    KeyRefreshKinds,
    /// PORTAGE_REPOSITORIES contains the value of `sync-openpgp-key-refresh`. Earlier versions print `true` instead.
    KeyRefreshPrinted,
    /// The EAPI `9-pre1`.
    Eapi9Pre1,
    /// From EAPI 9 on, the EAPI of a repository's `profiles` applies to its profiles.
    TopLevelEapi,
    /// The format `profile-license`: profiles accept licences.
    ProfileLicense,
    /// The EAPI `9`.
    Eapi9,
    /// `usepkg-exclude`, `usepkg-include` and `sync-openpgp-key-package` in repos.conf.
    UsepkgLists,
    /// PORTAGE_REPOSITORIES contains `sync-hooks-only-on-change`.
    HooksOption,
    /// PRELINK_PATH and PRELINK_PATH_MASK are incremental. Only in versions before the change.
    Prelink,
    /// Comments of the form `##COMPAT==>N<==` may be read as lines. Only in versions before the change.
    CompatLines,
    /// PORTAGE_EBUILD_EXIT_FD and PORTAGE_IPC_ALIVE_FD cannot be set.
    BannedDescriptors,
}

/// The version of each change, oldest first; `false` for a behaviour that ended with it.
const CHANGES: [(VersionChange, Version, bool); 17] = [
    (VersionChange::NamelessOwner, Version::of(45, 3), true),
    (VersionChange::NoColor, Version::of(46, 0), true),
    (VersionChange::GitMaxAge, Version::of(56, 0), true),
    (VersionChange::AliasSections, Version::of(66, 0), true),
    (VersionChange::UnknownEapiHasFiles, Version::of(66, 0), true),
    (VersionChange::DefaultUser, Version::of(67, 0), true),
    (VersionChange::KeyRefreshKinds, Version::of(70, 0), true),
    (VersionChange::Eapi9Pre1, Version::of(72, 0), true),
    (VersionChange::TopLevelEapi, Version::of(72, 0), true),
    (VersionChange::ProfileLicense, Version::of(74, 0), true),
    (VersionChange::Eapi9, Version::of(76, 0), true),
    (VersionChange::UsepkgLists, Version::of(78, 0), true),
    (VersionChange::HooksOption, Version::of(81, 0), true),
    (VersionChange::KeyRefreshPrinted, Version::of(81, 0), true),
    (VersionChange::CompatLines, Version::of(81, 2), false),
    (VersionChange::Prelink, Version::of(82, 0), false),
    (VersionChange::BannedDescriptors, Version::of(83, 0), true),
];

/// Every version whose answers were compared with crossmerge's (docs/settings.md): the third number, and the fourth
/// numbers that were released for it.
const MEASURED: [(u32, &[u32]); 39] = [
    (45, &[0, 1, 2, 3]),
    (46, &[0]),
    (47, &[0]),
    (48, &[0, 1]),
    (49, &[0]),
    (50, &[0]),
    (51, &[0]),
    (52, &[0]),
    (53, &[0]),
    (54, &[0]),
    (55, &[0]),
    (56, &[0]),
    (57, &[0]),
    (58, &[0]),
    (59, &[0]),
    (60, &[0]),
    (61, &[0]),
    (62, &[0]),
    (63, &[0]),
    (64, &[0]),
    (65, &[0]),
    (66, &[0, 1]),
    (67, &[0]),
    (68, &[0]),
    (69, &[0, 1, 2, 3]),
    (70, &[0]),
    (71, &[0]),
    (72, &[0]),
    (73, &[0]),
    (74, &[0]),
    (75, &[0]),
    (76, &[0]),
    (77, &[0]),
    (78, &[0]),
    (79, &[0]),
    (80, &[0]),
    (81, &[0, 1, 2, 3]),
    (82, &[0, 1, 2]),
    (83, &[0]),
];

impl Version {
    /// The oldest measured version.
    pub(super) const OLDEST: Self = Self([3, 0, 45, 0]);
    /// The newest measured version.
    pub const NEWEST: Self = Self([3, 0, 83, 0]);

    /// Returns the version 3.0.`patch`, or 3.0.`patch`.`fix`.
    pub(super) const fn of(patch: u32, fix: u32) -> Self {
        Self([3, 0, patch, fix])
    }

    /// Returns the measured versions, oldest first: those whose answers were compared with crossmerge's.
    pub fn measured() -> impl Iterator<Item = Self> {
        MEASURED
            .iter()
            .flat_map(|(patch, fixes)| fixes.iter().map(|fix| Self::of(*patch, *fix)))
    }

    /// Returns the name of each change and the version that it came with.
    pub fn changes() -> impl Iterator<Item = (String, Self)> {
        CHANGES
            .iter()
            .map(|(change, at, _)| (format!("{change:?}"), *at))
    }

    /// Returns whether this version was measured.
    pub fn is_proven(self) -> bool {
        Self::measured().any(|known| known == self)
    }

    /// Returns whether this version of Portage has the behaviour.
    pub fn has(self, change: VersionChange) -> bool {
        CHANGES
            .iter()
            .any(|(known, at, begins)| *known == change && (self >= *at) == *begins)
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl FromStr for Version {
    type Err = ();

    /// Parses `3.0.83`. A snapshot such as `3.0.83_p12` or `HEAD` is an error, because it cannot be compared with
    /// releases.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = [0; 4];
        let parts: Vec<&str> = text.split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !(3..=4).contains(&parts.len()) || !parts.iter().all(is_number) {
            return Err(());
        }
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = part.parse().map_err(drop)?;
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, fix] = self.0;
        write!(f, "{major}.{minor}.{patch}")?;
        match fix {
            0 => Ok(()),
            fix => write!(f, ".{fix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect(text)
    }

    #[test]
    fn versions_are_read_and_ordered() {
        for text in ["3.0.45", "3.0.66.1", "3.0.83", "4.0.0"] {
            assert_eq!(version(text).to_string(), text);
        }
        for text in [
            "",
            "HEAD",
            "3.0",
            "3.0.82_p5",
            "3.0.x",
            "3.0.83+g1",
            "1.2.3.4.5",
            "3..1",
            "3.0.99999999999",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert!(version("3.0.66") < version("3.0.66.1"));
        assert!(version("3.0.66.1") < version("3.0.67"));
        assert!(version("3.0.9") < version("3.0.45"));
    }

    #[test]
    fn each_change_has_one_version_and_they_are_in_order() {
        let sorted = CHANGES.is_sorted_by_key(|(_, version, _)| *version);
        assert!(sorted);
        for (place, (change, at, begins)) in CHANGES.iter().enumerate() {
            assert!(
                CHANGES[..place].iter().all(|(other, ..)| other != change),
                "{change:?}"
            );
            assert_eq!(at.has(*change), *begins, "{change:?}");
            assert_ne!(Version::OLDEST.has(*change), *begins, "{change:?}");
            assert_eq!(Version::NEWEST.has(*change), *begins, "{change:?}");
        }
    }

    #[test]
    fn only_measured_versions_are_proven() {
        let all: Vec<Version> = Version::measured().collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        assert_eq!(all.first(), Some(&Version::OLDEST));
        assert_eq!(all.last(), Some(&Version::NEWEST));
        for (text, proven) in [
            ("3.0.44", false),
            ("3.0.45", true),
            ("3.0.45.4", false),
            ("3.0.69.3", true),
            ("3.0.69.4", false),
            ("3.0.83", true),
            ("3.0.83.1", false),
            ("3.0.84", false),
        ] {
            assert_eq!(version(text).is_proven(), proven, "{text}");
        }
    }
}
