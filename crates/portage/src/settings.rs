//! The answer: which files are read in which order, and what each variable is in the end.
//!
//! It is the answer of `portageq envvar` in the version of Portage that is asked for, or a [`Refusal`]. All files are read below
//! the roots given; the environment counts as it is given.

use super::{
    agreed, features,
    make_conf::{self, ReadMode},
    path::{self, join},
    profile::{self, ProfileDirectory},
    refusal::Refusal,
    repos_conf::{self, NamedRepos, Repos},
    stack::{EnvLayer, Layers, UseFlags, is_incremental},
    text::{self, SettingsFiles, SharedFiles, list_words, strip, words},
    variables::{Settings, Vars},
    version::{Version, VersionChange},
};
use crossmerge_plan::env::{self, Env};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt},
    },
    path::PathBuf,
};

/// Whose settings are asked for: what Portage learns from its installation and from five variables.
///
/// The variables of the same names in the environment do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsRoots {
    /// The Portage that would answer.
    pub portage: Version,
    /// The prefix that Portage itself is installed under; empty when it has none. BROOT in PMS.
    pub broot: PathBuf,
    /// PORTAGE_CONFIGROOT: where `etc/portage` is; `None` for Portage's own.
    pub configroot: Option<PathBuf>,
    /// ROOT: where packages are merged; `None` leaves it to make.conf.
    pub root: Option<OsString>,
    /// SYSROOT: what they are built against; `None` is `/`.
    pub sysroot: Option<OsString>,
    /// EPREFIX of what is built; `None` is Portage's own.
    pub eprefix: Option<OsString>,
}

impl SettingsRoots {
    /// The machine itself.
    pub fn host(broot: impl Into<PathBuf>) -> Self {
        Self {
            broot: broot.into(),
            ..Self::default()
        }
    }

    /// A target that is configured in a place of its own.
    pub fn target(
        broot: impl Into<PathBuf>,
        configroot: impl Into<PathBuf>,
        eprefix: impl Into<OsString>,
    ) -> Self {
        Self {
            configroot: Some(configroot.into()),
            eprefix: Some(eprefix.into()),
            ..Self::host(broot)
        }
    }
}

/// Variables that never come from a file or the environment.
const BANNED: [&str; 54] = [
    "A",
    "AA",
    "BASH_FUNC____in_portage_iuse%%",
    "BDEPEND",
    "BROOT",
    "CATEGORY",
    "DEPEND",
    "DESCRIPTION",
    "DOCS",
    "EAPI",
    "EBUILD_FORCE_TEST",
    "EBUILD_PHASE",
    "EBUILD_PHASE_FUNC",
    "EBUILD_SKIP_MANIFEST",
    "ED",
    "EMERGE_FROM",
    "EPREFIX",
    "EROOT",
    "GREP_OPTIONS",
    "HOMEPAGE",
    "IDEPEND",
    "INHERITED",
    "IUSE",
    "IUSE_EFFECTIVE",
    "KEYWORDS",
    "LICENSE",
    "MERGE_TYPE",
    "PDEPEND",
    "PF",
    "PKGUSE",
    "PORTAGE_BACKGROUND",
    "PORTAGE_BACKGROUND_UNMERGE",
    "PORTAGE_BUILDDIR_LOCKED",
    "PORTAGE_BUILT_USE",
    "PORTAGE_CONFIGROOT",
    "PORTAGE_EBUILD_EXIT_FD",
    "PORTAGE_EXPLICIT_INHERIT",
    "PORTAGE_INTERNAL_CALLER",
    "PORTAGE_IPC_ALIVE_FD",
    "PORTAGE_IUSE",
    "PORTAGE_NONFATAL",
    "PORTAGE_PIPE_FD",
    "PORTAGE_REPO_NAME",
    "PORTAGE_USE",
    "PROPERTIES",
    "RDEPEND",
    "REPOSITORY",
    "REQUIRED_USE",
    "RESTRICT",
    "ROOT",
    "SANDBOX_LOG",
    "SLOT",
    "SRC_URI",
    "_",
];

/// Those of them that only newer versions ban.
const BANNED_LATER: [&str; 2] = ["PORTAGE_EBUILD_EXIT_FD", "PORTAGE_IPC_ALIVE_FD"];

/// The variable that the files of `env` may not set.
const GLOBAL_ONLY: &str = "CONFIG_PROTECT";

