//! Portage profiles for a target: which there are, what each says, and which fits best.
//!
//! The names come from `profiles.desc` of every repository; what a profile says (ARCH, ELIBC, KERNEL, CHOST) is asked
//! of Portage's own rules, with the profile set in a configuration of its own. `init` links the one chosen.

use crate::{
    context::{Context, ContextError},
    env,
    file::{self, read},
    portage::{Repositories, Repository, refusal::Refusal},
    target::{Source, Target},
    tuple::Tuple,
};
use std::{
    cmp::Reverse,
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// The profile that crossdev links: it knows no CPU, so ARCH, KERNEL and ELIBC are set beside it.
pub const EMBEDDED: &str = "embedded";

/// How far a repository has come with a profile, best first. Source: profiles.desc(5), GLEP 72.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Checked, and kept in order.
    Stable,
    /// Checked, with warnings only.
    Dev,
    /// Experimental.
    Exp,
    /// A word that is none of these, or no line in profiles.desc at all.
    Unknown,
}

/// One profile of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name: the path below `profiles`, behind `repository:` when that is not the main one.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its status.
    pub status: Status,
    /// What it says.
    pub says: Says,
}

/// What a profile says of the machines it is for. A variable that it does not set is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// ARCH.
    pub arch: String,
    /// ELIBC.
    pub elibc: String,
    /// KERNEL.
    pub kernel: String,
    /// CHOST.
    pub chost: String,
    /// Why Portage ignores the profile, if it does: a parent that is not there, say.
    pub ignored: Option<Refusal>,
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A look at the system failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No profile has that name or number.
    #[error("`{name}` is no profile for `{tuple}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The tuple.
        tuple: Tuple,
    },
    /// make.profile leads nowhere.
    #[error("`{0}` has no profile: its make.profile leads nowhere")]
    None(Tuple),
    /// There is no Portage whose profiles these would be.
    #[error("there is no Portage here, so there are no profiles")]
    NoPortage,
}

impl ProfileError {
    /// How to go on.
    pub fn hint(&self) -> String {
        match self {
            Self::Context(e) => e.hint(),
            Self::Io(e) => file::hint(e).unwrap_or_else(|| "look at its permissions".into()),
            Self::Unknown { tuple, .. } => {
                format!("`crossmerge profile list {tuple}` shows those there are")
            }
            Self::None(tuple) => {
                format!("`crossmerge profile set {tuple} auto` links the best that fits")
            }
            Self::NoPortage => "install sys-apps/portage, or use the toolchain without it".into(),
        }
    }
}

impl Status {
    fn of(word: &str) -> Self {
        match word {
            "stable" => Self::Stable,
            "dev" => Self::Dev,
            "exp" => Self::Exp,
            _ => Self::Unknown,
        }
    }

    /// The word for it in profiles.desc.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Dev => "dev",
            Self::Exp => "exp",
            Self::Unknown => "-",
        }
    }
}

/// The profiles of the target's ARCH and libc, from every repository, in the order of the files; then `embedded`.
pub fn list(
    context: &Context,
    target: &Target,
    repositories: &Repositories,
) -> Result<Vec<Profile>, ProfileError> {
    let mut profiles = Vec::new();
    for repository in &repositories.all {
        let file = repository.location.join("profiles/profiles.desc");
        let text = match read::read_to_string(&file, read::SETTINGS) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let [arch, path, status] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                continue;
            };
            let folder = repository.location.join("profiles").join(path);
            if arch == target.arch && folder.is_dir() {
                let name = name(repositories, repository, path);
                let says = says(context, repositories, &folder)?;
                if let Some(why) = &says.ignored {
                    crate::say(&format!("the profile `{name}` is left out: {why}"));
                } else if target.elibc.is_none_or(|elibc| elibc == says.elibc) {
                    let status = Status::of(status);
                    profiles.push(Profile {
                        name,
                        folder,
                        status,
                        says,
                    });
                }
            }
        }
    }
    if let Some(main) = repositories.main() {
        profiles.extend(embedded(context, repositories, main)?);
    }
    Ok(profiles)
}

