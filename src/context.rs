//! The context: all lookups on the system that a plan depends on.
//!
//! An expensive lookup, such as a query to portageq, is made once, when a layer first needs it. Layers and plans access
//! the system only through the context.

use crate::{
    config::{Config, ConfigError, TargetConfig, ToolchainKind},
    distribution::Distribution,
    target::Target,
};
use crossmerge_plan::{
    env::{self, Env, Variable},
    passes_on,
    plan::{Changes, Plan},
    report::{self, Explain},
    tuple::Tuple,
    words::quote,
};
use crossmerge_portage as portage;
use crossmerge_portage::{
    CompareError, PortageError, Repositories, Settings, SettingsQuery, SettingsReader, installed,
    refusal::Refusal, version::Version,
};
use crossmerge_system::{
    exec,
    file::{below, is_executable, own_directory},
    search::{self, SearchError},
};
use once_cell::unsync::OnceCell;
use sha2::{Digest, Sha256};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Everything known about this invocation other than its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment.
    pub env: Env,
    /// The configuration.
    pub config: Config,
    /// The configuration of the target.
    pub settings: TargetConfig,
    /// The tuple of the target.
    pub tuple: Tuple,
    portageq: OnceCell<Option<PathBuf>>,
    reader: OnceCell<Result<SettingsReader, Refusal>>,
    portage: OnceCell<Portage>,
    target: OnceCell<Target>,
}

/// Portage's settings for the host and for the target.
#[derive(Debug, Clone, Default)]
pub struct Portage {
    host: Settings,
    target: Settings,
}

/// Why a lookup failed.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Portage's settings could not be obtained.
    #[error(transparent)]
    Portage(#[from] PortageError),
    /// The command takes its tuple from CHOST, and CHOST is not set.
    #[error("`{name}` takes its tuple from CHOST, which is not set")]
    NoChost {
        /// The name of the command.
        name: String,
    },
    /// CHOST does not contain a valid tuple.
    #[error("CHOST in the environment: {0}")]
    Chost(crossmerge_plan::tuple::TupleError),
    /// The sysroot does not exist.
    #[error("the sysroot `{sysroot}` of `{tuple}` does not exist", sysroot = .sysroot.display())]
    NoSysroot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the sysroot.
        sysroot: PathBuf,
        /// Whether the path comes from SYSROOT in the environment.
        from_environment: bool,
    },
    /// An environment variable for a directory contains a relative path, which each program would resolve from its own
    /// working directory.
    #[error("{variable} is `{value}`, which is not an absolute path", value = .value.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: PathBuf,
    },
    /// The sysroot is the host's root, so packages for the target would overwrite those of the host.
    #[error("the sysroot `{sysroot}` of `{tuple}` is the host's own root", sysroot = .sysroot.display())]
    HostRoot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the sysroot.
        sysroot: PathBuf,
        /// Whether the path comes from SYSROOT in the environment.
        from_environment: bool,
    },
    /// ROOT is the host's root, so packages for the target would overwrite those of the host.
    #[error("ROOT is `{root}`, the host's own root: packages for `{tuple}` would be merged into it", root = .root.display())]
    HostIsRoot {
        /// The tuple.
        tuple: Tuple,
        /// ROOT in the environment.
        root: PathBuf,
    },
    /// The directory of the target's Portage configuration does not exist.
    #[error("the directory `{configroot}`, which should contain `etc/portage` of `{tuple}`, does not exist", configroot = .configroot.display())]
    NoConfigroot {
        /// The tuple.
        tuple: Tuple,
        /// The path of the directory.
        configroot: PathBuf,
        /// The environment variable that determines the path.
        variable: &'static str,
    },
    /// A program was not found in PATH.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Explain for ContextError {
    passes_on!(Config, Portage, Chost);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NoChost { .. } => {
                "call it as `CHOST=<tuple> …`, or by the name `<tuple>-emerge`".into()
            }
            Self::NoSysroot {
                from_environment: true,
                ..
            }
            | Self::HostRoot {
                from_environment: true,
                ..
            } => "SYSROOT in the environment names it: `unset SYSROOT`".into(),
            Self::Relative { variable, value } => format!(
                "`unset {variable}`, or set the absolute path: `export {variable}={}`",
                quote(
                    std::path::absolute(value)
                        .unwrap_or_else(|_| value.clone())
                        .as_os_str()
                )
            ),
            Self::HostRoot { tuple, .. } => {
                format!("use another directory: `crossmerge init {tuple} --sysroot DIR`")
            }
            Self::NoSysroot { tuple, .. } => format!("make it with `crossmerge init {tuple}`"),
            Self::HostIsRoot { .. } => {
                "`unset ROOT`, or name a directory for the target: `export ROOT=/mnt/board`".into()
            }
            Self::NoConfigroot { variable, .. } => {
                format!("{variable} in the environment names it: `unset {variable}`")
            }
            Self::Search(SearchError::NoTool { program }) => Distribution::here().hint(program),
            Self::Search(SearchError::NotExecutable { path }) => {
                format!("`chmod +x {}`", path.display())
            }
            _ => return None,
        })
    }

    fn own_exit_code(&self) -> u8 {
        match self {
            Self::Search(e) => e.exit_code(),
            _ => report::OWN_FAILURE,
        }
    }
}

