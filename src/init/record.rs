//! The record of what init wrote, by which a later run distinguishes its own files from those that a user edited.
//!
//! It is `var/lib/crossmerge/contents` in the sysroot, in the format of Portage's CONTENTS: `obj PATH SHA256`, `sym
//! PATH -> TARGET`, `dir PATH`, with paths relative to the sysroot. init writes it first, with all existing and all
//! planned entries, under a first line `pending`. When everything is written, init replaces it by one with the existing
//! entries. So the files of an interrupted run are still known as init's.

use crate::config::RECORD;
use crossmerge_plan::{shown::Show, words::hex};
use crossmerge_system::file::{Identity, Node, Places, Tree, beneath::is_absent, budget, read};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Mutex,
};

/// The directory of crossmerge's own files in a sysroot.
pub(super) const DIRECTORY: &str = "var/lib/crossmerge";
/// The lock of everything that writes to the sysroot, relative to the sysroot.
pub(super) const LOCK: &str = "var/lib/crossmerge/lock";
/// The lock of other work in a sysroot without that directory, relative to the sysroot. It is at the top, so that it
/// needs no directories.
pub(super) const OTHER_LOCK: &str = ".crossmerge-lock";

/// The limit of a record's lines. A toolchain's libc has some thousand files; a line takes 450 bytes of memory.
const MOST_LINES: usize = 250_000;

/// A file, symlink or directory that init made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RecordEntry {
    /// A file with this SHA-256, in hexadecimal.
    File(String),
    /// A symlink with this target.
    Link(PathBuf),
    /// A directory.
    Directory,
}

/// What init made, by path relative to the sysroot. While a run is pending, a path may have two entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InitRecord {
    entries: BTreeMap<PathBuf, BTreeSet<RecordEntry>>,
    /// Whether a run has begun but not ended.
    pub(crate) pending: bool,
}

impl InitRecord {
    /// Reads the record of a sysroot. It is empty if there is none.
    pub(crate) fn read(sysroot: &Path) -> io::Result<Self> {
        match Tree::open_to_read(sysroot).map_err(io::Error::from) {
            Err(e) if is_absent(&e) => Ok(Self::default()),
            tree => Self::of(Some(&tree?)),
        }
    }

    /// Reads the record of an open sysroot. Unknown lines are ignored, and so are paths that lead out of the sysroot:
    /// such files count as a user's, which is the safe side.
    pub(super) fn of(tree: Option<&Tree>) -> io::Result<Self> {
        let found = match tree {
            Some(tree) => tree.find(Path::new(RECORD)).map_err(io::Error::from)?,
            None => None,
        };
        match found {
            Some(node) => Self::parse(&node.read_to_string(read::CONTENTS)?, node.path()),
            None => Ok(Self::default()),
        }
    }

    /// Parses a record. Paths that lead out of the sysroot are ignored like unknown lines, because the sysroot may
    /// belong to another user, and `remove` removes what the record lists.
    pub(super) fn parse(text: &str, file: &Path) -> io::Result<Self> {
        let mut record = Self::default();
        // Only `\n` ends a line: a path may end in `\r`.
        for (number, line) in text.split('\n').enumerate() {
            if number > MOST_LINES {
                return Err(too_long(file));
            }
            match line.split_once(' ') {
                None => record.pending |= line == "pending",
                Some(("obj", rest)) => {
                    if let Some((path, hash)) = rest.rsplit_once(' ') {
                        record.add_inside(path, RecordEntry::File(hash.into()));
                    }
                }
                Some(("sym", rest)) => {
                    if let Some((path, target)) = rest.split_once(" -> ") {
                        record.add_inside(path, RecordEntry::Link(target.into()));
                    }
                }
                Some(("dir", path)) => record.add_inside(path, RecordEntry::Directory),
                Some(_) => {}
            }
        }
        Ok(record)
    }

