//! Names and values of Portage's settings.

use std::collections::BTreeMap;

/// The settings that were asked for, by name; one that is not set is empty, as `portageq` has it.
pub type Settings = BTreeMap<String, String>;

/// The assignments of one file, or of several together.
pub(super) type Vars = BTreeMap<String, String>;
