//! All lookups on the build machine that a plan depends on: Portage's settings, the repositories, what is installed.

use super::{
    abi,
    change::text,
    class::{Part, TargetClass, words},
    error::ToolchainError,
    files::{MANAGED, Overlay},
    host::{Repository, ToolchainHost, check_root},
    installed::packages,
    part::ToolchainPart,
    plan::Sources,
    prefix::Prefix,
    request::ToolchainRequest,
    step::InstalledParts,
    user,
    version::{WantedVersion, compare, is_version},
};
use crate::context::Context;
use crossmerge_plan::{env, plan::Plan};
use crossmerge_portage::{Repositories, Settings, merged::MERGED};
use crossmerge_system::{
    exec,
    file::{below, canonical, read},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

/// The settings of Portage that a toolchain depends on.
const SETTINGS: [&str; 9] = [
    "ARCH",
    "CHOST",
    "DEFAULT_ABI",
    "EPREFIX",
    "FEATURES",
    "MULTILIB_ABIS",
    "PORTAGE_REPOSITORIES",
    "PORTAGE_TMPDIR",
    "PORT_LOGDIR",
];

/// The repository that crossmerge makes if there is none for toolchains.
const OWN_REPOSITORY: &str = "crossmerge";

/// The name of the repository for toolchains in crossdev's documentation.
const CROSSDEVS_REPOSITORY: &str = "crossdev";

/// The build machine.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) host: ToolchainHost,
    /// The program emerge.
    pub(crate) emerge: PathBuf,
    /// The directory in which packages are built.
    pub(crate) builds: PathBuf,
    /// Whether Portage installs binary packages where there are some.
    pub(crate) has_binary_packages: bool,
    /// Whether Portage makes binary packages of what it builds.
    pub(crate) makes_binary_packages: bool,
    /// The ARCH of the target's CPU family.
    pub(crate) family: Option<String>,
    category: String,
    /// The repositories in which packages are searched.
    search: Vec<Repository>,
}

/// An installed package of a toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstalledPackage {
    pub(crate) version: String,
    /// Those of its flags that were set.
    pub(crate) flags: BTreeSet<String>,
    /// The flags that its ebuild has.
    pub(crate) known_flags: BTreeSet<String>,
    /// When it was built, in seconds since 1970.
    pub(crate) build_time: u64,
}

impl Machine {
    /// Looks up everything that a request depends on, and applies the user's settings to the request.
    pub(crate) fn read(
        context: &Context,
        request: &mut ToolchainRequest,
    ) -> Result<Self, ToolchainError> {
        check_root(context.env.get(env::ROOT).and_then(OsStr::to_str))?;
        let no_portage = || ToolchainError::NoPortage {
            tuple: request.tuple.clone(),
        };
        let emerge = context.find_program(OsStr::new("emerge"));
        let emerge = emerge.map_err(|_| no_portage())?;
        // A second query would take as long as the first.
        let chosts: Vec<String> = abi::names().map(|abi| format!("CHOST_{abi}")).collect();
        let names: Vec<&str> = { SETTINGS.into_iter() }
            .chain(chosts.iter().map(String::as_str))
            .collect();
        let settings = context.host_settings(&names)?;
        let settings = settings.ok_or_else(no_portage)?;
        let mut host = host(context, &settings)?;
        apply_users_settings(request, &mut host)?;
        if request.llvm && Prefix::open(&host.below("")).is_some() {
            take_distributions_clang(context, request, &mut host);
        }
        let search = match &request.search {
            None => host.repositories.clone(),
            Some(paths) => paths
                .iter()
                .map(|path| repository_at(path, &host))
                .collect(),
        };
        let target = context.config.facts(&request.tuple).ok();
        let has_feature = |name: &str| words(&settings["FEATURES"]).any(|feature| feature == name);
        Ok(Self {
            emerge,
            builds: directory(&settings, "PORTAGE_TMPDIR", "var/tmp").join("portage"),
            has_binary_packages: has_feature("getbinpkg"),
            makes_binary_packages: has_feature("buildpkg"),
            family: target.map(|target| target.arch),
            category: request.category(),
            search,
            host,
        })
    }

    /// Returns the package database's entry of a toolchain's package.
    pub(crate) fn installed(&self, package: &str) -> Option<InstalledPackage> {
        let root = self.host.below("");
        let version = packages(&root, &self.category).ok()?.remove(package)?;
        let database = root.join(MERGED).join(&self.category);
        let directory = database.join(format!("{package}-{version}"));
        let text = |name: &str| {
            let text = read::read_to_string(&directory.join(name), read::PACKAGE);
            text.unwrap_or_default()
        };
        Some(InstalledPackage {
            flags: words(&text("USE")).collect(),
            known_flags: words(&text("IUSE_EFFECTIVE")).collect(),
            build_time: text("BUILD_TIME").trim().parse().unwrap_or(0),
            version,
        })
    }

