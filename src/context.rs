//! The context: every look at the system that a plan rests on.
//!
//! A look that costs something (asking portageq, say) is taken when a layer first wants it, once. Layers and plans see
//! the system only through here.

use crate::{
    config::{Config, ConfigError, TargetConfig, ToolchainKind},
    distribution::Distribution,
    target::Target,
};
use crossmerge_plan::{
    env,
    env::{Env, Variable},
    passes_on,
    plan::{Changes, Plan},
    report,
    report::Explain,
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
    search,
    search::SearchError,
};
use once_cell::unsync::OnceCell;
use sha2::{Digest, Sha256};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Everything about this call that was not typed.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment.
    pub env: Env,
    /// The configuration.
    pub config: Config,
    /// What is configured for the target.
    pub settings: TargetConfig,
    /// The tuple we build for.
    pub tuple: Tuple,
    portageq: OnceCell<Option<PathBuf>>,
    reader: OnceCell<Result<SettingsReader, Refusal>>,
    portage: OnceCell<Portage>,
    target: OnceCell<Target>,
}

/// What Portage says of the machine and of the target.
#[derive(Debug, Clone, Default)]
pub struct Portage {
    host: Settings,
    target: Settings,
}

/// Why a look at the system showed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Portage did not answer.
    #[error(transparent)]
    Portage(#[from] PortageError),
    /// The tuple was to come from CHOST.
    #[error("`{name}` takes its tuple from CHOST, which is not set")]
    NoChost {
        /// Our name.
        name: String,
    },
    /// CHOST holds no tuple.
    #[error("CHOST in the environment: {0}")]
    Chost(crossmerge_plan::tuple::TupleError),
    /// Nothing to build against.
    #[error("the sysroot `{sysroot}` of `{tuple}` does not exist", sysroot = .sysroot.display())]
    NoSysroot {
        /// The tuple.
        tuple: Tuple,
        /// Where it should be.
        sysroot: PathBuf,
        /// SYSROOT in the environment says so.
        from_environment: bool,
    },
    /// A environment variable that names a directory has a relative path, which each program would read from another
    /// place.
    #[error("{variable} is `{value}`, which is not an absolute path", value = .value.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: PathBuf,
    },
    /// What would be merged for the target would overwrite the host.
    #[error("the sysroot `{sysroot}` of `{tuple}` is the host's own root", sysroot = .sysroot.display())]
    HostRoot {
        /// The tuple.
        tuple: Tuple,
        /// The path that leads there.
        sysroot: PathBuf,
        /// SYSROOT in the environment says so.
        from_environment: bool,
    },
    /// The same, by way of ROOT.
    #[error("ROOT is `{root}`, the host's own root: what is for `{tuple}` would be put into it", root = .root.display())]
    HostIsRoot {
        /// The tuple.
        tuple: Tuple,
        /// ROOT in the environment.
        root: PathBuf,
    },
    /// The target's settings are nowhere.
    #[error("there is no directory `{configroot}`, in which `etc/portage` of `{tuple}` should be", configroot = .configroot.display())]
    NoConfigroot {
        /// The tuple.
        tuple: Tuple,
        /// Where it should be.
        configroot: PathBuf,
        /// The environment variable that says so.
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
                "`unset {variable}`, or name the whole path: `export {variable}={}`",
                quote(
                    std::path::absolute(value)
                        .unwrap_or_else(|_| value.clone())
                        .as_os_str()
                )
            ),
            Self::HostRoot { tuple, .. } => {
                format!("keep the target elsewhere: `crossmerge init {tuple} --sysroot DIR`")
            }
            Self::NoSysroot { tuple, .. } => format!("make it with `crossmerge init {tuple}`"),
            Self::HostIsRoot { .. } => {
                "`unset ROOT`, or name a directory of the target's: `export ROOT=/mnt/board`".into()
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
    /// Takes the first looks: the configuration of the tuple.
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

    /// SYSROOT: the environment's, else the target's own place, else `<BROOT>/usr/<tuple>`.
    pub fn sysroot(&self) -> PathBuf {
        match self.env.get(env::SYSROOT) {
            Some(sysroot) => sysroot.into(),
            None => self.own_sysroot(),
        }
    }

    /// The target's own sysroot, whatever the environment says.
    pub(crate) fn own_sysroot(&self) -> PathBuf {
        let configured = self.settings.sysroot.clone();
        configured.unwrap_or_else(|| self.default_sysroot())
    }

    /// `<BROOT>/usr/<tuple>`, where crossdev has it.
    pub fn default_sysroot(&self) -> PathBuf {
        self.config.default_sysroot(&self.tuple)
    }

    /// The sysroot, which has to exist, and must not be the host's own root.
    pub fn existing_sysroot(&self) -> Result<PathBuf, ContextError> {
        let sysroot = self.usable_sysroot()?;
        match sysroot.is_dir() {
            true => Ok(sysroot),
            false => Err(self.no_sysroot(sysroot)),
        }
    }

    /// The sysroot for a build. The target's own may be missing, where the compiler brings its libc along; the places
    /// that SYSROOT, ROOT and PORTAGE_CONFIGROOT name are checked.
    pub fn usable_sysroot(&self) -> Result<PathBuf, ContextError> {
        self.check_chosen_sysroot()?;
        self.named_root()?;
        if self.env.get(env::PORTAGE_CONFIGROOT).is_some() {
            self.existing_configroot()?;
        }
        self.foreign_sysroot()
    }

    /// Checks the sysroot that SYSROOT names, if it does: an absolute path of a directory.
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

    /// ROOT of the environment, an absolute path; `None` if it is not set.
    pub fn named_root(&self) -> Result<Option<PathBuf>, ContextError> {
        let root = self.env.get(env::ROOT);
        root.map(|root| absolute(env::ROOT, root).map(|()| root.into()))
            .transpose()
    }

    /// ROOT of the environment, which must not be the host's own root; `None` if it is not set.
    pub fn chosen_root(&self) -> Result<Option<PathBuf>, ContextError> {
        match self.named_root()? {
            Some(root) if self.config.is_own_root(&root) => Err(ContextError::HostIsRoot {
                tuple: self.tuple.clone(),
                root,
            }),
            root => Ok(root),
        }
    }

    /// Says that a sysroot is not there.
    pub(crate) fn no_sysroot(&self, sysroot: PathBuf) -> ContextError {
        ContextError::NoSysroot {
            tuple: self.tuple.clone(),
            sysroot,
            from_environment: self.env.get(env::SYSROOT).is_some(),
        }
    }

    /// The sysroot, there or not, which has to be another's root than the host's.
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

    /// EPREFIX: the environment's, else empty, since a cross target has no prefix.
    pub fn eprefix(&self) -> OsString {
        self.env.get(env::EPREFIX).unwrap_or_default().to_owned()
    }

    /// PORTAGE_CONFIGROOT: the environment's, else `$SYSROOT$EPREFIX`.
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

    /// PORTAGE_CONFIGROOT, which has to be there.
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

    /// What Portage says; empty settings where there is no Portage, and for a target where it has no configuration
    /// root.
    pub fn portage(&self) -> Result<&Portage, ContextError> {
        self.portage.get_or_try_init(|| {
            let Some(portageq) = self.portageq() else {
                return Ok(Portage::default());
            };
            let mut questions = vec![self.about_host(portageq, portage::BUILD)];
            let configroot = self.configroot();
            if configroot.is_dir() {
                questions.push(self.about_target(portageq, &configroot, portage::TARGET));
            }
            let mut answers = self.ask(&questions)?.into_iter();
            Ok(Portage {
                host: answers.next().unwrap_or_default(),
                target: answers.next().unwrap_or_default(),
            })
        })
    }

    /// Settings of the machine; none without Portage.
    pub fn host_settings(&self, names: &[&str]) -> Result<Option<Settings>, ContextError> {
        let portage = self.portage.get();
        if let Some(known) = portage.and_then(|portage| known(&portage.host, names)) {
            return Ok(Some(known));
        }
        let question = self
            .portageq()
            .map(|portageq| self.about_host(portageq, names));
        self.answer(question)
    }

    /// Settings of what is configured under a root, the target's own or another; none without Portage.
    pub fn settings_below(
        &self,
        configroot: &Path,
        names: &[&str],
    ) -> Result<Option<Settings>, ContextError> {
        let portageq = self.portageq();
        let question = portageq.map(|portageq| self.about_target(portageq, configroot, names));
        self.answer(question)
    }

    /// Settings of the target that can be read; none where they cannot. For what is called thousands of times, and can
    /// do without: portageq is never started.
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
        let question = self.about_target(Path::new("portageq"), &configroot, names);
        question.read(&self.env, self.reader().ok()?).ok()
    }

    /// CBUILD, as far as a glance tells: the environment's, else what stands in the target's make.conf. For a
    /// preference that is not worth a reading of the machine's settings.
    pub fn quick_cbuild(&self) -> Option<String> {
        match self.env.get(env::CBUILD) {
            Some(cbuild) => cbuild.to_str().map(str::to_owned),
            None => portage::make_conf_value(&self.configroot(), env::CBUILD.name),
        }
        .filter(|cbuild| !cbuild.is_empty())
    }

    /// The ebuild repositories of the machine; none without Portage.
    pub fn repositories(&self) -> Result<Option<Repositories>, ContextError> {
        const NAME: &str = "PORTAGE_REPOSITORIES";
        let settings = self.host_settings(&[NAME])?;
        Ok(settings.map(|settings| Repositories::parse(&settings[NAME])))
    }

    /// Why some settings are not read here and portageq is asked: the machine's, the target's.
    pub fn refusals(&self) -> Vec<Refusal> {
        let Some(portageq) = self.portageq() else {
            return Vec::new();
        };
        let reader = match self.reader() {
            Ok(reader) => reader,
            Err(why) => return vec![why.clone()],
        };
        let questions = [
            self.about_host(portageq, portage::BUILD),
            self.about_host(portageq, portage::INIT),
            self.about_target(portageq, &self.configroot(), portage::TARGET),
        ];
        let answers = questions
            .iter()
            .map(|question| question.read(&self.env, reader));
        answers.filter_map(Result::err).collect()
    }

    /// Why settings of what is configured under a root are not read here, if so.
    pub fn refusal_below(&self, configroot: &Path, names: &[&str]) -> Option<Refusal> {
        let question = self.about_target(Path::new("portageq"), configroot, names);
        match self.reader() {
            Ok(reader) => question.read(&self.env, reader).err(),
            Err(why) => Some(why.clone()),
        }
    }

    /// Compares what is read with what portageq says, where the version of Portage is not known here: of the host, and
    /// of the target if it is configured. Records what agrees. Returns the version, and the first difference.
    pub fn compare_settings(&self) -> Option<(Version, Result<(), String>)> {
        let reader = self.reader().ok()?;
        let version = reader.portage.version;
        let portageq = self.portageq().filter(|_| !version.is_proven())?;
        let configroot = self.configroot();
        let mut questions = vec![self.about_host(portageq, &[])];
        if configroot.join("etc/portage/make.profile").exists() {
            questions.push(self.about_target(portageq, &configroot, &[]));
        }
        let mut seals = Vec::new();
        for question in questions {
            match question.compare(&self.env, &reader.portage) {
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

    fn about_host(&self, portageq: &Path, names: &[&str]) -> SettingsQuery {
        SettingsQuery::host(portageq, &self.config.broot, names)
    }

    fn about_target(&self, portageq: &Path, configroot: &Path, names: &[&str]) -> SettingsQuery {
        let broot = &self.config.broot;
        SettingsQuery::target(portageq, broot, names, configroot, self.eprefix())
    }

    fn ask(&self, questions: &[SettingsQuery]) -> Result<Vec<Settings>, PortageError> {
        portage::ask(&self.env, self.reader().ok(), questions)
    }

    /// What reads settings instead of portageq, or why nothing does.
    fn reader(&self) -> Result<&SettingsReader, &Refusal> {
        let find = || {
            if let Some(why) = self.why_ask() {
                return Err(why);
            }
            let missing = || Refusal::question("there is no portageq in PATH");
            let portageq = self.portageq().ok_or_else(missing)?;
            let portage = installed::find(portageq, &self.env)?;
            Ok(SettingsReader::new(portage, &self.config.state_directory()))
        };
        self.reader.get_or_init(find).as_ref()
    }

    /// Why no setting is read here, if so: a user wants it, or the portageq in PATH is of another Portage than that
    /// of our prefix, whose files we would read.
    fn why_ask(&self) -> Option<Refusal> {
        if self.config.ask_portageq {
            return Some(Refusal::question(
                "`ask_portageq` in crossmerge.toml says so",
            ));
        }
        let portageq = self.portageq()?;
        let broot = &self.config.broot;
        let own = ["bin", "usr/bin", "sbin", "usr/sbin"].map(|directory| below(broot, directory));
        let is_own = portageq
            .parent()
            .is_some_and(|directory| own.iter().any(|own| own == directory));
        // With the variable, every Portage is at home in that prefix.
        let told = self.env.get(env::PORTAGE_OVERRIDE_EPREFIX).is_some();
        (!is_own && !told).then(|| {
            let (portageq, broot) = (portageq.display(), below(broot, ""));
            let broot = broot.display();
            Refusal::question(format!(
                "`{portageq}` is not the Portage of the prefix `{broot}`"
            ))
        })
    }

    fn answer(&self, question: Option<SettingsQuery>) -> Result<Option<Settings>, ContextError> {
        let answers = question.map(|question| self.ask(&[question])).transpose()?;
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

    /// Finds one of the target's tools, be it ours or another's: in PATH, else among the links.
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

    /// The facts of the tuple.
    pub fn target(&self) -> Result<Target, ContextError> {
        let facts = || self.config.facts(&self.tuple);
        Ok(self.target.get_or_try_init(facts)?.clone())
    }

    /// The target's C compiler, ours not counted: the adopted one, there or not; else `<tuple>-gcc` or `<tuple>-clang`
    /// in PATH.
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

    /// CBUILD: the environment's, else Portage's, else what the native compiler says; none where nothing says so.
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

    /// What the native compiler calls the host.
    pub fn machine_of_cc(&self) -> Option<String> {
        let plan = Plan {
            program: self.find_program(OsStr::new("cc")).ok()?,
            args: vec!["-dumpmachine".into()],
            env: Changes::new(),
            ..Plan::default()
        };
        let output = exec::query(&[plan]).ok()?.remove(0);
        let machine = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !machine.is_empty()).then_some(machine)
    }

    /// Settings of the target; none where it has no Portage configuration, or there is nobody to ask.
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

    /// The directory of the target's files that others keep by their path; each sysroot that is chosen has one of its
    /// own.
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
    /// A setting of the machine; none without Portage.
    pub fn host_setting(&self, name: &str) -> Option<&str> {
        self.host.get(name).map(String::as_str)
    }

    /// A setting of the target; empty without Portage, as when it is not set.
    pub fn target_setting(&self, name: &str) -> &str {
        self.target.get(name).map_or("", String::as_str)
    }
}

/// These settings, if every one of the names was asked for.
fn known(settings: &Settings, names: &[&str]) -> Option<Settings> {
    let all = names.iter().all(|name| settings.contains_key(*name));
    all.then(|| settings.clone())
}

/// Forgets the places that a shell has from the environment of another target of ours, as `<tuple>-env` and `export
/// env` print it: a tool of this one would search that one's sysroot. CHOST tells whose they are.
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
        // Paths with and without a slash at the end are equal.
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