impl Context {
    /// Creates the context and reads the configuration of the tuple.
    pub fn new(mut env: Env, config: Config, tuple: Tuple) -> Result<Self, ContextError> {
        forget_another_target(&mut env, &config, &tuple)?;
        let settings = config.target(&tuple)?;
        Ok(Self {
            env,
            config,
            settings,
            tuple,
            portageq: OnceCell::new(),
            reader: OnceCell::new(),
            portage: OnceCell::new(),
            target: OnceCell::new(),
        })
    }

    /// The sysroot: SYSROOT in the environment, else the configured path, else `<BROOT>/usr/<tuple>`.
    pub fn sysroot(&self) -> PathBuf {
        match self.env.get(env::SYSROOT) {
            Some(sysroot) => sysroot.into(),
            None => self.own_sysroot(),
        }
    }

    /// The target's own sysroot: the configured path, else the default. SYSROOT in the environment does not apply.
    pub(crate) fn own_sysroot(&self) -> PathBuf {
        let configured = self.settings.sysroot.clone();
        configured.unwrap_or_else(|| self.default_sysroot())
    }

    /// `<BROOT>/usr/<tuple>`, the default sysroot, as in crossdev.
    pub fn default_sysroot(&self) -> PathBuf {
        self.config.default_sysroot(&self.tuple)
    }

    /// The sysroot, which has to exist and must not be the host's root.
    pub fn existing_sysroot(&self) -> Result<PathBuf, ContextError> {
        let sysroot = self.usable_sysroot()?;
        match sysroot.is_dir() {
            true => Ok(sysroot),
            false => Err(self.no_sysroot(sysroot)),
        }
    }

    /// The sysroot for a build. Checks the paths in SYSROOT, ROOT and PORTAGE_CONFIGROOT. The target's own sysroot may
    /// be missing, because some compilers bring a libc along.
    pub fn usable_sysroot(&self) -> Result<PathBuf, ContextError> {
        self.check_chosen_sysroot()?;
        self.named_root()?;
        if self.env.get(env::PORTAGE_CONFIGROOT).is_some() {
            self.existing_configroot()?;
        }
        self.foreign_sysroot()
    }

    /// Checks that SYSROOT, if it is set, is the absolute path of a directory.
    pub fn check_chosen_sysroot(&self) -> Result<(), ContextError> {
        let Some(sysroot) = self.env.get(env::SYSROOT) else {
            return Ok(());
        };
        absolute(env::SYSROOT, sysroot)?;
        match Path::new(sysroot).is_dir() {
            true => Ok(()),
            false => Err(self.no_sysroot(sysroot.into())),
        }
    }

    /// ROOT in the environment, which has to be an absolute path. `None` if it is not set.
    pub fn named_root(&self) -> Result<Option<PathBuf>, ContextError> {
        let root = self.env.get(env::ROOT);
        root.map(|root| absolute(env::ROOT, root).map(|()| root.into()))
            .transpose()
    }

    /// ROOT in the environment, which must not be the host's root. `None` if it is not set.
    pub fn chosen_root(&self) -> Result<Option<PathBuf>, ContextError> {
        match self.named_root()? {
            Some(root) if self.config.is_own_root(&root) => Err(ContextError::HostIsRoot {
                tuple: self.tuple.clone(),
                root,
            }),
            root => Ok(root),
        }
    }