    /// Chooses the newest version that each part may have among the ebuilds in its directory. Refuses a part without one.
    pub(crate) fn versions<'p>(
        parts: impl Iterator<Item = (&'p ToolchainPart, &'p Path)>,
        arch: &str,
    ) -> Result<BTreeMap<&'p str, String>, ToolchainError> {
        let newest = |part: &ToolchainPart, directory: &Path| {
            let ebuilds = ebuilds(directory, &part.package.name);
            if ebuilds.is_empty() {
                return Err(ToolchainError::NoEbuild {
                    package: part.package.to_string(),
                    directory: directory.into(),
                });
            }
            let allowed = ebuilds.iter().filter(|ebuild| {
                part.version
                    .allows(&ebuild.version, ebuild.keywords.as_deref(), arch)
            });
            let allowed = allowed.map(|ebuild| ebuild.version.clone());
            allowed
                .max_by(|one, other| compare(one, other))
                .ok_or_else(|| ToolchainError::NoVersion {
                    package: part.package.to_string(),
                    wanted: part.version.to_string(),
                    arch: arch.into(),
                    stable: part.version == WantedVersion::Stable,
                    available: ebuilds.into_iter().map(|ebuild| ebuild.version).collect(),
                })
        };
        let named = |(part, directory): (&'p ToolchainPart, _)| {
            Ok((part.package.name.as_str(), newest(part, directory)?))
        };
        parts.map(named).collect()
    }

    /// Returns the name of the file in repos.conf for a repository: the first that does not exist, or that crossdev or
    /// crossmerge wrote for it.
    pub(crate) fn registration(&self, repository: &str) -> String {
        let directory = self.host.settings.join("repos.conf");
        let is_free =
            |name: &String| match read::read_to_string(&directory.join(name), read::SETTINGS) {
                Ok(text) => {
                    let section = format!("[{repository}]");
                    text.lines().next() == Some(MANAGED) && text.lines().any(|line| line == section)
                }
                Err(_) => true,
            };
        let first = format!("{repository}.conf");
        let others = (1..).map(|number| format!("{repository}{number}.conf"));
        let mut names = std::iter::once(first).chain(others);
        names.find(is_free).expect("an endless list")
    }

    /// Returns the repository of crossdev's and crossmerge's own toolchains.
    fn usual_overlay(&self) -> Repository {
        let named = |name: &str| {
            let found = self.host.repositories.iter();
            found.into_iter().find(|repository| repository.name == name)
        };
        let found = named(&self.category).or_else(|| named(CROSSDEVS_REPOSITORY));
        let found = found.or_else(|| named(OWN_REPOSITORY)).cloned();
        found.unwrap_or_else(|| Repository {
            name: OWN_REPOSITORY.into(),
            path: self.host.below("var/db/repos").join(OWN_REPOSITORY),
        })
    }
}

impl InstalledParts for Machine {
    fn has_headers_only(&self, package: &str) -> bool {
        let installed = self.installed(package);
        installed.is_some_and(|installed| installed.flags.contains("headers-only"))
    }
}

impl Sources for Machine {
    fn overlay(&self, request: &ToolchainRequest) -> Result<Overlay, ToolchainError> {
        let repository = match &request.output {
            None => self.usual_overlay(),
            Some(path) if path.is_absolute() => repository_at(path, &self.host),
            Some(path) => return Err(ToolchainError::Relative { path: path.clone() }),
        };
        let root = &repository.path;
        if *root == self.host.main.path {
            return Err(ToolchainError::MainRepository { path: root.clone() });
        }
        let layout = text(&root.join("metadata/layout.conf"))?;
        let is_registered = self.host.repositories.contains(&repository);
        let masters = self.search.iter().chain([&self.host.main]);
        let mut masters: Vec<&Repository> = masters
            .filter(|master| master.path.join("eclass").is_dir() && master.path != *root)
            .collect();
        masters.reverse();
        let thin = masters
            .iter()
            .any(|master| has_thin_manifests(&master.path));
        Ok(Overlay {
            managed: layout.is_none_or(|layout| layout.lines().next() == Some(MANAGED)),
            register: (!is_registered).then(|| self.registration(&repository.name)),
            masters: masters
                .into_iter()
                .map(|master| master.name.clone())
                .collect(),
            thin_manifests: thin,
            has_name: root.join("profiles/repo_name").exists(),
            has_eapi: root.join("profiles/eapi").exists(),
            repository,
        })
    }

