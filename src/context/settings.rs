//! Portage's settings for the host and the target. crossmerge reads them itself where it can, and asks portageq
//! otherwise.

use super::{error::ContextError, invocation::Context, portage::Portage};
use crossmerge_plan::env;
use crossmerge_portage as portage;
use crossmerge_portage::{
    CompareError, PortageError, Repositories, Settings, SettingsQuery, SettingsReader,
    error::SettingsError, installed, version::Version,
};
use crossmerge_system::file::below;
use std::{ffi::OsStr, path::Path};

impl Context {
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
        let has_profile = || self.configroot().join("etc/portage/make.profile").exists();
        if !self.has_profile.get_or_init(has_profile) {
            return None;
        }
        let portage = self.portage.get();
        if let Some(known) = portage.and_then(|portage| known(&portage.target, names)) {
            return Some(known);
        }
        let query = self.target_query(Path::new("portageq"), &self.configroot(), names);
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
    pub fn settings_errors(&self) -> Vec<SettingsError> {
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
    pub fn settings_error_below(&self, configroot: &Path, names: &[&str]) -> Option<SettingsError> {
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
                Err(error @ (CompareError::Reading(_) | CompareError::Portage(_))) => {
                    return Some((version, Err(error.to_string())));
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
    fn reader(&self) -> Result<&SettingsReader, &SettingsError> {
        let find = || {
            if let Some(why) = self.reason_to_ask() {
                return Err(why);
            }
            let missing = || SettingsError::query("there is no portageq in PATH");
            let portageq = self.portageq().ok_or_else(missing)?;
            let portage = installed::find(portageq, &self.env)?;
            Ok(SettingsReader::new(portage, &self.config.state_directory()))
        };
        self.reader.get_or_init(find).as_ref()
    }

    /// The reason for which portageq has to be asked: the user configured it, or the portageq in PATH belongs to
    /// another Portage than the one in BROOT, whose files crossmerge would read. `None` if there is none.
    fn reason_to_ask(&self) -> Option<SettingsError> {
        if self.config.ask_portageq {
            return Some(SettingsError::query(
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
            SettingsError::query(format!(
                "`{portageq}` is not the Portage of the prefix `{broot}`"
            ))
        })
    }

    fn answer(&self, query: Option<SettingsQuery>) -> Result<Option<Settings>, ContextError> {
        let answers = query.map(|query| self.ask(&[query])).transpose()?;
        Ok(answers.and_then(|mut answers| answers.pop()))
    }
}

/// Returns the settings if they contain all of the names.
fn known(settings: &Settings, names: &[&str]) -> Option<Settings> {
    let all = names.iter().all(|name| settings.contains_key(*name));
    all.then(|| settings.clone())
}
