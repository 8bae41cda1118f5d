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
    use proptest::{
        collection::vec,
        prelude::{Strategy, any, prop_oneof},
        sample::{Index, select},
        test_runner::{Config, TestRunner},
    };
    use std::{
        path::{Path, PathBuf},
        sync::Arc,
        time::{Duration, Instant},
    };

    /// How long each target runs on mutated inputs.
    const BUDGET: Duration = Duration::from_secs(1);

    /// The limits of `make fuzz`: of the length of an input, the time for it, and the memory in KiB.
    const LENGTH: usize = 8192;
    const TIME: Duration = Duration::from_secs(25);
    const MEMORY: u64 = 1500 * 1024;

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

    /// Returns the kept inputs of a target.
    fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = entries(&format!("corpus/{name}")).into_iter();
        let read = |path: PathBuf| (path.clone(), fs_err::read(path).expect("an input"));
        paths.map(read).collect()
    }

    /// Generates inputs as a fuzzer does: a kept one, in which bytes are replaced by random ones or by a part of
    /// another kept one.
    fn mutated(kept: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        let kept = Arc::new(kept);
        let inputs: Vec<usize> = (0..kept.len()).collect();
        let others = Arc::clone(&kept);
        let part = (select(inputs.clone()), any::<Index>(), 0..64_usize);
        let part = part.prop_map(move |(input, start, length)| {
            let input = &others[input];
            let rest = &input[start.index(input.len() + 1)..];
            rest[..length.min(rest.len())].to_vec()
        });
        let inserted = prop_oneof![vec(any::<u8>(), 0..8), part];
        let edits = vec((any::<Index>(), 0..16_usize, inserted), 1..6);
        (select(inputs), edits).prop_map(move |(input, edits)| {
            let mut input = kept[input].clone();
            for (place, removed, inserted) in edits {
                let start = place.index(input.len() + 1);
                let end = input.len().min(start + removed);
                input.splice(start..end, inserted);
            }
            input.truncate(LENGTH);
            input
        })
    }

    /// The highest memory use of this process so far, in KiB.
    fn highest_memory() -> u64 {
        let status = fs_err::read_to_string("/proc/self/status").expect("the process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let words = line.and_then(|line| line.split_whitespace().next());
        words.and_then(|word| word.parse().ok()).expect("a number")
    }

    #[test]
    fn every_target_has_its_program_and_its_inputs() {
        let stem = |path: &PathBuf| path.file_stem().expect("a name").display().to_string();
        let names: Vec<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
        for directory in ["fuzz_targets", "corpus"] {
            let stems: Vec<String> = entries(directory).iter().map(stem).collect();
            assert_eq!(stems, names, "{directory}");
        }
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
        let manifest = fs_err::read_to_string(manifest).expect("fuzz/Cargo.toml");
        for (program, name) in entries("fuzz_targets").iter().zip(names) {
            let text = fs_err::read_to_string(program).expect("a program");
            assert_eq!(
                text,
                format!(
                    "#![no_main]\n\nlibfuzzer_sys::fuzz_target!(|input: &[u8]| crossmerge::fuzzing::run(\"{name}\", input));\n"
                )
            );
            let entry = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
            assert!(
                manifest.contains(&entry),
                "{name} is not in fuzz/Cargo.toml"
            );
        }
    }

    #[test]
    fn the_properties_hold_for_the_kept_inputs() {
        for (name, run) in TARGETS {
            let inputs = kept(name);
            assert!(!inputs.is_empty(), "{name}");
            for (input, bytes) in inputs {
                let held = std::panic::catch_unwind(|| run(&bytes));
                assert!(held.is_ok(), "{}", input.display());
            }
        }
    }

    /// What `make fuzz` does with a coverage-guided fuzzer, for a second each. A failure prints the smallest input that
    /// proptest finds.
    #[test]
    fn the_properties_hold_for_mutated_inputs() {
        for (name, run) in TARGETS {
            let inputs = mutated(kept(name).into_iter().map(|(_, bytes)| bytes).collect());
            let config = Config {
                cases: 8,
                failure_persistence: None,
                ..Config::default()
            };
            let mut runner = TestRunner::new(config);
            let start = Instant::now();
            while start.elapsed() < BUDGET {
                let result = runner.run(&inputs, |input| {
                    let start = Instant::now();
                    run(&input);
                    assert!(start.elapsed() < TIME, "it took {:?}", start.elapsed());
                    Ok(())
                });
                if let Err(error) = result {
                    panic!("{name}: {error}");
                }
            }
        }
        let memory = highest_memory();
        assert!(memory < MEMORY, "{memory} KiB of memory");
    }
}