/// The `embedded` profile of the main repository; none where that has no such folder.
pub fn embedded(
    context: &Context,
    repositories: &Repositories,
    main: &Repository,
) -> Result<Option<Profile>, ProfileError> {
    let folder = main.location.join("profiles").join(EMBEDDED);
    if !folder.is_dir() {
        return Ok(None);
    }
    Ok(Some(Profile {
        name: EMBEDDED.into(),
        status: Status::Unknown,
        says: says(context, repositories, &folder)?,
        folder,
    }))
}

/// Finds a profile by what a person types: its name, or its number in the list, from 1.
pub fn find(profiles: &[Profile], typed: &str, tuple: &Tuple) -> Result<Profile, ProfileError> {
    let by_number = || profiles.get(typed.parse::<usize>().ok()?.checked_sub(1)?);
    let by_name = profiles.iter().find(|profile| profile.name == typed);
    by_name
        .or_else(by_number)
        .cloned()
        .ok_or_else(|| ProfileError::Unknown {
            name: typed.into(),
            tuple: tuple.clone(),
        })
}

/// The profile that fits best: usr as the sysroot has it, the newest release, the very CPU, the better status, a CHOST
/// as near as can be, and then the plainest. One whose CHOST has another byte order, word size or float ABI does not
/// fit.
pub fn best<'a>(
    profiles: &'a [Profile],
    target: &Target,
    sources: &[Source],
    sysroot: &Path,
) -> Option<&'a Profile> {
    let merged = is_merged(sysroot);
    let fits = |profile: &&Profile| {
        profile.name != EMBEDDED
            && of_chost(&profile.says, sources).is_none_or(|theirs| {
                (theirs.endian, theirs.bits) == (target.endian, target.bits)
                    && float_abi(&theirs) == float_abi(target)
            })
    };
    profiles.iter().filter(fits).min_by_key(|profile| {
        let near = match of_chost(&profile.says, sources) {
            Some(theirs) if theirs.cpu == target.cpu => 0,
            Some(theirs) if theirs.cflags == target.cflags => 1,
            Some(_) => 2,
            None => 3,
        };
        let depth = profile.name.matches('/').count();
        let wrong_usr = has_merged_usr(&profile.name) != merged;
        let newest = Reverse(release(&profile.name));
        (
            wrong_usr,
            newest,
            near > 0,
            profile.status,
            near,
            depth,
            &profile.name,
        )
    })
}

/// The folder that `make.profile` leads to, whether or not it is in the list.
pub fn current(configroot: &Path) -> Option<PathBuf> {
    fs_err::canonicalize(configroot.join("etc/portage/make.profile")).ok()
}

/// Asks Portage's rules what a profile says, in a configuration that has nothing else in it.
pub fn says(
    context: &Context,
    repositories: &Repositories,
    folder: &Path,
) -> Result<Says, ProfileError> {
    let configuration = file::temporary()?;
    let etc = configuration.path().join("etc/portage");
    fs_err::create_dir_all(&etc)?;
    fs_err::write(etc.join("repos.conf"), repositories.to_text())?;
    symlink(folder, etc.join("make.profile"))?;
    let names = ["ARCH", "ELIBC", "KERNEL", env::CHOST.name];
    let settings = context.settings_below(configuration.path(), &names)?;
    let settings = settings.ok_or(ProfileError::NoPortage)?;
    let say = |name: &str| settings.get(name).cloned().unwrap_or_default();
    // Of a profile that it ignores, Portage knows nothing.
    let is_silent = settings.values().all(String::is_empty);
    let why = || context.refusal_below(configuration.path(), &names);
    Ok(Says {
        ignored: is_silent.then(why).flatten(),
        arch: say("ARCH"),
        elibc: say("ELIBC"),
        kernel: say("KERNEL"),
        chost: say(env::CHOST.name),
    })
}

