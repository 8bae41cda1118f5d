//! The fuzz targets of `fuzz/`: for each parser of untrusted files, a function that checks its properties on any input.
//!
//! The module exists with the feature `fuzzing`, and in the tests, which run the functions on the inputs in
//! `fuzz/corpus`. The properties are beside the code, in each `properties.rs`. A property that is violated panics.

use crate::{applet, fix_root, init, pkg_config, qemu, site_cache};
use crossmerge_portage as portage;
use crossmerge_system::file;

/// Checks the properties on one input.
pub type Target = fn(&[u8]);

/// The fuzz targets, by their names in `fuzz/`.
pub const TARGETS: [(&str, Target); 14] = [
    ("answer", pkg_config::properties::answer),
    ("cache", site_cache::properties::cache),
    ("edits", fix_root::properties::edits),
    ("elf", qemu::properties::elf),
    ("make_conf", portage::properties::make_conf),
    ("names", applet::properties::names),
    ("package", pkg_config::properties::package),
    ("profile", qemu::properties::profile),
    ("record", init::properties::record),
    ("repos_conf", portage::properties::repos_conf),
    ("script", site_cache::properties::script),
    ("sysroot", fix_root::properties::sysroot),
    ("tree", file::properties::tree),
    ("wrapper", applet::properties::wrapper),
];

/// Runs a fuzz target on an input.
///
/// # Panics
///
/// Panics if the target is not in [`TARGETS`], or if a property is violated.
pub fn run(target: &str, input: &[u8]) {
    let (_, run) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target of that name");
    run(input);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// Returns the entries of a directory of `fuzz/`, sorted.
    fn entries(directory: &str) -> Vec<PathBuf> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz")
            .join(directory);
        let entries = fs_err::read_dir(directory).expect("fuzz/");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn every_target_has_its_program_and_its_inputs() {
        let stem = |path: &PathBuf| path.file_stem().expect("a name").display().to_string();
        let names: Vec<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
        for directory in ["fuzz_targets", "corpus"] {
            let stems: Vec<String> = entries(directory).iter().map(stem).collect();
            assert_eq!(stems, names, "{directory}");
        }
    }

    #[test]
    fn the_properties_hold_for_the_kept_inputs() {
        for (name, run) in TARGETS {
            let inputs = entries(&format!("corpus/{name}"));
            assert!(!inputs.is_empty(), "{name}");
            for input in inputs {
                let bytes = fs_err::read(&input).expect("an input");
                let held = std::panic::catch_unwind(|| run(&bytes));
                assert!(held.is_ok(), "{}", input.display());
            }
        }
    }
}
