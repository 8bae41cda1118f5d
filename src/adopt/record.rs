//! The record of what was taken over: what stood at each path before, so that it can be put back.
//!
//! It is `adopted.toml` in the directory for what has to stay (`/var/lib/crossmerge`), with files that were taken over whole in
//! `kept` beside it. It is written, and on the disk, before the first link is changed; so a run that was killed has left nothing
//! that is not in it.

use crate::config::{Config, ConfigError, read_toml};
use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What stands at the top of the file.
const HEAD: &str = "# Written by `crossmerge adopt`: what stood where it made links. `crossmerge adopt --undo` puts that back.\n\n";

/// Everything that was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdoptRecord {
    #[serde(default)]
    pub(super) link: Vec<AdoptedSymlink>,
}

/// A link that adopt made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdoptedSymlink {
    /// Whose it is; none for `emerge-wrapper`, which all targets share.
    pub(super) tuple: Option<String>,
    /// Where.
    pub(super) path: PathBuf,
    /// What our link says.
    pub(super) ours: PathBuf,
    /// What was there.
    #[serde(rename = "was")]
    pub(super) previous: Previous,
}

/// What was at a path before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Previous {
    /// Nothing.
    Nothing,
    /// A link that said this.
    Link(PathBuf),
    /// A file, kept here.
    File(PathBuf),
}

/// The directory of the files that were taken over whole.
pub(super) fn directory_of_kept(config: &Config) -> PathBuf {
    config.state_directory().join("kept")
}

impl AdoptRecord {
    /// Where it is.
    pub(super) fn file(config: &Config) -> PathBuf {
        config.state_directory().join("adopted.toml")
    }

    /// Where a file is kept that was taken over whole.
    pub(super) fn aside(config: &Config, path: &Path) -> PathBuf {
        directory_of_kept(config).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Reads it; an empty one where there is none.
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        Ok(read_toml(&Self::file(config))?.unwrap_or_default())
    }

    /// The record as text.
    pub(super) fn to_text(&self) -> String {
        HEAD.to_owned() + &toml::to_string(self).expect("text in tables")
    }

    /// Makes this the one entry of its path.
    pub(super) fn put(&mut self, taken: AdoptedSymlink) {
        self.link.retain(|known| known.path != taken.path);
        self.link.push(taken);
        self.link.sort_by(|one, other| one.path.cmp(&other.path));
    }

    /// What it says of these targets, and the rest. What all targets share goes with the last one.
    pub(super) fn without(&self, tuples: &BTreeSet<Tuple>) -> (Vec<AdoptedSymlink>, Self) {
        let links = self.link.iter().cloned();
        let (mut gone, mut left): (Vec<_>, Vec<_>) =
            links.partition(|taken| tuples.iter().any(|tuple| taken.is_of(tuple)));
        if left.iter().all(|taken| taken.tuple.is_none()) {
            gone.append(&mut left);
        }
        (gone, Self { link: left })
    }

    /// Returns whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.link.is_empty()
    }

    /// Every path in it.
    pub(super) fn all_paths(&self) -> impl Iterator<Item = &Path> {
        self.link.iter().map(|taken| taken.path.as_path())
    }

    /// The targets in it.
    pub(crate) fn tuples(&self) -> BTreeSet<&str> {
        let tuples = self.link.iter().map(|taken| taken.tuple.as_deref());
        tuples.flatten().collect()
    }

    /// The paths of a target's links.
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
