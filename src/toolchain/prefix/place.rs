//! A prefix on the disk: its directory, its paths, its record and its lock.

use super::{
    error::PrefixError,
    files::{MAIN, REPOSITORIES, SOURCES},
};
use crossmerge_plan::env::{self, Env};
use crossmerge_system::{
    file::{FileError, read, take},
    user,
};
use nix::fcntl::Flock;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The record of a prefix.
pub(super) const RECORD: &str = "crossmerge-prefix.toml";

/// The lock of a prefix, held while its own files change.
pub(super) const LOCK: &str = "crossmerge-prefix.lock";

/// A complete prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    eprefix: PathBuf,
}

impl Prefix {
    /// Returns the prefix of this environment: that of PORTAGE_OVERRIDE_EPREFIX, else the default one. Returns `None` if
    /// there is none, or it is not complete.
    pub fn find(env: &Env) -> Option<Self> {
        let chosen = env.get(env::PORTAGE_OVERRIDE_EPREFIX).map(PathBuf::from);
        chosen
            .into_iter()
            .chain(default_directory())
            .find_map(|directory| Self::open(&directory))
    }

    /// Returns the prefix in a directory. Returns `None` if there is none, or it is not complete.
    pub fn open(directory: &Path) -> Option<Self> {
        let record = PrefixRecord::read(directory).ok()??;
        record.complete.then(|| Self {
            eprefix: directory.into(),
        })
    }

    /// The root directory of the prefix, which Portage calls EPREFIX. It is also Portage's configuration root.
    pub fn eprefix(&self) -> &Path {
        &self.eprefix
    }

    /// The command `emerge`, which sets the prefix and PATH for Portage. `ebuild`, `portageq` and `quickpkg` are in the
    /// same directory.
    pub fn emerge(&self) -> PathBuf {
        self.bin().join("emerge")
    }

    /// The directory of the toolchains' commands.
    pub fn bin(&self) -> PathBuf {
        self.eprefix.join("usr/bin")
    }

    /// The main repository, with an ebuild for each part of a toolchain.
    pub fn repository(&self) -> PathBuf {
        self.eprefix.join(REPOSITORIES).join(MAIN)
    }

    /// The repository of the user's source archives. Its packages have precedence over those of the main repository.
    pub fn sources(&self) -> Option<PathBuf> {
        let repository = self.eprefix.join(REPOSITORIES).join(SOURCES);
        repository.is_dir().then_some(repository)
    }
}

/// Returns the directory in which a prefix is made by default. `None` if the user has no home directory.
pub(super) fn default_directory() -> Option<PathBuf> {
    let data = match user::acts_for_system() {
        true => Some("/var/lib".into()),
        false => user::data_dir(),
    };
    Some(data?.join("crossmerge/prefix"))
}

/// The record of a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrefixRecord {
    /// Whether the last run ended.
    pub(super) complete: bool,
    /// The installed version of Portage. `None` before it is installed.
    pub(super) portage: Option<String>,
}

impl PrefixRecord {
    /// Reads the record of a directory. Returns `None` if the directory is no prefix.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, PrefixError> {
        let path = directory.join(RECORD);
        match read::read_to_string(&path, read::CONFIGURATION) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => Ok(None),
            text => toml::from_str(&text?)
                .map(Some)
                .map_err(|why| PrefixError::Record { path, why }),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let facts = toml::to_string(self).unwrap_or_default();
        format!(
            "# The record of a prefix that `crossmerge toolchain prepare` made. `crossmerge toolchain prepare --remove` removes the prefix.\n{facts}"
        )
    }
}

/// Takes the lock of a prefix.
pub(super) fn lock(directory: &Path) -> Result<Flock<File>, FileError> {
    take(&directory.join(LOCK), directory, &mut Vec::new())
}
