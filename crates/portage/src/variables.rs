//! Names and values of Portage's settings.

use std::collections::BTreeMap;

/// The values of the queried variables by name. A variable that is not set is empty, as in the output of `portageq`.
pub type Settings = BTreeMap<String, String>;

/// The assignments of one file, or of several combined.
pub(super) type Vars = BTreeMap<String, String>;
