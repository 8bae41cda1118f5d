//! The names of the CPU families.

use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The keys for names in a family's file. No fact of a tuple depends on them.
pub(crate) const KEYS: [&str; 4] = ["examples", "alone", "hurd", "names"];

/// The names of one CPU family.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Spellings {
    /// A summary of one line.
    pub summary: String,
    /// Globs over a tuple's first field.
    pub cpus: Vec<String>,
    /// Tuples, the usual one first.
    #[serde(default)]
    pub examples: Vec<String>,
    /// The fields that follow a CPU that was typed alone, by a glob over CPUs. Empty if the CPU alone is the tuple. The
    /// default is `unknown-linux-gnu`.
    #[serde(default)]
    pub alone: BTreeMap<String, String>,
    /// Whether the Hurd runs on it, so that `gnu` alone means the Hurd.
    #[serde(default)]
    pub hurd: bool,
    /// Other names, grouped by the project that uses them, each with the tuple that it means if it is typed alone.
    #[serde(default)]
    pub names: BTreeMap<String, BTreeMap<String, Tuple>>,
}
