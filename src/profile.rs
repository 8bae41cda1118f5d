//! Portage profiles for a target: which exist, what each sets, and which fits best.
//!
//! The names come from `profiles.desc` of every repository. crossmerge reads the settings of a profile (ARCH, ELIBC,
//! KERNEL, CHOST) by Portage's rules, in a temporary configuration with this profile. `init` makes `make.profile` a
//! symlink to the chosen one.

use crate::{
    context::{Context, ContextError},
    distribution::Distribution,
    libraries,
    target::{Source, Target},
    terminal::Progress,
};
use crossmerge_plan::{
    env, passes_on,
    report::{self, Explain},
    tuple::Tuple,
};
use crossmerge_portage::{Repositories, Repository, error::SettingsError};
use crossmerge_system::file::{self, read};
use std::{
    cmp::Reverse,
    fs::DirBuilder,
    io,
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

/// The profile to which crossdev makes `make.profile` a symlink. It sets no CPU, so `init` writes ARCH, KERNEL and ELIBC
/// to the target's configuration.
pub const EMBEDDED: &str = "embedded";

/// The status of a profile in its repository, best first. Source: profiles.desc(5), GLEP 72.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileStatus {
    /// Checked; errors are fixed.
    Stable,
    /// Checked; errors are warnings only.
    Dev,
    /// Experimental.
    Exp,
    /// Another status, or no line in profiles.desc.
    Unknown,
}

/// A profile of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name: the path below `profiles`, after `repository:` if that is not the main one.
    pub name: String,
    /// Its directory.
    pub directory: PathBuf,
    /// Its status.
    pub status: ProfileStatus,
    /// Its settings.
    pub settings: ProfileSettings,
}

/// The settings of a profile that describe its target. A variable that it does not set is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileSettings {
    /// ARCH.
    pub arch: String,
    /// ELIBC.
    pub elibc: String,
    /// KERNEL.
    pub kernel: String,
    /// CHOST.
    pub chost: String,
    /// LIBDIR of the ABI in DEFAULT_ABI.
    pub libdir: String,
    /// The first component of each library directory of its ABIs, and `lib`: the library directories at the root.
    pub root_libdirs: Vec<String>,
    /// CFLAGS of the ABI in DEFAULT_ABI, with which a multilib ebuild compiles for it.
    pub abi_flags: String,
    /// Whether `/usr` is merged.
    pub usr: Option<Usr>,
    /// Whether the profile aborts each merge into a root whose `/usr` has the other layout.
    pub checks_usr: bool,
    /// The reason why Portage ignores the profile, such as a missing parent. `None` if it does not.
    pub ignored: Option<SettingsError>,
}

/// The layout of `bin`, `sbin` and `lib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usr {
    /// They are symlinks to directories of `usr`.
    Merged,
    /// They are directories separate from those of `usr`.
    Split,
}

impl Usr {
    /// Returns the layout of a root. Returns `None` if the root does not show one yet.
    pub fn of(root: &Path) -> Option<Self> {
        let kind = |name: &str| root.join(name).symlink_metadata().ok();
        match kind("bin") {
            Some(bin) if bin.is_symlink() => return Some(Self::Merged),
            Some(_) => return Some(Self::Split),
            None => {}
        }
        // A symlink `lib` does not show the layout: init makes one for the dynamic linker in any new sysroot.
        let is_directory = |name: &str| kind(name).is_some_and(|there| there.is_dir());
        let is_split = ["sbin", "lib", "lib64"].into_iter().any(is_directory);
        is_split.then_some(Self::Split)
    }

    /// Returns the layout that a profile is made for, or `None` if the profile does not show it.
    ///
    /// Gentoo's base profile forces the USE flag `split-usr`. Profiles with a merged `/usr`, and all since release
    /// 23.0, mask it, and set UNINSTALL_IGNORE so that Portage keeps the symlinks. Those called `split-usr` force it
    /// again. The path is checked first, as in Gentoo's profiles/releases/23.0/profile.bashrc.
    fn of_profile(path: &str, uses: &str, ignored: &str) -> Option<Self> {
        let has = |list: &str, word: &str| list.split_whitespace().any(|one| one == word);
        if path.contains("split-usr") || has(uses, "split-usr") {
            Some(Self::Split)
        } else if has_release_check(path) || path.contains("merged-usr") || has(ignored, "/bin") {
            Some(Self::Merged)
        } else {
            None
        }
    }