/// Variables that Portage computes from more than settings: its own paths, and commands that it looks for.
const COMPUTED: [&str; 14] = [
    "LC_CTYPE",
    "PORTAGE_ARCHLIST",
    "PORTAGE_BIN_PATH",
    "PORTAGE_BUNZIP2_COMMAND",
    "PORTAGE_BZIP2_COMMAND",
    "PORTAGE_DEPCACHEDIR",
    "PORTAGE_GID",
    "PORTAGE_INST_GID",
    "PORTAGE_INST_UID",
    "PORTAGE_LOG_FILTER_FILE_CMD",
    "PORTAGE_PYM_PATH",
    "PORTAGE_PYTHONPATH",
    "SANDBOX_WRITE",
    "SYNC",
];

/// The commands whose words Portage checks, and stumbles over when a quote is open.
const CHECKED_COMMANDS: [&str; 3] = [
    "PORTAGE_BZIP2_COMMAND",
    "PORTAGE_BUNZIP2_COMMAND",
    "PORTAGE_LOG_FILTER_FILE_CMD",
];

/// Answers what `portageq envvar` answers for the names, without it; a variable that is not set is empty.
///
/// # Errors
///
/// A [`Refusal`] when a file, the environment or a name is not fully understood.
pub fn read(roots: &SettingsRoots, env: &Env, names: &[&str]) -> Result<Settings, Refusal> {
    check_names(names)?;
    Evaluation::new(&SharedFiles::default(), roots, env)?.finish(names)
}

/// The same for several questions, which share the files. If DEFAULT_ABI is among the names, the answer has `LIBDIR_<abi>` of that ABI
/// too, as far as that is known.
pub(super) fn read_with(
    shared: &SharedFiles,
    roots: &SettingsRoots,
    env: &Env,
    names: &[&str],
) -> Result<Settings, Refusal> {
    check_names(names)?;
    let mut reader = Evaluation::new(shared, roots, env)?;
    let mut settings = reader.finish(names)?;
    settings.extend(reader.library_directory(&settings, env)?);
    Ok(settings)
}

/// Refuses a name whose value files do not tell.
fn check_names(names: &[&str]) -> Result<(), Refusal> {
    let is_known = |name: &&&str| {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_plain && !COMPUTED.contains(name) && !name.starts_with("PYTHON") && !name.is_empty()
    };
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(Refusal::question(format!(
            "only Portage itself knows `{name}`"
        ))),
        None => Ok(()),
    }
}

/// Answers, with a seal of everything that the answer was made of: files, the names in `etc/portage`, and variables.
pub(super) fn read_sealed(
    roots: &SettingsRoots,
    env: &Env,
    names: &[&str],
) -> Result<(Settings, Sha256), Refusal> {
    let mut reader = Evaluation::new(&SharedFiles::default(), roots, env)?;
    let settings = reader.finish(names)?;
    let mut seal = Sha256::new();
    agreed::add(&mut seal, format!("{roots:?}").as_bytes());
    for (name, value) in &settings {
        agreed::add(&mut seal, name.as_bytes());
        agreed::add(&mut seal, value.as_bytes());
    }
    // A newer Portage may read files that we have never heard of.
    for directory in [
        join(&reader.places.configroot, "etc/portage"),
        reader.places.global.clone(),
    ] {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names: BTreeSet<OsString> = entries.map(|entry| entry.file_name()).collect();
        agreed::add(&mut seal, directory.as_bytes());
        for name in names {
            agreed::add(&mut seal, name.as_bytes());
        }
    }
    reader.files.seal(&mut seal);
    reader.layers.env.seal(&mut seal);
    Ok((settings, seal))
}

/// The places that everything else is found from, in Portage's spelling: a root ends in a slash, a prefix does not.
#[derive(Debug)]
struct RootPaths {
    broot: String,
    configroot: String,
    eprefix: String,
    sysroot: String,
    root: String,
    eroot: String,
    esysroot: String,
    /// Where make.globals and Portage's own repos.conf are.
    global: String,
}

#[derive(Debug)]
struct Evaluation<'e> {
    files: SettingsFiles,
    places: RootPaths,
    layers: Layers<'e>,
    profiles: Vec<ProfileDirectory>,
    flags: UseFlags,
    /// What `env` files are expanded with.
    map: Vars,
    /// USE of the `env` files for all packages.
    env_use: Option<String>,
}