    fn has_ebuild(&self, part: &ToolchainPart, arch: &str) -> bool {
        !ebuilds(&self.source(part, arch), &part.package.name).is_empty()
    }

    fn source(&self, part: &ToolchainPart, arch: &str) -> PathBuf {
        let within = |root: &Path| root.join(&part.package.category).join(&part.package.name);
        if let Some(repository) = &part.repository {
            return within(repository);
        }
        let wants = |keywords: &str| {
            let version = match part.version {
                WantedVersion::Stable => &WantedVersion::Stable,
                _ => &WantedVersion::Latest,
            };
            version.allows("1", Some(keywords), arch)
        };
        let has = |repository: &&Repository| {
            ebuilds(&within(&repository.path), &part.package.name)
                .iter()
                .any(|ebuild| ebuild.keywords.as_deref().is_some_and(wants))
        };
        let found = self.search.iter().find(has);
        within(&found.unwrap_or(&self.host.main).path)
    }
}

/// Returns the facts about the build machine: those of Portage's settings and of the environment.
fn host(context: &Context, settings: &Settings) -> Result<ToolchainHost, ToolchainError> {
    let chosts = chosts(context, settings)?;
    let repositories = Repositories::parse(&settings["PORTAGE_REPOSITORIES"]);
    let plain = |repository: &crossmerge_portage::Repository| Repository {
        name: repository.name.clone(),
        path: repository.location.clone(),
    };
    let main = repositories
        .main()
        .map(plain)
        .ok_or(ToolchainError::NoRepository)?;
    let others = repositories.all.iter().map(plain);
    let others: Vec<Repository> = others.filter(|repository| *repository != main).collect();
    let eprefix = settings["EPREFIX"].clone();
    let configroot = context.env.get(env::PORTAGE_CONFIGROOT).map(PathBuf::from);
    let configroot = configroot.unwrap_or_else(|| below(&context.config.broot, ""));
    let chost = settings["CHOST"]
        .parse()
        .map_err(|_| ToolchainError::NoHost)?;
    let default_abi = match settings["DEFAULT_ABI"].as_str() {
        "" => "default".to_owned(),
        abi => abi.to_owned(),
    };
    let given = |variable| {
        let value = context.env.get(variable).and_then(OsStr::to_str);
        value.unwrap_or_default().to_owned()
    };
    Ok(ToolchainHost {
        settings: configroot.join("etc/portage"),
        main,
        repositories: others,
        arch: settings["ARCH"].clone(),
        chost,
        abi: default_abi,
        chosts: chosts.into_iter().collect(),
        logs: directory(settings, "PORT_LOGDIR", "var/log/portage"),
        flags: words(&given(env::USE)).collect(),
        features: given(env::FEATURES),
        llvm_targets: llvm_targets(&eprefix),
        clang: None,
        variables: BTreeMap::new(),
        eprefix,
    })
}

/// Returns the CHOST of the build machine and of each of its ABIs.
fn chosts(context: &Context, settings: &Settings) -> Result<BTreeSet<String>, ToolchainError> {
    let abis = settings["MULTILIB_ABIS"].split_whitespace();
    let names: Vec<String> = abis.map(|abi| format!("CHOST_{abi}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let of_abis: Vec<String> = match names.iter().all(|name| settings.contains_key(*name)) {
        true => names.iter().map(|name| settings[*name].clone()).collect(),
        false => context
            .host_settings(&names)?
            .unwrap_or_default()
            .into_values()
            .collect(),
    };
    Ok(of_abis
        .into_iter()
        .chain([settings["CHOST"].clone()])
        .filter(|chost| !chost.is_empty())
        .collect())
}

/// Returns the directory in a variable, or the default one below the prefix.
fn directory(settings: &Settings, name: &str, default: &str) -> PathBuf {
    match settings[name].as_str() {
        "" => PathBuf::from(format!("{}/{default}", settings["EPREFIX"])),
        path => path.into(),
    }
}

/// An ebuild, with its keywords if they are known.
#[derive(Debug)]
struct Ebuild {
    version: String,
    keywords: Option<String>,
}

/// Lists the ebuilds of a package's directory.
fn ebuilds(directory: &Path, package: &str) -> Vec<Ebuild> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let ebuild = |entry: io::Result<fs::DirEntry>| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let version = name.strip_suffix(".ebuild")?.strip_prefix(package)?;
        let version = version
            .strip_prefix('-')
            .filter(|version| is_version(version))?;
        Some(Ebuild {
            keywords: keywords(directory, package, version),
            version: version.into(),
        })
    };
    entries.filter_map(ebuild).collect()
}

