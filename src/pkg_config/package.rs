//! `.pc` files, as far as is needed to say which one a flag came from and which ones a question touches.
//!
//! The real tool answers; this only explains. Variables are put in as pkg-config does it, and what is stranger than
//! that stays unexplained.

use super::flags::{Flag, places, split};
use crossmerge_system::file::read;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

/// The most `.pc` files that one question looks for. A desktop's toolkit touches 150.
const MOST: usize = 4096;

/// The most that they hold together, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The most that the variables of one file may make of its fields, in bytes and variables. Where each names the next
/// twice, there would be no end to it.
pub(super) const LONGEST: usize = 64 << 10;

/// How often a variable may stand for others that stand for others; pkg-config itself goes round for ever.
const DEEPEST: usize = 100;

/// One file.
pub(super) struct Package {
    path: PathBuf,
    variables: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

/// A field of a file, with the flags in it.
pub(super) struct Field<'p> {
    path: &'p Path,
    name: &'static str,
    flags: Vec<Flag>,
}

/// The fields that hold flags.
const FLAGS: [&str; 4] = ["Cflags", "Cflags.private", "Libs", "Libs.private"];

/// The fields that name other packages.
const REQUIRES: [&str; 3] = ["Requires", "Requires.private", "Requires.internal"];

/// The packages that the words of a question name, and all that they require, as far as there is an end to it.
pub(super) fn closure(words: &str, directories: &[PathBuf], sysroot: &str) -> Vec<Package> {
    let mut names: Vec<String> = named(words);
    let mut seen = BTreeSet::new();
    let mut packages = Vec::new();
    let mut left = MOST_BYTES;
    while let Some(name) = names.pop() {
        if seen.len() == MOST {
            break;
        }
        if !seen.insert(name.clone()) {
            continue;
        }
        let path = find(&name, directories);
        // One that cannot be read is none here; the real tool says what is wrong with it.
        let text = path.and_then(|path| Some((read::read(&path, read::PACKAGE).ok()?, path)));
        let Some((text, path)) = text else {
            continue;
        };
        let Some(rest) = left.checked_sub(text.len()) else {
            break;
        };
        left = rest;
        let package = Package::parse(path, &text, sysroot);
        names.extend(named(&package.requires()));
        packages.push(package);
    }
    packages
}

/// The names of packages that a question needs and the directories lack.
pub(super) fn missing(words: &str, directories: &[PathBuf]) -> Vec<String> {
    let found = closure(words, directories, "");
    let needed = found.iter().flat_map(|package| named(&package.requires()));
    let mut missing: Vec<String> = Vec::new();
    for name in named(words).into_iter().chain(needed) {
        if !missing.contains(&name) && find(&name, directories).is_none() {
            missing.push(name);
        }
    }
    missing
}

/// The fields of the packages that hold flags.
pub(super) fn fields(packages: &[Package]) -> Vec<Field<'_>> {
    let mut left = MOST_BYTES;
    let of_package = |package| {
        let mut within = LONGEST.min(left);
        let fields = Package::flags(package, &mut within);
        left = left.saturating_sub(LONGEST - within);
        fields
    };
    packages.iter().flat_map(of_package).collect()
}

/// The file that a flag came from, and its field: where the same option stands, else where the same place does.
pub(super) fn origin<'p>(flag: &Flag, fields: &[Field<'p>]) -> Option<(&'p Path, &'static str)> {
    let same = |fits: &dyn Fn(&Flag) -> bool| {
        let field = fields.iter().find(|field| field.flags.iter().any(fits))?;
        Some((field.path, field.name))
    };
    let plain = |path: &Path| path.components().collect::<PathBuf>();
    let path = plain(&flag.path);
    same(&|other| other == flag).or_else(|| same(&|other| plain(&other.path) == path))
}

/// The file of a package in the directories, the first that has it; one that is named by its path is it.
pub(super) fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    if name.ends_with(".pc") {
        return Some(name.into());
    }
    places_of(name, directories).find(|path| path.is_file())
}