    /// Returns the name in Gentoo's profiles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged-usr",
            Self::Split => "split-usr",
        }
    }
}

/// Returns whether a profile aborts a merge into a root of the other layout: Gentoo's do since release 23.0. Source:
/// profiles/releases/23.0/profile.bashrc, which compares the path of make.profile.
fn has_release_check(path: &str) -> bool {
    path.contains("/23.0")
}

/// The reason why a profile does not fit a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The root has the other layout, and the profile aborts each merge into it.
    Usr {
        /// The layout of the root.
        root: Usr,
    },
    /// The profile is for a CHOST of another byte order, word size or float ABI.
    Chost,
    /// With the profile's flags, the compiler compiles for another ABI or cannot link.
    Abi,
    /// The tuple means another ABI, and there is no compiler to check.
    UsualAbi {
        /// The ABI that the tuple means.
        abi: String,
    },
}

/// The requirements on a profile.
#[derive(Clone, Copy)]
pub struct ProfileRequirements<'a> {
    /// The target.
    pub target: &'a Target,
    /// The CPU families.
    pub sources: &'a [Source],
    /// The layout of the root.
    pub usr: Option<Usr>,
    /// A function that returns whether the compiler compiles for the target's own ABI with these flags. It returns
    /// `None` if no compiler can link.
    pub makes: &'a dyn Fn(&str) -> Option<bool>,
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No profile has that name or number.
    #[error("`{name}` is not a profile for `{tuple}`")]
    Unknown {
        /// The name or number.
        name: String,
        /// The tuple.
        tuple: Tuple,
    },
    /// make.profile is missing or a dangling symlink.
    #[error("`{0}` has no profile: its make.profile is missing or a dangling symlink")]
    None(Tuple),
    /// Portage is not installed.
    #[error("Portage is not installed on the host, so there are no profiles")]
    NoPortage,
}

impl Explain for ProfileError {
    passes_on!(Context);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => file::hint(e).unwrap_or_else(|| "check its permissions".into()),
            Self::Unknown { tuple, .. } => {
                format!("`crossmerge profile list {tuple}` lists the profiles")
            }
            Self::None(tuple) => {
                format!("`crossmerge profile set {tuple} auto` links the one that fits best")
            }
            Self::NoPortage => Distribution::here().hint("portageq"),
            _ => return None,
        })
    }
}

impl ProfileStatus {
    fn of(word: &str) -> Self {
        match word {
            "stable" => Self::Stable,
            "dev" => Self::Dev,
            "exp" => Self::Exp,
            _ => Self::Unknown,
        }
    }

    /// Returns its word in profiles.desc.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Dev => "dev",
            Self::Exp => "exp",
            Self::Unknown => "-",
        }
    }
}

/// Returns the profiles of the target's ARCH and libc from every repository, in the order of the files; then
/// `embedded`.
pub fn list(
    context: &Context,
    target: &Target,
    repositories: &Repositories,
) -> Result<Vec<Profile>, ProfileError> {
    let mut lines = Vec::new();
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
            let directory = repository.location.join("profiles").join(path);
            if arch == target.arch && directory.is_dir() {
                lines.push((
                    name(repositories, repository, path),
                    directory,
                    ProfileStatus::of(status),
                ));
            }
        }
    }
    let mut profiles = Vec::new();
    let progress = Progress::of("reading profiles", lines.len());
    for (name, directory, status) in lines {
        let settings = settings(context, repositories, &directory)?;
        progress.step();
        if let Some(why) = &settings.ignored {
            report::note(&format!("the profile `{name}` is omitted: {why}"));
        } else if target.elibc.is_none_or(|elibc| elibc == settings.elibc) {
            profiles.push(Profile {
                name,
                directory,
                status,
                settings,
            });
        }
    }
    if let Some(main) = repositories.main() {
        profiles.extend(embedded(context, repositories, main)?);
    }
    Ok(profiles)
}