impl RootPaths {
    /// Finds all places but those that depend on ROOT.
    fn new(roots: &SettingsRoots) -> Result<Self, Refusal> {
        let prefix = |name: &str, path: &str| match path::root(name, path)? {
            path if path == "/" => Ok(String::new()),
            path => Ok(path.trim_end_matches('/').to_owned()),
        };
        let broot = prefix("BROOT", path::text("BROOT", &roots.broot)?)?;
        let eprefix = match &roots.eprefix {
            Some(eprefix) => prefix("EPREFIX", path::text("EPREFIX", eprefix)?)?,
            None => broot.clone(),
        };
        let configroot = match &roots.configroot {
            Some(configroot) => path::text("PORTAGE_CONFIGROOT", configroot)?,
            None => &broot,
        };
        let configroot = path::root("PORTAGE_CONFIGROOT", configroot)?;
        let sysroot = roots.sysroot.clone().unwrap_or_default();
        let sysroot = path::root("SYSROOT", path::text("SYSROOT", &sysroot)?)?;
        if !path::is_dir(&configroot)? {
            return Err(Refusal::file(
                &configroot,
                "is no directory, and Portage fails",
            ));
        }
        Ok(Self {
            global: global(&broot)?,
            broot,
            configroot,
            eprefix,
            sysroot,
            root: String::new(),
            eroot: String::new(),
            esysroot: String::new(),
        })
    }

    /// Finds the places that depend on ROOT, which make.conf may set.
    fn set_root(&mut self, roots: &SettingsRoots, in_conf: Option<&str>) -> Result<(), Refusal> {
        let root = match &roots.root {
            Some(root) => path::text("ROOT", root)?,
            None => in_conf
                .filter(|root| !strip(root).is_empty())
                .unwrap_or_default(),
        };
        self.root = path::root("ROOT", root)?;
        if self.root == "/" && self.sysroot != "/" {
            return Err(Refusal::question(format!(
                "SYSROOT is `{}` where ROOT is `/`, and Portage fails",
                self.sysroot
            )));
        }
        if !path::is_dir(&self.root)? {
            return Err(Refusal::file(
                &self.root,
                "is ROOT and no directory; Portage makes it",
            ));
        }
        let bare = self.root.trim_end_matches('/');
        self.eroot = format!("{bare}{}/", self.eprefix);
        self.esysroot = if self.sysroot == self.root {
            self.eroot.clone()
        } else if self.sysroot == "/" {
            format!("{}/", self.broot)
        } else {
            self.sysroot.clone()
        };
        // Portage keeps its settings by EROOT, and reads those of the machine as well.
        let is_host = self.root == "/" && self.eprefix == self.broot;
        let others = [format!("{}/", self.broot), self.sysroot.clone()];
        let has_third = self.sysroot != "/" && self.sysroot != self.root;
        if !is_host && (self.eroot == others[0] || has_third && self.eroot == others[1]) {
            return Err(Refusal::question(format!(
                "`{}` is the target's EROOT and the machine's, and Portage takes one for the other",
                self.eroot
            )));
        }
        Ok(())
    }
}

/// Finds Portage's own configuration: under `usr` where it is installed, beside it where it came with pip.
fn global(broot: &str) -> Result<String, Refusal> {
    let places = ["/usr/share/portage/config", "/share/portage/config"];
    let mut found = Vec::new();
    for place in places {
        let place = format!("{broot}{place}");
        if path::stat(&join(&place, "make.globals"))?.is_some() {
            found.push(place);
        }
    }
    match found.as_slice() {
        [place] => Ok(place.clone()),
        [place, other] if path::same_file(place, other) => Ok(place.clone()),
        [place, ..] => Err(Refusal::file(
            place,
            "is there twice, under usr and beside it",
        )),
        [] => Err(Refusal::file(
            &format!("{broot}{}/make.globals", places[0]),
            "is not there: Portage is installed in another way",
        )),
    }
}

