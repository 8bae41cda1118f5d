//! The record of settings that portageq answered as we read them, for versions of Portage that were never compared.
//!
//! What is recorded is a seal: a hash of everything that the answers were made of. Whatever changes then, be it a file, a
//! environment variable or Portage itself, makes another seal, and portageq is asked again.

use super::installed::Installed;
use crossmerge_system::{file, file::read};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The most seals that are kept: two a target.
const MOST: usize = 1000;

/// The modules of Portage that read settings. A change of one of them may change the answers.
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

/// The seals of settings that agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AgreedSeals(BTreeSet<String>);

fn file(state: &Path) -> PathBuf {
    state.join("portage-agrees")
}

impl AgreedSeals {
    /// Reads the record; an empty one where there is none.
    pub(super) fn read(state: &Path) -> Self {
        let text = read::read_to_string(&file(state), read::SETTINGS).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.map(str::to_owned).collect())
    }

    /// Returns whether settings with this seal agree.
    pub(super) fn has(&self, seal: &str) -> bool {
        self.0.contains(seal)
    }

    /// Adds seals. A record that has grown too long begins anew.
    pub(super) fn add(&mut self, seals: Vec<String>) {
        if self.0.len() + seals.len() > MOST {
            self.0.clear();
        }
        self.0.extend(seals);
    }

    /// Writes the record.
    pub(super) fn write(&self, state: &Path) -> io::Result<()> {
        fs::create_dir_all(state)?;
        let mut text = "# Settings that portageq answered as crossmerge reads them. Written by `crossmerge doctor`.\n".to_owned();
        for seal in &self.0 {
            text.push_str(seal);
            text.push('\n');
        }
        file::keep(&file(state), text.as_bytes())
    }
}

/// Adds one part to a seal, apart from the next one.
pub(super) fn add(seal: &mut Sha256, part: &[u8]) {
    seal.update((part.len() as u64).to_le_bytes());
    seal.update(part);
}

/// Adds which Portage it is.
pub(super) fn add_identity(seal: &mut Sha256, portage: &Installed) {
    add(seal, portage.version.to_string().as_bytes());
    for package in &portage.packages {
        for module in MODULES.map(|module| package.join(module)) {
            add(seal, module.as_os_str().as_encoded_bytes());
            let Ok(metadata) = fs::metadata(&module) else {
                continue;
            };
            for number in [
                metadata.ino(),
                metadata.size(),
                metadata.mtime() as u64,
                metadata.mtime_nsec() as u64,
            ] {
                seal.update(number.to_le_bytes());
            }
        }
    }
}

/// The seal as text.
pub(super) fn finish(seal: Sha256) -> String {
    seal.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_what_it_is_told() {
        let state = tempfile::tempdir().expect("a directory");
        let place = state.path().join("new");
        assert_eq!(AgreedSeals::read(&place), AgreedSeals::default());
        let mut agreed = AgreedSeals::default();
        agreed.add(vec!["b".into(), "a".into()]);
        agreed.write(&place).expect("written");
        let read = AgreedSeals::read(&place);
        assert!(read.has("a") && read.has("b") && !read.has("c") && !read.has("#"));
        agreed.add((0..MOST).map(|seal| format!("x{seal}")).collect());
        assert!(!agreed.has("a") && agreed.has("x0"));
    }
}