/// Returns the keywords of an ebuild: from the repository's cache, else from the text of the ebuild. `None` if neither
/// states them.
fn keywords(directory: &Path, package: &str, version: &str) -> Option<String> {
    let category = directory.parent()?;
    let cache = category
        .parent()?
        .join("metadata/md5-cache")
        .join(category.file_name()?);
    let value = |text: &str, quote: &[char]| {
        let values = text.lines().filter_map(|line| {
            let (before, value) = line.split_once("KEYWORDS=")?;
            let is_assignment = before.chars().all(char::is_whitespace);
            is_assignment.then(|| value.trim().trim_matches(quote).to_owned())
        });
        let values: Vec<String> = values.collect();
        (!values.is_empty()).then(|| values.join(" "))
    };
    let name = format!("{package}-{version}");
    match read::read_to_string(&cache.join(&name), read::PACKAGE) {
        Ok(text) => Some(value(&text, &[]).unwrap_or_default()),
        Err(_) => {
            let file = directory.join(format!("{name}.ebuild"));
            value(
                &read::read_to_string(&file, read::PACKAGE).ok()?,
                &['"', '\''],
            )
        }
    }
}

/// Returns the repository in a directory, by its own name or that of the directory.
fn repository_at(path: &Path, host: &ToolchainHost) -> Repository {
    let known = host
        .repositories
        .iter()
        .find(|repository| repository.path == path);
    known.cloned().unwrap_or_else(|| {
        let own = read::read_to_string(&path.join("profiles/repo_name"), read::SETTINGS);
        let own = own
            .ok()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        let last = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Repository {
            name: own.unwrap_or(last),
            path: path.into(),
        }
    })
}

fn has_thin_manifests(repository: &Path) -> bool {
    let layout = text(&repository.join("metadata/layout.conf"));
    layout.ok().flatten().is_some_and(|layout| {
        let mut lines = layout.lines().filter_map(|line| line.split_once('='));
        lines.any(|(key, value)| key.trim() == "thin-manifests" && value.trim() == "true")
    })
}

/// The code generators of the installed LLVM. `None` without LLVM.
fn llvm_targets(eprefix: &str) -> Option<BTreeSet<String>> {
    let database = format!("{eprefix}/var/db/pkg/llvm-core");
    let mut found = None;
    for entry in fs::read_dir(database).ok()?.flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if name.strip_prefix("llvm-").is_some_and(is_version) {
            let flags = text(&entry.path().join("USE"))
                .ok()
                .flatten()
                .unwrap_or_default();
            let targets = flags
                .split_whitespace()
                .filter_map(|flag| flag.strip_prefix("llvm_targets_"));
            found
                .get_or_insert_with(BTreeSet::new)
                .extend(targets.map(str::to_owned));
        }
    }
    found
}

/// Makes the distribution's LLVM that of crossmerge's own prefix. `requirements` checks that it is installed, and a
/// distribution builds all code generators. Its clang cannot compile libraries that are newer.
fn take_distributions_clang(
    context: &Context,
    request: &mut ToolchainRequest,
    host: &mut ToolchainHost,
) {
    let target = TargetClass::of(&request.tuple).llvm_target;
    host.llvm_targets = Some(target.into_iter().collect());
    let Ok(clang) = context.find_program(OsStr::new("clang")) else {
        return;
    };
    if let Some(major) = major_version(&clang) {
        let newest = WantedVersion::UpTo(format!("{major}.9999"));
        for part in Part::LLVM_LIBRARIES {
            let wanted = request.parts.entry(part).or_default();
            wanted.version.get_or_insert_with(|| newest.clone());
        }
    }
    host.clang = Some(canonical(&clang));
}

/// Asks a clang for its major version.
fn major_version(clang: &Path) -> Option<String> {
    let plan = Plan {
        program: clang.into(),
        args: vec!["-dumpversion".into()],
        ..Plan::default()
    };
    let output = exec::ask(&plan).ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    let (major, _) = version.split_once('.')?;
    is_version(major).then(|| major.into())
}

/// Reads the user's settings for the target, and applies them.
fn apply_users_settings(
    request: &mut ToolchainRequest,
    host: &mut ToolchainHost,
) -> Result<(), ToolchainError> {
    let directory = host.settings.join("crossdev").join(request.tuple.as_str());
    let mut settings = BTreeMap::new();
    for name in user::SETTINGS {
        if let Some(text) = text(&directory.join(name))? {
            settings.insert(name.to_owned(), text);
        }
    }
    let variables = crossmerge_portage::assignments(&directory.join(user::VARIABLES))?;
    user::apply(&settings, &variables, request, host)
}
