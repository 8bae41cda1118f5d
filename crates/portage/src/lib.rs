#![doc = include_str!("../README.md")]

mod agreed;
pub mod error;
mod features;
mod in_root;
mod ini;
pub mod installed;
mod layout;
mod make_conf;
pub mod merged;
mod path;
mod profile;
#[cfg(any(test, feature = "fuzzing"))]
pub mod properties;
mod repos_conf;
pub mod settings;
mod shlex;
mod stack;
mod text;
mod varexpand;
mod variables;
pub mod version;

use agreed::AgreedFingerprints;
use crossmerge_plan::{
    env::{self, Env},
    passes_on,
    plan::{Change, Plan},
    report::Explain,
};
use crossmerge_system::exec::{self, ExecError};
use error::SettingsError;
pub use in_root::InRoot;
use installed::Installed;
use settings::SettingsRoots;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Output,
};
use text::SharedFiles;
pub use variables::Settings;

/// Variables of the host's Portage that `<tuple>-emerge` needs; `<tuple>-xkmake` takes MAKEOPTS from them.
pub const BUILD: &[&str] = &[
    "CBUILD",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    env::MAKEOPTS.name,
];

/// Variables of the target's Portage: `<tuple>-emerge` needs all of them, other build systems need the flags and the
/// ABI.
pub const TARGET: &[&str] = &[
    env::DEFAULT_ABI.name,
    env::ROOT.name,
    env::EMERGE_DEFAULT_OPTS.name,
    env::CCACHE_COMPILERCHECK.name,
    env::FEATURES.name,
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "FCFLAGS",
    "FFLAGS",
    "OBJCFLAGS",
    "OBJCXXFLAGS",
];

/// Further variables of the host's Portage that `init` needs.
pub const INIT: &[&str] = &[
    "CBUILD",
    "DISTDIR",
    "FEATURES",
    "GENTOO_MIRRORS",
    "MAKEOPTS",
    "MULTILIB_ABIS",
    "PORTAGE_GRPNAME",
    "PORTAGE_REPOSITORIES",
    "PORTAGE_USERNAME",
];

/// All variables that crossmerge ever queries. For a version of Portage that was never measured, all of them are
/// compared with portageq's answer.
const COMPARED: [&str; 31] = [
    "ABI",
    "ARCH",
    "CBUILD",
    "CCACHE_COMPILERCHECK",
    "CCACHE_DIR",
    "CFLAGS",
    "CHOST",
    "CPPFLAGS",
    "CXXFLAGS",
    "DEFAULT_ABI",
    "DISTDIR",
    "ELIBC",
    "EMERGE_DEFAULT_OPTS",
    "EPREFIX",
    "FCFLAGS",
    "FEATURES",
    "FFLAGS",
    "GENTOO_MIRRORS",
    "KERNEL",
    "LDFLAGS",
    "MAKEOPTS",
    "MULTILIB_ABIS",
    "OBJCFLAGS",
    "OBJCXXFLAGS",
    "PKG_CONFIG_LIBDIR",
    "PKG_CONFIG_PATH",
    "PORTAGE_GRPNAME",
    "PORTAGE_REPOSITORIES",
    "PORTAGE_USERNAME",
    "ROOT",
    "USE",
];

/// Environment variables that would turn a query about the host into one about a target.
const OF_A_TARGET: [env::Variable; 5] = [
    env::CHOST,
    env::SYSROOT,
    env::ROOT,
    env::EPREFIX,
    env::PORTAGE_CONFIGROOT,
];

/// A query for the values of some variables, with the answer of `portageq envvar -v`.
#[derive(Debug, Clone)]
pub struct SettingsQuery {
    names: Vec<String>,
    roots: SettingsRoots,
    plan: Plan,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PortageError {
    /// portageq did not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// A file would keep portageq from ever finishing.
    #[error("cannot read the settings: {0}")]
    Settings(SettingsError),
    /// portageq started and did not print a variable.
    #[error("portageq did not print {missing}:\n{output}")]
    NoAnswer {
        /// The first name that has no value.
        missing: String,
        /// The command that was run.
        command: String,
        /// Its output, from both streams.
        output: String,
    },
}

impl Explain for PortageError {
    passes_on!(Exec);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Settings(error) => return error.hint(),
            Self::NoAnswer { command, .. } => {
                format!("run it by hand and fix what it reports: {command}")
            }
            _ => return None,
        })
    }
}