impl<'e> Evaluation<'e> {
    /// Reads every file that any answer depends on.
    fn new(shared: &SharedFiles, roots: &SettingsRoots, env: &'e Env) -> Result<Self, Refusal> {
        let mut places = RootPaths::new(roots)?;
        let files = SettingsFiles::sharing(roots.portage, shared).of_configroot(&places.configroot);
        let mut conf_paths = vec![
            join(&places.configroot, "etc/make.conf"),
            join(&places.configroot, "etc/portage/make.conf"),
        ];
        if path::same_file(&conf_paths[0], &conf_paths[1]) {
            conf_paths.pop();
        }

        // The first time only for ROOT and the few settings that the repositories depend on.
        let mut early = Vars::new();
        read_conf(&files, &conf_paths, &mut early)?;
        let in_conf = early.get("ROOT").map(String::as_str);
        places.set_root(roots, in_conf)?;

        let env_d = read_env_d(&files, &places)?;
        let mut map = env_d.clone();
        for (name, value) in places.variables() {
            map.insert(name.to_owned(), value.to_owned());
        }
        let globals_path = join(&places.global, "make.globals");
        let mut globals =
            make_conf::read(&files, &globals_path, ReadMode::File, &mut map)?.unwrap_or_default();
        for (name, value) in [
            ("ACCEPT_PROPERTIES", "*"),
            ("PORTAGE_BZIP2_COMMAND", "bzip2"),
        ] {
            globals.entry(name.to_owned()).or_insert(value.to_owned());
        }

        let mut backup = EnvLayer::new(env);
        for (name, value) in &env_d {
            if backup.get(name)? == Some(value) {
                backup.unset(name);
            }
        }
        let mut layers = Layers {
            portage: roots.portage,
            env_d,
            features: Vars::new(),
            globals,
            defaults: Vars::new(),
            conf: Vars::new(),
            env: backup.clone(),
            backup,
        };
        let (repos, known) = read_repos(&files, &places, &mut layers, &early)?;
        name_repositories(&repos, &mut layers, &mut map)?;
        let profiles = profile::read(&files, &places.configroot, &repos, &known)?;
        for repo in repos.iter() {
            // Nothing of it is asked for; that it can be read is.
            let file = join(&repo.location, "profiles/make.defaults");
            let mut map = layers.globals.clone();
            make_conf::read(
                &files,
                &file,
                reading(repo.layout.allows_directories),
                &mut map,
            )?;
        }

        let mut make_defaults = Vec::new();
        for profile in &profiles {
            for file in ["use.force", "use.mask"] {
                let file = join(&profile.location, file);
                if !profile.allows_directories && path::is_dir(&file)? {
                    return Err(Refusal::file(&file, "is a directory, and Portage fails"));
                }
            }
            map.remove("USE");
            let file = join(&profile.location, "make.defaults");
            let vars =
                make_conf::read(&files, &file, reading(profile.allows_directories), &mut map)?;
            make_defaults.push(vars.unwrap_or_default());
        }
        for (name, value) in make_defaults.iter().flatten() {
            match layers.defaults.get_mut(name) {
                Some(before) if is_incremental(roots.portage, name) => {
                    before.push(' ');
                    before.push_str(value);
                }
                _ => {
                    layers.defaults.insert(name.clone(), value.clone());
                }
            }
        }
        layers.conf = read_conf(&files, &conf_paths, &mut map)?;
        Ok(Self {
            files,
            places,
            layers,
            profiles,
            flags: UseFlags {
                make_defaults,
                ..UseFlags::default()
            },
            map,
            env_use: None,
        })
    }

    /// Computes the answers from the layers.
    fn finish(&mut self, names: &[&str]) -> Result<Settings, Refusal> {
        let banned = self.ban();
        for (name, value) in self.places.variables() {
            self.layers.settle(name, value);
        }
        self.layers
            .settle("PORTAGE_OVERRIDE_EPREFIX", &self.places.broot);
        self.refuse_settings_for_all_packages(names)?;
        self.read_env_for_all_packages(&banned)?;
        self.settle_defaults()?;

        self.layers.stack()?;
        self.layers.gather_profile_flags(&self.flags)?;
        let of_flags = self.of_flags()?;
        if names.iter().any(|name| of_flags.contains(*name)) {
            self.compute_use()?;
        }
        self.refuse_patterns()?;
        self.settle_features()?;
        for name in ["AUTOCLEAN", "NOCOLOR", "NO_COLOR"] {
            if name == "NO_COLOR" && !self.files.has(VersionChange::NoColor) {
                continue;
            }
            if let Some(value) = self.layers.get(name)? {
                let value = value.to_lowercase();
                self.layers.settle(name, &value);
            }
        }
        for name in CHECKED_COMMANDS {
            if self
                .layers
                .get(name)?
                .is_some_and(|value| value.contains(['\'', '"', '\\']))
            {
                return Err(Refusal::question(format!("{name} holds quotes")));
            }
        }
        if self.layers.get("PKGDIR")?.is_none() {
            return Err(Refusal::question(
                "PKGDIR is set nowhere, and Portage fails",
            ));
        }
        names
            .iter()
            .map(|name| {
                let value = self.layers.get(name)?.unwrap_or_default();
                Ok(((*name).to_owned(), value.to_owned()))
            })
            .collect()
    }

