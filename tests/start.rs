//! `src/start.ld` names the functions that run at every start. The linker ignores a name that no longer exists, so
//! this test finds such names.

use std::{collections::BTreeSet, path::Path};

/// At most one name in this many may be out of date.
const STALE: usize = 20;

/// The crates of this workspace, as in mangled names, and their directories.
const CRATES: [(&str, &str); 5] = [
    ("crossmerge_autoconf", "crates/autoconf/src"),
    ("crossmerge_plan", "crates/plan/src"),
    ("crossmerge_portage", "crates/portage/src"),
    ("crossmerge_system", "crates/system/src"),
    ("crossmerge", "src"),
];

#[test]
fn the_functions_of_a_start_exist() {
    let order = read("src/start.ld");
    let names: Vec<Vec<&str>> = order
        .lines()
        .filter(|line| line.contains("_R"))
        .map(identifiers)
        .collect();
    let own: Vec<(&str, &str)> = names.iter().filter_map(|name| function(name)).collect();
    assert!(own.len() > 200, "only {} functions of ours", own.len());
    let known: Vec<BTreeSet<String>> = CRATES
        .iter()
        .map(|(_, directory)| functions(Path::new(directory)))
        .collect();
    let is_stale = |(name, function): &&(&str, &str)| {
        let at = CRATES
            .iter()
            .position(|(known, _)| known == name)
            .expect("a crate");
        !known[at].contains(*function)
    };
    let stale: Vec<_> = own.iter().filter(is_stale).collect();
    assert!(
        stale.len() * STALE <= own.len(),
        "{} of {} functions do not exist, such as {:?}: run `make order`",
        stale.len(),
        own.len(),
        &stale[..stale.len().min(5)]
    );
}

#[test]
fn a_mangled_name_is_split_into_crate_and_function() {
    for (line, wanted) in [
        (
            "*(.text._RNvNtCs*_15crossmerge_plan5words9show_file .text.unlikely._RNvNtCs*_15crossmerge_plan5words9show_file)",
            Some(("crossmerge_plan", "show_file")),
        ),
        (
            "*(.text._RNvMNtNtCs*_17crossmerge_system4file9directoryNtB*_9Directory7of_file .text.unlikely._RNvMNtNtCs*_17crossmerge_system4file9directoryNtB*_9Directory7of_file)",
            Some(("crossmerge_system", "of_file")),
        ),
        (
            "*(.text._RNCNvNtCs*_10crossmerge6applet4plan0B*_ .text.unlikely._RNCNvNtCs*_10crossmerge6applet4plan0B*_)",
            Some(("crossmerge", "plan")),
        ),
        (
            "*(.text._RNvNtCs*_4core3fmt5write .text.unlikely._RNvNtCs*_4core3fmt5write)",
            None,
        ),
    ] {
        assert_eq!(function(&identifiers(line)), wanted, "{line}");
    }
}

/// The identifiers of a mangled name. Each is a decimal length, an underscore if the identifier begins with a digit
/// or an underscore, and that many bytes. Source: the Rust reference, "v0 Symbol Format".
fn identifiers(name: &str) -> Vec<&str> {
    let mut identifiers = Vec::new();
    let mut rest = name;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[at..];
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let length: usize = rest[..digits].parse().unwrap_or_default();
        let after = &rest[digits..];
        let text = after.strip_prefix('_').unwrap_or(after);
        match text.get(..length) {
            Some(identifier)
                if length > 0
                    && identifier
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
            {
                identifiers.push(identifier);
                rest = &text[length..];
            }
            _ => rest = after,
        }
    }
    identifiers
}

/// The crate and the function of a name. Returns `None` if it is a function of another crate that was instantiated
/// for a type of crossmerge's.
fn function<'n>(identifiers: &[&'n str]) -> Option<(&'n str, &'n str)> {
    let (first, rest) = identifiers.split_first()?;
    let is_ours = CRATES.iter().any(|(name, _)| name == first);
    let of_others = ["core", "alloc", "std", "serde", "toml", "nix"];
    let is_mixed = rest.iter().any(|name| of_others.contains(name));
    let function = rest
        .iter()
        .rfind(|name| name.starts_with(|c: char| c.is_lowercase() || c == '_'))?;
    (is_ours && !is_mixed).then_some((*first, *function))
}

/// The names of all functions below a directory.
fn functions(directory: &Path) -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    for entry in std::fs::read_dir(source(directory))
        .expect("a directory")
        .flatten()
    {
        let path = directory.join(entry.file_name());
        if entry.path().is_dir() {
            functions.extend(self::functions(&path));
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("a source file");
        let names = text.split("fn ").skip(1).map(|rest| {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            rest[..end].to_owned()
        });
        functions.extend(names);
        // The constants and statics that a function initialises, and the modules, appear under their own names.
        functions.extend(
            text.split("mod ")
                .skip(1)
                .map(|rest| rest.split(';').next().unwrap_or_default().to_owned()),
        );
    }
    functions
}

fn source(path: &Path) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(source(Path::new(path))).expect(path)
}
