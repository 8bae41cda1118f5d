//! The record of what init wrote: how a later run tells a file that is still ours from one that a user edited.
//!
//! It lies in the sysroot, as `var/lib/crossmerge/contents`, in the manner of Portage's CONTENTS: `obj PATH SHA256`,
//! `sym PATH -> TARGET`, `dir PATH`, with paths from the sysroot on. It is written before anything else, with what
//! stands and what will stand, under a first line `pending`; when all is written it is replaced by one that holds only
//! what stands. A run that was killed is thus known, and what it wrote is still ours.

use crate::config::RECORD;
use crossmerge_plan::shown::Show;
use crossmerge_system::file::{Identity, Node, Places, Tree, beneath::is_absent, budget, read};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Mutex,
};

/// The directory of our own files in a sysroot.
pub(super) const DIRECTORY: &str = "var/lib/crossmerge";
/// The lock, from the sysroot on: whoever writes holds it.
pub(super) const LOCK: &str = "var/lib/crossmerge/lock";
/// The lock of other work in a sysroot without that directory, from the sysroot on: no directories are made for it.
pub(super) const OTHER_LOCK: &str = ".crossmerge-lock";

/// How many lines a record may have. A toolchain's libc has some thousand files; a line takes 450 bytes of memory.
const MOST_LINES: usize = 250_000;

/// One thing that init made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RecordEntry {
    /// A file with this SHA-256, in hexadecimal.
    File(String),
    /// A symbolic link to this target.
    Link(PathBuf),
    /// A directory.
    Directory,
}

/// What init made, by path from the sysroot on. While a run is pending a path may have two entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InitRecord {
    entries: BTreeMap<PathBuf, BTreeSet<RecordEntry>>,
    /// A run has begun and not ended.
    pub(crate) pending: bool,
}

impl InitRecord {
    /// Reads the record of a sysroot; an empty one where there is none.
    pub(crate) fn read(sysroot: &Path) -> io::Result<Self> {
        match Tree::open_to_read(sysroot).map_err(io::Error::from) {
            Err(e) if is_absent(&e) => Ok(Self::default()),
            tree => Self::of(Some(&tree?)),
        }
    }

    /// Reads the record of an open sysroot. A line that we do not know is left out, and so is a path that would lead out of the
    /// sysroot: what it spoke of counts as a user's, which is the safe side.
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

    /// Reads the text of a record. A path that does not lie in the sysroot is no more known than any other line: the sysroot may
    /// be another user's, and `remove` takes away what stands here.
    pub(super) fn parse(text: &str, file: &Path) -> io::Result<Self> {
        let mut record = Self::default();
        // A path may end in what else counts as a part of a line end.
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

    /// Refuses a record that could not be read again.
    pub(super) fn check_size(&self, file: &Path) -> io::Result<()> {
        let lines: usize = self.entries.values().map(BTreeSet::len).sum();
        match lines >= MOST_LINES {
            true => Err(too_long(file)),
            false => Ok(()),
        }
    }

    /// The record as text.
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

    /// Adds an entry beside those the path has.
    pub(super) fn add(&mut self, path: impl Into<PathBuf>, entry: RecordEntry) {
        let path = path.into();
        let mut parts = path.components();
        if parts.all(|part| matches!(part, Component::Normal(_))) {
            self.entries.entry(path).or_default().insert(entry);
        }
    }

    /// Makes this the one entry of the path.
    pub(super) fn put(&mut self, path: impl Into<PathBuf>, entry: RecordEntry) {
        self.entries.insert(path.into(), BTreeSet::from([entry]));
    }

    /// Returns whether the path is still as init left it.
    pub(super) fn holds(&self, path: &Path, entry: &RecordEntry) -> bool {
        self.entries
            .get(path)
            .is_some_and(|entries| entries.contains(entry))
    }

    /// Returns whether what has the path is as init left it. Only a file of which it wrote one is hashed.
    pub(super) fn is_as_left(&self, path: &Path, node: &Node) -> io::Result<bool> {
        let entries = self.entries.get(path).into_iter().flatten();
        let is_file = |entry: &RecordEntry| matches!(entry, RecordEntry::File(_));
        if node.is_file() && !entries.into_iter().any(is_file) {
            return Ok(false);
        }
        let there = entry_of(node)?;
        Ok(there.is_some_and(|there| self.holds(path, &there)))
    }

    /// Returns whether init ever wrote the path.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        self.entries.contains_key(path)
    }

    /// The paths, a directory before what is in it.
    pub(crate) fn paths(&self) -> impl DoubleEndedIterator<Item = &Path> {
        self.entries.keys().map(PathBuf::as_path)
    }

    /// Returns whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn too_long(file: &Path) -> io::Error {
    let file = file.shown();
    io::Error::other(format!(
        "`{file}` has more than {MOST_LINES} lines, and no record that init wrote has as many"
    ))
}

/// What was looked at, as init would record it; `None` for what init never makes.
pub(super) fn entry_of(node: &Node) -> io::Result<Option<RecordEntry>> {
    let entry = match () {
        () if node.is_link() => RecordEntry::Link(node.target()?),
        () if node.is_dir() => RecordEntry::Directory,
        // Of a terabyte the sum would take hours.
        () if node.is_file() && node.size() <= read::SUMMED => RecordEntry::File(hash_node(node)?),
        () => return Ok(None),
    };
    Ok(Some(entry))
}

/// What is at a path, as init would record it; `None` when there is nothing, or something that init never makes.
pub(super) fn entry_at(places: &Places, path: &Path) -> io::Result<Option<RecordEntry>> {
    let node = places.look(path).map_err(io::Error::from)?;
    node.map_or(Ok(None), |node| entry_of(&node))
}

/// A file in a state: its identity, its size, and when it changed last, with nanoseconds.
type State = (Identity, u64, i64, i64);

/// The hashes of large files that were computed: one file may be named many times.
static HASHES: Mutex<BTreeMap<State, String>> = Mutex::new(BTreeMap::new());

/// The size from which on a hash is kept.
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
    // It may grow meanwhile.
    let hash = hash(node.open()?.take(node.size()))?;
    if node.size() >= LARGE
        && let Ok(mut hashes) = HASHES.lock()
    {
        hashes.insert(state, hash.clone());
    }
    Ok(hash)
}

/// The SHA-256 of a text, in hexadecimal.
pub(super) fn hash_text(text: &[u8]) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn hash_file(path: &Path) -> io::Result<String> {
    let node = Node::at(path).map_err(io::Error::from)?;
    hash_node(&node)
}

fn hash(mut file: impl io::Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = [0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_the_sysroot_is_not_known() {
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
        assert!(record.holds(Path::new("etc/a b"), &RecordEntry::File(hash_text(b"y"))));
        assert!(!record.holds(Path::new("etc/a b"), &RecordEntry::File(hash_text(b"z"))));
        let text = "obj ../x 0\nobj /etc/passwd 0\ndir a/../../b\nsym ./c -> /\ndir ok\n";
        fs_err::write(sysroot.path().join(RECORD), text).expect("a file");
        let record = InitRecord::read(sysroot.path()).expect("a record");
        assert_eq!(record.paths().collect::<Vec<_>>(), [Path::new("ok")]);
    }
}