/// Why two answers could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// crossmerge could not read the settings itself.
    #[error(transparent)]
    Reading(#[from] SettingsError),
    /// portageq did not answer.
    #[error(transparent)]
    Portage(#[from] PortageError),
}

/// Reads settings as the installed Portage would.
#[derive(Debug, Clone)]
pub struct SettingsReader {
    /// The installed Portage.
    pub portage: Installed,
    /// The recorded comparisons with portageq; empty if the version is a measured one.
    agreed: AgreedFingerprints,
}

impl SettingsReader {
    /// Returns a reader for this Portage. The record in `state` is used only if the version was never measured.
    pub fn new(portage: Installed, state: &Path) -> Self {
        let agreed = match portage.version.is_proven() {
            true => AgreedFingerprints::default(),
            false => AgreedFingerprints::read(state),
        };
        Self { portage, agreed }
    }

    /// Records the fingerprints of settings on which crossmerge and portageq agree.
    ///
    /// # Errors
    ///
    /// The error of creating the directory `state` or of writing the record in it.
    pub fn agree(&mut self, state: &Path, fingerprints: Vec<String>) -> std::io::Result<()> {
        self.agreed.add(fingerprints);
        self.agreed.write(state)
    }
}

/// Splits a value into the parts to compare. portageq prints some options of a repository in an arbitrary order, so the
/// lines of a section of PORTAGE_REPOSITORIES are sorted.
fn comparable<'v>(name: &str, value: &'v str) -> Vec<Vec<&'v str>> {
    let mut sections: Vec<Vec<&str>> = value
        .split("\n\n")
        .map(|section| section.lines().collect())
        .collect();
    if name == "PORTAGE_REPOSITORIES" {
        for section in &mut sections {
            section.sort_unstable();
        }
    }
    sections
}

impl SettingsQuery {
    /// Queries the host's settings. Environment variables that would select a target are unset.
    pub fn host(portageq: &Path, broot: &Path, names: &[&str]) -> Self {
        let target = OF_A_TARGET.iter().map(|variable| variable.name);
        let unset = target.chain(names.iter().copied());
        Self {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            roots: SettingsRoots::host(broot),
            plan: Plan {
                program: portageq.into(),
                args: ["envvar", "-v"]
                    .iter()
                    .chain(names)
                    .map(Into::into)
                    .collect(),
                env: unset.map(|name| (name.into(), Change::Unset)).collect(),
                ..Plan::default()
            },
        }
    }

    /// Queries the settings that are configured under `configroot`.
    pub fn target(
        portageq: &Path,
        broot: &Path,
        names: &[&str],
        configroot: &Path,
        eprefix: OsString,
    ) -> Self {
        let mut question = Self::host(portageq, broot, names);
        question.roots = SettingsRoots::target(broot, configroot, eprefix.clone());
        let set = [
            (env::PORTAGE_CONFIGROOT, configroot.as_os_str().to_owned()),
            (env::EPREFIX, eprefix),
        ];
        let set = set.map(|(variable, value)| (variable.name.into(), Change::Set(value)));
        question.plan.env.extend(set);
        question
    }

    /// Answers the query from the files, as this Portage would.
    ///
    /// # Errors
    ///
    /// A [`SettingsError`] if a file, the environment or a name is not fully understood. Also if this version of
    /// Portage was never measured, and these settings were not compared with portageq's answers.
    pub fn read(&self, env: &Env, reader: &SettingsReader) -> Result<Settings, SettingsError> {
        self.read_with(&SharedFiles::default(), env, reader)
    }

    /// Answers like [`Self::read`], but reads no file again that another query of the same call has added to `shared`.
    fn read_with(
        &self,
        shared: &SharedFiles,
        env: &Env,
        reader: &SettingsReader,
    ) -> Result<Settings, SettingsError> {
        let version = reader.portage.version;
        if version.is_proven() {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let roots = self.roots_of(version);
            return settings::read_with(shared, &roots, &env.changed(&self.plan.env), &names);
        }
        let error = |why: &str| {
            Err(SettingsError::query(format!(
                "crossmerge was never compared with Portage {version}, and {why}"
            )))
        };
        if !self
            .names
            .iter()
            .all(|name| COMPARED.contains(&name.as_str()))
        {
            return error("not every variable of the query is among those that are compared");
        }
        let (mut settings, fingerprint) = self.read_with_fingerprint(env, &reader.portage)?;
        if !reader.agreed.has(&fingerprint) {
            return error(
                "`crossmerge doctor` has not compared these settings with portageq's answers",
            );
        }
        settings.retain(|name, _| self.names.contains(name));
        Ok(settings)
    }

