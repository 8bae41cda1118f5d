//! `.pc` files: which one a flag comes from, and which ones a query reads.
//!
//! The output is the real tool's; this module only explains it. Variables are expanded as in pkg-config; unusual
//! syntax stays unexplained.

use super::flags::{Flag, places, split};
use crossmerge_system::file::read;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

/// How many `.pc` files are read for one query. The libraries of a desktop have about 150.
const MOST: usize = 4096;

/// The total size of these files, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// The limit for the expanded fields of one file, in bytes and variables. Without it, variables that each name the
/// next one twice would grow exponentially.
pub(super) const LONGEST: usize = 64 << 10;

/// How deep variables may be nested. pkg-config itself never ends on a cycle.
const DEEPEST: usize = 100;

/// A `.pc` file.
pub(super) struct Package {
    path: PathBuf,
    variables: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
}

/// A field of a file, with its flags.
pub(super) struct Field<'p> {
    path: &'p Path,
    name: &'static str,
    flags: Vec<Flag>,
}

/// The fields that contain flags.
const FLAGS: [&str; 4] = ["Cflags", "Cflags.private", "Libs", "Libs.private"];

/// The fields that name other packages.
const REQUIRES: [&str; 3] = ["Requires", "Requires.private", "Requires.internal"];

/// Returns the packages of a query, and all that they require, up to the limits.
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
        // A package that cannot be read is omitted; the real tool reports it.
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

/// Returns the packages that a query needs and the directories lack.
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

/// Returns the fields of the packages that contain flags.
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

/// Returns the file and the field of a flag: one with the same option, else one with the same path.
pub(super) fn origin<'p>(flag: &Flag, fields: &[Field<'p>]) -> Option<(&'p Path, &'static str)> {
    let same = |fits: &dyn Fn(&Flag) -> bool| {
        let field = fields.iter().find(|field| field.flags.iter().any(fits))?;
        Some((field.path, field.name))
    };
    let plain = |path: &Path| path.components().collect::<PathBuf>();
    let path = plain(&flag.path);
    same(&|other| other == flag).or_else(|| same(&|other| plain(&other.path) == path))
}

/// Finds the file of a package in the directories. A package may also be named by the path of its file.
pub(super) fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    if name.ends_with(".pc") {
        return Some(name.into());
    }
    places_of(name, directories).find(|path| path.is_file())
}

/// Returns the possible paths of a package, in the real tool's order.
fn places_of(name: &str, directories: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    directories.iter().flat_map(move |directory| {
        ["-uninstalled", ""].map(|kind| directory.join(format!("{name}{kind}.pc")))
    })
}

/// Checks that the real tool can read the packages of a query to their end, since it opens any kind of file. The
/// packages that they require are not checked, which would take as long as reading them.
pub(super) fn check_readable(words: &str, directories: &[PathBuf]) -> io::Result<()> {
    named(words).iter().try_for_each(|name| {
        let places: Vec<PathBuf> = match name.ends_with(".pc") {
            true => vec![name.into()],
            false => places_of(name, directories).collect(),
        };
        let found = places
            .iter()
            .find_map(|place| match read::check(place, read::PACKAGE) {
                Err(e) if read::refused(&e).is_none() => None,
                checked => Some(checked),
            });
        found.unwrap_or(Ok(()))
    })
}

/// Returns the packages in a list, without version comparisons.
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
    /// Returns the path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Parses the text of a file.
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
            // The first of the two characters decides between field and variable.
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

    /// Returns the values of its variables.
    pub(super) fn values(&self) -> Vec<String> {
        let mut left = LONGEST;
        let values = self.variables.values();
        values
            .map(|value| self.expanded(value, &mut left))
            .collect()
    }

    /// Returns the packages that it requires, as one list.
    pub(super) fn requires(&self) -> String {
        let mut left = LONGEST;
        let texts = REQUIRES.iter().filter_map(|field| self.fields.get(*field));
        let texts: Vec<String> = texts.map(|text| self.expanded(text, &mut left)).collect();
        texts.join(" ")
    }

    /// Returns the fields that contain flags.
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

    /// Expands the variables in a text; an unset one is empty. `left` is the remainder of [`LONGEST`]; the text is
    /// cut off at its end.
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

/// Returns the usual spelling of a field: pkg-config also accepts `CFlags` for `Cflags`.
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
    fn package_lists_are_parsed_without_versions() {
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
    fn expansion_ends_for_variables_that_double() {
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