    /// Returns the error for a sysroot that does not exist.
    pub(crate) fn no_sysroot(&self, sysroot: PathBuf) -> ContextError {
        ContextError::NoSysroot {
            tuple: self.tuple.clone(),
            sysroot,
            from_environment: self.env.get(env::SYSROOT).is_some(),
        }
    }

    /// The sysroot, whether it exists or not. It must not be the host's root.
    pub fn foreign_sysroot(&self) -> Result<PathBuf, ContextError> {
        let sysroot = self.sysroot();
        match self.config.is_own_root(&sysroot) {
            false => Ok(sysroot),
            true => Err(ContextError::HostRoot {
                tuple: self.tuple.clone(),
                sysroot,
                from_environment: self.env.get(env::SYSROOT).is_some(),
            }),
        }
    }

    /// EPREFIX in the environment, else empty, because a cross target usually has no prefix.
    pub fn eprefix(&self) -> OsString {
        self.env.get(env::EPREFIX).unwrap_or_default().to_owned()
    }

    /// PORTAGE_CONFIGROOT in the environment, else `$SYSROOT$EPREFIX`.
    pub fn configroot(&self) -> PathBuf {
        match self.env.get(env::PORTAGE_CONFIGROOT) {
            Some(configroot) => configroot.into(),
            None => {
                let mut configroot = self.sysroot().into_os_string();
                configroot.push(self.eprefix());
                configroot.into()
            }
        }
    }

    /// PORTAGE_CONFIGROOT, which has to exist.
    pub fn existing_configroot(&self) -> Result<PathBuf, ContextError> {
        if let Some(configroot) = self.env.get(env::PORTAGE_CONFIGROOT) {
            absolute(env::PORTAGE_CONFIGROOT, configroot)?;
        }
        let configroot = self.configroot();
        if configroot.is_dir() {
            return Ok(configroot);
        }
        let variable = match self.env.get(env::PORTAGE_CONFIGROOT) {
            Some(_) => env::PORTAGE_CONFIGROOT,
            None => env::EPREFIX,
        };
        Err(ContextError::NoConfigroot {
            tuple: self.tuple.clone(),
            configroot,
            variable: variable.name,
        })
    }

    /// Portage's settings for the host and the target. Empty if Portage is not installed. Those of the target are
    /// empty if its configuration root does not exist.
    pub fn portage(&self) -> Result<&Portage, ContextError> {
        self.portage.get_or_try_init(|| {
            let Some(portageq) = self.portageq() else {
                return Ok(Portage::default());
            };
            let mut queries = vec![self.host_query(portageq, portage::BUILD)];
            let configroot = self.configroot();
            if configroot.is_dir() {
                queries.push(self.target_query(portageq, &configroot, portage::TARGET));
            }
            let mut answers = self.ask(&queries)?.into_iter();
            Ok(Portage {
                host: answers.next().unwrap_or_default(),
                target: answers.next().unwrap_or_default(),
            })
        })
    }

    /// Settings of the host. `None` if Portage is not installed.
    pub fn host_settings(&self, names: &[&str]) -> Result<Option<Settings>, ContextError> {
        let portage = self.portage.get();
        if let Some(known) = portage.and_then(|portage| known(&portage.host, names)) {
            return Ok(Some(known));
        }
        let query = self
            .portageq()
            .map(|portageq| self.host_query(portageq, names));
        self.answer(query)
    }

    /// Settings from the configuration root of the target or another one. `None` if Portage is not installed.
    pub fn settings_below(
        &self,
        configroot: &Path,
        names: &[&str],
    ) -> Result<Option<Settings>, ContextError> {
        let portageq = self.portageq();
        let query = portageq.map(|portageq| self.target_query(portageq, configroot, names));
        self.answer(query)
    }

    /// Settings of the target, if crossmerge can read them itself. Never starts portageq: this is for commands that
    /// builds call thousands of times and that work without these settings.
    pub fn read_target_settings(&self, names: &[&str]) -> Option<Settings> {
        let configroot = self.configroot();
        configroot
            .join("etc/portage/make.profile")
            .exists()
            .then_some(())?;
        let portage = self.portage.get();
        if let Some(known) = portage.and_then(|portage| known(&portage.target, names)) {
            return Some(known);
        }
        let query = self.target_query(Path::new("portageq"), &configroot, names);
        query.read(&self.env, self.reader().ok()?).ok()
    }