/// Where a package may be, in the order in which the real tool looks.
fn places_of(name: &str, directories: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    directories.iter().flat_map(move |directory| {
        ["-uninstalled", ""].map(|kind| directory.join(format!("{name}{kind}.pc")))
    })
}

/// Looks whether the real tool can read the packages that the words name to their ends: it opens what has the name.
/// What they require is not looked at, for that would take as long as reading it.
pub(super) fn look(words: &str, directories: &[PathBuf]) -> io::Result<()> {
    named(words).iter().try_for_each(|name| {
        let places: Vec<PathBuf> = match name.ends_with(".pc") {
            true => vec![name.into()],
            false => places_of(name, directories).collect(),
        };
        let found = places
            .iter()
            .find_map(|place| match read::look(place, read::PACKAGE) {
                Err(e) if read::refused(&e).is_none() => None,
                looked => Some(looked),
            });
        found.unwrap_or(Ok(()))
    })
}

/// The packages in a list, without the versions that they are compared with.
pub(super) fn named(list: &str) -> Vec<String> {
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

    /// Reads what the text of a file says.
    pub(super) fn parse(path: PathBuf, text: &[u8], sysroot: &str) -> Self {
        let text = String::from_utf8_lossy(text).replace("\\\n", " ");
        let directory = path.parent().unwrap_or(Path::new(""));
        let directory = directory.to_string_lossy().into_owned();
        let mut package = Self {
            variables: BTreeMap::from([
                ("pcfiledir".into(), directory),
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
        package
    }

    /// The values of its variables.
    pub(super) fn values(&self) -> Vec<String> {
        let mut left = LONGEST;
        let values = self.variables.values();
        values
            .map(|value| self.expanded(value, &mut left))
            .collect()
    }

    /// What the package requires, as one list.
    pub(super) fn requires(&self) -> String {
        let mut left = LONGEST;
        let texts = REQUIRES.iter().filter_map(|field| self.fields.get(*field));
        let texts: Vec<String> = texts.map(|text| self.expanded(text, &mut left)).collect();
        texts.join(" ")
    }

    /// The fields that hold flags.
    fn flags(&self, left: &mut usize) -> Vec<Field<'_>> {
        let fields = FLAGS.iter().filter_map(|name| {
            let text = self.expanded(self.fields.get(*name)?, left);
            Some(Field {
                path: &self.path,
                name,
                flags: places(&split(text.as_bytes())),
            })
        });
        fields.collect()
    }

    /// The text with its variables put in; one that is not set is empty. `left` is what is left of [`LONGEST`], and
    /// where that ends the text does.
    fn expanded(&self, text: &str, left: &mut usize) -> String {
        let mut expanded = String::new();
        self.expand(text, &mut expanded, left, DEEPEST);
        expanded
    }

    fn expand(&self, text: &str, expanded: &mut String, left: &mut usize, depth: usize) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            let Some(enough) = left.checked_sub(before.len() + 1).filter(|_| depth > 0) else {
                return;
            };
            *left = enough;
            expanded.push_str(before);
            if let Some(value) = self.variables.get(name) {
                self.expand(value, expanded, left, depth - 1);
            }
            rest = after;
        }
        if let Some(enough) = left.checked_sub(rest.len()) {
            *left = enough;
            expanded.push_str(rest);
        }
    }
}

impl<'p> Field<'p> {
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn path(&self) -> &'p Path {
        self.path
    }

    pub(super) fn flags(&self) -> &[Flag] {
        &self.flags
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
        let package = Package::parse("/x.pc".into(), text.as_bytes(), "");
        for text in [text, &text.replace("Cflags", "Requires")] {
            let package = Package::parse("/x.pc".into(), text.as_bytes(), "");
            assert!(fields(&[package]).len() < 2);
        }
        assert!(
            package
                .expanded(&package.fields["Cflags"], &mut LONGEST.clone())
                .len()
                <= LONGEST
        );
    }
}
