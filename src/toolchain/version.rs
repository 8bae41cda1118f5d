//! Which version of a part is wanted, and the lines of `package.accept_keywords` and `package.mask` that say so. Pure.

use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr};

/// The version of a live ebuild, which builds from the newest sources.
const LIVE: &str = "9999";

/// The operators of a version, the longer ones first.
const OPERATORS: [&str; 6] = [">=", "<=", ">", "<", "=", "~"];

/// The wanted version of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum WantedVersion {
    /// The newest version, tested or not.
    #[default]
    Latest,
    /// The newest version that is stable for the target's CPU.
    Stable,
    /// This version, or the newest older one.
    UpTo(String),
    /// The versions that this operator allows.
    Operator(String, String),
}

impl FromStr for WantedVersion {
    type Err = ();

    /// Parses `latest`, `stable`, a version, or an operator with a version. The version has the form of the Package
    /// Manager Specification (3.2).
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.trim_matches(['[', ']']) {
            "latest" => return Ok(Self::Latest),
            "stable" => return Ok(Self::Stable),
            _ => {}
        }
        let operator = OPERATORS.into_iter().find(|op| text.starts_with(op));
        let version = text.strip_prefix(operator.unwrap_or("")).unwrap_or(text);
        match (is_version(version), operator) {
            (false, _) => Err(()),
            (true, None) => Ok(Self::UpTo(version.into())),
            (true, Some(operator)) => Ok(Self::Operator(operator.into(), version.into())),
        }
    }
}

impl TryFrom<String> for WantedVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map_err(|()| format!("`{text}` is not a version"))
    }
}

impl From<WantedVersion> for String {
    fn from(version: WantedVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for WantedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("[latest]"),
            Self::Stable => f.write_str("[stable]"),
            Self::UpTo(version) => f.write_str(version),
            Self::Operator(operator, version) => write!(f, "{operator}{version}"),
        }
    }
}

/// Returns whether the text is a version: numbers, a letter, suffixes such as `_p1`, and a revision.
pub(crate) fn is_version(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (text, revision) = match text.rsplit_once("-r") {
        Some((text, revision)) => (text, revision),
        None => (text, "0"),
    };
    let mut parts = text.split('_');
    let numbers = parts.next().unwrap_or_default();
    let numbers = match numbers.strip_suffix(|c: char| c.is_ascii_lowercase()) {
        Some(numbers) => numbers,
        None => numbers,
    };
    digits(revision)
        && numbers.split('.').all(digits)
        && parts.all(|suffix| {
            let name = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
            ["alpha", "beta", "pre", "rc", "p"].contains(&name)
        })
}

/// Compares two versions by the algorithm of the Package Manager Specification (3.3). Both have the form of versions.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (Parsed::of(one), Parsed::of(other));
    let numbers = one.numbers.iter().zip(&other.numbers).enumerate();
    let numbers = numbers.map(|(place, (a, b))| {
        match place > 0 && (a.starts_with('0') || b.starts_with('0')) {
            // A component with a leading zero is a fraction.
            true => a.trim_end_matches('0').cmp(b.trim_end_matches('0')),
            false => integer(a, b),
        }
    });
    numbers
        .fold(Ordering::Equal, Ordering::then)
        .then(one.numbers.len().cmp(&other.numbers.len()))
        .then(one.letter.cmp(other.letter))
        .then_with(|| one.suffixes(&other))
        .then_with(|| integer(one.revision, other.revision))
}

/// Compares two numbers of any length.
fn integer(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// The parts of a version.
struct Parsed<'v> {
    numbers: Vec<&'v str>,
    letter: &'v str,
    suffixes: Vec<(usize, &'v str)>,
    revision: &'v str,
}

/// The suffixes in their order. A version without any is between `rc` and `p`.
const SUFFIXES: [&str; 6] = ["alpha", "beta", "pre", "rc", "", "p"];

/// The place of no suffix in [`SUFFIXES`].
const NO_SUFFIX: usize = 4;

impl<'v> Parsed<'v> {
    fn of(text: &'v str) -> Self {
        let (text, revision) = text.rsplit_once("-r").unwrap_or((text, "0"));
        let mut parts = text.split('_');
        let numbers = parts.next().unwrap_or_default();
        let end = numbers
            .trim_end_matches(|c: char| c.is_ascii_lowercase())
            .len();
        let (numbers, letter) = numbers.split_at(end);
        let suffix = |suffix: &'v str| {
            let end = suffix.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let (name, number) = suffix.split_at(end);
            let place = SUFFIXES.iter().position(|known| *known == name);
            (place.unwrap_or(NO_SUFFIX), number)
        };
        Self {
            numbers: numbers.split('.').collect(),
            letter,
            suffixes: parts.map(suffix).collect(),
            revision,
        }
    }

    fn suffixes(&self, other: &Self) -> Ordering {
        let most = self.suffixes.len().max(other.suffixes.len());
        let at = |version: &Self, place: usize| {
            let suffix = version.suffixes.get(place).copied();
            suffix.unwrap_or((NO_SUFFIX, ""))
        };
        let places = (0..most).map(|place| {
            let ((one, number), (other, than)) = (at(self, place), at(other, place));
            one.cmp(&other).then_with(|| integer(number, than))
        });
        places.fold(Ordering::Equal, Ordering::then)
    }
}

