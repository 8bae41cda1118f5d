//! Answers a query: reads the files in Portage's order and computes the final value of each variable.
//!
//! The answer is that of `portageq envvar` of the requested version of Portage, or a [`SettingsError`]. All files
//! are read below the given roots, and only the given environment counts.

use super::{
    agreed,
    error::SettingsError,
    features,
    make_conf::{self, ReadMode},
    path::{self, join},
    profile::{self, ProfileDirectory},
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

/// The directories that decide which settings are read, and the version of Portage.
///
/// Environment variables of the same names are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsRoots {
    /// The version of Portage whose answer is wanted.
    pub portage: Version,
    /// The prefix in which Portage itself is installed (BROOT in PMS); empty if it has none.
    pub broot: PathBuf,
    /// PORTAGE_CONFIGROOT: the directory above `etc/portage`; `None` for Portage's own.
    pub configroot: Option<PathBuf>,
    /// ROOT: the directory into which packages are merged; `None` leaves it to make.conf.
    pub root: Option<OsString>,
    /// SYSROOT: the directory against which they are built; `None` is `/`.
    pub sysroot: Option<OsString>,
    /// EPREFIX of the packages; `None` is Portage's own.
    pub eprefix: Option<OsString>,
}

impl SettingsRoots {
    /// Returns the roots of the host.
    pub fn host(broot: impl Into<PathBuf>) -> Self {
        Self {
            broot: broot.into(),
            ..Self::default()
        }
    }

    /// Returns the roots of a target with its own configuration directory.
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

/// Variables that are ignored in files and in the environment.
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

/// Banned variables that older versions accept.
const BANNED_LATER: [&str; 2] = ["PORTAGE_EBUILD_EXIT_FD", "PORTAGE_IPC_ALIVE_FD"];

/// The variable that the files of `env` may not set.
const GLOBAL_ONLY: &str = "CONFIG_PROTECT";

/// Variables that Portage computes from more than settings: its own paths, and commands that it looks up.
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

/// The commands that Portage splits into words. It fails if a quote is not closed.
const CHECKED_COMMANDS: [&str; 3] = [
    "PORTAGE_BZIP2_COMMAND",
    "PORTAGE_BUNZIP2_COMMAND",
    "PORTAGE_LOG_FILTER_FILE_CMD",
];

/// Returns the values that `portageq envvar` would print, without starting it. A variable that is not set is empty.
///
/// # Errors
///
/// A [`SettingsError`] if a file, the environment or a name is not fully understood.
pub fn read(roots: &SettingsRoots, env: &Env, names: &[&str]) -> Result<Settings, SettingsError> {
    check_names(names)?;
    Evaluation::new(&SharedFiles::default(), roots, env)?.finish(names)
}

/// Reads like [`read`], but shares files with other queries. If DEFAULT_ABI is queried, the answer also contains
/// `LIBDIR_<abi>` of that ABI, if it is known.
pub(super) fn read_with(
    shared: &SharedFiles,
    roots: &SettingsRoots,
    env: &Env,
    names: &[&str],
) -> Result<Settings, SettingsError> {
    check_names(names)?;
    let mut evaluation = Evaluation::new(shared, roots, env)?;
    let mut settings = evaluation.finish(names)?;
    settings.extend(evaluation.library_directory(&settings, env)?);
    Ok(settings)
}

/// Checks that the values of the variables come from files.
fn check_names(names: &[&str]) -> Result<(), SettingsError> {
    let is_known = |name: &&&str| {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_plain && !COMPUTED.contains(name) && !name.starts_with("PYTHON") && !name.is_empty()
    };
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(SettingsError::query(format!(
            "only Portage itself can compute `{name}`"
        ))),
        None => Ok(()),
    }
}

/// Reads like [`read`], and also returns a hash of everything that the values depend on: files, the names in
/// `etc/portage`, and environment variables.
pub(super) fn read_with_fingerprint(
    roots: &SettingsRoots,
    env: &Env,
    names: &[&str],
) -> Result<(Settings, Sha256), SettingsError> {
    let mut evaluation = Evaluation::new(&SharedFiles::default(), roots, env)?;
    let settings = evaluation.finish(names)?;
    let mut hash = Sha256::new();
    agreed::add(&mut hash, format!("{roots:?}").as_bytes());
    for (name, value) in &settings {
        agreed::add(&mut hash, name.as_bytes());
        agreed::add(&mut hash, value.as_bytes());
    }
    // A newer Portage may read files that crossmerge does not know.
    for directory in [
        join(&evaluation.places.configroot, "etc/portage"),
        evaluation.places.global.clone(),
    ] {
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names: BTreeSet<OsString> = entries.map(|entry| entry.file_name()).collect();
        agreed::add(&mut hash, directory.as_bytes());
        for name in names {
            agreed::add(&mut hash, name.as_bytes());
        }
    }
    evaluation.files.add_to(&mut hash);
    evaluation.layers.env.add_to(&mut hash);
    Ok((settings, hash))
}