    /// The library directory of the default ABI, with the name of its variable. `None` if nobody has asked for the ABI, if it is made of
    /// flags, which were not computed for it, and if the environment has one: a question for it would be answered without that.
    fn library_directory(
        &self,
        settings: &Settings,
        env: &Env,
    ) -> Result<Option<(String, String)>, Refusal> {
        let Some(abi) = settings.get(env::DEFAULT_ABI.name) else {
            return Ok(None);
        };
        let abi = if abi.is_empty() { "default" } else { abi };
        let name = format!("LIBDIR_{abi}");
        if self.of_flags()?.contains(&name) || env.get_name(&name).is_some() {
            return Ok(None);
        }
        let libdir = self.layers.get(&name)?.unwrap_or_default().to_owned();
        Ok(Some((name, libdir)))
    }

    /// The variables whose values are made of flags.
    fn of_flags(&self) -> Result<BTreeSet<String>, Refusal> {
        let mut of_flags = BTreeSet::from(["USE".to_owned()]);
        for name in ["USE_EXPAND", "USE_EXPAND_UNPREFIXED"] {
            let value = self.layers.get(name)?.unwrap_or_default();
            of_flags.extend(words(value).map(str::to_owned));
        }
        Ok(of_flags)
    }

    /// Takes away what users may not set; returns the names.
    fn ban(&mut self) -> BTreeSet<String> {
        let profile_only = self.layers.defaults.get("PROFILE_ONLY_VARIABLES");
        let mut names = BTreeSet::new();
        for word in words(profile_only.map_or("", String::as_str)) {
            match word.strip_prefix('-') {
                Some("*") => names.clear(),
                Some(gone) => {
                    names.remove(gone);
                }
                None => {
                    names.insert(word.to_owned());
                }
            }
        }
        for name in &names {
            self.layers.env_d.remove(name);
            self.layers.conf.remove(name);
            // It stays in the environment that answers: Portage removes it only here.
            self.layers.backup.unset(name);
        }
        for name in BANNED {
            if BANNED_LATER.contains(&name) && !self.files.has(VersionChange::BannedDescriptors) {
                continue;
            }
            self.layers.ban(name);
            names.insert(name.to_owned());
        }
        names.insert(GLOBAL_ONLY.to_owned());
        names
    }

    /// Applies the `*/*` lines of package.env: each names files of `env`, which are read after make.conf and like it.
    fn read_env_for_all_packages(&mut self, banned: &BTreeSet<String>) -> Result<(), Refusal> {
        let own = join(&self.places.configroot, "etc/portage");
        let mut names = Vec::new();
        for file in text::recursive_files(&self.files, &join(&own, "package.env"))? {
            for line in self.files.lines(&file)? {
                if let ["*/*", envs @ ..] = list_words(&line).as_slice() {
                    names.extend(envs.iter().map(|name| (*name).to_owned()));
                }
            }
        }
        let portage = self.layers.portage;
        let mut all = Vars::new();
        for name in names {
            let file = join(&join(&own, "env"), &name);
            // Portage passes over a file that is missing with a message.
            let vars = make_conf::read(&self.files, &file, ReadMode::OneSourcing, &mut self.map)?;
            for (name, value) in vars.unwrap_or_default() {
                if banned.contains(&name) {
                    continue;
                }
                let value = match all.get(&name) {
                    Some(before) if is_incremental(portage, &name) => format!("{before} {value}"),
                    _ => value,
                };
                all.insert(name, value);
            }
        }
        // The flags of package.use come before these, and are added when USE is computed.
        self.env_use = all.remove("USE");
        for (name, value) in all {
            let value = match self.layers.conf.get(&name) {
                Some(before) if is_incremental(portage, &name) => format!("{before} {value}"),
                _ => value,
            };
            self.layers.conf.insert(name, value);
        }
        Ok(())
    }

