//! A repository's description of itself: `profiles/repo_name`, `profiles/eapi` and `metadata/layout.conf`.
//!
//! It decides how the repository's profiles are read: whether a file may be a directory, and whether a `parent` line
//! may name a repository.

use super::{
    error::SettingsError,
    path::join,
    text::{self, SettingsFiles, strip, words},
    version::VersionChange,
};
use std::collections::{BTreeMap, BTreeSet};

/// The EAPIs that Portage supports, each with whether a profile's file may be a directory. Not every version supports
/// the last two.
const EAPIS: [(&str, bool); 11] = [
    ("0", false),
    ("1", false),
    ("2", false),
    ("3", false),
    ("4", false),
    ("5", false),
    ("6", false),
    ("7", true),
    ("8", true),
    ("9", true),
    ("9-pre1", true),
];

/// EAPIs on which Portage fails although it lists them as supported, or that only some versions support.
const BROKEN_EAPIS: [&str; 8] = [
    "4-slot-abi",
    "3_pre1",
    "3_pre2",
    "4_pre1",
    "5_pre1",
    "5_pre2",
    "6_pre1",
    "7_pre1",
];

/// The profile formats that Portage knows. It ignores others.
const FORMATS: [&str; 9] = [
    "pms",
    "portage-1",
    "portage-2",
    "profile-bashrcs",
    "profile-set",
    "profile-default-eapi",
    "build-id",
    "profile-repo-deps",
    "profile-license",
];

/// A repository's description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepoLayout {
    /// The name, reduced to its valid characters. If the repository states none, it is made from the directory's name.
    pub name: String,
    /// Whether the repository states no name.
    pub is_nameless: bool,
    /// Whether `profiles/repo_name` is missing.
    pub lacks_name_file: bool,
    /// The masters in layout.conf.
    pub masters: Option<Vec<String>>,
    /// The aliases in layout.conf.
    pub aliases: Vec<String>,
    /// The EAPI of profiles that state none.
    pub eapi: String,
    /// The formats of its profiles.
    pub formats: BTreeSet<String>,
    /// Whether files directly in `profiles` may be directories.
    pub allows_directories: bool,
}

/// The properties of an EAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Eapi {
    /// Whether Portage supports it. Portage ignores profiles with an unsupported EAPI.
    pub is_supported: bool,
    /// Whether a profile's file may be a directory.
    pub allows_directories: bool,
}

/// Returns the properties of an EAPI.
pub(crate) fn eapi_named(files: &SettingsFiles, eapi: &str) -> Result<Eapi, SettingsError> {
    let known = |wanted: &str| {
        let is_new = |eapi: &str| match eapi {
            "9" => files.has(VersionChange::Eapi9),
            "9-pre1" => files.has(VersionChange::Eapi9Pre1),
            _ => true,
        };
        EAPIS
            .iter()
            .find(|(known, _)| *known == wanted && is_new(known))
    };
    let stripped = strip(eapi);
    match known(eapi) {
        Some((_, allows_directories)) => Ok(Eapi {
            is_supported: true,
            allows_directories: *allows_directories,
        }),
        None if known(stripped).is_some() || BROKEN_EAPIS.contains(&stripped) => Err(
            SettingsError::query(format!("Portage fails on the EAPI `{eapi}` of a profile")),
        ),
        None => Ok(Eapi {
            is_supported: false,
            allows_directories: !files.has(VersionChange::UnknownEapiHasFiles),
        }),
    }
}

/// Returns whether the formats let a profile's file be a directory.
pub(crate) fn formats_allow_directories(formats: &BTreeSet<String>) -> bool {
    ["portage-1-compat", "portage-1", "portage-2"]
        .iter()
        .any(|format| formats.contains(*format))
}

/// Returns the EAPI in the `eapi` file of a directory, if that file has exactly one line.
pub(crate) fn eapi_beside(
    files: &SettingsFiles,
    directory: &str,
) -> Result<Option<String>, SettingsError> {
    let file = join(directory, "eapi");
    if !files.is_file(&file)? {
        return Ok(None);
    }
    let lines = files.lines(&file)?;
    Ok(match lines.as_slice() {
        [line] => Some(line.clone()),
        _ => None,
    })
}

/// Makes a repository's name from any text; returns `None` if no character of it is valid.
pub(super) fn valid_name(name: &str) -> Result<Option<String>, SettingsError> {
    if !name.is_ascii() {
        return Err(SettingsError::query(format!(
            "the repository name `{name}` is not ASCII"
        )));
    }
    let blanked: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => ' ',
        })
        .collect();
    let joined = words(&blanked).collect::<Vec<_>>().join("-");
    let name = joined.trim_start_matches('-');
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

impl RepoLayout {
    /// Returns the description of a repository without a location.
    pub(crate) fn unknown(section: &str) -> Self {
        Self {
            name: section.to_owned(),
            is_nameless: true,
            lacks_name_file: true,
            masters: None,
            aliases: Vec::new(),
            eapi: "0".to_owned(),
            formats: BTreeSet::new(),
            allows_directories: false,
        }
    }