    fn roots_of(&self, version: version::Version) -> SettingsRoots {
        SettingsRoots {
            portage: version,
            ..self.roots.clone()
        }
    }

    /// Reads all compared variables. Also returns a fingerprint of everything that the values depend on.
    fn read_with_fingerprint(
        &self,
        env: &Env,
        portage: &Installed,
    ) -> Result<(Settings, String), SettingsError> {
        let roots = self.roots_of(portage.version);
        let env = env.changed(&self.plan.env);
        let (settings, mut hash) = settings::read_with_fingerprint(&roots, &env, &COMPARED)?;
        agreed::add_identity(&mut hash, portage);
        Ok((settings, agreed::finish(hash)))
    }

    /// Compares all variables with portageq's answer: returns the fingerprint if they agree, else a description of the
    /// first difference.
    ///
    /// # Errors
    ///
    /// [`CompareError::Reading`] if crossmerge cannot read the settings, and [`CompareError::Portage`] if portageq does
    /// not answer.
    pub fn compare(
        &self,
        env: &Env,
        portage: &Installed,
    ) -> Result<Result<String, String>, CompareError> {
        let mut all = self.clone();
        all.names = COMPARED.map(str::to_owned).to_vec();
        all.plan.args.truncate(2);
        all.plan.args.extend(COMPARED.iter().map(Into::into));
        let (read, fingerprint) = self.read_with_fingerprint(env, portage)?;
        let output = exec::ask(&all.plan).map_err(PortageError::from)?;
        let printed = all.answer(&output)?;
        let differs =
            |name: &&&str| comparable(name, &read[**name]) != comparable(name, &printed[**name]);
        Ok(match COMPARED.iter().find(differs) {
            None => Ok(fingerprint),
            Some(name) => Err(format!(
                "portageq prints {name} as `{}`, and crossmerge reads it as `{}`",
                printed[*name], read[*name]
            )),
        })
    }

    fn answer(&self, output: &Output) -> Result<Settings, PortageError> {
        // portageq exits with status 1 if a variable is not set, so its exit status does not show whether it failed.
        let text = String::from_utf8_lossy(&output.stdout);
        let words = shell_words::split(&text).unwrap_or_default();
        let settings: Settings = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        match self.names.iter().find(|name| !settings.contains_key(*name)) {
            None => Ok(settings),
            Some(missing) => Err(PortageError::NoAnswer {
                missing: missing.clone(),
                command: self.plan.to_string().replace(" \\\n   ", ""),
                output: (text + String::from_utf8_lossy(&output.stderr))
                    .trim_end()
                    .into(),
            }),
        }
    }
}

/// Returns the value of one assignment in a config root's make.conf, without expansion.
pub fn make_conf_value(configroot: &Path, name: &str) -> Option<String> {
    let path = configroot.join("etc/portage/make.conf");
    // Without the file, it does not matter who may change the path to it, and finding that out takes longer.
    path.symlink_metadata().ok()?;
    let files = text::SettingsFiles::default().of_configroot(configroot.to_str()?);
    let mut assignments = make_conf::read_raw(&files, path.to_str()?).ok()?;
    assignments.remove(name)
}

/// Reads a file of assignments in the format of make.conf, with expansion. Empty if there is no file.
///
/// # Errors
///
/// A [`SettingsError`] if Portage itself would fail to read the file.
pub fn assignments(path: &Path) -> Result<Settings, SettingsError> {
    let file = path.to_string_lossy();
    let reading = make_conf::ReadMode::OneSourcing;
    let files = text::SettingsFiles::default();
    let read = make_conf::read(&files, &file, reading, &mut Settings::new())?;
    Ok(read.unwrap_or_default())
}

/// Answers the queries by reading files. Queries that reading cannot answer, or all if there is no `reader`, go to
/// portageq processes that run at the same time, since each has to start Python.
///
/// # Errors
///
/// [`PortageError::Settings`] if an error of reading is final, else the reason why portageq did not answer.
pub fn ask(
    env: &Env,
    reader: Option<&SettingsReader>,
    questions: &[SettingsQuery],
) -> Result<Vec<Settings>, PortageError> {
    let shared = SharedFiles::default();
    let read = |question: &SettingsQuery| {
        let answer = reader.map(|reader| question.read_with(&shared, env, reader));
        match answer {
            Some(Err(error)) if error.is_final => Err(PortageError::Settings(error)),
            answer => Ok(answer.and_then(Result::ok)),
        }
    };
    let mut answers: Vec<_> = questions.iter().map(read).collect::<Result<_, _>>()?;
    let open = questions
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.is_none());
    let plans: Vec<Plan> = open.map(|(question, _)| question.plan.clone()).collect();
    let mut outputs = exec::query(&plans)?.into_iter();
    for (question, answer) in questions.iter().zip(&mut answers) {
        if answer.is_none() {
            *answer = outputs
                .next()
                .map(|output| question.answer(&output))
                .transpose()?;
        }
    }
    Ok(answers.into_iter().flatten().collect())
}

