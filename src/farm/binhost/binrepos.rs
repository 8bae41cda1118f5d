//! The target's binrepos.conf, in which Portage finds the hosts of binary packages: a file or a directory of files, with
//! sections as in repos.conf.

use crossmerge_system::file::read;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A host of packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// The file that has the section.
    pub(crate) file: PathBuf,
    /// Its name.
    pub(crate) name: String,
    /// Its values.
    values: BTreeMap<String, String>,
    /// The values of `[DEFAULT]`.
    defaults: BTreeMap<String, String>,
}

impl Section {
    /// Returns a value, of the section or of `[DEFAULT]`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.values.get(key).or_else(|| self.defaults.get(key));
        found.map(String::as_str)
    }

    /// Returns whether the section itself has a value.
    pub(crate) fn has_own(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Returns the address of the packages, without a slash at its end, as Portage compares it.
    pub(crate) fn url(&self) -> &str {
        self.get("sync-uri")
            .unwrap_or_default()
            .trim_end_matches('/')
    }

    /// Returns whether signatures are verified. Portage's own settings enable it for all hosts.
    pub(crate) fn is_verified(&self) -> bool {
        let value = self.get("verify-signature").unwrap_or("true");
        ["true", "yes"].contains(&value.to_lowercase().as_str())
    }
}

/// Returns the file that `farm use` writes: the binrepos.conf of a user, or a file of its own in a directory.
pub(super) fn own_file(etc: &Path) -> PathBuf {
    let path = etc.join("binrepos.conf");
    match path.is_file() {
        true => path,
        false => path.join("crossmerge.conf"),
    }
}

/// Reads the hosts of a target.
pub(crate) fn sections(etc: &Path) -> Vec<Section> {
    let path = etc.join("binrepos.conf");
    let mut files = vec![path.clone()];
    if path.is_dir() {
        let entries = fs_err::read_dir(&path).into_iter().flatten().flatten();
        files = entries.map(|entry| entry.path()).collect();
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && !name.ends_with('~')
        });
        files.sort();
    }
    let mut all = Vec::new();
    let mut defaults = BTreeMap::new();
    for file in files {
        let text = read::read_to_string(&file, read::SETTINGS).unwrap_or_default();
        parse(&text, &file, &mut defaults, &mut all);
    }
    for section in &mut all {
        section.defaults = defaults.clone();
    }
    all
}

fn parse(text: &str, file: &Path, defaults: &mut BTreeMap<String, String>, all: &mut Vec<Section>) {
    let mut is_default = false;
    for line in text.lines().map(str::trim) {
        let name = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name {
            is_default = name == "DEFAULT";
            if !is_default {
                all.push(Section {
                    file: file.to_owned(),
                    name: name.to_owned(),
                    ..Section::default()
                });
            }
            continue;
        }
        if line.starts_with(['#', ';']) {
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let values = match is_default {
            true => Some(&mut *defaults),
            false => all.last_mut().map(|section| &mut section.values),
        };
        if let Some(values) = values {
            values.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
}

/// Returns the name of a section for an address: the host, the port and the path, in characters of file names.
pub(super) fn name_of(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let allowed = |c: char| match c.is_ascii_alphanumeric() || ".-_".contains(c) {
        true => c,
        false => '-',
    };
    let name: String = rest.chars().map(allowed).collect();
    name.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_have_the_values_of_default() {
        let text = "[DEFAULT]\nverify-signature = false\n# [x]\n[one]\nSync-URI: http://h:1/x/\nverify-signature = yes\n[two]\nsync-uri=ssh://h/y\n";
        let directory = tempfile::tempdir().expect("a directory");
        fs_err::write(directory.path().join("binrepos.conf"), text).expect("a file");
        let all = sections(directory.path());
        let found: Vec<_> = all
            .iter()
            .map(|it| (it.name.as_str(), it.url(), it.is_verified()))
            .collect();
        assert_eq!(
            found,
            [("one", "http://h:1/x", true), ("two", "ssh://h/y", false)]
        );
    }

    #[test]
    fn an_address_has_a_name_for_files() {
        for (url, name) in [
            ("http://build1:8000/arm", "build1-8000-arm"),
            ("https://me:secret@h.example.org/a/b", "h.example.org-a-b"),
            ("file:///srv/packages", "srv-packages"),
            ("/srv/x", "srv-x"),
        ] {
            assert_eq!(name_of(url), name, "{url}");
        }
    }
}