    /// Reads the description of the repository at a location. `section` is its section in repos.conf, if it has one.
    pub(crate) fn read(
        files: &SettingsFiles,
        location: &str,
        section: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let at = |file: &str| join(location, file);
        let from_directory = format!("x-{}", location.rsplit('/').next().unwrap_or_default());
        let repo_name = files.first_line(&at("profiles/repo_name"))?;
        let lacks_name_file = repo_name.is_none();
        let name = match valid_name(repo_name.as_deref().unwrap_or(&from_directory))? {
            Some(name) => match section {
                Some(section) if lacks_name_file => section.to_owned(),
                _ => name,
            },
            None if lacks_name_file && let Some(section) = section => section.to_owned(),
            None => valid_name(&from_directory)?.unwrap_or_default(),
        };

        let keys = key_values(files, &at("metadata/layout.conf"))?;
        let get = |key: &str| keys.get(key).map(String::as_str);
        let list = |value: &str| words(value).map(str::to_owned).collect::<Vec<_>>();
        let directory_eapi = eapi_beside(files, &at("profiles"))?;
        let by_eapi =
            |eapi: &str| Ok::<_, SettingsError>(eapi_named(files, eapi)?.allows_directories);
        let is_format = |format: &str| {
            FORMATS.contains(&format)
                && (format != "profile-license" || files.has(VersionChange::ProfileLicense))
        };
        let formats: BTreeSet<String> = match get("profile-formats") {
            Some(formats) => words(formats)
                .filter(|format| is_format(format))
                .map(str::to_owned)
                .collect(),
            None if by_eapi(directory_eapi.as_deref().unwrap_or("0"))? => {
                ["portage-1".to_owned()].into()
            }
            None => ["portage-1-compat".to_owned()].into(),
        };
        let default_eapi = match get("profile_eapi_when_unspecified") {
            Some(eapi) if formats.contains("profile-default-eapi") => {
                eapi_named(files, eapi)?.is_supported.then_some(eapi)
            }
            _ => None,
        };
        let eapi = match directory_eapi.as_deref() {
            // From EAPI 9 on, the EAPI of the `profiles` directory applies to every profile that states none.
            Some(eapi @ ("9" | "9-pre1")) if files.has(VersionChange::TopLevelEapi) => eapi,
            _ => default_eapi.unwrap_or("0"),
        };
        let own_name = valid_name(get("repo-name").unwrap_or_default())?;
        Ok(Self {
            is_nameless: lacks_name_file && own_name.is_none(),
            lacks_name_file,
            name: own_name.unwrap_or(name),
            masters: get("masters").map(list),
            aliases: get("aliases").map_or_else(Vec::new, list),
            allows_directories: by_eapi(directory_eapi.as_deref().unwrap_or(eapi))?
                || formats_allow_directories(&formats),
            eapi: eapi.to_owned(),
            formats,
        })
    }
}

/// Reads `key = value` lines. The last line of a key counts.
fn key_values(
    files: &SettingsFiles,
    file: &str,
) -> Result<BTreeMap<String, String>, SettingsError> {
    if files.is_dir(file) {
        return Err(SettingsError::file(file, "is a directory"));
    }
    Ok(pairs(&files.lines(file)?))
}

/// Parses the `key = value` pairs in lines.
pub(super) fn pairs(lines: &[String]) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for line in lines {
        let line = text::strip(line);
        if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
            && !strip(key).is_empty()
        {
            keys.insert(strip(key).to_owned(), strip(value).to_owned());
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid() {
        for (name, wanted) in [
            ("gentoo", Some("gentoo")),
            (" my repo! ", Some("my-repo")),
            ("--a", Some("a")),
            ("x-.hidden", Some("x--hidden")),
            ("?!", None),
        ] {
            assert_eq!(valid_name(name).expect(name).as_deref(), wanted, "{name}");
        }
        assert!(valid_name("dépôt").is_err());
    }

    #[test]
    fn an_eapi_on_which_portage_fails_is_an_error() {
        let named = |version: &str, eapi: &str| {
            let files = SettingsFiles::of(version.parse().expect(version));
            eapi_named(&files, eapi).map(|eapi| (eapi.is_supported, eapi.allows_directories))
        };
        for (version, eapi, wanted) in [
            ("3.0.83", "8", (true, true)),
            ("3.0.83", "6", (true, false)),
            ("3.0.83", "10", (false, false)),
            ("3.0.76", "9", (true, true)),
            ("3.0.75", "9", (false, false)),
            ("3.0.72", "9-pre1", (true, true)),
            ("3.0.71", "9-pre1", (false, false)),
            ("3.0.66", "10", (false, false)),
            ("3.0.65", "10", (false, true)),
        ] {
            assert_eq!(named(version, eapi), Ok(wanted), "{version} {eapi}");
        }
        for eapi in ["8 ", "7_pre1", "4-slot-abi"] {
            assert!(named("3.0.83", eapi).is_err(), "{eapi}");
        }
    }
}