/// The directories below which all files are, in Portage's spelling: a root ends in a slash, a prefix does not.
#[derive(Debug)]
struct RootPaths {
    broot: String,
    configroot: String,
    eprefix: String,
    sysroot: String,
    root: String,
    eroot: String,
    esysroot: String,
    /// The directory of make.globals and of Portage's own repos.conf.
    global: String,
}

/// Settings being computed: the files that were read, and their layers.
#[derive(Debug)]
struct Evaluation<'e> {
    files: SettingsFiles,
    places: RootPaths,
    layers: Layers<'e>,
    profiles: Vec<ProfileDirectory>,
    flags: UseFlags,
    /// The variables with which `env` files are expanded.
    map: Vars,
    /// USE of the `env` files for all packages.
    env_use: Option<String>,
}

impl RootPaths {
    /// Finds the directories that do not depend on ROOT.
    fn new(files: &SettingsFiles, roots: &SettingsRoots) -> Result<Self, SettingsError> {
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
            return Err(SettingsError::file(
                &configroot,
                "is not a directory, so Portage fails",
            ));
        }
        Ok(Self {
            global: global(files, &broot)?,
            broot,
            configroot,
            eprefix,
            sysroot,
            root: String::new(),
            eroot: String::new(),
            esysroot: String::new(),
        })
    }

    /// Finds the directories that depend on ROOT, which make.conf may set.
    fn set_root(
        &mut self,
        roots: &SettingsRoots,
        in_conf: Option<&str>,
    ) -> Result<(), SettingsError> {
        let root = match &roots.root {
            Some(root) => path::text("ROOT", root)?,
            None => in_conf
                .filter(|root| !strip(root).is_empty())
                .unwrap_or_default(),
        };
        self.root = path::root("ROOT", root)?;
        if self.root == "/" && self.sysroot != "/" {
            return Err(SettingsError::query(format!(
                "SYSROOT is `{}` and ROOT is `/`, so Portage fails",
                self.sysroot
            )));
        }
        let is_known = self.root == "/" || self.root == self.configroot;
        if !is_known && !path::is_dir(&self.root)? {
            return Err(SettingsError::file(
                &self.root,
                "is ROOT and not a directory; Portage creates it",
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
        // Portage keeps its settings by EROOT, and also reads those of the host.
        let is_host = self.root == "/" && self.eprefix == self.broot;
        let others = [format!("{}/", self.broot), self.sysroot.clone()];
        let has_third = self.sysroot != "/" && self.sysroot != self.root;
        if !is_host && (self.eroot == others[0] || has_third && self.eroot == others[1]) {
            return Err(SettingsError::query(format!(
                "`{}` is the EROOT of both the target and the host, and Portage confuses the two",
                self.eroot
            )));
        }
        Ok(())
    }
}

/// Finds Portage's own configuration: under `usr` if it was installed by a distribution, or directly below the prefix
/// if pip installed it.
fn global(files: &SettingsFiles, broot: &str) -> Result<String, SettingsError> {
    let places = ["/usr/share/portage/config", "/share/portage/config"];
    let mut found = Vec::new();
    for place in places {
        let place = format!("{broot}{place}");
        if files.exists(&join(&place, "make.globals"))? {
            found.push(place);
        }
    }
    match found.as_slice() {
        [place] => Ok(place.clone()),
        [place, other] if path::same_file(place, other) => Ok(place.clone()),
        [place, ..] => Err(SettingsError::file(
            place,
            "exists twice, below `usr` and directly below the prefix",
        )),
        [] => Err(SettingsError::file(
            &format!("{broot}{}/make.globals", places[0]),
            "does not exist: Portage is installed in an unknown way",
        )),
    }
}

impl<'e> Evaluation<'e> {
    /// Reads every file on which any variable depends. The order is that of Portage's `config.__init__`: a file may use
    /// the variables of all files before it.
    fn new(
        shared: &SharedFiles,
        roots: &SettingsRoots,
        env: &'e Env,
    ) -> Result<Self, SettingsError> {
        let files = SettingsFiles::sharing(roots.portage, shared);
        let mut places = RootPaths::new(&files, roots)?;
        // The administrator of the host is responsible for its settings. Portage runs code in them, also as root.
        let files = match roots.configroot {
            Some(_) => files.of_configroot(&places.configroot),
            None => files,
        };
        let conf_paths = conf_paths(&files, &places)?;

        // The first reading is only for ROOT and the few settings on which the repositories depend.
        let mut early = Vars::new();
        read_conf(&files, &conf_paths, &mut early)?;
        let in_conf = early.get("ROOT").map(String::as_str);
        places.set_root(roots, in_conf)?;

        let env_d = read_env_d(&files, &places)?;
        let mut map = env_d.clone();
        for (name, value) in places.variables() {
            map.insert(name.to_owned(), value.to_owned());
        }
        let globals = read_globals(&files, &places, &mut map)?;

        let mut backup = EnvLayer::new(env);
        for (name, value) in &env_d {
            if backup.get(name)? == Some(value) {
                backup.unset(name.clone());
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
        check_repository_defaults(&files, &repos, &layers.globals)?;
        let make_defaults = read_profile_defaults(&files, &profiles, &mut map)?;
        layers.defaults = stacked_defaults(roots.portage, &make_defaults);
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

    /// Computes the values from the layers.
    fn finish(&mut self, names: &[&str]) -> Result<Settings, SettingsError> {
        let banned = self.ban();
        for (name, value) in self.places.variables() {
            self.layers.settle(name, value);
        }
        self.layers
            .settle("PORTAGE_OVERRIDE_EPREFIX", &self.places.broot);
        self.check_settings_for_all_packages(names)?;
        self.read_env_for_all_packages(&banned)?;
        self.settle_defaults()?;

        self.layers.stack()?;
        self.layers.gather_profile_flags(&self.flags)?;
        let of_flags = self.of_flags()?;
        if names.iter().any(|name| of_flags.contains(*name)) {
            self.compute_use()?;
        }
        self.check_patterns()?;
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
                return Err(SettingsError::query(format!("{name} contains quotes")));
            }
        }
        if self.layers.get("PKGDIR")?.is_none() {
            return Err(SettingsError::query("PKGDIR is not set, so Portage fails"));
        }
        names
            .iter()
            .map(|name| {
                let value = self.layers.get(name)?.unwrap_or_default();
                Ok(((*name).to_owned(), value.to_owned()))
            })
            .collect()
    }

    /// Returns the library directory of the default ABI, with the name of its variable. Returns `None` if the ABI was
    /// not queried, if the variable is computed from USE flags, which were not computed for it, or if the environment
    /// sets it: a query for it would unset it first.
    fn library_directory(
        &self,
        settings: &Settings,
        env: &Env,
    ) -> Result<Option<(String, String)>, SettingsError> {
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

    /// Returns the variables whose values are computed from USE flags.
    fn of_flags(&self) -> Result<BTreeSet<String>, SettingsError> {
        let mut of_flags = BTreeSet::from(["USE".to_owned()]);
        for name in ["USE_EXPAND", "USE_EXPAND_UNPREFIXED"] {
            let value = self.layers.get(name)?.unwrap_or_default();
            of_flags.extend(words(value).map(str::to_owned));
        }
        Ok(of_flags)
    }

    /// Removes the variables that users may not set; returns their names.
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
            // It stays in the environment layer `env`: Portage removes it only from `backup`.
            self.layers.backup.unset(name.clone());
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

    /// Applies the `*/*` lines of package.env. Each names files of `env`, which are read after make.conf and in the
    /// same way.
    fn read_env_for_all_packages(
        &mut self,
        banned: &BTreeSet<String>,
    ) -> Result<(), SettingsError> {
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
            // Portage skips a missing file with a message.
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
        // The flags of package.use come before these, so they are added when USE is computed.
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

    /// Checks that no file of the user sets one of the variables for every package.
    fn check_settings_for_all_packages(&self, names: &[&str]) -> Result<(), SettingsError> {
        let own = join(&self.places.configroot, "etc/portage");
        let mut lookups = Vec::new();
        for (file, name) in [
            ("package.properties", "ACCEPT_PROPERTIES"),
            ("package.accept_restrict", "ACCEPT_RESTRICT"),
            ("package.license", "ACCEPT_LICENSE"),
        ] {
            lookups.push((join(&own, file), name));
        }
        for profile in self.profiles.iter().filter(|profile| profile.sets_licenses) {
            let file = join(&profile.location, "package.license");
            lookups.push((file, "ACCEPT_LICENSE"));
        }
        for (path, name) in lookups {
            if !names.contains(&name) {
                continue;
            }
            for file in text::recursive_files(&self.files, &path)? {
                let lines = self.files.lines(&file)?;
                let is_for_all = |line: &String| list_words(line).first() == Some(&"*/*");
                if let Some(line) = lines.iter().position(is_for_all) {
                    return Err(SettingsError::line(
                        &file,
                        line + 1,
                        "sets a value for `*/*`",
                    ));
                }
            }
        }
        Ok(())
    }

    /// Checks the words that Portage inserts into a regular expression without quoting: it may fail on some.
    fn check_patterns(&self) -> Result<(), SettingsError> {
        let hidden = self.layers.get("USE_EXPAND_HIDDEN")?.unwrap_or_default();
        let arch = self.layers.defaults.get("ARCH").map_or("", String::as_str);
        for word in words(hidden).chain([arch]) {
            if word.contains(|c: char| r"\.^$*+?{}[]()|".contains(c)) {
                return Err(SettingsError::query(format!(
                    "Portage reads `{word}` in USE_EXPAND_HIDDEN or ARCH as a regular expression"
                )));
            }
        }
        Ok(())
    }

    /// Sets Portage's defaults for variables that are not set.
    fn settle_defaults(&mut self) -> Result<(), SettingsError> {
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

    /// Returns the owner and group of EROOT if an ordinary user runs crossmerge and may write there: Portage then works
    /// with their permissions.
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

    /// Computes the final FEATURES.
    fn settle_features(&mut self) -> Result<(), SettingsError> {
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

    /// Computes USE and the variables that depend on USE flags, with the files that only these need.
    fn compute_use(&mut self) -> Result<(), SettingsError> {
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
            // Portage computes USE again, from the result.
            self.layers
                .features
                .insert("USE".to_owned(), "test".to_owned());
            self.layers.compute_use(&self.flags)?;
        }
        Ok(())
    }

    /// Returns the flags in a list file of all profiles, combined.
    fn flag_list(&self, file: &str) -> Result<BTreeSet<String>, SettingsError> {
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
    /// Returns the variables that contain these directories. Every file may refer to them.
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

/// Reads make.conf from both of its paths. Names that begin with two underscores are local to the file.
fn read_conf(
    files: &SettingsFiles,
    paths: &[String],
    map: &mut Vars,
) -> Result<Vars, SettingsError> {
    let mut all = Vars::new();
    for path in paths {
        all.append(&mut make_conf::read(files, path, ReadMode::Sourcing, map)?.unwrap_or_default());
    }
    all.retain(|name, _| !name.starts_with("__"));
    Ok(all)
}

/// Returns the paths of make.conf. If both lead to the same file, Portage reads it only once.
fn conf_paths(files: &SettingsFiles, places: &RootPaths) -> Result<Vec<String>, SettingsError> {
    let mut paths = vec![
        join(&places.configroot, "etc/make.conf"),
        join(&places.configroot, "etc/portage/make.conf"),
    ];
    if files.exists(&paths[0])? && path::same_file(&paths[0], &paths[1]) {
        paths.pop();
    }
    Ok(paths)
}

/// Reads make.globals, and adds the defaults that Portage's code contains.
fn read_globals(
    files: &SettingsFiles,
    places: &RootPaths,
    map: &mut Vars,
) -> Result<Vars, SettingsError> {
    let path = join(&places.global, "make.globals");
    let mut globals = make_conf::read(files, &path, ReadMode::File, map)?.unwrap_or_default();
    for (name, value) in [
        ("ACCEPT_PROPERTIES", "*"),
        ("PORTAGE_BZIP2_COMMAND", "bzip2"),
    ] {
        globals.entry(name.to_owned()).or_insert(value.to_owned());
    }
    Ok(globals)
}

/// Checks that `profiles/make.defaults` of each repository can be read. Its values are not used, but Portage fails if it
/// cannot read the file.
fn check_repository_defaults(
    files: &SettingsFiles,
    repos: &Repos,
    globals: &Vars,
) -> Result<(), SettingsError> {
    for repo in repos.iter() {
        let file = join(&repo.location, "profiles/make.defaults");
        if !files.exists(&file)? {
            continue;
        }
        let mode = reading(repo.layout.allows_directories);
        make_conf::read(files, &file, mode, &mut globals.clone())?;
    }
    Ok(())
}

/// Reads make.defaults of each directory of the profile.
fn read_profile_defaults(
    files: &SettingsFiles,
    profiles: &[ProfileDirectory],
    map: &mut Vars,
) -> Result<Vec<Vars>, SettingsError> {
    let mut make_defaults = Vec::new();
    for profile in profiles {
        for file in ["use.force", "use.mask"] {
            let file = join(&profile.location, file);
            if !profile.allows_directories && path::is_dir(&file)? {
                return Err(SettingsError::file(
                    &file,
                    "is a directory, so Portage fails",
                ));
            }
        }
        map.remove("USE");
        let file = join(&profile.location, "make.defaults");
        let vars = make_conf::read(files, &file, reading(profile.allows_directories), map)?;
        make_defaults.push(vars.unwrap_or_default());
    }
    Ok(make_defaults)
}

/// Combines make.defaults of all directories of the profile. A later value replaces an earlier one, or is appended to it
/// if the variable is incremental.
fn stacked_defaults(portage: Version, make_defaults: &[Vars]) -> Vars {
    let mut stacked = Vars::new();
    for (name, value) in make_defaults.iter().flatten() {
        match stacked.get_mut(name) {
            Some(before) if is_incremental(portage, name) => {
                before.push(' ');
                before.push_str(value);
            }
            _ => {
                stacked.insert(name.clone(), value.clone());
            }
        }
    }
    stacked
}

/// Reads `etc/profile.env`, which env-update generates from env.d. Portage takes some variables only from the host's
/// file and some only from the target's. For the others, the target's value overrides the host's.
fn read_env_d(files: &SettingsFiles, places: &RootPaths) -> Result<Vars, SettingsError> {
    let broot = match places.broot.as_str() {
        "" => "/",
        broot => broot,
    };
    let of_host = make_conf::read_raw(files, &join(broot, "etc/profile.env"))?;
    let of_target = make_conf::read_raw(files, &join(&places.eroot, "etc/profile.env"))?;
    let only_host = |name: &str| ["PATH", "PREROOTPATH", "ROOTPATH"].contains(&name);
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
    let mut all: Vars = of_host
        .into_iter()
        .filter(|(name, _)| !only_target(name))
        .collect();
    all.extend(of_target.into_iter().filter(|(name, _)| !only_host(name)));
    Ok(all)
}

/// Reads the repositories: from PORTAGE_REPOSITORIES if the environment sets it, else from repos.conf. Also returns
/// every path that PORTDIR and PORTDIR_OVERLAY name.
fn read_repos(
    files: &SettingsFiles,
    places: &RootPaths,
    layers: &mut Layers,
    early: &Vars,
) -> Result<(Repos, Vec<String>), SettingsError> {
    let early_get = |name: &str| early.get(name).filter(|_| !name.starts_with("__"));
    let in_files = |name: &str| {
        let both = [layers.globals.get(name), early_get(name)];
        both.map(|value| value.cloned())
    };
    let [portdirs, overlays] = ["PORTDIR", "PORTDIR_OVERLAY"].map(in_files);
    let of_env = |name: &str| Ok::<_, SettingsError>(layers.env.get(name)?.map(str::to_owned));
    let portdirs = portdirs.into_iter().chain([of_env("PORTDIR")?]);
    let overlays = overlays.into_iter().chain([of_env("PORTDIR_OVERLAY")?]);
    let each: Vec<_> = portdirs.zip(overlays).collect();
    let borrowed: Vec<_> = each
        .iter()
        .map(|(portdir, overlays)| (portdir.as_deref(), overlays.as_deref()))
        .collect();
    let mut named = NamedRepos::new(&borrowed)?;
    let known = named.known.clone();
    // Without a main repository, PORTDIR keeps the value that was set.
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

/// Sets the variables that describe the repositories.
fn name_repositories(
    repos: &Repos,
    layers: &mut Layers,
    map: &mut Vars,
) -> Result<(), SettingsError> {
    layers.settle("PORTAGE_REPOSITORIES", &repos.config_string());
    let main = repos.main().map(|repo| repo.location.as_str());
    if let Some(main) = main {
        layers.settle("PORTDIR", main);
        map.insert("PORTDIR".to_owned(), main.to_owned());
    }
    let mut others = repos.iter().filter(|repo| repo.exists).peekable();
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

/// Returns the flags of a line of package.use, with the `NAME:` prefixes applied.
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
