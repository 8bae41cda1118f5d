//! The profiles that apply, from the root parent to the user's own, and how the files of each are read.
//!
//! A profile is a directory; its `parent` file names those it builds on, in order. A parent that comes twice applies twice.

use super::{
    layout::{eapi_named, formats_allow_directories},
    path::{self, join, normalise},
    refusal::Refusal,
    repos_conf::Repos,
    text::{self, SettingsFiles},
};

/// One directory of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileDirectory {
    /// The directory.
    pub location: String,
    /// A file of it may be a directory of files.
    pub allows_directories: bool,
    /// It may set licences as a user's own configuration does.
    pub sets_licenses: bool,
}

/// Parents may have parents so often; more is a circle.
const DEEPEST: usize = 60;

/// How many profiles apply at the most; the longest chains of Gentoo's have 60. Where each names the same parent twice, a dozen
/// directories make thousands.
const MOST: usize = 2000;

/// Finds the chain of profiles; none when there is no make.profile.
pub(crate) fn read(
    files: &SettingsFiles,
    configroot: &str,
    repos: &Repos,
    known: &[String],
) -> Result<Vec<ProfileDirectory>, Refusal> {
    let mut chain = Vec::new();
    // Portage looks for the format of profiles in every place that PORTDIR ever named, repository or not.
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
        if path::is_dir(&path)? {
            let location = path::resolve(&path)?;
            add(files, &location, repos, 0, &mut chain)?;
            break;
        }
    }
    for profile in &chain {
        if let Some(other) = others.iter().find(|other| below(&profile.location, other)) {
            return Err(Refusal::file(
                &profile.location,
                format!("lies in `{other}`, which was PORTDIR and is no repository"),
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
) -> Result<(), Refusal> {
    if depth > DEEPEST || chain.len() > MOST {
        return Err(Refusal::file(location, "its parents make a circle").for_good());
    }
    // Repositories may lie in one another: the longest path is the profile's own.
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
        return Err(Refusal::file(
            &join(location, "eapi"),
            format!("names the EAPI `{eapi}`, and Portage ignores the profile"),
        ));
    }
    let formats = repo.map(|repo| &repo.layout.formats);
    let has = |format: &str| formats.is_some_and(|formats| formats.contains(format));

    let parent_file = join(location, "parent");
    if path::stat(&parent_file)?.is_some() {
        let parents = text::entries(files, &parent_file, false)?;
        if parents.is_empty() {
            return Err(Refusal::file(
                &parent_file,
                "is empty, and Portage ignores the profile",
            ));
        }
        for parent in parents {
            let is_absolute = parent.starts_with('/');
            let missing = || {
                Refusal::file(
                    &parent_file,
                    format!("there is no `{parent}`, and Portage ignores the profile"),
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

/// Returns whether a path lies below a directory.
fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}