/// An ebuild repository of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The name.
    pub name: String,
    /// The directory.
    pub location: PathBuf,
    /// The keys that affect how its ebuilds are read, `location` included, in Portage's order.
    pub keys: Vec<(String, String)>,
}

/// The host's repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repositories {
    /// The name or an alias of the main repository.
    pub main: Option<String>,
    /// All repositories.
    pub all: Vec<Repository>,
}

/// The keys of repos.conf that describe a repository. The other keys describe how it is synced, which only the host
/// does.
const REPOSITORY_KEYS: [&str; 7] = [
    "location",
    "priority",
    "masters",
    "aliases",
    "eclass-overrides",
    "force",
    "strict-misc-digests",
];

impl Repositories {
    /// Parses PORTAGE_REPOSITORIES: repos.conf as Portage has read it, one `key = value` per line.
    pub fn parse(text: &str) -> Self {
        let mut repositories = Self::default();
        for line in text.lines() {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                repositories.all.push(Repository {
                    name: name.into(),
                    location: PathBuf::new(),
                    keys: Vec::new(),
                });
            } else if let (Some((key, value)), Some(repository)) =
                (line.split_once(" = "), repositories.all.last_mut())
            {
                match (key, repository.name.as_str()) {
                    ("main-repo", "DEFAULT") => repositories.main = Some(value.into()),
                    ("location", _) => repository.location = value.into(),
                    _ => {}
                }
                if REPOSITORY_KEYS.contains(&key) {
                    repository.keys.push((key.into(), value.into()));
                }
            }
        }
        repositories
            .all
            .retain(|repository| repository.location.is_absolute());
        repositories
    }

    /// Returns a repos.conf with the same repositories and no sync options. `%` is doubled, since Portage would read it
    /// as the start of a reference.
    pub fn to_text(&self) -> String {
        let main = self.main.as_ref();
        let mut text = main.map_or(String::new(), |main| {
            format!("[DEFAULT]\nmain-repo = {}\n", main.replace('%', "%%"))
        });
        for repository in &self.all {
            text.push_str(&format!("\n[{}]\n", repository.name));
            for (key, value) in &repository.keys {
                text.push_str(&format!("{key} = {}\n", value.replace('%', "%%")));
            }
            text.push_str("auto-sync = no\n");
        }
        text
    }

    /// Returns the main repository. `[DEFAULT]` may name it by an alias.
    pub fn main(&self) -> Option<&Repository> {
        let main = self.main.as_deref()?;
        let by_name = self.all.iter().find(|repository| repository.name == main);
        by_name.or_else(|| {
            self.all
                .iter()
                .find(|repository| repository.has_alias(main))
        })
    }
}

impl Repository {
    fn has_alias(&self, name: &str) -> bool {
        let mut aliases = self.keys.iter().filter(|(key, _)| key == "aliases");
        aliases.any(|(_, aliases)| aliases.split_whitespace().any(|alias| alias == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_repository_may_be_named_by_an_alias() {
        let text = "[DEFAULT]\nmain-repo = g\n\n[gentoo]\nlocation = /g\naliases = x g\n";
        let repositories = Repositories::parse(text);
        assert_eq!(
            repositories.main().map(|main| main.name.as_str()),
            Some("gentoo")
        );
    }

    #[test]
    fn repositories_are_read_without_their_sync_settings() {
        let text = "[DEFAULT]\nmain-repo = gentoo\nsync-type = rsync\n\n[gentoo]\nlocation = /var/db/repos/gentoo\n\
                    priority = -1000\nsync-uri = rsync://x = y\n\n[mine]\nlocation = /srv/my repo\n";
        let repositories = Repositories::parse(text);
        assert_eq!(
            repositories.main().map(|r| r.location.clone()),
            Some("/var/db/repos/gentoo".into())
        );
        assert_eq!(
            repositories.all[0].keys,
            [("location", "/var/db/repos/gentoo"), ("priority", "-1000")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(repositories.all[1].location, Path::new("/srv/my repo"));
        assert_eq!(repositories.all.len(), 2);
    }
}