    /// CBUILD in the environment, else in the target's make.conf. Cheaper than [`Context::cbuild`], which evaluates all
    /// settings of the host, and sufficient for a preference.
    pub fn quick_cbuild(&self) -> Option<String> {
        match self.env.get(env::CBUILD) {
            Some(cbuild) => cbuild.to_str().map(str::to_owned),
            None => portage::make_conf_value(&self.configroot(), env::CBUILD.name),
        }
        .filter(|cbuild| !cbuild.is_empty())
    }

    /// The ebuild repositories of the host. `None` if Portage is not installed.
    pub fn repositories(&self) -> Result<Option<Repositories>, ContextError> {
        const NAME: &str = "PORTAGE_REPOSITORIES";
        let settings = self.host_settings(&[NAME])?;
        Ok(settings.map(|settings| Repositories::parse(&settings[NAME])))
    }

    /// The reasons for which portageq is asked for settings of the host or the target, because crossmerge does not
    /// read them itself.
    pub fn refusals(&self) -> Vec<Refusal> {
        let Some(portageq) = self.portageq() else {
            return Vec::new();
        };
        let reader = match self.reader() {
            Ok(reader) => reader,
            Err(why) => return vec![why.clone()],
        };
        let queries = [
            self.host_query(portageq, portage::BUILD),
            self.host_query(portageq, portage::INIT),
            self.target_query(portageq, &self.configroot(), portage::TARGET),
        ];
        let answers = queries.iter().map(|query| query.read(&self.env, reader));
        answers.filter_map(Result::err).collect()
    }

    /// The reason for which crossmerge does not read the settings of a configuration root itself. `None` if it does.
    pub fn refusal_below(&self, configroot: &Path, names: &[&str]) -> Option<Refusal> {
        let query = self.target_query(Path::new("portageq"), configroot, names);
        match self.reader() {
            Ok(reader) => query.read(&self.env, reader).err(),
            Err(why) => Some(why.clone()),
        }
    }

    /// Compares the settings that crossmerge reads with the output of portageq, for the host and, if it is configured,
    /// the target. Records that they agree. Returns the version of Portage and the first difference. `None` if
    /// crossmerge does not read settings itself, or its tests have proven that it agrees with this version.
    pub fn compare_settings(&self) -> Option<(Version, Result<(), String>)> {
        let reader = self.reader().ok()?;
        let version = reader.portage.version;
        let portageq = self.portageq().filter(|_| !version.is_proven())?;
        let configroot = self.configroot();
        let mut queries = vec![self.host_query(portageq, &[])];
        if configroot.join("etc/portage/make.profile").exists() {
            queries.push(self.target_query(portageq, &configroot, &[]));
        }
        let mut seals = Vec::new();
        for query in queries {
            match query.compare(&self.env, &reader.portage) {
                Ok(Ok(seal)) => seals.push(seal),
                Ok(Err(difference)) => return Some((version, Err(difference))),
                Err(refused @ (CompareError::Reading(_) | CompareError::Portage(_))) => {
                    return Some((version, Err(refused.to_string())));
                }
            }
        }
        let state = self.config.state_directory();
        let recorded = reader.clone().agree(&state, seals);
        let recorded =
            recorded.map_err(|e| format!("`{}` cannot be written: {e}", state.display()));
        Some((version, recorded))
    }

    fn portageq(&self) -> Option<&Path> {
        let find = || self.find_program(OsStr::new("portageq")).ok();
        self.portageq.get_or_init(find).as_deref()
    }

    fn host_query(&self, portageq: &Path, names: &[&str]) -> SettingsQuery {
        SettingsQuery::host(portageq, &self.config.broot, names)
    }

    fn target_query(&self, portageq: &Path, configroot: &Path, names: &[&str]) -> SettingsQuery {
        let broot = &self.config.broot;
        SettingsQuery::target(portageq, broot, names, configroot, self.eprefix())
    }

    fn ask(&self, queries: &[SettingsQuery]) -> Result<Vec<Settings>, PortageError> {
        portage::ask(&self.env, self.reader().ok(), queries)
    }