/// Returns the `embedded` profile of the main repository, or `None` if it does not exist.
pub fn embedded(
    context: &Context,
    repositories: &Repositories,
    main: &Repository,
) -> Result<Option<Profile>, ProfileError> {
    let directory = main.location.join("profiles").join(EMBEDDED);
    if !directory.is_dir() {
        return Ok(None);
    }
    Ok(Some(Profile {
        name: EMBEDDED.into(),
        status: ProfileStatus::Unknown,
        settings: settings(context, repositories, &directory)?,
        directory,
    }))
}

/// Finds a profile by its name, or by its number in the list, from 1.
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

impl ProfileRequirements<'_> {
    /// Returns the reason why a profile does not fit, if it does not.
    pub fn misfit(&self, profile: &Profile) -> Option<Misfit> {
        let Profile { settings, .. } = profile;
        if profile.name == EMBEDDED {
            return None;
        }
        let differs = |theirs: &Target| {
            (theirs.endian, theirs.bits) != (self.target.endian, self.target.bits)
                || float_abi(theirs) != float_abi(self.target)
        };
        if of_chost(settings, self.sources).is_some_and(|theirs| differs(&theirs)) {
            return Some(Misfit::Chost);
        }
        let named = option(&settings.abi_flags, "-mabi=");
        let usual = self.target.abi.as_deref();
        let usual = usual.or(option(&self.target.cflags, "-mabi="));
        let misfit = match ((self.makes)(&settings.abi_flags), named, usual) {
            (Some(true), ..) => None,
            (Some(false), ..) => Some(Misfit::Abi),
            (None, Some(named), Some(usual)) if named != usual => {
                let abi = usual.to_owned();
                Some(Misfit::UsualAbi { abi })
            }
            (None, ..) => None,
        };
        let of_root = self.usr.filter(|_| settings.checks_usr);
        let wrong = of_root.filter(|root| settings.usr.is_some_and(|usr| usr != *root));
        misfit.or(wrong.map(|root| Misfit::Usr { root }))
    }

    /// Returns the profile that fits best. In this order: the root's `/usr` layout, or merged if that is open; the
    /// newest release; the same CPU; the better status; the most similar CHOST; the shortest name.
    pub fn best<'p>(&self, profiles: &'p [Profile]) -> Option<&'p Profile> {
        let fits = |profile: &&Profile| profile.name != EMBEDDED && self.misfit(profile).is_none();
        profiles.iter().filter(fits).min_by_key(|profile| {
            let near = match of_chost(&profile.settings, self.sources) {
                Some(theirs) if theirs.cpu == self.target.cpu => 0,
                Some(theirs) if theirs.cflags == self.target.cflags => 1,
                Some(_) => 2,
                None => 3,
            };
            let depth = profile.name.matches('/').count();
            // A profile that does not show its layout is older than the merged one.
            let usr = profile.settings.usr.unwrap_or(Usr::Split);
            let wrong_usr = usr != self.usr.unwrap_or(Usr::Merged);
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
}

/// Returns the directory that `make.profile` points to, whether or not it is in the list.
pub fn current(configroot: &Path) -> Option<PathBuf> {
    fs_err::canonicalize(configroot.join("etc/portage/make.profile")).ok()
}

/// Reads the settings of a profile by Portage's rules, in a configuration that contains nothing else.
pub fn settings(
    context: &Context,
    repositories: &Repositories,
    directory: &Path,
) -> Result<ProfileSettings, ProfileError> {
    let configuration = file::temporary()?;
    let etc = configuration.path().join("etc/portage");
    // Under an open umask, other users could otherwise change it, and then none of its private files would be read.
    DirBuilder::new().recursive(true).mode(0o700).create(&etc)?;
    fs_err::write(etc.join("repos.conf"), repositories.to_text())?;
    symlink(directory, etc.join("make.profile"))?;
    let names = [
        "ARCH",
        "ELIBC",
        "KERNEL",
        env::CHOST.name,
        env::DEFAULT_ABI.name,
        "MULTILIB_ABIS",
        "USE",
        "UNINSTALL_IGNORE",
    ];
    let settings = context.settings_below(configuration.path(), &names)?;
    let settings = settings.ok_or(ProfileError::NoPortage)?;
    let setting = |name: &str| settings.get(name).cloned().unwrap_or_default();
    // If Portage ignores the profile, only the values of make.globals apply.
    let own = ["ARCH", "ELIBC", "KERNEL", env::CHOST.name];
    let is_empty = own.iter().all(|name| setting(name).is_empty());
    let why = || context.settings_error_below(configuration.path(), &names);
    let abi = setting(env::DEFAULT_ABI.name);
    let abi = if abi.is_empty() {
        "default".into()
    } else {
        abi
    };
    let all = setting("MULTILIB_ABIS");
    let libdir_of = |abi: &str| format!("LIBDIR_{abi}");
    let of_abi = [libdir_of(&abi), format!("CFLAGS_{abi}")];
    let mut of_abis: Vec<String> = all.split_whitespace().map(libdir_of).collect();
    of_abis.extend(of_abi.iter().cloned());
    let asked: Vec<&str> = of_abis.iter().map(String::as_str).collect();
    // Most users' own profiles set no ABI at all, and each call of portageq takes a second.
    let found = match is_empty || setting(env::DEFAULT_ABI.name).is_empty() && all.is_empty() {
        true => None,
        false => context.settings_below(configuration.path(), &asked)?,
    };
    let found = found.unwrap_or_default();
    let mut root_libdirs = vec!["lib".to_owned()];
    for name in of_abis.iter().filter(|name| name.starts_with("LIBDIR_")) {
        let libdir = found
            .get(name)
            .filter(|libdir| libraries::is_libdir(libdir));
        let first = libdir.and_then(|libdir| libdir.split('/').next());
        root_libdirs.extend(first.map(str::to_owned));
    }
    root_libdirs.sort();
    root_libdirs.dedup();
    let found = |name: &String| found.get(name).cloned().unwrap_or_default();
    // The path of make.profile decides, not the target of further symlinks.
    let linked = directory.ends_with("make.profile");
    let path = linked.then(|| fs_err::read_link(directory).ok()).flatten();
    let path = path.unwrap_or_else(|| directory.into());
    let path = path.to_string_lossy();
    Ok(ProfileSettings {
        libdir: found(&of_abi[0]),
        abi_flags: found(&of_abi[1]),
        root_libdirs,
        usr: Usr::of_profile(&path, &setting("USE"), &setting("UNINSTALL_IGNORE")),
        checks_usr: has_release_check(&path),
        ignored: is_empty.then(why).flatten(),
        arch: setting("ARCH"),
        elibc: setting("ELIBC"),
        kernel: setting("KERNEL"),
        chost: setting(env::CHOST.name),
    })
}

fn name(repositories: &Repositories, repository: &Repository, path: &str) -> String {
    match repositories.main() == Some(repository) {
        true => path.into(),
        false => format!("{}:{path}", repository.name),
    }
}

/// Returns the facts of the profile's CHOST, if it names a known tuple.
fn of_chost(settings: &ProfileSettings, sources: &[Source]) -> Option<Target> {
    Target::of(&settings.chost.parse().ok()?, sources, "").ok()
}

/// Returns the float ABI that a target's flags select, or `None` if the CPU has only one.
fn float_abi(target: &Target) -> Option<&str> {
    option(&target.cflags, "-mfloat-abi=")
}

/// Returns the release in a profile's name, as in `default/linux/arm/23.0/armv7a_hf`. `None` sorts before all others.
fn release(name: &str) -> Option<(u32, u32)> {
    name.split('/').find_map(|part| {
        let (major, minor) = part.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

/// Returns the value of an option among flags: the last one if there are several.
fn option<'f>(flags: &'f str, option: &str) -> Option<&'f str> {
    let values = flags.split_whitespace();
    values
        .filter_map(|flag| flag.strip_prefix(option))
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, status: ProfileStatus, chost: &str) -> Profile {
        let settings = ProfileSettings {
            chost: chost.into(),
            usr: Usr::of_profile(&format!("/{name}"), "", ""),
            checks_usr: has_release_check(name),
            ..ProfileSettings::default()
        };
        Profile {
            name: name.into(),
            directory: PathBuf::new(),
            status,
            settings,
        }
    }

    #[test]
    fn the_best_profile_is_the_newest_then_stable_then_nearest_then_plain() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        let sysroot = tempfile::tempdir().expect("a directory");
        let (soft, hard) = (
            "armv4tl-softfloat-linux-gnueabi",
            "armv7a-unknown-linux-gnueabihf",
        );
        let all = [
            profile("embedded", ProfileStatus::Unknown, ""),
            profile("default/linux/arm/17.0/armv4", ProfileStatus::Stable, soft),
            profile(
                "default/linux/arm/23.0/armv4/desktop",
                ProfileStatus::Dev,
                soft,
            ),
            profile("default/linux/arm/23.0/armv4", ProfileStatus::Dev, soft),
            profile(
                "default/linux/arm/23.0/split-usr/armv4",
                ProfileStatus::Dev,
                soft,
            ),
            profile(
                "default/linux/arm/23.0/armv7a_hf",
                ProfileStatus::Stable,
                hard,
            ),
            profile(
                "default/linux/arm/23.0/armv7a_hf/desktop",
                ProfileStatus::Stable,
                hard,
            ),
            profile(
                "default/linux/arm/23.0/big",
                ProfileStatus::Stable,
                "armeb-softfloat-linux-gnueabi",
            ),
            profile(
                "default/linux/arm/23.0/armv5te",
                ProfileStatus::Dev,
                "armv5tel-softfloat-linux-gnueabi",
            ),
        ];
        let best = |tuple: &str| {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            wanted(&target, &sources, Usr::of(sysroot.path()))
                .best(&all)
                .map(|profile| profile.name.as_str())
        };
        assert_eq!(best(soft), Some("default/linux/arm/23.0/armv4"));
        assert_eq!(best(hard), Some("default/linux/arm/23.0/armv7a_hf"));
        assert_eq!(
            best("armv5tel-softfloat-linux-gnueabi"),
            Some("default/linux/arm/23.0/armv5te")
        );
        assert_eq!(best("aarch64_be-unknown-linux-gnu"), None);
        std::fs::create_dir(sysroot.path().join("lib")).expect("a directory");
        let target = Target::of(&soft.parse().expect(soft), &sources, "").expect(soft);
        let wanted = wanted(&target, &sources, Usr::of(sysroot.path()));
        assert_eq!(
            wanted.best(&all).map(|p| p.name.as_str()),
            Some("default/linux/arm/23.0/split-usr/armv4")
        );
    }

    fn wanted<'a>(
        target: &'a Target,
        sources: &'a [Source],
        usr: Option<Usr>,
    ) -> ProfileRequirements<'a> {
        ProfileRequirements {
            target,
            sources,
            usr,
            makes: &|_| None,
        }
    }

    #[test]
    fn a_profile_is_chosen_by_the_abi_that_the_compiler_makes() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        let of_abi = |name: &str, chost: &str, flags: &str| {
            let mut profile = profile(name, ProfileStatus::Stable, chost);
            profile.settings.abi_flags = flags.into();
            profile
        };
        let rv64 = "riscv64-unknown-linux-gnu";
        let rv32 = "riscv32-unknown-linux-gnu";
        let n32 = "mips64-unknown-linux-gnuabin32";
        let n64 = "mips64-unknown-linux-gnuabi64";
        let amd64 = "x86_64-pc-linux-gnu";
        let all = [
            of_abi("default/linux/riscv/23.0/rv64/lp64", rv64, "-mabi=lp64"),
            of_abi("default/linux/riscv/23.0/rv64/lp64d", rv64, "-mabi=lp64d"),
            of_abi(
                "default/linux/riscv/23.0/rv32/ilp32",
                rv32,
                "-mabi=ilp32 -march=rv32imac",
            ),
            of_abi(
                "default/linux/riscv/23.0/rv32/ilp32d",
                rv32,
                "-mabi=ilp32d -march=rv32imafdc",
            ),
            of_abi("default/linux/mips/23.0/n32", n32, "-mabi=n32"),
            of_abi("default/linux/mips/23.0/n64", n64, "-mabi=64"),
            of_abi(
                "default/linux/mips/23.0/o32",
                "mips-unknown-linux-gnu",
                "-mabi=32",
            ),
            of_abi("default/linux/amd64/23.0", amd64, "-m64"),
            of_abi("default/linux/amd64/23.0/a-x32", amd64, "-mx32"),
        ];
        // The second column is the only ABI option with which the compiler works. `None` is no compiler.
        for (tuple, makes, best) in [
            (rv64, None, "rv64/lp64d"),
            (rv64, Some("-mabi=lp64"), "rv64/lp64"),
            (rv64, Some("-mabi=lp64d"), "rv64/lp64d"),
            ("riscv64-unknown-linux-musl", None, "rv64/lp64d"),
            ("riscv64-softfloat-linux-gnu", None, "rv64/lp64"),
            (rv32, None, "rv32/ilp32d"),
            ("riscv32-softfloat-linux-gnu", None, "rv32/ilp32"),
            (n32, None, "mips/23.0/n32"),
            (n64, None, "mips/23.0/n64"),
            ("mips-unknown-linux-gnu", None, "mips/23.0/o32"),
            (
                "mips64-unknown-linux-gnu",
                Some("-mabi=64"),
                "mips/23.0/n64",
            ),
            ("x86_64-cross-linux-gnu", None, "amd64/23.0"),
            ("x86_64-cross-linux-gnu", Some("-m64"), "amd64/23.0"),
            (
                "x86_64-cross-linux-gnux32",
                Some("-mx32"),
                "amd64/23.0/a-x32",
            ),
        ] {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            let makes = |flags: &str| makes.map(|own| flags.split(' ').any(|flag| flag == own));
            let wanted = ProfileRequirements {
                makes: &makes,
                ..wanted(&target, &sources, None)
            };
            // Its CHOST has another word size, as Gentoo's x32 profile has its own.
            let mut all = all.clone();
            all[8].settings.chost = "x86_64-pc-linux-gnux32".into();
            let found = wanted.best(&all).map_or("", |profile| &profile.name);
            assert!(found.ends_with(best), "{tuple}: {found}");
        }
    }

    #[test]
    fn the_layout_of_a_profile_is_gentoos() {
        for (path, uses, ignored, usr, checks) in [
            (
                "/r/profiles/default/linux/arm/23.0/armv7a_hf",
                "",
                "/bin /lib",
                Some(Usr::Merged),
                true,
            ),
            (
                "/r/profiles/default/linux/arm/23.0/split-usr",
                "split-usr",
                "/bin",
                Some(Usr::Split),
                true,
            ),
            (
                "/r/profiles/default/linux/amd64/17.1",
                "acl split-usr",
                "",
                Some(Usr::Split),
                false,
            ),
            (
                "/r/profiles/default/linux/amd64/17.1/systemd/merged-usr",
                "",
                "/bin",
                Some(Usr::Merged),
                false,
            ),
            // A user's own profile, whose parent is Gentoo's.
            (
                "/o/profiles/board",
                "",
                "/bin /lib",
                Some(Usr::Merged),
                false,
            ),
            (
                "/o/profiles/board",
                "split-usr",
                "/bin /lib",
                Some(Usr::Split),
                false,
            ),
            ("/r/profiles/embedded", "", "", None, false),
        ] {
            assert_eq!(Usr::of_profile(path, uses, ignored), usr, "{path} {uses}");
            assert_eq!(has_release_check(path), checks, "{path}");
        }
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        assert_eq!(Usr::of(root.path()), None);
        symlink("usr/lib", at("lib")).expect("a symlink");
        assert_eq!(Usr::of(root.path()), None);
        std::fs::create_dir(at("sbin")).expect("a directory");
        assert_eq!(Usr::of(root.path()), Some(Usr::Split));
        symlink("usr/bin", at("bin")).expect("a symlink");
        assert_eq!(Usr::of(root.path()), Some(Usr::Merged));
        std::fs::remove_file(at("bin")).expect("gone");
        std::fs::create_dir(at("bin")).expect("a directory");
        assert_eq!(Usr::of(root.path()), Some(Usr::Split));
    }
}