fn name(repositories: &Repositories, repository: &Repository, path: &str) -> String {
    match repositories.main() == Some(repository) {
        true => path.into(),
        false => format!("{}:{path}", repository.name),
    }
}

/// The facts of the tuple that a profile names as CHOST, when it names one that we know.
fn of_chost(says: &Says, sources: &[Source]) -> Option<Target> {
    Target::of(&says.chost.parse().ok()?, sources, "").ok()
}

/// The float ABI that a target's flags select; none where the CPU has but one.
fn float_abi(target: &Target) -> Option<&str> {
    target
        .cflags
        .split_whitespace()
        .find_map(|flag| flag.strip_prefix("-mfloat-abi="))
}

/// The release in a profile's name, as in `default/linux/arm/23.0/armv7a_hf`; none sorts before all.
fn release(name: &str) -> Option<(u32, u32)> {
    name.split('/').find_map(|part| {
        let (major, minor) = part.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

/// Gentoo's profiles have /usr merged since release 23.0, but for those called `split-usr`; before, only those called
/// `merged-usr`.
fn has_merged_usr(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    parts.contains(&"merged-usr")
        || !parts.contains(&"split-usr") && release(name).is_some_and(|release| release >= (23, 0))
}

/// Tells whether the sysroot has /usr merged, as an empty one will.
fn is_merged(sysroot: &Path) -> bool {
    !["bin", "lib"].iter().any(|folder| {
        sysroot
            .join(folder)
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, status: Status, chost: &str) -> Profile {
        let says = Says {
            chost: chost.into(),
            ..Says::default()
        };
        Profile {
            name: name.into(),
            folder: PathBuf::new(),
            status,
            says,
        }
    }

    #[test]
    fn the_best_profile_is_new_then_good_then_near_then_plain() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        let sysroot = tempfile::tempdir().expect("a folder");
        let (soft, hard) = (
            "armv4tl-softfloat-linux-gnueabi",
            "armv7a-unknown-linux-gnueabihf",
        );
        let all = [
            profile("embedded", Status::Unknown, ""),
            profile("default/linux/arm/17.0/armv4", Status::Stable, soft),
            profile("default/linux/arm/23.0/armv4/desktop", Status::Dev, soft),
            profile("default/linux/arm/23.0/armv4", Status::Dev, soft),
            profile("default/linux/arm/23.0/split-usr/armv4", Status::Dev, soft),
            profile("default/linux/arm/23.0/armv7a_hf", Status::Stable, hard),
            profile(
                "default/linux/arm/23.0/armv7a_hf/desktop",
                Status::Stable,
                hard,
            ),
            profile(
                "default/linux/arm/23.0/big",
                Status::Stable,
                "armeb-softfloat-linux-gnueabi",
            ),
            profile(
                "default/linux/arm/23.0/armv5te",
                Status::Dev,
                "armv5tel-softfloat-linux-gnueabi",
            ),
        ];
        let best = |tuple: &str| {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            best(&all, &target, &sources, sysroot.path()).map(|profile| profile.name.as_str())
        };
        assert_eq!(best(soft), Some("default/linux/arm/23.0/armv4"));
        assert_eq!(best(hard), Some("default/linux/arm/23.0/armv7a_hf"));
        assert_eq!(
            best("armv5tel-softfloat-linux-gnueabi"),
            Some("default/linux/arm/23.0/armv5te")
        );
        assert_eq!(best("aarch64_be-unknown-linux-gnu"), None);
        std::fs::create_dir(sysroot.path().join("lib")).expect("a folder");
        let target = Target::of(&soft.parse().expect(soft), &sources, "").expect(soft);
        let split = super::best(&all, &target, &sources, sysroot.path());
        assert_eq!(
            split.map(|p| p.name.as_str()),
            Some("default/linux/arm/23.0/split-usr/armv4")
        );
    }
}