    /// Refuses where a user's file sets something for every package and so for all.
    fn refuse_settings_for_all_packages(&self, names: &[&str]) -> Result<(), Refusal> {
        let own = join(&self.places.configroot, "etc/portage");
        let mut questions = Vec::new();
        for (file, name) in [
            ("package.properties", "ACCEPT_PROPERTIES"),
            ("package.accept_restrict", "ACCEPT_RESTRICT"),
            ("package.license", "ACCEPT_LICENSE"),
        ] {
            questions.push((join(&own, file), name));
        }
        for profile in self.profiles.iter().filter(|profile| profile.sets_licenses) {
            let file = join(&profile.location, "package.license");
            questions.push((file, "ACCEPT_LICENSE"));
        }
        for (path, name) in questions {
            if !names.contains(&name) {
                continue;
            }
            for file in text::recursive_files(&self.files, &path)? {
                let lines = self.files.lines(&file)?;
                let is_for_all = |line: &String| list_words(line).first() == Some(&"*/*");
                if let Some(line) = lines.iter().position(is_for_all) {
                    return Err(Refusal::line(&file, line + 1, "sets something for `*/*`"));
                }
            }
        }
        Ok(())
    }

    /// Refuses what Portage puts into a regular expression as it stands, and may fail over.
    fn refuse_patterns(&self) -> Result<(), Refusal> {
        let hidden = self.layers.get("USE_EXPAND_HIDDEN")?.unwrap_or_default();
        let arch = self.layers.defaults.get("ARCH").map_or("", String::as_str);
        for word in words(hidden).chain([arch]) {
            if word.contains(|c: char| r"\.^$*+?{}[]()|".contains(c)) {
                return Err(Refusal::question(format!(
                    "`{word}` in USE_EXPAND_HIDDEN or ARCH is a pattern to Portage"
                )));
            }
        }
        Ok(())
    }

    /// Fills in what Portage assumes where nobody says.
    fn settle_defaults(&mut self) -> Result<(), Refusal> {
        let layers = &mut self.layers;
        let order = "env:pkg:conf:defaults:pkginternal:features:repo:env.d";
        if layers.get("USE_ORDER")?.is_none() {
            layers.settle("USE_ORDER", order);
        }
        if layers.get("CBUILD")?.is_none()
            && let Some(chost) = layers.get("CHOST")?.map(str::to_owned)
        {
            layers.settle("CBUILD", &chost);
        }
        if layers.get("USERLAND")?.is_none() {
            layers.settle("USERLAND", "GNU");
        }
        let owner = self.unprivileged_owner();
        for name in ["PORTAGE_USERNAME", "PORTAGE_GRPNAME"] {
            if self.layers.get(name)?.is_some() {
                continue;
            }
            let found = match owner {
                None => self
                    .files
                    .has(VersionChange::DefaultUser)
                    .then(|| "portage".to_owned()),
                Some((uid, _)) if name == "PORTAGE_USERNAME" => {
                    nix::unistd::User::from_uid(uid.into())
                        .ok()
                        .flatten()
                        .map(|user| user.name)
                }
                Some((_, gid)) => nix::unistd::Group::from_gid(gid.into())
                    .ok()
                    .flatten()
                    .map(|group| group.name),
            };
            if let Some(found) = found {
                self.layers.settle(name, &found);
            }
        }
        self.layers.settle("PORTAGE_INTERNAL_CALLER", "1");
        Ok(())
    }

    /// The owner of EROOT, user and group, when that is not root's and we may write there: Portage works as they do then.
    fn unprivileged_owner(&self) -> Option<(u32, u32)> {
        if nix::unistd::getuid().is_root() {
            return None;
        }
        let eroot = path::first_existing(&self.places.eroot);
        let metadata = eroot.metadata().ok()?;
        let may_write = nix::unistd::access(&eroot, nix::unistd::AccessFlags::W_OK).is_ok();
        let is_anyones = metadata.permissions().mode() & 0o002 != 0;
        (may_write && !is_anyones).then(|| (metadata.uid(), metadata.gid()))
    }

    /// Puts FEATURES in its last form.
    fn settle_features(&mut self) -> Result<(), Refusal> {
        let value = self.layers.get("FEATURES")?.unwrap_or_default();
        let mut features: BTreeSet<String> = words(value).map(str::to_owned).collect();
        if features.contains("unknown-features-filter") {
            features.retain(|feature| features::is_known(self.layers.portage, feature));
        }
        if self.unprivileged_owner().is_some() {
            features.insert("unprivileged".to_owned());
        }
        let value = features.into_iter().collect::<Vec<_>>().join(" ");
        self.layers.env.set("FEATURES", value);
        Ok(())
    }

