//! How users call the CPU families.

use crossmerge_plan::tuple::Tuple;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The keys of a family's file that say how people call it. No fact of a tuple depends on them.
pub(crate) const KEYS: [&str; 4] = ["examples", "alone", "hurd", "names"];

/// How people call one CPU family.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Spellings {
    /// A summary of one line.
    pub summary: String,
    /// Globs over a tuple's first field.
    pub cpus: Vec<String>,
    /// Tuples, the usual one first.
    #[serde(default)]
    pub examples: Vec<String>,
    /// What follows a CPU of that glob that was typed alone: nothing where the CPU alone is the tuple. The default is
    /// `unknown-linux-gnu`.
    #[serde(default)]
    pub alone: BTreeMap<String, String>,
    /// The Hurd runs on it, so that `gnu` alone is the Hurd's.
    #[serde(default)]
    pub hurd: bool,
    /// Other names, by who has them, with the tuple that each means alone.
    #[serde(default)]
    pub names: BTreeMap<String, BTreeMap<String, Tuple>>,
}