    fn add_inside(&mut self, path: &str, entry: RecordEntry) {
        let parts = || Path::new(path).components();
        if !path.is_empty() && parts().all(|part| matches!(part, Component::Normal(_))) {
            self.add(path, entry);
        }
    }

    /// Refuses a record that would be too large to read again.
    pub(super) fn check_size(&self, file: &Path) -> io::Result<()> {
        let lines: usize = self.entries.values().map(BTreeSet::len).sum();
        match lines >= MOST_LINES {
            true => Err(too_long(file)),
            false => Ok(()),
        }
    }

    /// Renders the record.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::from(if self.pending { "pending\n" } else { "" });
        for (path, entries) in &self.entries {
            let path = path.display();
            for entry in entries {
                let _ = match entry {
                    RecordEntry::File(hash) => writeln!(text, "obj {path} {hash}"),
                    RecordEntry::Link(target) => {
                        writeln!(text, "sym {path} -> {}", target.display())
                    }
                    RecordEntry::Directory => writeln!(text, "dir {path}"),
                };
            }
        }
        text
    }

    /// Adds an entry to those of the path.
    pub(super) fn add(&mut self, path: impl Into<PathBuf>, entry: RecordEntry) {
        let path = path.into();
        let mut parts = path.components();
        if parts.all(|part| matches!(part, Component::Normal(_))) {
            self.entries.entry(path).or_default().insert(entry);
        }
    }

    /// Replaces all entries of the path by this one.
    pub(super) fn put(&mut self, path: impl Into<PathBuf>, entry: RecordEntry) {
        self.entries.insert(path.into(), BTreeSet::from([entry]));
    }

    /// Removes all entries of the path.
    pub(super) fn forget(&mut self, path: &Path) {
        self.entries.remove(path);
    }

    /// Returns whether the record has this entry for the path.
    pub(super) fn has(&self, path: &Path, entry: &RecordEntry) -> bool {
        self.entries
            .get(path)
            .is_some_and(|entries| entries.contains(entry))
    }

    /// Returns whether the file at the path is as init left it. It is hashed only if init wrote a file there.
    pub(crate) fn is_as_left(&self, path: &Path, node: &Node) -> io::Result<bool> {
        let entries = self.entries.get(path).into_iter().flatten();
        let is_file = |entry: &RecordEntry| matches!(entry, RecordEntry::File(_));
        if node.is_file() && !entries.into_iter().any(is_file) {
            return Ok(false);
        }
        let entry = entry_of(node)?;
        Ok(entry.is_some_and(|entry| self.has(path, &entry)))
    }

    /// Returns whether init wrote the path.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        self.entries.contains_key(path)
    }

    /// Lists the paths, each directory before its contents.
    pub(crate) fn paths(&self) -> impl DoubleEndedIterator<Item = &Path> {
        self.entries.keys().map(PathBuf::as_path)
    }

    /// Lists the paths with their entries. While a run is pending, a path may occur twice.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Path, &RecordEntry)> {
        let entries = self.entries.iter();
        entries.flat_map(|(path, entries)| entries.iter().map(|entry| (path.as_path(), entry)))
    }

    /// Returns whether the record has no entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn too_long(file: &Path) -> io::Error {
    let file = file.shown();
    io::Error::other(format!(
        "`{file}` has more than {MOST_LINES} lines, which init never writes"
    ))
}

/// Returns an open file's state as init would record it, or `None` if init never makes such a file.
pub(super) fn entry_of(node: &Node) -> io::Result<Option<RecordEntry>> {
    let entry = match () {
        () if node.is_link() => RecordEntry::Link(node.target()?),
        () if node.is_dir() => RecordEntry::Directory,
        // Hashing a terabyte would take hours.
        () if node.is_file() && node.size() <= read::SUMMED => RecordEntry::File(hash_node(node)?),
        () => return Ok(None),
    };
    Ok(Some(entry))
}

/// Returns the state of a path as init would record it, or `None` if the path does not exist or init never makes such a
/// file.
pub(super) fn entry_at(places: &Places, path: &Path) -> io::Result<Option<RecordEntry>> {
    let node = places.find_nofollow(path).map_err(io::Error::from)?;
    node.map_or(Ok(None), |node| entry_of(&node))
}

