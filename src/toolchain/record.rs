//! The record of a toolchain: what was asked for, every file that was written for it, and the state of each step.
//!
//! It is `toolchains/<category>.toml` in the state directory. It is written before the first file is changed and before
//! and after each step, so the next run knows everything that an interrupted one may have done.

use super::{error::ToolchainError, files::Wanted, request::ToolchainRequest};
use crate::config::{Config, read_toml};
use crossmerge_plan::words::hex;
use crossmerge_system::file::{self, read};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The first line of the file.
const HEAD: &str = "# Written by `crossmerge toolchain`. `crossmerge toolchain remove` undoes what is listed here.\n\n";

/// The directory of the records, in the state directory.
const DIRECTORY: &str = "toolchains";

/// What is recorded about a toolchain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolchainRecord {
    /// What was asked for last.
    pub(crate) request: Option<ToolchainRequest>,
    #[serde(default)]
    pub(crate) step: Vec<StepRecord>,
    #[serde(default)]
    pub(crate) file: Vec<FileRecord>,
}

/// The state of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepState {
    /// It has not begun.
    #[default]
    Waiting,
    /// It has begun. After the end of the run: it was interrupted.
    Begun,
    /// It has failed.
    Failed,
    /// Its package is installed.
    Done,
}

/// A step, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepRecord {
    pub(crate) name: String,
    pub(crate) state: StepState,
    /// A hash of everything that the result depends on: the flags, the options, the environment and the ebuild.
    #[serde(default)]
    pub(crate) inputs: String,
    /// A hash of the variables alone: a change of them makes Portage build nothing.
    #[serde(default)]
    pub(crate) environment: String,
    /// The installed version.
    #[serde(default)]
    pub(crate) version: String,
    /// Portage's BUILD_TIME of the package that is installed, or that was when the step began.
    #[serde(default)]
    pub(crate) build_time: u64,
    /// How long it took, in seconds.
    #[serde(default)]
    pub(crate) seconds: u64,
    /// How long its log became, in bytes.
    #[serde(default)]
    pub(crate) log_bytes: u64,
    pub(crate) log: PathBuf,
}

/// A path that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRecord {
    pub(crate) path: PathBuf,
    pub(crate) content: RecordedContent,
}

/// What was written at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordedContent {
    /// A directory that did not exist.
    Directory,
    /// A symlink to this target.
    Link(PathBuf),
    /// A file with this SHA-256.
    File(String),
    /// These lines of a file.
    Lines(Vec<String>),
}

impl StepRecord {
    /// Returns how long the step took last time, and how long its log was. `None` if that is not known.
    pub(crate) fn estimate(&self) -> Option<(Duration, u64)> {
        (self.seconds > 0).then(|| (Duration::from_secs(self.seconds), self.log_bytes))
    }
}

impl RecordedContent {
    pub(crate) fn of(wanted: &Wanted) -> Self {
        match wanted {
            Wanted::Directory => Self::Directory,
            Wanted::Link(target) => Self::Link(target.clone()),
            Wanted::Text(text) => Self::File(hash(text.as_bytes())),
            Wanted::Lines(lines) => Self::Lines(lines.clone()),
            Wanted::Line(line) => Self::Lines(vec![line.clone()]),
        }
    }
}

/// Returns the SHA-256 in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl ToolchainRecord {
    /// Returns the directory of the records.
    pub(crate) fn directory(config: &Config) -> PathBuf {
        config.state_directory().join(DIRECTORY)
    }

    /// Returns the path of a category's record.
    pub(crate) fn path(config: &Config, category: &str) -> PathBuf {
        Self::directory(config).join(format!("{category}.toml"))
    }

    /// Reads a record. `None` if there is none.
    pub(crate) fn read(config: &Config, category: &str) -> Result<Option<Self>, ToolchainError> {
        Ok(read_toml(&Self::path(config, category))?)
    }

    /// Lists the categories that have records.
    pub(crate) fn categories(config: &Config) -> Vec<String> {
        let directory = Self::directory(config);
        let Ok(entries) = std::fs::read_dir(directory) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// Writes the record, completely or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), ToolchainError> {
        let text = HEAD.to_owned() + &toml::to_string(self).expect("text in tables");
        Ok(file::replace_text(path, &text)?)
    }

    /// Returns what was written at a path.
    pub(crate) fn content(&self, path: &Path) -> Option<&RecordedContent> {
        let mut files = self.file.iter();
        files
            .find(|file| file.path == path)
            .map(|file| &file.content)
    }

    /// Returns the record of a step.
    pub(crate) fn step(&self, name: &str) -> Option<&StepRecord> {
        self.step.iter().find(|step| step.name == name)
    }

    /// Records what is written at a path. A directory that existed before is not recorded, so an earlier entry stays.
    pub(crate) fn put(&mut self, path: &Path, content: RecordedContent) {
        match self.file.iter_mut().find(|file| file.path == path) {
            Some(file) => file.content = content,
            None => self.file.push(FileRecord {
                path: path.into(),
                content,
            }),
        }
    }
}

/// Returns the SHA-256 of a file. `None` if it cannot be read.
pub(crate) fn hash_of(path: &Path) -> Option<String> {
    read::read(path, read::SETTINGS)
        .ok()
        .map(|bytes| hash(&bytes))
}
