//! The record of what init wrote: how a later run tells a file that is still ours from one that a person edited.
//!
//! It lies in the sysroot, as `var/lib/crossmerge/contents`, in the manner of Portage's CONTENTS: `obj PATH SHA256`,
//! `sym PATH -> TARGET`, `dir PATH`, with paths from the sysroot on. It is written before anything else, with what
//! stands and what will stand, under a first line `pending`; when all is written it is replaced by one that holds only
//! what stands. A run that was killed is thus known, and what it wrote is still ours.

use crate::file::read;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

/// The folder of our own files in a sysroot.
pub(super) const FOLDER: &str = "var/lib/crossmerge";
/// The lock, from the sysroot on: whoever writes holds it.
pub(super) const LOCK: &str = "var/lib/crossmerge/lock";
/// The record, from the sysroot on.
pub(super) const FILE: &str = "var/lib/crossmerge/contents";

/// One thing that init made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// A file with this SHA-256, in hexadecimal.
    File(String),
    /// A symbolic link to this target.
    Link(PathBuf),
    /// A folder.
    Folder,
}

/// What init made, by path from the sysroot on. While a run is pending a path may have two entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    entries: BTreeMap<PathBuf, BTreeSet<Entry>>,
    /// A run has begun and not ended.
    pub(crate) pending: bool,
}

impl Record {
    /// Reads the record of a sysroot; an empty one where there is none. A line that we do not know is left out, and
    /// so is a path that would lead out of the sysroot: what it spoke of counts as a person's, which is the safe side.
    pub(crate) fn read(sysroot: &Path) -> io::Result<Self> {
        let file = sysroot.join(FILE);
        let text = match read::read_to_string(&file, read::CONTENTS) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text?,
        };
        Ok(Self::parse(&text))
    }

    /// Reads the text of a record. A path that does not lie in the sysroot is no more known than any other line: the sysroot may
    /// be somebody else's, and `remove` takes away what stands here.
    pub(super) fn parse(text: &str) -> Self {
        let mut record = Self::default();
        // A path may end in what else counts as a part of a line end.
        for line in text.split('\n') {
            match line.split_once(' ') {
                None => record.pending |= line == "pending",
                Some(("obj", rest)) => {
                    if let Some((path, hash)) = rest.rsplit_once(' ') {
                        record.add_inside(path, Entry::File(hash.into()));
                    }
                }
                Some(("sym", rest)) => {
                    if let Some((path, target)) = rest.split_once(" -> ") {
                        record.add_inside(path, Entry::Link(target.into()));
                    }
                }
                Some(("dir", path)) => record.add_inside(path, Entry::Folder),
                Some(_) => {}
            }
        }
        record
    }

    fn add_inside(&mut self, path: &str, entry: Entry) {
        let parts = || Path::new(path).components();
        if !path.is_empty() && parts().all(|part| matches!(part, Component::Normal(_))) {
            self.add(path, entry);
        }
    }

    /// The record as text.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::from(if self.pending { "pending\n" } else { "" });
        for (path, entries) in &self.entries {
            let path = path.display();
            for entry in entries {
                let _ = match entry {
                    Entry::File(hash) => writeln!(text, "obj {path} {hash}"),
                    Entry::Link(target) => writeln!(text, "sym {path} -> {}", target.display()),
                    Entry::Folder => writeln!(text, "dir {path}"),
                };
            }
        }
        text
    }

    /// Adds an entry beside those the path has.
    pub(super) fn add(&mut self, path: impl Into<PathBuf>, entry: Entry) {
        let path = path.into();
        let mut parts = path.components();
        if parts.all(|part| matches!(part, Component::Normal(_))) {
            self.entries.entry(path).or_default().insert(entry);
        }
    }

    /// Makes this the one entry of the path.
    pub(super) fn put(&mut self, path: impl Into<PathBuf>, entry: Entry) {
        self.entries.insert(path.into(), BTreeSet::from([entry]));
    }

    /// Tells whether the path is still as init left it.
    pub(super) fn holds(&self, path: &Path, entry: &Entry) -> bool {
        self.entries
            .get(path)
            .is_some_and(|entries| entries.contains(entry))
    }

    /// Tells whether init ever wrote the path.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        self.entries.contains_key(path)
    }

    /// The paths, a folder before what is in it.
    pub(crate) fn paths(&self) -> impl DoubleEndedIterator<Item = &Path> {
        self.entries.keys().map(PathBuf::as_path)
    }

    /// Tells whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Reads what is at a path; `None` when there is nothing, or something that init never makes.
pub(super) fn entry_at(path: &Path) -> io::Result<Option<Entry>> {
    let metadata = match fs_err::symlink_metadata(path) {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        metadata => metadata?,
    };
    let entry = match metadata.file_type() {
        kind if kind.is_symlink() => fs_err::read_link(path).map(Entry::Link),
        kind if kind.is_dir() => Ok(Entry::Folder),
        // Of a terabyte the sum would take hours.
        kind if kind.is_file() && metadata.len() <= read::SUMMED => {
            hash_file(path).map(Entry::File)
        }
        _ => return Ok(None),
    };
    match entry {
        // Another run has taken it away just now.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        entry => entry.map(Some),
    }
}

/// The SHA-256 of a text, in hexadecimal.
pub(super) fn hash_text(text: &[u8]) -> String {
    hexadecimal(&Sha256::digest(text))
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
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
        let record = Record::parse(text);
        let paths: Vec<&Path> = record.paths().collect();
        assert_eq!(paths, [Path::new("a/b")]);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let sysroot = tempfile::tempdir().expect("a folder");
        let mut record = Record {
            pending: true,
            ..Record::default()
        };
        record.add("etc/a b", Entry::File(hash_text(b"x")));
        record.add("etc/a b", Entry::File(hash_text(b"y")));
        record.add(
            "make.profile",
            Entry::Link("/var/db/repos/g/profiles/embedded".into()),
        );
        record.add("tmp", Entry::Folder);
        record.add("srv/a\r", Entry::Folder);
        fs_err::create_dir_all(sysroot.path().join(FOLDER)).expect("a folder");
        fs_err::write(sysroot.path().join(FILE), record.to_text()).expect("a file");
        assert_eq!(Record::read(sysroot.path()).expect("a record"), record);
        assert!(record.holds(Path::new("etc/a b"), &Entry::File(hash_text(b"y"))));
        assert!(!record.holds(Path::new("etc/a b"), &Entry::File(hash_text(b"z"))));
        let text = "obj ../x 0\nobj /etc/passwd 0\ndir a/../../b\nsym ./c -> /\ndir ok\n";
        fs_err::write(sysroot.path().join(FILE), text).expect("a file");
        let record = Record::read(sysroot.path()).expect("a record");
        assert_eq!(record.paths().collect::<Vec<_>>(), [Path::new("ok")]);
    }
}
