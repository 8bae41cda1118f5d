//! The entries of the kernel's binfmt_misc, as this process sees them in `/proc/sys/fs/binfmt_misc`.
//!
//! The format of an entry is that of `fs/binfmt_misc.c`. A user namespace may have its own binfmt_misc (Linux 6.7).

use crate::qemu::rule::Rule;
use std::{
    ffi::OsStr,
    io::{self, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The mount point of binfmt_misc.
pub const DIRECTORY: &str = "/proc/sys/fs/binfmt_misc";

/// An entry that matches a magic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether the entry is enabled.
    pub is_enabled: bool,
    /// The program that runs the files.
    pub interpreter: PathBuf,
    /// The flags, in the kernel's order.
    pub flags: String,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Entry {
    /// Parses the text of an entry. Returns `None` if it matches a file name extension.
    pub fn parse(name: &str, text: &[u8]) -> Option<Self> {
        let field = |key: &str| {
            let mut lines = text.split(|byte| *byte == b'\n');
            lines.find_map(|line| line.strip_prefix(key.as_bytes()))
        };
        let word = |key| Some(std::str::from_utf8(field(key)?).ok()?.trim().to_owned());
        let magic = bytes(&word("magic ")?)?;
        Some(Self {
            name: name.into(),
            is_enabled: text.starts_with(b"enabled"),
            interpreter: OsStr::from_bytes(field("interpreter ")?).into(),
            flags: word("flags:")?,
            offset: word("offset ")?.parse().ok()?,
            mask: match word("mask ") {
                Some(mask) => bytes(&mask)?,
                None => vec![0xff; magic.len()],
            },
            magic,
        })
    }

    /// Returns whether the entry matches exactly the files of the rule.
    pub fn is_of(&self, rule: &Rule) -> bool {
        self.offset == 0
            && significant(&self.magic, &self.mask) == significant(&rule.magic, &rule.mask)
    }

    /// Returns whether the entry matches a file with this header.
    pub fn takes(&self, header: &[u8]) -> bool {
        let header = header.get(self.offset..).unwrap_or_default();
        let mut bytes = self.magic.iter().zip(&self.mask).zip(header);
        header.len() >= self.magic.len()
            && bytes.all(|((magic, mask), byte)| (magic ^ byte) & mask == 0)
    }
}

/// Returns the compared bits, up to the last one. Bytes at the end that the mask ignores are omitted.
fn significant(magic: &[u8], mask: &[u8]) -> Vec<(u8, u8)> {
    let pairs = magic.iter().zip(mask);
    let mut pairs: Vec<_> = pairs.map(|(magic, mask)| (magic & mask, *mask)).collect();
    while pairs.pop_if(|(_, mask)| *mask == 0).is_some() {}
    pairs
}

/// Parses hexadecimal digits, two for each byte.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Reads the entries, sorted by name. Returns `None` if binfmt_misc is not mounted.
pub fn read() -> io::Result<Option<Vec<Entry>>> {
    let directory = Path::new(DIRECTORY);
    if !directory.join("register").exists() {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for file in fs_err::read_dir(directory)? {
        let file = file?;
        let name = file.file_name().display().to_string();
        if !["register", "status"].contains(&name.as_str()) {
            entries.extend(Entry::parse(&name, &fs_err::read(file.path())?));
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(entries))
}

/// Writes to a file of binfmt_misc: a rule to `register`, or `1` (enable) or `-1` (remove) to an entry.
pub fn write(file: &str, text: &[u8]) -> io::Result<()> {
    let path = Path::new(DIRECTORY).join(file);
    // The kernel requires a rule in a single write.
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(text)
}