    /// The reader of settings, which replaces portageq, or the reason for which it cannot be used.
    fn reader(&self) -> Result<&SettingsReader, &Refusal> {
        let find = || {
            if let Some(why) = self.reason_to_ask() {
                return Err(why);
            }
            let missing = || Refusal::question("there is no portageq in PATH");
            let portageq = self.portageq().ok_or_else(missing)?;
            let portage = installed::find(portageq, &self.env)?;
            Ok(SettingsReader::new(portage, &self.config.state_directory()))
        };
        self.reader.get_or_init(find).as_ref()
    }

    /// The reason for which portageq has to be asked: the user configured it, or the portageq in PATH belongs to
    /// another Portage than the one in BROOT, whose files crossmerge would read. `None` if there is none.
    fn reason_to_ask(&self) -> Option<Refusal> {
        if self.config.ask_portageq {
            return Some(Refusal::question(
                "`ask_portageq` is set in crossmerge.toml",
            ));
        }
        let portageq = self.portageq()?;
        let broot = &self.config.broot;
        let own = ["bin", "usr/bin", "sbin", "usr/sbin"].map(|directory| below(broot, directory));
        let is_own = portageq
            .parent()
            .is_some_and(|directory| own.iter().any(|own| own == directory));
        // The variable makes every Portage use that prefix.
        let is_overridden = self.env.get(env::PORTAGE_OVERRIDE_EPREFIX).is_some();
        (!is_own && !is_overridden).then(|| {
            let (portageq, broot) = (portageq.display(), below(broot, ""));
            let broot = broot.display();
            Refusal::question(format!(
                "`{portageq}` is not the Portage of the prefix `{broot}`"
            ))
        })
    }

    fn answer(&self, query: Option<SettingsQuery>) -> Result<Option<Settings>, ContextError> {
        let answers = query.map(|query| self.ask(&[query])).transpose()?;
        Ok(answers.and_then(|mut answers| answers.pop()))
    }

    /// Finds a real tool in PATH, as [`search::find_program`] does.
    pub fn find_program(&self, name: &OsStr) -> Result<PathBuf, ContextError> {
        Ok(search::find_program(&self.env, name)?)
    }

    /// Finds a command that the user named, as [`search::find_command`] does.
    pub fn find_command(&self, name: &OsStr) -> Result<PathBuf, ContextError> {
        Ok(search::find_command(&self.env, name)?)
    }

    /// Returns whether a shell would find the command.
    pub fn has_command(&self, name: &OsStr) -> bool {
        search::has_command(&self.env, name)
    }

    /// Returns the directories of PATH.
    pub fn path(&self) -> Vec<PathBuf> {
        search::path(&self.env)
    }

    /// Finds one of the target's tools, which may be crossmerge under another name: in PATH, else among the symlinks to
    /// crossmerge.
    pub fn find_tool(&self, name: &OsStr) -> Option<PathBuf> {
        let linked = || {
            let link = self
                .settings
                .bindir
                .clone()
                .or_else(own_directory)?
                .join(name);
            (link.is_file() && is_executable(&link)).then_some(link)
        };
        self.find_command(name).ok().or_else(linked)
    }

    /// The facts about the tuple.
    pub fn target(&self) -> Result<Target, ContextError> {
        let facts = || self.config.facts(&self.tuple);
        Ok(self.target.get_or_try_init(facts)?.clone())
    }

    /// The target's real C compiler: that of the adopted toolchain, whether it exists or not, else `<tuple>-gcc` or
    /// `<tuple>-clang` in PATH.
    pub fn compiler(&self) -> Option<(ToolchainKind, PathBuf)> {
        if let Some(adopted) = &self.settings.toolchain {
            return Some((adopted.kind, adopted.compiler()));
        }
        [ToolchainKind::Gnu, ToolchainKind::Llvm]
            .into_iter()
            .find_map(|kind| {
                let name = format!("{}-{}", self.tuple, kind.driver());
                Some((kind, self.find_program(OsStr::new(&name)).ok()?))
            })
    }

