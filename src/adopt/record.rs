//! The record of adopt: what existed at each path before, so that it can be put back.
//!
//! It is `adopted.toml` in the state directory (`/var/lib/crossmerge`); regular files that were taken over are copied
//! to `kept` beside it. The record is written and synced before the first symlink is changed, so it contains everything
//! that an interrupted run has changed.

use crate::config::{Config, ConfigError, read_toml};
use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The comment at the top of the file.
const HEAD: &str = "# Written by `crossmerge adopt`: what existed where it made symlinks. `crossmerge adopt --undo` puts that back.\n\n";

/// The symlinks that adopt has made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdoptRecord {
    #[serde(default)]
    pub(super) link: Vec<AdoptedSymlink>,
}

/// A symlink that adopt made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdoptedSymlink {
    /// The target's tuple. `None` for `emerge-wrapper`, which all targets share.
    pub(super) tuple: Option<String>,
    /// The path of the symlink.
    pub(super) path: PathBuf,
    /// The target of the symlink.
    pub(super) ours: PathBuf,
    /// What existed at the path before.
    #[serde(rename = "was")]
    pub(super) previous: Previous,
}

/// What existed at a path before adopt made a symlink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Previous {
    /// The path did not exist.
    Nothing,
    /// A symlink with this target.
    Link(PathBuf),
    /// A regular file, of which this is the copy.
    File(PathBuf),
}

/// Returns the directory of the kept copies.
pub(super) fn directory_of_kept(config: &Config) -> PathBuf {
    config.state_directory().join("kept")
}

impl AdoptRecord {
    /// Returns the path of the record.
    pub(super) fn file(config: &Config) -> PathBuf {
        config.state_directory().join("adopted.toml")
    }

    /// Returns the path of the kept copy of a file.
    pub(super) fn aside(config: &Config, path: &Path) -> PathBuf {
        directory_of_kept(config).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Reads the record. It is empty if the file does not exist.
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        Ok(read_toml(&Self::file(config))?.unwrap_or_default())
    }

    /// Renders the record as TOML.
    pub(super) fn to_text(&self) -> String {
        HEAD.to_owned() + &toml::to_string(self).expect("text in tables")
    }

    /// Adds an entry, replacing any other of the same path.
    pub(super) fn put(&mut self, taken: AdoptedSymlink) {
        self.link.retain(|known| known.path != taken.path);
        self.link.push(taken);
        self.link.sort_by(|one, other| one.path.cmp(&other.path));
    }

    /// Splits the record into the entries of these targets and the rest. Entries that all targets share go with the
    /// last target.
    pub(super) fn without(&self, tuples: &BTreeSet<Tuple>) -> (Vec<AdoptedSymlink>, Self) {
        let links = self.link.iter().cloned();
        let (mut gone, mut left): (Vec<_>, Vec<_>) =
            links.partition(|taken| tuples.iter().any(|tuple| taken.is_of(tuple)));
        if left.iter().all(|taken| taken.tuple.is_none()) {
            gone.append(&mut left);
        }
        (gone, Self { link: left })
    }

    /// Returns whether the record has no entries.
    pub(super) fn is_empty(&self) -> bool {
        self.link.is_empty()
    }

    /// Lists the paths of all entries.
    pub(super) fn all_paths(&self) -> impl Iterator<Item = &Path> {
        self.link.iter().map(|taken| taken.path.as_path())
    }

    /// Lists the targets that have entries.
    pub(crate) fn tuples(&self) -> BTreeSet<&str> {
        let tuples = self.link.iter().map(|taken| taken.tuple.as_deref());
        tuples.flatten().collect()
    }

    /// Returns the paths of a target's symlinks.
    pub(crate) fn paths_of(&self, tuple: &Tuple) -> BTreeSet<PathBuf> {
        let its = self.link.iter().filter(|taken| taken.is_of(tuple));
        its.map(|taken| taken.path.clone()).collect()
    }
}

impl AdoptedSymlink {
    pub(super) fn is_of(&self, tuple: &Tuple) -> bool {
        self.tuple.as_deref() == Some(tuple.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let taken = |path: &str, previous| AdoptedSymlink {
            tuple: Some("avr".into()),
            path: path.into(),
            ours: "crossmerge".into(),
            previous,
        };
        let mut record = AdoptRecord::default();
        record.put(taken(
            "/b/avr-emerge",
            Previous::Link("cross-emerge".into()),
        ));
        record.put(taken(
            "/b/avr-ebuild",
            Previous::File("/k/b/avr ebuild".into()),
        ));
        record.put(taken("/b/avr-env", Previous::Nothing));
        record.put(taken(
            "/b/avr-emerge",
            Previous::Link("cross -> \"x\"".into()),
        ));
        assert_eq!(record.paths_of(&"avr".parse().expect("a tuple")).len(), 3);
        let read: AdoptRecord = toml::from_str(&record.to_text()).expect("a record");
        assert_eq!(read, record);
    }
}