    /// Computes USE and what is made of flags, with the files that only they need.
    fn compute_use(&mut self) -> Result<(), Refusal> {
        self.flags.forced = self.flag_list("use.force")?;
        self.flags.masked = self.flag_list("use.mask")?;
        let mut conf = self.layers.conf.get("USE").cloned().unwrap_or_default();
        let own = join(&self.places.configroot, "etc/portage/package.use");
        for file in text::recursive_files(&self.files, &own)? {
            for line in self.files.lines(&file)? {
                if let ["*/*", flags @ ..] = list_words(&line).as_slice() {
                    conf.push_str(&flags_for_all(flags));
                }
            }
        }
        if let Some(use_) = &self.env_use {
            conf = format!("{conf} {use_}");
        }
        self.layers.conf.insert("USE".to_owned(), conf);
        self.layers.compute_use(&self.flags)?;
        let features = self.layers.get("FEATURES")?.unwrap_or_default();
        if words(features).any(|feature| feature == "test") {
            // Portage computes it again, from the result.
            self.layers
                .features
                .insert("USE".to_owned(), "test".to_owned());
            self.layers.compute_use(&self.flags)?;
        }
        Ok(())
    }

    /// The flags of a list file that every profile may have, stacked.
    fn flag_list(&self, file: &str) -> Result<BTreeSet<String>, Refusal> {
        let mut flags = BTreeSet::new();
        for profile in &self.profiles {
            let path = join(&profile.location, file);
            for entry in text::entries(&self.files, &path, profile.allows_directories)? {
                let gone = entry.strip_prefix('-');
                let flag = gone.unwrap_or(&entry);
                if !is_flag(flag) {
                    continue;
                }
                match gone {
                    Some(_) => flags.remove(flag),
                    None => flags.insert(flag.to_owned()),
                };
            }
        }
        Ok(flags)
    }
}

