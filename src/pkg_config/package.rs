//! `.pc` files, as far as is needed to say which one a flag came from and which ones a question touches.
//!
//! The real tool answers; this only explains. Variables are put in as pkg-config does it, and what is stranger than that
//! stays unexplained.

use super::flags::{Flag, places, split};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The most `.pc` files that one question looks into, and variables that one field puts in.
const MOST: usize = 4096;

/// One file.
pub(super) struct Package {
    path: PathBuf,
    variables: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

/// The fields that hold flags.
const FLAGS: [&str; 4] = ["Cflags", "Cflags.private", "Libs", "Libs.private"];

/// The fields that name other packages.
const REQUIRES: [&str; 3] = ["Requires", "Requires.private", "Requires.internal"];

/// The packages that the words of a question name, and all that they require.
pub(super) fn closure(words: &str, folders: &[PathBuf], sysroot: &str) -> Vec<Package> {
    let mut names: Vec<String> = named(words);
    let mut seen = BTreeSet::new();
    let mut packages = Vec::new();
    while let Some(name) = names.pop() {
        if packages.len() == MOST || !seen.insert(name.clone()) {
            continue;
        }
        if let Some(package) = find(&name, folders).and_then(|path| Package::read(path, sysroot)) {
            let fields = REQUIRES
                .iter()
                .filter_map(|field| package.fields.get(*field));
            names.extend(fields.flat_map(|field| named(&package.expanded(field))));
            packages.push(package);
        }
    }
    packages
}

/// The file that a flag came from, and its field: where the same option stands, else where the same place does.
pub(super) fn origin<'p>(flag: &Flag, packages: &'p [Package]) -> Option<(&'p Path, &'static str)> {
    let same = |fits: &dyn Fn(&Flag) -> bool| {
        packages.iter().find_map(|package| {
            let in_field = |field: &&&'static str| {
                let text = package
                    .fields
                    .get(**field)
                    .map(|text| package.expanded(text));
                text.is_some_and(|text| places(&split(text.as_bytes())).iter().any(fits))
            };
            let field = FLAGS.iter().find(in_field)?;
            Some((package.path.as_path(), *field))
        })
    };
    let plain = |path: &Path| path.components().collect::<PathBuf>();
    let path = plain(&flag.path);
    same(&|other| other == flag).or_else(|| same(&|other| plain(&other.path) == path))
}

/// The file of a package in the folders, the first that has it; one that is named by its path is it.
fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if name.ends_with(".pc") {
        return Some(name.into());
    }
    let files = folders.iter().flat_map(|folder| {
        ["-uninstalled", ""].map(|kind| folder.join(format!("{name}{kind}.pc")))
    });
    files.into_iter().find(|path| path.is_file())
}

/// The packages in a list, without the versions that they are compared with.
fn named(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut words = list
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        match word {
            "=" | "<" | ">" | "<=" | ">=" | "!=" => drop(words.next()),
            _ => names.push(
                word.split(['<', '>', '=', '!'])
                    .next()
                    .unwrap_or(word)
                    .to_owned(),
            ),
        }
    }
    names
}

impl Package {
    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn read(path: PathBuf, sysroot: &str) -> Option<Self> {
        let text = fs_err::read(&path).ok()?;
        let text = String::from_utf8_lossy(&text).replace("\\\n", " ");
        let folder = path.parent()?.to_string_lossy().into_owned();
        let mut package = Self {
            variables: BTreeMap::from([
                ("pcfiledir".into(), folder),
                ("pc_sysrootdir".into(), sysroot.into()),
            ]),
            fields: BTreeMap::new(),
            path,
        };
        for line in text.lines() {
            // Whichever of the two comes first says what the line is.
            if let Some((name, value)) = line.split_once([':', '=']) {
                let is_field = line.as_bytes()[name.len()] == b':';
                let (name, value) = (name.trim(), value.trim().to_owned());
                match is_field {
                    true => package.fields.insert(canonical_field(name), value),
                    false => package.variables.insert(name.into(), value),
                };
            }
        }
        Some(package)
    }

    /// The text with its variables put in; one that is not set is empty.
    fn expanded(&self, text: &str) -> String {
        let mut expanded = String::new();
        self.expand(text, &mut expanded, &mut 0);
        expanded
    }

    /// Expands into `expanded`. `done` counts the variables that were put in: a file in which each names the next twice
    /// would go on for ever.
    fn expand(&self, text: &str, expanded: &mut String, done: &mut usize) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            expanded.push_str(before);
            *done += 1;
            if *done > MOST {
                return;
            }
            if let Some(value) = self.variables.get(name) {
                self.expand(value, expanded, done);
            }
            rest = after;
        }
        expanded.push_str(rest);
    }
}

/// `CFlags` is `Cflags`.
fn canonical_field(name: &str) -> String {
    let known = FLAGS
        .iter()
        .chain(&REQUIRES)
        .find(|field| field.eq_ignore_ascii_case(name));
    known.map_or(name, |field| field).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_in_a_list_are_named_without_versions() {
        for (list, names) in [
            ("zlib", vec!["zlib"]),
            ("zlib >= 1.2, glib-2.0", vec!["zlib", "glib-2.0"]),
            ("a>=1 b != 2 c", vec!["a", "b", "c"]),
            ("", vec![]),
        ] {
            assert_eq!(named(list), names, "{list}");
        }
    }

    #[test]
    fn a_value_that_doubles_without_end_ends() {
        let text = "a=${a}${a}\nb=${c}${c}${c}\nc=${b}${b}${b}\nCflags: -I${a}${b}/x\n";
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.pc");
        fs_err::write(&path, text).expect("a file");
        let package = Package::read(path, "").expect("a package");
        assert!(package.expanded(&package.fields["Cflags"]).len() < 1 << 20);
    }
}
