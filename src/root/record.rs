//! The record of a root that is built: what was asked for, and the steps that are done. The next run goes on with it.

use super::{error::RootError, request::Places};
use crate::config::read_toml;
use crossmerge_system::file;
use serde::{Deserialize, Serialize};

/// The first line of the file.
const HEAD: &str =
    "# Written by `crossmerge root`, so that the next run goes on with this one.\n\n";

/// What is recorded about a root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RootRecord {
    pub(super) tuple: String,
    /// What the new root is to contain.
    pub(super) inputs: Vec<String>,
    /// The steps of the new root that are done.
    pub(super) done: Vec<String>,
    /// Whether a run has begun that is not finished, so that the new root's path is crossmerge's.
    #[serde(default)]
    pub(super) has_begun: bool,
    /// Device and inode of the new root. Once it has replaced the old one, it is the root that crossmerge has built,
    /// and may replace.
    pub(super) new: Option<(u64, u64)>,
    /// Device and inode of the last root that was finished.
    pub(super) finished: Option<(u64, u64)>,
}

impl RootRecord {
    /// Reads the record of a root. Empty if there is none.
    pub(super) fn read(places: &Places) -> Result<Self, RootError> {
        Ok(read_toml(&places.record())?.unwrap_or_default())
    }

    /// Writes the record, completely or not at all.
    pub(super) fn write(&self, places: &Places) -> Result<(), RootError> {
        let text = HEAD.to_owned() + &toml::to_string(self).expect("text in tables");
        Ok(file::replace_text(&places.record(), &text)?)
    }

    /// Returns whether a step is done.
    pub(super) fn has_done(&self, step: &str) -> bool {
        self.done.iter().any(|done| done == step)
    }
}