impl RootPaths {
    /// The variables that say where things are; they can be used in every file.
    fn variables(&self) -> [(&'static str, &str); 7] {
        [
            ("BROOT", &self.broot),
            ("EPREFIX", &self.eprefix),
            ("EROOT", &self.eroot),
            ("ESYSROOT", &self.esysroot),
            ("PORTAGE_CONFIGROOT", &self.configroot),
            ("ROOT", &self.root),
            ("SYSROOT", &self.sysroot),
        ]
    }
}

fn reading(allows_directories: bool) -> ReadMode {
    match allows_directories {
        true => ReadMode::Recursive,
        false => ReadMode::File,
    }
}

/// Reads make.conf from both of its places. Names that begin with two underscores stay inside.
fn read_conf(files: &SettingsFiles, paths: &[String], map: &mut Vars) -> Result<Vars, Refusal> {
    let mut all = Vars::new();
    for path in paths {
        all.extend(make_conf::read(files, path, ReadMode::Sourcing, map)?.unwrap_or_default());
    }
    all.retain(|name, _| !name.starts_with("__"));
    Ok(all)
}

/// Reads env.d: each variable from the machine's, from the target's, or from whichever has it.
fn read_env_d(files: &SettingsFiles, places: &RootPaths) -> Result<Vars, Refusal> {
    let broot = match places.broot.as_str() {
        "" => "/",
        broot => broot,
    };
    let of_machine = make_conf::read_raw(files, &join(broot, "etc/profile.env"))?;
    let of_target = make_conf::read_raw(files, &join(&places.eroot, "etc/profile.env"))?;
    let only_machine = |name: &str| ["PATH", "PREROOTPATH", "ROOTPATH"].contains(&name);
    let only_target = |name: &str| {
        let lists = [
            "CONFIG_PROTECT",
            "CONFIG_PROTECT_MASK",
            "INFODIR",
            "INFOPATH",
            "MANPATH",
        ];
        lists.contains(&name) || name.starts_with("PKG_CONFIG_")
    };
    let mut all: Vars = of_machine
        .into_iter()
        .filter(|(name, _)| !only_target(name))
        .collect();
    all.extend(
        of_target
            .into_iter()
            .filter(|(name, _)| !only_machine(name)),
    );
    Ok(all)
}

/// Reads the repositories, from the environment where it has them, and tells what PORTDIR and PORTDIR_OVERLAY name.
fn read_repos(
    files: &SettingsFiles,
    places: &RootPaths,
    layers: &mut Layers,
    early: &Vars,
) -> Result<(Repos, Vec<String>), Refusal> {
    let early_get = |name: &str| early.get(name).filter(|_| !name.starts_with("__"));
    let files_say = |name: &str| {
        let both = [layers.globals.get(name), early_get(name)];
        both.map(|value| value.cloned())
    };
    let [portdirs, overlays] = ["PORTDIR", "PORTDIR_OVERLAY"].map(files_say);
    let of_env = |name: &str| Ok::<_, Refusal>(layers.env.get(name)?.map(str::to_owned));
    let portdirs = portdirs.into_iter().chain([of_env("PORTDIR")?]);
    let overlays = overlays.into_iter().chain([of_env("PORTDIR_OVERLAY")?]);
    let each: Vec<_> = portdirs.zip(overlays).collect();
    let borrowed: Vec<_> = each
        .iter()
        .map(|(portdir, overlays)| (portdir.as_deref(), overlays.as_deref()))
        .collect();
    let mut named = NamedRepos::new(&borrowed)?;
    let known = named.known.clone();
    // Without a main repository it keeps what was set.
    let portdir = each
        .iter()
        .filter_map(|(portdir, _)| portdir.clone())
        .next_back();
    layers.env.set("PORTDIR", portdir.unwrap_or_default());
    let name = "PORTAGE_RSYNC_EXTRA_OPTS";
    let options = match layers.env.get(name)? {
        Some(options) => Some(options.to_owned()),
        None => early_get(name).or(layers.globals.get(name)).cloned(),
    };
    if let Some(options) = &options {
        layers.env.set(name, options.as_str());
    }
    let sources = match layers.env.get("PORTAGE_REPOSITORIES")? {
        Some(text) => {
            named = NamedRepos::default();
            vec![("PORTAGE_REPOSITORIES".to_owned(), text.into())]
        }
        None => repos_conf::sources(files, &places.global, &places.configroot)?,
    };
    let defaults = [
        ("EPREFIX", places.eprefix.as_str()),
        ("EROOT", &places.eroot),
        ("PORTAGE_CONFIGROOT", &places.configroot),
        ("ROOT", &places.root),
        (
            "sync-rsync-extra-opts",
            options.as_deref().unwrap_or_default(),
        ),
    ];
    let repos = Repos::read(files, &sources, &defaults, &places.eprefix, &named)?;
    Ok((repos, known))
}

/// Tells the variables that speak of repositories.
fn name_repositories(repos: &Repos, layers: &mut Layers, map: &mut Vars) -> Result<(), Refusal> {
    layers.settle("PORTAGE_REPOSITORIES", &repos.config_string());
    let main = repos.main().map(|repo| repo.location.as_str());
    if let Some(main) = main {
        layers.settle("PORTDIR", main);
        map.insert("PORTDIR".to_owned(), main.to_owned());
    }
    let mut others = repos.iter().filter(|repo| repo.is_there).peekable();
    let portdir = layers.env.get("PORTDIR")?;
    others.next_if(|first| Some(first.location.as_str()) == portdir);
    let quoted: Vec<String> = others.map(|repo| quote(&repo.location)).collect();
    let overlay = quoted.join(" ");
    layers.settle("PORTDIR_OVERLAY", &overlay);
    map.insert("PORTDIR_OVERLAY".to_owned(), overlay);
    Ok(())
}

/// Quotes a word as Python's `shlex.quote` does.
fn quote(word: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(is_safe) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\"'\"'")),
    }
}

/// The flags of a line of package.use, with its `NAME:` prefixes put in front.
fn flags_for_all(words: &[&str]) -> String {
    let mut flags = String::new();
    let mut prefix = String::new();
    for word in words {
        if let Some(name) = word.strip_suffix(':') {
            prefix = format!("{}_", name.to_lowercase());
            continue;
        }
        flags += &match word.strip_prefix('-') {
            Some(gone) => format!(" -{prefix}{gone}"),
            None => format!(" {prefix}{word}"),
        };
    }
    flags
}

/// Returns whether a word can be a USE flag.
fn is_flag(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+_@-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_go_in_front_of_flags() {
        assert_eq!(
            flags_for_all(&["a", "CPU_FLAGS:", "b", "-c", "D:", "d"]),
            " a cpu_flags_b -cpu_flags_c d_d"
        );
    }

    #[test]
    fn words_are_quoted_as_python_does() {
        for (word, wanted) in [
            ("/a/b", "/a/b"),
            ("/a b", "'/a b'"),
            ("it's", "'it'\"'\"'s'"),
        ] {
            assert_eq!(quote(word), wanted);
        }
    }
}