    /// CBUILD in the environment, else in Portage's settings, else from the native compiler. `None` if none of them
    /// has it.
    pub fn cbuild(&self) -> Result<Option<String>, ContextError> {
        if let Some(cbuild) = self.env.get(env::CBUILD).filter(|value| !value.is_empty()) {
            return Ok(Some(cbuild.to_string_lossy().into_owned()));
        }
        let cbuild = self.portage()?.host_setting(env::CBUILD.name);
        Ok(match cbuild.filter(|cbuild| !cbuild.is_empty()) {
            Some(cbuild) => Some(cbuild.to_owned()),
            None => self.machine_of_cc(),
        })
    }

    /// The tuple that the native compiler prints for `-dumpmachine`.
    pub fn machine_of_cc(&self) -> Option<String> {
        let plan = Plan {
            program: self.find_program(OsStr::new("cc")).ok()?,
            args: vec!["-dumpmachine".into()],
            env: Changes::new(),
            ..Plan::default()
        };
        let output = exec::ask(&plan).ok()?;
        let machine = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !machine.is_empty()).then_some(machine)
    }

    /// Settings of the target. `None` if it has no Portage configuration, or Portage is not installed.
    pub fn target_settings(&self, names: &[&str]) -> Result<Option<Settings>, ContextError> {
        let configroot = self.configroot();
        if !configroot.join("etc/portage/make.profile").exists() {
            return Ok(None);
        }
        match self.read_target_settings(names) {
            Some(settings) => Ok(Some(settings)),
            None => self.settings_below(&configroot, names),
        }
    }

    /// Returns whether the environment selects another sysroot than the target's own.
    pub fn sysroot_is_chosen(&self) -> bool {
        self.sysroot() != self.own_sysroot()
    }

    /// The directory of generated files to whose paths build directories refer. Each sysroot that the environment
    /// selects has its own.
    pub fn state_directory(&self) -> PathBuf {
        let mut name = self.tuple.to_string();
        if self.sysroot_is_chosen() {
            let hash = Sha256::digest(self.sysroot().as_os_str().as_bytes());
            let hash: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
            name = format!("{name}@{hash}");
        }
        self.config.state_directory().join(name)
    }
}

impl Portage {
    /// A setting of the host. `None` if Portage is not installed.
    pub fn host_setting(&self, name: &str) -> Option<&str> {
        self.host.get(name).map(String::as_str)
    }

    /// A setting of the target. Empty if it is not set, or Portage is not installed.
    pub fn target_setting(&self, name: &str) -> &str {
        self.target.get(name).map_or("", String::as_str)
    }
}

/// Returns the settings if they contain all of the names.
fn known(settings: &Settings, names: &[&str]) -> Option<Settings> {
    let all = names.iter().all(|name| settings.contains_key(*name));
    all.then(|| settings.clone())
}

/// Removes SYSROOT and the paths derived from it if they belong to another target, as in a shell that evaluated the
/// output of `<tuple>-env` or `export env`. A tool of this target would otherwise search the other one's sysroot.
/// CHOST names the target to which they belong.
fn forget_another_target(
    env: &mut Env,
    config: &Config,
    tuple: &Tuple,
) -> Result<(), ContextError> {
    let (Some(chost), Some(sysroot)) = (env.get(env::CHOST), env.get(env::SYSROOT)) else {
        return Ok(());
    };
    let Some(other) = chost.to_str().filter(|chost| *chost != tuple.as_str()) else {
        return Ok(());
    };
    let Ok(other) = other.parse::<Tuple>() else {
        return Ok(());
    };
    let usual = || config.default_sysroot(&other);
    let sysroot = PathBuf::from(sysroot);
    if config.target(&other)?.sysroot.unwrap_or_else(usual) != sysroot {
        return Ok(());
    }
    for place in [env::ROOT, env::PORTAGE_CONFIGROOT, env::ESYSROOT] {
        // Comparing paths ignores a trailing slash.
        if env
            .get(place)
            .is_some_and(|value| Path::new(value) == sysroot)
        {
            env.unset(place);
        }
    }
    env.unset(env::SYSROOT);
    Ok(())
}

/// Checks that the value of a variable is an absolute path.
fn absolute(variable: Variable, value: &OsStr) -> Result<(), ContextError> {
    match Path::new(value).is_absolute() {
        true => Ok(()),
        false => Err(ContextError::Relative {
            variable: variable.name,
            value: value.into(),
        }),
    }
}
