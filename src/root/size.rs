//! The space that each package takes in a root.

use super::{
    error::RootError,
    merged::Packages,
    walk::{Entry, EntryKind, Reads, RootFiles},
};
use crate::terminal::{COLUMN, FIRST, table};
use crossmerge_plan::report::counted;
use crossmerge_portage::merged::MERGED;
use crossmerge_system::file::Tree;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// What no package owns, by the directories in which it is.
const OTHERS: [(&str, &str); 5] = [
    (MERGED, "Portage's database"),
    ("lib/modules", "kernel modules"),
    ("usr/lib/modules", "kernel modules"),
    ("boot", "boot files"),
    ("", "no package"),
];

/// The space that a package, or what no package owns, takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    /// The package, or what else it is.
    pub(crate) name: String,
    /// The name of the owning package. `None` if no package owns it.
    pub(crate) is_package: bool,
    /// The sum of the sizes of its files, in bytes.
    pub(crate) bytes: u64,
    /// The number of its files and symlinks.
    pub(crate) files: usize,
}

/// The sizes of a root.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    pub(crate) root: String,
    /// The sum of the sizes of all files, in bytes.
    pub(crate) bytes: u64,
    /// The number of files, symlinks and directories.
    pub(crate) entries: usize,
    /// The largest first.
    pub(crate) sizes: Vec<Size>,
}

impl Sizes {
    /// Measures a root. A file with several names counts once.
    pub(crate) fn of(tree: Tree) -> Result<Self, RootError> {
        let files = RootFiles::walk(tree, Reads::Status)?;
        let packages = Packages::read(&files)?;
        let mut sizes: BTreeMap<(bool, &str), Size> = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut bytes = 0;
        for entry in &files.entries {
            if matches!(entry.kind, EntryKind::Directory) || !seen.insert(entry.identity) {
                continue;
            }
            let (is_package, name) = match packages.owner(&entry.place) {
                Some(package) => (true, package),
                None => (false, other(entry)),
            };
            let size = sizes.entry((is_package, name)).or_default();
            size.bytes += entry.size;
            size.files += 1;
            bytes += entry.size;
        }
        let sizes = sizes.into_iter().map(|((is_package, name), size)| Size {
            name: name.to_owned(),
            is_package,
            ..size
        });
        let mut sizes: Vec<Size> = sizes.collect();
        sizes.sort_by(|one, other| (other.bytes, &one.name).cmp(&(one.bytes, &other.name)));
        Ok(Self {
            root: files.tree.path().display().to_string(),
            bytes,
            entries: files.entries.len(),
            sizes,
        })
    }

    /// Renders a table.
    pub(crate) fn to_text(&self) -> String {
        let row = |size: &Size| {
            let name = match size.is_package {
                true => size.name.clone(),
                false => format!("({})", size.name),
            };
            [
                format!("{:>9}", readable(size.bytes)),
                name,
                counted(size.files, "file"),
            ]
        };
        let mut rows: Vec<_> = self.sizes.iter().map(row).collect();
        rows.push([
            format!("{:>9}", readable(self.bytes)),
            self.root.clone(),
            counted(self.entries, "path"),
        ]);
        table([FIRST, COLUMN, COLUMN], &rows)
    }

    /// Renders a JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data") + "\n"
    }
}

/// Returns what an entry is that no package owns.
fn other(entry: &Entry) -> &'static str {
    let mut others = OTHERS.iter();
    let found = others.find(|(directory, _)| entry.place.starts_with(directory));
    found.map_or("no package", |(_, what)| what)
}

/// Renders a number of bytes in KiB or MiB.
pub(crate) fn readable(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
