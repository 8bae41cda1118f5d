//! The record of settings on which portageq and crossmerge agree, for versions of Portage that were never measured.
//!
//! The record contains fingerprints. A fingerprint is a hash of everything that the answers depend on. If a file, an
//! environment variable or Portage itself changes, the fingerprint changes too, and portageq is asked again.

use super::installed::Installed;
use crossmerge_plan::words::hex;
use crossmerge_system::file::{self, read};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The maximum number of fingerprints in the record. Each target adds two.
const MOST: usize = 1000;

/// The modules of Portage that read settings. A change in one of them may change the answers.
const MODULES: [&str; 8] = [
    "__init__.py",
    "const.py",
    "data.py",
    "eapi.py",
    "package/ebuild/_config/LocationsManager.py",
    "package/ebuild/_config/UseManager.py",
    "package/ebuild/config.py",
    "repository/config.py",
];

/// The fingerprints of settings on which portageq and crossmerge agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AgreedFingerprints(BTreeSet<String>);

fn file(state: &Path) -> PathBuf {
    state.join("portage-agrees")
}

impl AgreedFingerprints {
    /// Reads the record; returns an empty one if there is no file.
    pub(super) fn read(state: &Path) -> Self {
        let text = read::read_to_string(&file(state), read::SETTINGS).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(str::to_owned).collect())
    }

    /// Returns whether the settings with this fingerprint agree.
    pub(super) fn has(&self, fingerprint: &str) -> bool {
        self.0.contains(fingerprint)
    }

    /// Adds fingerprints. If the record would then have more than [`MOST`], the old ones are removed first.
    pub(super) fn add(&mut self, fingerprints: Vec<String>) {
        if self.0.len() + fingerprints.len() > MOST {
            self.0.clear();
        }
        self.0.extend(fingerprints);
    }

    /// Writes the record.
    pub(super) fn write(&self, state: &Path) -> io::Result<()> {
        fs::create_dir_all(state)?;
        let mut text = "# Settings that crossmerge reads as portageq prints them. Written by `crossmerge doctor`.\n".to_owned();
        for fingerprint in &self.0 {
            text.push_str(fingerprint);
            text.push('\n');
        }
        file::keep(&file(state), text.as_bytes())
    }
}

/// Adds one part to a hash, with its length before it. Without the length, the parts `a`, `bc` and `ab`, `c` would have
/// the same hash.
pub(super) fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

/// Adds the version and the modules of the installed Portage to a hash.
pub(super) fn add_identity(hash: &mut Sha256, portage: &Installed) {
    add(hash, portage.version.to_string().as_bytes());
    for package in &portage.packages {
        for module in MODULES.map(|module| package.join(module)) {
            add(hash, module.as_os_str().as_encoded_bytes());
            let Ok(metadata) = fs::metadata(&module) else {
                continue;
            };
            for number in [
                metadata.ino(),
                metadata.size(),
                metadata.mtime() as u64,
                metadata.mtime_nsec() as u64,
            ] {
                hash.update(number.to_le_bytes());
            }
        }
    }
}

/// Returns the hash as text: the fingerprint.
pub(super) fn finish(hash: Sha256) -> String {
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_the_fingerprints_that_are_added() {
        let state = tempfile::tempdir().expect("a directory");
        let place = state.path().join("new");
        assert_eq!(
            AgreedFingerprints::read(&place),
            AgreedFingerprints::default()
        );
        let mut agreed = AgreedFingerprints::default();
        agreed.add(vec!["b".into(), "a".into()]);
        agreed.write(&place).expect("written");
        let read = AgreedFingerprints::read(&place);
        assert!(read.has("a") && read.has("b") && !read.has("c") && !read.has("#"));
        agreed.add((0..MOST).map(|number| format!("x{number}")).collect());
        assert!(!agreed.has("a") && agreed.has("x0"));
    }
}
