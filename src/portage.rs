//! The settings of the machine's Portage and of the target's, asked of `portageq`.
//!
//! What is asked is a [`Question`]: a plan and the names in it. What comes back is split as a shell would split it, so a
//! value may hold line ends and quotes.

use crate::{
    env,
    exec::{self, ExecError},
    plan::{Change, Changes, Plan},
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Output,
};

/// What `<tuple>-emerge` needs of the machine's own Portage.
pub const BUILD: &[&str] = &["CBUILD", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"];

/// What `init` needs of it besides.
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

/// Variables that would turn a question about the machine into one about a target.
const OF_A_TARGET: [env::Variable; 5] = [
    env::CHOST,
    env::SYSROOT,
    env::ROOT,
    env::EPREFIX,
    env::PORTAGE_CONFIGROOT,
];

/// The settings that were asked for, by name; one that is not set is empty, as `portageq` has it.
pub type Settings = BTreeMap<String, String>;

/// A question to `portageq envvar`.
#[derive(Debug, Clone)]
pub struct Question {
    names: Vec<String>,
    plan: Plan,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum PortageError {
    /// portageq did not start.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// It started and did not say what was asked.
    #[error("portageq did not tell {missing}:\n{said}")]
    NoAnswer {
        /// The first name that has no value.
        missing: String,
        /// The command that was run.
        command: String,
        /// What it said instead, on both streams.
        said: String,
    },
}

impl PortageError {
    /// How to look closer.
    pub fn hint(&self) -> String {
        match self {
            Self::Exec(e) => e.hint(),
            Self::NoAnswer { command, .. } => {
                format!("run it by hand and mend what it says: {command}")
            }
        }
    }
}

impl Question {
    /// Asks for settings of this machine: everything in the environment that speaks of a target is left out.
    pub fn host(portageq: &Path, names: &[&str]) -> Self {
        let unset = OF_A_TARGET
            .iter()
            .map(|variable| variable.name)
            .chain(names.iter().copied());
        Self::new(
            portageq,
            names,
            unset.map(|name| (name.into(), Change::Unset)).collect(),
        )
    }

    /// Asks for settings of the target configured under `configroot`.
    pub fn target(portageq: &Path, names: &[&str], configroot: &Path, eprefix: OsString) -> Self {
        let mut question = Self::host(portageq, names);
        let set = [
            (env::PORTAGE_CONFIGROOT, configroot.as_os_str().to_owned()),
            (env::EPREFIX, eprefix),
        ];
        question
            .plan
            .env
            .extend(set.map(|(v, value)| (v.name.into(), Change::Set(value))));
        question
    }

    fn new(portageq: &Path, names: &[&str], env: Changes) -> Self {
        let args = ["envvar", "-v"]
            .iter()
            .chain(names)
            .map(|word| (*word).into())
            .collect();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            names,
            plan: Plan {
                program: portageq.into(),
                args,
                env,
            },
        }
    }

    fn answer(&self, output: &Output) -> Result<Settings, PortageError> {
        // portageq ends with 1 when a variable is not set, so its exit code says nothing of failure.
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
                said: (text + String::from_utf8_lossy(&output.stderr))
                    .trim_end()
                    .into(),
            }),
        }
    }
}

/// Asks all at the same time, for each question costs a start of Python.
pub fn ask(questions: &[Question]) -> Result<Vec<Settings>, PortageError> {
    let plans: Vec<Plan> = questions
        .iter()
        .map(|question| question.plan.clone())
        .collect();
    let outputs = exec::query(&plans)?;
    questions
        .iter()
        .zip(&outputs)
        .map(|(question, output)| question.answer(output))
        .collect()
}

/// An ebuild repository of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its name: the section in repos.conf.
    pub name: String,
    /// Where it lies.
    pub location: PathBuf,
    /// Every key that says how its ebuilds are read, `location` included, in Portage's order.
    pub keys: Vec<(String, String)>,
}

/// The repositories of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repositories {
    /// The name of the main one.
    pub main: Option<String>,
    /// All of them.
    pub all: Vec<Repository>,
}

/// The keys of repos.conf that say what a repository is; the others say how it is synced, which stays the machine's.
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
    /// Reads PORTAGE_REPOSITORIES: repos.conf as Portage has understood it, one `key = value` a line.
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
            .retain(|repository| !repository.location.as_os_str().is_empty());
        repositories
    }

    /// The main repository.
    pub fn main(&self) -> Option<&Repository> {
        self.all
            .iter()
            .find(|repository| Some(&repository.name) == self.main.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