/// The state of a file: its identity, its size, and the time of its last change, with nanoseconds.
type State = (Identity, u64, i64, i64);

/// The hashes of large files, kept because a record may list one file many times.
static HASHES: Mutex<BTreeMap<State, String>> = Mutex::new(BTreeMap::new());

/// The size from which a hash is kept, in bytes.
const LARGE: u64 = 1 << 20;

fn hash_node(node: &Node) -> io::Result<String> {
    let state = (
        node.identity(),
        node.size(),
        node.stat().st_ctime,
        node.stat().st_ctime_nsec,
    );
    let known = || HASHES.lock().ok()?.get(&state).cloned();
    if node.size() >= LARGE
        && let Some(known) = known()
    {
        return Ok(known);
    }
    budget::PROCESS.hashed(node.path(), node.size())?;
    // The file may grow meanwhile.
    let hash = hash(node.open()?.take(node.size()))?;
    if node.size() >= LARGE
        && let Ok(mut hashes) = HASHES.lock()
    {
        hashes.insert(state, hash.clone());
    }
    Ok(hash)
}

/// Returns the SHA-256 of a text, in hexadecimal.
pub(super) fn hash_text(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}

/// Returns the SHA-256 of a file, in hexadecimal.
pub(super) fn hash_file(path: &Path) -> io::Result<String> {
    let node = Node::at(path).map_err(io::Error::from)?;
    hash_node(&node)
}

fn hash(mut file: impl io::Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = [0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_outside_the_sysroot_are_not_in_the_record() {
        let text = "dir ../etc\ndir /etc\nobj a/../../b 0\nsym . -> x\nobj  0\ndir \ndir a/b\n";
        let record = InitRecord::parse(text, Path::new(RECORD)).expect("a record");
        let paths: Vec<&Path> = record.paths().collect();
        assert_eq!(paths, [Path::new("a/b")]);
    }

    #[test]
    fn a_record_of_too_many_lines_is_an_error_that_names_it() {
        for line in ["dir a\n", "dir ../a\n", "\n", "what is this\n"] {
            let text = line.repeat(MOST_LINES - 1);
            InitRecord::parse(&text, Path::new(RECORD)).expect("so many");
            let text = line.repeat(MOST_LINES + 1);
            let error = InitRecord::parse(&text, Path::new(RECORD)).expect_err(line);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`{RECORD}` has more"))
            );
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let sysroot = tempfile::tempdir().expect("a directory");
        let mut record = InitRecord {
            pending: true,
            ..InitRecord::default()
        };
        record.add("etc/a b", RecordEntry::File(hash_text(b"x")));
        record.add("etc/a b", RecordEntry::File(hash_text(b"y")));
        record.add(
            "make.profile",
            RecordEntry::Link("/var/db/repos/g/profiles/embedded".into()),
        );
        record.add("tmp", RecordEntry::Directory);
        record.add("srv/a\r", RecordEntry::Directory);
        fs_err::create_dir_all(sysroot.path().join(DIRECTORY)).expect("a directory");
        fs_err::write(sysroot.path().join(RECORD), record.to_text()).expect("a file");
        assert_eq!(InitRecord::read(sysroot.path()).expect("a record"), record);
        assert!(record.has(Path::new("etc/a b"), &RecordEntry::File(hash_text(b"y"))));
        assert!(!record.has(Path::new("etc/a b"), &RecordEntry::File(hash_text(b"z"))));
        let text = "obj ../x 0\nobj /etc/passwd 0\ndir a/../../b\nsym ./c -> /\ndir ok\n";
        fs_err::write(sysroot.path().join(RECORD), text).expect("a file");
        let record = InitRecord::read(sysroot.path()).expect("a record");
        assert_eq!(record.paths().collect::<Vec<_>>(), [Path::new("ok")]);
    }
}
