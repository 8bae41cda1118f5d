//! The profiles that apply, from the outermost parent to the user's own, and how the files of each are read.
//!
//! A profile is a directory. Its `parent` file lists the profiles it builds on, in order. A parent that is listed twice
//! applies twice.

use super::{
    error::SettingsError,
    layout::{eapi_named, formats_allow_directories},
    path::{self, join, normalise},
    repos_conf::Repos,
    text::{self, SettingsFiles},
};

/// One directory in the chain of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileDirectory {
    /// The directory.
    pub location: String,
    /// Whether its files may be directories of files.
    pub allows_directories: bool,
    /// Whether its `package.license` counts, like that of a user's configuration.
    pub sets_licenses: bool,
}

/// The maximum nesting of parents. A deeper one is taken for a cycle.
const DEEPEST: usize = 60;

/// The maximum number of profiles; Gentoo's longest chains have 60. If each of a dozen directories lists the same
/// parent twice, thousands apply.
const MOST: usize = 2000;

/// Finds the chain of profiles. It is empty if there is no make.profile.
pub(crate) fn read(
    files: &SettingsFiles,
    configroot: &str,
    repos: &Repos,
    known: &[String],
) -> Result<Vec<ProfileDirectory>, SettingsError> {
    let mut chain = Vec::new();
    // Portage looks for profile formats in every directory that PORTDIR ever named, even if it is not a repository.
    let mut others = Vec::new();
    for place in known {
        let place = match path::stat(place)? {
            Some(_) => path::resolve(place)?,
            None => place.clone(),
        };
        if !repos.iter().any(|repo| repo.location == place) {
            others.push(place);
        }
    }
    for path in ["etc/portage/make.profile", "etc/make.profile"] {
        let path = join(configroot, path);
        if let Some(location) = path::resolve_directory(&path)? {
            add(files, &location, repos, 0, &mut chain)?;
            break;
        }
    }
    for profile in &chain {
        if let Some(other) = others.iter().find(|other| below(&profile.location, other)) {
            return Err(SettingsError::file(
                &profile.location,
                format!("is in `{other}`, which was PORTDIR and is not a repository"),
            ));
        }
    }
    let own = join(configroot, "etc/portage/profile");
    if !chain.is_empty() && path::stat(&own)?.is_some() {
        chain.push(ProfileDirectory {
            location: own,
            allows_directories: true,
            sets_licenses: false,
        });
    }
    Ok(chain)
}

fn add(
    files: &SettingsFiles,
    location: &str,
    repos: &Repos,
    depth: usize,
    chain: &mut Vec<ProfileDirectory>,
) -> Result<(), SettingsError> {
    if depth > DEEPEST || chain.len() > MOST {
        return Err(SettingsError::file(location, "its parents form a cycle").into_final());
    }
    // Repositories may be nested: the profile belongs to the one with the longest path.
    let repo = repos
        .iter()
        .filter(|repo| below(location, &repo.location))
        .max_by_key(|repo| repo.location.len());
    let named = files.first_line(&join(location, "eapi"))?;
    let eapi = match (&named, repo) {
        (Some(eapi), _) => eapi,
        (None, Some(repo)) => repo.layout.eapi.as_str(),
        (None, None) => "0",
    };
    let known = eapi_named(files, eapi)?;
    if !known.is_supported {
        return Err(SettingsError::file(
            &join(location, "eapi"),
            format!("states the unknown EAPI `{eapi}`, so Portage ignores the profile"),
        ));
    }
    let formats = repo.map(|repo| &repo.layout.formats);
    let has = |format: &str| formats.is_some_and(|formats| formats.contains(format));

    let parent_file = join(location, "parent");
    if files.exists(&parent_file)? {
        let parents = text::entries(files, &parent_file, false)?;
        if parents.is_empty() {
            return Err(SettingsError::file(
                &parent_file,
                "is empty, so Portage ignores the profile",
            ));
        }
        for parent in parents {
            let is_absolute = parent.starts_with('/');
            let missing = || {
                SettingsError::file(
                    &parent_file,
                    format!("`{parent}` does not exist, so Portage ignores the profile"),
                )
            };
            let path = match parent.split_once(':') {
                Some((name, rest)) if !is_absolute && (repo.is_none() || has("portage-2")) => {
                    let owner = match name {
                        "" => repo,
                        name => repos.by(name),
                    };
                    let owner = owner.ok_or_else(missing)?;
                    join(&join(&owner.location, "profiles"), rest)
                }
                _ => join(location, &parent),
            };
            let mut path = normalise(&path);
            if is_absolute || !repo.is_some_and(|repo| below(&path, &repo.location)) {
                if path::stat(&path)?.is_none() {
                    return Err(missing());
                }
                path = path::resolve(&path)?;
            }
            if path::stat(&path)?.is_none() {
                return Err(missing());
            }
            add(files, &path, repos, depth + 1, chain)?;
        }
    }
    chain.push(ProfileDirectory {
        location: location.to_owned(),
        allows_directories: known.allows_directories
            || formats.is_none_or(formats_allow_directories),
        sets_licenses: has("profile-license"),
    });
    Ok(())
}

/// Returns whether a path is below a directory.
fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}
