//! What one command reads of what other people made, in sum: each reader has its own limit for a file, and this one is for all of them.
//!
//! A process is one command. What exceeds a sum is an error that names the file at which it did.

use super::refused::{Why, refuse};
use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// The budget of this process.
pub static OF_OTHERS: Budget = Budget::new();

/// Files that one command opens. A whole Gentoo system has 500,000.
const MOST_FILES: u64 = 2_000_000;

/// Bytes that one command reads of files.
const MOST_BYTES: u64 = 4 << 30;

/// Bytes that one command keeps until it ends: what fix-root finds, and the texts that it changes. A whole system has 100,000 libraries
/// and scripts, for which it keeps some hundred bytes each.
const MOST_KEPT: u64 = 256 << 20;

/// Bytes of the files whose hashes one command computes. The largest libc that init copies, with its debugging symbols, has 500 MiB,
/// and init computes each hash twice.
const MOST_HASHED: u64 = 4 << 30;

/// Bytes that the names take that one command lists. A whole Gentoo system has 2,000,000, for which it needs a third of it.
const MOST_OF_NAMES: u64 = 768 << 20;

/// What a name takes beside its bytes.
const OF_A_NAME: usize = 64;

/// Files that one question about settings may be answered from, and their bytes in sum: `package.use` with a file for each package
/// that is installed; Gentoo's largest profiles have 2 MiB.
const MOST_SETTINGS: (u64, u64) = (20_000, 64 << 20);

/// What one question about settings was answered from so far: links can make a few files many.
#[derive(Debug, Default)]
pub struct Settings {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Settings {
    /// Counts a file or directory.
    pub fn file(&self, path: &Path) -> io::Result<()> {
        spend(&self.files, 1, MOST_SETTINGS.0, "files of settings", path)
    }

    /// Counts the bytes of a file.
    pub fn bytes(&self, path: &Path, bytes: usize) -> io::Result<()> {
        let what = "bytes of settings";
        spend(&self.bytes, bytes as u64, MOST_SETTINGS.1, what, path)
    }
}

/// What was spent so far.
#[derive(Debug, Default)]
pub struct Budget {
    files: AtomicU64,
    bytes: AtomicU64,
    kept: AtomicU64,
    hashed: AtomicU64,
    names: AtomicU64,
}

impl Budget {
    /// One of which nothing is spent.
    pub const fn new() -> Self {
        Self {
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            hashed: AtomicU64::new(0),
            names: AtomicU64::new(0),
        }
    }

    /// Counts a file that is opened.
    pub fn file(&self, path: &Path) -> io::Result<()> {
        spend(&self.files, 1, MOST_FILES, "files", path)
    }

    /// Counts bytes that are read.
    pub fn bytes(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.bytes, bytes, MOST_BYTES, "bytes read", path)
    }

    /// Counts bytes that are kept until the command ends.
    pub fn kept(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.kept, bytes, MOST_KEPT, "bytes to change", path)
    }

    /// Counts bytes whose hash is computed.
    pub fn hashed(&self, path: &Path, bytes: u64) -> io::Result<()> {
        spend(&self.hashed, bytes, MOST_HASHED, "bytes hashed", path)
    }

    /// Counts a name of so many bytes in a directory.
    pub fn name(&self, directory: &Path, bytes: usize) -> io::Result<()> {
        let bytes = (bytes + OF_A_NAME) as u64;
        spend(
            &self.names,
            bytes,
            MOST_OF_NAMES,
            "bytes of names",
            directory,
        )
    }
}

fn spend(
    spent: &AtomicU64,
    more: u64,
    limit: u64,
    what: &'static str,
    path: &Path,
) -> io::Result<()> {
    let before = spent.fetch_add(more, Ordering::Relaxed);
    match before.saturating_add(more) > limit {
        true => Err(refuse(path, Why::TooMuch { what, limit })),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_an_error_that_names_the_file() {
        let budget = Budget::new();
        let path = Path::new("/some/file");
        for _ in 0..4 {
            budget.bytes(path, 1 << 30).expect("4 GiB");
        }
        let error = budget.bytes(path, 1).expect_err("one more");
        let said = error.to_string();
        assert!(said.starts_with("`/some/file` is one too many"), "{said}");
        let settings = Settings::default();
        for _ in 0..20_000 {
            settings.file(path).expect("20,000 files");
        }
        settings.file(path).expect_err("one more");
        settings.bytes(path, 64 << 20).expect("64 MiB");
        settings.bytes(path, 1).expect_err("one more");
        budget.hashed(path, 1).expect("another sum");
        budget.name(path, 1).expect("a name");
        budget.name(path, 1 << 30).expect_err("too long a name");
    }
}