/// Returns the version without its revision.
fn without_revision(version: &str) -> &str {
    version
        .rsplit_once("-r")
        .map_or(version, |(version, _)| version)
}

impl WantedVersion {
    /// Returns whether an ebuild of this version with these keywords is allowed. Without known keywords, only the version
    /// decides.
    pub(crate) fn allows(&self, version: &str, keywords: Option<&str>, arch: &str) -> bool {
        let has = |wanted: &dyn Fn(&str) -> bool| {
            keywords.is_none_or(|keywords| keywords.split_whitespace().any(wanted))
        };
        let stable =
            |keyword: &str| keyword == arch || (arch == "*" && !keyword.starts_with(['~', '-']));
        match self {
            Self::Stable => has(&stable),
            Self::Latest => has(&|keyword| {
                let keyword = keyword.strip_prefix('~').unwrap_or(keyword);
                stable(keyword)
            }),
            Self::UpTo(wanted) => compare(version, wanted) != Ordering::Greater,
            Self::Operator(operator, wanted) => {
                let order = compare(version, wanted);
                let is_live = version == LIVE && wanted != LIVE;
                !is_live
                    && match operator.as_str() {
                        ">=" => order != Ordering::Less,
                        "<=" => order != Ordering::Greater,
                        ">" => order == Ordering::Greater,
                        "<" => order == Ordering::Less,
                        "=" => order == Ordering::Equal,
                        _ => without_revision(version) == without_revision(wanted),
                    }
            }
        }
    }

    /// Returns the lines for `package.accept_keywords`. `arch` is Portage's ARCH of the target, `host` that of the
    /// build machine.
    pub(crate) fn keywords(&self, atom: &str, arch: &str, host: &str) -> Vec<String> {
        let not_host = match arch == host {
            true => String::new(),
            false => format!(" -{host} -~{host}"),
        };
        match self {
            Self::Latest => vec![format!("{atom} {arch} ~{arch}{not_host}")],
            Self::Stable => vec![format!("{atom} {arch}{not_host}")],
            Self::UpTo(_) => vec![format!("{atom} * ~* **")],
            Self::Operator(operator, version) => vec![
                format!("{atom} -*"),
                format!("{operator}{atom}-{version} * ~* **"),
            ],
        }
    }

    /// Returns the line for `package.mask`.
    pub(crate) fn mask(&self, atom: &str) -> Option<String> {
        match self {
            Self::Latest | Self::Stable => None,
            Self::UpTo(version) => Some(format!(">{atom}-{version}")),
            Self::Operator(_, version) if version == LIVE => None,
            Self::Operator(..) => Some(format!(">={atom}-{LIVE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_the_package_manager_specification() {
        let ordered = [
            "1_alpha",
            "1_alpha2",
            "1_beta",
            "1_pre20240101",
            "1_rc1",
            "1",
            "1-r1",
            "1-r10",
            "1_p1",
            "1.01",
            "1.05",
            "1.1",
            "1.1b",
            "1.9",
            "1.10",
            "1.10.0",
            "2.41",
            "2.41-r3",
            "13.2.1_p20240113",
            "13.2.1_p20240210-r1",
            "9999",
        ];
        for (place, one) in ordered.iter().enumerate() {
            for (other, than) in ordered.iter().enumerate() {
                assert_eq!(compare(one, than), place.cmp(&other), "{one} {than}");
            }
        }
        assert_eq!(compare("1", "1-r0"), Ordering::Equal);
    }

    #[test]
    fn only_an_allowed_version_is_taken() {
        let wanted = |text: &str| text.parse::<WantedVersion>().expect("a version");
        for (text, version, keywords, arch, allowed) in [
            ("latest", "2.41", "~arm64 amd64", "arm64", true),
            ("latest", "9999", "", "arm64", false),
            ("latest", "2.41", "-* ~amd64", "arm64", false),
            ("stable", "2.41", "~arm64", "arm64", false),
            ("latest", "2.41", "~mips", "*", true),
            ("2.41", "2.41-r1", "", "arm64", false),
            ("2.41", "2.40-r1", "", "arm64", true),
            ("~2.41", "2.41-r7", "", "arm64", true),
            ("=2.41", "2.41-r7", "", "arm64", false),
            (">=2.41", "9999", "", "arm64", false),
            ("=9999", "9999", "", "arm64", true),
        ] {
            let is = wanted(text).allows(version, Some(keywords), arch);
            assert_eq!(is, allowed, "{text} {version} {keywords}");
        }
    }

    #[test]
    fn versions_are_those_of_the_package_manager_specification() {
        for good in [
            "1",
            "2.40",
            "2.41-r10",
            "13.2.1_p20240113-r1",
            "9999",
            "1.2b",
            "6.6_rc1",
            "3_alpha",
            ">=2.20",
            "<9",
            "~4.6.1",
            "=2.13.1-r3",
            "latest",
            "[stable]",
        ] {
            let parsed: Result<WantedVersion, ()> = good.parse();
            assert!(parsed.is_ok(), "{good}");
        }
        for bad in [
            "", "2.40 ", "2..4", "$(id)", "2-r", "2_q1", ">=", "=>2", "a", "2.4;3", "2.40\n",
        ] {
            let parsed: Result<WantedVersion, ()> = bad.parse();
            assert!(parsed.is_err(), "{bad}");
        }
    }
}
