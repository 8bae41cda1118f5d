//! Which Portage is installed, and what its version changes in how settings are read.
//!
//! Every difference between the versions that were compared is one row of [`CHANGES`]; the rest of this module tree asks
//! [`Version::has`] and contains no version number.

use std::{fmt, str::FromStr};

/// A released version of Portage: up to four numbers, `3.0.66.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u32; 4]);

/// Something that Portage does since one version, or did until one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A repository whose owner has no name is `volatile`; before, Portage failed over it.
    NamelessOwner,
    /// NO_COLOR is made lower case, as NOCOLOR is.
    NoColor,
    /// What flags add to a USE_EXPAND variable is sorted; before, it came in any order.
    SortedExpansion,
    /// `sync-git-verify-max-age-days` is an option of git.
    GitMaxAge,
    /// A section of repos.conf may be called by an alias of its repository.
    AliasSections,
    /// The files of a profile with an EAPI that nobody knows are files; before, they could be directories.
    UnknownEapiHasFiles,
    /// PORTAGE_USERNAME and PORTAGE_GRPNAME are `portage` where nothing sets them; before, they were empty.
    DefaultUser,
    /// `sync-openpgp-key-refresh` has values besides yes and no.
    KeyRefreshKinds,
    /// The EAPI `9-pre1`.
    Eapi9Pre1,
    /// The EAPI of a repository's `profiles` is that of its profiles, from EAPI 9 on.
    TopLevelEapi,
    /// The format `profile-license`: profiles accept licences.
    ProfileLicense,
    /// The EAPI `9`.
    Eapi9,
    /// `usepkg-exclude`, `usepkg-include` and `sync-openpgp-key-package` in repos.conf.
    UsepkgLists,
    /// `sync-hooks-only-on-change` is told among the options of a repository.
    HooksOption,
    /// PRELINK_PATH and PRELINK_PATH_MASK are incremental, until this version.
    Prelink,
    /// Comments of the form `##COMPAT==>N<==` may be lines, until this version.
    CompatLines,
    /// PORTAGE_EBUILD_EXIT_FD and PORTAGE_IPC_ALIVE_FD cannot be set.
    BannedDescriptors,
}

/// When each change happened, oldest first; `false` for what ended with that version.
const CHANGES: [(Change, Version, bool); 17] = [
    (Change::NamelessOwner, Version([3, 0, 45, 3]), true),
    (Change::NoColor, Version([3, 0, 46, 0]), true),
    (Change::SortedExpansion, Version([3, 0, 53, 0]), true),
    (Change::GitMaxAge, Version([3, 0, 56, 0]), true),
    (Change::AliasSections, Version([3, 0, 66, 0]), true),
    (Change::UnknownEapiHasFiles, Version([3, 0, 66, 0]), true),
    (Change::DefaultUser, Version([3, 0, 67, 0]), true),
    (Change::KeyRefreshKinds, Version([3, 0, 70, 0]), true),
    (Change::Eapi9Pre1, Version([3, 0, 72, 0]), true),
    (Change::TopLevelEapi, Version([3, 0, 72, 0]), true),
    (Change::ProfileLicense, Version([3, 0, 74, 0]), true),
    (Change::Eapi9, Version([3, 0, 76, 0]), true),
    (Change::UsepkgLists, Version([3, 0, 78, 0]), true),
    (Change::HooksOption, Version([3, 0, 81, 0]), true),
    (Change::Prelink, Version([3, 0, 82, 0]), false),
    (Change::CompatLines, Version([3, 0, 82, 0]), false),
    (Change::BannedDescriptors, Version([3, 0, 83, 0]), true),
];

impl Version {
    /// The oldest version that was compared.
    pub const OLDEST: Self = Self([3, 0, 45, 0]);
    /// The newest version that was compared.
    pub const NEWEST: Self = Self([3, 0, 83, 0]);

    /// Tells whether this version lies between those that were compared with our reading.
    pub fn is_proven(self) -> bool {
        (Self::OLDEST..=Self::NEWEST).contains(&self)
    }

    /// Tells whether Portage of this version does so.
    pub(crate) fn has(self, change: Change) -> bool {
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

    /// Reads `3.0.83`. A snapshot such as `3.0.83_p12` or `HEAD` has no place among the releases.
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
    fn only_what_was_compared_is_proven() {
        for (text, proven) in [
            ("3.0.44", false),
            ("3.0.45", true),
            ("3.0.69.3", true),
            ("3.0.83", true),
            ("3.0.83.1", false),
            ("3.0.84", false),
        ] {
            assert_eq!(version(text).is_proven(), proven, "{text}");
        }
    }
}
